"""One line of progress per step: redrawn in place on a terminal, sparingly repeated in a log."""

from __future__ import annotations

import time
from typing import TextIO

from installer.messages import _

LOG_INTERVAL_S = 15.0
DRAW_INTERVAL_S = 0.2
MEGABYTE = 1_000_000
WORTH_SHOWING_BYTES = 5 * MEGABYTE
WIDTH = 100


class Console:
    """Writes the installer's lines to one stream, so that their order is kept."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._head = ""
        self._detail = ""
        self._started_at = 0.0
        self._drawn_at = 0.0

    def say(self, text: str = "") -> None:
        """One plain line."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def begin(self, number: int, total: int, title: str) -> None:
        """Name the step that starts now."""
        self._head = f"[{number}/{total}] {title}"
        self._detail = ""
        self._started_at = self._drawn_at = time.monotonic()
        if self._live:
            self._draw()

    def listen(self, line: str) -> bool:
        """A LineListener that follows pip's raw download progress (``Progress 12 of 345``, in bytes)."""
        words = line.split()
        counted = len(words) == 4 and words[0] == "Progress" and words[2] == "of"
        if counted and words[1].isdigit() and words[3].isdigit():
            self._show_download(int(words[1]), int(words[3]))
        self._refresh()
        return counted

    def already(self) -> None:
        """The step was finished in an earlier run."""
        self._close(_("already done"))

    def done(self) -> None:
        """The step is finished; says how long it took."""
        self._close(_("done in {seconds} s").format(seconds=self._elapsed()))

    def postpone(self, note: str) -> None:
        """The step was left for later, and why."""
        self._close(_("Note: {text}").format(text=note))

    def fail(self) -> None:
        """Leave the line of the failed step as it stands."""
        self._close("✗")

    def _show_download(self, received: int, total: int) -> None:
        if total >= WORTH_SHOWING_BYTES:
            self._detail = _("{percent}% of {size} MB").format(
                percent=received * 100 // total, size=round(total / MEGABYTE)
            )

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started_at:.1f}"

    def _refresh(self) -> None:
        interval = DRAW_INTERVAL_S if self._live else LOG_INTERVAL_S
        if time.monotonic() - self._drawn_at >= interval:
            self._drawn_at = time.monotonic()
            self._draw()

    def _draw(self) -> None:
        text = "  ".join(part for part in (self._head, self._detail, f"{self._elapsed()} s") if part)
        if self._live:
            self._stream.write("\r" + text[:WIDTH].ljust(WIDTH))
            self._stream.flush()
        else:
            self.say(text)

    def _close(self, end: str) -> None:
        line = f"{self._head}: {end}"
        self.say(("\r" + line.ljust(WIDTH)) if self._live else line)
