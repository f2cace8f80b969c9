"""Files that are meant to exhaust the reader: made in portions, so that making them needs no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20


@dataclass(frozen=True)
class Heavy:
    """portions: the file's content, piece by piece. error: the code of the refusal, or None.

    rows: kept rows; rejected: (row, code) of the first rows put aside.
    """

    name: str
    portions: Callable[[], Iterator[bytes]]
    error: str | None = None
    rows: int = 0
    rejected: tuple[tuple[int, str], ...] = ()

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        with path.open("wb") as file:
            file.writelines(self.portions())
        return path


def _long_line(megabytes: int, before: bytes, after: bytes, filler: bytes = b"x") -> Iterator[bytes]:
    yield before
    for _portion in range(megabytes):
        yield filler * (MB // len(filler))
    yield after


def _wide(columns: int) -> Iterator[bytes]:
    yield b",".join(b"column%d" % number for number in range(columns)) + b"\n"
    yield b",".join(b"%d" % number for number in range(columns)) + b"\n"


def _wide_object(columns: int) -> Iterator[bytes]:
    for _line in range(2):
        yield b"{" + b",".join(b'"c%d":"%d"' % (number, number) for number in range(columns)) + b"}\n"


HEAD = b"question,answer\na,b\n"
OK = b'{"prompt": "a", "completion": "b"}\n'
ROW_1K = b"question," + b"answer " * 144 + b"answer\n"
assert len(ROW_1K) == 1024
HEAVY = [
    Heavy("line.csv", lambda: _long_line(1024, HEAD, b",y\nc,d\n"), rows=2, rejected=((2, "line_too_long"),)),
    Heavy("open_quote.csv", lambda: _long_line(1024, HEAD + b'"open\n', b"c,d\n", ROW_1K), rows=2 + (1 << 20),
          rejected=((2, "bad_quotes"),)),
    Heavy("quotes.csv", lambda: _long_line(200, HEAD, b"\nc,d\n", b'"'), rows=2, rejected=((2, "line_too_long"),)),
    Heavy("line.jsonl", lambda: _long_line(1024, OK + b'{"prompt": "', b'", "completion": "b"}\n' + OK), rows=2,
          rejected=((2, "line_too_long"),)),
    Heavy("brackets.jsonl", lambda: _long_line(100, OK, b"\n" + OK, b"["), rows=2, rejected=((2, "line_too_long"),)),
    Heavy("line.txt", lambda: _long_line(1024, b"first line\n", b"\nlast line\n"), rows=2,
          rejected=((2, "line_too_long"),)),
    Heavy("zeros.csv", lambda: _long_line(1024, b"", b"", b"\0"), error="import.binary"),
    Heavy("columns.csv", lambda: _wide(1_000_000), error="import.too_large"),
    Heavy("columns.jsonl", lambda: _wide_object(500_000), error="import.too_large"),
    Heavy("array.json", lambda: _long_line(300, b"[", b"]", b'{"q": "1", "a": "2"}, '), error="import.too_large"),
    Heavy("brackets.json", lambda: _long_line(100, b"[", b"]", b"["), error="import.no_rows"),
]  # fmt: skip
