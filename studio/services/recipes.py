"""Recipes: steps kept under a name, taken from a dataset's history, repeated on the next import, passed on as files."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from studio.domain.datasets import DatasetVersion
from studio.domain.ids import new_id
from studio.domain.recipes import REPEATABLE, AnyStep, FixStep, Recipe, RestoreStep
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.services.changes import ChangeBus, Changes
from studio.services.data_results import version_of
from studio.services.files import write_atomically
from studio.services.ports import DatasetRepository, RecipeRepository

MAX_FILE_BYTES = 4 * 2**20


class RecipeService:
    """The recipes of a workspace."""

    def __init__(self, repository: RecipeRepository, datasets: DatasetRepository, changes: ChangeBus) -> None:
        self._repository = repository
        self._datasets = datasets
        self._changes = changes

    def list(self) -> builtins.list[Recipe]:
        """All recipes, by name."""
        return self._repository.list()

    def get(self, name_or_id: str) -> Recipe:
        """A recipe by id or name. Raises NotFoundError ``recipe.unknown``."""
        found = self._find(name_or_id)
        if found is None:
            raise NotFoundError(
                "recipe.unknown", _("There is no recipe “{name}” in this workspace.").format(name=name_or_id),
                _("Choose one of those listed, or open a recipe file."),
            )  # fmt: skip
        return found

    def save(self, name: str, dataset_id: str) -> Recipe:
        """Keep the steps that led to this version, those that can be repeated, and what its columns are for.

        Raises StudioError ``recipe.no_name``, ``recipe.name_taken``, ``recipe.no_steps``.
        """
        name = self._free_name(name)
        version = version_of(self._datasets, dataset_id)
        steps = self.steps_of(version)
        if not steps:
            raise StudioError(
                "recipe.no_steps", _("Nothing was done to “{name}” that can be repeated.").format(name=version.name),
                _("Fix something first. Edits of single rows are not part of a recipe."),
            )  # fmt: skip
        return self._added(
            Recipe(name=name, steps=steps, roles=version.spec.roles or {}, shape=version.shape)
        )

    def rename(self, recipe_id: str, name: str) -> Changes:
        """Give a recipe another name. Raises StudioError ``recipe.no_name``, ``recipe.name_taken``."""
        recipe = self.get(recipe_id)
        self._repository.rename(recipe.id, self._free_name(name, recipe.id))
        return self._changes.publish(Changes.DATASETS)

    def delete(self, recipe_id: str) -> Changes:
        """Put a recipe into the bin."""
        self._repository.set_deleted(self.get(recipe_id).id, True)
        return self._changes.publish(Changes.DATASETS)

    def load_file(self, path: Path) -> Recipe:
        """Take a recipe file into the workspace; a name that is taken gets a number. Raises as read_recipe does."""
        recipe = read_recipe(path)
        names = {known.name.casefold(): known for known in self.list()}
        same = names.get(recipe.name.casefold())
        if same is not None and _meaning(same) == _meaning(recipe):
            return same
        candidates = [recipe.name, *(f"{recipe.name} {n}" for n in range(2, len(names) + 3))]
        free = next(name for name in candidates if name.casefold() not in names)
        return self._added(recipe.model_copy(update={"id": new_id(), "name": free}))

    def write_file(self, recipe: Recipe, path: Path) -> Path:
        """Write a recipe for another workspace or computer; folders of this computer are left out.

        Raises StudioError ``recipe.not_written``.
        """
        plain = recipe.model_copy(update={"steps": [_without_folder(step) for step in recipe.steps]})
        try:
            write_atomically(path, plain.model_dump_json(indent=1) + "\n")
        except OSError as problem:
            raise StudioError(
                "recipe.not_written", _("The recipe could not be written to {path}.").format(path=path),
                _("Check that the folder is there and that you may write in it."),
            ) from problem  # fmt: skip
        return path

    def steps_of(self, version: DatasetVersion) -> builtins.list[AnyStep]:
        """The repeatable steps from the import to this version, in order; what a restore took back is left out."""
        steps: builtins.list[AnyStep] = []
        at: DatasetVersion | None = version
        while at is not None:
            back_to: str | None = at.parent_id
            for outcome in reversed(at.made_by):
                if isinstance(outcome.step, RestoreStep):
                    back_to = outcome.step.version_id
                    break
                if isinstance(outcome.step, REPEATABLE):
                    steps.append(outcome.step)
            at = self._datasets.get(back_to) if back_to else None
        return steps[::-1]

    def _free_name(self, name: str, own_id: str = "") -> str:
        """The name without spaces around it, which no other recipe has."""
        name = name.strip()
        if not name:
            raise StudioError("recipe.no_name", _("The recipe has no name."), _("Type a name."))
        others = (recipe.name.casefold() for recipe in self.list() if recipe.id != own_id)
        if name.casefold() in others:
            raise StudioError(
                "recipe.name_taken", _("There is a recipe “{name}” already.").format(name=name),
                _("Choose another name, or delete that recipe first."),
            )  # fmt: skip
        return name

    def _find(self, name_or_id: str) -> Recipe | None:
        recipes = self.list()
        by_id = [recipe for recipe in recipes if recipe.id == name_or_id]
        by_name = [recipe for recipe in recipes if recipe.name.casefold() == name_or_id.strip().casefold()]
        return next(iter([*by_id, *by_name]), None)

    def _added(self, recipe: Recipe) -> Recipe:
        self._repository.add(recipe)
        self._changes.publish(Changes.DATASETS)
        return recipe


def _meaning(recipe: Recipe) -> dict[str, object]:
    """All of a recipe but whose it is."""
    return recipe.model_dump(include={"steps", "roles", "shape"})


def read_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file, which is not kept.

    Raises NotFoundError ``recipe.no_file``; StudioError ``recipe.not_a_recipe`` with the place that is wrong.
    """
    try:
        size = path.stat().st_size
        text = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as problem:
        raise NotFoundError(
            "recipe.no_file", _("The recipe file {path} cannot be read.").format(path=path.name),
            _("Choose the file again."),
        ) from problem  # fmt: skip
    try:
        recipe = Recipe.model_validate_json(text)
    except ValidationError as problem:
        raise _not_a_recipe(path, _where(problem)) from problem
    wrong = [step.type for step in recipe.steps if not isinstance(step, REPEATABLE)]
    if wrong:
        place = _("a step of the kind “{kind}” cannot be repeated").format(kind=wrong[0])
        raise _not_a_recipe(path, place)
    return recipe


def steps_here(recipe: Recipe, tokenizer_dir: str | None) -> list[AnyStep]:
    """The recipe's steps for this computer: limits in tokens are counted by a tokenizer that is here."""
    return [_counted_by(step, tokenizer_dir) for step in recipe.steps]


def _counted_by(step: AnyStep, tokenizer_dir: str | None) -> AnyStep:
    if not isinstance(step, FixStep) or (step.min_tokens is None and step.max_tokens is None):
        return step
    if step.tokenizer_dir is not None and (Path(step.tokenizer_dir) / "tokenizer.json").is_file():
        return step
    return step.model_copy(update={"tokenizer_dir": tokenizer_dir})


def _without_folder(step: AnyStep) -> AnyStep:
    return step.model_copy(update={"tokenizer_dir": None}) if isinstance(step, FixStep) else step


def _where(problem: ValidationError) -> str:
    """The first thing that is wrong, as a short phrase: the place in the file, and why."""
    first = problem.errors()[0]
    if first["type"] == "json_invalid":
        return _("it is not JSON")
    loc: Sequence[int | str] = first["loc"]
    place = ".".join(str(part) for part in loc)
    return _("{place}: {reason}").format(place=place, reason=first["msg"]) if place else str(first["msg"])


def _not_a_recipe(path: Path, reason: str) -> StudioError:
    return StudioError(
        "recipe.not_a_recipe", _("{path} is not a recipe: {reason}.").format(path=path.name, reason=reason),
        _("Choose a file that the studio wrote as a recipe."),
    )  # fmt: skip
