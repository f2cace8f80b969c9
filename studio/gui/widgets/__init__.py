"""The parts that pages are made of; they hold no colours of their own."""

from studio.gui.widgets.badge import Chip, IconLabel, StateBadge
from studio.gui.widgets.buttons import (
    DangerButton,
    GhostButton,
    IconButton,
    LinkButton,
    PrimaryButton,
    SecondaryButton,
)
from studio.gui.widgets.card import Card
from studio.gui.widgets.controls import DropDown, SearchField, SegmentedControl, Slider, Switch
from studio.gui.widgets.drop import DropOverlay, DropZone
from studio.gui.widgets.figures import MetricTile, ProgressPanel, Share, SplitBar
from studio.gui.widgets.labels import BodyText, Caption, Divider, Figure, PageTitle, SectionTitle
from studio.gui.widgets.layout import EmptyState, FittedPage, FormRow, PageHeader, ScrollPage

__all__ = [
    "BodyText", "Caption", "Card", "Chip", "DangerButton", "Divider", "DropDown", "DropOverlay", "DropZone",
    "EmptyState", "Figure", "FittedPage", "FormRow", "GhostButton", "IconButton", "IconLabel", "LinkButton",
    "MetricTile", "PageHeader", "PageTitle", "PrimaryButton", "ProgressPanel", "ScrollPage", "SearchField",
    "SecondaryButton", "SectionTitle", "SegmentedControl", "Share", "Slider", "SplitBar", "StateBadge", "Switch",
]  # fmt: skip
