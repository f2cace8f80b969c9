"""The verbs for data: what they ask of services and workers, what they print, and how they refuse."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from studio import bootstrap
from studio.domain.recipes import FindingKind
from studio.paths import settings_file
from studio.services.settings import SettingsService
from tests.unit.cli.conftest import Said, Studio
from tests.unit.cli.data_jobs import DataJobs
from tests.unit.services.version_fakes import worked


@pytest.fixture(autouse=True)
def jobs(monkeypatch: pytest.MonkeyPatch) -> DataJobs:
    made = DataJobs()
    monkeypatch.setattr(bootstrap, "run_job", made)
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "问题.csv"
    path.write_text("question,answer\nq,a\n")
    return path


@pytest.fixture
def dataset(studio: Studio, source: Path) -> dict[str, Any]:
    said = studio("import", str(source))
    assert said.code == 0, said.err
    return said.data


def refused(said: Said, code: str) -> None:
    assert (said.code, said.data["error"]["code"]) == (2, code), said.err
    assert said.data["error"]["message"]


# Importing.


def test_several_files_are_one_dataset(studio: Studio, source: Path, jobs: DataJobs, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    said = studio(
        "import", str(source), str(folder), "--as", "ratings", "--map", "user=u", "--licence", "CC0"
    )
    spec = said.data["spec"]
    assert (spec["source"], spec["more_sources"]) == (str(source), [str(folder)])
    assert (spec["shape"], spec["roles"], spec["licence"]) == ("ratings", {"u": "user"}, "CC0")
    assert said.data["name"] == "问题"
    assert said.data["skipped"] == ["notes.doc: an old format"]
    assert "Not read:\n  notes.doc: an old format" in said.err
    assert jobs.verbs() == ["preview-source", "import"]
    assert studio("import", str(source)).data["skipped"] == []


SHAPES = [
    "prompt-response", "messages", "preference", "thumbs", "text", "text-label", "text-labels", "text-number",
    "image-label", "ratings",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_can_be_asked_for(studio: Studio, source: Path, shape: str) -> None:
    assert studio("import", str(source), "--as", shape).data["spec"]["shape"] == shape


def test_standard_input_is_a_paste(
    studio: Studio, source: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    typed("\ufeff问,答\n".encode())
    said = studio("import", "-", str(source), "--name", "Pasted data")
    spec = said.data["spec"]
    assert spec["origin"]["kind"] == "clipboard"
    assert Path(spec["source"]).parent == place / "pasted"
    assert Path(spec["source"]).read_text(encoding="utf-8") == "问,答\n"
    assert (spec["more_sources"], said.data["name"]) == ([str(source)], "Pasted data")
    typed("问".encode("gb18030"))
    refused(studio("import", "-"), "import.not_utf8")
    typed(b" ")
    refused(studio("import", "-"), "dataset.nothing_pasted")
    refused(studio("import", "-", "-"), "usage")


def test_a_hub_needs_consent_that_is_given_once(studio: Studio, jobs: DataJobs) -> None:
    refused(studio("import", "--hub", "owner/data"), "hub.no_consent")
    assert jobs.verbs() == []
    said = studio("import", "--hub", "owner/data", "--allow-downloads")
    assert said.code == 0, said.err
    assert jobs.verbs() == ["fetch-dataset", "preview-source", "import"]
    spec = said.data["spec"]
    assert (spec["origin"], spec["licence"]) == ({"kind": "hub", "address": "owner/data"}, "mit")
    assert said.data["name"] == "data"
    assert SettingsService(settings_file()).current.hub_consent


def test_an_import_says_one_thing(studio: Studio, source: Path) -> None:
    refused(studio("import"), "usage")
    refused(studio("import", str(source), "--hub", "a/b"), "usage")
    refused(studio("import", str(source), "--map", "x"), "option.invalid")
    refused(studio("import", str(source), "--test", "0.9"), "option.invalid")
    refused(studio("import", str(source), "--recipe", "none"), "recipe.unknown")
    refused(studio("import", str(source) + ".gone"), "dataset.no_file")


# The doctor.


def test_findings_are_a_table_with_advice_and_example(
    studio: Studio, dataset: dict[str, Any], jobs: DataJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = studio("data", "doctor", plain=True)
    assert said.code == 0
    lines = [line for line in said.out.splitlines() if line.startswith("private_data")]
    assert len(lines) == 1
    for part in ("Private data of people", "Warning", "3 rows", "30%", "Mask it in 3 rows", "an example of"):
        assert part in lines[0]
    assert f"studio data fix {dataset['id']} --all" in said.out
    assert "Looking through" in said.err  # progress never mixes with results
    assert "Looking through" not in said.out


def test_checks_and_limits_reach_the_doctor(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    said = studio(
        "data", "doctor", dataset["id"], "--check", "private_data", "--check", "too_long", "--max-tokens", "9"
    )
    assert [found["kind"] for found in said.data["findings"]] == ["private_data"]
    assert said.data["advised"] == [
        {"type": "fix", "finding": "private_data", "action": "mask", "private_kinds": []}
    ]
    spec = jobs.asked[-1][1]["spec"]
    assert (spec["checks"], spec["max_tokens"], spec["min_tokens"]) == (["private_data", "too_long"], 9, 2)
    assert studio("data", "doctor", "--check", "nonsense").data["error"]["code"] == "usage"


def test_clean_data_is_called_so(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    jobs.findings = []
    assert "Nothing was found in 10 rows." in studio("data", "doctor", plain=True).out
    said = studio("data", "fix", "--all")
    assert (said.code, said.data["steps"]) == (0, [])
    assert "derive" not in jobs.verbs()


def steps_of(jobs: DataJobs) -> list[tuple[str, str]]:
    return [(step["finding"], step["action"]) for step in jobs.asked[-1][1]["steps"]]


def test_all_is_fixed_as_advised(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    said = studio("data", "fix", "--all", "--note", "Clean")
    assert jobs.verbs() == ["import", "diagnose", "derive"]
    assert steps_of(jobs) == [("exact_duplicates", "keep_first"), ("private_data", "mask")]
    assert (said.data["number"], said.data["parent_id"], said.data["note"]) == (2, dataset["id"], "Clean")
    assert "version 2" in said.err


@pytest.mark.parametrize("named", [True, False])
def test_findings_are_fixed_by_name(
    studio: Studio, dataset: dict[str, Any], jobs: DataJobs, named: bool
) -> None:
    studio("data", "doctor")
    first = [dataset["id"]] if named else []
    said = studio("data", "fix", *first, "private-data=replace", "exact_duplicates")
    assert said.code == 0, said.err
    assert jobs.verbs() == ["import", "diagnose", "derive"]  # the kept report is enough
    assert steps_of(jobs) == [("exact_duplicates", "keep_first"), ("private_data", "replace")]


def test_a_dry_run_writes_nothing(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    said = studio("data", "fix", "--all", "--dry-run")
    assert jobs.verbs() == ["import", "diagnose", "try-step", "try-step"]
    assert [found["preview"]["changed"] for found in said.data["steps"]] == [3, 3]
    assert "call 138 → call [PHONE]" in said.err
    assert "gone → (removed)" in said.err
    assert len(studio("data", "versions").data["versions"]) == 1


def test_fixes_that_cannot_be_are_refused(studio: Studio, dataset: dict[str, Any]) -> None:
    refused(studio("data", "fix"), "usage")
    refused(studio("data", "fix", "--all", "private_data"), "usage")
    refused(studio("data", "fix", dataset["id"], "nonsense"), "option.invalid")
    refused(studio("data", "fix", "private_data=nonsense"), "option.invalid")
    refused(studio("data", "fix", "private_data=cut"), "doctor.no_such_fix")
    refused(studio("data", "fix", "markup"), "doctor.not_found")
    refused(studio("data", "fix", "Nobody", "markup"), "dataset.unknown")


def test_every_finding_can_be_named() -> None:
    from studio.cli.data_doctor import _kind

    assert [_kind(kind.value.replace("_", "-") + "=remove") for kind in FindingKind] == list(FindingKind)


# Steps and versions.


def test_steps_are_asked_for_as_typed(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    studio("data", "split", "--validation", "0.2", "--test", "0", "--group", "near-duplicates", "--stratify")
    studio("data", "replace", "colour", "color", "--ignore-case", "--column", "prompt")
    studio("data", "augment", "--text", "typos", "--text", "case", "--copies", "2")
    studio(
        "data", "edit", "--set", "12:response=a=b", "--set", "12:prompt=", "--remove", "3",
        "--add", '{"prompt": "q", "response": null}',
    )  # fmt: skip
    made = [payload["steps"] for verb, payload in jobs.asked if verb == "derive"]
    assert made[0] == [
        {
            "type": "split", "validation": 0.2, "test": 0.0, "group_by": "near-duplicates", "stratify": True,
        }
    ]  # fmt: skip
    assert made[1][0]["match_case"] is False
    assert made[1][0]["columns"] == ["prompt"]
    assert (made[2][0]["text"], made[2][0]["copies"]) == (["typos", "case"], 2)
    assert made[3][0]["cells"] == {"12": {"response": "a=b", "prompt": ""}}
    assert (made[3][0]["removed"], made[3][0]["added"]) == ([3], [{"prompt": "q", "response": None}])
    assert [v["number"] for v in studio("data", "versions").data["versions"]] == [5, 4, 3, 2, 1]
    table = studio("data", "versions", plain=True).out
    assert "Edited by hand" in table


def test_a_search_for_near_duplicates_that_did_not_see_all_rows_is_told(
    studio: Studio, dataset: dict[str, Any], jobs: DataJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(payload: Any, _on_event: Any) -> Any:
        made = worked(payload)
        made["made_by"][0]["details"] = {"compared": 2_000_000}
        (Path(payload["out_dir"]) / "manifest.json").write_text(json.dumps(made))
        return made

    split = ("data", "split", "--group", "near-duplicates")
    words = "only the first 2,000,000 rows were compared"
    assert words not in studio(*split).err
    monkeypatch.setattr(jobs, "derive_result", part)
    assert words in studio(*split).err
    assert words in " ".join(studio("data", "versions", plain=True).out.split())


def test_steps_that_make_no_sense_are_refused(studio: Studio, dataset: dict[str, Any]) -> None:
    refused(studio("data", "split", "--test", "0.9"), "option.invalid")
    refused(studio("data", "replace", "", "x"), "option.invalid")
    refused(studio("data", "augment"), "usage")
    refused(studio("data", "augment", "--text", "case", "--strength", "2"), "option.invalid")
    refused(studio("data", "edit"), "usage")
    refused(studio("data", "edit", "--set", "x:y=z"), "option.invalid")
    refused(studio("data", "edit", "--add", "[1]"), "option.invalid")
    refused(studio("data", "edit", "--file", "x.json", "--remove", "3"), "usage")
    refused(studio("data", "undo"), "version.nothing_to_undo")
    refused(studio("data", "redo"), "version.nothing_to_redo")
    refused(studio("data", "restore", "7"), "version.unknown")
    refused(studio("data", "compare"), "version.no_parent")


def test_back_and_forth(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    second = studio("data", "replace", "a", "b").data
    assert studio("data", "undo").data["id"] == dataset["id"]
    assert studio("data", "redo").data["id"] == second["id"]
    third = studio("data", "restore", "1").data
    assert (third["number"], third["made_by"][0]["step"]["version_id"]) == (3, dataset["id"])
    assert [d["id"] for d in studio("data", "list").data["datasets"]] == [third["id"]]
    refused(studio("data", "replace", "a", "b", dataset["id"]), "version.not_newest")


def test_a_version_that_was_undone_for_another_can_come_back(
    studio: Studio, dataset: dict[str, Any], jobs: DataJobs
) -> None:
    second = studio("data", "replace", "a", "b").data
    studio("data", "undo")
    assert studio("data", "versions").data["undone"] == []  # redo brings it back
    studio("data", "replace", "c", "d")
    said = studio("data", "versions")
    assert [version["number"] for version in said.data["versions"]] == [3, 1]
    assert [version["id"] for version in said.data["undone"]] == [second["id"]]
    assert "Undone: " in said.err
    back = studio("data", "restore", "2").data
    assert (back["number"], back["made_by"][0]["step"]["version_id"]) == (4, second["id"])


def test_edits_of_the_window_are_in_the_way_until_they_are_dealt_with(
    studio: Studio, dataset: dict[str, Any], place: Path
) -> None:
    def edit(version: str) -> None:
        (place / "drafts" / f"{version}.jsonl").write_text('{"op":"remove","row":3}\n')

    none = studio("data", "draft")
    assert none.data["pending"] == 0
    assert "has no unsaved changes." in none.err
    edit(dataset["id"])
    one = studio("data", "draft")
    assert one.data["pending"] == 1
    assert "has unsaved changes in 1 row." in one.err
    refused(studio("data", "replace", "a", "b"), "draft.pending")
    refused(studio("data", "draft", "--save", "--discard"), "usage")
    saved = studio("data", "draft", "--save", "--note", "By hand").data
    assert (saved["number"], saved["note"]) == (2, "By hand")
    edit(saved["id"])
    assert studio("data", "draft", "--discard").data["pending"] == 0
    assert studio("data", "replace", "a", "b").code == 0
    refused(studio("data", "draft", "--save"), "draft.empty")


def test_versions_are_compared(studio: Studio, dataset: dict[str, Any], jobs: DataJobs) -> None:
    second = studio("data", "replace", "a", "b").data
    said = studio("data", "compare")
    assert (said.data["older_id"], said.data["newer_id"], said.data["moved"]) == (
        dataset["id"],
        second["id"],
        2,
    )
    assert "prompt: a" in said.err
    assert "response: same" not in said.err
    third = studio("data", "replace", "b", "c").data
    said = studio("data", "compare", third["id"], f"{dataset['name']}@1", "--limit", "5")
    assert (said.data["older_id"], jobs.asked[-1][1]["limit"]) == (dataset["id"], 5)


def test_statistics_are_shown(studio: Studio, dataset: dict[str, Any]) -> None:
    said = studio("data", "statistics", plain=True)
    assert "Languages: Chinese 70%, English 30%" in said.out
    lines = [" ".join(line.replace("│", " ").split()) for line in said.out.splitlines()]
    for line in ("prompt tokens 4 8 9", "whole row characters 4 8 9", "good 7", "(none yet) 3"):
        assert line in lines
    assert studio("data", "statistics").data["lengths"][0]["p95"] == 8


# What leaves the workspace.


def test_the_newest_is_exported_unless_one_is_named(
    studio: Studio, dataset: dict[str, Any], jobs: DataJobs, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    said = studio(
        "data", "export", "--format", "csv", "--out", str(out), "--split", "test", "--split", "train"
    )
    assert (said.code, said.data["path"], said.data["size_bytes"]) == (0, str(out), 4)
    assert jobs.asked[-1][1]["splits"] == ["test", "train"]
    studio("data", "replace", "a", "b")
    said = studio("data", "export", f"{dataset['name']}@1", "--out", str(tmp_path / "rows.parquet"))
    assert (said.data["format"], said.data["dataset_id"]) == ("parquet", dataset["id"])
    refused(studio("data", "export", "--out", str(tmp_path / "rows.doc")), "export.unknown_format")
    refused(studio("data", "export", "--out", str(tmp_path)), "export.unknown_format")
    refused(studio("data", "export", "Nobody", "--out", str(out)), "dataset.unknown")


def test_the_card_is_all_of_stdout_or_a_file(studio: Studio, dataset: dict[str, Any], tmp_path: Path) -> None:
    said = studio("data", "card", plain=True)
    assert said.out.startswith("# ")
    assert said.out.count("\n## ") >= 6
    out = tmp_path / "card.md"
    said = studio("data", "card", "--out", str(out))
    assert out.read_text(encoding="utf-8") == said.data["card"]
    refused(studio("data", "card", "--out", str(tmp_path / "none" / "card.md")), "export.not_written")
    assert "CC BY 4.0" in studio("data", "card", "--licence", "CC BY 4.0").data["card"]
    assert "CC BY 4.0" in studio("data", "card").data["card"]


def test_a_window_may_be_open_while_one_looks(
    studio: Studio, dataset: dict[str, Any], place: Path, tmp_path: Path
) -> None:
    window = bootstrap.open_workspace(place, settings=SettingsService(settings_file()))
    try:
        for verb in (["doctor"], ["versions"], ["card"], ["statistics"], ["fix", "--all", "--dry-run"]):
            assert studio("data", *verb).code == 0, verb
        assert studio("data", "export", "--out", str(tmp_path / "x.csv")).code == 0
        refused(studio("data", "fix", "--all"), "workspace.in_use")
        refused(studio("data", "undo"), "workspace.in_use")
    finally:
        window.close()


# Recipes.


def test_a_recipe_goes_from_one_dataset_to_the_next(
    studio: Studio, dataset: dict[str, Any], source: Path, jobs: DataJobs, tmp_path: Path
) -> None:
    refused(studio("data", "recipe", "save", "Clean"), "recipe.no_steps")
    studio("data", "fix", "--all")
    saved = studio("data", "recipe", "save", "Clean").data
    assert [step["finding"] for step in saved["steps"]] == ["exact_duplicates", "private_data"]
    assert [r["name"] for r in studio("data", "recipe").data["recipes"]] == ["Clean"]
    assert "Private data of people: Mask" in studio("data", "recipe", "show", "clean").err
    file = tmp_path / "clean.json"
    assert studio("data", "recipe", "export", "Clean", "--out", str(file)).code == 0
    for recipe in ("Clean", str(file)):
        made = studio("import", str(source), "--recipe", recipe)
        assert (made.data["number"], made.data["note"]) == (2, "Clean"), made.err
    refused(studio("data", "recipe", "save", "clean"), "recipe.name_taken")
    assert studio("data", "recipe", "rename", "Clean", "Tidy").data["name"] == "Tidy"
    assert studio("data", "recipe", "rename", "Tidy", "Clean").data["name"] == "Clean"
    assert studio("data", "recipe", "delete", "Clean").code == 0
    again = studio("data", "recipe", "import", str(file))
    assert (again.data["name"], again.data["steps"]) == ("Clean", json.loads(file.read_text())["steps"])
    file.write_text("{}")
    refused(studio("data", "recipe", "import", str(file)), "recipe.not_a_recipe")
    refused(studio("data", "recipe", "show", "gone"), "recipe.unknown")


def test_shared_words_follow_the_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Annotations that verbs share are made before the language is known, so they are translated later."""
    import gettext

    from studio.cli.app import main

    class Chinese(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return "备注" if message == "A note for the list of versions." else message

    monkeypatch.setattr(gettext, "translation", lambda *_a, languages=(), **_k: (
        Chinese() if list(languages) == ["zh_CN"] else gettext.NullTranslations()
    ))  # fmt: skip
    for language, words in (("zh_CN", "备注"), ("en", "A note for")):
        main(["data", "split", "--help", "--language", language])
        assert words in capsys.readouterr().out
