"""A small residual network from scratch, for pictures and for spectrograms: (B, C, height, width) -> (B, outputs)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SMALLEST: Final = 4  # side at which nothing is halved any more
_WIDEST: Final = 8  # times the first stage's channels
_GROUPS: Final = 8


@dataclass(frozen=True)
class CnnSizes:
    """side: the shorter side of what is looked at; channels: of the first stage, doubled at each halving."""

    side: int
    colours: int
    channels: int
    dropout: float
    outputs: int

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def group_norm(channels: int) -> nn.GroupNorm:
    """Has no running statistics, so a checkpoint needs none and one picture is answered as in a batch."""
    return nn.GroupNorm(math.gcd(channels, _GROUPS), channels)


class _Block(nn.Module):
    """Two convolutions with the norm before (He et al. 2016, "Identity mappings"), group norm by Wu & He 2018."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        step = 1 if before == after else 2
        self.first_norm, self.second_norm = group_norm(before), group_norm(after)
        self.first = nn.Conv2d(before, after, 3, step, 1, bias=False)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.pass_by = nn.Identity() if step == 1 else nn.Conv2d(before, after, 1, 2, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        seen = F.relu(self.first_norm(states))
        grown = self.second(F.relu(self.second_norm(self.first(seen))))
        passed = states if isinstance(self.pass_by, nn.Identity) else self.pass_by(seen)
        joined: Tensor = passed + grown
        return joined


class _Halve(_Block):
    """A block that halves the sides without more channels."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)
        self.first = nn.Conv2d(channels, channels, 3, 2, 1, bias=False)
        self.pass_by = nn.Conv2d(channels, channels, 1, 2, bias=False)


class ResidualCnn(nn.Module):
    """A convolution that halves, blocks with ever more channels and smaller sides, the mean, dropout, a linear head."""

    def __init__(self, sizes: CnnSizes) -> None:
        super().__init__()
        self.stem = nn.Conv2d(sizes.colours, sizes.channels, 3, 2, 1, bias=False)
        blocks: list[nn.Module] = [_Block(sizes.channels, sizes.channels)]
        side, width = -(-sizes.side // 2), sizes.channels
        while side > _SMALLEST:
            wider = min(2 * width, _WIDEST * sizes.channels)
            blocks.append(_Block(width, wider) if wider > width else _Halve(width))
            side, width = -(-side // 2), wider
        self.blocks = nn.Sequential(*blocks)
        self.norm, self.dropout = group_norm(width), nn.Dropout(sizes.dropout)
        self.head = nn.Linear(width, sizes.outputs)

    def forward(self, pictures: Tensor) -> Tensor:
        states = self.blocks(self.stem(pictures.contiguous(memory_format=torch.channels_last)))
        outputs: Tensor = self.head(self.dropout(F.relu(self.norm(states)).mean((2, 3))))
        return outputs
