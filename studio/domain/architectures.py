"""What kinds of model there are, which data each learns from, and in which ways each can be trained."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from studio.domain.products import Task
from studio.domain.shapes import Shape
from studio.i18n import N_, _


class Architecture(StrEnum):
    LANGUAGE_MODEL = "language_model"
    ENCODER = "encoder"  # a pretrained text encoder with a head for labels or numbers
    TRANSFORMER = "transformer"  # a small one that learns from the founder's texts alone
    LSTM = "lstm"
    GRU = "gru"
    CNN = "cnn"
    BACKBONE = "backbone"  # a pretrained image model with a head for labels
    VAE = "vae"
    FACTORS = "factors"  # matrix factorisation
    SEQUENCE = "sequence"  # what a user will choose next
    SPECTROGRAM = "spectrogram"  # a CNN over the spectrogram of a recording


class Method(StrEnum):
    """How much of a model is trained."""

    LORA = "lora"
    DORA = "dora"
    QLORA = "qlora"
    FULL = "full"
    FROZEN = "frozen"
    SCRATCH = "scratch"


ARCHITECTURE_TITLES: Final = {
    Architecture.LANGUAGE_MODEL: N_("Language model"),
    Architecture.ENCODER: N_("Trained text encoder"),
    Architecture.TRANSFORMER: N_("Small Transformer from scratch"),
    Architecture.LSTM: N_("LSTM from scratch"),
    Architecture.GRU: N_("GRU from scratch"),
    Architecture.CNN: N_("Convolutional network from scratch"),
    Architecture.BACKBONE: N_("Trained image model"),
    Architecture.VAE: N_("Variational autoencoder (draws new pictures)"),
    Architecture.FACTORS: N_("Matrix factorisation"),
    Architecture.SEQUENCE: N_("Next choice by sequence"),
    Architecture.SPECTROGRAM: N_("Convolutional network over the sound's spectrogram"),
}
METHOD_TITLES: Final = {
    Method.LORA: N_("Small add-on (LoRA)"),
    Method.DORA: N_("Small add-on with direction (DoRA)"),
    Method.QLORA: N_("Small add-on on a compressed model (QLoRA)"),
    Method.FULL: N_("Whole model"),
    Method.FROZEN: N_("Head only, the rest frozen"),
    Method.SCRATCH: N_("New small model from scratch"),
}

_A = Architecture
_TEXT_MODELS: Final = (_A.ENCODER, _A.TRANSFORMER, _A.LSTM, _A.GRU)
_OF_SHAPE: Final[dict[Shape, tuple[Architecture, ...]]] = {
    Shape.PROMPT_RESPONSE: (_A.LANGUAGE_MODEL,),
    Shape.MESSAGES: (_A.LANGUAGE_MODEL,),
    Shape.PREFERENCE: (_A.LANGUAGE_MODEL,),
    Shape.THUMBS: (_A.LANGUAGE_MODEL,),
    Shape.TEXT: (_A.LANGUAGE_MODEL,),
    Shape.TEXT_LABEL: _TEXT_MODELS,
    Shape.TEXT_LABELS: _TEXT_MODELS,
    Shape.TEXT_NUMBER: _TEXT_MODELS,
    Shape.IMAGE_LABEL: (_A.CNN, _A.BACKBONE, _A.VAE),
    Shape.AUDIO_LABEL: (_A.SPECTROGRAM,),
    Shape.RATINGS: (_A.FACTORS, _A.SEQUENCE),
}
_METHODS: Final[dict[Architecture, tuple[Method, ...]]] = {
    _A.LANGUAGE_MODEL: (Method.LORA, Method.DORA, Method.QLORA, Method.FULL, Method.SCRATCH),
    _A.ENCODER: (Method.FULL, Method.LORA, Method.FROZEN),
    _A.BACKBONE: (Method.FROZEN, Method.FULL),
}
# Judged answers tune a model that already answers.
_NEED_BASE: Final = frozenset({Shape.PREFERENCE, Shape.THUMBS})


def architectures_for(shape: Shape, task: Task | None = None) -> tuple[Architecture, ...]:
    """Kinds of model that learn from data of this shape, the advised one first."""
    if task is Task.DRAW_IMAGES and shape is Shape.IMAGE_LABEL:
        return (Architecture.VAE,)
    return _OF_SHAPE[shape]


def methods_for(architecture: Architecture, shape: Shape | None = None) -> tuple[Method, ...]:
    """Ways to train this kind of model, the advised one first."""
    methods = _METHODS.get(architecture, (Method.SCRATCH,))
    return tuple(m for m in methods if m is not Method.SCRATCH or shape not in _NEED_BASE)


def needs_base(architecture: Architecture, method: Method) -> bool:
    """Whether training starts from a model that is there already."""
    return method is not Method.SCRATCH and architecture in _METHODS


def architecture_title(architecture: Architecture) -> str:
    """The kind of model for a person, in the active language."""
    return _(ARCHITECTURE_TITLES[architecture])
