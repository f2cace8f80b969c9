"""A user in front of the real program: finds things by the words on them, clicks and types through the X server."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Thing = dict[str, Any]
_LOOK_EVERY_S = 0.1
_DOUBLE_CLICK_S = (
    0.5  # a drop-down that has just opened takes the next click for the second half of a double click
)
PATIENCE_S = 30.0
_LABELS = ("BodyText", "Caption", "QLabel", "SectionTitle")


class Window:
    """``python -m studio gui`` as a child process on a display; ``see`` reads, ``click`` and ``type`` act.

    home, workspace: folders of this test. extra: further environment (QT_SCALE_FACTOR and the like).
    """

    def __init__(self, display: str, home: Path, workspace: Path, **extra: str) -> None:
        self._environment = os.environ | {
            "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "STUDIO_HOME": str(home), "LANG": "C.UTF-8",
            "QT_QPA_PLATFORMTHEME": "", "QT_LOGGING_RULES": "qt.qpa.*=false", "PYTHONFAULTHANDLER": "1",
        } | extra  # fmt: skip
        self._log = home / f"window-{time.monotonic_ns()}.log"
        self._stderr = self._log.open("wb")
        self.scale = float(extra.get("QT_SCALE_FACTOR", "1"))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.journey_child", "gui", "--workspace", str(workspace)],
            env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
            text=True, encoding="utf-8",
        )  # fmt: skip

    # Looking

    def look(self) -> dict[str, Any]:
        """What is on the front window: ``seen`` (things with name, class, place) and ``window``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("look\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the window ended unexpectedly:\n{self.log()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def things(self, name: str, kind: str = "", *, part: bool = False) -> list[Thing]:
        """Things whose name or text is (or contains) these words; kind: part of the class, "input" = no label."""

        def fits(thing: Thing) -> bool:
            words = (thing["name"], thing["text"])
            same = any(name in each for each in words) if part else name in words
            if kind == "input":
                return same and thing["class"] not in _LABELS
            return same and (not kind or kind in thing["class"])

        return [thing for thing in self.look()["seen"] if fits(thing)]

    def shows(self, name: str, kind: str = "", *, part: bool = False) -> bool:
        """Whether such a thing is there (it may have to be scrolled to)."""
        return bool(self.things(name, kind, part=part))

    def wait(self, name: str, kind: str = "", *, part: bool = False, patience_s: float = PATIENCE_S) -> Thing:
        """The first such thing, as soon as it is there."""
        found: list[Thing] = []

        def there() -> bool:
            found[:] = self.things(name, kind, part=part)
            return bool(found)

        self.until(there, f"“{name}”", patience_s)
        return found[0]

    def wait_dialog(self, title: str) -> None:
        """Wait for a dialog whose title contains these words."""
        self.until(lambda: title in (self.look()["window"] or {}).get("title", ""), f"dialog “{title}”")

    def until(self, true: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> None:
        """Wait for something; says what was on the screen when it did not come."""
        end = time.monotonic() + patience_s
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"no {what} within {patience_s} s; seen:\n{self.words()}\n{self.log()}")
            time.sleep(_LOOK_EVERY_S)

    def words(self) -> str:
        """All names on the front window, for messages."""
        answer = self.look()
        return f"{answer['window']}\n" + "\n".join(
            f"{t['class']}: {t['name']!r} {t['text'] if t['text'] != t['name'] else ''}"
            for t in answer["seen"]
        )

    def log(self) -> str:
        """What the program wrote to stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    # Acting

    def click(self, name: str, kind: str = "", *, part: bool = False, times: int = 1) -> Thing:
        """Scroll to a thing, wait until it is enabled, and click it."""
        thing = self.reach(name, kind, part=part)
        self.click_at(thing, times=times)
        return thing

    def reach(self, name: str, kind: str = "", *, part: bool = False) -> Thing:
        """Wait for a thing that is enabled, and turn the wheel until it is in sight."""
        found: list[Thing] = []

        def ready() -> bool:
            enabled = [t for t in self.things(name, kind, part=part) if t["enabled"]]
            found[:] = sorted(enabled, key=lambda t: -t["shown"])
            if found and found[0]["shown"] < 0.6:
                self._wheel(found[0])
                return False
            return bool(found)

        self.until(ready, f"usable “{name}”")
        self._settle(found, name, kind, part)
        return found[0]

    def click_at(self, thing: Thing, *, times: int = 1, dx: float = 0.5, dy: float = 0.5) -> None:
        """Click into a thing; dx, dy: where, as shares of its size."""
        x = round((thing["x"] + thing["width"] * dx) * self.scale)
        y = round((thing["y"] + thing["height"] * dy) * self.scale)
        again = ["click", "--repeat", str(times), "--delay", "60", "1"]
        self._do("mousemove", str(x), str(y), *again)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.focus()
        self._do("type", "--delay", "4", text)

    def key(self, *keys: str) -> None:
        """Press keys by their X names, e.g. "ctrl+a", "Return"."""
        self.focus()
        self._do("key", "--delay", "20", *keys)

    def fill(self, name: str, text: str) -> None:
        """Replace the text of a field."""
        self.click(name, "input")
        self.key("ctrl+a")
        self.type(text)

    def choose(self, name: str, entry: str) -> None:
        """Open a drop-down and choose an entry by its words."""
        self.click(name, "DropDown")
        self.until(lambda: self.things(entry, "cell"), f"entry “{entry}”")
        time.sleep(_DOUBLE_CLICK_S)
        self.click_at(self.things(entry, "cell")[0])

    def pick(self, path: Path) -> None:
        """Enter a path in the file dialog; its completion may swallow keys, so look before Return."""

        def written() -> bool:
            if [t for t in self.things(str(path), "QLineEdit") if t["text"] == str(path)]:
                return True
            self.key("ctrl+a")
            self.type(str(path))
            return False

        self.until(written, f"path {path} in the dialog")
        self.key("Return")

    def focus(self) -> None:
        """There is no window manager to do it: give the keys to the front window."""

        def active() -> bool:
            window = self.look()["window"]
            if window is not None and not window["active"]:
                subprocess.run(
                    ["xdotool", "windowfocus", str(window["id"])], env=self._environment, check=False,
                    timeout=30, capture_output=True,
                )  # fmt: skip
                return False
            return window is not None

        self.until(active, "active window")

    def shot(self, path: Path) -> None:
        """Photograph the front window as the X server has it."""
        window = self.look()["window"]
        command = ["import", "-window", str(window["id"]), str(path)]
        subprocess.run(command, env=self._environment, check=True, timeout=30)

    # Ending

    def ended(self, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the end of the program and give what it said last."""
        assert self.process.stdout is not None
        deadline = threading.Timer(patience_s, self.process.kill)
        deadline.start()
        try:
            last = self.process.stdout.read().strip().splitlines()
            self.process.wait(patience_s)
        finally:
            deadline.cancel()
        answer: dict[str, Any] = json.loads(last[-1]) if last else {}
        return answer

    def ask_to_close(self) -> None:
        """What a click on the window's cross does."""
        window = self.look()["window"]
        _send_delete(window["id"], self._environment["DISPLAY"])

    def close(self) -> dict[str, Any]:
        """Close the main window and wait for the end."""
        self.ask_to_close()
        return self.ended()

    def kill(self) -> None:
        """For the end of a test: nothing is left running."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout, self._stderr):
            if pipe is not None:
                with contextlib.suppress(
                    BrokenPipeError
                ):  # a question that a window which crashed never heard
                    pipe.close()

    def _wheel(self, thing: Thing) -> None:
        window = self.look()["window"]
        x, y = thing["middle"], window["y"] + window["height"] * 0.6
        place = [str(round(x * self.scale)), str(round(y * self.scale))]
        self._do("mousemove", *place, "click", "--repeat", "2", "--delay", "20", "5")

    def _settle(self, found: list[Thing], name: str, kind: str, part: bool) -> None:
        """A page that is still arranging itself moves its buttons: wait until two looks agree."""

        def still() -> bool:
            time.sleep(_LOOK_EVERY_S)
            now = [t for t in self.things(name, kind, part=part) if t["enabled"]]
            now.sort(key=lambda t: -t["shown"])
            same = bool(now) and (now[0]["x"], now[0]["y"]) == (found[0]["x"], found[0]["y"])
            found[:] = now or found
            return same

        self.until(still, f"resting “{name}”")

    def _do(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self._environment, check=True, timeout=30)


def _send_delete(window_id: int, display: str) -> None:
    """The message of a window manager's close button, WM_DELETE_WINDOW, through Xlib itself."""
    import ctypes

    class ClientMessage(ctypes.Structure):
        _fields_ = (
            ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
            ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong),
            ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("pad", ctypes.c_long * 24),
        )  # fmt: skip

    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XSendEvent.argtypes = [
        ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p,
    ]  # fmt: skip
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = x11.XOpenDisplay(display.encode())
    protocols = x11.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    delete = x11.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    message = ClientMessage(
        type=33, window=window_id, message_type=protocols, format=32, data=(ctypes.c_long * 5)(delete, 0)
    )
    x11.XSendEvent(connection, window_id, 0, 0, ctypes.byref(message))
    x11.XCloseDisplay(connection)
