"""The playground for models that sort, rate, recommend and draw, driven as a person would."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage
from PySide6.QtWidgets import QLabel, QTableWidget
from pytestqt.qtbot import QtBot

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.feedback import Signal
from studio.domain.predictions import unknown_user_words
from studio.domain.runs import Run
from studio.domain.specs import TrainSpec
from studio.gui import playing
from studio.gui.context import GuiContext
from studio.gui.pages.playground import PlaygroundPage
from studio.gui.pages.playground.predict_answers import AnswerPart, BatchView
from studio.gui.pages.playground.predict_inputs import DrawInput, FileInput, TextInput, UserInput
from studio.gui.widgets import Caption, LinkButton
from studio.gui.widgets.bars import BarList
from studio.protocol.events import PredictedItem, Progress
from tests.helpers.playground_data import FakeChatHost, FakePredictHost, FakeServices, finished_run

LEFT = Qt.MouseButton.LeftButton
SURE = PredictedItem(labels=[("refund", 0.91), ("delivery", 0.07), ("other", 0.02)], chosen=["refund"])


def run_of(architecture: Architecture, name: str, **more: Any) -> Run:
    spec = TrainSpec(architecture=architecture, method=Method.SCRATCH)
    return finished_run(name, "p1", base_dir=None, spec=spec, **more)


@dataclass
class FakeDatasets:
    """services.datasets in memory: the test rows of every dataset."""

    held_out: list[dict[str, str]] = field(default_factory=list)

    def page(
        self, dataset_id: str, offset: int, limit: int, split: Split | None = None
    ) -> list[dict[str, str]]:
        return self.held_out[offset : offset + limit] if split is Split.TEST else []

    def image_path(self, name: str) -> Path:
        return Path("/store") / name

    recording_path = image_path


@pytest.fixture
def datasets() -> FakeDatasets:
    return FakeDatasets()


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def host() -> FakePredictHost:
    return FakePredictHost()


@pytest.fixture
def open_page(
    qtbot: QtBot,
    make_context: Callable[..., GuiContext],
    services: FakeServices,
    host: FakePredictHost,
    datasets: FakeDatasets,
) -> Iterator[Callable[..., PlaygroundPage]]:
    made: list[PlaygroundPage] = []
    context = make_context(
        runs=services.runs, models=services.models, feedback=services.feedback, outbound=services.outbound,
        datasets=datasets,
    )  # fmt: skip
    context.chat, context.predict = FakeChatHost(), host

    def show(run: Run, *others: Run) -> PlaygroundPage:
        services.runs.runs = [run, *others, *services.runs.runs]
        page = PlaygroundPage(context)
        made.append(page)
        qtbot.addWidget(page)
        page.resize(1072, 640)
        page.show()
        page.enter(run_id=run.id)
        qtbot.waitUntil(
            lambda: bool(host.loads) or (not page.predicting and bool(page.choices.all())), timeout=5000
        )
        host.finish_loading(["refund", "delivery", "other"])
        return page

    yield show
    for page in made:
        if not page.property("gone"):
            page.dispose()


def texts(widget: Any) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]


def test_a_text_is_sorted_with_a_bar_for_each_label(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.LSTM, "Intents", probes=["Where is my parcel?"]))
    assert page.predicting
    assert not page.chooser.panel.isVisible()
    part = page.predict.part
    assert isinstance(part, TextInput)
    qtbot.keyClicks(part.box, "I want my money back")
    qtbot.keyClick(part.box, Qt.Key.Key_Return)
    assert host.asked[0].inputs == [{"text": "I want my money back"}]
    assert not part.go.isEnabled()
    host.answer(SURE)
    (view,) = page.predict.views()
    bars = view.findChild(BarList)
    assert bars is not None
    assert [(row.name, row.words, row.strong) for row in bars.rows] == [
        ("refund", "91.0%", True), ("delivery", "7.0%", False), ("other", "2.0%", False)
    ]  # fmt: skip
    assert "I want my money back" in texts(view)
    assert part.go.isEnabled()


def test_lines_are_a_batch_that_is_shown_as_a_table_and_saved(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost, tmp_path: Path
) -> None:
    page = open_page(run_of(Architecture.GRU, "Intents"))
    part = page.predict.part
    assert isinstance(part, TextInput)
    part.box.setPlainText("\n".join(f"text {n}" for n in range(9)) + "\n\n=2+3")
    qtbot.mouseClick(part.lines, LEFT)
    qtbot.mouseClick(part.go, LEFT)
    assert len(host.asked[0].inputs) == 10
    host.progressed.emit(Progress(phase="predicting", done=4, total=10))
    assert page.predict._progress is not None
    host.answer(*[SURE] * 10)
    assert page.predict._progress is None
    (view,) = page.predict.views()
    table = view.findChild(QTableWidget)
    assert table is not None
    assert (table.rowCount(), table.item(0, 1).text()) == (10, "refund (91%)")
    path = tmp_path / "answers.csv"
    with qtbot.waitSignal(page.ctx.notices.posted, timeout=5000):
        page.predict.save_answers(view.batch, path)
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["input", "answer", "probability", "delivery", "other", "refund"]
    assert rows[1] == ["text 0", "refund", "0.9100", "0.0700", "0.0200", "0.9100"]
    assert rows[10][0] == "'=2+3"  # no spreadsheet computes it


def test_many_pictures_are_seen_in_the_table(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost, tmp_path: Path
) -> None:
    page = open_page(run_of(Architecture.CNN, "Shapes"))
    paths = []
    for number in range(8):
        image = QImage(8, 8, QImage.Format.Format_RGB32)
        image.fill(QColor(200, 30, 40))
        paths.append(str(tmp_path / f"{number}.png"))
        image.save(paths[-1])
    page.predict.part.asked.emit(([{"image": path} for path in paths], [Path(path).name for path in paths]))
    host.answer(*[SURE] * 8)
    (view,) = page.predict.views()
    table = view.findChild(QTableWidget)
    assert table is not None

    def red() -> bool:
        shown = table.viewport().grab(table.visualItemRect(table.item(1, 0))).toImage()
        return any(shown.pixelColor(x, shown.height() // 2) == QColor(200, 30, 40) for x in range(60))

    qtbot.waitUntil(red, timeout=5000)


class Player:
    """Programs for files of this computer: what was opened, and whether there is one."""

    def __init__(self) -> None:
        self.opened: list[QUrl] = []
        self.there = True

    def open(self, url: QUrl) -> bool:
        self.opened.append(url)
        return self.there


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Player:
    player = Player()
    monkeypatch.setattr(playing.QDesktopServices, "openUrl", player.open)
    return player


def recordings(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.wav" for number in range(count)]
    for path in paths:
        path.write_bytes(b"RIFF")
    return [str(path) for path in paths]


def answers_to(
    open_page: Callable[..., PlaygroundPage], host: FakePredictHost, paths: list[str]
) -> BatchView:
    """What a model of spoken commands says of the recordings."""
    page = open_page(run_of(Architecture.SPECTROGRAM, "Commands"))
    page.predict.part.asked.emit(([{"audio": path} for path in paths], [Path(path).name for path in paths]))
    host.answer(*[SURE] * len(paths))
    (view,) = page.predict.views()
    return view


def test_a_recording_is_heard_by_a_click(
    qtbot: QtBot,
    open_page: Callable[..., PlaygroundPage],
    host: FakePredictHost,
    player: Player,
    tmp_path: Path,
) -> None:
    (path,) = recordings(tmp_path, 1)
    view = answers_to(open_page, host, [path])
    (listen,) = (button for button in view.findChildren(LinkButton) if button.text() == "Listen")
    qtbot.mouseClick(listen, LEFT)
    assert player.opened == [QUrl.fromLocalFile(path)]
    player.there = False
    qtbot.mouseClick(listen, LEFT)
    assert listen.text() == "This computer has no player for it"
    player.there = True
    qtbot.mouseClick(listen, LEFT)
    assert listen.text() == "Listen"
    Path(path).unlink()
    qtbot.mouseClick(listen, LEFT)
    assert listen.text() == "The recording is no longer there"
    assert len(player.opened) == 3


def test_one_of_many_recordings_is_heard_by_a_double_click_or_enter(
    qtbot: QtBot,
    open_page: Callable[..., PlaygroundPage],
    host: FakePredictHost,
    player: Player,
    tmp_path: Path,
) -> None:
    paths = recordings(tmp_path, 8)
    view = answers_to(open_page, host, paths)
    table = view.findChild(QTableWidget)
    assert table is not None

    def told() -> set[str]:
        return {label.text() for label in view.findChildren(Caption)}

    place = table.visualItemRect(table.item(2, 0)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(table.viewport(), LEFT, pos=place)
    assert player.opened == [QUrl.fromLocalFile(paths[2])]
    assert "A double click plays the recording." in told()
    player.there = False
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert player.opened[1:] == [QUrl.fromLocalFile(paths[3])]
    assert "This computer has no player for it" in told()


def test_a_probe_of_the_run_is_asked_by_a_click(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.LSTM, "Intents", probes=["Where is my parcel?"]))
    part = page.predict.part
    assert isinstance(part, TextInput)
    qtbot.mouseClick(part.tries.buttons[0], LEFT)
    assert host.asked[0].inputs == [{"text": "Where is my parcel?"}]


def test_a_correction_lands_in_the_feedback(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost, services: FakeServices
) -> None:
    run = run_of(Architecture.LSTM, "Intents")
    page = open_page(run)
    part = page.predict.part
    assert isinstance(part, TextInput)
    qtbot.keyClicks(part.box, "It never came")
    qtbot.mouseClick(part.go, LEFT)
    host.answer(SURE)
    (view,) = page.predict.views()
    answer = view.findChild(AnswerPart)
    assert answer is not None
    qtbot.mouseClick(answer.correct, LEFT)
    assert [answer.editor.input.itemText(n) for n in range(3)] == ["refund", "delivery", "other"]
    answer.editor.input.setCurrentText("delivery")
    qtbot.mouseClick(answer.editor.save, LEFT)
    qtbot.waitUntil(lambda: bool(services.feedback.items), timeout=5000)
    item = services.feedback.items[0]
    assert (item.prompt, item.answer, item.correction) == ("It never came", "refund (91%)", "delivery")
    assert (item.signal, item.run_id, item.product_id) == (Signal.CORRECTION, run.id, "p1")
    qtbot.waitUntil(lambda: "Kept as right: delivery" in texts(view), timeout=5000)


def test_a_number_is_shown_large(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.TRANSFORMER, "Stars"))
    part = page.predict.part
    assert isinstance(part, TextInput)
    qtbot.keyClicks(part.box, "Lovely lamp")
    qtbot.mouseClick(part.go, LEFT)
    host.answer(PredictedItem(number=4.618))
    assert "4.62" in texts(page.predict.views()[0])


def test_dropped_pictures_are_told_apart_and_a_failure_says_why(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost, tmp_path: Path
) -> None:
    page = open_page(run_of(Architecture.CNN, "Shapes"))
    part = page.predict.part
    assert isinstance(part, FileInput)
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    image.save(str(tmp_path / "red.png"))
    (tmp_path / "notes.txt").write_text("no picture")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("red.png", "notes.txt")])
    part.zone.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier
        )
    )  # fmt: skip
    assert host.asked[0].inputs == [{"image": str(tmp_path / "red.png")}]
    host.fail()
    said = texts(page.predict.views()[0])
    assert "The picture cannot be read." in said
    assert "Choose a PNG." in said


def test_pictures_that_the_model_did_not_learn_from_can_be_tried(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost, datasets: FakeDatasets
) -> None:
    datasets.held_out = [{"image": "a.png", "label": "cat"}, {"image": "b.png", "label": "dog"}]
    page = open_page(run_of(Architecture.CNN, "Shapes"))
    part = page.predict.part
    assert isinstance(part, FileInput)
    qtbot.waitUntil(lambda: len(part.tries.buttons) == 2, timeout=5000)
    qtbot.mouseClick(part.tries.buttons[1], LEFT)
    assert host.asked[0].inputs == [{"image": "/store/b.png"}]
    assert page.predict.views()[0].batch.shown == ["Test picture 2"]


def test_a_user_gets_items_by_rank(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.FACTORS, "Tastes"))
    part = page.predict.part
    assert isinstance(part, UserInput)
    assert not part.history_row.isVisible()
    qtbot.keyClicks(part.user, "u7")
    qtbot.keyClick(part.user, Qt.Key.Key_Return)
    assert host.asked[0].inputs == [{"user": "u7", "count": 10}]
    host.answer(PredictedItem(items=[("lamp", 4.8), ("rug", 4.1)]))
    bars = page.predict.views()[0].findChild(BarList)
    assert bars is not None
    assert [row.name for row in bars.rows] == ["1. lamp", "2. rug"]
    assert unknown_user_words() not in texts(page.predict.views()[0])


def test_a_user_whom_the_model_does_not_know_is_told(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.FACTORS, "Tastes"))
    part = page.predict.part
    assert isinstance(part, UserInput)
    qtbot.keyClicks(part.user, "nobody")
    qtbot.keyClick(part.user, Qt.Key.Key_Return)
    host.answer(PredictedItem(items=[("lamp", 4.8)], unknown_user=True))
    assert unknown_user_words() in texts(page.predict.views()[0])


def test_a_sequence_model_takes_a_list_of_choices(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.SEQUENCE, "Next"))
    part = page.predict.part
    assert isinstance(part, UserInput)
    qtbot.keyClicks(part.history, "lamp, candle")
    qtbot.mouseClick(part.go, LEFT)
    assert host.asked[0].inputs == [{"history": ["lamp", "candle"], "count": 10}]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (Architecture.LSTM, "box"),
        (Architecture.CNN, "choose"),
        (Architecture.FACTORS, "user"),
        (Architecture.VAE, "go"),
    ],
)
def test_the_keyboard_goes_to_what_is_asked(
    open_page: Callable[..., PlaygroundPage], kind: Architecture, field: str
) -> None:
    page = open_page(run_of(kind, "Model"))
    assert page.predicting
    assert page.focusWidget() is getattr(page.predict.part, field)


def test_a_model_without_another_of_its_kind_says_why_it_is_not_compared(
    open_page: Callable[..., PlaygroundPage],
) -> None:
    page = open_page(run_of(Architecture.CNN, "Shapes"))
    assert not page.chooser.mode.isEnabled()
    assert "no other one like this" in page.chooser.mode.toolTip()


def test_a_model_with_another_of_its_kind_is_compared(open_page: Callable[..., PlaygroundPage]) -> None:
    page = open_page(run_of(Architecture.CNN, "Shapes"), run_of(Architecture.CNN, "More shapes"))
    assert page.chooser.mode.isEnabled()
    assert page.chooser.mode.toolTip() == ""


def test_new_pictures_are_drawn_and_the_seed_counts_up(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost, tmp_path: Path
) -> None:
    page = open_page(run_of(Architecture.VAE, "Draws"))
    part = page.predict.part
    assert isinstance(part, DrawInput)
    part.count.setValue(4)
    qtbot.mouseClick(part.go, LEFT)
    assert host.asked[0].inputs == [{"sample": 4, "seed": 0}]
    sheet = tmp_path / "drawn.png"
    QImage(64, 64, QImage.Format.Format_RGB32).save(str(sheet))
    host.answer(PredictedItem(picture=str(sheet)))
    shown = [label for label in page.predict.views()[0].findChildren(QLabel) if not label.pixmap().isNull()]
    assert shown[0].pixmap().width() == 384  # grown by a whole number of times
    assert part.seed.value() == 1


def test_two_models_side_by_side(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    first, second = run_of(Architecture.LSTM, "First"), run_of(Architecture.GRU, "Second")
    page = open_page(first, second)
    qtbot.mouseClick(page.chooser.mode._buttons["two"], LEFT)
    assert not page.chooser.blind.isVisible()
    qtbot.waitUntil(lambda: len(host.loads) == 2, timeout=5000)
    host.finish_loading(["refund"])
    offered = [page.chooser.second.itemText(n) for n in range(page.chooser.second.count())]
    assert "SmolLM2 135M Instruct" not in offered  # it converses
    part = page.predict.part
    assert isinstance(part, TextInput)
    qtbot.keyClicks(part.box, "Hello")
    qtbot.mouseClick(part.go, LEFT)
    assert [asked.slot for asked in host.asked] == ["a", "b"]
    host.answer(SURE, place=0)
    host.answer(SURE, place=1)
    assert len(page.predict.views()[0].findChildren(BarList)) == 2
    assert {"First", "Second"} <= set(texts(page.predict.views()[0]))


def test_the_kind_of_model_decides_what_is_shown(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.LSTM, "Intents"))
    chat = next(choice for choice in page.choices.all() if choice.base)
    page._choose("a", chat)
    assert not page.predicting
    assert page.chat.composer.isVisible()
    assert page.chooser.panel.isVisible()
    assert host.unloads == ["a"]
    page._choose("a", next(choice for choice in page.choices.all() if choice.title == "Intents"))
    assert page.predicting


def test_answers_survive_a_rebuild(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], host: FakePredictHost
) -> None:
    page = open_page(run_of(Architecture.LSTM, "Intents"))
    part = page.predict.part
    assert isinstance(part, TextInput)
    qtbot.keyClicks(part.box, "Hello")
    qtbot.mouseClick(part.go, LEFT)
    again = PlaygroundPage(page.ctx)
    qtbot.addWidget(again)
    state = page.state()
    page.dispose()
    page.setProperty("gone", True)
    again.restore(state)
    assert again.predicting
    host.answer(SURE)
    assert again.predict.views()[0].findChild(BarList) is not None
    again.dispose()


def test_a_model_whose_files_are_gone_says_so(
    qtbot: QtBot, open_page: Callable[..., PlaygroundPage], services: FakeServices, host: FakePredictHost
) -> None:
    run = run_of(Architecture.LSTM, "Intents")
    page = open_page(run)
    services.runs.broken.add(run.id)
    page.predict.session.retry("a")
    qtbot.waitUntil(lambda: page.seat_lines["a"].retry.isVisible(), timeout=5000)
    part = page.predict.part
    assert isinstance(part, TextInput)
    assert not part.go.isEnabled()
