"""From a founder's folder to an answer: imported, read, trained on and asked through the ways that the worker takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.engine.predict import load_predictor
from studio.engine.session import Session
from studio.ingest.media import StoredMedia
from studio.paths import resource_path
from studio.worker.training import media_of, rows_of
from tests.engine.helpers import PlainControl, Recorder
from tests.engine.media import DrawnMedia
from tests.engine.tasks.array_runs import plan_of
from tests.unit.ingest.helpers import run_import

PER_LABEL = 20


def write_files(folder: Path, shape: Shape, labelled: bool = True) -> Path:
    """A folder for each label; or all in one, without labels."""
    made = DrawnMedia()
    kinds = ("lying", "standing") if shape is Shape.IMAGE_LABEL else ("low", "high")
    for kind in kinds:
        for i in range(PER_LABEL):
            place = folder / kind if labelled else folder
            place.mkdir(parents=True, exist_ok=True)
            if shape is Shape.IMAGE_LABEL:
                Image.fromarray(made.picture(f"{kind}-{i}", 20, 3)).save(place / f"{kind}{i}.png")
            else:
                soundfile.write(place / f"{kind}{i}.wav", made.sound(f"{kind}-{i}", 22_050), 22_050)
    return folder


def session_over(dataset: Path, shape: Shape, architecture: Architecture, run_dir: Path) -> Session:
    plan = plan_of(shape, architecture, epochs=6).model_copy(update={"dataset_dir": str(dataset)})
    run_dir.mkdir()
    return Session(plan, run_dir, rows_of(plan), Recorder(), PlainControl(), media_of(plan))


@pytest.mark.parametrize(
    ("shape", "architecture", "asked"),
    [
        (Shape.IMAGE_LABEL, Architecture.CNN, "image"),
        (Shape.AUDIO_LABEL, Architecture.SPECTROGRAM, "audio"),
    ],
)
def test_a_folder_for_each_label(
    shape: Shape, architecture: Architecture, asked: str, tmp_path: Path
) -> None:
    source = write_files(tmp_path / "source", shape)
    version = run_import(source, tmp_path / "datasets" / "one")
    assert version.shape is shape
    session = session_over(tmp_path / "datasets" / "one", shape, architecture, tmp_path / "run")
    session.run()
    files = sorted(source.rglob("*.*"))
    answers = load_predictor(tmp_path / "run" / "model", media=StoredMedia()).predict(
        [{asked: str(path)} for path in files]
    )
    right = [answer.chosen == (path.parent.name,) for answer, path in zip(answers, files, strict=True)]
    assert np.mean(right) > 0.8


def test_pictures_without_labels_are_enough_to_draw(tmp_path: Path) -> None:
    write_files(tmp_path / "source", Shape.IMAGE_LABEL, labelled=False)
    dataset = tmp_path / "datasets" / "one"
    version = run_import(tmp_path / "source", dataset)
    session = session_over(dataset, Shape.IMAGE_LABEL, Architecture.VAE, tmp_path / "run")
    assert len(session.on.train) == version.splits[Split.TRAIN] > 20
    session.run()
    (drawn,) = load_predictor(tmp_path / "run" / "model", media=StoredMedia()).predict([{"sample": 4}])
    with Image.open(drawn.picture) as sheet:
        assert (sheet.mode, sheet.size) == ("RGB", (2 * 18 + 2, 2 * 18 + 2))


@pytest.mark.parametrize(
    ("name", "shape", "labels"), [("signals", Shape.AUDIO_LABEL, 5), ("shapes", Shape.IMAGE_LABEL, 4)]
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bundled_examples_are_taken_whole(
    name: str, shape: Shape, labels: int, language: str, tmp_path: Path
) -> None:
    version = run_import(resource_path("samples", f"{name}_{language}.zip"), tmp_path / "datasets" / "one")
    assert (version.shape, version.rejected, len(version.labels)) == (shape, 0, labels)
    assert version.rows == sum(version.labels.values()) >= 120
