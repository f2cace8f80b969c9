"""Fetch a dataset from a hub: which one, from which host; nothing before consent."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.progress import show_event
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    DropDown,
    FormRow,
    PrimaryButton,
    ProgressPanel,
    SecondaryButton,
    SectionTitle,
)
from studio.i18n import N_, _
from studio.protocol.events import Event

_WIDTH: Final = 520
_HUBS: Final = {
    "huggingface": ("Hugging Face", "huggingface.co"),
    "modelscope": ("ModelScope", "modelscope.cn"),
}
_MIRROR: Final = N_("Hugging Face mirror")


class HubDialog(QDialog):
    """``fetched`` carries the ImportSpec of what was fetched."""

    fetched = Signal(object)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._job = ChildJob(ctx, self)
        self.setWindowTitle(_("Data from a hub"))
        self.setMinimumWidth(_WIDTH)
        self.hub = DropDown()
        self.repository = QLineEdit()
        self.repository.setPlaceholderText(_("owner/name"))
        self.consent = BodyText(tone="muted")
        self.problem = ProblemLine()
        self.progress = ProgressPanel("", self._job.cancel)
        self.close_button = SecondaryButton(_("Close"), self.reject)
        self.get = PrimaryButton("", self._on_get, icon="download")
        self.get.setDefault(True)
        self._build()
        self._job.told.connect(self._on_event)
        self._job.done.connect(self._on_done)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self._show_state)
        self.hub.currentIndexChanged.connect(lambda _index: self._show_state())
        self.repository.textChanged.connect(lambda _text: self._show_state())
        self._show_state()
        self.repository.setFocus()

    def reject(self) -> None:
        self._job.abandon()
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._job.abandon()
        super().closeEvent(event)

    def host(self) -> str:
        """The host that would be contacted."""
        if self.hub.currentData() == "mirror":
            address = self._ctx.services.settings.current.hub_mirror
            return urlsplit(address).netloc or address
        return _HUBS[self.hub.currentData()][1]

    def _build(self) -> None:
        space = current_tokens().space
        settings = self._ctx.services.settings.current
        for key, (name, _host) in _HUBS.items():
            self.hub.addItem(name, key)
        if settings.hub_mirror:
            self.hub.addItem(_(_MIRROR), "mirror")
        self.hub.setCurrentIndex(max(self.hub.findData(settings.hub), 0))
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.l)
        column.addWidget(SectionTitle(_("Data from a hub")))
        fields = QHBoxLayout()
        fields.setSpacing(space.l)
        fields.addWidget(FormRow(_("Hub"), self.hub), 2)
        fields.addWidget(FormRow(_("Name of the dataset"), self.repository), 3)
        column.addLayout(fields)
        for part in (self.consent, self.problem, self.progress):
            column.addWidget(part)
        column.addStretch(1)
        feet = QHBoxLayout()
        feet.setSpacing(space.s)
        feet.addWidget(Caption(_("Your data never leaves this computer.")), 1)
        feet.addWidget(self.close_button)
        feet.addWidget(self.get)
        column.addLayout(feet)

    def _show_state(self) -> None:
        running, allowed = self._job.running(), self._ctx.services.settings.current.hub_consent
        if allowed:
            text = _("The files of this dataset are fetched from {host}; nothing else is contacted.")
        else:
            text = _("Nothing was downloaded so far. If you agree, the files are fetched from {host}.")
        self.consent.setText(text.format(host=self.host()))
        self.get.setText(_("Download") if allowed else _("Allow and download"))
        self.get.setEnabled(bool(self.repository.text().strip()) and not running)
        self.progress.setVisible(running)
        self.hub.setEnabled(not running)
        self.repository.setEnabled(not running)

    def _on_get(self) -> None:
        settings = self._ctx.services.settings
        if not settings.current.hub_consent:
            settings.update(hub_consent=True)
        self.problem.clear()
        repository, hub = self.repository.text().strip(), self.hub.currentData()
        endpoint = settings.current.hub_mirror if hub == "mirror" else None
        datasets = self._ctx.services.datasets
        self.progress.set_label(_("Fetching {name}…").format(name=repository))
        self.progress.set_progress(0)
        self._job.start(
            lambda hear, cancel: datasets.fetch(repository, hub, endpoint, hear, cancel), _("Fetching data")
        )
        self._show_state()

    def _on_event(self, event: Event) -> None:
        show_event(self.progress, event)

    def _on_done(self, spec: object) -> None:
        self.fetched.emit(spec)
        self.accept()

    def _on_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)
        self._show_state()
