"""Finding rows by a text, hit after hit, and reaching a row by its number."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QIntValidator, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from studio.gui.context import GuiContext
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, FormRow, IconButton, SearchField
from studio.i18n import _

_HITS_AT_ONCE = 200
_Question = tuple[str, str, int]  # dataset, text, offset


class Finder(QWidget):
    """``row_wanted``: number (object) of the row of the hit that was stepped to."""

    row_wanted = Signal(object)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._dataset_id = ""
        self._wanted: _Question | None = None  # the search whose answer is awaited
        self._searching = False
        self._hits: list[int] = []
        self._at = -1
        self._more = False  # there may be hits beyond those that are known
        self.field = SearchField(_("Find in the rows"))
        self.field.setMinimumWidth(120)
        self.field.installEventFilter(self)
        self.count = Caption()
        self.count.setWordWrap(False)
        self.previous = IconButton("chevron-up", _("Previous hit (Shift+Enter)"), self.back)
        self.next = IconButton("chevron-down", _("Next hit (Enter)"), self.forward)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.xs)
        row.addWidget(self.field, 1)
        for part in (self.count, self.previous, self.next):
            row.addWidget(part)
        self.field.searched.connect(self._search)
        self._show()

    def show_dataset(self, dataset_id: str) -> None:
        """Search in another dataset from now on; what is typed stays."""
        if dataset_id != self._dataset_id:
            self._dataset_id = dataset_id
            self._forget()

    def start(self) -> None:
        """Put the cursor into the field."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def forward(self) -> None:
        """Go to the next hit."""
        if self._at + 1 < len(self._hits):
            self._step(self._at + 1)
        elif self._more:
            self._ask(len(self._hits))
        elif self._hits:
            self._step(0)
        elif self.field.text().strip():
            self._search(self.field.text().strip())

    def back(self) -> None:
        """Go to the hit before."""
        if self._hits:
            self._step((self._at - 1) % len(self._hits))

    def eventFilter(self, field: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                self.back() if back else self.forward()
                return True
            if event.key() == Qt.Key.Key_Escape and self.field.text():
                self.field.clear()
                return True
        return super().eventFilter(field, event)

    def _search(self, text: str) -> None:
        self._forget()
        if text:
            self._ask(0)

    def _ask(self, offset: int) -> None:
        question = (self._dataset_id, self.field.text().strip(), offset)
        self.count.setText(_("Searching…"))
        self.count.show()
        self._wanted = question
        if not self._searching:  # one search at a time: many rows take their time, and threads are few
            self._run(question)

    def _run(self, question: _Question) -> None:
        self._searching = True
        dataset_id, text, offset = question
        service = self._ctx.services.datasets
        self._ctx.tasks.run(
            lambda: service.find(dataset_id, text, offset=offset, limit=_HITS_AT_ONCE),
            partial(self._on_answer, question),
            self._on_failed,
        )

    def _on_answer(self, question: _Question, rows: list[int]) -> None:
        self._searching = False
        if question == self._wanted:
            self._wanted = None
            self._on_found(rows)
        elif self._wanted is not None:
            self._run(self._wanted)

    def _on_found(self, rows: list[int]) -> None:
        first = len(self._hits)
        self._hits += rows
        self._more = len(rows) == _HITS_AT_ONCE
        if rows:
            self._step(first)
        else:
            self._show()

    def _on_failed(self, problem: Exception) -> None:
        self._searching = False
        self._forget()
        self._ctx.notices.error_from(problem)

    def _step(self, at: int) -> None:
        self._at = at
        self._show()
        self.row_wanted.emit(self._hits[at])

    def _forget(self) -> None:
        self._wanted = None
        self._hits, self._at, self._more = [], -1, False
        self._show(searched=False)

    def _show(self, *, searched: bool = True) -> None:
        total = f"{len(self._hits):,}" + ("+" if self._more else "")
        words = (
            _("{n} of {total}").format(n=f"{self._at + 1:,}", total=total) if self._hits else _("Not found")
        )
        asked = searched and bool(self.field.text().strip())
        self.count.setText(words if asked else "")
        self.count.setVisible(asked)
        for button in (self.previous, self.next):
            button.setVisible(bool(self._hits))


class JumpDialog(FormDialog):
    """``number()`` is the row that was asked for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(_("Go to a row"), _("Go"), parent)
        self.field = QLineEdit()
        self.field.setValidator(QIntValidator(1, 2_147_483_647, self))
        self.rows.addWidget(
            FormRow(_("Number of the row"), self.field, _("As it stands in the first column."))
        )
        self.field.textChanged.connect(lambda text: self.confirm.setEnabled(bool(text)))
        self.confirm.setEnabled(False)
        self.field.setFocus()

    def number(self) -> int:
        """The number that was typed."""
        return int(self.field.text())
