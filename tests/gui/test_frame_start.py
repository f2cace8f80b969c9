"""Starting must stay light: heavy libraries belong to child processes, plots to the pages that show them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEAVY = ("torch", "transformers", "sklearn", "peft", "accelerate", "pyqtgraph", "polars")


def test_importing_the_window_loads_nothing_heavy() -> None:
    code = (
        "import sys, studio.gui.app, studio.gui.main_window; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


_START_AND_CLOSE = """
import sys
from PySide6.QtCore import QTimer
from studio.gui import app
from studio.gui.main_window import MainWindow

shown = MainWindow.showEvent

def show_then_close(window, event):
    shown(window, event)
    QTimer.singleShot(0, lambda: print("title:", window.windowTitle(), flush=True))
    QTimer.singleShot(50, window.close)

MainWindow.showEvent = show_then_close
sys.exit(app.run_gui(None, sample=True))
"""


def test_window_opens_on_a_real_display_and_ends_without_leftovers(x_display: str, own_home: Path) -> None:
    environment = os.environ | {"DISPLAY": x_display, "QT_QPA_PLATFORM": "xcb", "QT_FATAL_WARNINGS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", _START_AND_CLOSE], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "title: Matrix" in done.stdout
    assert "QThread: Destroyed" not in done.stderr
    assert "QObject::" not in done.stderr
    assert (own_home / "settings.json").exists()
