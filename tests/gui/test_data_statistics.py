"""Statistics, card and export of a dataset on show."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QTextTable
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics, Histogram
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import AskDialog
from studio.gui.pages.data.export.card_dialog import CardDialog
from studio.gui.pages.data.export.export_dialog import ExportDialog
from studio.gui.pages.data.statistics import readings
from studio.gui.pages.data.statistics.charts import BarList, HistogramPlot
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Card
from tests.gui.dataset_shown import LEFT, Shown
from tests.helpers.shown_data import ShownWorkspace, statistics

TEXTS = [{"text": f"Request {n}", "label": "Refund" if n % 2 else "Other"} for n in range(8)]


@pytest.fixture
def workspace(tmp_path: Path) -> ShownWorkspace:
    return ShownWorkspace(tmp_path)


@pytest.fixture
def shown(qtbot: QtBot, make_context: Callable[..., GuiContext], workspace: ShownWorkspace) -> Shown:
    return Shown(qtbot, make_context(**workspace.services()), workspace)


def cards(shown: Shown) -> dict[str, Card]:
    """The cards of the statistics by title."""
    return {card.accessibleName(): card for card in shown.view.statistics._shown.findChildren(Card)}


def test_small_data_is_measured_when_the_tab_opens(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    assert workspace.shown_job.measured == 0  # nobody looked yet
    shown.tab("facts")
    view = shown.view.statistics
    qtbot.waitUntil(lambda: view.statistics is not None)
    found = cards(shown)
    assert set(found) == {
        "Labels",
        "Length: Text",
        "Languages",
        "Duplicates",
        "How the tokenizer fits",
        "Examples",
    }
    for card in found.values():
        assert [text for text in card.findChildren(BodyText) if text.text()]  # each is read in a sentence
    assert found["Length: Text"].findChildren(HistogramPlot)[0].accessibleName().startswith("0 to 9: 5 rows")
    bars = found["Labels"].findChildren(BarList)[0]
    assert bars.bars[0].name == "Refund"
    assert "Refund: 7 (Training 6, Test 1)" in bars.accessibleDescription()
    assert "Where is my parcel?" in found["Examples"].findChildren(BodyText)[0].text()
    assert "estimated" in view._foot.text()
    shown.tab("rows")
    shown.tab("facts")
    assert workspace.shown_job.measured == 1


def test_large_data_waits_to_be_asked_and_can_be_cancelled(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    made = workspace.add_rows(Shape.TEXT_LABEL, TEXTS)
    workspace.dataset_store.stored[made.id] = made = made.model_copy(update={"rows": 3_000_000})
    shown.open(made)
    shown.tab("facts")
    view = shown.view.statistics
    qtbot.waitUntil(view.measure.isVisible)
    assert workspace.shown_job.measured == 0
    workspace.shown_job.gate = threading.Event()
    qtbot.mouseClick(view.measure, LEFT)
    qtbot.waitUntil(lambda: "1 / 4" in view.panel._figures.text())
    qtbot.mouseClick(view.panel.cancel, LEFT)
    qtbot.waitUntil(view.measure.isVisible)
    workspace.shown_job.gate.set()
    qtbot.mouseClick(view.measure, LEFT)
    qtbot.waitUntil(lambda: view.statistics is not None)


def test_sentences_say_what_the_figures_mean() -> None:
    figures = DatasetStatistics.model_validate(statistics("d"))
    labels = readings.label_reading({"a": {"train": 60, "test": 2}, "b": {"train": 5}, "": {"train": 3}})
    assert "Uneven: “a” has 12 times as many rows as “b”" in labels
    assert "1 label has no test row" in labels
    assert "3 rows wait for a label" in labels
    assert "far longer" in readings.length_reading(figures.lengths[0])
    assert "several languages, most in English" in readings.language_reading(figures.languages)
    assert readings.language_reading({"zh": 1.0}) == "Nearly all rows are in one language: Chinese."
    assert "2 rows (22.2%) repeat" in readings.duplicate_reading(figures)
    assert figures.vocabulary is not None
    assert "30% of the tokens" in readings.vocabulary_reading(figures.vocabulary)
    assert "less sure" in readings.split_reading({"train": 9})


def test_the_mark_stands_behind_the_bar_of_its_length(qtbot: QtBot) -> None:
    lengths = Histogram(
        column="text",
        unit="characters",
        edges=[21, 22, 23, 36],
        counts=[60, 36, 4],
        p50=21,
        p95=22,
        longest=36,
    )
    plot = HistogramPlot(lengths)
    qtbot.addWidget(plot)
    assert plot.accessibleName() == "21: 60 rows; 22: 36 rows; 23 to 36: 4 rows"
    assert plot.mark() == pytest.approx(2 / 3)


def test_a_histogram_of_nothing_or_of_one_value_is_drawn(qtbot: QtBot) -> None:
    for counts, edges in (([0], [0.0, 1.0]), ([7], [5.0, 5.0]), ([], [])):
        histogram = Histogram(column="text", unit="", edges=edges, counts=counts, p50=5, p95=5, longest=5)
        plot = HistogramPlot(histogram)
        qtbot.addWidget(plot)
        assert not plot.grab().isNull()


def test_export_goes_to_a_file_and_shows_the_folder(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    rows = [{**row, "split": "test" if n == 3 else "train"} for n, row in enumerate(TEXTS)]
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, rows))
    shown.view.header.actions_by_name["export"].trigger()
    form = shown.dialog(ExportDialog)
    assert form.place.text().endswith(".csv")
    form.format.choose("jsonl")
    assert form.place.text().endswith(".jsonl")
    form.place.setText(str(tmp_path / "nowhere" / "x.jsonl"))
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(form.problem.isVisible)
    assert "no folder" in form.problem.text.text()
    form.place.setText(str(tmp_path / "out.jsonl"))
    next(iter(form.parts.values())).click()  # without the training rows
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(form.show_folder.isVisible)
    sent = workspace.shown_job.exported[-1]
    assert (sent["format"], sent["splits"]) == ("jsonl", ["test"])
    qtbot.mouseClick(form.show_folder, LEFT)
    assert opened == [QUrl.fromLocalFile(str(tmp_path))]
    qtbot.mouseClick(form.close_button, LEFT)


def test_a_file_that_is_there_is_replaced_only_after_a_question(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _place: str(tmp_path))
    (tmp_path / "Requests.csv").write_text("mine")
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS, name="Requests"))
    shown.view.export()
    form = shown.dialog(ExportDialog)
    assert form.place.text() == str(tmp_path / "Requests 2.csv")  # proposed: a name that is free
    form.place.setText(str(tmp_path / "Requests.csv"))
    answers, questions = iter(["no", "yes"]), []

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AskDialog)
        questions.append(dialog.windowTitle())
        qtbot.mouseClick(dialog.buttons[next(answers)], LEFT)

    QTimer.singleShot(0, answer)
    qtbot.mouseClick(form.confirm, LEFT)
    assert (len(questions), workspace.shown_job.exported) == (1, [])
    QTimer.singleShot(0, answer)
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(form.show_folder.isVisible)
    assert len(questions) == 2


def test_export_can_be_cancelled(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, tmp_path: Path
) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    shown.view.export()
    form = shown.dialog(ExportDialog)
    form.place.setText(str(tmp_path / "out.csv"))
    workspace.shown_job.gate = threading.Event()
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: "1 / 2" in form.panel._figures.text())
    qtbot.mouseClick(form.panel.cancel, LEFT)
    qtbot.waitUntil(form.confirm.isVisible)
    assert not (tmp_path / "out.csv").exists()


def test_the_card_is_shown_and_saved(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, tmp_path: Path
) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS, name="Requests"))
    shown.view.header.actions_by_name["card"].trigger()
    dialog = shown.dialog(CardDialog)
    qtbot.waitUntil(dialog.save.isEnabled)
    assert "8 rows." in dialog.text.toPlainText()
    assert "#" not in dialog.text.toPlainText()  # rendered, not as source
    table = next(
        each for each in dialog.text.document().rootFrame().childFrames() if isinstance(each, QTextTable)
    )
    assert table.format().borderBrush().color() == QColor(current_tokens().border)
    dialog.save_to(tmp_path / "README.md")
    qtbot.waitUntil(lambda: bool(dialog.saved.text()))
    assert (tmp_path / "README.md").read_text(encoding="utf-8").startswith("# Requests")


def test_a_licence_is_stated_where_the_card_is_shown(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    made = workspace.add_rows(Shape.TEXT_LABEL, TEXTS)
    shown.open(made)
    shown.view.show_card()
    dialog = shown.dialog(CardDialog)
    qtbot.waitUntil(dialog.save.isEnabled)
    assert not dialog.state.isEnabled()
    qtbot.keyClicks(dialog.licence, "CC BY 4.0")
    qtbot.keyClick(dialog.licence, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "CC BY 4.0" in dialog.text.toPlainText())
    assert workspace.datasets.get(made.id).spec.licence == "CC BY 4.0"
    assert not dialog.state.isEnabled()


def test_the_card_is_offered_to_be_saved_among_the_documents(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _place: str(tmp_path))
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS, name="Returns 1/2"))
    shown.view.show_card()
    dialog = shown.dialog(CardDialog)
    qtbot.waitUntil(dialog.save.isEnabled)
    qtbot.mouseClick(dialog.save, LEFT)
    (files,) = dialog.findChildren(QFileDialog)
    assert files.directory().path() == str(tmp_path)
    assert [Path(path).name for path in files.selectedFiles()] == ["Returns 1_2, dataset card.md"]
    files.reject()
