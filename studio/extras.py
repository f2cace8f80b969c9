"""Packages that only some users need, and the command that brings them into the environment that runs now.

The program itself is on no package index, so ``pip install 'product-matrix-studio[cluster]'`` finds nothing.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from studio.errors import StudioError
from studio.i18n import _

_PROGRAM = "product-matrix-studio"


def no_ray() -> StudioError:
    """``cluster.no_ray``, with the command that installs the package."""
    return StudioError(
        "cluster.no_ray", _("Training on a cluster needs the package “ray”, which is not installed."),
        _("Type this command in a terminal, then start the studio again: {command}").format(
            command=install_command("cluster")
        ),
    )  # fmt: skip


def install_command(extra: str) -> str:
    """``…/.venv/bin/python -m pip install "ray[default]<3,>=2.50"`` for the packages of an extra."""
    python = Path(sys.executable)
    if python.name.lower() == "pythonw.exe":  # of the window on Windows; it would tell nothing
        python = python.with_name("python.exe")
    shown = f'"{python}"' if " " in str(python) else str(python)
    return " ".join([shown, "-m pip install", *(f'"{needed}"' for needed in _packages(extra))])


def _packages(extra: str) -> list[str]:
    """What the program's own metadata asks for in this extra."""
    told = importlib.metadata.requires(_PROGRAM) or []
    parted = [requirement.partition(";") for requirement in told]
    return [
        needed.strip()
        for needed, _sign, marker in parted
        if marker.replace("'", '"').strip() == f'extra == "{extra}"'
    ]
