"""The data doctor of one dataset version: it examines, says what it found, and fixes with a way back."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.findings import DoctorReport, Finding, FixOption
from studio.domain.recipes import REPEATABLE, FixStep
from studio.domain.values import now
from studio.errors import StudioError
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.pages.data.doctor.findings_view import FindingsView
from studio.gui.pages.data.doctor.fix_all import FixAllDialog
from studio.gui.pages.data.doctor.keep_recipe import KeepRecipeDialog
from studio.gui.pages.data.doctor.resting import RestingView
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.progress import show_event
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, Card, GhostButton, IconButton, ProgressPanel, SectionTitle
from studio.i18n import _, ngettext
from studio.services.data_doctor import fix_step
from studio.services.data_versions import DataVersionService
from studio.words_data import effect_words, lacks_words

LEAST_WIDTH = 300


class DoctorPanel(QWidget):
    """Stands beside the rows.

    example_chosen: number of a row (object: it may exceed 32 bits). derived: the DatasetVersion to show now, made by
    a fix or come back by its undo. reported: how many findings the report on show has; 0 without a report.
    """

    example_chosen = Signal(object)
    derived = Signal(object)
    reported = Signal(int)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._since: datetime = now()
        self._declined: set[str] = set()  # versions whose examination the user cancelled
        self._reading: Task | None = None
        self.dataset: DatasetVersion | None = None
        self.report: DoctorReport | None = None
        self.examination = ChildJob(ctx, self)
        self.treatment = ChildJob(ctx, self)
        self._treated = ""  # the version that the fix under way is for
        self.again = IconButton("refresh", _("Examine again"), self.examine)
        self.recipe = GhostButton(_("Save these steps as a recipe…"), self._ask_recipe, icon="star")
        self.problem = ProblemLine()
        self.resting = RestingView(self.examine)
        self.progress = ProgressPanel("", self.cancel)
        self.findings = FindingsView()
        self.stack = QStackedWidget()
        self._arrange()
        self._connect()

    def show_dataset(self, version: DatasetVersion) -> None:
        """Show what is known of a version; one made since the window opened is examined by itself."""
        if self.dataset is not None and self.dataset.id == version.id:
            self.dataset = version
            return
        self.examination.abandon()
        self.dataset, self.report = version, None
        self.problem.clear()
        steps = [outcome.step for outcome in version.made_by]
        self.recipe.setVisible(any(isinstance(step, REPEATABLE) for step in steps))
        self._say("")
        self.again.hide()
        if self.treatment.running() and self._treated == version.id:
            self.stack.setCurrentIndex(self._waiting)
        else:
            self.stack.setCurrentWidget(self._blank)  # until the kept report is read: a few milliseconds
        if self._reading is not None:
            self._reading.abandon()
        doctor, dataset_id = self._ctx.services.data_doctor, version.id
        self._reading = self._ctx.tasks.run(
            lambda: doctor.report(dataset_id), partial(self._on_kept, version), self._on_failed
        )

    def examine(self) -> None:
        """Look at the rows now; a report follows, or the reason why there is none."""
        if self.dataset is None or self.examination.running() or self._treating():
            return
        doctor, dataset_id = self._ctx.services.data_doctor, self.dataset.id
        self._begin(_("Examining the rows…"))
        self.examination.start(
            lambda hear, cancel: doctor.examine(dataset_id, None, hear, cancel), _("Examining the data")
        )

    def fix(self, steps: list[FixStep]) -> None:
        """Make a new version with these fixes; ``derived`` follows."""
        if self.dataset is None or not steps:
            return
        if self.treatment.running():
            self._ctx.notices.info(
                _("One change at a time: wait until the other one has ended, or cancel it.")
            )
            return
        doctor, dataset_id = self._ctx.services.data_doctor, self.dataset.id
        self._treated = dataset_id
        self.findings.set_busy(True)
        self._begin(_("Fixing the rows…"))
        self.treatment.start(
            lambda hear, cancel: doctor.fix(dataset_id, steps, hear, cancel), _("Fixing the data")
        )

    def cancel(self) -> None:
        """Stop what is under way; the rows stay as they are."""
        self.progress.set_label(_("Stopping…"))
        self.progress.cancel.setEnabled(False)
        (self.treatment if self._treating() else self.examination).cancel()

    def memory(self) -> tuple[datetime, frozenset[str]]:
        """What a panel built anew must know: since when versions are examined by themselves, and which are not."""
        return self._since, frozenset(self._declined)

    def remember(self, memory: tuple[datetime, frozenset[str]]) -> None:
        """Take over what an earlier panel knew."""
        self._since, self._declined = memory[0], set(memory[1])

    def dispose(self) -> None:
        """The page is thrown away: stop what is under way and hear nothing more of it."""
        self.examination.abandon()
        self.treatment.abandon()
        if self._reading is not None:
            self._reading.abandon()

    def _arrange(self) -> None:
        space = current_tokens().space
        self.setMinimumWidth(LEAST_WIDTH)
        self._about = Caption()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(SectionTitle(_("Data doctor")))
        words.addWidget(self._about)
        head = QHBoxLayout()
        head.addLayout(words, 1)
        head.addWidget(self.again)
        waiting = QWidget()
        card = Card()
        card.add(self.progress)
        room = QVBoxLayout(waiting)
        room.setContentsMargins(0, 0, 0, 0)
        room.addWidget(card)
        room.addStretch(1)
        self._blank = QWidget()
        for view in (self._blank, self.resting, waiting, self.findings):
            self.stack.addWidget(view)
        self._waiting = self.stack.indexOf(waiting)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addLayout(head)
        column.addWidget(self.problem)
        column.addWidget(self.stack, 1)
        column.addWidget(self.recipe)
        self.recipe.hide()
        self.again.hide()

    def _connect(self) -> None:
        self.findings.fix_wanted.connect(self._on_fix_wanted)
        self.findings.all_wanted.connect(self._ask_all)
        self.findings.example_chosen.connect(self.example_chosen)
        for job in (self.examination, self.treatment):
            job.told.connect(self._on_told)
            job.failed.connect(self._on_failed)
        self.examination.done.connect(self._on_examined)
        self.examination.cancelled.connect(self._on_declined)
        self.treatment.done.connect(self._on_fixed)
        self.treatment.cancelled.connect(self._show_again)

    def _treating(self) -> bool:
        """A fix of the version on show is under way."""
        return self.treatment.running() and self.dataset is not None and self._treated == self.dataset.id

    def _begin(self, label: str) -> None:
        self.problem.clear()
        self.again.hide()
        self.reported.emit(0)
        self.progress.set_label(label)
        self.progress.set_progress(0)
        self.progress.cancel.setEnabled(True)
        self.stack.setCurrentIndex(self._waiting)

    def _say(self, about: str) -> None:
        self._about.setText(about)
        self._about.setVisible(bool(about))

    def _on_told(self, event: object) -> None:
        shown = self._treating() or self.sender() is self.examination
        if shown and self.progress.cancel.isEnabled():
            show_event(self.progress, event)  # type: ignore[arg-type]

    def _on_kept(self, version: DatasetVersion, report: DoctorReport | None) -> None:
        if self.dataset is None or self.dataset.id != version.id or self._treating():
            return
        if report is not None:
            self._on_examined(report)
        elif version.created_at >= self._since and version.id not in self._declined and not version.deleted:
            self.examine()
        else:
            self._rest()

    def _on_examined(self, report: DoctorReport) -> None:
        self.report = report
        self.findings.show_report(report, lacks_words(self.dataset) if self.dataset else ())
        self._show_again()

    def _on_declined(self) -> None:
        if self.dataset is not None:
            self._declined.add(self.dataset.id)
        self._show_again()

    def _show_again(self) -> None:
        """The report if there is one, else the offer to make one."""
        self.findings.set_busy(False)
        if self.report is None:
            self._rest()
            return
        self._say(_found_words(self.report))
        self.reported.emit(len(self.report.findings))
        self.again.show()
        self.stack.setCurrentWidget(self.findings)

    def _rest(self) -> None:
        self.reported.emit(0)
        self._say("")
        self.again.hide()
        self.stack.setCurrentWidget(self.resting)

    def _on_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)
        self._show_again()

    def _on_fix_wanted(self, wish: tuple[Finding, FixOption]) -> None:
        finding, option = wish
        if self.report is not None:
            self.fix([fix_step(self.report, finding.kind, option.action)])

    def _ask_all(self) -> None:
        if self.report is None:
            return
        dialog = FixAllDialog(self.report, self._ctx.services.data_doctor.advised(self.report), self)
        dialog.accepted.connect(lambda: self.fix(dialog.steps()))
        dialog.open()

    def _ask_recipe(self) -> None:
        if self.dataset is not None:
            KeepRecipeDialog(self._ctx, self.dataset.id, self.dataset.name, self).open()

    def _on_fixed(self, version: DatasetVersion) -> None:
        self.findings.set_busy(False)
        parts = [(each.changed, each.removed, each.added) for each in version.made_by]
        changed, removed, added = (sum(column) for column in zip(*parts, strict=True)) if parts else (0, 0, 0)
        effect = effect_words(changed, removed, added)
        self._ctx.notices.success(
            _("Fixed: {effect}. Version {n} is in use now.").format(effect=effect, n=version.number),
            action_label=_("Undo"),
            action=partial(self._undo, version.id),
        )
        if self.dataset is not None and self.dataset.id == self._treated:
            self.derived.emit(version)

    def _undo(self, dataset_id: str) -> None:
        versions = self._ctx.services.versions
        self._ctx.tasks.run(
            lambda: _undone(versions, dataset_id), self._on_undone, self._ctx.notices.error_from, _("Undoing")
        )

    def _on_undone(self, version: DatasetVersion) -> None:
        self._ctx.notices.info(_("Undone: version {n} is in use again.").format(n=version.number))
        if self.dataset is not None and self.dataset.family_id == version.family_id:
            self.derived.emit(version)


def _undone(versions: DataVersionService, dataset_id: str) -> DatasetVersion:
    """Take this version back, never a later one. Raises StudioError ``version.not_newest``."""
    version = versions.newest(dataset_id)
    if version.id != dataset_id:
        raise StudioError(
            "version.not_newest", _("“{name}” has a newer version by now.").format(name=version.name),
            _("Undo the newer change first, under Versions."),
        )  # fmt: skip
    return versions.undo(dataset_id)


def _found_words(report: DoctorReport) -> str:
    found = len(report.findings)
    if not found:
        return ""
    things = ngettext("{n} finding", "{n} findings", found).format(n=found)
    rows = ngettext("{n} row", "{n} rows", report.rows).format(n=f"{report.rows:,}")
    return _("{findings} in {rows}").format(findings=things, rows=rows)
