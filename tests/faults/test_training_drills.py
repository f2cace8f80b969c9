"""Drills of a training run's crash consistency: killed anywhere, cut and flipped anywhere, it loses no saved work."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from studio.engine import checkpoint
from studio.engine.checkpoint import Position
from studio.protocol.codec import decode_event
from studio.protocol.events import CheckpointSaved, Event, Finished, Resumed, Step

KILLS = int(os.environ.get("STUDIO_DRILL_KILLS", "20"))  # 200 for the whole drill; a busy machine takes long
SLACK_S = 1.0  # for what a busy machine adds to a save
SAVE_EVERY_S = 0.15  # of tests.faults.training_server
WAIT_S = 120


class Trainers:
    """A server that forks trainers, and the one under way."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.training_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip

    def run(self, folder: Path, *, kill_after_s: float | None = None, at_call: int = 0) -> int:
        """Train in ``folder`` to the end, or to a kill; the exit code (-9 after a kill)."""
        assert self._server.stdin is not None
        self._server.stdin.write(f"{folder} {at_call}\n" if at_call else f"{folder}\n")
        child = int(self._line())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            try:
                subprocess.run(["kill", "-9", str(child)], check=False, capture_output=True)
            except OSError as error:
                raise AssertionError from error
        word, ended, code = self._line().split()
        assert (word, int(ended)) == ("ended", child)
        return int(code)

    def _line(self) -> str:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the server is gone"
        return line

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(WAIT_S)
        assert self._server.stdout is not None
        self._server.stdout.close()


@pytest.fixture(scope="module")
def trainers() -> Iterator[Trainers]:
    server = Trainers()
    yield server
    server.close()


@pytest.fixture(scope="module")
def whole(trainers: Trainers, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, float]:
    """Hash of everything at the end of the uninterrupted run, and its seconds."""
    folder = tmp_path_factory.mktemp("whole")
    began = time.monotonic()
    assert trainers.run(folder) == 0, (folder / "stderr.log").read_text()
    return final_hash(folder), time.monotonic() - began


def final_hash(folder: Path) -> str:
    """Weights, optimizer and random states of the last step, and the kept model."""
    snapshot = checkpoint.load_newest(folder / "checkpoints")
    assert snapshot is not None
    digest = hashlib.sha256()
    for name, tensor in sorted(snapshot.weights.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    state = {**snapshot.optimizer, "rng": snapshot.rng}
    digest.update(str(sorted(_flat(state))).encode())
    facts = snapshot.position
    digest.update(
        repr((facts.step, facts.epoch, facts.batch, facts.best_loss, facts.best_step, facts.evals)).encode()
    )
    (model,) = (folder / "model").glob("*.safetensors")
    digest.update(model.read_bytes())
    return digest.hexdigest()


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, torch.Tensor):
        yield (
            path,
            hashlib.sha256(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()).hexdigest(),
        )
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)) and len(value) < 1000:
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}")
    else:
        yield path, repr(value)


def events(folder: Path) -> list[Event]:
    file = folder / "events.jsonl"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    return [event for event in map(decode_event, lines) if event is not None]


def check_what_is_left(folder: Path) -> None:
    """After a kill: what was told as saved is there, and little was done since."""
    told = events(folder)
    last_start = max((i for i, e in enumerate(told) if isinstance(e, Resumed)), default=0)
    saved = max((e.step for e in told if isinstance(e, CheckpointSaved)), default=0)
    paths = checkpoint.valid_checkpoints(folder / "checkpoints")
    newest = int(paths[0].name.split("-")[1]) if paths else 0
    assert newest >= saved
    seconds = {e.step: e.elapsed_s for e in told[last_start:] if isinstance(e, Step)}
    if seconds and newest:
        lost = max(seconds.values()) - seconds.get(newest, min(seconds.values()))
        assert lost <= SAVE_EVERY_S + SLACK_S


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_200_kills_at_random_end_in_the_very_same_bits(
    trainers: Trainers, whole: tuple[str, float], tmp_path: Path
) -> None:
    expected, seconds = whole
    dice, kills, runs, in_the_work = random.Random(4), 0, 0, 0
    while kills < KILLS:
        folder = tmp_path / f"run-{runs}"
        folder.mkdir()
        runs += 1
        while (code := trainers.run(folder, kill_after_s=dice.uniform(0.02, 0.35) * seconds)) == -9:
            kills += 1
            in_the_work += any(isinstance(e, Step) for e in events(folder)[-3:])
            check_what_is_left(folder)
        assert code == 0, (folder / "stderr.log").read_text()
        assert isinstance(events(folder)[-1], Finished)
        assert final_hash(folder) == expected
    print(f"{kills} kills in {runs} runs, {in_the_work} between steps")  # noqa: T201
    assert runs >= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_kill_at_every_fsync_rename_and_removal_is_survived(
    trainers: Trainers, whole: tuple[str, float], tmp_path: Path
) -> None:
    """Each run is killed at its first call, then (going on) at its second, and so on: every kind of place is met."""
    folder = tmp_path / "run"
    folder.mkdir()
    call = 1
    while (code := trainers.run(folder, at_call=call)) == -9:
        check_what_is_left(folder)
        call += 1
        assert call < 400
    assert code == 0, (folder / "stderr.log").read_text()
    assert call > 12
    assert final_hash(folder) == whole[0]


def published(folder: Path, step: int) -> Path:
    torch.manual_seed(step)
    model = nn.Linear(8, 4)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(8)).sum().backward()
    optimizer.step()
    position = Position(step=step, best_loss=0.5, best_step=1)
    return checkpoint.publish(folder, checkpoint.take_snapshot(position, model, optimizer))[0]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two checkpoints; the newer one is damaged again and again, and put back."""
    folder = tmp_path_factory.mktemp("two")
    published(folder, 1)
    published(folder, 2)
    return folder


def load_damaged(folder: Path, name: str, content: bytes) -> int:
    """The step that is resumed when a file of the newer checkpoint holds ``content``; all is put back."""
    victim = folder / "ckpt-00000002" / name
    whole = victim.read_bytes()
    victim.write_bytes(content)
    loaded = checkpoint.load_newest(folder)
    for aside in folder.glob(".damaged-*"):
        aside.rename(folder / "ckpt-00000002")
    victim.write_bytes(whole)
    assert loaded is not None
    return loaded.position.step


FILES = (checkpoint.WEIGHTS, checkpoint.STATE, checkpoint.MANIFEST)


def test_100_truncations_are_all_noticed(two: Path) -> None:
    dice = random.Random(5)
    for _trial in range(100):
        name = dice.choice(FILES)
        content = (two / "ckpt-00000002" / name).read_bytes()
        assert load_damaged(two, name, content[: dice.randrange(len(content))]) == 1
    assert checkpoint.load_newest(two).position.step == 2  # type: ignore[union-attr]


def test_500_flipped_bits_are_all_noticed(two: Path) -> None:
    dice = random.Random(6)
    for _trial in range(500):
        name = dice.choice(FILES)
        content = bytearray((two / "ckpt-00000002" / name).read_bytes())
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        assert load_damaged(two, name, bytes(content)) == 1
    assert checkpoint.load_newest(two).position.step == 2  # type: ignore[union-attr]


STORES = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["save", "tear", "retain"]), st.integers(1, 4), st.integers(1, 40)),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(sequence=STORES)
def test_retention_keeps_the_newest_valid_and_the_pinned(
    sequence: list[tuple[int, str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any sequence of saves, torn saves and retentions: the newest valid ones and the best are there afterwards."""
    folder = tmp_path_factory.mktemp("kept")
    valid: set[int] = set()
    for step, action, keep, best in sequence:
        path = folder / f"ckpt-{step:08d}"
        if action == "save":
            _sketch(path, step)
            valid.add(step)
        elif action == "tear" and path.exists():
            (path / checkpoint.WEIGHTS).write_bytes(b"")
            valid.discard(step)
        elif action == "retain":
            checkpoint.retain(folder, keep, pinned={best})
            valid = set(sorted(valid)[-keep:]) | (valid & {best})
        found = {int(p.name.split("-")[1]) for p in checkpoint.valid_checkpoints(folder)}
        assert found == valid
    assert not list(folder.glob(".trash-*"))


def _sketch(path: Path, step: int) -> None:
    """A checkpoint of a few bytes, as valid as any."""
    if path.exists():
        checkpoint.discard(path)
    path.mkdir()
    for name in (checkpoint.WEIGHTS, checkpoint.STATE):
        (path / name).write_bytes(b"x")
    files = {name: checkpoint.file_facts(path / name) for name in (checkpoint.WEIGHTS, checkpoint.STATE)}
    checkpoint.write_manifest(path, Position(step=step), files)
