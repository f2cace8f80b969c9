"""Our causal attention: the same values and gradients as torch's, and only where it was measured to be faster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from studio.engine.kernels import attention
from tests.helpers.examples import examples

SCALE = 0.3


def parts(batch: int, heads: int, groups: int, length: int, dtype: torch.dtype) -> list[Tensor]:
    """Question, key and value as models hand them over: heads second, though they lie behind the places."""
    torch.manual_seed(length)
    sizes = (heads, groups, groups)
    return [
        torch.randn(batch, length, size, 8, dtype=dtype).transpose(1, 2).requires_grad_() for size in sizes
    ]


def both(given: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Value and gradients: ours, torch's."""
    slope = torch.randn(given[0].shape, dtype=given[0].dtype)
    ours = attention.causal_attention(given[0], given[1], given[2], SCALE)
    found = [ours, *torch.autograd.grad(ours, given, slope)]
    theirs = F.scaled_dot_product_attention(
        given[0], given[1], given[2], is_causal=True, scale=SCALE, enable_gqa=True
    )
    return found, [theirs, *torch.autograd.grad(theirs, given, slope)]


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(1, 3), st.sampled_from([(1, 1), (4, 4), (6, 2), (3, 1)]), st.integers(1, 300))
def test_values_and_gradients_are_torchs(batch: int, heads: tuple[int, int], length: int) -> None:
    found, wanted = both(parts(batch, *heads, length, torch.float64))
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def written_out(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """As transformers' "eager" attention: scores in the model's format, a softmax in float32."""
    shared = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    scores = query @ key.transpose(2, 3) * SCALE
    later = torch.full(scores.shape[-2:], float("-inf"), dtype=scores.dtype).triu(1)
    return torch.softmax(scores + later, dim=-1, dtype=torch.float32).to(value.dtype) @ value


def with_gradients(seen: Tensor, given: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(1)
    slope = torch.randn(seen.shape, dtype=torch.bfloat16)
    return [seen.detach(), *torch.autograd.grad(seen, given, slope.to(seen.dtype))]


@pytest.mark.parametrize("factor", [1, 2, 5])  # the largest scores: 6, 24, 149
def test_in_bfloat16_it_is_as_near_to_the_truth_as_attention_written_out(factor: int) -> None:
    short = parts(2, 6, 2, 300, torch.bfloat16)
    with torch.no_grad():
        for part in short[:2]:
            part *= factor
    exact = [part.detach().double().requires_grad_() for part in short]
    found = with_gradients(attention.causal_attention(short[0], short[1], short[2], SCALE), short)
    others = with_gradients(written_out(*short), short)
    truth = with_gradients(written_out(*exact), exact)
    for ours, theirs, right in zip(found, others, truth, strict=True):
        assert (ours - right).norm() <= 1.15 * (theirs - right).norm()


def test_a_place_sees_nothing_of_what_comes_after_it() -> None:
    query, key, value = parts(1, 2, 1, 140, torch.float64)
    before = attention.causal_attention(query, key, value, SCALE)
    with torch.no_grad():
        key[:, :, 130:] += 5
        value[:, :, 130:] -= 5
    after = attention.causal_attention(query, key, value, SCALE)
    assert torch.equal(before[:, :, :130], after[:, :, :130])


PLAIN: dict[str, Any] = {"mask": None, "dtype": torch.bfloat16, "grad": True, "causal": True, "more": {}}


@pytest.mark.parametrize(
    "other",
    [
        {"mask": torch.ones(1, 1, 5, 5, dtype=torch.bool)}, {"dtype": torch.float16}, {"causal": False},
        {"more": {"dropout": 0.5}}, {"more": {"is_causal": False}}, {"asked": 3}, {"asked": 1, "length": 1},
        {"width": 16}, {}, {"grad": False}, {"dtype": torch.float32},
    ],
)  # fmt: skip
def test_what_it_is_not_for_stays_with_transformers(
    other: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    own = attention.causal_attention
    monkeypatch.setattr(
        attention, "causal_attention", lambda *given: used.append(True) or own(*given)
    )  # what is called, with all that it does
    case = {**PLAIN, **other}
    query, key, value = (
        part.detach().requires_grad_(case["grad"])
        for part in parts(1, 4, 2, case.get("length", 5), case["dtype"])
    )
    query = query[:, :, : case.get("asked", 5)]
    value = value.repeat(1, 1, 1, case.get("width", 8) // 8)
    module = SimpleNamespace(is_causal=case["causal"], num_key_value_groups=2)
    given = (module, query, key, value, case["mask"])
    torch.manual_seed(2)
    seen, _weights = attention._attention(*given, scaling=SCALE, **case["more"])  # type: ignore[arg-type]
    torch.manual_seed(2)
    theirs, _weights = sdpa_attention_forward(*given, scaling=SCALE, **case["more"])  # type: ignore[arg-type]
    assert bool(used) is (other in ({}, {"grad": False}, {"dtype": torch.float32}))
    torch.testing.assert_close(seen, theirs, rtol=0.02 if used else 0, atol=0.02 if used else 0)


def test_under_autocast_it_computes_in_the_short_format_as_torchs() -> None:
    query, key, value = parts(1, 4, 2, 5, torch.float32)  # of a model that trains whole
    module = SimpleNamespace(is_causal=True, num_key_value_groups=2)
    given: Any = (module, query, key, value.to(torch.bfloat16), None)
    with torch.autocast("cpu", torch.bfloat16):
        seen, _weights = attention._attention(*given, scaling=SCALE)
        theirs, _weights = sdpa_attention_forward(*given, scaling=SCALE)
    assert seen.dtype is theirs.dtype is torch.bfloat16
    torch.testing.assert_close(seen, theirs, rtol=0.02, atol=0.02)
