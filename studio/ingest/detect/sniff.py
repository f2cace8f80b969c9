"""What a text file is, by its content first and its name second: format, delimiter, and whether it has a header."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from studio.ingest import errors
from studio.ingest.detect.names import KNOWN_NAMES, plain_name
from studio.ingest.export.formulas import plain_name as without_mark

DELIMITERS: Final = (",", "\t", ";", "|")
_MAGIC: Final = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"\x7fELF", "ELF"),
    (b"MZ", "EXE"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xd0\xcf\x11\xe0", "OLE"),
    (b"PK\x03\x04", "ZIP"),
    (b"GGUF", "GGUF"),
    (b"\x93NUMPY", "NumPy"),
)


def refuse_known(path: Path, head: bytes) -> None:
    """Raise import.binary for content that tells by its first bytes that it is nothing we read."""
    for magic, kind in _MAGIC:
        if head.startswith(magic) and not (magic == b"MZ" and b"\0" not in head[:512]):
            raise errors.binary(str(path), kind)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise errors.binary(str(path), "WebP")


def refuse_binary(path: Path, text: bytes) -> None:
    """Raise import.binary when decoded text is full of control characters."""
    sample = text[:65536]
    control = sum(sample.count(code) for code in range(32) if code not in (9, 10, 12, 13))
    if control * 20 > len(sample):
        raise errors.binary(str(path))


def text_format(path: Path, head: bytes, delimiter: str | None) -> str:
    """csv, tsv, json, jsonl or txt for UTF-8 text that begins with ``head``."""
    start = head.lstrip()[:1]
    suffix = path.suffix.lower()
    if start == b"{":
        return _object_format(head)
    if start == b"[" and suffix not in (".csv", ".tsv", ".txt"):
        return "json"
    if suffix == ".tsv":
        return "tsv"
    if suffix == ".csv" or delimiter:
        return "csv"
    if suffix in (".json", ".jsonl", ".ndjson"):
        return "jsonl"
    return "csv" if _has_known_header(head) else "txt"


def _object_format(head: bytes) -> str:
    """JSONL when the first line is a whole object; a single object over several lines is JSON."""
    first, _newline, more = head.lstrip().partition(b"\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return "jsonl" if more.lstrip()[:1] == b"{" and first.rstrip().endswith(b"}") else "json"
    holds_rows = isinstance(value, dict) and any(
        isinstance(value.get(k), list) for k in ("data", "rows", "examples")
    )
    return "json" if holds_rows and not more.strip() else "jsonl"


def _has_known_header(head: bytes) -> bool:
    line = head.lstrip().split(b"\n", 1)[0].decode("utf-8", "replace")
    for delimiter in DELIMITERS:
        names = [plain_name(name.strip('"')) for name in line.split(delimiter)]
        if len(names) > 1 and sum(name in KNOWN_NAMES for name in names) >= 2:
            return True
    return False


def detect_delimiter(head: bytes) -> str:
    """The delimiter that cuts the first records into the same number of fields most often; quotes are heeded."""
    text = head[: 1 << 17].decode("utf-8", "replace")
    scores = {delimiter: _score(text, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > (0, 0.0, 0) else ","


def _score(text: str, delimiter: str) -> tuple[int, float, int]:
    records = head_records(text, delimiter, 100)
    widths = Counter(len(record) for record in records)
    if not widths:
        return (0, 0.0, 0)
    width, count = widths.most_common(1)[0]
    known = sum(plain_name(cell) in KNOWN_NAMES for cell in records[0])
    if width < 2:
        return (0, 0.0, 0)
    return (known if known > 1 else 0, count / len(records), width if width < 50 else 1)


def head_records(text: str, delimiter: str, limit: int) -> list[list[str]]:
    """The first non-blank records, read forgivingly."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) >= limit:
                break
    except csv.Error:
        return records
    return records


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record holds names: a known one, or short words above numbers or above longer cells."""
    if not records:
        return False
    first = [without_mark(cell.strip()) for cell in records[0]]
    if any(plain_name(cell) in KNOWN_NAMES for cell in first):
        return True
    named = [cell for cell in first if cell]
    if not named or any(len(cell) > 40 or _is_number(cell) or cell[-1] in ".?!。？！" for cell in named):
        return False
    if any(_is_number_column(records, index) for index in range(len(first))):
        return True
    below = [cell for record in records[1:20] for cell in record]
    longest = max(map(len, named))
    return not below or sum(len(cell) > longest for cell in below) * 2 >= len(below)


def _is_number_column(records: Sequence[Sequence[str]], index: int) -> bool:
    cells = [record[index] for record in records[1:20] if index < len(record) and record[index].strip()]
    return bool(cells) and all(_is_number(cell.strip()) for cell in cells)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace(",", "").lstrip("-").isdigit()
