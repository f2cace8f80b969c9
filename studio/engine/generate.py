"""Answers, token by token: the one loop behind the playground, the probes of a run and the local server.

Our own loop, not ``model.generate``: it can stop between any two tokens, gives each token's probability, and
measures the first token. Only the loop is ours: caches and logits processors are transformers'.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from transformers import DynamicCache
from transformers.generation.logits_process import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from studio.domain.sampling import Sampling
from studio.engine.pieces import PieceDecoder
from studio.engine.prompts import Prompt, build_prompt, end_tokens

PREFILL_CHUNK = 512  # prompt tokens between two looks at ``stop``
ALTERNATIVES = 5
StopReason = Literal["end", "length", "stopped"]


@dataclass(frozen=True)
class Piece:
    """What one token adds to the answer.

    text: empty while a character of several tokens is incomplete. probability: how likely the model itself
    held this token (softmax of its raw logits, before temperature and cuts), None unless details were asked
    for.
    """

    text: str
    token_id: int
    probability: float | None = None
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Answer:
    """A whole answer. text is the concatenation of its pieces; tokens counts the generated ones without the
    end token.

    tokens_per_s: of the tokens after the first, over the time after the first; 0 for fewer than two.
    dropped_turns: oldest messages that were left out because the conversation was too long.
    """

    text: str
    tokens: int
    first_token_s: float
    tokens_per_s: float
    seed: int
    stop_reason: StopReason
    dropped_turns: int = 0


def never() -> bool:
    """The ``stop`` of an answer that nobody stops."""
    return False


def generate(
    model: Any,
    tokenizer: Any,
    messages: Sequence[dict[str, str]],
    sampling: Sampling,
    *,
    stop: Callable[[], bool] = never,
    details: bool = False,
) -> Iterator[Piece | Answer]:
    """Yield the pieces of an answer and last an Answer.

    messages: ``{"role", "content"}`` in order. ``stop`` is asked before each token. details: fill in
    probabilities. Raises StudioError ``model.template`` or ``chat.too_long`` before the first piece.
    """
    started = time.perf_counter()
    prompt = build_prompt(model, tokenizer, messages, sampling.max_new_tokens)
    seed = sampling.seed if sampling.seed is not None else secrets.randbelow(2**31)
    was_training = model.training
    model.eval()
    try:
        tokens = _tokens(model, prompt, sampling, seed, stop)
        yield from _pieces(tokens, tokenizer, prompt, started, seed, details)
    finally:
        model.train(was_training)


def answer(
    model: Any,
    tokenizer: Any,
    messages: Sequence[dict[str, str]],
    sampling: Sampling,
    *,
    stop: Callable[[], bool] = never,
) -> Answer:
    """The whole answer at once; raises as ``generate``."""
    *_, last = generate(model, tokenizer, messages, sampling, stop=stop)
    assert isinstance(last, Answer)  # generate always ends with one
    return last


@dataclass(frozen=True)
class _Drawn:
    """One drawn token; ``raw`` are the model's logits that it was drawn from, (V,) in float32."""

    token_id: int
    raw: torch.Tensor


def _tokens(
    model: Any, prompt: Prompt, sampling: Sampling, seed: int, stop: Callable[[], bool]
) -> Iterator[_Drawn | StopReason]:
    """Yield drawn tokens and last the reason for ending."""
    device = model.device
    ids = torch.tensor([prompt.ids], device=device)  # (1, T)
    ends = end_tokens(model, prompt.tokenizer)
    processors = _processors(sampling, len(prompt.ids))
    generator = torch.Generator(device="cpu").manual_seed(seed)
    cache = DynamicCache(config=model.config.get_text_config())
    logits = _prefill(model, ids, cache, stop)
    for _count in range(prompt.max_new_tokens):
        if logits is None or stop():
            yield "stopped"
            return
        token_id = _draw(processors, ids, logits, sampling.temperature, generator)
        if token_id in ends:
            yield "end"
            return
        yield _Drawn(token_id, logits[0])
        step = torch.tensor([[token_id]], device=device)
        ids = torch.cat([ids, step], dim=1)
        if ids.shape[1] < len(prompt.ids) + prompt.max_new_tokens:
            logits = _forward(model, step, cache)
    yield "length"


def _prefill(
    model: Any, ids: torch.Tensor, cache: DynamicCache, stop: Callable[[], bool]
) -> torch.Tensor | None:
    """Read the prompt in chunks; logits (1, V) after it, or None when stopped."""
    logits = None
    for start in range(0, ids.shape[1], PREFILL_CHUNK):
        if stop():
            return None
        logits = _forward(model, ids[:, start : start + PREFILL_CHUNK], cache)
    return logits


@torch.inference_mode()
def _forward(model: Any, ids: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
    """Logits (1, V) in float32 on the CPU after ``ids`` (1, T); the cache grows by T."""
    output = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return output.logits[:, -1].float().cpu()  # type: ignore[no-any-return]


def _processors(sampling: Sampling, prompt_length: int) -> LogitsProcessorList:
    """transformers' own processors. The penalty spares the prompt: facts may be repeated, and the end token
    of earlier turns must not make this answer endless."""
    chain = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        chain.append(
            RepetitionPenaltyLogitsProcessor(
                float(sampling.repetition_penalty), prompt_ignore_length=prompt_length
            )
        )
    if sampling.temperature > 0:
        if sampling.temperature != 1:
            chain.append(TemperatureLogitsWarper(float(sampling.temperature)))
        if sampling.top_k:
            chain.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            chain.append(TopPLogitsWarper(float(sampling.top_p)))
    return chain


@torch.inference_mode()
def _draw(
    processors: LogitsProcessorList,
    ids: torch.Tensor,
    logits: torch.Tensor,
    temperature: float,
    generator: torch.Generator,
) -> int:
    """One token id from logits (1, V); the likeliest at temperature 0."""
    scores = processors(ids.cpu(), logits.clone())
    if temperature == 0:
        return int(scores.argmax(dim=-1))
    shares = torch.softmax(scores, dim=-1)
    return int(torch.multinomial(shares, 1, generator=generator))


def _pieces(
    tokens: Iterator[_Drawn | StopReason],
    tokenizer: Any,
    prompt: Prompt,
    started: float,
    seed: int,
    details: bool,
) -> Iterator[Piece | Answer]:
    decoder = PieceDecoder(tokenizer)
    first_at: float | None = None
    reason: StopReason = "length"
    for item in tokens:
        if isinstance(item, str):
            reason = item
            break
        now = time.perf_counter()
        first_at = first_at if first_at is not None else now
        probability, alternatives = _likelihoods(tokenizer, item) if details else (None, ())
        yield Piece(decoder.add(item.token_id), item.token_id, probability, alternatives)
    ended = time.perf_counter()
    rest = decoder.finish()
    if rest:
        yield Piece(rest, decoder.ids[-1])
    count = len(decoder.ids)
    since_first = ended - (first_at if first_at is not None else ended)
    yield Answer(
        text=decoder.text,
        tokens=count,
        first_token_s=(first_at if first_at is not None else ended) - started,
        tokens_per_s=(count - 1) / since_first if count > 1 and since_first > 0 else 0.0,
        seed=seed,
        stop_reason=reason,
        dropped_turns=prompt.dropped_turns,
    )


def _likelihoods(tokenizer: Any, drawn: _Drawn) -> tuple[float, tuple[tuple[str, float], ...]]:
    """The probability of the drawn token and the likeliest tokens with theirs."""
    shares = torch.softmax(drawn.raw, dim=-1)
    top = torch.topk(shares, min(ALTERNATIVES, shares.numel()))
    texts = [tokenizer.decode([i], clean_up_tokenization_spaces=False) for i in top.indices.tolist()]
    return float(shares[drawn.token_id]), tuple(zip(texts, top.values.tolist(), strict=True))
