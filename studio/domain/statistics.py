"""Figures of one dataset version for its statistics page: lengths, labels, languages, vocabulary, examples."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from studio.domain.values import now


class Histogram(BaseModel):
    """How often values fall between edges: counts[i] rows from edges[i] up to, not including, edges[i + 1].

    The last bin includes its upper edge. unit: "tokens", "characters", or "" for plain numbers.
    """

    model_config = ConfigDict(frozen=True)

    column: str
    unit: str
    edges: list[float]
    counts: list[int]
    p50: float
    p95: float
    longest: float


class Vocabulary(BaseModel):
    """How well a tokenizer knows the texts.

    distinct: different tokens used, of ``size`` in the tokenizer. bytes_share: share of tokens that are no more than
    a piece of one character, or unknown. characters_per_token: the more, the better the tokenizer fits.
    """

    model_config = ConfigDict(frozen=True)

    distinct: int
    size: int
    bytes_share: float
    characters_per_token: float


class ImageFacts(BaseModel):
    """Sizes in pixels and formats (file ending -> images) of an image dataset."""

    model_config = ConfigDict(frozen=True)

    widths: Histogram
    heights: Histogram
    formats: dict[str, int]


class DatasetStatistics(BaseModel):
    """Figures of one dataset version; kept in its folder as statistics.json.

    labels: label -> split -> rows, the 50 most frequent; "" for rows without one. duplicates: rows whose content
    occurs earlier. examples: split -> up to three rows. estimated: some figures are scaled up from a sample.
    """

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    rows: int
    splits: dict[str, int]
    lengths: list[Histogram] = []
    labels: dict[str, dict[str, int]] = {}
    languages: dict[str, float] = {}
    duplicates: int = 0
    vocabulary: Vocabulary | None = None
    examples: dict[str, list[dict[str, str]]] = {}
    numbers: Histogram | None = None
    images: ImageFacts | None = None
    estimated: bool = False
    seconds: float = 0.0
    created_at: datetime = Field(default_factory=now)
