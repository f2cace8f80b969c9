"""From the start of the process to a window that answers: ``python -m tests.benchmarks.startup [--repeats 5]``.

The clock starts before the interpreter does. "Interactive" means: the first page is drawn and the event loop has come
round after it with nothing left to do, so a click would be answered at once. The first start warms the disk cache
and makes the workspace, and is not counted. Ends with exit code 1 when the median is above the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT_S = 1.2
HEAVY = ("torch", "transformers", "peft", "polars", "pyqtgraph")
_PROBE = """
import json, sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from studio.gui.main_window import MainWindow

started = float(sys.argv[1])
shown = MainWindow.showEvent

def idle(window):
    page = window.pages.current_page()
    if page is None or page.shown is None:  # what the page reads has not come yet
        QTimer.singleShot(0, window, lambda: idle(window))
        return
    QApplication.processEvents()
    answer = {"seconds": time.time() - started, "heavy": [n for n in sys.argv[3].split() if n in sys.modules]}
    print(json.dumps(answer), flush=True)
    window.close()

def on_show(window, event):
    shown(window, event)
    QTimer.singleShot(0, window, lambda: idle(window))

MainWindow.showEvent = on_show
from studio.__main__ import main
sys.exit(main(["gui", "--workspace", sys.argv[2], "--sample"]))
"""


def start_once(root: Path, display: str) -> dict[str, object]:
    """Start the program, wait until it is interactive, let it close; seconds, and heavy modules that were loaded."""
    environment = os.environ | {
        "STUDIO_HOME": str(root / "home"),
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
    }
    command = [sys.executable, "-c", _PROBE, str(time.time()), str(root / "work"), " ".join(HEAVY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    answer: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


@contextmanager
def display() -> Iterator[str]:
    """An Xvfb of our own."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=(writer,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait(timeout=10)


def main() -> int:
    """Print every start, the median with its spread, and whether anything heavy was loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats: int = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder, display() as name:
        start_once(Path(folder), name)
        answers = [start_once(Path(folder), name) for _repeat in range(repeats)]
    seconds = [float(str(answer["seconds"])) for answer in answers]
    heavy = {str(module) for answer in answers for module in answer["heavy"]}  # type: ignore[attr-defined]
    median = statistics.median(seconds)
    print(
        "starts:",
        "  ".join(f"{s:.2f}" for s in seconds),
        "s; load",
        " ".join(f"{n:.1f}" for n in os.getloadavg()),
    )
    print(
        f"median {median:.2f} s (fastest {min(seconds):.2f}, slowest {max(seconds):.2f}); limit {LIMIT_S} s"
    )
    print("heavy libraries loaded:", ", ".join(sorted(heavy)) or "none")
    return 0 if median <= LIMIT_S and not heavy else 1


if __name__ == "__main__":
    raise SystemExit(main())
