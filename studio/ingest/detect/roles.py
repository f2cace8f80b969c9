"""Guessing what a source's rows are and what its columns are for, from their names and their first cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from studio.domain.datasets import title
from studio.domain.shapes import ColumnRole, Shape
from studio.i18n import _
from studio.ingest.detect import names
from studio.ingest.detect.columns import Columns
from studio.ingest.detect.names import plain_name

_R = ColumnRole
_MOSTLY: Final = 0.5  # a name that says "number" and cells of which some are none: those are put aside
Roles = dict[str, ColumnRole]


class Guess(NamedTuple):
    """roles: of every column. reason: why, one sentence in the user's language."""

    shape: Shape
    roles: Roles
    reason: str


Look = Callable[[Columns], Guess | None]


def guess_roles(columns: Sequence[str], rows: Sequence[Sequence[str]], shape: Shape | None = None) -> Guess:
    """Shape and roles for columns with these names and first rows; every column gets a role.

    shape: already chosen by the user; then only the roles are guessed, as far as they can be.
    """
    seen = Columns(columns, rows)
    if shape is None:
        found = next(guess for look in _LOOKS if (guess := look(seen)) is not None)
    else:
        known = (look(seen) for look in _LOOKS if look is not _by_position)
        found = next((guess for guess in known if guess and guess.shape is shape), None) or _for_shape(
            seen, shape
        )
    return Guess(found.shape, {name: found.roles.get(name, _R.IGNORE) for name in columns}, found.reason)


def guess_by_names(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Guess | None:
    """The same as far as the names of the columns tell it, roles for those that get one; None where they do not."""
    seen = Columns(columns, rows)
    telling = (look(seen) for look in _LOOKS if look not in (_two_by_cells, _by_position))
    return next((guess for guess in telling if guess is not None), None)


def _guess(shape: Shape, reason: str, *pairs: tuple[str | None, ColumnRole]) -> Guess:
    return Guess(shape, {name: role for name, role in pairs if name is not None}, reason)


def _compared(seen: Columns) -> Guess | None:
    chosen, rejected = seen.named(names.CHOSEN), seen.named(names.REJECTED)
    if chosen is None or rejected is None:
        return None
    reason = _("The columns “{chosen}” and “{rejected}” hold a better and a worse answer.").format(
        chosen=chosen, rejected=rejected
    )
    return _guess(
        Shape.PREFERENCE,
        reason,
        (chosen, _R.CHOSEN),
        (rejected, _R.REJECTED),
        *_question_of(seen, chosen, rejected),
    )


def _question_of(seen: Columns, *without: str) -> list[tuple[str | None, ColumnRole]]:
    """The columns with the question: a conversation, or a prompt with its extra input and system text."""
    conversation = _conversation_column(seen, *without)
    system = seen.named(names.SYSTEM, without)
    if conversation is not None:
        return [(conversation, _R.MESSAGES), (system, _R.SYSTEM)]
    prompt = seen.named(names.PROMPT, without)
    context = seen.named(names.CONTEXT.get(plain_name(prompt or ""), ()), (*without, prompt))
    return [(prompt, _R.PROMPT), (context, _R.CONTEXT), (system, _R.SYSTEM)]


def _conversation_column(seen: Columns, *without: str) -> str | None:
    holding = [name for name in seen.names if name not in without and seen.is_conversation(name)]
    if holding:
        return holding[0]
    known = seen.named(names.CONVERSATION, without)
    return known if known is not None and not seen.cells(known) else None


def _thumbs(seen: Columns) -> Guess | None:
    thumb = next(
        (name for name in seen.names if plain_name(name) in names.THUMB and seen.is_thumb(name)), None
    )
    if thumb is None:
        return None
    question = _question_of(seen, thumb)
    used = [name for name, _role in question if name]
    response = None if question[0][1] is _R.MESSAGES else seen.named(names.RESPONSE, (thumb, *used))
    if not used or (response is None and question[0][1] is not _R.MESSAGES):
        return None
    reason = _("The column “{name}” says whether each answer was good.").format(name=thumb)
    return _guess(Shape.THUMBS, reason, (thumb, _R.THUMB), (response, _R.RESPONSE), *question)


def _conversations(seen: Columns) -> Guess | None:
    name = _conversation_column(seen)
    if name is None:
        return None
    reason = _("The column “{name}” holds lists of messages.").format(name=name)
    return _guess(Shape.MESSAGES, reason, (name, _R.MESSAGES), (seen.named(names.SYSTEM), _R.SYSTEM))


def _turns(seen: Columns) -> Guess | None:
    users, assistants = seen.matching(names.USER_TURN), seen.matching(names.ASSISTANT_TURN)
    if not users or not assistants or len(users) + len(assistants) < 3:
        return None
    reason = _("The columns from “{first}” on hold the turns of a conversation.").format(first=users[0])
    turns = [(name, _R.USER_TURN) for name in users] + [(name, _R.ASSISTANT_TURN) for name in assistants]
    return _guess(Shape.MESSAGES, reason, *turns, (seen.named(names.SYSTEM), _R.SYSTEM))


def _message_a_row(seen: Columns) -> Guess | None:
    number, speaker = seen.named(names.CONVERSATION_ID), seen.named(names.SPEAKER)
    said = seen.named(names.SAID, (number, speaker))
    if number is None or speaker is None or said is None:
        return None
    reason = _("Each row is one message; rows with the same “{name}” are one conversation.").format(
        name=number
    )
    return _guess(
        Shape.MESSAGES, reason, (number, _R.CONVERSATION), (speaker, _R.SPEAKER), (said, _R.CONTENT)
    )


def _pairs(seen: Columns) -> Guess | None:
    for prompt, response in names.PAIRS:
        question, answer = seen.named((prompt,)), seen.named((response,))
        if question is None or answer is None:
            continue
        context = seen.named(names.CONTEXT.get(prompt, ()), (question, answer))
        reason = _("The columns “{prompt}” and “{response}” look like questions and answers.").format(
            prompt=question, response=answer
        )
        return _guess(
            Shape.PROMPT_RESPONSE, reason, (question, _R.PROMPT), (answer, _R.RESPONSE), (context, _R.CONTEXT),
            (seen.named(names.SYSTEM), _R.SYSTEM),
        )  # fmt: skip
    return None


def _ratings(seen: Columns) -> Guess | None:
    user, item = seen.named(names.USER), seen.named(names.ITEM)
    rating = seen.named(names.RATING)
    if user is None or item is None or rating is None or not seen.is_numeric(rating, _MOSTLY):
        return None
    return _rated(user, item, rating, seen.named(names.TIME))


def _rated(user: str, item: str, rating: str, time: str | None) -> Guess:
    reason = _("“{user}” rated “{item}” with “{rating}”.").format(user=user, item=item, rating=rating)
    return _guess(
        Shape.RATINGS, reason, (user, _R.USER), (item, _R.ITEM), (rating, _R.RATING), (time, _R.TIME)
    )


def _unnamed_ratings(seen: Columns) -> Guess | None:
    """Three or four columns of numbers, the third from a small scale, the fourth seconds since 1970."""
    if len(seen.names) not in (3, 4) or not all(seen.is_numeric(name) for name in seen.names):
        return None
    scale = {float(cell) for cell in seen.cells(seen.names[2])}
    users = set(seen.cells(seen.names[0]))
    if len(seen.cells(seen.names[2])) < 5 or len(scale) > 11 or max(scale) > 100 or len(users) <= len(scale):
        return None
    time = seen.names[3] if len(seen.names) == 4 else None
    user, item, rating = seen.names[:3]
    return _rated(user, item, rating, time)


def _images(seen: Columns) -> Guess | None:
    image = next((name for name in seen.names if seen.is_image(name)), None)
    if image is None:
        return None
    reason = _("The column “{name}” names image files.").format(name=image)
    return _guess(Shape.IMAGE_LABEL, reason, (image, _R.IMAGE), (_label_beside(seen, image), _R.LABEL))


def _recordings(seen: Columns) -> Guess | None:
    audio = next((name for name in seen.names if seen.is_audio(name)), None)
    if audio is None:
        return None
    reason = _("The column “{name}” names recordings.").format(name=audio)
    return _guess(Shape.AUDIO_LABEL, reason, (audio, _R.AUDIO), (_label_beside(seen, audio), _R.LABEL))


def _label_beside(seen: Columns, files: str) -> str | None:
    return seen.named(names.LABEL, (files,)) or next(
        (name for name in seen.names if name != files and seen.is_label(name)), None
    )


def _labelled(seen: Columns) -> Guess | None:
    several = seen.named(names.LABELS)
    label = several or seen.named(names.LABEL)
    text = seen.named(names.TEXT, (label,)) or _longest(seen, label)
    if label is None or text is None or seen.mean_length(text) <= seen.mean_length(label):
        return None
    if seen.is_label_list(label):
        reason = _("The column “{label}” gives each text several labels.").format(label=label)
        return _guess(Shape.TEXT_LABELS, reason, (text, _R.TEXT), (label, _R.LABELS))
    if seen.is_measure(label):
        return _measured(text, label)
    if seen.cells(label) and max(map(len, seen.cells(label))) > 80:
        return None
    return _with_label(text, label)


def _with_label(text: str, label: str) -> Guess:
    reason = _("The column “{label}” gives each text a label.").format(label=label)
    return _guess(Shape.TEXT_LABEL, reason, (text, _R.TEXT), (label, _R.LABEL))


def _measured(text: str, number: str) -> Guess:
    reason = _("The column “{number}” gives each text a number.").format(number=number)
    return _guess(Shape.TEXT_NUMBER, reason, (text, _R.TEXT), (number, _R.NUMBER))


def _numbered(seen: Columns) -> Guess | None:
    number = seen.named(names.NUMBER)
    text = seen.named(names.TEXT, (number,))
    if number is None or text is None or not seen.is_numeric(number, _MOSTLY):
        return None
    return _measured(text, number)


def _text(seen: Columns) -> Guess | None:
    name = seen.named(names.TEXT) or (seen.names[0] if len(seen.names) == 1 else None)
    if name is None:
        return None
    return _guess(Shape.TEXT, _("The column “{name}” holds text.").format(name=name), (name, _R.TEXT))


def _two_by_cells(seen: Columns) -> Guess | None:
    """No name is known: one column of sentences beside one of a few short values."""
    if len(seen.names) != 2:
        return None
    first, second = sorted(seen.names, key=seen.mean_length)
    enough = len(seen.cells(first)) >= 8 and seen.mean_length(second) >= 3 * seen.mean_length(first)
    if not enough or not seen.is_label(first) or len(set(seen.cells(first))) < 2:
        return None
    return _with_label(second, first)


def _by_position(seen: Columns) -> Guess:
    """Nothing is known: the two columns with the longest cells, the first taken as the question."""
    weights = {name: seen.mean_length(name) * len(seen.cells(name)) for name in seen.names}
    order = {name: place for place, name in enumerate(seen.names)}
    longest = sorted(seen.names, key=lambda name: (-weights[name], order[name]))[:2]
    prompt, response = sorted(longest, key=order.__getitem__)
    text = _("No column name is known; “{prompt}” is taken as the question and “{response}” as the answer.")
    return _guess(
        Shape.PROMPT_RESPONSE, text.format(prompt=prompt, response=response),
        (prompt, _R.PROMPT), (response, _R.RESPONSE),
    )  # fmt: skip


_LOOKS: Final[tuple[Look, ...]] = (
    _compared, _thumbs, _turns, _message_a_row, _conversations, _ratings, _images, _recordings, _pairs, _labelled,
    _numbered, _unnamed_ratings, _text, _two_by_cells, _by_position,
)  # fmt: skip


def _for_shape(seen: Columns, shape: Shape) -> Guess:
    """Roles for a shape that was chosen against what the columns look like; what cannot be told stays open."""
    reason = _("You chose “{shape}”.").format(shape=title(shape))
    return _guess(shape, reason, *_CHOSEN[shape](seen))


Pairs = list[tuple[str | None, ColumnRole]]


def _longest(seen: Columns, *without: str | None) -> str | None:
    rest = [name for name in seen.names if name not in without]
    return max(rest, key=seen.mean_length, default=None)


def _with_value(seen: Columns, role: ColumnRole, text: str | None) -> str | None:
    """No name is known: the first column beside the text whose cells, several, can be that; None when none can."""
    can_be = {_R.LABEL: seen.is_label, _R.LABELS: seen.is_label_list, _R.NUMBER: seen.is_numeric}[role]
    enough = (name for name in seen.names if name != text and len(seen.cells(name)) >= 8)
    return next((name for name in enough if can_be(name)), None)


def _text_and(role: ColumnRole, known: tuple[str, ...]) -> Callable[[Columns], Pairs]:
    def pairs(seen: Columns) -> Pairs:
        value = seen.named(known)
        text = seen.named(names.TEXT, (value,)) or _longest(seen, value)
        value = value or _with_value(seen, role, text)
        return [(text, _R.TEXT), (value, role)]

    return pairs


def _as_questions(seen: Columns) -> Pairs:
    """A better answer or a passage is an answer; a label is the answer to its text."""
    answer = seen.named((*names.RESPONSE, *names.CHOSEN, *names.LABEL, *names.LABELS, *names.NUMBER))
    prompt = seen.named((*names.PROMPT, *names.TEXT), (answer,))
    if answer is None and len(seen.names) > 1 and prompt is None:
        return list(_by_position(seen).roles.items())
    if answer is None:
        only = prompt or _longest(seen)
        return [(only, _R.RESPONSE)]
    return [(prompt or _longest(seen, answer), _R.PROMPT), (answer, _R.RESPONSE)]


def _as_text(seen: Columns) -> Pairs:
    return [(seen.named(names.TEXT) or _longest(seen), _R.TEXT)]


def _as_preference(seen: Columns) -> Pairs:
    chosen, rejected = seen.named(names.CHOSEN), seen.named(names.REJECTED)
    return [(chosen, _R.CHOSEN), (rejected, _R.REJECTED), *_question_of(seen, chosen or "", rejected or "")]


def _as_thumbs(seen: Columns) -> Pairs:
    thumb = seen.named(names.THUMB)
    response = seen.named(names.RESPONSE, (thumb,))
    return [(thumb, _R.THUMB), (response, _R.RESPONSE), *_question_of(seen, thumb or "", response or "")]


def _as_ratings(seen: Columns) -> Pairs:
    user, item, rating = seen.named(names.USER), seen.named(names.ITEM), seen.named(names.RATING)
    return [(user, _R.USER), (item, _R.ITEM), (rating, _R.RATING), (seen.named(names.TIME), _R.TIME)]


def _as_images(seen: Columns) -> Pairs:
    image = seen.named(names.IMAGE)
    label = seen.named(names.LABEL, (image,)) or _with_value(seen, _R.LABEL, image)
    return [(image, _R.IMAGE), (label, _R.LABEL)]


def _as_recordings(seen: Columns) -> Pairs:
    audio = seen.named(names.AUDIO)
    return [(audio, _R.AUDIO), (seen.named(names.LABEL, (audio,)), _R.LABEL)]


_CHOSEN: Final[dict[Shape, Callable[[Columns], Pairs]]] = {
    Shape.PROMPT_RESPONSE: _as_questions,
    Shape.MESSAGES: lambda seen: [(seen.named(names.CONVERSATION), _R.MESSAGES)],
    Shape.PREFERENCE: _as_preference,
    Shape.THUMBS: _as_thumbs,
    Shape.TEXT: _as_text,
    Shape.TEXT_LABEL: _text_and(_R.LABEL, names.LABEL),
    Shape.TEXT_LABELS: _text_and(_R.LABELS, (*names.LABELS, *names.LABEL)),
    Shape.TEXT_NUMBER: _text_and(_R.NUMBER, (*names.NUMBER, *names.LABEL)),
    Shape.IMAGE_LABEL: _as_images,
    Shape.AUDIO_LABEL: _as_recordings,
    Shape.RATINGS: _as_ratings,
}
