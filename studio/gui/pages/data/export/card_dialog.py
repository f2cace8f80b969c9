"""The dataset card: what the data is, where it came from and what was done to it, to read and to save."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.errors import ResourceError
from studio.gui.context import GuiContext
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, PrimaryButton, SecondaryButton
from studio.i18n import _
from studio.services.files import write_atomically

_SIZE = (680, 560)


class CardDialog(QDialog):
    """Reads the card in a thread and shows it as rendered Markdown."""

    def __init__(self, ctx: GuiContext, dataset: DatasetVersion, parent: QWidget) -> None:
        super().__init__(parent)
        self._ctx, self.dataset = ctx, dataset
        self._markdown = ""
        self.setWindowTitle(_("Dataset card"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*_SIZE)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.document().setDocumentMargin(16)
        self.text.setAccessibleName(_("Dataset card"))
        self.saved = Caption()
        self.save = PrimaryButton(_("Save…"), self._choose_place)
        self.save.setEnabled(False)
        self.close_button = SecondaryButton(_("Close"), self.reject)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.l)
        column.addWidget(self.text, 1)
        feet = QHBoxLayout()
        feet.setSpacing(space.s)
        feet.addWidget(self.saved, 1)
        feet.addWidget(self.close_button)
        feet.addWidget(self.save)
        column.addLayout(feet)
        exports = ctx.services.data_exports
        ctx.tasks.run(lambda: exports.card(dataset.id), self._show, self._on_failed)

    def save_to(self, path: Path) -> None:
        """Write the card as a Markdown file."""
        text = self._markdown
        self._ctx.tasks.run(partial(_write, path, text), self._on_saved, self._ctx.notices.error_from)

    def _show(self, markdown: str) -> None:
        self._markdown = markdown
        self.text.setMarkdown(markdown)
        _give_air(self.text.document())
        self.save.setEnabled(True)
        self.save.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_failed(self, problem: Exception) -> None:
        self.reject()
        self._ctx.notices.error_from(problem)

    def _choose_place(self) -> None:
        dialog = QFileDialog(self, _("Save the card"), "", "Markdown (*.md)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("md")
        dialog.selectFile("README.md")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save_to(Path(path)))
        dialog.open()

    def _on_saved(self, path: Path) -> None:
        self.saved.setText(_("Saved as {path}.").format(path=path))


def _give_air(document: QTextDocument) -> None:
    """Room over and under headings and between lines: Markdown as Qt lays it out stands too close to read."""
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        if form.headingLevel():
            form.setTopMargin(18 if block.position() else 0)
            form.setBottomMargin(6)
        elif block.textList() is not None:
            form.setBottomMargin(3)
        cursor.setPosition(block.position())
        cursor.setBlockFormat(form)
        block = block.next()


def _write(path: Path, text: str) -> Path:
    try:
        write_atomically(path, text)
    except OSError as problem:
        raise ResourceError(
            "card.not_saved", _("The card could not be saved in {path}.").format(path=path),
            _("Choose a folder where you may write."),
        ) from problem  # fmt: skip
    return path
