"""Editing a cell in its place: long texts in a field of several lines, labels and thumbs by choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, QPersistentModelIndex, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTextEdit,
    QWidget,
)

from studio.gui.models.cells import CellKind, labels_of
from studio.gui.models.paged_table import Index
from studio.gui.models.rows_table import RowRole, RowsTable, kind_at
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.pages.data.editing.row_delegate import RowPainter
from studio.i18n import _
from studio.words_data import column_title

KEEP_TYPED_MS = 700  # with the journal's own second, a kill loses less than two
_LEAST_HEIGHT = 96
_LEAST_WIDTH = 380
_MOST_HEIGHT = 260
_FILLED = "filled"
_ANSWER_HEIGHT = 150


class RowDelegate(RowPainter):
    """``labels()`` gives the labels to offer. Typed text goes to the draft while it is typed."""

    def __init__(
        self, thumbnails: Thumbnails, labels: Callable[[], Sequence[str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(thumbnails, parent)
        self._labels = labels
        self._typed: tuple[QWidget, Index] | None = None
        self._kept_typing = False
        self._timer = QTimer(self, singleShot=True, interval=KEEP_TYPED_MS)
        self._timer.timeout.connect(self._keep_typed)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        kind, column = kind_at(index), index.data(RowRole.COLUMN)
        editor: QWidget
        if kind is CellKind.TEXT:
            editor = self._text_editor(parent, index)
        elif kind is CellKind.LABEL:
            editor = self._choice(parent, [(name, name) for name in self._labels()], typed=True)
        elif kind is CellKind.THUMB:
            editor = self._choice(parent, [(_("Good"), "up"), (_("Bad"), "down")], typed=False)
        else:
            editor = QLineEdit(parent)
            if kind is CellKind.LABELS:
                editor.setPlaceholderText(_("Several labels, separated by commas"))
        editor.setAccessibleName(column_title(column))
        self._kept_typing = False
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if editor.property(_FILLED):
            return  # a page that arrives must not undo what was typed
        editor.setProperty(_FILLED, True)
        text = str(index.data(Qt.ItemDataRole.EditRole))
        if isinstance(editor, QPlainTextEdit):
            editor.setPlainText(text)
            editor.moveCursor(QTextCursor.MoveOperation.End)
            editor.textChanged.connect(self._timer.start)
        elif isinstance(editor, QComboBox):
            position = editor.findData(text)
            editor.setCurrentIndex(position)
            if editor.isEditable():
                editor.setEditText(text)
        elif isinstance(editor, QLineEdit):
            editor.setText(", ".join(labels_of(text)) if kind_at(index) is CellKind.LABELS else text)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        self._timer.stop()
        model.setData(index, _typed_text(editor, kind_at(index)), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        if isinstance(editor, QPlainTextEdit):
            lines = max(len(editor.toPlainText()) // max(rect.width() // 8, 1), editor.blockCount()) + 2
            height = min(max(lines * editor.fontMetrics().lineSpacing() + 16, _LEAST_HEIGHT), _MOST_HEIGHT)
            height += _ANSWER_HEIGHT if isinstance(editor, QuestionEditor) else 0
            parent = editor.parentWidget()
            room = parent.height() if parent is not None else height
            height = min(height, room)
            width = min(
                max(rect.width(), _LEAST_WIDTH), parent.width() if parent is not None else rect.width()
            )
            left = max(min(rect.left(), parent.width() - width), 0) if parent is not None else rect.left()
            rect = QRect(left, max(min(rect.top(), room - height), 0), width, height)
        editor.setGeometry(rect)

    def eventFilter(self, editor: QObject, event: QEvent) -> bool:
        if (
            isinstance(editor, QPlainTextEdit)
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
        ):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not (
                event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            ):
                self.commitData.emit(editor)
                self.closeEditor.emit(editor, QStyledItemDelegate.EndEditHint.NoHint)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._take_back_typed()
        return super().eventFilter(editor, event)

    def destroyEditor(self, editor: QWidget, index: Index) -> None:
        self._timer.stop()
        self._typed = None
        super().destroyEditor(editor, index)

    def _text_editor(self, parent: QWidget, index: Index) -> QPlainTextEdit:
        answer = _answer_beside(index)
        editor = QuestionEditor(answer, parent) if answer else QPlainTextEdit(parent)
        editor.setTabChangesFocus(True)
        editor.setToolTip(
            _("Enter keeps the text, Shift+Enter begins a new line, Escape leaves it as it was.")
        )
        editor.setAccessibleDescription(editor.toolTip())
        self._typed = (editor, QPersistentModelIndex(index))
        return editor

    def _choice(self, parent: QWidget, choices: list[tuple[str, str]], *, typed: bool) -> QComboBox:
        combo = QComboBox(parent)
        combo.setEditable(typed)
        for words, value in choices:
            combo.addItem(words, value)
        combo.activated.connect(lambda _position: self._finish(combo))
        return combo

    def _finish(self, editor: QWidget) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor, QStyledItemDelegate.EndEditHint.NoHint)

    def _keep_typed(self) -> None:
        """The draft takes over what is typed so far, so that no crash can take it."""
        if self._typed is None:
            return
        editor, index = self._typed
        model = index.model()
        if isinstance(model, RowsTable) and isinstance(editor, QPlainTextEdit):
            self._kept_typing |= model.put(index, editor.toPlainText(), typing=True)

    def _take_back_typed(self) -> None:
        self._timer.stop()
        if not self._kept_typing or self._typed is None:
            return
        model = self._typed[1].model()
        draft = model.draft() if isinstance(model, RowsTable) else None
        if draft is not None and isinstance(model, RowsTable):
            draft.undo()
            model.edits_changed()


class QuestionEditor(QPlainTextEdit):
    """Has the answer above the question that is written for it, since a cell shows the answer's first words only."""

    def __init__(self, answer: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.answer = QTextEdit(self)
        self.answer.setPlainText(answer)
        self.answer.setReadOnly(True)
        self.answer.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.answer.setAccessibleName(column_title("response"))
        self.setViewportMargins(0, _ANSWER_HEIGHT, 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inside = self.contentsRect()
        self.answer.setGeometry(inside.left(), inside.top(), inside.width(), _ANSWER_HEIGHT)


def _answer_beside(index: Index) -> str:
    """The answer in the row of a question; "" for any other cell."""
    model = index.model()
    if index.data(RowRole.COLUMN) != "prompt" or not isinstance(model, RowsTable):
        return ""
    names = list(model.names())
    if "response" not in names:
        return ""
    return str(model.index(index.row(), names.index("response")).data(Qt.ItemDataRole.EditRole))


def _typed_text(editor: QWidget, kind: CellKind) -> str:
    if isinstance(editor, QPlainTextEdit):
        return editor.toPlainText()
    if isinstance(editor, QComboBox):
        position = editor.currentIndex()
        chosen = editor.itemData(position) if editor.currentText() == editor.itemText(position) else None
        return str(chosen) if chosen is not None else editor.currentText().strip()
    assert isinstance(editor, QLineEdit)
    if kind is CellKind.LABELS:
        labels = {part.strip() for part in editor.text().replace("，", ",").split(",") if part.strip()}
        return json.dumps(sorted(labels), ensure_ascii=False) if labels else ""
    return editor.text().strip()
