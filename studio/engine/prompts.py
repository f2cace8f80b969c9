"""A conversation made to fit into what the model can read, and the tokens at which its answers end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.engine.templates import encode_chat
from studio.errors import StudioError
from studio.i18n import _

# Ends of a turn in well-known chat formats, for models whose configuration names only the end of the text.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>")
_UNKNOWN_LENGTH = 2048


@dataclass(frozen=True)
class Prompt:
    """Token ids to continue, and how many tokens may follow them. dropped_turns: oldest messages left out."""

    ids: list[int]
    max_new_tokens: int
    dropped_turns: int
    tokenizer: Any


def context_length(model: Any, tokenizer: Any) -> int:
    """Most tokens, prompt and answer together, that the model was made to read."""
    config = model.config.get_text_config()
    lengths = [getattr(config, "max_position_embeddings", None), getattr(tokenizer, "model_max_length", None)]
    # Tokenizers without a limit of their own say 10**30.
    return min((n for n in lengths if isinstance(n, int) and 0 < n < 10**9), default=_UNKNOWN_LENGTH)


def build_prompt(
    model: Any, tokenizer: Any, messages: Sequence[dict[str, str]], max_new_tokens: int
) -> Prompt:
    """The conversation as token ids; the oldest turns go first when it is too long, the system message stays.

    Half of the length at most is kept free for the answer. Raises StudioError ``chat.too_long`` when the
    last message alone does not fit, ``chat.empty`` without messages, ``model.template`` as
    templates.render_chat.
    """
    if not messages:
        raise StudioError("chat.empty", _("There is no question to answer."))
    limit = context_length(model, tokenizer)
    room = limit - min(max_new_tokens, limit // 2)
    system = [m for m in messages[:1] if m["role"] == "system"]
    turns = list(messages[len(system) :])
    dropped = 0
    ids = encode_chat(tokenizer, [*system, *turns])
    while len(ids) > room and len(turns) > 1:
        gone = _oldest_exchange(turns)
        turns, dropped = turns[gone:], dropped + gone
        ids = encode_chat(tokenizer, [*system, *turns])
    if len(ids) > room:
        raise StudioError(
            "chat.too_long",
            _("Your message has {tokens} tokens; this model can read {limit}.").format(
                tokens=len(ids), limit=room
            ),
            _("Shorten the message or the system message."),
        )
    return Prompt(ids, min(max_new_tokens, limit - len(ids)), dropped, tokenizer)


def _oldest_exchange(turns: Sequence[dict[str, str]]) -> int:
    """Messages up to the next question: templates expect a conversation to begin with one."""
    later_questions = [i for i, turn in enumerate(turns) if i and turn["role"] == "user"]
    return later_questions[0] if later_questions else 1


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Ids of all tokens that end an answer, from the configurations, the tokenizer and known chat formats."""
    found: set[int] = set()
    for holder in (model.generation_config, model.config, tokenizer):
        ids = getattr(holder, "eos_token_id", None)
        found.update(ids if isinstance(ids, (list, tuple)) else [] if ids is None else [ids])
    special = set(tokenizer.all_special_tokens) | set(tokenizer.get_added_vocab())
    found.update(tokenizer.convert_tokens_to_ids(name) for name in TURN_ENDS if name in special)
    return frozenset(found)
