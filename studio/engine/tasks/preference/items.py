"""Judged answers as tokens: one question with two answers behind it, so that the question is read once for both.

A pair (DPO) has its better answer first. An answer with a thumb (KTO) stands first, and behind it the answer to
another question: how much likelier that one becomes tells how far the model has moved at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.engine.tasks.language.encoding import render

SHARED, FIRST, SECOND, PADDING = 0, 1, 2, 3  # what a position belongs to
ENCODE_CHUNK = 512


@dataclass(frozen=True)
class JudgedItem:
    """ids: (T,), the shared tokens, then the first answer, then the second; trained: which of them are judged.

    shared, first: how many tokens the question and the first answer have. wanted: 1 for a thumb up, -1 for down, and 1
    for a pair.
    """

    row: int
    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]
    shared: int
    first: int
    wanted: int = 1
    cut: bool = False
    targets: int = 1

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def owner(self) -> NDArray[np.int64]:
        """(T,): SHARED, FIRST or SECOND."""
        sizes = (self.shared, self.first, self.length - self.shared - self.first)
        return np.repeat(np.asarray([SHARED, FIRST, SECOND]), sizes)


@dataclass(frozen=True)
class JudgedBatch:
    """Token ids and, flattened over the batch, where a judged token is predicted, which it is, and of which answer.

    Answers are numbered 2·row for the first and 2·row + 1 for the second. mask, places: None where each answer has a
    row of its own. reference: nats of each answer by the untrained model, None before it was asked.
    """

    ids: Tensor  # (B, T), or (2B, T)
    mask: Tensor | None  # (B, 1, T, T) bool, True where a position may look
    places: Tensor | None  # (B, T)
    rows: Tensor  # (P,) row in ids of each predicting position
    positions: Tensor  # (P,) its column
    targets: Tensor  # (P,) token id to predict
    answers: Tensor  # (P,) number of the answer
    counts: Tensor  # (2B,) judged tokens of each answer
    wanted: Tensor  # (B,) 1 or -1
    reference: Tensor | None  # (2B,) float64
    work: int
    source_rows: tuple[int, ...]

    @property
    def weight(self) -> int:
        return len(self.wanted)

    def to(self, device: torch.device) -> JudgedBatch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class _Sequence:
    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]
    cut: bool


def pairs(tokenizer: Any, rows: Iterable[dict[str, Any]], max_length: int) -> list[JudgedItem]:
    """Rows of a better and a worse answer; those in which nothing is left to judge are dropped.

    rows: {"row", "messages" (up to the question), "chosen", "rejected"}.
    """
    told = list(rows)
    better = _sequences(tokenizer, [(row["messages"], row["chosen"]) for row in told], max_length)
    worse = _sequences(tokenizer, [(row["messages"], row["rejected"]) for row in told], max_length)
    return _items(told, better, worse, [1] * len(told))


def thumbs(tokenizer: Any, rows: Iterable[dict[str, Any]], max_length: int) -> list[JudgedItem]:
    """Rows of an answer with a thumb, each with the answer of the row after it as the mismatched one.

    rows: {"row", "messages" (the last one is the judged answer), "thumb"}.
    """
    told = list(rows)
    answers = [row["messages"][-1]["content"] for row in told]
    before = [row["messages"][:-1] for row in told]
    others = answers[1:] + answers[:1]
    own = _sequences(tokenizer, list(zip(before, answers, strict=True)), max_length)
    mismatched = _sequences(tokenizer, list(zip(before, others, strict=True)), max_length)
    return _items(told, own, mismatched, [1 if row["thumb"] == "up" else -1 for row in told])


def _items(
    rows: list[dict[str, Any]], first: list[_Sequence], second: list[_Sequence], wanted: list[int]
) -> list[JudgedItem]:
    found = []
    for row, one, other, sign in zip(rows, first, second, wanted, strict=True):
        if one.trained.any() and other.trained.any():
            found.append(_joined(row["row"], one, other, sign))
    return found


def _joined(row: int, one: _Sequence, other: _Sequence, wanted: int) -> JudgedItem:
    """Both sequences behind their common start, which ends before the first judged token of either."""
    most = int(min(one.trained.argmax(), other.trained.argmax()))
    shared = len(
        list(takewhile(lambda same: same, (one.ids[:most] == other.ids[:most]).tolist()))
    )  # tokens may differ at the seam of question and answer
    return JudgedItem(
        row, np.concatenate([one.ids, other.ids[shared:]]),
        np.concatenate([one.trained, other.trained[shared:]]), shared, len(one.ids) - shared, wanted,
        one.cut or other.cut,
    )  # fmt: skip


def _sequences(
    tokenizer: Any, asked: Sequence[tuple[list[dict[str, str]], str]], max_length: int
) -> list[_Sequence]:
    """Questions with an answer, rendered as in chat; of the assistant's turns only the last one is judged."""
    found: list[_Sequence] = []
    for start in range(0, len(asked), ENCODE_CHUNK):
        chunk = asked[start : start + ENCODE_CHUNK]
        told = [
            render(tokenizer, [*before, {"role": "assistant", "content": answer}]) for before, answer in chunk
        ]
        encoded = tokenizer(
            [text for text, _spans in told], add_special_tokens=False, return_offsets_mapping=True
        )
        for ids, offsets, (_text, spans) in zip(
            encoded["input_ids"], encoded["offset_mapping"], told, strict=True
        ):
            found.append(_sequence(ids, offsets, spans, max_length))
    return found


def _sequence(
    ids: list[int], offsets: list[tuple[int, int]], spans: list[tuple[int, int]], max_length: int
) -> _Sequence:
    low, high = spans[-1] if spans else (0, 0)
    places = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)
    judged = (places[:, 1] > low) & (places[:, 0] < high) & (places[:, 1] > places[:, 0])
    tokens, judged = np.asarray(ids, dtype=np.int32)[:max_length], judged[:max_length].copy()
    if len(judged):
        judged[0] = False  # nothing stands before the first token to predict it from
    return _Sequence(tokens, judged, len(ids) > max_length)


def collate(
    items: Sequence[JudgedItem], pad_id: int, *, together: bool, reference: Tensor | None = None
) -> JudgedBatch:
    """Items as one batch, padded on the right.

    together: a question stands once before both answers, which do not see each other (Wang & Hegde 2024,
    arXiv:2410.20305); else each answer has a row of its own.
    """
    laid = [line for item in items for line in (_one_line(item) if together else _two_lines(item))]
    longest = max(len(line.ids) for line in laid)
    ids = np.full((len(laid), longest), pad_id, dtype=np.int64)
    owner = np.full((len(laid), longest), PADDING, dtype=np.int64)
    places = np.zeros((len(laid), longest), dtype=np.int64)
    for index, line in enumerate(laid):
        size = len(line.ids)
        ids[index, :size], owner[index, :size], places[index, :size] = line.ids, line.owner, line.places
    answers = np.concatenate([2 * (i if together else i // 2) + line.side for i, line in enumerate(laid)])
    kept = torch.from_numpy(answers)
    return JudgedBatch(
        ids=torch.from_numpy(ids),
        mask=_mask(torch.from_numpy(owner)) if together else None,
        places=torch.from_numpy(places) if together else None,
        rows=torch.from_numpy(np.repeat(np.arange(len(laid)), [len(line.at) for line in laid])),
        positions=torch.from_numpy(np.concatenate([line.at for line in laid])),
        targets=torch.from_numpy(np.concatenate([line.wanted for line in laid])),
        answers=kept, counts=torch.bincount(kept, minlength=2 * len(items)),
        wanted=torch.tensor([item.wanted for item in items]), reference=reference,
        work=sum(item.length for item in items), source_rows=tuple(item.row for item in items),
    )  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """One row of a batch: where a judged token is predicted (at), which it is (wanted), and of which answer (side)."""

    ids: NDArray[np.int32]
    owner: NDArray[np.int64]
    places: NDArray[np.int64]
    at: NDArray[np.int64]
    wanted: NDArray[np.int64]
    side: NDArray[np.int64]


def _one_line(item: JudgedItem) -> list[_Line]:
    owner = item.owner
    places = np.arange(item.length)
    places[owner == SECOND] -= item.first
    judged = np.flatnonzero(item.trained)
    at = judged - 1
    at[judged == item.shared + item.first] = item.shared - 1  # the second answer follows the question
    side = (owner[judged] == SECOND).astype(np.int64)
    return [_Line(item.ids, owner, places, at, item.ids[judged].astype(np.int64), side)]


def _two_lines(item: JudgedItem) -> list[_Line]:
    owner, lines = item.owner, []
    for side, own in enumerate((FIRST, SECOND)):
        mine = (owner == SHARED) | (owner == own)
        ids, judged = item.ids[mine], np.flatnonzero(item.trained[mine])
        sides = np.full(len(judged), side, dtype=np.int64)
        lines.append(
            _Line(ids, owner[mine], np.arange(len(ids)), judged - 1, ids[judged].astype(np.int64), sides)
        )
    return lines


def _mask(owner: Tensor) -> Tensor:
    """(B, T) -> (B, 1, T, T): a position looks back at the question and at what belongs to it itself."""
    length = owner.shape[1]
    back = torch.ones(length, length, dtype=torch.bool).tril()
    own = owner[:, :, None] == owner[:, None, :]
    return (back & (own | (owner[:, None, :] == SHARED))).unsqueeze(1)
