"""One draft: cells typed, rows added, rows removed, all undoable, each change in a journal before it is here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from studio.domain.recipes import EditStep
from studio.services.draft_journal import Journal

Cells = dict[str, str | None]
_ABSENT = object()


@dataclass
class _Change:
    """One undoable change, with what it replaced. For ``set``, before and after hold the one column.

    typing: the next ``set`` of the same cell goes on with this change instead of making another.
    """

    op: Literal["set", "add", "remove", "keep"]
    row: int
    before: Cells | None = None
    after: Cells | None = None
    typing: bool = False


class Draft:
    """The pending edits of one version.

    cells: row number -> column -> new text (None: emptied). removed: row numbers that leave. added: the cells of new
    rows, in order; until they are saved, new rows have the numbers -1, -2, … (``added_rows``), by which they can be
    edited and removed like the others. Every change is in the journal before it is here.
    """

    def __init__(self, journal: Journal) -> None:
        self.cells: dict[int, Cells] = {}
        self.added_rows: dict[int, Cells] = {}
        self.removed: set[int] = set()
        self._journal = journal
        self._done: list[_Change] = []
        self._undone: list[_Change] = []
        self._last_added = 0
        for entry in journal.read():
            self._replay(entry)

    @property
    def added(self) -> list[Cells]:
        """The new rows, in the order in which they were added."""
        return [self.added_rows[row] for row in sorted(self.added_rows, reverse=True)]

    @property
    def count(self) -> int:
        """Rows that would be changed, added or removed."""
        return len(set(self.cells) | self.removed) + len(self.added_rows)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def set_cell(self, row: int, column: str, value: str | None, *, typing: bool = False) -> None:
        """Give a cell a new text. typing: more of it comes; then all of it is undone as one."""
        if self._current(row).get(column, _ABSENT) == value:
            return
        self._keep({"op": "set", "row": row, "column": column, "value": value, "typing": typing})

    def add_row(self, cells: Cells) -> int:
        """Add a row; returns its number until it is saved, below 0."""
        self._keep({"op": "add", "cells": cells})
        return -self._last_added

    def remove_row(self, row: int) -> None:
        """Let a row leave."""
        if row in self.removed or (row < 0 and row not in self.added_rows):
            return
        self._keep({"op": "remove", "row": row})

    def keep_row(self, row: int) -> None:
        """Let a row stay that was to leave."""
        if row in self.removed:
            self._keep({"op": "keep", "row": row})

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        if not self._done:
            return False
        self._keep({"op": "undo"})
        return True

    def redo(self) -> bool:
        """Make the change again that was taken back last; False when there is none."""
        if not self._undone:
            return False
        self._keep({"op": "redo"})
        return True

    def step(self) -> EditStep:
        """All edits as a step; rows that leave are not changed first."""
        cells = {row: dict(edits) for row, edits in self.cells.items() if row not in self.removed}
        return EditStep(cells=cells, added=[dict(row) for row in self.added], removed=sorted(self.removed))

    def sync(self) -> None:
        """Make everything durable now."""
        self._journal.sync()

    def close(self) -> None:
        """Let go of the journal, which stays."""
        self._journal.close()

    def _current(self, row: int) -> Cells:
        return (self.added_rows if row < 0 else self.cells).get(row, {})

    def _keep(self, entry: dict[str, Any]) -> None:
        self._journal.append(entry)
        self._apply(entry)

    def _replay(self, entry: dict[str, Any]) -> None:
        """Make a kept change again; a line of another program version, which says nothing here, is passed over."""
        with suppress(KeyError, TypeError, ValueError, IndexError):
            self._apply(entry)

    def _apply(self, entry: dict[str, Any]) -> None:
        match entry["op"]:
            case "undo":
                self._undone.append(change := self._done.pop())
                self._put(change, change.before, forth=False)
            case "redo":
                self._done.append(change := self._undone.pop())
                self._put(change, change.after, forth=True)
            case "set":
                self._set(int(entry["row"]), str(entry["column"]), entry["value"], bool(entry.get("typing")))
            case "add":
                self._last_added += 1
                self._do(_Change("add", -self._last_added, None, dict(entry["cells"])))
            case "remove":
                row = int(entry["row"])
                self._do(_Change("remove", row, self.added_rows.get(row)))
            case "keep":
                self._do(_Change("keep", int(entry["row"])))

    def _set(self, row: int, column: str, value: str | None, typing: bool) -> None:
        if row < 0 and row not in self.added_rows:
            return
        current = self._current(row)
        before: Cells | None = {column: current[column]} if column in current else None
        last = self._done[-1] if self._done else None
        if last is not None and last.typing and last.row == row and last.after and column in last.after:
            before = last.before
            self._done.pop()
        self._do(_Change("set", row, before, {column: value}, typing))

    def _do(self, change: _Change) -> None:
        self._undone.clear()
        self._done.append(change)
        self._put(change, change.after, forth=True)

    def _put(self, change: _Change, cells: Cells | None, *, forth: bool) -> None:
        """Make the change (``forth``) or take it back; cells: what the row has afterwards, as the change knows it."""
        if change.op == "set":
            (column,) = change.after or {}
            self._put_cell(change.row, column, cells)
        elif change.row < 0:
            self._put_added(change.row, cells)
        elif (change.op == "remove") == forth:
            self.removed.add(change.row)
        else:
            self.removed.discard(change.row)

    def _put_cell(self, row: int, column: str, cells: Cells | None) -> None:
        edits = (self.added_rows if row < 0 else self.cells).setdefault(row, {})
        if cells is None:
            edits.pop(column, None)
        else:
            edits[column] = cells[column]
        if not edits and row >= 0:
            del self.cells[row]

    def _put_added(self, row: int, cells: Cells | None) -> None:
        if cells is None:
            self.added_rows.pop(row, None)
        else:
            self.added_rows[row] = cells


def draft_path(folder: Path, dataset_id: str) -> Path:
    """The journal of a version's draft."""
    return folder / f"{dataset_id}.jsonl"


def pending_in(path: Path) -> int:
    """Rows that the draft in this journal would change, add or remove."""
    return Draft(Journal(path)).count if path.is_file() else 0
