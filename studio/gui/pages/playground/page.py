"""The page that seats models and puts them into a conversation, or gives them inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.gui.context import GuiContext
from studio.gui.models.chat_choices import (
    Choices,
    ModelChoice,
    read_choices,
    run_key,
    target_of,
)
from studio.gui.models.chat_session import SLOTS, ChatSession
from studio.gui.models.predict_session import PredictSession
from studio.gui.models.seats import SeatedSession
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.playground.chat_panel import ChatPanel
from studio.gui.pages.playground.chooser import Chooser, SeatLine
from studio.gui.pages.playground.predict_panel import PredictPanel
from studio.gui.theme import current_tokens
from studio.i18n import _
from studio.services.changes import Changes


class PlaygroundPage(Page):
    """open_url: opens a link outside of the program, after a click of the user only."""

    page_id = "playground"
    icon = "playground"
    interests = Changes.RUNS | Changes.MODELS | Changes.MATRIX

    def __init__(
        self, ctx: GuiContext, parent: QWidget | None = None, *,
        open_url: Callable[[QUrl], Any] = QDesktopServices.openUrl,
    ) -> None:  # fmt: skip
        super().__init__(ctx, parent)
        self.session = ChatSession(ctx.chat, self._resolve, self)
        self.chat = ChatPanel(ctx, self.session, open_url)
        self.predict = PredictPanel(ctx, PredictSession(ctx.predict, self._resolve, self))
        self.choices = Choices()
        self._wanted: dict[str, str] = {}  # slot -> key that shall be chosen as soon as the choices are known
        self._follow_product = False  # another product was chosen since the models were read
        self.chooser = Chooser()
        self.seat_lines = {slot: SeatLine(slot) for slot in SLOTS}
        self._arrange()
        self._connect()

    def title(self) -> str:
        return _("Playground")

    @property
    def predicting(self) -> bool:
        """The chosen model does not converse: it is given inputs."""
        return self.body.currentWidget() is self.predict

    @property
    def seated(self) -> SeatedSession:
        """Whose seats the chooser shows."""
        return self.predict.session if self.predicting else self.session

    def enter(self, **arguments: Any) -> None:
        """run_id: ask this run's model."""
        if arguments.get("run_id"):
            self._wanted["a"] = run_key(arguments["run_id"])
        self.reload()
        self._focus_input()

    def leave(self) -> None:
        self.chat.transcript.flush()

    def refresh(self, changes: Changes) -> None:
        self.reload()

    def state(self) -> dict[str, Any]:
        return {
            **self.chat.state(), "panel": self.chooser.panel.isChecked(), "predicting": self.predicting,
            "batches": self.predict.session.batches, "predict_seats": self.predict.session.seats,
            "predict_order": self.predict.session.order,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self.chooser.panel.setChecked(state["panel"])
        self.chat.restore(state)
        predict, first = self.predict, state["predict_seats"]["a"].choice
        if first is not None:
            predict.show_choice(first)
        predict.session.adopt(state["batches"], state["predict_seats"], state["predict_order"])
        self._set_predicting(state["predicting"])
        self._show_mode()

    def dispose(self) -> None:
        self.chat.close_session()
        self.predict.session.close()
        self.predict.stop_offering()
        self.ctx.navigator.product_changed.disconnect(self._on_product)

    def palette_actions(self) -> list[PaletteAction]:
        return [
            PaletteAction("playground.new", _("New chat"), "", self.new_chat),
            PaletteAction("playground.stop", _("Stop the answer"), "", self._stop),
            PaletteAction("playground.compare", _("Compare two models side by side"), "", self._compare),
        ]

    # ---- what the user does

    def ask(self, question: str) -> None:
        """Put a question to the chosen model or models."""
        self.chat.ask(question)

    def new_chat(self) -> None:
        """Begin anew; the old conversation can be brought back."""
        if self.predicting:
            self.predict.clear()
        else:
            self.chat.new_chat()

    def reload(self) -> None:
        """Read again which models there are."""
        services, product = self.ctx.services, self.ctx.navigator.current_product_id
        self.ctx.tasks.run(
            lambda: read_choices(services, product), self._show_choices, self.ctx.notices.error_from
        )

    # ---- building

    def _arrange(self) -> None:
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space.xl, space.l, space.xl, space.l)
        outer.setSpacing(space.m)
        outer.addWidget(self.chooser)
        for line in self.seat_lines.values():
            outer.addWidget(line)
        self.body = QStackedWidget()
        for part in (self.chat, self.predict):
            self.body.addWidget(part)
        outer.addWidget(self.body, 1)

    def _connect(self) -> None:
        for session in (self.session, self.predict.session):
            session.seats_changed.connect(self._show_seats)
        self.chooser.picked.connect(lambda pick: self._choose(*pick))
        self.chooser.compare_changed.connect(self._set_compare)
        self.chooser.blind_changed.connect(self._set_blind)
        self.chooser.new_asked.connect(self.new_chat)
        self.chooser.panel_asked.connect(self.chat.panel.setVisible)
        for line in self.seat_lines.values():
            line.retry_asked.connect(lambda slot: self.seated.retry(slot))
        self.ctx.navigator.product_changed.connect(self._on_product)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._stop)

    # ---- models

    def _resolve(
        self, choice: ModelChoice, on_done: Callable[[Any], None], on_error: Callable[[Exception], None]
    ) -> None:
        services = self.ctx.services
        self.ctx.tasks.run(lambda: target_of(services, choice), on_done, on_error)

    def _show_choices(self, choices: Choices) -> None:
        self.choices = choices
        self.chat.show_models(any_model=bool(choices.all()))
        self.chooser.set_choices(choices)
        wanted = choices.get(self._wanted.pop("a", None))
        seated = self.seated.seats["a"].choice
        if wanted and (seated is None or wanted.key != seated.key):
            self._choose("a", wanted)
        elif (seated is None or self._is_stale(seated)) and choices.all():
            self._choose("a", choices.all()[0])
        self._show_comparable()
        self._follow_product = False
        self._show_seats()

    def _is_stale(self, seated: ModelChoice) -> bool:
        """The seated model was thrown away, or belongs to the product that was in hand before."""
        session, predict = self.session, self.predict.session
        if session.busy or predict.busy:
            return False
        gone = self.choices.get(seated.key) is None
        left = (
            self._follow_product
            and self.choices.of_product
            and bool(self.choices.mine)
            and seated not in self.choices.mine
        )
        asked = predict.batches if self.predicting else session.conversation.turns
        return gone or (left and not asked)

    def _choose(self, slot: str, choice: ModelChoice) -> None:
        """Seat the model; a first one that is asked otherwise than the second sends that away."""
        if slot == "a":
            second = self.seated.seats["b"].choice
            if second is not None and second.asks != choice.asks:
                self._set_compare(False)
            self._show_input(choice)
            self.chooser.second.set_choices(self.choices.beside(choice))
        self.seated.choose(slot, choice)
        self._show_comparable()
        (self.chooser.first if slot == "a" else self.chooser.second).show_choice(choice)

    def _show_input(self, choice: ModelChoice) -> None:
        """What this model is asked by; the keyboard stays with what is asked."""
        focused = self.focusWidget()
        asking = focused is not None and self.body.isAncestorOf(focused)
        self._set_predicting(bool(choice.asks))
        if choice.asks:
            self.predict.show_choice(choice)
        if asking:
            self._focus_input()

    def _focus_input(self) -> None:
        place: QWidget = self.predict.part if self.predicting else self.chat.composer.box
        place.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_comparable(self) -> None:
        first = self.seated.seats["a"].choice
        comparable = first is not None and self.choices.counterpart(first) is not None
        self.chooser.set_comparable(comparable=comparable)

    def _set_predicting(self, predicting: bool) -> None:
        """Show what the model is asked by; the other process may give its memory back."""
        if predicting != self.predicting:
            self.seated.stop()
            self.seated.set_side_by_side(False)
            self.seated.leave(SLOTS[0])
        self.body.setCurrentWidget(self.predict if predicting else self.chat)
        self.chooser.show_for(conversation=not predicting)
        self._show_mode()

    def _on_product(self, _product_id: object) -> None:
        self._follow_product = True
        if self.isVisible():
            self.reload()

    def _stop(self) -> None:
        self.seated.stop()

    def _compare(self) -> None:
        self.chooser.mode.choose("two")

    def _set_compare(self, compare: bool) -> None:
        first = self.seated.seats["a"].choice
        other = self.choices.counterpart(first) if first else None
        self.seated.set_side_by_side(compare and other is not None)
        if compare and other is not None:
            self._choose("b", other)
        self._show_mode()

    def _set_blind(self, blind: bool) -> None:
        if blind and self.session.conversation.turns:
            self.new_chat()  # answers whose model is known would give it away
        self.session.set_blind(blind)
        self._show_mode()

    def _show_mode(self) -> None:
        compare, blind = len(self.seated.order) > 1, self.session.blind and not self.predicting
        self.chooser.set_mode(compare=compare, blind=blind, hideable=not self.predicting)
        self.chat.show_mode(compare=compare)
        self._show_seats()

    def _show_seats(self) -> None:
        seated = self.seated
        for slot, line in self.seat_lines.items():
            seat = seated.seats[slot]
            line.show_seat(seat, seated.seat_name(slot))
            box = self.chooser.first if slot == "a" else self.chooser.second
            box.show_choice(seat.choice)
        self.chat.show_seats()
