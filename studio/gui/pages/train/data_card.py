"""Which data is taught."""

from __future__ import annotations

from PySide6.QtCore import Signal

from studio.domain import datasets
from studio.domain.datasets import DatasetVersion, Split
from studio.domain.task_fit import mismatch_words
from studio.gui.pages.train.choices import Choices, Shelf
from studio.gui.widgets import BodyText, Caption, Card, DropDown, SecondaryButton, Share, SplitBar
from studio.i18n import _, ngettext


class DataCard(Card):
    """``chosen`` carries a DatasetVersion; ``import_asked`` when there is none."""

    chosen = Signal(object)
    import_asked = Signal()

    def __init__(self) -> None:
        super().__init__(_("Data"), _("Rows that the model learns from, and rows kept aside to test it."))
        self._datasets: list[DatasetVersion] = []
        self.combo = DropDown()
        self.combo.setAccessibleName(_("Data"))
        self.combo.activated.connect(lambda number: self.chosen.emit(self._datasets[number]))
        self.facts = Caption()
        self.unfit = Caption(tone="warning")
        self.split = SplitBar()
        self.empty = BodyText(_("There is no data yet."), tone="muted")
        self.import_button = SecondaryButton(_("Import data…"), self.import_asked.emit)
        for part in (self.combo, self.facts, self.unfit, self.split, self.empty, self.import_button):
            self.add(part)

    def show_shelf(self, shelf: Shelf, choices: Choices) -> None:
        """List the datasets that are there."""
        self._datasets = list(shelf.datasets)
        self.combo.clear()
        for dataset in self._datasets:
            self.combo.addItem(_("{name} · {rows} rows").format(name=dataset.name, rows=f"{dataset.rows:,}"))
        self.show_choices(choices)

    def show_choices(self, choices: Choices) -> None:
        """Show the chosen dataset."""
        there = bool(self._datasets)
        dataset = choices.dataset
        number = next((i for i, d in enumerate(self._datasets) if dataset and d.id == dataset.id), -1)
        self.combo.setCurrentIndex(number)
        self.combo.setPlaceholderText(_("Choose data"))
        self.combo.setVisible(there)
        self.empty.setVisible(not there)
        self.import_button.setVisible(not there)
        self.facts.setVisible(dataset is not None)
        self.split.setVisible(dataset is not None)
        unfit = mismatch_words(choices.task, dataset.shape) if choices.task and dataset else ""
        self.unfit.setText(unfit)
        self.unfit.setVisible(bool(unfit))
        if dataset is not None:
            self.facts.setText(_facts(dataset))
            self.split.set([Share(datasets.title(s), dataset.splits.get(s, 0)) for s in Split])


def _facts(dataset: DatasetVersion) -> str:
    facts = [datasets.title(dataset.shape)]
    if dataset.tokens is not None:
        facts.append(
            ngettext("{n} token", "{n} tokens", dataset.tokens.total).format(n=f"{dataset.tokens.total:,}")
        )
    if dataset.rejected:
        facts.append(
            ngettext("{n} row put aside", "{n} rows put aside", dataset.rejected).format(
                n=f"{dataset.rejected:,}"
            )
        )
    return "  ·  ".join(facts)
