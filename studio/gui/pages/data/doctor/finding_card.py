"""One finding as a card: what, how much, why it matters, examples, and a button for each fix."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.domain.findings import Finding, FixOption, Severity
from studio.domain.recipes import FindingKind
from studio.gui.pages.data.doctor.example_row import ExampleRow
from studio.gui.theme import Tone, current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    GhostButton,
    PrimaryButton,
    SecondaryButton,
    StateBadge,
)
from studio.i18n import _, ngettext
from studio.words import labelled, listed, sentences
from studio.words_data import (
    action_title,
    details_words,
    effect_words,
    finding_title,
    finding_why,
    fix_label,
    severity_title,
    share_words,
)

_TONES: Final[dict[Severity, Tone]] = {
    Severity.PROBLEM: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "neutral",
}
_FIRST: Final = 5  # examples shown at once
_LEAST_WIDTH: Final = 120  # of a fix's button; longer words are cut, the tooltip has them all


class FindingCard(Card):
    """fix_wanted: FixOption. example_chosen: number of a row (object: it may exceed 32 bits).

    unfolded: the examples are shown now and may be out of sight. alone: nothing else is advised, so its first fix is
    the obvious next step; else the button for all of them is.
    """

    fix_wanted = Signal(object)
    unfolded = Signal()
    example_chosen = Signal(object)

    def __init__(self, finding: Finding, parent: QWidget | None = None, *, alone: bool = False) -> None:
        super().__init__(parent=parent)
        self.finding = finding
        self._alone = alone
        self.buttons: list[QPushButton] = []
        self.examples: list[ExampleRow] = []
        title = finding_title(finding.kind)
        self.setAccessibleName(
            labelled(severity_title(finding.severity), listed([title, share_words(finding)]))
        )
        self.body.setSpacing(current_tokens().space.s)
        self.body.addLayout(self._head(title))
        self.add(BodyText(finding_why(finding.kind), tone="muted"))
        details = details_words(finding)
        if details:
            self.add(Caption(details))
        self.body.addLayout(self._fixes())
        self.unfold = GhostButton(_("Show examples"), self._toggle, icon="chevron-down")
        self.unfold.setAccessibleDescription(title)
        self.add(self.unfold)
        self.unfold.setVisible(bool(finding.examples))  # once it has a parent, or it is a window for a moment
        self.more = GhostButton("", self._show_more)
        self._examples, self._listed = QWidget(), QVBoxLayout()
        self._listed.setSpacing(current_tokens().space.xs)
        self.add(self._folded())

    def set_busy(self, busy: bool) -> None:
        """While a fix is at work no other can be asked for."""
        for button in self.buttons:
            button.setEnabled(not busy)

    def _folded(self) -> QWidget:
        column = QVBoxLayout(self._examples)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.xs)
        column.addLayout(self._listed)
        column.addWidget(self.more)
        self._examples.hide()
        return self._examples

    def _head(self, title: str) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.s)
        row.addWidget(BodyText(title, bold=True), 1)
        badge = StateBadge(severity_title(self.finding.severity), _TONES[self.finding.severity])
        row.addWidget(badge, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        column.addWidget(Caption(share_words(self.finding)))
        return column

    def _fixes(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(current_tokens().space.s)
        for place, option in enumerate(self.finding.fixes):
            advised = place == 0 and self.finding.is_advised
            button = _button(option, advised=advised, obvious=advised and self._alone)
            button.clicked.connect(lambda _checked=False, chosen=option: self.fix_wanted.emit(chosen))
            self.buttons.append(button)
            column.addWidget(button)
        return column

    def _toggle(self) -> None:
        """Examples are made when they are first asked for."""
        shown = self._examples.isHidden()
        self._examples.setVisible(shown)
        if not self.examples:
            self._show_more()
        self.unfold.setText(_("Hide examples") if shown else _("Show examples"))
        self.unfold.set_icon("chevron-up" if shown else "chevron-down")
        if shown:
            self.unfolded.emit()

    def _show_more(self) -> None:
        """A few at first; the others when they are wanted."""
        begin = len(self.examples)
        for example in self.finding.examples[begin : None if begin else _FIRST]:
            row = ExampleRow(example, private=self.finding.kind is FindingKind.PRIVATE_DATA)
            row.clicked.connect(lambda _checked=False, number=example.row: self.example_chosen.emit(number))
            self.examples.append(row)
            self._listed.addWidget(row)
        left = len(self.finding.examples) - len(self.examples)
        self.more.setText(ngettext("Show {n} more", "Show {n} more", left).format(n=left))
        self.more.setVisible(left > 0)


class _Elided(QObject):
    """Cuts a button's words to its width instead of making the whole panel wider."""

    def __init__(self, button: QPushButton, words: str) -> None:
        super().__init__(button)
        self._button, self._words = button, words
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setMinimumWidth(_LEAST_WIDTH)
        button.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        room = max(self._button.width(), _LEAST_WIDTH) - 2 * current_tokens().space.l
        metrics = self._button.fontMetrics()
        self._button.setText(metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, room))
        self._button.setAccessibleName(self._words)


def _button(option: FixOption, *, advised: bool, obvious: bool) -> QPushButton:
    button = PrimaryButton("") if obvious else SecondaryButton("")
    _Elided(button, fix_label(option))
    effect = effect_words(option.rows_changed, option.rows_removed, option.rows_added)
    button.setToolTip(labelled(action_title(option.action), effect))
    button.setAccessibleDescription(sentences(_("Advised."), effect) if advised else effect)
    return button
