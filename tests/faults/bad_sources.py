"""The corpus of bad sources: each a file as people really send them, with what must come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import polars as pl


@dataclass(frozen=True)
class BadSource:
    """content: the file's bytes. error: the code of the refusal, or None with what is kept and put aside."""

    name: str
    content: bytes
    error: str | None = None
    kept: tuple[tuple[str, str], ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def _csv(name: str, text: str | bytes, **expected: object) -> BadSource:
    content = text if isinstance(text, bytes) else text.encode()
    return BadSource(name, content, **expected)  # type: ignore[arg-type]


_TWO = (("hello there", "good day"), ("你好吗朋友", "我很好谢谢你的关心"))
_TABLE = "question,answer\n" + "".join(f"{q},{a}\n" for q, a in _TWO)

CSV_SOURCES = [
    _csv("zero.csv", b"", error="import.empty"),
    _csv("bom_only.csv", b"\xef\xbb\xbf", error="import.empty"),
    _csv("header_only.csv", "question,answer\n", error="import.no_rows"),
    _csv("png.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, error="import.binary"),
    _csv("random.csv", bytes((i * 97 + i // 7) % 256 for i in range(5000)), error="import.binary"),
    _csv("utf16le_bom.csv", b"\xff\xfe" + _TABLE.encode("utf-16-le"), kept=_TWO),
    _csv("utf16be_bom.csv", b"\xfe\xff" + _TABLE.encode("utf-16-be"), kept=_TWO),
    _csv("utf16le.csv", _TABLE.encode("utf-16-le"), kept=_TWO),
    _csv("utf16be.csv", _TABLE.encode("utf-16-be"), kept=_TWO),
    _csv("utf8_bom.csv", b"\xef\xbb\xbf" + _TABLE.encode(), kept=_TWO),
    _csv("gb18030.csv", _TABLE.encode("gb18030"), kept=_TWO),
    _csv("lone_cr.csv", _TABLE.replace("\n", "\r"), kept=_TWO),
    _csv("crlf.csv", _TABLE.replace("\n", "\r\n"), kept=_TWO),
    _csv("semicolon.csv", _TABLE.replace(",", ";"), kept=_TWO),
    _csv("tabs.tsv", _TABLE.replace(",", "\t"), kept=_TWO),
    _csv("no_end.csv", _TABLE.rstrip("\n"), kept=_TWO),
    _csv("nul.csv", "question,answer\na,b\nc\0,d\n", kept=(("a", "b"),), rejected=((2, "nul_character"),)),
    _csv(
        "invalid_utf8.csv",
        "question,answer\n你,好\n".encode() + b"bad\xff,x\ngood,y\n",
        kept=(("你", "好"), ("good", "y")),
        rejected=((2, "invalid_bytes"),),
    ),
    _csv(
        "unclosed_quote.csv",
        'question,answer\na,b\n"c,d\ne,f\n"g ""q""","h\nh"\n',
        kept=(("a", "b"), ("e", "f"), ('g "q"', "h\nh")),
        rejected=((2, "bad_quotes"),),
    ),
    _csv(
        "ragged.csv",
        "question,answer\na,b\nonly\nx,y,z\nc,d\n,e\nf,\n",
        kept=(("a", "b"), ("c", "d")),
        rejected=(
            (2, "missing_response"),
            (3, "too_many_fields"),
            (5, "missing_prompt"),
            (6, "missing_response"),
        ),
    ),
    _csv("blank_lines.csv", "question,answer\n\na,b\n\n,\nc,d\n\n", kept=(("a", "b"), ("c", "d"))),
    _csv("names.csv", "question,answer,,answer\na,b,c,d\n", kept=(("a", "b"),)),
    _csv(
        "as_written.csv",
        "question,answer\nNA,None\n00123,1e5\n123456789012345678901234567890,NaN\n1.10,TRUE\n",
        kept=(("NA", "None"), ("00123", "1e5"), ("123456789012345678901234567890", "NaN"), ("1.10", "TRUE")),
    ),
    _csv("stray.csv", 'question,answer\n5" pipe,b\nc,d\n', kept=(('5" pipe', "b"), ("c", "d"))),
]

_OK = '{"prompt": "a", "completion": "b"}\n'
JSON_SOURCES = [
    _csv(
        "cut.jsonl",
        _OK + _OK + '{"prompt": "c", "compl',
        kept=(("a", "b"),) * 2,
        rejected=((3, "broken_json"),),
    ),
    _csv("array.jsonl", _OK + "[1, 2]\n" + _OK, kept=(("a", "b"),) * 2, rejected=((2, "not_an_object"),)),
    _csv(
        "blank.jsonl", _OK + "\n" + _OK + "null\n", kept=(("a", "b"),) * 2, rejected=((4, "not_an_object"),)
    ),
    _csv(
        "kinds.jsonl",
        _OK
        + '{"prompt": NaN, "completion": 12345678901234567890123}\n{"prompt": 1.10, "completion": {"x": 1}}\n',
        kept=(("a", "b"), ("NaN", "12345678901234567890123"), ("1.10", '{"x": "1"}')),
    ),
    _csv(
        "doubled.jsonl",
        _OK + '{"prompt": "a", "prompt": "b", "completion": "c"}\n{"prompt": "\\ud800", "completion": "c"}\n',
        kept=(("a", "b"),),
        rejected=((2, "duplicate_keys"), (3, "invalid_bytes")),
    ),
    _csv("emoji.jsonl", '{"prompt": "\\ud83d\\ude00", "completion": "b"}\n', kept=(("😀", "b"),)),
    _csv("missing.jsonl", _OK + '{"prompt": "c"}\n', kept=(("a", "b"),), rejected=((2, "missing_response"),)),
    _csv("deep.jsonl", _OK + "[" * 100_000 + "\n", kept=(("a", "b"),), rejected=((2, "broken_json"),)),
    _csv("array.json", '[{"q": "1", "a": "2"}, {"q": "3", "a": "4"}]', kept=(("1", "2"), ("3", "4"))),
    _csv(
        "data.json",
        '{"data": [\n{"instruction": "i", "input": "x", "output": "o"}]}',
        kept=(("i\n\nx", "o"),),
    ),
    _csv(
        "cut.json", '[{"q": "1", "a": "2"}, {"q": "3", "a', kept=(("1", "2"),), rejected=((2, "broken_json"),)
    ),
]


def type_change(rows: int = 10_001) -> BadSource:
    """All strings until the last row, which holds a number."""
    lines = [json.dumps({"prompt": f"p{i}", "completion": "c"}) for i in range(rows - 1)]
    kept = [(f"p{i}", "c") for i in range(rows - 1)]
    text = "\n".join([*lines, '{"prompt": 7, "completion": 8}']) + "\n"
    return BadSource("type_change.jsonl", text.encode(), kept=(*kept, ("7", "8")))


def merged_workbook(folder: Path) -> Path:
    """A workbook with blank rows, a merged cell, a number, a formula and 00123 as text."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["问题", "回答"],
        ["你好", "您好"],
        [None, None],
        ["00123", 42],
        ["merged", "over two"],
        ["x", None],
    ):
        sheet.append(row)
    sheet.merge_cells("A5:A6")
    path = folder / "book.xlsx"
    book.save(path)
    return path


def truncated_parquet(folder: Path) -> Path:
    whole = folder / "whole.parquet"
    pl.DataFrame({"prompt": ["a"] * 1000, "response": ["b"] * 1000}).write_parquet(whole)
    path = folder / "cut.parquet"
    path.write_bytes(whole.read_bytes()[:-20])
    return path
