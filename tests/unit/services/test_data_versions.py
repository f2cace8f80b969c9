"""Versions: made from the newest, undone and redone in one line, compared, measured once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.datasets import DatasetVersion, ImportSpec, VersionDiff
from studio.domain.recipes import EditStep, ReplaceStep, RestoreStep, SplitStep, StepPreview
from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics
from studio.errors import NotFoundError, ResourceError, StudioError
from studio.services.changes import Changes
from studio.services.children import JobCancelled
from studio.services.data_versions import DataVersionService, LabelOrder
from studio.services.datasets import DatasetService
from studio.services.matrices import MatrixService
from tests.helpers import builders
from tests.unit.services.conftest import FakeJobs, FakePages, Studio
from tests.unit.services.version_fakes import worked

STEP = ReplaceStep(find="a", replacement="b")


@pytest.fixture
def versions(studio: Studio, jobs: FakeJobs) -> DataVersionService:
    jobs.effect = worked
    return DataVersionService(studio.datasets, studio.paths, studio.changes, jobs, lambda: "/tok")


@pytest.fixture
def first(studio: Studio, versions: DataVersionService, jobs: FakeJobs, tmp_path: Path) -> DatasetVersion:
    source = tmp_path / "data.csv"
    source.write_text("q,a\n1,2\n")
    service = DatasetService(studio.datasets, FakePages(), studio.paths, studio.changes, jobs)
    return service.import_(ImportSpec(source=str(source)))


def test_a_derived_version_is_a_child_that_takes_its_place(
    studio: Studio, versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs
) -> None:
    studio.heard.clear()
    second = versions.derive(first.id, [STEP], "Cleaner")
    args, payload = jobs.asked[-1]
    assert args == ["derive"]
    assert payload["steps"] == [STEP.model_dump(mode="json")]
    assert payload["family_dirs"] == [str(studio.paths.dataset(first.id))]
    assert (second.number, second.parent_id, second.family_id, second.note) == (
        2,
        first.id,
        first.id,
        "Cleaner",
    )
    assert versions.versions(first.id) == [second, first]
    assert versions.history(second.id) == [first, second]
    assert studio.datasets.list() == [second]
    assert studio.heard == [Changes.DATASETS | Changes.MATRIX]


def test_a_licence_stated_after_the_import_goes_on_to_new_versions(
    studio: Studio, versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs
) -> None:
    service = DatasetService(studio.datasets, FakePages(), studio.paths, studio.changes, jobs)
    service.state_licence(first.id, " CC BY 4.0\n")
    assert service.get(first.id).spec.licence == "CC BY 4.0"
    assert versions.derive(first.id, [STEP]).spec.licence == "CC BY 4.0"


def test_undo_and_redo_walk_the_line(versions: DataVersionService, first: DatasetVersion) -> None:
    second = versions.derive(first.id, [STEP])
    third = versions.derive(second.id, [STEP])
    assert versions.redo(first.id) is None
    assert versions.undo(third.id) == second
    assert versions.undo(first.id) == first
    with pytest.raises(StudioError) as caught:
        versions.undo(first.id)
    assert caught.value.code == "version.nothing_to_undo"
    assert versions.redo(first.id) == second
    assert versions.redo(first.id) == third
    assert versions.redo(first.id) is None
    assert [version.number for version in versions.versions(first.id)] == [3, 2, 1]


def test_a_new_version_ends_redo_and_never_repeats_a_number(
    versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs, studio: Studio
) -> None:
    second = versions.derive(first.id, [STEP])
    versions.undo(first.id)
    third = versions.derive(first.id, [STEP])
    assert (third.number, third.parent_id) == (3, first.id)
    assert (
        str(studio.paths.dataset(second.id)) in jobs.asked[-1][1]["family_dirs"]
    )  # its row numbers are taken
    assert versions.redo(first.id) is None
    assert [version.id for version in versions.versions(first.id)] == [third.id, first.id]
    assert [version.id for version in versions.replaced(first.id)] == [second.id]
    versions.undo(first.id)
    assert [version.id for version in versions.replaced(first.id)] == [
        second.id
    ]  # redo brings back the third
    redone = versions.redo(first.id)
    assert redone is not None
    assert redone.id == third.id  # the last one undone, not the older


def test_only_the_newest_version_is_changed(versions: DataVersionService, first: DatasetVersion) -> None:
    versions.derive(first.id, [STEP])
    with pytest.raises(StudioError) as caught:
        versions.derive(first.id, [STEP])
    assert caught.value.code == "version.not_newest"
    with pytest.raises(StudioError) as caught:
        versions.derive(versions.newest(first.id).id, [])
    assert caught.value.code == "version.no_steps"


@pytest.mark.parametrize("problem", [JobCancelled(), StudioError("step.x", "x")])
def test_a_step_that_ends_early_leaves_nothing(
    studio: Studio, versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs, problem: StudioError
) -> None:
    def half(payload: Any) -> dict[str, Any]:
        builders.write_rows(Path(payload["out_dir"]))
        raise problem

    jobs.effect = half
    with pytest.raises(type(problem)):
        versions.derive(first.id, [STEP])
    assert versions.versions(first.id) == [first]
    assert [path.name for path in studio.paths.datasets.iterdir()] == [first.id]


def test_a_result_from_elsewhere_is_refused(
    versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs
) -> None:
    jobs.effect = lambda payload: {**worked(payload), "parent_id": "someone"}
    with pytest.raises(StudioError) as caught:
        versions.derive(first.id, [STEP])
    assert caught.value.code == "dataset.bad_result"
    jobs.effect = lambda payload: {"nonsense": 1}
    with pytest.raises(StudioError) as caught:
        versions.derive(first.id, [STEP])
    assert caught.value.code == "dataset.bad_result"
    assert versions.versions(first.id) == [first]


def test_a_version_needs_room(
    versions: DataVersionService, first: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.services.data_sources.SPACE_FACTOR", 10**15)
    with pytest.raises(ResourceError) as caught:
        versions.derive(first.id, [STEP])
    assert caught.value.code == "dataset.no_disk"


def test_an_older_version_comes_back_as_a_new_one(
    versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs, studio: Studio
) -> None:
    versions.derive(first.id, [STEP])
    third = versions.restore_version(first.id, first.id)
    assert third.number == 3
    assert third.made_by[0].step == RestoreStep(version_id=first.id, number=1)
    with pytest.raises(StudioError) as caught:
        versions.restore_version(first.id, third.id)
    assert caught.value.code == "version.is_newest"
    other = studio.data()
    for call in (versions.restore_version, versions.compare):
        with pytest.raises(StudioError) as caught:
            call(first.id, other.id)
        assert caught.value.code == "version.other_family"
    with pytest.raises(NotFoundError):
        versions.restore_version(first.id, "unknown")


def test_products_follow_and_go_back(
    studio: Studio, versions: DataVersionService, first: DatasetVersion
) -> None:
    matrices = MatrixService(
        studio.matrices, studio.datasets, studio.repository, studio.settings, studio.changes
    )
    core = matrices.create("M", "Core").core
    assert core is not None
    matrices.set_dataset(core.id, first.id)
    second = versions.derive(first.id, [STEP])
    matrix = matrices.matrix_of(core.id)
    assert matrix is not None
    (row,) = matrices.overview(matrix.id)
    assert row.dataset == second
    versions.undo(first.id)
    assert matrices.overview(matrix.id)[0].dataset == first


def test_a_run_keeps_the_version_it_used(studio: Studio, versions: DataVersionService) -> None:
    run = studio.queued()
    data = studio.datasets.get(run.plan.dataset_id)
    assert data is not None
    (studio.paths.dataset(data.id) / "manifest.json").write_text(data.model_dump_json())
    versions.derive(data.id, [STEP])
    assert studio.runs.get(run.id).plan.dataset_id == data.id
    assert studio.runs.get(run.id).plan.dataset_sha256 == data.content_sha256


def test_an_undone_version_is_not_trained_on(
    studio: Studio, versions: DataVersionService, first: DatasetVersion
) -> None:
    from studio.domain.specs import Method, TrainSpec

    second = versions.derive(first.id, [STEP])
    versions.undo(first.id)
    with pytest.raises(StudioError) as caught:
        studio.runs.plan(None, second.id, None, TrainSpec(method=Method.SCRATCH), "x")
    assert caught.value.code == "dataset.deleted"


def test_trying_and_comparing_ask_their_workers(
    versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs
) -> None:
    second = versions.derive(first.id, [STEP])
    preview = StepPreview(changed=3, added=0, removed=1)
    jobs.effect, jobs.result = None, preview.model_dump(mode="json")
    assert versions.try_step(first.id, SplitStep()) == preview
    assert jobs.asked[-1][0] == ["try-step"]
    diff = VersionDiff(added=0, removed=0, changed=2, moved=0, rows=[])
    jobs.result = diff.model_dump(mode="json")
    assert versions.compare(first.id, second.id, 5, 10) == diff
    args, payload = jobs.asked[-1]
    assert args == ["compare-versions"]
    assert payload["older_dir"].endswith(first.id)
    assert (payload["offset"], payload["limit"]) == (5, 10)


def test_statistics_are_measured_once(
    studio: Studio, versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs
) -> None:
    found = DatasetStatistics(dataset_id=first.id, rows=10, splits={"train": 10})
    path = studio.paths.dataset(first.id) / "statistics.json"

    def measure(payload: Any) -> dict[str, Any]:
        assert payload["tokenizer_dir"] == "/tok"
        path.write_text(found.model_dump_json())
        return found.model_dump(mode="json")

    jobs.effect = measure
    asked = len(jobs.asked)
    assert versions.statistics(first.id) == found
    assert versions.statistics(first.id) == found
    assert len(jobs.asked) == asked + 1
    path.write_text("{torn")
    assert versions.kept_statistics(first.id) is None
    assert versions.statistics(first.id) == found


def test_labels_are_ordered_for_shapes_that_have_them(
    studio: Studio, versions: DataVersionService, first: DatasetVersion, jobs: FakeJobs
) -> None:
    with pytest.raises(StudioError) as caught:
        versions.order_for_labelling(first.id)
    assert caught.value.code == "label.no_column"
    labelled = builders.dataset(shape=Shape.TEXT_LABEL)
    studio.datasets.add(labelled)
    jobs.effect, jobs.result = None, {"rows": [3, 1], "basis": "uncertainty", "labelled": 7}
    assert versions.order_for_labelling(labelled.id) == LabelOrder((3, 1), "uncertainty", 7)
    assert jobs.asked[-1][1]["column"] == "label"
    assert jobs.asked[-1][1]["draft_path"] is None
    (studio.paths.drafts / f"{labelled.id}.jsonl").write_text("")
    versions.order_for_labelling(labelled.id)
    assert jobs.asked[-1][1]["draft_path"] == str(studio.paths.drafts / f"{labelled.id}.jsonl")
    jobs.result = {"rows": "x"}
    with pytest.raises(StudioError) as caught:
        versions.order_for_labelling(labelled.id)
    assert caught.value.code == "dataset.bad_result"


@given(moves=st.lists(st.sampled_from(["derive", "undo", "redo"]), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_the_line_is_that_of_an_editor(
    versions: DataVersionService, studio: Studio, jobs: FakeJobs, moves: list[str]
) -> None:
    """A model with two stacks: what counts, and what redo would bring back."""
    root = builders.dataset()
    studio.datasets.add(root)
    folder = studio.paths.dataset(root.id)
    builders.write_rows(folder)
    (folder / "manifest.json").write_text(root.model_dump_json())
    line, undone = [root.id], []
    for move in moves:
        if move == "derive":
            line.append(versions.derive(line[-1], [EditStep(removed=[1])]).id)
            undone.clear()
        elif move == "undo" and len(line) > 1:
            undone.append(line.pop())
            assert versions.undo(root.id).id == line[-1]
        elif move == "redo":
            redone = versions.redo(root.id)
            assert (redone.id if redone else None) == (undone[-1] if undone else None)
            if redone:
                line.append(undone.pop())
        assert [version.id for version in versions.versions(root.id)] == line[::-1]
        assert [version.id for version in versions.history(line[-1])] == line
