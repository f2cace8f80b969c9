"""One sitting of labelling: which row is next, what it holds, and how fast it goes. Labels go to the draft at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.domain.datasets import DatasetVersion
from studio.domain.shapes import Shape
from studio.gui.models.cells import label_column, labels_of, labels_text
from studio.gui.tasks import Task, TaskRunner
from studio.services.data_versions import LabelOrder
from studio.services.drafts import Draft

if TYPE_CHECKING:
    from studio.bootstrap import Services

AHEAD = 30  # rows read before they are needed
REVIEWED_AT_ONCE = 500  # rows looked through for labelled ones at a time
ORDER_AGAIN_AFTER = 20  # labels after which the order is asked for anew
_PAUSE_S = 60.0  # whoever thinks longer than this made a pause, which does not count as work
_MEASURED = 30


class LabelSession(QObject):
    """changed: another row, label or order is to be shown. failed: Exception of a row or order that did not come."""

    changed = Signal()
    failed = Signal(object)

    def __init__(
        self,
        services: Services,
        tasks: TaskRunner,
        dataset: DatasetVersion,
        draft: Draft,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        column = label_column(dataset.shape)
        assert column is not None, "only labelled shapes are labelled"
        self._services, self._tasks, self._draft, self._clock = services, tasks, draft, clock
        self.dataset, self.column = dataset, column
        self.several = dataset.shape is Shape.TEXT_LABELS
        self.labels = [name for name in dataset.labels if name]
        self.queue: list[int] = []
        self.at = 0
        self.basis = ""
        self.loading = True
        self.reviewing = False  # rows that have a label are gone through once more
        self._looked_through = 0  # rows of the dataset, in its order, while reviewing
        self.labelled = 0  # rows with a label when the order was asked for
        self._cells: dict[int, dict[str, str]] = {}
        self._asked: Task | None = None
        self._ordering: Task | None = None
        self._steps: list[tuple[int, int]] = []  # (place, row) of each label given, for undo
        self._fresh: set[int] = set()  # rows that got their first label since the order was asked for
        self._stamps: deque[float] = deque(maxlen=_MEASURED)

    def start(self) -> None:
        """Ask for the order; ``changed`` follows."""
        self._order()

    def stop(self) -> None:
        """Want nothing more."""
        for task in (self._asked, self._ordering):
            if task is not None:
                task.abandon()
        self._asked = self._ordering = None

    def review(self) -> None:
        """Go through the rows that have a label, in the order of the dataset; ``changed`` follows."""
        self.stop()
        self.reviewing, self.loading = True, True
        self._looked_through = 0
        self.queue, self.at = [], 0
        self._look_for_labelled()
        self.changed.emit()

    def row(self) -> int | None:
        """The number of the row that is shown; None at the end."""
        return self.queue[self.at] if self.at < len(self.queue) else None

    def cells(self) -> dict[str, str] | None:
        """The stored cells of that row; None while they are read."""
        row = self.row()
        return self._cells.get(row) if row is not None else None

    def chosen(self) -> list[str]:
        """The labels of the row that is shown, unsaved ones included."""
        row = self.row()
        return self._labels_in(row, self._cells.get(row, {})) if row is not None else []

    def choose(self, label: str) -> None:
        """Give the row this label and go on; with several labels, add it or take it off and stay."""
        row = self.row()
        if row is None:
            return
        if label not in self.labels:
            self.labels.append(label)
        had = self.chosen()
        if had == [label] and not self.several:  # it has this label already
            self.forward()
            return
        if self.several:
            now = [each for each in had if each != label] if label in had else [*had, label]
            self._draft.set_cell(row, self.column, labels_text(now) if now else None)
        else:
            self._draft.set_cell(row, self.column, label)
        self._count(row, had)
        self._steps.append((self.at, row))
        if self.several:
            self.changed.emit()
        else:
            self.forward()

    def forward(self) -> None:
        """Go to the next row; at the end nothing is shown."""
        if self.at < len(self.queue):
            self.at += 1
        self._read_ahead()
        self.changed.emit()

    def back(self) -> None:
        """Go to the row before."""
        self.at = max(self.at - 1, 0)
        self._read_ahead()
        self.changed.emit()

    def undo(self) -> None:
        """Take the last label of this sitting back and show its row."""
        if not self._steps or not self._draft.undo():
            return
        place, row = self._steps.pop()
        if row not in self.queue:  # labelled before a review, which did not come to it yet
            self.queue.insert(min(place, len(self.queue)), row)
        self.at = self.queue.index(row)
        self._read_ahead()
        if not self.chosen():
            self._fresh.discard(row)
        if self._stamps:
            self._stamps.pop()
        self.changed.emit()

    def can_undo(self) -> bool:
        """A label of this sitting can be taken back."""
        return bool(self._steps)

    def done(self) -> int:
        """Rows that have a label now."""
        return self.labelled + len(self._fresh)

    def per_minute(self) -> float | None:
        """Labels a minute over the last few, pauses left out; None before there are three."""
        if len(self._stamps) < 3:
            return None
        stamps = list(self._stamps)
        gaps = [late - early for early, late in pairwise(stamps) if late - early < _PAUSE_S]
        return 60 * len(gaps) / sum(gaps) if gaps and sum(gaps) > 0 else None

    def _labels_in(self, row: int, cells: dict[str, str]) -> list[str]:
        edits = self._draft.cells.get(row, {})
        text = edits.get(self.column, cells.get(self.column, "")) or ""
        return labels_of(text) if self.several else [text] if text else []

    def _count(self, row: int, had: list[str]) -> None:
        self._stamps.append(self._clock())
        if not had:
            self._fresh.add(row)
        elif not self.chosen():
            self._fresh.discard(row)
        given = len({row for _place, row in self._steps})
        if given and given % ORDER_AGAIN_AFTER == 0 and self._ordering is None and not self.reviewing:
            self._order()

    def _order(self) -> None:
        versions, dataset_id, draft = self._services.versions, self.dataset.id, self._draft

        def ask() -> LabelOrder:
            draft.sync()  # the order counts what is in the journal
            return versions.order_for_labelling(dataset_id)

        self._ordering = self._tasks.run(ask, self._on_order, self._on_failed)

    def _on_order(self, order: LabelOrder) -> None:
        self._ordering = None
        self.loading = False
        self.basis = order.basis
        if not self.queue:
            self.labelled = order.labelled
        seen = self.queue[: self.at + 1]
        known = set(seen)
        self.queue = seen + [row for row in order.rows if row not in known]
        self._read_ahead()
        self.changed.emit()

    def _look_for_labelled(self) -> None:
        datasets, dataset_id, offset = self._services.datasets, self.dataset.id, self._looked_through
        if self._ordering is not None or offset >= self.dataset.rows:
            return
        self._ordering = self._tasks.run(
            lambda: datasets.page(dataset_id, offset, REVIEWED_AT_ONCE), self._on_page, self._on_failed
        )

    def _on_page(self, rows: list[dict[str, str]]) -> None:
        self._ordering = None
        self._looked_through += len(rows)
        found = {int(row["row"]): row for row in rows if self._labels_in(int(row["row"]), row)}
        self._cells |= found
        known = set(self.queue)
        self.queue += [row for row in found if row not in known]
        self._read_ahead()
        self.loading = self.row() is None and self._ordering is not None
        self.changed.emit()

    def _read_ahead(self) -> None:
        if self.reviewing and len(self.queue) - self.at < AHEAD:
            self._look_for_labelled()
        wanted = [row for row in self.queue[self.at : self.at + AHEAD] if row not in self._cells]
        row = self.row()
        if not wanted or self._asked is not None or (row in self._cells and len(wanted) < AHEAD // 2):
            return
        datasets, dataset_id = self._services.datasets, self.dataset.id
        self._asked = self._tasks.run(
            partial(datasets.rows, dataset_id, wanted), self._on_rows, self._on_failed
        )

    def _on_rows(self, rows: list[dict[str, str]]) -> None:
        self._asked = None
        self._cells |= {int(row["row"]): row for row in rows}
        self.changed.emit()

    def _on_failed(self, problem: Exception) -> None:
        self._asked = self._ordering = None
        self.loading = False
        self.failed.emit(problem)
