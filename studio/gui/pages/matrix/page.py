"""Home: the products of a matrix, what is known about each, and the next thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.products import Matrix, SynergyLink
from studio.gui.context import GuiContext
from studio.gui.dialogs.link import LinkDialog
from studio.gui.dialogs.product import ProductDialog
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.dialogs.product_matrix import MatrixDialog
from studio.gui.icons import icon
from studio.gui.models.matrix_table import CellAction
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.matrix.commands import MatrixCommands
from studio.gui.pages.matrix.header import MatrixHeader
from studio.gui.pages.matrix.views import SynergyView, TableView
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import EmptyState
from studio.i18n import _
from studio.services.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.services.matrices import MatrixService, ProductRow


@dataclass(frozen=True)
class _Snapshot:
    """What the page shows at one moment, read in a thread."""

    matrices: list[Matrix]
    matrix: Matrix | None
    rows: list[ProductRow]


class MatrixPage(Page):
    """The home page. ``reload`` reads everything off the GUI thread and shows it when it is there."""

    page_id = "matrix"
    icon = "matrix"
    interests = Changes.MATRIX | Changes.DATASETS | Changes.RUNS | Changes.SETTINGS

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(ctx, parent)
        self.commands = MatrixCommands(ctx)
        self.shown: _Snapshot | None = None
        self._reading: Task | None = None
        self.header = MatrixHeader()
        self.table_view = TableView()
        self.synergy_view = SynergyView()
        self.no_products = EmptyState(
            "box", _("A matrix begins with its core product: the one that earns the money."),
            _("Add product"), self.add_product,
        )  # fmt: skip
        self.no_matrix = EmptyState(
            "matrix",
            _("See your core product, the products that feed it, and how well each model does its work."),
            _("New matrix"), self.new_matrix, _("Try an example"), self.commands.open_sample,
            title=_("Draw your product matrix"),
        )  # fmt: skip
        self._arrange()
        self._connect()

    def title(self) -> str:
        return _("Matrix")

    def enter(self, **arguments: Any) -> None:
        if arguments.get("product_id"):
            self.ctx.navigator.set_product(arguments["product_id"])
        self.reload()
        if arguments.get("new"):
            self.new_matrix()

    def refresh(self, changes: Changes) -> None:
        self.reload()

    def state(self) -> dict[str, Any]:
        return {"view": self.header.views.current()}

    def restore(self, state: dict[str, Any]) -> None:
        self.header.views.choose(state.get("view", "table"))

    def dispose(self) -> None:
        self.ctx.navigator.matrix_changed.disconnect(self._on_matrix)
        self.ctx.navigator.product_changed.disconnect(self._on_product)

    def palette_actions(self) -> list[PaletteAction]:
        return [
            PaletteAction("matrix.new", _("New matrix"), "", self.new_matrix),
            PaletteAction("matrix.sample", _("Open the example matrix"), "", self.commands.open_sample),
            PaletteAction("matrix.add_product", _("Add product"), "", self.add_product),
            PaletteAction("matrix.link", _("Link products"), "", self.link_products),
            PaletteAction("matrix.synergy", _("Show the synergy graph"), "", self._show_synergy),
        ]

    def reload(self) -> None:
        """Read matrices and products again."""
        service, wanted = self.ctx.services.matrices, self.ctx.navigator.current_matrix_id
        if self._reading is not None:
            self._reading.abandon()  # an answer to an older question must not undo a newer choice
        self._reading = self.ctx.tasks.run(
            lambda: _read(service, wanted), self._show, self.ctx.notices.error_from
        )

    def new_matrix(self) -> None:
        """Ask for a name and make a matrix."""
        dialog = MatrixDialog(parent=self)
        self._ask(dialog, lambda: self.commands.create(dialog.matrix_name, dialog.core_name))

    def add_product(self) -> None:
        """Ask for a product and add it."""
        matrix = self._matrix()
        if matrix is None:
            self.new_matrix()
            return
        dialog = ProductDialog(matrix, parent=self)
        self._ask(dialog, lambda: self.commands.add_product(matrix.id, dialog.product()))

    def edit_product(self, product_id: str) -> None:
        """Ask for changes of a product."""
        matrix = self._matrix()
        if matrix is None:
            return
        dialog = ProductDialog(matrix, matrix.product(product_id), parent=self)
        self._ask(dialog, lambda: self.commands.update_product(matrix.id, dialog.product()))

    def remove_product(self, product_id: str) -> None:
        """Take a product away; the notice has Undo."""
        matrix = self._matrix()
        if matrix is not None:
            self.commands.remove_product(matrix.id, matrix.product(product_id))

    def link_products(self, source_id: str | None = None, target_id: str | None = None) -> None:
        """Ask what connects two products; ends that are not given are proposed."""
        matrix = self._matrix()
        if matrix is None or len(matrix.products) < 2:
            return
        source = source_id or self.ctx.navigator.current_product_id or matrix.products[-1].id
        target = target_id or _other_end(matrix, source)
        self._open_link(matrix, SynergyLink(source, target))

    def edit_link(self, link_id: str) -> None:
        """Ask for changes of a link."""
        matrix = self._matrix()
        link = self._link(link_id)
        if matrix is not None and link is not None:
            self._open_link(matrix, link)

    def remove_link(self, link_id: str) -> None:
        """Take a link away; the notice has Undo."""
        matrix, link = self._matrix(), self._link(link_id)
        if matrix is not None and link is not None:
            self.commands.remove_link(matrix.id, link)

    def _arrange(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.l, space.xl, space.xl)
        column.setSpacing(space.l)
        column.addWidget(self.header)
        self._stack = QStackedWidget()
        for view in (self.table_view, self.synergy_view, self.no_products, self.no_matrix):
            self._stack.addWidget(view)
        column.addWidget(self._stack, 1)
        self.header.hide()
        self._stack.hide()  # nothing flashes before the first answer is there

    def _connect(self) -> None:
        table, graph, header = self.table_view.table, self.synergy_view.graph, self.header
        table.action_wanted.connect(self._follow)
        for chosen in (table.product_chosen, graph.product_chosen):
            chosen.connect(self.ctx.navigator.set_product)
        for opened in (table.edit_wanted, graph.product_opened):
            opened.connect(self.edit_product)
        table.remove_wanted.connect(self.remove_product)
        table.menu_wanted.connect(self._open_menu)
        self.table_view.edit.clicked.connect(lambda: self._with_chosen(self.edit_product))
        self.table_view.link.clicked.connect(lambda: self._with_chosen(self.link_products))
        self.table_view.remove.clicked.connect(lambda: self._with_chosen(self.remove_product))
        graph.link_wanted.connect(lambda ends: self.link_products(*ends))
        self.synergy_view.link_opened.connect(self.edit_link)
        self.synergy_view.link_removed.connect(self.remove_link)
        header.views.changed.connect(lambda _key: self._show_view())
        header.add.clicked.connect(lambda: self.add_product())
        header.link.clicked.connect(lambda: self.link_products())
        header.new_wanted.connect(self.new_matrix)
        header.sample_wanted.connect(self.commands.open_sample)
        header.rename_wanted.connect(self._rename)
        header.delete_wanted.connect(self._delete)
        header.matrix_chosen.connect(self.ctx.navigator.set_matrix)
        self.ctx.navigator.matrix_changed.connect(self._on_matrix)
        self.ctx.navigator.product_changed.connect(self._on_product)

    def _show(self, snapshot: _Snapshot) -> None:
        self.shown = snapshot
        matrix = snapshot.matrix
        self.header.setVisible(matrix is not None)
        self._stack.show()
        if matrix is not None:
            if matrix.id != self.ctx.navigator.current_matrix_id:
                self.ctx.navigator.set_matrix(matrix.id)
            self._choose_some_product(matrix)
            product_id = self.ctx.navigator.current_product_id
            self.header.show_matrix(matrix, snapshot.matrices)
            self.table_view.show_rows(snapshot.rows, product_id)
            self.synergy_view.show_matrix(matrix, product_id)
        self._show_view()

    def _choose_some_product(self, matrix: Matrix) -> None:
        """The top bar always has a product while there is one."""
        ids = [product.id for product in matrix.products]
        if self.ctx.navigator.current_product_id not in ids:
            first = matrix.core.id if matrix.core is not None else next(iter(ids), None)
            self.ctx.navigator.set_product(first)

    def _show_view(self) -> None:
        matrix = self._matrix()
        if matrix is None:
            self._stack.setCurrentWidget(self.no_matrix)
        elif not matrix.products:
            self._stack.setCurrentWidget(self.no_products)
        else:
            synergy = self.header.views.current() == "synergy"
            self._stack.setCurrentWidget(self.synergy_view if synergy else self.table_view)

    def _show_synergy(self) -> None:
        self.header.views.choose("synergy")

    def _matrix(self) -> Matrix | None:
        return self.shown.matrix if self.shown is not None else None

    def _link(self, link_id: str) -> SynergyLink | None:
        matrix = self._matrix()
        return (
            next((link for link in matrix.links if link.id == link_id), None) if matrix is not None else None
        )

    def _with_chosen(self, act: Callable[[str], None]) -> None:
        product_id = self.table_view.table.chosen()
        if product_id is not None:
            act(product_id)

    def _follow(self, action: CellAction) -> None:
        self.ctx.navigator.go(action.page_id, **action.arguments)

    def _on_matrix(self, matrix_id: str | None) -> None:
        if self.shown is None or self.shown.matrix is None or self.shown.matrix.id != matrix_id:
            self.reload()

    def _on_product(self, product_id: str | None) -> None:
        self.table_view.table.choose(product_id)
        self.synergy_view.graph.choose(product_id)

    def _open_menu(self, wish: tuple[str, QPoint]) -> None:
        product_id, place = wish
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("edit"), _("Edit"), lambda: self.edit_product(product_id))
        menu.addAction(icon("upload"), _("Import data"), lambda: self._go("data", product_id))
        menu.addAction(icon("train"), _("Train"), lambda: self._go("train", product_id))
        menu.addAction(icon("link"), _("Link…"), lambda: self.link_products(product_id))
        menu.addSeparator()
        menu.addAction(icon("trash"), _("Remove"), lambda: self.remove_product(product_id))
        menu.popup(place)

    def _go(self, page_id: str, product_id: str) -> None:
        self.ctx.navigator.go(page_id, product_id=product_id)

    def _open_link(self, matrix: Matrix, link: SynergyLink) -> None:
        dialog = LinkDialog(matrix, link, columns=self._columns(link.source_id), parent=self)
        self._ask(dialog, lambda: self.commands.save_link(matrix.id, dialog.link()))

    def _columns(self, product_id: str) -> list[str]:
        """Columns of the source product's data, as a suggestion for what flows."""
        rows = self.shown.rows if self.shown is not None else []
        dataset = next((row.dataset for row in rows if row.product.id == product_id), None)
        return list(dataset.spec.roles or {}) if dataset is not None else []

    def _rename(self) -> None:
        matrix = self._matrix()
        if matrix is not None:
            dialog = MatrixDialog(matrix.name, new=False, parent=self)
            self._ask(dialog, lambda: self.commands.rename(matrix.id, dialog.matrix_name))

    def _delete(self) -> None:
        matrix = self._matrix()
        if matrix is not None:
            self.commands.delete(matrix)

    def _ask(self, dialog: FormDialog, accepted: Callable[[], None]) -> None:
        """Open a dialog over the page without stopping the event loop."""
        dialog.accepted.connect(accepted)
        dialog.open()


def _read(service: MatrixService, wanted: str | None) -> _Snapshot:
    matrices = service.list()
    matrix = next((each for each in matrices if each.id == wanted), matrices[0] if matrices else None)
    return _Snapshot(matrices, matrix, service.overview(matrix.id) if matrix is not None else [])


def _other_end(matrix: Matrix, source_id: str) -> str:
    """The likeliest target: the core product, or the first other one."""
    core = matrix.core
    if core is not None and core.id != source_id:
        return core.id
    return next(product.id for product in matrix.products if product.id != source_id)
