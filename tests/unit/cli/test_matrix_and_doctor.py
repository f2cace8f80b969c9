"""Matrices by name and id, and what the doctor says of a computer that is not ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.paths import WorkspacePaths, default_base_model_dir
from studio.services import machine_checks
from studio.services.checks import CheckState
from studio.store.backup import make_backup
from studio.store.sqlite import sqlite_module
from tests.helpers.model_folders import write_model
from tests.unit.cli.conftest import Studio


def test_a_matrix_is_made_and_extended_by_names(studio: Studio) -> None:
    made = studio("matrix", "create", "商店", "--core", "Support", "--currency", "EUR")
    assert (made.code, made.data["currency"]) == (0, "EUR")
    product = studio(
        "matrix", "add-product", "商店", "Recommender", "--purpose", "extension", "--stage", "pilot"
    )
    link = studio(
        "matrix", "link", "商店", "recommender", "Support", "--payload", "question", "--payload", "item"
    )
    shown = studio("matrix", "show")
    assert (shown.code, product.code, link.code) == (0, 0, 0)
    names = [p["name"] for p in shown.data["products"]]
    assert names == ["Support", "Recommender"]
    (stored,) = shown.data["links"]
    assert (stored["id"], stored["payload"]) == (link.data["link_id"], ["question", "item"])
    assert stored["source_id"] == product.data["product_id"]
    assert shown.data["overview"][0]["verdict"] is None


def test_what_is_not_there_is_named(studio: Studio) -> None:
    studio("matrix", "create", "One", "--core", "Core")
    studio("matrix", "create", "Two", "--core", "Core")
    calls = {
        ("matrix", "show"): "matrix.not_named",
        ("matrix", "show", "Three"): "matrix.unknown",
        ("matrix", "link", "One", "Core", "Nobody"): "product.unknown",
        ("matrix", "add-product", "One", "core"): "product.same_name",
        ("train", "--product", "core"): "name.ambiguous",
        ("train",): "dataset.none",
        ("runs", "show"): "run.none",
        ("runs", "stop", "ghost"): "run.unknown",
        ("data", "show", "ghost"): "dataset.none",
        ("chat", "--once", "hello"): "model.no_default",
        ("chat",): "option.invalid",
        ("chat", "--once", "hello", "--run", "a", "--base", "b"): "option.invalid",
        ("chat", "--once", "hello", "--temperature", "9"): "option.invalid",
        ("import", "/nowhere/at/all.csv"): "dataset.no_file",
        ("import", "x.csv", "--test", "0.9"): "option.invalid",
        ("demo", "--quick"): "model.no_default",
    }
    for arguments, code in calls.items():
        said = studio(*arguments)
        assert (said.code, said.data["error"]["code"]) == (2, code), arguments


def test_demo_without_base_model_tells_what_to_run(studio: Studio, place: Path) -> None:
    said = studio("demo")
    assert "python3 installer/bootstrap.py run" in said.data["error"]["hint"]
    assert not list((place / "datasets").iterdir())


def test_sample_in_the_language_of_the_call(studio: Studio) -> None:
    chinese = studio("matrix", "sample", "--language", "zh_CN").data
    english = studio("matrix", "sample", "--language", "en").data
    assert chinese["id"] != english["id"]
    assert chinese["is_sample"]
    assert studio("matrix", "sample").data["id"] == english["id"]


def test_groups_list_when_nothing_else_is_asked(studio: Studio) -> None:
    assert studio("matrix").data == {"matrices": []}
    assert studio("runs").data == {"runs": []}
    assert studio("data").data == {"datasets": []}


def test_doctor_without_and_with_base_model(studio: Studio) -> None:
    sick = studio("doctor")
    assert (sick.code, sick.data["problems"]) == (3, ["base_model"])
    write_model(default_base_model_dir())
    well = studio("doctor")
    assert (well.code, well.data["ok"]) == (0, True)
    found = {check["id"]: check["found"] for check in well.data["checks"]}
    assert "torch" in found["engine"]
    assert "threads" in found["processor"]


def test_doctor_of_a_workspace_that_does_not_open(studio: Studio, place: Path) -> None:
    place.write_text("a file, not a folder", encoding="utf-8")
    said = studio("doctor")
    assert (said.code, said.data["problems"]) == (3, ["workspace"])
    assert {"engine", "memory", "workspace"} <= {check["id"] for check in said.data["checks"]}


def test_a_damaged_database_is_restored_by_command(studio: Studio, place: Path) -> None:
    made = studio("matrix", "create", "M", "--core", "C").data
    paths = WorkspacePaths(place)
    make_backup(paths.database, paths.backups, "test", sqlite_module())
    paths.database.write_bytes(b"x" * 5000)
    told = studio("matrix", "list")
    assert told.data["error"]["code"] == "store.corrupt"
    assert "studio doctor --restore" in told.data["error"]["hint"]
    assert "is kept" in studio("doctor", "--restore").err
    assert [matrix["id"] for matrix in studio("matrix", "list").data["matrices"]] == [made["id"]]


def test_missing_window_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "WINDOW_LIBRARIES", {"libnothing-of-the-kind.so.9": "libnothing9"})
    monkeypatch.setattr(machine_checks.sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":7")
    window = next(check for check in machine_checks.machine_checks() if check.id == "window")
    assert (window.state, "libnothing9" in window.found) == (CheckState.PROBLEM, True)
    monkeypatch.delenv("DISPLAY")
    window = next(check for check in machine_checks.machine_checks() if check.id == "window")
    assert window.state is CheckState.OK
