"""Picture models learn, resume to the bit, decode each picture once, and answer alike after they were kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import ConvNextConfig, ConvNextModel, ResNetConfig, ResNetModel, ViTConfig, ViTModel

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.shapes import Shape
from studio.engine.estimate import estimate
from studio.engine.predict import load_predictor
from studio.engine.tasks.cache import ArrayCache
from studio.engine.tasks.images.pictures import shifted
from studio.errors import StudioError
from studio.protocol.events import BatchPreview, Compared, Evaluated, ProbeAnswered
from tests.engine.helpers import PlainControl, Recorder
from tests.engine.media import DrawnMedia
from tests.engine.tasks.array_runs import (
    PICTURES,
    assert_a_killed_run_ends_alike,
    plan_of,
    session_of,
    trained,
)

KINDS = ("resnet", "vit", "convnext")


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Hugging Face folders of tiny image models with random weights. Read-only by agreement."""
    torch.manual_seed(0)
    models = {
        "resnet": ResNetModel(
            ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
        ),
        "vit": ViTModel(
            ViTConfig(
                hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32,
                patch_size=8, initializer_range=0.3,
            )
        ),
        "convnext": ConvNextModel(ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)),
    }  # fmt: skip
    root = tmp_path_factory.mktemp("backbones")
    for name, model in models.items():
        model.save_pretrained(str(root / name))
        said = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.25]}
        (root / name / "preprocessor_config.json").write_text(json.dumps(said), encoding="utf-8")
    return {name: root / name for name in models}


def test_a_network_from_scratch_learns_more_than_the_simplest_guess(tmp_path: Path) -> None:
    _summary, seen = trained(plan_of(Shape.IMAGE_LABEL, Architecture.CNN), tmp_path / "run")
    compared = seen.of(Compared)[0]
    assert compared.measure is Measure.CORRECT
    assert sum(compared.tuned_scores) > sum(compared.base_scores)
    assert seen.of(Evaluated)[-1].metrics["accuracy"] >= 0.9


def test_rows_sorted_by_label_are_shown_with_more_than_one(tmp_path: Path) -> None:
    def sorted_rows(split: Split) -> list[dict[str, Any]]:
        return sorted(PICTURES(split), key=lambda row: str(row["label"]))

    plan = plan_of(Shape.IMAGE_LABEL, Architecture.CNN, epochs=1)
    session = session_of(plan, tmp_path, recorder := Recorder(), rows=sorted_rows)
    session.run()
    (preview,) = recorder.of(BatchPreview)
    assert len(preview.rows) == 4
    assert {row[1].text for row in preview.rows} == {" → lying", " → standing"}


@pytest.mark.parametrize("method", [Method.FROZEN, Method.FULL])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pretrained_model_with_a_head(
    kind: str, method: Method, backbones: dict[str, Path], tmp_path: Path
) -> None:
    plan = plan_of(
        Shape.IMAGE_LABEL, Architecture.BACKBONE, backbones[kind], method=method, image_size=32,
        epochs=25 if method is Method.FROZEN else 6, learning_rate=2e-2 if method is Method.FROZEN else 5e-3,
    )  # fmt: skip
    media = DrawnMedia(colours=True)
    session = session_of(plan, tmp_path, recorder := Recorder(), media)
    summary = session.run()
    assert (summary.trainable == summary.parameters) == (method is Method.FULL)
    compared = recorder.of(Compared)[0]
    assert sum(compared.tuned_scores) > sum(compared.base_scores)
    task: Any = session.on.task
    name = "standing-1000"
    answer = load_predictor(tmp_path / "model", media=media).predict([{"image": name}])[0]
    assert answer.words() == task.probe(name).text


@pytest.mark.parametrize("kind", ["cnn", "frozen", "full"])
def test_a_killed_run_ends_in_the_same_weights(kind: str, backbones: dict[str, Path], tmp_path: Path) -> None:
    if kind == "cnn":
        plan = plan_of(Shape.IMAGE_LABEL, Architecture.CNN)
    else:
        method = Method.FROZEN if kind == "frozen" else Method.FULL
        plan = plan_of(
            Shape.IMAGE_LABEL, Architecture.BACKBONE, backbones["resnet"], method=method, image_size=32
        )  # fmt: skip
    assert_a_killed_run_ends_alike(plan, tmp_path)


def test_a_kept_network_answers_as_the_trained_one(tmp_path: Path) -> None:
    media = DrawnMedia(colours=True)
    session = session_of(
        plan_of(Shape.IMAGE_LABEL, Architecture.CNN), tmp_path, recorder := Recorder(), media
    )
    session.run()
    names = ["lying-1000", "standing-1001", "standing-1002"]
    answers = load_predictor(tmp_path / "model", media=media).predict([{"image": name} for name in names])
    task: Any = session.on.task
    assert [task.probe(name).text for name in names] == [answer.words() for answer in answers]
    assert [answer.chosen[0] for answer in answers] == ["lying", "standing", "standing"]
    asked = {probe.prompt for probe in recorder.of(ProbeAnswered)}
    held_out = {item.name for item in [*session.on.validation, *session.on.held_out]}
    assert asked
    assert asked <= held_out


def test_each_picture_is_decoded_once_over_all_epochs(tmp_path: Path) -> None:
    media = DrawnMedia()
    session = session_of(plan_of(Shape.IMAGE_LABEL, Architecture.CNN, epochs=5), tmp_path, media=media)
    session.run()
    train = [row["image"] for row in PICTURES(Split.TRAIN)]
    assert {media.decoded[name] for name in train} == {1}


def test_a_fit_check_counts_the_decoding_once_and_decodes_only_what_it_looks_at(tmp_path: Path) -> None:
    media = DrawnMedia()
    plan = plan_of(Shape.IMAGE_LABEL, Architecture.CNN)
    found = estimate(plan, PICTURES, tmp_path, Recorder(), PlainControl(), media)
    assert found.steps == 24
    assert found.parameters > 1000
    assert set(media.decoded.values()) == {1}


def test_a_cache_without_room_still_answers(tmp_path: Path) -> None:
    asked: list[int] = []

    def make(index: int) -> Any:
        asked.append(index)
        return np.full((2, 3), index, np.uint8)

    cache = ArrayCache(tmp_path, 4, (2, 3), np.uint8, make, most_bytes=2 * 6)
    for _again in range(2):
        assert [int(cache[index].sum()) for index in range(4)] == [0, 6, 12, 18]
    assert asked == [0, 1, 2, 3, 2, 3]
    assert list(tmp_path.iterdir()) == []  # the file has no name


def test_shifts_move_whole_pictures_and_follow_the_generator() -> None:
    pictures = torch.zeros(200, 1, 16, 16)
    pictures[:, :, 8, 8] = 1
    torch.manual_seed(1)
    first = shifted(pictures)
    torch.manual_seed(1)
    assert torch.equal(first, shifted(pictures))
    places = first.flatten(1).argmax(1)
    lines, columns = places // 16, places % 16
    assert first.flatten(1).sum(1).eq(1).all()
    assert set(lines.tolist()) == set(columns.tolist()) == {7, 8, 9}
    assert int(((lines == 8) & (columns == 8)).sum()) >= 90  # about half stay, and a ninth of the others


def test_a_text_model_is_no_image_model(tiny_encoder_dir: Path, tmp_path: Path) -> None:
    plan = plan_of(Shape.IMAGE_LABEL, Architecture.BACKBONE, tiny_encoder_dir)
    with pytest.raises(StudioError) as caught:
        session_of(plan, tmp_path)
    assert caught.value.code == "model.no_pictures"


def test_no_rows_are_told(tmp_path: Path) -> None:
    def rows(split: Split) -> Iterable[dict[str, Any]]:
        return iter(())

    with pytest.raises(StudioError) as caught:
        session_of(plan_of(Shape.IMAGE_LABEL, Architecture.CNN), tmp_path, rows=rows)
    assert caught.value.code == "run.no_rows"
