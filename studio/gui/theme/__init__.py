"""The one place that knows what the program looks like."""

from studio.gui.theme.fonts import mono_font, tabular_font, ui_font
from studio.gui.theme.theme import Appearance, Theme, current_tokens
from studio.gui.theme.tokens import DARK, LIGHT, Tokens, Tone, contrast

__all__ = [
    "DARK", "LIGHT", "Appearance", "Theme", "Tokens", "Tone", "contrast", "current_tokens", "mono_font",
    "tabular_font", "ui_font",
]  # fmt: skip
