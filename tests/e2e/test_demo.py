"""The demonstration with the real base model, headless, as the installer starts it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from studio.paths import APP_NAME, DEFAULT_BASE_MODEL, default_base_model_dir

ROOT = Path(__file__).resolve().parents[2]
QUICK_LIMIT_S = 180
CROWD = 4  # other work on the machine may slow it down so many times


def installed_base() -> Path | None:
    """$STUDIO_TEST_BASE, or where the installer leaves the base model."""
    named = os.environ.get("STUDIO_TEST_BASE")
    usual = Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)) / "models" / DEFAULT_BASE_MODEL
    candidates = [Path(named)] if named else [usual]
    return next((path for path in candidates if (path / "config.json").is_file()), None)


@pytest.mark.slow
@pytest.mark.timeout(QUICK_LIMIT_S * CROWD + 60)
def test_quick_demo_measures_everything(tmp_path: Path) -> None:
    base = installed_base()
    if base is None:
        pytest.skip("the base model is not installed; set STUDIO_TEST_BASE to its folder")
    default_base_model_dir().parent.mkdir(parents=True)
    default_base_model_dir().symlink_to(base, target_is_directory=True)
    said = subprocess.run(
        [sys.executable, "-m", "studio", "demo", "--quick", "--json", "--workspace", str(tmp_path / "demo")],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=QUICK_LIMIT_S * CROWD,
        env={**os.environ, "PYTHONUTF8": "1", "STUDIO_LANGUAGE": "en"},
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    (line,) = said.stdout.splitlines()
    data = json.loads(line)
    assert data["rows_imported"] == 270
    assert data["steps"] == 20
    assert data["tuned_value"] < data["base_value"] - 0.2
    assert data["verdict"] == "better"
    assert data["verdict_sentence"] in said.stderr
    assert all(
        math.isfinite(data[name]) and data[name] > 0
        for name in ("tokens_per_s", "seconds", "estimate_seconds")
    )
    assert data["answer_base"] != data["answer_tuned"]
    assert Path(data["workspace"]) == tmp_path / "demo"
    assert (tmp_path / "demo" / "runs" / data["run_id"] / "model" / "adapter_model.safetensors").is_file()
