"""Files dropped or picked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame, QPushButton, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.badge import IconLabel
from studio.gui.widgets.labels import BodyText, Caption, SectionTitle


def paths_of(mime: QMimeData) -> list[Path]:
    """Local files and folders in a drag or on the clipboard."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def _copy(event: QDragMoveEvent | QDropEvent) -> None:
    """Take the drag as a copy: told of a move, many file managers delete the original."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


class DropZone(QFrame):
    """A place that takes files: drop, click or Enter. ``dropped`` carries list[Path].

    button: shown inside and reached by Tab in place of the zone itself.
    """

    dropped = Signal(object)

    def __init__(
        self,
        sentence: str,
        hint: str = "",
        on_click: Callable[[], object] | None = None,
        parent: QWidget | None = None,
        *,
        button: QPushButton | None = None,
    ) -> None:
        super().__init__(parent)
        self._on_click = on_click
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if button is not None else Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(sentence)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        column = QVBoxLayout(self)
        space = current_tokens().space
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.addStretch(1)
        column.addWidget(IconLabel("upload", "accent_text", 28), 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (BodyText(sentence), Caption(hint)):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
            if not label.text():
                label.hide()
        if button is not None:
            column.addSpacing(space.m)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if paths_of(event.mimeData()):
            _copy(event)
            self._set_hot(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._set_hot(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_hot(False)
        _copy(event)
        self.dropped.emit(paths_of(event.mimeData()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._on_click is not None and self.rect().contains(event.position().toPoint()):
            self._on_click()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._on_click is not None and event.key() in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Space,
        ):
            self._on_click()
        else:
            super().keyPressEvent(event)

    def _set_hot(self, hot: bool) -> None:
        self.setProperty("hot", hot)
        self.style().unpolish(self)
        self.style().polish(self)


class DropOverlay(QFrame):
    """Covers ``target`` while files are dragged over what it watches. ``dropped``: list[Path].

    Watching a window's QWindow it hears of a drag before any widget does, so text fields do not take a file's path
    as text. Until ``watch`` is called it hears nothing.
    """

    dropped = Signal(object)

    def __init__(self, target: QWidget, sentence: str, hint: str = "") -> None:
        super().__init__(target)
        self._target = target
        self._watched: QObject | None = None
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(IconLabel("upload", "accent_text", 40), 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (SectionTitle(sentence), Caption(hint)):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
            label.setVisible(bool(label.text()))
        column.addStretch(1)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def watch(self, source: QObject) -> None:
        """Listen to the drags over a widget or over a whole window."""
        if self._watched is not source:
            self._watched = source
            source.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent):
            return self._on_enter(event)
        if self.isHidden():
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.DragMove and isinstance(event, QDragMoveEvent):
            _copy(event)
            return True
        if event.type() == QEvent.Type.DragLeave:
            self.hide()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self.hide()
            _copy(event)
            self.dropped.emit(paths_of(event.mimeData()))
            return True
        return super().eventFilter(watched, event)

    def _on_enter(self, event: QDragEnterEvent) -> bool:
        """A dialog that asks something is answered first."""
        if not paths_of(event.mimeData()) or QApplication.activeModalWidget() is not None:
            return False
        _copy(event)
        self.setGeometry(self._target.rect())
        self.raise_()
        self.show()
        return True
