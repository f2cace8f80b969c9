"""What the main area shows before there is data, while a source is read or imported, and when it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.progress import show_event
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    Caption,
    Card,
    DropZone,
    GhostButton,
    PageTitle,
    PrimaryButton,
    ProgressPanel,
    SecondaryButton,
)
from studio.i18n import _
from studio.protocol.events import Event
from studio.services.samples import Sample

_CARD_WIDTH = 560


class StartView(QWidget):
    """All the ways in on one page.

    file_wanted, folder_wanted, paste_wanted, hub_wanted: no argument. sample_wanted: the Sample, chosen from a menu
    where there are several.
    """

    file_wanted = Signal()
    folder_wanted = Signal()
    paste_wanted = Signal()
    hub_wanted = Signal()
    sample_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choose = PrimaryButton(_("Choose files…"), self.file_wanted.emit, icon="file")
        self.zone = DropZone(
            _("Drop files, folders or ZIP archives anywhere in this window"),
            _(
                "Tables, JSON, databases, documents, text, images or recordings. All of it stays on this computer."
            ),
            self.file_wanted.emit,
            button=self.choose,
        )
        self.zone.setFixedWidth(_CARD_WIDTH)
        self.zone.setMinimumHeight(216)
        self.folder = GhostButton(_("Folder…"), self.folder_wanted.emit, icon="folder")
        self.paste = GhostButton(_("Paste"), self.paste_wanted.emit, icon="copy", tooltip=_("Ctrl+V"))
        self.hub = GhostButton(_("From a hub…"), self.hub_wanted.emit, icon="online")
        self.sample = GhostButton(_("Try an example"), self._offer_samples, icon="star")
        self.samples = QMenu(self.sample)
        column = QVBoxLayout(self)
        column.setSpacing(current_tokens().space.m)
        column.addStretch(2)
        column.addWidget(_centred(PageTitle(_("What should your model learn from?"))))
        text = Caption(
            _(
                "Questions and answers, conversations, labelled texts, images or recordings, ratings, or texts of "
                "your own."
            )
        )
        column.addWidget(_centred(text))
        column.addSpacing(current_tokens().space.s)
        column.addLayout(_in_the_middle(self.zone))
        column.addLayout(self._others())
        column.addStretch(3)

    def set_samples(self, samples: Sequence[Sample]) -> None:
        """The examples that suit what data is wanted for; at least one."""
        self.samples.clear()
        for sample in samples:
            action = self.samples.addAction(_(sample.title))
            action.triggered.connect(lambda _checked, chosen=sample: self.sample_wanted.emit(chosen))
        self.sample.setText(_("Try an example…") if len(samples) > 1 else _("Try an example"))

    def _offer_samples(self) -> None:
        first, *others = self.samples.actions()
        if others:
            self.samples.popup(self.sample.mapToGlobal(self.sample.rect().bottomLeft()))
        else:
            first.trigger()

    def _others(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.s)
        row.addStretch(1)
        for button in (self.folder, self.paste, self.hub, self.sample):
            row.addWidget(button)
        row.addStretch(1)
        return row


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
        column.addLayout(_in_the_middle(self._card))
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
        """Bring the panel up to date; once cancelled, nothing is said any more."""
        if self.panel.cancel.isEnabled():
            show_event(self.panel, event)


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
        column.addLayout(_in_the_middle(self._card))
        column.addStretch(3)

    def show_problem(self, file: str, problem: StudioError) -> None:
        """Say what happened to which file, and what to do next."""
        self.file.setText(file)
        self.line.show_problem(problem)
        self.setAccessibleName(str(problem))


def _in_the_middle(card: QWidget) -> QHBoxLayout:
    """An alignment would ask for the card's height at the width of the page, too low for text that wraps."""
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(card)
    row.addStretch(1)
    return row


def _centred(label: QLabel) -> QWidget:
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return label
