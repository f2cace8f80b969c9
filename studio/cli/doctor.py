"""``studio doctor``: is this computer, this installation and this workspace in order?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from studio.cli.call import Answer, Call
from studio.cli.verbs import Verbs
from studio.errors import StudioError
from studio.i18n import _
from studio.services.doctor import STATE_TITLES, Check, CheckState, closed_workspace, machine_checks

NOT_IN_ORDER = 3
_STYLES = {CheckState.OK: "green", CheckState.WARNING: "yellow", CheckState.PROBLEM: "red"}


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    verbs.add(app, doctor, "doctor", _("Check this computer, the installation and the workspace."))


def doctor(
    call: Call,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore",
            help=_("First put the newest good backup in the place of a damaged database, which is kept."),
        ),
    ] = False,
) -> Answer:
    """All checks with what to do; a workspace that does not open is one of them."""
    if restore:
        from studio.bootstrap import restore_workspace  # SQLAlchemy: not for --help

        kept = restore_workspace(call.workspace, settings=call.settings)
        call.out.say(_("The backup is in place. The database from before is kept: {path}").format(path=kept))
    try:
        with call.reading() as services:
            checks = services.doctor.checks()
    except StudioError as problem:
        checks = [closed_workspace(problem), *machine_checks()]
    for check in checks:
        _tell(call, check)
    problems = [check.id for check in checks if check.state is CheckState.PROBLEM]
    call.out.say()
    call.out.say(_("Some things must be mended first.") if problems else _("Everything needed is in order."))
    data = {"ok": not problems, "problems": problems, "checks": [asdict(check) for check in checks]}
    return Answer(data, NOT_IN_ORDER if problems else 0)


def _tell(call: Call, check: Check) -> None:
    state = f"{_(STATE_TITLES[check.state])}"
    call.out.console.print(f"{state}: ", style=_STYLES[check.state], end="")
    call.out.say(f"{check.title} – {check.found}")
    if check.advice:
        call.out.say(f"    {check.advice}")
