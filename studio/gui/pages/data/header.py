"""The head of a dataset: its name, whether it is in use, the one next step, and all others behind a button."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion, title
from studio.domain.shapes import Shape
from studio.gui.icons import icon
from studio.gui.models.cells import LABELLED
from studio.gui.pages.data.editing.augment_dialog import can_augment
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, IconButton, PageTitle, PrimaryButton, SecondaryButton, StateBadge
from studio.i18n import _, ngettext

_LEAST_TITLE = 60
_TITLE_CHARS = 30
_ROOMY = 690  # px


class DatasetHeader(QWidget):
    """use_wanted, train_wanted, label_wanted, split_wanted, replace_wanted, augment_wanted, export_wanted,
    card_wanted, delete_wanted, restore_wanted: no argument."""

    use_wanted = Signal()
    train_wanted = Signal()
    label_wanted = Signal()
    split_wanted = Signal()
    replace_wanted = Signal()
    augment_wanted = Signal()
    export_wanted = Signal()
    card_wanted = Signal()
    delete_wanted = Signal()
    restore_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.about = PageTitle(), Caption()
        self.badge = StateBadge("", "success")
        self.use = PrimaryButton("", self.use_wanted.emit, icon="check")
        self.train = PrimaryButton(_("Train with it"), self.train_wanted.emit, icon="train")
        self.restore = PrimaryButton(_("Restore"), self.restore_wanted.emit, icon="undo")
        self.label = SecondaryButton(_("Label"), self.label_wanted.emit, icon="flag")
        self.resplit = SecondaryButton("", self.split_wanted.emit, icon="split")
        self.more = IconButton("more", _("More"))
        self.menu = QMenu(self)
        self.actions_by_name = self._fill_menu()
        self._usable = True
        self._labellable = self._texts = False  # has a place for labels; could get one
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def show_dataset(self, dataset: DatasetVersion) -> None:
        """Say what it is."""
        name = dataset.name
        self.title.setText(name if len(name) <= _TITLE_CHARS else name[: _TITLE_CHARS - 1] + "…")
        self.title.setToolTip(name)
        rows = ngettext("{n} row", "{n} rows", dataset.rows).format(n=f"{dataset.rows:,}")
        version = _("version {n}").format(n=dataset.number)
        self.about.setText(
            "  ·  ".join([rows, title(dataset.shape), *([version] if dataset.number > 1 else [])])
        )
        labelled, self._texts = dataset.shape in LABELLED, dataset.shape is Shape.TEXT
        self.label.setText(label_texts_words() if self._texts else _("Label"))
        self._labellable = labelled or self._texts
        self.actions_by_name["split"].setText(_("Split and balance…") if labelled else _("Split again…"))
        self.resplit.setText(_("Split and balance…") if labelled else _("Split again…"))
        self._usable = not dataset.deleted
        self._fit()
        self.more.setVisible(not dataset.deleted)
        self.restore.setVisible(dataset.deleted)
        self.actions_by_name["augment"].setVisible(can_augment(dataset.shape))

    def show_use(self, product_name: str | None, in_use: bool, deleted: bool) -> None:
        """Offer the dataset to the chosen product, or say that it has it."""
        self.use.setVisible(product_name is not None and not in_use and not deleted)
        self.use.setText(_("Use for {name}").format(name=product_name or ""))
        self.train.setVisible(in_use and not deleted)
        self.badge.set(_("In the bin") if deleted else _("In use"), "warning" if deleted else "success")
        self.badge.setVisible(deleted or in_use)
        self.badge.setToolTip(
            _("Data of {name}").format(name=product_name) if in_use and product_name else ""
        )

    def _fit(self) -> None:
        """In a small window what is not the next step is in the menu, so that neither that nor the name is cut."""
        narrow = self.width() < _ROOMY
        self.resplit.setVisible(self._usable and not narrow)
        self.actions_by_name["split"].setVisible(self._usable and narrow)
        # The labels of labelled rows are the next step, those of plain texts one of many
        self.label.setVisible(self._usable and self._labellable and not (narrow and self._texts))
        self.actions_by_name["label"].setVisible(self._usable and narrow and self._texts)

    def _fill_menu(self) -> dict[str, QAction]:
        rows = (
            ("label", "flag", label_texts_words(), "", self.label_wanted),
            ("split", "split", _("Split again…"), "", self.split_wanted),
            ("replace", "search", _("Find and replace…"), "Ctrl+H", self.replace_wanted),
            ("augment", "copy", _("Add changed copies…"), "", self.augment_wanted),
            ("export", "export", _("Export…"), "Ctrl+E", self.export_wanted),
            ("card", "file", _("Dataset card…"), "", self.card_wanted),
            ("bin", "trash", _("Move to bin"), "", self.delete_wanted),
        )
        made = {}
        for name, picture, words, keys, signal in rows:
            if name == "bin":
                self.menu.addSeparator()
            action = self.menu.addAction(icon(picture), words)
            if keys:
                action.setText(f"{words}\t{keys}")  # shown; the key itself belongs to the page
            action.triggered.connect(signal.emit)
            made[name] = action
        self.more.setMenu(self.menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return made

    def _arrange(self) -> None:
        """What it is has a line of its own, so that no button covers it in a small window."""
        space = current_tokens().space
        self.title.setWordWrap(False)
        self.title.setMinimumWidth(_LEAST_TITLE)  # a long name is cut before the buttons are
        row = QHBoxLayout()
        row.setSpacing(space.s)
        row.addWidget(self.title)
        row.addWidget(self.badge)
        row.addStretch(1)
        for button in (self.label, self.resplit, self.restore, self.use, self.train, self.more):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.about)


def label_texts_words() -> str:
    """The deed that makes labelled rows of plain texts."""
    return _("Label these texts…")
