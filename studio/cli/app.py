"""The command line: builds its verbs in the user's language, carries one out, and returns its exit code.

Exit codes: 0 all is well, 1 the program failed, 2 the user can mend it, 3 this computer cannot, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.main import get_command

from studio.cli import chat, data, demo, doctor, importing, matrix, predict, runs, search, train
from studio.cli.call import OpenWorkspace
from studio.cli.usage import usage_words
from studio.cli.verbs import INTERRUPTED, HelpfulGroup, Verbs, deafen
from studio.i18n import LANGUAGES, _, set_language, system_language
from studio.paths import settings_file
from studio.services.settings import SettingsService

if TYPE_CHECKING:
    from studio.services.container import Services

WRONG_USE = 2


def main(argv: Sequence[str] | None = None, open_workspace: OpenWorkspace | None = None) -> int:
    """Carry out ``argv`` (without the program's name); returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    settings = SettingsService(settings_file())
    set_language(asked_language(arguments) or settings.current.language or system_language())
    if words := settings.reset_words():
        sys.stderr.write(words + "\n")
    application = build(settings, open_workspace or _open_workspace)
    try:
        code = get_command(application).main(arguments, prog_name="studio", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as problem:
        return _wrong_use(problem, as_json="--json" in arguments)
    except typer.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        deafen()
        return 0
    return code if isinstance(code, int) else 0


def build(settings: SettingsService, open_workspace: OpenWorkspace) -> typer.Typer:
    """All verbs, explained in the active language."""
    app = typer.Typer(
        name="studio", cls=HelpfulGroup, no_args_is_help=True, add_completion=False, rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        help=_(
            "Draw a family of AI products, train a model for each on this computer, and know whether it got better."
        ),
        epilog=_("Without a verb, or with “gui”, the window opens."),
    )  # fmt: skip
    app.callback()(_program)
    verbs = Verbs(settings, open_workspace)
    for module in (demo, importing, data, train, runs, search, chat, predict, matrix, doctor):
        module.add_to(app, verbs)
    return app


def asked_language(arguments: Sequence[str]) -> str | None:
    """The value of ``--language``, wanted before anything can be said; wrong values are refused later."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--language":
            chosen = value if equals else next(iter(arguments[index + 1 :]), "")
            return chosen if chosen in LANGUAGES else None
    return None


def _program(
    language: Annotated[
        Literal["en", "zh_CN"] | None,
        typer.Option(
            "--language", help=_("Language of texts."), show_default=False, rich_help_panel=_("Common options")
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, help=_("Show the version."), callback=lambda wanted: _version(wanted),
            rich_help_panel=_("Common options"),
        ),
    ] = False,
) -> None:  # fmt: skip
    """Options before the verb."""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(version("product-matrix-studio") + "\n")
        raise typer.Exit


def _wrong_use(problem: typer.TyperException, *, as_json: bool) -> int:
    """The command was not understood: say why and where help is."""
    context: Any = getattr(problem, "ctx", None)
    command = context.command_path if context else "studio"
    message = usage_words(problem.format_message())
    if not message:  # called without a verb of its own: the help is the answer
        sys.stderr.write((context.get_help() if context else "") + "\n")
        return WRONG_USE
    hint = _("See: {command}").format(command=f"{command} --help")
    sys.stderr.write(_("Error: {message}").format(message=message) + f"\n{hint}\n")
    if as_json:
        sys.stdout.write(json.dumps({"error": {"code": "usage", "message": message, "hint": hint}}) + "\n")
    return WRONG_USE


def _open_workspace(root: Path | None, *, settings: SettingsService, read_only: bool = False) -> Services:
    from studio.bootstrap import open_workspace  # SQLAlchemy: not for --help

    return open_workspace(root, settings=settings, read_only=read_only)
