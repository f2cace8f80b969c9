"""A run as a job on a Ray cluster: a real one, started here; it trains, and losing the connection loses nothing."""

# ruff: noqa: F811

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.domain.runs import Placement
from studio.protocol.commands import Stop
from studio.protocol.events import CheckpointSaved, Failed, Finished, Step
from studio.worker.training import read_plan
from tests.process.test_train_worker import Start, base, dataset, run_dir, start, stepped  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PORT = 6390


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster of one machine with two processors."""
    pytest.importorskip("ray", reason="the optional extra “cluster” is not installed")
    runs = tmp_path_factory.mktemp("there")
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "RAY_USAGE_STATS_ENABLED": "0",
        "STUDIO_CLUSTER_DIR": str(runs),
    }  # fmt: skip
    command = [*ray, "start", "--head", f"--port={PORT}", "--num-cpus=2", "--include-dashboard=true"]
    for _attempt in range(2):  # a busy machine may be too slow for Ray's own patience
        started = subprocess.run(command, capture_output=True, timeout=300, env=environment)
        if started.returncode == 0:
            break
        subprocess.run([*ray, "stop", "--force"], capture_output=True, timeout=120, env=environment)
    assert started.returncode == 0, started.stderr[-2000:].decode(errors="replace")
    yield f"127.0.0.1:{PORT}"
    subprocess.run([*ray, "stop", "--force"], capture_output=True, timeout=120, env=environment)


def there(folder: Path, address: str) -> Path:
    plan = read_plan(folder).model_copy(update={"placement": Placement(kind="ray", address=address)})
    (folder / "spec.json").write_text(plan.model_dump_json(), encoding="utf-8")
    return folder


def test_a_run_on_a_cluster_comes_back_as_if_it_were_here(
    start: Start,
    base: Path,
    dataset: Path,
    tmp_path: Path,
    cluster: str,
) -> None:
    trainer = start(there(run_dir(tmp_path / "run", base, dataset, evals_per_epoch=4), cluster))
    trainer.process.wait(600)
    finished = trainer.finish()
    assert isinstance(finished, Finished), trainer.last_words()
    events = trainer.events()
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    steps = [e.step for e in events if isinstance(e, Step)]
    assert steps == sorted(set(steps))
    assert (tmp_path / "run" / "model" / "adapter_model.safetensors").stat().st_size > 0
    kept = {e.path for e in events if isinstance(e, CheckpointSaved)}
    here = {f"checkpoints/{p.name}" for p in (tmp_path / "run" / "checkpoints").glob("ckpt-*")}
    assert here
    assert here <= kept


def test_a_killed_watcher_finds_the_run_again_and_commands_arrive(
    start: Start,
    base: Path,
    dataset: Path,
    tmp_path: Path,
    cluster: str,
) -> None:
    folder = there(run_dir(tmp_path / "run", base, dataset, epochs=100, evals_per_epoch=0.2), cluster)
    first = start(folder)
    first.until(stepped(3), 300)
    job = json.loads((folder / "cluster" / "job.json").read_text())["job"]
    first.process.kill()
    first.process.wait(60)
    second = start(folder)
    known = len(first.events())
    second.until(lambda events: len(events) > known + 5, 300)
    assert json.loads((folder / "cluster" / "job.json").read_text())["job"] == job
    second.say(Stop())
    second.process.wait(600)
    finished = second.finish()
    assert isinstance(finished, Finished), second.last_words()
    assert finished.result["stop_reason"] == "stopped"
    mirror = (folder / "cluster" / job / "events.jsonl").read_bytes().splitlines()
    there_steps = [json.loads(line)["step"] for line in mirror if b'"type":"step"' in line]
    here_steps = [e.step for e in second.events() if isinstance(e, Step)]
    assert list(dict.fromkeys(here_steps)) == there_steps


def test_an_address_where_nobody_answers_is_explained(
    start: Start,
    base: Path,
    dataset: Path,
    tmp_path: Path,
    cluster: str,
) -> None:
    trainer = start(there(run_dir(tmp_path / "run", base, dataset), "127.0.0.1:6399"))
    trainer.process.wait(300)
    failed = trainer.finish()
    assert isinstance(failed, Failed)
    assert failed.code == "cluster.unreachable"
