"""Paints the cells of the product table: two lines of text, a badge, or a button for the next step."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.gui.icons import icon_pixmap
from studio.gui.models.matrix_table import MatrixCell, MatrixColumn, MatrixRole
from studio.gui.theme import Tokens, Tone, current_tokens, tabular_font, ui_font

Index = QModelIndex | QPersistentModelIndex

ROW_HEIGHT = 60
PADDING = 9
_BUTTON_HEIGHT = 30
_DETAIL = 18  # height of the smaller line below a badge
_BADGE_HEIGHT = 24
_ICON = 16
_BUTTON_ICONS = {"data": "upload", "train": "train", "runs": "runs", "playground": "playground"}
_BADGE_ICONS: dict[Tone, str] = {
    "neutral": "circle", "accent": "info", "success": "success", "warning": "warning", "error": "error",
}  # fmt: skip
_ICON_TONES: dict[Tone, str] = {
    "neutral": "text_muted", "accent": "accent_text", "success": "success", "warning": "warning",
    "error": "error",
}  # fmt: skip
_FIGURES = {MatrixColumn.TRAINING_COST, MatrixColumn.ANSWER_COST}


class CellDelegate(QStyledItemDelegate):
    """Knows where things are in a cell, so the view can ask what the pointer is over."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hovered: tuple[int, int] | None = None  # (row, column) of the button under the pointer
        self.hovered_row: int | None = None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell: MatrixCell = index.data(MatrixRole.CELL)
        tokens = current_tokens()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, rect, index, state, tokens)
        if cell.button:
            self._button(painter, self.button_rect(rect, cell), cell, index, tokens)
        elif cell.badge is not None:
            self._badge(painter, rect, cell, cell.badge, tokens)
        else:
            self._lines(painter, rect.adjusted(PADDING, 0, -PADDING, 0), cell, index, tokens)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        cell: MatrixCell = index.data(MatrixRole.CELL)
        width = QFontMetrics(ui_font(current_tokens().fonts.body)).horizontalAdvance(cell.text)
        extra = _ICON + 4 * PADDING if cell.button or cell.badge else 2 * PADDING
        return QSize(width + extra, ROW_HEIGHT)

    def button_rect(self, rect: QRect, cell: MatrixCell) -> QRect:
        """Where the button of a cell is, in the coordinates of ``rect``."""
        width = QFontMetrics(ui_font(current_tokens().fonts.body)).horizontalAdvance(cell.text) + _ICON + 26
        width = min(width, rect.width() - PADDING)
        top = rect.top() + (rect.height() - _BUTTON_HEIGHT) // 2
        return QRect(rect.left() + PADDING, top, width, _BUTTON_HEIGHT)

    def _ground(
        self, painter: QPainter, rect: QRect, index: Index, state: QStyle.StateFlag, tokens: Tokens
    ) -> None:
        colour = tokens.surface
        if state & QStyle.StateFlag.State_Selected:
            colour = tokens.accent_soft
        elif self.hovered_row == index.row():
            colour = tokens.surface_hover
        painter.fillRect(rect, QColor(colour))
        painter.setPen(QColor(tokens.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRoundedRect(
                QRectF(rect).adjusted(2, 2, -2, -3), tokens.radius_small, tokens.radius_small
            )

    def _button(self, painter: QPainter, rect: QRect, cell: MatrixCell, index: Index, tokens: Tokens) -> None:
        hovered = self.hovered == (index.row(), index.column())
        painter.setPen(QPen(QColor(tokens.accent if hovered else tokens.border_strong), 1))
        painter.setBrush(QColor(tokens.surface_hover if hovered else tokens.surface))
        painter.drawRoundedRect(
            QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), tokens.radius_small, tokens.radius_small
        )
        name = _BUTTON_ICONS[cell.action.page_id] if cell.action else "arrow-right"
        self._icon(painter, name, "accent_text", rect.left() + 9, rect)
        painter.setPen(QColor(tokens.accent_text))
        painter.setFont(ui_font(tokens.fonts.body))
        words = rect.adjusted(9 + _ICON + 6, 0, -4, 0)
        self._text(painter, words, cell.text, Qt.AlignmentFlag.AlignVCenter)

    def _badge(self, painter: QPainter, rect: QRect, cell: MatrixCell, tone: Tone, tokens: Tokens) -> None:
        foreground, soft = tokens.tone(tone)
        font = ui_font(tokens.fonts.caption)
        width = min(QFontMetrics(font).horizontalAdvance(cell.text) + 34, rect.width() - PADDING)
        top = rect.top() + (rect.height() - _BADGE_HEIGHT) // 2 - (_DETAIL // 2 if cell.detail else 0)
        place = QRect(rect.left() + PADDING - 2, top, width, _BADGE_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(soft))
        painter.drawRoundedRect(place, _BADGE_HEIGHT / 2, _BADGE_HEIGHT / 2)
        self._icon(painter, _BADGE_ICONS[tone], _ICON_TONES[tone], place.left() + 7, place, 14)
        painter.setPen(QColor(foreground))
        painter.setFont(font)
        self._text(painter, place.adjusted(25, 0, -6, 0), cell.text, Qt.AlignmentFlag.AlignVCenter)
        if cell.detail:
            painter.setPen(QColor(tokens.text_muted))
            lower = QRect(rect.left() + PADDING, place.bottom() + 3, rect.width() - PADDING, _DETAIL)
            self._text(painter, lower, cell.detail, Qt.AlignmentFlag.AlignTop)

    def _lines(self, painter: QPainter, rect: QRect, cell: MatrixCell, index: Index, tokens: Tokens) -> None:
        column = MatrixColumn(index.column())
        strong = column is MatrixColumn.PRODUCT
        font = tabular_font(tokens.fonts.body) if column in _FIGURES else ui_font(tokens.fonts.body)
        if strong:
            font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        colour = tokens.tone(cell.tone)[0] if cell.tone else tokens.text
        painter.setPen(QColor(tokens.text_muted if cell.text == "—" else colour))
        if not cell.detail:
            self._text(painter, rect, cell.text, Qt.AlignmentFlag.AlignVCenter)
            return
        middle = rect.center().y()
        upper = QRect(rect.left(), middle - 21, rect.width(), 21)
        self._text(painter, upper, cell.text, Qt.AlignmentFlag.AlignBottom)
        painter.setFont(ui_font(tokens.fonts.caption))
        amber = cell.tone == "warning" and column in _FIGURES
        painter.setPen(QColor(tokens.warning if amber else tokens.text_muted))
        lower = QRect(rect.left(), middle + 2, rect.width(), 18)
        self._text(painter, lower, cell.detail, Qt.AlignmentFlag.AlignTop)

    def _icon(
        self, painter: QPainter, name: str, tone: str, left: int, rect: QRect, size: int = _ICON
    ) -> None:
        pixmap = icon_pixmap(name, tone, size, painter.device().devicePixelRatioF())
        painter.drawPixmap(QPointF(left, rect.top() + (rect.height() - size) / 2), pixmap)

    def _text(self, painter: QPainter, rect: QRect, text: str, align: Qt.AlignmentFlag) -> None:
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, align | Qt.AlignmentFlag.AlignLeft, shown)
