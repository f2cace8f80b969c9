"""A number that a founder may act on always says where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Basis(StrEnum):
    """How a number came to be known, strongest first."""

    MEASURED = "measured"
    IMPORTED = "imported"
    ASSUMED = "assumed"


_STRENGTH = {Basis.MEASURED: 0, Basis.IMPORTED: 1, Basis.ASSUMED: 2}


def weakest(bases: Iterable[Basis]) -> Basis:
    """The basis that a result computed from values of these bases has: the weakest of them."""
    return max(bases, key=_STRENGTH.__getitem__)


@dataclass(frozen=True)
class Value:
    """An amount with its unit and its provenance.

    source: what measured or stated it, e.g. ``run:3f2a`` (opens that run) or ``settings``.
    """

    amount: float
    unit: str
    basis: Basis
    source: str
    observed_at: datetime


def now() -> datetime:
    """The current time, in UTC with its zone."""
    return datetime.now(UTC)
