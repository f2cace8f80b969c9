"""Datasets: what an import was asked for, what it made, and what it put aside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from studio.domain.ids import new_id
from studio.domain.values import now
from studio.i18n import N_, _


class Shape(StrEnum):
    """What one row of a dataset is."""

    PROMPT_RESPONSE = "prompt-response"
    MESSAGES = "messages"
    TEXT = "text"


class ColumnRole(StrEnum):
    """What a source column is for; the drop-down in the column header."""

    IGNORE = "ignore"
    SYSTEM = "system"
    PROMPT = "prompt"
    CONTEXT = "context"  # Alpaca's optional "input", appended to the prompt
    RESPONSE = "response"
    MESSAGES = "messages"  # OpenAI [{role, content}] or ShareGPT [{from, value}]
    TEXT = "text"


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


TITLES: dict[StrEnum, str] = {
    Shape.PROMPT_RESPONSE: N_("Questions and answers"),
    Shape.MESSAGES: N_("Conversations"),
    Shape.TEXT: N_("Plain text"),
    ColumnRole.IGNORE: N_("Not used"),
    ColumnRole.SYSTEM: N_("Instruction to the model"),
    ColumnRole.PROMPT: N_("Question"),
    ColumnRole.CONTEXT: N_("Extra input"),
    ColumnRole.RESPONSE: N_("Answer"),
    ColumnRole.MESSAGES: N_("Conversation"),
    ColumnRole.TEXT: N_("Text"),
    Split.TRAIN: N_("Training"),
    Split.VALIDATION: N_("Validation"),
    Split.TEST: N_("Test"),
}


def title(member: StrEnum) -> str:
    """The member's name for a person, in the active language."""
    return _(TITLES[member])


class SplitShares(BaseModel):
    """Shares of validation and test rows, 0–0.5 each; training has the rest."""

    model_config = ConfigDict(frozen=True)

    validation: float = Field(0.1, ge=0, le=0.5)
    test: float = Field(0.1, ge=0, le=0.5)


class ImportSpec(BaseModel):
    """Everything an import needs; stored with the dataset, so that it can be repeated.

    None means "detect". ``roles`` maps source column names to roles; columns not named are not used.
    ``tokenizer_dir`` is a folder with tokenizer.json to count tokens with (None: characters only).
    """

    model_config = ConfigDict(frozen=True)

    source: str
    name: str = ""
    shape: Shape | None = None
    roles: dict[str, ColumnRole] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    shares: SplitShares = SplitShares()
    tokenizer_dir: str | None = None
    licence: str = ""


class SourcePreview(BaseModel):
    """The first rows of a source, with what was detected; cells are text as it stands in the file."""

    format: str  # csv, tsv, json, jsonl, xlsx, parquet, txt
    encoding: str | None
    delimiter: str | None
    sheets: list[str] = []
    columns: list[str]
    rows: list[list[str]]
    shape: Shape
    roles: dict[str, ColumnRole]
    reason: str  # why this shape, one sentence in the user's language


class RejectedRow(BaseModel):
    """A source row that was put aside. ``row`` counts from 1 (data rows; the header is not counted)."""

    row: int
    code: str
    reason: str
    excerpt: str


class TokenStats(BaseModel):
    """Tokens per row of a dataset by one tokenizer, special tokens of the template not counted."""

    tokenizer: str
    total: int
    mean: float
    p50: int
    p95: int
    longest: int


class DatasetVersion(BaseModel):
    """One immutable import result: canonical Parquet in the workspace, with its hash.

    Columns of rows.parquet: ``row`` (source row, from 1), ``key`` (content hash), ``split`` and, by shape,
    ``system, prompt, response`` | ``messages`` (JSON text of [{role, content}]) | ``text``.
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    name: str
    shape: Shape
    source_path: str
    source_bytes: int
    source_sha256: str
    rows: int
    rejected: int
    splits: dict[Split, int]
    languages: dict[str, float] = {}  # share of rows by script: zh, en, other
    tokens: TokenStats | None = None
    content_sha256: str  # of rows.parquet
    spec: ImportSpec
    seconds: float
    created_at: datetime = Field(default_factory=now)
    deleted: bool = False  # in the bin
