"""Training runs: planned, queued, started one at a time, followed, and remembered with all they measured."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path

import psutil

from studio.domain.architectures import Architecture
from studio.domain.basemodels import BaseModelInfo
from studio.domain.runs import (
    ACTIVE,
    CheckpointInfo,
    EvalMetrics,
    FitEstimate,
    Placement,
    ProbeAnswer,
    Run,
    RunPlan,
    RunState,
    StepMetrics,
)
from studio.domain.shapes import Shape
from studio.domain.specs import ADDS_ON, TrainSpec
from studio.domain.task_fit import learns_from
from studio.domain.values import Value, now
from studio.domain.verdicts import Verdict
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths
from studio.protocol.commands import Cancel, Command, Pause, Resume, Stop
from studio.protocol.events import Event
from studio.services import costs, processes
from studio.services.changes import ChangeBus, Changes
from studio.services.files import tail
from studio.services.follower import RunFollower, post_command
from studio.services.placements import check_placement
from studio.services.ports import Backups, MatrixRepository, RunRepository, ScriptWriter
from studio.services.queue import Place, RunQueue, wall_clock
from studio.services.run_events import moved
from studio.services.run_exports import metrics_csv, write_out
from studio.services.run_plans import RunPlanner
from studio.services.run_space import check_space, needed_bytes
from studio.services.run_watch import RunWatch
from studio.services.settings import SettingsService


@dataclass(frozen=True)
class ChatTarget:
    """What a chat worker loads to answer: a base model alone, or with a run's add-on, or a run's whole model."""

    name: str
    base_dir: str
    adapter_dir: str | None


class RunService:
    """The runs of a workspace. At most one is under way; the others wait in the queue."""

    def __init__(
        self,
        repository: RunRepository,
        matrices: MatrixRepository,
        planner: RunPlanner,
        watch: RunWatch,
        paths: WorkspacePaths,
        settings: SettingsService,
        changes: ChangeBus,
        backups: Backups,
        local: Callable[[], datetime] = wall_clock,
        write_script: ScriptWriter | None = None,
    ) -> None:
        self._write_script = write_script
        self._repository = repository
        self._matrices = matrices
        self._planner = planner
        self._watch = watch
        self._paths = paths
        self._settings = settings
        self._changes = changes
        self._backups = backups
        self._lock = threading.RLock()
        self._look_at_queue = True
        self._queue = RunQueue(repository, watch, self.pause, self.resume, local)
        self._attendants: list[Callable[[bool], None]] = []

    # Before a run

    def plan(
        self,
        product_id: str | None,
        dataset_id: str,
        base: BaseModelInfo | None,
        spec: TrainSpec,
        name: str | None = None,
        placement: Placement | None = None,
    ) -> RunPlan:
        """What will be trained, and where: None is here.

        Raises StudioError when product, data or base model are missing or unfit, or nothing can run there.
        """
        if product_id is not None and self._matrices.matrix_of(product_id) is None:
            raise NotFoundError("product.unknown", _("This product is not in the matrix any more."))
        where = placement or Placement()
        check_placement(where)
        plan = self._planner.plan(dataset_id, base, spec, name)
        return plan.model_copy(update={"keep_awake": self._settings.current.keep_awake, "placement": where})

    def check(
        self,
        plan: RunPlan,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> FitEstimate:
        """Try a second of the real work in a child process. Blocking; raises StudioError, JobCancelled."""
        return self._planner.check(plan, on_event, cancel)

    def enqueue(self, plan: RunPlan, product_id: str | None, estimate: FitEstimate | None = None) -> Run:
        """Put a run at the end of the queue; it is of no product when the product does not learn from such data.

        Raises ResourceError ``run.no_disk``.
        """
        if product_id is not None and not self._learns(product_id, plan.shape):
            product_id = None
        run = Run(plan=plan, product_id=product_id, estimate=estimate)
        self.enqueue_all([run])
        return run

    def enqueue_all(self, runs: Sequence[Run]) -> None:
        """Put new runs at the end of the queue, all or none. Raises ResourceError ``run.no_disk``."""
        for run in runs:
            self._check_space(run)
        with self._lock:
            self._repository.add(*runs)
            self._look_at_queue = True
        self._changes.publish(Changes.RUNS)

    # The queue

    def queue(self) -> builtins.list[Run]:
        """Runs that wait, in order."""
        return self._repository.queue()

    def reorder(self, run_id: str, position: Place) -> Changes:
        """Move a waiting run to a position, from 1, or first, last, up, down. Raises StudioError."""
        with self._lock:
            self._queue.reorder(self.get(run_id), position)
        return self._changes.publish(Changes.RUNS)

    def schedule(self, run_id: str, start: time, end: time | None = None) -> Run:
        """Let a waiting run start at a time of day, today or tomorrow; with ``end`` it is under way only in between.

        Raises StudioError ``queue.not_waiting``, ``schedule.empty``.
        """
        with self._lock:
            self._queue.schedule(self.get(run_id), start, end)
            self._look_at_queue = True
        self._changes.publish(Changes.RUNS)
        return self.get(run_id)

    def unschedule(self, run_id: str) -> Changes:
        """Forget a run's hours: it starts when it is its turn."""
        with self._lock:
            self._queue.unschedule(self.get(run_id))
            self._look_at_queue = True
        return self._changes.publish(Changes.RUNS)

    def start_now(self, run_id: str) -> Run:
        """Forget a waiting run's hours and let it be the next; it starts at once when nothing is under way."""
        with self._lock:
            self._queue.reorder(self.get(run_id), "first")
            self._queue.unschedule(self.get(run_id))
            self.start_next()
        self._changes.publish(Changes.RUNS)
        return self.get(run_id)

    def waiting_words(self, run: Run) -> str:
        """Why a queued run does not start though it may be its turn: “waits until 22:00”; else empty."""
        return self._queue.waiting_words(run)

    def attend(self, deed: Callable[[bool], None]) -> None:
        """Have ``deed`` called at the end of each poll, with whether a run told anything; it may queue runs."""
        self._attendants.append(deed)

    # Under way

    def start_next(self) -> Run | None:
        """Start the first queued run that may start unless one is under way; None when there was nothing to start.

        A run that cannot start (no disk, no process) becomes failed, with the reason.
        """
        with self._lock:
            self._look_at_queue = False
            run = self._repository.claim_next(now(), self._queue.may_start)
            if run is None:
                return None
            try:
                self._check_space(run)
                run = self._watch.launch(run)
            except StudioError as problem:
                run = self._not_started(run, problem.code, str(problem))
            except OSError as problem:
                run = self._not_started(
                    run,
                    "run.not_started",
                    _("The training could not be started: {error}").format(error=problem),
                )
        self._changes.publish(Changes.RUNS)
        return run

    def poll(self) -> builtins.list[tuple[str, builtins.list[Event]]]:
        """Look after the runs; called about ten times a second by one follower.

        Reads new events (returned for live display), stores them about once a second, notices processes that are
        gone, starts the next queued run, and makes a backup of the database when one is due.
        """
        with self._lock:
            was_busy = self._watch.busy
            heard = self._watch.poll()
            due = self._queue.look()
            if not self._watch.busy and (was_busy or due or self._look_at_queue):
                self.start_next()
        for deed in self._attendants:
            deed(bool(heard))
        self._backups.backup_if_due()
        return heard

    def pause(self, run_id: str) -> Changes:
        """Ask the trainer to pause after its step."""
        return self._command(run_id, Pause())

    def resume(self, run_id: str) -> Changes:
        """Let a paused run go on; an interrupted or failed one is started again from its last checkpoint."""
        if self.get(run_id).state in (RunState.INTERRUPTED, RunState.FAILED):
            self.resume_interrupted(run_id)
            return Changes.RUNS
        return self._command(run_id, Resume())

    def stop(self, run_id: str) -> Changes:
        """End the run after its step and keep the model; a run that waits leaves the queue."""
        if self.get(run_id).state is RunState.QUEUED:
            return self._drop(run_id)
        return self._command(run_id, Stop())

    def cancel(self, run_id: str) -> Changes:
        """End the run and drop what it made; a trainer that does not listen is ended by force."""
        if self.get(run_id).state in (RunState.QUEUED, RunState.INTERRUPTED):
            return self._drop(run_id)
        changes = self._command(run_id, Cancel())
        with self._lock:
            self._watch.cancelled(run_id)
        return changes

    def resume_interrupted(self, run_id: str) -> Run:
        """Queue an interrupted or failed run again, first in line; it goes on from its last checkpoint.

        Raises StudioError ``run.ended`` for a run that is finished or cancelled.
        """
        with self._lock:
            run = self.get(run_id)
            if run.state in (RunState.DONE, RunState.CANCELLED):
                raise StudioError(
                    "run.ended", _("“{name}” has ended; there is nothing to go on with.").format(name=run.name),
                    _("Start a new run."),
                )  # fmt: skip
            if self._process_of(run) is not None:  # it was believed dead, wrongly
                run = moved(run, RunState.RUNNING)
                self._repository.save(run)
                run = self._watch.recover(run)
            else:
                run = replace(moved(run, RunState.QUEUED), error_code="", error_message="", ended_at=None)
                self._repository.requeue(run)
                self._look_at_queue = True
                self.start_next()
        self._changes.publish(Changes.RUNS)
        return self.get(run.id)

    def recover(self) -> builtins.list[Run]:
        """Take up the runs that were under way when the program last ended. Called once, when a workspace opens."""
        with self._lock:
            return [self._watch.recover(run) for run in self._repository.active()]

    def silent_s(self, run_id: str) -> float:
        """Seconds since a run under way last said something."""
        return self._watch.silent_s(run_id)

    def close(self) -> None:
        """Store what was heard. Trainers go on alone."""
        with self._lock:
            self._watch.close()

    # Remembered

    def list(
        self, product_id: str | None = None, limit: int = 100, offset: int = 0, *, trials: bool = False
    ) -> builtins.list[Run]:
        """Runs that are not in the bin, newest first; those of searches only with ``trials``."""
        return self._repository.list(product_id, limit, offset, trials=trials)

    def count(self, product_id: str | None = None, *, trials: bool = False) -> int:
        """How many runs ``list`` has in all."""
        return self._repository.count(product_id, trials=trials)

    def folds(self, folds_id: str | None = None) -> builtins.list[Run]:
        """The runs of one K-fold, or of all, the newest first."""
        return self._repository.folds(folds_id)

    def get(self, run_id: str) -> Run:
        """One run. Raises NotFoundError ``run.unknown``."""
        run = self._repository.get(run_id)
        if run is None:
            raise NotFoundError("run.unknown", _("This run is not in the workspace any more."))
        return run

    def active(self) -> builtins.list[Run]:
        """The run under way, if any."""
        return self._repository.active()

    def steps(self, run_id: str) -> builtins.list[StepMetrics]:
        """Training steps in order."""
        return self._repository.steps(run_id)

    def evals(self, run_id: str) -> builtins.list[EvalMetrics]:
        """Evaluations in order of steps."""
        return self._repository.evals(run_id)

    def probes(self, run_id: str) -> builtins.list[ProbeAnswer]:
        """Answers to the probe prompts, by step and prompt; step 0 is the base model."""
        return self._repository.probes(run_id)

    def checkpoints(self, run_id: str) -> builtins.list[CheckpointInfo]:
        """Checkpoints that were reported, in order of steps."""
        return self._repository.checkpoints(run_id)

    def verdict(self, run_id: str) -> Verdict | None:
        """Did it help? None until base and tuned model were compared."""
        return self._repository.verdict(run_id)

    def error_details(self, run_id: str) -> str:
        """The last lines of the trainer's log, for Details."""
        return tail(self._paths.run(run_id) / "stderr.log")

    def rename(self, run_id: str, name: str) -> Run:
        """Give the run another name."""
        if not name.strip():
            raise StudioError("run.no_name", _("The run has no name."), _("Type a name."))
        with self._lock:
            run = self.get(run_id)
            run = replace(run, plan=run.plan.model_copy(update={"name": name.strip()}))
            self._repository.rename(run_id, name.strip())
        self._changes.publish(Changes.RUNS)
        return run

    def delete(self, run_id: str) -> Changes:
        """Put a run into the bin; its files stay. Raises StudioError ``run.under_way``."""
        state = self.get(run_id).state
        if state in ACTIVE or state is RunState.QUEUED:
            raise StudioError("run.under_way", _("This run is under way."), _("Stop or cancel it first."))
        self._repository.set_deleted(run_id, True)
        return self._changes.publish(Changes.RUNS)

    def restore(self, run_id: str) -> Changes:
        """Take a run out of the bin."""
        self._repository.set_deleted(run_id, False)
        return self._changes.publish(Changes.RUNS)

    def chat_target(self, run_id: str | None, base: BaseModelInfo | None = None) -> ChatTarget:
        """What to load to talk to a run's model, or to ``base`` when run_id is None."""
        if run_id is None:
            if base is None:
                raise StudioError("run.no_base", _("No base model was chosen."), _("Choose one."))
            return ChatTarget(base.name, base.path, None)
        run = self.get(run_id)
        model = self._paths.run(run.id) / run.summary.model_path if run.summary else None
        if model is None or not model.is_dir():
            raise StudioError(
                "run.no_model",
                _("“{name}” has no model yet.").format(name=run.name),
                _("Wait until it is finished."),
            )
        spec = run.plan.spec
        kept_apart = spec.method in ADDS_ON and spec.architecture is Architecture.LANGUAGE_MODEL
        if kept_apart and run.plan.base_dir is not None:
            return ChatTarget(run.name, run.plan.base_dir, str(model))
        return ChatTarget(run.name, str(model), None)

    def run_cost(self, run: Run) -> Value | None:
        """What the training cost: measured hours at assumed prices. None while nothing was measured."""
        return costs.training_cost(run, self._settings.current, self._currency(run))

    def cost_per_1k_answers(self, run: Run) -> Value | None:
        """What 1,000 answers of the run's model cost. None when its answers were not measured."""
        return costs.cost_per_1k_answers(run, self._settings.current, self._currency(run))

    def export_metrics_csv(self, run_id: str, path: Path | str) -> Path:
        """Steps and evaluations as a table (UTF-8 with BOM, for spreadsheets). Raises StudioError."""
        return write_out(Path(path), metrics_csv(self.steps(run_id), self.evals(run_id)))

    def script(self, run_id: str, out: Path | str) -> Path:
        """The run as a program that can be read and run, with its data manifest. Raises StudioError."""
        run, target = self.get(run_id), Path(out)
        assert self._write_script is not None
        threads = psutil.cpu_count(logical=False) or 1
        try:
            text = self._write_script(run, threads, target.name)
        except OSError as problem:
            raise StudioError(
                "dataset.files_gone", _("The files of “{name}” are missing.").format(name=run.plan.dataset_name),
                _("Import the data again."),
            ) from problem  # fmt: skip
        return write_out(target, text)

    # Details

    def _command(self, run_id: str, command: Command) -> Changes:
        run = self.get(run_id)
        if run.state not in ACTIVE:
            raise StudioError("run.not_active", _("“{name}” is not running.").format(name=run.name))
        try:
            post_command(self._paths.run(run_id), command)
        except OSError as problem:
            raise StudioError(
                "run.not_told", _("The training could not be told: {error}").format(error=problem),
                _("Check that the workspace's disk is there and not full."),
            ) from problem  # fmt: skip
        with self._lock:
            worker = self._watch.worker(run_id)
        if worker is not None:
            processes.wake(worker)
        return Changes.RUNS

    def _drop(self, run_id: str) -> Changes:
        with self._lock:
            run = self.get(run_id)
            self._repository.save(replace(moved(run, RunState.CANCELLED), ended_at=now()))
        return self._changes.publish(Changes.RUNS)

    def _not_started(self, run: Run, code: str, message: str) -> Run:
        run = replace(moved(run, RunState.FAILED), error_code=code, error_message=message, ended_at=now())
        self._repository.save(run)
        self._look_at_queue = True
        return run

    def _process_of(self, run: Run) -> object | None:
        return RunFollower(self._paths.run(run.id), token=run.token).process()

    def _check_space(self, run: Run) -> None:
        parameters = run.estimate.parameters if run.estimate else _parameters(run.plan)
        check_space(self._paths.root, needed_bytes(run.plan, run.estimate, parameters))

    def _learns(self, product_id: str, shape: Shape) -> bool:
        matrix = self._matrices.matrix_of(product_id)
        return matrix is None or learns_from(matrix.product(product_id).task, shape)

    def _currency(self, run: Run) -> str:
        matrix = self._matrices.matrix_of(run.product_id) if run.product_id else None
        return matrix.currency if matrix else "CNY"


def _parameters(plan: RunPlan) -> int:
    """Parameters of the plan's base model by the size of its weights, at 2 bytes each, so never too few."""
    if plan.base_dir is None:
        return 0
    return sum(file.stat().st_size for file in Path(plan.base_dir).glob("*.safetensors")) // 2
