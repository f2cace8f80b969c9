"""Finds what a person named on the command line: by id, by name, or as the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from studio.domain.architectures import Architecture
from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion
from studio.domain.products import Matrix, Product
from studio.domain.recipes import Recipe
from studio.domain.runs import Run, RunState
from studio.errors import NotFoundError, StudioError
from studio.i18n import N_, _
from studio.protocol.events import Event
from studio.services.container import Services
from studio.services.demo import default_base
from studio.services.matrices import MatrixService
from studio.services.models import ModelService
from studio.services.recipes import read_recipe
from studio.words import listed

NEWEST = "newest"
DatasetName = Annotated[
    str,
    typer.Argument(
        metavar="DATASET", help=N_("Id or name of the data, or “newest”; “@2” behind it: its version 2.")
    ),
]
_ALL_RUNS = 1_000_000
Thing = TypeVar("Thing", DatasetVersion, Run, Product, Matrix)


def dataset(services: Services, wanted: str) -> DatasetVersion:
    """A dataset by id, name or ``newest``; with ``@N`` behind it, its version N.

    Raises NotFoundError ``dataset.unknown``, ``dataset.none``, ``version.unknown``.
    """
    datasets = services.datasets.list()
    if not datasets:
        raise NotFoundError(
            "dataset.none", _("There is no data in this workspace."),
            _("Import some first: {command}").format(command="studio import FILE"),
        )  # fmt: skip
    if (found := _dataset(services, datasets, wanted)) is not None:
        return found
    name, _at, number = wanted.rpartition("@")
    if name and number.isdecimal() and (newest := _dataset(services, datasets, name)) is not None:
        return version(services, newest, int(number))
    raise NotFoundError(
        "dataset.unknown", _("There is no data “{name}” in this workspace.").format(name=wanted),
        _("See what there is: {command}").format(command="studio data list"),
    )  # fmt: skip


def version(
    services: Services, dataset: DatasetVersion, number: int, *, replaced: bool = False
) -> DatasetVersion:
    """Version ``number`` of the dataset; with ``replaced`` also one that was undone and that redo does not reach.

    Raises NotFoundError ``version.unknown``.
    """
    others = services.versions.replaced(dataset.id) if replaced else []
    for found in [*services.versions.versions(dataset.id), *others]:
        if found.number == number:
            return found
    raise NotFoundError(
        "version.unknown", _("“{name}” has no version {number}.").format(name=dataset.name, number=number),
        _("See what there is: {command}").format(command=f"studio data versions {dataset.id}"),
    )  # fmt: skip


def recipe(services: Services, wanted: str) -> Recipe:
    """A recipe by name or id, or from a file. Raises StudioError."""
    path = Path(wanted).expanduser()
    if path.suffix.lower() == ".json" or path.is_file():
        return read_recipe(path)
    try:
        return services.recipes.get(wanted)
    except NotFoundError as problem:
        hint = _("See what there is: {command}").format(command="studio data recipe list")
        raise NotFoundError(problem.code, problem.message, hint) from problem


def run(services: Services, wanted: str, *, finished: bool = False) -> Run:
    """A run by id, name or ``newest`` (``finished``: the newest with a model). Raises NotFoundError."""
    runs = services.runs.list(limit=_ALL_RUNS)
    able = [run for run in runs if run.state is RunState.DONE] if finished else runs
    if wanted == NEWEST and not able:
        raise NotFoundError(
            "run.none", _("There is no such run in this workspace yet."),
            _("Train one first: {command}").format(command="studio train"),
        )  # fmt: skip
    found = able[0] if wanted == NEWEST else _named(runs, wanted) or _trial(services, wanted)
    if found is None:
        raise NotFoundError(
            "run.unknown", _("There is no run “{name}” in this workspace.").format(name=wanted),
            _("See what there is: {command}").format(command="studio runs list"),
        )  # fmt: skip
    return found


def _trial(services: Services, wanted: str) -> Run | None:
    """A run of a search by its id; they are in no list unless asked for."""
    return next((run for run in services.runs.list(limit=_ALL_RUNS, trials=True) if run.id == wanted), None)


def matrix(service: MatrixService, wanted: str | None) -> Matrix:
    """A matrix by id or name; None: the only one there is. Raises NotFoundError, StudioError."""
    matrices = service.list()
    if wanted is None:
        if len(matrices) == 1:
            return matrices[0]
        raise StudioError(
            "matrix.not_named", _("Say which matrix you mean."),
            _("See what there is: {command}").format(command="studio matrix list"),
        )  # fmt: skip
    found = _named(matrices, wanted)
    if found is None:
        raise NotFoundError(
            "matrix.unknown", _("There is no matrix “{name}” in this workspace.").format(name=wanted),
            _("See what there is: {command}").format(command="studio matrix list"),
        )  # fmt: skip
    return found


def product(matrices: Sequence[Matrix], wanted: str) -> Product:
    """A product of these matrices by id or name. Raises NotFoundError ``product.unknown``."""
    found = _named([product for matrix in matrices for product in matrix.products], wanted)
    if found is None:
        raise NotFoundError(
            "product.unknown", _("There is no product “{name}” in the matrix.").format(name=wanted),
            _("See what there is: {command}").format(command="studio matrix show"),
        )  # fmt: skip
    return found


def installed_base(
    models: ModelService, wanted: str | None, kind: Architecture = Architecture.LANGUAGE_MODEL
) -> BaseModelInfo:
    """A base model that is there already, by id, name or folder; None: the default of the kind. Raises StudioError."""
    if wanted is None:
        return default_base(models) if kind is Architecture.LANGUAGE_MODEL else models.first(kind)
    path = Path(wanted).expanduser()
    return models.get(str(path.absolute()) if path.is_dir() else wanted)


def base(
    models: ModelService, wanted: str | None, on_event: Callable[[Event], None], cancel: threading.Event,
    kind: Architecture = Architecture.LANGUAGE_MODEL,
) -> BaseModelInfo:  # fmt: skip
    """A base model by id, name, folder or GGUF file; the last two are taken in if they are new. Raises StudioError."""
    path = Path(wanted).expanduser() if wanted else None
    if path is not None and path.is_file():
        return models.register_gguf(path, on_event, cancel)
    known = {info.path for info in models.available()}
    if path is not None and path.is_dir() and str(path.absolute()) not in known:
        return models.register_folder(path)
    return installed_base(models, wanted, kind)


def _dataset(services: Services, datasets: Sequence[DatasetVersion], wanted: str) -> DatasetVersion | None:
    if wanted == NEWEST:
        return datasets[0]
    if (found := _named(datasets, wanted)) is not None:
        return found
    try:  # the id of an older version
        older = services.datasets.get(wanted)
    except NotFoundError:
        return None
    return None if older.deleted else older


def _named(things: Sequence[Thing], wanted: str) -> Thing | None:
    """The thing with this id, else the only one with this name. Raises StudioError when several have it."""
    by_id = [thing for thing in things if thing.id == wanted]
    found = by_id or [thing for thing in things if thing.name.casefold() == wanted.casefold()]
    if len(found) > 1:
        raise StudioError(
            "name.ambiguous", _("Several are called “{name}”.").format(name=wanted),
            _("Use one of these ids: {ids}").format(ids=listed(thing.id for thing in found)),
        )  # fmt: skip
    return found[0] if found else None
