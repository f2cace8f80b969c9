"""A model's own chat template turned into text, under guard: it is a program that came with somebody's model.

transformers renders in Jinja's immutable sandbox, which stops escapes but neither endless loops nor huge
strings. Hence a 2 s alarm, a memory ceiling while rendering, and, for work in C that an alarm cannot
interrupt, a processor-time limit at which the kernel ends this (child) process.
"""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import jinja2
import psutil

from studio.errors import StudioError
from studio.i18n import _

Message = Mapping[str, str]
RENDER_LIMIT_S = 2.0
RENDER_LIMIT_BYTES = 256 * 2**20
_KILL_AFTER_CPU_S = 6.0


class _OutOfTimeError(Exception):
    """The alarm rang."""


def render_chat(tokenizer: Any, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
    """The conversation as the text that the model was trained on.

    messages: mappings with ``role`` and ``content``. Without a chat template the contents are joined by
    blank lines, as plain text to be continued. Raises StudioError ``model.template`` when the template
    fails, takes over 2 s or needs over 256 MB.
    """
    plain = [{"role": m["role"], "content": m["content"]} for m in messages]
    if not getattr(tokenizer, "chat_template", None):
        return "\n\n".join(m["content"] for m in plain)
    try:
        with _limits():
            text = tokenizer.apply_chat_template(
                plain, tokenize=False, add_generation_prompt=add_generation_prompt
            )
    except _OutOfTimeError as error:
        raise _failed(_("It took longer than two seconds.")) from error
    except MemoryError as error:
        raise _failed(_("It needed too much memory.")) from error
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, OverflowError, RecursionError) as error:
        raise _failed(str(error)) from error
    return str(text)


def encode_chat(
    tokenizer: Any, messages: Sequence[Message], *, add_generation_prompt: bool = True
) -> list[int]:
    """Token ids of the rendered conversation; special tokens come from the template where there is one."""
    text = render_chat(tokenizer, messages, add_generation_prompt=add_generation_prompt)
    has_template = bool(getattr(tokenizer, "chat_template", None))
    return list(tokenizer(text, add_special_tokens=not has_template)["input_ids"])


def _failed(reason: str) -> StudioError:
    return StudioError(
        "model.template",
        _("The model's chat template could not be used: {reason}").format(
            reason=re.sub(r"\s+", " ", reason)[:200]
        ),
        _("Choose another base model, or ask its publisher for a corrected chat template."),
    )


@contextmanager
def _limits() -> Iterator[None]:
    """Limit time and memory of the block, where the system can (POSIX, main thread)."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    previous = signal.signal(signal.SIGALRM, ring)
    kernel_previous = signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    old_alarm = signal.setitimer(signal.ITIMER_REAL, RENDER_LIMIT_S)
    signal.setitimer(signal.ITIMER_VIRTUAL, _KILL_AFTER_CPU_S)
    try:
        with _memory_ceiling():
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, *old_alarm)  # an outer alarm (a test's own) goes on
        signal.signal(signal.SIGVTALRM, kernel_previous)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _memory_ceiling() -> Iterator[None]:
    """Let the address space grow by 256 MB at most within the block; only Linux enforces it."""
    if sys.platform != "linux":
        yield
        return
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = psutil.Process().memory_info().vms + RENDER_LIMIT_BYTES
    if soft != resource.RLIM_INFINITY:
        ceiling = min(ceiling, soft)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
