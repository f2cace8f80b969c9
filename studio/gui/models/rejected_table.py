"""Rows that an import put aside: which, why, and how they began."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from studio.domain.datasets import RejectedRow
from studio.gui.models.paged_table import PagedTable
from studio.i18n import _


class RejectedColumn(IntEnum):
    """Columns in their order on the screen."""

    ROW = 0
    REASON = 1
    EXCERPT = 2


class RejectedTable(PagedTable):
    """The put-aside rows of a dataset."""

    def show_rejected(self, count: int, page: Callable[[int, int], Sequence[RejectedRow]]) -> None:
        """Show ``count`` rows; ``page(offset, limit)`` gives them and is called in a thread."""

        def fetch(offset: int, limit: int) -> list[list[str]]:
            return [[f"{row.row:,}", row.reason, row.excerpt] for row in page(offset, limit)]

        self.show_source([_("Row in file"), _("Why it was put aside"), _("How it begins")], count, fetch)
