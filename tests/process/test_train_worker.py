"""Training as a real child process: it ends, stops, pauses, is dropped, killed and resumed, and outlives its parent."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from studio.domain.datasets import ImportSpec
from studio.domain.runs import RunPlan
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.ingest.importer import Importer
from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Cancel, Command, Pause, Resume, Stop
from studio.protocol.events import (
    TERMINAL,
    Cancelled,
    CheckpointSaved,
    Estimated,
    Event,
    Failed,
    Finished,
    Paused,
    Resumed,
    Step,
)
from tests.engine.helpers import TOPICS
from tests.helpers.tiny_model import write_tiny_model

WAIT_S = 90


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    source = folder / "shop.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer"])
        for i in range(60):
            writer.writerow(
                [f"Where is my {TOPICS[i % 8]} number {i}?", f"Your {TOPICS[i % 8]} comes tomorrow."]
            )
    Importer(ImportSpec(source=str(source)), folder / "d1", lambda event: None, lambda: None).run("d1")
    return folder / "d1"


class Trainer:
    """One worker on one RUN_DIR, and what it has said so far."""

    def __init__(self, run_dir: Path, verb: str = "train", **environment: str) -> None:
        self.run_dir = run_dir
        self.errors = (run_dir / "stderr.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio", "worker", verb, str(run_dir)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, start_new_session=True,
            env={**os.environ, **environment},
        )  # fmt: skip

    def events(self) -> list[Event]:
        file = self.run_dir / "events.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [event for event in map(decode_event, lines) if event is not None]

    def until(self, wanted: Callable[[list[Event]], bool], wait_s: float = WAIT_S) -> list[Event]:
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            events = self.events()
            if wanted(events):
                return events
            assert self.process.poll() is None or wanted(self.events()), self.last_words()
            time.sleep(0.02)
        raise AssertionError(f"not seen in {wait_s} s; {self.last_words()}")

    def say(self, command: Command) -> None:
        with (self.run_dir / "commands.jsonl").open("a", encoding="utf-8") as mailbox:
            mailbox.write(encode(command) + "\n")

    def finish(self) -> Event:
        """Its last event, after it has ended."""
        self.process.wait(WAIT_S)
        terminal = [event for event in self.events() if isinstance(event, TERMINAL)]
        assert len(terminal) == 1, self.last_words()
        return terminal[0]

    def last_words(self) -> str:
        return (self.run_dir / "stderr.log").read_text(errors="replace")[-2000:]

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(WAIT_S)
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            if pipe is not None:
                pipe.close()


Start = Callable[..., Trainer]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Trainer] = []

    def launch(run_dir: Path, verb: str = "train", **environment: str) -> Trainer:
        started.append(Trainer(run_dir, verb, **environment))
        return started[-1]

    yield launch
    for trainer in started:
        trainer.close()


def run_dir(folder: Path, base: Path, dataset: Path, *, outlive: bool = True, **fields: object) -> Path:
    given = {
        "epochs": 2, "batch_size": 4, "threads": 1, "dtype": "float32", "base_format": "float",
        "early_stopping": 0, "lora_dropout": 0.1, **fields,
    }  # fmt: skip
    manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    plan = RunPlan(
        name="test", base_dir=str(base), base_name="tiny", dataset_id="d1", dataset_dir=str(dataset),
        dataset_sha256=manifest["content_sha256"], dataset_name="shop", shape=Shape.PROMPT_RESPONSE,
        spec=TrainSpec.model_validate(given), probes=["Where is my lamp?"], outlive=outlive,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "spec.json").write_text(plan.model_dump_json(), encoding="utf-8")
    return folder


def stepped(count: int) -> Callable[[list[Event]], bool]:
    return lambda events: sum(isinstance(e, Step) for e in events) >= count


def test_a_run_finishes_and_tells_everything_in_order(
    start: Start, base: Path, dataset: Path, tmp_path: Path
) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset))
    finished = trainer.finish()
    assert isinstance(finished, Finished)
    events = trainer.events()
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert finished.result["tuned_value"] < finished.result["base_value"]
    assert load_file(str(tmp_path / "run" / "model" / "adapter_model.safetensors"))
    assert trainer.process.stdout is not None
    spoken = trainer.process.stdout.read().decode().splitlines()
    assert len(spoken) == len(events)
    assert all(decode_event(line) for line in spoken)


@pytest.mark.slow
def test_stop_keeps_the_model(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset, epochs=90))
    trainer.until(stepped(2))
    trainer.say(Stop())
    finished = trainer.finish()
    assert isinstance(finished, Finished)
    assert finished.result["stop_reason"] == "stopped"
    assert (tmp_path / "run" / "model" / "adapter_model.safetensors").is_file()


@pytest.mark.slow
def test_cancel_drops_what_was_made(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset, epochs=90, evals_per_epoch=4))
    trainer.until(lambda events: any(isinstance(e, CheckpointSaved) for e in events))
    trainer.say(Cancel())
    assert isinstance(trainer.finish(), Cancelled)
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.slow
def test_pause_holds_still_and_resume_goes_on(
    start: Start, base: Path, dataset: Path, tmp_path: Path
) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset, epochs=90))
    trainer.until(stepped(2))
    trainer.say(Pause())
    events = trainer.until(lambda events: any(isinstance(e, Paused) for e in events))
    (paused,) = (e for e in events if isinstance(e, Paused))
    assert any(isinstance(e, CheckpointSaved) and e.step == paused.step for e in events)
    time.sleep(0.5)  # it must not move during this
    assert max(e.step for e in trainer.events() if isinstance(e, Step)) <= paused.step
    trainer.say(Resume())
    trainer.until(lambda events: any(isinstance(e, Step) and e.step > paused.step for e in events))
    trainer.say(Stop())
    assert isinstance(trainer.finish(), Finished)


@pytest.mark.slow
def test_a_kill_loses_nothing_but_time(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    whole = start(run_dir(tmp_path / "whole", base, dataset, evals_per_epoch=4))
    assert isinstance(whole.finish(), Finished)
    broken_dir = run_dir(tmp_path / "broken", base, dataset, evals_per_epoch=4)
    first = start(broken_dir)
    first.until(lambda events: any(isinstance(e, CheckpointSaved) for e in events))
    first.process.kill()
    first.process.wait(WAIT_S)
    second = start(broken_dir)
    assert isinstance(second.finish(), Finished)
    resumed = [e for e in second.events() if isinstance(e, Resumed)]
    assert resumed[0].exact
    expected = load_file(str(tmp_path / "whole" / "model" / "adapter_model.safetensors"))
    got = load_file(str(broken_dir / "model" / "adapter_model.safetensors"))
    assert {k: v.tolist() for k, v in got.items()} == {k: v.tolist() for k, v in expected.items()}


@pytest.mark.slow
def test_a_run_marked_so_outlives_its_parent(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset))
    trainer.until(stepped(1))
    abandon(trainer)
    finished = trainer.finish()
    assert isinstance(finished, Finished)
    assert finished.result["stop_reason"] == "finished"


@pytest.mark.slow
def test_otherwise_it_saves_and_ends(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset, outlive=False, epochs=90))
    trainer.until(stepped(2))
    abandon(trainer)
    finished = trainer.finish()
    assert isinstance(finished, Finished)
    assert finished.result["stop_reason"] == "stopped"


def abandon(trainer: Trainer) -> None:
    """What the worker sees when its parent dies: both pipes closed at the other end."""
    assert trainer.process.stdin is not None
    assert trainer.process.stdout is not None
    trainer.process.stdin.close()
    trainer.process.stdout.close()


@pytest.mark.slow
def test_a_librarys_print_cannot_corrupt_the_protocol(
    start: Start, base: Path, dataset: Path, tmp_path: Path
) -> None:
    noise = tmp_path / "noise"
    noise.mkdir()
    (noise / "sitecustomize.py").write_text(
        "import atexit, os, sys, threading, time\n"
        "def shout():\n"
        "    while True:\n"
        "        print('NOISE {\"v\":1'); os.write(1, b'RAW NOISE\\n'); time.sleep(0.01)\n"
        "timer = threading.Timer(1.0, shout); timer.daemon = True; timer.start()\n"
    )
    trainer = start(run_dir(tmp_path / "run", base, dataset), PYTHONPATH=str(noise))
    assert isinstance(trainer.finish(), Finished)
    assert trainer.process.stdout is not None
    spoken = trainer.process.stdout.read().decode().splitlines()
    assert spoken
    assert all(decode_event(line) for line in spoken)
    assert "NOISE" in trainer.last_words()


@pytest.mark.slow
def test_one_worker_to_a_folder(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    folder = run_dir(tmp_path / "run", base, dataset, epochs=90)
    first = start(folder)
    first.until(stepped(1))
    second = start(folder)
    assert second.process.stdout is not None
    said = decode_event(second.process.stdout.readline().decode())
    assert isinstance(said, Failed)
    assert said.code == "run.already_running"
    assert second.process.wait(WAIT_S) == 1
    first.say(Stop())
    assert isinstance(first.finish(), Finished)


@pytest.mark.slow
def test_no_process_stays_behind(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    trainer = start(run_dir(tmp_path / "run", base, dataset, epochs=90))
    trainer.until(stepped(1))
    children = psutil.Process(trainer.process.pid).children(recursive=True)
    trainer.process.terminate()
    last = trainer.finish()
    assert isinstance(last, Failed)
    assert last.code == "worker.terminated"
    _gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive


def test_a_plan_that_cannot_be_read_is_explained(start: Start, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text("{", encoding="utf-8")
    failed = start(tmp_path).finish()
    assert isinstance(failed, Failed)
    assert failed.code == "run.no_plan"


@pytest.mark.slow
def test_a_base_without_tokenizer_is_explained(
    start: Start, base: Path, dataset: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        (bare / name).write_bytes((base / name).read_bytes())
    failed = start(run_dir(tmp_path / "run", bare, dataset)).finish()
    assert isinstance(failed, Failed)
    assert failed.code == "model.no_tokenizer"
    assert failed.hint


def paused(events: list[Event]) -> Paused | None:
    """The last word, when it is that the run holds still."""
    last = next((e for e in reversed(events) if isinstance(e, (Paused, Resumed))), None)
    return last if isinstance(last, Paused) else None


@pytest.mark.slow
def test_a_disk_that_takes_no_checkpoint_holds_the_run_until_it_does(
    start: Start, base: Path, dataset: Path, tmp_path: Path
) -> None:
    """Native writers fail in their own ways; a limit on file sizes acts on them as a full disk does."""
    folder = run_dir(tmp_path / "run", base, dataset, method="full", epochs=2)
    trainer = start(folder)
    resource.prlimit(
        trainer.process.pid, resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY)
    )  # below one checkpoint's file
    events = trainer.until(lambda events: paused(events) is not None)
    held = paused(events)
    assert held is not None
    assert (held.code, bool(held.hint)) == ("run.disk_full", True)
    assert list((folder / "checkpoints").iterdir()) == []
    resource.prlimit(
        trainer.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    assert isinstance(trainer.finish(), Finished)  # by itself


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(command, capture_output=True).returncode
    ):
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take every free byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return ballast


@pytest.mark.slow
def test_a_full_disk_pauses_the_run_and_freeing_it_lets_it_go_on(
    start: Start, base: Path, dataset: Path, tmp_path: Path, small_disk: Path
) -> None:
    whole = start(run_dir(tmp_path / "whole", base, dataset, evals_per_epoch=4))
    assert isinstance(whole.finish(), Finished)
    folder = run_dir(small_disk / "run", base, dataset, evals_per_epoch=4)
    trainer = start(folder)
    trainer.until(lambda events: any(isinstance(e, CheckpointSaved) for e in events))
    ballast = fill(small_disk)
    trainer.until(lambda events: paused(events) is not None)
    held = paused(trainer.events())
    assert held is not None
    assert held.code == "run.disk_full"
    before = checkpoint_files(folder)
    assert before
    time.sleep(1)
    assert checkpoint_files(folder) == before
    ballast.unlink()
    assert isinstance(trainer.finish(), Finished)
    expected = load_file(str(tmp_path / "whole" / "model" / "adapter_model.safetensors"))
    got = load_file(str(folder / "model" / "adapter_model.safetensors"))
    assert {k: v.tolist() for k, v in got.items()} == {k: v.tolist() for k, v in expected.items()}


def checkpoint_files(folder: Path) -> dict[str, int]:
    files = (folder / "checkpoints").glob("ckpt-*/*")
    return {str(path): path.stat().st_size for path in files}


@pytest.mark.slow
def test_a_full_disk_lets_the_user_stop(start: Start, base: Path, dataset: Path, small_disk: Path) -> None:
    trainer = start(run_dir(small_disk / "run", base, dataset, epochs=90, evals_per_epoch=4))
    trainer.until(lambda events: any(isinstance(e, CheckpointSaved) for e in events))
    (small_disk / "run" / "commands.jsonl").write_bytes(
        b"\n" * 200
    )  # room for the word, when there is no other
    fill(small_disk)
    trainer.until(lambda events: paused(events) is not None)
    trainer.say(Stop())
    failed = trainer.finish()
    assert isinstance(failed, Failed)
    assert failed.code == "run.disk_full"


def test_the_fit_check_answers_on_its_pipe(start: Start, base: Path, dataset: Path, tmp_path: Path) -> None:
    checker = start(run_dir(tmp_path / "run", base, dataset), "estimate")
    assert checker.process.stdout is not None
    events = [decode_event(line.decode()) for line in checker.process.stdout]
    (estimated,) = (e for e in events if isinstance(e, Estimated))
    assert estimated.estimate["ready"]
    assert isinstance(events[-1], Finished)
    assert checker.process.wait(WAIT_S) == 0
