"""Left side of the data page: the datasets, and the bin."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.domain.datasets import DatasetVersion, title
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import Caption, GhostButton, PageTitle, SecondaryButton
from studio.i18n import _, ngettext
from studio.words import listed

WIDTH = 248
_ITEM_HEIGHT = 56
_ID = Qt.ItemDataRole.UserRole
_ABOUT = Qt.ItemDataRole.UserRole + 1


class DatasetList(QWidget):
    """dataset_chosen: id, by the user. import_wanted: no argument. The bin is a second list behind a button."""

    dataset_chosen = Signal(object)
    import_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(WIDTH)
        self._all: list[DatasetVersion] = []
        self.list = QListWidget()
        self.list.setObjectName("plain_list")
        self.list.setItemDelegate(_TwoLines(self.list))
        self.list.setAccessibleName(_("Data in this workspace"))
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setUniformItemSizes(True)
        self.add = SecondaryButton(_("Import data"), self.import_wanted.emit, icon="plus")
        self.bin = GhostButton("", self._toggle_bin, icon="trash")
        self.bin.setCheckable(True)
        self._empty = Caption(_("Nothing imported yet."))
        self._arrange()
        self.list.currentItemChanged.connect(self._on_current)

    def show_datasets(self, datasets: Sequence[DatasetVersion], chosen: str | None) -> None:
        """Show these (deleted ones only in the bin) and mark one, without telling it."""
        self._all = list(datasets)
        deleted = sum(dataset.deleted for dataset in datasets)
        if any(dataset.id == chosen and dataset.deleted != self.bin.isChecked() for dataset in datasets):
            self.bin.setChecked(not self.bin.isChecked())
        if not deleted:
            self.bin.setChecked(False)
        self.bin.setVisible(bool(deleted))
        self._name_bin(deleted)
        self._fill(chosen)

    def choose(self, dataset_id: str | None) -> None:
        """Mark a dataset without telling it."""
        self._fill(dataset_id)

    def chosen(self) -> str | None:
        """The marked dataset."""
        item = self.list.currentItem()
        return str(item.data(_ID)) if item is not None else None

    def shown(self) -> list[str]:
        """Names in the list, from the top."""
        return [self.list.item(row).text() for row in range(self.list.count())]

    def _arrange(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addWidget(PageTitle(_("Data")))
        column.addWidget(self.add)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        feet = QHBoxLayout()
        feet.addWidget(self.bin)
        feet.addStretch(1)
        column.addLayout(feet)

    def _fill(self, chosen: str | None) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for dataset in self._all:
            if dataset.deleted == self.bin.isChecked():
                item = _item(dataset)
                self.list.addItem(item)
                if dataset.id == chosen:
                    self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self._empty.setVisible(self.list.count() == 0)

    def _name_bin(self, deleted: int) -> None:
        back = self.bin.isChecked()
        self.bin.setText(_("Back to the data") if back else _("Bin ({n})").format(n=deleted))

    def _toggle_bin(self) -> None:
        self._name_bin(sum(dataset.deleted for dataset in self._all))
        self._fill(None)
        if self.list.count():
            self.list.setCurrentRow(0)

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.dataset_chosen.emit(item.data(_ID))


def _item(dataset: DatasetVersion) -> QListWidgetItem:
    rows = ngettext("{n} row", "{n} rows", dataset.rows).format(n=f"{dataset.rows:,}")
    about = f"{rows} · {title(dataset.shape)}"
    item = QListWidgetItem(dataset.name)
    item.setData(_ID, dataset.id)
    item.setData(_ABOUT, about)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, listed([dataset.name, about]))
    item.setToolTip(dataset.name)
    return item


class _TwoLines(QStyledItemDelegate):
    """Name above, figures below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(WIDTH - 20, _ITEM_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        tokens = current_tokens()
        state: QStyle.StateFlag = option.state
        rect: QRect = option.rect.adjusted(2, 2, -2, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(tokens.accent_soft))
            painter.drawRoundedRect(rect, tokens.radius_small, tokens.radius_small)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(tokens.surface_hover))
            painter.drawRoundedRect(rect, tokens.radius_small, tokens.radius_small)
        words = rect.adjusted(10, 8, -10, -8)
        for text, size, colour, align in (
            (index.data(), tokens.fonts.body, tokens.text, Qt.AlignmentFlag.AlignTop),
            (index.data(_ABOUT), tokens.fonts.caption, tokens.text_muted, Qt.AlignmentFlag.AlignBottom),
        ):
            painter.setFont(ui_font(size))
            painter.setPen(QColor(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, words.width())
            painter.drawText(words, align | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()
