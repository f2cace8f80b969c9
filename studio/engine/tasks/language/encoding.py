"""Causal language modelling: rows to token examples in which only the wanted part is trained.

Conversations are rendered by the model's own chat template and only what the assistant says is trained; plain text is
trained throughout, cut into pieces of the longest length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import StudioError
from studio.i18n import _

RENDER_CHUNK = 512  # rows tokenised together: enough to keep the Rust tokenizer's threads busy

# For base models that come without a template; stored with the tuned model, so that answering uses the same one.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'Question: ' + message['content'] + '\\n' }}"
    "{% else %}{{ 'Answer: ' + message['content'] + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Answer:' }}{% endif %}"
)


@dataclass(frozen=True)
class Example:
    """One training sequence: token ids and, for each, whether it is a target. ``row`` is the source row."""

    row: int
    ids: NDArray[np.int32]  # (T,)
    trained: NDArray[np.bool_]  # (T,); trained[0] is never a target
    cut: bool = False

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def targets(self) -> int:
        """Number of trained tokens."""
        return int(self.trained.sum())


def ensure_template(tokenizer: Any) -> bool:
    """Give a tokenizer without a chat template the plain one; True when it had to."""
    if tokenizer.chat_template:
        return False
    tokenizer.chat_template = PLAIN_TEMPLATE
    return True


def encode_rows(
    tokenizer: Any,
    rows: Iterable[dict[str, Any]],
    max_length: int,
    on_progress: Callable[[int], None] | None = None,
) -> list[Example]:
    """All rows as examples; rows in which nothing is left to train are dropped.

    rows: ``{"row": int, "messages": [{"role", "content"}]}`` or ``{"row": int, "text": str}``.
    Raises StudioError ``run.no_rows`` when no example is left.
    """
    examples: list[Example] = []
    done = 0
    for chunk in _chunks(rows, RENDER_CHUNK):
        examples.extend(_encode_chunk(tokenizer, chunk, max_length))
        done += len(chunk)
        if on_progress:
            on_progress(done)
    if not examples:
        raise StudioError(
            "run.no_rows",
            _("No row has anything to learn from."),
            _(
                "Check on the Data page that the answers are not empty, and that the longest row is not too short."
            ),
        )
    return examples


def _chunks(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _encode_chunk(tokenizer: Any, chunk: list[dict[str, Any]], max_length: int) -> Iterator[Example]:
    texts, spans = [], []
    for row in chunk:
        text, wanted = render(tokenizer, row["messages"]) if "messages" in row else (row["text"], None)
        texts.append(text)
        spans.append(wanted)
    encoded = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    for row, ids, offsets, wanted in zip(
        chunk, encoded["input_ids"], encoded["offset_mapping"], spans, strict=True
    ):
        tokens = np.asarray(ids, dtype=np.int32)
        if wanted is None:
            yield from _text_pieces(row["row"], tokens, tokenizer.eos_token_id, max_length)
        else:
            yield from _conversation(row["row"], tokens, _in_spans(offsets, wanted), max_length)


def render(tokenizer: Any, messages: list[dict[str, str]]) -> tuple[str, list[tuple[int, int]]]:
    """The conversation as the model sees it, and the character spans that the assistant has to produce.

    A span starts where the generation prompt ends and closes with the end-of-turn token. A template that renders
    earlier turns differently once they are past (it drops reasoning, say) trains the last answer only.
    """
    whole = _apply(tokenizer, messages)
    spans: list[tuple[int, int]] = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _apply(tokenizer, messages[:index], add_generation_prompt=True)
        after = _apply(tokenizer, messages[: index + 1])
        if whole.startswith(before) and whole.startswith(after) and len(after) > len(before):
            spans.append((len(before), _end_of_turn(tokenizer, whole, len(before), len(after))))
    if not spans and messages and messages[-1]["role"] == "assistant":
        start = whole.rfind(messages[-1]["content"])
        if start >= 0:
            spans.append((start, _end_of_turn(tokenizer, whole, start, len(whole))))
    return whole, spans


def _apply(tokenizer: Any, messages: list[dict[str, str]], **options: Any) -> str:
    return str(tokenizer.apply_chat_template(messages, tokenize=False, **options)) if messages else ""


def _end_of_turn(tokenizer: Any, text: str, start: int, end: int) -> int:
    """Where the last end-of-sequence token in text[start:end] closes; ``end`` when there is none."""
    eos = tokenizer.eos_token or ""
    at = text.rfind(eos, start, end) if eos else -1
    return at + len(eos) if at >= 0 else end


def _in_spans(offsets: list[tuple[int, int]], spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    starts = np.asarray([start for start, _end in offsets], dtype=np.int64)
    ends = np.asarray([end for _start, end in offsets], dtype=np.int64)
    inside = np.zeros(len(offsets), dtype=np.bool_)
    for low, high in spans:
        inside |= (ends > low) & (starts < high) & (ends > starts)
    return inside


def _conversation(
    row: int, ids: NDArray[np.int32], trained: NDArray[np.bool_], max_length: int
) -> Iterator[Example]:
    cut = len(ids) > max_length
    ids, trained = ids[:max_length], trained[:max_length].copy()
    if len(trained):
        trained[0] = False  # nothing stands before the first token to predict it from
    if trained.any():
        yield Example(row, ids, trained, cut)


def _text_pieces(row: int, ids: NDArray[np.int32], eos: int | None, max_length: int) -> Iterator[Example]:
    if eos is not None:
        ids = np.append(ids, np.int32(eos))
    for start in range(0, max(len(ids) - 1, 0), max_length - 1):
        piece = ids[start : start + max_length]  # pieces overlap by one token, so that each is a target once
        trained = np.ones(len(piece), dtype=np.bool_)
        trained[0] = False
        if len(piece) > 1:
            yield Example(row, piece, trained)
