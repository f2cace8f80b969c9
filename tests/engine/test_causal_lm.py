"""Only what the assistant has to say is trained, in every template, and plain text is trained throughout."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.loading import load_tokenizer
from studio.engine.tasks.language.encoding import PLAIN_TEMPLATE, encode_rows, ensure_template, render
from studio.errors import StudioError

TALK = [
    {"role": "user", "content": "Where is my lamp?"},
    {"role": "assistant", "content": "On its way."},
    {"role": "user", "content": "谢谢！"},
    {"role": "assistant", "content": "不客气 😀"},
]


@pytest.fixture(scope="module")
def tokenizer(tiny_model_dir: Path):  # type: ignore[no-untyped-def]
    return load_tokenizer(tiny_model_dir)


def trained_text(tokenizer, example) -> str:  # type: ignore[no-untyped-def]
    return tokenizer.decode(example.ids[example.trained].tolist(), skip_special_tokens=False)


def test_only_answers_and_their_end_are_trained(tokenizer) -> None:  # type: ignore[no-untyped-def]
    (example,) = encode_rows(tokenizer, [{"row": 5, "messages": TALK}], 512)
    assert trained_text(tokenizer, example) == "On its way.<|im_end|>不客气 😀<|im_end|>"
    whole = tokenizer.decode(example.ids.tolist(), skip_special_tokens=False)
    assert whole == tokenizer.apply_chat_template(TALK, tokenize=False)
    assert example.row == 5


def test_a_system_message_is_seen_but_not_trained(tokenizer) -> None:  # type: ignore[no-untyped-def]
    messages = [{"role": "system", "content": "Be brief."}, *TALK[:2]]
    (example,) = encode_rows(tokenizer, [{"row": 1, "messages": messages}], 512)
    assert "Be brief." not in trained_text(tokenizer, example)


def test_a_tokenizer_without_template_gets_the_plain_one(tiny_model_dir: Path) -> None:
    bare = load_tokenizer(tiny_model_dir)
    bare.chat_template = None
    assert ensure_template(bare) is True
    assert bare.chat_template == PLAIN_TEMPLATE
    (example,) = encode_rows(bare, [{"row": 1, "messages": TALK[:2]}], 512)
    assert trained_text(bare, example) == " On its way.<|im_end|>"


def test_a_template_that_forgets_earlier_answers_trains_the_last(tiny_model_dir: Path) -> None:
    forgetful = load_tokenizer(tiny_model_dir)
    forgetful.chat_template = (
        "{% for m in messages %}{% if loop.last or m['role'] == 'user' %}[{{ m['role'] }}] {{ m['content'] }}"
        "{{ '<|im_end|>' if m['role'] == 'assistant' else '' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    text, spans = render(forgetful, TALK)
    assert [text[a:b] for a, b in spans] == ["不客气 😀<|im_end|>"]


def test_long_rows_are_cut_and_say_so(tokenizer) -> None:  # type: ignore[no-untyped-def]
    long = [TALK[0], {"role": "assistant", "content": "word " * 300}]
    (example,) = encode_rows(tokenizer, [{"row": 1, "messages": long}], 64)
    assert example.cut
    assert example.length == 64


def test_rows_with_nothing_left_to_train_are_refused(tokenizer) -> None:  # type: ignore[no-untyped-def]
    question_only = [{"role": "user", "content": "word " * 300}, TALK[1]]
    with pytest.raises(StudioError) as caught:
        encode_rows(tokenizer, [{"row": 1, "messages": question_only}], 16)
    assert caught.value.code == "run.no_rows"


@settings(deadline=None)
@given(text=st.text(min_size=3, max_size=400), longest=st.integers(16, 64))
def test_text_pieces_train_every_token_exactly_once(text: str, longest: int, tiny_model_dir: Path) -> None:
    tokenizer = load_tokenizer(tiny_model_dir)
    wanted = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    if len(wanted) < 3:
        return
    pieces = encode_rows(tokenizer, [{"row": 1, "text": text}], longest)
    targets = [int(token) for piece in pieces for token in piece.ids[piece.trained]]
    assert targets == wanted[1:]
    assert all(piece.length <= longest for piece in pieces)
