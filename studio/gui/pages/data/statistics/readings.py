"""What each plot says, in one sentence."""

from __future__ import annotations

from studio.domain.datasets import Split, title
from studio.domain.statistics import DatasetStatistics, Histogram, ImageFacts, Vocabulary
from studio.gui.pages.data.statistics.charts import number_words
from studio.i18n import _, ngettext
from studio.words import listed, sentences
from studio.words_data import column_title, language_title, unit_title

_MUCH_LONGER = 10
_UNEVEN = 5
_POOR_BYTES = 0.1
_MIXED = 0.1


def length_reading(histogram: Histogram) -> str:
    """How long the texts of a column are, and whether a few are out of the ordinary."""
    unit = unit_title(histogram.unit)
    words = _("Half of the rows have at most {half} {unit}, 95% at most {most}; the longest has {longest}.").format(
        half=number_words(histogram.p50), most=number_words(histogram.p95), unit=unit,
        longest=number_words(histogram.longest),
    )  # fmt: skip
    if histogram.p95 and histogram.longest > _MUCH_LONGER * histogram.p95:
        words = sentences(words, _("A few rows are far longer than the others: look at them."))
    return words


def label_reading(labels: dict[str, dict[str, int]]) -> str:
    """Whether the labels are even, complete, and in every part."""
    totals = {name: sum(parts.values()) for name, parts in labels.items()}
    waiting = totals.pop("", 0)
    found = []
    counts = sorted((rows, name) for name, rows in totals.items() if rows)
    if len(counts) > 1:
        (least, rare), (most, frequent) = counts[0], counts[-1]
        if most > _UNEVEN * least:
            found.append(
                _("Uneven: “{frequent}” has {n} times as many rows as “{rare}”; “{rare}” will be learned less well.")
                .format(frequent=frequent, rare=rare, n=f"{most / least:,.0f}")
            )  # fmt: skip
        else:
            found.append(_("The labels are spread evenly enough to learn from."))
    untested = [name for name, parts in labels.items() if name and not parts.get(Split.TEST, 0)]
    if untested:
        found.append(
            ngettext(
                "{n} label has no test row: it cannot be judged.",
                "{n} labels have no test row: they cannot be judged.",
                len(untested),
            ).format(n=len(untested))
        )
    if waiting:
        found.append(
            ngettext("{n} row waits for a label.", "{n} rows wait for a label.", waiting).format(
                n=f"{waiting:,}"
            )
        )
    return sentences(*found)


def language_reading(languages: dict[str, float]) -> str:
    """Whether the rows are in one language."""
    ranked = sorted(languages.items(), key=lambda pair: -pair[1])
    name = language_title(ranked[0][0])
    if len(ranked) == 1 or ranked[1][1] < _MIXED:
        return _("Nearly all rows are in one language: {language}.").format(language=name)
    return _(
        "The rows are in several languages, most in {language}; the model will answer in all of them."
    ).format(language=name)


def duplicate_reading(statistics: DatasetStatistics) -> str:
    """How many rows repeat an earlier one."""
    if not statistics.duplicates:
        return _("No row occurs twice.")
    share = statistics.duplicates / max(statistics.rows, 1)
    return _("{n} rows ({share}) repeat an earlier one; the data doctor can remove them.").format(
        n=f"{statistics.duplicates:,}", share=f"{share:.1%}"
    )


def vocabulary_reading(vocabulary: Vocabulary) -> str:
    """How well the tokenizer knows the texts."""
    if vocabulary.bytes_share > _POOR_BYTES:
        return _(
            "{share} of the tokens are pieces of a single character: this model was not made for such texts and "
            "will read them slowly."
        ).format(share=f"{vocabulary.bytes_share:.0%}")
    return _("The model's tokenizer knows these texts well: {n} characters in a token on average.").format(
        n=f"{vocabulary.characters_per_token:.1f}"
    )


def split_reading(splits: dict[str, int]) -> str:
    """Whether enough is held out for a verdict."""
    held = splits.get(Split.TEST, 0)
    if not held:
        return _("No row is held back for the test: the verdict will be less sure.")
    return _("{n} rows are held back for an honest verdict.").format(n=f"{held:,}")


def number_reading(histogram: Histogram) -> str:
    """Where the numbers lie."""
    return _("{column}: half are at most {half}, 95% at most {most}; the largest is {longest}.").format(
        column=column_title(histogram.column), half=number_words(histogram.p50),
        most=number_words(histogram.p95), longest=number_words(histogram.longest),
    )  # fmt: skip


def image_reading(images: ImageFacts) -> str:
    """How large the images are."""
    formats = listed(f"{name} {count:,}" for name, count in sorted(images.formats.items()))
    return _("Half of the images are at most {width} × {height} pixels. Formats: {formats}.").format(
        width=number_words(images.widths.p50), height=number_words(images.heights.p50), formats=formats
    )


def split_name(name: str) -> str:
    """The name of a part; an unknown one as it is."""
    return title(Split(name)) if name in list(Split) else name
