"""Rows in another language than most: told by the script where that is enough, else by py3langid.

Only what is certain counts: a row too short to tell, or with words of several languages, is nobody's.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.identify import many_texts
from studio.ingest.doctor.rules import SetFinding, SetRule
from studio.ingest.doctor.texts import text_columns, whole_texts
from studio.ingest.doctor.view import DatasetView

UNKNOWN: Final = "und"
_BEGINNING: Final = 400  # characters that tell a row's language
_CLASSIFIED: Final = 160
_LETTERS_AT_LEAST: Final = 24  # fewer letters of an alphabet tell nothing for certain
_CONFIDENCE: Final = 0.9
_SCRIPTS: Final = {
    "han": r"\p{Han}",
    "kana": r"[\p{Hiragana}\p{Katakana}]",
    "ko": r"\p{Hangul}",
    "cyrillic": r"\p{Cyrillic}",
    "latin": r"\p{Latin}",
}
_OTHERS: Final = {
    "ar": r"\p{Arabic}", "el": r"\p{Greek}", "he": r"\p{Hebrew}", "hi": r"\p{Devanagari}", "th": r"\p{Thai}",
}  # fmt: skip


class LanguageMix(SetRule):
    kind: ClassVar = FindingKind.LANGUAGE_MIX
    severity: ClassVar = Severity.NOTE
    fixes: ClassVar = (FixAction.KEEP_MAIN_LANGUAGE,)

    def applies(self, shape: Shape) -> bool:
        return bool(text_columns(shape))

    def find(self, view: DatasetView) -> SetFinding:
        columns = text_columns(view.shape)
        rows: list[np.ndarray[Any, Any]] = []
        codes: list[pl.Series] = []
        for frame in view.portions(["row", *columns], "telling_languages"):
            rows.append(frame["row"].to_numpy())
            codes.append(languages(whole_texts(frame, columns)))
        told = pl.DataFrame({"row": np.concatenate(rows), "language": pl.concat(codes)})
        known = told.filter(pl.col("language") != UNKNOWN)
        counts = (
            known["language"].value_counts(sort=True).sort(["count", "language"], descending=[True, False])
        )
        if counts.height < 2:
            return SetFinding(np.empty(0, np.int64))
        others = known.filter(pl.col("language") != counts["language"][0])
        found = others["row"].to_numpy()
        shown = others.head(200)
        return SetFinding(
            found,
            {FixAction.KEEP_MAIN_LANGUAGE: found},
            notes=dict(zip(shown["row"].to_list(), shown["language"].to_list(), strict=True)),
            details={"languages": dict(counts.iter_rows())},
        )


def languages(texts: pl.Series) -> pl.Series:
    """The language of each text as an ISO 639-1 code, ``und`` where it cannot be told."""
    heads = texts.str.slice(0, _BEGINNING)
    counts = pl.DataFrame([heads.str.count_matches(p).alias(n) for n, p in _SCRIPTS.items()])
    told = counts.with_columns(letters=heads.str.count_matches(r"\p{L}")).select(_by_script())
    codes = told["language"]
    alphabet = (codes == "alphabet").arg_true()
    if len(alphabet):
        codes = codes.scatter(alphabet, _classified(heads.gather(alphabet)))
    other = (codes == "other").arg_true()
    if len(other):
        codes = codes.scatter(other, _of_other(heads.gather(other)))
    return codes


def _by_script() -> pl.Expr:
    """One Chinese character says about as much as three Latin letters; names and terms stay in Latin letters."""
    col = pl.col
    eastern = 3 * (col("han") + col("kana") + col("ko"))
    return (
        pl.when(col("letters") < 2).then(pl.lit(UNKNOWN))
        .when((col("kana") * 4 >= col("han")) & (col("kana") > 2) & (eastern >= col("latin"))).then(pl.lit("ja"))
        .when((col("ko") > col("han")) & (eastern >= col("latin"))).then(pl.lit("ko"))
        .when((col("han") > 0) & (eastern >= col("latin"))).then(pl.lit("zh"))
        .when(pl.max_horizontal("latin", "cyrillic") * 5 < col("letters") * 4).then(pl.lit("other"))
        .when(pl.max_horizontal("latin", "cyrillic") < _LETTERS_AT_LEAST).then(pl.lit(UNKNOWN))
        .otherwise(pl.lit("alphabet"))
        .alias("language")
    )  # fmt: skip


def _classified(texts: pl.Series) -> pl.Series:
    codes, likely = many_texts().identify(texts.str.slice(0, _CLASSIFIED))
    told = zip(codes, likely.tolist(), strict=True)
    return pl.Series([code if sure >= _CONFIDENCE else UNKNOWN for code, sure in told], dtype=pl.String)


def _of_other(texts: pl.Series) -> pl.Series:
    letters = texts.str.count_matches(r"\p{L}")
    code = pl.Series([UNKNOWN]).new_from_index(0, len(texts))
    for name, pattern in _OTHERS.items():
        main = texts.str.count_matches(pattern) * 2 > letters
        code = code.scatter(main.arg_true(), name) if main.any() else code
    return code
