"""Files dropped or picked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.badge import IconLabel
from studio.gui.widgets.labels import BodyText, Caption


def paths_of(mime: QMimeData) -> list[Path]:
    """Local files and folders in a drag."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


class DropZone(QFrame):
    """A place that takes files: drop, click or Enter. ``dropped`` carries list[Path]."""

    dropped = Signal(object)

    def __init__(
        self,
        sentence: str,
        hint: str = "",
        on_click: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._on_click = on_click
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
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
        column.addStretch(1)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if paths_of(event.mimeData()):
            event.acceptProposedAction()
            self._set_hot(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._set_hot(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_hot(False)
        event.acceptProposedAction()
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
    """Covers ``target`` while files are dragged over it, so that a whole page takes them. ``dropped``: list[Path]."""

    dropped = Signal(object)

    def __init__(self, target: QWidget, sentence: str) -> None:
        super().__init__(target)
        self._target = target
        column = QVBoxLayout(self)
        label = BodyText(sentence, tone="accent", bold=True)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent):
            return self._on_enter(event)
        if event.type() == QEvent.Type.DragLeave:
            self.hide()
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self.hide()
            event.acceptProposedAction()
            self.dropped.emit(paths_of(event.mimeData()))
            return True
        return super().eventFilter(watched, event)

    def _on_enter(self, event: QDragEnterEvent) -> bool:
        if not paths_of(event.mimeData()):
            return False
        event.acceptProposedAction()
        edge = current_tokens().space.m
        self.setGeometry(self._target.rect().adjusted(edge, edge, -edge, -edge))
        self.raise_()
        self.show()
        return True
