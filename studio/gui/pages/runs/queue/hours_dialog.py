"""When may a waiting run be under way: any time, tonight, or in hours of one's own."""

from __future__ import annotations

from datetime import time
from enum import StrEnum

from PySide6.QtCore import QTime
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QTimeEdit, QWidget

from studio.domain.runs import Run
from studio.domain.schedules import NIGHT, make_schedule, read_time
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.pages.train.choice import ChoiceCard
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, SectionTitle, Switch
from studio.i18n import _
from studio.services.queue import wall_clock


class Hours(StrEnum):
    ANY = "any"
    NIGHT = "night"
    OWN = "own"


class HoursDialog(FormDialog):
    """``hours()`` after it was accepted: None for any time, else start and end (None: no end)."""

    def __init__(self, run: Run, parent: QWidget | None = None) -> None:
        super().__init__(_("Hours"), _("Set hours"), parent)
        self.rows.setSpacing(current_tokens().space.s)
        self.rows.addWidget(SectionTitle(_("When may “{name}” run?").format(name=run.name)))
        self.cards: dict[Hours, ChoiceCard] = {}
        self._group = QButtonGroup(self)
        self.start = _time_edit(_("Start at"), NIGHT[0])
        self.end = _time_edit(_("Pause at"), NIGHT[1])
        self.ends = Switch()
        self.ends.setAccessibleName(_("Pause at a time of day"))
        self.ends.setChecked(True)
        for key, title, text in (
            (Hours.ANY, _("Any time"), _("It starts as soon as it is its turn.")),
            (
                Hours.NIGHT,
                _("At night"),
                _("From 22:00 to 07:00. By day it is saved and waits; other runs may go."),
            ),
            (
                Hours.OWN,
                _("Hours of your own"),
                _("It starts at this time, and pauses at that one if you wish."),
            ),
        ):
            self._add_card(key, title, text)
        self._own = self._own_row()
        self.rows.addWidget(self._own)
        self.needs = Caption(
            _("It keeps these hours only while this window is open and the computer is awake.")
        )
        self.rows.addWidget(self.needs)
        self._group.buttonToggled.connect(lambda *_args: self._on_choice())
        self.ends.toggled.connect(self.end.setEnabled)
        self._fill(run)

    def hours(self) -> tuple[time, time | None] | None:
        """What was chosen."""
        chosen = self.choice()
        if chosen is Hours.ANY:
            return None
        if chosen is Hours.NIGHT:
            return read_time(NIGHT[0]), read_time(NIGHT[1])
        return _time(self.start), _time(self.end) if self.ends.isChecked() else None

    def choice(self) -> Hours:
        """The chosen card."""
        return next(key for key, card in self.cards.items() if card.isChecked())

    def check(self) -> None:
        """Raise StudioError when the hours have no length."""
        if (hours := self.hours()) is not None:
            make_schedule(*hours, wall_clock())

    def _add_card(self, key: Hours, title: str, text: str) -> None:
        card = ChoiceCard(title, text)
        self.cards[key] = card
        self._group.addButton(card)
        self.rows.addWidget(card)

    def _own_row(self) -> QWidget:
        host = QWidget()
        row = QHBoxLayout(host)
        space = current_tokens().space
        row.setContentsMargins(space.l, space.xs, 0, 0)
        row.setSpacing(space.s)
        row.addWidget(BodyText(_("Start at")))
        row.addWidget(self.start)
        row.addSpacing(space.l)
        row.addWidget(self.ends)
        row.addWidget(BodyText(_("Pause at")))
        row.addWidget(self.end)
        row.addStretch(1)
        return host

    def _fill(self, run: Run) -> None:
        schedule, night = run.schedule, tuple(map(read_time, NIGHT))
        chosen = Hours.NIGHT
        if schedule is not None and (schedule.start, schedule.end) != night:
            chosen = Hours.OWN
            self.start.setTime(QTime(schedule.start.hour, schedule.start.minute))
            self.ends.setChecked(schedule.end is not None)
            if schedule.end is not None:
                self.end.setTime(QTime(schedule.end.hour, schedule.end.minute))
        self.cards[chosen].setChecked(True)
        self._on_choice()

    def _on_choice(self) -> None:
        self._own.setVisible(self.choice() is Hours.OWN)
        self.needs.setVisible(self.choice() is not Hours.ANY)
        self.message.hide()


def _time_edit(name: str, text: str) -> QTimeEdit:
    edit = QTimeEdit(QTime.fromString(text, "HH:mm"))
    edit.setDisplayFormat("HH:mm")
    edit.setAccessibleName(name)
    edit.setFixedSize(96, current_tokens().control_height)
    edit.lineEdit().setTextMargins(7, 0, 0, 0)
    return edit


def _time(edit: QTimeEdit) -> time:
    chosen = edit.time()
    return time(chosen.hour(), chosen.minute())
