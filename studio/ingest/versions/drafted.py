"""The labels in a draft's journal: edits that are no version yet, but that a founder has made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple


class _Change(NamedTuple):
    """One undoable change; column "" for what is no edit of a cell."""

    row: int = 0
    column: str = ""
    value: str | None = None
    typing: bool = False


def drafted_cells(draft: Path, column: str) -> dict[int, str | None]:
    """Row number -> the column's cell in the draft; what was undone does not count.

    A line is a JSON object: {"op": "set", "row", "column", "value"} or another op. Reading ends at a torn line.
    """
    done: list[_Change] = []
    undone: list[_Change] = []
    for entry in _entries(draft):
        op = entry.get("op", "set")
        if op == "undo":
            undone += [done.pop()] if done else []
        elif op == "redo":
            done += [undone.pop()] if undone else []
        else:
            change = _change(entry) if op == "set" else _Change()
            if done and done[-1].typing and done[-1][:2] == change[:2]:
                done.pop()  # typed on in the same cell: one change
            done.append(change)
            undone.clear()
    return {change.row: change.value for change in done if change.column == column}


def _entries(draft: Path) -> list[dict[str, Any]]:
    try:
        lines = draft.read_bytes().split(b"\n")
    except OSError:
        return []
    found: list[dict[str, Any]] = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if isinstance(entry, dict):
            found.append(entry)
    return found


def _change(entry: dict[str, Any]) -> _Change:
    row, column, value = entry.get("row"), entry.get("column"), entry.get("value")
    if not isinstance(row, int) or not isinstance(column, str) or not isinstance(value, str | None):
        return _Change()
    return _Change(row, column, value, bool(entry.get("typing")))
