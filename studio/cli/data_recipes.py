"""``studio data recipe``: steps kept under a name, to be repeated by ``studio import --recipe``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.verbs import Verbs
from studio.domain.recipes import Recipe
from studio.i18n import N_, _, ngettext
from studio.words_versions import step_words

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help=N_("Name or id of the recipe."))]


def add_to(group: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    recipes = verbs.group(group, "recipe", _("Steps that are kept, to be repeated on other data."))
    verbs.add(recipes, list_, "list", _("List the recipes."))
    verbs.add(recipes, save, "save", _("Keep what was done to a dataset as a recipe."))
    verbs.add(recipes, show, "show", _("Show the steps of a recipe."))
    verbs.add(recipes, rename, "rename", _("Give a recipe another name."))
    verbs.add(recipes, export, "export", _("Write a recipe into a file."))
    verbs.add(recipes, import_, "import", _("Take a recipe from a file."))
    verbs.add(recipes, delete, "delete", _("Put a recipe into the bin."))


def list_(call: Call) -> Answer:
    """All recipes."""
    with call.reading() as services:
        recipes = services.recipes.list()
    rows = [(r.id, r.name, len(r.steps), words.local_time(r.created_at)) for r in recipes]
    call.out.table([_("Id"), _("Name"), _("Steps"), _("Made")], rows, whole=1)
    return Answer({"recipes": [recipe.model_dump(mode="json") for recipe in recipes]})


def save(
    call: Call,
    name: Annotated[str, typer.Argument(help=_("Name of the recipe."))],
    dataset: pick.DatasetName = pick.NEWEST,
) -> Answer:
    """The repeatable steps of a dataset's history."""
    with call.writing() as services:
        recipe = services.recipes.save(name, pick.dataset(services, dataset).id)
    return _told(call, recipe)


def show(call: Call, recipe: RecipeName) -> Answer:
    """One recipe with its steps."""
    with call.reading() as services:
        return _told(call, pick.recipe(services, recipe))


def rename(
    call: Call, recipe: RecipeName, name: Annotated[str, typer.Argument(help=_("Its new name."))]
) -> Answer:
    """One recipe under another name."""
    with call.writing() as services:
        found = services.recipes.get(recipe)
        services.recipes.rename(found.id, name)
        return _told(call, services.recipes.get(found.id))


def export(
    call: Call, recipe: RecipeName, out: Annotated[Path, typer.Option(help=_("File to write."))]
) -> Answer:
    """One recipe as a JSON file."""
    with call.reading() as services:
        found = pick.recipe(services, recipe)
        path = services.recipes.write_file(found, out.expanduser().absolute())
    call.out.say(_("Written: {path}").format(path=path))
    return Answer({"recipe_id": found.id, "path": str(path)})


def import_(
    call: Call, file: Annotated[Path, typer.Argument(readable=False, help=_("Recipe file to read."))]
) -> Answer:
    """One recipe from a JSON file."""
    with call.writing() as services:
        return _told(call, services.recipes.load_file(file.expanduser().absolute()))


def delete(call: Call, recipe: RecipeName) -> Answer:
    """One recipe into the bin."""
    with call.writing() as services:
        found = services.recipes.get(recipe)
        services.recipes.delete(found.id)
    call.out.say(_("“{name}” is in the bin.").format(name=found.name))
    return Answer({"recipe_id": found.id})


def _told(call: Call, recipe: Recipe) -> Answer:
    count = len(recipe.steps)
    steps = ngettext("{n} step", "{n} steps", count).format(n=count)
    call.out.say(f"{recipe.name} · {steps} · {recipe.id}")
    for step in recipe.steps:
        call.out.say(f"  {step_words(step)}")
    return Answer(recipe.model_dump(mode="json"))
