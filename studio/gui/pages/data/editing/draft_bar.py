"""The bar over the rows while there are unsaved changes: how many, take back, keep as a version, throw away."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QWidget

from studio.gui.dialogs.product_form import FormDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, FormRow, GhostButton, IconButton, IconLabel, PrimaryButton
from studio.i18n import _, ngettext
from studio.services.drafts import Draft

_BUTTONS = 380  # px that the buttons may take


class DraftBar(QFrame):
    """save_wanted, discard_wanted, undo_wanted, redo_wanted: no argument. Hidden while there is nothing to save."""

    save_wanted = Signal()
    discard_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("draft_bar")
        self._words = ("", "")
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(space.m, space.xs, space.xs, space.xs)
        row.setSpacing(space.xs)
        self.words = BodyText()
        self.words.setWordWrap(False)
        self.undo = IconButton("undo", _("Undo the last edit (Ctrl+Z)"), self.undo_wanted.emit)
        self.redo = IconButton("redo", _("Redo (Ctrl+Shift+Z)"), self.redo_wanted.emit)
        self.discard = GhostButton(_("Discard"), self.discard_wanted.emit)
        self.save = PrimaryButton(_("Save as version"), self.save_wanted.emit)
        row.addWidget(IconLabel("edit", "warning", 18))
        row.addSpacing(space.xs)
        row.addWidget(self.words)
        row.addStretch(1)
        for button in (self.undo, self.redo, self.discard, self.save):
            row.addWidget(button)
        self.hide()

    def show_draft(self, draft: Draft | None) -> None:
        """Say what is pending."""
        count = draft.count if draft is not None else 0
        words = ngettext("{n} unsaved change", "{n} unsaved changes", count).format(n=f"{count:,}")
        self._words = (words, _("{changes} · the doctor waits until they are saved").format(changes=words))
        self.setAccessibleName(words)
        self.setAccessibleDescription(self._words[1])
        self._fit()
        self.undo.setEnabled(draft is not None and draft.can_undo)
        self.redo.setEnabled(draft is not None and draft.can_redo)
        self.setVisible(count > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The longer words where there is room for them."""
        short, long = self._words
        room = self.width() - _BUTTONS
        fits = self.words.fontMetrics().horizontalAdvance(long) < room
        self.words.setText(long if fits else short)


class SaveDialog(FormDialog):
    """Asks for a word about the new version, which may be left out. ``note()`` is it."""

    def __init__(self, count: int, parent: QWidget) -> None:
        super().__init__(_("Save as version"), _("Save"), parent)
        words = ngettext("{n} change becomes a new version.", "{n} changes become a new version.", count)
        self.rows.addWidget(BodyText(words.format(n=f"{count:,}")))
        self.field = QLineEdit()
        self.field.setPlaceholderText(_("For example: corrected prices"))
        self.rows.addWidget(FormRow(_("What did you change?"), self.field, _("You may leave this empty.")))
        self.field.setFocus()

    def note(self) -> str:
        """What was typed."""
        return self.field.text().strip()
