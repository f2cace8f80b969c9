"""The playground by keys and clicks, against a chat host that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.domain.feedback import Signal
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.notices import Notice
from studio.gui.pages.playground import PlaygroundPage
from studio.gui.widgets.chat_answer import AnswerView
from tests.helpers.playground_data import FakeChatHost, FakePredictHost, FakeServices

LEFT = Qt.MouseButton.LeftButton
RUN = "Customer service, run 3"
BASE = "SmolLM2 135M Instruct"


@pytest.fixture
def host() -> FakeChatHost:
    return FakeChatHost()


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def context(
    make_context: Callable[..., GuiContext], host: FakeChatHost, services: FakeServices
) -> GuiContext:
    made = make_context(
        runs=services.runs, models=services.models, feedback=services.feedback, outbound=services.outbound
    )
    made.chat, made.predict = host, FakePredictHost()
    made.navigator.set_product("p1")
    return made


@pytest.fixture
def opened() -> list[str]:
    """Addresses that the page opened outside."""
    return []


@pytest.fixture
def page(
    qtbot: QtBot, context: GuiContext, host: FakeChatHost, opened: list[str]
) -> Iterator[PlaygroundPage]:
    made = show(qtbot, context, opened)
    host.finish_loading()
    yield made
    made.dispose()


def show(qtbot: QtBot, context: GuiContext, opened: list[str] | None = None) -> PlaygroundPage:
    log = opened if opened is not None else []
    made = PlaygroundPage(context, open_url=lambda url: log.append(url.toString()))
    qtbot.addWidget(made)
    made.resize(1070, 700)
    with qtbot.waitExposed(made):
        made.show()
    made.enter()
    host: Any = context.chat
    qtbot.waitUntil(lambda: bool(host.loads) or made.chat.stage.currentWidget() is made.chat.no_model)
    return made


def click(qtbot: QtBot, button: QWidget) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    qtbot.mouseClick(button, LEFT)


def ask(qtbot: QtBot, page: PlaygroundPage, question: str) -> None:
    qtbot.keyClicks(page.chat.composer.box, question)
    qtbot.keyClick(page.chat.composer.box, Qt.Key.Key_Return)


def answered(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, question: str, text: str) -> AnswerView:
    ask(qtbot, page, question)
    host.say(text)
    host.end()
    return page.chat.transcript.views()[-1]


def notices(context: GuiContext) -> list[Notice]:
    found: list[Notice] = []
    context.notices.posted.connect(found.append)
    return found


# ---- asking


def test_the_product_s_own_run_is_chosen_and_loaded(page: PlaygroundPage, host: FakeChatHost) -> None:
    slot, target = host.loads[0]
    assert (slot, target.name) == ("a", RUN)
    assert target.adapter_dir.endswith("/model")
    assert page.chooser.first.currentText() == RUN
    titles = [page.chooser.first.itemText(i) for i in range(page.chooser.first.count())]
    assert titles == [
        "Models of this product", RUN, "Base models", BASE, "Models of other products", "Recommendations, run 1",
    ]  # fmt: skip


def test_enter_sends_and_shift_enter_begins_a_line(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    box = page.chat.composer.box
    qtbot.keyClicks(box, "one")
    qtbot.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(box, "two")
    assert host.asked == []
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert host.asked[0].messages[-1].content == "one\ntwo"
    assert box.toPlainText() == ""


def test_blank_questions_are_not_sent(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    ask(qtbot, page, "   ")
    assert host.asked == []
    assert not page.chat.composer.send.isEnabled()


def test_an_answer_streams_and_then_shows_what_was_measured(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    ask(qtbot, page, "How long?")
    host.say("You have **thirty** days")
    view = page.chat.transcript.views()[0]
    qtbot.waitUntil(lambda: view.text.toPlainText() == "You have thirty days")
    assert not view.copy.isVisible()
    host.end()
    assert view.measured.text() == "First word after 0.4 s  ·  23.7 tokens/s  ·  4 tokens  ·  complete"
    click(qtbot, view.copy)
    assert QApplication.clipboard().text() == "You have **thirty** days"
    assert view.confirmation.text() == "Copied"


def test_a_suggestion_asks_itself(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    first = page.chat.first_words.suggestions[0]
    click(qtbot, first)
    assert host.asked[0].messages[-1].content == "Who pays for the parcel?"
    assert page.chat.stage.currentWidget() is page.chat.transcript


def test_escape_stops_and_what_was_said_stays(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    ask(qtbot, page, "Tell me all")
    host.say("Well, it")
    assert page.chat.composer.stop.isVisible()
    qtbot.keyClick(page.chat.composer.box, Qt.Key.Key_Escape)
    assert host.stops == 1
    view = page.chat.transcript.views()[0]
    assert view.text.toPlainText() == "Well, it"
    assert "stopped by you" in view.measured.text()
    assert page.chat.composer.send.isVisible()


def test_nothing_is_sent_while_an_answer_comes(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    ask(qtbot, page, "one")
    ask(qtbot, page, "two")
    assert len(host.asked) == 1
    assert page.chat.composer.text() == "two"


def test_the_conversation_goes_with_the_next_question(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    click(qtbot, page.chat.panel.system.toggle)
    qtbot.keyClicks(page.chat.panel.system.box, "Be kind.")
    answered(qtbot, page, host, "one", "first")
    ask(qtbot, page, "two")
    said = [(m.role, m.content) for m in host.asked[1].messages]
    assert said == [("system", "Be kind."), ("user", "one"), ("assistant", "first"), ("user", "two")]


def test_the_settings_at_the_right_are_used(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    box: Any = page.chat.panel.form.input("max_new_tokens")
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "33")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    ask(qtbot, page, "one")
    assert host.asked[0].sampling.max_new_tokens == 33
    assert all(
        page.chat.panel.form.input(name).toolTip() for name in ("temperature", "top_p", "top_k", "seed")
    )


def test_answer_again_replaces_the_last_answer(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    view = answered(qtbot, page, host, "one", "first")
    click(qtbot, view.regenerate)
    host.say("second")
    host.end()
    assert [v.answer.text for v in page.chat.transcript.views()] == ["second"]
    assert [m.content for m in host.asked[1].messages] == ["one"]


def test_an_earlier_question_can_be_changed_and_the_rest_brought_back(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, context: GuiContext
) -> None:
    answered(qtbot, page, host, "one", "first")
    answered(qtbot, page, host, "two", "second")
    told = notices(context)
    question = page.chat.transcript.turns[0].question
    click(qtbot, question.edit)
    editor = question.editor()
    assert editor is not None
    qtbot.keyClicks(editor.box, " more")
    qtbot.keyClick(editor.box, Qt.Key.Key_Return)
    assert [m.content for m in host.asked[2].messages] == ["one more"]
    assert len(page.chat.transcript.turns) == 1
    host.say("third")
    host.end()
    told[-1].action()  # type: ignore[misc]
    assert [turn.turn.question for turn in page.chat.transcript.turns] == ["one", "two"]


def test_escape_in_an_editor_leaves_the_editor_and_stops_nothing(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    answered(qtbot, page, host, "one", "first")
    question = page.chat.transcript.turns[0].question
    click(qtbot, question.edit)
    qtbot.keyClick(question.editor().box, Qt.Key.Key_Escape)  # type: ignore[union-attr]
    assert question.editor() is None
    assert question.bubble.isVisible()
    assert host.stops == 0


def test_a_new_chat_forgets_and_can_be_undone(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, context: GuiContext
) -> None:
    answered(qtbot, page, host, "one", "first")
    told = notices(context)
    click(qtbot, page.chooser.new)
    assert page.chat.stage.currentWidget() is page.chat.first_words
    ask(qtbot, page, "two")
    assert [m.content for m in host.asked[1].messages] == ["two"]
    told[-1].action()  # type: ignore[misc]
    assert [turn.turn.question for turn in page.chat.transcript.turns] == ["one"]
    told[-1].action()  # type: ignore[misc]  # and that can be undone as well
    assert [turn.turn.question for turn in page.chat.transcript.turns] == ["two"]


def test_another_product_brings_its_own_model_unless_a_conversation_stands(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, context: GuiContext
) -> None:
    context.navigator.set_product("p2")
    qtbot.waitUntil(lambda: host.loads[-1][1].name == "Recommendations, run 1")
    assert page.chooser.first.currentText() == "Recommendations, run 1"
    host.finish_loading()
    answered(qtbot, page, host, "one", "first")
    context.navigator.set_product("p1")
    qtbot.waitUntil(lambda: page.chooser.first.itemText(1) == RUN)
    assert page.chooser.first.currentText() == "Recommendations, run 1"


def test_a_model_that_was_thrown_away_gives_up_its_seat(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, services: FakeServices
) -> None:
    del services.runs.runs[0]
    page.reload()
    qtbot.waitUntil(lambda: page.chooser.first.currentText() == BASE)


# ---- two models


def side_by_side(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    two = next(b for b in page.chooser.mode.findChildren(QAbstractButton) if b.text() == "Side by side")
    click(qtbot, two)
    qtbot.waitUntil(lambda: any(slot == "b" for slot, _target in host.loads))
    host.finish_loading()


def test_side_by_side_asks_the_run_and_its_base(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    side_by_side(qtbot, page, host)
    ask(qtbot, page, "one")
    assert [request.slot for request in host.asked] == ["a", "b"]
    host.say("tuned")
    host.end()
    host.say("base")
    host.end()
    names = [view.answer.model_name for view in page.chat.transcript.views()]
    assert names == [RUN, BASE]
    assert [view.answer.text for view in page.chat.transcript.views()] == ["tuned", "base"]


def test_a_blind_test_hides_every_name_until_revealed(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    side_by_side(qtbot, page, host)
    click(qtbot, page.chooser.blind)
    ask(qtbot, page, "one")
    for _count in range(2):
        host.say("words")
        host.end()
    assert not names_seen(page)
    assert "tokens/s" not in page.chat.transcript.views()[0].measured.text()
    click(qtbot, page.chooser.reveal)
    assert names_seen(page) == {RUN, BASE}
    shown = [view.answer.slot for view in page.chat.transcript.views()]
    assert shown == page.session.order


def names_seen(page: PlaygroundPage) -> set[str]:
    """Model names in anything visible, tooltips and accessible names included."""
    seen: set[str] = set()
    for widget in page.findChildren(QWidget):
        if not widget.isVisible():
            continue
        words = [widget.toolTip(), widget.accessibleName()]
        for reader in ("text", "currentText"):
            words.append(str(getattr(widget, reader)() if callable(getattr(widget, reader, None)) else ""))
        seen |= {name for name in (RUN, BASE) if any(name in word for word in words)}
    return seen


def test_the_places_of_a_blind_test_are_shuffled(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    side_by_side(qtbot, page, host)
    monkeypatch.setattr("studio.gui.models.chat_session.random.shuffle", lambda order: order.reverse())
    click(qtbot, page.chooser.blind)
    ask(qtbot, page, "one")
    assert [request.slot for request in host.asked] == ["b", "a"]


def test_back_to_one_model_lets_the_other_go(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    side_by_side(qtbot, page, host)
    one = next(b for b in page.chooser.mode.findChildren(QAbstractButton) if b.text() == "One model")
    click(qtbot, one)
    assert host.unloads == ["b"]
    ask(qtbot, page, "one")
    assert [request.slot for request in host.asked] == ["a"]


# ---- reactions


def test_a_thumb_is_kept_with_its_run_and_said(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, services: FakeServices
) -> None:
    view = answered(qtbot, page, host, "one", "first")
    click(qtbot, view.good)
    qtbot.waitUntil(lambda: view.confirmation.text() == "Saved: a good answer")
    (item,) = services.feedback.items
    assert (item.run_id, item.prompt, item.answer) == (services.runs.runs[0].id, "one", "first")
    assert (item.signal, item.product_id, item.model_name) == (Signal.UP, "p1", RUN)
    click(qtbot, view.good)
    qtbot.wait(20)
    assert len(services.feedback.items) == 1
    assert view.good.isChecked()


def test_a_corrected_answer_is_kept(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, services: FakeServices
) -> None:
    view = answered(qtbot, page, host, "one", "first")
    click(qtbot, view.correct)
    editor = view.editor()
    assert editor is not None
    assert editor.box.toPlainText() == "first"
    qtbot.keyClicks(editor.box, "Thirty days.")  # the old words are selected
    click(qtbot, editor.save)
    qtbot.waitUntil(lambda: view.confirmation.text() == "Saved: your corrected answer")
    (item,) = services.feedback.items
    assert (item.signal, item.correction, item.answer) == (Signal.CORRECTION, "Thirty days.", "first")
    assert view.editor() is None


def test_a_reaction_that_could_not_be_kept_says_so(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, services: FakeServices, context: GuiContext
) -> None:
    services.feedback.problem = StudioError("store.full", "The disk is full.", "Free some space.")
    told = notices(context)
    view = answered(qtbot, page, host, "one", "first")
    click(qtbot, view.poor)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].text == "The disk is full. Free some space."
    assert not view.poor.isChecked()
    assert view.confirmation.text() == ""


# ---- states and failures


def test_a_question_asked_while_the_model_loads_says_so(
    qtbot: QtBot, context: GuiContext, host: FakeChatHost
) -> None:
    page = show(qtbot, context)
    line = page.seat_lines["a"]
    assert line.isVisible()
    assert line.words.text().startswith(f"Loading {RUN}")
    ask(qtbot, page, "one")
    view = page.chat.transcript.views()[0]
    assert view._waiting.text() == "Loading the model…"
    host.finish_loading()
    assert view._waiting.text() == "Thinking…"
    assert not line.isVisible()
    page.dispose()


def test_a_model_that_cannot_be_loaded_says_why_and_can_be_tried_again(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    host.fail_load("a")
    line = page.seat_lines["a"]
    assert line.words.text() == f"{RUN}: The model's files are incomplete. Train it again."
    qtbot.keyClicks(page.chat.composer.box, "one")
    assert not page.chat.composer.send.isEnabled()
    click(qtbot, line.retry)
    qtbot.waitUntil(lambda: len(host.loads) == 2)
    host.finish_loading()
    assert not line.isVisible()
    click(qtbot, page.chat.composer.send)
    assert len(host.asked) == 1


def test_files_that_are_gone_are_a_failure_with_a_hint(
    qtbot: QtBot, context: GuiContext, host: FakeChatHost, services: FakeServices
) -> None:
    services.runs.broken = {services.runs.runs[0].id}
    page = PlaygroundPage(context)
    qtbot.addWidget(page)
    page.show()
    page.enter()
    qtbot.waitUntil(lambda: page.seat_lines["a"].retry.isVisible())
    assert "This run has no model yet. Wait until it is finished." in page.seat_lines["a"].words.text()
    assert host.loads == []
    page.dispose()


def test_a_failed_answer_can_be_asked_again(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    ask(qtbot, page, "one")
    host.fail_open()
    view = page.chat.transcript.views()[0]
    assert view.problem.isVisible()
    click(qtbot, view.problem.retry)
    host.say("now")
    host.end()
    assert [v.answer.text for v in page.chat.transcript.views()] == ["now"]


def test_a_crash_fails_what_was_open_and_the_next_question_is_welcome(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    ask(qtbot, page, "one")
    host.crash()
    assert page.chat.transcript.views()[0].problem.isVisible()
    assert "rests" in page.seat_lines["a"].words.text()
    ask(qtbot, page, "two")
    assert [m.content for m in host.asked[1].messages] == ["two"]


def test_no_model_at_all_points_to_training(
    qtbot: QtBot, context: GuiContext, services: FakeServices
) -> None:
    services.runs.runs, services.models.infos = [], []
    page = show(qtbot, context)
    with qtbot.waitSignal(context.navigator.requested) as wish:
        click(qtbot, page.chat.no_model.primary)
    assert wish.args[0][0] == "train"
    page.dispose()


def test_while_training_the_page_says_that_the_processor_is_shared(
    page: PlaygroundPage, host: FakeChatHost
) -> None:
    assert not page.chat.note.isVisible()
    host.set_note("A model is being trained, so answers come more slowly.")
    assert page.chat.note.isVisible()
    host.set_note("")
    assert not page.chat.note.isVisible()


def test_a_run_asked_for_by_another_page_is_chosen(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, services: FakeServices
) -> None:
    page.enter(run_id=services.runs.runs[1].id)
    qtbot.waitUntil(lambda: len(host.loads) == 2)
    assert host.loads[1][1].name == "Recommendations, run 1"


# ---- links, details, life


def test_a_clicked_link_is_written_down_and_opened_outside(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost, services: FakeServices, opened: list[str]
) -> None:
    view = answered(qtbot, page, host, "one", "[read](https://example.org/a) it")
    assert services.outbound.hosts == []
    cursor = view.text.document().find("read")
    cursor.setPosition(cursor.selectionStart() + 1)
    qtbot.mouseClick(view.text.viewport(), LEFT, pos=view.text.cursorRect(cursor).center())
    qtbot.waitUntil(lambda: opened == ["https://example.org/a"])
    assert services.outbound.hosts == ["example.org"]
    view.link_clicked.emit(QUrl("file:///etc/passwd").toString())
    qtbot.wait(20)
    assert len(opened) == 1


def test_probabilities_are_asked_for_and_coloured(
    qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost
) -> None:
    click(qtbot, page.chat.panel.details)
    ask(qtbot, page, "one")
    assert host.asked[0].details
    host.say("Yes of course", details=True)
    host.end()
    view = page.chat.transcript.views()[0]
    cursor = view.text.document().find("of")
    cursor.setPosition(cursor.selectionStart() + 1)
    words = view.text._words_at(view.text.cursorRect(cursor).center())
    assert "62.0%" in words
    assert "perhaps" in words


def test_a_rebuilt_page_goes_on_with_an_answer_that_is_coming(
    qtbot: QtBot, host: FakeChatHost, context: GuiContext
) -> None:
    page = show(qtbot, context)
    ask(qtbot, page, "one")
    host.say("first half")
    page.chat.composer.set_text("a draft")
    kept = page.state()
    page.dispose()
    other = PlaygroundPage(context)
    qtbot.addWidget(other)
    other.restore(kept)
    other.show()
    host.say(" second half")
    host.end()
    assert [view.text.toPlainText() for view in other.chat.transcript.views()] == ["first half second half"]
    assert other.chat.composer.text() == "a draft"
    other.dispose()


def test_every_control_says_what_it_is(qtbot: QtBot, page: PlaygroundPage, host: FakeChatHost) -> None:
    answered(qtbot, page, host, "one", "first")
    side_by_side(qtbot, page, host)
    nameless = [
        widget
        for widget in page.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not (widget.accessibleName() or getattr(widget, "text", str)())
        and widget.objectName() != "qt_spinbox_lineedit"
    ]
    assert nameless == []


def test_tab_goes_from_the_question_to_send(qtbot: QtBot, page: PlaygroundPage) -> None:
    page.chat.composer.box.setFocus()
    qtbot.keyClicks(page.chat.composer.box, "one")
    qtbot.keyClick(page.chat.composer.box, Qt.Key.Key_Tab)
    assert page.chat.composer.send.hasFocus()
