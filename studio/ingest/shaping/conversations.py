"""Conversations as they occur in the wild (OpenAI, ShareGPT, Chinese role names) to one strict form."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

ROLES: Final = {
    "system": "system",
    "developer": "system",
    "系统": "system",
    "user": "user",
    "human": "user",
    "customer": "user",
    "prompter": "user",
    "用户": "user",
    "客户": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "agent": "assistant",
    "model": "assistant",
    "助手": "assistant",
    "客服": "assistant",
}
Messages = list[dict[str, str]]


class Conversation(NamedTuple):
    """messages in the strict form's fields, or None; fault: the code of what is wrong, "" for nothing.

    A conversation whose only fault is its order has both: a fix can put it right.
    """

    messages: Messages | None
    fault: str


def read(text: str, *, ends_with: str = "assistant") -> Conversation:
    """The conversation in this JSON text; ``ends_with``: who must have the last word.

    The order asked for: an optional system message, then user and assistant in turns.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Conversation(None, "broken_json")
    return of_value(value, ends_with=ends_with)


def of_value(value: Any, *, ends_with: str = "assistant") -> Conversation:
    """The same of a parsed value: a list of messages, or an object that has one."""
    if isinstance(value, dict):
        value = value.get("messages") or value.get("conversations")
    if not isinstance(value, list):
        return Conversation(None, "not_a_conversation")
    if not value:
        return Conversation(None, "missing_messages")
    messages: Messages = []
    for item in value:
        message, fault = message_of(item)
        if message is None:
            return Conversation(None, fault)
        messages.append(message)
    return Conversation(messages, disorder([message["role"] for message in messages], ends_with) or "")


def dumped(messages: Messages) -> str:
    """The canonical JSON text."""
    return json.dumps(messages, ensure_ascii=False, separators=(",", ":"))


def looks_like_conversation(value: Any) -> bool:
    """A list whose first item has OpenAI's or ShareGPT's two keys."""
    first = value[0] if isinstance(value, list) and value else None
    return looks_like_message(first)


def looks_like_message(value: Any) -> bool:
    """An object with OpenAI's or ShareGPT's two keys."""
    return (
        isinstance(value, dict)
        and bool({"role", "from"} & value.keys())
        and bool({"content", "value"} & value.keys())
    )


def message_of(item: Any) -> tuple[dict[str, str] | None, str]:
    """One message in the strict form, or the code of what is wrong with it."""
    if not isinstance(item, dict):
        return None, "not_a_conversation"
    role = item.get("role", item.get("from"))
    if not isinstance(role, str) or not role.strip():
        return None, "missing_role"
    return message(role, _text(item.get("content", item.get("value"))))


def message(role: str, content: str | None) -> tuple[dict[str, str] | None, str]:
    """A message by a speaker as named in the wild, or the code of what is wrong."""
    canonical = ROLES.get(role.strip().lower())
    if canonical is None:
        return None, "unknown_role"
    if content is None or not content.strip():
        return None, "empty_message"
    try:
        content.encode("utf-8")
    except UnicodeEncodeError:
        return None, "invalid_bytes"
    return {"role": canonical, "content": content}, ""


def disorder(roles: list[str], ends_with: str = "assistant") -> str | None:
    """The code of what is wrong with the order of speakers, None when it is right."""
    turns = roles[1:] if roles and roles[0] == "system" else roles
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(turns))]
    if turns != expected:
        return "roles_out_of_order"
    if turns and turns[-1] == ends_with:
        return None
    return "no_answer" if ends_with == "assistant" else "no_question"


def _text(content: Any) -> str | None:
    """Plain text, also of OpenAI's list of text parts; None for pictures, tool calls and the like."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        return "".join(parts) if all(isinstance(part, str) for part in parts) else None  # type: ignore[arg-type]
    return content if isinstance(content, str) else None
