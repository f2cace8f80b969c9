"""What is in a source: its kind with the reason, its files, its first rows, and what each column is for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHBoxLayout, QHeaderView, QTableView, QWidget

from studio.domain.datasets import (
    QUESTIONS_VIEW,
    TABLE_VIEW,
    TEXT_VIEW,
    ImportSpec,
    OriginKind,
    SourcePreview,
    title,
)
from studio.domain.shapes import Shape
from studio.gui.models.rows_table_preview import PreviewTable
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.role_header import LEAST_WIDTH, RoleHeader
from studio.gui.pages.data.sources.advice_bar import AdviceBar
from studio.gui.pages.data.sources.members import MembersLine
from studio.gui.pages.data.sources.thumbnails import EDGE, load_thumbnails
from studio.gui.tasks import Task, TaskRunner
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, Card, DropDown, FormRow, SecondaryButton
from studio.i18n import N_, _
from studio.words import size_words

_PREVIEW_ROWS: Final = 7
_READ_AFTER_MS: Final = 200
_ROW_HEIGHT: Final = 34
_MOST_WIDTH: Final = 420
_NAME_CHARS: Final = 56
_ENCODINGS: Final = ("utf-8", "gb18030", "big5", "utf-16", "latin-1")
_DELIMITERS: Final = {",": N_("Comma"), ";": N_("Semicolon"), "\t": N_("Tab"), "|": N_("Bar |")}
_DOCUMENTS: Final = frozenset({"md", "docx", "pdf", "html"})
_TEXT_FORMATS: Final = frozenset({"csv", "tsv", "json", "jsonl", "txt", "md", "html"})


class PreviewCard(Card):
    """reread_wanted: the source is to be read in another way (encoding, delimiter, sheet, shape).

    choice_made: such a reading will be wanted in a moment; who walks a list by keys causes one reading, not many.
    other_wanted: another source is to be chosen instead.
    """

    choice_made = Signal()
    reread_wanted = Signal()
    other_wanted = Signal()

    def __init__(self, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        self.other = SecondaryButton(_("Choose another file…"))
        super().__init__(" ", action=self.other, parent=parent)
        self._tasks = tasks
        self._pictures: Task | None = None
        self._shown: list[str] | None = None  # names of the pictures in the table
        self._sources: tuple[str, ...] = ()
        self._format = ""
        self._found_sheet: str | None = None
        self.chosen_shape: Shape | None = None  # by the user; None: as detected
        self.table = PreviewTable(self)
        self.view = QTableView()
        self.header = RoleHeader(self.table, self.view)
        self.shape, self.encoding, self.delimiter, self.sheet = (DropDown() for _each in range(4))
        self.members = MembersLine()
        self.problem = ProblemLine()
        self.advice = AdviceBar()
        self.reason = Caption()
        self._build()
        self.other.clicked.connect(self.other_wanted)
        self.table.roles_changed.connect(self._on_roles)
        self._soon = QTimer(self, singleShot=True, interval=_READ_AFTER_MS)
        self._soon.timeout.connect(self.reread_wanted)
        self.shape.activated.connect(lambda _index: self._choose(Shape(self.shape.currentData())))
        for combo in (self.encoding, self.delimiter, self.sheet):
            combo.activated.connect(lambda _index: self._choose(self.chosen_shape))

    def show_preview(self, spec: ImportSpec, preview: SourcePreview) -> None:
        """Show a source that was just read."""
        path = Path(spec.source)
        if (spec.source, *spec.more_sources) != self._sources:
            self.chosen_shape = spec.shape
        self._sources, self._format = (spec.source, *spec.more_sources), preview.format
        self.problem.clear()
        self.set_title(_title(spec, several=not preview.skipped))
        sized = path.is_file() and not spec.more_sources and not _pasted(spec)
        size = size_words(path.stat().st_size) if sized else ""
        self.set_subtitle("  ·  ".join(part for part in (_format_words(preview.format), size) if part))
        self.reason.setText(preview.reason)
        self.members.show_members(preview.members, preview.skipped)
        self._fill_choices(spec, preview)
        self._shown = None
        self.table.show_preview(preview)
        if spec.roles:
            self.table.set_roles(spec.roles, spec.shape)
        self._fit_columns()

    def choose_shape(self, shape: Shape) -> None:
        """Take the rows for this; the roles are guessed anew."""
        self._soon.stop()
        self.chosen_shape = shape
        self.reread_wanted.emit()

    def source_format(self) -> str:
        """Format of the source on show, e.g. ``csv``."""
        return self._format

    def choices(self) -> dict[str, str | None]:
        """Fields of ImportSpec that say how the source is read; None where there was nothing to choose. A sheet that
        nobody chose is found again, as further files may have other names for theirs."""
        sheet = self._chosen(self.sheet)
        return {
            "encoding": self._chosen(self.encoding),
            "delimiter": self._chosen(self.delimiter),
            "sheet": None if sheet == self._found_sheet else sheet,
        }

    def _chosen(self, combo: DropDown) -> str | None:
        """What stands in it, where it is shown."""
        chosen: str | None = combo.currentData()
        return None if self._choice_rows[combo].isHidden() else chosen

    def rest(self) -> None:
        """Neither pictures nor another reading are wanted any more."""
        self._soon.stop()
        if self._pictures is not None:
            self._pictures.abandon()

    def _build(self) -> None:
        space = current_tokens().space
        self.add(self.problem)
        choices = QHBoxLayout()
        choices.setSpacing(space.l)
        self._choice_rows = {
            self.shape: FormRow(_("What a row is"), self.shape),
            self.encoding: FormRow(_("Text encoding"), self.encoding),
            self.delimiter: FormRow(_("Columns are separated by"), self.delimiter),
            self.sheet: FormRow(_("Sheet or table"), self.sheet),
        }
        for form_row in self._choice_rows.values():
            choices.addWidget(form_row)
        choices.addStretch(1)
        for shape in Shape:
            self.shape.addItem(title(shape), shape)
        self.shape.setMaxVisibleItems(len(Shape))
        self.body.addLayout(choices)
        for part in (self.reason, self.members, self.advice):
            self.add(part)
        self._set_up_view()
        self.add(self.view)

    def _set_up_view(self) -> None:
        view = self.view
        view.setModel(self.table)
        view.setHorizontalHeader(self.header)
        view.setAccessibleName(_("First rows of the file"))
        view.verticalHeader().hide()
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setAlternatingRowColors(True)
        view.setTabKeyNavigation(False)
        view.setIconSize(QSize(EDGE, EDGE))
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_row_height(_ROW_HEIGHT)
        view.viewport().installEventFilter(self)
        view.horizontalScrollBar().valueChanged.connect(lambda _value: self.header.place())

    def _set_row_height(self, height: int) -> None:
        """Pictures need more room; the table keeps about the same height with fewer of them."""
        self.view.verticalHeader().setDefaultSectionSize(height)
        rows = _PREVIEW_ROWS if height == _ROW_HEIGHT else _PREVIEW_ROWS * _ROW_HEIGHT // height
        self.view.setFixedHeight(self.header.sizeHint().height() + rows * height + 2 * self.view.frameWidth())

    def _fill_choices(self, spec: ImportSpec, preview: SourcePreview) -> None:
        textual = preview.format in _TEXT_FORMATS
        encodings = {name: name.upper() for name in (preview.encoding, *_ENCODINGS) if name}
        _fill(self.encoding, encodings, preview.encoding)
        delimiters = {sign: _(words) for sign, words in _DELIMITERS.items()}
        if preview.delimiter:
            delimiters.setdefault(preview.delimiter, preview.delimiter)
        _fill(self.delimiter, delimiters, preview.delimiter)
        _fill(
            self.sheet, {name: _sheet_title(name, preview.format) for name in preview.sheets}, preview.sheet
        )
        self._found_sheet = preview.sheet if spec.sheet is None else None
        encoded = textual and preview.encoding is not None and not _pasted(spec)
        self._choice_rows[self.encoding].setVisible(encoded)
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

    def _on_roles(self) -> None:
        self.shape.setCurrentIndex(self.shape.findData(self.table.shape()))
        names = self.table.pictures()
        if names != self._shown:
            self._shown = names
            self._show_pictures(names)

    def _choose(self, shape: Shape | None) -> None:
        self.chosen_shape = shape
        self.choice_made.emit()
        self._soon.start()

    def _show_pictures(self, names: list[str]) -> None:
        if self._pictures is not None:
            self._pictures.abandon()
        self._set_row_height(EDGE + current_tokens().space.s if names else _ROW_HEIGHT)
        if names:
            self._pictures = load_thumbnails(
                self._tasks, self._sources, names, self.devicePixelRatioF(), self._on_pictures
            )

    def _on_pictures(self, pictures: list[tuple[str, QImage]]) -> None:
        for name, image in pictures:
            self.table.set_picture(name, QPixmap.fromImage(image))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Columns follow the width of the table itself, so they do not jump after it is shown."""
        if event.type() == QEvent.Type.Resize:
            self._fit_columns()
        return super().eventFilter(watched, event)


def _pasted(spec: ImportSpec) -> bool:
    """Text from the clipboard: its encoding is known, and its file is none that the user has seen."""
    return spec.origin.kind is OriginKind.CLIPBOARD


def source_words(spec: ImportSpec) -> str:
    """What an import is made from, in a few words: a file's name, and how many more."""
    name = spec.origin.address if spec.origin.kind is OriginKind.HUB else Path(spec.source).name
    if spec.origin.kind is OriginKind.CLIPBOARD:
        name = spec.name or _("Pasted text")
    more = len(spec.more_sources)
    return _("{name} and {n} more").format(name=name, n=more) if more else name


def _title(spec: ImportSpec, *, several: bool) -> str:
    """Cut in the middle: both the beginning and the ending of a file's name tell something.

    several: all sources are read; otherwise the line of members says how many are.
    """
    name = source_words(spec if several else spec.model_copy(update={"more_sources": ()}))
    if len(name) <= _NAME_CHARS:
        return name
    return f"{name[: _NAME_CHARS - 17]}…{name[-16:]}"


def _format_words(name: str) -> str:
    words = {"images": _("Images"), "txt": _("Text"), "md": "Markdown", "sqlite": "SQLite", "arrow": "Arrow"}
    return words.get(name, name.upper())


def _sheet_title(name: str, form: str) -> str:
    """Views of a document have names of ours, to be translated; sheets and tables have their own."""
    if form not in _DOCUMENTS:
        return name
    if name.startswith(TABLE_VIEW):
        return _("Table {number}").format(number=name.removeprefix(TABLE_VIEW))
    return {TEXT_VIEW: _("Whole text"), QUESTIONS_VIEW: _("Questions and answers")}.get(name, name)


def _fill(combo: QComboBox, choices: Mapping[str, str], current: str | None) -> None:
    combo.clear()
    for value, words in choices.items():
        combo.addItem(words, value)
    combo.setCurrentIndex(max(combo.findData(current), 0) if choices else -1)
