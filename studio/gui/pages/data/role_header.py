"""A table header with a drop-down in each column: what the column is for."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHeaderView, QWidget

from studio.domain.datasets import title
from studio.domain.shapes import ColumnRole
from studio.gui.models.rows_table_preview import PreviewTable
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import DropDown
from studio.i18n import _

_NAME_HEIGHT = 34
_COMBO_HEIGHT = 34
_EDGE = 6
_MOST_LISTED = 14  # more scroll
LEAST_WIDTH = 150


class RoleHeader(QHeaderView):
    """Drop-downs are made when their column comes into sight, so a file of 1,000 columns opens at once."""

    def __init__(self, table: PreviewTable, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._table = table
        self._combos: dict[int, QComboBox] = {}
        self._ordered = 0  # drop-downs that stand in the order of the Tab key
        self.setSectionsClickable(False)
        self.setMinimumSectionSize(LEAST_WIDTH)
        self.setFixedHeight(_NAME_HEIGHT + _COMBO_HEIGHT + _EDGE)
        self.sectionResized.connect(lambda *_sizes: self.place())
        table.modelReset.connect(self._start_anew)
        table.roles_changed.connect(self._show_roles)

    def combo(self, section: int) -> QComboBox:
        """The drop-down of a column."""
        if section not in self._combos:
            self._combos[section] = self._build(section)
        return self._combos[section]

    def place(self) -> None:
        """Put the drop-downs under their columns' names; to be called after scrolling sideways."""
        for section in range(min(self.count(), len(self._table.columns()))):  # a reset reaches us before Qt
            left, width = self.sectionViewportPosition(section), self.sectionSize(section)
            if left + width < 0 or left > self.viewport().width():
                if section in self._combos:
                    self._combos[section].hide()
                continue
            combo = self.combo(section)
            combo.setGeometry(left + _EDGE, _NAME_HEIGHT, width - 2 * _EDGE, _COMBO_HEIGHT)
            combo.show()
        if len(self._combos) != self._ordered:
            self._order_tabs()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), _NAME_HEIGHT + _COMBO_HEIGHT + _EDGE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place()

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        tokens = current_tokens()
        painter.save()
        painter.fillRect(rect, QColor(tokens.surface))
        painter.setPen(QColor(tokens.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.setFont(ui_font(tokens.fonts.body))
        painter.setPen(QColor(tokens.text_muted))
        place = QRect(rect.left() + _EDGE + 3, rect.top(), rect.width() - 2 * _EDGE - 3, _NAME_HEIGHT)
        name = self._table.columns()[logicalIndex]
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()

    def _build(self, section: int) -> QComboBox:
        combo = DropDown(self.viewport())
        combo.setMaxVisibleItems(_MOST_LISTED)
        combo.setAccessibleName(_("Use of column “{name}”").format(name=self._table.columns()[section]))
        combo.setToolTip(_("What this column is for"))
        combo.activated.connect(lambda _index: self._on_chosen(section, combo))
        self._fill(section, combo)
        return combo

    def _fill(self, section: int, combo: QComboBox) -> None:
        """The parts of the present shape, "Not used", then those of other shapes under a heading."""
        own, others = self._table.own_roles(), self._table.other_roles(section)
        had = self._table.role(section)
        if had not in (*own, *others, ColumnRole.IGNORE):
            others = [had, *others]
        wanted = [*own, ColumnRole.IGNORE, None, *others] if others else [*own, ColumnRole.IGNORE]
        if [combo.itemData(place) for place in range(combo.count())] != wanted:
            combo.clear()
            for role in wanted:
                if role is None:
                    _add_heading(combo, _("For other kinds of data"))
                else:
                    combo.addItem(title(role), role)
        combo.setCurrentIndex(combo.findData(had))

    def _on_chosen(self, section: int, combo: QComboBox) -> None:
        if combo.currentData() is not None:
            self._table.set_role(section, ColumnRole(combo.currentData()))

    def _order_tabs(self) -> None:
        """Tab goes through the drop-downs from the left, then into the rows below them."""
        self._ordered = len(self._combos)
        combos = [self._combos[section] for section in sorted(self._combos)]
        view = self.parentWidget()
        before = view.previousInFocusChain() if view is not None else None
        while before is not None and (before in combos or not before.focusPolicy() & Qt.FocusPolicy.TabFocus):
            before = before.previousInFocusChain()
        for widget in (*combos, view):
            if before is not None and widget is not None:
                QWidget.setTabOrder(before, widget)
            before = widget

    def _start_anew(self) -> None:
        for combo in self._combos.values():
            combo.deleteLater()
        self._combos.clear()
        self._ordered = 0
        self.place()

    def _show_roles(self) -> None:
        """A list that is walked by keys keeps its order under the walker; the others follow the shape."""
        for section, combo in self._combos.items():
            if not combo.hasFocus():
                self._fill(section, combo)
            combo.setCurrentIndex(combo.findData(self._table.role(section)))


def _add_heading(combo: QComboBox, words: str) -> None:
    """A line that cannot be chosen."""
    combo.addItem(words, None)
    model = combo.model()
    assert isinstance(model, QStandardItemModel)
    item = model.item(combo.count() - 1)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    item.setFont(ui_font(current_tokens().fonts.caption))
