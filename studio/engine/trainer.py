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
from studio.engine.devices import is_out_of_memory, memory_used, release_memory
from studio.engine.distributed import Team, Word
from studio.engine.optim import after_check, learning_rate, shrink
from studio.engine.tasks.task import Item, LearningTask
from studio.engine.updates import Gradients, Update
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Evaluated, Log, Step

StopReason = Literal["finished", "stopped", "early_stopping", "time_limit"]
EVENT_INTERVAL_S = 0.05  # at most 20 step events a second
SPEED_WINDOW = 20  # steps over which speed is averaged
NAMED_ROWS = 20  # of an update that broke down


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
    after_evaluation: called with whether this was the best evaluation so far. save: called when ``save_due`` says so.
    out_of_memory: called when smaller pieces did not help; returns when it is worth another try.
    """

    def __init__(
        self, spec: TrainSpec, task: LearningTask[Any, Any], optimizer: torch.optim.Optimizer,
        items: Sequence[Item], schedule: Schedule, position: Position, *,
        device: torch.device, emit: Emit, control: Control,
        evaluate: Callable[[], float | None], metrics: Callable[[], dict[str, float]],
        after_evaluation: Callable[[bool], None], save: Callable[[], None], save_due: Callable[[], bool],
        out_of_memory: Callable[[], None], eval_rows: int, team: Team,
    ) -> None:  # fmt: skip
        self.position = position
        self._spec, self._task, self._optimizer = spec, task, optimizer
        self._items, self._schedule = items, schedule
        self._lengths = [item.length for item in items]
        self._device, self._emit, self._control = device, emit, control
        self._evaluate, self._after_evaluation = evaluate, after_evaluation
        self._save, self._save_due, self._out_of_memory = save, save_due, out_of_memory
        self._metrics = metrics
        self._eval_rows = eval_rows
        self._team = team
        parameters = [p for p in task.model.parameters() if p.requires_grad]
        self._gradients = Gradients(task, items, parameters, spec.max_grad_norm, team)
        self._batches: list[list[int]] = []
        self._batches_epoch = -1
        self._speed: deque[tuple[int, float]] = deque(maxlen=SPEED_WINDOW)
        self._last_event = -math.inf

    def run(self) -> StopReason:
        """Train from ``position`` on. Raises StudioError ``run.diverged`` before an update that is not finite."""
        self._task.model.train()
        try:
            return self._run()
        finally:
            self._team.dismiss()

    def _run(self) -> StopReason:
        ended = self._evaluate_if_due() if self._check_is_owed() else self._patience_lost()
        if ended:
            return ended
        while self.position.step < self._schedule.total_steps:
            self._control.rest()
            if self._control.stop:
                return self._finish("stopped")
            self._team.tell(Word.UPDATE, self.position.pieces, self.position.rate_factor)
            if not self._step():
                continue
            ended = self._evaluate_if_due()
            if ended:
                return ended
            if self._save_due():
                self._save()
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

    def follow(self) -> None:
        """Make the leader's updates with it, as another process of its team, until it says that the run is over."""
        self._task.model.train()
        while True:
            word, self.position.pieces, self.position.rate_factor = self._team.hear()
            if word is Word.END:
                return
            if word is Word.REST:
                release_memory()
                continue
            self._team.seed(self._spec, self.position.step)
            try:
                self._step()
            except StudioError:
                continue  # the leader met the same, says so, and ends the run

    def _step(self) -> bool:
        """One update; False when memory did not suffice for it, and the user or smaller pieces are asked."""
        started = time.monotonic()
        batches = self._next_batches()
        made = self._make(batches)
        if made is None:
            return False
        self._refuse_nonsense(made, batches)
        rate = learning_rate(
            self._spec, self.position.step + 1, self._schedule.total_steps, self.position.rate_factor
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        shrink(self._optimizer, rate * self._spec.l1)
        self._optimizer.zero_grad(set_to_none=True)
        seconds = time.monotonic() - started
        self.position.step += 1
        self.position.batch += len(batches)
        self.position.real_tokens += made.work
        self.position.elapsed_s += seconds
        self._speed.append((made.work, seconds))
        if self._team.leads:
            self._tell(made.loss, rate, made.norm)
        return True

    def _make(self, batches: list[list[int]]) -> Update | None:
        """Gradients of the next update; None when there was too little memory for them."""
        random_state = torch.get_rng_state()
        try:
            return self._gradients.make(batches, self.position.pieces)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self._team.size > 1:
                raise
        self._optimizer.zero_grad(
            set_to_none=True
        )  # outside of the handler, which holds on to what was computed
        release_memory()
        torch.set_rng_state(random_state)
        if self.position.pieces == 1 and max(map(len, batches)) > 1:
            self._halve()
        else:
            self._out_of_memory()
        return None

    def _halve(self) -> None:
        """Work through each batch in two halves from now on: the same rows in each update, half the memory."""
        self.position.pieces = 2
        text = _("There was too little memory at step {step}: each batch is now computed in two halves, which learns "
                 "the same and takes a little longer.")  # fmt: skip
        self._emit(Log(level="warning", message=text.format(step=self.position.step + 1)))

    def _next_batches(self) -> list[list[int]]:
        """Item indices of the next update's batches. An epoch's end closes an update early."""
        position = self.position
        if position.batch >= self._schedule.batches_per_epoch:
            position.epoch, position.batch = position.epoch + 1, 0
        if self._batches_epoch != position.epoch:
            self._batches = epoch_batches(
                self._lengths, self._spec.batch_size, self._spec.seed, position.epoch
            )
            self._batches_epoch = position.epoch
        return self._batches[position.batch : position.batch + self._spec.gradient_accumulation]

    def _refuse_nonsense(self, made: Update, batches: list[list[int]]) -> None:
        if math.isfinite(made.loss) and math.isfinite(made.norm):
            return
        rows = ", ".join(map(str, self._broken_rows([i for batch in batches for i in batch])))
        raise StudioError(
            "run.diverged",
            _("Training broke down at step {step}: the loss is no longer a number (rows {rows}).").format(
                step=self.position.step + 1, rows=rows
            ),
            _("Lower the learning rate to a tenth and start again; the best model so far is kept."),
        )

    @torch.no_grad()
    def _broken_rows(self, indices: list[int]) -> list[int]:
        """Source rows whose own loss is no number; all of the update, where each by itself is fine."""
        broken = []
        for index in indices:
            batch = self._task.to_device(self._task.collate([self._items[index]]))
            if not bool(torch.isfinite(self._task.row_losses(batch)).all()):
                broken.append(index)
        rows = dict.fromkeys(self._items[i].row for i in broken or indices)
        return sorted(rows)[:NAMED_ROWS]

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
        return self._patience_lost()

    def _patience_lost(self) -> StopReason | None:
        patience = self._spec.early_stopping
        if patience and self.position.evals_without_gain >= patience:
            self._save()
            return "early_stopping"
        return None

    def _check_is_owed(self) -> bool:
        """Whether the run was saved between its last update and the check that follows it (paused in the check)."""
        position = self.position
        return position.step > 0 and (not position.evals or position.evals[-1][0] < position.step)

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
        after_check(self._spec, position, best)
        position.evals.append((position.step, self.epoch, value))
        self._emit(
            Evaluated(
                step=position.step, epoch=self.epoch, loss=value, perplexity=math.exp(min(value, 700)),
                rows=self._eval_rows, is_best=best, metrics=self._metrics(),
            )
        )  # fmt: skip
        self._after_evaluation(best)
