"""Models of spoken commands learn, resume to the bit, and answer alike after they were kept; spectrograms are right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.shapes import Shape
from studio.engine.predict import load_predictor
from studio.engine.tasks.speech.sounds import BANDS, RATE, fitted, frames_in, length_for, log_mel, mel_filters
from studio.engine.tasks.speech.task import hidden
from studio.errors import StudioError
from studio.protocol.events import Compared, Planned, ProbeAnswered
from tests.engine.helpers import Recorder
from tests.engine.media import DrawnMedia
from tests.engine.tasks.array_runs import SOUNDS, assert_a_killed_run_ends_alike, plan_of, session_of, trained


def plan(**fields: Any) -> Any:
    return plan_of(Shape.AUDIO_LABEL, Architecture.SPECTROGRAM)


def test_it_learns_more_than_the_simplest_guess(tmp_path: Path) -> None:
    _summary, seen = trained(plan(), tmp_path / "run")
    compared = seen.of(Compared)[0]
    assert compared.measure is Measure.CORRECT
    assert sum(compared.tuned_scores) > sum(compared.base_scores)
    assert compared.metrics["accuracy"] >= 0.8


def test_a_killed_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    assert_a_killed_run_ends_alike(plan(), tmp_path)


def test_a_kept_model_answers_as_the_trained_one(tmp_path: Path) -> None:
    session = session_of(plan(), tmp_path, recorder := Recorder())
    session.run()
    names = ["low-1000", "high-1001"]
    answers = load_predictor(tmp_path / "model", media=DrawnMedia()).predict(
        [{"audio": name} for name in names]
    )
    task: Any = session.on.task
    assert [task.probe(name).text for name in names] == [answer.words() for answer in answers]
    assert [answer.chosen[0] for answer in answers] == ["low", "high"]
    assert recorder.of(ProbeAnswered)


def test_recordings_that_are_cut_are_counted(tmp_path: Path) -> None:
    class OneLong(DrawnMedia):
        def seconds(self, name: str) -> float:
            return 3.0 if name == first else 0.6

    first = next(iter(SOUNDS(Split.TRAIN)))["audio"]
    session = session_of(plan(epochs=1), tmp_path, recorder := Recorder(), OneLong())
    session.run()
    assert recorder.of(Planned)[0].rows_cut == 1


def test_a_damaged_recording_is_no_probe_and_is_told(tmp_path: Path) -> None:
    task: Any = session_of(plan(), tmp_path).on.task
    assert list(task.probes(["what is this?"])) == list(task.probes([]))
    with pytest.raises(StudioError):
        task.array_of("nothing")


def test_a_tone_lies_in_the_band_of_its_frequency() -> None:
    seconds = torch.arange(RATE) / RATE
    filters = mel_filters()
    for hertz in (200.0, 1000.0, 4000.0):
        loudest = int(log_mel(torch.sin(2 * torch.pi * hertz * seconds)).mean(1).argmax())
        line = round(hertz / (RATE / 2) * (filters.shape[1] - 1))
        assert abs(loudest - int(filters[:, line].argmax())) <= 1


def test_loudness_does_not_count() -> None:
    quiet = torch.randn(RATE, generator=torch.Generator().manual_seed(0)) * 0.01
    assert log_mel(quiet).shape == (BANDS, frames_in(1.0))
    assert torch.allclose(log_mel(quiet), log_mel(quiet * 50), atol=1e-3)


def test_filters_cover_every_frequency_that_is_heard() -> None:
    filters = mel_filters()
    assert torch.allclose(filters.sum(1), torch.ones(BANDS), atol=1e-5)
    assert (filters.sum(0)[3:-1] > 0).all()


def test_silence_is_added_on_both_sides_and_the_loudest_part_is_kept() -> None:
    short = np.ones(4, np.float32)
    assert fitted(short, 7).tolist() == [0, 1, 1, 1, 1, 0, 0]
    long = np.array([0, 0.1, 0, 0, 3, 2, 0, 0], np.float32)
    assert fitted(long, 3).tolist() == pytest.approx([0, 3, 2])
    assert len(fitted(long, 8)) == 8


def test_the_length_fits_nearly_all_recordings() -> None:
    assert length_for([0.62] * 30) == pytest.approx(0.7)
    assert length_for([0.1]) == 0.5
    assert length_for([0.9] * 96 + [30.0] * 4) == pytest.approx(0.9)
    assert length_for([30.0] * 4) == 4.0


def test_masks_hide_a_stripe_of_each_and_follow_the_generator() -> None:
    whole = torch.ones(50, 1, BANDS, 60)
    torch.manual_seed(3)
    first = hidden(whole)
    torch.manual_seed(3)
    assert torch.equal(first, hidden(whole))
    silent_bands = (first.sum(3) == 0).sum(2).flatten()
    silent_frames = (first.sum(2) == 0).sum(2).flatten()
    assert int(silent_bands.max()) == BANDS // 8
    assert int(silent_frames.max()) == 60 // 8
    assert int(silent_bands.min()) == 0


def test_no_rows_are_told(tmp_path: Path) -> None:
    def rows(split: Split) -> Iterable[dict[str, Any]]:
        return iter(())

    with pytest.raises(StudioError) as caught:
        session_of(plan(), tmp_path, rows=rows)
    assert caught.value.code == "run.no_rows"
