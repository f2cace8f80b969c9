"""Who redraws when: every plot at most ten times a second, never two in the same turn of the event loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QTimer

TURN_MS = 20
REPAINT_S = 0.1


class Drawable(Protocol):
    """A picture that knows whether it is out of date."""

    def stale(self) -> bool: ...

    def refresh(self) -> bool: ...

    def isVisible(self) -> bool: ...


class RepaintClock(QObject):
    """Lets stale pictures redraw one after the other. Sleeps while there is nothing to draw; ``wake`` starts
    it.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures: list[Drawable] = []
        self._drawn_at: list[float] = []
        self._next = 0
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._turn)

    def set_pictures(self, pictures: Sequence[Drawable]) -> None:
        """Take care of these pictures instead of those before."""
        self._pictures = list(pictures)
        self._drawn_at = [0.0] * len(self._pictures)
        self.wake()

    def wake(self) -> None:
        """Something may have changed."""
        if self._pictures and not self._timer.isActive():
            self._timer.start()

    def sleep(self) -> None:
        """Stop drawing (the page is out of sight)."""
        self._timer.stop()

    def _turn(self) -> None:
        moment = time.monotonic()
        waiting = False
        for _each in self._pictures:
            at = self._next = (self._next + 1) % len(self._pictures)
            picture = self._pictures[at]
            if not picture.isVisible() or not picture.stale():
                continue
            waiting = True
            if moment - self._drawn_at[at] >= REPAINT_S:
                self._drawn_at[at] = moment
                picture.refresh()
                return
        if not waiting:
            self._timer.stop()
