"""The one training loop. Everything that changes between steps is in ``Position``, so a run can go on anywhere."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from studio.domain.specs import TrainSpec
from studio.engine.batching import epoch_batches
from studio.engine.checkpoint import Position
from studio.engine.control import Control, Emit
from studio.engine.devices import memory_used
from studio.engine.optim import learning_rate
from studio.engine.tasks.task import Item, LearningBatch, LearningTask
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Evaluated, Step

StopReason = Literal["finished", "stopped", "early_stopping", "time_limit"]
EVENT_INTERVAL_S = 0.05  # at most 20 step events a second
SPEED_WINDOW = 20  # steps over which speed is averaged


@dataclass(frozen=True)
class Schedule:
    """How long a run is, in updates, and after how many of them it is evaluated."""

    batches_per_epoch: int
    total_steps: int
    eval_every: int


def schedule_for(spec: TrainSpec, rows: int) -> Schedule:
    """The schedule of a run over ``rows`` training examples; the last update may be over fewer batches."""
    batches = math.ceil(rows / spec.batch_size)
    total = max(1, math.ceil(spec.epochs * batches / spec.gradient_accumulation))
    if spec.max_steps is not None:
        total = min(total, spec.max_steps)
    per_epoch = batches / spec.gradient_accumulation
    return Schedule(batches, total, max(1, min(total, round(per_epoch / spec.evals_per_epoch))))


class Trainer:
    """Updates the model's trainable weights until the schedule, the clock, the user or validation says stop.

    evaluate: mean validation loss per target, None without validation rows. metrics: named figures beside it.
    after_evaluation: called with whether this was the best evaluation so far. save: called when it is time to save.
    """

    def __init__(
        self, spec: TrainSpec, task: LearningTask[Any, Any], optimizer: torch.optim.Optimizer,
        items: Sequence[Item], schedule: Schedule, position: Position, *,
        device: torch.device, emit: Emit, control: Control,
        evaluate: Callable[[], float | None], metrics: Callable[[], dict[str, float]],
        after_evaluation: Callable[[bool], None], save: Callable[[], None],
        eval_rows: int,
    ) -> None:  # fmt: skip
        self.position = position
        self._spec, self._task, self._optimizer = spec, task, optimizer
        self._items, self._schedule = items, schedule
        self._lengths = [item.length for item in items]
        self._device, self._emit, self._control = device, emit, control
        self._evaluate, self._after_evaluation, self._save = evaluate, after_evaluation, save
        self._metrics = metrics
        self._eval_rows = eval_rows
        self._parameters = [p for p in task.model.parameters() if p.requires_grad]
        self._batches: list[list[int]] = []
        self._batches_epoch = -1
        self._speed: deque[tuple[int, float]] = deque(maxlen=SPEED_WINDOW)
        self._last_event = -math.inf

    def run(self) -> StopReason:
        """Train from ``position`` on. Raises StudioError ``run.diverged`` before an update that is not finite."""
        self._task.model.train()
        last_save = time.monotonic()
        while self.position.step < self._schedule.total_steps:
            self._control.check()
            if self._control.stop:
                return self._finish("stopped")
            self._step()
            ended = self._evaluate_if_due()
            if ended:
                return ended
            if time.monotonic() - last_save >= self._spec.save_every_s:
                self._save()
                last_save = time.monotonic()
            if self._spec.max_minutes and self.position.elapsed_s >= self._spec.max_minutes * 60:
                return self._finish("time_limit")
        return self._finish("finished")

    def _finish(self, reason: StopReason) -> StopReason:
        """Make sure that the last weights have been tried too, so that the best is chosen among all."""
        evaluated = bool(self.position.evals) and self.position.evals[-1][0] == self.position.step
        if self.position.step and not evaluated:
            self._evaluate_now()
        self._save()
        return reason

    def _step(self) -> None:
        started = time.monotonic()
        batches = self._next_batches()
        total = sum(b.weight for b in batches)
        loss = 0.0
        for batch in batches:
            part = self._task.loss(self._task.to_device(batch)) * (batch.weight / total)
            part.backward()  # type: ignore[no-untyped-call]
            loss += float(part.detach())
        norm = float(torch.nn.utils.clip_grad_norm_(self._parameters, self._spec.max_grad_norm, foreach=True))
        self._refuse_nonsense(loss, norm, batches)
        rate = learning_rate(self._spec, self.position.step + 1, self._schedule.total_steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        tokens, seconds = sum(b.work for b in batches), time.monotonic() - started
        self.position.step += 1
        self.position.real_tokens += tokens
        self.position.elapsed_s += seconds
        self._speed.append((tokens, seconds))
        self._tell(loss, rate, norm)

    def _next_batches(self) -> list[LearningBatch]:
        """The batches of the next update; ``position`` moves past them. An epoch's end closes an update early."""
        position = self.position
        if position.batch >= self._schedule.batches_per_epoch:
            position.epoch, position.batch = position.epoch + 1, 0
        if self._batches_epoch != position.epoch:
            self._batches = epoch_batches(
                self._lengths, self._spec.batch_size, self._spec.seed, position.epoch
            )
            self._batches_epoch = position.epoch
        chosen = self._batches[position.batch : position.batch + self._spec.gradient_accumulation]
        position.batch += len(chosen)
        return [self._task.collate([self._items[i] for i in indices]) for indices in chosen]

    def _refuse_nonsense(self, loss: float, norm: float, batches: list[LearningBatch]) -> None:
        if math.isfinite(loss) and math.isfinite(norm):
            return
        rows = ", ".join(str(row) for b in batches for row in b.source_rows)
        raise StudioError(
            "run.diverged",
            _("Training broke down at step {step}: the loss is no longer a number (rows {rows}).").format(
                step=self.position.step + 1, rows=rows
            ),
            _("Lower the learning rate to a tenth and start again; the best model so far is kept."),
        )

    @property
    def epoch(self) -> float:
        """Passes made so far, with the fraction of the current one."""
        return self.position.epoch + self.position.batch / self._schedule.batches_per_epoch

    def _tell(self, loss: float, rate: float, norm: float) -> None:
        now, step, total = time.monotonic(), self.position.step, self._schedule.total_steps
        if now - self._last_event < EVENT_INTERVAL_S and step not in (1, total):
            return
        self._last_event = now
        seconds = sum(s for _t, s in self._speed)
        eta = seconds / len(self._speed) * (total - step)
        self._emit(
            Step(
                step=step, total_steps=total, epoch=self.epoch, loss=loss, lr=rate, grad_norm=norm,
                tokens_per_s=sum(t for t, _s in self._speed) / max(seconds, 1e-9),
                memory_bytes=memory_used(self._device), elapsed_s=self.position.elapsed_s, eta_s=eta,
            )
        )  # fmt: skip

    def _evaluate_if_due(self) -> StopReason | None:
        if self.position.step % self._schedule.eval_every:
            return None
        self._evaluate_now()
        patience = self._spec.early_stopping
        if patience and self.position.evals_without_gain >= patience:
            self._save()
            return "early_stopping"
        return None

    def _evaluate_now(self) -> None:
        value = self._evaluate()
        if value is None:
            return
        position = self.position
        best = position.best_loss is None or value < position.best_loss
        if best:
            position.best_loss, position.best_step, position.evals_without_gain = value, position.step, 0
        else:
            position.evals_without_gain += 1
        position.evals.append((position.step, self.epoch, value))
        self._emit(
            Evaluated(
                step=position.step, epoch=self.epoch, loss=value, perplexity=math.exp(min(value, 700)),
                rows=self._eval_rows, is_best=best, metrics=self._metrics(),
            )
        )  # fmt: skip
        self._after_evaluation(best)
