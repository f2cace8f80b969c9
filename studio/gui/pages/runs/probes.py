"""Sample questions that every run answers: what the base said, and what the model says now; drawings as pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from studio.domain.runs import ProbeAnswer
from studio.gui.pages.runs.live import LiveRun
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, Divider, DropDown
from studio.i18n import _

_CHARS = 600  # of an answer; the rest is in the tooltip
_SHEET = 440  # widest side of a drawing, in px
_DRAWING = re.compile(r"samples/[\w.-]+\.png")  # an answer that names a picture in RUN_DIR
_LONG_WORD = re.compile(r"(\S{24})(?=\S)")


class ProbesCard(Card):
    """A table of prompts; base at the left, the chosen evaluation at the right. Follows the newest by itself."""

    def __init__(self, folder_of: Callable[[str], Path]) -> None:
        """folder_of: RUN_DIR of a run's id."""
        self._folder_of = folder_of
        super().__init__(_("Sample answers"))
        self._live: LiveRun | None = None
        self._version = -1
        self.moment = DropDown()
        self.moment.setMinimumWidth(180)
        self.moment.activated.connect(lambda _index: self._fill())
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        self._moment_words = Caption()
        self._moment_words.setWordWrap(False)
        row.addWidget(self._moment_words)
        row.addWidget(self.moment)
        row.addStretch(1)
        self.add(head)
        self._table = AnswerTable(Path())
        self.add(self._table)
        self.hide()

    def show_run(self, live: LiveRun) -> None:
        """Show the answers of this run."""
        self._live, self._version = live, -1
        title, text, moment = _words_for(live)
        self.set_title(title)
        self.set_subtitle(text)
        self._moment_words.setText(moment)
        self.moment.setAccessibleName(moment)
        self.moment.clear()
        self.changed()

    def changed(self) -> None:
        """Answers may have been added."""
        if self._live is None or self._version == self._live.probes_version:
            return
        self._version = self._live.probes_version
        newest = self.moment.currentIndex() <= 0
        chosen = self.moment.currentData()
        steps = sorted((step for step in self._live.probes if step > 0), reverse=True)
        self.moment.clear()
        for step in steps:
            self.moment.addItem(f"{step:,}", step)
        if not newest and chosen in steps:
            self.moment.setCurrentIndex(steps.index(chosen))
        self.setVisible(bool(self._live.probes))
        self._fill()

    def _fill(self) -> None:
        if self._live is None:
            return
        step = self.moment.currentData()
        before, now = self._live.probes.get(0, {}), self._live.probes.get(step or -1, {})
        table = AnswerTable(self._folder_of(self._live.run_id))
        table.fill(before, now)
        self.body.replaceWidget(self._table, table)
        self._table.deleteLater()
        self._table = table


class AnswerTable(QWidget):
    """Questions with two answers each, side by side."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(current_tokens().space.xl)
        self._grid.setVerticalSpacing(current_tokens().space.s)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)

    def fill(self, before: dict[int, ProbeAnswer], now: dict[int, ProbeAnswer]) -> None:
        """before: answers of the base model, empty when there is none; now: of the model in training; by
        question.
        """
        if before:
            self._grid.addWidget(Caption(_("Base model")), 0, 0)
        self._grid.addWidget(Caption(_("This model now")), 0, 1 if before else 0)
        for place, index in enumerate(sorted(before.keys() | now.keys())):
            self._add(1 + 3 * place, before.get(index), now.get(index), paired=bool(before))

    def _add(self, row: int, before: ProbeAnswer | None, now: ProbeAnswer | None, *, paired: bool) -> None:
        known = before or now
        if known is None:
            return
        if row > 1:
            self._grid.addWidget(Divider(), row, 0, 1, 2)
        self._grid.addWidget(BodyText(known.prompt, bold=True), row + 1, 0, 1, 2)
        if paired:
            self._grid.addWidget(self._answer(before), row + 2, 0)
        self._grid.addWidget(self._answer(now), row + 2, 1 if paired else 0, 1, 1 if paired else 2)

    def _answer(self, answer: ProbeAnswer | None) -> QWidget:
        drawn = answer is not None and _DRAWING.fullmatch(answer.answer.strip())
        return _picture(self._folder / drawn[0]) if drawn else _words(answer)


def _words_for(live: LiveRun) -> tuple[str, str, str]:
    """(title, explanation, what stands before the step) for this kind of model."""
    if live.draws:
        drawn = _("Drawn anew at every check of the run, each time from the same random numbers.")
        return _("Sample pictures"), drawn, _("Pictures at step")
    text = _("The same inputs, answered at every check of the run.")
    if live.converses:
        text = _("The same questions, asked before training and at every check of the run.")
    return _("Sample answers"), text, _("Answers at step")


def _breakable(text: str) -> str:
    """With places to break in very long words: an untrained model babbles without spaces, which widened the page."""
    return _LONG_WORD.sub("\\1\u200b", text)


def _words(answer: ProbeAnswer | None) -> BodyText:
    if answer is None:
        return BodyText("–", tone="muted")
    text = answer.answer.strip() or _("(no words)")
    label = BodyText(_breakable(text if len(text) <= _CHARS else text[:_CHARS] + "…"))
    label.setToolTip(text if len(text) > _CHARS else "")
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _picture(path: Path) -> QLabel:
    """A sheet of drawn pictures, grown by whole pixels while there is room."""
    label, drawn = QLabel(), QPixmap(str(path))
    if drawn.isNull():
        label.setText("–")
        return label
    times = max(1, _SHEET // max(drawn.width(), drawn.height()))
    label.setPixmap(
        drawn.scaled(drawn.size() * times) if drawn.width() <= _SHEET else drawn.scaledToWidth(_SHEET)
    )
    label.setAccessibleName(_("New pictures"))
    return label
