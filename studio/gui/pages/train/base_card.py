"""Which model the training starts from: those on this computer, and ways to add more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.architectures import Architecture, needs_base
from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.models.runs_words import count_words, phase_words
from studio.gui.pages.train.choice import ChoiceCard
from studio.gui.pages.train.choices import Choices, Shelf
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, GhostButton, IconLabel, LinkButton, ProgressPanel
from studio.i18n import N_, _, ngettext
from studio.protocol.events import Event, Phase, Progress
from studio.words import listed, size_words

_LANGUAGES = {"en": N_("English"), "zh": N_("Chinese")}


class BaseModelCard(Card):
    """``chosen`` carries a BaseModelInfo; ``hub_asked`` the language wanted ("" = any); ``added`` a new
    model.
    """

    chosen = Signal(object)
    hub_asked = Signal(str)

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__(
            _("Base model"),
            _("The model that your data is taught to. Bigger ones know more and take longer."),
        )
        self._ctx = ctx
        self._shelf = Shelf()
        self._models: list[BaseModelInfo] = []  # those listed: of the kind that is wanted
        self._kind: Architecture | None = None
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(lambda number: self.chosen.emit(self._models[number]))
        self._job = ChildJob(ctx, self)
        self._list = QWidget()
        self._rows = QVBoxLayout(self._list)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(current_tokens().space.s)
        self.add(self._list)
        self.none_needed = BodyText(
            _("None is needed: a new small model is made from scratch and knows only your data."),
            tone="muted",
        )
        self.none_needed.hide()
        self.add(self.none_needed)
        self.none_here = BodyText(
            _(
                "There is none of this kind on this computer yet. Get one from a hub, or choose another kind of model."
            ),
            tone="muted",
        )
        self.none_here.hide()
        self.add(self.none_here)
        self.warning = _Warning()
        self.warning.offer.clicked.connect(self._on_offer)
        self.add(self.warning)
        self._progress: ProgressPanel | None = None
        self._offered: BaseModelInfo | None = None
        self.add(self._build_foot())
        self._job.told.connect(self._on_event)
        self._job.done.connect(self._on_added)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self._hide_progress)

    def buttons(self) -> list[ChoiceCard]:
        """The models' cards, in the order of the list."""
        return [button for button in self._group.buttons() if isinstance(button, ChoiceCard)]

    def show_shelf(self, shelf: Shelf, choices: Choices) -> None:
        """List the models that are there."""
        self._shelf, self._kind = shelf, None
        self.show_choices(choices)

    def show_choices(self, choices: Choices) -> None:
        """Mark the chosen model, and warn when it does not know the language of the data."""
        kind, scratch = choices.spec.architecture, choices.from_scratch
        if kind is not self._kind:
            self._list_models(kind)
        for number, model in enumerate(self._models):
            chosen = choices.base is not None and model.path == choices.base.path
            self._group.button(number).setChecked(chosen)
        self._list.setVisible(not scratch and bool(self._models))
        self.none_here.setVisible(not scratch and not self._models)
        self._foot.setVisible(not scratch)
        self.gguf.setVisible(kind is Architecture.LANGUAGE_MODEL)
        self.none_needed.setVisible(scratch)
        self.setVisible(any(needs_base(kind, method) for method in choices.methods()))
        self._show_warning(None if scratch else choices.base, choices.dataset)

    def _list_models(self, kind: Architecture) -> None:
        self._kind = kind
        for button in self.buttons():
            self._group.removeButton(button)
            button.setParent(None)
            button.deleteLater()
        self._models = [model for model in self._shelf.models if model.serves(kind)]
        memory = {entry.id: entry.memory_bytes for entry in self._shelf.catalogue}
        for number, model in enumerate(self._models):
            button = ChoiceCard(model.name, *_model_words(model, memory.get(model.id)))
            self._group.addButton(button, number)
            self._rows.addWidget(button)

    def dispose(self) -> None:
        """Stop what runs."""
        self._job.abandon()

    def add_folder(self, folder: Path) -> None:
        """Use a model folder from now on."""
        models = self._ctx.services.models
        self._ctx.tasks.run(lambda: models.register_folder(folder), self._on_added)

    def add_gguf(self, file: Path) -> None:
        """Convert a GGUF file, with progress and cancel."""
        models = self._ctx.services.models
        self._progress = ProgressPanel(_("Converting {file}…").format(file=file.name), self._job.cancel)
        self.body.insertWidget(self.body.count() - 1, self._progress)
        self._job.start(
            lambda hear, cancel: models.register_gguf(file, hear, cancel), _("Converting a base model")
        )

    def _build_foot(self) -> QWidget:
        self._foot = QWidget()
        row = QHBoxLayout(self._foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.s)
        self.folder = GhostButton(_("Add folder…"), self._ask_folder)
        self.gguf = GhostButton(_("Add GGUF file…"), self._ask_gguf)
        self.hub = GhostButton(_("Get from hub…"), lambda: self.hub_asked.emit(""))
        for button, name in ((self.folder, "folder"), (self.gguf, "file"), (self.hub, "download")):
            button.set_icon(name)
            row.addWidget(button)
        row.addStretch(1)
        return self._foot

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, _("Folder with a Hugging Face model"))
        if chosen:
            self.add_folder(Path(chosen))

    def _ask_gguf(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(self, _("GGUF file"), "", "GGUF (*.gguf)")
        if chosen:
            self.add_gguf(Path(chosen))

    def _show_warning(self, base: BaseModelInfo | None, dataset: DatasetVersion | None) -> None:
        text = self._ctx.services.models.language_warning(base, dataset) if base and dataset else None
        self.warning.text.setText(text or "")
        self.warning.setVisible(bool(text))
        self._offered = next((model for model in self._models if "zh" in model.languages), None)
        self.warning.offer.setText(
            _("Use {name}").format(name=self._offered.name)
            if self._offered
            else _("Show base models that know Chinese")
        )

    def _on_offer(self) -> None:
        if self._offered is not None:
            self.chosen.emit(self._offered)
        else:
            self.hub_asked.emit("zh")

    def _on_event(self, event: Event) -> None:
        if self._progress is None:
            return
        if isinstance(event, Phase):
            self._progress.set_label(phase_words(event.name))
        elif isinstance(event, Progress):
            self._progress.set_progress(event.done, event.total, eta_s=event.eta_s)

    def _on_added(self, model: BaseModelInfo) -> None:
        self._hide_progress()
        self._ctx.notices.success(_("{name} can be used now.").format(name=model.name))
        self.chosen.emit(model)

    def _on_failed(self, problem: Exception) -> None:
        self._hide_progress()
        self._ctx.notices.error_from(problem)

    def _hide_progress(self) -> None:
        if self._progress is not None:
            self._progress.deleteLater()
            self._progress = None


class _Warning(QWidget):
    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.s)
        self.text = Caption(tone="warning")
        self.offer = LinkButton("")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.text)
        foot = QHBoxLayout()
        foot.addWidget(self.offer)
        foot.addStretch(1)
        words.addLayout(foot)
        row.addWidget(IconLabel("warning", "warning", 20))
        row.addLayout(words, 1)
        self.hide()


def language_words(codes: Sequence[str]) -> str:
    """The languages that matter here by name, the others by number, e.g. "Chinese, English and 11 more"."""
    names = listed(_(_LANGUAGES[code]) for code in codes if code in _LANGUAGES)
    others = sum(code not in _LANGUAGES for code in codes)
    if not others or not names:
        return names or listed(codes)
    return ngettext("{languages} and {n} more", "{languages} and {n} more", others).format(
        languages=names, n=others
    )


def _model_words(model: BaseModelInfo, memory_bytes: int | None) -> tuple[str, str]:
    facts = [
        _("{count} parameters").format(count=count_words(model.parameters)),
        size_words(model.size_bytes),
    ]
    if model.languages:
        facts.append(language_words(model.languages))
    if model.licence:
        facts.append(model.licence)
    memory = (
        _("Needs about {size} of memory to train").format(size=size_words(memory_bytes))
        if memory_bytes
        else ""
    )
    return "  ·  ".join(facts), memory
