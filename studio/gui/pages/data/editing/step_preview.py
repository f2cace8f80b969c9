"""What a step would do, tried on the rows in a child process before anything is made."""

from __future__ import annotations

import threading

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.domain.datasets import Split, title
from studio.domain.findings import Example
from studio.domain.recipes import AnyStep, StepPreview
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.pages.data.doctor.example_row import ExampleRow
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, ScrollPage
from studio.i18n import _
from studio.services.children import JobCancelled
from studio.words import clauses, ended
from studio.words_data import effect_words
from studio.words_versions import compared_words

ASK_AFTER_MS = 350  # the last keystroke decides, not each
_EXAMPLES = 6
_HEIGHT = 220  # px of the panel, so that a dialog keeps its height while a step is tried


class StepPreviewPanel(QWidget):
    """``look(step)`` tries a step after a short rest. ``known`` when its outcome (StepPreview, or None) is there."""

    known = Signal(object)

    def __init__(self, ctx: GuiContext, dataset_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx, self._dataset_id = ctx, dataset_id
        self._step: AnyStep | None = None
        self._running: tuple[Task, threading.Event] | None = None
        self._timer = QTimer(self, singleShot=True, interval=ASK_AFTER_MS)
        self._timer.timeout.connect(self._ask)
        self.summary = BodyText(bold=True)
        self.problem = ProblemLine()
        self.examples = ScrollPage(margin=0)
        self.examples.body.setSpacing(current_tokens().space.s)
        self._title = Caption(_("For example"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        for part in (self.summary, self.problem, self._title):
            column.addWidget(part)
        column.addWidget(self.examples, 1)
        column.addStretch(0)
        self.setFixedHeight(_HEIGHT)
        self._show_examples(None)

    def look(self, step: AnyStep | None, hint: str = "") -> None:
        """Try this step soon; None forgets the last one and shows ``hint``."""
        self.stop()
        self._step = step
        self.problem.clear()
        self.summary.setText(hint if step is None else _("Looking at what would change…"))
        if step is None:
            self._show_examples(None)
            self.known.emit(None)
        else:
            self._timer.start()

    def stop(self) -> None:
        """Let go of a trial under way."""
        self._timer.stop()
        if self._running is not None:
            task, cancel = self._running
            cancel.set()
            task.abandon()
            self._running = None

    def _ask(self) -> None:
        step, cancel = self._step, threading.Event()
        if step is None:
            return
        versions, dataset_id = self._ctx.services.versions, self._dataset_id
        task = self._ctx.tasks.run(
            lambda: versions.try_step(dataset_id, step, cancel), self._on_known, self._on_problem
        )
        self._running = (task, cancel)

    def _on_known(self, preview: StepPreview) -> None:
        self._running = None
        self.summary.setText(preview_words(preview))
        self._show_examples(preview)
        self.known.emit(preview)

    def _on_problem(self, problem: Exception) -> None:
        self._running = None
        self.summary.setText("")
        self._show_examples(None)
        if isinstance(problem, StudioError) and not isinstance(problem, JobCancelled):
            self.problem.show_problem(problem)
        elif not isinstance(problem, JobCancelled):
            self._ctx.notices.error_from(problem)
        self.known.emit(None)

    def _show_examples(self, preview: StepPreview | None) -> None:
        body = self.examples.body
        while (item := body.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        shown = preview.examples[:_EXAMPLES] if preview is not None else []
        for example in shown:
            row = ExampleRow(_in_words(example))
            row.setAttribute(
                Qt.WidgetAttribute.WA_TransparentForMouseEvents
            )  # the table is behind the dialog
            row.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            body.addWidget(row)
        body.addStretch(1)
        self._title.setVisible(bool(shown))
        self.examples.setVisible(bool(shown))


def _in_words(example: Example) -> Example:
    """Names of parts as they are called in the window."""
    if example.column != "split":
        return example
    parts = {split.value: title(split) for split in Split}
    after = parts.get(example.after, example.after) if example.after is not None else None
    return example.model_copy(update={"before": parts.get(example.before, example.before), "after": after})


def preview_words(preview: StepPreview) -> str:
    """What a step would do, in a sentence."""
    if not (preview.changed or preview.removed or preview.added):
        return _("Nothing would change.")
    left_out = compared_words(preview.compared) if preview.compared is not None else ""
    words = ended(clauses([effect_words(preview.changed, preview.removed, preview.added), left_out]))
    return _("Estimated from a sample: {changes}").format(changes=words) if preview.estimated else words
