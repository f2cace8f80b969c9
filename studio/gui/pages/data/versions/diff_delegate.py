"""Paints before and after: changed words stand on a soft ground, removed ones struck through as well."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.gui.models.diff_table import PIECES_ROLE
from studio.gui.models.paged_table import PLACEHOLDER, Index
from studio.gui.models.word_diff import Piece
from studio.gui.theme import current_tokens, ui_font

LINES = 3
ROW_HEIGHT = 72
_EDGE = 10


class DiffDelegate(QStyledItemDelegate):
    """``old``: this is the column of the older text."""

    def __init__(self, *, old: bool) -> None:
        super().__init__()
        self._old = old

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(240, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = current_tokens()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(tokens.accent_soft))
        pieces = index.data(PIECES_ROLE)
        inside = rect.adjusted(_EDGE, 6, -_EDGE, -6)
        painter.save()
        painter.setClipRect(inside)
        painter.setPen(QColor(tokens.text))
        draw_pieces(painter, inside, pieces or [Piece(PLACEHOLDER, False)], old=self._old)
        painter.restore()


_NARROWEST = 2  # px of a character at least


def draw_pieces(painter: QPainter, rect: QRect, pieces: list[Piece], *, old: bool) -> None:
    """Text with its changed words marked, wrapped into a rectangle; an ellipsis stands for what has no room."""
    text, formats = "".join(_flat(piece.text) for piece in pieces), _formats(pieces, old)
    text = text[
        : LINES * rect.width() // _NARROWEST + 1
    ]  # more has no room, and would be measured at each paint
    layout = _laid_out(elided(text, rect.width()), rect.width(), formats)
    layout.draw(painter, QPointF(rect.topLeft()))


def elided(text: str, width: int) -> str:
    """As much of the text as has room in LINES lines of this width, in px."""
    layout = _laid_out(text, width, [])
    last = layout.lineAt(layout.lineCount() - 1)
    units = text.encode("utf-16-le")  # Qt counts in these
    if not text or last.textStart() + last.textLength() >= len(units) // 2:
        return text
    start = 2 * last.textStart()
    rest = units[start:].decode("utf-16-le", "replace")
    metrics = QFontMetricsF(layout.font())
    return units[:start].decode("utf-16-le") + metrics.elidedText(rest, Qt.TextElideMode.ElideRight, width)


def _laid_out(text: str, width: int, formats: list[QTextLayout.FormatRange]) -> QTextLayout:
    layout = QTextLayout(text, ui_font(current_tokens().fonts.body))
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.setFormats(formats)
    layout.beginLayout()
    top = 0.0
    for _number in range(LINES):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, top))
        top += line.height()
    layout.endLayout()
    return layout


def _flat(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ").replace("\t", " ")


def _formats(pieces: list[Piece], old: bool) -> list[QTextLayout.FormatRange]:
    tokens = current_tokens()
    marked = QTextCharFormat()
    marked.setBackground(QColor(tokens.error_soft if old else tokens.success_soft))
    marked.setForeground(QColor(tokens.error if old else tokens.success))
    if old:
        marked.setFontStrikeOut(True)
    else:
        marked.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
    ranges = []
    start = 0
    for piece in pieces:
        length = len(_flat(piece.text).encode("utf-16-le")) // 2  # Qt counts UTF-16 units
        if piece.changed:
            mark = QTextLayout.FormatRange()
            mark.start, mark.length, mark.format = start, length, marked
            ranges.append(mark)
        start += length
    return ranges
