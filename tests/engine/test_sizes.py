"""The sizes told on the Train page are those of the models that are built."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from studio.domain.architectures import Architecture, Method
from studio.domain.sizes import ModelSize, cnn_parameters, model_size, vae_parameters
from studio.domain.specs import TrainSpec
from studio.engine.tasks.images.models import CnnSizes, ResidualCnn
from studio.engine.tasks.images.vae import Vae, VaeSizes
from studio.engine.tasks.recommend.factors import FactorModel
from studio.engine.tasks.recommend.sequence import SequenceModel, SequenceSizes
from studio.engine.tasks.recommend.table import Chosen
from studio.engine.tasks.text.models import TextSizes, new_text_model


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def spec_of(architecture: Architecture, **more: object) -> TrainSpec:
    return TrainSpec.model_validate({"architecture": architecture, "method": Method.SCRATCH, **more})


@pytest.mark.parametrize("kind", [Architecture.TRANSFORMER, Architecture.LSTM, Architecture.GRU])
@pytest.mark.parametrize(("layers", "width", "outputs"), [(1, 32, 2), (3, 48, 7)])
def test_text_models(kind: Architecture, layers: int, width: int, outputs: int) -> None:
    spec = spec_of(kind, layers=layers, width=width, heads=4, vocabulary=600, max_length=64)
    sizes = TextSizes(kind.value, 600, width, layers, 4, 64, 0.1, outputs)  # type: ignore[arg-type]
    assert model_size(spec, outputs) == ModelSize(count(new_text_model(sizes)))


@pytest.mark.parametrize(("side", "channels", "colours"), [(16, 4, 1), (28, 32, 1), (33, 8, 3), (224, 4, 3)])
def test_cnn(side: int, channels: int, colours: int) -> None:
    made = ResidualCnn(CnnSizes(side, colours, channels, 0.1, 10))
    assert cnn_parameters(channels, side, colours, 10) == count(made)


def test_pictures_are_counted_in_colour_and_sounds_in_64_bands() -> None:
    pictures = spec_of(Architecture.CNN, channels=8, image_size=32)
    assert model_size(pictures, 5).parameters == count(ResidualCnn(CnnSizes(32, 3, 8, 0.1, 5)))
    sounds = spec_of(Architecture.SPECTROGRAM, channels=8)
    assert model_size(sounds, 5).parameters == count(ResidualCnn(CnnSizes(64, 1, 8, 0.1, 5)))


@pytest.mark.parametrize(
    ("size", "channels", "latent", "colours"), [(16, 4, 2, 1), (28, 8, 16, 1), (65, 8, 4, 3)]
)
def test_vae(size: int, channels: int, latent: int, colours: int) -> None:
    spec = spec_of(Architecture.VAE, image_size=size, channels=channels, latent=latent)
    assert vae_parameters(spec, colours) == count(Vae(VaeSizes(size, colours, channels, latent, 0.0)))


def nothing_chosen(users: int) -> Chosen:
    return Chosen(torch.zeros(users + 1, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))


def test_recommenders_by_users_and_items() -> None:
    factors = FactorModel(9, 14, 16, 3.5, nothing_chosen(9))
    assert model_size(spec_of(Architecture.FACTORS, factors=16)).each * (9 + 14) == count(factors)
    size = model_size(spec_of(Architecture.SEQUENCE, width=32, layers=2, heads=2))
    model = SequenceModel(SequenceSizes(14, 32, 2, 2, 0.1), torch.zeros(14), nothing_chosen(9))
    assert size.parameters + size.each * 14 == count(model)
