"""Runs from the queue to the verdict, with real (small) child processes and a real database."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from studio.domain.architectures import Method
from studio.domain.basemodels import BaseModelInfo, BaseSource
from studio.domain.products import Task
from studio.domain.runs import FitEstimate, RunState
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.domain.values import Basis
from studio.domain.verdicts import VerdictKind
from studio.errors import ResourceError, StudioError
from studio.protocol.events import Compared, Estimated, Event, Finished, Started
from studio.services import run_space
from studio.services.changes import Changes
from studio.services.matrices import MatrixService
from studio.services.run_watch import CANCEL_GRACE_S
from tests.helpers import builders
from tests.helpers.model_folders import write_model
from tests.unit.services.conftest import Studio

ESTIMATE = FitEstimate(
    ready=True, steps=1, trained_tokens=1, real_tokens=1, rows=1, rows_cut=0, parameters=1, trainable=1,
    seconds_low=1, seconds=1, seconds_high=1, memory_bytes=1, memory_available_bytes=1, disk_bytes=10**18,
    disk_free_bytes=1, tokens_per_s=1, device="cpu", dtype="float32",
)  # fmt: skip


def test_a_run_goes_from_the_queue_to_its_verdict(studio: Studio) -> None:
    run = studio.queued()
    assert studio.runs.queue() == [run]
    done = studio.wait(run.id, RunState.DONE)
    assert (done.step, done.total_steps, done.attempt) == (5, 5, 1)
    assert done.summary is not None
    assert [step.step for step in studio.runs.steps(run.id)] == [1, 2, 3, 4, 5]
    assert [e.step for e in studio.runs.evals(run.id)] == [5]
    verdict = studio.runs.verdict(run.id)
    assert verdict is not None
    assert verdict.kind is VerdictKind.BETTER
    assert [d.what for d in studio.decisions.list(f"run:{run.id}")] == ["verdict:better"]
    spec = json.loads((studio.paths.run(run.id) / "spec.json").read_text())
    assert spec["run_id"] == run.id
    assert "noise" in studio.runs.error_details(run.id)
    assert any(Changes.RUN_METRICS in changes for changes in studio.heard)


def test_an_ended_run_is_not_taken_up_again(studio: Studio) -> None:
    run = studio.wait(studio.queued().id, RunState.DONE)
    with pytest.raises(StudioError) as caught:
        studio.runs.resume_interrupted(run.id)
    assert caught.value.code == "run.ended"
    assert studio.runs.get(run.id).state is RunState.DONE


def test_new_events_are_handed_on_for_display(studio: Studio) -> None:
    run = studio.queued()
    heard: list[Event] = []
    while studio.runs.get(run.id).state is not RunState.DONE:
        for run_id, events in studio.runs.poll():
            assert run_id == run.id
            heard += events
        time.sleep(0.02)
    assert isinstance(heard[0], Started)
    assert [event.seq for event in heard] == list(range(1, len(heard) + 1))
    assert isinstance(heard[-1], Finished)
    assert sum(isinstance(event, Compared) for event in heard) == 1


def test_the_next_run_starts_when_the_first_is_done(studio: Studio) -> None:
    first, second = studio.queued("first"), studio.queued("second")
    studio.runs.start_next()
    assert studio.runs.start_next() is None
    assert [run.id for run in studio.runs.active()] == [first.id]
    studio.wait(second.id, RunState.DONE)
    assert studio.runs.get(first.id).state is RunState.DONE


def test_of_two_starts_at_once_one_wins(studio: Studio) -> None:
    studio.trainer = "hang"
    studio.queued()
    studio.queued()
    barrier = threading.Barrier(2)
    started: list[object] = []

    def start() -> None:
        barrier.wait(10)
        started.append(studio.runs.start_next())

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len([run for run in started if run is not None]) == 1
    assert len(studio.runs.active()) == 1


def test_a_trainer_without_a_last_word_is_interrupted_and_goes_on_when_asked(studio: Studio) -> None:
    studio.trainer = "die"
    run = studio.wait(studio.queued().id, RunState.INTERRUPTED)
    assert "exit code 3" in run.error_message
    assert [step.step for step in studio.runs.steps(run.id)] == [1, 2, 3]
    studio.trainer = "finish"
    studio.runs.resume_interrupted(run.id)
    done = studio.wait(run.id, RunState.DONE)
    assert done.attempt == 2
    assert done.error_message == ""
    assert [step.step for step in studio.runs.steps(run.id)] == [1, 2, 3, 4, 5]


def test_a_killed_trainer_is_said_to_have_been_ended(studio: Studio) -> None:
    studio.trainer = "sigkill"
    run = studio.wait(studio.queued().id, RunState.INTERRUPTED)
    assert "SIGKILL" in run.error_message
    assert run.error_code == "run.interrupted"


def test_stop_keeps_the_model_and_cancel_drops_it(studio: Studio) -> None:
    studio.trainer = "hang"
    first, second = studio.queued(), studio.queued()
    studio.wait(first.id, RunState.RUNNING)
    studio.runs.stop(first.id)
    assert studio.wait(first.id, RunState.DONE).summary is not None
    studio.wait(second.id, RunState.RUNNING)
    studio.runs.cancel(second.id)
    assert studio.wait(second.id, RunState.CANCELLED).summary is None


def test_a_waiting_run_leaves_the_queue_at_once(studio: Studio) -> None:
    run = studio.queued()
    studio.runs.cancel(run.id)
    assert studio.runs.queue() == []
    assert studio.runs.get(run.id).state is RunState.CANCELLED
    with pytest.raises(StudioError) as caught:
        studio.runs.pause(run.id)
    assert caught.value.code == "run.not_active"


def test_a_stopped_process_is_woken_to_hear_stop(studio: Studio) -> None:
    studio.trainer = "hang"
    run = studio.wait(studio.queued().id, RunState.RUNNING)
    while studio.runs.get(run.id).step < 3:
        studio.runs.poll()
    worker = studio.watch.worker(run.id)
    assert worker is not None
    worker.send_signal(signal.SIGSTOP)
    studio.runs.stop(run.id)
    studio.wait(run.id, RunState.DONE, timeout_s=5)


def test_a_deaf_trainer_is_ended_by_force_when_cancelled(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CANCEL_GRACE_S <= 10
    monkeypatch.setattr("studio.services.run_watch.CANCEL_GRACE_S", 0.2)
    studio.trainer = "deaf"
    run = studio.wait(studio.queued().id, RunState.RUNNING)
    checkpoint = studio.paths.run(run.id) / "checkpoints" / "ckpt-1"
    checkpoint.mkdir(parents=True)
    studio.runs.cancel(run.id)
    studio.wait(run.id, RunState.CANCELLED, timeout_s=10)
    assert not checkpoint.parent.exists()


def test_a_window_that_closes_leaves_the_trainer_and_the_next_one_finds_it(
    studio: Studio, tmp_path: Path
) -> None:
    studio.trainer = "hang"
    run = studio.wait(studio.queued().id, RunState.RUNNING)
    while studio.runs.get(run.id).step < 3:
        studio.runs.poll()
    pid = studio.runs.get(run.id).pid
    studio.close()
    again = Studio(studio.root)
    try:
        assert [found.id for found in again.runs.recover()] == [run.id]
        assert again.runs.get(run.id).state is RunState.RUNNING
        assert again.runs.get(run.id).pid == pid
        again.runs.stop(run.id)
        again.wait(run.id, RunState.DONE)
        assert [step.step for step in again.runs.steps(run.id)] == [1, 2, 3]
    finally:
        again.close()


def test_a_run_whose_process_died_with_the_window_is_replayed_and_interrupted(studio: Studio) -> None:
    studio.trainer = "hang"
    run = studio.queued()
    studio.runs.start_next()
    events = studio.paths.run(run.id) / "events.jsonl"
    worker = studio.watch.worker(run.id)
    assert worker is not None
    while not events.exists() or '"step":3' not in events.read_text().replace(" ", ""):
        time.sleep(0.02)
    worker.kill()
    worker.wait(10)
    studio.database.close()  # the window is killed too: nothing of the events was stored
    again = Studio(studio.root)
    try:
        began = time.monotonic()
        again.runs.recover()
        assert time.monotonic() - began < 5
        assert again.runs.get(run.id).state is RunState.INTERRUPTED
        assert [step.step for step in again.runs.steps(run.id)] == [1, 2, 3]
    finally:
        again.close()


def test_a_process_file_that_names_a_stranger_is_never_signalled(studio: Studio) -> None:
    run = studio.queued()
    stranger = psutil.Process()
    claimed = studio.repository.claim_next(run.created_at)
    assert claimed is not None
    studio.repository.save(replace(claimed, pid=stranger.pid, pid_started_at=stranger.create_time() - 3600))
    folder = studio.paths.run(run.id)
    folder.mkdir(parents=True)
    identity = {"pid": os.getpid(), "pid_started_at": stranger.create_time() - 3600, "token": "x"}
    (folder / "worker.json").write_text(json.dumps(identity))
    studio.runs.recover()
    assert studio.runs.get(run.id).state is RunState.INTERRUPTED
    studio.runs.cancel(run.id)
    assert studio.runs.get(run.id).state is RunState.CANCELLED


def test_events_lost_in_a_power_cut_do_not_hide_those_of_the_next_attempt(studio: Studio) -> None:
    studio.trainer = "die"
    run = studio.wait(studio.queued().id, RunState.INTERRUPTED)
    events = studio.paths.run(run.id) / "events.jsonl"
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:2]))  # of 4 in the database
    studio.trainer = "finish"
    studio.runs.resume_interrupted(run.id)
    studio.wait(run.id, RunState.DONE)
    assert [step.step for step in studio.runs.steps(run.id)] == [1, 2, 3, 4, 5]


def test_a_store_that_refuses_for_a_while_loses_nothing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = studio.queued()
    apply = studio.repository.apply
    refusals = iter([True] * 5)

    def sometimes(update: object) -> None:
        if next(refusals, False):
            raise StudioError("store.locked", "busy")
        apply(update)  # type: ignore[arg-type]

    monkeypatch.setattr(studio.repository, "apply", sometimes)
    monkeypatch.setattr("studio.services.run_watch.APPLY_EVERY_S", 0.02)
    studio.wait(run.id, RunState.DONE)
    assert [step.step for step in studio.runs.steps(run.id)] == [1, 2, 3, 4, 5]
    assert next(refusals, False) is False


def test_no_disk_is_refused_before_the_queue_and_before_the_start(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = studio.plan()
    with pytest.raises(ResourceError) as caught:
        studio.runs.enqueue(plan, None, ESTIMATE)
    assert caught.value.code == "run.no_disk"
    run = studio.runs.enqueue(plan, None)
    monkeypatch.setattr("studio.services.run_space.RESERVE", 10**12)
    failed = studio.runs.start_next()
    assert failed is not None
    assert (failed.id, failed.state, failed.error_code) == (run.id, RunState.FAILED, "run.no_disk")
    assert studio.runs.active() == []


def test_a_trainer_that_cannot_be_started_is_a_failed_run(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(args: list[str], run_dir: Path) -> None:
        raise PermissionError("no")

    run = studio.queued()
    monkeypatch.setattr(studio.watch, "_spawn", refuse)
    studio.wait(run.id, RunState.FAILED)
    assert studio.runs.get(run.id).error_code == "run.not_started"


def test_the_estimate_decides_the_space_when_there_is_one() -> None:
    data = builders.dataset()
    plan = builders.plan(data, spec=TrainSpec(method=Method.FULL))
    assert run_space.needed_bytes(plan, ESTIMATE, 5) == 10**18
    full = run_space.needed_bytes(plan, None, 134_515_008)
    lora = run_space.needed_bytes(builders.plan(data), None, 134_515_008)
    assert full == 134_515_008 * 4 * 4
    assert lora < full / 10


def test_plans_are_checked(studio: Studio, tmp_path: Path) -> None:
    data = studio.data()
    base = BaseModelInfo(
        id="b", name="B", path=str(write_model(tmp_path / "b")), source=BaseSource.FOLDER, architecture="L",
        parameters=24, size_bytes=96,
    )  # fmt: skip
    plan = studio.runs.plan(None, data.id, base, TrainSpec())
    assert (plan.base_dir, plan.base_name, plan.name) == (base.path, "B", "Questions · B")
    assert plan.dataset_dir == str(studio.paths.dataset(data.id))
    assert plan.probes == ["q1", "q3", "q5", "q7"]
    for dataset_id, chosen, code in (
        ("none", base, "dataset.unknown"), (data.id, None, "run.no_base"),
        (data.id, base.model_copy(update={"path": "/nowhere"}), "model.files_gone"),
    ):  # fmt: skip
        with pytest.raises(StudioError) as caught:
            studio.runs.plan(None, dataset_id, chosen, TrainSpec())
        assert caught.value.code == code
    with pytest.raises(StudioError) as caught:
        studio.runs.plan("no-product", data.id, base, TrainSpec())
    assert caught.value.code == "product.unknown"
    (studio.paths.dataset(data.id) / "rows.parquet").unlink()
    with pytest.raises(StudioError) as caught:
        studio.runs.plan(None, data.id, base, TrainSpec())
    assert caught.value.code == "dataset.files_gone"


def test_the_fit_check_uses_a_folder_of_its_own_and_leaves_nothing(studio: Studio) -> None:
    plan = studio.plan()
    studio.jobs.events = [Estimated(estimate=ESTIMATE.model_dump())]
    found = studio.runs.check(plan)
    assert found.energy_kwh_high == pytest.approx(ESTIMATE.seconds_high * 0.36 / 3600)
    assert found.energy_kwh_low == pytest.approx(ESTIMATE.seconds_low * 0.36 / 3600)
    assert found.model_copy(update={"energy_kwh_low": 0.0, "energy_kwh_high": 0.0}) == ESTIMATE
    args, _payload = studio.jobs.asked[0]
    assert args[0] == "estimate"
    assert not Path(args[1]).exists()
    studio.jobs.events = []
    with pytest.raises(StudioError) as caught:
        studio.runs.check(plan)
    assert caught.value.code == "run.no_estimate"


def test_what_a_finished_run_is_good_for(studio: Studio, tmp_path: Path) -> None:
    run = studio.wait(studio.queued().id, RunState.DONE)
    target = studio.runs.chat_target(run.id)
    assert (target.base_dir, target.adapter_dir) == (str(studio.paths.run(run.id) / "model"), None)
    lora = replace(
        run, plan=run.plan.model_copy(update={"run_id": "lora", "base_dir": "/b", "spec": TrainSpec()})
    )
    studio.repository.add(lora)
    (studio.paths.run("lora") / "model").mkdir(parents=True)
    target = studio.runs.chat_target("lora")
    assert (target.base_dir, target.adapter_dir) == ("/b", str(studio.paths.run("lora") / "model"))
    path = studio.runs.export_metrics_csv(run.id, tmp_path / "metrics.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["step"] * 5 + ["evaluation"]
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5", "5"]
    assert rows[0]["loss"] == "1.9"


def test_a_run_without_a_model_cannot_be_talked_to(studio: Studio) -> None:
    run = studio.queued()
    with pytest.raises(StudioError) as caught:
        studio.runs.chat_target(run.id)
    assert caught.value.code == "run.no_model"
    assert studio.runs.run_cost(run) is None


def test_costs_are_measured_hours_at_assumed_prices(studio: Studio) -> None:
    service = MatrixService(
        studio.matrices, studio.datasets, studio.repository, studio.settings, studio.changes
    )
    matrix = service.create("M", "Core", currency="EUR")
    core = matrix.core
    assert core is not None
    studio.settings.update(
        hardware_price=7300, hardware_life_months=10, power_kw=1, tariff_per_kwh=2
    )  # 1 + 2 an hour
    run = studio.runs.enqueue(studio.plan(), core.id)
    done = studio.wait(run.id, RunState.DONE)  # 3600 s; answers of 20 tokens at 10 tokens/s
    cost = studio.runs.run_cost(done)
    assert cost is not None
    assert (cost.amount, cost.unit, cost.basis, cost.source) == (3.0, "EUR", Basis.ASSUMED, f"run:{run.id}")
    row = service.overview(matrix.id)[0]
    assert row.latest_run == done
    assert row.verdict == studio.runs.verdict(run.id)
    assert row.training_cost == cost
    assert row.cost_per_1k_answers is not None
    assert row.cost_per_1k_answers.amount == pytest.approx(3.0 * 2000 / 3600)  # 1,000 answers of 2 s each


def test_runs_are_renamed_and_put_in_the_bin(studio: Studio) -> None:
    run = studio.queued()
    with pytest.raises(StudioError) as caught:
        studio.runs.delete(run.id)
    assert caught.value.code == "run.under_way"
    studio.runs.rename(run.id, "  Better name ")
    done = studio.wait(run.id, RunState.DONE)
    assert done.name == "Better name"
    studio.runs.delete(run.id)
    assert (studio.runs.list(), studio.runs.count()) == ([], 0)
    studio.runs.restore(run.id)
    assert [found.id for found in studio.runs.list()] == [run.id]
    with pytest.raises(StudioError):
        studio.runs.rename(run.id, " ")


def test_a_run_belongs_to_its_product(studio: Studio) -> None:
    service = MatrixService(
        studio.matrices, studio.datasets, studio.repository, studio.settings, studio.changes
    )
    product = service.create("M", "P").core
    assert product is not None
    run = studio.runs.enqueue(studio.plan(), product.id)
    other = studio.queued()
    assert [found.id for found in studio.runs.list(product.id)] == [run.id]
    assert studio.runs.count(product.id) == 1
    assert {found.id for found in studio.runs.list()} == {run.id, other.id}


def test_a_run_on_data_that_the_product_does_not_learn_from_is_of_no_product(studio: Studio) -> None:
    service = MatrixService(
        studio.matrices, studio.datasets, studio.repository, studio.settings, studio.changes
    )
    product = service.create("M", "P", task=Task.CHAT).core
    assert product is not None
    ratings = studio.plan().model_copy(update={"shape": Shape.RATINGS})
    assert studio.runs.enqueue(ratings, product.id).product_id is None
    assert studio.runs.list(product.id) == []
