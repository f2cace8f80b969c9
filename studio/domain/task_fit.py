"""Whether a product's task can learn from data of a shape, and if not, what is the nearest thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from studio.domain.products import TITLES, Task, task_help
from studio.domain.shapes import SHAPES, TEXT_SHAPES, Shape
from studio.i18n import _
from studio.words import listed, sentences

_PROSE: Final = frozenset({"pdf", "docx", "html", "md", "txt"})


@dataclass(frozen=True)
class Offer:
    """One way out: import the same source as ``shape``. title: for a button; explanation: one sentence.

    task: what the product is to do from then on; None: what it did.
    """

    title: str
    explanation: str
    shape: Shape
    task: Task | None = None


@dataclass(frozen=True)
class TaskAdvice:
    """fits: the task learns from the data as it is. message: why not, "" when it fits."""

    fits: bool
    message: str = ""
    offers: tuple[Offer, ...] = ()


def learns_from(task: Task, shape: Shape) -> bool:
    """Whether a model for this task can be trained on data of this shape."""
    return task in SHAPES[shape].tasks


def unfit_words(run_name: str) -> str:
    """Why a run that was started for a product is not that product's."""
    return _("“{name}” is kept without a product: the product learns from another kind of data.").format(
        name=run_name
    )


def mismatch_words(task: Task, shape: Shape) -> str:
    """Why a model for this task learns nothing from data of this shape, and what to do; "" when it does learn."""
    if learns_from(task, shape):
        return ""
    tasks = listed(_(TITLES[each]) for each in SHAPES[shape].tasks)
    way_out = _("Choose other data, or change on the Matrix page what the product does: {tasks}.")
    return sentences(_why_not(shape, task), way_out.format(tasks=tasks))


def advice(shape: Shape, task: Task, source_format: str) -> TaskAdvice:
    """What to tell a founder who gives a source of this shape and format to a product with this task."""
    if task is Task.CHAT and shape is Shape.TEXT and source_format in _PROSE:
        return TaskAdvice(False, _chat_from_prose(), (_questions_to_write(), _passages()))
    if learns_from(task, shape):
        return TaskAdvice(True)
    return TaskAdvice(False, _why_not(shape, task), (*_other_shapes(shape, task), *_other_tasks(shape)))


def _why_not(shape: Shape, task: Task) -> str:
    if task is Task.LANGUAGE_MODEL:
        return _("This product writes text and learns from plain passages, one a row.")
    if task is Task.CHAT:
        return _chat_from_other(shape)
    return _("The product learns from another kind of data. {what_it_does}").format(
        what_it_does=task_help(task)
    )


def _other_shapes(shape: Shape, task: Task) -> tuple[Offer, ...]:
    """The same source, read as something that the product learns from."""
    if task is Task.LANGUAGE_MODEL:
        return () if shape not in TEXT_SHAPES else (_passages(),)
    if task is Task.CHAT:
        return _offers_for_chat(shape)
    if task is Task.CLASSIFY_TEXT and shape is Shape.TEXT:
        explanation = _("Each text waits for its label, which you give with one key after the import.")
        return (Offer(_("Label these texts"), explanation, Shape.TEXT_LABEL),)
    return ()


def _other_tasks(shape: Shape) -> tuple[Offer, ...]:
    """The product itself, made into one that learns from data of this shape."""
    return tuple(
        Offer(_("Change the product: {task}").format(task=_(TITLES[task])), task_help(task), shape, task)
        for task in SHAPES[shape].tasks
    )


def _chat_from_prose() -> str:
    return _(
        "This is running text without questions. A product that answers in conversation learns from questions "
        "and their answers."
    )


def _chat_from_other(shape: Shape) -> str:
    if shape not in TEXT_SHAPES:
        return _(
            "A product that answers in conversation cannot learn from this kind of data: there is no text to answer."
        )
    if shape in (Shape.TEXT_LABEL, Shape.TEXT_LABELS):
        return _(
            "A product that answers in conversation learns from questions and their answers; here each text has a "
            "label."
        )
    return _(
        "A product that answers in conversation learns from questions and their answers; here each text has a number."
    )


def _offers_for_chat(shape: Shape) -> tuple[Offer, ...]:
    if shape in (Shape.TEXT_LABEL, Shape.TEXT_LABELS, Shape.TEXT_NUMBER):
        explanation = _("The text is taken as the question and what stands beside it as the answer.")
        return (Offer(_("Use as questions and answers"), explanation, Shape.PROMPT_RESPONSE),)
    if shape is Shape.PREFERENCE:
        explanation = _("The better answer of each pair is learned; the worse one is left out.")
        return (Offer(_("Learn the better answers"), explanation, Shape.PROMPT_RESPONSE),)
    return ()


def _questions_to_write() -> Offer:
    return Offer(
        _("Write questions to the passages"),
        _("Each passage becomes an answer; you type the question for it in the table afterwards."),
        Shape.PROMPT_RESPONSE,
    )


def _passages() -> Offer:
    return Offer(
        _("Use the passages for language modelling"),
        _(
            "The model learns the style and the words of the text; it does not learn to answer questions from it."
        ),
        Shape.TEXT,
    )
