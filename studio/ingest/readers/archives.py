"""What is looked at before a document that is a ZIP archive is opened: bombs, lies about sizes, and DTDs."""

from __future__ import annotations

import struct
import xml.parsers.expat
import zipfile
import zlib
from pathlib import Path
from typing import IO, BinaryIO, Final

from studio.i18n import _
from studio.ingest import errors

MAX_UNPACKED_BYTES: Final = 1 << 30
_MAX_RATIO: Final = 200  # beyond _SMALL_BYTES: ordinary sheets stay below 60
_SMALL_BYTES: Final = 200 << 20
_MAX_MEMBERS: Final = 20_000
_TRUSTED_BYTES: Final = 64 << 10  # packed; deflate cannot make more than 66 MB of it
_BLOCK: Final = 1 << 20
_XML: Final = (".xml", ".rels")


def check_archive(path: Path, kind: str) -> None:
    """Refuse a document of this ``kind`` that is damaged, is a ZIP bomb, or carries a DTD in one of its parts.

    Raises StudioError import.broken, import.too_large, import.dtd, import.locked.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            members = archive.infolist()
            _check_sizes(members)
            for member in members:
                if member.flag_bits & 1:
                    raise errors.locked()
                if member.filename.lower().endswith(_XML):
                    _check_length(file, member, path)
                    with archive.open(member) as part:
                        refuse_dtd(part, path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise errors.broken(str(path), kind) from error
    except (zlib.error, struct.error) as error:
        raise errors.broken(str(path), kind) from error


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _MAX_MEMBERS:
        raise errors.too_large(_("{count} parts").format(count=len(members)), str(_MAX_MEMBERS))
    unpacked = sum(member.file_size for member in members)
    ratio = max((m.file_size / max(1, m.compress_size) for m in members), default=0)
    if unpacked > MAX_UNPACKED_BYTES:
        raise errors.too_large(f"{unpacked >> 20} MB", f"{MAX_UNPACKED_BYTES >> 20} MB")
    if ratio > _MAX_RATIO and unpacked > _SMALL_BYTES:
        what = _("a part that unpacks to {times} times its size").format(times=int(ratio))
        raise errors.too_large(what, str(_MAX_RATIO))


def _check_length(file: BinaryIO, member: zipfile.ZipInfo, path: Path) -> None:
    """A part must not unpack to more than the archive says: native readers go on to its real end."""
    if member.compress_type != zipfile.ZIP_DEFLATED or member.compress_size <= _TRUSTED_BYTES:
        return
    file.seek(member.header_offset)
    name_bytes, extra_bytes = struct.unpack("<HH", file.read(30)[26:30])
    file.seek(name_bytes + extra_bytes, 1)
    unpacker, left, length = zlib.decompressobj(-15), member.compress_size, 0
    while left > 0 and not unpacker.eof:
        block = file.read(min(left, _BLOCK))
        if not block:
            break
        left -= len(block)
        while block and length <= member.file_size:
            length += len(unpacker.decompress(block, _BLOCK))
            block = unpacker.unconsumed_tail
        if length > member.file_size:
            raise errors.too_large(_("a part that is larger than it says"), f"{member.file_size >> 20} MB")


def refuse_dtd(part: IO[bytes], path: Path) -> None:
    """Raise import.dtd when the XML in ``part`` has a document type; only what precedes its root is read.

    XML that is broken otherwise is left to the reader to complain of.
    """
    parser = xml.parsers.expat.ParserCreate()
    found: list[bool] = []
    parser.StartDoctypeDeclHandler = lambda *_declared: found.append(True)
    parser.StartElementHandler = lambda *_element: found.append(False)
    while not found and (block := part.read(4096)):
        try:
            parser.Parse(block, False)
        except xml.parsers.expat.ExpatError:
            break
    if found and found[0]:
        raise errors.dtd(str(path))
