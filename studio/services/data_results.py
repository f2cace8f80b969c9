"""What workers give and leave, as domain objects; whatever cannot be read is refused in words, or not there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from studio.domain.datasets import DatasetVersion
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.services.ports import DatasetRepository

Result = TypeVar("Result", bound=BaseModel)


def version_of(repository: DatasetRepository, dataset_id: str) -> DatasetVersion:
    """One dataset version. Raises NotFoundError ``dataset.unknown``."""
    dataset = repository.get(dataset_id)
    if dataset is None:
        raise NotFoundError("dataset.unknown", _("This data is not in the workspace any more."))
    return dataset


def read_result(model: type[Result], result: Mapping[str, Any]) -> Result:
    """A worker's result as this model. Raises StudioError ``dataset.bad_result``."""
    try:
        return model.model_validate(result)
    except ValidationError as problem:
        raise unreadable() from problem


def read_kept(model: type[Result], path: Path) -> Result | None:
    """A file that a worker left beside the rows; None when it is missing, damaged, or of another program version."""
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def unreadable() -> StudioError:
    """The refusal of a result that is not one."""
    return StudioError(
        "dataset.bad_result",
        _("The work on the data ended with a result that cannot be read."),
        _("Try again."),
    )
