"""What happens to a run when the window is closed over it."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtWidgets import QWidget

from studio.domain.runs import Run
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import Answer, AskDialog
from studio.i18n import _


class CloseChoice(StrEnum):
    """LEAVE: the run goes on without the window; STOP: it saves its best model and ends; STAY: do not close."""

    LEAVE = "leave"
    STOP = "stop"
    STAY = "stay"


def may_close(ctx: GuiContext, parent: QWidget | None = None) -> bool:
    """Whether the window may close now; asks when a run is under way, and stops it when that is the answer."""
    active = ctx.jobs.active() if ctx.jobs is not None else []
    if not active:
        return True
    choice = ask_before_closing(active[0], parent)
    if choice is CloseChoice.STOP:
        ctx.services.runs.stop(active[0].id)
    return choice is not CloseChoice.STAY


def close_dialog(run: Run, parent: QWidget | None = None) -> AskDialog:
    """The question; its ``answer`` is a CloseChoice or "" (Escape)."""
    question = _("“{name}” is still training").format(name=run.name)
    text = _(
        "It can go on without this window; when you open the studio again, you find it where it is then. "
        "Or stop it now and keep the best model so far."
    )
    answers = [
        Answer(CloseChoice.STAY, _("Don’t close")),
        Answer(CloseChoice.STOP, _("Stop and keep, then close")),
        Answer(CloseChoice.LEAVE, _("Leave it running"), "primary"),
    ]
    dialog = AskDialog(question, text, answers, parent)
    dialog.buttons[CloseChoice.LEAVE].setFocus()
    return dialog


def ask_before_closing(run: Run, parent: QWidget | None = None) -> CloseChoice:
    """Ask and wait. Escape means: do not close."""
    dialog = close_dialog(run, parent)
    dialog.exec()
    return CloseChoice(dialog.answer) if dialog.answer else CloseChoice.STAY
