"""JSON Lines by polars and line by line: the same cells, whatever is escaped in them."""

from __future__ import annotations

import json

import pytest

from studio.ingest.readers.jsonl_reader import JsonlReader
from tests.unit.ingest.readers.helpers import rejected, rows

GOOD = '{"q": "What?", "a": "That."}'


def reader(lines: list[str]) -> JsonlReader:
    data = "".join(line + "\n" for line in lines).encode()
    return JsonlReader(lambda: iter([data]), data)


@pytest.mark.parametrize(
    "text",
    [
        "\\ud83d\\ude00",
        "\\uD83D\\uDE00 x",
        "\\u4f60\\u597d",
        '\\" \\\\ \\n',
        "\\/",
        "\\u00e9",
        "\\udbff\\udfff",
    ],
)
def test_escapes_are_what_json_says(text: str) -> None:
    found = reader([GOOD, f'{{"q": "{text}", "a": "x{text}x"}}', GOOD])
    value = json.loads(f'"{text}"')
    assert rows(found) == [(1, "What?", "That."), (2, value, f"x{value}x"), (3, "What?", "That.")]


@pytest.mark.parametrize(
    "text", ["\\ud800", "\\ud800x", "x\\udc00", "\\ud800\\ud800", "\\ud800\\n", "\\udfff\\ud800"]
)
def test_half_a_character_is_put_aside(text: str) -> None:
    found = reader([GOOD, f'{{"q": "a", "a": "{text}"}}', GOOD])
    assert [row[0] for row in rows(found)] == [1, 3]
    assert rejected(found) == [(2, "invalid_bytes")]


def test_escaped_characters_are_read_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python writes them by default; line by line they took ten times as long."""
    found = reader([json.dumps({"q": "好吗？", "a": "好 😀"}), GOOD])
    monkeypatch.setattr(
        "studio.ingest.readers.jsonl_reader._fields", lambda *_line: pytest.fail("line by line")
    )
    assert [row[1:] for row in rows(found)] == [("好吗？", "好 😀"), ("What?", "That.")]
