"""Too little memory, too little disk, a row that breaks a loss, a pause: the run bears it and learns the same."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from studio.domain.architectures import Method
from studio.engine import checkpoint, devices
from studio.engine import patience as patience_module
from studio.engine import trainer as trainer_module
from studio.engine.control import Reason
from studio.engine.saver import Saver
from studio.engine.session import Session
from studio.errors import StudioError
from studio.protocol.events import CheckpointSaved, Event, Log, Step
from tests.engine.helpers import PlainControl, Recorder, chat_rows, make_plan


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "EVENT_INTERVAL_S", 0.0)


class Held(PlainControl):
    """Notes why the run held still; ``on_hold`` is what the user does about it."""

    def __init__(self, on_hold: Callable[[], None] = lambda: None) -> None:
        super().__init__(lambda: self.stopped)
        self.stopped = False
        self.reasons: list[tuple[int, Reason]] = []
        self._on_hold = on_hold

    def hold(self, step: int, reason: Reason, until: Callable[[], bool] | None = None) -> None:
        self.reasons.append((step, reason))
        self._on_hold()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = (folder / "model").glob("*.safetensors")
    return load_file(str(file))


def run(
    base: Path, folder: Path, control: PlainControl, change: Callable[[Session], None], **fields: Any
) -> Recorder:
    folder.mkdir()
    seen = Recorder()
    session = Session(make_plan(base, method=Method.FULL, **fields), folder, chat_rows, seen, control)
    change(session)
    session.run()
    return seen


def failing_loss(session: Session, fails: Callable[[Any], bool]) -> None:
    """Have the task's loss run out of memory for the batches that ``fails`` picks."""
    loss = session.on.task.loss

    def scarce(batch: Any) -> torch.Tensor:
        if fails(batch):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        result: torch.Tensor = loss(batch)
        return result

    session.on.task.loss = scarce  # type: ignore[method-assign]


def test_too_little_memory_halves_the_batch_once_and_learns_the_same(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    run(tiny_model_dir, tmp_path / "plain", PlainControl(), lambda s: None)
    calls: list[int] = []

    def at_the_second_whole_one(batch: Any) -> bool:
        calls.append(len(batch.source_rows))
        return len(batch.source_rows) == 3 and calls.count(3) == 2

    halved = run(
        tiny_model_dir,
        tmp_path / "halved",
        PlainControl(),
        lambda s: failing_loss(s, at_the_second_whole_one),
    )
    (warning,) = [log for log in halved.of(Log) if log.level == "warning"]
    failed = calls.index(3, calls.index(3) + 1)
    assert f"step {failed + 1}:" in warning.message
    assert max(calls[failed + 1 :]) == 2
    expected, got = weights(tmp_path / "plain"), weights(tmp_path / "halved")
    assert all(torch.allclose(got[name], expected[name], atol=2e-5) for name in expected)
    newest = checkpoint.load_newest(tmp_path / "halved" / "checkpoints")
    assert newest is not None
    assert newest.position.pieces == 2  # so that a resumed run computes in the same way


def test_the_second_time_the_run_pauses_saved_and_says_what_to_change(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    scarce = [True]
    control = Held(lambda: scarce.clear())
    seen = run(
        tiny_model_dir, tmp_path / "run", control,
        lambda s: failing_loss(s, lambda batch: bool(scarce) and len(control.reasons) == 0), max_steps=4,
    )  # fmt: skip
    ((step, reason),) = control.reasons
    assert (step, reason.code) == (0, "run.out_of_memory")
    assert reason.hint
    assert [s.step for s in seen.of(Step)] == [1, 2, 3, 4]


def test_stop_during_that_pause_ends_the_run(tiny_model_dir: Path, tmp_path: Path) -> None:
    control = Held()
    control._on_hold = lambda: setattr(control, "stopped", True)
    recorder = Recorder()
    folder = tmp_path / "stopped"
    folder.mkdir()
    session = Session(make_plan(tiny_model_dir), folder, chat_rows, recorder, control)
    failing_loss(session, lambda batch: len(recorder.of(Step)) >= 2)
    summary = session.run()
    assert (summary.steps, summary.stop_reason) == (2, "stopped")


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(),
     RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError("MPS backend out of memory")],
)  # fmt: skip
def test_memory_trouble_is_known_by_its_many_names(error: Exception) -> None:
    assert devices.is_out_of_memory(error)
    assert not devices.is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_a_full_disk_holds_the_run_and_nothing_is_lost(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tiny_model_dir, tmp_path / "plain", PlainControl(), lambda s: None, evals_per_epoch=3)
    full = [False]
    fsync = checkpoint.fsync

    def disk(path: Path) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(path)

    monkeypatch.setattr(checkpoint, "fsync", disk)
    control = Held(lambda: full.__setitem__(0, False))
    folder = tmp_path / "full"
    folder.mkdir()
    seen = Recorder()

    def emit(event: Event) -> None:
        if isinstance(event, Step) and event.step == 3 and not control.reasons:
            full[0] = True
        seen(event)

    plan = make_plan(tiny_model_dir, method=Method.FULL, evals_per_epoch=3)
    Session(plan, folder, chat_rows, emit, control).run()
    ((step, reason),) = control.reasons
    assert step >= 3
    assert (reason.code, bool(reason.hint)) == ("run.disk_full", True)
    expected, got = weights(tmp_path / "plain"), weights(folder)
    assert all(torch.equal(got[name], expected[name]) for name in expected)
    saved = [c.step for c in seen.of(CheckpointSaved)]
    assert saved == sorted(set(saved))


def test_an_event_that_does_not_fit_is_written_once_there_is_room(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    control, seen, refused = Held(), Recorder(), [2]

    def emit(event: Event) -> None:
        if isinstance(event, Step) and event.step == 2 and refused[0]:
            refused[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        seen(event)

    Session(make_plan(tiny_model_dir, max_steps=3), tmp_path, chat_rows, emit, control).run()
    assert len(control.reasons) == 2
    assert [s.step for s in seen.of(Step)] == [1, 2, 3]


def test_stop_on_a_disk_that_stays_full_is_told_as_what_it_is(tmp_path: Path) -> None:
    control = Held()
    control._on_hold = lambda: setattr(control, "stopped", True)
    patient = patience_module.Patience(tmp_path, control, lambda: 0, lambda: 0)

    def write() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        patient(write)
    assert len(control.reasons) == 1


def test_other_trouble_with_the_disk_is_not_waited_out(tmp_path: Path) -> None:
    patient = patience_module.Patience(tmp_path, PlainControl(), lambda: 0, lambda: 0)

    def write() -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        patient(write)


def test_a_checkpoint_is_not_begun_without_twice_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = torch.nn.Linear(100, 100)
    optimizer = torch.optim.AdamW(model.parameters())
    saver = Saver(tmp_path / "checkpoints", 2, lambda event: None)

    class Usage:
        free = 2 * 4 * 10_100 - 1

    monkeypatch.setattr("studio.engine.saver.shutil.disk_usage", lambda folder: Usage)
    with pytest.raises(OSError, match="room") as caught:
        saver.save(checkpoint.Position(step=1), model, optimizer)
    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "checkpoints").iterdir()) == []
    Usage.free += 1
    saver.save(checkpoint.Position(step=1), model, optimizer)
    saver.wait()
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["ckpt-00000001"]


def test_a_snapshot_reuses_its_memory_and_is_never_what_the_loop_changes() -> None:
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(model.parameters())
    buffers = checkpoint.Buffers()
    first = checkpoint.take_snapshot(checkpoint.Position(step=1), model, optimizer, buffers)
    place = first.weights["weight"].data_ptr()
    model.weight.data.add_(1)
    assert not torch.equal(first.weights["weight"], model.weight)
    second = checkpoint.take_snapshot(checkpoint.Position(step=2), model, optimizer, buffers)
    assert second.weights["weight"].data_ptr() == place
    assert torch.equal(second.weights["weight"], model.weight)


def test_running_statistics_are_part_of_a_checkpoint() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    model(torch.rand(8, 3))
    snapshot = checkpoint.take_snapshot(checkpoint.Position(), model, torch.optim.SGD(model.parameters()))
    other = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    checkpoint.load_weights(other, snapshot.weights)
    assert torch.equal(other[1].running_mean, model[1].running_mean)


def test_a_row_that_breaks_the_loss_is_named_alone_before_any_update(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    session = Session(
        make_plan(tiny_model_dir, method=Method.FULL), tmp_path, chat_rows, Recorder(), PlainControl()
    )
    task, bad = session.on.task, 12
    loss, losses = task.loss, task.row_losses

    def spoilt(batch: Any, value: torch.Tensor) -> torch.Tensor:
        return value * float("nan") if bad in batch.source_rows else value

    task.loss = lambda batch: spoilt(batch, loss(batch))  # type: ignore[method-assign]
    task.row_losses = lambda batch: (
        spoilt(batch, losses(batch)) if len(batch.source_rows) == 1 else losses(batch)
    )  # type: ignore[method-assign]
    with pytest.raises(StudioError) as caught:
        session.run()
    assert caught.value.code == "run.diverged"
    assert f"(rows {bad})" in caught.value.message
    assert all(bool(torch.isfinite(p).all()) for p in task.model.parameters())


def test_looking_at_a_model_draws_no_random_numbers_of_the_run() -> None:
    torch.manual_seed(5)
    with checkpoint.rng_untouched():
        torch.rand(100)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))
