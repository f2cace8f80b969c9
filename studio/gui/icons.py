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
    return _render(name, getattr(current_tokens(), tone), size, size, ratio)


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=1024)
def _render(name: str, colour: str, width: int, height: int, ratio: float) -> QPixmap:
    """Room left over to the right stays empty: an icon size wider than high keeps a distance to a button's text."""
    svg = _source(name).replace("#000", colour)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    edge = round(min(width, height) * ratio)
    pixmap = QPixmap(round(width * ratio), round(height * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    top = (pixmap.height() - edge) / 2
    renderer.render(painter, QRectF(0, top, edge, edge))
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
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(rect.topLeft(), self._pixmap(rect.width(), rect.height(), ratio, mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self._pixmap(size.width(), size.height(), 1.0, mode, state)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return self._pixmap(size.width(), size.height(), scale, mode, state)

    def _pixmap(self, width: int, height: int, ratio: float, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        tone = self._checked_tone if state == QIcon.State.On else self._tone
        if mode == QIcon.Mode.Disabled:
            tone = "text_disabled"
        return _render(self._name, getattr(current_tokens(), tone), width, height, ratio)
