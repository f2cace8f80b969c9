"""The trainers under way: launched detached, followed by their files, ended when they do not listen.

One thread at a time uses this (RunService holds its lock). What the store cannot take now is kept and tried again.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from studio.domain.runs import ACTIVE, Run, RunState
from studio.domain.values import now
from studio.domain.verdicts import judge, sentence
from studio.errors import StudioError
from studio.protocol.events import TERMINAL, Compared, Event
from studio.services import processes
from studio.services.changes import ChangeBus, Changes
from studio.services.files import write_atomically
from studio.services.follower import RunFollower
from studio.services.ports import Decision, RunRepository, RunUpdate
from studio.services.processes import ProcessIdentity
from studio.services.run_events import kept_evals, kept_losses, moved, project

log = logging.getLogger(__name__)

APPLY_EVERY_S = 1.0
ALIVE_EVERY_S = 0.5
CANCEL_GRACE_S = 10.0
Spawn = Callable[[list[str], Path], "subprocess.Popen[bytes]"]


@dataclass
class Watched:
    """A run that is followed. Times are of the monotonic clock."""

    run: Run
    follower: RunFollower
    process: subprocess.Popen[bytes] | None = None  # None: started by an earlier window
    pending: list[Event] = field(default_factory=list)
    applied_at: float = 0.0
    heard_at: float = 0.0
    checked_at: float = 0.0
    kill_at: float | None = None  # the user cancelled; after this the process is ended


class RunWatch:
    """Keeps the runs under way and what is remembered of them in step."""

    def __init__(
        self, repository: RunRepository, run_dir: Callable[[str], Path], changes: ChangeBus, spawn: Spawn,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._repository = repository
        self._run_dir = run_dir
        self._changes = changes
        self._spawn = spawn
        self._clock = clock
        self._watched: dict[str, Watched] = {}
        self._ending: list[subprocess.Popen[bytes]] = []

    @property
    def busy(self) -> bool:
        return bool(self._watched)

    def launch(self, run: Run) -> Run:
        """Start the trainer of a run that was claimed. Raises OSError when it cannot be started."""
        folder = self._run_dir(run.id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(folder / "spec.json", run.plan.model_dump_json(indent=2))
        (folder / "commands.jsonl").unlink(missing_ok=True)  # what an earlier attempt was told
        run = replace(run, applied_seq=min(run.applied_seq, last_seq(folder)), token="")
        process = self._spawn(["train", str(folder)], folder)
        identity = processes.identity_of(process.pid)
        run = replace(run, pid=process.pid, pid_started_at=identity.started_at if identity else None)
        self._watch(run, process)
        self._repository.save(run)
        return run

    def recover(self, run: Run) -> Run:
        """Take up a run that was under way when the program last ended: replay, then follow or mark interrupted."""
        folder = self._run_dir(run.id)
        watched = self._watch(replace(run, applied_seq=min(run.applied_seq, last_seq(folder))), None)
        self._read(watched)
        self._apply(watched)
        if watched.run.state in ACTIVE and self._worker(watched) is None:
            self._process_gone(watched, None)
        return watched.run

    def poll(self) -> list[tuple[str, list[Event]]]:
        """New events of every followed run; see RunService.poll."""
        self._ending = [process for process in self._ending if process.poll() is None]
        heard = [(watched.run.id, self._step(watched)) for watched in list(self._watched.values())]
        return [(run_id, events) for run_id, events in heard if events]

    def worker(self, run_id: str) -> psutil.Process | None:
        """The live process of a followed run."""
        watched = self._watched.get(run_id)
        return self._worker(watched) if watched else None

    def cancelled(self, run_id: str) -> None:
        """The user dropped this run: its process has a little time to end by itself."""
        if run_id in self._watched:
            self._watched[run_id].kill_at = self._clock() + CANCEL_GRACE_S

    def silent_s(self, run_id: str) -> float:
        """Seconds since the run last said something; 0 when it is not followed."""
        watched = self._watched.get(run_id)
        return self._clock() - watched.heard_at if watched else 0.0

    def close(self) -> None:
        """Store what was heard and let the trainers go on alone; their input ends, which tells them so."""
        for watched in list(self._watched.values()):
            self._read(watched)
            self._apply(watched)
            if watched.process is not None:
                self._ending.append(watched.process)
        for process in self._ending:
            if process.stdin is not None:
                process.stdin.close()
            if process.poll() is None:
                process.returncode = 0  # it is not ours any more: Python must not warn that it still runs
        self._watched.clear()
        self._ending.clear()

    def _watch(self, run: Run, process: subprocess.Popen[bytes] | None) -> Watched:
        follower = RunFollower(self._run_dir(run.id), run.applied_seq)
        self._watched[run.id] = Watched(run, follower, process, heard_at=self._clock())
        return self._watched[run.id]

    def _step(self, watched: Watched) -> list[Event]:
        events = self._read(watched)
        at_once = any(isinstance(event, (*TERMINAL, Compared)) for event in events)
        if watched.pending and (at_once or self._clock() - watched.applied_at >= APPLY_EVERY_S):
            self._apply(watched)
        if watched.run.id in self._watched and self._clock() - watched.checked_at >= ALIVE_EVERY_S:
            events += self._check_alive(watched)
        return events

    def _read(self, watched: Watched) -> list[Event]:
        events = watched.follower.poll()
        if events:
            watched.pending += events
            watched.heard_at = self._clock()
        return events

    def _apply(self, watched: Watched) -> None:
        """Write what is pending in one transaction; when the store refuses, keep it for the next time."""
        if watched.pending:
            update = self._judged(project(watched.run, watched.pending))
            if not self._stored(watched, update):
                return
            watched.pending = []
        if watched.run.state not in ACTIVE:
            self._let_go(watched)

    def _stored(self, watched: Watched, update: RunUpdate) -> bool:
        watched.applied_at = self._clock()
        try:
            self._repository.apply(update)
        except StudioError:
            log.exception("The metrics of run %s wait for the store", watched.run.id)
            return False
        changed = update.run.state is not watched.run.state or update.verdict is not None
        watched.run = update.run
        self._changes.publish(Changes.RUN_METRICS | Changes.RUNS if changed else Changes.RUN_METRICS)
        return True

    def _judged(self, update: RunUpdate) -> RunUpdate:
        """The update with a verdict, when it brings the comparison of base and tuned model."""
        compared = update.comparison
        if compared is None:
            return update
        evals = kept_evals(self._repository.evals(update.run.id), update)
        training = kept_losses(self._repository.steps(update.run.id), update)
        try:
            verdict = judge(
                compared.base_scores,
                compared.tuned_scores,
                compared.targets,
                evals,
                compared.split,
                compared.measure,
                compared.metrics,
                training,
            )
        except ValueError:
            log.warning("Run %s compared nothing that can be judged", update.run.id)
            return update
        why = sentence(verdict)
        decision = Decision(f"run:{update.run.id}", f"verdict:{verdict.kind.value}", why, "studio", now())
        return replace(update, verdict=verdict, decisions=(decision,))

    def _check_alive(self, watched: Watched) -> list[Event]:
        watched.checked_at = self._clock()
        returncode: int | None = None
        if watched.process is not None:
            returncode = processes.poll_exit(watched.process)
            gone = returncode is not None
        else:
            gone = self._worker(watched) is None
        if gone:
            last = self._read(watched)  # what it wrote between the last look and its end
            self._apply(watched)
            if watched.run.state in ACTIVE and not watched.pending:
                self._process_gone(watched, returncode)
            return last
        if watched.kill_at is not None and self._clock() >= watched.kill_at:
            self._kill(watched)
        return []

    def _process_gone(self, watched: Watched, returncode: int | None) -> None:
        if watched.kill_at is not None:
            drop_results(self._run_dir(watched.run.id))
            run = replace(moved(watched.run, RunState.CANCELLED), ended_at=now(), eta_s=None)
        else:
            run = replace(
                moved(watched.run, RunState.INTERRUPTED), ended_at=now(), eta_s=None, error_code="run.interrupted",
                error_message=processes.outcome_sentence(returncode),
            )  # fmt: skip
        if self._stored(watched, RunUpdate(run)):
            self._let_go(watched)

    def _kill(self, watched: Watched) -> None:
        process = self._worker(watched)
        if process is not None:
            processes.kill_tree(process)

    def _worker(self, watched: Watched) -> psutil.Process | None:
        run = watched.run
        folder = self._run_dir(run.id)
        if watched.process is not None and watched.process.poll() is None:
            return psutil.Process(watched.process.pid)
        said = processes.find_worker(processes.read_identity(folder), folder, run.token)
        if said is not None or run.pid is None or run.pid_started_at is None:
            return said
        return processes.find_worker(ProcessIdentity(run.pid, run.pid_started_at), folder)

    def _let_go(self, watched: Watched) -> None:
        self._watched.pop(watched.run.id, None)
        if watched.process is not None:
            if watched.process.stdin is not None:
                watched.process.stdin.close()
            self._ending.append(watched.process)


def drop_results(run_dir: Path) -> None:
    """Remove what a cancelled or outdone run made; moved aside first: nothing half-removed looks like a checkpoint."""
    for name in ("checkpoints", "model"):
        if (run_dir / name).exists():
            trash = run_dir / f".trash-{name}"
            (run_dir / name).rename(trash)
            shutil.rmtree(trash, ignore_errors=True)


def last_seq(run_dir: Path) -> int:
    """Number of the last event in RUN_DIR/events.jsonl; a power cut may leave fewer there than in the database."""
    events = RunFollower(run_dir).poll()
    return events[-1].seq if events else 0
