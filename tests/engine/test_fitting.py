"""What is chosen and proposed so that a run fits: the least change first, the same every time, in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.domain.architectures import Architecture, Method
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine import devices, fitting
from studio.engine import estimate as estimate_module
from studio.engine.fitting import Machine, Need, choose, propose
from studio.engine.session import Session
from tests.engine.helpers import PlainControl, Recorder, chat_rows, make_plan

GB = 1_000_000_000
NEED = Need(
    fixed=2 * GB, batch=4 * GB, parameters=135_000_000, trainable=135_000_000, optimizer_copies=2, longest=512
)
FULL = TrainSpec(method=Method.FULL, batch_size=8, max_length=512)


def proposed(available: float, spec: TrainSpec = FULL, need: Need = NEED) -> dict[str, object]:
    found = propose(spec, Shape.PROMPT_RESPONSE, need, int(available))
    assert found is not None
    assert found.memory_bytes <= available
    assert found.sentence.endswith(".")
    assert found.applied(spec) != spec
    return dict(found.changes)


@pytest.mark.parametrize("available", [5.0, 4.0, 3.0])
def test_smaller_batches_with_the_same_rows_in_each_update_come_first(available: float) -> None:
    changes = proposed(available * GB)
    assert changes.keys() == {"batch_size", "gradient_accumulation"}
    assert changes["batch_size"] * changes["gradient_accumulation"] == 8  # type: ignore[operator]


def test_then_computing_twice_then_shorter_rows_then_an_add_on() -> None:
    twice = proposed(2.42 * GB)
    assert (twice["gradient_checkpointing"], twice["batch_size"]) == ("on", 1)
    assert "max_length" not in twice
    shorter = proposed(2.27 * GB)
    assert shorter["max_length"] in (64, 128, 256)
    assert "method" not in shorter
    add_on = proposed(2 * GB)
    assert add_on["method"] == "lora"
    assert add_on["learning_rate"] == 5e-4


def test_nothing_is_proposed_where_nothing_helps() -> None:
    assert propose(FULL, Shape.PROMPT_RESPONSE, NEED, GB // 10) is None
    lora = FULL.model_copy(update={"method": Method.LORA})
    assert (
        propose(lora, Shape.PROMPT_RESPONSE, NEED, GB) is None
    )  # what stays in memory is too much by itself


def test_a_limit_that_no_row_reaches_is_not_lowered_in_vain() -> None:
    short = Need(2 * GB, 4 * GB, 10, 10, 2, longest=100)
    plain = FULL.model_copy(update={"gradient_checkpointing": "off"})
    found = propose(plain, Shape.PROMPT_RESPONSE, short, int(2.6 * GB))
    assert found is not None
    assert dict(found.changes)["max_length"] == 64


def test_models_without_tokens_get_a_smaller_batch() -> None:
    spec = TrainSpec(architecture=Architecture.CNN, method=Method.SCRATCH, batch_size=64)
    found = propose(spec, Shape.IMAGE_LABEL, NEED, int(2.5 * GB))
    assert found is not None
    assert [name for name, _value in found.changes] == ["batch_size", "gradient_accumulation"]


def test_updates_never_take_more_batches_than_the_form_allows() -> None:
    spec = TrainSpec(batch_size=512, gradient_accumulation=1)
    found = propose(spec, Shape.PROMPT_RESPONSE, NEED, int(2.3 * GB))
    assert found is not None
    assert found.applied(spec).gradient_accumulation <= 256


GPU = Machine("cuda", 8 * GB, bfloat16=True, flash=False)
SIZES = {
    "layers": 30,
    "width": 576,
    "weights": 135_000_000,
    "trainable": 135_000_000,
    "copies": 2,
    "tokens": 4 * 512,
}


def test_on_a_gpu_mixed_precision_and_the_fastest_attention_are_chosen() -> None:
    chosen = choose(FULL, GPU, **SIZES)
    assert (chosen.dtype, chosen.attention, chosen.compute_twice) == ("bfloat16", "sdpa", False)
    flash = Machine("cuda", 8 * GB, bfloat16=True, flash=True)
    assert choose(FULL, flash, **SIZES).attention == "flash_attention_2"
    old = Machine("cuda", 8 * GB, bfloat16=False, flash=True)
    assert (choose(FULL, old, **SIZES).dtype, choose(FULL, old, **SIZES).attention) == ("float32", "sdpa")


def test_what_does_not_fit_is_computed_twice_and_says_so() -> None:
    small = Machine("cuda", 3 * GB, bfloat16=True, flash=False)
    chosen = choose(FULL, small, **SIZES)
    assert chosen.compute_twice
    assert "GB" in chosen.why
    off = FULL.model_copy(update={"gradient_checkpointing": "off"})
    assert not choose(off, small, **SIZES).compute_twice
    on = FULL.model_copy(update={"gradient_checkpointing": "on"})
    assert choose(on, GPU, **SIZES).compute_twice


@pytest.mark.parametrize("method", [Method.LORA, Method.FULL])
def test_computing_twice_changes_no_bit_of_a_step(
    method: Method, tiny_model_dir: Path, tmp_path: Path
) -> None:
    found = []
    for wish in ("on", "off"):
        folder = tmp_path / wish
        folder.mkdir()
        plan = make_plan(
            tiny_model_dir, method=method, lora_dropout=0.2, gradient_checkpointing=wish, max_steps=2
        )
        session = Session(plan, folder, chat_rows, Recorder(), PlainControl())
        inner = fitting._transformer(session.on.task.model)
        assert inner.is_activation_checkpointing is (wish == "on")
        session.run()
        found.append([p.detach().clone() for p in session.on.task.model.parameters() if p.requires_grad])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_the_fit_check_proposes_what_fits(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_module, "MEASURED_S", 0.0)
    monkeypatch.setattr(fitting, "HEADROOM", 1.0)
    held = devices.memory_used()
    monkeypatch.setattr(devices, "memory_available", lambda device=None: int(1.4 * held))
    monkeypatch.setattr(devices, "peak_memory", lambda device=None: 2 * held)
    plan = make_plan(tiny_model_dir, batch_size=8)
    found = estimate_module.estimate(plan, chat_rows, tmp_path, Recorder(), PlainControl())
    assert not found.ready
    assert found.proposal is not None
    assert found.proposal.memory_bytes <= found.memory_available_bytes
    assert found.proposal.applied(plan.spec).batch_size < 8


def test_the_fit_check_bears_a_batch_that_does_not_fit(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_module, "MEASURED_S", 0.0)
    update, sizes = estimate_module._update, []

    def scarce(on, optimizer, batch):  # type: ignore[no-untyped-def]
        sizes.append(len(batch.source_rows))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return update(on, optimizer, batch)

    monkeypatch.setattr(estimate_module, "_update", scarce)
    found = estimate_module.estimate(
        make_plan(tiny_model_dir, batch_size=8), chat_rows, tmp_path, Recorder(), PlainControl()
    )
    assert sizes[:3] == [8, 4, 2]
    assert max(sizes[3:]) <= 2
    assert found.memory_bytes > 0
