"""The job ``worker fetch-dataset``: a dataset comes from a hub, because the user asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, ValidationError

from studio.engine.hub_data import DataFetcher
from studio.engine.hub_transfer import discard
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Finished, Phase
from studio.worker.fetching import FetchJob, FetchWatch
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event
from studio.worker.limits import JOB_LIMITS, restrict

_PAYLOAD_S = 60.0


class FetchDataJob(FetchJob):
    """The first line of standard input. files: patterns of file names to take, empty for all data files."""

    files: list[str] = Field(default_factory=list)


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Fetch the dataset. Cancel drops what came; stop, or a parent that goes, keeps it for the next time."""
    try:
        job = FetchDataJob.model_validate_json(commands.read_line(_PAYLOAD_S) or "")
    except ValidationError as error:
        raise StudioError("hub.bad_job", _("The download was asked for in a wrong way.")) from error
    writer.emit(started_event(writer, "fetch-dataset"))
    restrict(JOB_LIMITS["fetch-dataset"])
    watch = FetchWatch(writer, commands)
    fetcher = DataFetcher(job.out_dir, on_host=watch.host, on_progress=watch.progress, check=watch.check)
    writer.emit(Phase(name="fetching"))
    try:
        data = fetcher.fetch(job.hub, job.endpoint, job.repo, job.files)
    except JobCancelled:
        if watch.dropped:
            discard(job.out_dir)
        raise
    result = {"path": str(data.folder), "licence": data.licence, "files": data.files}
    writer.emit(Finished(result=result))
