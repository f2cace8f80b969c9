"""Is a model folder whole? Looked at before any library reads it: names, headers, lengths and recorded
hashes.

A zeroed blob, a missing shard or a header that lies about lengths is told in one sentence, not by native
code.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.i18n import _

INFO_FILE = "studio.json"  # the source and the hashes of a model that the studio made or fetched
_HEADER_LIMIT = 100 * 2**20  # as in the safetensors format's own specification
_INDEX = "model.safetensors.index.json"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises StudioError ``model.unreadable`` when there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StudioError(
            "model.unreadable",
            _("The model's file {name} cannot be read: {reason}").format(name=path.name, reason=error),
            _("Fetch or copy the model again."),
        ) from error
    if not isinstance(value, dict):
        raise StudioError(
            "model.unreadable",
            _("The model's file {name} is not what it should be.").format(name=path.name),
            _("Fetch or copy the model again."),
        )
    return value


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a whole model, shards in order.

    Raises StudioError ``model.no_weights`` when there are none, ``model.damaged`` when a shard is missing.
    """
    if (folder / _INDEX).is_file():
        shards = read_json(folder / _INDEX).get("weight_map")
        names = sorted(set(shards.values())) if isinstance(shards, dict) else []
        for name in names:
            if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
                raise damaged(str(name), _("it is missing"))
        if names:
            return [folder / name for name in names]
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise StudioError(
            "model.no_weights",
            _("The folder “{name}” holds no weights in the safetensors format.").format(name=folder.name),
            _("Choose a model with .safetensors files; other formats can run programs and are not opened."),
        )
    return files


def check_safetensors(path: Path) -> int:
    """Check a file's header against its length, and return its number of parameters.

    Raises StudioError ``model.damaged``. Format: 8 bytes header length, JSON header, tensors without gaps.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(_HEADER_LIMIT, size - 8):
            raise damaged(path.name, _("its header is wrong"))
        raw = file.read(length)
    try:
        header = json.loads(raw)
        tensors = [value for name, value in header.items() if name != "__metadata__"]
        ends = [int(tensor["data_offsets"][1]) for tensor in tensors]
        counts = [_count(tensor["shape"]) for tensor in tensors]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise damaged(path.name, _("its header is wrong")) from error
    if max(ends, default=0) != size - 8 - length:
        raise damaged(path.name, _("its length is wrong"))
    return sum(counts)


def _count(shape: list[int]) -> int:
    product = 1
    for length in shape:
        product *= int(length)
    return product


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_hashes(folder: Path) -> None:
    """Compare the folder's files with the hashes in studio.json, where there is one.

    Raises StudioError ``model.damaged`` for the first file that differs or is missing. About 1 GB/s.
    """
    if not (folder / INFO_FILE).is_file():
        return
    files = read_json(folder / INFO_FILE).get("files", {})
    for name, facts in files.items() if isinstance(files, dict) else ():
        path = folder / Path(name).name
        if not path.is_file():
            raise damaged(name, _("it is missing"))
        if sha256_of(path) != facts.get("sha256"):
            raise damaged(name, _("its content has changed"))


def damaged(name: str, reason: str) -> StudioError:
    """StudioError ``model.damaged`` for a file of a model."""
    return StudioError(
        "model.damaged",
        _("The model's file {name} is damaged: {reason}.").format(name=name, reason=reason),
        _("Fetch or copy the model again."),
    )
