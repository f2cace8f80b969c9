"""The data and matrix pages over a real workspace: database, child processes, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.bootstrap import open_workspace
from studio.domain.datasets import ImportSpec
from studio.domain.shapes import Shape
from studio.gui.context import GuiContext
from studio.gui.pages.data import DataPage
from studio.gui.pages.matrix import MatrixPage
from studio.services.settings import SettingsService

PATIENCE_MS = 60_000  # a child process starts Python and polars


@pytest.fixture
def context(make_context: Callable[..., GuiContext], tmp_path: Path) -> Iterator[GuiContext]:
    services = open_workspace(tmp_path / "workspace", settings=SettingsService(tmp_path / "settings.json"))
    yield make_context(**{each.name: getattr(services, each.name) for each in fields(services)})
    services.close()


def test_a_real_file_becomes_rows_and_a_cell_of_the_matrix(
    qtbot: QtBot, context: GuiContext, tmp_path: Path
) -> None:
    source = tmp_path / "shop.csv"
    lines = [f"Where is order {n}?,It comes on day {n}." for n in range(300)]
    source.write_text("\n".join(["question,answer", *lines, "No answer here,"]), encoding="utf-8")
    matrix = context.services.matrices.create("Shop", "Assistant")
    assert matrix.core is not None
    context.navigator.set_matrix(matrix.id)
    context.navigator.set_product(matrix.core.id)
    page = DataPage(context)
    qtbot.addWidget(page)
    context.changes.changed.connect(page.refresh)
    page.resize(1050, 660)
    page.show()
    page.open_file(source)
    qtbot.waitUntil(page.form.isVisible, timeout=PATIENCE_MS)
    qtbot.mouseClick(page.form.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.dataset_view.isVisible, timeout=PATIENCE_MS)
    view = page.dataset_view
    assert view.dataset is not None
    assert (view.dataset.rows, view.dataset.rejected) == (300, 1)
    view.tabs.setCurrentIndex(0)
    question = next(i for i in range(view.rows.columnCount()) if view.rows.name(i) == "prompt")
    qtbot.waitUntil(lambda: view.rows.index(0, question).data() == "Where is order 0?")
    assert view.rows.index(0, 0).data() == "1"
    view.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: view.rejected.index(0, 0).data() == "301")
    qtbot.waitUntil(view.header.use.isVisible)
    qtbot.mouseClick(view.header.use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(view.header.train.isVisible)
    home = MatrixPage(context)
    qtbot.addWidget(home)
    home.enter()
    qtbot.waitUntil(lambda: home.table_view.model.rowCount() == 1)
    assert home.table_view.model.index(0, 2).data() == "shop"
    assert home.table_view.model.index(0, 3).data() == "Train"
    context.changes.changed.disconnect(page.refresh)
    page.dispose()
    home.dispose()


def test_a_picture_named_csv_is_explained(qtbot: QtBot, context: GuiContext, tmp_path: Path) -> None:
    source = tmp_path / "photo.csv"
    source.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    page = DataPage(context)
    qtbot.addWidget(page)
    page.show()
    page.open_file(source)
    qtbot.waitUntil(page.problem.isVisible, timeout=PATIENCE_MS)
    assert page.problem.line.text.text()
    assert page.problem.line.hint.text()
    page.dispose()


def test_plain_texts_are_made_ready_and_labelled(qtbot: QtBot, context: GuiContext, tmp_path: Path) -> None:
    source = tmp_path / "texts.csv"
    source.write_text("text\n" + "".join(f"Text number {n} of many\n" for n in range(20)), encoding="utf-8")
    texts = context.services.datasets.import_(ImportSpec(source=str(source), name="texts", shape=Shape.TEXT))
    page = DataPage(context)
    qtbot.addWidget(page)
    context.changes.changed.connect(page.refresh)
    page.resize(1050, 660)
    page.show()
    page.show_dataset(texts.id)
    view = page.dataset_view
    qtbot.waitUntil(lambda: view.header.label.isVisible() and view.rows.draft() is not None)
    assert view.header.label.text() == "Label these texts…"
    qtbot.mouseClick(view.header.label, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(view.labelling, timeout=PATIENCE_MS)
    session = view.labeller.session
    assert session is not None
    qtbot.waitUntil(lambda: session.cells() is not None, timeout=PATIENCE_MS)
    assert view.labeller.text.text().startswith("Text number")
    assert view.dataset is not None
    assert (view.dataset.shape, view.dataset.rows, view.dataset.name) == (
        Shape.TEXT_LABEL,
        20,
        "texts (to label)",
    )
    session.choose("news")
    assert session.done() == 1
    context.changes.changed.disconnect(page.refresh)
    page.dispose()
