"""Say what flows from one product to another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from studio.domain.products import LinkKind, Matrix, SynergyLink, check_link, title
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import FormRow
from studio.i18n import _

_SEPARATORS = re.compile(r"[,，、;；]")


class LinkDialog(FormDialog):
    """``link()`` is the link as chosen. ``columns``: suggestions for what flows, from the source's data."""

    def __init__(
        self, matrix: Matrix, link: SynergyLink, *, columns: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        adding = all(existing.id != link.id for existing in matrix.links)
        super().__init__(
            _("Link products") if adding else _("Edit link"), _("Link") if adding else _("Save"), parent
        )
        self._matrix = matrix
        self._original = link
        self.source = self._products(link.source_id)
        self.target = self._products(link.target_id)
        self.kind = QComboBox()
        for kind in LinkKind:
            self.kind.addItem(title(kind), kind)
        self.kind.setCurrentIndex(self.kind.findData(link.kind))
        self.payload = QLineEdit(", ".join(link.payload))
        self.payload.setPlaceholderText(", ".join(columns) or _("For example: question, answer"))
        self.note = QLineEdit(link.note)
        self._build()
        self.kind.setFocus()

    def link(self) -> SynergyLink:
        """What was chosen, with the id and the counters of the link that was opened."""
        columns = (part.strip() for part in _SEPARATORS.split(self.payload.text()))
        return replace(
            self._original, source_id=self.source.currentData(), target_id=self.target.currentData(),
            kind=LinkKind(self.kind.currentData()), payload=tuple(column for column in columns if column),
            note=self.note.text().strip(),
        )  # fmt: skip

    def check(self) -> None:
        check_link(self._matrix, self.link())

    def _build(self) -> None:
        ends = QHBoxLayout()
        ends.setSpacing(current_tokens().space.l)
        ends.addWidget(FormRow(_("From"), self.source), 1)
        ends.addWidget(FormRow(_("To"), self.target), 1)
        self.rows.addLayout(ends)
        self.rows.addWidget(FormRow(_("What connects them"), self.kind))
        help_text = _("Names of the columns that flow, separated by commas.")
        self.rows.addWidget(FormRow(_("Columns that flow"), self.payload, help_text))
        self.rows.addWidget(FormRow(_("Note"), self.note))

    def _products(self, chosen: str) -> QComboBox:
        combo = QComboBox()
        for product in self._matrix.products:
            combo.addItem(product.name, product.id)
        combo.setCurrentIndex(max(combo.findData(chosen), 0))
        return combo
