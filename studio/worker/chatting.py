"""The chat worker: keeps models loaded, answers one conversation after the other, and can be stopped between any
two tokens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from studio.engine.devices import memory_used, set_threads
from studio.engine.generate import Answer, generate
from studio.engine.slots import Slots
from studio.engine.threads import default_threads
from studio.i18n import _, ngettext
from studio.protocol.commands import Command, Generate, Load, Unload
from studio.protocol.events import Answered, Finished, Log, ModelLoaded, RequestFailed, Token
from studio.worker.io import CommandReader, EventWriter, started_event
from studio.worker.serving import RequestServer, is_out_of_memory


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Serve until told to quit, cancelled, or left by the parent."""
    slots = Slots()
    threads = set_threads()
    writer.emit(started_event(writer, "chat", device=slots.device.type, threads=threads))
    ChatWorker(slots, writer, commands).serve()
    writer.emit(Finished())


class ChatWorker(RequestServer):
    """Models in slots that answer conversations."""

    def __init__(self, slots: Slots, writer: EventWriter, commands: CommandReader) -> None:
        super().__init__(writer, commands)
        self._slots = slots

    def carry_out(self, command: Command) -> None:
        if isinstance(command, Load):
            self._load(command)
        elif isinstance(command, Unload):
            self._slots.unload(command.slot)
        elif isinstance(command, Generate):
            self._answer(command)

    def give_up(self, command: Command) -> None:
        if isinstance(command, Generate):
            self._writer.emit(_unbegun(command))

    def failure(self, request_id: str, error: Exception) -> RequestFailed:
        return _failed(request_id, error)

    def _load(self, command: Load) -> None:
        started, before = time.monotonic(), memory_used(self._slots.device)
        set_threads(command.threads or default_threads())
        adapter = Path(command.adapter_dir) if command.adapter_dir else None
        self._slots.load(command.slot, command.name, Path(command.base_dir), adapter)
        self._writer.emit(
            ModelLoaded(
                slot=command.slot,
                name=command.name,
                seconds=time.monotonic() - started,
                memory_bytes=max(0, memory_used(self._slots.device) - before),
            )
        )

    def _answer(self, command: Generate) -> None:
        messages = [{"role": m.role, "content": m.content} for m in command.messages]
        with self._slots.get(command.slot).use() as (model, tokenizer):
            pieces = generate(
                model,
                tokenizer,
                messages,
                command.sampling,
                stop=lambda: self.should_stop(command.request_id),
                details=command.details,
            )
            for piece in pieces:
                if isinstance(piece, Answer):
                    self._finish(command, piece)
                else:
                    self._writer.emit(
                        Token(
                            request_id=command.request_id,
                            text=piece.text,
                            probability=piece.probability,
                            alternatives=list(piece.alternatives),
                        )
                    )

    def _finish(self, command: Generate, answer: Answer) -> None:
        if answer.dropped_turns:
            text = ngettext(
                "The conversation is too long for this model: its oldest message was left out.",
                "The conversation is too long for this model: its {n} oldest messages were left out.",
                answer.dropped_turns,
            )
            self._writer.emit(Log(level="warning", message=text.format(n=answer.dropped_turns)))
        self._writer.emit(
            Answered(
                request_id=command.request_id,
                slot=command.slot,
                text=answer.text,
                tokens=answer.tokens,
                first_token_s=answer.first_token_s,
                tokens_per_s=answer.tokens_per_s,
                seed=answer.seed,
                stop_reason=answer.stop_reason,
            )
        )


def _unbegun(command: Generate) -> Answered:
    """What is told of a request that was stopped while it waited."""
    return Answered(
        request_id=command.request_id, slot=command.slot, text="", tokens=0, first_token_s=0.0,
        tokens_per_s=0.0, seed=command.sampling.seed or 0, stop_reason="stopped",
    )  # fmt: skip


def _failed(request_id: str, error: Exception) -> RequestFailed:
    if is_out_of_memory(error):
        return RequestFailed(
            request_id=request_id,
            code="chat.out_of_memory",
            message=_("There is not enough memory for this model and this conversation."),
            hint=_("Close other programs, unload the other model, or start a new conversation."),
        )
    return RequestFailed(
        request_id=request_id,
        code="chat.failed",
        message=_("The model could not answer: {error}").format(error=f"{type(error).__name__}: {error}"),
        hint=_("Try again; if it happens again, load the model anew."),
    )
