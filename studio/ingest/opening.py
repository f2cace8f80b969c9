"""From a file to a reader: what the file is, how it is encoded and cut, and what its columns are for."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from studio.domain.datasets import ImportSpec, SourcePreview
from studio.domain.shapes import ColumnRole, Shape, shape_of
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.detect.encoding import SAMPLE_BYTES, detect_encoding
from studio.ingest.detect.roles import guess_roles
from studio.ingest.detect.sniff import (
    detect_delimiter,
    has_header,
    head_records,
    refuse_binary,
    refuse_known,
    text_format,
)
from studio.ingest.readers.batches import Reader
from studio.ingest.readers.csv_reader import CsvReader
from studio.ingest.readers.json_reader import MAX_BYTES, JsonReader
from studio.ingest.readers.jsonl_reader import JsonlReader
from studio.ingest.readers.registry import container_kind, open_container, sheet_of, sheets_of
from studio.ingest.readers.table_reader import unique_names
from studio.ingest.readers.text_reader import TextReader
from studio.ingest.readers.unmarked import unmarked
from studio.ingest.source import HashedFile, SourceFile, utf8_blocks, utf8_head
from studio.words import listed

PREVIEW_ROWS: Final = 50
_MAX_COLUMNS: Final = 5_000
_MAX_NAMED: Final = 20
_WITH_SHEETS: Final = frozenset({"xlsx", "xls", "ods", "sqlite"})
_MAX_FIRST_LINE_BYTES: Final = 16 << 20


@dataclass
class OpenedSource:
    """A source with everything detected; ``file`` gives its hash, ``reader`` its rows."""

    file: SourceFile
    reader: Reader
    format: str
    encoding: str | None
    delimiter: str | None
    sheets: list[str]
    shape: Shape
    roles: dict[str, ColumnRole]
    reason: str
    rows: list[list[str]] = field(default_factory=list)

    def preview(self) -> SourcePreview:
        return SourcePreview(
            format=self.format,
            encoding=self.encoding,
            delimiter=self.delimiter,
            sheets=self.sheets,
            sheet=sheet_of(self.reader),
            columns=self.reader.columns,
            rows=self.rows[:PREVIEW_ROWS],
            shape=self.shape,
            roles=self.roles,
            reason=self.reason,
        )


def open_file(path: Path, spec: ImportSpec) -> OpenedSource:
    """Open one file and detect; what the spec says is taken over what was detected.

    Raises StudioError: import.unreadable, import.empty, import.binary, import.locked, import.encoding,
    import.broken, import.too_large, import.columns, and what the readers of documents raise.
    """
    file = HashedFile(path)
    head = _head(path)
    form = container_kind(path, head)
    if form is not None:
        reader = open_container(form, path, spec.sheet, spec.encoding)
        encoding = getattr(reader, "encoding", None)
        return describe(spec, file, reader, form, encoding, None, sheets_of(reader))
    refuse_known(path, head)
    encoding = _encoding(spec, path, head)
    form, delimiter, reader = _open_text(spec, file, encoding, utf8_head(head, encoding))
    return describe(spec, file, reader, form, encoding, delimiter, [])


def describe(
    spec: ImportSpec,
    file: SourceFile,
    reader: Reader,
    form: str,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheets: Sequence[str] = (),
) -> OpenedSource:
    """What was opened, with its first rows and the guess at what they are."""
    if len(reader.columns) > _MAX_COLUMNS:
        raise errors.too_large(_("more columns than a dataset can have"), str(_MAX_COLUMNS))
    rows = reader.head(PREVIEW_ROWS)
    if not reader.columns:
        raise errors.no_rows(str(file.path), hint=other_sheets_words(form, reader))
    guess = guess_roles(reader.columns, rows, spec.shape)
    shape = spec.shape or (shape_of(spec.roles.values()) if spec.roles else None) or guess.shape
    roles = guess.roles if spec.roles is None else dict(spec.roles)
    return OpenedSource(
        file, reader, form, encoding, delimiter, list(sheets), shape, roles, guess.reason, rows
    )


def other_sheets_words(form: str, reader: Reader) -> str:
    """What else can be read of a workbook or database, and how; empty where there is nothing else."""
    others = [name for name in sheets_of(reader) if name != sheet_of(reader)]
    if form not in _WITH_SHEETS or not others:
        return ""
    text = _("Choose another sheet or table ({option} on the command line): {names}.")
    return text.format(option="--sheet", names=listed(others[:_MAX_NAMED]))


def _head(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, _("neither a file nor a folder"))  # a pipe would wait for ever
        with path.open("rb") as stream:
            head = stream.read(SAMPLE_BYTES)
            if (
                head.lstrip()[:1] == b"{" and b"\n" not in head
            ):  # a first line of JSON that is longer than this
                head += stream.read(_MAX_FIRST_LINE_BYTES)
    except OSError as error:
        raise errors.unreadable(str(path), error) from error
    if not head:
        raise errors.empty(str(path))
    return head


def _encoding(spec: ImportSpec, path: Path, head: bytes) -> str:
    chosen = spec.encoding or detect_encoding(head)
    if chosen is None:
        refuse_binary(path, head)
        raise errors.unknown_encoding(str(path))
    try:
        utf8_head(head[:1024], chosen)
    except LookupError as error:
        raise errors.unknown_encoding(str(path)) from error
    return "utf-8" if chosen.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else chosen


def _open_text(
    spec: ImportSpec, file: HashedFile, encoding: str, head: bytes
) -> tuple[str, str | None, Reader]:
    if not head.strip():
        raise errors.empty(str(file.path))
    refuse_binary(file.path, head)

    def blocks() -> Iterator[bytes]:
        return utf8_blocks(file, encoding)

    form = text_format(file.path, head, spec.delimiter)
    if form == "jsonl":
        return form, None, JsonlReader(blocks, head)
    if form == "json":
        if file.path.stat().st_size > MAX_BYTES:
            raise errors.too_large(f"{file.path.stat().st_size >> 20} MB", f"{MAX_BYTES >> 20} MB")
        return form, None, JsonReader(str(file.path), b"".join(blocks()).decode("utf-8", "surrogateescape"))
    if form == "txt":
        return form, None, TextReader(blocks, head)
    if spec.delimiter and (
        len(spec.delimiter) > 1 or not spec.delimiter.isascii() or spec.delimiter in '"\r\n'
    ):
        raise errors.columns(_("A delimiter is one character, such as a comma, a semicolon or a tab."))
    delimiter = spec.delimiter or ("\t" if form == "tsv" else detect_delimiter(head))
    return form, delimiter, _open_csv(file.path, blocks, head, delimiter, tuple(spec.roles or ()))


def _open_csv(
    path: Path, blocks: Callable[[], Iterator[bytes]], head: bytes, delimiter: str, chosen: tuple[str, ...]
) -> Reader:
    """chosen: columns that a role was given to; a first record that has them all is the header."""
    records = head_records(head[: 1 << 18].decode("utf-8", "replace"), delimiter, 200)
    if not records:
        raise errors.broken(str(path), "CSV")
    header = has_header(records) or bool(chosen and set(chosen) <= set(unique_names(records[0])))
    width = len(records[0]) if header else max(len(record) for record in records[:20])
    if width > _MAX_COLUMNS:
        raise errors.too_large(_("more columns than a dataset can have"), str(_MAX_COLUMNS))
    names = list(records[0]) if header else [""] * width
    blank_lines = len(head) - len(head.lstrip(b"\r\n"))
    first_row = -head[:blank_lines].count(b"\n") if header else 1
    reader = CsvReader(blocks, head, columns=unique_names(names), delimiter=delimiter, first_row=first_row)
    return unmarked(reader) if header else reader
