"""Runs one tool at a time; keeps its output in the record and its last lines for the failure message."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TAIL_LINES = 12
GRACE_S = 10.0
TICK_S = 1.0
# They would let packages from outside leak into the private environment.
FOREIGN_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
NOT_FOUND = 127

LineListener = Callable[[str], bool]
"""Sees each line of output, and an empty one per second of silence; True keeps a line out of the record."""


@dataclass(frozen=True)
class Outcome:
    """How a tool ended: its exit code and the last lines that it wrote."""

    code: int
    tail: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.code == 0


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: ours, without what ties it to another Python."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **(extra or {})}


class Runner:
    """Runs commands and appends all that they write to one record file, made when missing."""

    def __init__(self, record: Path, cwd: Path) -> None:
        self.record = record
        self._cwd = cwd

    def run(
        self,
        command: Sequence[str],
        listener: LineListener | None = None,
        environment: Mapping[str, str] | None = None,
        attended: bool = False,
    ) -> Outcome:
        """Run to the end; a missing tool is outcome 127; an interrupt ends the child first.

        ``attended`` holds stdin open, for the studio's workers, which take its end for their parent's;
        other tools get none, lest they ask something.
        """
        self.record.parent.mkdir(parents=True, exist_ok=True)
        with self.record.open("a", encoding="utf-8") as record:
            record.write(f"\n[{time.strftime('%Y-%m-%d %H:%M:%S')}] {' '.join(command)}\n")
            try:
                process = self._start(command, environment, attended)
            except OSError as error:
                record.write(f"{error}\n")
                return Outcome(NOT_FOUND, (str(error),))
            tail = self._follow(process, record, listener)
            code = process.wait()
            record.write(f"[exit code {code}]\n")
        return Outcome(code, tail)

    def _start(
        self, command: Sequence[str], environment: Mapping[str, str] | None, attended: bool
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            list(command),
            cwd=self._cwd,
            env=child_environment(environment),
            stdin=subprocess.PIPE if attended else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",
        )

    def _follow(
        self, process: subprocess.Popen[str], record: IO[str], listener: LineListener | None
    ) -> tuple[str, ...]:
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        try:
            for line in _lines(process):
                if listener is not None and listener(line):
                    continue
                if line:
                    record.write(line + "\n")
                    tail.append(line)
        except BaseException:  # the child must not outlive us, whatever ended the wait; raised again
            _end(process)
            raise
        finally:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        return tuple(tail)


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """Each line of output; an empty one for each second of silence, so that the elapsed time can be shown."""
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    while True:
        try:
            line = lines.get(timeout=TICK_S)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            reader.join()
            return
        yield line


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    try:
        for line in process.stdout or ():
            lines.put(line.rstrip())
    except ValueError:  # closed under us while the child was being ended
        pass
    finally:
        lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    """Ask the child and all its own children (venv starts pip) to end, then insist."""
    if process.poll() is None:
        _signal(process, insist=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _signal(process, insist=True)
    process.wait()


def _signal(process: subprocess.Popen[str], insist: bool) -> None:
    if sys.platform == "win32":
        process.kill() if insist else process.terminate()
        return
    # All gone already, or run by sudo, which passes our first signal on.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL if insist else signal.SIGTERM)
