"""A dataset on show over a real workspace: edited, saved, compared, taken back, measured, labelled, exported."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.bootstrap import Services, open_workspace
from studio.domain.datasets import DatasetVersion, ImportSpec
from studio.domain.recipes import SplitStep
from studio.domain.shapes import ColumnRole, Shape
from studio.gui.context import GuiContext
from studio.gui.models.diff_table import PIECES_ROLE, DiffColumn
from studio.gui.pages.data.dataset_view import TABS, DatasetView
from studio.gui.pages.data.editing.replace_dialog import ReplaceDialog
from studio.gui.pages.data.export.export_dialog import ExportDialog
from studio.services.settings import SettingsService

PATIENCE_MS = 60_000  # a child process starts Python and polars
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = open_workspace(tmp_path / "workspace", settings=SettingsService(tmp_path / "settings.json"))
    yield opened
    opened.close()


@pytest.fixture
def view(qtbot: QtBot, make_context: Callable[..., GuiContext], services: Services) -> DatasetView:
    made = DatasetView(make_context(**vars(services)))
    qtbot.addWidget(made)
    made.resize(1050, 660)
    made.show()
    return made


@pytest.fixture
def requests(services: Services, tmp_path: Path) -> DatasetVersion:
    """120 texts, two thirds of them labelled."""
    source = tmp_path / "requests.csv"
    kinds = [
        ("Where is my parcel {n}?", "Delivery"),
        ("Please give me the money for order {n} back.", "Refund"),
    ]
    with source.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["text", "label"])
        for n in range(120):
            text, label = kinds[n % 2]
            out.writerow([text.format(n=n), label if n % 3 else ""])
    roles = {"text": ColumnRole.TEXT, "label": ColumnRole.LABEL}
    return services.datasets.import_(ImportSpec(source=str(source), shape=Shape.TEXT_LABEL, roles=roles))


@pytest.mark.slow
def test_the_whole_way_of_a_dataset(
    qtbot: QtBot, view: DatasetView, services: Services, requests: DatasetVersion, tmp_path: Path
) -> None:
    def follow(version: DatasetVersion) -> None:
        view.show_dataset(version, services.datasets.columns(version.id))

    def number(wanted: int) -> None:
        qtbot.waitUntil(
            lambda: view.dataset is not None and view.dataset.number == wanted, timeout=PATIENCE_MS
        )
        qtbot.waitUntil(lambda: view.rows.draft() is not None)

    view.version_made.connect(follow)
    follow(requests)
    number(1)
    text = list(view.rows.names()).index("text")
    qtbot.waitUntil(lambda: view.rows.index(0, text).data() == "Where is my parcel 0?")

    # edited by hand, saved as a version
    assert view.rows.put(view.rows.index(0, text), "Where is my new parcel 0?")
    view.rows_panel._save("One word")
    number(2)
    assert view.dataset is not None
    assert view.dataset.note == "One word"

    # find and replace
    view.replace()
    form = view.findChildren(ReplaceDialog)[-1]
    qtbot.keyClicks(form.wanted, "money")
    qtbot.keyClicks(form.replacement, "cash")
    qtbot.waitUntil(form.confirm.isEnabled, timeout=PATIENCE_MS)
    assert form.preview.summary.text() == "60 rows change."
    qtbot.mouseClick(form.confirm, LEFT)
    number(3)

    # compared with the import
    view.tabs.setCurrentIndex(TABS.index("versions"))
    qtbot.waitUntil(lambda: view.versions.table.rowCount() == 3)
    versions = [view.versions.table.version(row) for row in (2, 1)]
    view.versions.comparison.compare(versions[0], versions[1])
    table = view.versions.comparison.table
    qtbot.waitUntil(lambda: table.rowCount() == 1, timeout=PATIENCE_MS)
    after = table.index(0, DiffColumn.AFTER)
    qtbot.waitUntil(lambda: after.data(PIECES_ROLE) is not None, timeout=PATIENCE_MS)
    assert [piece.text.strip() for piece in after.data(PIECES_ROLE) if piece.changed] == ["new"]

    # taken back and made again
    view.versions.undo_step()
    number(2)
    view.versions.redo_step()
    number(3)

    # measured
    view.tabs.setCurrentIndex(TABS.index("facts"))
    qtbot.waitUntil(lambda: view.statistics.statistics is not None, timeout=PATIENCE_MS)

    # labelled, the most uncertain first
    view.label()
    page = view.labeller
    qtbot.waitUntil(
        lambda: page.session is not None and page.session.cells() is not None, timeout=PATIENCE_MS
    )
    assert page.session is not None
    assert page.session.labelled == 80
    qtbot.keyClick(page, Qt.Key.Key_1)
    assert view.rows_panel.pending() == 1
    page.leave()

    # exported
    view.export()
    out = view.findChildren(ExportDialog)[-1]
    out.place.setText(str(tmp_path / "out.csv"))
    qtbot.mouseClick(out.confirm, LEFT)
    qtbot.waitUntil(out.show_folder.isVisible, timeout=PATIENCE_MS)
    assert "cash" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    view.clear()


@pytest.mark.slow
def test_a_split_keeps_near_duplicates_together(services: Services, requests: DatasetVersion) -> None:
    """The step that the dialog makes is one that the engine knows."""
    step = SplitStep(validation=0.2, test=0.2, group_by="near-duplicates", stratify=True)
    preview = services.versions.try_step(requests.id, step)
    assert preview.changed >= 0
    made = services.versions.derive(requests.id, [step])
    assert sum(made.splits.values()) == 120
