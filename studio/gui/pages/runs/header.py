"""The head of a run: what it is, how far it is, and what can be done with it now."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from studio.domain.runs import Run, RunState
from studio.gui.models.runs_words import (
    STATE_ICONS,
    STATE_TONES,
    count_words,
    phase_words,
    place_words,
    state_words,
)
from studio.gui.pages.runs.live import LiveRun
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    GhostButton,
    MetricTile,
    PrimaryButton,
    SecondaryButton,
    SectionTitle,
    StateBadge,
)
from studio.i18n import _
from studio.words import duration_words, listed, loss_words

_LIVE = frozenset({RunState.RUNNING, RunState.PAUSED})


class RunHeader(Card):
    """Signals carry nothing; the view knows which run it shows."""

    pause_asked = Signal()
    resume_asked = Signal()
    stop_asked = Signal()
    cancel_asked = Signal()
    take_up_asked = Signal()  # resume an interrupted or failed run

    def __init__(self) -> None:
        super().__init__()
        self._run: Run | None = None
        self._state: RunState | None = None  # as shown
        self.name = SectionTitle()
        self.badge = StateBadge(state_words(RunState.QUEUED))
        self.about = Caption()
        self.pause = SecondaryButton(_("Pause"), self._on_pause)
        self.stop = SecondaryButton(_("Stop and keep"), self._on_stop)
        self.cancel = GhostButton(_("Cancel run"), self.cancel_asked.emit)
        self.take_up = PrimaryButton(_("Resume"), self.take_up_asked.emit)
        self.stop.setToolTip(_("Finish this step, save, and keep the best model so far."))
        self.cancel.setToolTip(_("Drop the run and what it made."))
        self.take_up.setToolTip(_("Go on from the last saved point."))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName(_("Progress of the run"))
        self.progress = BodyText()
        self.waiting = Caption()
        self.waiting.hide()
        self.silent = Caption(tone="warning")
        self.silent.hide()
        self.tiles = {
            "left": MetricTile(_("Time left")),
            "elapsed": MetricTile(_("Elapsed")),
            "loss": MetricTile(_("Training loss")),
            "best": MetricTile(_("Best validation loss")),
            "speed": MetricTile(_("Tokens per second")),
        }
        self.add(self._build_top())
        self.add(self.bar)
        self.add(self.progress)
        self.add(self._build_tiles())
        self.add(self.silent)
        self.add(self.waiting)

    def show_run(self, run: Run, live: LiveRun) -> None:
        """Show another run, or the same one in another state."""
        self._run = run
        self._state = None
        self.name.setText(run.name)
        base = run.plan.base_name or _("New model from scratch")
        about = _("{base} · {data}").format(base=base, data=run.plan.dataset_name)
        self.about.setText(" · ".join(filter(None, (about, place_words(run.plan.placement)))))
        self.update_from(live)

    def update_from(self, live: LiveRun) -> None:
        """Show the newest figures."""
        state = live.state
        if state is not self._state:  # restyling is dear, and this is called four times a second
            self._state = state
            self.badge.set(state_words(state), STATE_TONES[state], STATE_ICONS.get(state, ""))
            self._show_buttons(state)
        fraction = live.step / live.total_steps if live.total_steps else 0.0
        self.bar.setRange(0, 1000 if live.total_steps or state not in _LIVE else 0)
        self.bar.setValue(round(1000 * min(fraction, 1.0)))
        self.bar.setVisible(state in _LIVE)
        self.progress.setText(self._progress_words(live))
        self.progress.setVisible(bool(self.progress.text()))
        self._show_tiles(live)

    def set_waiting(self, names: list[str]) -> None:
        """Say which runs wait for their turn."""
        self.waiting.setText(_("Waiting for its turn: {names}").format(names=listed(names)))
        self.waiting.setVisible(bool(names))

    def set_silent(self, seconds: float | None) -> None:
        """Say that a run has told nothing for a while; None when all is well."""
        self.silent.setVisible(seconds is not None)
        if seconds is not None:
            words = _(
                "No news for {time}. It may be busy with one long step; if this goes on, cancel and resume."
            )
            self.silent.setText(words.format(time=duration_words(seconds)))

    def _build_top(self) -> QWidget:
        top = QWidget()
        row = QHBoxLayout(top)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.s)
        words = QVBoxLayout()
        words.setSpacing(2)
        title = QHBoxLayout()
        title.setSpacing(current_tokens().space.s)
        self.name.setWordWrap(False)
        title.addWidget(self.name)
        title.addWidget(self.badge)
        title.addStretch(1)
        words.addLayout(title)
        words.addWidget(self.about)
        row.addLayout(words, 1)
        for button in (self.cancel, self.stop, self.pause, self.take_up):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return top

    def _build_tiles(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.xl)
        for tile in self.tiles.values():
            row.addWidget(tile, 1)
        return holder

    def _show_buttons(self, state: RunState) -> None:
        live = state in _LIVE
        paused = state is RunState.PAUSED
        self.pause.setVisible(live)
        self.pause.setText(_("Resume") if paused else _("Pause"))
        self.pause.set_icon("play" if paused else "pause")
        self.pause.setEnabled(True)
        self.stop.setVisible(live)
        self.stop.setEnabled(True)
        self.cancel.setVisible(live or state in (RunState.QUEUED, RunState.INTERRUPTED))
        self.take_up.setVisible(state in (RunState.INTERRUPTED, RunState.FAILED))

    def _progress_words(self, live: LiveRun) -> str:
        if live.state is RunState.QUEUED:
            return _("Waits until the run before it has ended.")
        if live.state is RunState.INTERRUPTED:
            return _("The run was cut off. What was saved is safe: press Resume to go on from there.")
        if live.state not in _LIVE:
            return ""
        if not live.total_steps:
            return phase_words(live.phase) if live.phase else _("Starting…")
        words = _("Step {step} of {total} · pass {epoch}").format(
            step=f"{live.step:,}", total=f"{live.total_steps:,}", epoch=f"{live.epoch:.1f}"
        )
        return f"{words} · {phase_words(live.phase)}" if live.phase not in ("", "training") else words

    def _show_tiles(self, live: LiveRun) -> None:
        running = live.state is RunState.RUNNING
        left = duration_words(live.eta_s) if running and live.eta_s is not None else "–"
        self.tiles["left"].set(left)
        self.tiles["left"].setVisible(live.state in _LIVE)
        self.tiles["elapsed"].set(duration_words(self._elapsed(live)))
        self.tiles["loss"].set(loss_words(live.loss))
        best = live.best
        caption = _("at step {step}").format(step=f"{best.step:,}") if best is not None else ""
        self.tiles["best"].set(loss_words(best.loss if best is not None else None), caption)
        self.tiles["speed"].set_label(_("Tokens per second") if live.reads_text else _("Rows per second"))
        self.tiles["speed"].set(
            count_words(live.tokens_per_s) if live.tokens_per_s else "–", live.device.upper()
        )

    def _elapsed(self, live: LiveRun) -> float:
        run = self._run
        if run is not None and run.summary is not None:
            return run.summary.total_s or run.summary.seconds  # as the verdict has it
        if live.elapsed_s or run is None or run.started_at is None or live.state is not RunState.RUNNING:
            return live.elapsed_s
        return (datetime.now(UTC) - run.started_at).total_seconds()

    def _on_pause(self) -> None:
        if self.badge.text() == state_words(RunState.PAUSED):
            self.resume_asked.emit()
        else:
            self.pause.setText(_("Pausing…"))
            self.pause.setEnabled(False)
            self.pause_asked.emit()

    def _on_stop(self) -> None:
        self.stop.setEnabled(False)
        self.stop_asked.emit()
