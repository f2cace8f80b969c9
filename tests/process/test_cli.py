"""The command line as a person uses it: processes of its own, a real tiny model, Ctrl+C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from studio import bootstrap
from studio.cli.app import main
from studio.paths import default_base_model_dir
from studio.services.children import spawn_detached
from tests.helpers.tiny_model import write_tiny_model

ROOT = Path(__file__).resolve().parents[2]
FAKE_TRAINER = ROOT / "tests" / "helpers" / "fake_trainer.py"
TIMEOUT_S = 240
ROWS = 40


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Forty good rows and one without an answer."""
    lines = ["question,answer", *(f"Where is order {n}?,Order {n} was sent yesterday." for n in range(ROWS))]
    path = tmp_path / "问题.csv"
    path.write_text("\n".join([*lines, "And this one?,"]), encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


def start(place: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "studio", *arguments, "--workspace", str(place), "--json"], cwd=ROOT, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "STUDIO_LANGUAGE": "en"},
    )  # fmt: skip


def studio(place: Path, *arguments: str) -> Said:
    process = start(place, *arguments)
    out, err = process.communicate(timeout=TIMEOUT_S)
    return Said(process.returncode, out, err)


def children_of_tests() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.slow
def test_journey_with_a_tiny_model(place: Path, questions: Path) -> None:
    write_tiny_model(default_base_model_dir())
    imported = studio(place, "import", str(questions), "--map", "prompt=question", "--map", "response=answer")
    assert (imported.code, imported.data["rows"], imported.data["rejected"]) == (0, ROWS, 1), imported.err
    assert imported.data["rejected_examples"][0]["row"] == ROWS + 1
    assert "Imported 40 rows" in imported.err

    trained = studio(
        place, "train", "--preset", "quick", "--max-steps", "3", "--name", "First", "--threads", "1"
    )
    assert trained.code == 0, trained.err
    summary, verdict = trained.data["summary"], trained.data["verdict"]
    assert (trained.data["state"], summary["steps"]) == ("done", 3)
    splits = imported.data["splits"]
    assert verdict["rows"] == splits["validation"] + splits["test"]  # the test rows alone would be too few
    assert summary["tuned_value"] == pytest.approx(verdict["tuned_value"])
    assert verdict["sentence"] in trained.err
    assert "Step 3 of 3" in trained.err

    listed = studio(place, "runs", "list")
    assert [run["run_id"] for run in listed.data["runs"]] == [trained.data["run_id"]]
    shown = studio(place, "runs", "show", "First")
    assert shown.data["evaluations"][0]["step"] == 0
    assert shown.data["verdict"] == verdict

    question = (
        "chat",
        "--run",
        "First",
        "--once",
        "Where is order 3?",
        "--max-new-tokens",
        "8",
        "--seed",
        "1",
    )
    answer = studio(place, *question)
    assert answer.code == 0, answer.err
    assert 1 <= answer.data["tokens"] <= 8
    assert answer.data["first_token_s"] > 0
    assert answer.data["answer"] in answer.err
    assert studio(place, *question).data["answer"] == answer.data["answer"]

    table = place / "metrics.csv"
    assert studio(place, "runs", "export", "First", "--out", str(table)).code == 0
    steps = [
        line.split(",")[1]
        for line in table.read_text(encoding="utf-8-sig").splitlines()
        if line[:5] == "step,"
    ]
    assert (steps[0], steps[-1]) == ("1", "3")
    script = place / "again.py"
    assert studio(place, "runs", "script", "First", "--out", str(script)).code == 0
    compile(script.read_text(encoding="utf-8"), script.name, "exec")
    page = studio(place, "data", "show", "--rows", "2")
    assert [row["prompt"] for row in page.data["first_rows"]] == ["Where is order 0?", "Where is order 1?"]


@pytest.mark.slow
def test_first_ctrl_c_stops_and_keeps(place: Path, questions: Path) -> None:
    assert studio(place, "import", str(questions)).code == 0
    process = start(
        place, "train", "--method", "scratch", "--layers", "1", "--heads", "2", "--width", "32", "--vocabulary", "300",
        "--epochs", "100", "--evals-per-epoch", "0.1", "--early-stopping", "0", "--batch-size", "1", "--threads", "1",
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stdout is not None
    heard: list[str] = []
    for line in process.stderr:
        heard.append(line)
        if line.startswith("Step 1 of"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    data = json.loads(out.splitlines()[-1])
    assert process.returncode == 130, "".join(heard) + err
    assert (data["state"], data["summary"]["stop_reason"]) == ("done", "stopped")
    assert data["summary"]["steps"] < data["total_steps"]
    assert (Path(data["folder"]) / data["summary"]["model_path"]).is_dir()
    assert data["verdict"]["kind"] == "no_base"


# From here on in this process, with a trainer that needs no torch.

Trainer = Callable[[str], None]


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch, place: Path, questions: Path) -> Trainer:
    """``trainer("finish")``: from now on runs are carried out by the fake trainer with this plan."""
    assert main(["import", str(questions), "--workspace", str(place), "--json"]) == 0

    def use(plan: str) -> None:
        command = lambda *args: [sys.executable, str(FAKE_TRAINER), plan, *args]  # noqa: E731
        monkeypatch.setattr(bootstrap, "spawn_detached", partial(spawn_detached, command=command))

    return use


@pytest.fixture
def call(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = main([*arguments, "--workspace", str(place), "--json"])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


Call = Callable[..., Said]
TRAIN = ("train", "--method", "scratch")


def test_crashed_trainer_can_be_resumed(trainer: Trainer, call: Call) -> None:
    trainer("die")
    crashed = call(*TRAIN)
    assert (crashed.code, crashed.data["state"]) == (1, "interrupted")
    assert f"studio runs resume {crashed.data['run_id']}" in crashed.err
    trainer("finish")
    resumed = call("runs", "resume", "newest")
    assert (resumed.code, resumed.data["state"]) == (0, "done")
    assert resumed.data["verdict"]["kind"] == "better"
    refused = call("runs", "stop", "newest")
    assert (refused.code, refused.data["error"]["code"]) == (2, "run.not_active")


def test_detached_run_goes_on_and_hears_the_next_command(trainer: Trainer, call: Call) -> None:
    trainer("hang")
    started = call(*TRAIN, "--detach", "--name", "Alone")
    assert (started.code, started.data["state"]) == (0, "running")
    shown = call("runs", "show", "Alone")
    assert shown.data["state"] == "running"
    assert call("runs", "stop", "Alone").code == 0
    for _attempt in range(100):
        if call("runs", "show", "Alone").data["state"] == "done":
            break
        threading.Event().wait(0.1)
    assert call("runs", "show", "Alone").data["summary"]["steps"] == 5


def test_one_check_is_marked_as_the_best(trainer: Trainer, call: Call) -> None:
    trainer("learn")  # each check is better than the one before
    assert call(*TRAIN).code == 0
    shown = call("runs", "show")
    assert [check["is_best"] for check in shown.data["evaluations"]] == [False, False, False, True]
    assert shown.err.count("★") == 1


def test_a_run_says_where_it_is_computed(trainer: Trainer, call: Call) -> None:
    trainer("finish")
    refused = call(*TRAIN, "--cluster", "somewhere")
    assert (refused.code, refused.data["error"]["code"]) == (2, "placement.no_address")
    done = call(*TRAIN, "--processes", "2")
    assert done.code == 0
    assert (done.data["placement"]["kind"], done.data["placement"]["processes"]) == ("processes", 2)


def test_second_run_waits_for_a_detached_one(trainer: Trainer, call: Call) -> None:
    trainer("hang")
    first = call(*TRAIN, "--detach")
    second = call(*TRAIN, "--detach")
    assert (second.code, second.data["state"]) == (0, "queued")
    assert "waits" in second.err
    assert call("runs", "cancel", second.data["run_id"]).data["state"] == "cancelled"
    assert call("runs", "cancel", first.data["run_id"]).data["state"] == "cancelled"
    assert call("runs", "list").data["runs"][0]["state"] == "cancelled"


def test_deaf_trainer_is_ended_by_force(
    trainer: Trainer, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.services.run_watch.CANCEL_GRACE_S", 0.3)
    trainer("deaf")
    before = children_of_tests()
    run = call(*TRAIN, "--detach")
    cancelled = call("runs", "cancel", run.data["run_id"])
    assert (cancelled.code, cancelled.data["state"]) == (0, "cancelled")
    assert not {pid for pid in children_of_tests() - before if psutil.Process(pid).status() != "zombie"}


def test_second_ctrl_c_cancels(
    trainer: Trainer, call: Call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.services.run_watch.CANCEL_GRACE_S", 0.3)
    trainer("deaf")  # it does not hear the first, so the second matters
    noticed = threading.Event()

    def press_twice() -> None:
        run_dirs = place / "runs"
        while not list(run_dirs.glob("*/events.jsonl")):
            noticed.wait(0.05)
        signal.raise_signal(signal.SIGINT)
        noticed.wait(0.5)
        signal.raise_signal(signal.SIGINT)

    presser = threading.Thread(target=press_twice)
    presser.start()
    said = call(*TRAIN)
    presser.join()
    assert (said.code, said.data["state"]) == (130, "cancelled")
    assert "Ctrl+C again" in said.err


def test_command_reaches_a_run_of_the_window(trainer: Trainer, call: Call, place: Path) -> None:
    from studio.paths import settings_file
    from studio.services.settings import SettingsService

    trainer("hang")
    run = call(*TRAIN, "--detach").data
    window = bootstrap.open_workspace(place, settings=SettingsService(settings_file()))
    try:
        assert call(*TRAIN).data["error"]["code"] == "workspace.in_use"
        assert call("runs", "stop", run["run_id"]).code == 0
        for _attempt in range(100):
            window.runs.poll()
            if window.runs.get(run["run_id"]).state == "done":
                break
            threading.Event().wait(0.1)
        assert call("runs", "show").data["state"] == "done"
    finally:
        window.close()


def test_reader_that_left_is_no_failure(place: Path) -> None:
    with start(place, "matrix", "list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=TIMEOUT_S) == 0
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
