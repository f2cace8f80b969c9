"""The fetch worker: a model comes from a hub, because the user asked for it, and every host contacted is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from studio.engine.hub import Fetcher
from studio.engine.hub_transfer import discard
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import Cancel, Stop
from studio.protocol.events import Finished, Log, Phase, Progress
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event

_PAYLOAD_S = 60.0
_PROGRESS_S = 0.25


class FetchJob(BaseModel):
    """The first line of standard input. endpoint: empty for the hub's own; allow: file name patterns, empty for all."""

    repo: str
    hub: Literal["huggingface", "mirror", "modelscope"] = "huggingface"
    endpoint: str = ""
    out_dir: Path
    allow: list[str] = []


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Fetch the model. Cancel drops what came; stop, or a parent that goes, keeps it for the next time."""
    try:
        job = FetchJob.model_validate_json(commands.read_line(_PAYLOAD_S) or "")
    except ValidationError as error:
        raise StudioError("hub.bad_job", _("The download was asked for in a wrong way.")) from error
    writer.emit(started_event(writer, "fetch"))
    watch = FetchWatch(writer, commands)
    fetcher = Fetcher(job.out_dir, on_host=watch.host, on_progress=watch.progress, check=watch.check)
    writer.emit(Phase(name="fetching"))
    try:
        parameters = fetcher.fetch(job.hub, job.endpoint, job.repo, job.allow)
    except JobCancelled:
        if watch.dropped:
            discard(job.out_dir)
        raise
    writer.emit(Finished(result={"path": str(job.out_dir), "parameters": parameters}))


class FetchWatch:
    """Turns what the fetcher says into events, a few a second, and hears commands between two chunks."""

    def __init__(self, writer: EventWriter, commands: CommandReader) -> None:
        self._writer, self._commands = writer, commands
        self._hosts: set[str] = set()
        self._started: tuple[float, int] | None = None
        self._told = 0.0
        self.dropped = False

    def host(self, name: str) -> None:
        if name not in self._hosts:
            self._hosts.add(name)
            self._writer.emit(Log(level="info", message=f"outbound {name}"))

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = (now, done)
        if now - self._told < _PROGRESS_S and done < total:
            return
        self._told = now
        elapsed = now - self._started[0]
        rate = (done - self._started[1]) / elapsed if elapsed > 0 else None
        self._writer.emit(
            Progress(
                phase="fetching",
                done=done,
                total=total,
                unit="bytes",
                rate=rate,
                eta_s=(total - done) / rate if rate else None,
            )
        )

    def check(self) -> None:
        for command in self._commands.poll():
            if isinstance(command, (Cancel, Stop)):
                self.dropped = isinstance(command, Cancel)
                raise JobCancelled
        if self._commands.eof:
            raise JobCancelled
