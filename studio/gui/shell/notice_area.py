"""The one place where messages appear: a short stack at the lower left, over the page.

Not at the right: Start, Import and Send stand there, and a message must not cover the next step.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.gui.notices import Notice, NoticeKind
from studio.gui.theme import Tone, current_tokens, mono_font
from studio.gui.widgets import BodyText, GhostButton, IconButton, IconLabel
from studio.i18n import _

_LOOKS: dict[NoticeKind, tuple[Tone, str, str]] = {
    "info": ("accent", "info", "accent_text"),
    "success": ("success", "success", "success"),
    "warning": ("warning", "warning", "warning"),
    "error": ("error", "error", "error"),
}
_LEAVES_AFTER_MS = 8000
_MOST = 3
_WIDTH = 420


class NoticeCard(QFrame):
    """One message; ``closed`` when dismissed or left by itself."""

    closed = Signal()

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        tone, icon_name, icon_tone = _LOOKS[notice.kind]
        self.setProperty("tone", tone)
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName(notice.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 8, 10)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(IconLabel(icon_name, icon_tone, 20), 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(BodyText(notice.text), 1)
        row.addWidget(IconButton("close", _("Dismiss"), self.closed.emit), 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        self._details = self._build_details()
        if notice.details or notice.action is not None:
            column.addLayout(self._build_foot())
        column.addWidget(self._details)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LEAVES_AFTER_MS)
        self._timer.timeout.connect(self.closed)
        if notice.kind in ("info", "success"):
            self._timer.start()

    def _build_foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 0, 0, 0)
        if self.notice.action is not None:
            foot.addWidget(GhostButton(self.notice.action_label, self._act))
        if self.notice.details:
            foot.addWidget(GhostButton(_("Details"), self._toggle_details))
        foot.addStretch(1)
        return foot

    def _build_details(self) -> QPlainTextEdit:
        details = QPlainTextEdit(self.notice.details)
        details.setReadOnly(True)
        details.setFont(mono_font(current_tokens().fonts.caption))
        details.setFixedHeight(160)
        details.setAccessibleName(_("Details"))
        details.hide()
        return details

    def _act(self) -> None:
        if self.notice.action is not None:
            self.notice.action()
        self.closed.emit()

    def _toggle_details(self) -> None:
        self._timer.stop()
        self._details.setVisible(self._details.isHidden())
        area = self.parentWidget()
        if isinstance(area, NoticeArea):
            area.place()


class NoticeArea(QWidget):
    """Stacks the newest messages at the lower left of ``host``; takes no room when empty."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._cards: list[NoticeCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        host.installEventFilter(self)
        self.hide()

    @property
    def cards(self) -> list[NoticeCard]:
        """The messages on show, oldest first."""
        return list(self._cards)

    def post(self, notice: Notice) -> None:
        """Show a message; the same message is not stacked twice."""
        for card in self.cards:
            if (card.notice.kind, card.notice.text) == (notice.kind, notice.text):
                self._remove(card)
        while len(self._cards) >= _MOST:
            self._remove(self._cards[0])
        card = NoticeCard(notice)
        card.closed.connect(lambda: self._remove(card))
        self._cards.append(card)
        self._column.addWidget(card)
        card.show()
        self.place()

    def place(self) -> None:
        """Sit at the lower left of the host."""
        self.setVisible(bool(self._cards))
        self._column.activate()
        height = sum(self._height(card) for card in self._cards) + 8 * max(0, len(self._cards) - 1)
        edge = current_tokens().space.l
        bottom = self._host.height() - edge
        self.setGeometry(edge, bottom - height, _WIDTH, height)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self._cards:
            self.place()
        return super().eventFilter(watched, event)

    @staticmethod
    def _height(card: NoticeCard) -> int:
        layout = card.layout()
        if layout is None or not layout.hasHeightForWidth():
            return card.sizeHint().height()
        return layout.totalHeightForWidth(_WIDTH)

    def _remove(self, card: NoticeCard) -> None:
        if card in self._cards:
            self._cards.remove(card)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
            self.place()
