"""Optimizers and learning rates. The rate is a pure function of the step and of what a checkpoint holds, so that a
resumed run goes on exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studio.domain.specs import TrainSpec
from studio.engine.checkpoint import Position

PLATEAU_PATIENCE: Final = 2  # checks without a gain after which the plateau schedule halves the rate
PLATEAU_FACTOR: Final = 0.5
# Numbers kept beside each trained weight: two moments, one, or (Adafactor) only one for each row and column.
_STATE_COPIES: Final = {"adamw": 2, "adam": 2, "sgd": 1, "adagrad": 1, "rmsprop": 2, "adafactor": 0}
_DECAYS_ITSELF: Final = "decays_itself"


def learning_rate(spec: TrainSpec, step: int, total_steps: int, factor: float = 1.0) -> float:
    """The rate for update ``step`` (from 1) of ``total_steps``: linear warm-up, then the spec's schedule.

    cosine: lr/2·(1 + cos(pi·p)) with p the share of the remaining run (Loshchilov & Hutter 2017); linear: lr·(1 − p);
    plateau: lr times ``factor``, which ``after_check`` halves.
    """
    peak = spec.learning_rate * factor
    warmup = math.ceil(spec.warmup_ratio * total_steps)
    if step <= warmup:
        return peak * step / warmup
    share = (step - warmup - 1) / max(1, total_steps - warmup)
    if spec.schedule == "linear":
        return peak * (1 - share)
    if spec.schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * share))
    return peak


def after_check(spec: TrainSpec, position: Position, gained: bool) -> None:
    """Halve the rate of a plateau schedule when enough checks in a row brought no gain.

    The state is the position's, so that it is part of every checkpoint.
    """
    if spec.schedule != "plateau":
        return
    position.checks_on_plateau = 0 if gained else position.checks_on_plateau + 1
    if position.checks_on_plateau >= PLATEAU_PATIENCE:
        position.rate_factor *= PLATEAU_FACTOR
        position.checks_on_plateau = 0


def decays_itself(parameter: Tensor) -> None:
    """Mark a matrix whose task has its own weight decay in the loss (rows that are looked up, say)."""
    setattr(parameter, _DECAYS_ITSELF, True)


def make_optimizer(named: Iterable[tuple[str, nn.Parameter]], spec: TrainSpec) -> torch.optim.Optimizer:
    """The spec's optimizer over the trainable parameters; norms and biases (one dimension) are not decayed.

    AdamW and Adafactor decay weights apart from the gradient (Loshchilov & Hutter 2019); the others add weight_decay·w
    to it, as torch defines them.
    """
    trainable = [p for _name, p in named if p.requires_grad]
    matrices = [p for p in trainable if p.ndim > 1 and not hasattr(p, _DECAYS_ITSELF)]
    others = [p for p in trainable if p.ndim <= 1 or hasattr(p, _DECAYS_ITSELF)]
    groups = [
        {"params": matrices, "weight_decay": spec.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return _MAKERS[spec.optimizer]([g for g in groups if g["params"]], spec)


def state_copies(spec: TrainSpec) -> int:
    """Numbers that the optimizer keeps for each trained weight, for the fit check."""
    return _STATE_COPIES[spec.optimizer]


@torch.no_grad()
def shrink(optimizer: torch.optim.Optimizer, amount: float) -> None:
    """L1 on matrices after an update: w ← sign(w)·max(|w| − amount, 0) with amount = rate·l1.

    The proximal step (Parikh & Boyd 2014, Proximal Algorithms, 6.5.2) and not the penalty's subgradient: that one only
    makes weights swing about zero, and Adam would scale it away; this one makes them exactly zero and keeps them there.
    """
    if amount <= 0:
        return
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.ndim > 1:
                parameter.copy_(F.softshrink(parameter, amount))


Groups = list[dict[str, Any]]
# fused: one pass over each tensor instead of one for every operation and a fresh tensor each time; an AdamW update of
# 23 million weights took 16 ms instead of 85-122 on two cores. Where torch has no such form on every device, foreach.


def _adamw(groups: Groups, spec: TrainSpec) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=spec.learning_rate, betas=(0.9, 0.999), fused=True)


def _adam(groups: Groups, spec: TrainSpec) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, lr=spec.learning_rate, betas=(0.9, 0.999), fused=True)


def _sgd(groups: Groups, spec: TrainSpec) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=spec.learning_rate, momentum=spec.momentum, fused=True)


def _adagrad(groups: Groups, spec: TrainSpec) -> torch.optim.Optimizer:
    return torch.optim.Adagrad(groups, lr=spec.learning_rate, foreach=True)


def _rmsprop(groups: Groups, spec: TrainSpec) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, lr=spec.learning_rate, momentum=spec.momentum, foreach=True)


def _adafactor(groups: Groups, spec: TrainSpec) -> torch.optim.Optimizer:
    return torch.optim.Adafactor(groups, lr=spec.learning_rate, foreach=True)


_MAKERS: Final[dict[str, Callable[[Groups, TrainSpec], torch.optim.Optimizer]]] = {
    "adamw": _adamw, "adam": _adam, "sgd": _sgd, "adagrad": _adagrad, "rmsprop": _rmsprop, "adafactor": _adafactor,
}  # fmt: skip
