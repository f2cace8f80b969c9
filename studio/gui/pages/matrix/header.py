"""Top of the matrix page: which matrix, which view, and the one primary button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from studio.domain.products import Matrix
from studio.gui.icons import icon
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import Caption, PrimaryButton, SecondaryButton, SegmentedControl
from studio.i18n import _, ngettext


class MatrixHeader(QWidget):
    """matrix_chosen: id. new_wanted, rename_wanted, delete_wanted, sample_wanted: no argument (None)."""

    matrix_chosen = Signal(object)
    new_wanted = Signal()
    sample_wanted = Signal()
    rename_wanted = Signal()
    delete_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switcher = self._build_switcher()
        self.counts = Caption()
        self.views = SegmentedControl([("table", _("Table")), ("synergy", _("Synergy"))])
        self.views.setAccessibleName(_("View"))
        self.link = SecondaryButton(
            _("Link…"), icon="link", tooltip=_("Say what flows between two products.")
        )
        self.add = PrimaryButton(_("Add product"), icon="plus")
        self._arrange()

    def show_matrix(self, matrix: Matrix, matrices: Sequence[Matrix]) -> None:
        """Name the open matrix and offer the others."""
        self.switcher.setText(matrix.name)
        self.switcher.setAccessibleName(_("Matrix: {name}").format(name=matrix.name))
        products = ngettext("{n} product", "{n} products", len(matrix.products)).format(
            n=len(matrix.products)
        )
        links = ngettext("{n} link", "{n} links", len(matrix.links)).format(n=len(matrix.links))
        parts = [products, links]
        if matrix.is_sample:
            parts.append(_("example"))
        self.counts.setText("  ·  ".join(parts))
        self.link.setEnabled(len(matrix.products) > 1)
        self._fill_menu(matrix, matrices)

    def _build_switcher(self) -> QToolButton:
        button = QToolButton()
        tokens = current_tokens()
        button.setFont(ui_font(tokens.fonts.title, QFont.Weight.DemiBold))
        button.setIcon(icon("chevron-down"))
        button.setIconSize(QSize(18, 18))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # puts the arrow behind the name
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setToolTip(_("Switch to another matrix, or make one"))
        menu = QMenu(button)
        menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        button.setMenu(menu)
        return button

    def _arrange(self) -> None:
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space.s)
        words = QVBoxLayout()
        words.setSpacing(0)
        # Absolute: the button runs right to left, which would turn "left" around.
        words.addWidget(self.switcher, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
        self.counts.setContentsMargins(6, 0, 0, 0)
        words.addWidget(self.counts)
        row.addLayout(words, 1)
        row.addWidget(self.views, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(space.s)
        row.addWidget(self.link, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.add, 0, Qt.AlignmentFlag.AlignVCenter)

    def _fill_menu(self, matrix: Matrix, matrices: Sequence[Matrix]) -> None:
        menu = self.switcher.menu()
        menu.clear()
        for each in matrices:
            action = menu.addAction(each.name)
            action.setCheckable(True)
            action.setChecked(each.id == matrix.id)
            action.triggered.connect(lambda _checked, chosen=each.id: self.matrix_chosen.emit(chosen))
        menu.addSeparator()
        menu.addAction(icon("plus"), _("New matrix…"), self.new_wanted.emit)
        if not any(each.is_sample for each in matrices):
            menu.addAction(icon("star"), _("Try an example"), self.sample_wanted.emit)
        menu.addSeparator()
        menu.addAction(icon("edit"), _("Rename…"), self.rename_wanted.emit)
        menu.addAction(icon("trash"), _("Move to bin"), self.delete_wanted.emit)
