"""The design tokens: every colour, distance and size of the window, in a light and a dark set.

Neutral greys with a breath of blue, one accent (indigo), three semantic colours. Contrast of each pair in
``TEXT_PAIRS`` is at least 4.5:1 (WCAG 2.2 AA) and is computed by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["neutral", "accent", "success", "warning", "error"]


@dataclass(frozen=True)
class Spacing:
    """Distances in device-independent pixels, on a 4 px grid."""

    xs: int = 4
    s: int = 8
    m: int = 12
    l: int = 16  # noqa: E741 - the usual names of sizes
    xl: int = 24
    xxl: int = 32


@dataclass(frozen=True)
class FontSizes:
    """Type sizes in device-independent pixels."""

    caption: int = 12
    body: int = 14
    heading: int = 16
    title: int = 20
    display: int = 28


@dataclass(frozen=True)
class Tokens:
    """One appearance. Colours are ``#rrggbb``."""

    name: Literal["light", "dark"]
    ground: str  # the window behind the cards
    surface: str  # cards, top bar, menus
    surface_sunken: str  # inputs, wells, table headers
    surface_hover: str
    surface_pressed: str
    rail: str
    border: str
    border_strong: str  # outline of inputs and menus
    text: str
    text_muted: str
    text_disabled: str  # exempt from the contrast rule, like every disabled control
    accent: str  # fills with text_on_accent on them, focus ring
    accent_hover: str
    accent_pressed: str
    accent_text: str  # links and chosen items, on surface
    accent_soft: str  # chosen rows, chips
    text_on_accent: str
    success: str
    success_soft: str
    warning: str
    warning_soft: str
    error: str
    error_soft: str
    error_fill: str  # danger buttons with text_on_accent on them
    error_fill_hover: str
    plot: tuple[str, str, str, str, str, str]  # lines of plots, told apart without red against green
    scrim_alpha: int  # black over the window behind a dialog, 0..255
    space: Spacing = Spacing()
    fonts: FontSizes = FontSizes()
    radius: int = 8
    radius_small: int = 6
    control_height: int = 36
    icon: int = 20
    motion_ms: int = 120
    content_width: int = 1200

    def tone(self, tone: Tone) -> tuple[str, str]:
        """(foreground, soft background) of a tone."""
        return {
            "neutral": (self.text_muted, self.surface_sunken),
            "accent": (self.accent_text, self.accent_soft),
            "success": (self.success, self.success_soft),
            "warning": (self.warning, self.warning_soft),
            "error": (self.error, self.error_soft),
        }[tone]


LIGHT = Tokens(
    name="light",
    ground="#f5f6f8",
    surface="#ffffff",
    surface_sunken="#f1f3f6",
    surface_hover="#eceff3",
    surface_pressed="#e3e7ed",
    rail="#fbfbfc",
    border="#e3e6eb",
    border_strong="#b3bac6",
    text="#1b1f27",
    text_muted="#586072",
    text_disabled="#a3a9b5",
    accent="#4353cf",
    accent_hover="#3947b8",
    accent_pressed="#303c9e",
    accent_text="#3d4cc4",
    accent_soft="#eceefb",
    text_on_accent="#ffffff",
    success="#1a6e42",
    success_soft="#e6f4ec",
    warning="#8a5300",
    warning_soft="#fdf1dc",
    error="#b3261e",
    error_soft="#fcebe9",
    error_fill="#c0352c",
    error_fill_hover="#a82c24",
    plot=("#4353cf", "#d9730d", "#0f8a8a", "#a03fa8", "#6b7280", "#b98900"),
    scrim_alpha=56,
)

DARK = Tokens(
    name="dark",
    ground="#14161a",
    surface="#1c1f25",
    surface_sunken="#252931",
    surface_hover="#2a2f38",
    surface_pressed="#323844",
    rail="#181a1f",
    border="#2d323b",
    border_strong="#4d5563",
    text="#e8eaee",
    text_muted="#a6adba",
    text_disabled="#666e7c",
    accent="#5563dc",
    accent_hover="#5d6be0",
    accent_pressed="#4a57c6",
    accent_text="#a9b3ff",
    accent_soft="#282d4d",
    text_on_accent="#ffffff",
    success="#6fcf97",
    success_soft="#1b3227",
    warning="#f0b95b",
    warning_soft="#38301d",
    error="#ff9a90",
    error_soft="#402524",
    error_fill="#c8423a",
    error_fill_hover="#cd453c",
    plot=("#8b97ff", "#f2a154", "#4cc5c0", "#d58be0", "#a6adba", "#e2c04c"),
    scrim_alpha=130,
)

# (text, background) names that occur together; the test computes each contrast in both appearances.
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    *((text, ground) for text in ("text", "text_muted") for ground in (
        "ground", "surface", "surface_sunken", "surface_hover", "surface_pressed", "rail", "accent_soft",
    )),
    *(("accent_text", ground) for ground in (
        "ground", "surface", "surface_sunken", "surface_hover", "rail", "accent_soft",
    )),
    *(("text_on_accent", ground) for ground in (
        "accent", "accent_hover", "accent_pressed", "error_fill", "error_fill_hover",
    )),
    *((tone, ground) for tone in ("success", "warning", "error") for ground in (
        "ground", "surface", "surface_sunken", "surface_hover", f"{tone}_soft",
    )),
    *(("text", f"{tone}_soft") for tone in ("success", "warning", "error")),
    *(("text_muted", f"{tone}_soft") for tone in ("success", "warning", "error")),
)  # fmt: skip


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1..21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
