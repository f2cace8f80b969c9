"""One search at a time: how far it is, its trials as lines and as a table, and its best settings put to use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QHeaderView, QStackedLayout, QWidget

from studio.domain.runs import Run, RunPlan
from studio.domain.searches import SEARCH_TITLES, Search, SearchState, Trial, search_words, spec_with
from studio.gui.context import GuiContext
from studio.gui.models.trials_table import TrialsTable, trial_words
from studio.gui.pages.runs.search.parallel import ParallelPlot
from studio.gui.pages.runs.search.start_dialog import StartDialog
from studio.gui.pages.runs.tables import ROW_HEIGHT, plain_table
from studio.gui.theme import Tone, current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    DropDown,
    EmptyState,
    GhostButton,
    PrimaryButton,
    ScrollPage,
    SecondaryButton,
    StateBadge,
)
from studio.i18n import _, ngettext

REFRESH_MS = 1000
RECENT_RUNS = 30
COLUMN_WIDTH = 96
TABLE_HEIGHT = (120, 480)  # px, as few or many trials as there are
_TONES: dict[SearchState, Tone] = {
    SearchState.RUNNING: "accent", SearchState.DONE: "success", SearchState.STOPPED: "neutral",
    SearchState.FAILED: "error",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """All searches, and the plans that a new one may start from; seconds: what their runs take, by id, where known."""

    searches: tuple[Search, ...]
    plans: tuple[RunPlan, ...]
    seconds: dict[str, float] = field(default_factory=dict)


class SearchView(QWidget):
    """use_asked carries the RunPlan (object) with the chosen settings; opened the id (str) of a trial's run.

    given_up: the form that ``begin_with`` opened was cancelled.
    """

    use_asked = Signal(object)
    opened = Signal(str)
    given_up = Signal()
    loaded = Signal()

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__()
        self._ctx = ctx
        self._generation = 0
        self._wish: str | None = None
        self._picked: int | None = None  # the trial that the user chose in the table or the picture
        self._following = False  # the table follows the picture: what it selects is not chosen
        self._plan_wish: RunPlan | None = None
        self._wish_seconds: float | None = None
        self._found = Found((), ())
        self.dialog: StartDialog | None = None
        self.chooser = DropDown()
        self.chooser.setAccessibleName(_("Which search"))
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chooser.setMinimumContentsLength(14)  # a long name is cut: narrow windows keep their buttons
        self.badge = StateBadge("")
        self.progress = Caption()
        self.new = SecondaryButton(_("New search"), self.ask_new, icon="plus")
        self.stop = GhostButton(_("Stop"), self._stop)
        self.go_on = GhostButton(_("Go on"), self._go_on)
        self.use = PrimaryButton(_("Use the best settings"), self._use)
        self.words = BodyText(tone="muted")
        self.plot = ParallelPlot(self._trial_words)
        self.model = TrialsTable(self)
        self.table = plain_table(self.model, _("Trials"), {})
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._tick)
        self._stack = QStackedLayout(self)
        self._build()
        self._connect()

    def wake(self) -> None:
        """The view came into sight."""
        self._timer.start()
        self.reload()

    def sleep(self) -> None:
        """The view went out of sight."""
        self._timer.stop()

    def reload(self) -> None:
        """Read the searches anew."""
        self._generation += 1
        self._ctx.tasks.run(self._read, partial(self._take, self._generation))

    def search(self) -> Search | None:
        """The search on the screen."""
        return next((each for each in self._found.searches if each.id == self._wish), None)

    def begin_with(self, plan: RunPlan, seconds: float | None = None) -> None:
        """Open the form of a new search with this plan as soon as the searches are read.

        seconds: what such a run takes, if it was measured.
        """
        self._plan_wish, self._wish_seconds = plan, seconds
        self.reload()

    def ask_new(self) -> None:
        """Open the form of a new search."""
        asked, self._plan_wish = self._plan_wish, None
        plans = [*([asked] if asked else []), *self._found.plans]
        if not plans:
            return
        seconds = self._found.seconds
        if asked and self._wish_seconds is not None:
            seconds = seconds | {asked.run_id: self._wish_seconds}
        self.dialog = StartDialog(plans, seconds, self.window())
        self.dialog.accepted.connect(self._start)
        if asked:
            self.dialog.rejected.connect(self.given_up)
        self.dialog.open()

    def _build(self) -> None:
        space = current_tokens().space
        page = ScrollPage(margin=0)
        page.body.setContentsMargins(space.xl, space.l, space.xl, space.xl)
        tools = QHBoxLayout()
        tools.setSpacing(space.s)
        self.progress.setWordWrap(False)
        tools.addWidget(self.chooser, 1)
        tools.addWidget(self.badge)
        tools.addWidget(self.progress)
        tools.addStretch(1)
        for button in (self.stop, self.go_on, self.new, self.use):
            tools.addWidget(button)
        page.body.addLayout(tools)
        picture = Card(
            _("What the trials found"),
            _("Each line is a trial, from its settings to its loss: lower is better. Dashed: ended early."),
        )
        picture.add(self.words)
        picture.add(self.plot, 1)
        page.add(picture)
        trials = Card(_("Trials"))
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(COLUMN_WIDTH)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        trials.add(self.table, 1)
        page.add(trials)
        page.body.addStretch(1)
        empty = EmptyState(
            "search",
            _("A search tries different settings in short runs and shows which do best on the validation rows."),
            _("New search"), self.ask_new, title=_("No searches yet"),
        )  # fmt: skip
        untrained = EmptyState(
            "search",
            _("A search starts from the settings of a run. Train once, then look for better settings here."),
            _("Train a model"), lambda: self._ctx.navigator.go("train"), title=_("No searches yet"),
        )  # fmt: skip
        self.empty, self.untrained = empty, untrained
        for part in (QWidget(), empty, untrained, page):
            self._stack.addWidget(part)

    def _connect(self) -> None:
        self.chooser.activated.connect(lambda index: self._show(self.chooser.itemData(index)))
        self.plot.lit.connect(self._on_lit)
        self.plot.chosen.connect(self._on_chosen)
        self.table.selectionModel().selectionChanged.connect(lambda *_args: self._on_selection())
        # A row that the picture has lit is selected already: a click on it changes nothing there.
        self.table.clicked.connect(lambda index: self._pick(self.model.trial(index.row()).number))
        self.table.doubleClicked.connect(lambda index: self.opened.emit(self.model.trial(index.row()).run_id))

    def _tick(self) -> None:
        search = self.search()
        if search is not None and search.state is SearchState.RUNNING:
            self.reload()

    def _read(self) -> Found:
        services = self._ctx.services
        recent = [run for run in services.runs.list(limit=RECENT_RUNS) if run.plan.fold is None]
        plans = {run.name: run.plan for run in reversed(recent)}
        seconds = {run.id: found for run in recent if (found := _whole_seconds(run)) is not None}
        return Found(tuple(services.searches.list()), tuple(reversed(plans.values())), seconds)

    def _take(self, generation: int, found: Found) -> None:
        if generation != self._generation:
            return
        self._found = found
        if self.search() is None:
            self._wish, self._picked = found.searches[0].id if found.searches else None, None
        self.new.setEnabled(bool(found.plans))
        self._fill_chooser()
        search = self.search()
        if search is None:
            self._stack.setCurrentWidget(self.empty if found.plans else self.untrained)
        else:
            self._stack.setCurrentIndex(3)
            self._show_search(search)
        if self._plan_wish is not None:
            self.ask_new()
        self.loaded.emit()

    def _fill_chooser(self) -> None:
        shown = [(self.chooser.itemData(i), self.chooser.itemText(i)) for i in range(self.chooser.count())]
        wanted = [(search.id, search.name) for search in self._found.searches]
        if shown != wanted:
            self.chooser.clear()
            for key, name in wanted:
                self.chooser.addItem(name, key)
        self.chooser.setCurrentIndex(self.chooser.findData(self._wish))

    def _show(self, search_id: str) -> None:
        self._wish, self._picked = search_id, None
        if (search := self.search()) is not None:
            self._show_search(search)

    def _show_search(self, search: Search) -> None:
        running = search.state is SearchState.RUNNING
        self.badge.set(_(SEARCH_TITLES[search.state]), _TONES[search.state])
        self.progress.setText(_progress_words(search))
        self.words.setText(" ".join(part for part in (search_words(search), search.reason) if part))
        self.stop.setVisible(running)
        self.go_on.setVisible(search.state in (SearchState.STOPPED, SearchState.FAILED) and not search.spent)
        self.model.show(search)
        height = self.table.horizontalHeader().sizeHint().height() + ROW_HEIGHT * len(search.trials) + 2
        self.table.setFixedHeight(min(max(height, TABLE_HEIGHT[0]), TABLE_HEIGHT[1]))
        self.plot.show_search(search)
        self._on_lit(self.plot.lit_number())
        self._show_use(search)

    def _trial_words(self, number: int) -> str:
        search = self.search()
        trial = next((each for each in search.trials if each.number == number), None) if search else None
        return trial_words(search, trial) if search is not None and trial is not None else ""

    def _show_use(self, search: Search) -> None:
        """The button says whose settings it takes: the best trial's, or those of the one that was chosen."""
        trial = self._wanted(search)
        picked = self._picked is not None and trial is not None and trial is not search.best
        words = _("Use the settings of trial {number}").format(number=self._picked)
        self.use.setText(words if picked else _("Use the best settings"))
        useful = trial is not None and trial.value is not None
        self.use.setEnabled(useful)
        self.use.setToolTip(
            "" if useful else _("This trial has no result.") if picked else _("No trial has finished yet.")
        )

    def _wanted(self, search: Search) -> Trial | None:
        """The chosen trial, else the best."""
        return next((trial for trial in search.trials if trial.number == self._picked), search.best)

    def _on_lit(self, number: int | None) -> None:
        """The table follows the picture, and goes back to what was chosen when the mouse leaves."""
        self._select(self._picked if number is None else number)

    def _select(self, number: int | None) -> None:
        """Mark a trial's row without choosing it; None marks none."""
        self._following = True
        row = -1 if number is None else self.model.row_of(number)
        if row >= 0:
            self.table.selectRow(row)
        else:
            self.table.clearSelection()
        self._following = False

    def _on_chosen(self, number: int) -> None:
        self._pick(number)
        self.table.scrollTo(self.model.index(self.model.row_of(number), 0))
        self.table.setFocus()

    def _on_selection(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows and not self._following:
            number = self.model.trial(rows[0].row()).number
            self._pick(number)
            self.plot.light(number)

    def _pick(self, number: int) -> None:
        self._picked = number
        if (search := self.search()) is not None:
            self._show_use(search)

    def _start(self) -> None:
        dialog = self.dialog
        if dialog is None:
            return
        plan, space, budget, name = dialog.plan(), dialog.space(), dialog.budget(), dialog.name()
        product = self._ctx.navigator.current_product_id
        searches = self._ctx.services.searches

        def started(search: Search) -> None:
            self._wish, self._picked = search.id, None
            self.reload()

        self._ctx.tasks.run(
            lambda: searches.start(plan, space, budget, name=name, product_id=product), started,
            label=_("Starting the search"),
        )  # fmt: skip

    def _stop(self) -> None:
        self._do(self._ctx.services.searches.stop)

    def _go_on(self) -> None:
        self._do(self._ctx.services.searches.resume)

    def _do(self, deed: Callable[[str], object]) -> None:
        if (search := self.search()) is not None:
            search_id = search.id
            self._ctx.tasks.run(lambda: deed(search_id), lambda _done: self.reload())

    def _use(self) -> None:
        search = self.search()
        trial = self._wanted(search) if search is not None else None
        if search is not None and trial is not None:
            self.use_asked.emit(search.plan.model_copy(update={"spec": spec_with(search, trial)}))


def _whole_seconds(run: Run) -> float | None:
    """What all passes of a run take, as it was measured or foretold."""
    if run.summary is not None and run.step > 0:
        return (run.summary.total_s or run.summary.seconds) * run.total_steps / run.step
    return run.estimate.seconds if run.estimate is not None else None


def _progress_words(search: Search) -> str:
    tried, most = len(search.trials), search.budget.trials
    if most is not None:
        words = _("{n} of {most} trials").format(n=tried, most=most)
    else:
        words = ngettext("{n} trial", "{n} trials", tried).format(n=tried)
    if search.budget.minutes is None:
        return words
    return _("{trials}, {used} of {minutes} min").format(
        trials=words, used=f"{search.minutes_used:.0f}", minutes=f"{search.budget.minutes:g}"
    )
