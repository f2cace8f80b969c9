"""The one style sheet, filled with tokens."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from studio.gui.theme.tokens import Tokens
from studio.paths import resource_path


def build_stylesheet(tokens: Tokens) -> str:
    """resources/themes/studio.qss with ``$name`` replaced by the token of that name."""
    fonts = asdict(tokens.fonts)
    values = {name: str(value) for name, value in asdict(tokens).items() if isinstance(value, str | int)}
    values |= {name: str(size) for name, size in fonts.items()}
    values["controls"] = resource_path("icons", "controls").as_posix()
    template = resource_path("themes", "studio.qss").read_text(encoding="utf-8")
    return Template(template).substitute(values)
