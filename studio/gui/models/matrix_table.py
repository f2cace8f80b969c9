"""The home table: a product a row, core first, each cell with its value or the next thing to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from studio.domain.measures import Measure, measure_title, measure_words, metric_title
from studio.domain.products import Product, Role, title
from studio.domain.runs import ACTIVE, STATE_TITLES, Run, RunState
from studio.domain.values import Basis, Value
from studio.domain.verdicts import Verdict, VerdictKind, sentence
from studio.gui.theme import Tone
from studio.i18n import N_, _, ngettext
from studio.words import amount_words, listed

if TYPE_CHECKING:
    from studio.services.matrices import ProductRow

Index = QModelIndex | QPersistentModelIndex


class MatrixColumn(IntEnum):
    """Columns in their order on the screen."""

    PRODUCT = 0
    STAGE = 1
    DATA = 2
    RUN = 3
    VERDICT = 4
    TRAINING_COST = 5
    ANSWER_COST = 6
    NEXT = 7


class MatrixRole(IntEnum):
    """Roles beside Qt's own."""

    PRODUCT_ID = Qt.ItemDataRole.UserRole + 1
    CELL = Qt.ItemDataRole.UserRole + 2  # MatrixCell: all that the delegate paints
    PRODUCT = Qt.ItemDataRole.UserRole + 3  # domain Product


@dataclass(frozen=True)
class CellAction:
    """Where a cell leads: the arguments of ``navigator.go``."""

    page_id: str
    arguments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MatrixCell:
    """One cell. ``badge`` paints the text as a badge of that tone; ``button`` as a button with an action."""

    text: str
    detail: str = ""  # second, smaller line
    tooltip: str = ""
    badge: Tone | None = None
    tone: Tone | None = None  # of the text alone
    button: bool = False
    action: CellAction | None = None


NOTHING = MatrixCell("—")
_HEADINGS = {
    MatrixColumn.PRODUCT: N_("Product"),
    MatrixColumn.STAGE: N_("Stage"),
    MatrixColumn.DATA: N_("Data"),
    MatrixColumn.RUN: N_("Latest run"),
    MatrixColumn.VERDICT: N_("Verdict"),
    MatrixColumn.TRAINING_COST: N_("Training cost"),
    MatrixColumn.ANSWER_COST: N_("Per 1,000 answers"),
    MatrixColumn.NEXT: N_("Next step"),
}
_HEADING_HELP = {
    MatrixColumn.VERDICT: N_(
        "Whether training made the model better than its base on rows that it did not learn from."
    ),
    MatrixColumn.TRAINING_COST: N_("Measured hours of the latest run × what an hour of this computer costs."),
    MatrixColumn.ANSWER_COST: N_(
        "What 1,000 answers cost on this computer, at the answering speed that was measured."
    ),
}
VERDICT_WORDS: dict[VerdictKind, tuple[str, Tone]] = {
    VerdictKind.BETTER: (N_("Better"), "success"),
    VerdictKind.SAME: (N_("About the same"), "neutral"),
    VerdictKind.WORSE: (N_("Worse"), "error"),
    VerdictKind.NO_BASE: (N_("New model"), "accent"),
}
_STATE_TONES: dict[RunState, Tone] = {
    RunState.RUNNING: "accent",
    RunState.PAUSED: "warning",
    RunState.QUEUED: "neutral",
    RunState.FAILED: "error",
    RunState.INTERRUPTED: "warning",
}
_ASSUMED = N_(
    "Assumed, not measured: the price and life of this computer, its power and the price of electricity. "
    "Change them in Settings."
)
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥", "HKD": "HK$"}


class MatrixTable(QAbstractTableModel):
    """Products of one matrix with what is known about each."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ProductRow] = []
        self._cells: list[list[MatrixCell]] = []

    def show_rows(self, rows: Sequence[ProductRow]) -> None:
        """Show these products. When the same products stay in place, the selection survives."""
        rows = sorted(rows, key=lambda row: row.product.role is not Role.CORE)
        cells = [[build(row) for build in _BUILDERS] for row in rows]
        same = [row.product.id for row in rows] == [row.product.id for row in self._rows]
        if same and rows:
            self._rows, self._cells = rows, cells
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(MatrixColumn) - 1))
            return
        self.beginResetModel()
        self._rows, self._cells = rows, cells
        self.endResetModel()

    def cell(self, row: int, column: MatrixColumn) -> MatrixCell:
        """What one cell shows and leads to."""
        return self._cells[row][column]

    def product(self, row: int) -> Product:
        """The product of a row."""
        return self._rows[row].product

    def row_of(self, product_id: str | None) -> int | None:
        """Where a product stands, None when it is not here."""
        return next((i for i, row in enumerate(self._rows) if row.product.id == product_id), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(MatrixColumn)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return self._rows[section].product.name if role == Qt.ItemDataRole.DisplayRole else None
        column = MatrixColumn(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if column is MatrixColumn.NEXT else _(_HEADINGS[column])
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _(_HEADINGS[column])
        if role == Qt.ItemDataRole.ToolTipRole and column in _HEADING_HELP:
            return _(_HEADING_HELP[column])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        cell = self._cells[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tooltip or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(index.row(), MatrixColumn(index.column()))
        if role == MatrixRole.CELL:
            return cell
        if role == MatrixRole.PRODUCT_ID:
            return self.product(index.row()).id
        if role == MatrixRole.PRODUCT:
            return self.product(index.row())
        return None

    def _spoken(self, row: int, column: MatrixColumn) -> str:
        cell = self._cells[row][column]
        parts = [_(_HEADINGS[column]), _("nothing yet") if cell is NOTHING else cell.text, cell.detail]
        if cell.button:
            parts.append(_("button"))
        return listed(part for part in parts if part)


def money(value: Value) -> str:
    """An amount of money for a cell, with the currency's sign."""
    sign = _SYMBOLS.get(value.unit)
    return amount_words(value.amount, sign) if sign else f"{amount_words(value.amount)} {value.unit}"


def _product_cell(row: ProductRow) -> MatrixCell:
    product = row.product
    kinds = [title(purpose) for purpose in product.purposes] or [title(product.role)]
    return MatrixCell(product.name, " · ".join(kinds), product.description)


def _stage_cell(row: ProductRow) -> MatrixCell:
    return MatrixCell(title(row.product.stage))


def _data_cell(row: ProductRow) -> MatrixCell:
    product_id = row.product.id
    if row.dataset is None:
        return MatrixCell(
            _("Import data"), tooltip=_("Choose a file for this product to learn from."), button=True,
            action=CellAction("data", {"product_id": product_id}),
        )  # fmt: skip
    rows = ngettext("{n} row", "{n} rows", row.dataset.rows).format(n=f"{row.dataset.rows:,}")
    action = CellAction("data", {"product_id": product_id, "dataset_id": row.dataset.id})
    return MatrixCell(row.dataset.name, rows, row.dataset.name, action=action)


def _run_cell(row: ProductRow) -> MatrixCell:
    run = row.latest_run
    if run is None and row.dataset is None:
        return MatrixCell("—", tooltip=_("Import data first."))
    if run is None:
        return MatrixCell(
            _("Train"), tooltip=_("Train a model for this product."), button=True,
            action=CellAction("train", {"product_id": row.product.id}),
        )  # fmt: skip
    return MatrixCell(
        _(STATE_TITLES[run.state]), _progress(run), run.error_message or run.name,
        tone=_STATE_TONES.get(run.state), action=CellAction("runs", {"run_id": run.id}),
    )  # fmt: skip


def _progress(run: Run) -> str:
    if run.state in ACTIVE and run.total_steps:
        return f"{run.step / run.total_steps:.0%}"
    return run.name


def _verdict_cell(row: ProductRow) -> MatrixCell:
    verdict: Verdict | None = row.verdict
    if verdict is None or row.latest_run is None:
        return NOTHING
    word, tone = VERDICT_WORDS[verdict.kind]
    return MatrixCell(
        _(word),
        _main_metric(verdict),
        tooltip=sentence(verdict),
        badge=tone,
        action=CellAction("runs", {"run_id": row.latest_run.id}),
    )


def _main_metric(verdict: Verdict) -> str:
    """What the verdict compares, of the newest model, e.g. "Right answers: 91.0%"."""
    if verdict.measure is Measure.SURPRISE:
        name, value = metric_title("perplexity"), f"{verdict.tuned_perplexity or 0:.2f}"
    else:
        name, value = measure_title(verdict.measure), measure_words(verdict.measure, verdict.tuned_value)
    return _("{what}: {name}").format(what=name, name=value)


def _cost_cell(value: Value | None) -> MatrixCell:
    if value is None:
        return NOTHING
    assumed = value.basis is Basis.ASSUMED
    run_id = value.source.removeprefix("run:") if value.source.startswith("run:") else ""
    return MatrixCell(
        money(value), _("assumed prices") if assumed else _("measured"),
        _(_ASSUMED) if assumed else _("Measured."), tone="warning" if assumed else None,
        action=CellAction("runs", {"run_id": run_id}) if run_id else None,
    )  # fmt: skip


def _next_cell(row: ProductRow) -> MatrixCell:
    run = row.latest_run
    if run is None:
        return MatrixCell("")
    if run.state is RunState.DONE:
        return MatrixCell(
            _("Try it"), tooltip=_("Try the trained model."), button=True,
            action=CellAction("playground", {"run_id": run.id}),
        )  # fmt: skip
    return MatrixCell(
        _("Open"), tooltip=_("See how the run is going."), button=True,
        action=CellAction("runs", {"run_id": run.id}),
    )  # fmt: skip


_BUILDERS = (
    _product_cell, _stage_cell, _data_cell, _run_cell, _verdict_cell,
    lambda row: _cost_cell(row.training_cost), lambda row: _cost_cell(row.cost_per_1k_answers), _next_cell,
)  # fmt: skip
