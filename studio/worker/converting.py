"""The convert worker: a GGUF file becomes a Hugging Face folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from studio.protocol.commands import Cancel, Stop
from studio.protocol.events import Finished, Phase
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Convert ``--gguf PATH`` to ``--out DIR``. Cancel, stop or a parent that goes drops what was made."""
    parser = argparse.ArgumentParser(prog="worker convert")
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(args)
    writer.emit(started_event(writer, "convert"))

    def on_phase(name: str) -> None:
        if commands.eof or any(isinstance(command, (Cancel, Stop)) for command in commands.poll()):
            raise JobCancelled
        writer.emit(Phase(name=name))

    from studio.engine.convert import convert_gguf  # torch: after the start was told

    parameters = convert_gguf(options.gguf.absolute(), options.out.absolute(), on_phase)
    writer.emit(Finished(result={"path": str(options.out.absolute()), "parameters": parameters}))
