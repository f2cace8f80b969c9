"""Page layout: a scrolling column of limited width, form rows, and empty pages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.badge import IconLabel
from studio.gui.widgets.buttons import PrimaryButton, SecondaryButton
from studio.gui.widgets.labels import BodyText, Caption, PageTitle


class ScrollPage(QScrollArea):
    """Scrolls vertically; content goes to ``body`` (a QVBoxLayout) and is at most ``max_width`` px wide, centred."""

    def __init__(self, parent: QWidget | None = None, *, max_width: int = 0, margin: int = -1) -> None:
        super().__init__(parent)
        tokens = current_tokens()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        ground = QWidget()
        ground.setObjectName("scroll_body")
        row = QHBoxLayout(ground)
        edge = tokens.space.xl if margin < 0 else margin
        row.setContentsMargins(edge, edge, edge, edge)
        column = QWidget()
        column.setMaximumWidth(max_width or tokens.content_width)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row.addStretch(1)
        row.addWidget(column, 1000)
        row.addStretch(1)
        self.body = QVBoxLayout(column)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(tokens.space.l)
        self.setWidget(ground)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Append a widget to the column."""
        self.body.addWidget(widget, stretch)


class FittedPage(ScrollPage):
    """As high as its content at this width in px, where there is room for that: ``set_most`` limits it."""

    def __init__(self, width: int) -> None:
        super().__init__(margin=0)
        self._width, self._most = width, 0

    def set_most(self, height: int) -> None:
        """Be no higher than this, in px; 0: no limit."""
        self._most = height
        self.updateGeometry()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # the content wants another height
            self.updateGeometry()
        return super().event(event)

    def sizeHint(self) -> QSize:
        height = self.body.totalHeightForWidth(self._width)
        return QSize(self._width, min(height, self._most) if self._most else height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class PageHeader(QWidget):
    """Title and one sentence at the left, buttons at the right."""

    def __init__(
        self, title: str, sentence: str = "", *actions: QWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space.s)
        words = QVBoxLayout()
        words.setSpacing(space.xs)
        words.addWidget(PageTitle(title))
        self.sentence = BodyText(sentence, tone="muted")
        if not sentence:
            self.sentence.hide()
        words.addWidget(self.sentence)
        row.addLayout(words, 1)
        for action in actions:
            row.addWidget(action, 0, Qt.AlignmentFlag.AlignTop)


class FormRow(QWidget):
    """Label, input and help: label at the left when there is room (``wide``), else above the input."""

    def __init__(
        self,
        label: str,
        control: QWidget,
        help_text: str = "",
        *,
        wide: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self.control = control
        self._caption = Caption(help_text)
        if not help_text:
            self._caption.hide()
        self._error = Caption(tone="error")
        self._error.hide()
        name = BodyText(label)
        name.setWordWrap(wide)
        name.setBuddy(control)
        control.setAccessibleName(label)
        control.setAccessibleDescription(help_text)
        if help_text:
            name.setToolTip(help_text)
            control.setToolTip(help_text)
        outer = QHBoxLayout(self) if wide else QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(space.xl if wide else 6)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(name)
        field = QVBoxLayout()
        field.setSpacing(space.xs)
        field.addWidget(control)
        (words if wide else field).addWidget(self._caption)
        field.addWidget(self._error)
        outer.addLayout(words, 3)
        outer.addLayout(field, 2)
        if wide:
            words.addStretch(1)
            field.addStretch(1)

    def set_error(self, message: str) -> None:
        """Show what is wrong under the input; empty clears it."""
        self._error.setText(message)
        self._error.setVisible(bool(message))
        self.control.setProperty("invalid", bool(message))
        self.control.style().unpolish(self.control)
        self.control.style().polish(self.control)

    def error(self) -> str:
        """The message shown under the input, empty when it is valid."""
        return self._error.text()


class EmptyState(QWidget):
    """An empty page: what belongs here in one sentence, and the one step that fills it."""

    def __init__(
        self,
        icon: str,
        sentence: str,
        primary: str = "",
        on_primary: Callable[[], object] | None = None,
        secondary: str = "",
        on_secondary: Callable[[], object] | None = None,
        *,
        title: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        space = current_tokens().space
        outer = QVBoxLayout(self)
        middle = QWidget(self)
        middle.setMaximumWidth(480)
        column = QVBoxLayout(middle)
        column.setSpacing(space.m)
        column.addWidget(_picture(icon), 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (PageTitle(title), BodyText(sentence, tone="muted")):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
            if not label.text():
                label.hide()
        column.addSpacing(space.xs)
        row = QHBoxLayout()
        row.setSpacing(space.s)
        row.addStretch(1)
        self.primary = PrimaryButton(primary, on_primary)
        self.secondary = SecondaryButton(secondary, on_secondary)
        for button in (self.primary, self.secondary):
            row.addWidget(button)
            if not button.text():
                button.hide()
        row.addStretch(1)
        column.addLayout(row)
        outer.addStretch(2)
        centred = QHBoxLayout()
        centred.addStretch(1)
        centred.addWidget(middle, 1000)
        centred.addStretch(1)
        outer.addLayout(centred)
        outer.addStretch(3)


def _picture(name: str) -> QWidget:
    disc = QFrame()
    disc.setFixedSize(64, 64)
    row = QHBoxLayout(disc)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(IconLabel(name, "accent_text", 32), 0, Qt.AlignmentFlag.AlignCenter)
    disc.setObjectName("disc")
    return disc
