"""All K-folds, the newest first, each as a card; a button starts another."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from studio.domain.folds import FoldsResult
from studio.domain.runs import RunPlan
from studio.gui.context import GuiContext
from studio.gui.pages.runs.folds.card import FoldsCard
from studio.gui.pages.runs.folds.start_dialog import FoldsDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, EmptyState, PrimaryButton, ScrollPage
from studio.i18n import _, ngettext

REFRESH_MS = 2000
RECENT_RUNS = 30
SHOWN = 20
Found = tuple[list[FoldsResult], list[RunPlan]]


class FoldsView(QWidget):
    """opened carries the id (str) of a fold's run. given_up: the form that ``begin_with`` opened was cancelled."""

    opened = Signal(str)
    given_up = Signal()
    loaded = Signal()

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__()
        self._ctx = ctx
        self._generation = 0
        self._results: list[FoldsResult] = []
        self._plans: list[RunPlan] = []
        self._plan_wish: RunPlan | None = None
        self.cards: list[FoldsCard] = []
        self.dialog: FoldsDialog | None = None
        self.new = PrimaryButton(_("Check by folds"), self.ask_new, icon="plus")
        self.count = Caption()
        self._cards = QVBoxLayout()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._tick)
        self._stack = QStackedLayout(self)
        self._build()

    def wake(self) -> None:
        """The view came into sight."""
        self._timer.start()
        self.reload()

    def sleep(self) -> None:
        """The view went out of sight."""
        self._timer.stop()

    def reload(self) -> None:
        """Read the K-folds anew."""
        self._generation += 1
        self._ctx.tasks.run(self._read, partial(self._take, self._generation))

    def begin_with(self, plan: RunPlan) -> None:
        """Open the form of a new K-fold with this plan as soon as the others are read."""
        self._plan_wish = plan
        self.reload()

    def ask_new(self) -> None:
        """Open the form of a new K-fold."""
        asked, self._plan_wish = self._plan_wish, None
        plans = [*([asked] if asked else []), *self._plans]
        if plans:
            self.dialog = FoldsDialog(plans, self.window())
            self.dialog.accepted.connect(self._start)
            if asked:
                self.dialog.rejected.connect(self.given_up)
            self.dialog.open()

    def _build(self) -> None:
        space = current_tokens().space
        page = ScrollPage(margin=0)
        page.body.setContentsMargins(space.xl, space.l, space.xl, space.xl)
        tools = QHBoxLayout()
        self.count.setWordWrap(False)
        tools.addWidget(self.count)
        tools.addStretch(1)
        tools.addWidget(self.new)
        page.body.addLayout(tools)
        self._cards.setSpacing(space.l)
        page.body.addLayout(self._cards)
        page.body.addStretch(1)
        sentence = _(
            "Train the same settings on several parts of the rows, and see how much the result depends on chance."
        )
        self.empty = EmptyState(
            "split", sentence, _("Check by folds"), self.ask_new, title=_("Nothing checked by folds yet")
        )
        self.untrained = EmptyState(
            "split", sentence, _("Train a model"), lambda: self._ctx.navigator.go("train"),
            title=_("Nothing checked by folds yet"),
        )  # fmt: skip
        for part in (QWidget(), self.empty, self.untrained, page):
            self._stack.addWidget(part)

    def _tick(self) -> None:
        if any(not result.ended for result in self._results):
            self.reload()

    def _read(self) -> Found:
        services = self._ctx.services
        plans = [run.plan for run in services.runs.list(limit=RECENT_RUNS) if run.plan.fold is None]
        return services.folds.list()[:SHOWN], list({plan.name: plan for plan in reversed(plans)}.values())[
            ::-1
        ]

    def _take(self, generation: int, found: Found) -> None:
        if generation != self._generation:
            return
        results, self._plans = found
        self.new.setEnabled(bool(self._plans))
        if results != self._results or not self.cards:
            self._results = results
            self._show_cards()
        n = len(results)
        self.count.setText(
            ngettext("{n} set of settings checked", "{n} sets of settings checked", n).format(n=n)
        )
        self._stack.setCurrentIndex(3 if results else 1 if self._plans else 2)
        self.loaded.emit()
        if self._plan_wish is not None:
            self.ask_new()

    def _show_cards(self) -> None:
        while (item := self._cards.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.cards = [FoldsCard(result) for result in self._results]
        for card in self.cards:
            card.opened.connect(self.opened)
            self._cards.addWidget(card)

    def _start(self) -> None:
        if self.dialog is None:
            return
        plan, k, folds = self.dialog.plan(), self.dialog.k(), self._ctx.services.folds

        def started(warning: str | None) -> None:
            if warning:
                self._ctx.notices.info(warning)
            self.reload()

        def start() -> str | None:
            folds.start(plan, k)
            return folds.warning(plan)

        self._ctx.tasks.run(start, started)
