"""Labelled sentences: read from the files beside this one, filled in with seeded values, and scored."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import polars as pl

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy.scanner import PrivateScanner
from tests.unit.ingest.privacy.values import LOOK_ALIKES, VALUES

HERE: Final = Path(__file__).parent
KINDS: Final = {
    "name": PrivateKind.PERSON_NAME,
    "phone": PrivateKind.PHONE,
    "email": PrivateKind.EMAIL,
    "id": PrivateKind.NATIONAL_ID,
    "card": PrivateKind.BANK_CARD,
    "iban": PrivateKind.IBAN,
    "address": PrivateKind.ADDRESS,
    "ip": PrivateKind.IP_ADDRESS,
    "passport": PrivateKind.PASSPORT,
    "secret": PrivateKind.SECRET,
}
# The share of a labelled value that spans of its kind must cover to count as found.
COVERED: Final = 0.8


@dataclass
class Sentence:
    text: str
    spans: list[tuple[int, int, PrivateKind]] = field(default_factory=list)


def hand_written(name: str) -> list[Sentence]:
    """Sentences with «kind:value» marks and {kind} for a random valid value."""
    random = Random(name)
    language = name.rsplit("_", 1)[-1]
    lines = (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [_fill(line, random, language) for line in lines if line and not line.startswith("#")]


def generated(language: str, private_times: int, clean_times: int) -> list[Sentence]:
    """Every template so many times, each time with other values."""
    random = Random(f"templates-{language}")
    made: list[Sentence] = []
    times = private_times
    for line in (HERE / f"templates_{language}.txt").read_text(encoding="utf-8").splitlines():
        if line == "#clean":
            times = clean_times
        elif line and not line.startswith("#"):
            made.extend(_fill(line, random, language) for _ in range(times))
    return made


def _fill(line: str, random: Random, language: str) -> Sentence:
    sentence = Sentence("")
    for piece in re.split(r"(«[a-z]+:[^»]*»|\{~?[a-z]+\})", line.replace("\\n", "\n")):
        kind = None
        if piece.startswith("«"):
            kind, piece = piece[1:-1].split(":", 1)
        elif piece.startswith("{~"):
            piece = LOOK_ALIKES[piece[2:-1]](random)
        elif re.fullmatch(r"\{[a-z]+\}", piece):
            key = piece[1:-1]
            kind, make = VALUES[key] if key in VALUES else VALUES[f"{language}_{key}"]
            piece = make(random)
        if kind:
            start = len(sentence.text)
            sentence.spans.append((start, start + len(piece), KINDS[kind]))
        sentence.text += piece
    return sentence


@dataclass
class Score:
    """labelled, found: values of each kind. clean, alarms: sentences without private data, and those flagged."""

    labelled: Counter[PrivateKind] = field(default_factory=Counter)
    found: Counter[PrivateKind] = field(default_factory=Counter)
    extra: Counter[PrivateKind] = field(default_factory=Counter)
    clean: int = 0
    alarms: int = 0
    mistakes: list[str] = field(default_factory=list)

    def recall(self, kind: PrivateKind) -> float:
        return self.found[kind] / self.labelled[kind]

    @property
    def false_alarms(self) -> float:
        return self.alarms / self.clean

    def table(self, title: str) -> str:
        lines = [f"{title}: {self.alarms} of {self.clean} clean sentences flagged ({self.false_alarms:.1%})"]
        lines += [
            f"  {kind:<14} found {self.found[kind]:>4} of {self.labelled[kind]:>4}  recall {self.recall(kind):.3f}"
            f"  beside a label {self.extra[kind]}"
            for kind in PrivateKind
            if self.labelled[kind]
        ]
        return "\n".join([*lines, *("    " + mistake for mistake in self.mistakes)])


def score(sentences: list[Sentence]) -> Score:
    """The scanner's finds against the labels."""
    result = Score()
    scans = PrivateScanner().scan(pl.Series([sentence.text for sentence in sentences]))
    for sentence, spans in zip(sentences, scans, strict=True):
        if not sentence.spans:
            result.clean += 1
            result.alarms += bool(spans)
            if spans:
                result.mistakes.append(
                    f"false alarm {[(s.kind, s.value) for s in spans]} in {sentence.text!r}"
                )
        for start, end, kind in sentence.spans:
            covered = {
                i
                for span in spans
                if span.kind is kind
                for i in range(max(start, span.start), min(end, span.end))
            }
            result.labelled[kind] += 1
            if len(covered) >= COVERED * (end - start):
                result.found[kind] += 1
            else:
                result.mistakes.append(f"missed {kind} {sentence.text[start:end]!r} in {sentence.text!r}")
        for span in spans if sentence.spans else ():
            if not any(start < span.end and span.start < end for start, end, _ in sentence.spans):
                result.extra[span.kind] += 1
                result.mistakes.append(f"beside a label {span.kind} {span.value!r} in {sentence.text!r}")
    return result
