"""The table of products: every cell is reached by keyboard, its action run by click, Enter or Space."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from studio.domain.products import Stage, title
from studio.gui.models.matrix_table import MatrixCell, MatrixColumn, MatrixRole, MatrixTable
from studio.gui.pages.matrix.cell_delegate import PADDING, ROW_HEIGHT, CellDelegate
from studio.gui.theme import current_tokens, ui_font
from studio.i18n import _

_WEIGHTS = {  # share of the width that is left over when every column has its least width
    MatrixColumn.PRODUCT: 8, MatrixColumn.DATA: 3, MatrixColumn.RUN: 2, MatrixColumn.VERDICT: 1,
}  # fmt: skip
_LEAST = {  # together they fit into a window 1024 px wide
    MatrixColumn.PRODUCT: 150, MatrixColumn.STAGE: 82, MatrixColumn.DATA: 126, MatrixColumn.RUN: 96,
    MatrixColumn.VERDICT: 100, MatrixColumn.TRAINING_COST: 112, MatrixColumn.ANSWER_COST: 140,
    MatrixColumn.NEXT: 96,
}  # fmt: skip


class ProductTable(QTableView):
    """Shows a MatrixTable.

    action_wanted: CellAction of the cell that was clicked or entered.
    product_chosen: id of the product whose row became current.
    edit_wanted / remove_wanted: product id, by double click or Enter on the name / by the Delete key.
    menu_wanted: (product id, global position).
    """

    action_wanted = Signal(object)
    product_chosen = Signal(object)
    edit_wanted = Signal(object)
    remove_wanted = Signal(object)
    menu_wanted = Signal(object)

    def __init__(self, model: MatrixTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = model
        self._delegate = CellDelegate(self)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(_("Products of the matrix"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self._set_up_headers()
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def choose(self, product_id: str | None) -> None:
        """Make a product's row current, keeping the column."""
        row = self._table.row_of(product_id)
        if row is not None and row != self.currentIndex().row():
            column = max(self.currentIndex().column(), 0)
            self.setCurrentIndex(self._table.index(row, column))

    def chosen(self) -> str | None:
        """The product whose row is current."""
        index = self.currentIndex()
        return str(index.data(MatrixRole.PRODUCT_ID)) if index.isValid() else None

    def sizeHint(self) -> QSize:
        """As high as its rows; what is more scrolls."""
        height = self.horizontalHeader().height() + ROW_HEIGHT * self._table.rowCount() + 2
        return QSize(super().sizeHint().width(), height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        key = event.key()
        if index.isValid() and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._follow(index)
        elif index.isValid() and key == Qt.Key.Key_Delete:
            self.remove_wanted.emit(index.data(MatrixRole.PRODUCT_ID))
        elif index.isValid() and key == Qt.Key.Key_F2:
            self.edit_wanted.emit(index.data(MatrixRole.PRODUCT_ID))
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and self._hot(index, event.position().toPoint()):
            self._follow(index)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and not self._hot(index, event.position().toPoint()):
            self._follow(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        place = event.position().toPoint()
        index = self.indexAt(place)
        self._point_at(index if index.isValid() else None, self._hot(index, place))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None, False)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._share_width()

    def _set_up_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(60)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setFixedHeight(40)

    def _share_width(self) -> None:
        header = self.horizontalHeader()
        needed = {column: max(least, header.sectionSizeHint(column)) for column, least in _LEAST.items()}
        written = QFontMetrics(ui_font(current_tokens().fonts.body))
        stages = max(written.horizontalAdvance(title(stage)) for stage in Stage)
        needed[MatrixColumn.STAGE] = max(needed[MatrixColumn.STAGE], stages + 2 * PADDING)
        width = self.viewport().width()
        if sum(needed.values()) > width:
            needed = _LEAST
        spare = max(width - sum(needed.values()), 0)
        total = sum(_WEIGHTS.values())
        for column, least in needed.items():
            self.setColumnWidth(column, least + spare * _WEIGHTS.get(column, 0) // total)

    def _follow(self, index: QModelIndex) -> None:
        cell: MatrixCell = index.data(MatrixRole.CELL)
        if cell.action is not None:
            self.action_wanted.emit(cell.action)
        elif index.column() in (MatrixColumn.PRODUCT, MatrixColumn.STAGE):
            self.edit_wanted.emit(index.data(MatrixRole.PRODUCT_ID))

    def _hot(self, index: QModelIndex, place: QPoint) -> bool:
        """Whether the pointer is on something that answers a single click."""
        if not index.isValid():
            return False
        cell: MatrixCell = index.data(MatrixRole.CELL)
        if cell.button:
            return self._delegate.button_rect(self.visualRect(index), cell).contains(place)
        return cell.badge is not None and cell.action is not None

    def _point_at(self, index: QModelIndex | None, hot: bool) -> None:
        hovered = (index.row(), index.column()) if index is not None and hot else None
        row = index.row() if index is not None else None
        if (hovered, row) != (self._delegate.hovered, self._delegate.hovered_row):
            self._delegate.hovered, self._delegate.hovered_row = hovered, row
            self.viewport().setCursor(
                Qt.CursorShape.PointingHandCursor if hot else Qt.CursorShape.ArrowCursor
            )
            self.viewport().update()

    def _on_row(self, current: QModelIndex) -> None:
        if current.isValid():
            self.product_chosen.emit(current.data(MatrixRole.PRODUCT_ID))

    def _on_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if index.isValid():
            self.menu_wanted.emit((index.data(MatrixRole.PRODUCT_ID), self.viewport().mapToGlobal(place)))
