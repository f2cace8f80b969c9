"""The first rows of a source that may be imported, what a row is, and the part that each column plays in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QPixmap

from studio.domain.datasets import SourcePreview
from studio.domain.shapes import SHAPES, ColumnRole, Shape, missing_roles, shape_of
from studio.gui.models.cells import CellKind, shown_text, turns_of
from studio.gui.theme import current_tokens

Index = QModelIndex | QPersistentModelIndex

_CELL_CHARS = 300
_TOOLTIP_CHARS = 1500
_LOOKED_AT = 20  # cells of a column that say which roles make sense
_IMAGE_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_NUMBERS: Final = frozenset({ColumnRole.NUMBER, ColumnRole.RATING})


class PreviewTable(QAbstractTableModel):
    """Rows as they stand in the source. ``roles_changed``: the shape or the roles of the columns are others now."""

    roles_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns: list[str] = []
        self._rows: list[list[str]] = []
        self._roles: list[ColumnRole] = []
        self._shape = Shape.PROMPT_RESPONSE
        self._pictures: dict[str, QPixmap] = {}

    def show_preview(self, preview: SourcePreview) -> None:
        """Show another source with its detected shape and roles."""
        self.beginResetModel()
        self._columns = list(preview.columns)
        self._rows = preview.rows
        self._shape = preview.shape
        self._roles = [preview.roles.get(name, ColumnRole.IGNORE) for name in self._columns]
        self._pictures = {}
        self.endResetModel()
        self.roles_changed.emit()

    def columns(self) -> Sequence[str]:
        """Names of the columns, as in the source."""
        return self._columns

    def role(self, section: int) -> ColumnRole:
        """The part that a column plays."""
        return self._roles[section]

    def roles(self) -> dict[str, ColumnRole]:
        """The columns that are used, with their parts."""
        pairs = zip(self._columns, self._roles, strict=True)
        return {name: role for name, role in pairs if role is not ColumnRole.IGNORE}

    def shape(self) -> Shape:
        """What a row becomes."""
        return self._shape

    def missing(self) -> list[ColumnRole]:
        """The parts that no column plays yet and the shape needs."""
        return missing_roles(self._shape, self._roles)

    def set_role(self, section: int, role: ColumnRole) -> None:
        """Give a column a part.

        A part that only one column can play is taken from the column that had it. A part of another shape makes the
        rows that shape, and parts that do not go with it end.
        """
        if self._roles[section] is role:
            return
        self._roles[section] = role
        if role is not ColumnRole.IGNORE:
            if role not in _allowed(self._shape):
                self._shape = _shape_with(role, self._roles)
            for other, had in enumerate(self._roles):
                if other != section and not _go_together(self._shape, role, had):
                    self._roles[other] = ColumnRole.IGNORE
        self._tell()

    def set_roles(self, roles: Mapping[str, ColumnRole], shape: Shape | None = None) -> None:
        """Give the named columns these parts, the others none; shape None: the one that the parts speak of."""
        self._roles = [roles.get(name, ColumnRole.IGNORE) for name in self._columns]
        self._shape = shape or shape_of(self._roles) or self._shape
        self._tell()

    def own_roles(self) -> list[ColumnRole]:
        """The parts that rows of the present shape have, those that are needed before the others."""
        first = SHAPES[self._shape].needed[0]
        allowed = [role for role in ColumnRole if role in _allowed(self._shape)]
        return sorted(allowed, key=lambda role: role not in first)

    def other_roles(self, section: int) -> list[ColumnRole]:
        """Parts of other shapes that this column could play, as its cells look."""
        own = {*_allowed(self._shape), ColumnRole.IGNORE}
        cells = [row[section].strip() for row in self._rows[:_LOOKED_AT] if section < len(row)]
        cells = [cell for cell in cells if cell]
        roles = [role for role in ColumnRole if role not in own and _makes_sense(role, cells)]
        if len(cells) > 1 and len(set(cells)) <= max(2, len(cells) // 2):  # values that come again are labels
            roles.sort(key=lambda role: role is not ColumnRole.LABEL)
        return roles

    def pictures(self) -> list[str]:
        """Cells that name an image file, of the columns that are images."""
        sections = [place for place, role in enumerate(self._roles) if role is ColumnRole.IMAGE]
        return [row[place] for row in self._rows for place in sections if place < len(row) and row[place]]

    def set_picture(self, name: str, picture: QPixmap) -> None:
        """Show a small picture in the cells that name it."""
        self._pictures[name] = picture
        for row, cells in enumerate(self._rows):
            if name in cells:
                index = self.index(row, cells.index(name))
                self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._columns[section] if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        text = row[index.column()] if index.column() < len(row) else ""
        if role == Qt.ItemDataRole.DisplayRole:
            if self._roles[index.column()] is ColumnRole.MESSAGES and _is_told(text):
                return shown_text(CellKind.TURNS, text)
            return " ".join(text[:_CELL_CHARS].split())
        if role == Qt.ItemDataRole.ToolTipRole:
            return text[:_TOOLTIP_CHARS] if len(text) > 30 else None
        if role == Qt.ItemDataRole.DecorationRole and self._roles[index.column()] is ColumnRole.IMAGE:
            return self._pictures.get(text)
        if role == Qt.ItemDataRole.ForegroundRole and self._roles[index.column()] is ColumnRole.IGNORE:
            return QColor(current_tokens().text_disabled)
        return None

    def _tell(self) -> None:
        if self._rows and self._columns:
            last = self.index(len(self._rows) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
        self.roles_changed.emit()


def _is_told(text: str) -> bool:
    """A conversation in the words of the studio; other dialects are shown as they are until they are imported."""
    turns = turns_of(text)
    return bool(turns) and all(role and content for role, content in turns)


def _allowed(shape: Shape) -> frozenset[ColumnRole]:
    columns = SHAPES[shape]
    return columns.optional.union(*columns.needed)


def _shape_with(role: ColumnRole, roles: Sequence[ColumnRole]) -> Shape:
    """The shape that has this role and most of the others."""
    used = set(roles) - {ColumnRole.IGNORE}
    having = [shape for shape in Shape if role in _allowed(shape)]
    return max(having, key=lambda shape: (len(used & _allowed(shape)), not missing_roles(shape, used)))


def _go_together(shape: Shape, role: ColumnRole, other: ColumnRole) -> bool:
    """Whether another column may keep its role when a column gets this one."""
    columns = SHAPES[shape]
    if other is role:
        return role in columns.repeated
    if other not in _allowed(shape):
        return other is ColumnRole.IGNORE
    if role in columns.optional or other in columns.optional:
        return True
    return any({role, other} <= alternative for alternative in columns.needed)


def _makes_sense(role: ColumnRole, cells: Sequence[str]) -> bool:
    """Whether cells that look like these can play a role; without cells anything may."""
    if not cells:
        return True
    if role is ColumnRole.IMAGE:
        return all(cell.lower().endswith(_IMAGE_ENDINGS) for cell in cells)
    if role is ColumnRole.MESSAGES:
        return all(cell[0] in "[{" for cell in cells)
    if role in _NUMBERS:
        return all(_is_number(cell) for cell in cells)
    return True


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
