"""From a plan to something that can be trained: rows as tokens, the model, the device; for run and fit check."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.domain.shapes import Shape
from studio.domain.specs import Method
from studio.engine import devices
from studio.engine.control import Control, Emit
from studio.engine.loading import load_model, load_tokenizer
from studio.engine.losses import CausalLoss
from studio.engine.models import Size, add_adapter, new_model, new_tokenizer, size_of
from studio.engine.tasks.causal_lm import Example, encode_rows, ensure_template
from studio.engine.trainer import Schedule, schedule_for
from studio.protocol.events import BatchPreview, Phase, Planned, PreviewToken, Progress

Rows = Callable[[Split], Iterable[dict[str, Any]]]
VALIDATION_TOKENS = 12_000  # evaluated at each check during a run
HELD_OUT_TOKENS = 24_000  # compared at the end
FEW_TEST_ROWS = 8  # with fewer, validation rows join the comparison: slightly kind to the run, but not blind
PREVIEW_ROWS, PREVIEW_TOKENS = 4, 400
PROGRESS_INTERVAL_S = 0.25


@dataclass
class Prepared:
    """Everything that a run or a fit check works on."""

    plan: RunPlan
    tokenizer: Any
    model: nn.Module
    loss: CausalLoss
    size: Size
    device: torch.device
    dtype: torch.dtype
    threads: int
    pad_id: int
    train: list[Example]
    validation: list[Example]
    held_out: list[Example]
    held_out_name: str  # test, or validation+test where the test rows are too few
    schedule: Schedule


def prepare(
    plan: RunPlan, rows: Rows, work_dir: Path, emit: Emit, control: Control, dtype: str = ""
) -> Prepared:
    """Load and tokenise all that the plan names.

    rows: gives the rows of a split. work_dir: where a new tokenizer is kept. dtype: of the attempt that is resumed.
    Raises StudioError (model.*, run.no_rows, device.missing).
    """
    spec = plan.spec
    device = devices.pick_device(spec.device)
    threads = devices.set_threads(spec.threads)
    chosen = devices.pick_dtype(dtype or spec.dtype, device)
    torch.manual_seed(spec.seed)
    emit(Phase(name="reading_rows"))
    tokenizer = _tokenizer(plan, rows, work_dir)
    train = _encode(tokenizer, rows(Split.TRAIN), spec.max_length, emit, control)
    validation = _sample(_encode_some(tokenizer, rows(Split.VALIDATION), spec.max_length), VALIDATION_TOKENS)
    test = _sample(_encode_some(tokenizer, rows(Split.TEST), spec.max_length), HELD_OUT_TOKENS)
    held_out, name = (test, "test") if len(test) >= FEW_TEST_ROWS else (validation + test, "validation+test")
    emit(Phase(name="loading_model"))
    model = _model(plan, tokenizer, device, chosen)
    control.check()
    return Prepared(
        plan=plan, tokenizer=tokenizer, model=model, loss=CausalLoss(model, chosen), size=size_of(model), device=device,
        dtype=chosen, threads=threads, pad_id=_pad_id(tokenizer), train=train, validation=validation,
        held_out=held_out, held_out_name=name,
        schedule=schedule_for(spec, len(train)),
    )  # fmt: skip


def announce(prepared: Prepared, emit: Emit) -> None:
    """Tell the sizes of the run and show its first batch."""
    emit(
        Planned(
            total_steps=prepared.schedule.total_steps, rows=len(prepared.train),
            rows_cut=sum(e.cut for e in prepared.train), real_tokens=sum(e.length for e in prepared.train),
            trained_tokens=sum(e.targets for e in prepared.train),
            parameters=prepared.size.parameters, trainable=prepared.size.trainable,
        )
    )  # fmt: skip
    first = prepared.train[:PREVIEW_ROWS]
    emit(BatchPreview(rows=[preview_tokens(prepared.tokenizer, e) for e in first]))


def preview_tokens(tokenizer: Any, example: Example) -> list[PreviewToken]:
    """The example's tokens as text. Neighbours of a kind are joined, so that characters of several tokens show."""
    pieces: list[PreviewToken] = []
    ids, flags = example.ids[:PREVIEW_TOKENS].tolist(), example.trained[:PREVIEW_TOKENS].tolist()
    start = 0
    for end in range(1, len(ids) + 1):
        if end == len(ids) or flags[end] != flags[start]:
            text = tokenizer.decode(ids[start:end], skip_special_tokens=False)
            pieces.append(PreviewToken(text=text, trained=flags[start]))
            start = end
    return pieces


def _tokenizer(plan: RunPlan, rows: Rows, work_dir: Path) -> Any:
    if plan.spec.method is Method.SCRATCH or plan.base_dir is None:
        tokenizer = new_tokenizer(_texts(rows(Split.TRAIN)), plan.spec.vocabulary, work_dir / "tokenizer")
    else:
        tokenizer = load_tokenizer(Path(plan.base_dir))
    if plan.shape is Shape.TEXT:
        tokenizer.chat_template = None  # a writer continues the text that it is given
    else:
        ensure_template(tokenizer)
    return tokenizer


def _model(plan: RunPlan, tokenizer: Any, device: torch.device, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(plan.spec.seed)
    if plan.spec.method is Method.SCRATCH or plan.base_dir is None:
        return new_model(plan.spec, tokenizer).to(device=device)
    if (
        plan.spec.method is Method.LORA
    ):  # the frozen base may be kept in the short format; the adapter is float32
        return add_adapter(load_model(Path(plan.base_dir), dtype=dtype, device=device), plan.spec)
    model: nn.Module = load_model(Path(plan.base_dir), dtype=torch.float32, device=device)
    model.requires_grad_(True)
    return model


def _texts(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    for row in rows:
        if "text" in row:
            yield row["text"]
        else:
            yield from (message["content"] for message in row["messages"])


def _encode(
    tokenizer: Any, rows: Iterable[dict[str, Any]], max_length: int, emit: Emit, control: Control
) -> list[Example]:
    last = time.monotonic()

    def progress(done: int) -> None:
        nonlocal last
        control.check()
        if time.monotonic() - last >= PROGRESS_INTERVAL_S:
            last = time.monotonic()
            emit(Progress(phase="tokenising", done=done))

    emit(Phase(name="tokenising"))
    return encode_rows(tokenizer, rows, max_length, progress)


def _encode_some(tokenizer: Any, rows: Iterable[dict[str, Any]], max_length: int) -> list[Example]:
    listed = list(rows)
    return encode_rows(tokenizer, listed, max_length) if listed else []


def _sample(examples: Sequence[Example], tokens: int) -> list[Example]:
    """Rows of about ``tokens`` tokens in all, spread evenly over the split; the same ones every time."""
    total = sum(e.length for e in examples)
    if total <= tokens:
        return list(examples)
    wanted = max(1, int(len(examples) * tokens / total))
    return [examples[int(i * len(examples) / wanted)] for i in range(wanted)]


def _pad_id(tokenizer: Any) -> int:
    """Any id does: padded positions are never attended to and never trained."""
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0)
