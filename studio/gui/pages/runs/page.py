"""The Runs page: Current (one run in full) and History (all of them), chosen at the top."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from studio.domain.runs import Run
from studio.gui.context import GuiContext
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.runs.current import CurrentView
from studio.gui.pages.runs.history import HistoryView
from studio.gui.theme import current_tokens
from studio.gui.widgets import PageHeader, SegmentedControl
from studio.i18n import _
from studio.protocol.events import Event
from studio.services.changes import Changes


class RunsPage(Page):
    """``navigator.go("runs", run_id=…)`` shows that run; ``go("runs", view="history")`` the list."""

    page_id: ClassVar[str] = "runs"
    icon: ClassVar[str] = "runs"
    interests = Changes.RUNS | Changes.MATRIX

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__(ctx)
        self.views = SegmentedControl([("current", _("Current")), ("history", _("History"))])
        self.views.setAccessibleName(_("What to show"))
        self.current = CurrentView(ctx)
        self.history = HistoryView(ctx)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.current)
        self._stack.addWidget(self.history)
        header = PageHeader(_("Runs"), "", self.views)
        space = current_tokens().space
        header.setContentsMargins(space.xl, space.l, space.xl, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(self._stack, 1)
        self.views.changed.connect(self._on_view)
        self.history.opened.connect(self._open)
        self.current.try_asked.connect(self._try)
        self.current.again_asked.connect(self._again)
        if ctx.jobs is not None:
            ctx.jobs.run_events.connect(self._on_events)

    def title(self) -> str:
        return _("Runs")

    def enter(self, **arguments: Any) -> None:
        view = "history" if arguments.get("view") == "history" else "current"
        if "run_id" in arguments:
            self.current.show_run(arguments["run_id"])
        if arguments:
            self.views.choose(view)
        self._wake()

    def leave(self) -> None:
        self.current.sleep()
        self.history.sleep()

    def refresh(self, changes: Changes) -> None:
        if self.views.current() == "current":
            self.current.reload()
        else:
            self.history.reload()

    def palette_actions(self) -> list[PaletteAction]:
        return [
            PaletteAction("runs.current", _("Show the current run"), "", lambda: self._go("current")),
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
        self.history.dispose()

    def _go(self, view: str) -> None:
        self.ctx.navigator.go("runs", view=view)

    def _on_view(self, view: str) -> None:
        self._stack.setCurrentWidget(self.current if view == "current" else self.history)
        if self.isVisible():
            self._wake()

    def _wake(self) -> None:
        if self.views.current() == "current":
            self.history.sleep()
            self.current.wake()
        else:
            self.current.sleep()
            self.history.wake()

    def _on_events(self, news: tuple[str, list[Event]]) -> None:
        self.current.take_events(*news)

    def _open(self, run_id: str) -> None:
        self.current.show_run(run_id)
        self.views.choose("current")

    def _try(self, run: Run) -> None:
        self.ctx.navigator.go("playground", run_id=run.id)

    def _again(self, run: Run) -> None:
        self.ctx.navigator.go("train", from_run=run.id)
