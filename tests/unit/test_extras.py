"""The command that installs an optional package works where the program is on no index."""

from __future__ import annotations

import sys

import pytest

from studio.extras import install_command


def test_the_command_names_this_python_and_the_package_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/home/a founder/.venv/bin/python")
    words = install_command("cluster")
    assert words.startswith('"/home/a founder/.venv/bin/python" -m pip install "ray[default]')
    assert "product-matrix-studio" not in words
