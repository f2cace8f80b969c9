"""The worker's two pipes and its files: events out, commands in, never broken by a library's print.

Nothing here imports a heavy library: it runs before the job's own imports, so commands are heard at once.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from studio.protocol.codec import decode_command, encode
from studio.protocol.commands import Command
from studio.protocol.events import TERMINAL, CheckpointSaved, Event, Paused, Resumed, Started

_READ_BYTES = 65536
_TAIL_BYTES = 1 << 20
_RESERVE_BYTES = 1 << 16


class JobCancelled(Exception):
    """The user dropped the job; main.py turns it into the Cancelled event."""


def protect_stdout() -> int:
    """Keep fd 1 for the protocol and point everybody else's standard output at standard error.

    Returns the descriptor to write events to.
    """
    sys.stdout.flush()
    protocol_fd = os.dup(1)
    os.set_inheritable(protocol_fd, False)
    os.dup2(2, 1)
    return protocol_fd


class EventWriter:
    """Numbers, stamps and writes events, from any thread, to the protocol pipe and to the run's event file.

    fd: the protocol descriptor, None for none; a reader that went away is forgotten for ever.
    file: events.jsonl; numbering goes on after its last line. Terminal and checkpoint events are fsynced.
    Nothing is written after a terminal event, so there is exactly one.
    Raises OSError from emit() when the file cannot be written; the half-written line is taken back. For a terminal
    event and for a pause room is kept beside the file, so that a full disk can still be told.
    """

    def __init__(self, fd: int | None, file: Path | None = None) -> None:
        self.token = uuid.uuid4().hex
        self._fd = fd
        self._lock = threading.Lock()
        self._terminal = False
        self._seq = 0
        self._file_fd: int | None = None
        self._reserve = None if file is None else file.with_suffix(".reserve")
        if file is not None:
            self._seq = last_seq(file)
            self._file_fd = os.open(
                file, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600
            )
            self._end_torn_line()
            self._keep_room()

    @property
    def ended(self) -> bool:
        """True once a terminal event was written."""
        return self._terminal

    @property
    def last(self) -> int:
        """The number of the last event written; above 0 at the start in a later attempt at a run."""
        return self._seq

    def emit(self, event: Event) -> None:
        """Write one event; its ``seq`` and ``t`` are set here."""
        with self._lock:
            if self._terminal:
                return
            stamped = event.model_copy(update={"seq": self._seq + 1, "t": time.time()})
            line = (encode(stamped) + "\n").encode("utf-8", "backslashreplace")
            self._to_pipe(line)
            if isinstance(event, (*TERMINAL, Paused)):
                self._give_room()
            elif isinstance(event, Resumed):
                self._keep_room()
            self._to_file(line, durable=isinstance(event, (*TERMINAL, CheckpointSaved)))
            self._seq += 1
            self._terminal = isinstance(event, TERMINAL)

    def forget_file(self) -> None:
        """Write to the pipe only from now on (the disk is full, and the end must still be told)."""
        with self._lock:
            if self._file_fd is not None:
                os.close(self._file_fd)
                self._file_fd = None

    def _keep_room(self) -> None:
        if self._reserve is None:
            return
        try:
            self._reserve.write_bytes(bytes(_RESERVE_BYTES))
        except OSError:  # no room to keep: the first event that needs some will say so
            self._give_room()

    def _give_room(self) -> None:
        if self._reserve is not None:
            self._reserve.unlink(missing_ok=True)

    def _to_pipe(self, line: bytes) -> None:
        if self._fd is None:
            return
        try:
            _write_all(self._fd, line)
        except OSError:  # the reader is gone; the file, if any, still has everything
            self._fd = None

    def _to_file(self, line: bytes, *, durable: bool) -> None:
        if self._file_fd is None:
            return
        before = os.fstat(self._file_fd).st_size
        try:
            _write_all(self._file_fd, line)
            if durable:
                os.fsync(self._file_fd)
        except OSError:
            os.ftruncate(self._file_fd, before)
            raise

    def _end_torn_line(self) -> None:
        """A line cut short by a kill is closed, so that the next event stands on its own line."""
        assert self._file_fd is not None
        size = os.fstat(self._file_fd).st_size
        if size:
            os.lseek(self._file_fd, size - 1, os.SEEK_SET)
            if os.read(self._file_fd, 1) != b"\n":
                _write_all(self._file_fd, b"\n")


class CommandReader:
    """Hears commands from standard input and from the run's mailbox; a thread keeps the pipe read.

    Whoever launches a run empties its mailbox before: what is found there was said to this attempt.
    """

    def __init__(self, stdin_fd: int | None, mailbox: Path | None = None) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._mailbox = mailbox
        self._offset = 0
        self._eof = threading.Event()
        if stdin_fd is None:
            self._eof.set()
        else:
            threading.Thread(target=self._read, args=(stdin_fd,), name="commands", daemon=True).start()

    @property
    def eof(self) -> bool:
        """True once standard input has ended: the parent is gone (or gave none)."""
        return self._eof.is_set()

    def poll(self) -> list[Command]:
        """The commands that came since the last call, in order; returns at once. Unknown ones are ignored."""
        lines: list[str] = []
        while not self._lines.empty():
            line = self._lines.get_nowait()
            if line is not None:
                lines.append(line)
        commands = (decode_command(line) for line in lines + self._mailbox_lines())
        return [command for command in commands if command is not None]

    def wait(self, timeout_s: float) -> list[Command]:
        """Like poll(), but waits up to ``timeout_s`` for a line on standard input or for its end."""
        line = self.read_line(timeout_s)
        command = decode_command(line) if line is not None else None
        return [*([command] if command else []), *self.poll()]

    def read_line(self, timeout_s: float) -> str | None:
        """The next raw line of standard input, e.g. a job's payload; None after the timeout or at the end."""
        if self.eof and self._lines.empty():
            return None
        try:
            return self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _read(self, fd: int) -> None:
        rest = b""
        try:
            while data := os.read(fd, _READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._lines.put(line.decode("utf-8", "replace"))
        except OSError:
            rest = b""
        if rest.strip():
            self._lines.put(rest.decode("utf-8", "replace"))
        self._eof.set()
        self._lines.put(None)  # wakes wait()

    def _mailbox_lines(self) -> list[str]:
        if self._mailbox is None:
            return []
        try:
            with self._mailbox.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        complete = data[: data.rfind(b"\n") + 1]  # a line still being written is read next time
        self._offset += len(complete)
        return complete.decode("utf-8", "replace").splitlines()


def last_seq(file: Path) -> int:
    """The number of the last whole event in an event file; 0 when there is none."""
    if not file.exists():
        return 0
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        lines = stream.read().splitlines()
    for line in reversed(lines):
        try:
            return int(json.loads(line)["seq"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0


def started_event(writer: EventWriter, job: str, **fields: Any) -> Started:
    """The Started event of this very process; fields: attempt, device, dtype, threads."""
    return Started(
        job=job, pid=os.getpid(), pid_started_at=process_started_at(), token=writer.token, **fields
    )


def process_started_at() -> float:
    """When this process began, in seconds since the epoch, as psutil tells it to others too."""
    return float(psutil.Process().create_time())


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
