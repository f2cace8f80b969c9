"""Answers: what is drawn, when they end, and that no half character is ever shown."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.domain.sampling import Sampling
from studio.engine.generate import Answer, Piece, answer, generate
from studio.engine.pieces import PieceDecoder
from studio.engine.prompts import build_prompt, end_tokens
from studio.engine.templates import encode_chat, render_chat
from studio.errors import StudioError
from tests.helpers.tiny_model import tiny_tokenizer

QUESTION = [{"role": "user", "content": "How do I return a product?"}]
GREEDY = Sampling(temperature=0, repetition_penalty=1, max_new_tokens=12, seed=1)


@pytest.fixture(scope="module")
def model(tiny_model_dir: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_model_dir, local_files_only=True).eval()


@pytest.fixture(scope="module")
def tokenizer(tiny_model_dir: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model_dir, local_files_only=True)


def run(model: Any, tokenizer: Any, sampling: Sampling, **more: Any) -> tuple[list[Piece], Answer]:
    *pieces, last = generate(model, tokenizer, QUESTION, sampling, **more)
    assert isinstance(last, Answer)
    return pieces, last  # type: ignore[return-value]


def test_greedy_tokens_are_those_of_transformers(model: Any, tokenizer: Any) -> None:
    pieces, last = run(model, tokenizer, GREEDY)
    ids = torch.tensor([encode_chat(tokenizer, QUESTION)])
    theirs = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
    )[0, ids.shape[1] :].tolist()
    assert [p.token_id for p in pieces] == [t for t in theirs if t not in end_tokens(model, tokenizer)]
    assert last.tokens == len(pieces)


def test_a_prompt_read_in_chunks_gives_the_same_tokens(
    model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _last = run(model, tokenizer, GREEDY)
    monkeypatch.setattr("studio.engine.generate.PREFILL_CHUNK", 3)
    chunked, _last = run(model, tokenizer, GREEDY)
    assert [p.token_id for p in whole] == [p.token_id for p in chunked]


def test_pieces_add_up_to_the_answer(model: Any, tokenizer: Any) -> None:
    for seed in range(5):
        pieces, last = run(model, tokenizer, Sampling(temperature=1.5, top_k=0, max_new_tokens=40, seed=seed))
        ids = [p.token_id for p in pieces][: last.tokens]
        assert "".join(p.text for p in pieces) == last.text
        assert last.text == tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(model: Any, tokenizer: Any) -> None:
    warm = Sampling(temperature=1.0, max_new_tokens=20, seed=7)
    assert run(model, tokenizer, warm)[1].text == run(model, tokenizer, warm)[1].text
    others = {run(model, tokenizer, warm.model_copy(update={"seed": s}))[1].text for s in range(4)}
    assert len(others) > 1


def test_a_seed_that_was_not_given_is_reported_and_repeats_the_answer(model: Any, tokenizer: Any) -> None:
    first = run(model, tokenizer, Sampling(temperature=1.2, max_new_tokens=10))[1]
    again = run(model, tokenizer, Sampling(temperature=1.2, max_new_tokens=10, seed=first.seed))[1]
    assert again.text == first.text


def test_global_random_state_is_left_alone(model: Any, tokenizer: Any) -> None:
    before = torch.get_rng_state()
    run(model, tokenizer, Sampling(temperature=1, max_new_tokens=5))
    assert torch.equal(before, torch.get_rng_state())


def test_top_k_of_one_is_greedy(model: Any, tokenizer: Any) -> None:
    drawn = Sampling(temperature=2, top_k=1, top_p=1, repetition_penalty=1, max_new_tokens=12, seed=3)
    assert run(model, tokenizer, drawn)[1].text == run(model, tokenizer, GREEDY)[1].text


def test_repetition_penalty_lowers_repetition(model: Any, tokenizer: Any) -> None:
    plain = GREEDY.model_copy(update={"max_new_tokens": 60})
    loose = [p.token_id for p in run(model, tokenizer, plain)[0]]
    strict = [
        p.token_id for p in run(model, tokenizer, plain.model_copy(update={"repetition_penalty": 2.0}))[0]
    ]
    assert len(set(strict)) / len(strict) > len(set(loose)) / len(loose)


def test_ends_at_each_configured_end_token(
    model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces, _last = run(model, tokenizer, GREEDY)
    end = pieces[3].token_id
    first = [p.token_id for p in pieces].index(end)
    monkeypatch.setattr(model.generation_config, "eos_token_id", [end, 99_999])
    _shorter, last = run(model, tokenizer, GREEDY)
    assert (last.stop_reason, last.tokens) == ("end", first)


def test_turn_end_is_an_end_token_even_when_no_configuration_names_it(
    model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for holder in (model.generation_config, model.config):
        monkeypatch.setattr(holder, "eos_token_id", None)
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") in end_tokens(model, tokenizer)


def test_stops_at_the_longest_answer(model: Any, tokenizer: Any) -> None:
    pieces, last = run(model, tokenizer, GREEDY.model_copy(update={"max_new_tokens": 3}))
    assert (last.stop_reason, last.tokens) == ("length", 3)
    assert len(pieces) in (3, 4)  # one more when a cut character is handed out at the end


def test_stop_takes_effect_before_the_next_token(model: Any, tokenizer: Any) -> None:
    asked = itertools.count()
    _pieces, last = run(model, tokenizer, GREEDY, stop=lambda: next(asked) > 4)
    assert last.stop_reason == "stopped"
    assert last.tokens == 4  # asked once before reading the prompt, then before each token


def test_stop_while_the_prompt_is_read_gives_an_empty_answer(model: Any, tokenizer: Any) -> None:
    pieces, last = run(model, tokenizer, GREEDY, stop=lambda: True)
    assert pieces == []
    assert (last.text, last.tokens, last.stop_reason) == ("", 0, "stopped")


def test_details_are_the_models_own_probabilities(model: Any, tokenizer: Any) -> None:
    pieces, _last = run(model, tokenizer, GREEDY, details=True)
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([encode_chat(tokenizer, QUESTION)])).logits[0, -1]
    likeliest = torch.softmax(logits.float(), dim=-1).max()
    assert pieces[0].probability == pytest.approx(float(likeliest), rel=1e-4)
    assert len(pieces[0].alternatives) == 5
    shares = [share for _text, share in pieces[0].alternatives]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(pieces[0].probability)


def test_measures_first_token_and_rate(model: Any, tokenizer: Any) -> None:
    started = time.perf_counter()
    _pieces, last = run(model, tokenizer, GREEDY)
    assert 0 < last.first_token_s < time.perf_counter() - started
    assert last.tokens_per_s > 0


def test_a_model_in_training_stays_in_training(model: Any, tokenizer: Any) -> None:
    model.train()
    try:
        answer(model, tokenizer, QUESTION, GREEDY)
        assert model.training
    finally:
        model.eval()


TOKENIZER = tiny_tokenizer()


@given(st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_tokens_decode_piecewise_as_they_decode_whole(ids: list[int]) -> None:
    decoder = PieceDecoder(TOKENIZER)
    pieces = [decoder.add(i) for i in ids]
    pieces.append(decoder.finish())
    whole = TOKENIZER.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert "".join(pieces) == whole == decoder.text


@given(st.text(alphabet="abc 中文数据😀👩‍👩‍👧é\n", max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_piece_of_a_real_text_shows_half_a_character(text: str) -> None:
    decoder = PieceDecoder(TOKENIZER)
    pieces = [decoder.add(i) for i in TOKENIZER(text)["input_ids"]]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) + decoder.finish() == text


class TestLongConversations:
    def conversation(self, turns: int) -> list[dict[str, str]]:
        roles = itertools.cycle(["user", "assistant"])
        body = [
            {"role": next(roles), "content": f"turn {i}: " + "order lamp desk " * 8} for i in range(turns)
        ]
        return [{"role": "system", "content": "Be brief."}, *body]

    def test_oldest_turns_go_and_the_system_message_stays(self, model: Any, tokenizer: Any) -> None:
        messages = self.conversation(21)
        prompt = build_prompt(model, tokenizer, messages, 50)
        text = tokenizer.decode(prompt.ids)
        assert len(prompt.ids) + prompt.max_new_tokens <= 512
        assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n")
        assert messages[-1]["content"] in text
        assert prompt.dropped_turns > 0
        assert prompt.dropped_turns % 2 == 0  # whole exchanges
        assert messages[1]["content"] not in text

    def test_nothing_goes_when_it_fits(self, model: Any, tokenizer: Any) -> None:
        assert build_prompt(model, tokenizer, self.conversation(3), 50).dropped_turns == 0

    def test_the_answer_says_how_many_turns_went(self, model: Any, tokenizer: Any) -> None:
        assert answer(model, tokenizer, self.conversation(21), GREEDY).dropped_turns > 0

    def test_a_message_too_long_by_itself_is_refused(self, model: Any, tokenizer: Any) -> None:
        with pytest.raises(StudioError) as raised:
            build_prompt(model, tokenizer, [{"role": "user", "content": "lamp desk " * 600}], 50)
        assert raised.value.code == "chat.too_long"

    def test_no_messages_are_refused(self, model: Any, tokenizer: Any) -> None:
        with pytest.raises(StudioError) as raised:
            build_prompt(model, tokenizer, [], 50)
        assert raised.value.code == "chat.empty"


class TestTemplates:
    @pytest.fixture
    def templated(self) -> Any:
        return tiny_tokenizer()

    def failure(self, tokenizer: Any, template: str) -> StudioError:
        tokenizer.chat_template = template
        with pytest.raises(StudioError) as raised:
            render_chat(tokenizer, QUESTION)
        return raised.value

    def test_a_template_that_hangs_is_ended_after_two_seconds(self, templated: Any) -> None:
        hanging = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
        started = time.monotonic()
        assert self.failure(templated, hanging).code == "model.template"
        assert 1.5 < time.monotonic() - started < 4

    def test_a_template_that_eats_memory_is_ended(self, templated: Any) -> None:
        error = self.failure(templated, "{% set a = 'x' * 2000000000 %}{{ a }}")
        assert error.code == "model.template"
        assert "memory" in error.message

    @pytest.mark.parametrize(
        "template",
        [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{% for m in messages %}{{ m.append(1) }}{% endfor %}",
            "{{ raise_exception('no') }}",
            "{% if %}",
            "{{ messages[9].content + 1 }}",
        ],
    )
    def test_escapes_and_errors_become_a_message(self, templated: Any, template: str) -> None:
        assert self.failure(templated, template).code == "model.template"

    def test_without_a_template_the_text_is_continued(self, templated: Any) -> None:
        templated.chat_template = None
        assert render_chat(templated, QUESTION) == QUESTION[0]["content"]
