"""Models that give a text outputs: a pretrained encoder with a head, a small Transformer, a two-way LSTM or GRU.

All take (ids (B, T), mask (B, T)) and give (B, outputs).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studio.engine.tasks.text.dropout import ByteDropout
from studio.engine.tasks.text.wide import WideAndDeep, WidePart


@dataclass(frozen=True)
class TextSizes:
    """Sizes of a model from scratch."""

    kind: Literal["transformer", "lstm", "gru"]
    vocabulary: int
    width: int
    layers: int
    heads: int
    longest: int
    dropout: float
    outputs: int
    pairs: bool = False  # with a linear model over words and word pairs beside it

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def mean_over_tokens(states: Tensor, mask: Tensor) -> Tensor:
    """(B, T, H), (B, T) -> (B, H): the mean of what stands at real tokens."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


class EncoderModel(nn.Module):
    """A pretrained encoder, the mean of its last states, dropout, and a linear head."""

    def __init__(self, encoder: nn.Module, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = ByteDropout(dropout)
        self.head = nn.Linear(width, outputs)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        whole = bool(mask.all())  # without padding the attention needs no mask, which is its faster form
        states = self.encoder(
            input_ids=ids, attention_mask=None if whole else mask
        ).last_hidden_state  # (B, T, H)
        outputs: Tensor = self.head(self.dropout(mean_over_tokens(states, mask)))
        return outputs


class Block(nn.Module):
    """A Transformer layer with the norm before (Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.attention_dropout = heads, dropout
        self.dropout = ByteDropout(dropout)
        self.norm, self.inner_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, states: Tensor, allowed: Tensor | None) -> Tensor:
        batch, length, width = states.shape
        parts = self.attention(self.norm(states)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, heads, T, H / heads)
        dropped = self.attention_dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=dropped)
        joined = self.join(seen.transpose(1, 2).reshape(batch, length, width))
        states = states + self.dropout(joined)
        grown = self.outer(F.gelu(self.inner(self.inner_norm(states))))
        outputs: Tensor = states + self.dropout(grown)
        return outputs


class TransformerModel(nn.Module):
    """Embeddings with learned places, pre-norm layers, the mean over tokens, a linear head."""

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.words = nn.Embedding(sizes.vocabulary, sizes.width)
        self.places = nn.Embedding(sizes.longest, sizes.width)
        self.blocks = nn.ModuleList(
            Block(sizes.width, sizes.heads, sizes.dropout) for _layer in range(sizes.layers)
        )
        self.norm, self.head = nn.LayerNorm(sizes.width), nn.Linear(sizes.width, sizes.outputs)
        self.dropout = ByteDropout(sizes.dropout)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        states = self.dropout(self.words(ids) + self.places(places))  # (B, T, H)
        allowed = None if bool(mask.all()) else mask.bool()[:, None, None, :]  # (B, 1, 1, T)
        for block in self.blocks:
            states = block(states, allowed)
        outputs: Tensor = self.head(self.dropout(mean_over_tokens(self.norm(states), mask)))
        return outputs


class RecurrentModel(nn.Module):
    """Embeddings, an LSTM or GRU that reads both ways, mean and maximum over tokens, a linear head."""

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        kind = nn.LSTM if sizes.kind == "lstm" else nn.GRU
        self.words = nn.Embedding(sizes.vocabulary, sizes.width)
        between = sizes.dropout if sizes.layers > 1 else 0.0
        self.reader = kind(
            sizes.width, sizes.width, sizes.layers, batch_first=True, bidirectional=True, dropout=between
        )
        self.dropout = ByteDropout(sizes.dropout)
        self.head = nn.Linear(4 * sizes.width, sizes.outputs)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(1).cpu()
        words = self.dropout(self.words(ids))
        packed = nn.utils.rnn.pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        states, _last = nn.utils.rnn.pad_packed_sequence(
            self.reader(packed)[0], batch_first=True
        )  # (B, T, 2H)
        lowest = torch.finfo(states.dtype).min
        highest = states.masked_fill(~mask.bool().unsqueeze(-1), lowest).amax(1)
        outputs: Tensor = self.head(
            self.dropout(torch.cat([mean_over_tokens(states, mask), highest], dim=-1))
        )
        return outputs


def new_text_model(sizes: TextSizes) -> nn.Module:
    """A model with random weights, by torch's generator."""
    model = TransformerModel(sizes) if sizes.kind == "transformer" else RecurrentModel(sizes)
    return WideAndDeep(model, WidePart(sizes.vocabulary, sizes.outputs)) if sizes.pairs else model
