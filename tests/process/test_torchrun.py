"""One run shared by two processes: the losses of one process at the same batch, and resumable."""

# ruff: noqa: F811

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.domain.runs import Placement
from studio.protocol.codec import decode_event
from studio.protocol.events import CheckpointSaved, Evaluated, Event, Failed, Finished, Resumed, Step
from studio.worker.training import read_plan
from tests.process.test_train_worker import Start, base, dataset, run_dir, start  # noqa: F401 (fixtures)

SAME = 1e-4  # nats and weights: the same sums in another order, over 24 updates
WAIT_S = 240
# No dropout, since each process draws its own; SGD, since Adam makes whole steps of rounding errors in tiny gradients.
PLAIN = {"lora_dropout": 0.0, "evals_per_epoch": 2, "optimizer": "sgd", "learning_rate": 0.05}


def events(folder: Path) -> list[Event]:
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(decode_event, lines) if event is not None]


def by_torchrun(folder: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=0", "--standalone",
        "-m", "studio", "worker", "train", str(folder),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, timeout=WAIT_S, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")


def losses(folder: Path) -> list[float | None]:
    return [e.loss for e in events(folder) if isinstance(e, Evaluated)]


def final(folder: Path) -> Event:
    return events(folder)[-1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, base: Path, dataset: Path) -> Path:
    """The folder of the run by one process."""
    folder = run_dir(tmp_path_factory.mktemp("alone") / "run", base, dataset, **PLAIN)
    subprocess.run([sys.executable, "-m", "studio", "worker", "train", str(folder)], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL, timeout=WAIT_S)  # fmt: skip
    return folder


def assert_same(folder: Path, alone: Path) -> None:
    last = final(folder)
    assert isinstance(last, Finished), last
    assert losses(folder) == pytest.approx(losses(alone), abs=SAME)
    expected = load_file(str(alone / "model" / "adapter_model.safetensors"))
    got = load_file(str(folder / "model" / "adapter_model.safetensors"))
    assert all(torch.allclose(got[name], expected[name], atol=SAME) for name in expected)
    only = events(folder)
    assert [e.seq for e in only] == list(range(1, len(only) + 1))  # one of them speaks


@pytest.mark.slow
def test_torchrun_with_two_processes_learns_what_one_does_and_resumes(
    base: Path,
    dataset: Path,
    tmp_path: Path,
    alone: Path,
) -> None:
    folder = run_dir(tmp_path / "run", base, dataset, **PLAIN)
    by_torchrun(folder)
    assert_same(folder, alone)
    broken = run_dir(tmp_path / "broken", base, dataset, **PLAIN)
    first = next(e.step for e in events(folder) if isinstance(e, CheckpointSaved))
    kept = sorted((folder / "checkpoints").glob("ckpt-*"))[0]
    shutil.copytree(kept, broken / "checkpoints" / kept.name)
    by_torchrun(broken)
    (resumed,) = (e for e in events(broken) if isinstance(e, Resumed))
    assert (resumed.exact, resumed.step) == (True, int(kept.name.split("-")[1]))
    assert resumed.step >= first
    assert min(e.step for e in events(broken) if isinstance(e, Step)) > resumed.step
    expected = load_file(str(folder / "model" / "adapter_model.safetensors"))
    got = load_file(str(broken / "model" / "adapter_model.safetensors"))
    assert {k: v.tolist() for k, v in got.items()} == {k: v.tolist() for k, v in expected.items()}


def placed(folder: Path, processes: int) -> Path:
    plan = read_plan(folder)
    placement = Placement(kind="processes", processes=processes)
    changed = plan.model_copy(update={"placement": placement})
    (folder / "spec.json").write_text(changed.model_dump_json(), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_the_plan_asks_for_two_processes(
    start: Start,
    base: Path,
    dataset: Path,
    tmp_path: Path,
    alone: Path,
) -> None:
    folder = placed(run_dir(tmp_path / "run", base, dataset, **PLAIN), 2)
    assert isinstance(start(folder).finish(), Finished)
    assert_same(folder, alone)


def test_a_loss_that_is_no_number_is_told_by_the_leader(
    start: Start,
    base: Path,
    dataset: Path,
    tmp_path: Path,
) -> None:
    broken = shutil.copytree(base, tmp_path / "broken")
    weights = load_file(str(broken / "model.safetensors"))
    weights[min(weights)].view(-1)[0] = float("nan")
    save_file(weights, str(broken / "model.safetensors"), {"format": "pt"})
    folder = placed(run_dir(tmp_path / "run", broken, dataset, method="full"), 2)
    failed = start(folder).finish()
    assert isinstance(failed, Failed)
    assert failed.code == "run.diverged"
