"""Verbs, options, what is started afterwards, and the words of the installer in both languages."""

from __future__ import annotations

import ast
import io
import re
import string
from pathlib import Path

import pytest

from installer import command
from installer.command import build_steps, parse, program_command, report_failure
from installer.console import Console
from installer.messages import CHINESE, _
from installer.place import Place, one_at_a_time
from installer.plan import StepError
from installer.system import Wants

from .fakes import FakeRunner

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def linux_with_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("STUDIO_LANGUAGE", "en")


def started(*arguments: str) -> list[str]:
    options, rest = parse(arguments)
    return program_command(Place(ROOT), options, rest)[1:]


def test_run_opens_the_window_on_the_sample(tmp_path: Path) -> None:
    assert started("run") == ["-m", "studio", "gui", "--sample"]
    folder = ["--workspace", str(tmp_path)]
    assert started("run", *folder) == ["-m", "studio", "gui", "--sample", *folder]


def test_run_without_a_display_runs_the_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started("run", "--headless", "--quick", "--json") == ["-m", "studio", "demo", "--quick", "--json"]
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("installer.command.has_display", lambda: False)
    assert started("run") == ["-m", "studio", "demo"]


def test_test_runs_every_test_and_hands_over_the_rest() -> None:
    assert started("test", "-k", "store") == ["-m", "pytest", "-m", "slow or not slow", "-k", "store"]


def test_setup_starts_nothing_and_takes_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert started("setup") == []
    with pytest.raises(SystemExit):
        parse(["setup", "--typo"])
    assert "--typo" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "dev"), [(["run"], False), (["setup", "--dev"], True), (["test"], True)]
)
def test_test_tools_are_a_step_only_where_they_are_needed(
    tmp_path: Path, arguments: list[str], dev: bool
) -> None:
    options, _rest = parse(arguments)
    place = Place(ROOT)
    steps = build_steps(place, FakeRunner(tmp_path), Console(io.StringIO()), Wants(True, options.dev))
    kind, tools = ("dev", ["dev"]) if dev else ("user", [])
    before = ["venv", f"system-{kind}", "torch", "libraries"]
    after = ["program", f"check-{kind}", "model", "convert", "encoder"]
    assert [step.key for step in steps] == [*before, *tools, *after]


def test_headless_run_leaves_the_system_alone(tmp_path: Path) -> None:
    steps = build_steps(Place(ROOT), FakeRunner(tmp_path), Console(io.StringIO()), Wants(False, False))
    assert not [step.key for step in steps if step.key.startswith("system")]


def test_failure_names_step_cause_tail_advice_and_record(tmp_path: Path) -> None:
    output, record = io.StringIO(), tmp_path / "setup.log"
    record.touch()
    report_failure(Console(output), record, "PyTorch", StepError("no route", "check the cable", ["line 1"]))
    assert output.getvalue().splitlines() == [
        "",
        "The step “PyTorch” failed.",
        "Cause: no route",
        "    line 1",
        "What to do: check the cable",
        f"Full record: {record}",
    ]


def test_second_setup_at_the_same_time_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "build" / "lock"
    with one_at_a_time(lock), pytest.raises(StepError, match="Another set-up"), one_at_a_time(lock):
        pytest.fail("two set-ups ran at once")
    with one_at_a_time(lock):
        pass  # freed again


def spoken_messages() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "installer").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                found.add(ast.literal_eval(node.args[0]))
    return found


def test_every_message_is_translated_and_none_is_left_over() -> None:
    assert spoken_messages() == set(CHINESE)


def test_translations_keep_the_placeholders() -> None:
    def fields(text: str) -> set[str | None]:
        return {field for _text, field, *_ in string.Formatter().parse(text) if field}

    assert {key for key, text in CHINESE.items() if fields(key) != fields(text)} == set()


@pytest.mark.parametrize(
    ("variable", "value", "chinese"),
    [
        ("LANG", "zh_CN.UTF-8", True),
        ("LC_ALL", "zh_TW", True),
        ("LANG", "de_DE", False),
        ("LANG", "C", False),
    ],
)
def test_language_follows_the_locale(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, chinese: bool
) -> None:
    for name in ("STUDIO_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert bool(re.search("[一-鿿]", _("already done"))) is chinese


def test_interrupt_is_one_sentence_and_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "set_up", interrupted)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command.run_command(["setup"]) == 130
    assert "run the same command again" in capsys.readouterr().out
