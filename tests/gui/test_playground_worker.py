"""The playground against the real chat process with a tiny model: from the key to the measured answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.gui.chat_host import ChatHost
from studio.gui.context import GuiContext
from studio.gui.models.chat_conversation import AnswerState
from studio.gui.pages.playground import PlaygroundPage
from studio.services.children import WorkerProcess
from tests.helpers.playground_data import FakePredictHost, FakeServices, base_info

WAIT_MS = 120_000  # importing torch takes its time on a busy machine


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.helpers.tiny_model import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[ChatHost]:
    made = ChatHost(
        lambda on_event: WorkerProcess(["chat"], on_event=on_event, stderr_path=tmp_path / "chat.stderr.log")
    )
    yield made
    assert made.shutdown(20_000)


@pytest.fixture
def page(
    qtbot: QtBot, make_context: Callable[..., GuiContext], host: ChatHost, tiny_model: Path
) -> Iterator[PlaygroundPage]:
    services = FakeServices()
    services.runs.runs = []
    services.models.infos = [base_info(str(tiny_model), "Tiny")]
    context = make_context(
        runs=services.runs, models=services.models, feedback=services.feedback, outbound=services.outbound
    )
    context.chat, context.predict = host, FakePredictHost()
    made = PlaygroundPage(context)
    qtbot.addWidget(made)
    made.show()
    made.enter()
    yield made
    made.dispose()


def ask(qtbot: QtBot, page: PlaygroundPage, question: str) -> None:
    qtbot.keyClicks(page.chat.composer.box, question)
    qtbot.keyClick(page.chat.composer.box, Qt.Key.Key_Return)


@pytest.mark.slow
def test_a_real_answer_streams_stops_and_repeats(qtbot: QtBot, page: PlaygroundPage) -> None:
    page.session.sampling = page.session.sampling.model_copy(update={"seed": 3, "max_new_tokens": 24})
    page.chat.panel.details.setChecked(True)
    qtbot.waitUntil(lambda: page.session.seats["a"].given, timeout=WAIT_MS)
    ask(qtbot, page, "How do I return a product?")
    answer = page.session.conversation.turns[0].answers[0]
    qtbot.waitUntil(lambda: answer.state is AnswerState.DONE, timeout=WAIT_MS)
    assert answer.result is not None
    assert answer.result.tokens > 0
    assert answer.text == "".join(token.text for token in answer.tokens)
    assert all(token.probability is not None for token in answer.tokens[:-1])
    view = page.chat.transcript.views()[0]
    assert view.text.toPlainText().strip()
    assert view.measured.isVisible()

    qtbot.mouseClick(view.regenerate, Qt.MouseButton.LeftButton)
    again = page.session.conversation.turns[0].answers[0]
    qtbot.waitUntil(lambda: again.state is AnswerState.DONE, timeout=WAIT_MS)
    assert again.text == answer.text  # the same seed

    page.session.sampling = page.session.sampling.model_copy(
        update={"max_new_tokens": 400, "temperature": 2.0}
    )
    ask(qtbot, page, "Tell me everything")
    long = page.session.conversation.turns[1].answers[0]
    qtbot.waitUntil(lambda: len(long.tokens) > 3, timeout=WAIT_MS)
    qtbot.keyClick(page.chat.composer.box, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: long.state is AnswerState.DONE, timeout=WAIT_MS)
    assert long.result is not None
    assert long.result.stop_reason in ("stopped", "end")  # a random model may end by itself just then
