"""Qt's own texts (the file chooser, menus of text fields) in Chinese."""

from __future__ import annotations

import re

from PySide6.QtCore import QTranslator

_KEY = re.compile(r"&(\w)")
_COLON = re.compile(r"[:：]?$")


class QtTexts(QTranslator):
    """Qt's catalogue knows some texts, such as "Files of &type:", only as they were before they had a key."""

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str:
        found = super().translate(context, sourceText, disambiguation, n)
        key = _KEY.search(sourceText)
        if found or key is None:
            return found or None  # type: ignore[return-value]  # "" would be taken for a translation
        plain = super().translate(context, sourceText.replace("&", "", 1), disambiguation, n)
        if not plain:
            return None  # type: ignore[return-value]
        return _COLON.sub(lambda colon: f"(&{key[1].upper()}){colon[0]}", plain, count=1)
