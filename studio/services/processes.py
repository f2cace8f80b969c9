"""Which process is ours, how it ended, and how a whole group is ended: never a signal to a stranger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from studio.i18n import _

START_TOLERANCE_S = 2.0


@dataclass(frozen=True)
class ProcessIdentity:
    """What tells one process from another that later has the same number; started_at as psutil.create_time."""

    pid: int
    started_at: float
    token: str = ""


def read_identity(run_dir: Path) -> ProcessIdentity | None:
    """Who says to be the worker of this run (RUN_DIR/worker.json); None when nobody does."""
    try:
        stored = json.loads((run_dir / "worker.json").read_text(encoding="utf-8"))
        return ProcessIdentity(
            int(stored["pid"]), float(stored["pid_started_at"]), str(stored.get("token", ""))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def identity_of(pid: int) -> ProcessIdentity | None:
    """The identity of a process that is alive now."""
    try:
        return ProcessIdentity(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def find_worker(identity: ProcessIdentity | None, run_dir: Path, token: str = "") -> psutil.Process | None:
    """The live worker process of ``run_dir``, or None when it is gone or the number now belongs to a stranger.

    It must be alive, not say another token than ``token`` (when that is known), and have started when it said or,
    since a changed clock moves start times, have this very folder on its command line.
    """
    if identity is None or (token and identity.token and identity.token != token):
        return None
    try:
        process = psutil.Process(identity.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        same_start = abs(process.create_time() - identity.started_at) <= START_TOLERANCE_S
        return process if same_start or str(run_dir) in process.cmdline() else None
    except psutil.Error:
        return None


def wake(process: psutil.Process) -> None:
    """Let a stopped process (SIGSTOP) go on, so that it can hear a command; others are left alone."""
    try:
        if process.status() == psutil.STATUS_STOPPED:
            process.resume()
    except psutil.Error:
        return


def kill_tree(process: psutil.Process) -> None:
    """End a worker, its descendants and, where it leads a group of its own, that group."""
    try:
        family = [*process.children(recursive=True), process]
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    except (psutil.Error, ProcessLookupError, PermissionError):
        family = [process]
    for member in family:
        try:
            member.kill()
        except psutil.Error:
            continue


def end_leftovers(process: subprocess.Popen[bytes]) -> int:
    """Wait for a child that leads its own session, end what it left running, and reap it; returns its exit code.

    The group is signalled while the dead leader still holds its number, so the number cannot be a stranger's.
    """
    if hasattr(os, "waitid"):
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            os.killpg(process.pid, signal.SIGKILL)
        except (ChildProcessError, ProcessLookupError, PermissionError):
            return process.wait()
    return process.wait()


def poll_exit(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a child that leads its own session, with what it left running ended; None while it lives."""
    if hasattr(os, "waitid") and process.returncode is None:
        try:
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                return None
            return end_leftovers(process)
        except ChildProcessError:
            return process.poll()
    return process.poll()


def outcome_sentence(returncode: int | None) -> str:
    """How a process ended that said nothing itself, in the user's language. None: nobody saw its exit code."""
    if returncode is None:
        return _(
            "The process is gone and left no last word: it crashed, was ended, or the computer was switched off."
        )
    if returncode >= 0:
        return _("The process ended without a last word (exit code {code}).").format(code=returncode)
    number = -returncode
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    if number == getattr(signal, "SIGKILL", 9):
        return _("The process was ended by the system or by someone (SIGKILL); often memory had run out.")
    if number in (signal.SIGTERM, signal.SIGINT):
        return _("The process was asked to end by the system or by someone ({name}).").format(name=name)
    return _("The process crashed ({name}).").format(name=name)
