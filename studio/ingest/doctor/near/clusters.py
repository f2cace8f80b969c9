"""Rows that hang together by likeness, each with its cluster: what a split must keep on one side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from studio.domain.shapes import Shape
from studio.ingest.dataset.manifest import REJECTED_FILE
from studio.ingest.doctor.near.index import build_index
from studio.ingest.doctor.near.shingles import I64
from studio.ingest.doctor.near.twins import Twins, neighbours
from studio.ingest.doctor.view import DatasetView


class Clusters(NamedTuple):
    """of: row number -> smallest row number of its cluster, for rows that have a near twin; exact copies are left out.

    compared: rows that were looked at, the first ones; fewer than there are beyond index.MOST_ROWS.
    """

    of: dict[int, int]
    compared: int


def clusters(dataset_dir: Path, shape: Shape, similarity: float, check: Callable[[], None]) -> Clusters:
    """The clusters of a dataset that has texts.

    Unlike repeats, clusters take in whoever is like any one of them, whatever the label says: A like B and B like C
    are one cluster even if A and C are not alike.
    """
    index = build_index(DatasetView(dataset_dir, shape, dataset_dir / REJECTED_FILE, check), similarity)
    firsts = ~index.copies()
    twins = Twins(index)
    twins.prepare(firsts)
    parents = list(range(len(firsts)))
    for hashes in index.bands:
        for left, right in twins.alike(neighbours(hashes, firsts, firsts), same_verdict=False):
            check()
            _unite(parents, left, right)
    roots = [_root(parents, place) for place in range(len(parents))]
    sizes = np.bincount(roots, minlength=len(roots))
    together = np.flatnonzero(sizes[roots] > 1).tolist()
    of = {int(index.row[place]): int(index.row[roots[place]]) for place in together}
    return Clusters(of, len(index.row))


def _unite(parents: list[int], left: I64, right: I64) -> None:
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        first, second = _root(parents, one), _root(parents, other)
        parents[max(first, second)] = min(first, second)


def _root(parents: list[int], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
