"""Child processes as the services see them: started, spoken to, followed and, if need be, ended with all they began.

Plain Python, so that the command line and the window share it; the window calls it from its own threads.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
from pydantic import BaseModel

from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Cancel, Command
from studio.protocol.events import TERMINAL, Cancelled, Event, Failed, Finished
from studio.services import processes
from studio.services.files import tail

log = logging.getLogger(__name__)

Terminal = Finished | Cancelled | Failed
CommandLine = Callable[..., list[str]]
MAX_LINE_BYTES = 64 * 2**20
_PROGRAM = frozenset({"crash", "crashed"})  # last parts of codes: the program failed, nobody can mend it
_MACHINE = frozenset({"out_of_memory", "disk_full", "no_disk"})  # this computer cannot do it
CANCEL_GRACE_S = 5.0
TERMINATE_GRACE_S = 2.0


class JobCancelled(StudioError):
    """The user cancelled the job; nothing of it was kept."""

    def __init__(self) -> None:
        super().__init__("job.cancelled", _("Cancelled. Nothing was changed."))


class JobFailed(StudioError):
    """A worker failed; ``details`` is the traceback or the end of its log."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.code, failed.message, failed.hint)
        self.details = failed.details
        reason = failed.code.rpartition(".")[2]
        self.exit_code = 1 if reason in _PROGRAM else 3 if reason in _MACHINE else self.exit_code


@dataclass(frozen=True)
class Outcome:
    """How a child ended: its last event (made up as Failed when it said none) and its exit code."""

    terminal: Terminal
    returncode: int


def worker_command(*args: str) -> list[str]:
    """The command line of a worker of this very program, from source, installed or frozen."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "worker", *args]
    return [sys.executable, "-m", "studio", "worker", *args]


def worker_environment() -> dict[str, str]:
    """The parent's environment, with the program importable and the current folder not on the import path."""
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    home = Path(__file__).resolve().parents[2]
    if not getattr(sys, "frozen", False) and home.name not in ("site-packages", "dist-packages"):
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{home}{os.pathsep}{known}" if known else str(home)
    return environment


def spawn_detached(
    args: Sequence[str], run_dir: Path, command: CommandLine = worker_command
) -> subprocess.Popen[bytes]:
    """Start a trainer that may outlive this process: own session, no protocol pipe, its log appended in ``run_dir``.

    Its stdin stays open as long as this process lives; that is how it learns that the parent is gone.
    """
    with (run_dir / "stderr.log").open("ab") as stderr:
        return subprocess.Popen(
            command(*args), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr, cwd=run_dir,
            env=worker_environment(), start_new_session=True,
        )  # fmt: skip


class WorkerProcess:
    """One child that speaks the protocol on its stdin and stdout.

    on_event is called for every event from one reader thread, the terminal one last. A child that exits without
    a terminal event is given one: Failed, code ``worker.crashed``, with the outcome sentence and its last log lines.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        first_line: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        stderr_path: Path | None = None,
        command: CommandLine = worker_command,
    ) -> None:
        self._on_event = on_event or (lambda event: None)
        self._terminal: Terminal | None = None
        self._outcome: Outcome | None = None
        self._ended = threading.Event()
        self._write_lock = threading.Lock()
        self._stderr = stderr_path.open("a+b") if stderr_path else tempfile.NamedTemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command(*args), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
            env=worker_environment(), cwd=tempfile.gettempdir(), start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name=f"worker-{args[0]}-reader", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name=f"worker-{args[0]}-watcher", daemon=True)
        self._reader.start()
        self._watcher.start()
        if first_line is not None:
            self._write_line(first_line)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        """Until the child is gone and its last event was handed on."""
        return not self._ended.is_set()

    def send(self, command: Command) -> None:
        """Give the child a command; does nothing when the child no longer listens."""
        self._write_line(encode(command))

    def wait(self, timeout: float | None = None) -> Outcome:
        """The outcome, once the child is gone. Raises TimeoutError after ``timeout`` seconds."""
        if not self._ended.wait(timeout) or self._outcome is None:
            raise TimeoutError
        return self._outcome

    def cancel(self, grace_s: float = CANCEL_GRACE_S) -> Outcome:
        """Ask the child to drop its work; if it does not end within the grace, terminate it, then kill its group."""
        self.send(Cancel())
        if self._ended.wait(grace_s) is False:
            self._process.terminate()
        if self._ended.wait(TERMINATE_GRACE_S) is False:
            self.kill()
        return self.wait()

    def kill(self) -> None:
        """End the child and all that it started, at once."""
        if self._process.returncode is None:
            try:
                processes.kill_tree(psutil.Process(self._process.pid))
            except psutil.NoSuchProcess:
                return

    def close(self, grace_s: float = CANCEL_GRACE_S) -> None:
        """Let a long-lived child go: end of its input, then the same ladder as ``cancel``."""
        with self._write_lock:
            _close_quietly(self._process.stdin)
        if not self._ended.wait(grace_s):
            self.kill()
            self._ended.wait()

    def _write_line(self, line: str) -> None:
        stdin = self._process.stdin
        with self._write_lock:
            if stdin is None or stdin.closed:
                return
            try:
                stdin.write(line.encode() + b"\n")
                stdin.flush()
            except OSError:
                log.debug("The child %s no longer listens", self._process.pid)

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        while line := stdout.readline(MAX_LINE_BYTES):
            event = decode_event(line.decode("utf-8", errors="replace"))
            if event is None or self._terminal is not None:
                continue
            if isinstance(event, TERMINAL):
                self._terminal = event
            else:
                self._hand_on(event)

    def _watch(self) -> None:
        returncode = processes.end_leftovers(self._process)
        self._reader.join(timeout=TERMINATE_GRACE_S)  # bounded: a runaway grandchild may hold the pipe open
        terminal = self._terminal or Failed(
            code="worker.crashed", message=processes.outcome_sentence(returncode), details=self._last_words(),
            hint=_("Try again. If it happens again, open Details and send them to us."),
        )  # fmt: skip
        self._terminal = terminal
        with self._write_lock:
            _close_quietly(self._process.stdin)
        if not self._reader.is_alive():
            _close_quietly(self._process.stdout)
        self._stderr.close()
        self._outcome = Outcome(terminal, returncode)
        self._hand_on(terminal)
        self._ended.set()

    def _last_words(self) -> str:
        return tail(Path(self._stderr.name))

    def _hand_on(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:  # the boundary to a stranger's code: a broken listener must not lose the child
            log.exception("A listener to a worker's events failed")


def _close_quietly(pipe: IO[bytes] | None) -> None:
    if pipe is not None and not pipe.closed:
        try:
            pipe.close()
        except OSError:  # unsent bytes for a child that is gone
            log.debug("A pipe closed with unsent bytes")


def payload_line(payload: Any) -> str | None:
    """The first line for a worker's stdin: a pydantic model or plain JSON values; None when there is none."""
    if payload is None:
        return None
    plain = payload.model_dump(mode="json") if isinstance(payload, BaseModel) else payload
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def run_job(
    args: Sequence[str],
    payload: Any = None,
    on_event: Callable[[Event], None] | None = None,
    cancel: threading.Event | None = None,
    timeout_s: float | None = None,
    command: CommandLine = worker_command,
) -> Finished:
    """Run one worker job and wait for it (call it from a thread).

    Raises JobFailed (a StudioError) when it failed or took longer than ``timeout_s``, JobCancelled when ``cancel``
    was set. In every case the child and all it started are gone when this returns.
    """
    process = WorkerProcess(args, first_line=payload_line(payload), on_event=on_event, command=command)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        try:
            return _result(process.wait(timeout=0.05).terminal)
        except TimeoutError:
            pass
        if cancel is not None and cancel.is_set():
            process.cancel()
            raise JobCancelled
        if deadline is not None and time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise JobFailed(_too_long())


def _too_long() -> Failed:
    return Failed(
        code="worker.timeout", message=_("This took too long and was ended."),
        hint=_("Try again with less data, or when the computer is less busy."),
    )  # fmt: skip


def _result(terminal: Terminal) -> Finished:
    if isinstance(terminal, Failed):
        raise JobFailed(terminal)
    if isinstance(terminal, Cancelled):
        raise JobCancelled
    return terminal
