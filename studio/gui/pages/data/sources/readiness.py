"""What an import still lacks, by the names of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from studio.domain.shapes import ColumnRole, Shape
from studio.i18n import N_, _
from studio.words import listed

_R = ColumnRole
_NAMED: Final[dict[ColumnRole, str]] = {
    _R.SYSTEM: N_("the instruction"),
    _R.PROMPT: N_("the question"),
    _R.CONTEXT: N_("the extra input"),
    _R.RESPONSE: N_("the answer"),
    _R.MESSAGES: N_("the conversation"),
    _R.USER_TURN: N_("a turn of the user"),
    _R.ASSISTANT_TURN: N_("a turn of the assistant"),
    _R.CONVERSATION: N_("the number of the conversation"),
    _R.SPEAKER: N_("who speaks"),
    _R.CONTENT: N_("what is said"),
    _R.CHOSEN: N_("the better answer"),
    _R.REJECTED: N_("the worse answer"),
    _R.THUMB: N_("the thumb"),
    _R.TEXT: N_("the text"),
    _R.LABEL: N_("the label"),
    _R.LABELS: N_("the labels"),
    _R.NUMBER: N_("the number"),
    _R.IMAGE: N_("the image file"),
    _R.USER: N_("the user"),
    _R.ITEM: N_("the item"),
    _R.RATING: N_("the rating"),
    _R.TIME: N_("the time"),
}


def missing_words(missing: Sequence[ColumnRole]) -> str:
    """What to choose before the import can begin; empty when nothing is missing."""
    names = [_(_NAMED[role]) for role in missing]
    if not names:
        return ""
    if len(names) == 1:
        return _("Choose the column with {what}.").format(what=names[0])
    return _("Choose the columns with {list} and {last}.").format(list=listed(names[:-1]), last=names[-1])


def waiting_words(shape: Shape, roles: Iterable[ColumnRole]) -> str:
    """What is still to be done by hand after an import that can begin; empty when nothing is."""
    chosen = set(roles)
    if shape is Shape.PROMPT_RESPONSE and _R.PROMPT not in chosen:
        return _("No column is the question: you write the questions in the table afterwards.")
    if shape in (Shape.TEXT_LABEL, Shape.IMAGE_LABEL) and _R.LABEL not in chosen:
        return _("No column is the label: you give the labels afterwards.")
    if shape is Shape.TEXT_LABELS and _R.LABELS not in chosen:
        return _("No column has the labels: you give them afterwards.")
    return ""
