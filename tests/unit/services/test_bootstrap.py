"""A workspace as a whole: opened, locked, looked at, restored; nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio.bootstrap import open_workspace, restore_workspace
from studio.errors import BusyError, StudioError
from studio.services.doctor import CheckState
from studio.services.settings import SettingsService
from studio.store.backup import make_backup
from studio.store.database import CorruptDatabaseError
from studio.store.sqlite import sqlite_module
from tests.helpers.model_folders import write_model


@pytest.fixture
def settings(tmp_path: Path) -> SettingsService:
    return SettingsService(tmp_path / "settings.json")


def test_a_workspace_is_made_and_found_again(tmp_path: Path, settings: SettingsService) -> None:
    services = open_workspace(tmp_path / "工作区", settings=settings)
    matrix = services.matrices.create("M", "Core")
    services.close()
    services.close()
    again = open_workspace(tmp_path / "工作区", settings=settings)
    assert again.matrices.list() == [matrix]
    assert (tmp_path / "工作区").stat().st_mode & 0o777 == 0o700
    again.close()


def test_the_workspace_of_the_settings_is_opened_and_else_the_default(
    tmp_path: Path, own_home: Path, settings: SettingsService
) -> None:
    services = open_workspace(settings=settings)
    assert services.paths.root == own_home / "workspace"
    services.close()
    settings.update(workspace=str(tmp_path / "mine"))
    services = open_workspace(settings=settings)
    assert services.paths.root == tmp_path / "mine"
    services.close()


def test_one_program_at_a_time_but_others_may_look_on(tmp_path: Path, settings: SettingsService) -> None:
    first = open_workspace(tmp_path / "w", settings=settings)
    with pytest.raises(BusyError) as caught:
        open_workspace(tmp_path / "w", settings=settings)
    assert caught.value.code == "workspace.in_use"
    matrix = first.matrices.create("M", "Core")
    onlooker = open_workspace(tmp_path / "w", settings=settings, read_only=True)
    assert onlooker.matrices.list() == [matrix]
    onlooker.close()
    first.close()


def test_a_place_that_cannot_be_written_or_is_synced_is_refused(
    tmp_path: Path, settings: SettingsService
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError) as caught:
        open_workspace(tmp_path / "file" / "w", settings=settings)
    assert caught.value.code == "workspace.not_writable"
    with pytest.raises(StudioError) as caught:
        open_workspace(tmp_path / "Dropbox" / "w", settings=settings)
    assert caught.value.code == "workspace.sync_folder"
    assert not (tmp_path / "Dropbox").exists()


def test_a_damaged_workspace_is_restored_from_its_backup(tmp_path: Path, settings: SettingsService) -> None:
    services = open_workspace(tmp_path / "w", settings=settings)
    matrix = services.matrices.create("M", "Core")
    services.close()
    paths = services.paths
    with pytest.raises(StudioError) as missing:
        restore_workspace(paths.root, settings=settings)
    assert missing.value.code == "store.no_backup"
    copy = make_backup(paths.database, paths.backups, "test", sqlite_module())
    paths.database.write_bytes(b"x" * 5000)
    with pytest.raises(CorruptDatabaseError) as caught:
        open_workspace(paths.root, settings=settings)
    assert caught.value.backup == copy
    kept = restore_workspace(paths.root, settings=settings)
    assert kept.read_bytes() == b"x" * 5000
    services = open_workspace(paths.root, settings=settings)
    assert services.matrices.list() == [matrix]
    services.close()


def test_the_doctor_finds_a_missing_base_model_and_a_present_one(
    tmp_path: Path, own_home: Path, settings: SettingsService
) -> None:
    services = open_workspace(tmp_path / "w", settings=settings)
    checks = {check.id: check for check in services.doctor.checks()}
    assert checks["base_model"].state is CheckState.PROBLEM
    assert checks["base_model"].advice
    assert checks["engine"].state is CheckState.OK
    assert "SQLite 3." in checks["database"].found
    write_model(own_home / "models" / "smollm2-135m-instruct")
    assert {check.id: check for check in services.doctor.checks()}["base_model"].state is CheckState.OK
    services.close()


def test_opening_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from studio.bootstrap import open_workspace; from studio.services.settings import SettingsService\n"
        f"root = Path({str(tmp_path)!r})\n"
        "open_workspace(root / 'w', settings=SettingsService(root / 's.json')).close()\n"
        "heavy = {'torch', 'transformers', 'peft', 'polars', 'alembic', 'PySide6', 'sqlalchemy.orm', 'pynvml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
