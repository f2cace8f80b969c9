"""``worker estimate RUN_DIR``: the fit check of a plan, in a process of its own that is thrown away with its memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.engine.threads import spin_while_alone
from studio.protocol.events import Estimated, Finished
from studio.worker.control import CommandControl
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event
from studio.worker.training import media_of, read_plan, rows_of


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Measure and predict; ends without a result when cancelled or when nobody listens any more."""
    folder = Path(args[0])
    plan = read_plan(folder)
    writer.emit(started_event(writer, "estimate"))
    control = _UntilStopped(commands, writer)
    with spin_while_alone(plan.spec.threads):  # as the run will
        from studio.engine.estimate import estimate  # torch: seconds, after the first words were said

        estimated = estimate(plan, rows_of(plan), folder, writer.emit, control, media_of(plan))
    found = estimated.model_dump(mode="json")
    writer.emit(Estimated(estimate=found))
    writer.emit(Finished(result=found))


class _UntilStopped(CommandControl):
    """A fit check has nothing to keep: stop means cancel."""

    def __init__(self, commands: CommandReader, writer: EventWriter) -> None:
        super().__init__(commands, writer.emit, end_with_parent=True)

    def check(self) -> None:
        super().check()
        if self.stop:
            raise JobCancelled
