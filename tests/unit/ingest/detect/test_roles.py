"""What a source's rows are is told from names and cells, in both languages; a chosen shape guides the roles."""

from __future__ import annotations

import json

import pytest

from studio.domain.shapes import SHAPES, Shape, missing_roles, shape_of
from studio.ingest.detect.roles import guess_roles

_CHAT = json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}])
_ASKED = json.dumps([{"from": "human", "value": "hi"}])
_SAID = json.dumps({"from": "gpt", "value": "hello"})
_LONG = "a sentence that is long enough to be read as running text"

CASES = [
    ("alpaca", ["instruction", "input", "output"], [["do", "", "done"]], Shape.PROMPT_RESPONSE,
     "prompt context response"),
    ("chinese pair", ["编号", "问题", "回答"], [["1", "久", "三天"]], Shape.PROMPT_RESPONSE, "ignore prompt response"),
    ("sharegpt", ["id", "conversations"], [["1", _CHAT]], Shape.MESSAGES, "ignore messages"),
    ("turns", ["user1", "assistant1", "user2", "assistant2"], [["a", "b", "c", "d"]], Shape.MESSAGES,
     "user_turn assistant_turn user_turn assistant_turn"),
    ("chinese turns", ["问1", "答1", "问2", "答2"], [["a", "b", "c", "d"]], Shape.MESSAGES,
     "user_turn assistant_turn user_turn assistant_turn"),
    ("a message a row", ["session_id", "role", "content"], [["1", "user", "hi"], ["1", "assistant", "ho"]],
     Shape.MESSAGES, "conversation speaker content"),
    ("dpo", ["prompt", "chosen", "rejected"], [["q", "good", "bad"]], Shape.PREFERENCE, "prompt chosen rejected"),
    ("dpo by messages", ["conversations", "chosen", "rejected"], [[_ASKED, _SAID, _SAID]], Shape.PREFERENCE,
     "messages chosen rejected"),
    ("kto", ["messages", "label"], [[_CHAT, "true"], [_CHAT, "false"]], Shape.THUMBS, "messages thumb"),
    ("kto flat", ["prompt", "completion", "label"], [["q", "a", "True"], ["q", "b", "False"]], Shape.THUMBS,
     "prompt response thumb"),
    ("labels", ["text", "label"], [[_LONG, "spam"], [_LONG, "ham"]], Shape.TEXT_LABEL, "text label"),
    ("chinese labels", ["评论", "情感"], [["这家店的服务态度非常好", "正面"]], Shape.TEXT_LABEL, "text label"),
    ("several", ["text", "tags"], [[_LONG, "a|b"], [_LONG, "b"]], Shape.TEXT_LABELS, "text labels"),
    ("several in json", ["content", "labels"], [[_LONG, '["a", "b"]']], Shape.TEXT_LABELS, "text labels"),
    ("number", ["review", "score"], [[_LONG, "3.5"], [_LONG, "4"]], Shape.TEXT_NUMBER, "text number"),
    ("class numbers", ["text", "label"], [[_LONG, str(i % 4)] for i in range(12)], Shape.TEXT_LABEL, "text label"),
    ("images", ["file_name", "class"], [["a.png", "cat"], ["b.JPG", "dog"]], Shape.IMAGE_LABEL, "image label"),
    ("ratings", ["userId", "movieId", "rating", "timestamp"], [["1", "2", "4.0", "964982703"]], Shape.RATINGS,
     "user item rating time"),
    ("typed ratings", ["user_id:token", "item_id:token", "rating:float"], [["1", "2", "4"]], Shape.RATINGS,
     "user item rating"),
    ("ratings without names", ["Column 1", "Column 2", "Column 3", "Column 4"],
     [[str(i), str(2 * i), str(1 + i % 5), "881250949"] for i in range(30)], Shape.RATINGS, "user item rating time"),
    ("text", ["text"], [["a"]], Shape.TEXT, "text"),
    ("one column", ["whatever"], [["a"]], Shape.TEXT, "text"),
    ("two by their cells", ["x", "y"], [[_LONG + str(i), "ab"[i % 2]] for i in range(20)], Shape.TEXT_LABEL,
     "text label"),
    ("nothing known", ["x", "y"], [["how long", "three days or so"]], Shape.PROMPT_RESPONSE, "prompt response"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "rows", "shape", "roles"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_shape_and_roles(columns: list[str], rows: list[list[str]], shape: Shape, roles: str) -> None:
    guess = guess_roles(columns, rows)
    assert guess.shape is shape
    assert [guess.roles[name].value for name in columns] == roles.split()
    assert guess.reason
    assert missing_roles(shape, guess.roles.values()) == []


@pytest.mark.parametrize(
    ("columns", "shape", "roles"),
    [
        (["text", "label"], Shape.PROMPT_RESPONSE, "prompt response"),
        (["text"], Shape.PROMPT_RESPONSE, "response"),
        (["prompt", "chosen", "rejected"], Shape.PROMPT_RESPONSE, "prompt response ignore"),
        (["question", "answer"], Shape.TEXT, "ignore text"),
        (["question", "answer"], Shape.TEXT_LABEL, "ignore text"),
        (["text", "score"], Shape.TEXT_LABEL, "text ignore"),
        (["a", "b", "c"], Shape.RATINGS, "ignore ignore ignore"),
    ],
)
def test_a_chosen_shape_guides_the_roles(columns: list[str], shape: Shape, roles: str) -> None:
    rows = [["one", "a longer cell than that", "1"][: len(columns)]]
    guess = guess_roles(columns, rows, shape)
    assert guess.shape is shape
    assert [guess.roles[name].value for name in columns] == roles.split()


@pytest.mark.parametrize(
    ("shape", "values", "role"),
    [
        (Shape.TEXT_LABEL, ["good", "bad"] * 4, "label"),
        (Shape.TEXT_LABELS, ["a|b", "b|c"] * 4, "labels"),
        (Shape.TEXT_NUMBER, ["1.5", "2"] * 4, "number"),
        (Shape.TEXT_LABEL, [f"another sentence {n}" for n in range(8)], "ignore"),
    ],
)
def test_a_chosen_shape_takes_the_column_whose_cells_can_be_its_value(
    shape: Shape, values: list[str], role: str
) -> None:
    rows = [[f"{_LONG} {n}", value] for n, value in enumerate(values)]
    guess = guess_roles(["remark", "mood"], rows, shape)
    assert {name: str(role) for name, role in guess.roles.items()} == {"remark": "text", "mood": role}


def test_every_shape_is_told_from_its_own_roles() -> None:
    for shape, columns in SHAPES.items():
        assert shape_of(columns.needed[0]) is shape
        for role in columns.needed[0]:
            rest = columns.needed[0] - {role}
            missing = missing_roles(shape, rest)
            assert missing == [] or shape_of([*rest, *missing]) is shape
