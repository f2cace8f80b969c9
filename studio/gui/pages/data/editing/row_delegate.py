"""Paints the cells of a dataset by what they hold: words, chips, thumbs, pictures, recordings; edited ones are
marked."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.gui.icons import icon_pixmap
from studio.gui.models.cells import CellKind, labels_of
from studio.gui.models.paged_table import PLACEHOLDER, CellRole, Index
from studio.gui.models.rows_table import RowRole, kind_at
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.theme import Tokens, current_tokens, tabular_font, ui_font

ROW_HEIGHT = 36
IMAGE_ROW_HEIGHT = 76
_EDGE = 8
_CHIP_HEIGHT = 22
_THUMBS = {"up": ("thumb-up", "success"), "down": ("thumb-down", "error")}


class RowPainter(QStyledItemDelegate):
    """The painting half of the rows' delegate."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        image = kind_at(index) is CellKind.IMAGE
        return QSize(120, IMAGE_ROW_HEIGHT if image else ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = current_tokens()
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, option, index, tokens)
        inside = rect.adjusted(_EDGE, 0, -_EDGE, 0)
        kind, leaving = kind_at(index), bool(index.data(RowRole.LEAVING))
        text = index.data()
        if leaving or text == PLACEHOLDER:
            self._words(painter, inside, index, tokens, leaving)
        elif kind in (CellKind.LABEL, CellKind.LABELS) and text:
            labels = labels_of(index.data(CellRole.TEXT)) if kind is CellKind.LABELS else [text]
            _chips(painter, inside, labels, tokens)
        elif kind is CellKind.THUMB and index.data(CellRole.TEXT) in _THUMBS:
            _thumb(painter, inside, index.data(CellRole.TEXT), text, tokens)
        elif kind is CellKind.IMAGE and text:
            self._picture(painter, inside, str(index.data(CellRole.TEXT)), tokens)
        elif kind is CellKind.AUDIO and text:
            _marked(
                painter,
                inside,
                icon_pixmap("play", "accent_text", 18, _ratio(painter)),
                str(text),
                tokens.accent_text,
            )
        else:
            self._words(painter, inside, index, tokens, leaving)
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, tokens: Tokens) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        colour = ""
        if state & QStyle.StateFlag.State_Selected:
            colour = tokens.accent_soft
        elif index.data(RowRole.EDITED):
            colour = tokens.warning_soft
        elif state & QStyle.StateFlag.State_MouseOver:
            colour = tokens.surface_hover
        elif index.row() % 2:
            colour = tokens.surface_sunken
        if colour:
            painter.fillRect(rect, QColor(colour))
        if index.data(RowRole.EDITED):
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(tokens.warning))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 1, -2, -2))

    def _words(self, painter: QPainter, rect: QRect, index: Index, tokens: Tokens, leaving: bool) -> None:
        kind = kind_at(index)
        plain = kind is CellKind.PLAIN
        font = (
            tabular_font(tokens.fonts.body)
            if kind is CellKind.NUMBER or plain
            else ui_font(tokens.fonts.body)
        )
        font.setStrikeOut(leaving)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text_muted if plain or leaving else tokens.text))
        shown = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def _picture(self, painter: QPainter, rect: QRect, name: str, tokens: Tokens) -> None:
        picture = self._thumbnails.get(name)
        edge = min(rect.height() - 12, 64)
        place = QRect(rect.left(), rect.top() + (rect.height() - edge) // 2, edge, edge)
        if picture is None:
            painter.fillRect(place, QColor(tokens.surface_pressed))
        elif picture.isNull():
            painter.drawPixmap(place.topLeft(), icon_pixmap("error", "error", 20, _ratio(painter)))
        else:
            draw_fitted(painter, place, picture)


def draw_fitted(painter: QPainter, place: QRect, picture: QPixmap) -> None:
    """A picture as large as it fits into a place, at its left."""
    size = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    top = place.top() + (place.height() - size.height()) // 2
    painter.drawPixmap(QRect(place.left(), top, size.width(), size.height()), picture)


def _chips(painter: QPainter, rect: QRect, labels: list[str], tokens: Tokens) -> None:
    painter.setFont(ui_font(tokens.fonts.caption))
    metrics = painter.fontMetrics()
    left = rect.left()
    for label in labels:
        room = rect.right() - left
        if room < 2 * _EDGE + 10:
            break
        words = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room - 2 * _EDGE)
        chip = QRectF(
            left, rect.top() + (rect.height() - _CHIP_HEIGHT) / 2,
            metrics.horizontalAdvance(words) + 2 * _EDGE + 2, _CHIP_HEIGHT,
        )  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.surface_pressed))
        painter.drawRoundedRect(chip, _CHIP_HEIGHT / 2, _CHIP_HEIGHT / 2)
        painter.setPen(QColor(tokens.text))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)
        left = int(chip.right()) + 6


def _thumb(painter: QPainter, rect: QRect, thumb: str, words: str, tokens: Tokens) -> None:
    name, tone = _THUMBS[thumb]
    _marked(painter, rect, icon_pixmap(name, tone, 18, _ratio(painter)), words, tokens.text)


def _marked(painter: QPainter, rect: QRect, mark: QPixmap, words: str, colour: str) -> None:
    painter.drawPixmap(rect.left(), rect.top() + (rect.height() - 18) // 2, mark)
    painter.setFont(ui_font(current_tokens().fonts.body))
    painter.setPen(QColor(colour))
    place = rect.adjusted(26, 0, 0, 0)
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)


def _ratio(painter: QPainter) -> float:
    return float(painter.device().devicePixelRatioF())
