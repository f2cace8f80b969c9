"""Find and replace in all rows, with what would change before it is done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.recipes import AnyStep, ReplaceStep
from studio.domain.shapes import content_columns
from studio.gui.context import GuiContext
from studio.gui.models.cells import CellKind, kind_of
from studio.gui.pages.data.editing.step_dialog import StepDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, FormRow
from studio.i18n import _
from studio.words_data import column_title

_SEARCHABLE = (CellKind.TEXT, CellKind.TURNS, CellKind.LABEL, CellKind.LABELS)
_IN_A_ROW = 3


class ReplaceDialog(StepDialog):
    """``columns``: those of the dataset, in order; ``find``: what the search field holds already."""

    def __init__(
        self,
        ctx: GuiContext,
        dataset: DatasetVersion,
        columns: Sequence[str],
        parent: QWidget,
        find: str = "",
    ) -> None:
        super().__init__(ctx, dataset, _("Find and replace"), _("Replace"), parent)
        self.wanted, self.replacement = QLineEdit(find), QLineEdit()
        self.match_case = QCheckBox(_("Match case"))
        self.match_case.setChecked(True)
        self.regex = QCheckBox(_("Regular expression"))
        self.columns = {
            name: QCheckBox(column_title(name))
            for name in content_columns(list(columns))
            if kind_of(name) in _SEARCHABLE
        }
        self._arrange()
        self.wanted.textChanged.connect(self.look_again)
        self.replacement.textChanged.connect(self.look_again)
        for box in (self.match_case, self.regex, *self.columns.values()):
            box.toggled.connect(self.look_again)
        self.wanted.setFocus()
        self.look_again()

    def step(self) -> AnyStep | None:
        chosen = tuple(name for name, box in self.columns.items() if box.isChecked())
        if not self.wanted.text() or not chosen:
            return None
        return ReplaceStep(
            find=self.wanted.text(),
            replacement=self.replacement.text(),
            regex=self.regex.isChecked(),
            match_case=self.match_case.isChecked(),
            columns=chosen if len(chosen) < len(self.columns) else (),
        )

    def hint(self) -> str:
        if not self.wanted.text():
            return _("Type what to look for.")
        return _("Choose at least one column.")

    def _arrange(self) -> None:
        space = current_tokens().space
        self.rows.addWidget(FormRow(_("Find"), self.wanted))
        self.rows.addWidget(FormRow(_("Replace with"), self.replacement))
        switches = QHBoxLayout()
        switches.setSpacing(space.xl)
        switches.addWidget(self.match_case)
        switches.addWidget(self.regex)
        switches.addStretch(1)
        words = Caption(
            _(
                "A regular expression is a pattern instead of plain words: \\d+ is any number, (…) a group, and $1 in "
                "the replacement what the first group found."
            )
        )
        self.regex.setAccessibleDescription(words.text())
        self.rows.addLayout(switches)
        self.rows.addWidget(words)
        if len(self.columns) > 1:
            self.rows.addWidget(Caption(_("In these columns")))
        grid = QGridLayout()
        grid.setHorizontalSpacing(space.xl)
        for position, box in enumerate(self.columns.values()):
            box.setChecked(True)
            grid.addWidget(box, position // _IN_A_ROW, position % _IN_A_ROW)
            if len(self.columns) == 1:
                box.hide()
        grid.setColumnStretch(_IN_A_ROW, 1)
        self.rows.addLayout(grid)
