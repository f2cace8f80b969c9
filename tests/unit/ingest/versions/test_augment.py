"""Changed copies of training rows: only there, the same ones every time, answers and labels untouched."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.domain.recipes import AugmentStep, ImageOperator, TextOperator
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset.content import json_text
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import store_content
from studio.ingest.versions import rowstream
from studio.ingest.versions.text_operators import OPERATORS, drop_words, punctuation, swap_words
from tests.unit.ingest.versions.helpers import derive, make_dataset, table

ALL_TEXT = tuple(TextOperator)
SENTENCES = [
    ("the parcel has not arrived yet", "late"),
    ("我的快递还没有到，怎么办？", "late"),
    ("thank you", "praise"),
]


def test_training_only_and_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"{text} {i}", label) for i in range(20) for text, label in SENTENCES]
    parent = make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows)
    step = AugmentStep(text=ALL_TEXT, copies=2, strength=0.2, seed=3)
    version = derive(tmp_path / "v1", step)
    made = table(tmp_path / "v2").filter(table(tmp_path / "v2")["origin"] == "augmented")
    assert set(made["split"]) == {"train"}
    outcome = version.made_by[0]
    training = parent.splits["train"]  # type: ignore[index]
    assert outcome.added == made.height == 2 * training - outcome.details.get("unchanged", 0)
    assert made.height > training
    assert version.splits["test"] == parent.splits["test"]  # type: ignore[index]
    assert not set(made["text"]) & {text for text, _label in rows}
    monkeypatch.setattr(rowstream, "STEP_ROWS", 7)
    derive(tmp_path / "v1", step, to="v3")
    again = table(tmp_path / "v3").filter(table(tmp_path / "v3")["origin"] == "augmented")
    assert Counter(again["text"]) == Counter(made["text"])
    derive(tmp_path / "v1", step.model_copy(update={"seed": 4}), to="v4")
    assert Counter(table(tmp_path / "v4")["text"]) != Counter(table(tmp_path / "v2")["text"])


def test_answers_stay(tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "where is it now"},
        {"role": "assistant", "content": "on its way to you"},
    ]
    make_dataset(tmp_path / "v1", Shape.MESSAGES, [(json_text(messages),)], splits=["train"])
    derive(tmp_path / "v1", AugmentStep(text=(TextOperator.SWAP_WORDS,)))
    made = json.loads(table(tmp_path / "v2")["messages"][1])
    assert made[1] == messages[1]
    assert made[0] != messages[0]
    assert sorted(made[0]["content"].split()) == sorted(messages[0]["content"].split())


@settings(max_examples=200, deadline=None)
@given(text=st.text(min_size=1, max_size=60), operator=st.sampled_from(ALL_TEXT), seed=st.integers(0, 9))
def test_any_text_stays_a_text(text: str, operator: TextOperator, seed: int) -> None:
    new = OPERATORS[operator](text, 0.3, Random(seed))
    assert new == OPERATORS[operator](text, 0.3, Random(seed))
    assert bool(new.strip()) == bool(text.strip())
    assert "\0" in text or "\0" not in new
    assert new.count("\n") == text.count("\n")


def test_chinese_is_taken_by_characters() -> None:
    text = "我要退款谢谢"
    swapped = swap_words(text, 0.1, Random(1))
    assert swapped != text
    assert sorted(swapped) == sorted(text)
    dropped = drop_words(text, 0.3, Random(1))
    assert len(dropped) == 4
    assert not set(dropped) - set(text)


def test_blanks_and_numbers() -> None:
    assert drop_words("one two three", 0.3, Random(5)).count("  ") == 0
    assert {punctuation("1,5 is 3.2", 0.5, Random(seed)) for seed in range(9)} == {"1,5 is 3.2"}
    assert {punctuation("好，吗", 0.5, Random(seed)) for seed in range(9)} == {"好,吗", "好吗"}


def picture(colour: tuple[int, int, int], form: str = "PNG") -> bytes:
    image = Image.new("RGB", (32, 24), colour)
    image.paste((255, 255, 255), (0, 0, 10, 10))
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def test_pictures(tmp_path: Path) -> None:
    images = tmp_path / "images"
    names = [store_content(picture((i * 9, 50, 90)), FileStore(images), "png") for i in range(10)]
    names.append(store_content(picture((1, 2, 3), "JPEG"), FileStore(images), "jpg"))
    broken = store_content(b"no picture", FileStore(images), "png")
    rows = [(name, "cat") for name in (*names, broken)]
    make_dataset(tmp_path / "v1", Shape.IMAGE_LABEL, rows, splits=["train"] * 11 + ["train"])
    version = derive(tmp_path / "v1", AugmentStep(image=tuple(ImageOperator), copies=2))
    made = table(tmp_path / "v2").filter(table(tmp_path / "v2")["origin"] == "augmented")
    assert (made.height, version.made_by[0].details) == (22, {"unchanged": 2})
    for name in made["image"]:
        with Image.open(images / name[:2] / name) as image:
            assert image.size == (32, 24)
            assert image.format == ("JPEG" if name.endswith(".jpg") else "PNG")


@pytest.mark.parametrize(
    ("shape", "row", "step"),
    [
        (Shape.RATINGS, ("u", "i", "5", None), AugmentStep(text=ALL_TEXT)),
        (Shape.TEXT, ("t",), AugmentStep(image=(ImageOperator.FLIP,))),
        (Shape.IMAGE_LABEL, ("0.png", "x"), AugmentStep(text=ALL_TEXT)),
    ],
)
def test_what_has_no_meaning(shape: Shape, row: tuple[str], step: AugmentStep, tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", shape, [row])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", step)
    assert caught.value.code == "step.unsuitable"
