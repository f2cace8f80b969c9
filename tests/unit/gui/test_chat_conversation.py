"""What a model is told of the conversation so far, and which models are offered."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.gui.models.chat_choices import read_choices, sample_probes
from studio.gui.models.chat_conversation import Answer, AnswerState, Conversation, Turn
from studio.gui.widgets.chat_code import coloured
from studio.gui.widgets.chat_markdown import blocks, is_safe_link, line_start, make_parser
from studio.protocol.events import Answered, Token
from tests.helpers.playground_data import FakeServices


def done(slot: str, text: str) -> Answer:
    result = Answered(
        request_id=text,
        slot=slot,
        text=text,
        tokens=1,
        first_token_s=0,
        tokens_per_s=0,
        seed=1,
        stop_reason="end",
    )
    return Answer(slot, "model", request_id=text, result=result, state=AnswerState.DONE)


def told(conversation: Conversation, slot: str) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in conversation.messages(conversation.turns[-1], slot)]


def test_each_model_hears_its_own_answers() -> None:
    conversation = Conversation(" Be brief. ", [Turn("one", [done("a", "A1"), done("b", "B1")]), Turn("two")])
    assert told(conversation, "a") == [
        ("system", "Be brief."), ("user", "one"), ("assistant", "A1"), ("user", "two"),
    ]  # fmt: skip
    assert ("assistant", "B1") in told(conversation, "b")


def test_a_model_that_joins_later_hears_the_other_ones_answers() -> None:
    conversation = Conversation("", [Turn("one", [done("a", "A1")]), Turn("two")])
    assert told(conversation, "b") == [("user", "one"), ("assistant", "A1"), ("user", "two")]


def test_turns_without_an_answer_are_left_out_so_that_roles_alternate() -> None:
    failed = Answer("a", "model", state=AnswerState.FAILED)
    silent = done("a", "")
    conversation = Conversation("", [Turn("one", [failed]), Turn("two", [silent]), Turn("three")])
    assert told(conversation, "a") == [("user", "three")]


def test_the_text_of_an_answer_that_is_coming_is_what_came() -> None:
    answer = Answer(
        "a", "model", tokens=[Token(request_id="r", text="Hel"), Token(request_id="r", text="lo")]
    )
    assert answer.text == "Hello"
    assert not answer.detailed


def test_own_finished_runs_come_first_then_bases_then_other_products() -> None:
    choices = read_choices(FakeServices(), "p1")  # type: ignore[arg-type]
    assert [c.title for c in choices.all()] == [
        "Customer service, run 3", "SmolLM2 135M Instruct", "Recommendations, run 1",
    ]  # fmt: skip
    base = choices.counterpart(choices.mine[0])
    assert base is not None
    assert base.key == "base:small"
    assert choices.counterpart(base) == choices.mine[0]


def test_without_a_product_every_run_is_ones_own_and_the_newest_comes_first() -> None:
    choices = read_choices(FakeServices(), None)  # type: ignore[arg-type]
    assert choices.all()[0].title == "Customer service, run 3"
    assert {c.title for c in choices.mine} == {"Customer service, run 3", "Recommendations, run 1"}
    assert not choices.of_product
    assert not choices.beside(choices.mine[0]).of_product


def test_the_base_of_a_run_is_not_offered_when_it_is_gone() -> None:
    services = FakeServices()
    services.models.infos = []
    mine, *_others = read_choices(services, "p1").all()  # type: ignore[arg-type]
    assert mine.base_key == ""


def test_probes_speak_the_language() -> None:
    assert sample_probes("zh_CN") != sample_probes("en") == sample_probes("xx")


def test_only_web_and_mail_addresses_become_links() -> None:
    assert all(map(is_safe_link, ["https://example.org/a", "http://example.org", "mailto:me@example.org"]))
    bad = [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "studio-copy:0",
        "//host",
        "http://[",
        "",
    ]
    assert not any(map(is_safe_link, bad))


@settings(deadline=None)
@given(st.text(alphabet="a *_`#>-1.|\n~[]()!<&", max_size=200))
def test_blocks_cover_the_text_in_order(source: str) -> None:
    found = list(blocks(make_parser(), source))
    starts = [line_start(source, block.line) for block in found]
    assert starts == sorted(starts)
    assert all(block.tokens[0].level == 0 for block in found)


@settings(deadline=None)
@given(st.text(max_size=120))
def test_coloured_code_adds_up(code: str) -> None:
    code = code.replace("\r", "")
    assert "".join(text for text, _tone in coloured(code, "python")) == code


def test_code_is_coloured_by_its_parts() -> None:
    parts = {text.strip(): tone for text, tone in coloured("def f():\n    return 'x'  # why", "python")}
    assert parts["def"] == "accent_text"
    assert parts["'x'"] == "success"
    assert parts["# why"] == "text_muted"
    assert list(coloured("def f", "no-such-language")) == [("def f", "text")]
