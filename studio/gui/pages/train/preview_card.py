"""What the run will take: ready or not and why, time, memory, disk, energy, and the first rows it will read."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.domain.runs import FitEstimate, Proposal
from studio.domain.shapes import Shape
from studio.gui.context import GuiContext
from studio.gui.models.runs_words import count_words, phase_words, range_words
from studio.gui.pages.train.batch_view import BatchView
from studio.gui.pages.train.choices import Choices, start_words
from studio.gui.pages.train.picture_batch import PictureBatch
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    Figure,
    FormRow,
    PrimaryButton,
    ProgressPanel,
    SecondaryButton,
    StateBadge,
)
from studio.i18n import _, ngettext
from studio.protocol.events import BatchPreview, Event, Phase, Progress
from studio.words import duration_words, energy_words, size_words

_CUT = frozenset(Shape) - {Shape.IMAGE_LABEL, Shape.RATINGS}  # rows that can be too long


class RunPreviewCard(Card):
    """Signals: measure_asked, cancel_asked (of measuring), start_asked, proposal_taken(Proposal), repeat_asked("search"
    or "folds").

    foot: name, Start and the ways to train more than once, for the page to place where they never scroll away.
    """

    measure_asked = Signal()
    cancel_asked = Signal()
    start_asked = Signal()
    proposal_taken = Signal(object)
    repeat_asked = Signal(str)

    def __init__(self, ctx: GuiContext) -> None:
        self.badge = StateBadge(_("Not measured yet"))
        super().__init__(_("Run preview"), action=self.badge)
        self.reasons = _Lines()
        self.facts: QWidget = QWidget()
        self.note = Caption()
        self.batch = BatchView(ctx.theme)
        self.pictures = PictureBatch(ctx)
        self.batch.hide()
        self.pictures.hide()
        self._pictured = False  # the first rows are pictures
        self.proposal = _Offer()
        self.proposal.taken.connect(self.proposal_taken)
        self.measure = SecondaryButton(_("Measure"), self.measure_asked.emit)
        self.measure.setToolTip(_("Tries a second of the real work, to foretell time and memory."))
        self._progress: ProgressPanel | None = None
        self.name = QLineEdit()
        self.name_row = FormRow(_("Name of the run"), self.name)
        self.start = PrimaryButton("", self.start_asked.emit)
        self.search = SecondaryButton(_("Search from here…"), partial(self.repeat_asked.emit, "search"))
        self.search.setToolTip(_("Tries several settings around these, and names the best."))
        self.folds = SecondaryButton(_("Check by folds…"), partial(self.repeat_asked.emit, "folds"))
        self.folds.setToolTip(_("Trains several times on other parts of the rows: how sure is the result?"))
        self.foot = self._build_foot()
        parts = (self.reasons, self.proposal, self.note, self.facts, self.measure, self.batch, self.pictures)
        for part in parts:
            self.add(part)
        self.body.setSpacing(current_tokens().space.l)

    def show_state(self, choices: Choices, estimate: FitEstimate | None, *, training: bool) -> None:
        """Show what is known of these choices. estimate: None when they were not measured."""
        measuring = self._progress is not None
        missing = choices.missing() is not None
        if estimate is not None:
            ready = (_("Ready"), "success") if estimate.ready else (_("Not ready"), "error")
        else:
            ready = (_("Not ready"), "neutral") if missing else (_("Not measured yet"), "neutral")
        if measuring:
            self.badge.set(_("Measuring…"), "accent")
        else:
            self.badge.set(
                ready[0], "success" if ready[1] == "success" else "error" if estimate else "neutral"
            )
        self.reasons.set(
            list(estimate.problems) if estimate else [], bad=bool(estimate and not estimate.ready)
        )
        self.proposal.show_proposal(estimate.proposal if estimate else None)
        self._show_note(choices, estimate, training=training)
        self._show_facts(choices, estimate)
        self._pictured = choices.shape is Shape.IMAGE_LABEL
        self._show_batch(there=estimate is not None)
        self.measure.setVisible(not measuring)
        self.measure.setEnabled(not missing)
        self.measure.setText(_("Measure again") if estimate is not None else _("Measure"))
        self.start.setText(start_words(choices, estimate, training=training))
        elsewhere = choices.placement.kind == "ray"  # what this computer can hold does not matter there
        self.start.setEnabled(estimate is None or estimate.ready or elsewhere)
        for button in (self.search, self.folds):
            button.setEnabled(not missing)
        self.name.setPlaceholderText(choices.name())

    def _build_foot(self) -> QWidget:
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.m)
        column.addWidget(self.name_row)
        column.addWidget(self.start)
        more = QHBoxLayout()
        more.setSpacing(current_tokens().space.s)
        for button in (self.search, self.folds):
            more.addWidget(button, 1)
        column.addLayout(more)
        return foot

    def begin_measuring(self) -> None:
        """Show progress in place of the Measure button."""
        self.end_measuring()
        self._progress = ProgressPanel(_("Starting…"), self.cancel_asked.emit)
        self.body.insertWidget(self.body.indexOf(self.measure), self._progress)

    def end_measuring(self) -> None:
        """Take the progress away."""
        if self._progress is not None:
            self._progress.setParent(None)
            self._progress.deleteLater()
            self._progress = None

    def take_event(self, event: Event) -> None:
        """News of the measuring."""
        if isinstance(event, BatchPreview):
            (self.pictures if self._pictured else self.batch).show_rows(event.rows)
            self._show_batch(there=True)
        elif self._progress is None:
            return
        elif isinstance(event, Phase):
            self._progress.set_label(phase_words(event.name))
        elif isinstance(event, Progress):
            self._progress.set_progress(event.done, event.total, eta_s=event.eta_s)

    def _show_note(self, choices: Choices, estimate: FitEstimate | None, *, training: bool) -> None:
        text = ""
        if choices.missing() is None and estimate is None and self._progress is None:
            text = _("Measure first to see how long it will take and whether it fits into memory.")
            if training:
                text = _("Another run is under way. Measuring now would slow it down and be less exact.")
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _show_batch(self, *, there: bool) -> None:
        self.batch.setVisible(there and not self._pictured and bool(self.batch.text.toPlainText()))
        self.pictures.setVisible(there and self._pictured and self.pictures.filled())

    def _show_facts(self, choices: Choices, estimate: FitEstimate | None) -> None:
        cuts = choices.shape in _CUT
        table = _facts(estimate, cuts=cuts) if estimate is not None else QWidget()
        self.body.replaceWidget(self.facts, table)
        self.facts.setParent(None)
        self.facts.deleteLater()
        self.facts = table
        self.facts.setVisible(estimate is not None)


class _Lines(QWidget):
    """Sentences below one another, bad ones in the colour of errors with a mark before them."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(current_tokens().space.xs)

    def set(self, sentences: list[str], *, bad: bool) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        for sentence in sentences:
            self._column.addWidget(BodyText(f"• {sentence}", tone="error" if bad else "muted"))
        self.setVisible(bool(sentences))


class _Offer(QWidget):
    """What would fit instead, with a button that takes it. ``taken`` carries the Proposal."""

    taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._proposal: Proposal | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        self.text = BodyText()
        self.take = SecondaryButton(_("Use what fits"), lambda: self.taken.emit(self._proposal))
        column.addWidget(self.text)
        column.addWidget(self.take, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_proposal(self, proposal: Proposal | None) -> None:
        """None hides it."""
        self._proposal = proposal
        self.text.setText(proposal.sentence if proposal else "")
        self.setVisible(proposal is not None)


def _facts(estimate: FitEstimate, *, cuts: bool) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(current_tokens().space.l)
    grid.setVerticalSpacing(current_tokens().space.s)
    grid.setColumnStretch(1, 1)
    for row, (name, value, remark) in enumerate(_fact_rows(estimate, cuts=cuts)):
        grid.addWidget(Caption(name), row, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(Figure(value))
        if remark:
            words.addWidget(Caption(remark))
        grid.addLayout(words, row, 1)
    return holder


def _fact_rows(estimate: FitEstimate, *, cuts: bool) -> list[tuple[str, str, str]]:
    rows = [
        (
            _("Time"),
            _("about {time}").format(time=duration_words(estimate.seconds)),
            range_words(estimate.seconds_low, estimate.seconds_high),
        ),
        (
            _("Memory"),
            size_words(estimate.memory_bytes),
            _("of {size} available").format(size=size_words(estimate.memory_available_bytes)),
        ),
        (
            _("Disk"),
            size_words(estimate.disk_bytes),
            _("of {size} free").format(size=size_words(estimate.disk_free_bytes)),
        ),
    ]
    if estimate.energy_kwh_high > 0:
        rows.append(
            (
                _("Energy"),
                energy_words(estimate.energy_kwh_low, estimate.energy_kwh_high),
                _("assumed power of this computer"),
            )
        )
    steps = ngettext("{n} update", "{n} updates", estimate.steps).format(n=f"{estimate.steps:,}")
    trained = _("{trained} of {all} parameters learn").format(
        trained=count_words(estimate.trainable), all=count_words(estimate.parameters)
    )
    rows.append((_("Work"), steps, trained))
    cut = _("none is cut")
    if estimate.rows_cut:
        cut = ngettext(
            "{n} is cut at the longest row", "{n} are cut at the longest row", estimate.rows_cut
        ).format(n=f"{estimate.rows_cut:,}")
    rows.append((_("Rows"), f"{estimate.rows:,}", cut if cuts else ""))
    rows.append((_("Device"), estimate.device.upper(), estimate.dtype))
    return rows
