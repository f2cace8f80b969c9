"""Builds pages when first needed, shows one, and refreshes each only while it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from studio.gui.context import GuiContext
from studio.gui.page import Page, PageEntry, PaletteAction


class PageStack(QStackedWidget):
    """``shown`` carries the page id (str) after a page was entered."""

    shown = Signal(str)

    def __init__(self, ctx: GuiContext, entries: Sequence[PageEntry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._entries = {entry.page_id: entry for entry in entries}
        self._pages: dict[str, Page] = {}
        self._pending: dict[str, Any] = {}
        self._states: dict[str, dict[str, Any]] = {}
        ctx.changes.changed.connect(self._on_changes)

    def current_page(self) -> Page | None:
        """The page on show."""
        widget = self.currentWidget()
        return widget if isinstance(widget, Page) else None

    def page(self, page_id: str) -> Page:
        """The page of that id, built now if need be. Raises KeyError for an unknown id."""
        if page_id not in self._pages:
            page = self._entries[page_id].load()(self._ctx)
            self._pages[page_id] = page
            self.addWidget(page)
            for action in page.palette_actions():
                _bind(page, action)
            if page_id in self._states:
                page.restore(self._states.pop(page_id))
        return self._pages[page_id]

    def go(self, page_id: str, **arguments: Any) -> None:
        """Leave the page on show, refresh what changed meanwhile, and enter another."""
        page = self.page(page_id)
        leaving = self.current_page()
        if leaving is not None and leaving is not page:
            leaving.leave()
        holder = QApplication.focusWidget()
        follows = holder is None or self.isAncestorOf(holder)
        self.setCurrentWidget(page)
        if follows and leaving is not page:
            page.setFocus(Qt.FocusReason.OtherFocusReason)
        missed = self._pending.pop(page_id, None)
        if missed is not None:
            page.refresh(missed)
        page.enter(**arguments)
        self.shown.emit(page_id)

    def actions_of_pages(self) -> list[PaletteAction]:
        """What the built pages offer to the command palette."""
        return [action for page in self._pages.values() for action in page.palette_actions()]

    def unbuilt(self) -> list[PageEntry]:
        """Pages nobody has opened yet."""
        return [entry for page_id, entry in self._entries.items() if page_id not in self._pages]

    def states(self) -> dict[str, dict[str, Any]]:
        """What must survive a rebuild, by page id."""
        return self._states | {page_id: page.state() for page_id, page in self._pages.items()}

    def restore(self, states: dict[str, dict[str, Any]]) -> None:
        """Give pages their state back as each is built."""
        self._states = dict(states)

    def dispose(self) -> None:
        """Leave and throw away all pages."""
        self._ctx.changes.changed.disconnect(self._on_changes)
        leaving = self.current_page()
        if leaving is not None:
            leaving.leave()
        for page in self._pages.values():
            page.dispose()
        self._pages.clear()

    def _on_changes(self, changes: Any) -> None:
        for page_id, page in self._pages.items():
            relevant = changes & page.interests if page.interests is not None else None
            if not relevant:
                continue
            if page is self.current_page():
                page.refresh(relevant)
            else:
                known = self._pending.get(page_id)
                self._pending[page_id] = relevant if known is None else known | relevant


def _bind(page: Page, action: PaletteAction) -> None:
    """Make the action's keys work while the page has the focus."""
    if action.shortcut:
        shortcut = QShortcut(QKeySequence(action.shortcut), page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(action.callback)
