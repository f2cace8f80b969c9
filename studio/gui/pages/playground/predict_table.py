"""The answers to many inputs at once as a table: one row for each input, one column for each model."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.domain.predictions import prediction_words
from studio.gui.models.predict_session import Answers, Batch
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.pages.playground.predict_media import CELL_THUMB, PictureCells
from studio.gui.playing import play
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption
from studio.i18n import _, ngettext

ROWS: Final = 500  # of a batch that are shown; all of them are in the CSV
_HEIGHT: Final = 420


class _Rows(QTableWidget):
    """entered_row(int): Enter on a row. What Qt calls activation is a single click on some desktops."""

    entered_row = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentRow() >= 0:
            self.entered_row.emit(self.currentRow())
        else:
            super().keyPressEvent(event)


class AnswersTable(QWidget):
    """A batch as it stands now. Pictures stand beside their names, recordings are played from it."""

    def __init__(self, batch: Batch, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._batch = batch
        self._table = self._filled(thumbnails)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(BodyText(self._count_words(), bold=True))
        if batch.asks == "audio":
            self._told = Caption(self._how())
            body.addWidget(self._told)
            self._table.cellDoubleClicked.connect(lambda row, _column: self._play(row))
            self._table.entered_row.connect(self._play)
        body.addWidget(self._table)

    def _filled(self, thumbnails: Thumbnails) -> _Rows:
        answers = self._batch.answers
        shown = min(ROWS, len(self._batch.inputs))
        table = _Rows(shown, 1 + len(answers))
        table.setHorizontalHeaderLabels([_("Input"), *(each.model_name for each in answers)])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setAccessibleName(_("Answers"))
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for number in range(shown):
            cells = [self._batch.shown[number], *(_cell(each, number) for each in answers)]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                table.setItem(number, column, item)
        if self._batch.asks == "image":
            paths = [given["image"] for given in self._batch.inputs[:shown]]
            table.setItemDelegateForColumn(0, PictureCells(paths, thumbnails, table))
            table.verticalHeader().setDefaultSectionSize(CELL_THUMB + 2 * current_tokens().space.xs)
        table.setFixedHeight(min(_HEIGHT, table.rowHeight(0) * shown + 48))
        return table

    def _play(self, row: int) -> None:
        self._told.setText(play(self._batch.inputs[row]["audio"]) or self._how())

    def _how(self) -> str:
        return _("A double click plays the recording.")

    def _count_words(self) -> str:
        total = len(self._batch.inputs)
        words = ngettext("{n} input", "{n} inputs", total).format(n=f"{total:,}")
        if total > ROWS:
            words += " · " + _("the first {n} are shown").format(n=ROWS)
        return words


def _cell(answers: Answers, number: int) -> str:
    found = answers.predictions()
    if answers.problem:
        return answers.problem if number == 0 else ""
    return prediction_words(found[number]) if number < len(found) else "…" if answers.open else "–"
