"""The optimizer and the learning rate as a pure function of the step, so that nothing of it needs saving."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from studio.domain.specs import TrainSpec


def learning_rate(spec: TrainSpec, step: int, total_steps: int) -> float:
    """The rate for update ``step`` (from 1) of ``total_steps``: linear warm-up, then the spec's schedule.

    cosine: lr/2·(1 + cos(pi·p)) with p the share of the remaining run (Loshchilov & Hutter 2017); linear: lr·(1 − p).
    """
    warmup = math.ceil(spec.warmup_ratio * total_steps)
    if step <= warmup:
        return spec.learning_rate * step / warmup
    share = (step - warmup - 1) / max(1, total_steps - warmup)
    if spec.schedule == "linear":
        return spec.learning_rate * (1 - share)
    if spec.schedule == "cosine":
        return spec.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
    return spec.learning_rate


def make_optimizer(named: Iterable[tuple[str, nn.Parameter]], spec: TrainSpec) -> torch.optim.AdamW:
    """AdamW over the trainable parameters; norms and biases (one dimension) are not decayed."""
    trainable = [p for _name, p in named if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": spec.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [g for g in groups if g["params"]], lr=spec.learning_rate, betas=(0.9, 0.999), foreach=True
    )
