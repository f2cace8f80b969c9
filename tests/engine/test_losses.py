"""The blockwise head gives the numbers and gradients that the model's own forward gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from studio.domain.datasets import Split
from studio.engine.loading import load_model, load_tokenizer
from studio.engine.tasks.language import losses
from studio.engine.tasks.language.batch import Batch, collate
from studio.engine.tasks.language.encoding import encode_rows
from studio.engine.tasks.language.losses import CausalLoss
from tests.engine.helpers import chat_rows


@pytest.fixture
def batch(tiny_model_dir: Path) -> Batch:
    examples = encode_rows(load_tokenizer(tiny_model_dir), chat_rows(Split.TRAIN), 512)
    return collate(examples[:5], 0)


def reference(model: nn.Module, batch: Batch) -> torch.Tensor:
    logits = model(input_ids=batch.ids, use_cache=False).logits
    return F.cross_entropy(logits[batch.rows, batch.positions], batch.targets)


@pytest.mark.parametrize("block", [1, 1000, 10**9])
@pytest.mark.parametrize("head_trains", [True, False])
def test_mean_and_gradients_equal_the_models_own(
    tiny_model_dir: Path, batch: Batch, block: int, head_trains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "BLOCK_LOGITS", block)
    model = load_model(tiny_model_dir).double()
    model.requires_grad_(True)
    model.get_output_embeddings().weight.requires_grad_(head_trains)
    wanted = reference(model, batch)
    wanted.backward()
    grads = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    got = CausalLoss(model).mean(batch)
    got.backward()
    assert got.item() == pytest.approx(wanted.item(), rel=1e-6)
    for name, parameter in model.named_parameters():
        if name in grads:
            torch.testing.assert_close(parameter.grad, grads[name], rtol=1e-5, atol=1e-7)


def test_bfloat16_is_close_and_leaves_gradients_in_float32(tiny_model_dir: Path, batch: Batch) -> None:
    model = load_model(tiny_model_dir)
    model.requires_grad_(True)
    wanted = CausalLoss(model).mean(batch).item()
    got = CausalLoss(model, torch.bfloat16).mean(batch)
    got.backward()
    assert got.item() == pytest.approx(wanted, rel=0.02)
    assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {torch.float32}


def test_row_nats_add_up_to_the_mean(tiny_model_dir: Path, batch: Batch) -> None:
    loss = CausalLoss(load_model(tiny_model_dir))
    assert float(loss.row_nats(batch).sum()) / len(batch.targets) == pytest.approx(
        loss.mean(batch).item(), rel=1e-6
    )


def test_padding_changes_no_rows_number(tiny_model_dir: Path) -> None:
    examples = encode_rows(load_tokenizer(tiny_model_dir), chat_rows(Split.TRAIN), 512)
    loss = CausalLoss(load_model(tiny_model_dir))
    alone = [float(loss.row_nats(collate([e], 0))[0]) for e in examples[:5]]
    together = loss.row_nats(collate(examples[:5], 0)).tolist()
    assert together == pytest.approx(alone, rel=1e-5)


def test_a_family_that_scales_its_logits_uses_its_own_forward(tiny_model_dir: Path, batch: Batch) -> None:
    model = load_model(tiny_model_dir)
    plain = CausalLoss(model).mean(batch).item()

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def get_decoder(self) -> Any:
            return self.inner.get_decoder()

        def get_output_embeddings(self) -> Any:
            return self.inner.get_output_embeddings()

        def forward(self, **inputs: Any) -> Any:
            out = self.inner(**inputs)
            out.logits = out.logits / 3
            return out

    scaled = Scaled()
    got = CausalLoss(scaled).mean(batch).item()
    assert got == pytest.approx(reference(scaled, batch).item(), rel=1e-6)
    assert got != pytest.approx(plain, rel=1e-3)
