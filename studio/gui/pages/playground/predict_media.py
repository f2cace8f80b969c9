"""Pictures and recordings that models are asked about, and pictures that they drew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QLabel, QStyledItemDelegate, QStyleOptionViewItem, QTableWidget

from studio.gui.models.paged_table import Index
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.playing import play
from studio.gui.widgets import LinkButton
from studio.i18n import _

_THUMB, CELL_THUMB, SHEET = 96, 36, 420


class PictureCells(QStyledItemDelegate):
    """File names with their pictures before them; those out of sight are not read."""

    def __init__(self, paths: list[str], thumbnails: Thumbnails, table: QTableWidget) -> None:
        super().__init__(table)
        self._paths, self._thumbnails = paths, thumbnails
        thumbnails.arrived.connect(table.viewport().update)

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        found = self._thumbnails.get(self._paths[index.row()])
        kept: Any = option
        kept.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        kept.decorationSize = QSize(CELL_THUMB, CELL_THUMB)
        kept.icon = QIcon(found) if found is not None else QIcon()


class ListenButton(LinkButton):
    """Opens a recording in the player of the computer."""

    def __init__(self, path: str) -> None:
        super().__init__(_("Listen"), self._play, icon="play")
        self._path = path
        self.setToolTip(_("Opens the recording in the player of your computer"))

    def _play(self) -> None:
        self.setText(play(self._path) or _("Listen"))


class Thumbnail(QLabel):
    """A picture that was asked about; it is read off the GUI thread."""

    def __init__(self, path: str, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._path, self._thumbnails = path, thumbnails
        self.setFixedSize(_THUMB, _THUMB)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName(Path(path).name)
        thumbnails.arrived.connect(self._show)
        self._show()

    def _show(self) -> None:
        found = self._thumbnails.get(self._path)
        if found is not None and not found.isNull():
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            self.setPixmap(found.scaled(QSize(_THUMB, _THUMB), keep, smooth))


def sheet_label(path: str) -> QLabel:
    """A sheet of small drawn pictures, grown by whole pixels as far as there is room, so that each stays sharp."""
    label, image = QLabel(), QPixmap(path)
    if not image.isNull():
        times = max(1, SHEET // max(image.width(), image.height()))
        grown = image.scaled(image.size() * times) if image.width() <= SHEET else image.scaledToWidth(SHEET)
        label.setPixmap(grown)
        label.setFixedSize(grown.size())
    label.setAccessibleName(Path(path).name)
    return label
