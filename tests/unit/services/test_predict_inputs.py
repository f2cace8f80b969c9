"""Inputs for predictors from files, what is refused, and the table that answers become."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.cli.predict import _check
from studio.domain.architectures import Architecture
from studio.domain.predictions import asks_for, prediction_rows, prediction_words
from studio.domain.products import Task
from studio.errors import StudioError
from studio.protocol.events import PredictedItem
from studio.services.predict_inputs import read_inputs
from studio.services.samples import SAMPLES

SURE = PredictedItem(labels=[("退款", 0.9), ("other", 0.1)], chosen=["退款"])


def test_a_table_gives_its_first_known_column(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("\ufeffid,Text\n1,你好\n2,\n3,bye\n", encoding="utf-8")
    assert read_inputs(file) == [{"text": "你好"}, {"text": "bye"}]


def test_files_are_named_from_the_tables_folder(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("image\na/1.png\n", encoding="utf-8")
    assert read_inputs(file) == [{"image": str(tmp_path / "a" / "1.png")}]


def test_plain_text_is_one_input_a_line(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("one\n\n two \n", encoding="utf-8")
    assert read_inputs(file) == [{"text": "one"}, {"text": "two"}]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a,b\n1,2\n", "predict.no_column"),
        (b"text\n\xff\xfe\n", "input.unreadable"),
        (b"", "predict.no_column"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(data)
    with pytest.raises(StudioError) as caught:
        read_inputs(file)
    assert caught.value.code == code


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"gone\.csv"):
        read_inputs(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("kind", "given"), [(Architecture.LSTM, "image"), (Architecture.CNN, "text"), (Architecture.VAE, "user")]
)
def test_a_model_is_not_given_what_it_does_not_take(kind: Architecture, given: str) -> None:
    with pytest.raises(StudioError) as caught:
        _check(kind, [{asks_for(kind): "x"}, {given: "x"}])
    assert caught.value.code == "predict.unfit_input"
    _check(kind, [{asks_for(kind): "x"}])


def test_answers_in_words_and_as_a_table() -> None:
    several = PredictedItem(labels=[("a", 0.8), ("b", 0.6)], chosen=["a", "b"])
    assert [prediction_words(a) for a in (SURE, several, PredictedItem(number=3.14159), PredictedItem())] == [
        "退款 (90%)", "a (80%), b (60%)", "3.14", "–"
    ]  # fmt: skip
    usual = PredictedItem(items=[("tea", 4.5), ("rice", 4.1)], unknown_user=True)
    assert prediction_words(usual) == "unknown user: tea, rice"
    rows = prediction_rows(["=1+1", "-5"], [SURE, SURE])
    assert rows[0] == ["input", "answer", "probability", "other", "退款"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "-5"]  # a formula is disarmed, a number is none


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_task_has_an_example(language: str) -> None:
    assert set(Task) == set(SAMPLES)
    assert all(sample.source(language).is_file() for samples in SAMPLES.values() for sample in samples)
