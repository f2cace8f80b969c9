"""The trials of a search as a table: number, searched settings, loss, state and time; the best is marked."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from studio.domain.search_space import field_title, setting_words
from studio.domain.searches import TRIAL_TITLES, Search, Trial, TrialState
from studio.gui.icons import icon
from studio.gui.theme import current_tokens, tabular_font
from studio.i18n import _
from studio.words import duration_words

Index = QModelIndex | QPersistentModelIndex
_PICTURES = {
    TrialState.RUNNING: ("play", "accent_text"), TrialState.DONE: ("success", "success"),
    TrialState.PRUNED: ("minus", "text_muted"), TrialState.FAILED: ("error", "error"),
}  # fmt: skip


class TrialsTable(QAbstractTableModel):
    """Columns: trial, each searched field, validation loss, state, time."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._search: Search | None = None

    def show(self, search: Search) -> None:
        """Show this search; the same one with news keeps the selection of the view."""
        old = self._search
        same = old is not None and old.id == search.id and len(old.trials) == len(search.trials)
        if same:
            self._search = search
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._search = search
        self.endResetModel()

    def trial(self, row: int) -> Trial:
        """The trial in a row: the newest first. Raises IndexError."""
        assert self._search is not None
        return self._search.trials[len(self._search.trials) - 1 - row]

    def row_of(self, number: int) -> int:
        """The row of a trial; -1 when it is not there."""
        return next((row for row in range(self.rowCount()) if self.trial(row).number == number), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() or self._search is None else len(self._search.trials)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() or self._search is None else len(self._search.space) + 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role in (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole,
        ):  # fmt: skip
            return self._titles()[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._search is None:
            return None
        trial, column = self.trial(index.row()), index.column()
        is_best = self._is_best(trial)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells(trial)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return trial.note or self._cells(trial)[column]
        if role == Qt.ItemDataRole.FontRole:
            weight = QFont.Weight.DemiBold if is_best else QFont.Weight.Normal
            return tabular_font(current_tokens().fonts.body, weight)
        if role == Qt.ItemDataRole.DecorationRole and column == self.columnCount() - 2:
            return icon(*_PICTURES[trial.state])
        if role == Qt.ItemDataRole.DecorationRole and column == 0 and is_best:
            return icon("star", "accent_text")
        return None

    def _titles(self) -> list[str]:
        assert self._search is not None
        return [
            _("Trial"),
            *map(field_title, self._search.space),
            _("Validation loss"),
            _("State"),
            _("Time"),
        ]

    def _cells(self, trial: Trial) -> list[str]:
        assert self._search is not None
        values = [setting_words(name, trial.settings[name]) for name in self._search.space]
        loss = trial.value if trial.value is not None else min(trial.checks, default=None)
        time = duration_words(trial.seconds) if trial.seconds else "–"
        said = "–" if loss is None else f"{loss:.4g}"
        state = _("The best") if self._is_best(trial) else _(TRIAL_TITLES[trial.state])
        return [str(trial.number), *values, said, state, time]

    def _is_best(self, trial: Trial) -> bool:
        best = self._search.best if self._search is not None else None
        return best is not None and best.number == trial.number


def trial_words(search: Search, trial: Trial) -> str:
    """A trial in a few lines, for tooltips and screen readers."""
    lines = [
        _("Trial {number}: {state}").format(number=trial.number, state=_(TRIAL_TITLES[trial.state])),
        *(
            _("{title}: {value}").format(title=field_title(name), value=setting_words(name, value))
            for name, value in trial.settings.items()
        ),
    ]
    loss = trial.value if trial.value is not None else min(trial.checks, default=None)
    if loss is not None:
        lines.append(_("{title}: {value}").format(title=_("Validation loss"), value=f"{loss:.4g}"))
    return "\n".join([*lines, *([trial.note] if trial.note else [])])
