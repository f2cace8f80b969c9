"""Conversations as they occur in the wild (OpenAI, ShareGPT, Chinese role names) to one strict form."""

from __future__ import annotations

import json
from typing import Any, Final

ROLES: Final = {
    "system": "system",
    "developer": "system",
    "系统": "system",
    "user": "user",
    "human": "user",
    "用户": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "助手": "assistant",
}


def normalise(text: str) -> tuple[str | None, str | None]:
    """(canonical JSON text of [{role, content}], None), or (None, the code of what is wrong).

    The order asked for: an optional system message, then user and assistant in turns, ending with an answer.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None, "broken_json"
    if isinstance(value, dict):
        value = value.get("messages") or value.get("conversations")
    if not isinstance(value, list):
        return None, "not_a_conversation"
    if not value:
        return None, "missing_messages"
    messages: list[dict[str, str]] = []
    for item in value:
        message, fault = _message(item)
        if message is None:
            return None, fault
        messages.append(message)
    disorder = _order([message["role"] for message in messages])
    if disorder:
        return None, disorder
    return json.dumps(messages, ensure_ascii=False, separators=(",", ":")), None


def looks_like_conversation(value: Any) -> bool:
    """A list whose first item has OpenAI's or ShareGPT's two keys."""
    first = value[0] if isinstance(value, list) and value else None
    return (
        isinstance(first, dict)
        and bool({"role", "from"} & first.keys())
        and bool({"content", "value"} & first.keys())
    )


def _message(item: Any) -> tuple[dict[str, str] | None, str]:
    if not isinstance(item, dict):
        return None, "not_a_conversation"
    role = item.get("role", item.get("from"))
    if not isinstance(role, str) or not role.strip():
        return None, "missing_role"
    canonical = ROLES.get(role.strip().lower())
    if canonical is None:
        return None, "unknown_role"
    content = _text(item.get("content", item.get("value")))
    if content is None or not content.strip():
        return None, "empty_message"
    try:
        content.encode("utf-8")
    except UnicodeEncodeError:
        return None, "invalid_bytes"
    return {"role": canonical, "content": content}, ""


def _text(content: Any) -> str | None:
    """Plain text, also of OpenAI's list of text parts; None for pictures, tool calls and the like."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        return "".join(parts) if all(isinstance(part, str) for part in parts) else None  # type: ignore[arg-type]
    return content if isinstance(content, str) else None


def _order(roles: list[str]) -> str | None:
    turns = roles[1:] if roles[0] == "system" else roles
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(turns))]
    if turns != expected:
        return "roles_out_of_order"
    return None if turns and turns[-1] == "assistant" else "no_answer"
