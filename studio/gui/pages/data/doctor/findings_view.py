"""All findings of a report, worst first, with one button that fixes all that is advised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.findings import DoctorReport, Finding, Severity
from studio.gui.pages.data.doctor.finding_card import FindingCard
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, IconLabel, PrimaryButton, ScrollPage
from studio.i18n import _, ngettext
from studio.words_data import finding_title

_ORDER: Final = tuple(Severity)
_BAR: Final = 12  # px of the scroll bar, kept free so that nothing jumps when it comes


class FindingsView(QWidget):
    """fix_wanted: (Finding, FixOption). all_wanted: no argument. example_chosen: number of a row."""

    fix_wanted = Signal(object)
    all_wanted = Signal()
    example_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[FindingCard] = []
        space = current_tokens().space
        self.fix_all = PrimaryButton("", self.all_wanted.emit, icon="wand")
        self._page = ScrollPage(margin=0)
        self._page.body.setContentsMargins(0, 0, _BAR, 0)
        self._page.body.setSpacing(space.m)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addWidget(self.fix_all)
        column.addWidget(self._page, 1)

    def show_report(self, report: DoctorReport, lacks: Sequence[str] = ()) -> None:
        """Show another report from its beginning. lacks: what the data lacks beside sound rows, a sentence each."""
        self._empty()
        for sentence in lacks:
            self._page.add(_note(IconLabel("warning", "warning", 20), sentence))
        findings = sorted(report.findings, key=_urgency)
        fixable = sum(finding.is_advised for finding in findings)
        for finding in findings:
            card = FindingCard(finding, alone=fixable == 1)
            card.fix_wanted.connect(lambda option, found=finding: self.fix_wanted.emit((found, option)))
            card.example_chosen.connect(self.example_chosen)
            card.unfolded.connect(lambda shown=card: self._scroll_to(shown))
            self.cards.append(card)
            self._page.add(card)
        if not findings:
            self._page.add(_all_well(report))
        self._page.body.addStretch(1)
        self._page.verticalScrollBar().setValue(0)
        self.fix_all.setText(
            ngettext("Choose from {n} advised fix…", "Choose from {n} advised fixes…", fixable).format(
                n=fixable
            )
        )
        self.fix_all.setVisible(fixable > 1)

    def set_busy(self, busy: bool) -> None:
        """While a fix is at work no other can be asked for."""
        self.fix_all.setEnabled(not busy)
        for card in self.cards:
            card.set_busy(busy)

    def _scroll_to(self, card: FindingCard) -> None:
        """The first example comes into sight once the card has its new height."""
        first = card.examples[0]
        QTimer.singleShot(
            0, first, lambda: self._page.ensureWidgetVisible(first, 0, current_tokens().space.l)
        )

    def _empty(self) -> None:
        self.cards.clear()
        while (item := self._page.body.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _urgency(finding: Finding) -> tuple[int, int]:
    return _ORDER.index(finding.severity), -finding.rows


def _note(icon: IconLabel, words: str) -> Card:
    card = Card()
    head = QHBoxLayout()
    head.setSpacing(current_tokens().space.s)
    head.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
    head.addWidget(BodyText(words, bold=True), 1)
    card.body.addLayout(head)
    return card


def _all_well(report: DoctorReport) -> QWidget:
    card = _note(IconLabel("success", "success", 20), _("Nothing to fix was found."))
    if report.checked:
        looked = "\n".join(finding_title(kind) for kind in report.checked)
        card.add(Caption(_("Looked for:") + "\n" + looked))
    return card
