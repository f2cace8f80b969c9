"""Which files of a folder, an archive or a choice of several are read, and which are not and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, IconLabel, LinkButton
from studio.i18n import _, ngettext

_LISTED: Final = 2_000  # longer lists say how many more there are
_HEIGHT: Final = 132


class MembersLine(QWidget):
    """One line with the counts; the names unfold below it. Hidden for a single file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self._icon = IconLabel("folder", "text_muted", 16)
        self._words = Caption()
        self.unfold = LinkButton("", self._toggle)
        self.names = QPlainTextEdit()
        self.names.setReadOnly(True)
        self.names.setTabChangesFocus(True)
        self.names.setFixedHeight(_HEIGHT)
        self.names.setAccessibleName(_("Files of this import"))
        self.names.hide()
        row = QHBoxLayout()
        row.setSpacing(space.s)
        row.addWidget(self._icon)
        row.addWidget(self._words)
        row.addWidget(self.unfold)
        row.addStretch(1)
        self._words.setWordWrap(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.s)
        column.addLayout(row)
        column.addWidget(self.names)
        self.hide()

    def show_members(self, members: Sequence[str], skipped: Sequence[str]) -> None:
        """Show other files; ``skipped`` carry their reasons."""
        self.setVisible(len(members) > 1 or bool(skipped))
        words = []
        if members:
            read = ngettext("{n} file is read", "{n} files are read", len(members))
            words.append(read.format(n=f"{len(members):,}"))
        if skipped:
            left = ngettext("{n} file is left out", "{n} files are left out", len(skipped))
            words.append(left.format(n=f"{len(skipped):,}"))
        self._icon.set_icon(*(("warning", "warning") if skipped else ("folder", "text_muted")))
        self._words.setText("  ·  ".join(words))
        parts = [*_section(_("Left out"), skipped), *_section(_("Read"), members)]
        self.names.setPlainText("\n".join(parts))
        self._fold(folded=True)

    def words(self) -> str:
        """The counts as shown."""
        return self._words.text()

    def _toggle(self) -> None:
        self._fold(folded=not self.names.isHidden())

    def _fold(self, *, folded: bool) -> None:
        self.names.setHidden(folded)
        self.unfold.setText(_("Show the files") if folded else _("Hide the files"))


def _section(heading: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = len(names) - _LISTED
    rest = [_("… and {n} more").format(n=f"{more:,}")] if more > 0 else []
    return [f"{heading}:", *(f"  {name}" for name in names[:_LISTED]), *rest]
