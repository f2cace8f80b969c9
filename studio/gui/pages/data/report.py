"""The report card of an import: rows, what was put aside, splits, languages, lengths, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from studio.domain.datasets import DatasetVersion, Split, TokenStats, title
from studio.gui.pages.data.statistics.readings import split_reading
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    MetricTile,
    ScrollPage,
    Share,
    SplitBar,
)
from studio.i18n import _, ngettext
from studio.words import clauses, duration_words, labelled, size_words
from studio.words_data import language_title, roles_words

_MOST_FILES = 4


class DatasetReport(ScrollPage):
    """Shows one dataset's facts. ``put_aside`` leads to the table of rows that were put aside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0)
        self._rows = MetricTile(_("Rows"))
        self._rejected = MetricTile(_("Put aside"))
        self._size = MetricTile(_("File"))
        self._time = MetricTile(_("Time taken"))
        self._splits = SplitBar()
        self._languages = SplitBar(counts=False)
        self._reading = BodyText(tone="muted")
        self._tokens = [
            MetricTile(words) for words in (_("Tokens in all"), _("Average row"), _("Longest row"))
        ]
        self._lengths = LengthScale()
        self._facts = QGridLayout()
        self._build()

    def show_dataset(self, dataset: DatasetVersion) -> None:
        """Show another dataset."""
        self._rows.set(f"{dataset.rows:,}")
        total = dataset.rows + dataset.rejected
        share = f"{dataset.rejected / total:.1%}" if dataset.rejected and total else ""
        self._rejected.set(f"{dataset.rejected:,}", share, "warning" if dataset.rejected else "text")
        self._size.set(size_words(dataset.source_bytes))
        self._time.set(
            duration_words(dataset.seconds)
            if dataset.seconds >= 1
            else _("{seconds} s").format(seconds=f"{dataset.seconds:.1f}")
        )
        self._time.setVisible(not dataset.made_by)  # it is the import's, not that of the steps after it
        self._splits.set([Share(title(split), dataset.splits.get(split, 0)) for split in Split])
        self._reading.setText(split_reading({split: dataset.splits.get(split, 0) for split in Split}))
        languages = sorted(dataset.languages.items(), key=lambda pair: -pair[1])
        self._languages.set([Share(language_title(code), share) for code, share in languages])
        self._languages.setVisible(bool(languages))
        self._language_title.setVisible(bool(languages))
        self._show_tokens(dataset.tokens)
        self._show_facts(dataset)

    def hide_languages(self) -> None:
        """They were measured better since."""
        self._language_title.hide()
        self._languages.hide()

    def _build(self) -> None:
        space = current_tokens().space
        numbers = Card()
        numbers.body.addLayout(_tiles([self._rows, self._rejected, self._size, self._time]))
        self._language_title = Caption(_("Languages"))
        for part in (
            Caption(_("How the rows are used")),
            self._splits,
            self._reading,
            self._language_title,
            self._languages,
        ):
            numbers.add(part)
        self._token_card = Card(
            _("Length of the rows"), _("A token is a piece of a word; models read tokens.")
        )
        self._token_card.body.addLayout(_tiles(self._tokens))
        self._token_card.add(self._lengths)
        origin = Card(_("Where it came from"))
        self._facts.setHorizontalSpacing(space.xl)
        self._facts.setVerticalSpacing(space.s)
        self._facts.setColumnStretch(1, 1)
        origin.body.addLayout(self._facts)
        for card in (numbers, self._token_card, origin):
            self.add(card)
        self.body.addStretch(1)

    def _show_tokens(self, tokens: TokenStats | None) -> None:
        self._token_card.setVisible(tokens is not None)
        if tokens is None:
            return
        for tile, amount in zip(self._tokens, (tokens.total, tokens.mean, tokens.longest), strict=True):
            tile.set(f"{amount:,.0f}")
        self._lengths.show_stats(tokens)

    def _show_facts(self, dataset: DatasetVersion) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        created = QLocale().toString(
            QDateTime.fromSecsSinceEpoch(int(dataset.created_at.timestamp())), QLocale.FormatType.ShortFormat
        )
        facts = [
            (_("File"), _places(dataset)),
            *((_("Columns"), words) for words in [_own_columns(dataset)] if words),
            (_("Imported") if dataset.number == 1 else _("Made"), created),
            (_("Licence"), dataset.spec.licence or _("not stated")),
            (_("Encoding"), dataset.spec.encoding or _("detected")),
            (_("Fingerprint"), dataset.content_sha256[:16]),
        ]
        for row, (name, value) in enumerate(facts):
            words = BodyText(value)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._facts.addWidget(Caption(name), row, 0)
            self._facts.addWidget(words, row, 1)


def _places(dataset: DatasetVersion) -> str:
    """The files that the rows came from, the first few by name."""
    return _first_few(list(dict.fromkeys(source.path for source in dataset.sources)) or [dataset.source_path])


def _own_columns(dataset: DatasetVersion) -> str:
    """Of the files that name their columns in their own way, the first few; empty when all are alike."""
    return _first_few(
        [
            labelled(source.member or Path(source.path).name, words)
            for source in dataset.sources
            if (words := roles_words(source.roles))
        ]
    )


def _first_few(lines: list[str]) -> str:
    """One below the other, and how many files more there are."""
    more = len(lines) - _MOST_FILES
    rest = [ngettext("and {n} more file", "and {n} more files", more).format(n=more)] if more > 0 else []
    return "\n".join(lines[:_MOST_FILES] + rest)


class LengthScale(QWidget):
    """How long the rows are: a bar to the longest, with the middle and the 95 % mark."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stats: TokenStats | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_stats(self, stats: TokenStats) -> None:
        """Show other lengths, in tokens."""
        self._stats = stats
        self.setAccessibleName(clauses(words for _share, words in self._marks(stats)))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 52)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._stats is None:
            return
        tokens = current_tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.surface_pressed))
        painter.drawRoundedRect(QRectF(0, 0, self.width(), 10), 5, 5)
        half, most = self._marks(self._stats)
        for (share, _words), colour in ((most, tokens.accent_soft), (half, tokens.accent)):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(0, 0, max(10.0, self.width() * share), 10), 5, 5)
        painter.setPen(QColor(tokens.text_muted))
        painter.setFont(ui_font(tokens.fonts.caption))
        words = "    ".join(words for _share, words in (half, most))
        painter.drawText(QRectF(0, 18, self.width(), 20), Qt.AlignmentFlag.AlignVCenter, words)

    def _marks(self, stats: TokenStats) -> list[tuple[float, str]]:
        longest = max(stats.longest, 1)
        return [
            (stats.p50 / longest, _("Half of the rows: at most {n} tokens").format(n=f"{stats.p50:,}")),
            (stats.p95 / longest, _("95% of the rows: at most {n} tokens").format(n=f"{stats.p95:,}")),
        ]


def _tiles(tiles: Sequence[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(current_tokens().space.xl)
    for tile in tiles:
        row.addWidget(tile, 1)
    return row
