"""Follows a run from outside its process: new events from its file, whether it lives, and commands into its mailbox."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Command
from studio.protocol.events import Event
from studio.services.processes import find_worker, read_identity

EVENT_START = '{"v":'


class RunFollower:
    """Tails RUN_DIR/events.jsonl. Events up to ``after_seq`` are known already and not given again."""

    def __init__(self, run_dir: Path, after_seq: int = 0, token: str = "") -> None:
        self.run_dir = run_dir
        self._events = run_dir / "events.jsonl"
        self._after = after_seq
        self._offset = 0
        self._token = token

    def poll(self) -> list[Event]:
        """Events written since the last call, in order; a line that is still being written waits for the next."""
        try:
            with self._events.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        complete = data.rfind(b"\n") + 1
        self._offset += complete
        return [
            event for line in data[:complete].splitlines() if (event := self._new_event(line)) is not None
        ]

    def alive(self) -> bool:
        """Whether the worker of this run is alive (number, start time and token)."""
        return self.process() is not None

    def process(self) -> psutil.Process | None:
        """The live worker process of this run, never a stranger's."""
        return find_worker(read_identity(self.run_dir), self.run_dir, self._token)

    def _new_event(self, line: bytes) -> Event | None:
        text = line.decode("utf-8", errors="replace")
        event = decode_event(text)
        if event is None and (start := text.rfind(EVENT_START)) > 0:
            event = decode_event(text[start:])  # written behind a line that a crash had cut short
        if event is None or event.seq <= self._after:
            return None
        self._after = event.seq
        return event


def post_command(run_dir: Path, command: Command) -> None:
    """Put a command into the run's mailbox (RUN_DIR/commands.jsonl), durable. Raises OSError."""
    with (run_dir / "commands.jsonl").open("ab") as mailbox:
        mailbox.write(encode(command).encode() + b"\n")
        mailbox.flush()
        os.fsync(mailbox.fileno())
