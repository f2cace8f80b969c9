"""Real matrix and dataset services over small in-memory ports, for tests of the pages that use them."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.domain.datasets import (
    DatasetVersion,
    ImportSpec,
    RejectedRow,
    SourcePreview,
    Split,
    TokenStats,
)
from studio.domain.products import Matrix, Product, SynergyLink
from studio.domain.recipes import Recipe
from studio.domain.runs import Run, RunPlan, RunState, RunSummary
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.specs import TrainSpec
from studio.domain.verdicts import NextStep, Verdict, VerdictKind
from studio.errors import StudioError
from studio.paths import WorkspacePaths
from studio.protocol.events import Event, Finished, Phase, Progress
from studio.services.changes import ChangeBus
from studio.services.children import JobCancelled
from studio.services.data_doctor import DataDoctorService
from studio.services.data_versions import DataVersionService
from studio.services.datasets import DatasetService
from studio.services.drafts import DraftService
from studio.services.matrices import MatrixService
from studio.services.ports import RunJob
from studio.services.recipes import RecipeService
from studio.services.settings import SettingsService


class MemoryMatrices:
    """MatrixRepository in memory."""

    def __init__(self) -> None:
        self._matrices: dict[str, Matrix] = {}
        self._samples: dict[str, str] = {}
        self._deleted: set[str] = set()
        self._bin: dict[str, tuple[str, Product]] = {}

    def list(self) -> list[Matrix]:
        return [self._visible(each) for each in self._matrices.values() if each.id not in self._deleted]

    def get(self, matrix_id: str) -> Matrix | None:
        matrix = self._matrices.get(matrix_id)
        return self._visible(matrix) if matrix else None

    def sample(self, language: str) -> Matrix | None:
        return self._matrices.get(self._samples.get(language, ""))

    def add(self, matrix: Matrix, sample_language: str = "") -> None:
        self._matrices[matrix.id] = matrix
        if sample_language:
            self._samples[sample_language] = matrix.id

    def update(self, matrix: Matrix) -> None:
        self._matrices[matrix.id] = replace(self._matrices[matrix.id], name=matrix.name)

    def set_deleted(self, matrix_id: str, deleted: bool) -> None:
        (self._deleted.add if deleted else self._deleted.discard)(matrix_id)

    def save_product(self, matrix_id: str, product: Product) -> None:
        self._matrices[matrix_id] = self._matrices[matrix_id].with_product(product)

    def set_product_deleted(self, product_id: str, deleted: bool) -> None:
        if not deleted:
            matrix_id, product = self._bin.pop(product_id)
            self.save_product(matrix_id, product)
            return
        for matrix in list(self._matrices.values()):
            for product in matrix.products:
                if product.id == product_id:
                    self._bin[product_id] = (matrix.id, product)
                    kept = tuple(each for each in matrix.products if each.id != product_id)
                    self._matrices[matrix.id] = replace(matrix, products=kept)

    def deleted_products(self, matrix_id: str) -> list[Product]:  # type: ignore[valid-type]
        return [product for home, product in self._bin.values() if home == matrix_id]

    def save_link(self, matrix_id: str, link: SynergyLink) -> None:
        self._matrices[matrix_id] = self._matrices[matrix_id].with_link(link)

    def remove_link(self, link_id: str) -> None:
        for matrix in list(self._matrices.values()):
            kept = tuple(link for link in matrix.links if link.id != link_id)
            self._matrices[matrix.id] = replace(matrix, links=kept)

    def matrix_of(self, product_id: str) -> Matrix | None:
        for matrix in self._matrices.values():
            if any(product.id == product_id for product in matrix.products):
                return matrix
        return None

    def _visible(self, matrix: Matrix) -> Matrix:
        ids = {product.id for product in matrix.products}
        links = tuple(link for link in matrix.links if {link.source_id, link.target_id} <= ids)
        return replace(matrix, links=links)


class MemoryDatasets:
    """DatasetRepository in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, DatasetVersion] = {}
        self.undone: set[str] = set()

    def add(self, dataset: DatasetVersion) -> None:
        self.stored[dataset.id] = dataset

    def get(self, dataset_id: str) -> DatasetVersion | None:
        return self.stored.get(dataset_id)

    def list(self, include_deleted: bool = False) -> list[DatasetVersion]:
        newest = [each for each in reversed(self.stored.values()) if self.family(each.id)[:1] == [each]]
        return [each for each in newest if include_deleted or not each.deleted]

    def family(self, dataset_id: str, include_undone: bool = False) -> list[DatasetVersion]:
        family = self.stored[dataset_id].family_id
        found = [each for each in self.stored.values() if each.family_id == family]
        chosen = [each for each in found if include_undone or each.id not in self.undone]
        return sorted(chosen, key=lambda each: -each.number)

    def set_deleted(self, dataset_id: str, deleted: bool) -> None:
        for each in self.family(dataset_id, include_undone=True):
            self.stored[each.id] = each.model_copy(update={"deleted": deleted})

    def set_undone(self, dataset_id: str, undone: bool) -> None:
        (self.undone.add if undone else self.undone.discard)(dataset_id)

    def set_licence(self, dataset_id: str, licence: str) -> None:
        for each in self.family(dataset_id, include_undone=True):
            self.stored[each.id] = each.with_licence(licence)


class MemoryRecipes:
    """RecipeRepository in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, Recipe] = {}

    def add(self, recipe: Recipe) -> None:
        self.stored[recipe.id] = recipe

    def list(self) -> list[Recipe]:
        return sorted(self.stored.values(), key=lambda recipe: recipe.name)

    def rename(self, recipe_id: str, name: str) -> None:
        self.stored[recipe_id] = self.stored[recipe_id].model_copy(update={"name": name})

    def set_deleted(self, recipe_id: str, deleted: bool) -> None:
        self.stored.pop(recipe_id, None)


class MemoryRuns:
    """The part of RunRepository that matrices ask."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}  # by product
        self.verdicts: dict[str, Verdict] = {}  # by run

    def latest(self, product_id: str) -> Run | None:
        return self.runs.get(product_id)

    def verdict(self, run_id: str) -> Verdict | None:
        return self.verdicts.get(run_id)


class NumberedPages:
    """RowPages whose cells say which row they are; remembers what was asked, and by which thread."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.threads: set[int] = set()
        self.problem: StudioError | None = None

    def columns(self, dataset_dir: Path) -> list[str]:
        return ["row", "key", "split", "prompt", "response"]

    def page(self, dataset_dir: Path, offset: int, limit: int) -> list[dict[str, str]]:
        self.asked.append((offset, limit))
        self.threads.add(threading.get_ident())
        if self.problem is not None:
            raise self.problem
        return [
            {"row": str(n + 1), "key": f"{n:x}", "split": "train", "prompt": f"q{n}", "response": f"a{n}"}
            for n in range(offset, offset + limit)
        ]

    def rows(self, dataset_dir: Path, numbers: Sequence[int]) -> list[dict[str, str]]:
        return [self.page(dataset_dir, number - 1, 1)[0] for number in numbers]

    def find(
        self, dataset_dir: Path, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200
    ) -> list[int]:
        return []


class CsvJob:
    """RunJob that reads a CSV file itself; ``gate`` holds an import back until it is set or cancelled."""

    def __init__(self) -> None:
        self.gate: threading.Event | None = None
        self.specs: list[ImportSpec] = []

    def __call__(
        self,
        args: Sequence[str],
        payload: Any = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        timeout_s: float | None = None,
    ) -> Finished:
        spec = ImportSpec.model_validate(payload["spec"])
        if Path(spec.source).suffix != ".csv":
            raise StudioError("dataset.unknown_format", "This kind of file is not known.", "Save it as CSV.")
        if args == ["preview-source"]:
            return Finished(result=_preview(spec).model_dump(mode="json"))
        self.specs.append(spec)
        if on_event is not None:
            on_event(Phase(name="reading"))
            on_event(Progress(phase="reading", done=1, total=4, rate=2.0, eta_s=1.5))
        patience = time.monotonic() + 10  # a failing test must not hang the run
        while self.gate is not None and not self.gate.wait(0.005) and time.monotonic() < patience:
            if cancel is not None and cancel.is_set():
                raise JobCancelled
        return Finished(
            result=dataset(name=spec.name, spec=spec, id=payload["dataset_id"]).model_dump(mode="json")
        )


def _preview(spec: ImportSpec) -> SourcePreview:
    with open(spec.source, encoding=spec.encoding or "utf-8", newline="") as file:
        head, *rows = list(csv.reader(file, delimiter=spec.delimiter or ","))
    guess = {"question": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE}
    return SourcePreview(
        format="csv", encoding=spec.encoding or "utf-8", delimiter=spec.delimiter or ",", columns=head,
        rows=rows[:50], shape=Shape.PROMPT_RESPONSE,
        roles={name: guess.get(name, ColumnRole.IGNORE) for name in head},
        reason="Columns “question” and “answer” look like questions and answers.",
    )  # fmt: skip


def dataset(**fields: Any) -> DatasetVersion:
    """A dataset of 1,000 rows with everything measured."""
    rows = fields.pop("rows", 1000)
    known: dict[str, Any] = {
        "name": "Shop questions", "shape": Shape.PROMPT_RESPONSE, "source_path": "/data/shop.csv",
        "source_bytes": 182_400, "source_sha256": "0" * 64, "rows": rows, "rejected": 3,
        "splits": {
            Split.TRAIN: rows * 8 // 10, Split.VALIDATION: rows // 10,
            Split.TEST: rows - rows * 8 // 10 - rows // 10,
        },
        "languages": {"en": 0.82, "zh": 0.18},
        "tokens": TokenStats(tokenizer="smollm2", total=84_210, mean=84.2, p50=71, p95=180, longest=412),
        "content_sha256": "ab" * 32, "spec": ImportSpec(source="/data/shop.csv"), "seconds": 1.4,
    }  # fmt: skip
    return DatasetVersion(**{**known, **fields})


def finished_run(product_id: str, name: str = "Run 1", state: RunState = RunState.DONE) -> Run:
    """A run that took an hour and answered 20 tokens/s."""
    plan = RunPlan(
        name=name, base_dir="/base", base_name="SmolLM2", dataset_id="d", dataset_dir="/d", dataset_sha256="0",
        dataset_name="Shop questions", shape=Shape.PROMPT_RESPONSE, spec=TrainSpec(),
    )  # fmt: skip
    done = state is RunState.DONE
    summary = RunSummary(
        steps=300, seconds=3600, real_tokens=800_000, tokens_per_s=222, peak_memory_bytes=2**31, best_step=300,
        best_eval_loss=1.2, base_value=1.9, tuned_value=1.2, model_path="model", model_sha256="0",
        model_bytes=10**7, parameters=134_515_008, trainable=900_000, answer_tokens_per_s=20.0,
        answer_tokens_mean=60.0,
    )  # fmt: skip
    when = datetime(2026, 11, 20, tzinfo=UTC)
    return Run(
        plan=plan, state=state, product_id=product_id, step=120, total_steps=300,
        summary=summary if done else None, started_at=when, ended_at=when if done else None,
    )  # fmt: skip


def verdict(kind: VerdictKind = VerdictKind.BETTER) -> Verdict:
    """A firm verdict."""
    sign = 1 if kind is VerdictKind.WORSE else -1
    return Verdict(
        kind=kind, base_value=1.9, tuned_value=1.9 + 0.7 * sign, base_perplexity=6.7, tuned_perplexity=3.3,
        difference=0.7 * sign, ci_low=sign * 0.7 - 0.1, ci_high=sign * 0.7 + 0.1, rows=100, tokens=8_000,
        split="test", overfitting=False, best_step=300, last_step=300, next_step=NextStep.TRY_AND_COLLECT,
    )  # fmt: skip


class Workspace:
    """The two services with their ports at hand."""

    def __init__(self, root: Path) -> None:
        self.bus = ChangeBus()
        self.paths = WorkspacePaths(root / "workspace")
        self.paths.create()
        self.settings = SettingsService(root / "settings.json", self.bus)
        self.matrix_store, self.dataset_store, self.run_store = (
            MemoryMatrices(),
            MemoryDatasets(),
            MemoryRuns(),
        )
        self.pages, self.job = NumberedPages(), CsvJob()
        self.matrices = MatrixService(
            self.matrix_store, self.dataset_store, self.run_store, self.settings, self.bus,  # type: ignore[arg-type]
        )  # fmt: skip
        self.recipe_store = MemoryRecipes()
        self.use_job(self.job)

    def use_job(self, job: RunJob) -> None:
        """Wire the data services around another job runner."""
        store, paths, bus = self.dataset_store, self.paths, self.bus
        self.versions = DataVersionService(store, paths, bus, job)
        self.datasets = DatasetService(store, self.pages, paths, bus, job, versions=self.versions)
        self.drafts = DraftService(self.versions, paths, bus)
        self.data_doctor = DataDoctorService(store, paths, bus, job, self.versions)
        self.recipes = RecipeService(self.recipe_store, store, bus)

    def services(self) -> dict[str, Any]:
        """Keyword arguments for the context fixture."""
        return {
            "changes": self.bus, "settings": self.settings, "paths": self.paths,
            "matrices": self.matrices, "datasets": self.datasets, "versions": self.versions, "drafts": self.drafts,
            "data_doctor": self.data_doctor, "recipes": self.recipes,
        }  # fmt: skip

    def add_dataset(self, **fields: Any) -> DatasetVersion:
        """Store a dataset, with its put-aside rows on disk."""
        made = dataset(**fields)
        self.dataset_store.add(made)
        folder = self.paths.dataset(made.id)
        folder.mkdir(parents=True)
        lines = [
            RejectedRow(
                row=n + 7, code="row.empty_answer", reason="The answer is empty.", excerpt=f"Where is {n}?"
            )
            for n in range(made.rejected)
        ]
        text = "".join(line.model_dump_json() + "\n" for line in lines)
        (folder / "rejected.jsonl").write_text(text, encoding="utf-8")
        return made
