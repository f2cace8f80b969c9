"""Applies an appearance to the application and follows the system when asked to."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QStyle, QStyleFactory

from studio.gui.theme.fonts import ui_font
from studio.gui.theme.palette import build_palette
from studio.gui.theme.stylesheet import build_stylesheet
from studio.gui.theme.tokens import DARK, LIGHT, Tokens

Appearance = Literal["system", "light", "dark"]
_PROPERTY = "studioAppearance"


def current_tokens() -> Tokens:
    """The tokens in force. Like QApplication.palette(): the appearance belongs to the application object."""
    app = QApplication.instance()
    return DARK if app is not None and app.property(_PROPERTY) == "dark" else LIGHT


class Theme(QObject):
    """The window's appearance. ``changed`` is emitted after colours were switched.

    Widgets made of this package's parts follow by themselves; listen to ``changed`` to recolour plots and the like.
    """

    changed = Signal()

    def __init__(self, app: QApplication, appearance: Appearance = "system") -> None:
        super().__init__(app)
        self._app = app
        self._appearance: Appearance = appearance
        app.setStyle(QStyleFactory.create("Fusion"))
        app.styleHints().colorSchemeChanged.connect(self._on_system_scheme)
        self._apply()

    @property
    def tokens(self) -> Tokens:
        """Colours, distances and type sizes in force."""
        return current_tokens()

    @property
    def appearance(self) -> Appearance:
        """What was asked for, "system" included."""
        return self._appearance

    @property
    def is_dark(self) -> bool:
        return self.tokens.name == "dark"

    def set_appearance(self, appearance: Appearance) -> None:
        """Follow the system, or always light or dark."""
        self._appearance = appearance
        if self._wanted() != self.tokens.name:
            self._apply()
            self.changed.emit()

    def motion_ms(self) -> int:
        """Length of an animation; 0 when the system asks for none."""
        allowed = self._app.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration)
        return min(self.tokens.motion_ms, allowed)

    def _wanted(self) -> Literal["light", "dark"]:
        if self._appearance != "system":
            return self._appearance
        dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    def _apply(self) -> None:
        tokens = DARK if self._wanted() == "dark" else LIGHT
        self._app.setProperty(_PROPERTY, tokens.name)
        self._app.setFont(ui_font(tokens.fonts.body))
        self._app.setPalette(build_palette(tokens))
        self._app.setStyleSheet(build_stylesheet(tokens))

    def _on_system_scheme(self) -> None:
        self.set_appearance(self._appearance)
