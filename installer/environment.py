"""The private environment: Python, PyTorch's right build, pinned libraries and the program, in that order."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from installer.console import Console
from installer.messages import _
from installer.place import Place
from installer.plan import StepError
from installer.runner import NOT_FOUND, Outcome, Runner
from installer.system import Apt, venv_package

# The exact version takes the CPU build where the package source offers one; the open range the CUDA build.
TORCH_DEFAULT = "torch==2.13.0"
TORCH_NVIDIA = "torch>=2.13,<2.14"
# pip 24.1 brought the raw progress that the console shows; setuptools 77 reads our licence field.
TOOLCHAIN = ("pip>=24.1", "setuptools>=77")
RAW_PROGRESS = ("--progress-bar", "raw")
NEEDED_GB = 6
NEEDED_NVIDIA_GB = 14
GIGABYTE = 10**9
USABLE = (
    "import sys; raise SystemExit(not ((3, 11) <= sys.version_info[:2] < (3, 14)"
    " and sys.prefix != sys.base_prefix))"
)


class Environment:
    """The steps that fill ``.venv``. Each raises StepError with pip's last lines."""

    def __init__(self, place: Place, runner: Runner, console: Console, apt: Apt, nvidia: bool) -> None:
        self._place = place
        self._runner = runner
        self._console = console
        self._apt = apt
        self._nvidia = nvidia

    @property
    def torch_requirement(self) -> str:
        """What pip is asked for; Apple and Windows have one build for everybody."""
        return TORCH_NVIDIA if self._nvidia else TORCH_DEFAULT

    def check_space(self) -> None:
        """Refuse early rather than fill the disk half-way; an existing environment has claimed its share."""
        if self._place.python.exists():
            return
        needed = NEEDED_NVIDIA_GB if self._nvidia else NEEDED_GB
        free = shutil.disk_usage(self._place.root).free / GIGABYTE
        if free < needed:
            raise StepError(
                _("Only {free} GB are free in {folder}; {needed} GB are needed.").format(
                    free=f"{free:.1f}", folder=self._place.root, needed=needed
                ),
                _("Free some space, or move the studio to a larger disk, then run this command again."),
            )

    def create(self) -> None:
        """Keep an environment that works, made by whomever; otherwise make a fresh one."""
        self.check_space()
        if self._place.half_made.exists() or not self._runs(USABLE):
            self._make()
        elif not self._runs("import pip"):  # made by a tool that leaves pip out
            outcome = self._runner.run([str(self._place.python), "-m", "ensurepip"])
            self._expect(outcome, "ensurepip", self._afresh())
        # The pip that comes with Python may be too old to know the raw progress.
        self._pip("install", *TOOLCHAIN, progress=())

    def install_torch(self) -> None:
        self._pip("install", self.torch_requirement, "-c", str(self._place.requirements))

    def install_libraries(self) -> None:
        self._pip("install", "-r", str(self._place.requirements))

    def install_test_tools(self) -> None:
        self._pip("install", "-r", str(self._place.dev_requirements), "-c", str(self._place.requirements))

    def install_program(self) -> None:
        """Editable, so that ``git pull`` needs no installation; built with the setuptools that is here."""
        self._pip("install", "--no-deps", "--no-build-isolation", "-e", str(self._place.root))

    def check(self) -> None:
        """pip's own opinion whether the installed versions fit each other."""
        self._expect(
            self._runner.run([str(self._place.python), "-m", "pip", "check"]), "pip check", self._afresh()
        )

    def download(self, package: str, folder: Path) -> None:
        """Fetch one wheel, never a source package, whose set-up would run foreign code."""
        self._pip("download", "--no-deps", "--only-binary", ":all:", "-d", str(folder), package)

    def _pip(self, verb: str, *arguments: str, progress: Sequence[str] = RAW_PROGRESS) -> None:
        command = [str(self._place.python), "-m", "pip", verb, "--no-input", "--disable-pip-version-check"]
        outcome = self._runner.run([*command, *progress, *arguments], self._console.listen)
        hint = _("Check the internet connection and run this command again; finished parts are kept.")
        self._expect(outcome, f"pip {verb}", hint)

    def _runs(self, code: str) -> bool:
        if not self._place.python.exists():
            return False
        return self._runner.run([str(self._place.python), "-c", code]).ok

    def _make(self) -> None:
        if importlib.util.find_spec("ensurepip") is None:
            self._bring_ensurepip()
        self._place.half_made.parent.mkdir(parents=True, exist_ok=True)
        self._place.half_made.touch()
        command = [sys.executable, "-m", "venv", "--clear", str(self._place.venv)]
        self._expect(self._runner.run(command, self._console.listen), "venv", self._afresh())
        self._place.half_made.unlink()

    def _bring_ensurepip(self) -> None:
        package = [venv_package()]
        hint = _("Run this command, then start again: {command}").format(command=self._apt.command(package))
        if not self._apt.permitted():
            raise StepError(_("This Python cannot make private environments (ensurepip is missing)."), hint)
        self._apt.install(package, hint)

    def _afresh(self) -> str:
        return _("Delete the folder {folder} and run this command again.").format(folder=self._place.venv)

    @staticmethod
    def _expect(outcome: Outcome, tool: str, hint: str) -> None:
        if not outcome.ok:
            raise StepError(_cause(outcome, tool), hint, outcome.tail)


def _cause(outcome: Outcome, tool: str) -> str:
    """pip says what went wrong in its last ERROR line; the other lines follow as the tail."""
    errors: Sequence[str] = [line for line in outcome.tail if line.startswith("ERROR:")]
    if errors:
        return errors[-1].removeprefix("ERROR:").strip()
    if outcome.code == NOT_FOUND:
        return _("{tool} was not found on this computer.").format(tool=tool)
    return _("{tool} ended with code {code}.").format(tool=tool, code=outcome.code)
