"""Promises of every verb: exit codes, one JSON object, words on the right stream, no traceback for people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio import bootstrap
from studio.cli.app import asked_language, build, main
from studio.errors import BusyError, ResourceError, StudioError
from studio.paths import crash_log, settings_file
from studio.services.children import JobCancelled
from studio.services.settings import SettingsService
from tests.unit.cli.conftest import Studio

VERBS = ("demo", "import", "train", "runs", "search", "chat", "matrix", "doctor", "data")


def opener(problem: BaseException) -> Any:
    def open_workspace(*_args: object, **_more: object) -> Any:
        raise problem

    return open_workspace


@pytest.mark.parametrize(
    ("problem", "code", "name"),
    [
        (StudioError("a.code", "What happened.", "What to do."), 2, "a.code"),
        (ResourceError("disk", "Full."), 3, "disk"),
        (BusyError("workspace.in_use", "Taken."), 2, "workspace.in_use"),
        (JobCancelled(), 130, "job.cancelled"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("boom"), 1, "crash"),
        (OSError(28, "No space left on device"), 3, "disk_full"),
    ],
)
def test_exit_code_and_json_of_failures(studio: Studio, problem: BaseException, code: int, name: str) -> None:
    said = studio("matrix", "create", "M", "--core", "C", open_workspace=opener(problem))
    assert (said.code, said.data["error"]["code"]) == (code, name)
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err


def test_crash_keeps_its_traceback_in_a_file(studio: Studio) -> None:
    said = studio("matrix", "list", open_workspace=opener(RuntimeError("boom")))
    assert "RuntimeError: boom" in crash_log().read_text(encoding="utf-8")
    assert str(crash_log()) in said.data["error"]["hint"]


def test_wrong_use_is_code_2_and_json(studio: Studio) -> None:
    for arguments in (
        ("nonsense",),
        ("train", "--no-such-option"),
        ("import",),
        ("train", "--preset", "fast"),
    ):
        said = studio(*arguments)
        assert (said.code, said.data["error"]["code"]) == (2, "usage"), arguments
        assert "--help" in said.err


def test_without_json_stdout_is_for_people(studio: Studio) -> None:
    said = studio("matrix", "sample", plain=True)
    assert said.code == 0
    assert "{" not in said.out
    assert "Customer" in said.out


def test_help_of_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)
    for verb in VERBS:
        assert main([verb, "--help"]) == 0
        assert "Show this help." in capsys.readouterr().out


def test_no_option_is_declared_twice() -> None:
    from typer.main import get_command

    def commands(command: Any) -> list[Any]:
        inner = getattr(command, "commands", {}).values()
        return [command, *(each for sub in inner for each in commands(sub))]

    everything = commands(get_command(build(SettingsService(settings_file()), opener(AssertionError()))))
    assert len(everything) > 15
    for command in everything:
        names = [name for parameter in command.params for name in parameter.opts]
        assert len(names) == len(set(names)), command.name


def test_language_is_found_before_parsing() -> None:
    assert asked_language(["demo", "--language", "zh_CN"]) == "zh_CN"
    assert asked_language(["--language=en", "demo"]) == "en"
    assert asked_language(["demo", "--language", "fr"]) is None
    assert asked_language(["demo", "--language"]) is None


def test_help_follows_the_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import gettext

    class Chinese(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return "显示帮助" if message == "Show this help." else message

    monkeypatch.setattr(gettext, "translation", lambda *_a, languages, **_k: (
        Chinese() if languages == ["zh_CN"] else gettext.NullTranslations()
    ))  # fmt: skip
    main(["runs", "stop", "--help", "--language", "zh_CN"])
    assert "显示帮助" in capsys.readouterr().out


def test_language_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    from studio.i18n import current_language

    SettingsService(settings_file()).update(language="zh_CN")
    main(["matrix", "--help"])
    assert current_language() == "zh_CN"
    main(["matrix", "--help", "--language", "en"])
    assert current_language() == "en"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from studio.cli.app import main; assert main(['train', '--help']) == 0;"
        "heavy = {'torch', 'transformers', 'polars', 'sqlalchemy', 'PySide6', 'numpy'} & set(sys.modules);"
        "sys.exit(' '.join(heavy) or 0)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert said.returncode == 0, said.stderr


def test_window_has_the_workspace(studio: Studio, place: Path) -> None:
    window = bootstrap.open_workspace(place, settings=SettingsService(settings_file()))
    try:
        window.matrices.create("Shop", "Helper")
        assert studio("matrix", "list").data["matrices"][0]["name"] == "Shop"
        assert studio("runs", "list").data == {"runs": []}
        refused = studio("matrix", "create", "Other", "--core", "Thing")
        assert (refused.code, refused.data["error"]["code"]) == (2, "workspace.in_use")
    finally:
        window.close()
    assert studio("matrix", "create", "Other", "--core", "Thing").code == 0
