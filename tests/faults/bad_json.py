"""JSON and JSON Lines as they really come, with what must come of each."""

from __future__ import annotations

import json

from tests.faults.bad_sources import BadSource, source

_OK = '{"prompt": "a", "completion": "b"}\n'
JSON_SOURCES = [
    source(
        "cut.jsonl",
        _OK + _OK + '{"prompt": "c", "compl',
        kept=(("a", "b"),) * 2,
        rejected=((3, "broken_json"),),
    ),
    source("array.jsonl", _OK + "[1, 2]\n" + _OK, kept=(("a", "b"),) * 2, rejected=((2, "not_an_object"),)),
    source(
        "blank.jsonl", _OK + "\n" + _OK + "null\n", kept=(("a", "b"),) * 2, rejected=((4, "not_an_object"),)
    ),
    source(
        "kinds.jsonl",
        _OK
        + '{"prompt": NaN, "completion": 12345678901234567890123}\n{"prompt": 1.10, "completion": {"x": 1}}\n',
        kept=(("a", "b"), ("NaN", "12345678901234567890123"), ("1.10", '{"x": "1"}')),
    ),
    source(
        "doubled.jsonl",
        _OK + '{"prompt": "a", "prompt": "b", "completion": "c"}\n{"prompt": "\\ud800", "completion": "c"}\n',
        kept=(("a", "b"),),
        rejected=((2, "duplicate_keys"), (3, "invalid_bytes")),
    ),
    source("emoji.jsonl", '{"prompt": "\\ud83d\\ude00", "completion": "b"}\n', kept=(("😀", "b"),)),
    source(
        "missing.jsonl", _OK + '{"prompt": "c"}\n', kept=(("a", "b"),), rejected=((2, "missing_response"),)
    ),
    source("deep.jsonl", _OK + "[" * 100_000 + "\n", kept=(("a", "b"),), rejected=((2, "broken_json"),)),
    source("array.json", '[{"q": "1", "a": "2"}, {"q": "3", "a": "4"}]', kept=(("1", "2"), ("3", "4"))),
    source(
        "data.json",
        '{"data": [\n{"instruction": "i", "input": "x", "output": "o"}]}',
        kept=(("i\n\nx", "o"),),
    ),
    source(
        "cut.json", '[{"q": "1", "a": "2"}, {"q": "3", "a', kept=(("1", "2"),), rejected=((2, "broken_json"),)
    ),
    source(
        "infinite.jsonl",
        '{"prompt": Infinity, "completion": -Infinity}\n' + _OK,
        kept=(("Infinity", "-Infinity"), ("a", "b")),
    ),
    source(
        "digits.jsonl",
        _OK + '{"prompt": ' + "9" * 5000 + ', "completion": 0.10}\n',
        kept=(("a", "b"), ("9" * 5000, "0.10")),
    ),
    source(
        "deep_value.jsonl",
        _OK + '{"prompt": ' + "[" * 100_000 + "]" * 100_000 + ', "completion": "b"}\n' + _OK,
        kept=(("a", "b"),) * 2,
        rejected=((2, "broken_json"),),
    ),
    source(
        "as_written.jsonl",
        '{"prompt": "00123", "completion": "NA"}\n{"prompt": "1.10", "completion": "null"}\n',
        kept=(("00123", "NA"), ("1.10", "null")),
    ),
    source(
        "number_hidden_by_a_nested_name.jsonl",
        '{"prompt": 1.10, "completion": "b", "meta": {"prompt": "x"}}\n',
        kept=(("1.10", "b"),),
    ),
    source(
        "array_in_lines.jsonl",
        '[{"prompt": "a", "completion": "b"},\n{"prompt": "c", "completion": "d"}]\n',
        kept=(("a", "b"), ("c", "d")),
    ),
    source(
        "mixed.jsonl",
        _OK.encode() + b'{"prompt": "\xff", "completion": "c"}\n' + _OK.encode(),
        kept=(("a", "b"),) * 2,
        rejected=((2, "invalid_bytes"),),
    ),
    source("utf16.jsonl", "\ufeff".encode("utf-16-le") + _OK.encode("utf-16-le"), kept=(("a", "b"),)),
    source(
        "nul.jsonl",
        _OK + '{"prompt": "a\\u0000", "completion": "b"}\n',
        kept=(("a", "b"),),
        rejected=((2, "nul_character"),),
    ),
    source(
        "half_pairs.jsonl",
        '{"prompt": "\\ud83dx", "completion": "b"}\n' + _OK,
        kept=(("a", "b"),),
        rejected=((1, "invalid_bytes"),),
    ),
    source("object.json", '{\n"name": "no rows here"\n}', error="import.broken"),
    source("number.json", "42", error="import.no_rows"),
    source(
        "deep.json",
        '[{"q": "1", "a": "2"}, {"q": ' + "[" * 100_000 + "]" * 100_000 + ', "a": "3"}]',
        kept=(("1", "2"),),
        rejected=((2, "broken_json"),),
    ),
]


def type_change(rows: int = 10_001) -> BadSource:
    """All strings until the last row, which holds a number."""
    lines = [json.dumps({"prompt": f"p{i}", "completion": "c"}) for i in range(rows - 1)]
    kept = [(f"p{i}", "c") for i in range(rows - 1)]
    text = "\n".join([*lines, '{"prompt": 7, "completion": 8}']) + "\n"
    return BadSource("type_change.jsonl", text.encode(), kept=(*kept, ("7", "8")))
