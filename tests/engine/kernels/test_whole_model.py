"""Both kernels in a whole model as a run uses them: the gradients of plain float32, up to bfloat16."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from studio.engine.kernels import attention, lora
from studio.engine.loading import load_tokenizer
from studio.engine.models import tuned_model
from tests.engine.helpers import make_plan


@pytest.fixture(autouse=True)
def others_keep_theirs() -> Iterator[None]:
    """The table of attentions is one for the whole process."""
    before = ALL_ATTENTION_FUNCTIONS["sdpa"]
    yield
    ALL_ATTENTION_FUNCTIONS.register("sdpa", before)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels that computed something."""
    calls: list[str] = []
    for name, function in (("attention", attention._CausalAttention), ("lora", lora._JoinedProduct)):
        own = function.apply
        monkeypatch.setattr(
            function, "apply", lambda *given, own=own, name=name: calls.append(name) or own(*given)
        )
    return calls


def gradients(folder: Path, dtype: torch.dtype, *, twice: bool = False, plain: bool = False) -> list[Tensor]:
    """Of every matrix of the add-ons, for one batch that is as long as two blocks of the attention."""
    model: Any = tuned_model(make_plan(folder), torch.device("cpu"), dtype)
    torch.manual_seed(4)
    for module in model.modules():
        if isinstance(module, LoraLinear):
            torch.nn.init.normal_(module.lora_B["default"].weight, std=0.1)
            if plain:
                module.__class__ = LoraLinear
    if plain:
        ALL_ATTENTION_FUNCTIONS.register("sdpa", sdpa_attention_forward)
    if twice:
        model.base_model.model.activation_checkpointing_enable({"use_reentrant": False})
    model.train()
    ids = torch.randint(5, 200, (2, 160))
    with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
        model(input_ids=ids, labels=ids).loss.backward()
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


def test_in_bfloat16_as_in_float32(tiny_model_dir: Path, used: list[str]) -> None:
    truth = gradients(tiny_model_dir, torch.float32, plain=True)
    assert not used
    theirs = gradients(tiny_model_dir, torch.bfloat16, plain=True)
    assert not used
    ours = gradients(tiny_model_dir, torch.bfloat16)
    assert {"attention", "lora"} <= set(used)
    assert len(truth) == len(ours) == 2 * 7 * 2
    for own, other, right in zip(ours, theirs, truth, strict=True):
        assert (own - right).norm() <= 0.05 * right.norm()
        assert (own - right).norm() <= 2 * (other - right).norm()


BOTH = {"attention", "lora"}
FAMILIES: dict[str, tuple[dict[str, Any], set[str]]] = {  # options, kernels that compute
    "llama": ({}, BOTH), "qwen2": ({}, BOTH), "qwen3": ({"head_dim": 32}, BOTH), "olmo2": ({}, BOTH),
    "olmo": ({"clip_qkv": 0.5}, BOTH), "mistral": ({"sliding_window": 512}, BOTH),
    "gemma2": ({"head_dim": 32, "query_pre_attn_scalar": 16}, {"lora"}),  # caps its scores
    "phi": ({"partial_rotary_factor": 0.5}, BOTH), "gpt_neox": ({"num_key_value_heads": None}, BOTH),
    "gpt2": ({"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}, {"attention"}),  # its layers are no Linear
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_families_learn_as_without_our_kernels(
    family: str, dtype: torch.dtype, tiny_model_dir: Path, tmp_path: Path, used: list[str]
) -> None:
    folder = of_family(family, tiny_model_dir, tmp_path / family)
    truth = gradients(folder, torch.float32, plain=True)
    theirs = gradients(folder, dtype, plain=True)
    assert not used
    ours = gradients(folder, dtype)
    assert set(used) == FAMILIES[family][1]
    assert len(truth) == len(ours) > 8
    assert error(ours, truth) <= 1.2 * error(theirs, truth) + 1e-5


def error(found: list[Tensor], truth: list[Tensor]) -> float:
    """Of all gradients together, relative."""
    own, right = (torch.cat([part.flatten() for part in parts]) for parts in (found, truth))
    return float((own - right).norm() / right.norm())


def test_a_window_shorter_than_the_text_stays_with_transformers(
    tiny_model_dir: Path, tmp_path: Path, used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAMILIES, "mistral", ({"sliding_window": 32}, {"lora"}))
    folder = of_family("mistral", tiny_model_dir, tmp_path / "mistral")
    truth = gradients(folder, torch.float32, plain=True)
    ours = gradients(folder, torch.float32)
    assert set(used) == {"lora"}
    for own, right in zip(ours, truth, strict=True):
        torch.testing.assert_close(own, right, rtol=1e-3, atol=1e-5 * float(right.abs().max()))


def of_family(family: str, like: Path, folder: Path) -> Path:
    """A small untrained model of this family with the other one's tokenizer."""
    shutil.copytree(like, folder)
    for weights in folder.glob("*.safetensors"):
        weights.unlink()
    sizes = {
        "vocab_size": len(load_tokenizer(like)), "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "pad_token_id": 0,
    }  # fmt: skip
    options = {name: value for name, value in {**sizes, **FAMILIES[family][0]}.items() if value is not None}
    torch.manual_seed(6)
    model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **options))
    model.save_pretrained(folder)
    return folder


def test_in_float32_as_written_by_others(tiny_model_dir: Path, used: list[str]) -> None:
    truth = gradients(tiny_model_dir, torch.float32, plain=True)
    ours = gradients(tiny_model_dir, torch.float32)
    assert {"attention", "lora"} <= set(used)
    for own, right in zip(ours, truth, strict=True):
        torch.testing.assert_close(own, right, rtol=1e-3, atol=1e-5 * float(right.abs().max()))


def test_computing_twice_to_save_memory_changes_no_bit(tiny_model_dir: Path, used: list[str]) -> None:
    once = gradients(tiny_model_dir, torch.bfloat16)
    calls = len(used)
    again = gradients(tiny_model_dir, torch.bfloat16, twice=True)
    assert len(used) > 2 * calls
    assert all(torch.equal(own, other) for own, other in zip(once, again, strict=True))
