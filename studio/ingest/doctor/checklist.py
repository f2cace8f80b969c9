"""All checks by kind, made for one set of limits: the same list serves the doctor and the fixes."""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.findings import DoctorSpec
from studio.domain.recipes import FindingKind, FixStep
from studio.domain.shapes import Shape
from studio.ingest.doctor.checks import class_imbalance, no_question, role_order
from studio.ingest.doctor.checks.contradictory_labels import ContradictoryLabels
from studio.ingest.doctor.checks.control_characters import ControlCharacters
from studio.ingest.doctor.checks.encoding_damage import EncodingDamage
from studio.ingest.doctor.checks.exact_duplicates import ExactDuplicates
from studio.ingest.doctor.checks.language_mix import LanguageMix
from studio.ingest.doctor.checks.markup import Markup
from studio.ingest.doctor.checks.near_duplicates import NearDuplicates
from studio.ingest.doctor.checks.private_data import PrivateData
from studio.ingest.doctor.checks.split_leakage import SplitLeakage
from studio.ingest.doctor.checks.too_long import TooLong
from studio.ingest.doctor.checks.too_short import TooShort
from studio.ingest.doctor.checks.unsafe_words import UnsafeWordsCheck
from studio.ingest.doctor.lengths import TokenCounter
from studio.ingest.doctor.near.shared import SharedIndex
from studio.ingest.doctor.rules import RowRule, SetRule

_K = FindingKind


@dataclass(frozen=True)
class Limits:
    """What the rules are made with; a fix step brings its own where the report had others."""

    spec: DoctorSpec
    private_kinds: tuple[str, ...] = ()


def limits_of(step: FixStep) -> Limits:
    """The limits of a step; the doctor's own where it has none."""
    own = {
        name: value
        for name in ("similarity", "min_tokens", "max_tokens", "tokenizer_dir")
        if (value := getattr(step, name)) is not None
    }
    return Limits(DoctorSpec(**own), step.private_kinds)


def row_rule(kind: FindingKind, limits: Limits) -> RowRule | None:
    """The check of this kind that looks at one row at a time, None when the kind needs all rows."""
    spec = limits.spec
    if kind is _K.ENCODING_DAMAGE:
        return EncodingDamage()
    if kind is _K.CONTROL_CHARACTERS:
        return ControlCharacters()
    if kind is _K.MARKUP:
        return Markup()
    if kind is _K.TOO_SHORT:
        return TooShort(TokenCounter(spec.tokenizer_dir), spec.min_tokens)
    if kind is _K.TOO_LONG:
        return TooLong(TokenCounter(spec.tokenizer_dir), spec.max_tokens)
    if kind is _K.UNSAFE_WORDS:
        return UnsafeWordsCheck()
    if kind is _K.PRIVATE_DATA:
        return PrivateData(limits.private_kinds)
    return None


def set_rule(kind: FindingKind, shared: SharedIndex) -> SetRule | None:
    """The check of this kind that needs all rows; its fixes remove rows."""
    if kind is _K.EXACT_DUPLICATES:
        return ExactDuplicates()
    if kind is _K.NEAR_DUPLICATES:
        return NearDuplicates(shared)
    if kind is _K.CONTRADICTORY_LABELS:
        return ContradictoryLabels()
    if kind is _K.SPLIT_LEAKAGE:
        return SplitLeakage(shared)
    if kind is _K.LANGUAGE_MIX:
        return LanguageMix()
    return None


def applicable(shape: Shape, spec: DoctorSpec) -> list[FindingKind]:
    """What is looked for in rows of this shape, in the order of FindingKind."""
    return [
        kind for kind in FindingKind if (not spec.checks or kind in spec.checks) and _applies(kind, shape)
    ]


def _applies(kind: FindingKind, shape: Shape) -> bool:
    if kind is _K.NO_QUESTION:
        return no_question.applies(shape)
    if kind is _K.ROLE_ORDER:
        return role_order.applies(shape)
    if kind is _K.CLASS_IMBALANCE:
        return class_imbalance.applies(shape)
    rule = row_rule(kind, Limits(DoctorSpec()))
    if rule is not None:
        return bool(rule.actions(shape))
    whole = set_rule(kind, SharedIndex(1.0))
    return whole is not None and whole.applies(shape)
