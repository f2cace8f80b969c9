"""The program's own family of outline icons, coloured by the theme when painted.

An icon asked for once follows later switches between light and dark, because its engine looks the colour up at the
moment of painting. Rendered pixmaps are cached per size, device pixel ratio and colour.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio.gui.theme import current_tokens
from studio.paths import resource_path

_FOLDER = resource_path("icons")


def icon(name: str, tone: str = "text_muted", checked_tone: str = "accent_text") -> QIcon:
    """The icon ``resources/icons/<name>.svg`` in the colour token ``tone`` (``checked_tone`` when checked).

    Raises FileNotFoundError for a name that is not in the family.
    """
    _source(name)
    return QIcon(_TokenIconEngine(name, tone, checked_tone))


def icon_pixmap(name: str, tone: str = "text_muted", size: int = 20, ratio: float = 1.0) -> QPixmap:
    """The icon as a pixmap of ``size`` device-independent pixels, for painting in delegates."""
    return _render(name, getattr(current_tokens(), tone), size, ratio)


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=1024)
def _render(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    svg = _source(name).replace("#000", colour)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    edge = round(size * ratio)
    pixmap = QPixmap(edge, edge)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class _TokenIconEngine(QIconEngine):
    """Paints one SVG in the colour its token has now."""

    def __init__(self, name: str, tone: str, checked_tone: str) -> None:
        super().__init__()
        self._name = name
        self._tone = tone
        self._checked_tone = checked_tone

    def clone(self) -> QIconEngine:
        return _TokenIconEngine(self._name, self._tone, self._checked_tone)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        edge = min(rect.width(), rect.height())
        pixmap = self._pixmap(edge, painter.device().devicePixelRatioF(), mode, state)
        corner = rect.center() - QRect(0, 0, edge, edge).center()
        painter.drawPixmap(corner, pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self._pixmap(min(size.width(), size.height()), 1.0, mode, state)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        # ``size`` is in device pixels here.
        return self._pixmap(round(min(size.width(), size.height()) / scale), scale, mode, state)

    def _pixmap(self, edge: int, ratio: float, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        tone = self._checked_tone if state == QIcon.State.On else self._tone
        if mode == QIcon.Mode.Disabled:
            tone = "text_disabled"
        return _render(self._name, getattr(current_tokens(), tone), edge, ratio)
