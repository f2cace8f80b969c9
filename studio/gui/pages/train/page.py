"""The Train page: cards of choices at the left, what the run will take at the right, and Start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.architectures import Architecture, Method
from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion
from studio.domain.runs import Proposal, Run, RunPlan
from studio.domain.specs import Preset, TrainSpec
from studio.domain.task_fit import unfit_words
from studio.gui.context import GuiContext
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.train.base_card import BaseModelCard
from studio.gui.pages.train.choices import Choices, Shelf
from studio.gui.pages.train.data_card import DataCard
from studio.gui.pages.train.get_model import GetModelDialog
from studio.gui.pages.train.kind_card import KindCard
from studio.gui.pages.train.measuring import Measuring
from studio.gui.pages.train.method_card import LimitsCard, MethodCard
from studio.gui.pages.train.placement_card import PlacementCard
from studio.gui.pages.train.preview_card import RunPreviewCard
from studio.gui.pages.train.shelf import read_shelf, settled
from studio.gui.theme import current_tokens
from studio.gui.widgets import Divider, PageHeader, ScrollPage, SegmentedControl
from studio.i18n import _
from studio.services.changes import Changes

PREVIEW_WIDTH = 376


class TrainPage(Page):
    """``navigator.go("train", dataset_id=…, from_run=…)`` fills in a dataset, or all choices of an earlier
    run.
    """

    page_id: ClassVar[str] = "train"
    icon: ClassVar[str] = "train"
    interests = Changes.DATASETS | Changes.MODELS | Changes.MATRIX | Changes.RUNS

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__(ctx)
        self.choices = Choices()
        self.shelf = Shelf()
        self._preset = Preset.BALANCED
        self._wishes: dict[str, Any] = {}
        self._starting = False
        self.measuring = Measuring(ctx, self)
        self.level = SegmentedControl([("simple", _("Simple")), ("advanced", _("Advanced"))])
        self.level.setAccessibleName(_("How many settings to show"))
        self.data = DataCard()
        self.kind = KindCard()
        self.base = BaseModelCard(ctx)
        self.method = MethodCard()
        self.limits = LimitsCard()
        self.placement = PlacementCard()
        self.preview = RunPreviewCard(ctx)
        self._build()
        self._connect()
        self._show()

    def title(self) -> str:
        return _("Train")

    def enter(self, **arguments: Any) -> None:
        self._wishes |= arguments
        self._load()

    def leave(self) -> None:
        self.measuring.leave()

    def refresh(self, changes: Changes) -> None:
        self._load()

    def palette_actions(self) -> list[PaletteAction]:
        return [
            PaletteAction("train.measure", _("Measure the run"), "", self._measure),
            PaletteAction("train.start", _("Start training"), "Ctrl+Return", self._on_start),
        ]

    def state(self) -> dict[str, Any]:
        return {"choices": self.choices, "level": self.level.current(), "name": self.preview.name.text(),
                "measured": self.measuring.state()}  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self.choices = state["choices"]
        self.measuring.restore(state["measured"])
        self.preview.name.setText(state["name"])
        self.level.choose(state["level"])
        self._show()

    def dispose(self) -> None:
        self.measuring.dispose()
        self.base.dispose()
        self.preview.batch.dispose()
        self.ctx.navigator.product_changed.disconnect(self._on_product)

    def _build(self) -> None:
        space = current_tokens().space
        left = ScrollPage()
        left.add(PageHeader(_("Train"), _("Teach a model your data, on this computer."), self.level))
        for card in (self.data, self.kind, self.base, self.method, self.limits, self.placement):
            left.add(card)
        left.body.addStretch(1)
        right = ScrollPage(margin=0)
        right.body.setContentsMargins(space.s, space.xl, space.xl, space.l)
        right.add(self.preview)
        right.body.addStretch(1)
        self.preview.foot.setContentsMargins(space.s, space.m, space.xl, space.l)
        side = QWidget()
        side.setFixedWidth(PREVIEW_WIDTH + space.xxl)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(right, 1)
        column.addWidget(Divider())
        column.addWidget(self.preview.foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left, 1)
        row.addWidget(side)
        self._left = left

    def _connect(self) -> None:
        self.level.changed.connect(self._on_level)
        self.kind.chosen.connect(self._on_kind)
        self.base.chosen.connect(self._on_base)
        self.base.hub_asked.connect(self._on_hub)
        self.data.chosen.connect(self._on_data)
        self.data.import_asked.connect(lambda: self.ctx.navigator.go("data"))
        self.method.preset_chosen.connect(self._on_preset)
        self.method.method_chosen.connect(self._on_method)
        self.method.edited.connect(self._on_edited)
        self.limits.form.edited.connect(self._on_edited)
        self.placement.edited.connect(lambda place: self._choose(placement=place))
        for part in (self.method, self.limits.form, self.placement):
            part.validity_changed.connect(lambda _valid: self._on_validity())
        self.preview.measure_asked.connect(self._measure)
        self.preview.cancel_asked.connect(self.measuring.cancel)
        self.preview.start_asked.connect(self._on_start)
        self.preview.repeat_asked.connect(self._on_repeat)
        self.preview.proposal_taken.connect(self._on_proposal)
        self.measuring.told.connect(self.preview.take_event)
        self.measuring.begun.connect(self._on_begun)
        self.measuring.ended.connect(self._on_ended)
        self.ctx.navigator.product_changed.connect(self._on_product)

    # What there is to choose from

    def _load(self) -> None:
        product = self.ctx.navigator.current_product_id
        matrix = self.ctx.navigator.current_matrix_id
        wishes, self._wishes = self._wishes, {}
        self.ctx.tasks.run(partial(self._read, matrix, product, wishes), self._take)

    def _read(
        self, matrix_id: str | None, product_id: str | None, wishes: dict[str, Any]
    ) -> tuple[Shelf, dict[str, Any]]:
        services = self.ctx.services
        if "from_run" in wishes:
            wishes = {**wishes, "plan": services.runs.get(wishes["from_run"]).plan}
        return read_shelf(services, matrix_id, product_id), wishes

    def _take(self, read: tuple[Shelf, dict[str, Any]]) -> None:
        self.shelf, wishes = read
        self.choices = settled(
            self.choices, self.shelf, wishes.get("dataset_id"), wishes.get("plan"),
            product_changed=wishes.get("product_changed", False),
        )  # fmt: skip
        self.base.show_shelf(self.shelf, self.choices)
        self.data.show_shelf(self.shelf, self.choices)
        self._show()
        self._measure_once()

    # Choices of the user

    def _choose(self, **changed: Any) -> None:
        self.choices = replace(self.choices, **changed)
        self._show()
        self._measure_once()

    def _on_data(self, dataset: DatasetVersion) -> None:
        """Data of another kind brings the kind of model that is advised for it."""
        self.choices = self.choices.with_dataset(dataset).fitted(self.shelf.models)
        self._choose()

    def _on_kind(self, kind: Architecture) -> None:
        preset = self.choices.preset() or self._preset
        self.choices = self.choices.with_preset(preset, None, kind).fitted(self.shelf.models)
        self._choose(valid=True)

    def _on_proposal(self, proposal: Proposal) -> None:
        """Take what fits, and measure whether it does."""
        self.choices = self.choices.changed(proposal.changes).fitted(self.shelf.models)
        self._show()
        self._measure()

    def _on_base(self, model: BaseModelInfo) -> None:
        self._choose(base=model)
        if all(known.path != model.path for known in self.shelf.models):
            self._load()

    def _on_preset(self, preset: Preset) -> None:
        self._preset = preset
        self.choices = self.choices.with_preset(preset, self.choices.spec.method)
        self._choose(valid=True)

    def _on_method(self, method: Method) -> None:
        self.choices = self.choices.with_preset(self.choices.preset() or self._preset, method)
        self._choose(valid=True)

    def _on_edited(self, fields: dict[str, Any]) -> None:
        spec = TrainSpec.model_validate(self.choices.spec.model_dump() | fields)
        self._choose(spec=spec)

    def _on_validity(self) -> None:
        parts = (self.method.is_valid(), self.limits.form.form.is_valid(), self.placement.form.is_valid())
        self._choose(valid=all(parts))

    def _on_level(self, level: str) -> None:
        self.method.level = self.limits.level = self.placement.level = level
        self._show()

    def _on_product(self, _product_id: str | None) -> None:
        self._wishes["product_changed"] = True
        if self.isVisible():
            self._load()

    def _on_hub(self, language: str) -> None:
        there = {model.id for model in self.shelf.models}
        kind = self.choices.spec.architecture
        entries = [
            entry for entry in self.shelf.catalogue
            if entry.id not in there and entry.kind is kind and (not language or language in entry.languages)
        ]  # fmt: skip
        dialog = GetModelDialog(self.ctx, entries, self)
        dialog.fetched.connect(self._on_base)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self) -> None:
        choices, training = self.choices, self.shelf.training
        self.measuring.keep_to(choices)
        self.data.show_choices(choices)
        self.kind.show_choices(choices)
        self.base.show_choices(choices)
        self.method.show_choices(choices)
        self.limits.show_choices(choices)
        self.placement.show_choices(choices)
        self.preview.show_state(choices, self.measuring.estimate(choices), training=training)

    # Measuring

    def _measure_once(self) -> None:
        """Measure by itself, once: when all is chosen, nothing trains, and the user is here."""
        if self.isVisible() and not self.shelf.training and self.measuring.wanted(self.choices):
            self._measure()

    def _measure(self) -> None:
        self.measuring.start(self.choices, self.ctx.navigator.current_product_id)

    def _on_begun(self) -> None:
        self.preview.begin_measuring()
        self._show()

    def _on_ended(self) -> None:
        self.preview.end_measuring()
        self._show()

    # Starting

    def _on_start(self) -> None:
        missing = self.choices.missing()
        if missing is not None:
            self._go_to(missing)
        elif not self._starting and self.preview.start.isEnabled():
            self._start()

    def _go_to(self, missing: str) -> None:
        if missing == "data" and not self.shelf.datasets:
            self.ctx.navigator.go("data")
            return
        buttons = self.base.buttons()
        target: QWidget = self.data.combo if missing == "data" else self.method
        if missing == "base":
            target = buttons[0] if buttons else self.base.hub
        self._left.ensureWidgetVisible(target)
        target.setFocus()

    def _start(self) -> None:
        self._starting = True
        self.preview.start.setEnabled(False)
        self.measuring.abandon()
        runs, product = self.ctx.services.runs, self.ctx.navigator.current_product_id
        estimate = self.measuring.estimate(self.choices)
        make_plan = self._planner()

        def work() -> Run:
            run = runs.enqueue(make_plan(), product, estimate)
            runs.start_next()
            return run

        self.ctx.tasks.run(
            work, partial(self._on_started, product), self._on_start_failed, _("Starting the run")
        )

    def _planner(self) -> Callable[[], RunPlan]:
        """Makes the plan of what is chosen now; to be called in a thread."""
        choices, dataset = self.choices, self.choices.dataset
        assert dataset is not None
        return partial(
            self.ctx.services.runs.plan, self.ctx.navigator.current_product_id, dataset.id,
            None if choices.from_scratch else choices.base, choices.spec,
            self.preview.name.text() or None, choices.placement,
        )  # fmt: skip

    def _on_repeat(self, view: str) -> None:
        """Begin a search or folds with what is chosen; ``view``: of the Runs page."""
        missing = self.choices.missing()
        if missing is not None:
            self._go_to(missing)
            return
        estimate = self.measuring.estimate(self.choices)
        seconds = estimate.seconds if estimate is not None else None
        self.ctx.tasks.run(
            self._planner(),
            lambda plan: self.ctx.navigator.go("runs", view=view, plan=plan, seconds=seconds),
        )

    def _on_started(self, product: str | None, run: Run) -> None:
        self._starting = False
        self.preview.name.clear()
        if product is not None and run.product_id is None:
            self.ctx.notices.info(unfit_words(run.name))
        self.ctx.navigator.go("runs", run_id=run.id)

    def _on_start_failed(self, problem: Exception) -> None:
        self._starting = False
        self.ctx.notices.error_from(problem)
        self._show()
