"""Places in a text, and what all finders share: plain forms of characters, and the words just before a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, NamedTuple

from studio.domain.private_data import PrivateKind
from studio.paths import resource_path

# Full-width forms, odd spaces, dashes and quotes; one character each for one, so that offsets stay.
_PLAIN: Final[dict[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "，！？；"},
    **dict.fromkeys((0x3000, 0x00A0, 0x2007, 0x202F, 0x2009), " "),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-"),
    **dict.fromkeys((0x2018, 0x2019, 0x02BC), "'"),
}  # fmt: skip
# What comes first wins where two finds overlap.
_PRIORITY: Final = {
    kind: place
    for place, kind in enumerate(
        (
            PrivateKind.SECRET,
            PrivateKind.EMAIL,
            PrivateKind.IBAN,
            PrivateKind.NATIONAL_ID,
            PrivateKind.PASSPORT,
            PrivateKind.BANK_CARD,
            PrivateKind.PHONE,
            PrivateKind.IP_ADDRESS,
            PrivateKind.ADDRESS,
            PrivateKind.PERSON_NAME,
        )
    )
}
_SENTENCE_END: Final = re.compile(r"[。，,;；!！?？\n]")


class Span(NamedTuple):
    """Private data at text[start:end]; value is that piece of the text as written."""

    start: int
    end: int
    kind: PrivateKind
    value: str


class Place(NamedTuple):
    """What a finder yields: offsets only, for it reads the plain text."""

    start: int
    end: int
    kind: PrivateKind


Finder = Callable[[str], Iterable[Place]]


def plain(text: str) -> str:
    """The text of the same length with full-width digits, letters and signs in their ASCII forms."""
    return text if text.isascii() else text.translate(_PLAIN)


def resolve(text: str, places: Iterable[Place]) -> list[Span]:
    """Spans in order that do not overlap: the surer kind wins, then the longer one."""
    taken: list[Place] = []
    ordered = sorted(places, key=lambda place: (_PRIORITY[place.kind], place.start - place.end, place.start))
    starts = _Taken()
    for place in ordered:
        if place.start < place.end and starts.take(place.start, place.end):
            taken.append(place)
    return [
        Span(place.start, place.end, place.kind, text[place.start : place.end]) for place in sorted(taken)
    ]


class _Taken:
    """Intervals already given away; blocks of 256 characters keep the look-up short in a very long text."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[tuple[int, int]]] = {}

    def take(self, start: int, end: int) -> bool:
        blocks = range(start >> 8, (end - 1 >> 8) + 1)
        if any(a < end and start < b for block in blocks for a, b in self._blocks.get(block, ())):
            return False
        for block in blocks:
            self._blocks.setdefault(block, []).append((start, end))
        return True


def before(text: str, start: int, length: int = 28) -> str:
    """The words just before a place, of the same sentence."""
    window = text[max(0, start - length) : start]
    ends = [match.end() for match in _SENTENCE_END.finditer(window[:-1])]
    return window[ends[-1] :] if ends else window


@cache
def word_list(name: str) -> frozenset[str]:
    """Entries of a list in resources/wordlists, without comments and categories."""
    return frozenset(entry for entries in read_categories(name).values() for entry in entries)


@cache
def read_categories(name: str) -> dict[str, tuple[str, ...]]:
    """Category -> entries of a list in resources/wordlists; the category before the first heading is empty."""
    found: dict[str, list[str]] = {"": []}
    category = ""
    for line in resource_path("wordlists", f"{name}.txt").read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            category = line[1:-1]
            found.setdefault(category, [])
        elif line and not line.startswith("#"):
            found[category].append(line)
    return {key: tuple(entries) for key, entries in found.items() if entries}
