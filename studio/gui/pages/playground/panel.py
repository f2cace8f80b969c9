"""The column at the right: how the models shall behave and how their answers are drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from studio.domain.sampling import Sampling
from studio.gui.forms import ModelForm
from studio.gui.theme import Tone, current_tokens
from studio.gui.widgets import BodyText, Caption, Card, Chip, Divider, LinkButton, Switch
from studio.gui.widgets.chat_input import GrowingText
from studio.gui.widgets.chat_tokens import BANDS
from studio.i18n import _

WIDTH = 292
_TONES: dict[str, Tone] = {
    "success_soft": "success", "accent_soft": "accent", "warning_soft": "warning", "error_soft": "error",
}  # fmt: skip


class SettingsPanel(Card):
    """sampling_changed: Sampling; system_changed: str; details_changed: bool."""

    sampling_changed = Signal(object)
    system_changed = Signal(str)
    details_changed = Signal(bool)

    def __init__(self, sampling: Sampling, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setFixedWidth(WIDTH)
        space = current_tokens().space
        self.form = ModelForm(Sampling, sampling, compact=True)
        self.form.changed.connect(self.sampling_changed)
        self.system = _SystemPrompt()
        self.system.box.textChanged.connect(lambda: self.system_changed.emit(self.system.text()))
        self.details = Switch()
        self.details.toggled.connect(self.details_changed)
        self.reset = LinkButton(_("Back to the defaults"), self._reset)
        inside = QWidget()
        inside.setObjectName("scroll_body")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, space.m, 0)
        column.setSpacing(space.l)
        column.addWidget(self.system)
        column.addWidget(Divider())
        column.addWidget(self._details_part())
        column.addWidget(Divider())
        column.addWidget(self.form)
        column.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        self.add(scroll, 1)
        margins = self.layout()
        if margins is not None:  # the scroll bar stands near the edge of the card
            margins.setContentsMargins(space.xl - 4, space.l, space.s, space.l)

    def _details_part(self) -> QWidget:
        host = QWidget()
        column = QVBoxLayout(host)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.xs)
        row = QHBoxLayout()
        label = BodyText(_("Show how sure it is"))
        label.setBuddy(self.details)
        self.details.setAccessibleName(label.text())
        row.addWidget(label, 1)
        row.addWidget(self.details)
        column.addLayout(row)
        help_text = _(
            "Colours each piece of the next answers by its probability; point at one to see the alternatives."
        )
        self.details.setAccessibleDescription(help_text)
        column.addWidget(Caption(help_text))
        self._legend = _Legend()
        self._legend.hide()
        self.details.toggled.connect(self._legend.setVisible)
        column.addWidget(self._legend)
        return host

    def _reset(self) -> None:
        self.form.set_value(Sampling())
        self.sampling_changed.emit(Sampling())


class _SystemPrompt(QWidget):
    """A text that folds away; open when there is something in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.xs)
        self.toggle = LinkButton(_("System prompt"), self._on_toggle, icon="chevron-right")
        self.toggle.setCheckable(True)
        self.toggle.setAccessibleDescription(_("Who the model is and how it should answer"))
        self.box = GrowingText(
            _("System prompt"),
            _("e.g. You are the friendly assistant of a lamp shop."),
            least_lines=3,
            most_lines=10,
        )
        self.box.submitted.connect(lambda: self.box.insertPlainText("\n"))
        self.box.takes_escape = False
        self._help = Caption(
            _("Who the model is and how it should answer. Given to it before every conversation.")
        )
        column.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.box)
        column.addWidget(self._help)
        self.set_open(False)

    def text(self) -> str:
        """What is typed."""
        return self.box.toPlainText()

    def set_text(self, text: str) -> None:
        """Show a text, opened when there is one."""
        self.box.setPlainText(text)
        self.set_open(bool(text))

    def set_open(self, opened: bool) -> None:
        """Fold out or in."""
        self.toggle.setChecked(opened)
        self.toggle.set_icon("chevron-down" if opened else "chevron-right")
        self.box.setVisible(opened)
        self._help.setVisible(opened)

    def _on_toggle(self) -> None:
        self.set_open(self.toggle.isChecked())
        if self.toggle.isChecked():
            self.box.setFocus(Qt.FocusReason.OtherFocusReason)


class _Legend(QWidget):
    """The four grounds behind tokens, in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, current_tokens().space.xs, 0, 0)
        row.setSpacing(4)
        for _least, ground, words in BANDS:
            row.addWidget(Chip(_(words), _TONES[ground]))
        row.addStretch(1)
