"""Starting must stay light: heavy libraries belong to child processes, plots to the pages that show them."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "transformers", "sklearn", "peft", "accelerate", "pyqtgraph", "polars")


def test_importing_the_window_loads_nothing_heavy() -> None:
    code = (
        "import sys, studio.gui.app, studio.gui.main_window; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
