"""Continuing text: conversations and plain text by a causal language model (base, adapter, or new)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from studio.domain.architectures import Method
from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.domain.sampling import Sampling
from studio.domain.shapes import Shape
from studio.engine.generate import answer
from studio.engine.kernels.int8 import LEAST_GAIN, MOST_LOSS_CHANGE, RoundedBase, gain
from studio.engine.loading import load_tokenizer
from studio.engine.models import new_model, new_tokenizer, save_model, tuned_model
from studio.engine.tasks.language.batch import Batch, collate
from studio.engine.tasks.language.encoding import Example, encode_rows, ensure_template
from studio.engine.tasks.language.losses import CausalLoss
from studio.engine.tasks.task import LearningTask, Loaded, Probe, Setting
from studio.i18n import _
from studio.protocol.events import Log, Phase, PreviewToken, Progress

PROBE_SAMPLING: Final = Sampling(temperature=0, repetition_penalty=1.1, max_new_tokens=48, seed=0)
PREVIEW_TOKENS: Final = 400
CALIBRATION_ROWS: Final = 4
_PROGRESS_INTERVAL_S: Final = 0.25


class CausalTask(LearningTask[Example, Batch]):
    """Next-token prediction where a token is trained. device, dtype: of the model's matrices."""

    def __init__(self, model: nn.Module, tokenizer: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._device, self._dtype = device, dtype
        self._loss = CausalLoss(model, dtype)
        self._pad_id = pad_id(tokenizer)
        self._base: RoundedBase | None = None

    @property
    def number_format(self) -> str:
        return "int8" if self._base is not None else ""

    def as_answered(self) -> AbstractContextManager[None]:
        return self._base.whole() if self._base is not None else nullcontext()

    def round_base(self, rows: Sequence[Example], *, always: bool) -> float | None:
        """Hold the frozen base in int8, if ``always`` or if that is faster here and as good on these rows.

        Returns the relative change of the base's loss on the rows, None when the base stays as it is.
        """
        if not always and gain(self._dtype) < LEAST_GAIN:
            return None
        batch = self.to_device(self.collate(rows))
        self.model.eval()
        with torch.no_grad():
            base = RoundedBase(self.model, lambda: self.loss(batch))
            before = float(self.loss(batch))
            base.use(True)
            change = float(self.loss(batch)) / before - 1
        self.model.train()
        if not always and not abs(change) <= MOST_LOSS_CHANGE:
            base.use(False)
            return None
        self._base = base
        return change

    def collate(self, items: Sequence[Example]) -> Batch:
        return collate(items, self._pad_id)

    def to_device(self, batch: Batch) -> Batch:
        return batch.to(self._device)

    def loss(self, batch: Batch) -> Tensor:
        return self._loss.mean(batch)

    def row_losses(self, batch: Batch) -> Tensor:
        return self._loss.row_nats(batch)

    def save(self, folder: Path) -> None:
        save_model(self.model, self.tokenizer, folder)

    def probe(self, prompt: str, most_tokens: int = PROBE_SAMPLING.max_new_tokens) -> Probe:
        return answer_probe(self.model, self.tokenizer, prompt, most_tokens)

    def preview(self, items: Sequence[Example]) -> list[list[PreviewToken]]:
        return [preview_tokens(self.tokenizer, item) for item in items]


def build(setting: Setting) -> Loaded[Example, Batch]:
    """Tokenise the rows and load or make the model. Raises StudioError (model.*, run.no_rows)."""
    plan = setting.plan
    tokenizer = _tokenizer(setting)
    setting.emit(Phase(name="tokenising"))
    encode = _Encoder(tokenizer, setting)
    train = encode.rows(Split.TRAIN)
    validation, test = encode.some(Split.VALIDATION), encode.some(Split.TEST)
    setting.emit(Phase(name="loading_model"))
    model = _model(plan, tokenizer, setting.device, setting.dtype)
    task = CausalTask(model, tokenizer, setting.device, setting.dtype)
    _choose_base_format(task, setting, train)
    return Loaded(task, train, validation, test)


def _choose_base_format(task: CausalTask, setting: Setting, train: Sequence[Example]) -> None:
    """Whole numbers for the frozen base of a LoRA run on a processor, where asked for, or faster and as good."""
    spec, resumed = setting.plan.spec, setting.base_format
    wanted = {"float": "", "int8": "int8"}.get(spec.base_format) if resumed is None else resumed
    able = spec.method is Method.LORA and setting.device.type == "cpu" and setting.plan.base_dir is not None
    if not able or wanted == "":
        return
    change = task.round_base(train[:CALIBRATION_ROWS], always=wanted == "int8")
    if change is not None:
        text = _("The frozen base is computed in int8, which is faster here; its loss changes by {share}.")
        setting.emit(Log(level="info", message=text.format(share=f"{change:+.2%}")))


class _Encoder:
    def __init__(self, tokenizer: Any, setting: Setting) -> None:
        self._tokenizer, self._setting = tokenizer, setting
        self._told = time.monotonic()

    def rows(self, split: Split) -> list[Example]:
        """All rows of the split, with progress. Raises StudioError run.no_rows."""
        rows = self._setting.rows(split)
        return encode_rows(self._tokenizer, rows, self._setting.plan.spec.max_length, self._tell)

    def some(self, split: Split) -> list[Example]:
        """The same; a split without rows gives none."""
        rows = list(self._setting.rows(split))
        return encode_rows(self._tokenizer, rows, self._setting.plan.spec.max_length) if rows else []

    def _tell(self, done: int) -> None:
        self._setting.control.check()
        if time.monotonic() - self._told >= _PROGRESS_INTERVAL_S:
            self._told = time.monotonic()
            self._setting.emit(Progress(phase="tokenising", done=done))


def answer_probe(
    model: nn.Module, tokenizer: Any, prompt: str, most_tokens: int = PROBE_SAMPLING.max_new_tokens
) -> Probe:
    """The model's answer to a question, greedily, so that it is the same every time."""
    sampling = PROBE_SAMPLING.model_copy(update={"max_new_tokens": most_tokens})
    said = answer(model, tokenizer, [{"role": "user", "content": prompt}], sampling)
    return Probe(said.text, said.tokens, said.tokens_per_s)


def preview_tokens(tokenizer: Any, example: Example) -> list[PreviewToken]:
    """The example's tokens as text. Neighbours of a kind are joined, so that characters of several tokens show."""
    pieces: list[PreviewToken] = []
    ids, flags = example.ids[:PREVIEW_TOKENS].tolist(), example.trained[:PREVIEW_TOKENS].tolist()
    start = 0
    for end in range(1, len(ids) + 1):
        if end == len(ids) or flags[end] != flags[start]:
            text = tokenizer.decode(ids[start:end], skip_special_tokens=False)
            pieces.append(PreviewToken(text=text, trained=flags[start]))
            start = end
    return pieces


def pad_id(tokenizer: Any) -> int:
    """Any id does: padded positions are never attended to and never trained."""
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0)


def _tokenizer(setting: Setting) -> Any:
    plan = setting.plan
    if plan.spec.method is Method.SCRATCH or plan.base_dir is None:
        texts = _texts(setting.rows(Split.TRAIN))
        tokenizer = new_tokenizer(texts, plan.spec.vocabulary, setting.work_dir / "tokenizer")
    else:
        tokenizer = load_tokenizer(Path(plan.base_dir))
    if plan.shape is Shape.TEXT:
        tokenizer.chat_template = None  # a writer continues the text that it is given
    else:
        ensure_template(tokenizer)
    return tokenizer


def _model(plan: RunPlan, tokenizer: Any, device: torch.device, dtype: torch.dtype) -> nn.Module:
    if plan.spec.method is Method.SCRATCH or plan.base_dir is None:
        torch.manual_seed(plan.spec.seed)
        return new_model(plan.spec, tokenizer).to(device=device)
    return tuned_model(plan, device, dtype)


def _texts(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    for row in rows:
        if "text" in row:
            yield row["text"]
        else:
            yield from (message["content"] for message in row["messages"])
