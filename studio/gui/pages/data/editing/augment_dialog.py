"""Changed copies of training rows: which changes, how many, how strong, and what one would look like."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion, Split
from studio.domain.recipes import AnyStep, AugmentStep, ImageOperator, TextOperator
from studio.domain.shapes import Shape
from studio.gui.context import GuiContext
from studio.gui.pages.data.editing.step_dialog import StepDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Figure, FormRow, Slider
from studio.i18n import N_, _
from studio.words_versions import OPERATORS

_HONEST: dict[TextOperator | ImageOperator, str] = {
    TextOperator.SWAP_WORDS: N_("Two neighbouring words change places; some sentences will sound odd."),
    TextOperator.DROP_WORDS: N_("Some words are left out; now and then the one that mattered."),
    TextOperator.TYPOS: N_(
        "Letters change places as in hasty typing, Chinese characters are doubled or dropped; helps with careless "
        "users."
    ),
    TextOperator.PUNCTUATION: N_("Marks change their width or go missing; the words stay as they are."),
    TextOperator.CASE: N_("Capital letters come and go; does nothing for Chinese."),
    ImageOperator.CROP: N_("The edges are cut off; what matters may be cut off with them."),
    ImageOperator.FLIP: N_("Left and right change places; wrong for writing and for left-or-right labels."),
    ImageOperator.ROTATE: N_("The image is turned by some degrees; corners are filled in."),
    ImageOperator.COLOUR: N_("Light and colours vary; wrong when the colour is the label."),
}
_STRONGEST_PERCENT = 50


def can_augment(shape: Shape) -> bool:
    """Whether changed copies make sense for rows of this shape."""
    return shape is not Shape.RATINGS


class AugmentDialog(StepDialog):
    """Only training rows are copied; validation and test rows must stay what people really wrote."""

    def __init__(self, ctx: GuiContext, dataset: DatasetVersion, parent: QWidget) -> None:
        super().__init__(ctx, dataset, _("Add changed copies"), _("Add copies"), parent)
        kinds: type[TextOperator] | type[ImageOperator] = (
            ImageOperator if dataset.shape is Shape.IMAGE_LABEL else TextOperator
        )
        self.operators = {operator: QCheckBox(_(OPERATORS[operator])) for operator in kinds}
        self.copies = QSpinBox()
        self.copies.setRange(1, 10)
        self.strength = Slider()
        self.strength.setRange(1, _STRONGEST_PERCENT)
        self.strength.setValue(10)
        self._percent = Figure("10%")
        self._arrange()
        for box in self.operators.values():
            box.toggled.connect(self.look_again)
        self.copies.valueChanged.connect(self.look_again)
        self.strength.valueChanged.connect(self._on_strength)
        next(iter(self.operators.values())).setFocus()
        self.look_again()

    def step(self) -> AnyStep | None:
        chosen = [operator for operator, box in self.operators.items() if box.isChecked()]
        if not chosen:
            return None
        return AugmentStep(
            text=tuple(each for each in chosen if isinstance(each, TextOperator)),
            image=tuple(each for each in chosen if isinstance(each, ImageOperator)),
            copies=self.copies.value(),
            strength=self.strength.value() / 100,
        )

    def hint(self) -> str:
        return _("Choose at least one kind of change.")

    def _arrange(self) -> None:
        space = current_tokens().space
        self.rows.addWidget(
            BodyText(
                _(
                    "Copies with small changes teach the model not to mind them. They are no new examples: real rows "
                    "help more. {n} training rows are copied; validation and test stay as they are."
                ).format(n=f"{self.dataset.splits.get(Split.TRAIN, 0):,}")
            )
        )
        choices = QVBoxLayout()
        choices.setSpacing(space.xs)
        for operator, box in self.operators.items():
            words = Caption(_(_HONEST[operator]))
            words.setContentsMargins(28, 0, 0, 0)
            box.setAccessibleDescription(words.text())
            choices.addWidget(box, 0, Qt.AlignmentFlag.AlignLeft)  # what lights up can be clicked
            choices.addWidget(words)
        self.rows.addLayout(choices)
        strength = QWidget()
        inside = QHBoxLayout(strength)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.strength, 1)
        self._percent.setFixedWidth(44)
        inside.addWidget(self._percent)
        figures = QHBoxLayout()
        figures.setSpacing(space.xl)
        figures.addWidget(FormRow(_("Copies of each row"), self.copies), 1)
        pictures = self.dataset.shape is Shape.IMAGE_LABEL
        share = _("Share of the image that changes") if pictures else _("Share of the words that changes")
        self.strength.setFixedHeight(self.copies.sizeHint().height())  # both labels stand on one line
        figures.addWidget(FormRow(share, strength), 2)
        self.strength.setAccessibleName(share)
        self.rows.addLayout(figures)

    def _on_strength(self, percent: int) -> None:
        self._percent.setText(f"{percent}%")
        self.look_again()
