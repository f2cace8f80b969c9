"""One training run from its plan to the model that is kept: base measured, trained, best chosen, compared, saved."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers

from studio.domain.runs import RunPlan, RunSummary
from studio.engine import checkpoint, devices
from studio.engine.checkpoint import Position
from studio.engine.control import Control, Emit
from studio.engine.evaluate import mean_over_targets, row_losses, row_scores
from studio.engine.folders import fsync
from studio.engine.optim import make_optimizer
from studio.engine.prepare import Prepared, announce, prepare
from studio.engine.saver import Saver
from studio.engine.tasks.task import Item, LearningTask, Probe, Rows
from studio.engine.trainer import Trainer
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Compared, Evaluated, Log, Phase, ProbeAnswered, Resumed

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
    """Runs a plan in RUN_DIR, or goes on with it from its newest checkpoint."""

    def __init__(self, plan: RunPlan, run_dir: Path, rows: Rows, emit: Emit, control: Control) -> None:
        self._plan, self._dir, self._emit, self._control = plan, run_dir, emit, control
        self._beside = _Clock()
        with self._beside.running():
            self._set_up(rows)

    def _set_up(self, rows: Rows) -> None:
        plan, run_dir, emit, control = self._plan, self._dir, self._emit, self._control
        self._checkpoints = run_dir / "checkpoints"
        checkpoint.sweep(self._checkpoints)
        self._snapshot = checkpoint.load_newest(self._checkpoints, self._report_damage)
        dtype = self._snapshot.position.fingerprint.get("dtype", "") if self._snapshot else ""
        self._on = prepare(plan, rows, run_dir, emit, control, dtype)
        self._optimizer = make_optimizer(self._on.task.model.named_parameters(), plan.spec)
        self._saver = Saver(self._checkpoints, plan.spec.keep_checkpoints, emit)
        self._answers: list[Probe] = []

    @property
    def on(self) -> Prepared:
        """What is trained, on what."""
        return self._on

    def run(self) -> RunSummary:
        """Train, choose, compare and save. Raises StudioError, OSError, or what the control raises on cancel."""
        announce(self._on, self._emit)
        position = self._resume()
        with self._beside.running():
            base = self._base(fresh=position.step == 0)
        self._emit(Phase(name="training"))
        trainer = self._trainer(position)
        self._control.on_pause(lambda: self._save_for_pause(position))
        reason = trainer.run()
        self._saver.wait()
        with self._beside.running():
            self._take_best(position)
            tuned = self._compare(base)
        return self._keep(position, reason, base, tuned)

    def _trainer(self, position: Position) -> Trainer:
        on = self._on
        return Trainer(
            self._plan.spec, on.task, self._optimizer, on.train, on.schedule, position, device=on.device,
            emit=self._emit, control=self._control,
            evaluate=self._timed_validation, metrics=self._validation_metrics,
            after_evaluation=lambda best: self._after_evaluation(position, best),
            save=lambda: self._save(position), eval_rows=len(on.validation),
        )  # fmt: skip

    def _resume(self) -> Position:
        fingerprint = self._fingerprint()
        if self._snapshot is None:
            return Position(fingerprint=fingerprint)
        checkpoint.restore(self._snapshot, self._on.task.model, self._optimizer)
        position = self._snapshot.position
        changed = sorted(k for k in fingerprint if position.fingerprint.get(k) != fingerprint[k])
        self._emit(Resumed(step=position.step, exact=not changed, reason=", ".join(changed)))
        position.fingerprint = fingerprint
        self._snapshot = None
        return position

    def _fingerprint(self) -> dict[str, str]:
        spec = _hash_of(self._plan.spec.model_dump_json())
        return {
            "dataset": self._plan.dataset_sha256, "spec": spec, "threads": str(self._on.threads),
            "dtype": devices.dtype_name(self._on.dtype), "device": self._on.device.type,
            "torch": torch.__version__, "transformers": transformers.__version__,
        }  # fmt: skip

    def _base(self, *, fresh: bool) -> list[float] | None:
        """What the run is compared with, on the held-out rows: the simplest guess, or the untrained model.

        The untrained model is measured once, before the first update.
        """
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
        measured = self._scores(self._on.held_out)
        aside = path.with_suffix(".tmp")
        aside.write_text(json.dumps(measured), encoding="utf-8")
        os.replace(aside, path)
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
        losses = row_losses(self._on.task, items, self._plan.spec.batch_size, self._control.check)
        return mean_over_targets(losses, items)

    def _timed_validation(self) -> float | None:
        with self._beside.running():
            return self._validate()

    def _scores(self, items: Sequence[Item]) -> list[float]:
        return row_scores(self._on.task, items, self._plan.spec.batch_size, self._control.check)

    def _metrics(self, items: Sequence[Item]) -> dict[str, float]:
        return self._on.task.metrics(items, self._control.check)

    def _validation_metrics(self) -> dict[str, float]:
        with self._beside.running():
            return self._metrics(self._on.validation)

    def _after_evaluation(self, position: Position, best: bool) -> None:
        with self._beside.running():
            if best:
                self._save(position)
            self._probe(position.step)
        self._emit(Phase(name="training"))

    def _save(self, position: Position) -> None:
        self._saver.save(position, self._on.task.model, self._optimizer)

    def _save_for_pause(self, position: Position) -> int:
        self._save(position)
        self._saver.wait()
        return position.step

    def _probe(self, step: int) -> None:
        if not self._plan.probes:
            return
        self._emit(Phase(name="answering_probes"))
        answers = []
        for index, prompt in enumerate(self._plan.probes[:PROBES_PER_CHECK]):
            self._control.check()
            started = time.monotonic()
            said = self._on.task.probe(prompt)
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
        self._emit(Phase(name="comparing"))
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
            folder = keep_model(self._on.task, self._dir)
        hashes = [checkpoint.file_facts(p)["sha256"] for p in sorted(folder.glob("*.safetensors"))]
        seconds = max(position.elapsed_s, 1e-9)
        held_out = self._on.held_out
        return RunSummary(
            steps=position.step, seconds=position.elapsed_s, real_tokens=position.real_tokens,
            tokens_per_s=position.real_tokens / seconds, peak_memory_bytes=devices.peak_memory(self._on.device),
            best_step=position.best_step, best_eval_loss=position.best_loss,
            base_value=mean_over_targets(base, held_out) if base else None,
            tuned_value=mean_over_targets(tuned, held_out) if tuned else None,
            model_path=folder.name, model_sha256=hashes[0] if len(hashes) == 1 else _hash_of("".join(hashes)),
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


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def summary_json(summary: RunSummary) -> dict[str, Any]:
    """The summary as the result of a Finished event."""
    return asdict(summary)
