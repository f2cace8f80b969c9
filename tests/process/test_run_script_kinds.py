"""The program of every kind of run is plain torch, trains by itself, and ends about where the run ended."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import ViTConfig, ViTModel

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import ImportSpec
from studio.domain.runs import Run, RunPlan
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.specs import TrainSpec
from studio.i18n import set_language
from studio.ingest.importer import Importer
from studio.protocol.codec import decode_event
from studio.protocol.events import Compared, Evaluated
from studio.report.run_script import run_script
from tests.engine.tasks.test_imported_files import write_files
from tests.engine.tasks.test_recommend import every_row
from tests.helpers.tiny_model import write_tiny_encoder, write_tiny_model

WAIT_S = 240
CLOSE = 0.02  # as a share: plainer operations in place of the studio's own
R = ColumnRole


def imported(source: Path, folder: Path, shape: Shape, roles: dict[str, ColumnRole] | None = None) -> Path:
    spec = ImportSpec(source=str(source), shape=shape, **({"roles": roles} if roles else {}))
    Importer(spec, folder, lambda event: None, lambda: None).run("d1")
    return folder


def table(tmp_path: Path, shape: Shape, rows: list[dict[str, Any]], **roles: ColumnRole) -> Path:
    source = tmp_path / "rows.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(roles))
        writer.writeheader()
        writer.writerows([{name: row[name] for name in roles} for row in rows])
    return imported(source, tmp_path / "datasets" / "d1", shape, roles)


def texts() -> list[dict[str, Any]]:
    said = ("lamp is awful", "lovely lamp thanks")
    return [
        {"text": f"this {said[i % 2]} indeed {i}" + " and" * (i % 4), "label": said[i % 2][:4],
         "labels": "good;new" if i % 2 else "bad", "number": str(i % 2 * 10 + i % 3)}
        for i in range(90)
    ]  # fmt: skip


def judged() -> list[dict[str, Any]]:
    return [
        {"prompt": f"Where is my order {i}?", "chosen": "No." * (1 + i % 2), "rejected": "Thank you! It comes.",
         "response": ("No.", "Thank you! It comes.")[i // 2 % 2], "thumb": ("up", "down")[i // 2 % 2]}
        for i in range(80)
    ]  # fmt: skip


def data_of(shape: Shape, tmp_path: Path) -> Path:
    if shape in (Shape.IMAGE_LABEL, Shape.AUDIO_LABEL):
        return imported(write_files(tmp_path / "source", shape), tmp_path / "datasets" / "d1", shape)
    if shape is Shape.RATINGS:
        return table(tmp_path, shape, every_row(20), user=R.USER, item=R.ITEM, rating=R.RATING, time=R.TIME)
    if shape is Shape.PREFERENCE:
        return table(tmp_path, shape, judged(), prompt=R.PROMPT, chosen=R.CHOSEN, rejected=R.REJECTED)
    if shape is Shape.THUMBS:
        return table(tmp_path, shape, judged(), prompt=R.PROMPT, response=R.RESPONSE, thumb=R.THUMB)
    answer = {Shape.TEXT_LABEL: R.LABEL, Shape.TEXT_LABELS: R.LABELS, Shape.TEXT_NUMBER: R.NUMBER}[shape]
    return table(tmp_path, shape, texts(), **{"text": R.TEXT, answer.value: answer})


def without_dropout(encoder: Path) -> Path:
    """What is dropped by chance differs from the studio's own dropout."""
    config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
    (encoder / "config.json").write_text(json.dumps({**config, "hidden_dropout_prob": 0.0}), encoding="utf-8")
    return encoder


def base_of(architecture: Architecture, folder: Path) -> Path | None:
    if architecture is Architecture.ENCODER:
        return without_dropout(write_tiny_encoder(folder))
    if architecture is Architecture.LANGUAGE_MODEL:
        return write_tiny_model(folder)
    if architecture is not Architecture.BACKBONE:
        return None
    torch.manual_seed(0)
    config = ViTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
                       image_size=32, patch_size=8, initializer_range=0.3)  # fmt: skip
    ViTModel(config).save_pretrained(str(folder))
    return folder


def plan_of(shape: Shape, architecture: Architecture, tmp_path: Path, **fields: Any) -> RunPlan:
    base = base_of(architecture, tmp_path / "base")
    given = {
        "architecture": architecture, "method": Method.FULL if base else Method.SCRATCH, "epochs": 2, "batch_size": 8,
        "threads": 1, "dropout": 0.0, "learning_rate": 2e-3, "dtype": "float32", "early_stopping": 0, "width": 16,
        "heads": 2, "layers": 2, "vocabulary": 400, "channels": 8, "image_size": 16, "latent": 4, "factors": 4,
        **fields,
    }  # fmt: skip
    return RunPlan(
        name="茶馆 @RUN@", base_dir=str(base) if base else None, base_name="tiny", dataset_id="d1",
        dataset_dir=str(data_of(shape, tmp_path)), dataset_sha256="abc", dataset_name="数据", shape=shape,
        spec=TrainSpec.model_validate(given),
    )  # fmt: skip


def trained(plan: RunPlan, folder: Path) -> tuple[list[float], float]:
    """Validation losses, and the measure on the held-out rows, of the run by the studio."""
    folder.mkdir()
    (folder / "spec.json").write_text(plan.model_dump_json(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "studio", "worker", "train", str(folder)], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL, timeout=WAIT_S)  # fmt: skip
    events = [
        decode_event(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    losses = [e.loss for e in events if isinstance(e, Evaluated) and e.step and e.loss is not None]
    (compared,) = (e for e in events if isinstance(e, Compared))
    return losses, sum(compared.tuned_scores) / sum(compared.targets)


def run_by_itself(text: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    file = tmp_path / "again.py"
    file.write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, "-P", str(file), *arguments], capture_output=True, timeout=WAIT_S,
                          cwd=tmp_path, env={**os.environ, "HF_HUB_OFFLINE": "1"})  # fmt: skip


def assert_nothing_unused(text: str) -> None:
    """All names are defined, all imports used."""
    checked = subprocess.run([sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", "-"],
                             input=text.encode(), capture_output=True, timeout=WAIT_S)  # fmt: skip
    assert checked.returncode == 0, checked.stdout.decode()


def scripted(plan: RunPlan, tmp_path: Path) -> tuple[list[float], float]:
    """The same by the program, which must not see the studio."""
    text = run_script(Run(plan=plan), 1, "again.py")
    assert "studio worker" not in text
    assert "import studio" not in text
    assert plan.name in text
    assert_nothing_unused(text)
    done = run_by_itself(text, tmp_path, str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert any((tmp_path / "kept").iterdir())
    (measured,) = (line["value"] for line in said if "measure" in line)
    return [line["validation_loss"] for line in said if "validation_loss" in line], measured


KINDS: dict[str, tuple[Shape, Architecture, dict[str, Any]]] = {
    "cnn": (Shape.IMAGE_LABEL, Architecture.CNN, {"dropout": 0.1}),
    "gru": (Shape.TEXT_LABEL, Architecture.GRU, {"word_pairs": True, "word_dropout": 0.3, "balance_labels": True}),
    "lstm": (Shape.TEXT_LABELS, Architecture.LSTM, {"word_dropout": 0.2}),
    "transformer": (Shape.TEXT_NUMBER, Architecture.TRANSFORMER, {"l1": 0.001, "schedule": "plateau"}),
    "encoder for numbers": (Shape.TEXT_NUMBER, Architecture.ENCODER, {}),
    "frozen encoder": (Shape.TEXT_LABEL, Architecture.ENCODER, {"method": Method.FROZEN}),
    "encoder with an add-on": (Shape.TEXT_LABELS, Architecture.ENCODER, {"method": Method.LORA}),
    "factors": (Shape.RATINGS, Architecture.FACTORS, {}),
    "vae": (Shape.IMAGE_LABEL, Architecture.VAE, {"image_size": 28}),
    "spectrogram": (Shape.AUDIO_LABEL, Architecture.SPECTROGRAM, {"dropout": 0.1}),
    "sequence": (Shape.RATINGS, Architecture.SEQUENCE, {}),
    "backbone": (Shape.IMAGE_LABEL, Architecture.BACKBONE, {"image_size": 32}),
    "frozen backbone": (Shape.IMAGE_LABEL, Architecture.BACKBONE, {"image_size": 32, "method": Method.FROZEN}),
    "dpo": (Shape.PREFERENCE, Architecture.LANGUAGE_MODEL, {"method": Method.LORA}),
    "kto": (Shape.THUMBS, Architecture.LANGUAGE_MODEL, {}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_program_ends_where_the_run_ended(kind: str, tmp_path: Path) -> None:
    shape, architecture, fields = KINDS[kind]
    plan = plan_of(shape, architecture, tmp_path, **fields)
    expected, measure = trained(plan, tmp_path / "run")
    losses, measured = scripted(plan, tmp_path)
    assert len(losses) == len(expected) > 1
    assert losses == pytest.approx(expected, rel=CLOSE)
    assert measured == pytest.approx(measure, rel=CLOSE, abs=CLOSE)


def small_plan(tmp_path: Path) -> RunPlan:
    plan = plan_of(Shape.TEXT_LABEL, Architecture.GRU, tmp_path, word_pairs=True)
    return plan.model_copy(update={"name": "茶馆"})


def test_comments_are_in_the_active_language_and_names_as_they_are_written(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    english = run_script(Run(plan=plan), 1, "again.py")
    try:
        set_language("zh_CN")
        chinese = run_script(Run(plan=plan), 1, "again.py")
    finally:
        set_language("en")
    assert '"name": "茶馆"' in english
    assert "Cross-entropy of each row." in english
    assert "每行的交叉熵。" in chinese
    assert "Cross-entropy of each row." not in chinese
    compile(chinese, "again.py", "exec")


@pytest.mark.parametrize("told", [True, False])
def test_what_is_missing_is_said_in_a_sentence(told: bool, tmp_path: Path) -> None:
    plan = small_plan(tmp_path).model_copy(update={"fold": None if told else (1, 3)})
    file = tmp_path / "again.py"
    file.write_text(run_script(Run(plan=plan), 1, file.name), encoding="utf-8")
    # Neither this environment's packages nor the studio are seen.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(file)], capture_output=True, timeout=WAIT_S, cwd=tmp_path
    )
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "Traceback" not in said
    assert (
        "pip install polars tokenizers torch transformers" if told else "which this Python does not have"
    ) in said
