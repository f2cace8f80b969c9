"""The settings page: the Settings model as a form, what the program contacted, and what it is made of."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QWidget

import studio
from studio.domain.settings import Settings
from studio.errors import StudioError
from studio.gui.dialogs.connections import ConnectionsDialog
from studio.gui.forms import ModelForm
from studio.gui.page import Page, PaletteAction
from studio.gui.widgets import BodyText, Caption, Card, FormRow, PageHeader, ScrollPage, SecondaryButton
from studio.i18n import _, ngettext
from studio.paths import models_dir
from studio.services.changes import Changes

if TYPE_CHECKING:
    from studio.gui.context import GuiContext

_LOOK = ["language", "theme"]
_NETWORK = ["hub", "hub_mirror", "hub_consent"]
_COSTS = ["power_kw", "tariff_per_kwh", "hardware_price", "hardware_life_months"]
_PARTS = (
    "PySide6-Essentials",
    "pydantic",
    "SQLAlchemy",
    "polars",
    "torch",
    "transformers",
    "peft",
    "pyqtgraph",
)


class SettingsPage(Page):
    """Every change is stored at once; there is no Save button."""

    page_id = "settings"
    icon = "settings"
    interests = Changes.SETTINGS | Changes.OUTBOUND

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(ctx, parent)
        self._forms: list[ModelForm[Settings]] = []
        self._made = BodyText(tone="muted")
        scroll = ScrollPage(max_width=760)
        scroll.add(PageHeader(_("Settings"), _("Changes take effect at once.")))
        scroll.add(self._form_card(_("Language and appearance"), _LOOK))
        scroll.add(self._folders_card())
        scroll.add(self._network_card())
        scroll.add(self._form_card(_("Costs"), _COSTS))
        scroll.add(_about_card())
        scroll.body.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(scroll)
        self._show_made()

    def title(self) -> str:
        return _("Settings")

    def refresh(self, changes: Changes) -> None:
        for form in self._forms:
            if form.value() != self.ctx.services.settings.current:
                form.set_value(self.ctx.services.settings.current)
        self._show_made()

    def palette_actions(self) -> list[PaletteAction]:
        return [PaletteAction("settings.models", _("Open the models folder"), "", _open_models_folder)]

    def _form_card(self, title: str, fields: list[str]) -> Card:
        card = Card(title)
        card.add(self._form(fields))
        return card

    def _form(self, fields: list[str]) -> ModelForm[Settings]:
        form = ModelForm(Settings, self.ctx.services.settings.current, fields=fields)
        form.changed.connect(lambda value: self._store({name: getattr(value, name) for name in fields}))
        self._forms.append(form)
        return form

    def _folders_card(self) -> Card:
        card = Card(_("Folders"))
        workspace = str(self.ctx.services.paths.root)
        card.add(FormRow(_("Workspace"), _shown(workspace), _("Your matrices, data and runs."), wide=True))
        card.add(
            FormRow(_("Base models"), _shown(str(models_dir())), _("Shared by all workspaces."), wide=True)
        )
        return card

    def _network_card(self) -> Card:
        card = Card(
            _("Network"), _("The program works without a network; nothing is fetched before you allow it.")
        )
        card.add(self._form(_NETWORK))
        row = QHBoxLayout()
        row.addWidget(self._made, 1)
        row.addWidget(SecondaryButton(_("Show connections"), self._open_connections))
        card.body.addLayout(row)
        return card

    def _store(self, fields: dict[str, Any]) -> None:
        try:
            self.ctx.services.settings.update(**fields)
        except StudioError as problem:
            self.ctx.notices.error_from(problem)

    def _show_made(self) -> None:
        made = len(self.ctx.services.outbound.list())
        if made:
            words = ngettext("{n} connection made so far.", "{n} connections made so far.", made).format(
                n=made
            )
        else:
            words = _("No connection was made so far.")
        self._made.setText(words)

    def _open_connections(self) -> None:
        ConnectionsDialog(self.ctx.services.outbound.list(), self).open()


def _shown(path: str) -> QLineEdit:
    line = QLineEdit(path)
    line.setReadOnly(True)
    line.setCursorPosition(0)
    return line


def _open_models_folder() -> None:
    folder = models_dir()
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _about_card() -> Card:
    card = Card(_("About"), " ".join([_("Product Matrix Studio"), studio.__version__, "· Apache-2.0"]))
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(6)
    lines = [("Python", platform.python_version(), "PSF"), ("Qt", qVersion(), "LGPL-3.0"), *_part_lines()]
    for row, line in enumerate(lines):
        for column, text in enumerate(line):
            grid.addWidget(Caption(text, tone="text" if column == 0 else "muted"), row, column)
    grid.setColumnStretch(2, 1)
    card.body.addLayout(grid)
    return card


def _part_lines() -> list[tuple[str, str, str]]:
    lines = []
    for name in _PARTS:
        try:
            about = metadata.metadata(name).json
        except metadata.PackageNotFoundError:
            continue  # an optional part that this installation leaves out
        licence = str(about.get("license_expression") or about.get("license") or "")
        lines.append((name, str(about["version"]), licence.splitlines()[0][:60] if licence else ""))
    return lines
