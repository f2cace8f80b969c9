"""Fonts: the system's Latin face first, then a Simplified Chinese face by name.

Left to itself Qt picks the Japanese forms of Noto CJK for Chinese text, so the families are named. A Chinese face alone
would give English text quotation marks as wide as a character, so any Latin face comes before it.
"""

from __future__ import annotations

import sys
from functools import lru_cache

from PySide6.QtGui import QFont, QFontDatabase

_LATIN = {
    "win32": ("Segoe UI Variable Text", "Segoe UI"),
    "darwin": (".AppleSystemUIFont", "Helvetica Neue"),
}
LATIN_ELSEWHERE = (
    "Inter", "Adwaita Sans", "Cantarell", "Ubuntu", "Noto Sans", "Open Sans", "Roboto", "Liberation Sans",
    "DejaVu Sans",
)  # fmt: skip
_CHINESE = (
    "PingFang SC", "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC",
    "Noto Sans SC", "WenQuanYi Micro Hei",
)  # fmt: skip
_MONO = (
    "Cascadia Mono",
    "SF Mono",
    "Menlo",
    "Consolas",
    "JetBrains Mono",
    "Noto Sans Mono",
    "DejaVu Sans Mono",
)


@lru_cache(maxsize=1)
def _installed() -> frozenset[str]:
    return frozenset(QFontDatabase.families())


def ui_families() -> list[str]:
    """Families for text, installed ones only, best first."""
    wanted = _LATIN.get(sys.platform, LATIN_ELSEWHERE) + _CHINESE
    # A name starting with a dot is private to macOS: valid, but not listed.
    return [name for name in wanted if name in _installed() or name.startswith(".")] or ["sans-serif"]


def ui_font(size_px: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The text font at a size in pixels."""
    font = QFont(ui_families())
    font.setPixelSize(size_px)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def tabular_font(size_px: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The text font with figures of one width, for tables and counters that change."""
    font = ui_font(size_px, weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(size_px: int) -> QFont:
    """Fixed width, for code and logs."""
    font = QFont([name for name in _MONO + _CHINESE if name in _installed()] or ["monospace"])
    font.setPixelSize(size_px)
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font
