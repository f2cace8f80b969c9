"""A search and a K-fold with real trainers: tiny models from scratch, from the command line to their results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.paths import WorkspacePaths
from studio.worker.training import rows_of
from tests.process.test_cli import Said, studio

TINY = (
    "architecture=language_model", "method=scratch", "layers=1", "width=16", "heads=1", "vocabulary=300",
    "max_length=32", "batch_size=8", "epochs=1", "threads=1", "evals_per_epoch=2",
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    table = tmp_path / "questions.csv"
    rows = [f"Where is order {n}?,Order {n} was sent yesterday." for n in range(80)]
    table.write_text("\n".join(["question,answer", *rows]), encoding="utf-8")
    assert studio(folder, "import", str(table)).code == 0
    return folder


def tiny(*more: str) -> list[str]:
    return [word for each in (*TINY, *more) for word in ("--set", each)]


def plan_of(place: Path, run_id: str) -> RunPlan:
    return RunPlan.model_validate_json((WorkspacePaths(place).run(run_id) / "spec.json").read_bytes())


@pytest.mark.slow
def test_a_search_over_real_runs_finds_a_rate_and_never_looks_at_the_test_rows(place: Path) -> None:
    said = studio(
        place,
        "search",
        "start",
        *tiny(),
        "--over",
        "learning_rate=1e-6,1e-2",
        "--trials",
        "2",
        "--passes",
        "2",
    )
    assert said.code == 0, said.err
    found = said.data
    assert (found["state"], found["best"] is not None) == ("done", True)
    values = {trial["settings"]["learning_rate"]: trial["value"] for trial in found["trials"]}
    assert values[1e-2] < values[1e-6]
    for trial in found["trials"]:
        plan = plan_of(place, trial["run_id"])
        rows = rows_of(plan)
        assert list(rows(Split.TEST)) == []
        assert list(rows(Split.VALIDATION))
        folder = WorkspacePaths(place).run(trial["run_id"])
        events = [json.loads(line)["type"] for line in (folder / "events.jsonl").read_text().splitlines()]
        assert "compared" not in events
        assert "probe_answered" not in events
        assert (folder / "model").exists() is (trial["number"] == found["best"])
    best = studio(place, "search", "best").data
    assert best["settings"] == {"learning_rate": 1e-2}
    assert best["spec"]["epochs"] == 1.0
    assert studio(place, "runs", "list").data == {"runs": []}
    assert len(studio(place, "runs", "list", "--trials").data["runs"]) == 2


@pytest.mark.slow
def test_folds_are_trained_one_after_the_other_and_summed_up(place: Path) -> None:
    said = studio(place, "train", *tiny(), "--folds", "2")
    assert said.code == 0, said.err
    first, second = said.data["runs"]
    parts = [
        {row["row"] for row in rows_of(plan_of(place, run["run_id"]))(Split.VALIDATION)}
        for run in (first, second)
    ]
    assert parts[0]
    assert not parts[0] & parts[1]
    losses = [run["values"]["loss"] for run in (first, second)]
    spread = said.data["spreads"]["loss"]
    assert spread["mean"] == pytest.approx(sum(losses) / 2)
    assert spread["deviation"] == pytest.approx(abs(losses[0] - losses[1]) / 2**0.5)
    shown = studio(place, "runs", "folds", first["run_id"]).data
    assert shown["spreads"] == said.data["spreads"]


@pytest.mark.slow
def test_waiting_runs_are_moved_and_scheduled_from_the_command_line(place: Path) -> None:
    _queue_two(place)
    listed = studio(place, "runs", "queue", "list").data["queue"]
    names = [run["name"] for run in listed]
    assert studio(place, "runs", "queue", "move", names[1], "--to", "first").data["queue"] == [
        listed[1]["run_id"], listed[0]["run_id"],
    ]  # fmt: skip
    made = studio(place, "runs", "queue", "schedule", names[0], "--at", "03:00", "--until", "03:01").data
    assert made["schedule"]["start"].startswith("03:00")
    assert "03:00" in made["state"]
    refused = studio(place, "runs", "queue", "schedule", names[0], "--at", "noon")
    assert (refused.code, refused.data["error"]["code"]) == (2, "schedule.not_a_time")
    wrong = studio(place, "runs", "queue", "move", names[0], "--to", "0")
    assert (wrong.code, wrong.data["error"]["code"]) == (2, "option.invalid")


def _queue_two(place: Path) -> None:
    """Two runs in the queue, without a trainer: put there as a window would, which was then closed."""
    from studio.bootstrap import open_workspace
    from studio.domain.architectures import Method
    from studio.domain.specs import TrainSpec
    from studio.services.settings import SettingsService

    services = open_workspace(place, settings=SettingsService(place / "settings.json"))
    try:
        (dataset,) = services.datasets.list()
        for name in ("one", "two"):
            plan = services.runs.plan(None, dataset.id, None, TrainSpec(method=Method.SCRATCH), name)
            services.runs.enqueue(plan, None)
    finally:
        services.close()


def test_the_window_s_state_is_untouched_by_a_list(place: Path) -> None:
    _queue_two(place)
    before: Said = studio(place, "runs", "queue", "list")
    after: Said = studio(place, "runs", "queue", "list")
    assert before.data == after.data
    assert before.data["active"] == []
