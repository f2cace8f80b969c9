"""The part of fetching that models and datasets share: resumed after any interruption, checked by hash."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from filelock import FileLock, Timeout

from studio.engine.hub_listing import Listing, RemoteFile, hub_errors, new_client, unreachable
from studio.engine.weights import sha256_of
from studio.errors import BusyError, ResourceError, StudioError
from studio.i18n import _

ATTEMPTS = 5  # in a row without a single new byte
RETRY_S = 0.5  # doubled each time
_SPARE_BYTES = 100 * 2**20
_REVISION_FILE = ".revision"
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
Made = TypeVar("Made")


class Transfer:
    """The files of one listing, into a folder of parts beside ``target``.

    on_host: hears each host before it is contacted. on_progress: hears bytes here, bytes in all. check: called often;
    what it raises ends the job. After any end but success the parts stay beside ``target`` and the next fetch goes on
    from them; ``discard`` removes them.
    """

    def __init__(
        self,
        target: Path,
        *,
        on_host: Callable[[str], None],
        on_progress: Callable[[int, int], None],
        check: Callable[[], None],
    ) -> None:
        self._parts = parts_folder(target)
        self._on_host, self._on_progress, self._check = on_host, on_progress, check
        self._done = 0
        self._total = 0

    def run(self, listed: Callable[[], Listing], publish: Callable[[Path, Listing], Made]) -> Made:
        """Fetch what ``listed`` names, and hand the folder of parts, whole and proved, to ``publish``.

        Raises what these two raise, StudioError ``hub.busy``, ``hub.corrupt``, ``hub.unreachable``; ResourceError
        ``hub.disk``; whatever ``check`` raises.
        """
        self._parts.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(str(self._parts) + ".lock", timeout=0)
        try:
            with lock, new_client(self._on_host) as client:
                listing = listed()
                self._check()
                self._prepare(listing)
                for file in listing.files:
                    self._fetch_file(file, listing.repo, client)
                (self._parts / _REVISION_FILE).unlink()
                return publish(self._parts, listing)
        except Timeout as error:
            raise BusyError(
                "hub.busy", _("This is already being fetched."), _("Wait for it, or cancel it first.")
            ) from error
        finally:
            if self._parts.exists() and not any(self._parts.iterdir()):
                self._parts.rmdir()
            if not self._parts.exists():
                Path(lock.lock_file).unlink(missing_ok=True)

    def _prepare(self, listing: Listing) -> None:
        """Drop parts of another revision, and see that the rest fits on the disk."""
        mark = self._parts / _REVISION_FILE
        identity = f"{listing.hub} {listing.repo} {listing.revision}"
        if not mark.is_file() or mark.read_text(encoding="utf-8") != identity:
            shutil.rmtree(self._parts)
            self._parts.mkdir(mode=0o700)
            mark.write_text(identity, encoding="utf-8")
        self._total = listing.size
        here = sum(path.stat().st_size for path in self._parts.rglob("*") if path.is_file())
        free = shutil.disk_usage(self._parts).free
        if free < listing.size - here + _SPARE_BYTES:
            raise ResourceError(
                "hub.disk",
                _("The download needs {needed} MB; only {free} MB are free.").format(
                    needed=(listing.size - here + _SPARE_BYTES) // 10**6, free=free // 10**6
                ),
                _("Free some space on the disk of the workspace."),
            )

    def _fetch_file(self, file: RemoteFile, repo: str, client: httpx2.Client) -> None:
        whole = self._parts / file.path
        whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = self._done
        if not whole.is_file():
            for _again in range(2):  # a part that went bad on the way is fetched anew, once
                self._done = before
                part = whole.with_name(whole.name + ".part")
                self._complete(file, part, repo, client)
                if is_intact(part, file):
                    part.rename(whole)
                    break
                part.unlink()
            else:
                raise StudioError(
                    "hub.corrupt",
                    _("The hub sent a wrong {name}: it differs from what the hub itself says of it.").format(
                        name=file.path
                    ),
                    _("Try again later, or choose another hub in the settings."),
                )
        self._done = before + whole.stat().st_size
        self._on_progress(self._done, self._total)

    def _complete(self, file: RemoteFile, part: Path, repo: str, client: httpx2.Client) -> None:
        """Bring ``part`` to its full size, going on after every interruption."""
        part.touch(mode=0o600)
        start = self._done
        failures = 0
        while (size_before := part.stat().st_size) < file.size:
            reason = _("nothing was sent")
            try:
                self._stream(file, part, start, client)
            except httpx2.HTTPStatusError as error:
                if error.response.status_code not in _RETRIED:
                    with hub_errors(repo, error.request.url.host):
                        raise
                reason = f"HTTP {error.response.status_code}"
            except (httpx2.TransportError, httpx2.StreamError) as error:
                reason = str(error) or type(error).__name__
            size = part.stat().st_size
            if size < file.size:
                failures = 0 if size > size_before else failures + 1
                if failures >= ATTEMPTS:
                    raise unreachable(urlsplit(file.url).hostname or "", reason)
                self._wait(RETRY_S * 2**failures)

    def _stream(self, file: RemoteFile, part: Path, start: int, client: httpx2.Client) -> None:
        """One request, from where ``part`` ends; appended as it comes."""
        have = part.stat().st_size
        headers = {"accept-encoding": "identity"} | ({"range": f"bytes={have}-"} if have else {})
        with client.stream("GET", file.url, headers=headers) as response:
            if response.status_code == 416:
                part.unlink()
                part.touch(mode=0o600)
                return
            response.raise_for_status()
            resumed = response.status_code == 206
            with part.open("ab" if resumed else "wb") as out:
                self._done = start + (have if resumed else 0)
                for chunk in response.iter_raw():
                    out.write(chunk)
                    if out.tell() > file.size:
                        break  # longer than announced: the hash check will say no
                    self._done += len(chunk)
                    self._on_progress(self._done, self._total)
                    self._check()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._check()
            time.sleep(0.05)


def parts_folder(target: Path) -> Path:
    """Where the parts wait until all are here; the same for each attempt."""
    return target.with_name(f".part-{target.name}")


def discard(target: Path) -> None:
    """Remove what was fetched so far of what is not wanted any more."""
    shutil.rmtree(parts_folder(target), ignore_errors=True)
    Path(str(parts_folder(target)) + ".lock").unlink(missing_ok=True)


def is_intact(path: Path, file: RemoteFile) -> bool:
    """Whether size and hash are those that the hub named; a hub that names no hash is believed."""
    if path.stat().st_size != file.size:
        return False
    if file.sha256:
        return sha256_of(path) == file.sha256
    if file.git_oid:
        blob = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
        blob.update(path.read_bytes())  # small: large files are stored under their SHA-256
        return blob.hexdigest() == file.git_oid
    return True
