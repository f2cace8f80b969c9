"""Datasets: what an import was asked for, what it made, and what it put aside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from studio.domain import shapes
from studio.domain.ids import new_id
from studio.domain.recipes import StepOutcome
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.values import now
from studio.i18n import N_, _


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


# Ways to see a document, where other files have sheets; the last one is followed by a number.
TEXT_VIEW: Final = "text"
QUESTIONS_VIEW: Final = "questions"
TABLE_VIEW: Final = "table "
SPLIT_TITLES: Final[dict[Split, str]] = {
    Split.TRAIN: N_("Training"),
    Split.VALIDATION: N_("Validation"),
    Split.TEST: N_("Test"),
}


def title(member: Shape | ColumnRole | Split) -> str:
    """The member's name for a person, in the active language."""
    if isinstance(member, Shape):
        return _(shapes.SHAPE_TITLES[member])
    return _(shapes.ROLE_TITLES[member] if isinstance(member, ColumnRole) else SPLIT_TITLES[member])


class SplitShares(BaseModel):
    """Shares of validation and test rows, 0–0.5 each; training has the rest."""

    model_config = ConfigDict(frozen=True)

    validation: float = Field(0.1, ge=0, le=0.5)
    test: float = Field(0.1, ge=0, le=0.5)


class OriginKind(StrEnum):
    FILE = "file"
    CLIPBOARD = "clipboard"
    HUB = "hub"


class Origin(BaseModel):
    """Where a source came from before it was a file: ``address`` is the repository of a hub."""

    model_config = ConfigDict(frozen=True)

    kind: OriginKind = OriginKind.FILE
    address: str = ""


class SourceRecord(BaseModel):
    """One file that rows came from. ``member``: its path inside a folder or archive, "" for the source itself.

    first_row: the dataset's number of its first row; row numbers go on over all sources. roles: its own, where its
    columns have other names than those of the import.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    member: str = ""
    format: str
    encoding: str | None = None
    size_bytes: int
    sha256: str
    modified_at: datetime | None = None
    first_row: int = 1
    rows: int = 0
    rejected: int = 0
    roles: dict[str, ColumnRole] = {}


class ImportSpec(BaseModel):
    """Everything an import needs; stored with the dataset with the shape and roles used, so that it can be repeated.

    source: a file, a folder, or a ZIP archive; more_sources: files of the same shape that go into the same dataset.
    sheet: of a workbook, or table of a SQLite database. None means "detect". ``roles`` maps source column names to
    roles; columns not named are not used.
    ``tokenizer_dir`` is a folder with tokenizer.json to count tokens with (None: characters only).
    """

    model_config = ConfigDict(frozen=True)

    source: str
    more_sources: tuple[str, ...] = ()
    origin: Origin = Origin()
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
    """The first rows of a source, with what was detected; cells are text as it stands in the file.

    sheet: the one of ``sheets`` whose rows these are.
    """

    format: (
        str  # csv, tsv, json, jsonl, xlsx, xls, ods, parquet, arrow, txt, md, docx, pdf, html, sqlite, images
    )
    encoding: str | None
    delimiter: str | None
    sheets: list[str] = []
    sheet: str | None = None
    columns: list[str]
    rows: list[list[str]]
    shape: Shape
    roles: dict[str, ColumnRole]
    reason: str  # why this shape, one sentence in the user's language
    members: list[str] = []  # files of a folder or archive that are read
    skipped: list[str] = []  # its files that are not, each with the reason


class RejectedRow(BaseModel):
    """A source row that was put aside. ``row`` counts from 1 (data rows; the header is not counted).

    member: the file in a folder or archive, where the row has this number. content: all of the row where a fix can
    bring it back (conversations out of order), as JSON text.
    """

    row: int
    code: str
    reason: str
    excerpt: str
    member: str = ""
    content: str = ""


class TokenStats(BaseModel):
    """Tokens per row of a dataset by one tokenizer, special tokens of the template not counted."""

    tokenizer: str
    total: int
    mean: float
    p50: int
    p95: int
    longest: int


class DatasetVersion(BaseModel):
    """One immutable version of a dataset: canonical Parquet in the workspace, with its hash.

    Columns of rows.parquet: ``row`` (a row's number, the same in all versions; in an import the source row, from 1),
    ``key`` (content hash), ``split``, perhaps ``origin`` (shapes.ORIGINS) and the content of its shape
    (shapes.SHAPES). Versions of one family share ``family_id``, the id of the first; ``number`` counts them from 1.
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
    sources: list[SourceRecord] = []
    family_id: str = ""
    number: int = 1
    parent_id: str | None = None
    made_by: list[StepOutcome] = []  # the steps from the parent version
    note: str = ""
    labels: dict[str, int] = {}  # rows of each label, the most frequent first, at most 1,000; "" for none yet
    class_weights: dict[str, float] = {}
    seconds: float
    created_at: datetime = Field(default_factory=now)
    deleted: bool = False  # in the bin

    @model_validator(mode="after")
    def _first_of_its_family(self) -> Self:
        if not self.family_id:
            object.__setattr__(self, "family_id", self.id)
        return self

    def with_licence(self, licence: str) -> DatasetVersion:
        """The same version with another licence stated."""
        return self.model_copy(update={"spec": self.spec.model_copy(update={"licence": licence})})


class DiffKind(StrEnum):
    """How a row differs between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # same content, other split


class RowChange(BaseModel):
    """One row that differs between two versions; None for a side where it is not."""

    model_config = ConfigDict(frozen=True)

    row: int
    before: dict[str, str] | None
    after: dict[str, str] | None


class VersionDiff(BaseModel):
    """What the newer of two versions of a family has different: counts, and a page of the rows, by row number."""

    model_config = ConfigDict(frozen=True)

    added: int
    removed: int
    changed: int
    moved: int  # same content, other split
    rows: list[RowChange]
