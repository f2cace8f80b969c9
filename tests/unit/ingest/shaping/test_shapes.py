"""Each shape is stored as it says, read for training as it says, and its bad rows are named by number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.datasets import DatasetVersion
from studio.domain.shapes import SHAPES, ColumnRole, Shape
from studio.errors import StudioError
from studio.ingest.dataset.rows import read_split
from studio.ingest.readers.batches import Batch, frame_of
from studio.ingest.shaping.shaper import Shaper
from studio.ingest.shaping.wanted import wanted_columns
from tests.unit.ingest.helpers import rejected, run_import

_U, _A = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def stored(folder: Path) -> list[dict[str, Any]]:
    frame = pl.read_parquet(folder / "rows.parquet").sort("row")
    return list(frame.drop("key", "split").iter_rows(named=True))


def imported(
    tmp_path: Path, name: str, content: str, **fields: Any
) -> tuple[DatasetVersion, list[dict[str, Any]]]:
    (tmp_path / name).write_text(content, encoding="utf-8")
    version = run_import(tmp_path / name, tmp_path / "out", **fields)
    return version, stored(tmp_path / "out")


def codes(tmp_path: Path) -> list[tuple[int, str]]:
    return [(item.row, item.code) for item in rejected(tmp_path / "out", 0, 100)]


def training_rows(tmp_path: Path) -> list[dict[str, Any]]:
    found = [row for split in ("train", "validation", "test") for row in read_split(tmp_path / "out", split)]
    return sorted(found, key=lambda row: int(row["row"]))


def jsonl(*items: object) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def test_turn_columns(tmp_path: Path) -> None:
    content = "system,user1,assistant1,user2,assistant2\nbe kind,a,b,c,d\n,e,f,,\n,g,,h,i\n,j,,,\n"
    version, rows = imported(tmp_path, "turns.csv", content)
    assert version.shape is Shape.MESSAGES
    said = [[(m["role"], m["content"]) for m in json.loads(row["messages"])] for row in rows]
    assert said == [
        [("system", "be kind"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")],
        [("user", "e"), ("assistant", "f")],
    ]
    assert codes(tmp_path) == [(3, "empty_message"), (4, "no_answer")]


def test_one_message_a_row(tmp_path: Path) -> None:
    content = "conversation_id,role,content\n7,user,a\n7,assistant,b\n8,user,c\n8,user,d\n9,客户,e\n9,bot,f\n7,user,g\n"
    _version, rows = imported(tmp_path, "log.csv", content)
    assert [row["row"] for row in rows] == [1, 5]
    assert json.loads(rows[1]["messages"]) == [
        {"role": "user", "content": "e"},
        {"role": "assistant", "content": "f"},
    ]
    assert codes(tmp_path) == [(3, "roles_out_of_order"), (7, "conversation_scattered")]
    out_of_order = rejected(tmp_path / "out", 0, 1)[0]
    assert [m["content"] for m in json.loads(out_of_order.content)] == ["c", "d"]  # a fix can bring it back


def test_preferences_in_all_their_forms(tmp_path: Path) -> None:
    system = {"role": "system", "content": "s"}
    content = jsonl(
        {"prompt": "q", "chosen": "good", "rejected": "bad"},
        {"prompt": "q", "chosen": [_A], "rejected": [{"role": "assistant", "content": "b"}]},
        {"prompt": [system, _U, _A, _U], "chosen": "good", "rejected": "bad"},
        {"prompt": None, "chosen": [_U, _A], "rejected": [_U, {"role": "assistant", "content": "b"}]},
        {"prompt": None, "chosen": [_U, _A], "rejected": [{"role": "user", "content": "other"}, _A]},
        {"prompt": "q", "chosen": "", "rejected": "bad"},
        {"prompt": "q", "chosen": [_U], "rejected": "bad"},
    )
    roles = {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}
    _version, rows = imported(tmp_path, "dpo.jsonl", content, roles=roles)
    assert [(r["row"], r["system"], r["prompt"], r["chosen"], r["rejected"]) for r in rows] == [
        (1, None, "q", "good", "bad"),
        (2, None, "q", "a", "b"),
        (3, "s", "q", "good", "bad"),
    ]
    assert json.loads(rows[2]["history"]) == [_U, _A]
    assert codes(tmp_path) == [
        (4, "missing_prompt"),
        (5, "missing_prompt"),
        (6, "missing_chosen"),
        (7, "no_answer"),
    ]
    assert training_rows(tmp_path)[2]["messages"] == [system, _U, _A, _U]


def test_preferences_without_a_question_column(tmp_path: Path) -> None:
    other = [{"role": "user", "content": "other"}, _A]
    content = jsonl(
        {"chosen": [_U, _A], "rejected": [_U, {"role": "assistant", "content": "b"}]},
        {"chosen": [_U, _A], "rejected": other},
    )
    _version, rows = imported(tmp_path, "dpo.jsonl", content)
    assert [(r["prompt"], r["chosen"], r["rejected"]) for r in rows] == [("q", "a", "b")]
    assert codes(tmp_path) == [(2, "different_questions")]


def test_thumbs(tmp_path: Path) -> None:
    content = jsonl(
        {"prompt": "q", "completion": "a", "label": True},
        {"prompt": "q", "completion": "b", "label": False},
        {"prompt": "q", "completion": "c", "label": "maybe"},
    )
    roles = {"prompt": "prompt", "completion": "response", "label": "thumb"}
    version, rows = imported(tmp_path, "kto.jsonl", content, roles=roles)
    assert version.shape is Shape.THUMBS
    assert [(r["prompt"], r["response"], r["thumb"]) for r in rows] == [("q", "a", "up"), ("q", "b", "down")]
    assert codes(tmp_path) == [(3, "unknown_thumb")]
    assert training_rows(tmp_path)[0] == {"row": 1, "messages": [_U, _A], "thumb": "up"}


def test_thumbs_on_conversations(tmp_path: Path) -> None:
    content = jsonl({"messages": [_U, _A, _U, _A], "label": True}, {"messages": [_U], "label": False})
    _version, rows = imported(tmp_path, "kto.jsonl", content)
    assert [(r["prompt"], r["response"], json.loads(r["history"])) for r in rows] == [("q", "a", [_U, _A])]
    assert codes(tmp_path) == [(2, "no_answer")]


def test_labels_wait_to_be_given(tmp_path: Path) -> None:
    version, rows = imported(tmp_path, "l.csv", "text,label\nfirst one, spam \nsecond one,\nthird one,ham\n")
    assert version.shape is Shape.TEXT_LABEL
    assert [row["label"] for row in rows] == ["spam", None, "ham"]
    assert [row["row"] for row in training_rows(tmp_path)] == [1, 3]


def test_several_labels(tmp_path: Path) -> None:
    content = (
        'text,tags\nfirst,b|a\nsecond,"[""x"", ""y""]"\nthird,a; b ;a\nfourth,\nfifth,[]\nsixth,甲、乙\n'
    )
    roles = {"text": "text", "tags": "labels"}
    _version, rows = imported(tmp_path, "l.csv", content, roles=roles)
    assert [row["labels"] for row in rows] == [
        '["a","b"]',
        '["x","y"]',
        '["a","b"]',
        None,
        "[]",
        '["乙","甲"]',
    ]
    assert training_rows(tmp_path)[0]["labels"] == ["a", "b"]


def test_numbers_are_kept_as_written(tmp_path: Path) -> None:
    content = 'text,score\na,3\nb,-0.50\nc,1e-3\nd,"1,5"\ne,"1,234"\nf,NaN\ng,12%\nh,\n'
    version, rows = imported(tmp_path, "n.csv", content, roles={"text": "text", "score": "number"})
    assert version.shape is Shape.TEXT_NUMBER
    assert [row["number"] for row in rows] == ["3", "-0.50", "1e-3"]
    assert codes(tmp_path) == [
        (4, "decimal_comma"), (5, "decimal_comma"), (6, "not_a_number"), (7, "not_a_number"), (8, "missing_number"),
    ]  # fmt: skip
    assert [row["number"] for row in training_rows(tmp_path)] == [3.0, -0.5, 0.001]


def test_ratings(tmp_path: Path) -> None:
    content = "user_id,item_id,rating,timestamp\n007,a b,4.5,881250949\n,x,3,\n8,y,many,\n9,z,2,\n"
    version, rows = imported(tmp_path, "r.csv", content)
    assert version.shape is Shape.RATINGS
    assert [tuple(row.values()) for row in rows] == [
        (1, "007", "a b", "4.5", "881250949"),
        (4, "9", "z", "2", None),
    ]
    assert codes(tmp_path) == [(2, "missing_user"), (3, "not_a_number")]


def test_passages_wait_for_their_questions(tmp_path: Path) -> None:
    content = "First passage.\n\nSecond passage.\n"
    roles = {"text": "response"}
    version, rows = imported(tmp_path, "p.txt", content, shape=Shape.PROMPT_RESPONSE, roles=roles)
    assert version.shape is Shape.PROMPT_RESPONSE
    assert [(row["prompt"], row["response"]) for row in rows] == [
        (None, "First passage."),
        (None, "Second passage."),
    ]
    assert training_rows(tmp_path) == []


def test_a_shape_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,score\na,1\n")
    with pytest.raises(StudioError) as caught:
        run_import(tmp_path / "a.csv", tmp_path / "out", shape=Shape.RATINGS)
    assert caught.value.code == "import.columns"
    assert "text, score" in str(caught.value)


def test_two_columns_of_one_purpose(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StudioError, match="same purpose"):
        run_import(tmp_path / "a.csv", tmp_path / "out", roles={"a": "text", "b": "text"})


_CELLS = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from([json.dumps([_U, _A]), "1", "true", "{", "[]"])
)


@settings(deadline=None)
@given(
    shape=st.sampled_from(list(Shape)),
    rows=st.lists(st.lists(_CELLS, min_size=6, max_size=6), max_size=8),
    data=st.data(),
)
def test_every_row_is_kept_or_named(
    shape: Shape, rows: Sequence[Sequence[str | None]], data: st.DataObject
) -> None:
    """Whatever the cells hold: no row vanishes, none appears twice, and what is kept has the shape's columns."""
    roles = sorted(data.draw(st.sampled_from(SHAPES[shape].needed)) | SHAPES[shape].optional)
    names = [f"c{number}" for number in range(len(roles))]
    wanted = wanted_columns(shape, dict(zip(names, map(ColumnRole, roles), strict=True)), names)
    cells = [list(row[: len(wanted)]) for row in rows]
    shaper = Shaper(shape, wanted)
    batch = Batch(frame_of(range(1, len(rows) + 1), cells, list(wanted)))
    done = [shaper.batch(batch), shaper.finish()]
    kept = [row for part in done for row in part.frame["row"]]
    aside = [item.row for part in done for item in part.rejected]
    assert len(set(kept + aside)) == len(kept + aside)
    if ColumnRole.CONVERSATION not in roles:
        assert sorted(kept + aside) == list(range(1, len(rows) + 1))
    assert all(part.frame.columns == ["row", *SHAPES[shape].stored] for part in done)
