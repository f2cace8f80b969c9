"""Calls the command line inside this process, and reads what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.cli.app import main
from studio.cli.call import OpenWorkspace


@dataclass(frozen=True)
class Said:
    """A finished call."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object of ``--json``, which must be all of stdout."""
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


Studio = Callable[..., Said]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "工作区"


@pytest.fixture
def studio(place: Path, capsys: pytest.CaptureFixture[str]) -> Studio:
    """``studio("matrix", "list")`` runs the verb in a workspace of this test, with --json."""

    def call(*arguments: str, plain: bool = False, open_workspace: OpenWorkspace | None = None) -> Said:
        common = ["--workspace", str(place), *([] if plain else ["--json"])]
        capsys.readouterr()
        code = main([*arguments, *common], open_workspace)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
