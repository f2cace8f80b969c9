"""``studio chat``: one question to a model, or a conversation in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from studio.cli import pick
from studio.cli.call import Answer, Call
from studio.cli.generated import validated
from studio.cli.verbs import Verbs
from studio.domain.runs import RunState
from studio.domain.sampling import Sampling
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import ChatMessage
from studio.protocol.events import Answered, ModelLoaded, Token
from studio.services.chat_client import ChatClient
from studio.services.container import Services
from studio.services.runs import ChatTarget

LEAVE = ("/quit", "/exit")
ANEW = "/new"
Device = Literal["auto", "cpu"]


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    verbs.add(app, chat, "chat", _("Talk to a trained model or to a base model."), generated=Sampling)


def chat(
    call: Call,
    options: dict[str, object],
    run: Annotated[
        str | None,
        typer.Option(help=_("Id or name of a finished run. Default: the newest."), show_default=False),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help=_("Talk to this base model instead (id, name or folder)."), show_default=False)
    ] = None,
    once: Annotated[
        str | None, typer.Option(help=_("Ask this one question and leave."), show_default=False)
    ] = None,
    system: Annotated[
        str | None, typer.Option(help=_("Instruction that the model follows in every answer."), show_default=False)
    ] = None,
) -> Answer:  # fmt: skip
    """Load the model, then answer one question or many."""
    sampling = validated(Sampling, options)
    if run is not None and base is not None:
        raise StudioError("option.invalid", _("Choose a run or a base model, not both."))
    if once is None and call.out.as_json:
        raise StudioError(
            "option.invalid", _("With --json a question is needed."),
            _("For example: {example}").format(example='studio chat --once "…" --json'),
        )  # fmt: skip
    target, device = _target(call, run, base)
    start = [ChatMessage(role="system", content=system)] if system else []
    with ChatClient(call.interrupts.cancelled) as client:
        call.out.say(_("Loading {name}…").format(name=target.name))
        loaded = client.load(target, device)
        if once is not None:
            answer = _answer(call, client, [*start, ChatMessage(role="user", content=once)], sampling)
            return Answer(facts(loaded, answer))
        _converse(call, client, start, sampling)
    return Answer()


def facts(loaded: ModelLoaded, answer: Answered) -> dict[str, Any]:
    """An answer for programs; times as the chat process measured them."""
    return {
        "model": loaded.name, "load_seconds": loaded.seconds, "answer": answer.text, "tokens": answer.tokens,
        "first_token_s": answer.first_token_s, "tokens_per_s": answer.tokens_per_s, "seed": answer.seed,
        "stop_reason": answer.stop_reason,
    }  # fmt: skip


def _target(call: Call, run: str | None, base: str | None) -> tuple[ChatTarget, Device]:
    with call.up_to_date() as (services, _ours):
        if base is None and (run is not None or _has_finished(services)):
            target = services.runs.chat_target(pick.run(services, run or pick.NEWEST, finished=True).id)
        else:
            target = services.runs.chat_target(None, pick.installed_base(services.models, base))
        if services.runs.active():
            call.out.say(_("A training run is under way: answers come from the processor and are slow."))
            return target, "cpu"
        return target, "auto"


def _has_finished(services: Services) -> bool:
    return any(run.state is RunState.DONE for run in services.runs.list())


def _answer(call: Call, client: ChatClient, messages: list[ChatMessage], sampling: Sampling) -> Answered:
    """One answer, shown as it comes; the first Ctrl+C ends it, and what there is of it counts."""
    call.interrupts.allow(2)
    answer = client.ask(messages, sampling, _shower(call, client))
    call.out.say()
    return answer


def _shower(call: Call, client: ChatClient) -> Callable[[Token], None]:
    def show(token: Token) -> None:
        call.out.piece(token.text)
        if call.interrupts.count == 1:
            client.stop()

    return show


def _converse(call: Call, client: ChatClient, start: list[ChatMessage], sampling: Sampling) -> None:
    """Questions from the terminal until it ends or one is a word to leave."""
    call.out.say(_("Ask something. {new} starts anew, {leave} leaves.").format(new=ANEW, leave=LEAVE[0]))
    messages = list(start)
    while True:
        call.interrupts.allow(0)
        try:
            question = input("> ").strip()
        except EOFError:
            return
        if question in LEAVE:
            return
        if question == ANEW:
            messages = list(start)
        elif question:
            messages.append(ChatMessage(role="user", content=question))
            answer = _answer(call, client, messages, sampling)
            messages.append(ChatMessage(role="assistant", content=answer.text))
