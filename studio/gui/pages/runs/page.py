"""The Runs page: Current (one run in full), Queue, Search, Folds, and History (all runs), chosen at the top."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from studio.domain.runs import Run
from studio.gui.context import GuiContext
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.runs.current import CurrentView
from studio.gui.pages.runs.folds import FoldsView
from studio.gui.pages.runs.history import HistoryView
from studio.gui.pages.runs.queue import QueueView
from studio.gui.pages.runs.search import SearchView
from studio.gui.theme import current_tokens
from studio.gui.widgets import PageHeader, SegmentedControl
from studio.i18n import _
from studio.protocol.events import Event
from studio.services.changes import Changes


class RunsPage(Page):
    """``navigator.go("runs", run_id=…)`` shows that run; ``go("runs", view="history")`` the list, and so on.

    ``go("runs", view="search", plan=…)`` opens the form of a new search like this plan, "folds" that of a K-fold;
    the Train page asks for it, and is shown again when the form is cancelled. seconds: what such a run takes.
    """

    page_id: ClassVar[str] = "runs"
    icon: ClassVar[str] = "runs"
    interests = Changes.RUNS | Changes.MATRIX

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__(ctx)
        self.views = SegmentedControl(
            [
                ("current", _("Current")), ("queue", _("Queue")), ("search", _("Search")), ("folds", _("Folds")),
                ("history", _("History")),
            ]
        )  # fmt: skip
        self.views.setAccessibleName(_("What to show"))
        self.current = CurrentView(ctx)
        self.history = HistoryView(ctx)
        self.queue = QueueView(ctx)
        self.search = SearchView(ctx)
        self.folds = FoldsView(ctx)
        self._views: dict[str, CurrentView | QueueView | SearchView | FoldsView | HistoryView] = {
            "current": self.current, "queue": self.queue, "search": self.search, "folds": self.folds,
            "history": self.history,
        }  # fmt: skip
        self._stack = QStackedWidget()
        for view in self._views.values():
            self._stack.addWidget(view)
        header = PageHeader(_("Runs"), "", self.views)
        space = current_tokens().space
        header.setContentsMargins(space.xl, space.l, space.xl, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(self._stack, 1)
        self.views.changed.connect(self._on_view)
        for listing in (self.queue, self.search, self.folds, self.history):
            listing.opened.connect(self._open)
        for begun in (self.search, self.folds):
            begun.given_up.connect(lambda: self.ctx.navigator.go("train"))
        self.search.use_asked.connect(lambda plan: self.ctx.navigator.go("train", plan=plan))
        self.current.try_asked.connect(self._try)
        self.current.again_asked.connect(self._again)
        if ctx.jobs is not None:
            ctx.jobs.run_events.connect(self._on_events)

    def title(self) -> str:
        return _("Runs")

    def enter(self, **arguments: Any) -> None:
        asked = str(arguments.get("view", "current"))
        view = asked if asked in self._views else "current"
        if "plan" in arguments and view == "folds":
            self.folds.begin_with(arguments["plan"])
        elif "plan" in arguments:
            self.search.begin_with(arguments["plan"], arguments.get("seconds"))
        if "run_id" in arguments:
            self.current.show_run(arguments["run_id"])
        if arguments:
            self.views.choose(view)
        self._wake()

    def leave(self) -> None:
        for view in self._views.values():
            view.sleep()

    def refresh(self, changes: Changes) -> None:
        self._views[self.views.current()].reload()

    def palette_actions(self) -> list[PaletteAction]:
        return [
            PaletteAction("runs.current", _("Show the current run"), "", lambda: self._go("current")),
            PaletteAction("runs.queue", _("Show the queue of runs"), "", lambda: self._go("queue")),
            PaletteAction("runs.search", _("Search for good settings"), "", lambda: self._go("search")),
            PaletteAction("runs.folds", _("Check settings by folds"), "", lambda: self._go("folds")),
            PaletteAction("runs.history", _("Show the history of runs"), "", lambda: self._go("history")),
        ]

    def state(self) -> dict[str, Any]:
        return {"view": self.views.current(), "run_id": self.current.wish}

    def restore(self, state: dict[str, Any]) -> None:
        self.views.choose(str(state.get("view", "current")))
        self.current.show_run(state.get("run_id"))

    def dispose(self) -> None:
        self.leave()
        if self.ctx.jobs is not None:
            self.ctx.jobs.run_events.disconnect(self._on_events)
        self.current.dispose()
        self.queue.dispose()
        self.history.dispose()

    def _go(self, view: str) -> None:
        self.ctx.navigator.go("runs", view=view)

    def _on_view(self, view: str) -> None:
        self._stack.setCurrentWidget(self._views[view])
        if self.isVisible():
            self._wake()

    def _wake(self) -> None:
        for key, view in self._views.items():
            if key != self.views.current():
                view.sleep()
        self._views[self.views.current()].wake()

    def _on_events(self, news: tuple[str, list[Event]]) -> None:
        self.current.take_events(*news)

    def _open(self, run_id: str) -> None:
        self.current.show_run(run_id)
        self.views.choose("current")

    def _try(self, run: Run) -> None:
        self.ctx.navigator.go("playground", run_id=run.id)

    def _again(self, run: Run) -> None:
        self.ctx.navigator.go("train", from_run=run.id)
