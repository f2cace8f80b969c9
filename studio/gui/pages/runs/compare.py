"""Several runs in one plot. Imports pyqtgraph: only import this module in a task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QSizePolicy

from studio.domain.runs import EvalMetrics, Run, StepMetrics
from studio.gui.context import GuiContext
from studio.gui.theme import current_tokens
from studio.gui.widgets import Card, IconButton
from studio.gui.widgets.plots import Curve, PlotPanel
from studio.gui.widgets.plots_clock import RepaintClock
from studio.gui.widgets.plots_legend import Legend
from studio.gui.widgets.plots_series import Series, Smoothed
from studio.i18n import _

SMOOTHING = 0.9
MIN_HEIGHT = 300
Points = list[tuple[Run, list[StepMetrics], list[EvalMetrics]]]


class CompareCard(Card):
    """Training loss as lines, validation loss as points of the same colour."""

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__(
            _("Compare runs"),
            _("Lines: training loss, smoothed. Points: validation loss."),
            action=IconButton("close", _("Close the comparison"), self.hide),
        )
        self._ctx = ctx
        self._generation = 0
        self.plot = PlotPanel(_("Loss of the chosen runs over steps"), _("Step"))
        self.legend = Legend()
        self.setMinimumHeight(MIN_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.add(self.legend)
        self.add(self.plot, 1)
        self._clock = RepaintClock(self)
        self._clock.set_pictures([self.plot])
        ctx.theme.changed.connect(self.plot.restyle)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Lay these runs over one another."""
        self._generation += 1
        service = self._ctx.services.runs
        chosen = list(runs)[: len(current_tokens().plot)]

        def read() -> Points:
            return [(run, service.steps(run.id), service.evals(run.id)) for run in chosen]

        self._ctx.tasks.run(read, partial(self._take, self._generation))
        self.show()

    def dispose(self) -> None:
        """Let go of the theme, which outlives the page."""
        self._clock.sleep()
        self._ctx.theme.changed.disconnect(self.plot.restyle)

    def _take(self, generation: int, points: Points) -> None:
        if generation != self._generation:
            return
        self.plot.clear()
        for colour, (run, steps, evals) in enumerate(points):
            loss, validation = Series(), Series()
            loss.replace([s.step for s in steps], [s.loss for s in steps])
            validation.replace([e.step for e in evals], [e.loss for e in evals])
            self.plot.add(Curve(run.name, loss, colour, "smooth", Smoothed(loss, SMOOTHING)))
            name = _("{name}, validation").format(name=run.name)
            self.plot.add(Curve(name, validation, colour, "points"))
        self.legend.set([(run.name, colour, "line") for colour, (run, _s, _e) in enumerate(points)])
        self._clock.wake()
