"""What stands where the conversation will be: questions to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, PageTitle
from studio.gui.widgets.badge import IconLabel
from studio.i18n import _

MOST = 4


class Suggestion(QPushButton):
    """A question that is asked by a click; its words wrap."""

    def __init__(self, question: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(_("Ask: {question}").format(question=question))
        column = QVBoxLayout(self)
        column.setContentsMargins(space.l, space.m, space.l, space.m)
        self._label = BodyText(question)
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column.addWidget(self._label, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As high as its words need at the present width."""
        return QSize(300, max(64, self._words_height() + 2 * current_tokens().space.m))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def _words_height(self) -> int:
        inner = max(self.width() - 2 * current_tokens().space.l, 160)
        return self._label.heightForWidth(inner)


class FirstWords(QWidget):
    """A sentence and a few suggestions. ``asked`` carries the question (str)."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, space.l, 0)
        outer.setSpacing(space.s)
        outer.addStretch(2)
        outer.addWidget(IconLabel("playground", "accent_text", 32), 0, Qt.AlignmentFlag.AlignHCenter)
        self._title = PageTitle(_("Try your model"))
        sentence = _("Ask what your customers will ask. Nothing you type leaves this computer.")
        self._sentence = BodyText(sentence, tone="muted")
        for label in (self._title, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            outer.addWidget(label)
        outer.addSpacing(space.m)
        holder = QWidget()
        holder.setMaximumWidth(680)
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._grid = QGridLayout(holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(space.m)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(holder, 1000)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)
        self.suggestions: list[Suggestion] = []

    def set_questions(self, questions: Sequence[str]) -> None:
        """Offer these questions, the first few."""
        if [button.accessibleName() for button in self.suggestions] == list(questions[:MOST]):
            return
        for old in self.suggestions:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.suggestions = [Suggestion(question) for question in questions[:MOST]]
        for position, (button, question) in enumerate(zip(self.suggestions, questions, strict=False)):
            button.clicked.connect(lambda _checked=False, words=question: self.asked.emit(words))
            self._grid.addWidget(button, position // 2, position % 2)
