"""The promises of the protocol: whole numbered lines, one end, no stray print, a reader that may go away."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.protocol.commands import Cancel, Pause, Stop
from studio.protocol.events import Cancelled, Failed, Finished, Log
from studio.worker import io
from studio.worker.io import CommandReader, EventWriter, last_seq
from studio.worker.main import failure


def log(text: str) -> Log:
    return Log(level="info", message=text)


def lines(file: Path) -> list[dict[str, object]]:
    return [
        json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.startswith('{"v"')
    ]


def test_threads_write_whole_lines_in_order(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    writer = EventWriter(None, file)
    threads = [
        threading.Thread(target=lambda: [writer.emit(log("文" * 500)) for _ in range(100)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [item["seq"] for item in lines(file)] == list(range(1, 401))


def test_nothing_follows_the_end(tmp_path: Path) -> None:
    writer = EventWriter(None, tmp_path / "e")
    for event in (Finished(), Failed(code="x", message="y"), log("late"), Cancelled()):
        writer.emit(event)
    assert [item["type"] for item in lines(tmp_path / "e")] == ["finished"]


def test_numbering_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    file = tmp_path / "e"
    EventWriter(None, file).emit(log("one"))
    with file.open("a") as stream:
        stream.write('{"v":1,"seq":2,"ty')
    EventWriter(None, file).emit(log("two"))
    assert file.read_text().splitlines()[1] == '{"v":1,"seq":2,"ty'
    assert last_seq(file) == 2


def test_a_reader_that_went_away_is_forgotten(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    writer = EventWriter(write_end, tmp_path / "e")
    writer.emit(log("one"))
    os.close(write_end)
    writer.emit(log("two"))
    assert len(lines(tmp_path / "e")) == 2


def test_commands_from_pipe_and_mailbox(tmp_path: Path) -> None:
    mailbox = tmp_path / "commands.jsonl"
    read_end, write_end = os.pipe()
    reader = CommandReader(read_end, mailbox)
    with mailbox.open("a") as file:
        file.write('{"type":"pause"}\n{"type":"unknown"}\n{"type":"can')
    assert reader.poll() == [Pause()]
    with mailbox.open("a") as file:
        file.write('cel"}\n')
    assert reader.poll() == [Cancel()]
    os.write(write_end, b'{"type":"stop"}\n')
    assert reader.wait(10) == [Stop()]
    assert not reader.eof
    os.close(write_end)
    reader.wait(10)
    assert reader.eof
    os.close(read_end)


def test_a_first_attempt_hears_a_command_given_while_it_started(tmp_path: Path) -> None:
    mailbox = tmp_path / "commands.jsonl"
    mailbox.write_text('{"type":"stop"}\n')
    assert CommandReader(None, mailbox).poll() == [Stop()]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StudioError("a.b", "m"), "a.b"),
        (OSError(28, "No space left on device"), "run.disk_full"),
        (MemoryError(), "run.out_of_memory"),
        (ValueError("x"), "worker.crash"),
    ],
)
def test_failures_are_named(error: Exception, code: str) -> None:
    assert failure(error).code == code


def test_a_second_worker_refuses_the_folder(tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / "worker.lock"):
        done = subprocess.run(
            [sys.executable, "-m", "studio", "worker", "train", str(tmp_path)],
            input="",
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert json.loads(done.stdout)["code"] == "run.already_running"
    assert not (tmp_path / "events.jsonl").exists()


def test_a_print_never_reaches_the_protocol() -> None:
    code = (
        "import os\nfrom studio.worker.io import *\nfrom studio.protocol.events import Finished\n"
        "fd = protect_stdout()\nprint('noise')\nos.system('echo noise')\nEventWriter(fd).emit(Finished())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()] == ["finished"]
    assert done.stderr.count("noise") == 2


def test_a_full_disk_still_takes_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "events.jsonl"
    writer = EventWriter(None, file)
    reserve = file.with_suffix(".reserve")
    assert reserve.stat().st_size > 0
    write = io._write_all

    def full(fd: int, data: bytes) -> None:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(fd, data)

    monkeypatch.setattr(io, "_write_all", full)
    with pytest.raises(OSError, match="No space"):
        writer.emit(log("lost"))
    writer.emit(failure(OSError(errno.ENOSPC, "No space left on device")))
    assert [line["code"] for line in lines(file)] == ["run.disk_full"]
    assert not reserve.exists()
