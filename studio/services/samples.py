"""The bundled examples: small datasets in each language for each product task, written or drawn for this program."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from studio.domain.datasets import SplitShares
from studio.domain.products import Task
from studio.domain.shapes import ColumnRole, Shape
from studio.i18n import N_
from studio.paths import resource_path


@dataclass(frozen=True, eq=False)
class Sample:
    """stem: of the file's name, before the language; title: of the dataset, an English msgid; roles: of its columns.

    Compared by identity, as each is one thing. shares: small ones keep more aside than usual, so that a verdict on
    them says something.
    """

    stem: str
    ending: str
    title: str
    shape: Shape
    roles: dict[str, ColumnRole] | None = None
    shares: SplitShares = field(default_factory=SplitShares)

    def source(self, language: str) -> Path:
        """The file in this language (``en`` or ``zh_CN``); English for a language without its own."""
        return resource_path(
            "samples", f"{self.stem}_{'zh' if language.startswith('zh') else 'en'}.{self.ending}"
        )


_R = ColumnRole
CUSTOMER_SERVICE: Final = Sample(
    "customer_service", "csv", N_("Customer service (sample)"), Shape.PROMPT_RESPONSE,
    {"question": _R.PROMPT, "answer": _R.RESPONSE},
)  # fmt: skip
_SMALL: Final = SplitShares(validation=0.2, test=0.2)
_SHAPES: Final = Sample("shapes", "zip", N_("Drawn shapes (sample)"), Shape.IMAGE_LABEL, shares=_SMALL)
# The first of a task shows the most.
SAMPLES: Final[dict[Task, tuple[Sample, ...]]] = {
    Task.CHAT: (
        CUSTOMER_SERVICE,
        Sample(
            "recommendation", "jsonl", N_("Advice on what to buy (sample)"), Shape.MESSAGES,
            {"messages": _R.MESSAGES},
        ),
        Sample(
            "judged", "csv", N_("Better and worse answers (sample)"), Shape.PREFERENCE,
            {"question": _R.PROMPT, "better": _R.CHOSEN, "worse": _R.REJECTED}, _SMALL,
        ),
        Sample(
            "thumbs", "csv", N_("Answers with thumbs (sample)"), Shape.THUMBS,
            {"question": _R.PROMPT, "answer": _R.RESPONSE, "thumb": _R.THUMB}, _SMALL,
        ),
    ),
    Task.LANGUAGE_MODEL: (
        Sample("customer_service", "csv", N_("Texts of a shop (sample)"), Shape.TEXT, {"answer": _R.TEXT}),
    ),
    Task.CLASSIFY_TEXT: (
        Sample(
            "intents", "csv", N_("What customers want (sample)"), Shape.TEXT_LABEL,
            {"text": _R.TEXT, "label": _R.LABEL}, _SMALL,
        ),
    ),
    Task.RATE_TEXT: (
        Sample(
            "reviews", "csv", N_("Reviews with stars (sample)"), Shape.TEXT_NUMBER,
            {"text": _R.TEXT, "stars": _R.NUMBER}, _SMALL,
        ),
    ),
    Task.CLASSIFY_IMAGES: (_SHAPES,),
    Task.DRAW_IMAGES: (_SHAPES,),
    Task.HEAR_COMMANDS: (
        Sample("signals", "zip", N_("Signal tones (sample)"), Shape.AUDIO_LABEL, shares=_SMALL),
    ),
    Task.RECOMMEND: (
        Sample(
            "ratings", "csv", N_("Ratings of a shop (sample)"), Shape.RATINGS,
            {"user": _R.USER, "item": _R.ITEM, "rating": _R.RATING, "time": _R.TIME},
        ),
    ),
}  # fmt: skip


def samples_for(task: Task | None) -> list[Sample]:
    """The examples for products of a task; one of each for None, as nothing is known yet."""
    if task is not None:
        return list(SAMPLES[task])
    return list(dict.fromkeys(sample for samples in SAMPLES.values() for sample in samples))
