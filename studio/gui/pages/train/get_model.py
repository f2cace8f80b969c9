"""Fetch a base model from a hub: which, how large, under which licence; nothing before consent."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.basemodels import CatalogueEntry
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.models.runs_words import count_words, phase_words
from studio.gui.pages.train.base_card import language_words
from studio.gui.pages.train.choice import ChoiceCard
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    PrimaryButton,
    ProgressPanel,
    ScrollPage,
    SecondaryButton,
    SectionTitle,
)
from studio.i18n import _
from studio.protocol.events import Event, Phase, Progress
from studio.words import size_words

_SIZE = (600, 620)
_HUBS = {"huggingface": "Hugging Face", "mirror": "Hugging Face (mirror)", "modelscope": "ModelScope"}


class GetModelDialog(QDialog):
    """``fetched`` carries the new BaseModelInfo."""

    fetched = Signal(object)

    def __init__(
        self, ctx: GuiContext, entries: Sequence[CatalogueEntry], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._entries = list(entries)
        self._job = ChildJob(ctx, self)
        self._progress: ProgressPanel | None = None
        self.setWindowTitle(_("Get a base model"))
        self.resize(*_SIZE)
        space = current_tokens().space
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        self._column.setSpacing(space.m)
        self._column.addWidget(SectionTitle(_("Get a base model")))
        self.consent = BodyText(tone="muted")
        self._column.addWidget(self.consent)
        self._group = QButtonGroup(self)
        self._column.addWidget(self._build_list(), 1)
        self._column.addLayout(self._build_foot())
        self._group.idClicked.connect(lambda _number: self._show_consent())
        self._job.told.connect(self._on_event)
        self._job.done.connect(self._on_done)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self._end_progress)
        self._show_consent()

    def buttons(self) -> list[ChoiceCard]:
        """The models' cards."""
        return [button for button in self._group.buttons() if isinstance(button, ChoiceCard)]

    def reject(self) -> None:
        self._job.abandon()
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._job.abandon()
        super().closeEvent(event)

    def _build_list(self) -> QWidget:
        page = ScrollPage(margin=0)
        page.body.setSpacing(current_tokens().space.s)
        for number, entry in enumerate(self._entries):
            facts = "  ·  ".join(
                (
                    _("{size} to fetch").format(size=size_words(entry.download_bytes)),
                    _("{count} parameters").format(count=count_words(entry.parameters)),
                    language_words(entry.languages),
                    entry.licence,
                )
            )
            button = ChoiceCard(entry.name, _(entry.summary), facts)
            self._group.addButton(button, number)
            page.add(button)
        if not self._entries:
            page.add(BodyText(_("All models of the catalogue are on this computer already."), tone="muted"))
        page.body.addStretch(1)
        return page

    def _build_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.s)
        self.note = Caption(_("Your data never leaves this computer."))
        self.close_button = SecondaryButton(_("Close"), self.reject)
        self.get = PrimaryButton("", self._on_get)
        row.addWidget(self.note, 1)
        row.addWidget(self.close_button)
        row.addWidget(self.get)
        return row

    def _show_consent(self) -> None:
        settings = self._ctx.services.settings.current
        hub = settings.hub_mirror if settings.hub == "mirror" and settings.hub_mirror else _HUBS[settings.hub]
        if settings.hub_consent:
            self.consent.setText(_("Models are fetched from {hub}.").format(hub=hub))
        else:
            text = _("Nothing was downloaded so far. If you agree, the chosen model is fetched from {hub}.")
            self.consent.setText(text.format(hub=hub))
        self.get.setText(_("Download") if settings.hub_consent else _("Allow and download"))
        self.get.setEnabled(self._group.checkedId() >= 0 and not self._job.running())

    def _on_get(self) -> None:
        entry = self._entries[self._group.checkedId()]
        if not self._ctx.services.settings.current.hub_consent:
            self._ctx.services.settings.update(hub_consent=True)
        self._progress = ProgressPanel(_("Fetching {name}…").format(name=entry.name), self._job.cancel)
        self._column.insertWidget(self._column.count() - 1, self._progress)
        models = self._ctx.services.models
        self._job.start(lambda hear, cancel: models.fetch(entry, hear, cancel), _("Fetching a base model"))
        self._show_consent()

    def _on_event(self, event: Event) -> None:
        if self._progress is None:
            return
        if isinstance(event, Phase):
            self._progress.set_label(phase_words(event.name))
        elif isinstance(event, Progress):
            if event.unit == "bytes":
                total = event.total / 2**20 if event.total else None
                rate = f"{event.rate / 2**20:.1f} MB/s" if event.rate else "MB"
                self._progress.set_progress(event.done / 2**20, total, rate=rate, eta_s=event.eta_s)
            else:
                self._progress.set_progress(event.done, event.total, eta_s=event.eta_s)

    def _on_done(self, model: object) -> None:
        self._end_progress()
        self.fetched.emit(model)
        self.accept()

    def _on_failed(self, problem: Exception) -> None:
        self._end_progress()
        self._ctx.notices.error_from(problem)
        self.note.setText(str(problem))
        self.note.set_tone("error")

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.setParent(None)
            self._progress.deleteLater()
            self._progress = None
        self._show_consent()
