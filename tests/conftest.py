"""What every test may rely on: a home of its own, English, and a place to draw.

Ordinary window tests draw offscreen. Tests that need a real display ask for the ``x_display`` fixture.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.examples import THOROUGH

# Qt's own offscreen screen is 800 x 800, smaller than the window.
_SCREEN = Path(__file__).parent / "helpers" / "offscreen.json"
os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={_SCREEN}")
# Tests run beside each other: tiny models on all cores at once cost twice the processor time of one core each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in the background deaf to Ctrl-C, and children would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Imports make hundreds of thousands of objects that stay: looking them through for garbage was a fifth of collection.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    if config.option.markexpr != "not slow":
        os.environ[THOROUGH] = "1"


def pytest_collection_finish() -> None:
    """All modules are imported for good now: what they hold is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, models and workspaces of this test alone; never the real home."""
    home = tmp_path_factory.mktemp("studio-home")
    monkeypatch.setenv("STUDIO_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test starts in English."""
    from studio.i18n import set_language

    set_language("en")
    yield
    set_language("en")


@pytest.fixture(scope="session")
def x_display() -> Iterator[str]:
    """The name of a display for a child process: an Xvfb of our own, of known size and where no mouse is taken from
    anybody; else the one there is.
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux needs a display of its own")
    program = shutil.which("Xvfb")
    if program is not None:
        yield from _xvfb(program)
    elif os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
    else:
        pytest.skip("Xvfb is not installed")


def _xvfb(program: str) -> Iterator[str]:
    reader, writer = os.pipe()
    # With -displayfd the server picks a free number and tells it when it is ready: no guess, no sleep.
    server = subprocess.Popen(
        [program, "-displayfd", str(writer), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=(writer,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        assert number, "Xvfb ended without naming a display"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=10)
