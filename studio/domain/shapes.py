"""What one row of a dataset is: the shapes, the roles that source columns play in them, and the canonical columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from studio.domain.products import Task
from studio.i18n import N_


class Shape(StrEnum):
    """What one row of a dataset is."""

    PROMPT_RESPONSE = "prompt-response"
    MESSAGES = "messages"
    PREFERENCE = "preference"
    THUMBS = "thumbs"
    TEXT = "text"
    TEXT_LABEL = "text-label"
    TEXT_LABELS = "text-labels"
    TEXT_NUMBER = "text-number"
    IMAGE_LABEL = "image-label"
    AUDIO_LABEL = "audio-label"
    RATINGS = "ratings"


class ColumnRole(StrEnum):
    """What a source column is for; the drop-down in the column header."""

    IGNORE = "ignore"
    SYSTEM = "system"
    PROMPT = "prompt"
    CONTEXT = "context"  # Alpaca's optional "input", appended to the prompt
    RESPONSE = "response"
    MESSAGES = "messages"  # OpenAI [{role, content}] or ShareGPT [{from, value}]
    USER_TURN = "user_turn"  # one of several columns, left to right: a conversation in turn columns
    ASSISTANT_TURN = "assistant_turn"
    CONVERSATION = "conversation"  # one message a row: rows with the same value here belong together
    SPEAKER = "speaker"
    CONTENT = "content"
    CHOSEN = "chosen"
    REJECTED = "rejected"
    THUMB = "thumb"
    TEXT = "text"
    LABEL = "label"
    LABELS = "labels"  # a list, or several labels parted by | ; or ,
    NUMBER = "number"
    IMAGE = "image"  # a path beside the source
    AUDIO = "audio"  # the same
    USER = "user"
    ITEM = "item"
    RATING = "rating"
    TIME = "time"


@dataclass(frozen=True)
class ShapeColumns:
    """What a shape asks of a source, and what it is stored as.

    needed: alternatives, each a set of roles that suffices, the usual one first. optional: roles that may be there
    besides. repeated: roles that several columns may play. stored: the canonical columns of rows.parquet, in order,
    all text. tasks: product tasks that learn from it.
    """

    needed: tuple[frozenset[ColumnRole], ...]
    stored: tuple[str, ...]
    optional: frozenset[ColumnRole] = frozenset()
    repeated: frozenset[ColumnRole] = frozenset()
    tasks: tuple[Task, ...] = ()


_R = ColumnRole
_TURNS: Final = frozenset({_R.USER_TURN, _R.ASSISTANT_TURN})

SHAPES: Final[dict[Shape, ShapeColumns]] = {
    # prompt: null where a question still has to be written (the source has answers or passages only)
    Shape.PROMPT_RESPONSE: ShapeColumns(
        needed=(frozenset({_R.PROMPT, _R.RESPONSE}), frozenset({_R.RESPONSE})),
        optional=frozenset({_R.SYSTEM, _R.CONTEXT}), stored=("system", "prompt", "response"), tasks=(Task.CHAT,),
    ),
    # messages: JSON text of [{"role", "content"}]
    Shape.MESSAGES: ShapeColumns(
        needed=(frozenset({_R.MESSAGES}), _TURNS, frozenset({_R.CONVERSATION, _R.SPEAKER, _R.CONTENT})),
        optional=frozenset({_R.SYSTEM}), repeated=_TURNS, stored=("messages",), tasks=(Task.CHAT,),
    ),
    # history: JSON text of the messages before the last question, null for a single turn
    Shape.PREFERENCE: ShapeColumns(
        needed=(
            frozenset({_R.PROMPT, _R.CHOSEN, _R.REJECTED}), frozenset({_R.MESSAGES, _R.CHOSEN, _R.REJECTED}),
            frozenset({_R.CHOSEN, _R.REJECTED}),  # both are whole conversations
        ),
        optional=frozenset({_R.SYSTEM, _R.CONTEXT}), stored=("system", "history", "prompt", "chosen", "rejected"),
        tasks=(Task.CHAT,),
    ),
    # thumb: "up" or "down"
    Shape.THUMBS: ShapeColumns(
        needed=(frozenset({_R.PROMPT, _R.RESPONSE, _R.THUMB}), frozenset({_R.MESSAGES, _R.THUMB})),
        optional=frozenset({_R.SYSTEM, _R.CONTEXT}), stored=("system", "history", "prompt", "response", "thumb"),
        tasks=(Task.CHAT,),
    ),
    Shape.TEXT: ShapeColumns(
        needed=(frozenset({_R.TEXT}),), stored=("text",), tasks=(Task.LANGUAGE_MODEL, Task.CHAT),
    ),
    # label: empty (null) where a row still waits for one
    Shape.TEXT_LABEL: ShapeColumns(
        needed=(frozenset({_R.TEXT, _R.LABEL}), frozenset({_R.TEXT})), stored=("text", "label"),
        tasks=(Task.CLASSIFY_TEXT,),
    ),
    # labels: JSON text of a sorted list of labels; null where a row still waits for them
    Shape.TEXT_LABELS: ShapeColumns(
        needed=(frozenset({_R.TEXT, _R.LABELS}), frozenset({_R.TEXT})), stored=("text", "labels"),
        tasks=(Task.CLASSIFY_TEXT,),
    ),
    # number: as written in the source, a decimal point at most
    Shape.TEXT_NUMBER: ShapeColumns(
        needed=(frozenset({_R.TEXT, _R.NUMBER}),), stored=("text", "number"), tasks=(Task.RATE_TEXT,),
    ),
    # image: name in the workspace's image store, <sha256>.<ending>
    Shape.IMAGE_LABEL: ShapeColumns(
        needed=(frozenset({_R.IMAGE, _R.LABEL}), frozenset({_R.IMAGE})), stored=("image", "label"),
        tasks=(Task.CLASSIFY_IMAGES, Task.DRAW_IMAGES),
    ),
    # audio: name in the workspace's store of recordings, <sha256>.<ending>
    Shape.AUDIO_LABEL: ShapeColumns(
        needed=(frozenset({_R.AUDIO, _R.LABEL}), frozenset({_R.AUDIO})), stored=("audio", "label"),
        tasks=(Task.HEAR_COMMANDS,),
    ),
    Shape.RATINGS: ShapeColumns(
        needed=(frozenset({_R.USER, _R.ITEM, _R.RATING}),), optional=frozenset({_R.TIME}),
        stored=("user", "item", "rating", "time"), tasks=(Task.RECOMMEND,),
    ),
}  # fmt: skip

# Work on these is counted in tokens, on the others in rows.
TEXT_SHAPES: Final = frozenset(Shape) - {Shape.IMAGE_LABEL, Shape.AUDIO_LABEL, Shape.RATINGS}

# Columns of rows.parquet that are not content. origin is there only once a step made rows: see ORIGINS.
META_COLUMNS: Final = ("row", "key", "split", "origin")
ORIGINS: Final = ("added", "resampled", "augmented")

# Two dictionaries: Shape.TEXT and ColumnRole.TEXT are equal as strings, and so would be one key.
SHAPE_TITLES: Final[dict[Shape, str]] = {
    Shape.PROMPT_RESPONSE: N_("Questions and answers"),
    Shape.MESSAGES: N_("Conversations"),
    Shape.PREFERENCE: N_("Better and worse answers"),
    Shape.THUMBS: N_("Answers rated good or bad"),
    Shape.TEXT: N_("Plain text"),
    Shape.TEXT_LABEL: N_("Texts with a label"),
    Shape.TEXT_LABELS: N_("Texts with several labels"),
    Shape.TEXT_NUMBER: N_("Texts with a number"),
    Shape.IMAGE_LABEL: N_("Images with a label"),
    Shape.AUDIO_LABEL: N_("Recordings with a label"),
    Shape.RATINGS: N_("Ratings"),
}

ROLE_TITLES: Final[dict[ColumnRole, str]] = {
    ColumnRole.IGNORE: N_("Not used"),
    ColumnRole.SYSTEM: N_("Instruction to the model"),
    ColumnRole.PROMPT: N_("Question"),
    ColumnRole.CONTEXT: N_("Extra input"),
    ColumnRole.RESPONSE: N_("Answer"),
    ColumnRole.MESSAGES: N_("Conversation"),
    ColumnRole.USER_TURN: N_("Turn of the user"),
    ColumnRole.ASSISTANT_TURN: N_("Turn of the assistant"),
    ColumnRole.CONVERSATION: N_("Number of the conversation"),
    ColumnRole.SPEAKER: N_("Who speaks"),
    ColumnRole.CONTENT: N_("What is said"),
    ColumnRole.CHOSEN: N_("Better answer"),
    ColumnRole.REJECTED: N_("Worse answer"),
    ColumnRole.THUMB: N_("Thumb up or down"),
    ColumnRole.TEXT: N_("Text"),
    ColumnRole.LABEL: N_("Label"),
    ColumnRole.LABELS: N_("Labels"),
    ColumnRole.NUMBER: N_("Number"),
    ColumnRole.IMAGE: N_("Image file"),
    ColumnRole.AUDIO: N_("Recording"),
    ColumnRole.USER: N_("User"),
    ColumnRole.ITEM: N_("Item"),
    ColumnRole.RATING: N_("Rating"),
    ColumnRole.TIME: N_("Time"),
}


def shape_of(roles: Iterable[ColumnRole]) -> Shape | None:
    """The shape that these roles speak of: the one whose needs they meet with the most roles; None for none."""
    chosen = set(roles) - {ColumnRole.IGNORE}
    fitting = [
        (len(alternative), -len(chosen - alternative - columns.optional), -place, shape)
        for shape, columns in SHAPES.items()
        for place, alternative in enumerate(columns.needed)
        if alternative <= chosen
    ]
    return max(fitting, key=lambda found: found[:3])[3] if fitting else None


def missing_roles(shape: Shape, roles: Iterable[ColumnRole]) -> list[ColumnRole]:
    """The roles that the shape still needs, by the alternative that is nearest to the chosen ones; [] when it fits."""
    chosen = set(roles)
    lacking = [[role for role in ColumnRole if role in needed - chosen] for needed in SHAPES[shape].needed]
    if not all(lacking):
        return []
    begun = [found for found, needed in zip(lacking, SHAPES[shape].needed, strict=True) if needed & chosen]
    return min(begun or lacking[:1], key=len)


def content_columns(names: list[str]) -> list[str]:
    """The content columns among the column names of a rows.parquet, in order."""
    return [name for name in names if name not in META_COLUMNS]
