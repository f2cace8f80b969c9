"""Guessing what the columns of a source are for, from their names in English and Chinese and from their cells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from studio.domain.shapes import ColumnRole, Shape
from studio.i18n import _
from studio.ingest.conversations import looks_like_conversation

_CONVERSATION: Final = (
    "messages",
    "conversations",
    "conversation",
    "dialogue",
    "dialog",
    "对话",
    "会话",
    "消息",
)
_SYSTEM: Final = ("system", "system_prompt", "系统", "系统提示", "系统提示词")
_TEXT: Final = ("text", "content", "document", "passage", "article", "body", "文本", "内容", "正文", "文章")
# In order of preference; (question, answer).
_PAIRS: Final = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("prompt", "answer"),
    ("prompt", "output"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("input", "output"),
    ("input", "response"),
    ("input", "target"),
    ("source", "target"),
    ("q", "a"),
    ("questions", "answers"),
    ("customer", "agent"),
    ("message", "reply"),
    ("问题", "回答"),
    ("问题", "答案"),
    ("问题", "回复"),
    ("问", "答"),
    ("提问", "回答"),
    ("用户", "助手"),
    ("用户", "客服"),
    ("指令", "输出"),
    ("指令", "回答"),
    ("输入", "输出"),
    ("提示", "回答"),
    ("提示词", "回答"),
)
_CONTEXT: Final = {
    "instruction": ("input", "context"),
    "question": ("context",),
    "指令": ("输入",),
    "问题": ("背景",),
}
KNOWN_NAMES: Final = frozenset(
    (*_CONVERSATION, *_SYSTEM, *_TEXT, *(name for pair in _PAIRS for name in pair))
)


class Guess(NamedTuple):
    shape: Shape
    roles: dict[str, ColumnRole]
    reason: str


def plain_name(name: str) -> str:
    """A column name as it is compared: lower case, without blanks around, spaces and hyphens as underscores."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def guess_roles(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Guess:
    """Shape and roles for columns with these names and first rows; every column gets a role."""
    found = _by_conversation(columns, rows) or _by_pair(columns) or _by_text(columns)
    found = found or _by_position(columns, rows)
    roles = {name: found.roles.get(name, ColumnRole.IGNORE) for name in columns}
    return Guess(found.shape, roles, found.reason)


def _by_conversation(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Guess | None:
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows[:20] if index < len(row) and row[index].strip()]
        known = plain_name(name) in _CONVERSATION
        if any(_is_conversation(cell) for cell in cells) or (known and not cells):
            text = _("The column “{name}” holds lists of messages.").format(name=name)
            return Guess(Shape.MESSAGES, {name: ColumnRole.MESSAGES}, text)
    return None


def _is_conversation(cell: str) -> bool:
    if not cell.lstrip().startswith("["):
        return False
    try:
        return looks_like_conversation(json.loads(cell))
    except (ValueError, RecursionError):
        return False


def _by_pair(columns: Sequence[str]) -> Guess | None:
    names = {plain_name(name): name for name in reversed(columns)}
    for prompt, response in _PAIRS:
        if prompt not in names or response not in names:
            continue
        roles = {names[prompt]: ColumnRole.PROMPT, names[response]: ColumnRole.RESPONSE}
        context = next((names[name] for name in _CONTEXT.get(prompt, ()) if name in names), None)
        system = next((names[name] for name in _SYSTEM if name in names), None)
        roles |= {context: ColumnRole.CONTEXT} if context else {}
        roles |= {system: ColumnRole.SYSTEM} if system else {}
        text = _("The columns “{prompt}” and “{response}” look like questions and answers.")
        return Guess(
            Shape.PROMPT_RESPONSE, roles, text.format(prompt=names[prompt], response=names[response])
        )
    return None


def _by_text(columns: Sequence[str]) -> Guess | None:
    name = next(
        (name for name in columns if plain_name(name) in _TEXT), columns[0] if len(columns) == 1 else None
    )
    if name is None:
        return None
    return Guess(Shape.TEXT, {name: ColumnRole.TEXT}, _("The column “{name}” holds text.").format(name=name))


def _by_position(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Guess:
    """No name is known: the two columns with the longest cells, the first taken as the question."""
    lengths = {
        index: sum(len(row[index]) for row in rows if index < len(row)) for index in range(len(columns))
    }
    first, second = sorted(sorted(lengths, key=lambda index: (-lengths[index], index))[:2])
    roles = {columns[first]: ColumnRole.PROMPT, columns[second]: ColumnRole.RESPONSE}
    text = _("No column name is known; “{prompt}” is taken as the question and “{response}” as the answer.")
    return Guess(Shape.PROMPT_RESPONSE, roles, text.format(prompt=columns[first], response=columns[second]))
