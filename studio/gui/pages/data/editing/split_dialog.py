"""Split and balance: how many rows are held out, which stay together, and what helps rare labels."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QRadioButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion, Split, SplitShares, title
from studio.domain.recipes import AnyStep, FindingKind, FixAction, FixStep, SplitStep
from studio.domain.shapes import content_columns
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.models.cells import LABELLED, CellKind, kind_of
from studio.gui.pages.data.editing.step_dialog import StepDialog
from studio.gui.pages.data.split_editor import SplitEditor
from studio.gui.pages.data.statistics.charts import Bar, BarList, Part
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, DropDown, FormRow, SegmentedControl
from studio.i18n import N_, _
from studio.words_data import action_title, column_title
from studio.words_versions import NEAR_DUPLICATES

_REMEDIES = {
    FixAction.WEIGHTS: N_(
        "No row changes; in training, a row of a rare label counts for more. The safest choice."
    ),
    FixAction.OVERSAMPLE: N_(
        "Training rows of rare labels are repeated until all labels are equally frequent; training takes longer."
    ),
    FixAction.UNDERSAMPLE: N_(
        "Training rows of frequent labels are removed until all labels are equally frequent; what they taught is lost."
    ),
}
_GROUPING = (CellKind.TEXT, CellKind.TURNS, CellKind.IMAGE, CellKind.AUDIO)
_MOST_BARS = 8


class SplitDialog(StepDialog):
    """One step at a time: either the rows are split again, or the labels are balanced."""

    def __init__(
        self, ctx: GuiContext, dataset: DatasetVersion, columns: Sequence[str], parent: QWidget
    ) -> None:
        labelled = dataset.shape in LABELLED
        name = _("Split and balance") if labelled else _("Split again")
        super().__init__(ctx, dataset, name, _("Make new version"), parent)
        self.part = SegmentedControl([("split", _("Split")), ("balance", _("Balance labels"))])
        self.editor = SplitEditor(_shares_now(dataset))
        self.together = DropDown()
        self.stratify = QCheckBox(_("Same share of each label in all parts"))
        self.remedies = {action: QRadioButton(action_title(action)) for action in _REMEDIES}
        self._pages = QStackedWidget()
        self._fill_together(columns)
        self._arrange()
        for part in (self.part, self.stratify):
            part.setVisible(labelled)
        self._connect()
        self.editor.validation.setFocus()
        self.look_again()

    def step(self) -> AnyStep | None:
        if self.part.current() == "balance":
            chosen = next((action for action, button in self.remedies.items() if button.isChecked()), None)
            return FixStep(finding=FindingKind.CLASS_IMBALANCE, action=chosen) if chosen is not None else None
        shares = self.editor.shares()
        if shares.validation + shares.test >= 1:
            raise StudioError(
                "split.no_training", _("No row is left for training."), _("Make one of the shares smaller.")
            )
        return SplitStep(
            validation=shares.validation,
            test=shares.test,
            group_by=self.together.currentData() or None,
            stratify=self.stratify.isChecked() and self.dataset.shape in LABELLED,
        )

    def hint(self) -> str:
        return _("Choose what should be done.")

    def _fill_together(self, columns: Sequence[str]) -> None:
        self.together.addItem(_("Nothing: each row by itself"), "")
        self.together.addItem(_("Near-duplicates"), NEAR_DUPLICATES)
        for name in content_columns(list(columns)):
            if kind_of(name) in _GROUPING:
                self.together.addItem(
                    _("Rows with the same {column}").format(column=column_title(name)), name
                )

    def _arrange(self) -> None:
        space = current_tokens().space
        self.rows.addWidget(self.part)
        split, balance = QWidget(), QWidget()
        for page in (split, balance):
            column = QVBoxLayout(page)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(space.l)
            self._pages.addWidget(page)
        self._fill_split(split)
        self._fill_balance(balance)
        self.rows.addWidget(self._pages)
        self._show_page(0)

    def _fill_split(self, page: QWidget) -> None:
        column = page.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(self.editor)
        self._counts = Caption()
        column.addWidget(self._counts)
        why = _("Rows that belong together must not be learned and tested: the verdict would be too good.")
        column.addWidget(FormRow(_("Keep together"), self.together, why))
        column.addWidget(self.stratify, 0, Qt.AlignmentFlag.AlignLeft)  # what lights up can be clicked
        column.addStretch(1)

    def _fill_balance(self, page: QWidget) -> None:
        column = page.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(BodyText(_balance_words(self.dataset)))
        bars = BarList()
        known = [(name, rows) for name, rows in self.dataset.labels.items() if name]
        bars.show_bars([Bar(name, [Part("", rows)]) for name, rows in known[:_MOST_BARS]])
        bars.setAccessibleName(_("Rows of each label"))
        column.addWidget(bars)
        if len(known) > _MOST_BARS:
            column.addWidget(Caption(_("and {n} more labels").format(n=f"{len(known) - _MOST_BARS:,}")))
        choices = QVBoxLayout()
        choices.setSpacing(current_tokens().space.xs)
        for action, button in self.remedies.items():
            words = Caption(_(_REMEDIES[action]))
            words.setContentsMargins(28, 0, 0, 0)
            button.setAccessibleDescription(words.text())
            choices.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            choices.addWidget(words)
        column.addLayout(choices)

    def _connect(self) -> None:
        self.part.changed.connect(self._on_part)
        self.editor.changed.connect(self._on_split)
        self.together.currentIndexChanged.connect(self.look_again)
        self.stratify.toggled.connect(self.look_again)
        for button in self.remedies.values():
            button.toggled.connect(lambda on: self.look_again() if on else None)
        self._show_counts()

    def _on_part(self, key: str) -> None:
        self._show_page(0 if key == "split" else 1)
        self.look_again()

    def _show_page(self, shown: int) -> None:
        """The dialog is as high as the page on show, not as the highest."""
        for number in range(self._pages.count()):
            page = self._pages.widget(number)
            if page is not None:
                fits = QSizePolicy.Policy.Preferred if number == shown else QSizePolicy.Policy.Ignored
                page.setSizePolicy(QSizePolicy.Policy.Preferred, fits)
        self._pages.setCurrentIndex(shown)

    def _on_split(self) -> None:
        self._show_counts()
        self.look_again()

    def _show_counts(self) -> None:
        shares, rows = self.editor.shares(), self.dataset.rows
        held = {Split.VALIDATION: round(rows * shares.validation), Split.TEST: round(rows * shares.test)}
        counts = {Split.TRAIN: max(rows - sum(held.values()), 0), **held}
        now = {split: self.dataset.splits.get(split, 0) for split in Split}
        self._counts.setText(
            "   ".join(
                _("{part}: about {after} rows (now {before})").format(
                    part=title(split), after=f"{counts[split]:,}", before=f"{now[split]:,}"
                )
                for split in Split
            )
        )


def _shares_now(dataset: DatasetVersion) -> SplitShares:
    shares = dataset.spec.shares
    for outcome in dataset.made_by:
        if isinstance(outcome.step, SplitStep):
            shares = SplitShares(validation=outcome.step.validation, test=outcome.step.test)
    return shares


def _balance_words(dataset: DatasetVersion) -> str:
    counts = sorted((rows, name) for name, rows in dataset.labels.items() if name and rows)
    if len(counts) < 2:
        return _("There is only one label so far: nothing to balance.")
    (least, rare), (most, frequent) = counts[0], counts[-1]
    if round(most / least, 1) == 1:
        return _("The labels are spread evenly enough to learn from.")
    return _("“{frequent}” has {n} times as many rows as “{rare}”.").format(
        frequent=frequent, rare=rare, n=f"{most / least:,.1f}"
    )
