"""What happens to the run under way, and to those that wait, when the window is closed over them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from PySide6.QtWidgets import QWidget

from studio.domain.runs import Run
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import Answer, AskDialog
from studio.i18n import _, ngettext
from studio.words import labelled, sentences


class CloseChoice(StrEnum):
    """LEAVE: the run goes on without the window; STOP: it saves its best model and ends; STAY: do not close."""

    LEAVE = "leave"
    STOP = "stop"
    STAY = "stay"


def may_close(ctx: GuiContext, parent: QWidget | None = None) -> bool:
    """Whether the window may close now; asks when a run is under way or waits: only the window starts those that wait.

    A run under way is stopped when that is the answer.
    """
    if ctx.jobs is None:
        return True
    active, waiting = ctx.jobs.active(), ctx.services.runs.queue()
    if active:
        choice = _asked(close_dialog(active[0], parent, others_wait=bool(waiting)))
    elif waiting:
        choice = _asked(waiting_dialog(waiting, ctx.services.runs.waiting_words(waiting[0]), parent))
    else:
        return True
    if choice is CloseChoice.STOP:
        ctx.services.runs.stop(active[0].id)
    return choice is not CloseChoice.STAY


def close_dialog(run: Run, parent: QWidget | None = None, *, others_wait: bool = False) -> AskDialog:
    """The question over a run under way; its ``answer`` is a CloseChoice or "" (Escape)."""
    question = _("“{name}” is still training").format(name=run.name)
    text = [
        _(
            "It can go on without this window; when you open the studio again, you find it where it is then. "
            "Or stop it now and keep the best model so far."
        )
    ]
    if run.schedule is not None and run.schedule.end is not None:
        end = run.schedule.end.strftime("%H:%M")
        text.append(_("Without the window it is not paused at {time}.").format(time=end))
    if others_wait or run.search_id is not None:
        text.append(_("What comes after it begins only when the studio is open again."))
    answers = [
        Answer(CloseChoice.STAY, _("Don’t close")),
        Answer(CloseChoice.STOP, _("Stop and keep, then close")),
        Answer(CloseChoice.LEAVE, _("Leave it running"), "primary"),
    ]
    dialog = AskDialog(question, sentences(*text), answers, parent)
    dialog.buttons[CloseChoice.LEAVE].setFocus()
    return dialog


def waiting_dialog(waiting: Sequence[Run], why: str, parent: QWidget | None = None) -> AskDialog:
    """The question when runs only wait. why: what keeps the first of them, such as “waits until 22:00”."""
    question = labelled(waiting[0].name, why or _("waits for its turn"))
    if len(waiting) > 1:
        question = ngettext("{n} run waits", "{n} runs wait", len(waiting)).format(n=len(waiting))
    text = _(
        "Runs begin only while this window is open and the computer is awake. If you close the window, they wait "
        "until you open the studio again."
    )
    answers = [
        Answer(CloseChoice.LEAVE, _("Close all the same")),
        Answer(CloseChoice.STAY, _("Don’t close"), "primary"),
    ]
    dialog = AskDialog(question, text, answers, parent)
    dialog.buttons[CloseChoice.STAY].setFocus()
    return dialog


def _asked(dialog: AskDialog) -> CloseChoice:
    """Ask and wait. Escape means: do not close."""
    dialog.exec()
    return CloseChoice(dialog.answer) if dialog.answer else CloseChoice.STAY
