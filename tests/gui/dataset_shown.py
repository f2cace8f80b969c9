"""What the tests of a dataset on show have in common: the view by itself, and its dialogs."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.domain.datasets import DatasetVersion
from studio.gui.context import GuiContext
from studio.gui.pages.data.dataset_view import TABS, DatasetView
from tests.helpers.shown_data import ShownWorkspace

LEFT = Qt.MouseButton.LeftButton
Dialog = TypeVar("Dialog", bound=QWidget)


class Shown:
    """A dataset view that follows to new versions, as the page makes it do."""

    def __init__(self, qtbot: QtBot, ctx: GuiContext, workspace: ShownWorkspace) -> None:
        self.qtbot, self.workspace = qtbot, workspace
        self.view = DatasetView(ctx)
        qtbot.addWidget(self.view)
        self.view.resize(1050, 660)
        self.view.version_made.connect(self.open)
        self.view.show()
        self.view.activateWindow()
        qtbot.waitUntil(self.view.isActiveWindow)  # shortcuts are for the active window

    def open(self, dataset: DatasetVersion) -> None:
        """Show a dataset and wait for its first row and its draft."""
        columns = self.workspace.datasets.columns(dataset.id)
        self.view.show_dataset(dataset, columns)
        self.view.show_use(None, False)
        rows = self.view.rows
        self.qtbot.waitUntil(lambda: rows.draft() is not None)
        if dataset.rows:
            self.qtbot.waitUntil(lambda: rows.index(0, 0).data() not in (None, "…"))

    def tab(self, name: str) -> None:
        """Open a tab by the mouse."""
        place = self.view.tabs.tabBar().tabRect(TABS.index(name)).center()
        self.qtbot.mouseClick(self.view.tabs.tabBar(), LEFT, pos=place)

    def dialog(self, kind: type[Dialog]) -> Dialog:
        """The open dialog of a kind."""
        self.qtbot.waitUntil(lambda: any(each.isVisible() for each in self.view.findChildren(kind)))
        return next(each for each in self.view.findChildren(kind) if each.isVisible())

    def cell(self, row: int, column: str) -> QModelIndex:
        """A cell by the name of its column."""
        return self.view.rows.index(row, list(self.view.rows.names()).index(column))

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        """Press a key where the focus is."""
        target = self.view.focusWidget() or self.view
        held = Qt.KeyboardModifier.NoModifier
        for modifier in modifiers:
            held |= modifier
        self.qtbot.keyClick(target, key, held)
