"""What pip and apt are asked for on which machine, and what is said when they cannot help."""

from __future__ import annotations

import io
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from installer import environment as environment_module
from installer import system as system_module
from installer.console import Console
from installer.environment import TORCH_DEFAULT, TORCH_NVIDIA, Environment
from installer.place import Place
from installer.plan import StepError, StepPostponed
from installer.runner import Outcome
from installer.system import (
    CHINESE_FONT,
    LATIN_FAMILIES,
    LATIN_FONT,
    QT_LIBRARIES,
    Apt,
    SystemLibraries,
    Wants,
    has_nvidia_gpu,
)
from studio.gui.theme.fonts import LATIN_ELSEWHERE

from .fakes import FakeRunner

ROOT = Path(__file__).resolve().parents[3]
ALL_LIBRARIES = tuple(
    f"\t{library} (libc6,x86-64) => /usr/lib/{library}" for library in QT_LIBRARIES.values()
)
FONTS = Outcome(0, ("Noto Sans CJK SC", "Inter"))


@pytest.fixture(autouse=True)
def debian_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian machine, English, an ordinary user; every tool is on the path."""
    monkeypatch.setenv("STUDIO_LANGUAGE", "en")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(system_module, "_is_root", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name, **_: f"/usr/bin/{name}")


def make_environment(tmp_path: Path, runner: FakeRunner, nvidia: bool = False) -> Environment:
    console = Console(io.StringIO())
    return Environment(Place(tmp_path), runner, console, Apt(runner, console), nvidia)


def make_system(runner: FakeRunner, window: bool = True, dev: bool = False) -> SystemLibraries:
    console = Console(io.StringIO())
    return SystemLibraries(runner, console, Apt(runner, console), Wants(window, dev))


def touch_python(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.python.parent.mkdir(parents=True)
    place.python.touch()


@pytest.mark.parametrize(("nvidia", "wanted"), [(False, TORCH_DEFAULT), (True, TORCH_NVIDIA)])
def test_torch_build_follows_the_graphics_card(tmp_path: Path, nvidia: bool, wanted: str) -> None:
    runner = FakeRunner(tmp_path)
    make_environment(tmp_path, runner, nvidia).install_torch()
    assert runner.ran(f" {wanted} -c ")


def test_no_driver_means_no_gpu(tmp_path: Path) -> None:
    assert not has_nvidia_gpu(FakeRunner(tmp_path, {"nvidia-smi": Outcome(9)}))
    assert has_nvidia_gpu(FakeRunner(tmp_path, {"nvidia-smi": Outcome(0, ("GPU 0",))}))


def test_working_environment_made_by_hand_is_kept(tmp_path: Path) -> None:
    touch_python(tmp_path)
    runner = FakeRunner(tmp_path)
    make_environment(tmp_path, runner).create()
    assert not runner.ran("-m venv")
    assert runner.ran("pip>=24.1")


def test_environment_without_pip_is_completed_not_replaced(tmp_path: Path) -> None:
    touch_python(tmp_path)
    runner = FakeRunner(tmp_path, {"import pip": Outcome(1)})
    make_environment(tmp_path, runner).create()
    assert runner.ran("-m ensurepip")
    assert not runner.ran("-m venv")


def test_broken_environment_is_made_afresh(tmp_path: Path) -> None:
    touch_python(tmp_path)
    runner = FakeRunner(tmp_path, {"sys.version_info": Outcome(1)})
    make_environment(tmp_path, runner).create()
    assert runner.ran("-m venv --clear")


def test_interrupted_environment_is_made_afresh(tmp_path: Path) -> None:
    """Its Python already answers, but ensurepip was killed half-way through unpacking pip."""
    touch_python(tmp_path)

    def interrupt(_command: list[str]) -> Outcome:
        raise KeyboardInterrupt

    broken = FakeRunner(tmp_path, {"sys.version_info": Outcome(1), "-m venv": interrupt})
    with pytest.raises(KeyboardInterrupt):
        make_environment(tmp_path, broken).create()
    runner = FakeRunner(tmp_path)
    make_environment(tmp_path, runner).create()
    make_environment(tmp_path, runner).create()
    assert [command for command in runner.commands if "-m venv" in command] == [
        f"{sys.executable} -m venv --clear {Place(tmp_path).venv}"
    ]


def test_missing_ensurepip_is_brought_by_apt_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(environment_module, "NEEDED_GB", 0)
    allowed = FakeRunner(tmp_path)
    make_environment(tmp_path, allowed).create()
    assert allowed.ran("apt-get install -y --no-install-recommends")
    refused = FakeRunner(tmp_path, {"sudo -n true": Outcome(1)})
    with pytest.raises(StepError, match="ensurepip") as caught:
        make_environment(tmp_path, refused).create()
    assert "sudo apt-get install -y python3." in caught.value.hint
    assert not refused.ran("-m venv")


def test_too_little_space_is_refused_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_module, "NEEDED_GB", 10**9)
    runner = FakeRunner(tmp_path)
    with pytest.raises(StepError, match="GB are free"):
        make_environment(tmp_path, runner).create()
    assert runner.commands == []


def test_vanished_python_is_named(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, {"pip install": Outcome(127, ("No such file",))})
    with pytest.raises(StepError, match="was not found"):
        make_environment(tmp_path, runner).install_torch()


def test_pip_failure_says_pips_reason_and_the_next_thing_to_try(tmp_path: Path) -> None:
    tail = ("Collecting x", "ERROR: No matching distribution found for x", "note")
    runner = FakeRunner(tmp_path, {"pip install": Outcome(1, tail)})
    with pytest.raises(StepError, match="No matching distribution found for x") as caught:
        make_environment(tmp_path, runner).install_libraries()
    assert caught.value.tail == tail
    assert "internet" in caught.value.hint


def test_nothing_is_installed_when_the_system_has_all(tmp_path: Path) -> None:
    rules = {"ldconfig": Outcome(0, ALL_LIBRARIES), "fc-list": FONTS}
    runner = FakeRunner(tmp_path, rules)
    make_system(runner, dev=True).bring()
    assert not runner.ran("apt-get")


def test_only_what_is_missing_is_installed(tmp_path: Path) -> None:
    rules = {"ldconfig": Outcome(0, ALL_LIBRARIES[1:]), "fc-list": FONTS}
    runner = FakeRunner(tmp_path, rules)
    make_system(runner).bring()
    assert runner.commands[-1].endswith(f"Timeout=180 {next(iter(QT_LIBRARIES))}")


def test_without_rights_the_exact_command_is_given(tmp_path: Path) -> None:
    rules = {"ldconfig": Outcome(0, ALL_LIBRARIES[1:]), "sudo -n true": Outcome(1)}
    with pytest.raises(StepError) as caught:
        make_system(FakeRunner(tmp_path, rules)).bring()
    command = f"sudo apt-get install -y {next(iter(QT_LIBRARIES))} {CHINESE_FONT} {LATIN_FONT}"
    assert command in caught.value.hint
    with pytest.raises(StepPostponed) as later:
        make_system(FakeRunner(tmp_path, rules), window=False, dev=True).bring()
    assert command in str(later.value)


def test_missing_font_alone_does_not_stop_the_window(tmp_path: Path) -> None:
    rules = {
        "ldconfig": Outcome(0, ALL_LIBRARIES),
        "fc-list": Outcome(0),
        "sudo -n true": Outcome(1),
    }
    with pytest.raises(StepPostponed, match=CHINESE_FONT):
        make_system(FakeRunner(tmp_path, rules)).bring()


@pytest.mark.parametrize(
    ("families", "packages"),
    [
        (("Noto Sans CJK SC,Noto Sans CJK SC Thin",), [LATIN_FONT]),
        (("DejaVu Sans",), []),
        (("Noto Sans CJK SC", "Open Sans,Open Sans Light"), []),
        ((), [CHINESE_FONT, LATIN_FONT]),
    ],
)
def test_a_chinese_font_alone_is_not_enough(
    tmp_path: Path, families: tuple[str, ...], packages: list[str]
) -> None:
    """Its quotation marks are as wide as a character."""
    rules = {"ldconfig": Outcome(0, ALL_LIBRARIES), "fc-list": Outcome(0, families)}
    assert make_system(FakeRunner(tmp_path, rules)).missing() == packages


def test_without_fontconfig_the_packages_count(tmp_path: Path) -> None:
    rules = {
        "ldconfig": Outcome(0, ALL_LIBRARIES),
        "fc-list": Outcome(127),
        CHINESE_FONT: Outcome(0, ("installed",)),
        LATIN_FONT: Outcome(1),
    }
    assert make_system(FakeRunner(tmp_path, rules)).missing() == [LATIN_FONT]


def test_the_window_takes_the_fonts_that_the_installer_looks_for() -> None:
    assert LATIN_FAMILIES == LATIN_ELSEWHERE


def test_headless_run_asks_nothing_of_the_system(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path)
    make_system(runner, window=False).bring()
    assert runner.commands == []


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_need_no_packages(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert Wants(window=True, dev=True).packages == ()


def read_pins(name: str) -> dict[str, str]:
    lines = (ROOT / "installer" / name).read_text(encoding="utf-8").splitlines()
    pins = (line.partition(";")[0].strip().partition("==") for line in lines if line and line[0] != "#")
    return {canonicalize_name(package): version for package, _, version in pins}


def test_every_declared_dependency_is_pinned_within_its_bounds() -> None:
    """Fails when pyproject.toml changes without ``python installer/pins.py``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = read_pins("requirements.txt") | {"torch": TORCH_DEFAULT.partition("==")[2]}
    all_pins = pins | read_pins("requirements-dev.txt")
    declared = [(text, pins) for text in project["dependencies"]]
    declared += [(text, all_pins) for text in project["optional-dependencies"]["dev"]]
    for text, known in declared:
        requirement = Requirement(text)
        version = known.get(canonicalize_name(requirement.name))
        assert version, f"{text} is not pinned: run installer/pins.py"
        assert requirement.specifier.contains(version), f"{text} is pinned to {version}"
