"""What the main area shows while a file is looked at or imported, and when it could not be read."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    Caption,
    Card,
    DropZone,
    PageTitle,
    PrimaryButton,
    ProgressPanel,
    SecondaryButton,
)
from studio.i18n import N_, _
from studio.protocol.events import Event, Phase, Progress

_PHASES = {
    "scanning": N_("Looking through the file"),
    "reading": N_("Reading rows"),
    "reading_rows": N_("Reading rows"),
    "writing": N_("Writing rows"),
    "tokenising": N_("Counting tokens"),
    "splitting": N_("Dividing rows into training, validation and test"),
    "hashing": N_("Taking the fingerprint"),
    "saving": N_("Saving"),
}
_CARD_WIDTH = 520


class StartView(QWidget):
    """Nothing chosen yet: one place to drop a file. file_wanted, sample_wanted: no argument; dropped: list[Path]."""

    file_wanted = Signal()
    sample_wanted = Signal()
    dropped = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zone = DropZone(
            _("Drop a file here, or choose one"),
            _("CSV, Excel, JSON, JSON Lines, Parquet or plain text. It stays on this computer."),
            self.file_wanted.emit,
        )
        self.zone.setMinimumHeight(200)
        self.zone.dropped.connect(self.dropped)
        self.sample = SecondaryButton(_("Try an example"), self.sample_wanted.emit)
        column = QVBoxLayout(self)
        column.setSpacing(current_tokens().space.m)
        column.addStretch(2)
        column.addWidget(_centred(PageTitle(_("What should your model learn from?"))))
        text = Caption(_("A table with questions and answers, exported conversations, or texts of your own."))
        column.addWidget(_centred(text))
        column.addSpacing(current_tokens().space.s)
        self.zone.setFixedWidth(_CARD_WIDTH)
        column.addWidget(self.zone, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.sample, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)


class WorkingView(QWidget):
    """Work under way with its progress; ``show_event`` takes protocol events."""

    def __init__(self, on_cancel: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card = Card()
        self._card.setFixedWidth(_CARD_WIDTH)
        self.panel = ProgressPanel("", on_cancel)
        self._card.add(self.panel)
        column = QVBoxLayout(self)
        column.addStretch(2)
        column.addWidget(self._card, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def start(self, title: str, label: str) -> None:
        """Show new work: what it is about, and what is being done first."""
        self._card.set_title(title)
        self.panel.set_label(label)
        self.panel.set_progress(0)
        self.panel.cancel.setEnabled(True)

    def cancelling(self) -> None:
        """Cancel was pressed; the child is on its way out."""
        self.panel.set_label(_("Stopping…"))
        self.panel.cancel.setEnabled(False)

    def show_event(self, event: Event) -> None:
        """Bring the panel up to date."""
        if isinstance(event, Phase) and event.name in _PHASES:
            self.panel.set_label(_(_PHASES[event.name]))
        if isinstance(event, Progress):
            rate = ""
            if event.rate:
                words = _("{n} rows/s") if event.unit == "rows" else "{n} " + f"{event.unit}/s"
                rate = words.format(n=f"{event.rate:,.0f}")
            self.panel.set_progress(event.done, event.total, rate=rate, eta_s=event.eta_s)


class ProblemView(QWidget):
    """A file that could not be read: what is wrong, what to do, and the way to another file."""

    def __init__(
        self, on_other: Callable[[], object], on_back: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._card = Card()
        self._card.setFixedWidth(_CARD_WIDTH)
        self.file = Caption()
        self.line = ProblemLine()
        self.other = PrimaryButton(_("Choose another file…"), on_other)
        feet = QHBoxLayout()
        feet.setSpacing(current_tokens().space.s)
        feet.addStretch(1)
        feet.addWidget(SecondaryButton(_("Back"), on_back))
        feet.addWidget(self.other)
        self._card.set_title(_("This file cannot be used yet"))
        for part in (self.file, self.line):
            self._card.add(part)
        self._card.body.addLayout(feet)
        column = QVBoxLayout(self)
        column.addStretch(2)
        column.addWidget(self._card, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def show_problem(self, file: str, problem: StudioError) -> None:
        """Say what happened to which file, and what to do next."""
        self.file.setText(file)
        self.line.show_problem(problem)
        self.setAccessibleName(str(problem))


def _centred(label: Caption | PageTitle) -> QWidget:
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return label
