"""A derive job that keeps the books as the real one does, over rows that nobody reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from studio.domain.datasets import DatasetVersion, ImportSpec
from studio.domain.recipes import AnyStep, StepOutcome
from tests.helpers import builders

_steps: TypeAdapter[list[AnyStep]] = TypeAdapter(list[AnyStep])


def worked(payload: Any) -> dict[str, Any]:
    """What the import or derive worker would give and leave behind."""
    folder = Path(payload["out_dir"])
    made = _derived(payload) if "parent_dir" in payload else _imported(payload)
    builders.write_rows(folder)
    (folder / "manifest.json").write_text(made.model_dump_json())
    return made.model_dump(mode="json")


def _imported(payload: Any) -> DatasetVersion:
    spec = ImportSpec.model_validate(payload["spec"])
    return builders.dataset(
        id=payload["dataset_id"], spec=spec, source_path=spec.source, name=spec.name or "Data",
        content_sha256=payload["dataset_id"].ljust(64, "0"),
    )  # fmt: skip


def _derived(payload: Any) -> DatasetVersion:
    parent = DatasetVersion.model_validate_json((Path(payload["parent_dir"]) / "manifest.json").read_bytes())
    outcomes = [
        StepOutcome(step=step, rows_before=parent.rows, rows_after=parent.rows, changed=1)
        for step in _steps.validate_json(json.dumps(payload["steps"]))
    ]
    changes = {
        "id": payload["dataset_id"], "number": payload["number"], "note": payload["note"], "parent_id": parent.id,
        "made_by": outcomes, "content_sha256": payload["dataset_id"].ljust(64, "0"),
    }  # fmt: skip
    return parent.model_copy(update=changes)
