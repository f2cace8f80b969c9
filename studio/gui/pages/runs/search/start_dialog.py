"""Begin a search: like which run, over which settings, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.domain.runs import RunPlan
from studio.domain.search_space import Dimension, searchable
from studio.domain.searches import Budget, expected_seconds, usual_budget
from studio.gui.forms import ModelForm
from studio.gui.pages.runs.search.range_row import RangeRow
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Divider,
    DropDown,
    FormRow,
    PrimaryButton,
    ScrollPage,
    SecondaryButton,
    SectionTitle,
)
from studio.i18n import _
from studio.words import duration_words

_SIZE = (760, 640)
_FIRST = ("learning_rate", "lora_rank")  # chosen to begin with, where they mean something


class StartDialog(QDialog):
    """``plan()``, ``space()``, ``budget()`` and ``name()`` after it was accepted.

    plans: to start from, not empty. seconds: what a run takes, by its id, as far as it is known.
    """

    def __init__(
        self, plans: Sequence[RunPlan], seconds: Mapping[str, float] | None = None, parent: QWidget | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._plans = list(plans)
        self._seconds = seconds or {}
        self.rows: list[RangeRow] = []
        self.setWindowTitle(_("New search"))
        self.resize(*_SIZE)
        self.source = DropDown()
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setAccessibleName(_("Settings to start from"))
        for plan in self._plans:
            self.source.addItem(plan.name)
        self.title = QLineEdit()
        self.form = ModelForm(Budget, compact=True, columns=3)
        self.expected = Caption()
        self.message = Caption(tone="error")
        self.start = PrimaryButton(_("Start the search"), self.accept)
        self.start.setDefault(True)
        self.cancel = SecondaryButton(_("Cancel"), self.reject)
        self._body = ScrollPage(margin=0)
        self._fields = QVBoxLayout()
        self._build()
        self.source.currentIndexChanged.connect(lambda _index: self._show_fields())
        self.form.validity_changed.connect(lambda _valid: self._show_state())
        self.form.changed.connect(lambda _budget: self._show_state())
        self._show_fields()

    def plan(self) -> RunPlan:
        """Of the trials."""
        return self._plans[max(self.source.currentIndex(), 0)]

    def space(self) -> dict[str, Dimension]:
        """The chosen settings with their values. Raises StudioError."""
        return {row.name: row.dimension() for row in self.rows if row.chosen()}

    def budget(self) -> Budget:
        """How long."""
        return self.form.value()

    def name(self) -> str:
        """As typed; may be empty."""
        return self.title.text().strip()

    def _build(self) -> None:
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self._body.body.setContentsMargins(space.xl, space.xl, space.xl, space.l)
        self._body.add(SectionTitle(_("New search")))
        self._body.add(
            BodyText(
                _(
                    "Short runs try different settings, and are judged on the validation rows. "
                    "The test rows stay unseen."
                ),
                tone="muted",
            )
        )
        top = QHBoxLayout()
        top.setSpacing(space.l)
        top.addWidget(FormRow(_("Settings to start from"), self.source), 1)
        top.addWidget(FormRow(_("Name"), self.title), 1)
        self._body.body.addLayout(top)
        self._body.add(SectionTitle(_("How long")))
        self._body.add(self.form)
        self._body.add(self.expected)
        self._body.add(SectionTitle(_("What is searched")))
        self._fields.setSpacing(0)
        self._body.body.addLayout(self._fields)
        self._body.body.addStretch(1)
        outer.addWidget(self._body, 1)
        outer.addWidget(Divider())
        feet = QHBoxLayout()
        feet.setContentsMargins(space.xl, space.l, space.xl, space.l)
        feet.setSpacing(space.s)
        feet.addWidget(self.message, 1)
        feet.addWidget(self.cancel)
        feet.addWidget(self.start)
        outer.addLayout(feet)

    def _show_fields(self) -> None:
        while (item := self._fields.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        plan = self.plan()
        self.title.setPlaceholderText(_("Search: {name}").format(name=plan.name))
        able = searchable(plan.spec, plan.shape)
        ordered = [name for name in _FIRST if name in able] + [name for name in able if name not in _FIRST]
        self.rows = [RangeRow(name, plan.spec) for name in ordered]
        for row in self.rows:
            self._fields.addWidget(row)
            row.changed.connect(self._show_state)
        for row in self.rows[:1]:
            row.switch.setChecked(True)
        usual = usual_budget(plan.spec)
        self.form.set_value(self.budget().model_copy(update={"passes": usual.passes}))
        self._show_state()

    def _show_state(self) -> None:
        """The button says why it cannot be pressed."""
        chosen = [row for row in self.rows if row.chosen()]
        wrong = any(row.check() for row in chosen)
        budget = self.form.value()
        endless = budget.trials is None and budget.minutes is None
        self.message.setText(
            _("Choose at least one setting and its range.") if not chosen
            else _("Mend the ranges that are marked.") if wrong
            else _("Say how many trials or minutes it may take.") if endless or not self.form.is_valid()
            else ""
        )  # fmt: skip
        self.start.setEnabled(not self.message.text())
        self._show_expected()

    def _show_expected(self) -> None:
        plan = self.plan()
        run_s = self._seconds.get(plan.run_id)
        known = run_s is not None and self.start.isEnabled()
        self.expected.setVisible(known)
        if run_s is not None and known:
            seconds = expected_seconds(self.budget(), plan.spec, run_s)
            self.expected.setText(
                _("About {time} at most: trials that do worse than the others end early.").format(
                    time=duration_words(seconds)
                )
            )
