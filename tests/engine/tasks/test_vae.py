"""A variational autoencoder learns to draw, its bound is what the formulas say, and it resumes and is kept alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.shapes import Shape
from studio.engine.predict import load_predictor
from studio.engine.tasks.images.sheets import sheet
from studio.engine.tasks.images.vae import Vae, VaeSizes, divergence, pixel_loss
from studio.protocol.events import Compared, Evaluated, ProbeAnswered
from tests.engine.helpers import Recorder
from tests.engine.media import DrawnMedia
from tests.engine.tasks.array_runs import (
    PICTURES,
    assert_a_killed_run_ends_alike,
    plan_of,
    session_of,
    trained,
)


def test_it_learns_more_than_the_mean_picture(tmp_path: Path) -> None:
    plan = plan_of(Shape.IMAGE_LABEL, Architecture.VAE, epochs=20, dropout=0.0)
    _summary, seen = trained(plan, tmp_path / "run")
    compared = seen.of(Compared)[0]
    assert compared.measure is Measure.RECONSTRUCTION
    assert sum(compared.tuned_scores) < sum(compared.base_scores)
    assert set(compared.targets) == {1}
    assert compared.metrics["elbo"] == pytest.approx(-np.mean(compared.tuned_scores), rel=1e-5)


def test_a_killed_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    plan = plan_of(Shape.IMAGE_LABEL, Architecture.VAE)
    assert_a_killed_run_ends_alike(plan, tmp_path)


def test_a_kept_model_draws_what_the_trained_one_draws(tmp_path: Path) -> None:
    plan = plan_of(Shape.IMAGE_LABEL, Architecture.VAE, seed=7)
    session = session_of(plan, tmp_path, recorder := Recorder(), DrawnMedia(colours=True))
    summary = session.run()
    probes = recorder.of(ProbeAnswered)
    assert [probe.answer for probe in probes] == [
        f"samples/step-{e.step:08d}.png" for e in recorder.of(Evaluated)
    ]
    best = tmp_path / f"samples/step-{summary.best_step:08d}.png"
    with Image.open(best) as drawn:
        trained_sheet = np.asarray(drawn)
    assert trained_sheet.shape == (6 * 18 + 2, 6 * 18 + 2, 3)
    predictor = load_predictor(tmp_path / "model", media=DrawnMedia())
    first, other = predictor.predict([{"sample": 36, "seed": 7}, {"sample": 36, "seed": 8}])
    with Image.open(first.picture) as drawn, Image.open(other.picture) as elsewhere:
        assert np.abs(np.asarray(drawn, dtype=int) - trained_sheet).max() <= 1
        assert not np.array_equal(np.asarray(elsewhere), trained_sheet)


def test_a_probe_leaves_the_run_as_it_is(tmp_path: Path) -> None:
    task: Any = session_of(plan_of(Shape.IMAGE_LABEL, Architecture.VAE), tmp_path).on.task
    before = torch.get_rng_state()
    task.model.train()
    task.probe("")
    assert torch.equal(before, torch.get_rng_state())
    assert task.model.training


def test_the_divergence_is_the_one_between_normals() -> None:
    mean = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    log_variance = torch.tensor([[0.3, -0.7, 0.0]], dtype=torch.float64)
    ours = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    standard = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(ours, standard).sum(-1)
    assert torch.allclose(divergence(mean, log_variance), expected)


def test_the_pixel_loss_is_the_mean_over_drawings_in_black_and_white() -> None:
    generator = torch.Generator().manual_seed(0)
    grey = torch.rand(1, 1, 4, 4, generator=generator)
    logits = torch.randn(1, 1, 4, 4, generator=generator)
    drawings = torch.bernoulli(grey.expand(40_000, -1, -1, -1), generator=generator)
    per_drawing = -torch.distributions.Bernoulli(logits=logits).log_prob(drawings).flatten(1).sum(-1)
    assert float(pixel_loss(logits, grey)) == pytest.approx(float(per_drawing.mean()), rel=5e-3)


def test_a_score_is_the_bound_and_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    task: Any = session_of(plan_of(Shape.IMAGE_LABEL, Architecture.VAE), tmp_path).on.task
    items = session_items(task)
    task.model.eval()
    with torch.no_grad():
        together = task.row_scores(task.collate(items))
        alone = torch.cat([task.row_scores(task.collate([item])) for item in items])
        pictures = task.collate(items).seen.float() / 255
        mean, log_variance = task.model.encode(pictures)
        noise = [torch.randn(4, generator=torch.Generator().manual_seed(item.row)) for item in items]
        logits = task.model.decode(mean + torch.stack(noise) * (log_variance / 2).exp())
    assert torch.allclose(together, alone, rtol=1e-5)
    kept = torch.distributions.Bernoulli(logits=logits).logits
    expected = -(
        pictures * torch.nn.functional.logsigmoid(kept)
        + (1 - pictures) * torch.nn.functional.logsigmoid(-kept)
    )
    assert torch.allclose(
        together.float(), expected.flatten(1).sum(1) + divergence(mean, log_variance), rtol=1e-4
    )


def session_items(task: Any) -> list[Any]:
    from studio.engine.tasks.arrays import ArrayItem

    rows = list(PICTURES(Split.TRAIN))[:5]
    return [ArrayItem(row["row"], place, row["image"], torch.zeros(())) for place, row in enumerate(rows)]


def test_the_simplest_guess_is_the_mean_of_the_training_pictures(tmp_path: Path) -> None:
    session = session_of(plan_of(Shape.IMAGE_LABEL, Architecture.VAE), tmp_path)
    task: Any = session.on.task
    media = DrawnMedia()
    train = np.stack([media.picture(row["image"], 16, 1) for row in PICTURES(Split.TRAIN)]) / 255
    mean = torch.from_numpy(train.mean(0)).clamp(1 / 1024, 1 - 1 / 1024)
    item = session.on.held_out[0]
    shown = torch.from_numpy(media.picture(item.name, 16, 1) / 255)  # type: ignore[attr-defined]
    expected = torch.nn.functional.binary_cross_entropy(mean, shown, reduction="sum")
    # cross-entropy with the picture as the target
    expected = -(shown * mean.log() + (1 - shown) * (1 - mean).log()).sum()
    assert task.baseline([item])[0] == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("size", [16, 28, 30, 64])
def test_pictures_of_any_size_come_back_at_their_size(size: int) -> None:
    model = Vae(VaeSizes(size, 3, 4, 2, 0.0))
    pictures = torch.rand(2, 3, size, size)
    mean, _log_variance = model.encode(pictures)
    assert model.decode(mean).shape == pictures.shape


def test_a_sheet_has_a_place_for_each_picture() -> None:
    pictures = torch.zeros(5, 1, 8, 8)
    paper = sheet(pictures)
    assert paper.shape == (2 * 10 + 2, 3 * 10 + 2, 1)
    assert int((paper == 0).sum()) == 5 * 64
