"""Texts with a label, several labels or a number, by any of the text models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.domain.shapes import Shape
from studio.engine.loading import load_tokenizer
from studio.engine.models import new_tokenizer
from studio.engine.tasks import goals
from studio.engine.tasks.goals import Goal
from studio.engine.tasks.headed import HeadedTask
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.task import Loaded, Probe, Setting
from studio.engine.tasks.text.dropout import some_hidden
from studio.engine.tasks.text.encoders import adapted, load_encoder, merged
from studio.engine.tasks.text.items import TextBatch, TextItem, collate, encode
from studio.engine.tasks.text.models import EncoderModel, TextSizes, new_text_model
from studio.engine.tasks.text.wide import WideAndDeep
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Log, Phase, PreviewToken


class TextTask(HeadedTask[TextItem, TextBatch]):
    """sizes: of a model from scratch, None for an encoder."""

    validation_work = 60_000  # reading a text once is far cheaper than writing an answer
    held_out_work = 400_000

    def __init__(
        self, model: nn.Module, goal: Goal, tokenizer: Any, setting: Setting, sizes: TextSizes | None
    ) -> None:
        super().__init__(model, goal, setting.device, setting.dtype)
        self.tokenizer, self._spec, self._sizes = tokenizer, setting.plan.spec, sizes
        self._pad_id = int(tokenizer.pad_token_id or 0)
        self._hidden_id = int(tokenizer.bos_token_id or 0)  # stands in no text of a tokenizer of ours

    def collate(self, items: Sequence[TextItem]) -> TextBatch:
        return collate(items, self._pad_id)

    def to_device(self, batch: TextBatch) -> TextBatch:
        return batch.to(self._device)

    def outputs(self, batch: TextBatch) -> Tensor:
        outputs: Tensor = self.model(self._shown(batch), batch.mask)
        return outputs

    def loss(self, batch: TextBatch) -> Tensor:
        """Of the network, of the linear model beside it and of both together: neither rests while the other learns."""
        if not isinstance(self.model, WideAndDeep):
            return super().loss(batch)
        with self._autocast():
            deep, wide = self.model.parts(self._shown(batch), batch.ids, batch.mask)
        said = (deep, wide, (deep + wide) / 2)
        return torch.stack([self.goal.losses(each, batch.targets).mean() for each in said]).mean()

    def _shown(self, batch: TextBatch) -> Tensor:
        """The ids as a network sees them: with some hidden while a new one learns."""
        if not self.model.training or self._sizes is None:
            return batch.ids
        return some_hidden(batch.ids, self._spec.word_dropout, self._hidden_id)

    def probe(self, prompt: str) -> Probe | None:
        item = _items(self.tokenizer, [prompt], self._spec.max_length)[0]
        return Probe(self.goal.predictions(self.outputs_of([item]))[0].words())

    def preview(self, items: Sequence[TextItem]) -> list[list[PreviewToken]]:
        shown = []
        for item in items:
            said = self.goal.predictions(_certain(self.goal, item.target))[0]
            answer = said.words() if said.number is not None else ", ".join(said.chosen) or "–"
            text = self.tokenizer.decode(item.ids.tolist(), skip_special_tokens=False)
            shown.append(
                [PreviewToken(text=text, trained=False), PreviewToken(text=f" → {answer}", trained=True)]
            )
        return shown

    def save(self, folder: Path) -> None:
        model = self.model
        document: dict[str, Any] = {
            "architecture": self._spec.architecture.value, "goal": self.goal.document(),
            "max_length": self._spec.max_length,
        }  # fmt: skip
        if self._sizes is None:
            model = merged(model)
            model.encoder.config.save_pretrained(str(folder))
            document["dropout"] = self._spec.dropout
        else:
            document["sizes"] = self._sizes.document()
        save_weights(model, folder)
        self.tokenizer.save_pretrained(str(folder))
        write_task(folder, document)


def build(setting: Setting) -> Loaded[TextItem, TextBatch]:
    """Read the rows, set the goal and make the model. Raises StudioError (model.*, run.no_rows, run.one_label)."""
    plan = setting.plan
    rows = {split: list(setting.rows(split)) for split in Split}
    setting.control.check()
    if not rows[Split.TRAIN]:
        raise _no_rows()
    goal = _goal(plan, rows[Split.TRAIN])
    tokenizer = _tokenizer(setting, rows[Split.TRAIN])
    setting.emit(Phase(name="tokenising"))
    items = {split: _labelled(setting, tokenizer, goal, rows[split]) for split in Split}
    setting.control.check()
    setting.emit(Phase(name="loading_model"))
    model, sizes = _model(plan, goal, tokenizer)
    if isinstance(model, WideAndDeep):
        model.wide.count(item.ids for item in items[Split.TRAIN])
    task = TextTask(model.to(setting.device), goal, tokenizer, setting, sizes)
    return Loaded(task, items[Split.TRAIN], items[Split.VALIDATION], items[Split.TEST])


def _goal(plan: RunPlan, rows: list[dict[str, Any]]) -> Goal:
    if plan.shape is Shape.TEXT_LABELS:
        return goals.several_labels(rows, plan.spec)
    if plan.shape is Shape.TEXT_NUMBER:
        return goals.number(rows)
    return goals.single_label(rows, plan.spec, plan.class_weights)


def _tokenizer(setting: Setting, rows: list[dict[str, Any]]) -> Any:
    plan = setting.plan
    if plan.spec.architecture is Architecture.ENCODER:
        return load_tokenizer(Path(plan.base_dir or ""))
    texts = (row["text"] for row in rows)
    return new_tokenizer(texts, plan.spec.vocabulary, setting.work_dir / "tokenizer")


def _labelled(setting: Setting, tokenizer: Any, goal: Goal, rows: list[dict[str, Any]]) -> list[TextItem]:
    """Items of the rows whose answer can be known; how many cannot is told."""
    targets = [goal.target(row) for row in rows]
    known = [(row, target) for row, target in zip(rows, targets, strict=True) if target is not None]
    if len(known) < len(rows):
        text = _("{n} rows have a label that no training row has; they are left out.")
        setting.emit(Log(level="warning", message=text.format(n=len(rows) - len(known))))
    encoded = encode(tokenizer, [row["text"] for row, _target in known], setting.plan.spec.max_length)
    return [
        TextItem(row["row"], ids, target, cut)
        for (row, target), (ids, cut) in zip(known, encoded, strict=True)
    ]


def _items(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[TextItem]:
    """Texts without an answer, to be answered."""
    nothing = torch.zeros(())
    return [TextItem(0, ids, nothing, cut) for ids, cut in encode(tokenizer, texts, max_length)]


def _model(plan: RunPlan, goal: Goal, tokenizer: Any) -> tuple[nn.Module, TextSizes | None]:
    spec = plan.spec
    torch.manual_seed(spec.seed)
    if spec.architecture is Architecture.ENCODER:
        encoder = load_encoder(Path(plan.base_dir or ""))
        model = EncoderModel(encoder, encoder.config.hidden_size, goal.size, spec.dropout)
        model.encoder.requires_grad_(spec.method is Method.FULL)
        return (adapted(model, spec) if spec.method is Method.LORA else model), None
    sizes = TextSizes(
        kind=spec.architecture.value, vocabulary=len(tokenizer), width=spec.width, layers=spec.layers,  # type: ignore[arg-type]
        heads=spec.heads, longest=spec.max_length, dropout=spec.dropout, outputs=goal.size, pairs=spec.word_pairs,
    )  # fmt: skip
    return new_text_model(sizes), sizes


def _certain(goal: Goal, target: Tensor) -> Tensor:
    """Outputs that say exactly the target, (1, size): how an answer is put into words."""
    if goal.size == 1 and target.ndim == 0 and target.is_floating_point():
        return target.reshape(1, 1)
    if target.ndim == 0:
        return torch.full((1, goal.size), -50.0).index_fill_(1, target.reshape(1), 50.0)
    return (target.unsqueeze(0) - 0.5) * 100


def _no_rows() -> StudioError:
    return StudioError(
        "run.no_rows", _("No row has anything to learn from."),
        _("Check on the Data page that the training rows have a label."),
    )  # fmt: skip
