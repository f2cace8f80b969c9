"""Ctrl+K: every action of the program by a few letters of its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shiboken6
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.gui.page import PaletteAction
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import Caption, Divider, IconLabel
from studio.i18n import _

_Index = QModelIndex | QPersistentModelIndex
ACTION_ROLE = int(Qt.ItemDataRole.UserRole) + 1


def fuzzy_score(query: str, text: str) -> int | None:
    """How well ``query`` fits ``text``: its letters in order, higher is better, None = not at all.

    Runs of letters and letters at the start of a word count more; case and spaces in the query do not matter.
    """
    wanted = [letter for letter in query.casefold() if not letter.isspace()]
    hay = text.casefold()
    score, at, run = 0, 0, 0
    for letter in wanted:
        found = hay.find(letter, at)
        if found < 0:
            return None
        run = run + 1 if found == at and at > 0 else 0
        word_start = found == 0 or not hay[found - 1].isalnum()
        score += 1 + 3 * run + (6 if word_start else 0) - min(found - at, 5)
        at = found + 1
    return score


class ActionList(QAbstractListModel):
    """The actions that fit the typed letters, best first."""

    def __init__(self, actions: Sequence[PaletteAction], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all = list(actions)
        self._shown = list(actions)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        action = self._shown[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return action.title
        return action if role == ACTION_ROLE else None

    def filter(self, query: str) -> None:
        """Keep what fits ``query``."""
        scored = [(fuzzy_score(query, action.title), action) for action in self._all]
        fitting = [(score, action) for score, action in scored if score is not None]
        self.beginResetModel()
        self._shown = [action for _score, action in sorted(fitting, key=lambda pair: -pair[0])]
        self.endResetModel()


class _Row(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, 38)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        tokens = current_tokens()
        action: PaletteAction = index.data(ACTION_ROLE)
        rect: QRect = option.rect.adjusted(8, 1, -8, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_soft))
            painter.drawRoundedRect(rect, tokens.radius_small, tokens.radius_small)
        inner = rect.adjusted(12, 0, -12, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(ui_font(tokens.fonts.body))
        painter.setPen(QColor(tokens.text))
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignLeft, action.title)
        keys = QKeySequence(action.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        painter.setFont(ui_font(tokens.fonts.caption))
        painter.setPen(QColor(tokens.text_muted))
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, keys)
        painter.restore()


class PalettePanel(QFrame):
    """Query and list; the arrows choose, Enter runs."""

    ran = Signal(object)  # PaletteAction

    def __init__(self, actions: Sequence[PaletteAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.model = ActionList(actions, self)
        self.query = QLineEdit()
        self.query.setPlaceholderText(_("What do you want to do?"))
        self.query.setAccessibleName(_("What do you want to do?"))
        self.query.textChanged.connect(self._on_query)
        self.query.installEventFilter(self)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setItemDelegate(_Row(self.view))
        self.view.setAccessibleName(_("Actions"))
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setMouseTracking(True)
        self.view.entered.connect(self.view.setCurrentIndex)
        self.view.clicked.connect(lambda _index: self.run_current())
        self.nothing = Caption(_("Nothing fits. Try fewer letters."), self)
        self.nothing.setContentsMargins(20, 12, 20, 12)
        self._build()
        self._on_query("")

    def run_current(self) -> None:
        """Run the chosen action, if one fits."""
        action: PaletteAction | None = self.view.currentIndex().data(ACTION_ROLE)
        if action is not None:
            self.ran.emit(action)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._move(step)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.run_current()
                return True
        return super().eventFilter(watched, event)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 4, 1, 8)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(18, 0, 12, 0)
        head.addWidget(IconLabel("search", "text_muted", 20))
        head.addWidget(self.query, 1)
        column.addLayout(head)
        column.addWidget(Divider())
        column.addSpacing(6)
        column.addWidget(self.nothing)
        column.addWidget(self.view, 1)

    def _on_query(self, text: str) -> None:
        self.model.filter(text)
        self.nothing.setVisible(self.model.rowCount() == 0)
        self.view.setCurrentIndex(self.model.index(0, 0))

    def _move(self, step: int) -> None:
        rows = self.model.rowCount()
        if rows:
            row = (self.view.currentIndex().row() + step) % rows
            self.view.setCurrentIndex(self.model.index(row, 0))


class CommandPalette(QWidget):
    """The panel over a dimmed window; Escape or a click beside it closes. Deletes itself when closed."""

    def __init__(self, actions: Sequence[PaletteAction], host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._focus_before = host.focusWidget()
        self.setAccessibleName(_("Actions"))
        self.panel = PalettePanel(actions, self)
        self.panel.ran.connect(self._run)
        host.installEventFilter(self)

    def open(self) -> None:
        """Show over the host and take the keyboard."""
        self._place()
        self.show()
        self.raise_()
        self.panel.query.setFocus()

    def dismiss(self) -> None:
        """Close and give the keyboard back."""
        self._host.removeEventFilter(self)
        self.hide()
        if self._focus_before is not None and shiboken6.isValid(self._focus_before):
            self._focus_before.setFocus()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.dismiss()

    def paintEvent(self, event: QPaintEvent) -> None:
        dim = QColor("black")
        dim.setAlpha(current_tokens().scrim_alpha)
        QPainter(self).fillRect(self.rect(), dim)

    def focusNextPrevChild(self, next: bool) -> bool:
        return True  # the query is the only stop; Tab must not wander under the dimmed window

    def _run(self, action: PaletteAction) -> None:
        self.dismiss()
        action.callback()

    def _place(self) -> None:
        self.setGeometry(self._host.rect())
        width, height = min(600, self.width() - 64), min(440, self.height() - 128)
        self.panel.setGeometry((self.width() - width) // 2, 72, width, height)
