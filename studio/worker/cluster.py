"""A run on a Ray cluster, seen from here: sent as a job, followed by its files, found again after a lost connection.

What the trainer there writes is mirrored byte for byte below RUN_DIR/cluster/JOB and passed on into this run's own
events; checkpoints and the model are fetched whole. The mirror's length says where to go on, so that a connection or
this very process may be lost at any time. (After a power cut here some events may be told twice; telling is by step, so
nothing is counted twice.)
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import uuid
from pathlib import Path
from typing import Any, Final

from studio.domain.runs import RunPlan
from studio.errors import StudioError
from studio.extras import no_ray
from studio.i18n import _
from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Stop
from studio.protocol.events import TERMINAL, CheckpointSaved, Event, Finished, Log, Phase, Started
from studio.worker.cluster_job import EXIT_FILE, NAMESPACE, clerk_name
from studio.worker.cluster_sending import staged
from studio.worker.io import CommandReader, EventWriter

POLL_S: Final = 0.5
RETRY_S: Final = 5.0
KNOCK_S: Final = 10.0
PART_BYTES: Final = 4 << 20
_OVER: Final = ("SUCCEEDED", "FAILED", "STOPPED")


def run_on_ray(plan: RunPlan, run_dir: Path, writer: EventWriter, commands: CommandReader) -> None:
    """Have the plan trained on the cluster at its address, and tell what happens there as if it happened here.

    Raises StudioError ``cluster.no_ray``, ``cluster.unreachable``, ``cluster.too_large``, ``cluster.not_sent``,
    ``cluster.job_lost``.
    """
    cluster = Cluster(plan.placement.address)
    cluster.connect()
    job_id = _running_job(cluster, run_dir)
    if job_id is None:
        writer.emit(Phase(name="sending"))
        job_id = f"studio-{plan.run_id}-{uuid.uuid4().hex[:8]}"
        with staged(plan, run_dir) as folder:
            cluster.submit(job_id, plan.run_id, folder)
        _note_job(run_dir, job_id)
    Follower(cluster, job_id, run_dir, writer, commands, end_with_parent=not plan.outlive).follow()


class Cluster:
    """One Ray cluster: jobs by its Jobs SDK, files by the clerk of a job. The package ``ray`` is an optional extra."""

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            import ray
            from ray.job_submission import JobSubmissionClient
        except ImportError as error:
            raise no_ray() from error
        self._ray: Any = ray
        self._client_of: Any = JobSubmissionClient
        self._jobs: Any = None

    def connect(self) -> None:
        """Reach the cluster. Raises StudioError ``cluster.unreachable``."""
        try:
            _knock(self._address)
            self._ray.init(
                address=self._address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR"
            )
            self._jobs = self._client_of(self._address)
        except Exception as error:
            self.disconnect()
            raise StudioError(
                "cluster.unreachable",
                _("The Ray cluster at {address} cannot be reached: {error}").format(
                    address=self._address, error=(str(error).splitlines() or [""])[0]
                ),
                _(
                    "Check the address and that the cluster is up; the run itself goes on there if it was started."
                ),
            ) from error

    def disconnect(self) -> None:
        """Let go of the cluster; what runs there goes on."""
        self._jobs = None
        self._ray.shutdown()

    def submit(self, job_id: str, run_id: str, folder: Path) -> None:
        """Send a folder and start the run in it as a job."""
        self._jobs.submit_job(
            entrypoint=f"python -m studio.worker.cluster_job {run_id}", submission_id=job_id,
            runtime_env={"working_dir": str(folder), "env_vars": {"STUDIO_JOB_ID": job_id}},
        )  # fmt: skip

    def status(self, job_id: str) -> str:
        """PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED; empty when the cluster does not know the job."""
        try:
            return str(self._jobs.get_job_status(job_id).value)
        except RuntimeError as error:
            if "does not exist" in str(error) or "404" in str(error):
                return ""
            raise

    def ask(self, job_id: str, method: str, *values: Any) -> Any:
        """What the clerk of the job answers. Raises ValueError while (or when) there is none."""
        clerk = self._ray.get_actor(clerk_name(job_id), namespace=NAMESPACE)
        return self._ray.get(getattr(clerk, method).remote(*values), timeout=60)

    def dismiss(self, job_id: str) -> None:
        """Send the clerk home."""
        self._ray.kill(self._ray.get_actor(clerk_name(job_id), namespace=NAMESPACE))


class Follower:
    """Mirrors one job's files and passes its events on, until it has ended and everything is here."""

    def __init__(
        self, cluster: Cluster, job_id: str, run_dir: Path, writer: EventWriter, commands: CommandReader, *,
        end_with_parent: bool,
    ) -> None:  # fmt: skip
        self._cluster, self._job, self._dir = cluster, job_id, run_dir
        self._writer, self._commands, self._end_with_parent = writer, commands, end_with_parent
        self._mirror = run_dir / "cluster" / job_id / "events.jsonl"
        self._told_file = self._mirror.with_name("told")
        self._mirror.parent.mkdir(parents=True, exist_ok=True)
        self._mirror.touch()
        self._told = int(self._told_file.read_text()) if self._told_file.is_file() else 0
        self._unsent: list[str] = []

    def follow(self) -> None:
        """Return when the trainer's last event was passed on. Raises StudioError ``cluster.job_lost``."""
        while not self._writer.ended:
            self._hear()
            try:
                self._look()
            except (StudioError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 (whatever Ray raises when a connection breaks)
                self._reconnect(error)
            time.sleep(POLL_S)
        self._dismiss()

    def _hear(self) -> None:
        self._unsent += [encode(command) for command in self._commands.poll()]
        if self._end_with_parent and self._commands.eof:
            self._end_with_parent = False
            self._unsent.append(encode(Stop()))

    def _look(self) -> None:
        status = self._cluster.status(self._job)  # before the events: what they lack afterwards never comes
        try:
            while self._unsent:
                self._cluster.ask(self._job, "post", self._unsent[0])
                self._unsent.pop(0)
            self._copy_events()
        except ValueError:  # no clerk: not yet, or the cluster was started anew
            if status in _OVER or not status:
                raise self._lost() from None
            return
        self._tell()
        ended = status in _OVER or self._cluster.ask(self._job, "read", EXIT_FILE, 0, 16)
        if ended and not self._writer.ended and not self._copy_events():
            raise self._lost()

    def _copy_events(self) -> bool:
        """Append what is new to the mirror; whether there was anything."""
        grown = False
        while part := self._cluster.ask(
            self._job, "read", "events.jsonl", self._mirror.stat().st_size, PART_BYTES
        ):
            with self._mirror.open("ab") as file:
                file.write(part)
            grown = True
        return grown

    def _tell(self) -> None:
        with self._mirror.open("rb") as file:
            file.seek(self._told)
            data = file.read()
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
            event = decode_event(line.decode("utf-8", "replace"))
            if event is not None and not isinstance(event, Started):
                self._pass_on(event)
            self._told += len(line)
        aside = self._told_file.with_suffix(".tmp")
        aside.write_text(str(self._told))
        os.replace(aside, self._told_file)

    def _pass_on(self, event: Event) -> None:
        if isinstance(event, CheckpointSaved):
            self._fetch(event.path, self._dir / event.path)
            self._let_go_of_checkpoints()
        elif isinstance(event, Finished):
            for name in ("model", "tokenizer"):
                self._fetch(name, self._dir / name)
        elif isinstance(event, TERMINAL):
            self._fetch_log()
        self._writer.emit(event)

    def _fetch(self, name: str, target: Path) -> None:
        """A folder, whole or not at all; nothing when it is gone there already."""
        sizes: dict[str, int] = self._cluster.ask(self._job, "listing", name)
        if not sizes:
            return
        aside = target.with_name(f".tmp-{uuid.uuid4().hex}")
        try:
            if not all(
                self._fetch_file(f"{name}/{path}", aside / path, size) for path, size in sizes.items()
            ):
                return  # removed there meanwhile: a newer one follows
            trash = target.with_name(f".trash-{uuid.uuid4().hex}")
            if target.exists():
                target.rename(trash)
            aside.rename(target)
            shutil.rmtree(trash, ignore_errors=True)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _fetch_file(self, name: str, target: Path, size: int) -> bool:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while part := self._cluster.ask(self._job, "read", name, file.tell(), PART_BYTES):
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
            return file.tell() == size

    def _fetch_log(self) -> None:
        with (self._dir / "stderr.log").open("ab") as log:
            log.write(self._cluster.ask(self._job, "read", "stderr.log", 0, PART_BYTES))

    def _let_go_of_checkpoints(self) -> None:
        """Remove the checkpoints that the trainer has removed there."""
        there = {path.split("/")[0] for path in self._cluster.ask(self._job, "listing", "checkpoints")}
        for path in (self._dir / "checkpoints").glob("ckpt-*"):
            if there and path.name not in there:
                trash = path.with_name(f".trash-{uuid.uuid4().hex}")
                path.rename(trash)
                shutil.rmtree(trash, ignore_errors=True)

    def _reconnect(self, error: Exception) -> None:
        """Try until the cluster answers again: the run goes on there meanwhile."""
        said = (str(error).splitlines() or [type(error).__name__])[0]
        text = _("The connection to the cluster is lost ({error}); the run goes on there.")
        self._writer.emit(Log(level="warning", message=text.format(error=said)))
        while True:
            self._cluster.disconnect()
            time.sleep(RETRY_S)
            self._hear()
            try:
                self._cluster.connect()
                break
            except StudioError:
                continue
        self._writer.emit(Log(level="info", message=_("The cluster answers again.")))

    def _dismiss(self) -> None:
        try:
            self._cluster.dismiss(self._job)
        except ValueError:
            return
        finally:
            (self._dir / "cluster" / "job.json").unlink(missing_ok=True)
            self._cluster.disconnect()

    def _lost(self) -> StudioError:
        (self._dir / "cluster" / "job.json").unlink(missing_ok=True)
        return StudioError(
            "cluster.job_lost", _("The job on the cluster has ended without a last word."),
            _("Let the run go on: it starts there again from its last checkpoint."),
        )  # fmt: skip


def _knock(address: str) -> None:
    """Raise OSError unless somebody listens there: Ray itself would try for minutes."""
    host, _colon, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()


def _running_job(cluster: Cluster, run_dir: Path) -> str | None:
    """The job of an earlier attempt that is still to be followed to its end."""
    try:
        job_id = str(json.loads((run_dir / "cluster" / "job.json").read_text())["job"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if cluster.status(job_id) in ("PENDING", "RUNNING"):
        return job_id
    try:
        cluster.ask(job_id, "listing", ".")
    except ValueError:
        return None
    return job_id


def _note_job(run_dir: Path, job_id: str) -> None:
    (run_dir / "cluster").mkdir(exist_ok=True)
    aside = run_dir / "cluster" / "job.tmp"
    aside.write_text(json.dumps({"job": job_id}), encoding="utf-8")
    os.replace(aside, run_dir / "cluster" / "job.json")
