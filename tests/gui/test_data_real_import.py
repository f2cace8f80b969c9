"""Import and doctor over a real workspace: child processes, Parquet, a hub on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.bootstrap import open_workspace
from studio.domain.recipes import FindingKind
from studio.domain.shapes import Shape
from studio.gui.context import GuiContext
from studio.gui.notices import Notice
from studio.gui.pages.data import DataPage
from studio.gui.pages.data.doctor.fix_all import FixAllDialog
from studio.gui.pages.data.sources.hub import HubDialog
from studio.services.settings import SettingsService
from tests.helpers.hub_server import HubServer

LEFT = Qt.MouseButton.LeftButton
PATIENCE_MS = 90_000  # a child process starts Python and polars; the doctor loads its word lists


@pytest.fixture
def context(make_context: Callable[..., GuiContext], tmp_path: Path) -> Iterator[GuiContext]:
    settings = SettingsService(tmp_path / "settings.json")
    services = open_workspace(tmp_path / "workspace", settings=settings)
    yield make_context(**{each.name: getattr(services, each.name) for each in fields(services)})
    services.close()


@pytest.fixture
def page(qtbot: QtBot, context: GuiContext) -> Iterator[DataPage]:
    made = DataPage(context)
    qtbot.addWidget(made)
    context.changes.changed.connect(made.refresh)
    made.resize(1280, 740)
    made.show()
    made.enter()
    yield made
    context.changes.changed.disconnect(made.refresh)
    made.dispose()


def shop(path: Path) -> Path:
    """200 rows of which 20 are said twice and all answers carry HTML."""
    topics = ("the red kettle", "a broken lamp", "my late parcel", "the wrong size", "a lost receipt")
    lines = [
        f"What can I do about {topics[n % 5]} of order {n * 7919}?,<p>Please write to desk {n} about it.</p>"
        for n in range(180)
    ]
    path.write_text("\n".join(["question,answer", *lines, *lines[:20]]), encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_example_of_judged_answers_is_chosen_from_the_menu(
    qtbot: QtBot, page: DataPage, context: GuiContext
) -> None:
    qtbot.mouseClick(page.start.sample, LEFT)
    qtbot.waitUntil(page.start.samples.isVisible)
    (judged,) = [each for each in page.start.samples.actions() if each.text().startswith("Better and worse")]
    qtbot.mouseClick(page.start.samples, LEFT, pos=page.start.samples.actionGeometry(judged).center())
    qtbot.waitUntil(page.dataset_view.doctor.findings.isVisible, timeout=PATIENCE_MS)
    (dataset,) = context.services.datasets.list()
    assert (dataset.shape, dataset.rows, dataset.rejected) == (Shape.PREFERENCE, 88, 0)


@pytest.mark.slow
def test_import_examine_fix_all_and_undo(
    qtbot: QtBot, page: DataPage, context: GuiContext, tmp_path: Path
) -> None:
    notices: list[Notice] = []
    context.notices.posted.connect(notices.append)
    page.open_paths([shop(tmp_path / "shop.csv")])
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    qtbot.mouseClick(page.form.start, LEFT)
    panel = page.dataset_view.doctor
    qtbot.waitUntil(panel.findings.isVisible, timeout=PATIENCE_MS)  # nobody asked for it
    kinds = {card.finding.kind for card in panel.findings.cards}
    assert {FindingKind.MARKUP, FindingKind.EXACT_DUPLICATES} <= kinds
    first = page.dataset_view.dataset
    assert first is not None
    assert first.rows == 200
    qtbot.mouseClick(panel.findings.fix_all, LEFT)
    dialog = panel.findChild(FixAllDialog)
    assert isinstance(dialog, FixAllDialog)
    assert "removed" in dialog.total.text()
    qtbot.mouseClick(dialog.confirm, LEFT)
    view = page.dataset_view
    qtbot.waitUntil(lambda: view.dataset is not None and view.dataset.number == 2, timeout=PATIENCE_MS)
    assert view.dataset is not None
    assert view.dataset.rows <= 180
    undo = next(notice for notice in notices if notice.action_label == "Undo")
    qtbot.waitUntil(lambda: panel.findings.isVisible() or panel.problem.isVisible(), timeout=PATIENCE_MS)
    assert panel.report is not None
    assert FindingKind.MARKUP not in {finding.kind for finding in panel.report.findings}
    assert undo.action is not None
    undo.action()
    qtbot.waitUntil(lambda: view.dataset is not None and view.dataset.id == first.id, timeout=PATIENCE_MS)
    qtbot.waitUntil(panel.findings.isVisible, timeout=PATIENCE_MS)  # the kept report, at once


def _texts(path: Path) -> None:
    """Six passages with commas, as in any novel."""
    path.write_text("\n\n".join(f"Chapter {n}, in which it rains, and nobody comes." for n in range(6)))


def _table(path: Path) -> None:
    """Six rows in the format of the file's name."""
    rows = [
        {"question": f"Where is order {n}, please?", "answer": f"On its way, number {n}."} for n in range(6)
    ]
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    elif path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        lines = [("question", "answer"), *((row["question"], row["answer"]) for row in rows)]
        path.write_text("\n".join("\t".join(line) for line in lines))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("novel.txt", _texts), ("novel.md", _texts), ("shop.tsv", _table), ("shop.json", _table),
        ("shop.jsonl", _table), ("shop.parquet", _table),
    ],
)  # fmt: skip
def test_what_the_form_showed_is_what_is_imported(
    qtbot: QtBot, page: DataPage, tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    page.open_paths([tmp_path / name])
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    shown = page.form.contents.table.rowCount()
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(page.dataset_view.isVisible, timeout=PATIENCE_MS)
    dataset = page.dataset_view.dataset
    assert dataset is not None
    assert (dataset.rows, dataset.rejected) == (shown, 0)


@pytest.mark.slow
def test_the_table_of_a_web_page_is_imported_as_it_was_shown(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    rows = "".join(f"<tr><td>Where is order {n}?</td><td>In house {n}.</td></tr>" for n in range(12))
    web = tmp_path / "faq.html"
    web.write_text(
        f"<!doctype html><h1>FAQ</h1><table><tr><th>question</th><th>answer</th></tr>{rows}</table>",
        encoding="utf-8",
    )
    page.open_paths([web])
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    assert page.form.contents.sheet.currentText() == "Table 1"
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(page.dataset_view.isVisible, timeout=PATIENCE_MS)
    shown = page.dataset_view.dataset
    assert shown is not None
    assert (shown.rows, shown.shape) == (12, Shape.PROMPT_RESPONSE)


def test_a_folder_of_pictures_shows_them(qtbot: QtBot, page: DataPage, tmp_path: Path) -> None:
    folder = tmp_path / "animals"
    for label, colour in (("cat", "teal"), ("dog", "orange")):
        (folder / label).mkdir(parents=True)
        for number in range(3):
            image = QImage(64, 48, QImage.Format.Format_RGB32)
            image.fill(QColor(colour).lighter(100 + 10 * number))
            assert image.save(str(folder / label / f"{number}.png"))
    (folder / "notes.bin").write_bytes(b"\0\1\2")
    page.open_paths([folder])
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    assert page.form.table.shape() is Shape.IMAGE_LABEL
    table = page.form.table
    column = [table.role(section).value for section in range(table.columnCount())].index("image")
    qtbot.waitUntil(lambda: table.index(0, column).data(Qt.ItemDataRole.DecorationRole) is not None)
    assert "left out" in page.form.contents.members.words()


@pytest.mark.slow
def test_a_pasted_table_is_imported(qtbot: QtBot, page: DataPage) -> None:
    QApplication.clipboard().setText(
        "question\tanswer\n" + "".join(f"Why {n}?\tBecause {n}.\n" for n in range(30))
    )
    qtbot.mouseClick(page.start.paste, LEFT)
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    assert page.form.name.text() == "Pasted text"
    assert list(page.form.table.columns()) == ["question", "answer"]
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(page.dataset_view.isVisible, timeout=PATIENCE_MS)
    assert page.dataset_view.dataset is not None
    assert page.dataset_view.dataset.rows == 30


@pytest.mark.slow
def test_another_shape_is_read_by_the_real_reader(qtbot: QtBot, page: DataPage, tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(
        "text,label\n" + "".join(f"Thing {n} is fine,good\n" for n in range(40)), encoding="utf-8"
    )
    page.open_paths([path])
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    assert page.form.table.shape() is Shape.TEXT_LABEL
    page.form.contents.choose_shape(Shape.PROMPT_RESPONSE)
    qtbot.waitUntil(lambda: page.form.table.shape() is Shape.PROMPT_RESPONSE, timeout=PATIENCE_MS)
    assert page.form.table.missing() == []


def test_a_dataset_from_a_hub_needs_consent_and_names_its_host(
    qtbot: QtBot, page: DataPage, context: GuiContext, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with HubServer(tmp_path / "empty") as hub:
        hub.dataset = {"train.csv": b"question,answer\n" + b"".join(b"q%d,a%d\n" % (n, n) for n in range(20))}
        context.services.settings.update(hub="mirror", hub_mirror=hub.url)
        qtbot.mouseClick(page.start.hub, LEFT)
        dialog = page.findChild(HubDialog)
        assert isinstance(dialog, HubDialog)
        assert hub.url.removeprefix("http://") in dialog.consent.text()
        assert hub.requests == []
        qtbot.keyClicks(dialog.repository, hub.repo)
        qtbot.mouseClick(dialog.get, LEFT)
        qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
        assert context.services.settings.current.hub_consent
        assert hub.requests
    assert page.form.name.text() == "llama"
    assert list(page.form.table.columns()) == ["question", "answer"]


def test_a_fetch_is_cancelled_in_its_dialog(
    qtbot: QtBot, page: DataPage, context: GuiContext, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with HubServer(tmp_path / "empty") as hub:
        hub.dataset = {"train.csv": b"question,answer\n" + b"where,here\n" * 300_000}
        hub.chunk_delay_s = 0.2
        context.services.settings.update(hub="mirror", hub_mirror=hub.url)
        qtbot.mouseClick(page.start.hub, LEFT)
        dialog = page.findChild(HubDialog)
        assert isinstance(dialog, HubDialog)
        qtbot.keyClicks(dialog.repository, hub.repo)
        qtbot.mouseClick(dialog.get, LEFT)
        qtbot.waitUntil(lambda: "MB" in dialog.progress._figures.text(), timeout=PATIENCE_MS)
        assert not dialog.get.isEnabled()
        qtbot.mouseClick(dialog.progress.cancel, LEFT)
        qtbot.waitUntil(dialog.get.isEnabled, timeout=PATIENCE_MS)
        assert not dialog.progress.isVisible()
        assert not dialog.problem.isVisible()  # who cancels needs no explanation
        dialog.reject()
    assert page.start.isVisible()


@pytest.mark.slow
def test_cancel_while_a_large_file_is_imported(qtbot: QtBot, page: DataPage, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    line = "Where is my order?,It is on its way to you and will be there tomorrow morning.\n"
    path.write_text("question,answer\n" + line * 400_000, encoding="utf-8")
    page.open_paths([path])
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(lambda: "MB" in page.working.panel._figures.text(), timeout=PATIENCE_MS)
    qtbot.mouseClick(page.working.panel.cancel, LEFT)
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    assert page.ctx.services.datasets.list() == []
