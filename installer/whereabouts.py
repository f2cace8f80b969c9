"""Asks the installed program where it keeps things: studio.paths is the only place that knows."""

from __future__ import annotations

from pathlib import Path

from installer.messages import _
from installer.place import Place
from installer.plan import StepError
from installer.runner import Runner


def ask_program(place: Place, runner: Runner, function: str) -> Path:
    """The folder that this function of studio.paths names. Raises StepError when the program cannot answer."""
    code = f"from studio.paths import {function}; print({function}())"
    outcome = runner.run([str(place.python), "-c", code])
    if not outcome.ok or not outcome.tail:
        cause = _("{tool} ended with code {code}.").format(tool="studio.paths", code=outcome.code)
        hint = _("Delete the folder {folder} and run this command again.").format(folder=place.venv)
        raise StepError(cause, hint, outcome.tail)
    return Path(outcome.tail[-1])
