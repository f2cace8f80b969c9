"""The window: rail, top bar, pages, status strip and messages, and how they hear of each other.

When the language changes everything is built anew and the pages get their state back, so no widget retranslates.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from studio.gui.context import GuiContext, JobStatus
from studio.gui.dialogs.close_run import may_close
from studio.gui.dialogs.command_palette import CommandPalette
from studio.gui.dialogs.connections import ConnectionsDialog
from studio.gui.page import PageEntry, PaletteAction
from studio.gui.shell.facts import ShellFacts
from studio.gui.shell.notice_area import NoticeArea
from studio.gui.shell.page_stack import PageStack
from studio.gui.shell.rail import Rail
from studio.gui.shell.status_strip import StatusStrip
from studio.gui.shell.top_bar import TopBar
from studio.gui.widgets import DropOverlay
from studio.i18n import LANGUAGES, _, current_language, set_language
from studio.services.changes import Changes
from studio.words import labelled

DEFAULT_SIZE = (1280, 800)
SMALLEST_SIZE = (1024, 680)
FOLDS_BELOW = 1100
_PRELOAD_AFTER_MS = 400
_TAKES_FILES = "data"  # the page that files dropped on the window are given to
_FRAME_SHOWS = Changes.MATRIX | Changes.DATASETS | Changes.RUNS | Changes.SETTINGS | Changes.OUTBOUND


class MainWindow(QMainWindow):
    """Owns the frame; pages come as entries and are built when first opened (or while idle)."""

    rail: Rail
    top_bar: TopBar
    status_strip: StatusStrip
    pages: PageStack
    notice_area: NoticeArea
    drop: DropOverlay | None = None

    def __init__(self, ctx: GuiContext, entries: Sequence[PageEntry], facts: ShellFacts) -> None:
        super().__init__()
        self._ctx = ctx
        self._entries = list(entries)
        self._facts = facts
        self._shortcuts: list[QShortcut] = []
        self._narrow: bool | None = None
        self._preloaded: set[str] = set()
        self._preload = QTimer(self, singleShot=True, interval=_PRELOAD_AFTER_MS)
        self._preload.timeout.connect(self._preload_next)
        self.setMinimumSize(*SMALLEST_SIZE)
        self.resize(*DEFAULT_SIZE)
        self._restore_geometry()
        self._build()
        self._listen()
        self._refresh_frame()
        self.go(self._entries[0].page_id)

    # Where to go

    def go(self, page_id: str, **arguments: Any) -> None:
        """Show a page."""
        self.pages.go(page_id, **arguments)

    def open_palette(self) -> None:
        """Show the command palette."""
        self._build_all_pages()
        if self.findChild(CommandPalette) is None:
            CommandPalette(self.palette_actions(), self).open()

    def palette_actions(self) -> list[PaletteAction]:
        """Everything the command palette reaches now."""
        return [
            *self._go_actions(),
            *self.pages.actions_of_pages(),
            *self._window_actions(),
            *self._product_actions(),
        ]

    def show_connections(self) -> None:
        """Open the list of outbound connections."""
        ConnectionsDialog(self._facts.connections(), self).open()

    # Building

    def _build(self) -> None:
        self.setWindowTitle(_("Product Matrix Studio"))
        self.rail = Rail()
        self.top_bar = TopBar(self.open_palette)
        self.status_strip = StatusStrip()
        self.pages = PageStack(self._ctx, self._entries)
        body = QWidget()
        row = _bare(QHBoxLayout(body))
        column = _bare(QVBoxLayout())
        column.addWidget(self.top_bar)
        column.addWidget(self.pages, 1)
        row.addWidget(self.rail)
        row.addLayout(column, 1)
        central = QWidget()
        outer = _bare(QVBoxLayout(central))
        outer.addWidget(body, 1)
        outer.addWidget(self.status_strip)
        self.setCentralWidget(central)
        self.notice_area = NoticeArea(self.pages)
        self._build_drop(central)
        self._fill_rail()
        self._connect_parts()
        self._bind_shortcuts()

    def _build_drop(self, central: QWidget) -> None:
        """Files dropped on any page become data."""
        if all(entry.page_id != _TAKES_FILES for entry in self._entries):
            return
        self.drop = DropOverlay(
            central, _("Drop to import"), _("Files, folders and ZIP archives open on the Data page.")
        )
        self.drop.dropped.connect(lambda paths: self.go(_TAKES_FILES, paths=paths))
        self._watch_drops()

    def _watch_drops(self) -> None:
        """The window's handle is there once it was shown."""
        handle = self.windowHandle()
        if self.drop is not None and handle is not None:
            self.setAcceptDrops(True)
            self.drop.watch(handle)

    def _fill_rail(self) -> None:
        for entry in self._entries:
            self.rail.add(entry.page_id, entry.title(), entry.icon, self._keys_of(entry), at_foot=entry.foot)
        self.rail.set_folded(self._folded_at(self.width()))

    def _connect_parts(self) -> None:
        self.rail.chosen.connect(self.go)
        self.rail.fold_toggled.connect(self._on_fold)
        self.pages.shown.connect(self._on_shown)
        self.top_bar.matrix_chosen.connect(self._ctx.navigator.set_matrix)
        self.top_bar.product_chosen.connect(self._ctx.navigator.set_product)
        self.top_bar.stage_opened.connect(self.go)
        self.status_strip.connections_opened.connect(self.show_connections)
        self.status_strip.job_opened.connect(self._open_job)

    def _bind_shortcuts(self) -> None:
        for old in self._shortcuts:
            old.deleteLater()
        bindings = [
            (action.shortcut, action.callback) for action in self._go_actions() + self._window_actions()
        ]
        bindings.append(("Ctrl+K", self.open_palette))
        self._shortcuts = []
        for keys, callback in bindings:
            if keys:
                shortcut = QShortcut(QKeySequence(keys), self)
                shortcut.activated.connect(callback)
                self._shortcuts.append(shortcut)

    def rebuild(self) -> None:
        """Everything again, in the new language."""
        page = self.pages.current_page()
        current, states = (page.page_id if page else self._entries[0].page_id), self.pages.states()
        self.pages.dispose()
        self._build()
        self.pages.restore(states)
        self._refresh_frame()
        self.go(current)

    def _preload_next(self) -> None:
        """Import the next unopened page in a thread, then build it: opening it is instant, and Ctrl+K knows it."""
        entry = next((each for each in self.pages.unbuilt() if each.page_id not in self._preloaded), None)
        if entry is not None:
            self._preloaded.add(entry.page_id)  # tried once: a broken page must not keep the others waiting
            self._ctx.tasks.run(
                entry.load, lambda _loaded: self._on_preloaded(entry.page_id), self._on_preload_failed
            )

    def _on_preloaded(self, page_id: str) -> None:
        self._preload.start()
        if (
            QApplication.activePopupWidget() is not None
        ):  # a list or menu, which the new page's parts would close
            self._preloaded.discard(page_id)
            return
        self.pages.page(page_id)

    def _on_preload_failed(self, problem: Exception) -> None:
        self._preload.start()
        self._ctx.notices.error_from(problem)

    def _build_all_pages(self) -> None:
        for entry in self.pages.unbuilt():
            self.pages.page(entry.page_id)

    # Listening

    def _listen(self) -> None:
        ctx = self._ctx
        ctx.changes.changed.connect(self._on_changes)
        ctx.notices.posted.connect(self._on_notice)
        ctx.navigator.requested.connect(self._on_requested)
        ctx.navigator.matrix_changed.connect(self._on_matrix)
        ctx.navigator.product_changed.connect(self._on_product)
        if ctx.jobs is not None:
            ctx.jobs.status_changed.connect(self._on_job)
            ctx.jobs.queue_changed.connect(self._on_queue)
            ctx.jobs.device_changed.connect(self._on_device)

    def _on_changes(self, changes: Changes) -> None:
        if not changes & _FRAME_SHOWS:
            return
        settings = self._ctx.services.settings.current
        self._ctx.theme.set_appearance(settings.theme)
        if settings.language and settings.language != current_language():
            set_language(settings.language)
            # Later: the page whose control was used must not be deleted inside its own signal.
            QTimer.singleShot(0, self, self.rebuild)
        else:
            self._refresh_frame()

    def _on_requested(self, wish: tuple[str, dict[str, Any]]) -> None:
        self.go(wish[0], **wish[1])

    def _on_shown(self, page_id: str) -> None:
        self.rail.mark(page_id)
        page = self.pages.current_page()
        if page is not None:
            self.setWindowTitle(" – ".join([page.title(), _("Product Matrix Studio")]))

    def _on_notice(self, notice: Any) -> None:
        self.notice_area.post(notice)

    def _on_matrix(self, matrix_id: str | None) -> None:
        self._ctx.services.settings.update(last_matrix_id=matrix_id)
        self._refresh_frame()

    def _on_product(self, product_id: str | None) -> None:
        if product_id is not None:
            self._ctx.services.settings.update(last_product_id=product_id)
        self._refresh_frame()

    def _on_job(self, job: JobStatus | None) -> None:
        self.status_strip.set_job(job)

    def _on_queue(self, waiting: int) -> None:
        self.status_strip.set_queue(waiting)

    def _on_device(self, words: str) -> None:
        self.status_strip.set_device(words)

    def _open_job(self, run_id: str) -> None:
        if run_id:
            self.go("runs", run_id=run_id)
        else:
            self.go("runs")

    def _refresh_frame(self) -> None:
        """Names, product chooser, spine and the online chip, as the workspace says now."""
        navigator = self._ctx.navigator
        matrices = self._facts.matrices()
        known = {matrix.id for matrix in matrices}
        if navigator.current_matrix_id not in known:
            wanted = self._ctx.services.settings.current.last_matrix_id
            navigator.set_matrix(wanted if wanted in known else next(iter([m.id for m in matrices]), None))
        self.top_bar.matrix.set_items(matrices, navigator.current_matrix_id)
        self._refresh_product()
        self.top_bar.set_stages(self._facts.stages(navigator.current_product_id))
        made = len(self._facts.connections())
        self.status_strip.set_connections(allowed=self._facts.online_allowed(), made=made)
        if self._ctx.jobs is not None:
            self.status_strip.set_job(self._ctx.jobs.status())
            self.status_strip.set_queue(self._ctx.jobs.queue_length())
            self.status_strip.set_device(self._ctx.jobs.device())

    def _refresh_product(self) -> None:
        navigator = self._ctx.navigator
        matrix_id = navigator.current_matrix_id
        products = self._facts.products(matrix_id) if matrix_id else []
        known = {product.id for product in products}
        if navigator.current_product_id not in known:
            wanted = self._ctx.services.settings.current.last_product_id
            navigator.set_product(wanted if wanted in known else next(iter([p.id for p in products]), None))
        self.top_bar.product.set_items(products, navigator.current_product_id)

    # Actions

    def _keys_of(self, entry: PageEntry) -> str:
        if entry.foot:
            return "Ctrl+,"
        return f"Ctrl+{[e.page_id for e in self._entries if not e.foot].index(entry.page_id) + 1}"

    def _go_actions(self) -> list[PaletteAction]:
        def opener(page_id: str) -> Callable[[], None]:
            return lambda: self.go(page_id)

        return [
            PaletteAction(
                f"go.{entry.page_id}", _("Open {page}").format(page=entry.title()), self._keys_of(entry),
                opener(entry.page_id),
            )
            for entry in self._entries
        ]  # fmt: skip

    def _window_actions(self) -> list[PaletteAction]:
        settings = self._ctx.services.settings

        def updater(**fields: object) -> Callable[[], None]:
            return lambda: (settings.update(**fields), None)[1]

        looks = {
            "system": _("Appearance: follow the system"),
            "light": _("Appearance: light"),
            "dark": _("Appearance: dark"),
        }
        return [
            PaletteAction(
                "window.fold", _("Fold or unfold the rail"), "Ctrl+B", lambda: self._on_fold(not self.rail.folded)
            ),
            PaletteAction("window.connections", _("Show outbound connections"), "", self.show_connections),
            *(PaletteAction(f"theme.{key}", title, "", updater(theme=key)) for key, title in looks.items()),
            *(
                PaletteAction(
                    f"language.{code}", labelled(_("Language"), name), "",
                    updater(language=code),
                )
                for code, name in LANGUAGES.items()
            ),
        ]  # fmt: skip

    def _product_actions(self) -> list[PaletteAction]:
        navigator = self._ctx.navigator

        def chooser(product_id: str) -> Callable[[], None]:
            return lambda: navigator.set_product(product_id)

        matrix_id = navigator.current_matrix_id
        products = self._facts.products(matrix_id) if matrix_id else []
        return [
            PaletteAction(
                f"product.{item.id}", _("Choose product {name}").format(name=item.name), "", chooser(item.id)
            )
            for item in products
        ]

    # Size and end

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < FOLDS_BELOW
        if narrow != self._narrow:
            self._narrow = narrow
            self.rail.set_folded(self._folded_at(event.size().width()))

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._watch_drops()
        page = self.pages.current_page()
        if page is not None and self.focusWidget() is None:
            page.setFocus()  # else the ring starts on the first button of the rail
        self._preload.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when a run is under way; remember the place, let pages stop their timers."""
        if not may_close(self._ctx, self):
            event.ignore()
            return
        self._preload.stop()
        self.pages.dispose()
        geometry = base64.b64encode(self.saveGeometry().data()).decode("ascii")
        self._ctx.changes.changed.disconnect(self._on_changes)
        self._ctx.services.settings.update(window_geometry=geometry)
        super().closeEvent(event)

    def _folded_at(self, width: int) -> bool:
        return width < FOLDS_BELOW or bool(self._ctx.services.settings.current.rail_folded)

    def _on_fold(self, folded: bool) -> None:
        self.rail.set_folded(folded)
        if self.width() >= FOLDS_BELOW:
            self._ctx.services.settings.update(rail_folded=folded)

    def _restore_geometry(self) -> None:
        stored = self._ctx.services.settings.current.window_geometry
        if stored:
            self.restoreGeometry(QByteArray(base64.b64decode(stored)))


def _bare(layout: Any) -> Any:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout
