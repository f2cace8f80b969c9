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
ARCHITECTURE_HELP: Final = {
    Architecture.LANGUAGE_MODEL: N_("Writes and answers, and learns from conversations or plain text."),
    Architecture.ENCODER: N_("Already knows a language: good with few rows in it."),
    Architecture.TRANSFORMER: N_(
        "Learns your words from nothing and sees the whole text at once; wants many rows."
    ),
    Architecture.LSTM: N_(
        "Learns your words from nothing and reads in both directions; small, wants many rows."
    ),
    Architecture.GRU: N_("Like the LSTM, a little smaller and faster."),
    Architecture.CNN: N_("Learns to see from your pictures alone; fast with small pictures."),
    Architecture.BACKBONE: N_("Already knows what pictures look like: good with few of them."),
    Architecture.VAE: N_("Draws new pictures that look like yours; labels are not needed."),
    Architecture.FACTORS: N_("Learns the tastes of users and the nature of items from ratings."),
    Architecture.SEQUENCE: N_(
        "Learns what is chosen after what; the order of the choices counts, not their ratings."
    ),
    Architecture.SPECTROGRAM: N_("Looks at the sound as a picture and tells short spoken commands apart."),
}
METHOD_TITLES: Final = {
    Method.LORA: N_("Small add-on (LoRA)"),
    Method.DORA: N_("Small add-on with direction (DoRA)"),
    Method.QLORA: N_("Small add-on on a compressed model (QLoRA)"),
    Method.FULL: N_("Whole model"),
    Method.FROZEN: N_("Head only, the rest frozen"),
    Method.SCRATCH: N_("New small model from scratch"),
}

METHOD_HELP: Final = {
    Method.LORA: N_("Learns fast and keeps what the model knows; a small file beside the base."),
    Method.DORA: N_("Like LoRA, with a little more to learn; slower."),
    Method.QLORA: N_("Like LoRA with far less memory; needs an NVIDIA GPU."),
    Method.FULL: N_("Everything may change: learns the most and needs the most memory."),
    Method.FROZEN: N_("Only a new last layer learns: the fastest way, good with few rows."),
    Method.SCRATCH: N_("Begins with nothing and knows only your data."),
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


def architectures_for(
    shape: Shape, task: Task | None = None, *, encoder_last: bool = False
) -> tuple[Architecture, ...]:
    """Kinds of model that learn from data of this shape, the advised one first.

    encoder_last: those text encoders that are there hardly know the language of the data.
    """
    if task is Task.DRAW_IMAGES and shape is Shape.IMAGE_LABEL:
        return (Architecture.VAE,)
    kinds = _OF_SHAPE[shape]
    return tuple(sorted(kinds, key=lambda kind: encoder_last and kind is Architecture.ENCODER))


def methods_for(architecture: Architecture, shape: Shape | None = None) -> tuple[Method, ...]:
    """Ways to train this kind of model, the advised one first."""
    methods = _METHODS.get(architecture, (Method.SCRATCH,))
    return tuple(m for m in methods if m is not Method.SCRATCH or shape not in _NEED_BASE)


def needs_base(architecture: Architecture, method: Method) -> bool:
    """Whether training starts from a model that is there already."""
    return method is not Method.SCRATCH and architecture in _METHODS


def new_model_title(architecture: Architecture) -> str:
    """What stands in place of a base model's name for one that begins with nothing."""
    if architecture is Architecture.LANGUAGE_MODEL:
        return _("New small model")
    return architecture_title(architecture)


def architecture_title(architecture: Architecture) -> str:
    """The kind of model for a person, in the active language."""
    return _(ARCHITECTURE_TITLES[architecture])
