"""Contrast, fonts, icons and switching of the appearance."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.icons import icon
from studio.gui.theme import DARK, LIGHT, Theme, Tokens, contrast, current_tokens, tabular_font, ui_font
from studio.gui.theme.stylesheet import build_stylesheet
from studio.gui.theme.tokens import TEXT_PAIRS
from studio.paths import resource_path

ICONS = sorted(resource_path("icons").glob("*.svg"))


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids="-on-".join)
def test_every_text_is_readable_on_its_ground(tokens: Tokens, pair: tuple[str, str]) -> None:
    text, ground = pair
    assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_style_sheet_has_no_hole_and_no_colour_of_its_own(tokens: Tokens) -> None:
    template = resource_path("themes", "studio.qss").read_text(encoding="utf-8")
    colours = [line for line in template.splitlines() if ": #" in line]
    assert colours == []
    assert "$" not in build_stylesheet(tokens).split("*/", 1)[1]


def test_switching_recolours_icons_and_tells(theme: Theme, qtbot: QtBot) -> None:
    made = icon("play", "text")
    before = made.pixmap(QSize(24, 24)).toImage()
    with qtbot.waitSignal(theme.changed):
        theme.set_appearance("dark")
    assert current_tokens() is DARK
    assert made.pixmap(QSize(24, 24)).toImage() != before
    theme.set_appearance("light")
    assert made.pixmap(QSize(24, 24)).toImage() == before


def test_icon_is_sharp_on_dense_screens(qapp: QApplication) -> None:
    pixmap = icon("data").pixmap(QSize(24, 24), 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (48, 2.0)


def test_disabled_icon_is_grey(theme: Theme) -> None:
    made = icon("trash", "error")
    normal = made.pixmap(QSize(24, 24), QIcon.Mode.Normal).toImage()
    assert made.pixmap(QSize(24, 24), QIcon.Mode.Disabled).toImage() != normal


@pytest.mark.parametrize("path", ICONS, ids=lambda path: path.stem)
def test_icons_are_of_one_family(path: Path) -> None:
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert root.attrib["viewBox"] == "0 0 24 24"
    assert (root.attrib["stroke-width"], root.attrib["fill"]) == ("1.5", "none")


def test_unknown_icon_is_told_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_fonts_name_a_simplified_chinese_face(qapp: QApplication) -> None:
    families = ui_font(14).families()
    if any("CJK" in name for name in families):
        assert not any(name.endswith(("JP", "KR", "TC", "HK")) for name in families)
    assert tabular_font(12).pixelSize() == 12
