"""A small set of pages and facts to show the frame with; used by tests and for looking at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.sampling import Sampling
from studio.gui.context import GuiContext
from studio.gui.forms import ModelForm
from studio.gui.page import Page, PageEntry, PaletteAction
from studio.gui.pages.settings import SettingsPage
from studio.gui.shell.facts import Item, StageFact, StageKey
from studio.gui.theme import Tone
from studio.gui.widgets import (
    Card,
    Chip,
    DropZone,
    EmptyState,
    MetricTile,
    PageHeader,
    PrimaryButton,
    ProgressPanel,
    ScrollPage,
    SearchField,
    SecondaryButton,
    SegmentedControl,
    Share,
    SplitBar,
    StateBadge,
)
from studio.i18n import _
from studio.services.changes import Changes
from studio.services.ports import OutboundCall


class DemoPage(Page):
    """Records what the shell asks of it."""

    interests = Changes.RUNS | Changes.MATRIX

    def __init__(self, ctx: GuiContext, page_id: str = "matrix") -> None:
        self.page_id = page_id  # type: ignore[misc]
        super().__init__(ctx)
        self.calls: list[Any] = []
        self.typed = ""
        QVBoxLayout(self).addWidget(self._content())

    def title(self) -> str:
        return self.page_id.title()

    def enter(self, **arguments: Any) -> None:
        self.calls.append(("enter", arguments))

    def leave(self) -> None:
        self.calls.append("leave")

    def refresh(self, changes: Changes) -> None:
        self.calls.append(("refresh", changes))

    def palette_actions(self) -> list[PaletteAction]:
        return [PaletteAction(f"{self.page_id}.act", f"Act on {self.page_id}", "Ctrl+E", self._act)]

    def state(self) -> dict[str, Any]:
        return {"typed": self.typed}

    def restore(self, state: dict[str, Any]) -> None:
        self.typed = state["typed"]

    def _act(self) -> None:
        self.calls.append("acted")

    def _content(self) -> QWidget:
        if self.page_id == "matrix":
            return _gallery()
        return EmptyState(
            "data", "Bring the examples your product should learn from.", "Import data", lambda: None,
            "Try an example", lambda: None, title="No data yet",
        )  # fmt: skip


def _gallery() -> QWidget:
    page = ScrollPage()
    buttons = (SecondaryButton("Export"), PrimaryButton("Train", icon="play"))
    page.add(PageHeader("Customer service", "Core product, pilot stage.", *buttons))
    row = QHBoxLayout()
    numbers = Card("Numbers", "Measured on held-out rows.", action=StateBadge("Better", "success"))
    tiles = QHBoxLayout()
    for figures in (
        ("Loss", "2.314", "base 2.871"),
        ("p95", "412 ms", "measured"),
        ("Rows", "12,480", "train"),
    ):
        tiles.addWidget(MetricTile(*figures))
    numbers.body.addLayout(tiles)
    numbers.add(SplitBar([Share("Train", 9984), Share("Validation", 1248), Share("Test", 1248)]))
    panel = ProgressPanel("Reading rows", lambda: None)
    panel.set_progress(4200, 12480, rate="1,400 rows/s", eta_s=6)
    numbers.add(panel)
    numbers.body.addStretch(1)
    row.addWidget(numbers, 3)
    controls = Card("Answer")
    controls.add(SegmentedControl([("simple", "Simple"), ("advanced", "Advanced")]))
    controls.add(ModelForm(Sampling, compact=True, fields=["temperature", "top_k", "seed"]))
    row.addWidget(controls, 2)
    page.body.addLayout(row)
    more = Card("Files", action=SearchField("Find a file"))
    more.add(DropZone("Drop files here or click", "CSV, Excel, JSON, Markdown, PDF"))
    chips = QHBoxLayout()
    tones: tuple[Tone, ...] = ("neutral", "accent", "success", "warning", "error")
    for tone in tones:
        chips.addWidget(StateBadge(tone, tone))
    chips.addWidget(Chip("tag"))
    chips.addStretch(1)
    more.body.addLayout(chips)
    page.add(more)
    page.body.addStretch(1)
    return page


def demo_entries() -> list[PageEntry]:
    def loader(page_id: str) -> Callable[[], Callable[[GuiContext], Page]]:
        return lambda: lambda ctx: DemoPage(ctx, page_id)

    return [
        PageEntry("matrix", lambda: _("Matrix"), "matrix", loader("matrix")),
        PageEntry("data", lambda: _("Data"), "data", loader("data")),
        PageEntry("train", lambda: _("Train"), "train", loader("train")),
        PageEntry("runs", lambda: _("Runs"), "runs", loader("runs")),
        PageEntry("playground", lambda: _("Playground"), "playground", loader("playground")),
        PageEntry("settings", lambda: _("Settings"), "settings", lambda: SettingsPage, foot=True),
    ]


@dataclass
class DemoFacts:
    """Two matrices, three products."""

    calls: list[OutboundCall] = field(default_factory=list)

    def matrices(self) -> Sequence[Item]:
        return [Item("m1", "Northwind family"), Item("m2", "北风产品家族")]

    def products(self, matrix_id: str) -> Sequence[Item]:
        if matrix_id == "m2":
            return [Item("p4", "客服助手")]
        names = ("Customer service", "Recommendations", "A product with a name far too long for any bar")
        return [Item(f"p{number}", name) for number, name in enumerate(names, 1)]

    def stages(self, product_id: str | None) -> Mapping[StageKey, StageFact]:
        return {
            "data": StageFact("done", "Data is chosen."),
            "train": StageFact("running", "A run is going on."),
            "try": StageFact("todo", "Comes after training."),
        }

    def connections(self) -> Sequence[OutboundCall]:
        return self.calls

    def online_allowed(self) -> bool:
        return False
