"""One run in full: progress, plots, sample answers, and after its end the verdict or the reason of its
failure.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from studio.domain.runs import Run, RunState
from studio.domain.values import Value
from studio.domain.verdicts import Verdict
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import ask
from studio.gui.pages.runs.failure_card import FailureCard
from studio.gui.pages.runs.header import RunHeader
from studio.gui.pages.runs.live import LiveRun, Stored
from studio.gui.pages.runs.probes import ProbesCard
from studio.gui.pages.runs.verdict_card import VerdictCard
from studio.gui.widgets import Card, EmptyState, ScrollPage
from studio.i18n import _
from studio.protocol.events import TERMINAL, Event, Failed, Step

if TYPE_CHECKING:
    from studio.gui.pages.runs.charts import ChartsCard

HEADER_MS = 250
SILENT_S = 120.0


@dataclass
class Shown:
    """All that is shown of one run, as read in a task."""

    stored: Stored
    verdict: Verdict | None = None
    cost: Value | None = None
    waiting: list[Run] = field(default_factory=list)


class CurrentView(QWidget):
    """Shows the run under way, else the newest; or the one it was told to ``show_run``.

    try_asked / again_asked carry the run (object).
    """

    try_asked = Signal(object)
    again_asked = Signal(object)
    shown = Signal(object)  # run id, when its figures stand on the screen

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__()
        self._ctx = ctx
        self._wish: str | None = None
        self._run: Run | None = None
        self._live: LiveRun | None = None
        self.charts: ChartsCard | None = None
        self._failures: dict[str, Failed] = {}  # as heard, with hint and details
        self._generation = 0
        self._stack = QStackedLayout(self)
        self._empty = EmptyState(
            "runs",
            _("When you train a model, you watch it learn here, and read afterwards whether it got better."),
            _("Train a model"),
            lambda: ctx.navigator.go("train"),
            title=_("No runs yet"),
        )
        self._page = ScrollPage()
        self._stack.addWidget(QWidget())  # while the first answer is awaited: nothing, rather than a flicker
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._page)
        self.header = RunHeader()
        self.failure = FailureCard(self._load_details)
        self.verdict = VerdictCard()
        self.probes = ProbesCard(ctx.services.paths.run)
        self._plots_place: QWidget = Card(_("Learning curve"), _("Preparing the plots…"))
        for card in (self.header, self.failure, self.verdict, self._plots_place, self.probes):
            self._page.add(card)
        self._page.body.addStretch(1)
        self._timer = QTimer(self)
        self._timer.setInterval(HEADER_MS)
        self._timer.timeout.connect(self._tick)
        self._connect()

    @property
    def run(self) -> Run | None:
        """The run on the screen."""
        return self._run

    @property
    def live(self) -> LiveRun | None:
        """Its figures."""
        return self._live

    @property
    def wish(self) -> str | None:
        """The run that was asked for; None: whichever is current."""
        return self._wish

    def show_run(self, run_id: str | None) -> None:
        """Show this run; None: the one under way, else the newest."""
        self._wish = run_id
        self.reload()

    def reload(self) -> None:
        """Read the run anew."""
        self._generation += 1
        generation, wish = self._generation, self._wish
        self._ctx.tasks.run(partial(self._read, wish), partial(self._take, generation))

    def wake(self) -> None:
        """The page came into sight."""
        if self.charts is None:
            self._ctx.tasks.run(_import_charts, self._add_charts)
        else:
            self.charts.changed()
        self._timer.start()
        self.reload()

    def sleep(self) -> None:
        """The page went out of sight."""
        self._timer.stop()
        if self.charts is not None:
            self.charts.sleep()

    def dispose(self) -> None:
        """Let go of what outlives the page."""
        self.sleep()
        if self.charts is not None:
            self.charts.dispose()

    def take_events(self, run_id: str, events: list[Event]) -> None:
        """News of a run."""
        if self._live is None or self._live.run_id != run_id:
            return
        self._live.apply(events)
        for event in events:
            if isinstance(event, Failed):
                self._failures[run_id] = event
        if self._timer.isActive():
            if self.charts is not None:
                self.charts.changed()
            self.probes.changed()
            if any(not isinstance(event, Step) for event in events):
                self.header.update_from(self._live)
            self._show_end(events)

    def _connect(self) -> None:
        self.header.pause_asked.connect(lambda: self._command(self._ctx.services.runs.pause))
        self.header.resume_asked.connect(lambda: self._command(self._ctx.services.runs.resume))
        self.header.stop_asked.connect(lambda: self._command(self._ctx.services.runs.stop))
        self.header.take_up_asked.connect(lambda: self._command(self._ctx.services.runs.resume_interrupted))
        self.header.cancel_asked.connect(self._ask_cancel)
        self.verdict.try_asked.connect(lambda: self.try_asked.emit(self._run))
        self.verdict.again_asked.connect(lambda: self.again_asked.emit(self._run))

    def _read(self, wish: str | None) -> Shown | None:
        runs = self._ctx.services.runs
        waiting = runs.queue()
        newest = runs.active()[:1] or waiting[:1] or runs.list(limit=1)
        run = runs.get(wish) if wish is not None else (newest[0] if newest else None)
        if run is None:
            return None
        stored = Stored(run, runs.steps(run.id), runs.evals(run.id), runs.probes(run.id))
        ended = run.state is RunState.DONE
        verdict, cost = (runs.verdict(run.id), runs.run_cost(run)) if ended else (None, None)
        return Shown(stored, verdict, cost, [each for each in waiting if each.id != run.id])

    def _take(self, generation: int, shown: Shown | None) -> None:
        if generation != self._generation:
            return
        self._stack.setCurrentWidget(self._page if shown else self._empty)
        if shown is None:
            self._run = self._live = None
            return
        run = self._run = shown.stored.run
        self._live = LiveRun(shown.stored)
        if self._ctx.jobs is not None and not self._live.ended():
            self._live.apply(self._ctx.jobs.recent(run.id))
        self.header.show_run(run, self._live)
        self.header.set_waiting([each.name for each in shown.waiting])
        self.probes.show_run(self._live)
        if self.charts is not None:
            self.charts.show_run(self._live)
        self.verdict.setVisible(shown.verdict is not None)
        if shown.verdict is not None:
            self.verdict.show_verdict(run, shown.verdict, shown.cost)
        self.failure.setVisible(run.state is RunState.FAILED)
        if run.state is RunState.FAILED:
            heard = self._failures.get(run.id)
            hint = heard.hint if heard and heard.hint else _failure_hint(run)
            self.failure.show_failure(run.error_message, hint, heard.details if heard else "")
        self.shown.emit(run.id)

    def _show_end(self, events: list[Event]) -> None:
        if any(isinstance(event, TERMINAL) for event in events):
            self.reload()  # state, summary and verdict are in the database by now

    def _add_charts(self, card_type: Callable[..., Any]) -> None:
        if self.charts is not None:
            return
        self.charts = card_type(self._ctx, self._ctx.services.runs.export_metrics_csv)
        self._page.body.replaceWidget(self._plots_place, self.charts)
        self._plots_place.deleteLater()
        if self._live is not None:
            self.charts.show_run(self._live)

    def _tick(self) -> None:
        if self._live is None or self._live.ended():
            return
        self.header.update_from(self._live)
        silent = self._ctx.services.runs.silent_s(self._live.run_id)
        self.header.set_silent(silent if self._live.state is RunState.RUNNING and silent > SILENT_S else None)

    def _command(self, verb: Callable[[str], object]) -> None:
        if self._run is not None:
            run_id = self._run.id
            self._ctx.tasks.run(lambda: verb(run_id), lambda _done: None, self._on_command_failed)

    def _on_command_failed(self, problem: Exception) -> None:
        self._ctx.notices.error_from(problem)
        if self._live is not None and self._run is not None:
            self.header.show_run(self._run, self._live)

    def _ask_cancel(self) -> None:
        if self._run is None:
            return
        question = _("Cancel “{name}” and drop what it has learned?").format(name=self._run.name)
        if ask(self, question, _("“Stop and keep” saves the best model so far instead."), _("Cancel run"),
               _("Go on training"), danger=True):  # fmt: skip
            self._command(self._ctx.services.runs.cancel)

    def _load_details(self, show: Callable[[str], None]) -> None:
        if self._run is not None:
            run_id = self._run.id
            self._ctx.tasks.run(lambda: self._ctx.services.runs.error_details(run_id), show)


def _import_charts() -> Callable[..., Any]:
    """pyqtgraph takes a third of a second to import: done in a task, the window stays awake."""
    card: Callable[..., Any] = importlib.import_module("studio.gui.pages.runs.charts").ChartsCard
    return card


def _failure_hint(run: Run) -> str:
    if run.error_code == "run.out_of_memory":
        return _("Choose a smaller model, fewer rows at once, or a shorter longest row, and train again.")
    if run.error_code == "run.disk_full":
        return _("Free some disk space, then press Resume.")
    return _("Press Resume to go on from the last saved point, or train again with other settings.")
