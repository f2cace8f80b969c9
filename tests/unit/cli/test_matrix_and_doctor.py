"""Matrices by name and id, and what the doctor says of a computer that is not ready."""

from __future__ import annotations

from pathlib import Path

from studio.paths import default_base_model_dir
from tests.helpers.model_folders import *  # noqa: F403
from tests.unit.cli.conftest import Studio
