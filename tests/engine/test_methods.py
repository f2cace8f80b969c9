"""Ways to train a language model: DoRA learns and is kept as peft reads it; QLoRA is refused where it cannot work."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from studio.domain.architectures import Method
from studio.engine import models
from studio.engine.estimate import estimate
from studio.engine.loading import load_adapter, load_model
from studio.engine.models import check_method
from studio.engine.session import Session
from studio.engine.tasks.language.losses import CausalLoss
from studio.errors import StudioError
from studio.protocol.events import Phase
from tests.engine.helpers import PlainControl, Recorder, chat_rows, make_plan

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_dora_learns_and_its_adapter_answers_alike(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, method=Method.DORA, epochs=4, learning_rate=5e-3, dtype="float32")
    session = Session(plan, tmp_path, chat_rows, Recorder(), PlainControl())
    summary = session.run()
    assert summary.base_value is not None
    assert summary.tuned_value is not None
    assert summary.tuned_value < summary.base_value
    assert json.loads((tmp_path / "model" / "adapter_config.json").read_text())["use_dora"]
    kept = load_file(str(tmp_path / "model" / "adapter_model.safetensors"))
    assert any("magnitude" in name for name in kept)
    task: Any = session.on.task
    batch = task.collate(session.on.train[:4])
    again = CausalLoss(load_adapter(load_model(tiny_model_dir), tmp_path / "model"))
    torch.testing.assert_close(again.row_nats(batch), task.row_losses(batch), rtol=1e-4, atol=1e-3)


def order(work: Any, folder: Path) -> tuple[Any, Any]:
    """The fit check takes the rows before the folder."""
    return (folder, chat_rows) if work is Session else (chat_rows, folder)


@pytest.mark.parametrize("work", [Session, estimate])
def test_qlora_without_a_gpu_is_refused_before_anything_is_read(
    work: Any, tiny_model_dir: Path, tmp_path: Path
) -> None:
    plan, seen = make_plan(tiny_model_dir, method=Method.QLORA, device="cpu"), Recorder()
    with pytest.raises(StudioError) as caught:
        work(plan, *order(work, tmp_path), seen, PlainControl())
    assert caught.value.code == "method.needs_gpu"
    assert "NVIDIA" in caught.value.message
    assert not seen.of(Phase)


def test_qlora_with_a_gpu_asks_for_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_plan(None, method=Method.QLORA).spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudioError) as caught:
        check_method(spec, GPU)
    assert caught.value.code == "method.needs_package"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    check_method(spec, GPU)


def test_qlora_asks_for_nf4_and_puts_an_adapter_on_it(
    tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a GPU nothing can be compressed here: what the library is asked for is looked at, the rest is real."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    asked: dict[str, Any] = {}
    whole = load_model(tiny_model_dir)

    def from_pretrained(folder: str, **options: Any) -> Any:
        asked.update(options)
        return whole

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", from_pretrained)
    monkeypatch.setattr(BitsAndBytesConfig, "post_init", lambda self: None)
    monkeypatch.setattr(models, "check_method", lambda spec, device: None)
    plan = make_plan(tiny_model_dir, method=Method.QLORA)
    model = models.tuned_model(plan, CPU, torch.bfloat16)
    config = asked["quantization_config"]
    assert (config.load_in_4bit, config.bnb_4bit_quant_type, config.bnb_4bit_use_double_quant) == (
        True,
        "nf4",
        True,
    )
    assert config.bnb_4bit_compute_dtype is torch.bfloat16
    assert asked["trust_remote_code"] is False
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert trained
    assert all("lora_" in name for name in trained)
