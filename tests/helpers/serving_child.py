"""A long-lived worker (chat, predict) as a real child process, spoken to over its two pipes."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Command
from studio.protocol.events import Event, Started

START_S = 120.0  # importing torch on a busy machine


class ServingChild:
    """verb: of the worker. patience_s: how long an event is waited for, unless a test says otherwise."""

    def __init__(self, verb: str, home: Path, patience_s: float) -> None:
        self._patience_s = patience_s
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio", "worker", verb],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "STUDIO_HOME": str(home), "STUDIO_LANGUAGE": "en"}, start_new_session=True,
        )  # fmt: skip
        self._events: queue.Queue[Event | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for(Started, START_S)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            event = decode_event(line.decode())
            if event is not None:
                self._events.put(event)
        self._events.put(None)

    def send(self, *commands: Command) -> None:
        assert self.process.stdin
        self.process.stdin.write("".join(encode(c) + "\n" for c in commands).encode())
        self.process.stdin.flush()

    def until(self, wanted: Callable[[Event], bool], timeout_s: float | None = None) -> list[Event]:
        """All events up to the wanted one."""
        seen: list[Event] = []
        deadline = time.monotonic() + (timeout_s or self._patience_s)
        while True:
            event = self._events.get(timeout=max(0.01, deadline - time.monotonic()))
            assert event is not None, f"the worker ended; seen: {seen}"
            seen.append(event)
            if wanted(event):
                return seen

    def wait_for(self, kind: type[Event], timeout_s: float | None = None) -> list[Event]:
        return self.until(lambda event: isinstance(event, kind), timeout_s)
