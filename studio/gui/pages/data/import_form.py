"""A file before it is imported: what is in it, what each column is for, and how it will be split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.domain.datasets import ImportSpec, SourcePreview, SplitShares, title
from studio.errors import StudioError
from studio.gui.models.rows_table_preview import PreviewTable
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.role_header import LEAST_WIDTH, RoleHeader
from studio.gui.pages.data.split_editor import SplitEditor
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    Caption,
    Card,
    Chip,
    DropDown,
    FormRow,
    PrimaryButton,
    ScrollPage,
    SecondaryButton,
)
from studio.i18n import N_, _
from studio.words import size_words

_PREVIEW_ROWS = 7
_ROW_HEIGHT = 34
_MOST_WIDTH = 420
_ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16", "latin-1")
_DELIMITERS = {",": N_("Comma"), ";": N_("Semicolon"), "\t": N_("Tab"), "|": N_("Bar |")}
_TEXT_FORMATS = frozenset({"csv", "tsv", "json", "jsonl", "txt"})


class ImportForm(QWidget):
    """import_wanted: ImportSpec. reread_wanted: ImportSpec with another encoding, delimiter or sheet.

    other_wanted, abandoned: no argument.
    """

    import_wanted = Signal(object)
    reread_wanted = Signal(object)
    other_wanted = Signal()
    abandoned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = ImportSpec(source="")
        self.table = PreviewTable(self)
        self.view = QTableView()
        self.header = RoleHeader(self.table, self.view)
        self.name = QLineEdit()
        self.licence = QLineEdit()
        self.licence.setPlaceholderText(_("For example: our own, CC BY 4.0"))
        self.encoding = DropDown()
        self.delimiter = DropDown()
        self.sheet = DropDown()
        self.split = SplitEditor(SplitShares())
        self.problem = ProblemLine()
        self.missing = Caption(tone="warning")
        self.start = PrimaryButton(_("Import"), self._on_import, icon="download")
        self._build()
        self.table.roles_changed.connect(self._show_readiness)
        for combo in (self.encoding, self.delimiter, self.sheet):
            combo.activated.connect(lambda _index: self.reread_wanted.emit(self._reread_spec()))

    def show_preview(self, spec: ImportSpec, preview: SourcePreview) -> None:
        """Show a file that was just read; what the user typed for the same file stays."""
        path = Path(spec.source)
        if spec.source != self._spec.source:
            self.name.setText(spec.name or path.stem)
            self.licence.setText(spec.licence)
            self.split.set_shares(spec.shares)
        self._spec = spec
        self.problem.clear()
        self._card.set_title(path.name)
        size = size_words(path.stat().st_size) if path.exists() else ""
        self._card.set_subtitle("  ·  ".join(part for part in (preview.format.upper(), size) if part))
        self._reason.setText(preview.reason)
        self._fill_choices(preview)
        self.table.show_preview(preview)
        if spec.roles:
            self.table.set_roles(spec.roles)
        self._fit_columns()

    def spec(self) -> ImportSpec:
        """Everything as chosen now."""
        return self._reread_spec().model_copy(
            update={
                "name": self.name.text().strip() or Path(self._spec.source).stem,
                "roles": self.table.roles(),
                "shape": self.table.shape(),
                "shares": self.split.shares(),
                "licence": self.licence.text().strip(),
            }
        )

    def _reread_spec(self) -> ImportSpec:
        chosen = {
            "encoding": self.encoding.currentData(),
            "delimiter": self.delimiter.currentData(),
            "sheet": self.sheet.currentData(),
        }
        return self._spec.model_copy(update={**chosen, "roles": None})

    def _build(self) -> None:
        page = ScrollPage(margin=0)
        page.add(self._contents_card())
        page.add(self._split_card())
        page.body.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.m)
        column.addWidget(page, 1)
        column.addLayout(self._feet())

    def _contents_card(self) -> Card:
        space = current_tokens().space
        other = SecondaryButton(_("Choose another file…"), self.other_wanted.emit)
        self._card = card = Card(" ", action=other)
        self._shape, self._reason = Chip("", "accent"), Caption()
        words = QHBoxLayout()
        words.setSpacing(space.s)
        words.addWidget(self._shape)
        words.addWidget(self._reason, 1)
        card.body.addLayout(words)
        card.add(self.problem)
        choices = QHBoxLayout()
        choices.setSpacing(space.l)
        self._choice_rows = {
            self.encoding: FormRow(_("Text encoding"), self.encoding),
            self.delimiter: FormRow(_("Columns are separated by"), self.delimiter),
            self.sheet: FormRow(_("Sheet"), self.sheet),
        }
        for form_row in self._choice_rows.values():
            choices.addWidget(form_row)
        choices.addStretch(1)
        card.body.addLayout(choices)
        self._set_up_view()
        card.add(self.view)
        return card

    def _split_card(self) -> Card:
        space = current_tokens().space
        card = Card(_("Name and split"))
        names = QHBoxLayout()
        names.setSpacing(space.l)
        names.addWidget(FormRow(_("Name"), self.name), 1)
        names.addWidget(FormRow(_("Licence"), self.licence), 1)
        card.body.addLayout(names)
        card.body.addSpacing(space.xs)
        card.add(self.split)
        return card

    def _feet(self) -> QHBoxLayout:
        """The next step stays in sight while the rest scrolls."""
        feet = QHBoxLayout()
        feet.setSpacing(current_tokens().space.s)
        feet.addWidget(self.missing, 1)
        feet.addWidget(SecondaryButton(_("Cancel"), self.abandoned.emit))
        feet.addWidget(self.start)
        return feet

    def _set_up_view(self) -> None:
        view = self.view
        view.setModel(self.table)
        view.setHorizontalHeader(self.header)
        view.setAccessibleName(_("First rows of the file"))
        view.verticalHeader().hide()
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setAlternatingRowColors(True)
        view.setTabKeyNavigation(False)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setFixedHeight(
            self.header.sizeHint().height() + _PREVIEW_ROWS * _ROW_HEIGHT + 2 * view.frameWidth()
        )
        view.viewport().installEventFilter(self)
        view.horizontalScrollBar().valueChanged.connect(lambda _value: self.header.place())

    def _fill_choices(self, preview: SourcePreview) -> None:
        textual = preview.format in _TEXT_FORMATS
        encodings = {name: name.upper() for name in (preview.encoding, *_ENCODINGS) if name}
        _fill(self.encoding, encodings, preview.encoding)
        delimiters = {sign: _(words) for sign, words in _DELIMITERS.items()}
        if preview.delimiter:
            delimiters.setdefault(preview.delimiter, preview.delimiter)
        _fill(self.delimiter, delimiters, preview.delimiter)
        _fill(self.sheet, {name: name for name in preview.sheets}, self._spec.sheet)
        self._choice_rows[self.encoding].setVisible(textual and preview.encoding is not None)
        self._choice_rows[self.delimiter].setVisible(preview.delimiter is not None)
        self._choice_rows[self.sheet].setVisible(len(preview.sheets) > 1)

    def _fit_columns(self) -> None:
        """Share the width; many columns scroll sideways."""
        count = max(self.table.columnCount(), 1)
        width = max(LEAST_WIDTH, (self.view.viewport().width() or _MOST_WIDTH) // count)
        for section in range(self.table.columnCount()):
            self.view.setColumnWidth(section, width)
        self.header.setStretchLastSection(True)
        self.header.place()

    def _show_readiness(self) -> None:
        shape = self.table.shape()
        self._shape.set(title(shape) if shape else _("Not clear yet"), "accent" if shape else "warning")
        self.start.setEnabled(shape is not None)
        self.missing.setText(
            ""
            if shape
            else _("Say above which column is the question and which the answer, or which is text.")
        )

    def _on_import(self) -> None:
        self.import_wanted.emit(self.spec())

    def show_problem(self, problem: StudioError) -> None:
        """Say in the form why the last attempt did not work."""
        self.problem.show_problem(problem)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Columns follow the width of the table itself, so they do not jump after it is shown."""
        if event.type() == QEvent.Type.Resize:
            self._fit_columns()
        return super().eventFilter(watched, event)


def _fill(combo: QComboBox, choices: Mapping[str, str], current: str | None) -> None:
    combo.clear()
    for value, words in choices.items():
        combo.addItem(words, value)
    combo.setCurrentIndex(max(combo.findData(current), 0) if choices else -1)
