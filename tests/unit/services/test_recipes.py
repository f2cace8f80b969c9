"""Recipes: taken from what was done, passed on as files, repeated on another import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.domain.datasets import DatasetVersion, ImportSpec, SourcePreview
from studio.domain.recipes import EditStep, FindingKind, FixAction, FixStep, Recipe, ReplaceStep, SplitStep
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import NotFoundError, StudioError
from studio.services.data_versions import DataVersionService
from studio.services.datasets import DatasetService
from studio.services.recipes import RecipeService, read_recipe, steps_here
from studio.store.records import SqlRecipes
from tests.unit.services.conftest import FakeJobs, FakePages, Studio
from tests.unit.services.version_fakes import worked

ROLES = {"question": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE, "note": ColumnRole.IGNORE}
MASK = FixStep(finding=FindingKind.PRIVATE_DATA, action=FixAction.MASK)
LONG = FixStep(finding=FindingKind.TOO_LONG, action=FixAction.CUT, max_tokens=100, tokenizer_dir="/gone")
SWAP = ReplaceStep(find="colour", replacement="color")


@pytest.fixture
def versions(studio: Studio, jobs: FakeJobs) -> DataVersionService:
    jobs.effect = worked
    return DataVersionService(studio.datasets, studio.paths, studio.changes, jobs)


@pytest.fixture
def recipes(studio: Studio) -> RecipeService:
    return RecipeService(SqlRecipes(studio.database), studio.datasets, studio.changes)


@pytest.fixture
def datasets(studio: Studio, versions: DataVersionService, jobs: FakeJobs) -> DatasetService:
    return DatasetService(
        studio.datasets, FakePages(), studio.paths, studio.changes, jobs, lambda: "/tok", versions=versions
    )


@pytest.fixture
def first(datasets: DatasetService, tmp_path: Path) -> DatasetVersion:
    source = tmp_path / "data.csv"
    source.write_text("question,answer,note\n1,2,3\n")
    return datasets.import_(ImportSpec(source=str(source), roles=ROLES))


def test_a_recipe_is_what_was_done_without_edits_of_single_rows(
    recipes: RecipeService, versions: DataVersionService, first: DatasetVersion
) -> None:
    second = versions.derive(first.id, [MASK, EditStep(removed=[1])])
    third = versions.derive(second.id, [SWAP])
    versions.derive(third.id, [SplitStep(test=0.2)])
    recipe = recipes.save(" My cleaning ", third.id)
    assert (recipe.name, recipe.steps, recipe.roles) == ("My cleaning", [MASK, SWAP], ROLES)
    assert recipe.shape is third.shape
    assert recipes.list() == [recipe]
    assert recipes.get(recipe.id) == recipes.get("my cleaning") == recipe


def test_what_a_restore_took_back_is_not_repeated(
    recipes: RecipeService, versions: DataVersionService, first: DatasetVersion
) -> None:
    second = versions.derive(first.id, [MASK])
    versions.derive(second.id, [SWAP])
    fourth = versions.restore_version(first.id, second.id)
    fifth = versions.derive(fourth.id, [SplitStep()])
    assert recipes.save("R", fifth.id).steps == [MASK, SplitStep()]


def test_a_recipe_needs_a_free_name_and_something_to_repeat(
    recipes: RecipeService, versions: DataVersionService, first: DatasetVersion
) -> None:
    with pytest.raises(StudioError) as caught:
        recipes.save("R", first.id)
    assert caught.value.code == "recipe.no_steps"
    second = versions.derive(first.id, [MASK])
    with pytest.raises(StudioError) as caught:
        recipes.save("  ", second.id)
    assert caught.value.code == "recipe.no_name"
    made = recipes.save("R", second.id)
    with pytest.raises(StudioError) as caught:
        recipes.save("r", second.id)
    assert caught.value.code == "recipe.name_taken"
    recipes.delete(made.id)
    with pytest.raises(NotFoundError) as missing:
        recipes.get("R")
    assert missing.value.code == "recipe.unknown"
    assert recipes.save("R", second.id).id != made.id


def test_a_recipe_gets_another_name(
    recipes: RecipeService, versions: DataVersionService, first: DatasetVersion
) -> None:
    second = versions.derive(first.id, [MASK])
    made, other = recipes.save("R", second.id), recipes.save("S", second.id)
    recipes.rename(made.id, " r ")
    assert [recipe.name for recipe in recipes.list()] == ["S", "r"]
    with pytest.raises(StudioError) as caught:
        recipes.rename(other.id, "R")
    assert caught.value.code == "recipe.name_taken"


def test_a_recipe_file_goes_out_and_comes_in(
    recipes: RecipeService, versions: DataVersionService, first: DatasetVersion, tmp_path: Path
) -> None:
    made = recipes.save("清理", versions.derive(first.id, [LONG, SWAP]).id)
    path = recipes.write_file(made, tmp_path / "清理.json")
    assert "/gone" not in path.read_text()
    loaded = recipes.load_file(path)  # without the folder it is another one
    assert (loaded.name, loaded.roles) == ("清理 2", ROLES)
    assert loaded.steps == [LONG.model_copy(update={"tokenizer_dir": None}), SWAP]
    assert recipes.load_file(recipes.write_file(loaded, tmp_path / "b.json")) == loaded  # known already
    assert len(recipes.list()) == 2
    with pytest.raises(StudioError) as caught:
        recipes.write_file(made, tmp_path / "nowhere" / "x.json")
    assert caught.value.code == "recipe.not_written"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("not json", "not JSON"),
        ("", "not JSON"),
        ("[]", "recipe"),
        ('{"name": "x"}', "steps"),
        ('{"name": "x", "steps": [{"type": "nonsense"}]}', "steps.0"),
        ('{"name": "x", "steps": [{"type": "split", "test": 7}]}', "steps.0.split.test"),
        ('{"name": "x", "steps": [], "roles": {"a": "king"}}', "roles.a"),
        ('{"name": "x", "steps": [{"type": "edit", "removed": [1]}]}', "edit"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_recipe_says_where_it_is_wrong(tmp_path: Path, content: str, word: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(StudioError) as caught:
        read_recipe(path)
    assert caught.value.code == "recipe.not_a_recipe"
    assert word in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(NotFoundError) as caught:
            read_recipe(path)
        assert caught.value.code == "recipe.no_file"


def test_limits_are_counted_by_a_tokenizer_that_is_here(tmp_path: Path) -> None:
    here = tmp_path / "tok"
    here.mkdir()
    (here / "tokenizer.json").write_text("{}")
    known = LONG.model_copy(update={"tokenizer_dir": str(here)})
    steps = steps_here(Recipe(name="R", steps=[LONG, MASK, known]), "/mine")
    assert steps == [LONG.model_copy(update={"tokenizer_dir": "/mine"}), MASK, known]


@pytest.mark.parametrize(("columns", "used"), [(["question", "answer"], True), (["q", "a"], False)])
def test_an_import_repeats_a_recipe(
    datasets: DatasetService, jobs: FakeJobs, tmp_path: Path, columns: list[str], used: bool
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("x")
    seen = SourcePreview(
        format="csv", encoding=None, delimiter=None, columns=columns, rows=[], shape="prompt-response", roles={},
        reason="r",
    )  # type: ignore[arg-type]  # fmt: skip

    def work(payload: Any) -> dict[str, Any]:
        return worked(payload) if "out_dir" in payload else seen.model_dump(mode="json")

    jobs.effect = work
    recipe = Recipe(name="R", steps=[LONG], roles=ROLES, shape=Shape.PROMPT_RESPONSE)
    made = datasets.import_(ImportSpec(source=str(source)), recipe=recipe)
    assert [args[0] for args, _payload in jobs.asked] == ["preview-source", "import", "derive"]
    assert jobs.asked[1][1]["spec"]["roles"] == (json.loads(json.dumps(ROLES)) if used else None)
    assert jobs.asked[1][1]["spec"]["shape"] == ("prompt-response" if used else None)
    assert jobs.asked[2][1]["steps"][0]["tokenizer_dir"] == "/tok"
    assert (made.number, made.note) == (2, "R")
    assert datasets.list() == [made]


def test_a_recipe_for_other_rows_keeps_its_roles_to_itself(
    datasets: DatasetService, jobs: FakeJobs, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("x")
    jobs.effect = worked
    recipe = Recipe(name="R", steps=[MASK], roles=ROLES, shape=Shape.PROMPT_RESPONSE)
    datasets.import_(ImportSpec(source=str(source), shape=Shape.TEXT), recipe=recipe)
    assert [args[0] for args, _payload in jobs.asked] == ["import", "derive"]
    assert (jobs.asked[0][1]["spec"]["roles"], jobs.asked[0][1]["spec"]["shape"]) == (None, "text")


def test_a_recipe_that_finds_nothing_to_do_makes_no_version(
    datasets: DatasetService, studio: Studio, jobs: FakeJobs, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("x")

    def work(payload: Any) -> dict[str, Any]:
        made = worked(payload)
        return {**made, "made_by": [{**each, "changed": 0} for each in made["made_by"]]}

    jobs.effect = work
    made = datasets.import_(ImportSpec(source=str(source)), recipe=Recipe(name="R", steps=[MASK]))
    assert (made.number, datasets.list()) == (1, [made])
    assert [folder.name for folder in studio.paths.datasets.iterdir()] == [made.id]


def test_the_import_stays_when_the_recipe_fails(
    datasets: DatasetService, jobs: FakeJobs, tmp_path: Path
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("x")

    def work(payload: Any) -> dict[str, Any]:
        if "parent_dir" in payload:
            raise StudioError("step.nothing_left", "x")
        return worked(payload)

    jobs.effect = work
    with pytest.raises(StudioError):
        datasets.import_(ImportSpec(source=str(source)), recipe=Recipe(name="R", steps=[MASK]))
    (left,) = datasets.list()
    assert left.number == 1
