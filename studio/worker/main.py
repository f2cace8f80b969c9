"""Where every child process starts: it finds the job, keeps the protocol's promises, and reports the end.

Promises: one terminal event, whatever happens; standard output carries events only; one worker a run folder.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, cast

from filelock import FileLock, Timeout

from studio.errors import StudioError, is_disk_full
from studio.i18n import _, set_language, system_language
from studio.protocol.events import Cancelled, Failed
from studio.worker.companions import team_rank
from studio.worker.io import CommandReader, EventWriter, JobCancelled, process_started_at, protect_stdout
from studio.worker.limits import isolate

Job = Callable[[Sequence[str], EventWriter, CommandReader], None]

# Imported only when asked for: one of them brings torch, another polars.
JOBS: Final = {
    "train": "studio.worker.training",
    "estimate": "studio.worker.estimating",
    "chat": "studio.worker.chatting",
    "predict": "studio.worker.predicting",
    "convert": "studio.worker.converting",
    "fetch": "studio.worker.fetching",
    "import": "studio.worker.importing",
    "preview-source": "studio.worker.previewing",
    "fetch-dataset": "studio.worker.fetching_data",
    "diagnose": "studio.worker.diagnosing",
    "derive": "studio.worker.deriving",
    "try-step": "studio.worker.trying",
    "compare-versions": "studio.worker.comparing",
    "measure-data": "studio.worker.measuring",
    "export-data": "studio.worker.exporting",
    "order-labels": "studio.worker.ordering",
}


class Terminated(BaseException):
    """Someone sent SIGTERM: clean up what is half-made and end."""


def main(argv: Sequence[str]) -> int:
    """Run ``worker VERB ARGS…``; returns 0 when the job finished or was cancelled, 1 when it failed."""
    protocol_fd = protect_stdout()
    _leave_parents_group()
    set_language(system_language())
    if not argv or argv[0] not in JOBS:
        print(f"usage: worker {' | '.join(JOBS)}", file=sys.stderr)  # noqa: T201 (a programmer reads this)
        return 2
    signal.signal(signal.SIGTERM, _terminated)
    verb, *args = argv
    if verb == "train" and args:
        if team_rank() > 0:  # another process of a team: the folder and its events are the leader's
            return run_job(verb, args, EventWriter(None), CommandReader(None))
        return _run_in_folder(Path(args[0]), verb, args, protocol_fd)
    writer = EventWriter(protocol_fd)
    isolate(
        verb
    )  # before the reader's thread: Linux gives a user namespace to a single-threaded process only
    return run_job(verb, args, writer, CommandReader(0))


def _run_in_folder(run_dir: Path, verb: str, args: Sequence[str], protocol_fd: int) -> int:
    """A job whose events and commands are also files; the folder belongs to one process at a time."""
    try:
        lock = FileLock(run_dir / "worker.lock", timeout=0)
        lock.acquire()
    except Timeout:
        EventWriter(protocol_fd).emit(_already_running())
        return 1
    except OSError as error:
        EventWriter(protocol_fd).emit(failure(error))
        return 1
    try:
        writer = EventWriter(protocol_fd, run_dir / "events.jsonl")
        commands = CommandReader(0, run_dir / "commands.jsonl")
        write_identity(run_dir, writer.token)
        return run_job(verb, args, writer, commands)
    except OSError as error:
        EventWriter(protocol_fd).emit(failure(error))
        return 1
    finally:
        lock.release()


def run_job(verb: str, args: Sequence[str], writer: EventWriter, commands: CommandReader) -> int:
    """Run one job and see to its terminal event. This is the process boundary: nothing escapes it."""
    try:
        job = cast(Job, importlib.import_module(JOBS[verb]).run)
        job(args, writer, commands)
        if not writer.ended:
            raise RuntimeError(f"{verb} ended without saying how")
        return 0
    except JobCancelled:
        _emit_end(writer, Cancelled())
        return 0
    except (Exception, Terminated, KeyboardInterrupt) as error:  # noqa: BLE001 (the process boundary)
        traceback.print_exc(file=sys.stderr)
        _emit_end(writer, failure(error))
        return 1


def failure(error: BaseException) -> Failed:
    """What to tell about this exception: its own words if meant for a person, else the kind of trouble."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, StudioError):
        return Failed(code=error.code, message=error.message, hint=error.hint, details=details)
    code, message, hint = _explain(error)
    return Failed(code=code, message=message, hint=hint, details=details)


def write_identity(run_dir: Path, token: str) -> None:
    """Publish RUN_DIR/worker.json, by which others tell whether this very process is still alive."""
    aside = run_dir / f".worker.json.{os.getpid()}"
    identity = {"pid": os.getpid(), "pid_started_at": process_started_at(), "token": token}
    aside.write_text(json.dumps(identity), encoding="utf-8")
    os.replace(aside, run_dir / "worker.json")


def _explain(error: BaseException) -> tuple[str, str, str]:
    if _is_out_of_memory(error):
        return (
            "run.out_of_memory",
            _("There was not enough memory for this."),
            _("Use a smaller batch or shorter rows, or close other programs."),
        )
    if is_disk_full(error):
        return "run.disk_full", _("The disk is full."), _("Free some space, then start again.")
    if isinstance(error, (Terminated, KeyboardInterrupt)):
        return "worker.terminated", _("The job was ended from outside."), _("Start it again when you like.")
    text = _("Something unexpected happened: {error}").format(error=f"{type(error).__name__}: {error}")
    return "worker.crash", text, _("Look at the details; if it happens again, report it with them.")


def _is_out_of_memory(error: BaseException) -> bool:
    """torch's own class is known by its name: torch must not be imported only to ask."""
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(names & {"OutOfMemoryError", "MemoryError"}) or "can't allocate memory" in str(error)


def _emit_end(writer: EventWriter, event: Failed | Cancelled) -> None:
    try:
        writer.emit(event)
    except OSError:  # a full disk cannot hold the line; the pipe still can
        writer.forget_file()
        writer.emit(event)


def _already_running() -> Failed:
    return Failed(
        code="run.already_running",
        message=_("This run is already being trained by another process."),
        hint=_("Wait for it to end, or stop it first."),
    )


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def _leave_parents_group() -> None:
    """A process group of our own, so that Ctrl+C in a terminal reaches only the parent."""
    if hasattr(os, "setsid"):
        try:
            os.setsid()
        except PermissionError:
            return  # the launcher did it already
