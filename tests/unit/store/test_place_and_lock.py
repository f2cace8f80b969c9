"""Where a workspace may be, and that only one program uses it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.errors import BusyError, StudioError
from studio.store.lock import WorkspaceLock
from studio.store.place import check_place, sync_service, system_mounts

LOCAL = [("/", "ext4"), ("/home", "xfs")]


@pytest.mark.parametrize(
    "folder",
    [
        "/home/me/OneDrive/work", "/home/me/OneDrive - Firma GmbH/work", "/Users/me/Dropbox (Personal)/w",
        "/Users/me/Library/Mobile Documents/com~apple~CloudDocs/w", "/home/me/坚果云/项目", "/home/me/Nutstore Files/x",
        "/home/me/Google Drive/x", "/home/me/BaiduSyncdisk/x",
    ],
)  # fmt: skip
def test_folders_of_sync_programs_are_refused(folder: str) -> None:
    with pytest.raises(StudioError) as caught:
        check_place(Path(folder), LOCAL)
    assert caught.value.code == "workspace.sync_folder"


@pytest.mark.parametrize(
    "folder", ["/home/me/work", "/home/me/dropboxes", "/home/me/my-onedrive-tools/x", "/srv/项目"]
)
def test_ordinary_folders_are_accepted(folder: str) -> None:
    check_place(Path(folder), LOCAL)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "SMBFS"])
def test_network_disks_are_refused(kind: str) -> None:
    with pytest.raises(StudioError) as caught:
        check_place(Path("/mnt/share/team/work"), [*LOCAL, ("/mnt/share", kind)])
    assert caught.value.code == "workspace.network"


def test_the_nearest_mount_counts() -> None:
    mounts = [("/", "nfs"), ("/mnt", "cifs"), ("/mnt/local", "ext4"), ("/mnt/local2", "nfs")]
    check_place(Path("/mnt/local/work"), mounts)


def test_this_systems_own_mounts_can_be_read(tmp_path: Path) -> None:
    assert any(tmp_path.is_relative_to(point) for point, _ in system_mounts())
    assert sync_service(tmp_path.parts) is None


def test_a_second_holder_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = WorkspaceLock(tmp_path / "workspace.lock"), WorkspaceLock(tmp_path / "workspace.lock")
    first.acquire()
    with pytest.raises(BusyError) as caught:
        second.acquire()
    assert caught.value.code == "workspace.in_use"
    assert str(os.getpid()) in caught.value.message
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from studio.store.lock import WorkspaceLock\n"
        f"lock = WorkspaceLock(Path({str(tmp_path / 'workspace.lock')!r})); lock.acquire(); print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        lock = WorkspaceLock(tmp_path / "workspace.lock")
        with pytest.raises(BusyError, match=str(child.pid)):
            lock.acquire()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        lock.acquire()
        lock.release()
    finally:
        child.kill()
        child.communicate()


def test_a_full_disk_does_not_keep_anyone_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    lock = WorkspaceLock(tmp_path / "workspace.lock")
    lock.acquire()
    with pytest.raises(BusyError):
        WorkspaceLock(tmp_path / "workspace.lock").acquire()
    lock.release()
