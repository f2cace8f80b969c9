"""Turns a function into a command: common options, options generated from a model, one way to end.

A verb is a function ``verb(call, …) -> Answer``. Its own options are ``Annotated[type, typer.Option(help=_(…))]``;
annotations are evaluated when the command is built, after the language was chosen, so the help is translated.
"""

from __future__ import annotations

import copy
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer
from pydantic import BaseModel
from typer.core import TyperCommand, TyperGroup
from typer.models import ArgumentInfo

from studio.cli.call import Answer, Call, OpenWorkspace
from studio.cli.folding import folded_help
from studio.cli.generated import parameters_of
from studio.cli.output import Output
from studio.errors import ResourceError, StudioError, is_disk_full
from studio.i18n import LANGUAGES, _
from studio.paths import crash_log
from studio.services.children import JobCancelled
from studio.services.settings import SettingsService

Verb = Callable[..., Answer]
CRASHED = 1
INTERRUPTED = 130
LIST = "list"


class Verbs:
    """Adds verbs to a typer application."""

    def __init__(self, settings: SettingsService, open_workspace: OpenWorkspace) -> None:
        self._settings = settings
        self._open_workspace = open_workspace

    def group(self, parent: typer.Typer, name: str, help_text: str) -> typer.Typer:
        """A verb that has verbs of its own."""
        group = typer.Typer(no_args_is_help=True, cls=HelpfulGroup, rich_markup_mode="rich")
        parent.add_typer(group, name=name, help=help_text, rich_help_panel=_("Commands"))
        return group

    def add(
        self,
        parent: typer.Typer,
        verb: Verb,
        name: str,
        help_text: str,
        generated: type[BaseModel] | None = None,
    ) -> None:
        """Make ``verb`` a command. With ``generated`` it receives those fields that were given as ``options``."""
        names = list(generated.model_fields) if generated else []

        def command(**given: Any) -> int:
            call = self._call(given)
            if generated:
                fields = {key: given.pop(key) for key in names}
                given["options"] = {key: value for key, value in fields.items() if value is not None}
            return run(call, verb, given)

        own = list(inspect.signature(verb, eval_str=True).parameters.values())
        own = [_as_keyword(parameter) for parameter in own if parameter.name not in ("call", "options")]
        parameters = [*own, *(parameters_of(generated) if generated else []), *_common()]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        parent.command(name, help=help_text, cls=HelpfulCommand, rich_help_panel=_("Commands"))(command)

    def _call(self, given: dict[str, Any]) -> Call:
        given.pop("language")  # chosen before the command was built
        workspace, as_json = given.pop("workspace"), given.pop("json_output")
        return Call(Output(as_json), self._settings, workspace, self._open_workspace)


class HelpfulCommand(TyperCommand):
    """A command whose ``--help`` is explained in the user's language."""

    def get_help_option(self, ctx: Any) -> Any:
        return _in_words(super().get_help_option(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        with folded_help():
            super().format_help(ctx, formatter)


class HelpfulGroup(TyperGroup):
    """A group of commands whose ``--help`` is explained in the user's language; without a verb it lists."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        unnamed = not args or (args[0].startswith("-") and args[0] != "--help")
        return super().parse_args(ctx, [LIST, *args] if unnamed and LIST in self.commands else args)

    def get_help_option(self, ctx: Any) -> Any:
        return _in_words(super().get_help_option(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        with folded_help():
            super().format_help(ctx, formatter)


def run(call: Call, verb: Verb, given: dict[str, Any]) -> int:
    """Carry out a verb and say how it ended, as an exit code. This is the process boundary: nothing escapes it."""
    try:
        with call.interrupts:
            answer = verb(call, **given)
        call.out.result(answer.data)
        return answer.code
    except JobCancelled as problem:
        call.out.error(problem)
        return INTERRUPTED
    except StudioError as problem:
        call.out.error(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        call.out.error(StudioError("interrupted", _("Interrupted.")))
        return INTERRUPTED
    except BrokenPipeError:
        deafen()
        return 0
    except Exception as problem:  # noqa: BLE001 (the process boundary)
        told = _crashed(problem)
        call.out.error(told)
        return told.exit_code if isinstance(told, ResourceError) else CRASHED


def deafen() -> None:
    """Whoever read our output has seen enough; Python must not complain about it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _crashed(problem: Exception) -> StudioError:
    if is_disk_full(problem):
        return ResourceError("disk_full", _("The disk is full."), _("Free some space, then try again."))
    text = _("Something unexpected happened: {error}").format(error=f"{type(problem).__name__}: {problem}")
    path = crash_log()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text("".join(traceback.format_exception(problem)), encoding="utf-8")
    except OSError:
        return StudioError("crash", text)
    return StudioError("crash", text, _("Details are in {path}.").format(path=path))


def _common() -> Sequence[inspect.Parameter]:
    """Options that every verb has."""
    panel = _("Common options")
    workspace = typer.Option(
        "--workspace", help=_("Folder of the workspace. Default: the one of the settings."), show_default=False,
        rich_help_panel=panel, readable=False,  # our own words are better than typer's
    )  # fmt: skip
    json_output = typer.Option(
        "--json", help=_("Print one JSON object as the last line; text for people goes to stderr."),
        show_default=False, rich_help_panel=panel,
    )  # fmt: skip
    language = typer.Option(
        "--language", help=_("Language of texts."), show_default=False, rich_help_panel=panel
    )
    return [
        keyword("workspace", Annotated[Path | None, workspace], None),
        keyword("json_output", Annotated[bool, json_output], False),
        keyword("language", Annotated[Literal[tuple(LANGUAGES)] | None, language], None),
    ]


def keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """A keyword-only parameter."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _as_keyword(parameter: inspect.Parameter) -> inspect.Parameter:
    """A verb's own parameter, with its help and a heading in the user's language.

    An annotation that several verbs share is made before the language is known: its help is marked with N_ there.
    """
    kind, *infos = get_args(parameter.annotation) or (parameter.annotation,)
    own = [copy.copy(info) for info in infos]
    for info in own:
        info.help = _(info.help or "")
        info.rich_help_panel = _("Arguments") if isinstance(info, ArgumentInfo) else _("Options")
    annotation = Annotated[kind, *own] if own else kind
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _in_words(option: Any) -> Any:
    if option is not None:
        option.help = _("Show this help.")
        option.rich_help_panel = _("Common options")
    return option
