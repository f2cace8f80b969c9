"""One example of a finding: the place in its row before and after the advised fix, with what differs marked."""

from __future__ import annotations

import html
import re
from difflib import SequenceMatcher
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.domain.findings import Example
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import Caption
from studio.i18n import _
from studio.words import clauses
from studio.words_data import column_title

_AROUND: Final = 60  # characters shown before the first difference
_SHOWN: Final = 180
_COMPARED: Final = 600  # characters from there on; comparing takes the square of it
_MASK: Final = re.compile(r"\[[A-Z]+\]")  # what the doctor puts in the place of a private value
_PROBE: Final = 24  # characters of a text between two values that are looked for in the original


class ExampleRow(QPushButton):
    """Pressed, it leads to its row. private: what the fix takes out is shown as stars."""

    def __init__(self, example: Example, *, private: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.example = example
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        before, after = _parts(example, private)
        place = _("Row {row} · {column}").format(
            row=f"{example.row:,}", column=column_title(example.column) if example.column else ""
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(current_tokens().space.xs)
        self.before = _Marked(before, "error_soft")
        self.after = _Marked(after or [], "success_soft")
        self.note = Caption(example.note or ("" if after is not None else _("This row is removed.")))
        for part in (Caption(place.rstrip(" ·")), self.before, self.after, self.note):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(part)
            part.setVisible(bool(part.text()))
        said = [_("Before: {before}").format(before=_plain(before))]
        if after is not None:
            said.append(_("After: {after}").format(after=_plain(after)))
        self.setAccessibleName(_("Show row {row}").format(row=f"{example.row:,}"))
        self.setAccessibleDescription(clauses([*said, self.note.text()]))
        self.setToolTip(_("Show this row in the table"))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.totalHeightForWidth(width) if layout is not None else super().heightForWidth(width)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.totalSizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        return layout.totalMinimumSize() if layout is not None else super().minimumSizeHint()


Parts = list[tuple[str, bool]]  # pieces of a text, and whether the fix changes them


class _Marked(QLabel):
    """Text in which some pieces stand on a soft ground; painted anew when the theme changes."""

    def __init__(self, parts: Parts, ground: str) -> None:
        super().__init__()
        self._parts, self._ground = parts, ground
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setFont(ui_font(current_tokens().fonts.caption))
        self.setWordWrap(True)
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._show()

    def _show(self) -> None:
        colour = getattr(current_tokens(), self._ground)
        marked = "".join(
            f'<span style="background-color:{colour}">{_escaped(piece)}</span>'
            if differs
            else _escaped(piece)
            for piece, differs in self._parts
        )
        if marked != self.text():
            self.setText(marked)


def _parts(example: Example, private: bool) -> tuple[Parts, Parts | None]:
    """Before and after around the first difference; after is None where the row leaves, empty where nothing changes."""
    before, after = example.before, example.after
    if private:
        return _masked(before, after)
    if after is None or after == before:
        return _cut([(before, False)], False), None if after is None else []
    start = max(_same_beginning(before, after) - _AROUND, 0)
    before, after = before[start : start + _COMPARED], after[start : start + _COMPARED]
    old: Parts = []
    new: Parts = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old.append((before[i:j], tag != "equal"))
        new.append((after[k:m], tag != "equal"))
    return _cut(old, start > 0), _cut(new, start > 0)


def _masked(before: str, after: str | None) -> tuple[Parts, Parts | None]:
    """Only what also stands in the masked text is shown; a letter that a value shares with a mask is not."""
    if after is None:
        return _cut([(_stars(before), True)], False), None
    literals, masks = _MASK.split(after), [*_MASK.findall(after), ""]
    old: Parts = []
    at = 0
    for place, literal in enumerate(literals):
        begin = at if place == 0 else before.find(literal.rstrip("…")[:_PROBE], at) if literal else at
        begin = len(before) if begin < 0 or (not literal and place == len(literals) - 1) else begin
        end = begin + _same_beginning(before[begin:], literal)
        old += [(_stars(before[at:begin]), True), (before[begin:end], False)]
        at = end
    old.append((_stars(before[at:]), True))
    new = [part for pair in zip(literals, masks, strict=True) for part in ((pair[0], False), (pair[1], True))]
    start = max(len(literals[0]) - _AROUND, 0)
    return _cut(_without(old, start), start > 0), _cut(_without(new, start), start > 0)


def _without(parts: Parts, count: int) -> Parts:
    """The parts without their first characters, all of which stand in the first piece that has any."""
    filled = [(piece, differs) for piece, differs in parts if piece]
    if not filled or not count:
        return filled
    return [(filled[0][0][count:], filled[0][1]), *filled[1:]]


def _same_beginning(first: str, second: str) -> int:
    pairs = zip(first, second, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _cut(parts: Parts, begun: bool) -> Parts:
    """As much as is shown, with an ellipsis where something is left out."""
    shown: Parts = [("…", False)] if begun else []
    left = _SHOWN
    for piece, differs in parts:
        if piece and left > 0:
            shown.append((piece[:left], differs))
        left -= len(piece)
    return [*shown, ("…", False)] if left < 0 else shown


def _stars(text: str) -> str:
    return "".join("*" if sign.isalnum() else sign for sign in text)


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _plain(parts: Parts) -> str:
    return "".join(piece for piece, _differs in parts)
