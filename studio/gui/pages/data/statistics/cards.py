"""The cards of the statistics: which figures of a dataset get one, and what stands in it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from studio.domain.datasets import Split
from studio.domain.statistics import DatasetStatistics, Histogram
from studio.gui.models.cells import kind_of, one_line, shown_text
from studio.gui.pages.data.statistics import readings
from studio.gui.pages.data.statistics.charts import Bar, BarList, HistogramPlot, Part
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, MetricTile, SegmentedControl
from studio.i18n import _, ngettext
from studio.words import labelled
from studio.words_data import column_title, language_title

_MOST_LABELS = 12
_EXAMPLE_CHARS = 220
_LEAST_SHARE = 0.005  # of a language that is named
_META = ("row", "key", "split", "origin")


def cards_of(statistics: DatasetStatistics) -> list[QWidget]:
    """All cards that have something to say about this dataset, the most telling first."""
    makers: list[Callable[[DatasetStatistics], list[QWidget]]] = [
        _labels, _lengths, _numbers, _images, _languages, _duplicates, _vocabulary, _examples,
    ]  # fmt: skip
    return [card for make in makers for card in make(statistics)]


def _card(title: str, reading: str, content: QWidget) -> QWidget:
    card = Card(title)
    card.add(content)
    card.add(BodyText(reading, tone="muted"))
    card.body.addStretch(1)
    return card


def _lengths(statistics: DatasetStatistics) -> list[QWidget]:
    """Tokens where they were counted; characters only for the columns without."""
    counted = {each.column for each in statistics.lengths if each.unit == "tokens"}
    return [
        _plot(_length_title(each.column), readings.length_reading(each), each)
        for each in statistics.lengths
        if any(each.counts) and (each.unit == "tokens" or each.column not in counted)
    ]


def _length_title(column: str) -> str:
    return _("Length: {column}").format(column=column_title(column)) if column else _("Length of whole rows")


def _plot(title: str, reading: str, histogram: Histogram) -> QWidget:
    return _card(title, reading, HistogramPlot(histogram))


def _labels(statistics: DatasetStatistics) -> list[QWidget]:
    if not statistics.labels:
        return []
    ranked = sorted(statistics.labels.items(), key=lambda pair: -sum(pair[1].values()))
    bars = BarList()
    bars.show_bars(
        [
            Bar(name or _("No label yet"), [Part(readings.split_name(s), parts.get(s, 0)) for s in Split])
            for name, parts in ranked[:_MOST_LABELS]
        ]
    )
    bars.setAccessibleName(_("Rows of each label"))
    card = Card(_("Labels"))
    card.add(bars)
    more = len(ranked) - _MOST_LABELS
    if more > 0:
        card.add(Caption(ngettext("and {n} more label", "and {n} more labels", more).format(n=more)))
    card.add(BodyText(readings.label_reading(statistics.labels), tone="muted"))
    card.body.addStretch(1)
    return [card]


def _languages(statistics: DatasetStatistics) -> list[QWidget]:
    if not statistics.languages:
        return []
    ranked = sorted(statistics.languages.items(), key=lambda pair: -pair[1])
    bars = BarList()
    bars.show_bars(
        [
            Bar(language_title(code), [Part("", share)], f"{share:.0%}")
            for code, share in ranked[:6]
            if share >= _LEAST_SHARE
        ],
        of=1.0,
    )
    bars.setAccessibleName(_("Share of each language"))
    return [_card(_("Languages"), readings.language_reading(statistics.languages), bars)]


def _duplicates(statistics: DatasetStatistics) -> list[QWidget]:
    tile = MetricTile(_("Rows that repeat an earlier one"), f"{statistics.duplicates:,}")
    return [_card(_("Duplicates"), readings.duplicate_reading(statistics), tile)]


def _vocabulary(statistics: DatasetStatistics) -> list[QWidget]:
    vocabulary = statistics.vocabulary
    if vocabulary is None or not vocabulary.size:
        return []
    bars = BarList()
    used = vocabulary.distinct / vocabulary.size
    bars.show_bars(
        [
            Bar(_("Known pieces used"), [Part("", used)], f"{used:.1%}"),
            Bar(
                _("Pieces of a character"),
                [Part("", vocabulary.bytes_share)],
                f"{vocabulary.bytes_share:.1%}",
            ),
        ],
        of=1.0,
    )
    bars.setAccessibleName(_("How the tokenizer fits"))
    return [_card(_("How the tokenizer fits"), readings.vocabulary_reading(vocabulary), bars)]


def _numbers(statistics: DatasetStatistics) -> list[QWidget]:
    numbers = statistics.numbers
    if numbers is None or not any(numbers.counts):
        return []
    return [_plot(column_title(numbers.column), readings.number_reading(numbers), numbers)]


def _images(statistics: DatasetStatistics) -> list[QWidget]:
    images = statistics.images
    if images is None:
        return []
    return [
        _plot(_("Width of the images, in pixels"), readings.image_reading(images), images.widths),
        _plot(_("Height of the images, in pixels"), readings.image_reading(images), images.heights),
    ]


def _examples(statistics: DatasetStatistics) -> list[QWidget]:
    parts = [split for split in Split if statistics.examples.get(split)]
    if not parts:
        return []
    card = Card(_("Examples"))
    choice = SegmentedControl([(split.value, readings.split_name(split)) for split in parts])
    choice.setAccessibleName(_("Which rows are shown"))
    words = BodyText()
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def show(split: str) -> None:
        words.setText("\n\n".join(_example_words(row) for row in statistics.examples[split]))

    choice.changed.connect(show)
    show(parts[0])
    card.add(choice)
    card.add(words)
    card.body.setSpacing(current_tokens().space.m)
    card.body.addStretch(1)
    return [card]


def _example_words(row: dict[str, str]) -> str:
    lines = []
    for name, text in row.items():
        if text and name not in _META:
            shown = one_line(shown_text(kind_of(name), text), _EXAMPLE_CHARS)
            lines.append(labelled(column_title(name), shown))
    return "\n".join(lines)
