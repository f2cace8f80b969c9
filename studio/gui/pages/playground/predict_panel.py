"""The playground for models that sort, rate, recommend or draw: what is given at the left, the answers at the right."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.datasets import Split
from studio.domain.feedback import FeedbackItem
from studio.domain.feedback import Signal as Reaction
from studio.domain.predictions import prediction_rows, prediction_words
from studio.gui.context import GuiContext
from studio.gui.models.chat_choices import ModelChoice
from studio.gui.models.predict_session import Answers, Batch, PredictSession
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.pages.playground.predict_answers import BatchView
from studio.gui.pages.playground.predict_inputs import (
    MOST_SUGGESTIONS,
    FileInput,
    InputPart,
    UserInput,
    input_for,
    inputs_from,
)
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Card, EmptyState, ProgressPanel, ScrollPage
from studio.i18n import _
from studio.protocol.events import Progress
from studio.services.files import write_atomically
from studio.services.predict_inputs import read_inputs

if TYPE_CHECKING:
    from studio.bootstrap import Services

INPUT_WIDTH = 360
_TITLES: Final[dict[str, tuple[Callable[[], str], Callable[[], str]]]] = {
    "text": (lambda: _("Text"), lambda: _("What your customers would send.")),
    "image": (lambda: _("Pictures"), lambda: _("They are only looked at; nothing is copied or sent.")),
    "audio": (lambda: _("Recordings"), lambda: _("They are only listened to; nothing is copied or sent.")),
    "user": (lambda: _("User"), lambda: _("For whom something is recommended.")),
    "sample": (lambda: _("New pictures"), lambda: _("Drawn by the model, like those that it learned from.")),
}


class PredictPanel(QWidget):
    """Shows a PredictSession. Call ``show_choice`` when another model was chosen."""

    def __init__(self, ctx: GuiContext, session: PredictSession) -> None:
        super().__init__()
        self._ctx, self.session = ctx, session
        self._asks = ""
        self._offering: Task | None = None  # reads the files that are offered to be tried
        self.part: InputPart = input_for("text")
        self.card = Card()
        self.card.setFixedWidth(INPUT_WIDTH)
        self._thumbnails = Thumbnails(ctx.tasks, Path, self, edge=192)
        self._views: dict[int, BatchView] = {}  # by identity of the batch
        self._progress: ProgressPanel | None = None
        self._answers = ScrollPage(margin=0)
        self._empty = EmptyState("playground", _("The answers will stand here."))
        self._answers.add(self._empty)
        self._answers.body.addStretch(1)
        self._left = QVBoxLayout()
        self._left.addWidget(self.card)
        self._left.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.l)
        row.addLayout(self._left)
        row.addWidget(self._answers, 1)
        session.batch_added.connect(self._on_batch)
        session.batch_changed.connect(self._on_changed)
        session.busy_changed.connect(self._on_busy)
        session.progressed.connect(self._on_progress)
        session.seats_changed.connect(self._show_allowed)

    def views(self) -> list[BatchView]:
        """What was asked, oldest first."""
        return list(self._views.values())

    def show_choice(self, choice: ModelChoice) -> None:
        """The input that this model takes; what was asked of another kind of model is put away."""
        self.stop_offering()
        if choice.asks != self._asks:
            self._asks = choice.asks
            if any(batch.asks != choice.asks for batch in self.session.batches):
                self.clear()
            self._set_part(input_for(choice.asks))
        if isinstance(self.part, UserInput):
            self.part.history_row.setVisible(choice.sequence)
        self.part.suggest(choice.probes)
        if isinstance(self.part, FileInput):
            self._offer_files(self.part, choice)
        self._show_allowed()

    def clear(self) -> None:
        """Forget the answers."""
        self.session.clear()
        for view in self._views.values():
            view.setParent(None)
            view.deleteLater()
        self._views.clear()
        self._empty.show()

    # ---- building

    def _set_part(self, part: InputPart) -> None:
        title, text = _TITLES[self._asks]
        card = Card(title(), text())
        card.setFixedWidth(INPUT_WIDTH)
        card.add(part)
        self._left.replaceWidget(self.card, card)
        self.card.setParent(None)
        self.card.deleteLater()
        self.card, self.part = card, part
        part.asked.connect(lambda asked: self._ask(*asked))
        part.file_asked.connect(self._read_file)

    def _offer_files(self, part: FileInput, choice: ModelChoice) -> None:
        """Files of held-out rows, once they are read; none when the data is gone."""
        part.offer([])
        self._offering = self._ctx.tasks.run(
            partial(_held_out, self._ctx.services, choice), self._offer, lambda _problem: None
        )

    def stop_offering(self) -> None:
        """Another model is chosen, or the page goes: files that are still read are not wanted."""
        if self._offering is not None:
            self._offering.abandon()
            self._offering = None

    def _offer(self, files: list[Path]) -> None:
        self._offering = None
        if isinstance(self.part, FileInput):
            self.part.offer(files)
            self._show_allowed()

    # ---- what the user does

    def _ask(self, inputs: list[dict[str, Any]], shown: list[str]) -> None:
        if self.session.can_ask():
            self.session.ask(self._asks, inputs, shown)

    def _read_file(self, file: Path) -> None:
        asks = self._asks

        def take(found: list[dict[str, Any]]) -> None:
            inputs, shown = inputs_from(found, asks)
            if inputs:
                self._ask(inputs, shown)
            else:
                text = _("{file} has nothing that this model can be asked.").format(file=file.name)
                self._ctx.notices.info(text)

        self._ctx.tasks.run(lambda: read_inputs(file), take, label=_("Reading the file"))

    def _save(self, batch: Batch) -> None:
        chosen, _filter = QFileDialog.getSaveFileName(self, _("Save the answers"), "answers.csv", "*.csv")
        if chosen:
            self.save_answers(batch, Path(chosen))

    def save_answers(self, batch: Batch, path: Path) -> None:
        """Write a batch's answers as CSV, one file for each model."""
        done = [answers for answers in batch.answers if answers.result is not None]

        def write() -> None:
            for place, answers in enumerate(done):
                target = path if place == 0 else path.with_stem(f"{path.stem}-{place + 1}")
                write_atomically(target, _csv(batch.shown, answers))

        self._ctx.tasks.run(
            write, lambda _done: self._ctx.notices.success(_("Answers saved: {file}").format(file=path.name)),
            label=_("Saving the answers"),
        )  # fmt: skip

    def _save_picture(self, path: str) -> None:
        chosen, _filter = QFileDialog.getSaveFileName(self, _("Save the picture"), Path(path).name, "*.png")
        if chosen:
            self._ctx.tasks.run(
                lambda: shutil.copyfile(path, chosen),
                lambda _done: self._ctx.notices.success(_("Picture saved: {file}").format(file=Path(chosen).name)),
            )  # fmt: skip

    def _correct(self, batch: Batch, answers: Answers, number: int, right: str) -> None:
        item = FeedbackItem(
            answers.run_id, answers.product_id or self._ctx.navigator.current_product_id, answers.model_name,
            batch.shown[number] if batch.asks == "text" else str(batch.inputs[number].get(batch.asks, "")),
            prediction_words(answers.predictions()[number]), Reaction.CORRECTION, right,
        )  # fmt: skip

        def kept(_result: object) -> None:
            answers.corrections[number] = right
            self._on_changed(batch)

        feedback = self._ctx.services.feedback
        self._ctx.tasks.run(lambda: feedback.add(item), kept)

    # ---- what the session tells

    def _on_batch(self, batch: Batch) -> None:
        view = self._views[id(batch)] = BatchView(batch, self._thumbnails)
        view.save_asked.connect(self._save)
        view.corrected.connect(lambda said: self._correct(batch, *said))
        view.picture_asked.connect(self._save_picture)
        self._empty.hide()
        self._answers.body.insertWidget(0, view)  # the newest first
        self._answers.verticalScrollBar().setValue(0)

    def _on_changed(self, batch: Batch) -> None:
        if id(batch) in self._views:
            self._views[id(batch)].show_state()

    def _on_busy(self, busy: bool) -> None:
        if not busy and self._progress is not None:
            self._progress.setParent(None)
            self._progress.deleteLater()
            self._progress = None
        self._show_allowed()

    def _on_progress(self, event: Progress) -> None:
        if self._progress is None:
            self._progress = ProgressPanel(_("Answering…"), self.session.stop)
            self.card.add(self._progress)
        self._progress.set_progress(event.done, event.total, eta_s=event.eta_s)

    def _show_allowed(self) -> None:
        self.part.set_allowed(self.session.can_ask())


def _held_out(services: Services, choice: ModelChoice) -> list[Path]:
    """A few pictures or recordings that the model did not learn from, where its data is still there."""
    datasets = services.datasets
    path_of = datasets.image_path if choice.asks == "image" else datasets.recording_path
    rows = [
        row
        for split in (Split.TEST, Split.VALIDATION)
        for row in datasets.page(choice.dataset_id, 0, MOST_SUGGESTIONS, split)
    ]
    return [path_of(row[choice.asks]) for row in rows[:MOST_SUGGESTIONS]]


def _csv(shown: Sequence[str], answers: Answers) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(prediction_rows(shown, answers.predictions()))
    return "\ufeff" + text.getvalue()  # spreadsheets take it for UTF-8 by this mark
