"""From a plan to something that can be trained: items, the model, the device; for run and fit check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from studio.domain.architectures import Architecture
from studio.domain.runs import RunPlan
from studio.domain.specs import TrainSpec
from studio.engine import devices
from studio.engine.checkpoint import seed_all
from studio.engine.control import Control, Emit
from studio.engine.fitting import Choices, settle
from studio.engine.models import Size, check_method, size_of
from studio.engine.optim import state_copies
from studio.engine.tasks import registry
from studio.engine.tasks.media import Media
from studio.engine.tasks.task import Item, LearningTask, Rows, Setting
from studio.engine.trainer import Schedule, schedule_for
from studio.protocol.events import BatchPreview, Log, Phase, Planned

FEW_TEST_ROWS = 8  # with fewer, validation rows join the comparison: slightly kind to the run, but not blind
PREVIEW_ROWS = 4
_CONVOLVES = (Architecture.CNN, Architecture.BACKBONE, Architecture.VAE, Architecture.SPECTROGRAM)


@dataclass
class Prepared:
    """Everything that a run or a fit check works on."""

    plan: RunPlan
    task: LearningTask[Any, Any]
    size: Size
    device: torch.device
    dtype: torch.dtype
    threads: int
    train: Sequence[Item]
    validation: Sequence[Item]
    held_out: Sequence[Item]
    held_out_name: str  # test, or validation+test where the test rows are too few
    schedule: Schedule
    choices: Choices | None = None


def prepare(
    plan: RunPlan, rows: Rows, work_dir: Path, emit: Emit, control: Control, dtype: str = "",
    media: Media | None = None,
) -> Prepared:  # fmt: skip
    """Build the plan's task with its items and model.

    rows: gives the rows of a split. work_dir: where a new vocabulary is kept. dtype: of the attempt that is resumed.
    media: decodes what rows of pictures and recordings name.
    Raises StudioError (model.*, method.*, run.no_rows, run.no_task, device.missing).
    """
    spec = plan.spec
    device = devices.pick_device(spec.device)
    check_method(spec, device)
    threads = devices.set_up(spec.threads, device)
    known, _plus, base_format = dtype.partition("+")
    chosen = devices.pick_dtype(known or _number_format(spec, device), device)
    seed_all(spec.seed)
    emit(Phase(name="reading_rows"))
    resumed = base_format if dtype else None
    setting = Setting(plan, rows, work_dir, emit, control, device, chosen, media, resumed)
    loaded = registry.build(setting)
    task = loaded.task
    size = size_of(task.model)
    longest = max((item.length for item in loaded.train), default=0)
    choices = settle(task.model, spec, device, longest, size.trainable, state_copies(spec))
    validation, test = (
        _sample(loaded.validation, task.validation_work),
        _sample(loaded.test, task.held_out_work),
    )
    held_out, name = (test, "test") if len(test) >= FEW_TEST_ROWS else (validation + test, "validation+test")
    control.check()
    return Prepared(
        plan=plan, task=task, size=size, device=device, dtype=chosen, threads=threads,
        train=loaded.train, validation=validation, held_out=held_out, held_out_name=name,
        schedule=schedule_for(spec, len(loaded.train)), choices=choices,
    )  # fmt: skip


def format_name(on: Prepared) -> str:
    """The number format by name, with that of a frozen base: ``bfloat16``, ``float32+int8``."""
    more = on.task.number_format
    return devices.dtype_name(on.dtype) + (f"+{more}" if more else "")


def _number_format(spec: TrainSpec, device: torch.device) -> str:
    """float32 for convolutions on a processor: short formats win there for large products only, and wait spinning for
    each other, so that beside other programs an update took 304 ms of the processor instead of 40."""
    plain = spec.dtype == "auto" and device.type == "cpu" and spec.architecture in _CONVOLVES
    return "float32" if plain else spec.dtype


def announce(prepared: Prepared, emit: Emit) -> None:
    """Tell the sizes of the run and show its first batch."""
    train = prepared.train
    emit(
        Planned(
            total_steps=prepared.schedule.total_steps, rows=len(train), rows_cut=sum(item.cut for item in train),
            real_tokens=sum(item.length for item in train), trained_tokens=sum(item.targets for item in train),
            parameters=prepared.size.parameters, trainable=prepared.size.trainable,
        )
    )  # fmt: skip
    if prepared.choices and prepared.choices.why:
        emit(Log(level="info", message=prepared.choices.why))
    emit(BatchPreview(rows=prepared.task.preview(prepared.task.examples(train, PREVIEW_ROWS))))


def _sample(items: Sequence[Item], work: int) -> list[Item]:
    """Items of about ``work`` units of work in all, spread evenly over the split; the same ones every time."""
    total = sum(item.length for item in items)
    if total <= work:
        return list(items)
    wanted = max(1, int(len(items) * work / total))
    return [items[int(i * len(items) / wanted)] for i in range(wanted)]
