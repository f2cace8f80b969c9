"""The plots of one run: loss large, four smaller ones below, with smoothing, log scale and export.

Imports pyqtgraph: only import this module in a task, so that opening the page does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from studio.gui.context import GuiContext
from studio.gui.models.runs_words import count_words
from studio.gui.pages.runs.live import LiveRun
from studio.gui.pages.runs.metrics import MetricsPlot
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, GhostButton, SecondaryButton, Slider, Switch
from studio.gui.widgets.plots import Curve, PlotPanel
from studio.gui.widgets.plots_clock import RepaintClock
from studio.gui.widgets.plots_legend import Legend
from studio.gui.widgets.plots_series import Smoothed
from studio.i18n import _
from studio.words import size_words

SMOOTHING = 90  # percent of weight on the past
LOSS_HEIGHT, SMALL_HEIGHT = 300, 150


class ChartsCard(Card):
    """Plots of a LiveRun. Call ``changed`` when its points have changed; drawing follows at 10 Hz at most."""

    def __init__(self, ctx: GuiContext, export_csv: Callable[[str, Path], None]) -> None:
        super().__init__(
            _("Learning curve"), _("Lower is better: how surprised the model is by the right answer.")
        )
        self._ctx = ctx
        self._export_csv = export_csv
        self._live: LiveRun | None = None
        self._smoothed: Smoothed | None = None
        self._clock = RepaintClock(self)
        step = _("Step")
        self.loss = PlotPanel(_("Loss over steps"), step)
        self.rate = PlotPanel(_("Learning rate over steps"), step)
        self.gradient = PlotPanel(_("Gradient norm over steps"), step)
        self.speed = PlotPanel(_("Tokens per second over steps"), step, format_y=count_words)
        self.memory = PlotPanel(_("Memory over steps"), step, format_y=lambda gib: size_words(gib * 2**30))
        self.metrics = MetricsPlot(step)
        self.legend = Legend()
        self.add(self._build_tools())
        self.loss.setFixedHeight(LOSS_HEIGHT)
        self.add(self.loss)
        self.add(self.metrics)
        self.add(self._build_small())
        self._clock.set_pictures(self._all())
        ctx.theme.changed.connect(self._restyle)

    def panels(self) -> list[PlotPanel]:
        """The plots that every run has, the large one first."""
        return [self.loss, *self._small()]

    def _all(self) -> list[PlotPanel]:
        return [*self.panels(), self.metrics.plot]

    def _small(self) -> list[PlotPanel]:
        return [self.rate, self.gradient, self.speed, self.memory]

    def show_run(self, live: LiveRun) -> None:
        """Show the points of this run."""
        self._live = live
        curves = live.curves
        if live.converses:
            self.set_subtitle(_("Lower is better: how surprised the model is by the right answer."))
        else:
            self.set_subtitle(_("Lower is better: how far the model is from the right answer."))
        speed = _("Tokens per second") if live.reads_text else _("Rows per second")
        self._speed_title.setText(speed)
        self._smoothed = Smoothed(curves.loss, self.smoothing.value() / 100)
        for panel in self.panels():
            panel.clear()
        self.loss.add(Curve(_("Training loss"), curves.loss, 0, smoothed=self._smoothed))
        self.loss.add(Curve(_("Validation loss"), curves.validation, 1, "points"))
        self.rate.add(Curve(_("Learning rate"), curves.learning_rate, 2))
        self.gradient.add(Curve(_("Gradient norm"), curves.grad_norm, 3))
        self.speed.add(Curve(speed, curves.tokens_per_s, 4))
        self.memory.add(Curve(_("Memory"), curves.memory_gib, 5))
        self.legend.set([(_("Training loss"), 0, "line"), (_("Validation loss"), 1, "points")])
        self.metrics.show_curves(curves.metrics)
        self.changed()

    def changed(self) -> None:
        """Points were added."""
        if self._live is not None:
            self.metrics.show_curves(self._live.curves.metrics)
            waits = not (self._live.ended() or len(self._live.curves.loss))
            words = _("Waiting for the first update") if waits else ""
            for panel in self._all():
                panel.set_x_end(float(self._live.total_steps))
                panel.empty.setText(words)
        self._clock.wake()

    def showEvent(self, event: QShowEvent) -> None:
        """The plots may have been filled before they could be seen, when the clock found nothing to draw."""
        super().showEvent(event)
        self._clock.wake()

    def sleep(self) -> None:
        """Stop drawing while out of sight."""
        self._clock.sleep()

    def dispose(self) -> None:
        """Let go of the theme, which outlives the page."""
        self._clock.sleep()
        self._ctx.theme.changed.disconnect(self._restyle)

    def reset_view(self) -> None:
        """Show all points in all plots again."""
        for panel in self._all():
            panel.reset_view()

    def save_picture(self, path: Path) -> None:
        """Save the loss plot as .png or .svg."""
        try:
            if path.suffix.lower() == ".svg":
                self.loss.save_svg(path)
            else:
                self.loss.save_png(path)
        except OSError as problem:
            self._ctx.notices.error_from(problem)
        else:
            self._ctx.notices.success(_("Picture saved: {file}").format(file=path.name))

    def _build_tools(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.s)
        self.smoothing = Slider()
        self.smoothing.setRange(0, 99)
        self.smoothing.setValue(SMOOTHING)
        self.smoothing.setFixedSize(120, 24)  # lower, the handle is cut
        self.smoothing.setAccessibleName(_("Smoothing"))
        self.smoothing.setToolTip(_("How much of the noise is smoothed away"))
        self.smoothing.valueChanged.connect(self._on_smoothing)
        self.log_axis = Switch()
        self.log_axis.setAccessibleName(_("Logarithmic axis"))
        self.log_axis.toggled.connect(self._on_log)
        self.reset = GhostButton(_("Show all"), self.reset_view)
        self.reset.setToolTip(_("Drag to move, Ctrl and wheel to zoom, double click to show everything."))
        self.save = SecondaryButton(_("Save as…"))
        self.save.setMenu(self._build_menu())
        row.addWidget(self.legend)
        row.addSpacing(current_tokens().space.m)
        for widget in (
            Caption(_("Smoothing")),
            self.smoothing,
            Caption(_("Logarithmic axis")),
            self.log_axis,
        ):
            row.addWidget(_one_line(widget))
        row.addStretch(1)
        row.addWidget(self.reset)
        row.addWidget(self.save)
        return tools

    def _build_menu(self) -> QMenu:
        menu = QMenu(self)
        self.save_png = QAction(_("Picture (PNG)…"), menu)
        self.save_svg = QAction(_("Drawing (SVG)…"), menu)
        self.save_csv = QAction(_("Numbers (CSV)…"), menu)
        self.save_png.triggered.connect(lambda: self._ask_picture("png"))
        self.save_svg.triggered.connect(lambda: self._ask_picture("svg"))
        self.save_csv.triggered.connect(self._ask_csv)
        menu.addActions([self.save_png, self.save_svg, self.save_csv])
        return menu

    def _build_small(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(current_tokens().space.l)
        titles = (_("Learning rate"), _("Gradient norm"), _("Tokens per second"), _("Memory (GB)"))
        for place, (title, panel) in enumerate(zip(titles, self._small(), strict=True)):
            column = QVBoxLayout()
            column.setSpacing(current_tokens().space.xs)
            name = BodyText(title, bold=True)
            column.addWidget(name)
            if panel is self.speed:
                self._speed_title = name
            panel.setFixedHeight(SMALL_HEIGHT)
            column.addWidget(panel)
            grid.addLayout(column, place // 2, place % 2)
            grid.setColumnStretch(place % 2, 1)
        return holder

    def _on_smoothing(self, percent: int) -> None:
        if self._smoothed is not None:
            self._smoothed.set_amount(percent / 100)
        self._clock.wake()

    def _on_log(self, on: bool) -> None:
        self.loss.set_log(on)

    def _restyle(self) -> None:
        for panel in self._all():
            panel.restyle()

    def _ask_picture(self, kind: str) -> None:
        chosen, _filter = QFileDialog.getSaveFileName(self, _("Save the plot"), f"loss.{kind}", f"*.{kind}")
        if chosen:
            self.save_picture(Path(chosen))

    def _ask_csv(self) -> None:
        chosen, _filter = QFileDialog.getSaveFileName(self, _("Save the numbers"), "metrics.csv", "*.csv")
        if chosen:
            self.save_numbers(Path(chosen))

    def save_numbers(self, path: Path) -> None:
        """Save all metrics of the run as CSV."""
        if self._live is None:
            return
        run_id = self._live.run_id
        self._ctx.tasks.run(
            lambda: self._export_csv(run_id, path),
            lambda _done: self._ctx.notices.success(_("Numbers saved: {file}").format(file=path.name)),
            label=_("Saving the numbers"),
        )


def _one_line(widget: QWidget) -> QWidget:
    if isinstance(widget, Caption):
        widget.setWordWrap(False)
    return widget
