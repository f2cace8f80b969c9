"""Made-up names, for pseudonyms and for the scanner, which must know that they are nobody's."""

from __future__ import annotations

from functools import cache

from studio.ingest.privacy.spans import read_categories


@cache
def english_given() -> tuple[str, ...]:
    """Made-up given names: every beginning of the list with every end."""
    return _joined("given")


@cache
def english_surnames() -> tuple[str, ...]:
    """Made-up surnames."""
    return _joined("surname")


@cache
def english() -> frozenset[str]:
    """All made-up English names, given names and surnames."""
    return frozenset((*english_given(), *english_surnames()))


@cache
def chinese_surnames() -> tuple[str, ...]:
    """Characters that are no surname."""
    return read_categories("invented_zh")["surname"]


@cache
def chinese_given() -> tuple[str, ...]:
    """Characters for the rest of a made-up Chinese name: the stems and branches of the calendar."""
    return read_categories("invented_zh")["given"]


def _joined(part: str) -> tuple[str, ...]:
    parts = read_categories("invented_en")
    return tuple(start + end for start in parts[f"{part} start"] for end in parts[f"{part} end"])
