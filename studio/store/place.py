"""Where a database may live: not in a folder that another program copies to a cloud, not on a network disk.

Both break SQLite's promises: a sync program copies half-written files, a network disk has no dependable locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from studio.errors import StudioError
from studio.i18n import _

_SYNC_NAMES = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "icloud drive": "iCloud Drive",
    "iclouddrive": "iCloud Drive",
    "mobile documents": "iCloud Drive",
    "com~apple~clouddocs": "iCloud Drive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "坚果云": "坚果云",
    "我的坚果云": "坚果云",
    "nutstore": "Nutstore",
    "nutstore files": "Nutstore",
    "百度网盘同步空间": "百度网盘",
    "baidusyncdisk": "百度网盘",
    "baidunetdiskworkspace": "百度网盘",
    "weiyun": "微云",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "pcloud drive": "pCloud",
    "pclouddrive": "pCloud",
    "syncthing": "Syncthing",
    "box sync": "Box",
}
_NETWORK = {
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smbfs", "smb2", "smb3", "afpfs", "afs", "ncpfs", "webdav", "davfs", "davfs2",
    "fuse.sshfs", "fuse.rclone", "fuse.davfs", "fuse.s3fs", "fuse.gvfsd-fuse", "fuse.glusterfs", "ceph", "glusterfs",
    "lustre", "beegfs", "coda",
}  # fmt: skip


def check_place(root: Path, mounts: Iterable[tuple[str, str]] | None = None) -> None:
    """Refuse a workspace folder where a database is not safe.

    mounts: (mount point, file system type) pairs; None asks the system.
    Raises StudioError ``workspace.sync_folder`` or ``workspace.network``.
    """
    service = sync_service(root.parts)
    if service:
        raise StudioError(
            "workspace.sync_folder",
            _("This folder is copied to the cloud by {service}, which can damage the database.").format(
                service=service
            ),
            _("Choose a folder that only this computer uses."),
        )
    if _on_network(root, system_mounts() if mounts is None else mounts):
        raise StudioError(
            "workspace.network", _("This folder is on a network disk, where a database is not safe."),
            _("Choose a folder on a disk of this computer."),
        )  # fmt: skip


def sync_service(parts: Sequence[str]) -> str | None:
    """The cloud service that one of these folders belongs to, by its name; None when there is none."""
    for part in parts:
        name = part.casefold().strip()
        for known, service in _SYNC_NAMES.items():
            if name == known or name.startswith((f"{known} - ", f"{known}-", f"{known} (")):
                return service
    return None


def system_mounts() -> list[tuple[str, str]]:
    """Mount points and their file system types, as the system tells."""
    import psutil

    return [(partition.mountpoint, partition.fstype) for partition in psutil.disk_partitions(all=True)]


def _on_network(root: Path, mounts: Iterable[tuple[str, str]]) -> bool:
    if str(root).startswith("\\\\"):
        return True
    over = [(len(Path(point).parts), kind) for point, kind in mounts if root.is_relative_to(point)]
    return max(over, default=(0, ""))[1].casefold() in _NETWORK
