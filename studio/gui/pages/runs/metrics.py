"""Named figures of the validation rows over the steps: accuracy, F1, typical error, …; one at a time, chosen by name.

Imports pyqtgraph; see charts.
"""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.measures import metric_title
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, DropDown
from studio.gui.widgets.plots import Curve, PlotPanel
from studio.gui.widgets.plots_series import Series
from studio.i18n import _

HEIGHT = 170
_COLOUR = 3
_BY_LOSS = frozenset({"perplexity"})  # says the same as the loss above


class MetricsPlot(QWidget):
    """Hidden while a run has no such figures."""

    def __init__(self, x_title: str) -> None:
        super().__init__()
        self._curves: dict[str, Series] = {}
        self._shown = ""
        self.names = DropDown()
        self.names.setAccessibleName(_("Figure on the validation rows"))
        self.names.setMinimumWidth(220)
        self.names.activated.connect(lambda _place: self._draw())
        self.plot = PlotPanel(_("Figure on the validation rows"), x_title)
        self.plot.setFixedHeight(HEIGHT)
        head = QHBoxLayout()
        head.addWidget(BodyText(_("On the validation rows"), bold=True))
        head.addWidget(self.names)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addLayout(head)
        column.addWidget(self.plot)
        self.hide()

    def show_curves(self, curves: dict[str, Series]) -> None:
        """Show one of these; which is kept when it is still there."""
        names = [name for name in curves if name not in _BY_LOSS]
        listed = [self.names.itemData(place) for place in range(self.names.count())]
        if curves is not self._curves or names != listed:
            self._curves, kept = curves, self.names.currentData()
            self.names.clear()
            for name in names:
                self.names.addItem(metric_title(name), name)
            self.names.setCurrentIndex(max(0, self.names.findData(kept)))
            self._draw()
        self.setVisible(bool(names))

    def _draw(self) -> None:
        name = self.names.currentData()
        self.plot.clear()
        if name is not None:
            self.plot.add(Curve(metric_title(name), self._curves[name], _COLOUR, "points"))
