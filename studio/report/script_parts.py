"""Which parts of resources/scripts make the program of a run, and the lines that depend on its settings."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from studio.domain.architectures import Architecture, Method
from studio.domain.runs import RunPlan
from studio.domain.shapes import Shape
from studio.domain.specs import ADDS_ON, TrainSpec, scratch_inner_width

_A = Architecture
_SMALL_TEXT: Final = (_A.TRANSFORMER, _A.LSTM, _A.GRU)
# What each part imports beside what all do.
_IMPORTS: Final[dict[str, tuple[str, ...]]] = {
    "start": (
        "import hashlib", "import json", "import math", "import time", "from pathlib import Path",
        "import polars as pl", "import torch", "from torch.nn import functional as F",
    ),
    "label": ("from collections import Counter",),
    "labels": ("from collections import Counter",),
    "encoder": ("from transformers import AutoModel, AutoTokenizer",),
    "tokenizer": (
        "from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers",
        "from transformers import PreTrainedTokenizerFast",
    ),
    "pictures": ("from functools import lru_cache", "import numpy as np", "from PIL import Image, ImageOps"),
    "backbone": ("import inspect", "from transformers import AutoModel"),
    "features": ("from functools import cache",),
    "sounds": (
        "from functools import cache", "import numpy as np", "import soundfile",
        "from scipy.signal import resample_poly",
    ),
    "ratings": ("from datetime import datetime",),
    "adapter": ("from peft import LoraConfig, get_peft_model",),
    "base": ("from transformers import AutoModelForCausalLM, AutoTokenizer",),
    "llama": ("from transformers import LlamaConfig, LlamaForCausalLM",),
}  # fmt: skip
_LOAD: Final = 'model = AutoModelForCausalLM.from_pretrained(RUN["base"], dtype=torch.float32)'
_LOAD_TOKENIZER: Final = 'TOKENIZER = AutoTokenizer.from_pretrained(RUN["base"])'
_LEARN_TOKENIZER: Final = """\
TOKENIZER = new_tokenizer(
    text
    for row in rows["train"]
    for text in ([row["text"]] if "text" in row else [said["content"] for said in conversation(row)])
)
TOKENIZER.chat_template = RUN["chat_template"]"""
_ADD_ON: Final = """\
get_peft_model({model}, LoraConfig(
    r=SPEC["lora_rank"], lora_alpha=SPEC["lora_alpha"], lora_dropout=SPEC["lora_dropout"],
    target_modules="all-linear"{more},
))"""
_LLAMA: Final = """\
model = LlamaForCausalLM(LlamaConfig(
    vocab_size=len(TOKENIZER), hidden_size=SPEC["width"], num_hidden_layers=SPEC["layers"],
    intermediate_size={inner}, num_attention_heads=SPEC["heads"], num_key_value_heads=SPEC["heads"],
    max_position_embeddings=max(SPEC["max_length"], 512), tie_word_embeddings=True, attention_dropout=0.0,
    bos_token_id=TOKENIZER.bos_token_id, eos_token_id=TOKENIZER.eos_token_id, pad_token_id=TOKENIZER.pad_token_id,
))"""


@dataclass(frozen=True)
class Program:
    """parts: in order. needs: keys of the imports. work: units that are looked at in a check, and at the end.

    lines: code by the name of its place in the parts. decay: of weights, by the optimizer.
    """

    parts: tuple[str, ...]
    work: tuple[int, int]  # as in studio/engine/tasks
    needs: tuple[str, ...] = ()
    lines: dict[str, str] = field(default_factory=dict)
    decay: str = 'SPEC["weight_decay"]'

    def imports(self) -> str:
        """All import lines, Python's own first."""
        wanted = {line for name in ("start", *self.parts, *self.needs) for line in _IMPORTS.get(name, ())}
        own = {line for line in wanted if _package(line) in sys.stdlib_module_names}
        return "\n".join([*_sorted(own), "", *_sorted(wanted - own)])

    def packages(self) -> list[str]:
        """What has to be installed."""
        wanted = (line for name in ("start", *self.parts, *self.needs) for line in _IMPORTS.get(name, ()))
        return sorted({_package(line) for line in wanted} - sys.stdlib_module_names)


def program(plan: RunPlan) -> Program | None:
    """How the run is told in plain torch; None for a fold of a K-fold and for QLoRA, which only the studio computes."""
    spec = plan.spec
    if plan.fold is not None or spec.method is Method.QLORA:
        return None
    if spec.architecture is _A.LANGUAGE_MODEL:
        judged = plan.shape in (Shape.PREFERENCE, Shape.THUMBS)
        return _judged(plan) if judged else _language_model(plan)
    if plan.shape is Shape.RATINGS:
        return _recommender(spec)
    if plan.shape is Shape.IMAGE_LABEL:
        return _pictures(spec)
    if plan.shape is Shape.AUDIO_LABEL:
        return Program(("label", "headed", "mean", "moved", "cnn", "sounds"), (5_000, 20_000))
    return _text(plan)


def _text(plan: RunPlan) -> Program:
    spec = plan.spec
    goal = {Shape.TEXT_LABELS: "labels", Shape.TEXT_NUMBER: "number"}.get(plan.shape, "label")
    first, work = (goal, "headed", "text"), (60_000, 400_000)
    if spec.architecture is _A.ENCODER:
        adds = spec.method is Method.LORA
        parts = (*first, "mean", "encoder")
        return Program(parts, work, ("adapter",) if adds else (), {"ADAPTER": _adapter(spec)})
    network = ("block", "transformer") if spec.architecture is _A.TRANSFORMER else ("recurrent",)
    model, last = "TextModel()", "mean"
    if spec.word_pairs:
        model, last = 'WideAndDeep(TextModel(), WidePart([seen for seen, _target in items["train"]]))', "wide"
    return Program((*first, "tokenizer", *network, last, "scratch_text"), work, lines={"MODEL": model})


def _adapter(spec: TrainSpec) -> str:
    """What becomes of the encoder: trained whole, with an add-on, or not at all."""
    frozen = f"model.encoder.requires_grad_({spec.method is Method.FULL})"
    if spec.method is not Method.LORA:
        return frozen
    return f"{frozen}\nmodel.encoder = {_ADD_ON.format(model='model.encoder', more='')}"


def _pictures(spec: TrainSpec) -> Program:
    work = (5_000, 20_000)
    if spec.architecture is _A.VAE:
        return Program(("moved", "pictures", "colours", "vae"), work)
    first = ("label", "headed", "mean", "moved", "pictures")
    if spec.architecture is _A.BACKBONE:
        shown = "features" if spec.method is Method.FROZEN else "telling"
        return Program((*first, shown, "backbone"), work)
    return Program((*first, "colours", "telling", "cnn", "new_cnn"), work)


def _recommender(spec: TrainSpec) -> Program:
    work = (1_000_000, 1_000_000)
    if spec.architecture is _A.FACTORS:
        return Program(("ratings", "factors"), work, decay="0.0")  # it is in the loss
    return Program(("ratings", "block", "sequence"), work)


def _language_model(plan: RunPlan) -> Program:
    spec, work = plan.spec, (12_000, 24_000)
    if spec.method is Method.SCRATCH or plan.base_dir is None:
        lines = {"TOKENIZER": _LEARN_TOKENIZER, "MODEL": _LLAMA.format(inner=scratch_inner_width(spec.width))}
        return Program(("tokenizer", "conversation", "language"), work, ("llama",), lines)
    lines = {"TOKENIZER": _LOAD_TOKENIZER, "MODEL": _tuned(spec)}
    return Program(("conversation", "language"), work, _tuned_needs(spec), lines)


def _judged(plan: RunPlan) -> Program:
    way = "dpo" if plan.shape is Shape.PREFERENCE else "kto"
    parts = ("conversation", way, "judged")
    return Program(parts, (16_000, 64_000), _tuned_needs(plan.spec), {"MODEL": _tuned(plan.spec)})


def _tuned_needs(spec: TrainSpec) -> tuple[str, ...]:
    return ("base", "adapter") if spec.method in ADDS_ON else ("base",)


def _tuned(spec: TrainSpec) -> str:
    """The base, whole or with an add-on."""
    if spec.method not in ADDS_ON:
        return _LOAD
    more = ', task_type="CAUSAL_LM", bias="none"' + (", use_dora=True" if spec.method is Method.DORA else "")
    return f"{_LOAD}\nmodel = {_ADD_ON.format(model='model', more=more)}"


def _package(line: str) -> str:
    return line.split()[1].split(".")[0]


def _sorted(lines: Iterable[str]) -> list[str]:
    return sorted(lines, key=lambda line: (line.startswith("from"), line.lower()))
