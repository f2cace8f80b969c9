"""The import as a real child process: it finishes, it is dropped within a second, and a kill leaves no dataset."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.protocol.codec import decode_event
from studio.protocol.events import Cancelled, Event, Failed, Finished, Phase
from tests.faults import archives
from tests.helpers.spent import WorkAfter
from tests.unit.ingest.helpers import run_import

WAIT_S = 60


def launch(verb: str, payload: dict[str, Any]) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "studio", "worker", verb],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    assert child.stdin
    child.stdin.write(json.dumps(payload) + "\n")
    child.stdin.flush()
    return child


def events_of(child: subprocess.Popen[str]) -> list[Event]:
    assert child.stdout
    found = [decode_event(line) for line in child.stdout]
    return [event for event in found if event is not None]


def until_reading(child: subprocess.Popen[str]) -> None:
    assert child.stdout
    for line in child.stdout:
        event = decode_event(line)
        if isinstance(event, Phase) and event.name == "reading_rows":
            return
    raise AssertionError("the worker ended before it read anything")


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait(WAIT_S)
    for pipe in (child.stdin, child.stdout, child.stderr):
        assert pipe
        pipe.close()


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough to be interrupted: the careful way reads it, for each portion has a bad row."""
    path = tmp_path_factory.mktemp("big") / "big.csv"
    portion = "".join(f"question {i},answer {i}\n" for i in range(2000)) + '"open,x\n'
    path.write_text("question,answer\n" + portion * 400)
    return path


def payload(source: Path, out: Path) -> dict[str, Any]:
    return {"spec": {"source": str(source)}, "out_dir": str(out), "dataset_id": "d1"}


def test_import_ends_with_the_version(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("问题,回答\n你好,您好\n再见,\n", encoding="utf-8")
    child = launch("import", payload(source, tmp_path / "sets" / "d1"))
    try:
        events = events_of(child)
        assert child.wait(WAIT_S) == 0
    finally:
        end(child)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    last = events[-1]
    assert isinstance(last, Finished)
    assert (last.result["id"], last.result["rows"], last.result["rejected"]) == ("d1", 1, 1)
    assert [item.name for item in (tmp_path / "sets").iterdir()] == ["d1"]


def test_preview(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("question;answer\n00123;NA\n", encoding="utf-8")
    child = launch("preview-source", {"spec": {"source": str(source)}})
    try:
        last = events_of(child)[-1]
    finally:
        end(child)
    assert isinstance(last, Finished)
    assert last.result["delimiter"] == ";"
    assert last.result["rows"] == [["00123", "NA"]]
    assert last.result["roles"] == {"question": "prompt", "answer": "response"}


def test_a_refused_file_is_one_failed_event(tmp_path: Path) -> None:
    child = launch("import", payload(tmp_path / "none.csv", tmp_path / "out"))
    try:
        events = events_of(child)
        assert child.wait(WAIT_S) == 1
    finally:
        end(child)
    terminal = [event for event in events if isinstance(event, Failed | Finished | Cancelled)]
    assert [getattr(event, "code", "") for event in terminal] == ["import.unreadable"]


@pytest.mark.parametrize("way", ["cancel", "eof", "terminate"])
def test_dropped_within_a_second(way: str, big_file: Path, tmp_path: Path) -> None:
    child = launch("import", payload(big_file, tmp_path / "sets" / "d1"))
    try:
        until_reading(child)
        assert child.stdin
        work = WorkAfter(child)
        if way == "cancel":
            child.stdin.write('{"type": "cancel"}\n')
            child.stdin.flush()
        elif way == "eof":
            child.stdin.close()
        else:
            child.send_signal(signal.SIGTERM)
        last = events_of(child)[-1]
        work.end()
        child.wait(WAIT_S)
    finally:
        end(child)
    assert isinstance(last, Failed if way == "terminate" else Cancelled)
    assert work.seconds() < 1.0
    assert list((tmp_path / "sets").iterdir()) == []


def test_an_archive_is_previewed_and_nothing_of_it_stays(tmp_path: Path) -> None:
    source = archives.archive(
        tmp_path / "a.zip", {**archives.GOOD, "more/b.jsonl": b'{"question": "c", "answer": "d"}'}
    )
    (tmp_path / "scratch").mkdir()
    child = launch("preview-source", {"spec": {"source": str(source)}, "scratch": str(tmp_path / "scratch")})
    try:
        last = events_of(child)[-1]
    finally:
        end(child)
    assert isinstance(last, Finished)
    assert last.result["members"] == ["good.csv", "more/b.jsonl"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_kill_left_is_swept_by_the_next_import(big_file: Path, tmp_path: Path) -> None:
    child = launch("import", payload(big_file, tmp_path / "sets" / "d1"))
    try:
        until_reading(child)
        child.kill()
        child.wait(WAIT_S)
    finally:
        end(child)
    (left,) = (tmp_path / "sets").iterdir()
    assert left.name.startswith(f".tmp-{child.pid}-")
    (tmp_path / "sets" / "images").mkdir()  # the store of pictures is no dataset and nobody's leftover
    (tmp_path / "small.csv").write_bytes(archives.GOOD["good.csv"])
    run_import(tmp_path / "small.csv", tmp_path / "sets" / "d2")
    assert {item.name for item in (tmp_path / "sets").iterdir()} == {"d2", "images"}


def test_a_kill_publishes_nothing(big_file: Path, tmp_path: Path) -> None:
    child = launch("import", payload(big_file, tmp_path / "sets" / "d1"))
    try:
        until_reading(child)
        child.kill()
        child.wait(WAIT_S)
    finally:
        end(child)
    assert not (tmp_path / "sets" / "d1").exists()
