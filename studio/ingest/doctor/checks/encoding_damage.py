"""Text that was decoded with the wrong encoding once ("æˆ‘" for "我"), and characters that were lost by it."""

from __future__ import annotations

from typing import ClassVar, Final

import ftfy
import polars as pl
from ftfy.badness import is_bad

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.ingest.doctor.checks.mending import MendingRule
from studio.ingest.doctor.checks.mixed_up_gbk import GBK_SUSPECTS, gbk_to_utf8, latin_to_gbk

# UTF-8 read as a one-byte encoding shows a letter of the upper half, then one more such character or sign.
_LATIN_SUSPECTS: Final = (
    r"[\x{80}-\x{9F}]"
    r"|[\x{C0}-\x{2AF}\x{370}-\x{4FF}√≈‚‡∂∑][\x{A0}-\x{2DF}\x{370}-\x{4FF}\x{2010}-\x{203A}"
    r"\x{20A7}\x{20AC}\x{2100}-\x{2265}\x{2310}-\x{25FF}\x{FB01}\x{FB02}]"
    r"|[ÃÂà] "
)
# The second is the first in UTF-8, read as GBK.
_LOST: Final = "\ufffd|锟斤拷"


class EncodingDamage(MendingRule):
    """Repaired by ftfy, and by trying the Chinese encodings backwards; what cannot be read again is only pointed at."""

    kind: ClassVar = FindingKind.ENCODING_DAMAGE
    severity: ClassVar = Severity.PROBLEM
    action = FixAction.REPAIR

    def suspects(self, texts: pl.Series) -> pl.Series:
        return texts.str.contains(f"{_LATIN_SUSPECTS}|{_LOST}|{GBK_SUSPECTS}")

    def mend(self, texts: pl.Series, careful: pl.Series) -> pl.Series:
        return pl.Series("text", [repaired(text) for text in texts], dtype=pl.String)

    def noted(self, texts: pl.Series, careful: pl.Series) -> dict[str, pl.Series]:
        beyond = [is_bad(text) and repaired(text) == text for text in texts]
        return {"lost": texts.str.contains(_LOST) | pl.Series(beyond, dtype=pl.Boolean)}


def repaired(text: str) -> str:
    """The text with each damaged line put right; a line that is right stays as it is."""
    if "\n" in text:
        return "\n".join(_line(line) for line in text.split("\n"))
    return _line(text)


def _line(line: str) -> str:
    if line.isascii():
        return line
    for repair in (latin_to_gbk, ftfy.fix_encoding, gbk_to_utf8):
        fixed = repair(line)
        if fixed != line:
            return fixed
    return line
