"""Datasets with real rows in memory, and jobs that do on them what the children do, for tests of a dataset on show."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from studio.domain.datasets import DatasetVersion, RowChange, Split, VersionDiff
from studio.domain.findings import Example
from studio.domain.recipes import EditStep, ReplaceStep, RestoreStep, StepOutcome, StepPreview
from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics, Histogram, Vocabulary
from studio.protocol.events import Event, Finished, Phase, Progress
from studio.services.data_exports import DataExportService
from studio.services.ports import DatasetFacts
from tests.helpers.data_jobs import DataJob, _steps
from tests.helpers.matrix_data import Workspace

Row = dict[str, str]


class RowsInMemory:
    """RowPages over lists; the folder's name is the dataset's id."""

    def __init__(self) -> None:
        self.rows_of: dict[str, list[Row]] = {}
        self.asked: list[tuple[int, int]] = []

    def columns(self, dataset_dir: Path) -> list[str]:
        rows = self.rows_of[dataset_dir.name]
        return list(rows[0]) if rows else ["row", "split"]

    def page(self, dataset_dir: Path, offset: int, limit: int, split: Split | None = None) -> list[Row]:
        self.asked.append((offset, limit))
        rows = [row for row in self.rows_of[dataset_dir.name] if split is None or row["split"] == split]
        return rows[offset : offset + limit]

    def rows(self, dataset_dir: Path, numbers: Sequence[int]) -> list[Row]:
        by_number = {int(row["row"]): row for row in self.rows_of[dataset_dir.name]}
        return [by_number[number] for number in numbers if number in by_number]

    def find(
        self, dataset_dir: Path, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200
    ) -> list[int]:
        hits = [
            int(row["row"])
            for row in self.rows_of[dataset_dir.name]
            if any(text in cell for name, cell in row.items() if name not in ("row", "split"))
        ]
        return hits[offset : offset + limit]


class ShownJob(DataJob):
    """``basis`` and ``order`` answer how rows are to be labelled; ``statistics`` what is measured."""

    def __init__(self, workspace: ShownWorkspace) -> None:
        super().__init__(workspace)
        self.shown = workspace
        self.tried: list[Any] = []
        self.exported: list[dict[str, Any]] = []
        self.basis, self.order = "order", [1, 2, 3]
        self.measured = 0
        self.compared: list[dict[str, Any]] = []

    def __call__(
        self,
        args: Sequence[str],
        payload: Any = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        timeout_s: float | None = None,
    ) -> Finished:
        hear = on_event or (lambda _event: None)
        match args[0]:
            case "derive":
                super().__call__(args, payload, on_event, cancel, timeout_s)
                return Finished(result=self._derived(payload))
            case "try-step":
                return Finished(result=self._tried(payload))
            case "compare-versions":
                return Finished(result=self._compared(payload))
            case "measure-data":
                self.measured += 1
                hear(Phase(name="measuring"))
                hear(Progress(phase="measuring", done=1, total=4))
                self._wait(cancel)
                return Finished(result=statistics(Path(payload["dataset_dir"]).name))
            case "order-labels":
                return Finished(result={"rows": self.order, "basis": self.basis, "labelled": 1})
            case "export-data":
                self.exported.append(payload)
                hear(Progress(phase="writing", done=1, total=2, rate=1.0, eta_s=1))
                self._wait(cancel)
                Path(payload["out"]).write_text("text\n", encoding="utf-8")
                return Finished(result={"path": payload["out"], "rows": 1, "size_bytes": 5})
        return super().__call__(args, payload, on_event, cancel, timeout_s)

    def _derived(self, payload: dict[str, Any]) -> dict[str, Any]:
        parent = self._workspace.dataset_store.stored[Path(payload["parent_dir"]).name]
        rows, outcomes = [dict(row) for row in self.shown.memory.rows_of[parent.id]], []
        for step in _steps.validate_json(json.dumps(payload["steps"])):
            before = len(rows)
            if isinstance(step, RestoreStep):
                rows = [dict(row) for row in self.shown.memory.rows_of[step.version_id]]
            elif isinstance(step, EditStep):
                rows = _edited(rows, step)
            elif isinstance(step, ReplaceStep):
                rows = [{k: _replaced(k, v, step) for k, v in row.items()} for row in rows]
            outcomes.append(
                StepOutcome(
                    step=step,
                    rows_before=before,
                    rows_after=len(rows),
                    changed=len(getattr(step, "cells", ())),
                )
            )
        made = self.shown.version(payload["dataset_id"], parent, rows)
        changes = {
            "number": payload["number"],
            "note": payload["note"],
            "parent_id": parent.id,
            "made_by": outcomes,
        }
        return made.model_copy(update=changes).model_dump(mode="json")

    def _tried(self, payload: dict[str, Any]) -> dict[str, Any]:
        (step,) = _steps.validate_json(json.dumps([payload["step"]]))
        self.tried.append(step)
        rows = self.shown.memory.rows_of[Path(payload["dataset_dir"]).name]
        if not isinstance(step, ReplaceStep):
            return StepPreview(changed=2, added=0, removed=0, of=len(rows)).model_dump(mode="json")
        changed = [
            Example(row=int(row["row"]), column=name, before=cell, after=_replaced(name, cell, step))
            for row in rows
            for name, cell in row.items()
            if _replaced(name, cell, step) != cell
        ]
        return StepPreview(changed=len(changed), added=0, removed=0, examples=changed[:3]).model_dump(
            mode="json"
        )

    def _compared(self, payload: dict[str, Any]) -> dict[str, Any]:
        old, new = (
            {int(row["row"]): row for row in self.shown.memory.rows_of[Path(payload[name]).name]}
            for name in ("older_dir", "newer_dir")
        )
        changes = [
            RowChange(row=number, before=old.get(number), after=new.get(number))
            for number in sorted(set(old) | set(new))
            if old.get(number) != new.get(number)
        ]
        self.compared.append(payload)
        wanted = [each for each in changes if payload["only"] in (None, _kind_of(each))]
        page = wanted[payload["offset"] : payload["offset"] + payload["limit"]]
        return VersionDiff(
            added=sum(each.before is None for each in changes), removed=sum(each.after is None for each in changes),
            changed=sum(each.before is not None and each.after is not None for each in changes), moved=0, rows=page,
        ).model_dump(mode="json")  # fmt: skip


def _kind_of(change: RowChange) -> str:
    return "added" if change.before is None else "removed" if change.after is None else "changed"


class ShownWorkspace(Workspace):
    """A workspace whose datasets hold the rows that a test gives them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.memory = RowsInMemory()
        self.pages = self.memory  # type: ignore[assignment]
        self.shown_job = ShownJob(self)
        self.use_job(self.shown_job)
        self.exports = DataExportService(
            self.dataset_store,
            self.paths,
            self.shown_job,
            self.versions,
            self.data_doctor,
            card,
        )

    def services(self) -> dict[str, Any]:
        return super().services() | {"data_exports": self.exports}

    def add_rows(self, shape: Shape, rows: list[Row], **fields: Any) -> DatasetVersion:
        """Store a dataset of these rows; row number and split are filled in."""
        filled = [{"row": str(n), "split": "train", **row} for n, row in enumerate(rows, 1)]
        counts: dict[str, int] = {}
        for row in filled:
            if "label" in row:
                counts[row["label"]] = counts.get(row["label"], 0) + 1
        made = self.add_dataset(
            shape=shape, rows=len(rows), rejected=0, labels=counts,
            splits={split: sum(row["split"] == split for row in filled) for split in Split}, **fields,
        )  # fmt: skip
        self.memory.rows_of[made.id] = filled
        return made

    def version(self, dataset_id: str, parent: DatasetVersion, rows: list[Row]) -> DatasetVersion:
        """Keep rows under an id, as a version of the parent's family."""
        self.memory.rows_of[dataset_id] = rows
        return parent.model_copy(update={"id": dataset_id, "rows": len(rows)})


def card(facts: DatasetFacts) -> str:
    """A short dataset card."""
    head = f"# {facts.dataset.name}\n\n{facts.dataset.rows} rows. {facts.dataset.spec.licence}\n"
    return head + "\n| Part | Rows |\n| --- | --- |\n| Training | 1 |\n"


def statistics(dataset_id: str) -> dict[str, Any]:
    """Figures with something to say in every card."""
    lengths = Histogram(
        column="text", unit="tokens", edges=[0, 10, 20, 40], counts=[5, 3, 1], p50=8, p95=20, longest=400
    )
    return DatasetStatistics(
        dataset_id=dataset_id, rows=9, splits={"train": 7, "validation": 1, "test": 1}, lengths=[lengths],
        labels={"Refund": {"train": 6, "test": 1}, "Other": {"train": 1, "validation": 1}, "": {"train": 3}},
        languages={"en": 0.7, "zh": 0.3}, duplicates=2,
        vocabulary=Vocabulary(distinct=500, size=49_000, bytes_share=0.3, characters_per_token=2.1),
        examples={"train": [{"row": "1", "text": "Where is my parcel?", "label": "Refund"}]}, estimated=True,
    ).model_dump(mode="json")  # fmt: skip


def _edited(rows: list[Row], step: EditStep) -> list[Row]:
    kept = [row for row in rows if int(row["row"]) not in step.removed]
    for row in kept:
        row |= {name: text or "" for name, text in step.cells.get(int(row["row"]), {}).items()}
    last = max((int(row["row"]) for row in rows), default=0)
    for number, cells in enumerate(step.added, last + 1):
        names = [name for name in rows[0] if name not in ("row", "split")]
        kept.append({"row": str(number), "split": "train"} | {name: cells.get(name) or "" for name in names})
    return kept


def _replaced(name: str, cell: str, step: ReplaceStep) -> str:
    if name in ("row", "split") or (step.columns and name not in step.columns):
        return cell
    return cell.replace(step.find, step.replacement)
