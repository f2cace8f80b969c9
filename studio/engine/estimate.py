"""The fit check: what a run will need, from real work on its own longest rows and one measured second of training."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

import torch

from studio.domain.architectures import Architecture
from studio.domain.runs import FitEstimate, RunPlan
from studio.domain.specs import ADDS_ON
from studio.engine import devices
from studio.engine.batching import by_length, epoch_batches
from studio.engine.control import Control, Emit
from studio.engine.fitting import Need, propose
from studio.engine.optim import make_optimizer, state_copies
from studio.engine.prepare import Prepared, announce, prepare
from studio.engine.session import PROBES_PER_CHECK
from studio.engine.tasks.media import Media
from studio.engine.tasks.task import LearningBatch, Rows
from studio.i18n import _
from studio.protocol.events import Phase
from studio.words import size_words

MEASURED_S = 1.0
SPREAD = 0.15  # the least that a prediction is unsure by, either way
MOST_SPREAD = 0.8  # on a busy machine one second says little, but a run never takes no time
HEAP_GROWTH = 1.3  # main memory over a run against its first steps: 1.35 to 1.79 GB in 40 steps of a LoRA run
BYTES_PER_WEIGHT = 4  # checkpoints and models are kept as float32


@dataclass(frozen=True)
class _Speeds:
    """Units of work per second in training and evaluation, relative deviation of the first; a check's probes in s.

    once_s: for each unit of an item's length, of what is done only once for it.
    """

    train: float
    evaluate: float
    deviation: float
    probe_s: float
    once_s: float


def estimate(
    plan: RunPlan, rows: Rows, work_dir: Path, emit: Emit, control: Control, media: Media | None = None
) -> FitEstimate:
    """Prepare the run as the trainer would, work for about a second, and predict. Raises as ``prepare``."""
    began = time.monotonic()
    available = devices.memory_available(devices.pick_device(plan.spec.device))
    free = shutil.disk_usage(work_dir).free
    prepared = prepare(plan, rows, work_dir, emit, control, media=media)
    announce(prepared, emit)
    setup_s = time.monotonic() - began
    emit(Phase(name="measuring"))
    speeds, need = _measure(prepared, control)
    return _predict(prepared, speeds, need, setup_s, available, free)


def _measure(on: Prepared, control: Control) -> tuple[_Speeds, Need]:
    optimizer = make_optimizer(on.task.model.named_parameters(), on.plan.spec)
    lengths = [e.length for e in on.train]
    longest = by_length(lengths, on.plan.spec.batch_size)[0]
    once = _Once(on)
    once.ahead(longest)
    need = _need(on, optimizer, longest)  # the peak of memory, and a warm-up
    speeds: list[float] = []
    spent = 0.0
    batches = _batches(on, lengths)
    while spent < MEASURED_S or len(speeds) < 2:
        control.check()
        indices = next(batches)
        once.ahead(indices)
        batch = on.task.collate([on.train[i] for i in indices[: need.rows]])
        seconds = _update(on, optimizer, batch)
        speeds.append(batch.work / seconds)
        spent += seconds
    started = time.monotonic()
    _look(on, batch)
    forward = batch.work / (time.monotonic() - started)
    deviation = stdev(speeds) / mean(speeds)
    return _Speeds(mean(speeds), forward, deviation, _probe_s(on), once.seconds()), need.of_all(len(longest))


@dataclass(frozen=True)
class _Measured:
    """Memory of an update over ``rows`` rows, which may be fewer than a batch has where that did not fit."""

    rows: int
    need: Need

    def of_all(self, rows: int) -> Need:
        """What a whole batch would need."""
        return replace(self.need, batch=self.need.batch * rows // self.rows)


def _need(on: Prepared, optimizer: torch.optim.Optimizer, longest: list[int]) -> _Measured:
    """Make an update over the longest rows; over half as many as long as the memory does not suffice."""
    copies = state_copies(on.plan.spec)
    trained = on.size.trainable * BYTES_PER_WEIGHT * (1 + copies)
    held = devices.memory_used(on.device)
    rows = len(longest)
    while True:
        try:
            _update(on, optimizer, on.task.collate([on.train[i] for i in longest[:rows]]))
            break
        except (RuntimeError, MemoryError) as error:
            if rows == 1 or not devices.is_out_of_memory(error):
                raise
        optimizer.zero_grad(set_to_none=True)
        devices.release_memory()
        rows //= 2
    peak = devices.peak_memory(on.device)
    fixed = min(held + trained, peak)
    growth = HEAP_GROWTH if on.device.type == "cpu" else 1.0
    need = Need(
        int(fixed * growth), int((peak - fixed) * growth), on.size.parameters, on.size.trainable, copies,
        longest=max(on.train[i].length for i in longest),
    )  # fmt: skip
    return _Measured(rows, need)


def _batches(on: Prepared, lengths: list[int]) -> Iterator[list[int]]:
    epoch = 0
    while True:
        yield from epoch_batches(lengths, on.plan.spec.batch_size, on.plan.spec.seed, epoch)
        epoch += 1


class _Once:
    """Does and times what is done only once for each item."""

    def __init__(self, on: Prepared) -> None:
        self._on = on
        self._met: set[int] = set()
        self._timed: list[tuple[float, int]] = []  # seconds, and the length of what they were for

    def ahead(self, indices: list[int]) -> None:
        """Do it for those training items that were not met before."""
        items = [self._on.train[i] for i in indices if i not in self._met]
        self._met.update(indices)
        if items:
            started = time.monotonic()
            self._on.task.ahead(items)
            self._timed.append((time.monotonic() - started, sum(item.length for item in items)))

    def seconds(self) -> float:
        """For each unit of length. The first time does not count where there are others: nothing was warm then."""
        timed = self._timed[1:] or self._timed
        return sum(seconds for seconds, _length in timed) / max(1, sum(length for _seconds, length in timed))


def _update(on: Prepared, optimizer: torch.optim.Optimizer, batch: LearningBatch) -> float:
    """Seconds of one update; the weights are thrown away afterwards."""
    started = time.monotonic()
    on.task.loss(on.task.to_device(batch)).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if on.device.type == "cuda":
        torch.cuda.synchronize(on.device)
    return time.monotonic() - started


@torch.no_grad()
def _look(on: Prepared, batch: LearningBatch) -> None:
    """One batch of an evaluation."""
    on.task.row_losses(on.task.to_device(batch))


def _probe_s(on: Prepared) -> float:
    """Seconds that all probes of one check take."""
    prompts = on.task.probes(on.plan.probes)[:PROBES_PER_CHECK]
    if not prompts:
        return 0.0
    started = time.monotonic()
    on.task.model.eval()
    on.task.probe(prompts[0])
    on.task.model.train()
    return (time.monotonic() - started) * len(prompts)


def _predict(
    on: Prepared, speeds: _Speeds, need: Need, setup_s: float, available: int, free: int
) -> FitEstimate:
    spec, schedule = on.plan.spec, on.schedule
    per_epoch = sum(e.length for e in on.train)
    epochs = schedule.total_steps * spec.gradient_accumulation / schedule.batches_per_epoch
    checks = schedule.total_steps // schedule.eval_every + 1
    training = per_epoch * epochs / speeds.train
    if spec.max_minutes:
        training = min(training, spec.max_minutes * 60)
    checking = checks * (sum(e.length for e in on.validation) / speeds.evaluate + speeds.probe_s)
    comparing = 2 * sum(e.length for e in on.held_out) / speeds.evaluate
    every = {id(item): item for item in (*on.train, *on.validation, *on.held_out)}  # some are held out twice
    once = speeds.once_s * sum(item.length for item in every.values())
    seconds = setup_s + once + training + checking + comparing
    spread = min(MOST_SPREAD, max(SPREAD, 2 * speeds.deviation))
    memory, disk = need.total, _disk_bytes(on)
    problems = _problems(on, memory, available, disk, free)
    proposal = propose(spec, on.plan.shape, need, available) if memory > available else None
    return FitEstimate(
        ready=memory <= available and 2 * disk <= free, problems=problems, proposal=proposal,
        steps=schedule.total_steps,
        trained_tokens=sum(e.targets for e in on.train), real_tokens=per_epoch, rows=len(on.train),
        rows_cut=sum(e.cut for e in on.train), parameters=on.size.parameters, trainable=on.size.trainable,
        seconds_low=seconds * (1 - spread), seconds=seconds, seconds_high=seconds * (1 + 1.5 * spread),
        memory_bytes=memory, memory_available_bytes=available, disk_bytes=disk, disk_free_bytes=free,
        tokens_per_s=speeds.train, device=devices.describe(on.device), dtype=devices.dtype_name(on.dtype),
    )  # fmt: skip


def _disk_bytes(on: Prepared) -> int:
    """Checkpoints (weights and the optimizer's state; the kept ones, the best, the one being written) and the model."""
    spec = on.plan.spec
    checkpoints = (spec.keep_checkpoints + 2) * (1 + state_copies(spec)) * on.size.trainable
    adds_on = spec.architecture is Architecture.LANGUAGE_MODEL and spec.method in ADDS_ON
    kept = on.size.trainable if adds_on else on.size.parameters
    return (checkpoints + kept) * BYTES_PER_WEIGHT


def _problems(on: Prepared, memory: int, available: int, disk: int, free: int) -> list[str]:
    problems = []
    if memory > available:
        problems.append(
            _("It needs about {needed} of memory and {available} are free: choose a smaller batch.").format(
                needed=size_words(memory), available=size_words(available)
            )
        )
    if 2 * disk > free:
        problems.append(
            _("It needs about {needed} of disk space, and {free} are free.").format(
                needed=size_words(2 * disk), free=size_words(free)
            )
        )
    cut = sum(e.cut for e in on.train)
    if cut:
        problems.append(
            _("{cut} of {rows} rows are longer than the longest row allowed and will be cut.").format(
                cut=cut, rows=len(on.train)
            )
        )
    return problems
