"""One training run from its plan to the model that is kept: base measured, trained, best chosen, compared, saved."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from studio.domain.runs import RunPlan, RunSummary
from studio.engine import checkpoint, devices
from studio.engine.checkpoint import Position
from studio.engine.control import Control, Emit
from studio.engine.distributed import Team
from studio.engine.evaluate import mean_over_targets, row_losses, row_scores
from studio.engine.fingerprint import fingerprint, hash_of
from studio.engine.folders import fsync
from studio.engine.optim import make_optimizer
from studio.engine.patience import Patience
from studio.engine.prepare import Prepared, announce, format_name, prepare
from studio.engine.saver import Saver
from studio.engine.standstill import Standstill
from studio.engine.tasks.media import Media
from studio.engine.tasks.task import Item, LearningTask, Probe, Rows
from studio.engine.trainer import Trainer
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Compared, Evaluated, Event, Log, Phase, ProbeAnswered, Resumed

_ALONE = Team()
PROBES_PER_CHECK = 3
BASE_FILE = "base.json"


class _Clock:
    """Adds up the seconds of what is done beside the updates, which the trainer times itself."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds += time.monotonic() - began


class Session:
    """Runs a plan in RUN_DIR, or goes on with it from its newest checkpoint.

    team: the processes that train it together; those that do not lead call ``follow`` instead of ``run``.
    """

    def __init__(
        self, plan: RunPlan, run_dir: Path, rows: Rows, emit: Emit, control: Control, media: Media | None = None,
        team: Team = _ALONE,
    ) -> None:  # fmt: skip
        self._plan, self._dir, self._control, self._team = plan, run_dir, control, team
        self._checkpoints = run_dir / "checkpoints"
        self._position, self._answers = Position(), list[Probe]()
        self._saver = Saver(self._checkpoints, plan.spec.keep_checkpoints, emit, plan.spec.save_every_s)
        self._patient = Patience(
            run_dir, control, lambda: self._position.step, lambda: self._saver.needed_bytes
        )
        self._emit: Callable[[Event], None] = lambda event: self._patient(lambda: emit(event))
        self._beside = _Clock()
        with self._beside.running():
            self._set_up(rows, media)

    def _set_up(self, rows: Rows, media: Media | None) -> None:
        plan, dtype, self._snapshot = self._plan, "", None
        if self._team.leads:
            checkpoint.sweep(self._checkpoints)
            self._snapshot = checkpoint.load_newest(self._checkpoints, self._report_damage)
            dtype = self._snapshot.position.fingerprint.get("dtype", "") if self._snapshot else ""
        else:  # the leader first: what it makes (a vocabulary) and measures (the number format) serves all
            dtype = self._team.share(None)
        self._on = prepare(plan, rows, self._dir, self._emit, self._control, dtype, media)
        if self._team.leads:
            self._team.share(format_name(self._on))
        self._optimizer = make_optimizer(self._on.task.model.named_parameters(), plan.spec)

    @property
    def on(self) -> Prepared:
        """What is trained, on what."""
        return self._on

    def run(self) -> RunSummary:
        """Train, choose, compare and save. Raises StudioError, OSError, or what the control raises on cancel."""
        announce(self._on, self._emit)
        self._begin()
        position = self._position = self._resume()
        if self._team.size > 1:
            self._team.share(checkpoint.take_snapshot(position, self._on.task.model, self._optimizer))
        with self._beside.running(), checkpoint.rng_untouched():
            base = self._base(fresh=position.step == 0)
        self._emit(Phase(name="training"))
        still = self._standstill(position)
        self._control.on_pause(still.begin, still.end)
        reason = self._trainer(position, still).run()
        self._patient(self._saver.wait)
        with self._beside.running():
            self._take_best(position)
            tuned = self._compare(base)
        return self._keep(position, reason, base, tuned)

    def follow(self) -> None:
        """Train along with the leader of the team; all else is the leader's."""
        self._begin()
        snapshot: checkpoint.Snapshot = self._team.share(None)
        checkpoint.restore(snapshot, self._on.task.model, self._optimizer)
        self._position = snapshot.position
        self._trainer(self._position, self._standstill(self._position)).follow()

    def _begin(self) -> None:
        with self._beside.running(), checkpoint.rng_untouched():
            self._on.task.begin([*self._on.train, *self._on.validation, *self._on.held_out])

    def _standstill(self, position: Position) -> Standstill:
        return Standstill(
            position, self._on.task.model, self._optimizer, self._on.device, saver=self._saver,
            save=lambda: self._save_now(position), emit=self._emit, control=self._control, team=self._team,
        )  # fmt: skip

    def _trainer(self, position: Position, still: Standstill) -> Trainer:
        on = self._on
        return Trainer(
            self._plan.spec, on.task, self._optimizer, on.train, on.schedule, position, device=on.device,
            emit=self._emit, control=self._control,
            evaluate=self._timed_validation, metrics=self._validation_metrics,
            after_evaluation=lambda best: self._after_evaluation(position, best),
            save=lambda: self._save(position), save_due=lambda: self._saver.due,
            out_of_memory=still.out_of_memory, eval_rows=len(on.validation), team=self._team,
        )  # fmt: skip

    def _resume(self) -> Position:
        now = fingerprint(self._plan, self._on, self._team.size)
        if self._snapshot is None:
            return Position(fingerprint=now)
        checkpoint.restore(self._snapshot, self._on.task.model, self._optimizer)
        position = self._snapshot.position
        changed = sorted(name for name, fact in now.items() if position.fingerprint.get(name) != fact)
        self._emit(Resumed(step=position.step, exact=not changed, reason=", ".join(changed)))
        position.fingerprint = now
        self._snapshot = None
        return position

    def _base(self, *, fresh: bool) -> list[float] | None:
        """What the run is compared with, on the held-out rows: the simplest guess, or the untrained model.

        The untrained model is measured once, before the first update.
        """
        if not self._plan.compare:  # one of several tries: judged on the validation rows alone
            return None
        path = self._dir / BASE_FILE
        guess = self._on.task.baseline(self._on.held_out)
        if guess is not None or self._plan.base_dir is None:
            return guess
        if not fresh and path.is_file():
            scores: list[float] = json.loads(path.read_text(encoding="utf-8"))
            return scores
        if not fresh:
            return None  # the weights have moved: what the base would have said is not known any more
        self._emit(Phase(name="base_evaluation"))
        with self._on.task.as_answered():
            measured = self._scores(self._on.held_out)
        self._patient(lambda: _write_json(path, measured))
        if self._on.validation:
            self._tell_base_validation()
        self._probe(0)
        return measured

    def _tell_base_validation(self) -> None:
        loss = self._validate()
        assert loss is not None
        self._emit(
            Evaluated(
                step=0, epoch=0.0, loss=loss, perplexity=math.exp(min(loss, 700)),
                rows=len(self._on.validation), is_best=False,
            )
        )  # fmt: skip

    def _validate(self) -> float | None:
        items = self._on.validation
        if not items:
            return None
        losses = row_losses(self._on.task, items, self._look_at_once, self._control.check)
        return mean_over_targets(losses, items)

    def _timed_validation(self) -> float | None:
        with self._beside.running(), checkpoint.rng_untouched():
            return self._validate()

    def _scores(self, items: Sequence[Item]) -> list[float]:
        return row_scores(self._on.task, items, self._look_at_once, self._control.check)

    @property
    def _look_at_once(self) -> int:
        """Rows that are looked at together: as many as are learned from together."""
        return max(1, self._plan.spec.batch_size // self._position.pieces)

    def _metrics(self, items: Sequence[Item]) -> dict[str, float]:
        return self._on.task.metrics(items, self._control.check)

    def _validation_metrics(self) -> dict[str, float]:
        with self._beside.running(), checkpoint.rng_untouched():
            return self._metrics(self._on.validation)

    def _after_evaluation(self, position: Position, best: bool) -> None:
        with self._beside.running():
            if best:
                self._save(position)
            with checkpoint.rng_untouched():
                self._probe(position.step)
        self._emit(Phase(name="training"))

    def _save(self, position: Position) -> None:
        self._patient(lambda: self._saver.save(position, self._on.task.model, self._optimizer))

    def _save_now(self, position: Position) -> None:
        self._save(position)
        self._patient(self._saver.wait)

    def _probe(self, step: int) -> None:
        task = self._on.task
        task.step = step
        prompts = task.probes(self._plan.probes)[:PROBES_PER_CHECK]
        if not prompts:
            return
        self._emit(Phase(name="answering_probes"))
        answers = []
        for index, prompt in enumerate(prompts):
            self._control.check()
            started = time.monotonic()
            said = task.probe(prompt)
            if said is None:
                return
            answers.append(said)
            self._emit(
                ProbeAnswered(
                    step=step, index=index, prompt=prompt, answer=said.text, tokens=said.tokens,
                    seconds=time.monotonic() - started,
                )
            )  # fmt: skip
        self._answers = answers

    def _take_best(self, position: Position) -> None:
        """Put the weights of the best evaluation back, when they are not the last ones.

        When their checkpoint is damaged, hours of training must not be lost with it: the last weights are kept.
        """
        if position.best_loss is None or position.best_step == position.step:
            return
        path = self._checkpoints / f"ckpt-{position.best_step:08d}"
        try:
            best = checkpoint.load(path).weights
        except StudioError:
            lost = _("The best checkpoint, {name}, is damaged; the last state of the model is kept instead.")
            self._emit(Log(level="warning", message=lost.format(name=path.name)))
            position.best_step, _epoch, position.best_loss = position.evals[-1]
            return
        checkpoint.load_weights(self._on.task.model, best)

    def _compare(self, base: list[float] | None) -> list[float]:
        if not self._plan.compare:
            return []
        self._emit(Phase(name="comparing"))
        with self._on.task.as_answered():
            tuned = self._scores(self._on.held_out) if self._on.held_out else []
        if tuned:
            self._emit(
                Compared(
                    split=self._on.held_out_name, measure=self._on.task.measure, base_scores=base,
                    tuned_scores=tuned, targets=[e.targets for e in self._on.held_out],
                    metrics=self._metrics(self._on.held_out),
                )
            )  # fmt: skip
        return tuned

    def _keep(
        self, position: Position, reason: str, base: list[float] | None, tuned: list[float]
    ) -> RunSummary:
        self._emit(Phase(name="saving"))
        with self._beside.running():
            folder = self._patient(lambda: keep_model(self._on.task, self._dir))
        hashes = [checkpoint.file_facts(p)["sha256"] for p in sorted(folder.glob("*.safetensors"))]
        seconds = max(position.elapsed_s, 1e-9)
        held_out = self._on.held_out
        return RunSummary(
            steps=position.step, seconds=position.elapsed_s, real_tokens=position.real_tokens,
            tokens_per_s=position.real_tokens / seconds, peak_memory_bytes=devices.peak_memory(self._on.device),
            best_step=position.best_step, best_eval_loss=position.best_loss,
            base_value=mean_over_targets(base, held_out) if base else None,
            tuned_value=mean_over_targets(tuned, held_out) if tuned else None,
            model_path=folder.name, model_sha256=hashes[0] if len(hashes) == 1 else hash_of("".join(hashes)),
            model_bytes=sum(p.stat().st_size for p in folder.iterdir()), parameters=self._on.size.parameters,
            trainable=self._on.size.trainable, stopped_early=reason != "finished", stop_reason=reason,
            total_s=position.elapsed_s + self._beside.seconds, **self._speed(),
        )  # fmt: skip

    def _speed(self) -> dict[str, Any]:
        spoken = [a for a in self._answers if a.tokens > 1]
        if not spoken:
            return {}
        return {
            "answer_tokens_per_s": median(a.tokens_per_s for a in spoken),
            "answer_tokens_mean": sum(a.tokens for a in spoken) / len(spoken),
        }

    def _report_damage(self, error: Exception) -> None:
        self._emit(Log(level="warning", message=str(error)))


def keep_model(task: LearningTask[Any, Any], run_dir: Path) -> Path:
    """RUN_DIR/model, whole or not at all."""
    target, aside = run_dir / "model", run_dir / ".tmp-model"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    task.save(aside)
    for path in [*aside.iterdir(), aside]:
        fsync(path)
    if target.exists():
        checkpoint.discard(target)
    aside.rename(target)
    fsync(run_dir)
    return target


def _write_json(path: Path, value: Any) -> None:
    """Write ``path`` whole or not at all. Raises OSError."""
    aside = path.with_suffix(".tmp")
    aside.write_text(json.dumps(value), encoding="utf-8")
    os.replace(aside, path)


def summary_json(summary: RunSummary) -> dict[str, Any]:
    """The summary as the result of a Finished event."""
    return asdict(summary)
