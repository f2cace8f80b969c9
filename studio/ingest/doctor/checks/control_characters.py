"""Characters that nobody sees: control codes, zero-width characters, marks that turn the writing direction.

They split words for the model, hide text from a reader, or come from terminals. Line feed, return and tab stay;
so do joiners inside emoji and in scripts that are written with them.
"""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.ingest.doctor.checks.mending import MendingRule

_TERMINAL: Final = r"\x1B\[[0-9;?]*[ -/]*[@-~]"
_CONTROL: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}]"
_BIDI: Final = r"[\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{061C}]"
_ZERO_WIDTH: Final = r"[\x{200B}\x{2060}-\x{2064}\x{206A}-\x{206F}\x{FEFF}\x{AD}\x{180E}\x{FFF9}-\x{FFFB}]"
# Persian, the Indian scripts and emoji need joiners; between these letters they only hide.
_LETTERS: Final = r"[\p{Latin}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Cyrillic}\p{Greek}\p{N}\p{P}\s]"
_JOINER: Final = rf"({_LETTERS})[\x{{200C}}\x{{200D}}]+"
# Tag characters spell hidden text; only flags have them, after a black flag.
_TAGS: Final = r"(^|[^\x{1F3F4}\x{E0000}-\x{E007F}])[\x{E0000}-\x{E007F}]+"
_KINDS: Final = {
    "control": f"{_TERMINAL}|{_CONTROL}",
    "direction": _BIDI,
    "zero_width": f"{_ZERO_WIDTH}|{_JOINER}",
    "hidden": _TAGS,
}
_ANY: Final = "|".join(_KINDS.values())


class ControlCharacters(MendingRule):
    kind: ClassVar = FindingKind.CONTROL_CHARACTERS
    severity: ClassVar = Severity.WARNING
    action = FixAction.STRIP

    def suspects(self, texts: pl.Series) -> pl.Series:
        return texts.str.contains(_ANY)

    def mend(self, texts: pl.Series, careful: pl.Series) -> pl.Series:
        plain = texts.str.replace_all(f"{_TERMINAL}|{_CONTROL}|{_BIDI}|{_ZERO_WIDTH}", "")
        return plain.str.replace_all(_JOINER, "$1").str.replace_all(_TAGS, "$1")

    def noted(self, texts: pl.Series, careful: pl.Series) -> dict[str, pl.Series]:
        return {name: texts.str.contains(pattern) for name, pattern in _KINDS.items()}
