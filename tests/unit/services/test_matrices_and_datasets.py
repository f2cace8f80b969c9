"""Matrices keep the domain's rules; datasets come from a child and leave nothing when it fails."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.domain.datasets import ImportSpec, OriginKind, RejectedRow, SourcePreview
from studio.domain.feedback import FeedbackItem, Signal
from studio.domain.products import Product, Purpose, Role
from studio.domain.shapes import ColumnRole
from studio.errors import StudioError
from studio.protocol.events import Log, Phase
from studio.services.changes import Changes
from studio.services.children import JobCancelled
from studio.services.data_hub import DataHub
from studio.services.data_sources import source_bytes
from studio.services.datasets import DatasetService, is_sample
from studio.services.feedback import FeedbackService
from studio.services.matrices import MatrixService
from studio.services.outbound import OutboundLog
from studio.store.records import SqlFeedback, SqlOutbound
from tests.helpers import builders
from tests.unit.services.conftest import FakeJobs, FakePages, Studio


@pytest.fixture
def matrices(studio: Studio) -> MatrixService:
    return MatrixService(studio.matrices, studio.datasets, studio.repository, studio.settings, studio.changes)


@pytest.fixture
def datasets(studio: Studio, jobs: FakeJobs) -> DatasetService:
    return DatasetService(studio.datasets, FakePages(), studio.paths, studio.changes, jobs, lambda: "/base")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text("question,answer\nq,a\n")
    return path


def imported(payload: Any) -> dict[str, Any]:
    """What the import worker would give and leave behind."""
    builders.write_rows(Path(payload["out_dir"]))
    spec = ImportSpec.model_validate(payload["spec"])
    made = builders.dataset(id=payload["dataset_id"], spec=spec, source_path=spec.source)
    return made.model_dump(mode="json")


@pytest.mark.parametrize(("language", "core"), [("en", "Customer service assistant"), ("zh_CN", "智能客服")])
def test_the_sample_is_made_once_for_each_language(matrices: MatrixService, language: str, core: str) -> None:
    sample = matrices.open_sample(language)
    assert sample.core is not None
    assert sample.core.name == core
    assert sample.is_sample
    recommender, analysis = sample.products[1:]
    assert set(recommender.purposes) == {Purpose.EXTENSION, Purpose.DATA_COLLECTION}
    assert analysis.purposes == (Purpose.DATA_COLLECTION,)
    assert all(link.payload and sample.core.id in (link.source_id, link.target_id) for link in sample.links)
    assert matrices.open_sample(language) == sample
    assert matrices.get(sample.id) == sample


def test_a_deleted_sample_can_be_opened_anew(matrices: MatrixService) -> None:
    first = matrices.open_sample("en")
    matrices.delete(first.id)
    assert matrices.open_sample("en").id != first.id


def test_every_write_is_told(studio: Studio, matrices: MatrixService) -> None:
    matrix = matrices.create("M", "Core")
    matrices.rename(matrix.id, " New ")
    product = matrices.add_product(matrix.id, Product("P", Role.AUXILIARY))
    matrices.update_product(matrix.id, replace(product, name="Q"))
    assert matrix.core is not None
    link = matrices.link(matrix.id, product.id, matrix.core.id, payload=("x",))
    matrices.remove_link(matrix.id, link.id)
    matrices.remove_product(matrix.id, product.id)
    assert matrices.restore_product(matrix.id, product.id).name == "Q"
    assert matrices.delete(matrix.id) is Changes.MATRIX
    matrices.restore(matrix.id)
    assert studio.heard == [Changes.MATRIX] * 10
    assert [m.name for m in matrices.list()] == ["New"]


def test_broken_rules_store_nothing(studio: Studio, matrices: MatrixService) -> None:
    matrix = matrices.create("M", "Core")
    with pytest.raises(StudioError) as caught:
        matrices.add_product(matrix.id, Product("Another", Role.CORE))
    assert caught.value.code == "matrix.second_core"
    with pytest.raises(StudioError) as caught:
        matrices.create(" ", "Core")
    assert caught.value.code == "matrix.no_name"
    assert matrix.core is not None
    with pytest.raises(StudioError) as caught:
        matrices.link(matrix.id, matrix.core.id, matrix.core.id)
    assert caught.value.code == "link.self"
    for unknown in (
        lambda: matrices.get("x"), lambda: matrices.remove_link(matrix.id, "x"),
        lambda: matrices.set_dataset("x", None),
        lambda: matrices.restore_product(matrix.id, "x"), lambda: matrices.remove_product(matrix.id, "x"),
        lambda: matrices.set_dataset(matrix.core.id, "x"),  # type: ignore[union-attr]
    ):  # fmt: skip
        with pytest.raises(StudioError, match=r"not in"):
            unknown()
    assert matrices.get(matrix.id) == matrix


def test_a_product_taken_out_of_the_bin_must_still_fit(matrices: MatrixService) -> None:
    matrix = matrices.create("M", "Core")
    assert matrix.core is not None
    matrices.remove_product(matrix.id, matrix.core.id)
    matrices.add_product(matrix.id, Product("Other core", Role.CORE))
    with pytest.raises(StudioError) as caught:
        matrices.restore_product(matrix.id, matrix.core.id)
    assert caught.value.code == "matrix.second_core"


def test_the_overview_shows_data_and_nothing_that_is_not_known(
    studio: Studio, matrices: MatrixService
) -> None:
    matrix = matrices.create("M", "Core")
    data = studio.data()
    assert matrix.core is not None
    matrices.set_dataset(matrix.core.id, data.id)
    (row,) = matrices.overview(matrix.id)
    assert row.dataset == data
    assert (row.latest_run, row.verdict, row.training_cost, row.cost_per_1k_answers) == (
        None,
        None,
        None,
        None,
    )


def test_an_import_is_a_child_and_its_result_is_kept(
    studio: Studio, datasets: DatasetService, jobs: FakeJobs, source: Path
) -> None:
    jobs.effect = imported
    made = datasets.import_(ImportSpec(source=str(source)))
    args, payload = jobs.asked[0]
    assert args == ["import"]
    assert payload["spec"]["tokenizer_dir"] == "/base"
    assert payload["out_dir"] == str(studio.paths.dataset(made.id))
    assert datasets.list() == [made]
    assert studio.heard == [Changes.DATASETS]
    assert datasets.columns(made.id) == ["row", "split", "prompt", "response"]
    assert [row["prompt"] for row in datasets.page(made.id, 2, 2)] == ["q2", "q3"]


@pytest.mark.parametrize("problem", [JobCancelled(), StudioError("import.broken", "x")])
def test_an_import_that_ends_early_leaves_nothing(
    studio: Studio, datasets: DatasetService, jobs: FakeJobs, source: Path, problem: StudioError
) -> None:
    def half(payload: Any) -> dict[str, Any]:
        builders.write_rows(Path(payload["out_dir"]))
        raise problem

    jobs.effect = half
    with pytest.raises(type(problem)):
        datasets.import_(ImportSpec(source=str(source)))
    assert datasets.list() == []
    assert list(studio.paths.datasets.iterdir()) == []
    assert studio.heard == []


def test_a_file_that_is_not_there_starts_no_child(datasets: DatasetService, jobs: FakeJobs) -> None:
    for name in ("/nowhere/x.csv", "/" + "x" * 300):
        with pytest.raises(StudioError) as caught:
            datasets.import_(ImportSpec(source=name))
        assert caught.value.code == "dataset.no_file"
    assert jobs.asked == []


def test_an_import_needs_room(
    datasets: DatasetService, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.services.data_sources.SPACE_FACTOR", 10**15)
    with pytest.raises(StudioError) as caught:
        datasets.import_(ImportSpec(source=str(source)))
    assert caught.value.code == "dataset.no_disk"


def test_a_preview_is_what_the_child_saw(datasets: DatasetService, jobs: FakeJobs, source: Path) -> None:
    seen = SourcePreview(
        format="csv", encoding="utf-8", delimiter=",", columns=["question"], rows=[["q"]], shape="prompt-response",
        roles={"question": ColumnRole.PROMPT}, reason="because",
    )  # type: ignore[arg-type]  # fmt: skip
    jobs.result = seen.model_dump(mode="json")
    assert datasets.preview(ImportSpec(source=str(source))) == seen
    assert jobs.asked[0][0] == ["preview-source"]


def test_the_bundled_sample_is_imported_once(datasets: DatasetService, jobs: FakeJobs) -> None:
    jobs.effect = imported
    english = datasets.import_sample("en")
    assert is_sample(english)
    assert english.spec.roles == {"question": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE}
    assert datasets.import_sample("en") == english
    assert datasets.import_sample("zh_CN").source_path.endswith("customer_service_zh.csv")
    assert len(jobs.asked) == 2


def test_rejected_rows_are_read_by_page(studio: Studio, datasets: DatasetService) -> None:
    data = studio.data()
    assert datasets.rejected(data.id) == []
    rows = [RejectedRow(row=n, code="empty", reason="no answer", excerpt=f"r{n}") for n in range(1, 6)]
    path = studio.paths.dataset(data.id) / "rejected.jsonl"
    path.write_text("".join(row.model_dump_json() + "\n" for row in rows))
    assert datasets.rejected(data.id, 1, 2) == rows[1:3]


def test_the_bin_keeps_files_and_gives_them_back(studio: Studio, datasets: DatasetService) -> None:
    data = studio.data()
    datasets.delete(data.id)
    assert datasets.list() == []
    assert (studio.paths.dataset(data.id) / "rows.parquet").exists()
    datasets.restore(data.id)
    assert datasets.list() == [data]
    with pytest.raises(StudioError) as caught:
        datasets.delete("unknown")
    assert caught.value.code == "dataset.unknown"


def test_a_family_goes_into_the_bin_as_one(studio: Studio, datasets: DatasetService) -> None:
    first = studio.data()
    second = builders.dataset(family_id=first.id, parent_id=first.id, number=2)
    studio.datasets.add(second)
    assert datasets.list() == [second]
    datasets.delete(second.id)
    assert datasets.list() == []
    assert [found.id for found in datasets.list(include_deleted=True)] == [second.id]
    datasets.restore(first.id)
    assert datasets.list() == [second]


def test_rows_by_number_and_by_text(studio: Studio, datasets: DatasetService) -> None:
    data = studio.data()
    assert [row["row"] for row in datasets.rows(data.id, [7, 99, 3])] == ["7", "3"]
    assert datasets.find(data.id, "q1", ["prompt"], 1, 2) == [10, 11]


def test_an_image_cell_names_a_file_of_the_store_and_nothing_else(
    studio: Studio, datasets: DatasetService
) -> None:
    name = "ab" * 32 + ".png"
    assert datasets.image_path(name) == studio.paths.datasets / "images" / "ab" / name
    for evil in ("../../etc/passwd", "ab" * 32, "ab" * 32 + "/x", "/etc/passwd", name + "/../x"):
        with pytest.raises(StudioError) as caught:
            datasets.image_path(evil)
        assert caught.value.code == "dataset.no_image"


def test_pasted_text_is_kept_as_a_source(studio: Studio, datasets: DatasetService, jobs: FakeJobs) -> None:
    text = "question\tanswer\r\n老王?\tyes\ud800\n"
    spec = datasets.paste(text, "My 表格!")
    path = Path(spec.source)
    assert path.parent == studio.paths.pasted
    assert path.read_bytes().decode() == "question\tanswer\r\n老王?\tyes?\n"
    assert (spec.name, spec.origin.kind) == ("My 表格!", OriginKind.CLIPBOARD)
    assert datasets.paste(text).source != spec.source
    jobs.effect = imported
    assert datasets.import_(spec).source_path == spec.source
    with pytest.raises(StudioError) as caught:
        datasets.paste(" \n")
    assert caught.value.code == "dataset.nothing_pasted"


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ('\n [ {"a": 1}]', ".json"),
        ("[INST] a template", ".txt"),
        ("名字\t电话\n老王\t1\n", ".tsv"),
        ('a\tb\n"two\nlines"\tx\n', ".tsv"),
        ("one line\twith a tab", ".txt"),
        ("a\tb\nc", ".txt"),
        ("Some words, and more.\n\nThe end.", ".txt"),
        ('{"a": 1}\n{"a": 2}', ".txt"),
        ('"never closed\tx' + "y" * 200_000, ".txt"),
    ],
)
def test_pasted_text_is_named_by_what_it_surely_is(datasets: DatasetService, text: str, ending: str) -> None:
    assert Path(datasets.paste(text).source).suffix == ending


def test_every_source_must_be_there(datasets: DatasetService, jobs: FakeJobs, source: Path) -> None:
    jobs.effect = imported
    folder = source.parent / "folder"
    folder.mkdir()
    datasets.import_(ImportSpec(source=str(folder), more_sources=(str(source),)))
    with pytest.raises(StudioError, match=r"gone\.csv") as caught:
        datasets.import_(ImportSpec(source=str(source), more_sources=(str(source.parent / "gone.csv"),)))
    assert caught.value.code == "dataset.no_file"


def test_room_is_counted_over_folders_archives_and_all_sources(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"x" * 100)
    (folder / "inner" / "b.csv").write_bytes(b"x" * 50)
    (folder / "loop").symlink_to(folder)
    lone = tmp_path / "lone.csv"
    lone.write_bytes(b"x" * 7)
    assert source_bytes(ImportSpec(source=str(folder), more_sources=(str(lone),))) == 157
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c.csv", b"abcdefghij" * 1000)
    assert source_bytes(ImportSpec(source=str(packed))) == 10_000
    (tmp_path / "no.zip").write_bytes(b"PK nonsense")
    assert source_bytes(ImportSpec(source=str(tmp_path / "no.zip"))) == 11


def test_a_source_that_changed_since_is_no_trouble(
    datasets: DatasetService, jobs: FakeJobs, source: Path, studio: Studio
) -> None:
    jobs.effect = imported
    made = datasets.import_(ImportSpec(source=str(source)))
    source.write_text("something else")
    again = datasets.import_(ImportSpec(source=str(source)))
    source.unlink()
    assert {found.id for found in datasets.list()} == {made.id, again.id}
    assert datasets.page(made.id, 0, 1)


class FakeHub:
    """What the fetch worker does: it names its hosts and leaves files."""

    def __init__(self, jobs: FakeJobs, result: dict[str, Any]) -> None:
        jobs.events = [Log(level="info", message="outbound hub.example"), Phase(name="fetching")]
        jobs.result = result


def hub_service(studio: Studio, jobs: FakeJobs) -> tuple[DatasetService, OutboundLog]:
    outbound = OutboundLog(SqlOutbound(studio.database), studio.changes)
    hub = DataHub(studio.settings, outbound, studio.paths.fetched, jobs)
    return DatasetService(studio.datasets, FakePages(), studio.paths, studio.changes, jobs, hub=hub), outbound


def test_a_dataset_is_fetched_on_consent_only_and_told(studio: Studio, jobs: FakeJobs) -> None:
    service, outbound = hub_service(studio, jobs)
    FakeHub(jobs, {"path": "/fetched/x", "licence": "mit", "files": ["a.csv"]})
    with pytest.raises(StudioError) as caught:
        service.fetch("owner/name")
    assert caught.value.code == "hub.no_consent"
    assert jobs.asked == []
    studio.settings.update(hub_consent=True)
    spec = service.fetch(" owner/name ")
    assert (spec.source, spec.licence, spec.name) == ("/fetched/x", "mit", "name")
    assert (spec.origin.kind, spec.origin.address) == (OriginKind.HUB, "owner/name")
    args, payload = jobs.asked[0]
    assert args == ["fetch-dataset"]
    assert payload["hub"] == "huggingface"
    assert Path(payload["out_dir"]).is_relative_to(studio.paths.fetched)
    (call,) = outbound.list()
    assert call.host == "hub.example"
    assert "owner/name" in call.purpose


def test_a_mirror_needs_its_address(studio: Studio, jobs: FakeJobs) -> None:
    service, _outbound = hub_service(studio, jobs)
    FakeHub(jobs, {"path": "/fetched/x"})
    studio.settings.update(hub_consent=True, hub="mirror")
    with pytest.raises(StudioError) as caught:
        service.fetch("owner/name")
    assert caught.value.code == "hub.no_mirror"
    service.fetch("owner/name", endpoint="http://localhost:1")
    assert jobs.asked[-1][1]["endpoint"] == "http://localhost:1"
    with pytest.raises(StudioError) as caught:
        service.fetch(" ", hub="modelscope")
    assert caught.value.code == "hub.no_repository"
    jobs.result = {}
    with pytest.raises(StudioError) as caught:
        service.fetch("owner/name", hub="modelscope")
    assert caught.value.code == "hub.bad_result"


def test_feedback_is_counted_and_a_correction_needs_its_text(studio: Studio) -> None:
    service = FeedbackService(SqlFeedback(studio.database), studio.changes)
    item = FeedbackItem(None, None, "Base", "q", "a", Signal.UP)
    service.add(item)
    service.add(replace(item, id="b", signal=Signal.DOWN))
    assert service.counts(None) == {Signal.UP: 1, Signal.DOWN: 1, Signal.CORRECTION: 0}
    with pytest.raises(StudioError) as caught:
        service.add(replace(item, id="c", signal=Signal.CORRECTION))
    assert caught.value.code == "feedback.no_correction"
