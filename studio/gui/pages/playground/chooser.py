"""The bar above the conversation: which model, alone or beside another, openly or blind."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPaintEvent, QStandardItem, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from studio.gui.icons import icon
from studio.gui.models.chat_choices import Choices, ModelChoice
from studio.gui.models.seats import Seat, SeatState
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, IconButton, SecondaryButton, SegmentedControl, Switch
from studio.gui.widgets.badge import IconLabel
from studio.i18n import _
from studio.words import labelled, sentences


class ModelBox(QComboBox):
    """A drop-down of models by group. ``picked`` carries the ModelChoice, when the user chose it."""

    picked = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(150)
        self.setMaximumWidth(320)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self._choices = Choices()
        self.activated.connect(self._on_activated)

    def set_choices(self, choices: Choices) -> None:
        """Fill the list; what is chosen stays chosen when it is still there."""
        kept = self.currentData()
        self._choices = choices
        self.clear()
        groups = (
            (_("Models of this product") if choices.of_product else _("Your models"), choices.mine),
            (_("Base models"), choices.bases),
            (_("Models of other products"), choices.others),
        )
        for title, members in groups:
            if members:
                self._add_title(title)
                for choice in members:
                    self.addItem(choice.title, choice.key)
        self.show_choice(choices.get(kept))

    def show_choice(self, choice: ModelChoice | None) -> None:
        """Show a choice without telling anyone."""
        self.setCurrentIndex(self.findData(choice.key) if choice else -1)
        self.setToolTip(choice.title if choice else self.accessibleName())

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """As usual, but a long name ends in dots instead of in the middle of a letter."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        style = QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(*style, self).width() - 12
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, room
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _add_title(self, title: str) -> None:
        item = QStandardItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.model().appendRow(item)  # type: ignore[attr-defined]  # a QStandardItemModel by default

    def _on_activated(self, _index: int) -> None:
        choice = self._choices.get(self.currentData())
        if choice is not None:
            self.picked.emit(choice)


class Chooser(QWidget):
    """picked: (slot, ModelChoice); compare_changed, blind_changed: bool; new_asked, panel_asked."""

    picked = Signal(object)
    compare_changed = Signal(bool)
    blind_changed = Signal(bool)
    new_asked = Signal()
    panel_asked = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self.first = ModelBox(_("Model"))
        self.second = ModelBox(_("Second model"))
        self.mode = SegmentedControl([("one", _("One model")), ("two", _("Side by side"))])
        self.blind = Switch()
        self.blind.setAccessibleName(_("Blind test"))
        self._blind_words = BodyText(_("Blind"))
        self._blind_words.setWordWrap(False)
        self.reveal = SecondaryButton(_("Reveal"), lambda: self.blind.setChecked(False), icon="eye")
        self.new = IconButton("plus", _("New chat"), self.new_asked.emit)
        self.panel = IconButton("settings", _("Settings of the answers"), checkable=True)
        self.panel.setChecked(True)
        help_text = _("Hides which model is which and shuffles their places, so that only the answers count.")
        self.blind.setToolTip(help_text)
        self._blind_words.setToolTip(help_text)
        self.blind.setAccessibleDescription(help_text)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space.s)
        row.addWidget(self.first, 1)
        row.addWidget(self.second, 1)
        parts: tuple[QWidget, ...] = (self.mode, self._blind_words, self.blind, self.reveal)
        for part in parts:
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(self.new)
        row.addWidget(self.panel)
        self._connect()
        self.set_mode(compare=False, blind=False)

    def set_choices(self, choices: Choices) -> None:
        """Fill both lists."""
        for box in (self.first, self.second):
            box.set_choices(choices)

    def set_comparable(self, *, comparable: bool) -> None:
        """Whether there is a second model to put beside the first."""
        self.mode.setEnabled(comparable)
        why = _("Models are compared that are asked the same; there is no other one like this yet.")
        self.mode.setToolTip("" if comparable else why)

    def set_mode(self, *, compare: bool, blind: bool, hideable: bool = True) -> None:
        """Show one or two lists, open or hidden. While blind the lists are hidden: they would tell the names.

        hideable: whether a blind test is possible at all.
        """
        with QSignalBlocker(self.mode), QSignalBlocker(self.blind):
            self.mode.choose("two" if compare else "one")
            self.blind.setChecked(blind)
        self.first.setVisible(not blind)
        self.second.setVisible(compare and not blind)
        self._blind_words.setVisible(compare and hideable)
        self.blind.setVisible(compare and hideable)
        self.reveal.setVisible(blind)

    def show_for(self, *, conversation: bool) -> None:
        """What a conversation has and other models have not."""
        words = _("New chat") if conversation else _("Clear the answers")
        self.new.setToolTip(words)
        self.new.setAccessibleName(words)
        self.new.setIcon(icon("plus" if conversation else "trash"))
        self.panel.setVisible(conversation)

    def _connect(self) -> None:
        self.first.picked.connect(lambda choice: self.picked.emit(("a", choice)))
        self.second.picked.connect(lambda choice: self.picked.emit(("b", choice)))
        self.mode.changed.connect(lambda key: self.compare_changed.emit(key == "two"))
        self.blind.toggled.connect(self.blind_changed)
        self.panel.toggled.connect(self.panel_asked)


class SeatLine(QWidget):
    """What a seat is doing: loading, ready, asleep, or why it could not be loaded, with a way to try again."""

    retry_asked = Signal(str)

    def __init__(self, slot: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slot = slot
        self._icon = IconLabel("circle", "text_muted", 16)
        self.words = Caption()
        self.retry = SecondaryButton(_("Try again"), lambda: self.retry_asked.emit(self._slot))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        lines = QVBoxLayout()
        lines.addWidget(self.words)
        row.addLayout(lines, 1)
        row.addWidget(self.retry)
        self.hide()

    def show_seat(self, seat: Seat, name: str) -> None:
        """name: what the model may be called now (a letter in a blind test)."""
        icon, tone, words = _seat_words(seat, name)
        self._icon.set_icon(icon, tone)
        self.words.setText(words)
        self.words.set_tone("error" if seat.state is SeatState.FAILED else "muted")
        self.retry.setVisible(seat.state is SeatState.FAILED)
        self.setVisible(bool(words))


def _seat_words(seat: Seat, name: str) -> tuple[str, str, str]:
    """(icon, colour token, sentence); an empty sentence when there is nothing to say."""
    if seat.state is SeatState.LOADING:
        return "clock", "accent_text", _("Loading {model}… You can already ask.").format(model=name)
    if seat.state is SeatState.ASLEEP:
        return (
            "pause",
            "text_muted",
            _("{model} rests to free memory; your next question wakes it.").format(model=name),
        )
    if seat.state is SeatState.FAILED:
        return "error", "error", labelled(name, sentences(seat.problem, seat.hint))
    return "success", "success", ""
