"""Choices of device and number format, with the machine's own measurements replaced by known ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from studio.engine import devices, threads
from studio.errors import ResourceError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("bfloat16_s", "chosen"), [(0.1, torch.bfloat16), (0.9, torch.float32), (3.0, torch.float32)]
)
def test_auto_takes_bfloat16_only_where_it_measures_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, bfloat16_s: float, chosen: torch.dtype
) -> None:
    monkeypatch.setattr(devices, "_matmul_s", lambda dtype: 1.0 if dtype is torch.float32 else bfloat16_s)
    assert devices.pick_dtype("auto", CPU) is chosen


def test_one_disturbed_measurement_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    float32_s = iter([9.0, 9.0, 1.0, 9.0, 9.0, 9.0])
    monkeypatch.setattr(
        devices, "_matmul_s", lambda dtype: next(float32_s) if dtype is torch.float32 else 1.0
    )
    assert devices.pick_dtype("auto", CPU) is torch.float32


def test_a_named_format_is_taken_as_it_is() -> None:
    assert devices.pick_dtype("float16", CPU) is torch.float16


def test_answers_use_float32_unless_the_model_is_too_large() -> None:
    total = psutil.virtual_memory().total
    assert devices.pick_answer_dtype(CPU, 135_000_000) is torch.float32
    assert devices.pick_answer_dtype(CPU, total // 8 + 1) is torch.bfloat16


def test_a_missing_device_is_refused_and_auto_never_is() -> None:
    assert devices.pick_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(ResourceError) as raised:
            devices.pick_device("cuda")
        assert raised.value.code == "device.missing"


def test_threads_are_set_and_reported() -> None:
    before = torch.get_num_threads()
    try:
        assert devices.set_threads(1) == 1 == torch.get_num_threads()
        assert 1 <= devices.set_threads() == threads.default_threads()
    finally:
        torch.set_num_threads(before)


def test_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, used = tmp_path / "max", tmp_path / "current"
    limit.write_text("5000\n")
    used.write_text("2000\n")
    monkeypatch.setattr(devices, "_CGROUP_LIMITS", ((limit, used),))
    assert devices.memory_available() == 3000
    limit.write_text("max\n")
    assert devices.memory_available() > 10**7


def test_peak_is_at_least_what_is_used_now() -> None:
    used = devices.memory_used()
    assert used > 10**7
    assert devices.peak_memory() >= used * 0.9


def test_waiting_threads_sleep_unless_the_user_says_otherwise() -> None:
    def policy(**given: str) -> str:
        code = "import os, studio.engine; print(os.environ['OMP_WAIT_POLICY'])"
        plain = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=plain | given, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert policy() == "passive"
    assert policy(OMP_WAIT_POLICY="active") == "active"


@pytest.fixture
def products() -> Iterator[Any]:
    """torch's switch, put back afterwards."""
    library: Any = torch.backends.mkldnn
    before = library.matmul.fp32_precision
    library.matmul.fp32_precision = "ieee"
    yield library.matmul
    library.matmul.fp32_precision = before


@pytest.mark.parametrize(
    ("capability", "amd", "error", "used"),
    [
        ("AVX512", True, 3e-7, True), ("AVX512", True, 2e-3, False),
        ("AVX512", False, 3e-7, False), ("AVX2", True, 3e-7, False),
    ],
)  # fmt: skip
def test_another_librarys_products_are_taken_where_they_are_fast_and_not_rounded(
    monkeypatch: pytest.MonkeyPatch, products: Any, capability: str, amd: bool, error: float, used: bool
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(devices, "_made_by_amd", lambda: amd)
    monkeypatch.setattr(devices, "_product_error", lambda: error)
    assert devices.use_fast_float32() is used
    assert products.fp32_precision == ("bf16" if used else "ieee")


def test_here_float32_stays_as_exact_as_it_is(products: Any) -> None:
    devices.use_fast_float32()
    assert devices._product_error() < 2e-6
