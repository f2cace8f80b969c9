"""What models that are no language models are asked and answer, in words and as a table: the same for window and
command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from studio.domain.architectures import Architecture
from studio.i18n import _
from studio.words import labelled

_A = Architecture
_ASKED: Final = {
    _A.CNN: "image", _A.BACKBONE: "image", _A.SPECTROGRAM: "audio", _A.FACTORS: "user", _A.SEQUENCE: "user",
    _A.VAE: "sample",
}  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Answered(Protocol):
    """What protocol.events.PredictedItem holds."""

    @property
    def labels(self) -> Sequence[tuple[str, float]]: ...

    @property
    def chosen(self) -> Sequence[str]: ...

    @property
    def number(self) -> float | None: ...

    @property
    def items(self) -> Sequence[tuple[str, float]]: ...

    @property
    def picture(self) -> str: ...

    @property
    def unknown_user(self) -> bool: ...


def asks_for(architecture: Architecture) -> str:
    """What such a model is given: "text", "image", "audio", "user" or "sample"."""
    return _ASKED.get(architecture, "text")


def unknown_user_words() -> str:
    """What is said beside an answer for a user whom no training row has."""
    return _("This user is not in the training data: these are what users like in general.")


def prediction_words(answer: Answered) -> str:
    """The answer in a line."""
    return labelled(_("unknown user"), _words(answer)) if answer.unknown_user else _words(answer)


def _words(answer: Answered) -> str:
    if answer.number is not None:
        return f"{answer.number:.3g}"
    if answer.labels:
        shares = dict(answer.labels)
        named = answer.chosen or [answer.labels[0][0]]
        return ", ".join(f"{name} ({shares.get(name, 0.0):.0%})" for name in named)
    return ", ".join(name for name, _score in answer.items) or answer.picture or "–"


def prediction_rows(inputs: Sequence[str], answers: Sequence[Answered]) -> list[list[str]]:
    """A table with a head: the input, the answer and how sure it is, then each label's probability.

    Cells that a spreadsheet would take for a formula get an apostrophe before them.
    """
    labels = sorted({name for answer in answers for name, _share in answer.labels})
    rows = [["input", "answer", "probability", *labels]]
    for given, answer in zip(inputs, answers, strict=False):
        shares = dict(answer.labels)
        if answer.number is not None:
            said, sure = f"{answer.number:.6g}", ""
        elif answer.labels:
            chosen = list(answer.chosen)
            said, sure = "|".join(chosen), f"{shares[chosen[0]]:.4f}" if len(chosen) == 1 else ""
        else:
            said, sure = "|".join(name for name, _score in answer.items) or answer.picture, ""
        rows.append([_plain(given), _plain(said), sure, *(f"{shares.get(name, 0):.4f}" for name in labels)])
    rows[0] = [_plain(cell) for cell in rows[0]]
    return rows


def _plain(cell: str) -> str:
    try:
        float(cell)
    except ValueError:
        return "'" + cell if cell.startswith(_FORMULA) else cell
    return cell
