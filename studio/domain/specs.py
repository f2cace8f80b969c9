"""How a model is trained: every option declared once, for the form, the command line and the run's record."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from studio.domain.architectures import ARCHITECTURE_TITLES, METHOD_TITLES, Architecture, Method, methods_for
from studio.domain.shapes import Shape
from studio.i18n import N_, _

ADDS_ON = (Method.LORA, Method.DORA, Method.QLORA)


class Preset(StrEnum):
    QUICK = "quick"
    BALANCED = "balanced"
    THOROUGH = "thorough"


PRESET_TITLES = {
    Preset.QUICK: N_("Quick"),
    Preset.BALANCED: N_("Balanced"),
    Preset.THOROUGH: N_("Thorough"),
}
PRESET_HELP = {
    Preset.QUICK: N_("A first impression: one pass over the data."),
    Preset.BALANCED: N_("A good result for most data: three passes."),
    Preset.THOROUGH: N_("Up to eight passes with a larger add-on; stops when it no longer helps."),
}


_ADD_ON: list[JsonValue] = [method.value for method in ADDS_ON]
_LANGUAGE: list[JsonValue] = [Architecture.LANGUAGE_MODEL.value]
_FROM_TEXT: list[JsonValue] = [
    Architecture.LANGUAGE_MODEL.value, Architecture.TRANSFORMER.value, Architecture.LSTM.value, Architecture.GRU.value,
]  # fmt: skip
_READS_TEXT: list[JsonValue] = [*_FROM_TEXT, Architecture.ENCODER.value]
_CLASSIFIES: list[JsonValue] = [
    Architecture.ENCODER.value, Architecture.TRANSFORMER.value, Architecture.LSTM.value, Architecture.GRU.value,
    Architecture.CNN.value, Architecture.BACKBONE.value, Architecture.SPECTROGRAM.value,
]  # fmt: skip
_SORTS_ANEW: list[JsonValue] = [
    Architecture.TRANSFORMER.value, Architecture.LSTM.value, Architecture.GRU.value,
]  # fmt: skip
_TOWERS: list[JsonValue] = [*_FROM_TEXT, Architecture.SEQUENCE.value]
_SEES: list[JsonValue] = [Architecture.CNN.value, Architecture.VAE.value]


def _extra(group: str, level: str = "advanced", **more: JsonValue) -> dict[str, JsonValue]:
    return {"group": group, "level": level, **more}


MOST_PASSES = 200  # over the data, in a run


class TrainSpec(BaseModel):
    """The settings of one run. Groups: method, model, settings, limits, machine.

    ``methods`` and ``architectures`` beside a field say where it means anything (see ``applies``); elsewhere it is
    ignored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Architecture = Field(
        Architecture.LANGUAGE_MODEL, title=N_("Kind of model"),
        description=N_("What is built: the data decides what can be chosen."),
        json_schema_extra=_extra(
            "method", "simple", choices_titles={a.value: t for a, t in ARCHITECTURE_TITLES.items()}
        ),
    )  # fmt: skip
    method: Method = Field(
        Method.LORA, title=N_("Method"),
        description=N_(
            "A small add-on learns fast and keeps what the model knows; the whole model learns more and needs "
            "more memory; from scratch knows nothing but your data."
        ),
        json_schema_extra=_extra("method", "simple", choices_titles={m.value: t for m, t in METHOD_TITLES.items()}),
    )  # fmt: skip
    lora_rank: int = Field(
        8, ge=1, le=256, title=N_("Add-on size (rank)"),
        description=N_("Larger add-ons can learn more and need more memory."),
        json_schema_extra=_extra("method", methods=_ADD_ON),
    )  # fmt: skip
    lora_alpha: int = Field(
        16, ge=1, le=1024, title=N_("Add-on strength (alpha)"),
        description=N_("How strongly the add-on acts; usually twice its rank."),
        json_schema_extra=_extra("method", methods=_ADD_ON),
    )  # fmt: skip
    lora_dropout: float = Field(
        0.0, ge=0, lt=1, title=N_("Add-on dropout"),
        description=N_("Share of the add-on's inputs switched off at random, against learning by heart."),
        json_schema_extra=_extra("method", methods=_ADD_ON, decimals=2, step=0.05),
    )  # fmt: skip
    layers: int = Field(
        4, ge=1, le=48, title=N_("Layers"), description=N_("How deep the new model is."),
        json_schema_extra=_extra("model", "simple", methods=["scratch"], architectures=_TOWERS),
    )  # fmt: skip
    heads: int = Field(
        4, ge=1, le=64, title=N_("Heads"), description=N_("Attention heads in each layer; must divide the width."),
        json_schema_extra=_extra("model", "simple", methods=["scratch"], architectures=_TOWERS),
    )  # fmt: skip
    width: int = Field(
        256, ge=16, le=4096, title=N_("Width"), description=N_("Numbers that describe each token."),
        json_schema_extra=_extra("model", "simple", methods=["scratch"], architectures=_TOWERS, step=16),
    )  # fmt: skip
    vocabulary: int = Field(
        4000, ge=300, le=100_000, title=N_("Vocabulary"),
        description=N_("Word pieces that the new model's tokenizer learns from your text."),
        json_schema_extra=_extra("model", "simple", methods=["scratch"], architectures=_FROM_TEXT),
    )  # fmt: skip
    channels: int = Field(
        32, ge=4, le=512, title=N_("Channels"), description=N_("Patterns that the first layer looks for."),
        json_schema_extra=_extra("model", methods=["scratch"], architectures=[*_SEES, Architecture.SPECTROGRAM.value]),
    )  # fmt: skip
    image_size: int = Field(
        32, ge=16, le=512, title=N_("Picture size"),
        description=N_("Pictures are brought to this many pixels on each side."),
        json_schema_extra=_extra(
            "model", "simple", architectures=[*_SEES, Architecture.BACKBONE.value], unit=N_("pixels"), step=4
        ),
    )  # fmt: skip
    latent: int = Field(
        16, ge=2, le=512, title=N_("Hidden numbers"),
        description=N_("Numbers that a picture is pressed into and drawn from again."),
        json_schema_extra=_extra("model", architectures=[Architecture.VAE.value]),
    )  # fmt: skip
    factors: int = Field(
        32, ge=2, le=1024, title=N_("Factors"),
        description=N_("Hidden tastes that describe each user and each item."),
        json_schema_extra=_extra("model", architectures=[Architecture.FACTORS.value]),
    )  # fmt: skip
    dropout: float = Field(
        0.1, ge=0, lt=1, title=N_("Dropout"),
        description=N_("Share of a new layer's inputs switched off at random, against learning by heart."),
        json_schema_extra=_extra(
            "model", architectures=[*_CLASSIFIES, Architecture.SEQUENCE.value, Architecture.VAE.value],
            decimals=2, step=0.05,
        ),
    )  # fmt: skip
    word_dropout: float = Field(
        0.0, ge=0, le=0.5, title=N_("Hidden words"),
        description=N_(
            "Share of a text's word pieces hidden at random while it is learned, so that no single word decides. It is "
            "the average: some texts are read whole, others lose twice as much."
        ),
        json_schema_extra=_extra("model", architectures=_SORTS_ANEW, decimals=2, step=0.05),
    )  # fmt: skip
    word_pairs: bool = Field(
        False, title=N_("Words and pairs count directly"),
        description=N_(
            "A simple model over words and pairs of neighbours learns beside the network; their mean is the answer."
        ),
        json_schema_extra=_extra("model", architectures=_SORTS_ANEW),
    )  # fmt: skip
    epochs: float = Field(
        3.0, gt=0, le=MOST_PASSES, title=N_("Passes over the data (epochs)"),
        description=N_("How often the model sees each training row."),
        json_schema_extra=_extra("settings", "simple", decimals=1),
    )  # fmt: skip
    batch_size: int = Field(
        4, ge=1, le=512, title=N_("Rows at once (batch size)"),
        description=N_("Rows processed together; more needs more memory."), json_schema_extra=_extra("settings"),
    )  # fmt: skip
    gradient_accumulation: int = Field(
        1, ge=1, le=256, title=N_("Batches per update"),
        description=N_("Batches whose lessons are added up before the model changes."),
        json_schema_extra=_extra("settings"),
    )  # fmt: skip
    learning_rate: float = Field(
        2e-4, gt=0, le=1, title=N_("Learning rate"),
        description=N_("How far each update moves the model. Too high breaks it, too low learns nothing."),
        json_schema_extra=_extra("settings", decimals=7, step=1e-5),
    )  # fmt: skip
    optimizer: Literal["adamw", "adam", "sgd", "adagrad", "rmsprop", "adafactor"] = Field(
        "adamw", title=N_("Optimizer"),
        description=N_("How updates are made from gradients; AdamW suits nearly everything."),
        json_schema_extra=_extra(
            "settings",
            choices_titles={
                "adamw": "AdamW", "adam": "Adam", "sgd": N_("SGD with momentum"), "adagrad": "Adagrad",
                "rmsprop": "RMSprop", "adafactor": N_("Adafactor (least memory)"),
            },
        ),
    )  # fmt: skip
    momentum: float = Field(
        0.9, ge=0, lt=1, title=N_("Momentum"), description=N_("How much of the last update the next one carries on."),
        json_schema_extra=_extra("settings", optimizers=["sgd", "rmsprop"], decimals=2, step=0.05),
    )  # fmt: skip
    schedule: Literal["constant", "linear", "cosine", "plateau"] = Field(
        "cosine", title=N_("Learning rate schedule"), description=N_("How the learning rate falls during the run."),
        json_schema_extra=_extra(
            "settings",
            choices_titles={
                "constant": N_("Constant"), "linear": N_("Falls in a line"), "cosine": N_("Cosine"),
                "plateau": N_("Halves when checks no longer improve"),
            },
        ),
    )  # fmt: skip
    warmup_ratio: float = Field(
        0.03, ge=0, le=0.5, title=N_("Warm-up share"),
        description=N_("Share of the run in which the learning rate rises from zero."),
        json_schema_extra=_extra("settings", decimals=2, step=0.01),
    )  # fmt: skip
    weight_decay: float = Field(
        0.01, ge=0, le=1, title=N_("Weight decay"),
        description=N_("Pulls weights towards zero, against learning by heart."),
        json_schema_extra=_extra("settings", decimals=3, step=0.01),
    )  # fmt: skip
    l1: float = Field(
        0.0, ge=0, le=1, title=N_("L1 penalty"),
        description=N_("Pulls small weights to exactly zero, so that fewer count."),
        json_schema_extra=_extra("settings", decimals=6, step=0.00001),
    )  # fmt: skip
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, title=N_("Label smoothing"),
        description=N_("Share of certainty that is taken from the right label, against overconfidence."),
        json_schema_extra=_extra("settings", architectures=_CLASSIFIES, decimals=2, step=0.05),
    )  # fmt: skip
    balance_labels: bool = Field(
        False, title=N_("Rare labels count more"),
        description=N_("Each label gets the same say, however few rows it has."),
        json_schema_extra=_extra("settings", "simple", architectures=_CLASSIFIES),
    )  # fmt: skip
    preference_beta: float = Field(
        0.1, gt=0, le=10, title=N_("Caution (beta)"),
        description=N_("How close the tuned model must stay to the base when it learns from judged answers."),
        json_schema_extra=_extra(
            "settings", architectures=_LANGUAGE, shapes=["preference", "thumbs"], decimals=2, step=0.05
        ),
    )  # fmt: skip
    max_grad_norm: float = Field(
        1.0, gt=0, le=100, title=N_("Gradient limit"),
        description=N_("Updates larger than this are shortened, so that one odd row cannot break the model."),
        json_schema_extra=_extra("settings", decimals=2, step=0.1),
    )  # fmt: skip
    max_length: int = Field(
        512, ge=16, le=32_768, title=N_("Longest row"),
        description=N_("Rows with more tokens are cut here; the preview says how many."),
        json_schema_extra=_extra("settings", architectures=_READS_TEXT, unit=N_("tokens")),
    )  # fmt: skip
    seed: int = Field(
        42, ge=0, le=2**31 - 1, title=N_("Seed"),
        description=N_("The same seed, data and settings repeat the run exactly on this computer."),
        json_schema_extra=_extra("settings"),
    )  # fmt: skip
    max_steps: int | None = Field(
        None, ge=1, title=N_("At most this many updates"), description=N_("Empty: as many as the passes need."),
        json_schema_extra=_extra("limits"),
    )  # fmt: skip
    max_minutes: float | None = Field(
        None, gt=0, le=60 * 24 * 30, title=N_("Longest time"),
        description=N_("The run stops and keeps its best model after this time. Empty: no limit."),
        json_schema_extra=_extra("limits", "simple", unit=N_("minutes"), decimals=0, empty=N_("No limit")),
    )  # fmt: skip
    evals_per_epoch: float = Field(
        2.0, gt=0, le=100, title=N_("Checks per pass"),
        description=N_("How often the model is tried on the validation rows and sample questions."),
        json_schema_extra=_extra("limits", decimals=3),
    )  # fmt: skip
    early_stopping: int = Field(
        3, ge=0, le=100, title=N_("Stop when no better"),
        description=N_("Stop after this many checks without improvement and keep the best. 0: never."),
        json_schema_extra=_extra("limits", "simple", unit=N_("checks")),
    )  # fmt: skip
    save_every_s: float = Field(
        60.0, ge=1, le=86_400, title=N_("Save every"),
        description=N_("A crash or power cut loses at most this much work."),
        json_schema_extra=_extra("limits", unit=N_("seconds"), decimals=0),
    )  # fmt: skip
    keep_checkpoints: int = Field(
        2, ge=1, le=50, title=N_("Checkpoints kept"), description=N_("Older ones are removed; the best always stays."),
        json_schema_extra=_extra("limits"),
    )  # fmt: skip
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", title=N_("Device"), description=N_("Where the numbers are computed."),
        json_schema_extra=_extra(
            "machine",
            choices_titles={
                "auto": N_("Best available"), "cpu": N_("Processor"), "cuda": "NVIDIA GPU", "mps": "Apple GPU",
            },
        ),
    )  # fmt: skip
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", title=N_("Number format"), description=N_("Automatic picks the fastest as measured on this computer."),
        json_schema_extra=_extra(
            "machine",
            choices_titles={"auto": N_("Automatic"), "float32": "float32", "bfloat16": "bfloat16"},
        ),
    )  # fmt: skip
    gradient_checkpointing: Literal["auto", "on", "off"] = Field(
        "auto", title=N_("Save memory by computing twice"),
        description=N_(
            "What the model saw on the way is computed again instead of being kept (gradient checkpointing): about a "
            "third slower. Automatic does so where the memory would not suffice otherwise."
        ),
        json_schema_extra=_extra(
            "machine", architectures=[*_LANGUAGE, Architecture.ENCODER.value],
            choices_titles={"auto": N_("Automatic"), "on": N_("On"), "off": N_("Off")},
        ),
    )  # fmt: skip
    base_format: Literal["auto", "float", "int8"] = Field(
        "auto", title=N_("Format of the frozen base"),
        description=N_("Whole numbers (int8) are faster on many processors; Automatic uses them where it measured so."),
        json_schema_extra=_extra(
            "machine", methods=_ADD_ON, architectures=_LANGUAGE,
            choices_titles={"auto": N_("Automatic"), "float": N_("As it is"), "int8": "int8"},
        ),
    )  # fmt: skip
    threads: int | None = Field(
        None, ge=1, le=1024, title=N_("Processor threads"), description=N_("Empty: one for each physical core."),
        json_schema_extra=_extra("machine"),
    )  # fmt: skip

    @model_validator(mode="after")
    def _heads_divide_width(self) -> TrainSpec:
        attends = self.architecture in (
            Architecture.LANGUAGE_MODEL,
            Architecture.TRANSFORMER,
            Architecture.SEQUENCE,
        )
        if (
            self.method is Method.SCRATCH
            and attends
            and (self.width % self.heads or (self.width // self.heads) % 2)
        ):
            raise ValueError(_("The width must be an even multiple of the number of heads."))
        return self


_PRESETS: dict[Preset, dict[str, object]] = {
    Preset.QUICK: {"epochs": 1.0, "evals_per_epoch": 2.0},
    Preset.BALANCED: {"epochs": 3.0, "evals_per_epoch": 2.0},
    Preset.THOROUGH: {
        "epochs": 8.0,
        "evals_per_epoch": 2.0,
        "lora_rank": 16,
        "lora_alpha": 32,
        "early_stopping": 4,
    },
}
_METHOD_RATES = {
    Method.LORA: 5e-4, Method.DORA: 5e-4, Method.QLORA: 2e-4, Method.FULL: 5e-5, Method.FROZEN: 1e-3,
    Method.SCRATCH: 1e-3,
}  # fmt: skip
_ENOUGH_UPDATES = {Preset.QUICK: 120, Preset.BALANCED: 240, Preset.THOROUGH: 400}
# As a multiple of that. Small texts: three passes suit many rows, few need about as many updates as in nine. Pictures
# and sounds from nothing: 144 updates told 171 drawn shapes apart as well as guessing, 1,200 (ten seconds) all of them.
_MORE_UPDATES = {
    Architecture.TRANSFORMER: 1.5, Architecture.LSTM: 1.5, Architecture.GRU: 1.5, Architecture.CNN: 5.0,
    Architecture.SPECTROGRAM: 5.0, Architecture.VAE: 5.0, Architecture.FACTORS: 3.0,
}  # fmt: skip
_LEAST_BATCH = 8
_PASSES_OF_FEW_ROWS = {Preset.QUICK: 60, Preset.BALANCED: 100, Preset.THOROUGH: 160}
# Whole encoders, 32 texts at once: the best of 5e-5 … 4e-4 on unseen film reviews, seed 1.
_ENCODER_RATE = 1e-4
# Judged answers are few: 60 updates at 5e-5 left an English sample at 73% of held-out pairs, 2e-4 told all apart.
_PREFERENCE_RATE = 1e-4
_SMALL_TEXT: dict[str, object] = {
    "batch_size": 32, "max_length": 256, "layers": 1, "width": 128, "vocabulary": 8000, "word_dropout": 0.3,
    "word_pairs": True,
}  # fmt: skip
# For as long as 250 updates they may guess before they see anything: to stop at the third check would end them there.
_SLOW_TO_BEGIN: dict[str, object] = {"learning_rate": 2e-3, "early_stopping": 10}
# What suits each kind of model besides: passes as a multiple of the preset's, rows at once, and sizes.
_KINDS: dict[Architecture, tuple[float, dict[str, object]]] = {
    Architecture.ENCODER: (1.0, {"batch_size": 32, "max_length": 256}),
    Architecture.TRANSFORMER: (1.0, {**_SMALL_TEXT, "layers": 2}),
    Architecture.LSTM: (1.0, _SMALL_TEXT),
    Architecture.GRU: (1.0, _SMALL_TEXT),
    Architecture.CNN: (2.0, {"batch_size": 64, "image_size": 28, "channels": 16, **_SLOW_TO_BEGIN}),
    Architecture.BACKBONE: (2.0, {"batch_size": 32, "image_size": 224}),
    Architecture.VAE: (
        2.0,
        {"batch_size": 128, "image_size": 28, "channels": 16, "dropout": 0.0, "learning_rate": 2e-3},
    ),
    Architecture.FACTORS: (8.0, {"batch_size": 512, "learning_rate": 5e-3, "weight_decay": 0.1}),
    Architecture.SEQUENCE: (8.0, {"batch_size": 64, "layers": 2, "heads": 2, "width": 64}),
    Architecture.SPECTROGRAM: (8.0, {"batch_size": 32, "channels": 16, **_SLOW_TO_BEGIN}),
}


def preset_spec(
    preset: Preset,
    method: Method | None = None,
    architecture: Architecture = Architecture.LANGUAGE_MODEL,
    shape: Shape | None = None,
    rows: int | None = None,
) -> TrainSpec:
    """The settings of a preset for a kind of model and a method (None: the advised one).

    rows: of the training split; few of them are seen in smaller batches and more passes, so that a model that is not
    a language model changes often enough to learn them.
    """
    chosen = method or methods_for(architecture, shape)[0]
    fields: dict[str, object] = {**_PRESETS[preset], "architecture": architecture, "method": chosen}
    fields["learning_rate"] = _METHOD_RATES[chosen]
    if architecture is Architecture.ENCODER and chosen is Method.FULL:
        fields["learning_rate"] = _ENCODER_RATE
    passes, more = _KINDS.get(architecture, (1.0, {}))
    if architecture is Architecture.LANGUAGE_MODEL and chosen is Method.SCRATCH:
        passes, more = 4.0, {"batch_size": 16}  # a model that knows nothing needs more passes
    if shape in (Shape.PREFERENCE, Shape.THUMBS):
        more = {"learning_rate": _PREFERENCE_RATE}
    fields["epochs"] = passes * float(str(fields["epochs"]))
    spec = TrainSpec.model_validate({**fields, **more})
    if rows and architecture is not Architecture.LANGUAGE_MODEL:
        wanted = _ENOUGH_UPDATES[preset] * _MORE_UPDATES.get(architecture, 1.0)
        more = _enough_updates(spec, rows, wanted, _PASSES_OF_FEW_ROWS[preset])
        return TrainSpec.model_validate({**spec.model_dump(), **more})
    return spec


def _enough_updates(spec: TrainSpec, rows: int, wanted: float, most: int) -> dict[str, object]:
    """Fields by which ``rows`` give about ``wanted`` updates in ``most`` passes; the number of checks stays."""
    batch = spec.batch_size
    while batch > _LEAST_BATCH and rows * spec.epochs / batch < wanted:
        batch //= 2
    epochs = max(spec.epochs, float(min(most, math.ceil(wanted * batch / rows))))
    checks = spec.evals_per_epoch * spec.epochs / epochs
    return {"batch_size": batch, "epochs": epochs, "evals_per_epoch": round(checks, 3)}


def applies(name: str, spec: TrainSpec, shape: Shape | None = None) -> bool:
    """Whether a field means anything for the spec's kind of model, method and optimizer and for the data's shape."""
    extra = TrainSpec.model_fields[name].json_schema_extra
    limits = extra if isinstance(extra, dict) else {}
    chosen = {
        "methods": spec.method.value, "architectures": spec.architecture.value, "optimizers": spec.optimizer,
        "shapes": shape.value if shape else None,
    }  # fmt: skip
    return all(
        not isinstance(allowed := limits.get(key), list) or value is None or value in allowed
        for key, value in chosen.items()
    )


def scratch_parameters(layers: int, width: int, vocabulary: int) -> int:
    """Parameters of our from-scratch Llama: tied embeddings, SwiGLU of 8/3 width rounded up to 64, RMS norms.

    Per layer 4·width² (attention) + 3·width·inner (SwiGLU) + 2·width (norms); plus vocabulary·width and a last norm.
    """
    inner = scratch_inner_width(width)
    return vocabulary * width + layers * (4 * width * width + 3 * width * inner + 2 * width) + width


def scratch_inner_width(width: int) -> int:
    """Width of the feed-forward layer: 8/3 of the width, rounded up to a multiple of 64."""
    return -(-(8 * width // 3) // 64) * 64
