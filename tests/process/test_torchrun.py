"""One run shared by two processes: the losses of one process at the same batch, and resumable."""

# ruff: noqa: F811

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.domain.runs import Placement
from studio.engine import checkpoint
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


TORCHRUN = ["torch.distributed.run", "--nproc_per_node=2", "--master_port=0", "--standalone"]
# With --cpu it would start one process, or several by mpirun; its launcher for several GPUs is torch's, on any device.
ACCELERATE = [
    "accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no",
    "--dynamo_backend=no", "--num_cpu_threads_per_process=1",
]  # fmt: skip


def launch(folder: Path, launcher: list[str], work: Path) -> None:
    """Train the run of the folder by two processes. work: for accelerate's settings, of which there are none."""
    command = [sys.executable, "-m", *launcher]
    if launcher is ACCELERATE:
        command.append(f"--main_process_port={free_port()}")
    own = {"OMP_NUM_THREADS": "1", "HF_HOME": str(work)}
    done = subprocess.run(
        [*command, "-m", "studio", "worker", "train", str(folder)], capture_output=True, timeout=WAIT_S,
        env={**os.environ, **own},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")


def losses(folder: Path) -> list[float | None]:
    return [e.loss for e in events(folder) if isinstance(e, Evaluated)]


def processes(folder: Path) -> str:
    """How many made the newest checkpoint, as it says itself."""
    newest = checkpoint.valid_checkpoints(folder / "checkpoints")[0]
    return checkpoint.load(newest).position.fingerprint["processes"]


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


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.mark.slow
def test_accelerate_launch_with_two_processes_learns_what_one_does(
    base: Path, dataset: Path, tmp_path: Path, alone: Path
) -> None:
    folder = run_dir(tmp_path / "run", base, dataset, **PLAIN)
    launch(folder, ACCELERATE, tmp_path)
    assert processes(folder) == "2"
    assert_same(folder, alone)


@pytest.mark.slow
def test_torchrun_with_two_processes_learns_what_one_does_and_resumes(
    base: Path,
    dataset: Path,
    tmp_path: Path,
    alone: Path,
) -> None:
    folder = run_dir(tmp_path / "run", base, dataset, **PLAIN)
    launch(folder, TORCHRUN, tmp_path)
    assert processes(folder) == "2"
    assert_same(folder, alone)
    broken = run_dir(tmp_path / "broken", base, dataset, **PLAIN)
    first = next(e.step for e in events(folder) if isinstance(e, CheckpointSaved))
    kept = sorted((folder / "checkpoints").glob("ckpt-*"))[0]
    shutil.copytree(kept, broken / "checkpoints" / kept.name)
    launch(broken, TORCHRUN, tmp_path)
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
