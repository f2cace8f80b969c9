"""All runs as a table that reads page by page; loss curves and verdicts arrive after the names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QDateTime,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from studio.domain.measures import Measure, measure_title, measure_words
from studio.domain.runs import Run
from studio.domain.verdicts import Verdict
from studio.domain.verdicts import title as verdict_title
from studio.gui.icons import icon
from studio.gui.models.runs_words import (
    STATE_ICONS,
    STATE_TONES,
    VERDICT_ICONS,
    VERDICT_TONES,
    state_words,
)
from studio.gui.theme import Tone
from studio.i18n import N_, _, current_language
from studio.words import duration_words, loss_words

Index = QModelIndex | QPersistentModelIndex
PAGE_ROWS = 50
_ICON_OF_TONE: dict[Tone, str] = {
    "neutral": "circle", "accent": "info", "success": "success", "warning": "warning", "error": "error",
}  # fmt: skip
_COLOUR_OF_TONE: dict[Tone, str] = {
    "neutral": "text_muted", "accent": "accent_text", "success": "success", "warning": "warning", "error": "error",
}  # fmt: skip


class RunColumn(IntEnum):
    """Columns in their order on the screen."""

    NAME = 0
    PRODUCT = 1
    BASE = 2
    DATA = 3
    STATE = 4
    LOSS = 5
    VERDICT = 6
    TIME = 7
    DATE = 8


class RunRole(IntEnum):
    """Roles beside Qt's own."""

    RUN = Qt.ItemDataRole.UserRole + 1  # domain.runs.Run
    SPARK = Qt.ItemDataRole.UserRole + 2  # tuple of floats


_TITLES = {
    RunColumn.NAME: N_("Name"),
    RunColumn.PRODUCT: N_("Product"),
    RunColumn.BASE: N_("Base model"),
    RunColumn.DATA: N_("Data"),
    RunColumn.STATE: N_("State"),
    RunColumn.LOSS: N_("Result"),
    RunColumn.VERDICT: N_("Verdict"),
    RunColumn.TIME: N_("Time"),
    RunColumn.DATE: N_("Date"),
}


@dataclass(frozen=True)
class RunRow:
    """A run with what the table shows beside it."""

    run: Run
    product: str = ""
    spark: tuple[float, ...] = ()
    verdict: Verdict | None = None


class RunsTable(QAbstractTableModel):
    """Rows come by ``add_page``; ``page_wanted(offset, limit)`` asks for more when the view scrolls to the
    end.

    renamed: (run id, new name), typed into the Name cell.
    """

    page_wanted = Signal(int, int)
    renamed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[RunRow] = []
        self._total = 0
        self._asked = 0

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(RunColumn)

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and len(self._rows) < self._total and self._asked <= len(self._rows)

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            self._asked = len(self._rows) + PAGE_ROWS
            self.page_wanted.emit(len(self._rows), PAGE_ROWS)

    def reset(self, rows: Sequence[RunRow], total: int) -> None:
        """Show these first rows of ``total``."""
        self.beginResetModel()
        self._rows, self._total, self._asked = list(rows), total, len(rows)
        self.endResetModel()

    def add_page(self, offset: int, rows: Sequence[RunRow]) -> None:
        """Append a page that was asked for; one that no longer fits is dropped."""
        if offset != len(self._rows) or not rows:
            self._total = len(self._rows) if not rows else self._total
            return
        self.beginInsertRows(QModelIndex(), offset, offset + len(rows) - 1)
        self._rows += rows
        self.endInsertRows()

    def enrich(self, run_id: str, *, spark: tuple[float, ...], verdict: Verdict | None) -> None:
        """Curve and verdict of a run are there."""
        for number, row in enumerate(self._rows):
            if row.run.id == run_id:
                self._rows[number] = replace(row, spark=spark, verdict=verdict)
                ends = self.index(number, RunColumn.LOSS), self.index(number, RunColumn.VERDICT)
                self.dataChanged.emit(*ends)
                return

    def row(self, number: int) -> RunRow:
        """The row as shown. Raises IndexError."""
        return self._rows[number]

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _(_TITLES[RunColumn(section)])
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == RunColumn.NAME else flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or index.column() != RunColumn.NAME or not name:
            return False
        run = self._rows[index.row()].run
        if name != run.name:
            self.renamed.emit((run.id, name))
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], RunColumn(index.column())
        if role == RunRole.RUN:
            return row.run
        if role == RunRole.SPARK:
            return row.spark
        if role == Qt.ItemDataRole.ToolTipRole and column is RunColumn.LOSS:
            return _loss_help(row)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole):
            return _CELLS[column](row)
        if role == Qt.ItemDataRole.DecorationRole:
            return _decoration(row, column)
        return None


def _time(row: RunRow) -> str:
    run = row.run
    if run.summary is not None:
        return duration_words(run.summary.total_s or run.summary.seconds)
    if run.started_at and run.ended_at:
        return duration_words((run.ended_at - run.started_at).total_seconds())
    return "–"


def _loss(row: RunRow) -> str:
    """What the verdict compares, once there is one; the best check of a run without comparison, as a fold is."""
    if row.verdict is not None and row.verdict.measure is not Measure.SURPRISE:
        return measure_words(row.verdict.measure, row.verdict.tuned_value)
    summary = row.run.summary
    known = (summary.tuned_value, summary.best_eval_loss) if summary is not None else ()
    return loss_words(next((value for value in known if value is not None), row.run.last_loss))


def _by_checks(row: RunRow) -> bool:
    """Whether the best check is all that is known of the run's result."""
    summary = row.run.summary
    return summary is not None and summary.tuned_value is None and summary.best_eval_loss is not None


def _loss_help(row: RunRow) -> str:
    measure = row.verdict.measure if row.verdict is not None else Measure.SURPRISE
    name = _("Loss") if measure is Measure.SURPRISE else measure_title(measure)
    if _by_checks(row):
        name = _("Best validation loss")
    return _("{what}: {name}").format(what=name, name=_loss(row))


def _date(row: RunRow) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(row.run.created_at.timestamp()))
    return locale_of(current_language()).toString(moment, QLocale.FormatType.ShortFormat)


def locale_of(language: str) -> QLocale:
    """Dates follow the language of the window, not of the system."""
    return QLocale(QLocale.Language.Chinese, QLocale.Country.China) if language == "zh_CN" else QLocale()


def _decoration(row: RunRow, column: RunColumn) -> Any:
    if column is RunColumn.STATE:
        tone = STATE_TONES[row.run.state]
        return icon(STATE_ICONS.get(row.run.state) or _ICON_OF_TONE[tone], _COLOUR_OF_TONE[tone])
    if column is RunColumn.VERDICT and row.verdict is not None:
        kind = row.verdict.kind
        return icon(VERDICT_ICONS[kind], _COLOUR_OF_TONE[VERDICT_TONES[kind]])
    return None


_CELLS: dict[RunColumn, Callable[[RunRow], str]] = {
    RunColumn.NAME: lambda row: row.run.name,
    RunColumn.PRODUCT: lambda row: row.product or "–",
    RunColumn.BASE: lambda row: row.run.plan.base_name,
    RunColumn.DATA: lambda row: row.run.plan.dataset_name,
    RunColumn.STATE: lambda row: state_words(row.run.state),
    RunColumn.LOSS: _loss,
    RunColumn.VERDICT: lambda row: verdict_title(row.verdict.kind) if row.verdict else "–",
    RunColumn.TIME: _time,
    RunColumn.DATE: _date,
}
