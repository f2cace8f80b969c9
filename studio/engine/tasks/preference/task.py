"""Tuning a model that answers by judged answers, so that it says more like the better ones and less like the worse."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.shapes import Shape
from studio.engine.batching import by_length
from studio.engine.devices import dtype_name
from studio.engine.loading import LIBRARY_ERRORS, load_tokenizer
from studio.engine.models import save_model, tuned_model
from studio.engine.tasks.language.encoding import ensure_template
from studio.engine.tasks.language.task import PREVIEW_TOKENS, answer_probe, pad_id
from studio.engine.tasks.preference import items as judged
from studio.engine.tasks.preference.items import JudgedBatch, JudgedItem
from studio.engine.tasks.preference.judging import Judging, Pairs, Thumbs
from studio.engine.tasks.preference.losses import AnswerNats, gains
from studio.engine.tasks.preference.reference import Reference
from studio.engine.tasks.task import Check, LearningTask, Loaded, Probe, Setting
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Phase, PreviewToken, Progress

_SAME: Final = {torch.float32: 1e-4, torch.bfloat16: 0.02}  # relative, of two ways to the same nats
_TRIED: Final = 32  # items of which the shortest tries whether questions can be shared
_PROGRESS_INTERVAL_S: Final = 0.25


class JudgedTask(LearningTask[JudgedItem, JudgedBatch]):
    """together: a question stands once before both answers; found out at the start, since not every family can."""

    measure = Measure.PREFERRED
    validation_work = 16_000
    held_out_work = 64_000  # tokens, some hundred pairs: a share needs more rows than a mean of nats

    def __init__(
        self, model: nn.Module, tokenizer: Any, judging: Judging, reference: Reference, setting: Setting
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.together = True
        self._judging, self._reference, self._setting = judging, reference, setting
        self._nats = AnswerNats(model, setting.dtype)
        self._looked: dict[int, tuple[float, float]] = {}  # nats in the last pass without an update after it

    def collate(self, items: Sequence[JudgedItem]) -> JudgedBatch:
        known = self._reference.of([item.row for item in items])
        return judged.collate(items, pad_id(self.tokenizer), together=self.together, reference=known)

    def to_device(self, batch: JudgedBatch) -> JudgedBatch:
        return batch.to(self._setting.device)

    def loss(self, batch: JudgedBatch) -> Tensor:
        self._looked.clear()
        gain = gains(self._nats.of(batch), _known(batch))
        return self._judging.losses(gain, batch.wanted).mean()

    def row_losses(self, batch: JudgedBatch) -> Tensor:
        gain = gains(self._look(batch), _known(batch))
        return self._judging.losses(gain, batch.wanted).double()

    def row_scores(self, batch: JudgedBatch) -> Tensor:
        nats = self._look(batch)
        return self._judging.scores(
            nats.view(-1, 2), gains(nats, _known(batch)), batch.counts.view(-1, 2), batch.wanted
        ).double()

    def metrics(self, items: Sequence[JudgedItem], check: Check) -> dict[str, float]:
        """preferred: the verdict's measure. margin: nats that the model has moved as the rows ask, per row."""
        if not items:
            return {}
        self._look_again([item for item in items if item.row not in self._looked], check)
        nats = torch.tensor([self._looked[item.row] for item in items], dtype=torch.float64)
        known = self._reference.of([item.row for item in items])
        assert known is not None  # begin() asked for all
        gain = gains(nats, known)
        wanted = torch.tensor([item.wanted for item in items])
        counts = torch.tensor([_judged_tokens(item) for item in items])
        scores = self._judging.scores(nats, gain, counts, wanted)
        return {
            "preferred": float(scores.mean()), "margin": float(self._judging.margins(gain, wanted).mean())
        }  # fmt: skip

    def ahead(self, items: Sequence[JudgedItem]) -> None:
        self._ask([items[place] for place in self._reference.missing(item.row for item in items)])

    def begin(self, items: Sequence[JudgedItem]) -> None:
        self._reference.read()
        every = list({item.row: item for item in items}.values())  # held-out rows may be validation rows too
        missing = self._reference.missing(item.row for item in every)
        if missing:
            self._setting.emit(Phase(name="reference"))
            self._ask([every[place] for place in missing])
            self._reference.write()

    def save(self, folder: Path) -> None:
        save_model(self.model, self.tokenizer, folder)

    def probe(self, prompt: str) -> Probe:
        return answer_probe(self.model, self.tokenizer, prompt)

    def preview(self, items: Sequence[JudgedItem]) -> list[list[PreviewToken]]:
        """The question, the judged answer as trained text, and behind it the one that it is compared with."""
        return [self._shown(item) for item in items]

    def _shown(self, item: JudgedItem) -> list[PreviewToken]:
        def text(start: int, end: int) -> str:
            ids = item.ids[start : min(end, start + PREVIEW_TOKENS)].tolist()
            return str(self.tokenizer.decode(ids, skip_special_tokens=False))

        middle = item.shared + item.first
        return [
            PreviewToken(text=text(0, item.shared), trained=False),
            PreviewToken(text=text(item.shared, middle), trained=True),
            PreviewToken(text=" ≠ " + text(middle, item.length), trained=False),
        ]

    def _look(self, batch: JudgedBatch) -> Tensor:
        """(2B,) float64, remembered for the metrics, which are asked for after every pass."""
        nats = self._nats.of(batch).double()
        for row, (first, second) in zip(batch.source_rows, nats.view(-1, 2).tolist(), strict=True):
            self._looked[row] = (first, second)
        return nats

    @torch.no_grad()
    def _look_again(self, items: Sequence[JudgedItem], check: Check) -> None:
        with _evaluating(self.model):
            for places in self._batches(items):
                self._look(self.to_device(self.collate([items[place] for place in places])))
                check()

    @torch.no_grad()
    def _ask(self, items: Sequence[JudgedItem]) -> None:
        """Ask the untrained model: with the adapter off, or whole before its first update."""
        told, done = time.monotonic(), 0
        with _evaluating(self.model), _without_adapter(self.model):
            for places in self._batches(items):
                batch = self.to_device(self.collate([items[place] for place in places]))
                self._reference.put(batch.source_rows, self._nats.of(batch).cpu())
                self._setting.control.check()
                done += len(places)
                if time.monotonic() - told >= _PROGRESS_INTERVAL_S:
                    told = time.monotonic()
                    self._setting.emit(Progress(phase="reference", done=done, total=len(items)))

    def _batches(self, items: Sequence[JudgedItem]) -> list[list[int]]:
        return by_length([item.length for item in items], self._setting.plan.spec.batch_size)

    @torch.no_grad()
    def try_together(self, item: JudgedItem) -> None:
        """Answers have a row of their own from now on where the model gives shared questions other numbers."""
        found = []
        with _evaluating(self.model):
            for self.together in (False, True):
                batch = self.to_device(self.collate([item]))
                try:
                    found.append(self._nats.of(batch))
                except LIBRARY_ERRORS:
                    if not self.together:
                        raise
        alike = len(found) == 2 and torch.allclose(
            found[0], found[1], rtol=_SAME[self._setting.dtype], atol=1e-3
        )
        self.together = alike


def build(setting: Setting) -> Loaded[JudgedItem, JudgedBatch]:
    """Tokenise the rows and load the model. Raises StudioError (model.*, method.*, run.no_rows)."""
    plan = setting.plan
    tokenizer = load_tokenizer(Path(plan.base_dir or ""))
    ensure_template(tokenizer)
    setting.emit(Phase(name="tokenising"))
    encode = judged.pairs if plan.shape is Shape.PREFERENCE else judged.thumbs
    items = {split: encode(tokenizer, setting.rows(split), plan.spec.max_length) for split in Split}
    train = items[Split.TRAIN]
    if not train:
        raise _no_rows()
    setting.control.check()
    setting.emit(Phase(name="loading_model"))
    model = tuned_model(plan, setting.device, setting.dtype)
    beta = plan.spec.preference_beta
    judging = Pairs(beta) if plan.shape is Shape.PREFERENCE else Thumbs(beta, train)
    task = JudgedTask(model, tokenizer, judging, Reference(setting.work_dir, _key(setting)), setting)
    task.try_together(min(train[:_TRIED], key=lambda item: item.length))
    return Loaded(task, train, items[Split.VALIDATION], items[Split.TEST])


def _key(setting: Setting) -> str:
    plan = setting.plan
    told = (
        plan.dataset_sha256,
        plan.base_dir,
        plan.spec.max_length,
        plan.shape.value,
        dtype_name(setting.dtype),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _known(batch: JudgedBatch) -> Tensor:
    assert batch.reference is not None  # begin() or ahead() asked for every item
    return batch.reference


def _judged_tokens(item: JudgedItem) -> tuple[int, int]:
    first = int(item.trained[: item.shared + item.first].sum())
    return first, int(item.trained.sum()) - first


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout off meanwhile."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _without_adapter(model: Any) -> AbstractContextManager[Any]:
    off: AbstractContextManager[Any] = (
        model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext()
    )
    return off


def _no_rows() -> StudioError:
    return StudioError(
        "run.no_rows", _("No row has anything to learn from."),
        _("Check on the Data page that the answers are not empty, and that the longest row is not too short."),
    )  # fmt: skip
