"""A run exported as a program trains the same: it is run here, by itself, and reaches the same losses."""

# ruff: noqa: F811

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import ImportSpec
from studio.domain.runs import Run, RunPlan
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.specs import TrainSpec
from studio.ingest.importer import Importer
from studio.protocol.codec import decode_event
from studio.protocol.events import Evaluated
from studio.report.run_script import run_script, written_out
from tests.helpers.tiny_model import write_tiny_encoder
from tests.process.test_train_worker import base, dataset, run_dir  # noqa: F401 (fixtures)

CLOSE = 5e-3  # nats: plain operations in place of the studio's own
WAIT_S = 240


def trained(folder: Path) -> list[float | None]:
    """Validation losses of the run in ``folder``, trained by the studio."""
    subprocess.run([sys.executable, "-m", "studio", "worker", "train", str(folder)], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL, timeout=WAIT_S)  # fmt: skip
    events = map(decode_event, (folder / "events.jsonl").read_text(encoding="utf-8").splitlines())
    return [e.loss for e in events if isinstance(e, Evaluated) and e.step]


def scripted(folder: Path, tmp_path: Path) -> list[float]:
    """The same by the program, which must not see the studio."""
    plan = RunPlan.model_validate_json((folder / "spec.json").read_text(encoding="utf-8"))
    file = tmp_path / "again.py"
    file.write_text(run_script(Run(plan=plan), 1, file.name), encoding="utf-8")
    assert "import studio" not in file.read_text(encoding="utf-8")
    done = subprocess.run([sys.executable, "-P", str(file)], capture_output=True, timeout=WAIT_S, cwd=tmp_path,
                          env={**os.environ, "HF_HUB_OFFLINE": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")
    said: list[dict[str, Any]] = [
        json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")
    ]
    return [line["validation_loss"] for line in said if "validation_loss" in line]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full", "scratch"])
def test_a_language_models_program_reaches_the_same_losses(
    method: str,
    base: Path,
    dataset: Path,
    tmp_path: Path,
) -> None:
    folder = run_dir(
        tmp_path / "run", base, dataset, method=method, lora_dropout=0.0, evals_per_epoch=2, layers=2, heads=2,
        width=32, vocabulary=400,
    )  # fmt: skip
    if method == "scratch":
        plan = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        (folder / "spec.json").write_text(json.dumps({**plan, "base_dir": None}), encoding="utf-8")
    assert scripted_after(folder, tmp_path)


def scripted_after(folder: Path, tmp_path: Path) -> bool:
    expected = trained(folder)
    got = scripted(folder, tmp_path)
    assert len(got) == len(expected) > 1
    assert got == pytest.approx(expected, abs=CLOSE)
    return True


def text_plan(tmp_path: Path, **fields: Any) -> Path:
    source = tmp_path / "texts.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for i in range(60):
            kind = ("order sent", "thank you")[i % 2]
            writer.writerow([f"The {kind} arrives number {i}" + " please" * (i % 4), kind[:5]])
    roles = {"text": ColumnRole.TEXT, "label": ColumnRole.LABEL}
    spec = ImportSpec(source=str(source), shape=Shape.TEXT_LABEL, roles=roles)
    Importer(spec, tmp_path / "d1", lambda event: None, lambda: None).run("d1")
    encoder = write_tiny_encoder(tmp_path / "encoder")
    given = {
        "architecture": Architecture.ENCODER, "method": Method.FULL, "epochs": 2, "batch_size": 8, "threads": 1,
        "dropout": 0.0, "learning_rate": 1e-3, "dtype": "float32", "early_stopping": 0, **fields,
    }  # fmt: skip
    plan = RunPlan(
        name='A "run"', base_dir=str(encoder), base_name="tiny", dataset_id="d1", dataset_dir=str(tmp_path / "d1"),
        dataset_sha256="abc", dataset_name="texts", shape=Shape.TEXT_LABEL, spec=TrainSpec.model_validate(given),
    )  # fmt: skip
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "spec.json").write_text(plan.model_dump_json(), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_text_classifiers_program_reaches_the_same_losses(tmp_path: Path) -> None:
    assert scripted_after(text_plan(tmp_path), tmp_path)


@pytest.mark.slow
def test_other_kinds_say_that_they_call_the_engine(tmp_path: Path) -> None:
    folder = text_plan(
        tmp_path, architecture=Architecture.GRU, method=Method.SCRATCH, width=16, layers=1, heads=1
    )
    plan = RunPlan.model_validate_json((folder / "spec.json").read_text(encoding="utf-8"))
    plan = plan.model_copy(update={"fold": (1, 3)})
    assert not written_out(plan)
    file = tmp_path / "again.py"
    file.write_text(run_script(Run(plan=plan), 1, file.name), encoding="utf-8")
    assert "studio's own engine" in file.read_text(encoding="utf-8")
    again = tmp_path / "again"
    done = subprocess.run([sys.executable, str(file), str(again)], capture_output=True, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")
    assert (again / "model" / "weights.safetensors").is_file()


def test_other_data_is_refused(base: Path, dataset: Path, tmp_path: Path) -> None:
    folder = run_dir(tmp_path / "run", base, dataset)
    plan = RunPlan.model_validate_json((folder / "spec.json").read_text(encoding="utf-8"))
    text = run_script(Run(plan=plan), 1, "again.py")
    digest = json.loads(text.split('r"""')[1].split('"""')[0])["data"]["rows_sha256"]
    file = tmp_path / "again.py"
    file.write_text(text.replace(digest, "0" * 64), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", str(file)], capture_output=True, timeout=WAIT_S, cwd=tmp_path
    )
    assert done.returncode == 1
    assert b"not the data" in done.stderr
