"""One index for the two checks that need it: near-duplicates, and leakage between splits."""

from __future__ import annotations

from studio.ingest.doctor.near.index import NearIndex, build_index
from studio.ingest.doctor.near.twins import Twins
from studio.ingest.doctor.view import DatasetView


class SharedIndex:
    """Built when first asked for; kept for one dataset at one similarity."""

    def __init__(self, similarity: float) -> None:
        self._similarity = similarity
        self._index: NearIndex | None = None
        self._twins: Twins | None = None

    def index(self, view: DatasetView) -> NearIndex:
        if self._index is None or self._index.view is not view:
            self._index = build_index(view, self._similarity)
            self._twins = None
        return self._index

    def twins(self, view: DatasetView) -> Twins:
        """The search, ready for all rows that are the first of their content in their split."""
        index = self.index(view)
        if self._twins is None:
            self._twins = Twins(index)
            self._twins.prepare(index.first_in_split())
        return self._twins

    def is_estimated(self, view: DatasetView) -> bool:
        """Long rows were too many to be compared whole."""
        return self.twins(view).is_estimated

    def release(self) -> None:
        self._index = self._twins = None
