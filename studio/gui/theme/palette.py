"""QPalette from tokens, so that Fusion's own controls follow the appearance without style sheets."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from studio.gui.theme.tokens import Tokens

_ROLES = {
    QPalette.ColorRole.Window: "ground",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "surface_sunken",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "text_muted",
    QPalette.ColorRole.Button: "surface",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "text_on_accent",
    QPalette.ColorRole.ToolTipBase: "surface",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "text_on_accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent_text",
    QPalette.ColorRole.LinkVisited: "accent_text",
    QPalette.ColorRole.Light: "surface",
    QPalette.ColorRole.Midlight: "border",
    QPalette.ColorRole.Mid: "border",
    QPalette.ColorRole.Dark: "border_strong",
    QPalette.ColorRole.Shadow: "border_strong",
}
_TEXT_ROLES = (
    QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText,
    QPalette.ColorRole.HighlightedText,
)  # fmt: skip


def build_palette(tokens: Tokens) -> QPalette:
    """The palette of one appearance."""
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, QColor(getattr(tokens, name)))
    disabled = QPalette.ColorGroup.Disabled
    for role in _TEXT_ROLES:
        palette.setColor(disabled, role, QColor(tokens.text_disabled))
    palette.setColor(disabled, QPalette.ColorRole.Highlight, QColor(tokens.surface_pressed))
    return palette
