"""Steps that make a new version of a dataset from an older one, and recipes: steps that are kept to be repeated.

A step never touches the rows it is given: it says what the next version has instead.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from studio.domain.ids import new_id
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.values import now


class FindingKind(StrEnum):
    """What the data doctor looks for, in the order in which fixes are applied."""

    NO_QUESTION = "no_question"  # of a passage: a person writes it, no fix does
    ENCODING_DAMAGE = "encoding_damage"
    CONTROL_CHARACTERS = "control_characters"
    MARKUP = "markup"  # HTML and what chat templates leave behind
    ROLE_ORDER = "role_order"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    EXACT_DUPLICATES = "exact_duplicates"
    NEAR_DUPLICATES = "near_duplicates"
    CONTRADICTORY_LABELS = "contradictory_labels"
    SPLIT_LEAKAGE = "split_leakage"
    CLASS_IMBALANCE = "class_imbalance"
    LANGUAGE_MIX = "language_mix"
    UNSAFE_WORDS = "unsafe_words"
    PRIVATE_DATA = "private_data"


class FixAction(StrEnum):
    """What a fix does to the rows that a finding counts."""

    REPAIR = "repair"  # encoding damage; role order
    STRIP = "strip"  # control characters; markup
    REMOVE = "remove"  # the rows leave the dataset
    KEEP_FIRST = "keep_first"  # of each group of duplicates
    CUT = "cut"  # too long rows end at the limit
    PIECES = "pieces"  # too long plain texts become several rows
    KEEP_MAJORITY = "keep_majority"  # contradictory labels: the label most rows have; ties are removed
    REMOVE_FROM_TRAINING = "remove_from_training"  # leakage: the twin in the training split leaves
    WEIGHTS = "weights"  # imbalance: class weights are noted for training
    OVERSAMPLE = "oversample"
    UNDERSAMPLE = "undersample"
    KEEP_MAIN_LANGUAGE = "keep_main_language"
    MASK = "mask"  # private data: [PHONE]
    REPLACE = "replace"  # private data: a made-up value, the same for the same original


class Step(BaseModel):
    model_config = ConfigDict(frozen=True)


class FixStep(Step):
    """One fix of the doctor, with the limits it was found by (None: the doctor's own).

    private_kinds: which kinds of private data (privacy kinds by name; empty: all).
    """

    type: Literal["fix"] = "fix"
    finding: FindingKind
    action: FixAction
    similarity: float | None = Field(None, ge=0.5, le=1)
    min_tokens: int | None = Field(None, ge=0)
    max_tokens: int | None = Field(None, ge=1)
    tokenizer_dir: str | None = None
    private_kinds: tuple[str, ...] = ()


class ReplaceStep(Step):
    """Find and replace in these columns (empty: all content columns). regex: in the syntax of the Rust regex crate."""

    type: Literal["replace"] = "replace"
    find: str = Field(min_length=1)
    replacement: str = ""
    regex: bool = False
    match_case: bool = True
    columns: tuple[str, ...] = ()


class SplitStep(Step):
    """Split anew. group_by: a content column whose equal values stay together, or ``near-duplicates``.

    stratify: each label gets the same shares (labelled shapes only).
    """

    type: Literal["split"] = "split"
    validation: float = Field(0.1, ge=0, le=0.5)
    test: float = Field(0.1, ge=0, le=0.5)
    group_by: str | None = None
    stratify: bool = False


class TextOperator(StrEnum):
    """Simple changes of a text that keep its label; none of them writes new sentences."""

    SWAP_WORDS = "swap_words"  # two neighbouring words change places
    DROP_WORDS = "drop_words"
    TYPOS = "typos"  # neighbouring letters change places; for Chinese, a character is doubled or dropped
    PUNCTUATION = "punctuation"  # full-width and half-width punctuation change, or it is left out
    CASE = "case"


class ImageOperator(StrEnum):
    CROP = "crop"
    FLIP = "flip"
    ROTATE = "rotate"
    COLOUR = "colour"


class AugmentStep(Step):
    """Changed copies of training rows; validation and test rows stay as they are.

    copies: for each row. strength: share of words or of the picture that is touched.
    """

    type: Literal["augment"] = "augment"
    text: tuple[TextOperator, ...] = ()
    image: tuple[ImageOperator, ...] = ()
    copies: int = Field(1, ge=1, le=10)
    strength: float = Field(0.1, gt=0, le=0.5)
    seed: int = 0


class EditStep(Step):
    """Cells changed, rows added and rows removed by hand. Not part of a recipe: it speaks of single rows.

    cells: row number -> column -> new text (None clears an optional cell). added: column -> text for each new row.
    edits_file: a JSON file with the same three keys instead, for many edits.
    """

    type: Literal["edit"] = "edit"
    cells: dict[int, dict[str, str | None]] = {}
    added: list[dict[str, str | None]] = []
    removed: list[int] = []
    edits_file: str | None = None


class RestoreStep(Step):
    """The rows of an earlier version of the same family, unchanged."""

    type: Literal["restore"] = "restore"
    version_id: str
    number: int


AnyStep = Annotated[
    FixStep | ReplaceStep | SplitStep | AugmentStep | EditStep | RestoreStep, Field(discriminator="type")
]
REPEATABLE = (FixStep, ReplaceStep, SplitStep, AugmentStep)


class Recipe(BaseModel):
    """Steps under a name, to be repeated on another import. roles: what columns of these names are for.

    shape: of the rows that it was made for; None in recipes from before it was noted.
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    name: str = Field(min_length=1)
    steps: list[AnyStep]
    roles: dict[str, ColumnRole] = {}
    shape: Shape | None = None
    created_at: datetime = Field(default_factory=now)


class StepOutcome(BaseModel):
    """What a step did. rows_before/after count the dataset; details: figures of the step (e.g. masked per kind)."""

    model_config = ConfigDict(frozen=True)

    step: AnyStep
    rows_before: int
    rows_after: int
    changed: int = 0
    added: int = 0
    removed: int = 0
    details: dict[str, Any] = {}


class Example(BaseModel):
    """One place. after: what the finding's first fix makes of it (None: the row leaves). note: e.g. its twin."""

    model_config = ConfigDict(frozen=True)

    row: int
    column: str
    before: str
    after: str | None
    note: str = ""


class StepPreview(BaseModel):
    """What a step would do, tried without writing. of: rows it was tried on, fewer than the dataset for big ones.

    compared: rows that were searched for near-duplicates, where these are not all.
    """

    model_config = ConfigDict(frozen=True)

    changed: int
    added: int
    removed: int
    examples: list[Example] = []
    of: int = 0
    compared: int | None = None
    estimated: bool = False  # the counts are scaled up from ``of`` rows
