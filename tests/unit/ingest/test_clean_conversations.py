"""What is proved clean at a glance is what careful reading gives, to the byte; and what is not is left to it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.ingest.clean_conversations import STYLES, canonical, clean_cells
from studio.ingest.readers import jsonl_reader
from studio.ingest.shaping.conversations import dumped, read
from tests.unit.ingest.helpers import rejected, run_import

TRAPS = [
    '"}, {"role": "user", "content": "',
    '"},{"role":"assistant","content":"',
    '[{"role": "user", "content": "',
    "\\",
    '\\"',
    "\n\t",
    "\u3000",
    "\x7f",
    "\x00",
    "/",
    "😀",
    "\u2028",
    "你好",
    " ",
]
CONTENT = st.lists(st.one_of(st.sampled_from(TRAPS), st.text(max_size=5)), min_size=0, max_size=4).map(
    "".join
)
SPEAKERS = st.lists(
    st.sampled_from(["system", "user", "assistant", "human", "gpt", "User", "tool"]), min_size=0, max_size=5
)


def carefully(text: str) -> str | None:
    """The canonical form by the careful way, None for what it does not take."""
    messages, fault = read(text)
    return None if messages is None or fault else dumped(messages)


def written(fields: tuple[str, str], turns: list[tuple[str, str]], space: str, ascii_only: bool) -> str:
    value = [{fields[0]: speaker, fields[1]: content} for speaker, content in turns]
    return json.dumps(value, ensure_ascii=ascii_only, separators=("," + space, ":" + space))


@settings(max_examples=400, deadline=None)
@given(
    speakers=SPEAKERS,
    contents=st.lists(CONTENT, min_size=5, max_size=5),
    fields=st.sampled_from([("role", "content"), ("from", "value")]),
    space=st.sampled_from([" ", ""]),
    ascii_only=st.booleans(),
)
def test_never_another_text_than_by_careful_reading(
    speakers: list[str], contents: list[str], fields: tuple[str, str], space: str, ascii_only: bool
) -> None:
    text = written(fields, list(zip(speakers, contents, strict=False)), space, ascii_only)
    found = canonical(pl.Series("m", [text]))[0]
    assert found is None or found == carefully(text)


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_ordinary_conversations_are_proved(style) -> None:  # type: ignore[no-untyped-def]
    people = ("user", "assistant") if style.role == "role" else ("human", "gpt")
    turns = [("system", "be “kind”"), *[(who, f'{trap}"x"\\ 你') for trap in TRAPS[:6] for who in people]]
    text = written((style.role, style.content), turns, style.space, False)
    assert canonical(pl.Series("m", [text, None, text]))[0] == carefully(text)
    lines = pl.Series(
        "line", [f'{{"messages":{style.space}{text}}}', text, "", f'{{"messages": {text}, "id": 1}}']
    )
    assert clean_cells(lines, "messages").to_list() == [text, None, None, None]


def test_clean_and_doubtful_lines_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def line(answer: str, **more: object) -> str:
        turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": answer}]
        return json.dumps({"messages": turns, **more}, ensure_ascii=False)

    careful: list[bytes] = []
    plain = jsonl_reader._fields
    monkeypatch.setattr(
        jsonl_reader, "_fields", lambda line, wanted: careful.append(line) or plain(line, wanted)
    )
    doubled = line("x")[:-1] + ', "messages": []}'
    lines = [line("a"), line("b", id=7), "", line(" "), line("c"), doubled, "nonsense", line("d")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run_import(tmp_path / "a.jsonl", tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "rows.parquet").sort("row")
    answers = [json.loads(text)[-1]["content"] for text in rows["messages"]]
    assert list(zip(rows["row"], answers, strict=True)) == [(1, "a"), (2, "b"), (5, "c"), (8, "d")]
    found = [(item.row, item.code) for item in rejected(tmp_path / "out", 0, 9)]
    assert found == [(4, "empty_message"), (6, "duplicate_keys"), (7, "broken_json")]
    assert line("a").encode() not in careful
