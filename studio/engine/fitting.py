"""Makes a run fit the machine: what is chosen without asking (number format, attention, computing twice), and what is
proposed when the measured memory does not suffice.

Pure and deterministic: numbers in, choices and sentences out; only ``settle`` touches a model.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch
from pydantic import JsonValue
from torch import nn

from studio.domain.architectures import Method, methods_for
from studio.domain.runs import Proposal
from studio.domain.shapes import Shape
from studio.domain.specs import ADDS_ON, Preset, TrainSpec, applies, preset_spec
from studio.engine import devices
from studio.i18n import _, ngettext
from studio.words import clauses, size_words

KEPT_BY_CHECKPOINTING: Final = 0.35  # of a batch's activations; they are then computed twice
SHORTEST: Final = 64  # tokens; a proposal does not go below
MOST_BATCHES: Final = 256  # in an update; as TrainSpec limits them
HEADROOM: Final = 0.9  # of what is free may be planned with
BYTES_PER_WEIGHT: Final = 4
ADAPTER_SHARE: Final = 0.02  # of a base, at the usual rank
# Bytes of activations for each token, layer and unit of width in 16 bits, with attention that keeps no weights:
# Korthikanti et al. 2022, Reducing Activation Recomputation in Large Transformer Models, formula 1 without 5·a·s/h.
BYTES_PER_ACTIVATION: Final = 34


@dataclass(frozen=True)
class Need:
    """Bytes that a run was measured to need. fixed: whatever a batch is; batch: for the longest batch besides.

    longest: units of work (tokens) of the longest row.
    """

    fixed: int
    batch: int
    parameters: int
    trainable: int
    optimizer_copies: int
    longest: int

    @property
    def total(self) -> int:
        return self.fixed + self.batch


@dataclass(frozen=True)
class Machine:
    """What the choices depend on. memory: bytes that are free on the device."""

    kind: str  # cpu | cuda | mps
    memory: int
    bfloat16: bool
    flash: bool  # the package flash_attn is installed


@dataclass(frozen=True)
class Choices:
    """What is chosen for a run, and why, when there is something to say."""

    dtype: str
    attention: str
    compute_twice: bool
    why: str = ""


def propose(spec: TrainSpec, shape: Shape | None, need: Need, available: int) -> Proposal | None:
    """The settings nearest to ``spec`` with which the run fits into ``available`` bytes; None when none does.

    Tried in this order, each with the largest batch that fits: the same rows in each update from smaller batches, which
    learns the same; activations computed twice; shorter rows; an add-on instead of the whole model.
    """
    room = int(HEADROOM * available)
    for method, length, twice in _ways(spec, shape):
        fixed = need.fixed - (_spared_by_adapter(need) if method is not spec.method else 0)
        shortened = min(length, need.longest) / min(spec.max_length, need.longest)
        whole = need.batch * shortened * (KEPT_BY_CHECKPOINTING if twice else 1)
        for batch in _batches(spec):
            memory = int(fixed + whole * batch / spec.batch_size)
            if memory <= room:
                return _proposal(spec, shape, batch, method, length, twice, memory)
    return None


def _ways(spec: TrainSpec, shape: Shape | None) -> Iterator[tuple[Method, int, bool]]:
    can_adapt = spec.method is Method.FULL and Method.LORA in methods_for(spec.architecture, shape)
    can_shorten = applies("max_length", spec, shape)
    can_twice = applies("gradient_checkpointing", spec, shape) and spec.gradient_checkpointing == "auto"
    lengths = [spec.max_length]  # halved; where no row is that long, it costs nothing and changes nothing
    while can_shorten and lengths[-1] // 2 >= SHORTEST:
        lengths.append(lengths[-1] // 2)
    for method in (spec.method, Method.LORA) if can_adapt else (spec.method,):
        for length in lengths:
            for twice in (False, True) if can_twice else (False,):
                yield method, length, twice


def _batches(spec: TrainSpec) -> list[int]:
    """Largest first: batches of which a whole number, that the form allows, has as many rows as an update has now."""
    fitting = (n for n in range(spec.batch_size, 0, -1) if spec.batch_size % n == 0)
    return [n for n in fitting if spec.gradient_accumulation * spec.batch_size // n <= MOST_BATCHES]


def _spared_by_adapter(need: Need) -> int:
    """Gradients and the optimizer's state of the weights that an add-on leaves alone."""
    return int(need.trainable * (1 - ADAPTER_SHARE) * (1 + need.optimizer_copies) * BYTES_PER_WEIGHT)


def _proposal(
    spec: TrainSpec, shape: Shape | None, batch: int, method: Method, length: int, twice: bool, memory: int
) -> Proposal:
    changes: list[tuple[str, JsonValue]] = []
    reasons: list[str] = []
    if method is not spec.method:
        rate = preset_spec(Preset.BALANCED, method, spec.architecture, shape).learning_rate
        changes += [("method", method.value), ("learning_rate", rate)]
        reasons.append(_("a small add-on is trained instead of the whole model"))
    if length != spec.max_length:
        changes.append(("max_length", length))
        reasons.append(_("rows are cut at {n} tokens").format(n=length))
    if twice:
        changes.append(("gradient_checkpointing", "on"))
        reasons.append(
            _("what the model saw is computed twice instead of kept, which is about a third slower")
        )
    if batch != spec.batch_size:
        updates = spec.gradient_accumulation * spec.batch_size // batch
        changes += [("batch_size", batch), ("gradient_accumulation", updates)]
        rows = ngettext("{n} row at once", "{n} rows at once", batch).format(n=batch)
        reasons.append(
            _("{rows} and {n} batches per update, which learns the same").format(rows=rows, n=updates)
        )
    text = _("With this it needs about {memory} and fits: {reasons}.")
    why = clauses(reasons) or _("nothing has to change")
    return Proposal(
        changes=changes, sentence=text.format(memory=size_words(memory), reasons=why), memory_bytes=memory
    )


def machine(device: torch.device) -> Machine:
    """This machine, as the choices see it."""
    cuda = device.type == "cuda"
    return Machine(
        device.type, devices.memory_available(device),
        bfloat16=cuda and torch.cuda.is_bf16_supported(including_emulation=False),
        flash=cuda and importlib.util.find_spec("flash_attn") is not None,
    )  # fmt: skip


def choose(
    spec: TrainSpec,
    on: Machine,
    *,
    layers: int,
    width: int,
    weights: int,
    trainable: int,
    copies: int,
    tokens: int,
) -> Choices:
    """Number format, attention and whether to compute twice. weights, trainable: numbers; tokens: of a full batch."""
    half = on.kind == "cuda" and on.bfloat16 and spec.dtype in ("auto", "bfloat16")
    dtype = "bfloat16" if half else ("float32" if spec.dtype == "auto" else spec.dtype)
    attention = "flash_attention_2" if half and on.flash else "sdpa"
    if spec.gradient_checkpointing != "auto":
        return Choices(dtype, attention, spec.gradient_checkpointing == "on")
    per_number = 2 if dtype == "bfloat16" else 4
    frozen = per_number if spec.method in ADDS_ON else BYTES_PER_WEIGHT
    fixed = weights * frozen + trainable * BYTES_PER_WEIGHT * (1 + copies)
    batch = BYTES_PER_ACTIVATION * (per_number // 2) * layers * width * tokens
    if fixed + batch <= HEADROOM * on.memory:
        return Choices(dtype, attention, False)
    why = _(
        "What the model saw on the way is computed twice, because keeping it would need about {needed} of memory."
    )
    return Choices(dtype, attention, True, why.format(needed=size_words(fixed + batch)))


def settle(
    model: nn.Module, spec: TrainSpec, device: torch.device, longest: int, trainable: int, copies: int
) -> Choices | None:
    """Choose for a pretrained or new Transformer and tell it so; None for other models. longest: tokens of a row."""
    transformer = _transformer(model)
    if transformer is None or not applies("gradient_checkpointing", spec):
        return None
    config = transformer.config
    chosen = choose(
        spec, machine(device), layers=config.num_hidden_layers, width=config.hidden_size,
        weights=sum(p.numel() for p in model.parameters()), trainable=trainable, copies=copies,
        tokens=longest * spec.batch_size,
    )  # fmt: skip
    if device.type == "cuda" and chosen.attention != getattr(config, "_attn_implementation", ""):
        transformer.set_attn_implementation(chosen.attention)
    if chosen.compute_twice and transformer.supports_gradient_checkpointing:
        transformer.activation_checkpointing_enable({"use_reentrant": False})
    return chosen


def _transformer(model: nn.Module) -> Any:
    """The transformers model in it: itself, its encoder, or what an adapter wraps."""
    inner: Any = getattr(model, "encoder", model)
    inner = inner.get_base_model() if hasattr(inner, "get_base_model") else inner
    config = getattr(inner, "config", None)
    known = hasattr(config, "num_hidden_layers") and hasattr(config, "hidden_size")
    return inner if known and hasattr(inner, "activation_checkpointing_enable") else None
