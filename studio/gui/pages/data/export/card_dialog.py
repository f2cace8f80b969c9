"""The dataset card: what the data is, where it came from and what was done to it, to read and to save."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QTextCursor, QTextDocument, QTextTable
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from studio.domain.datasets import DatasetVersion
from studio.errors import ResourceError
from studio.gui.context import GuiContext
from studio.gui.pages.data.export.places import suggested_place
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, FormRow, PrimaryButton, SecondaryButton
from studio.i18n import _
from studio.services.files import write_atomically

_SIZE = (680, 620)
_CELL_PADDING = 5  # px


class CardDialog(QDialog):
    """Reads the card in a thread and shows it as rendered Markdown; the licence may be stated above it."""

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
        self.licence = QLineEdit(dataset.spec.licence)
        self.licence.setPlaceholderText(_("For example: our own, CC BY 4.0"))
        self.state = SecondaryButton(_("State the licence"), self._state_licence)
        self.state.setDefault(True)  # Enter in the field
        self.state.setEnabled(False)
        self.licence.textChanged.connect(self._show_state)
        self.saved = Caption()
        self.save = PrimaryButton(_("Save…"), self._choose_place)
        self.save.setEnabled(False)
        self.close_button = SecondaryButton(_("Close"), self.reject)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.l)
        terms = QHBoxLayout()
        terms.setSpacing(space.s)
        terms.addWidget(FormRow(_("Licence"), self.licence), 1)
        terms.addWidget(self.state, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(terms)
        column.addWidget(self.text, 1)
        feet = QHBoxLayout()
        feet.setSpacing(space.s)
        feet.addWidget(self.saved, 1)
        feet.addWidget(self.close_button)
        feet.addWidget(self.save)
        column.addLayout(feet)
        self._read()

    def save_to(self, path: Path) -> None:
        """Write the card as a Markdown file."""
        text = self._markdown
        self._ctx.tasks.run(partial(_write, path, text), self._on_saved, self._ctx.notices.error_from)

    def _read(self) -> None:
        exports, dataset_id = self._ctx.services.data_exports, self.dataset.id
        self._ctx.tasks.run(lambda: exports.card(dataset_id), self._show, self._on_failed)

    def _state_licence(self) -> None:
        datasets, stated = self._ctx.services.datasets, self.dataset.with_licence(self._typed())
        self.state.setEnabled(False)

        def state() -> DatasetVersion:
            datasets.state_licence(stated.id, stated.spec.licence)
            return stated

        self._ctx.tasks.run(state, self._on_stated, self._on_not_stated)

    def _on_stated(self, dataset: DatasetVersion) -> None:
        self.dataset = dataset
        self._show_state()
        self._read()

    def _on_not_stated(self, problem: Exception) -> None:
        self._show_state()
        self._ctx.notices.error_from(problem)

    def _typed(self) -> str:
        return " ".join(self.licence.text().split())

    def _show_state(self) -> None:
        self.state.setEnabled(self._typed() != self.dataset.spec.licence)

    def _show(self, markdown: str) -> None:
        self._markdown = markdown
        self.text.setMarkdown(markdown)
        _give_air(self.text.document())
        _soften_tables(self.text.document())
        self.save.setEnabled(True)
        if not self.licence.hasFocus():
            self.save.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_failed(self, problem: Exception) -> None:
        self.reject()
        self._ctx.notices.error_from(problem)

    def _choose_place(self) -> None:
        name = _("{name}, dataset card").format(name=self.dataset.name)
        place = suggested_place(name, "md")
        dialog = QFileDialog(self, _("Save the card"), str(place.parent), "Markdown (*.md)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("md")
        dialog.selectFile(str(place))
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


def _soften_tables(document: QTextDocument) -> None:
    """Lines of the theme's colour: Qt draws tables in white and black."""
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            form = frame.format()
            form.setBorderBrush(QColor(current_tokens().border))
            form.setBorderCollapse(True)
            form.setCellPadding(_CELL_PADDING)
            frame.setFormat(form)


def _write(path: Path, text: str) -> Path:
    try:
        write_atomically(path, text)
    except OSError as problem:
        raise ResourceError(
            "card.not_saved", _("The card could not be saved in {path}.").format(path=path),
            _("Choose a folder where you may write."),
        ) from problem  # fmt: skip
    return path
