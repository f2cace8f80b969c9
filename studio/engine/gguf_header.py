"""Reads a GGUF file's header with suspicion, before any library maps it into memory.

A file from the net may lie about every count and length in it; here each is held against the bytes that are there.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from studio.errors import StudioError
from studio.i18n import _

_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_MAX_DIMENSIONS = 4
_KEPT_ARRAY = 64  # longer arrays (vocabularies) are walked over, not kept


@dataclass(frozen=True)
class GgufHeader:
    """What a checked header says. parameters: elements of all tensors; metadata: without long arrays."""

    version: int
    metadata: dict[str, Any]
    tensors: int
    parameters: int

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))


def read_header(path: Path) -> GgufHeader:
    """The header of a GGUF file. Raises StudioError ``gguf.not_gguf``, ``gguf.version`` or ``gguf.damaged``."""
    size = path.stat().st_size
    with path.open("rb") as file:
        reader = _Reader(file, size)
        if size < 24 or reader.take(4) != b"GGUF":
            raise StudioError(
                "gguf.not_gguf",
                _("“{name}” is not a GGUF file.").format(name=path.name),
                _("Choose a file that ends in .gguf, as llama.cpp uses them."),
            )
        version = reader.scalar("<I")
        if version not in (2, 3):
            raise StudioError(
                "gguf.version",
                _("“{name}” has GGUF version {version}, which is not supported.").format(
                    name=path.name, version=version
                ),
                _("Look for a newer release of the model."),
            )
        try:
            return _read_body(reader, version)
        except (_LieError, UnicodeDecodeError, struct.error, RecursionError) as error:
            raise StudioError(
                "gguf.damaged",
                _("“{name}” is damaged: {reason}.").format(name=path.name, reason=error),
                _("Fetch or copy the file again."),
            ) from error


class _LieError(Exception):
    """The header claims what the file does not hold."""


class _Reader:
    """Reads forward; never more than the file has left."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self.at = file, size, 0

    @property
    def left(self) -> int:
        return self._size - self.at

    def take(self, count: int) -> bytes:
        self._claim(count)
        return self._file.read(count)

    def skip(self, count: int) -> None:
        self._claim(count)
        self._file.seek(count, 1)

    def _claim(self, count: int) -> None:
        if count > self.left:
            raise _LieError(_("it ends too early"))
        self.at += count

    def scalar(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def string(self) -> str:
        return self.take(self.scalar("<Q")).decode("utf-8", "replace")

    def count(self, least_bytes: int) -> int:
        """A number of things that take at least ``least_bytes`` each."""
        number = int(self.scalar("<Q"))
        if number * least_bytes > self.left:
            raise _LieError(_("it claims more than it holds"))
        return number

    def value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self._array()
        raise _LieError(_("it holds a value of unknown kind"))

    def _array(self) -> list[Any] | None:
        kind = self.scalar("<I")
        if kind in _SCALARS:
            width = struct.calcsize(_SCALARS[kind])
            number = self.count(width)
            if number > _KEPT_ARRAY:
                self.skip(number * width)
                return None
            return [self.scalar(_SCALARS[kind]) for _i in range(number)]
        number = self.count(8)
        if number > _KEPT_ARRAY:
            for _i in range(number):
                self.skip(self.scalar("<Q")) if kind == _STRING else self.value(kind)
            return None
        return [self.value(kind) for _i in range(number)]


def _read_body(reader: _Reader, version: int) -> GgufHeader:
    tensors, pairs = reader.count(24), reader.count(12)
    metadata: dict[str, Any] = {}
    for _pair in range(pairs):
        key = reader.string()
        metadata[key] = reader.value(reader.scalar("<I"))
    infos = [_tensor(reader) for _tensor_index in range(tensors)]
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 2**20:
        raise _LieError(_("it claims more than it holds"))
    start = -(-reader.at // alignment) * alignment
    space = reader.at + reader.left - start
    if not infos or any(offset + length > space for _elements, offset, length in infos):
        raise _LieError(_("weights are missing"))
    return GgufHeader(version, metadata, tensors, sum(elements for elements, _offset, _length in infos))


def _tensor(reader: _Reader) -> tuple[int, int, int]:
    """Elements, offset into the data and length in bytes of the next tensor."""
    reader.string()
    dimensions = reader.scalar("<I")
    if dimensions > _MAX_DIMENSIONS:
        raise _LieError(_("it claims more than it holds"))
    elements = 1
    for _dimension in range(dimensions):
        elements *= reader.scalar("<Q")
    kind = reader.scalar("<I")
    try:
        block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError) as error:
        raise _LieError(_("it holds a value of unknown kind")) from error
    return elements, reader.scalar("<Q"), elements // block * block_bytes
