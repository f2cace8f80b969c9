"""The contract between the main window and a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from studio.gui.context import GuiContext
    from studio.services.changes import Changes


@dataclass(frozen=True)
class PaletteAction:
    """Something the command palette (Ctrl+K) can do. ``shortcut`` is a QKeySequence text, may be empty."""

    id: str
    title: str
    shortcut: str
    callback: Callable[[], None]


class Page(QWidget):
    """A place in the rail.

    Subclasses set ``page_id`` and ``icon`` and build all their text in the constructor with ``_()``: when the language
    changes the window builds every page anew and carries ``state()`` over.
    """

    page_id: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    interests: Changes | None = None  # kinds of change that make refresh() be called; None = none

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ctx = ctx
        self.setObjectName(f"page.{self.page_id}")
        # The page holds the focus until something in it is chosen, so its shortcuts work and no ring strays.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def title(self) -> str:
        """The name in the rail, translated."""
        raise NotImplementedError

    def enter(self, **arguments: Any) -> None:
        """Called each time the page is shown, with the arguments of ``navigator.go``."""

    def leave(self) -> None:
        """Called when another page is shown or the window closes; stop timers here."""

    def refresh(self, changes: Changes) -> None:
        """Something in ``interests`` changed. Called only while visible; otherwise once, at the next showing."""

    def palette_actions(self) -> list[PaletteAction]:
        """Actions for the command palette and their shortcuts."""
        return []

    def state(self) -> dict[str, Any]:
        """What must survive a rebuild (typed text, chosen tab); read before the page is thrown away."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state()`` gave, in the freshly built page."""

    def dispose(self) -> None:
        """The page is about to be thrown away: disconnect from window-wide signals that outlive it."""


@dataclass(frozen=True)
class PageEntry:
    """A page in the rail before it is built.

    title: gives the translated name. load: imports the page's module (maybe in a thread) and returns its class, so that
    plots and the like are not imported at start. foot: stands at the foot of the rail.
    """

    page_id: str
    title: Callable[[], str]
    icon: str
    load: Callable[[], Callable[[GuiContext], Page]]
    foot: bool = False
