"""What predictors answered: a card for each input, or a table when there are many, one column for each model."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from studio.domain.predictions import unknown_user_words
from studio.gui.models.predict_session import Answers, Batch
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.pages.playground.predict_media import (
    ListenButton,
    Thumbnail,
    sheet_label,
)
from studio.gui.pages.playground.predict_table import AnswersTable
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    Figure,
    IconLabel,
    LinkButton,
    PrimaryButton,
    SecondaryButton,
)
from studio.gui.widgets.bars import BarList, BarRow
from studio.i18n import _
from studio.protocol.events import PredictedItem

CARDS = 6  # inputs of a batch that get a card each; more become a table
_LONG = 400  # characters of an input


class BatchView(Card):
    """One batch. save_asked(Batch); corrected: (Answers, number of the input, the right answer); picture_asked(str)."""

    save_asked = Signal(object)
    corrected = Signal(object)
    picture_asked = Signal(str)

    def __init__(self, batch: Batch, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.batch = batch
        self.save: LinkButton | None = None  # once there is something to save
        self._thumbnails = thumbnails
        self._inside = QWidget()
        self.add(self._inside)
        self.show_state()

    def show_state(self) -> None:
        """Show what has been answered by now."""
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.l)
        if len(self.batch.inputs) <= CARDS:
            for number in range(len(self.batch.inputs)):
                column.addWidget(self._one(number))
        else:
            column.addWidget(AnswersTable(self.batch, self._thumbnails))
        if self.batch.asks != "sample" and any(answers.predictions() for answers in self.batch.answers):
            self.save = LinkButton(
                _("Save as CSV…"), lambda: self.save_asked.emit(self.batch), icon="download"
            )
            column.addWidget(self.save, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.replaceWidget(self._inside, made)
        self._inside.setParent(None)
        self._inside.deleteLater()
        self._inside = made

    def _one(self, number: int) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.m)
        column.addWidget(self._asked(number))
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.xl)
        for answers in self.batch.answers:
            view = AnswerPart(answers, number, named=len(self.batch.answers) > 1)
            view.corrected.connect(lambda right, a=answers, n=number: self.corrected.emit((a, n, right)))
            view.picture_asked.connect(self.picture_asked)
            row.addWidget(view, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        return made

    def _asked(self, number: int) -> QWidget:
        shown, given = self.batch.shown[number], self.batch.inputs[number]
        words = BodyText(shown if len(shown) <= _LONG else shown[:_LONG] + "…", bold=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if self.batch.asks not in ("image", "audio"):
            return words
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.m)
        if self.batch.asks == "image":
            row.addWidget(Thumbnail(given["image"], self._thumbnails))
            row.addWidget(words, 1)
        else:
            row.addWidget(words)
            row.addWidget(ListenButton(given["audio"]))
            row.addStretch(1)
        return holder


class AnswerPart(QWidget):
    """One model's answer to one input. corrected(str): what is right; picture_asked(str): keep this drawing."""

    corrected = Signal(str)
    picture_asked = Signal(str)

    def __init__(self, answers: Answers, number: int, *, named: bool) -> None:
        super().__init__()
        self._answers, self._number = answers, number
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(current_tokens().space.s)
        if named:
            self._column.addWidget(Caption(answers.model_name))
        found = answers.predictions()
        if answers.problem:
            self._show_problem()
        elif answers.open:
            self._column.addWidget(BodyText(_("Thinking…"), tone="muted"))
        elif number >= len(found):
            self._column.addWidget(BodyText(_("Stopped before it began."), tone="muted"))
        else:
            self._show_answer(found[number])

    def _show_problem(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.s)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(BodyText(self._answers.problem, tone="error"))
        if self._answers.hint:
            words.addWidget(Caption(self._answers.hint))
        row.addWidget(IconLabel("error", "error", 20), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        self._column.addLayout(row)

    def _show_answer(self, answer: PredictedItem) -> None:
        if answer.picture:
            picture = sheet_label(answer.picture)
            picture.setAccessibleName(_("New pictures"))
            self._column.addWidget(picture, 0, Qt.AlignmentFlag.AlignLeft)
            keep = SecondaryButton(_("Save picture…"), lambda: self.picture_asked.emit(answer.picture))
            self._column.addWidget(keep, 0, Qt.AlignmentFlag.AlignLeft)
            return
        if answer.unknown_user:
            self._column.addWidget(Caption(unknown_user_words(), tone="warning"))
        if answer.number is not None:
            self._column.addWidget(Figure(f"{answer.number:.3g}", size=current_tokens().fonts.display))
        elif answer.labels:
            self._column.addWidget(BarList(label_rows(answer)))
        elif answer.items:
            self._column.addWidget(BarList(item_rows(answer)))
        else:
            self._column.addWidget(BodyText("–", tone="muted"))
        if answer.number is not None or answer.labels:
            self._add_correction(answer)

    def _add_correction(self, answer: PredictedItem) -> None:
        self._place = QWidget()
        row = QHBoxLayout(self._place)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.xs)
        self.correct = LinkButton(_("Correct this answer…"), lambda: self._open_editor(answer), icon="edit")
        row.addWidget(self.correct)
        kept = self._answers.corrections.get(self._number)
        if kept is not None:
            row.addWidget(IconLabel("success", "success", 16))
            row.addWidget(Caption(_("Kept as right: {answer}").format(answer=kept), tone="success"))
        row.addStretch(1)
        self._column.addWidget(self._place)

    def _open_editor(self, answer: PredictedItem) -> None:
        self.editor = _Correction(answer, self._answers.labels)
        self.editor.saved.connect(self.corrected)
        self.editor.closed.connect(self._close_editor)
        self._column.addWidget(self.editor)
        self._place.hide()
        self.editor.input.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_editor(self) -> None:
        self.editor.hide()
        self.editor.deleteLater()
        self._place.show()
        self.correct.setFocus(Qt.FocusReason.OtherFocusReason)


class _Correction(QWidget):
    """The right label or number. ``saved`` carries it."""

    saved = Signal(str)
    closed = Signal()

    def __init__(self, answer: PredictedItem, labels: tuple[str, ...]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        self.input: QLineEdit | QComboBox
        self._text: Callable[[], str]
        if answer.number is None:
            box = QComboBox()
            box.setEditable(True)
            box.addItems(list(labels) or [name for name, _share in answer.labels])
            box.setCurrentText("|".join(answer.chosen))
            self.input, self._text = box, box.currentText
        else:
            line = QLineEdit(f"{answer.number:.3g}")
            line.returnPressed.connect(self._save)
            self.input, self._text = line, line.text
        self.input.setAccessibleName(_("The answer it should have given"))
        self.save = PrimaryButton(_("Save correction"), self._save)
        self.cancel = SecondaryButton(_("Cancel"), self.closed.emit)
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.s)
        row.addWidget(self.input, 1)
        row.addWidget(self.save)
        row.addWidget(self.cancel)
        column.addLayout(row)
        column.addWidget(
            Caption(_("Your version is kept with this model and can be used in its next training."))
        )

    def _save(self) -> None:
        if self._text().strip():
            self.saved.emit(self._text().strip())


def label_rows(answer: PredictedItem) -> list[BarRow]:
    """Labels with their probability, those decided for marked."""
    return [BarRow(name, share, f"{share:.1%}", name in answer.chosen) for name, share in answer.labels]


def item_rows(answer: PredictedItem) -> list[BarRow]:
    """Recommended items by rank; the bar is the score against the best one's."""
    scores = [score for _name, score in answer.items]
    least, most = min(0.0, *scores), max(scores)
    span = (most - least) or 1.0
    return [
        BarRow(f"{place}. {name}", (score - least) / span, f"{score:.3g}", place == 1)
        for place, (name, score) in enumerate(answer.items, start=1)
    ]
