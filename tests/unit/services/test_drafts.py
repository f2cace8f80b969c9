"""Drafts: undoable edits that a crash does not cost, and that become a version."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from studio.domain.datasets import DatasetVersion
from studio.domain.recipes import EditStep
from studio.errors import NotFoundError, ResourceError, StudioError
from studio.services import draft_journal
from studio.services.data_versions import DataVersionService
from studio.services.draft_journal import Journal
from studio.services.drafts import INLINE_BYTES, Draft, DraftService
from tests.unit.services.conftest import FakeJobs, Studio
from tests.unit.services.version_fakes import worked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "draft.jsonl"


def reopened(path: Path) -> Draft:
    return Draft(Journal(path))


def test_edits_undo_and_redo_across_a_restart(path: Path) -> None:
    draft = Draft(Journal(path))
    draft.set_cell(5, "prompt", "Where?")
    draft.set_cell(5, "response", None)
    new = draft.add_row({"prompt": "New", "response": "row"})
    draft.set_cell(new, "response", "better")
    draft.remove_row(7)
    assert (draft.cells, draft.removed, draft.count) == ({5: {"prompt": "Where?", "response": None}}, {7}, 3)
    assert draft.added == [{"prompt": "New", "response": "better"}]
    assert draft.undo()
    assert draft.undo()
    draft.close()
    again = reopened(path)
    assert again.added == [{"prompt": "New", "response": "row"}]
    assert again.removed == set()
    assert again.can_redo
    assert again.redo()
    assert again.redo()
    assert not again.redo()
    assert again.removed == {7}
    assert again.added == [{"prompt": "New", "response": "better"}]
    again.close()


def test_a_row_kept_after_all_and_a_new_row_removed(path: Path) -> None:
    draft = Draft(Journal(path))
    first, second = draft.add_row({"a": "1"}), draft.add_row({"a": "2"})
    draft.remove_row(first)
    draft.remove_row(first)
    draft.remove_row(3)
    draft.keep_row(3)
    draft.keep_row(4)
    assert (draft.added, draft.removed, draft.count) == ([{"a": "2"}], set(), 1)
    draft.set_cell(first, "a", "of a row that left")
    assert draft.added == [{"a": "2"}]
    for _change in ("the row kept", "the row removed", "the new row removed"):
        draft.undo()
    assert draft.added == [{"a": "1"}, {"a": "2"}]
    assert draft.add_row({"a": "3"}) not in (first, second)
    draft.close()


def test_typing_is_undone_as_one(path: Path) -> None:
    draft = Draft(Journal(path))
    draft.set_cell(1, "text", "before")
    for text in ("H", "He", "Hello"):
        draft.set_cell(1, "text", text, typing=True)
    draft.set_cell(1, "text", "Hello!")
    draft.set_cell(1, "text", "Hello!")  # nothing new
    draft.set_cell(2, "text", "x", typing=True)
    draft.set_cell(3, "text", "y", typing=True)
    draft.undo()
    draft.undo()
    assert draft.cells == {1: {"text": "Hello!"}}
    draft.close()
    again = reopened(path)
    assert again.cells == {1: {"text": "Hello!"}}
    again.undo()
    assert again.cells == {1: {"text": "before"}}
    again.undo()
    assert (again.cells, again.can_undo) == ({}, False)
    again.close()


def test_a_row_that_leaves_is_not_changed_first(path: Path) -> None:
    draft = Draft(Journal(path))
    draft.set_cell(1, "text", "x")
    draft.set_cell(2, "text", "y")
    draft.remove_row(1)
    assert draft.count == 2
    assert draft.step() == EditStep(cells={2: {"text": "y"}}, removed=[1])
    draft.close()


@pytest.mark.parametrize(
    "torn", [b'{"op":"set","row":1,"col', b'{"op":"set"\n{"op":"remove","row":9}\n', b"\xff\n"]
)
def test_a_torn_end_costs_itself_only(path: Path, torn: bytes) -> None:
    draft = Draft(Journal(path))
    draft.set_cell(1, "text", "老王")
    draft.close()
    with path.open("ab") as file:
        file.write(torn)
    again = reopened(path)
    assert (again.cells, again.removed) == ({1: {"text": "老王"}}, set())
    again.set_cell(2, "text", "after")
    again.close()
    last = reopened(path)
    assert last.cells == {1: {"text": "老王"}, 2: {"text": "after"}}
    last.close()


def test_lines_that_say_nothing_are_passed_over(path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"op": "undo"}, {"op": "from the future"}, {"no": "op"}, {"op": "set", "row": "x", "column": "a", "value": ""},
        {"op": "remove", "row": 3},
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    draft = reopened(path)
    assert (draft.cells, draft.removed) == ({}, {3})
    draft.close()


def test_the_disk_is_asked_now_and_then_and_at_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_journal, "SYNC_EVERY_S", 0.2)
    synced: list[int] = []
    asked = threading.Event()

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        asked.set()

    journal = Journal(path, fsync)
    for number in range(50):
        journal.append({"op": "remove", "row": number})
    assert asked.wait(10)
    written = path.stat().st_size
    for _attempt in range(1000):
        if synced[-1] == written:  # the last lines are not left to luck
            break
        threading.Event().wait(0.01)
    assert synced[-1] == written
    assert len(synced) < 10
    journal.append({"op": "undo"})
    journal.close()
    assert synced[-1] == path.stat().st_size


def test_a_change_that_cannot_be_kept_is_not_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft(Journal(path))
    draft.set_cell(1, "text", "kept")
    real = os.write

    def half_then_full(descriptor: int, data: Any) -> int:
        if len(data) > 20:
            return real(descriptor, data[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.services.draft_journal.os.write", half_then_full)
    with pytest.raises(ResourceError) as caught:
        draft.set_cell(1, "text", "lost")
    assert caught.value.code == "draft.not_kept"
    monkeypatch.undo()
    assert draft.cells == {1: {"text": "kept"}}
    draft.set_cell(2, "text", "again")
    draft.close()
    again = reopened(path)
    assert again.cells == {1: {"text": "kept"}, 2: {"text": "again"}}
    again.close()


def test_a_kill_while_typing_costs_nothing_that_was_there(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from studio.services.draft_journal import Journal; from studio.services.drafts import Draft\n"
        f"draft = Draft(Journal(Path({str(path)!r})))\n"
        "for n in range(1, 10**6):\n"
        "    draft.set_cell(n % 7 + 1, 'text', f'typed {n}', typing=True)\n"
        "    print(n, flush=True)\n"
    )
    for _round in range(5):
        before = len(path.read_bytes().splitlines()) if path.exists() else 0
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        seen = 0
        for line in child.stdout:
            seen = int(line)
            if seen >= 200:
                child.send_signal(signal.SIGKILL)
                break
        seen = max([seen, *(int(line) for line in child.stdout.read().split())])
        child.wait(30)
        child.stdout.close()
        draft = reopened(path)
        assert draft.cells[seen % 7 + 1]["text"] in (f"typed {seen}", f"typed {seen + 7}")
        assert len(path.read_bytes().splitlines()) >= before + seen
        draft.close()


# The service.


@pytest.fixture
def version(studio: Studio) -> DatasetVersion:
    data = studio.data()
    (studio.paths.dataset(data.id) / "manifest.json").write_text(data.model_dump_json())
    return data


@pytest.fixture
def versions(studio: Studio, jobs: FakeJobs) -> DataVersionService:
    jobs.effect = worked
    return DataVersionService(studio.datasets, studio.paths, studio.changes, jobs)


@pytest.fixture
def drafts(studio: Studio, versions: DataVersionService) -> Any:
    service = DraftService(versions, studio.paths, studio.changes)
    yield service
    service.close()


def test_a_saved_draft_is_a_version_and_done_with(
    studio: Studio, drafts: DraftService, version: DatasetVersion, jobs: FakeJobs
) -> None:
    draft = drafts.open(version.id)
    assert drafts.open(version.id) is draft
    with pytest.raises(StudioError) as caught:
        drafts.save(version.id)
    assert caught.value.code == "draft.empty"
    draft.set_cell(1, "prompt", "Why?")
    assert drafts.pending(version.id) == 1
    made = drafts.save(version.id, "By hand")
    assert (made.number, made.note) == (2, "By hand")
    assert jobs.asked[-1][1]["steps"] == [EditStep(cells={1: {"prompt": "Why?"}}).model_dump(mode="json")]
    assert drafts.pending(version.id) == 0
    assert list(studio.paths.drafts.iterdir()) == []
    assert drafts.open(version.id).count == 0


def test_a_draft_that_cannot_be_saved_stays(
    drafts: DraftService, version: DatasetVersion, jobs: FakeJobs
) -> None:
    drafts.open(version.id).remove_row(3)
    jobs.problem = StudioError("step.no_such_row", "x")
    with pytest.raises(StudioError):
        drafts.save(version.id)
    assert drafts.open(version.id).removed == {3}


def test_nothing_else_is_done_to_the_rows_while_a_draft_waits(
    drafts: DraftService, versions: DataVersionService, version: DatasetVersion
) -> None:
    draft = drafts.open(version.id)
    draft.remove_row(2)
    with pytest.raises(StudioError, match="1 row") as caught:
        versions.derive(version.id, [EditStep(removed=[3])])
    assert caught.value.code == "draft.pending"
    draft.undo()  # a journal without changes is not in the way
    assert versions.derive(version.id, [EditStep(removed=[3])]).number == 2


def test_undo_and_redo_leave_no_draft_behind(
    studio: Studio, drafts: DraftService, versions: DataVersionService, version: DatasetVersion
) -> None:
    second = versions.derive(version.id, [EditStep(removed=[3])])
    drafts.open(second.id).set_cell(1, "prompt", "x")
    with pytest.raises(StudioError, match="1 row") as caught:
        versions.undo(version.id)
    assert caught.value.code == "draft.pending"
    assert versions.newest(version.id) == second  # with its draft
    drafts.discard(second.id)
    assert versions.undo(version.id) == version
    assert list(studio.paths.drafts.iterdir()) == []
    drafts.open(version.id).set_cell(1, "prompt", "y")
    with pytest.raises(StudioError) as caught:
        versions.redo(version.id)
    assert caught.value.code == "draft.pending"
    assert versions.newest(version.id) == version
    drafts.discard(version.id)
    assert versions.redo(version.id) == second


def test_edits_go_on_top_of_a_newer_version(
    drafts: DraftService, versions: DataVersionService, version: DatasetVersion
) -> None:
    second = versions.derive(version.id, [EditStep(removed=[2])])
    drafts.open(version.id).set_cell(1, "prompt", "x")
    assert drafts.save(version.id).parent_id == second.id


def test_many_edits_travel_as_a_file(
    studio: Studio, drafts: DraftService, version: DatasetVersion, jobs: FakeJobs
) -> None:
    draft = drafts.open(version.id)
    draft.set_cell(1, "prompt", "x" * INLINE_BYTES)
    draft.add_row({"prompt": "y"})
    seen: list[dict[str, Any]] = []

    def look(payload: Any) -> dict[str, Any]:
        seen.append(json.loads(Path(payload["steps"][0]["edits_file"]).read_text()))
        return worked(payload)

    jobs.effect = look
    made = drafts.save(version.id)
    assert seen[0]["cells"]["1"]["prompt"] == "x" * INLINE_BYTES
    assert seen[0]["added"] == [{"prompt": "y"}]
    assert len(made.model_dump_json()) < INLINE_BYTES
    assert list(studio.paths.drafts.iterdir()) == []


def test_a_draft_is_found_again_and_can_be_thrown_away(
    studio: Studio, drafts: DraftService, versions: DataVersionService, version: DatasetVersion
) -> None:
    drafts.open(version.id).remove_row(3)
    drafts.close()
    later = DraftService(versions, studio.paths, studio.changes)
    assert later.pending(version.id) == 1
    assert later.open(version.id).removed == {3}
    later.discard(version.id)
    assert later.pending(version.id) == 0
    later.close()
    with pytest.raises(NotFoundError):
        later.open("unknown")


class Editing(RuleBasedStateMachine):
    """Any edits, undos, redos and restarts, against a draft that copies all it has before each change."""

    numbers: Bundle[int] = Bundle("numbers")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "draft.jsonl"
        self.draft = Draft(Journal(self.path, fsync=lambda _descriptor: None))
        self.now: tuple[dict[int, dict[str, str | None]], dict[int, dict[str, str | None]], set[int]]
        self.now = ({}, {}, set())
        self.past: list[Any] = []
        self.future: list[Any] = []

    def _copy(self) -> Any:
        cells, added, removed = self.now
        return ({k: dict(v) for k, v in cells.items()}, {k: dict(v) for k, v in added.items()}, set(removed))

    def _changing(self) -> None:
        self.past.append(self._copy())
        self.future.clear()

    @initialize(target=numbers)
    def some_row(self) -> int:
        return 1

    @rule(target=numbers, row=st.integers(1, 4))
    def row(self, row: int) -> int:
        return row

    @rule(row=numbers, column=st.sampled_from("ab"), value=st.none() | st.sampled_from(["", "x", "字"]))
    def set_cell(self, row: int, column: str, value: str | None) -> None:
        cells, added, _removed = self.now
        target = added if row < 0 else cells
        known = target.get(row, {})
        if not (row < 0 and row not in added) and known.get(column, 0) != value:
            self._changing()
            target.setdefault(row, {})[column] = value
        elif row < 0 and row not in added:
            return  # a row that is not there: the draft keeps nothing of it
        self.draft.set_cell(row, column, value)

    @rule(target=numbers, cells=st.dictionaries(st.sampled_from("ab"), st.sampled_from(["x", "y"])))
    def add_row(self, cells: dict[str, str | None]) -> int:
        self._changing()
        row = self.draft.add_row(cells)
        self.now[1][row] = dict(cells)
        return row

    @rule(row=numbers)
    def remove_row(self, row: int) -> None:
        _cells, added, removed = self.now
        if row < 0 and row in added:
            self._changing()
            del added[row]
        elif row > 0 and row not in removed:
            self._changing()
            removed.add(row)
        self.draft.remove_row(row)

    @rule(row=numbers)
    def keep_row(self, row: int) -> None:
        if row in self.now[2]:
            self._changing()
            self.now[2].discard(row)
        self.draft.keep_row(row)

    @rule()
    def undo(self) -> None:
        assert self.draft.undo() == bool(self.past)
        if self.past:
            self.future.append(self._copy())
            self.now = self.past.pop()

    @rule()
    def redo(self) -> None:
        assert self.draft.redo() == bool(self.future)
        if self.future:
            self.past.append(self._copy())
            self.now = self.future.pop()

    @rule()
    def restart(self) -> None:
        self.draft.close()
        self.draft = Draft(Journal(self.path, fsync=lambda _descriptor: None))

    @invariant()
    def same(self) -> None:
        cells, added, removed = self.now
        assert self.draft.cells == cells
        assert self.draft.added == [added[row] for row in sorted(added, reverse=True)]
        assert self.draft.removed == removed
        assert (self.draft.can_undo, self.draft.can_redo) == (bool(self.past), bool(self.future))

    def teardown(self) -> None:
        self.draft.close()
        self.folder.cleanup()


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
