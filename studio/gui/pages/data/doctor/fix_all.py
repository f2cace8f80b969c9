"""Before several fixes are done at once: what each of them would change, and a way to leave some out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from studio.domain.findings import DoctorReport, Finding, FixOption
from studio.domain.recipes import FindingKind, FixStep
from studio.errors import StudioError
from studio.gui.dialogs.product_form import WIDTH, FormDialog
from studio.gui.pages.data.doctor.example_row import ExampleRow
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Divider, FittedPage, SectionTitle
from studio.i18n import _
from studio.words import ended, sentences
from studio.words_data import effect_words, finding_title, fix_label, totals

_INDENT: Final = 28  # px: below the words of a box, not below its square
_EXAMPLES: Final = 2
_EXAMPLE_EDGE: Final = 10  # px within an example
_MOST_HEIGHT: Final = 400  # px of the list, so that the buttons stay on a small screen
_MUCH: Final = 0.5  # share of the rows; a fix that removes more is ticked by nobody but the user


class FixAllDialog(FormDialog):
    """``steps()`` are the chosen ones, in the order in which they are done."""

    def __init__(self, report: DoctorReport, steps: Sequence[FixStep], parent: QWidget | None = None) -> None:
        super().__init__(_("Fix everything as advised"), _("Fix"), parent)
        self.boxes: list[QCheckBox] = []
        self._chosen: list[tuple[FixStep, FixOption]] = []
        self._rows = report.rows
        self.rows.addWidget(SectionTitle(_("Fix everything as advised")))
        self.rows.addWidget(
            BodyText(
                _("A new version of the data is made. The present one is kept, and you can undo."),
                tone="muted",
            )
        )
        page = FittedPage(WIDTH)
        page.set_most(_MOST_HEIGHT)
        listed = page.body
        listed.setSpacing(current_tokens().space.m)
        for step in steps:
            finding = next((each for each in report.findings if each.kind is step.finding), None)
            option = _option(finding, step)
            if finding is not None and option is not None:
                listed.addLayout(self._line(finding, step, option))
        listed.addStretch(1)
        self.rows.addWidget(page)
        self.rows.addWidget(Divider())
        self.total = BodyText(bold=True)
        self.rows.addWidget(self.total)
        self._show_total()

    def steps(self) -> list[FixStep]:
        """The fixes that are ticked."""
        return [
            step for (step, _option), box in zip(self._chosen, self.boxes, strict=True) if box.isChecked()
        ]

    def check(self) -> None:
        if not self.steps():
            raise StudioError("doctor.nothing_chosen", _("Nothing is ticked."), _("Tick at least one fix."))

    def _line(self, finding: Finding, step: FixStep, option: FixOption) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(0)
        box = QCheckBox(finding_title(finding.kind))
        much = option.rows_removed > _MUCH * self._rows
        box.setChecked(not much)
        box.setAccessibleDescription(fix_label(option))
        box.toggled.connect(lambda _on: self._show_total())
        effect = Caption(fix_label(option))
        effect.setContentsMargins(_INDENT, 0, 0, 0)
        column.addWidget(box)
        column.addWidget(effect)
        if much:
            warning = Caption(_("More than half of the rows: look at the examples first."), tone="warning")
            warning.setContentsMargins(_INDENT, 0, 0, 0)
            column.addWidget(warning)
            box.setAccessibleDescription(sentences(ended(fix_label(option)), warning.text()))
        column.addLayout(_examples(finding))
        self._chosen.append((step, option))
        self.boxes.append(box)
        return column

    def _show_total(self) -> None:
        """A row with two troubles is counted by both fixes, so the sum is the most that can change."""
        pairs = zip(self._chosen, self.boxes, strict=True)
        changed, removed, added = totals(option for (_step, option), box in pairs if box.isChecked())
        words = effect_words(min(changed, self._rows), min(removed, self._rows), added)
        self.total.setText(_("At most: {effect}.").format(effect=words))
        self.confirm.setEnabled(any(box.isChecked() for box in self.boxes))


def _examples(finding: Finding) -> QVBoxLayout:
    """What the advised fix makes of the first rows; they lead nowhere, as the dialog is in the way."""
    column = QVBoxLayout()
    column.setContentsMargins(_INDENT - _EXAMPLE_EDGE, 0, 0, 0)
    for example in finding.examples[:_EXAMPLES]:
        row = ExampleRow(example, private=finding.kind is FindingKind.PRIVATE_DATA)
        row.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row.setToolTip("")
        column.addWidget(row)
    return column


def _option(finding: Finding | None, step: FixStep) -> FixOption | None:
    if finding is None:
        return None
    return next((option for option in finding.fixes if option.action is step.action), None)
