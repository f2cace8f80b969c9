"""What is stored comes back equal, in order, and only what is wanted."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from studio.domain.basemodels import BaseModelInfo, BaseSource
from studio.domain.feedback import FeedbackItem, Signal
from studio.domain.products import LinkKind, Matrix, Product, Purpose, Role, SynergyLink
from studio.domain.runs import RunState
from studio.domain.verdicts import judge
from studio.errors import StudioError
from studio.protocol.events import CheckpointSaved, Compared, ProbeAnswered, Resumed
from studio.services.ports import Decision, OutboundCall
from studio.services.run_events import project
from studio.store.database import Database
from studio.store.datasets import SqlDatasets
from studio.store.matrices import SqlMatrices
from studio.store.records import SqlBaseModels, SqlDecisions, SqlFeedback, SqlOutbound
from studio.store.runs import SqlRuns
from tests.helpers import builders

AT = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def matrix(database: Database) -> Matrix:
    core = Product("Core", Role.CORE)
    helper = Product("助手", Role.AUXILIARY, (Purpose.EXTENSION, Purpose.DATA_COLLECTION))
    link = SynergyLink(helper.id, core.id, LinkKind.DATA_FLOW, ("question", "问题"), "why")
    made = Matrix("M", products=(core, helper), links=(link,))
    SqlMatrices(database).add(made)
    return made


@pytest.fixture
def runs(database: Database) -> SqlRuns:
    return SqlRuns(database)


@pytest.fixture
def data(database: Database) -> builders.DatasetVersion:
    made = builders.dataset()
    SqlDatasets(database).add(made)
    return made


def test_a_matrix_comes_back_equal(database: Database, matrix: Matrix) -> None:
    stored = SqlMatrices(database)
    assert stored.get(matrix.id) == matrix
    assert stored.list() == [matrix]
    assert stored.matrix_of(matrix.products[1].id) == matrix
    assert stored.get("unknown") is None
    assert stored.matrix_of("unknown") is None


def test_products_keep_their_order_when_changed(database: Database, matrix: Matrix) -> None:
    stored = SqlMatrices(database)
    stored.save_product(matrix.id, replace(matrix.products[0], name="Renamed"))
    stored.save_product(matrix.id, Product("Third", Role.AUXILIARY))
    found = stored.get(matrix.id)
    assert found is not None
    assert [product.name for product in found.products] == ["Renamed", "助手", "Third"]


def test_a_product_in_the_bin_takes_its_links_along_and_back(database: Database, matrix: Matrix) -> None:
    stored = SqlMatrices(database)
    helper = matrix.products[1]
    stored.set_product_deleted(helper.id, True)
    hidden = stored.get(matrix.id)
    assert hidden is not None
    assert hidden.products == matrix.products[:1]
    assert hidden.links == ()
    assert stored.deleted_products(matrix.id) == [helper]
    assert stored.matrix_of(helper.id) is None
    stored.set_product_deleted(helper.id, False)
    assert stored.get(matrix.id) == matrix


def test_a_matrix_in_the_bin_is_not_shown(database: Database, matrix: Matrix) -> None:
    stored = SqlMatrices(database)
    stored.set_deleted(matrix.id, True)
    assert stored.list() == []
    stored.set_deleted(matrix.id, False)
    stored.remove_link(matrix.links[0].id)
    assert stored.list() == [replace(matrix, links=())]


def test_a_dataset_comes_back_equal_and_leaves_by_the_bin(database: Database) -> None:
    stored, made = SqlDatasets(database), builders.dataset(name="数据")
    stored.add(made)
    assert stored.get(made.id) == made
    stored.set_deleted(made.id, True)
    assert stored.list() == []
    assert stored.list(include_deleted=True) == [made.model_copy(update={"deleted": True})]


def test_small_records_come_back(database: Database) -> None:
    item = FeedbackItem(None, None, "Base", "q", "a", Signal.CORRECTION, "b", created_at=AT)
    SqlFeedback(database).add(item)
    assert SqlFeedback(database).list() == [item]
    assert SqlFeedback(database).list(run_id="other") == []
    assert SqlFeedback(database).counts(None) == {"correction": 1}
    call = OutboundCall("hub", "fetch", AT)
    SqlOutbound(database).add(call)
    assert SqlOutbound(database).list() == [call]
    decision = Decision("run:x", "verdict:better", "why", "studio", AT)
    SqlDecisions(database).add(decision)
    assert SqlDecisions(database).list("run:x") == [decision]
    assert SqlDecisions(database).list("run:y") == []
    base = BaseModelInfo(
        id="b", name="B", path="/b", source=BaseSource.FOLDER, architecture="L", parameters=1, size_bytes=4
    )
    SqlBaseModels(database).add(base)
    SqlBaseModels(database).add(base.model_copy(update={"name": "C"}))
    assert [info.name for info in SqlBaseModels(database).list()] == ["C"]
    SqlBaseModels(database).remove("b")
    assert SqlBaseModels(database).list() == []


def test_a_run_comes_back_equal(runs: SqlRuns, data: builders.DatasetVersion) -> None:
    run = builders.run(
        data, state=RunState.DONE, attempt=2, pid=7, pid_started_at=1.5, token="t", applied_seq=9, step=3,
        total_steps=5, last_loss=1.25, eta_s=4.0, error_code="c", error_message="m", summary=builders.summary(),
        created_at=AT, started_at=AT, ended_at=AT,
    )  # fmt: skip
    runs.add(run)
    assert runs.get(run.id) == run
    assert runs.get("unknown") is None


def test_a_run_needs_data_that_is_stored(runs: SqlRuns) -> None:
    with pytest.raises(StudioError) as caught:
        runs.add(builders.run(builders.dataset()))
    assert caught.value.code == "store.failed"


def test_the_list_pages_from_the_newest(runs: SqlRuns, data: builders.DatasetVersion) -> None:
    made = [builders.run(data, created_at=AT.replace(hour=hour)) for hour in range(5)]
    for run in made:
        runs.add(run)
    runs.set_deleted(made[4].id, True)
    assert runs.list(limit=2) == [made[3], made[2]]
    assert runs.list(limit=2, offset=2) == [made[1], made[0]]
    assert runs.count() == 4
    assert runs.count(product_id="none") == 0


def test_the_lease_goes_to_the_first_in_the_queue_and_to_one_only(
    runs: SqlRuns, data: builders.DatasetVersion
) -> None:
    first, second = builders.run(data), builders.run(data)
    runs.add(first)
    runs.add(second)
    assert [run.id for run in runs.queue()] == [first.id, second.id]
    claimed = runs.claim_next(AT)
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.started_at) == (first.id, RunState.RUNNING, AT)
    assert runs.claim_next(AT) is None
    runs.save(replace(claimed, state=RunState.INTERRUPTED))
    runs.requeue(replace(claimed, state=RunState.QUEUED))
    assert [run.id for run in runs.queue()] == [first.id, second.id]


def test_of_many_simultaneous_claims_one_wins(runs: SqlRuns, data: builders.DatasetVersion) -> None:
    for _ in range(8):
        runs.add(builders.run(data))
    barrier = threading.Barrier(8)
    won: list[object] = []

    def claim() -> None:
        barrier.wait(10)
        if runs.claim_next(AT) is not None:
            won.append(1)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    assert len(runs.active()) == 1


def test_saving_progress_keeps_the_name_and_the_bin(runs: SqlRuns, data: builders.DatasetVersion) -> None:
    run = builders.run(data)
    runs.add(run)
    runs.rename(run.id, "New name")
    runs.set_deleted(run.id, True)
    runs.save(replace(run, step=7))
    found = runs.get(run.id)
    assert found is not None
    assert (found.name, found.deleted, found.step) == ("New name", True, 7)


def test_metrics_are_written_once_and_a_later_attempt_replaces_them(
    runs: SqlRuns, data: builders.DatasetVersion
) -> None:
    run = builders.run(data)
    runs.add(run)
    first = [
        builders.started(1), *(builders.step(n + 1, n) for n in range(1, 7)), builders.evaluated(8, 3),
        ProbeAnswered(seq=9, step=6, index=0, prompt="p", answer="a", tokens=1, seconds=1),
        CheckpointSaved(seq=10, step=3, path="/run/checkpoints/ckpt-3", size_bytes=5),
    ]  # fmt: skip
    update = project(run, first)
    runs.apply(update)
    runs.apply(update)  # the same transaction again, as after a crash between store and memory
    assert [step.step for step in runs.steps(run.id)] == [1, 2, 3, 4, 5, 6]
    assert [c.path for c in runs.checkpoints(run.id)] == ["checkpoints/ckpt-3"]
    second = [builders.started(11, 2), Resumed(seq=12, step=3), builders.step(13, 4, loss=0.5)]
    runs.apply(project(update.run, second))
    assert [(step.step, step.loss) for step in runs.steps(run.id)] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 0.5)]
    assert [e.step for e in runs.evals(run.id)] == [3]
    assert runs.probes(run.id) == []
    found = runs.get(run.id)
    assert found is not None
    assert (found.attempt, found.step, found.applied_seq) == (2, 4, 13)


def test_a_verdict_is_stored_with_its_decision(
    database: Database, runs: SqlRuns, data: builders.DatasetVersion
) -> None:
    run = builders.run(data)
    runs.add(run)
    assert runs.verdict(run.id) is None
    verdict = judge([20.0] * 30, [10.0] * 30, [10] * 30, [], "test")
    compared = Compared(seq=1, split="test", base_scores=[20.0], tuned_scores=[10.0], tokens=[10])
    decision = Decision(f"run:{run.id}", "verdict:better", "why", "studio", AT)
    runs.apply(replace(project(run, [compared]), verdict=verdict, decisions=(decision,)))
    assert runs.verdict(run.id) == verdict
    assert SqlDecisions(database).list(f"run:{run.id}") == [decision]


def test_ten_thousand_steps_a_batch_are_quick_and_none_is_lost(
    runs: SqlRuns, data: builders.DatasetVersion
) -> None:
    run = builders.run(data)
    runs.add(run)
    runs.apply(project(run, [builders.step(n, n) for n in range(1, 10_001)]))
    assert [step.step for step in runs.steps(run.id)] == list(range(1, 10_001))
