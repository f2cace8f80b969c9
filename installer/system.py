"""What the operating system has to bring: Qt's X libraries, two fonts, the tests' own screen and mouse."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer.console import Console
from installer.messages import _
from installer.plan import StepError, StepPostponed
from installer.runner import Runner

# apt may have to wait for the machine's own nightly upgrade.
APT_OPTIONS = ("-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=180")
SBIN = ("/usr/sbin", "/sbin")
CHINESE_FONT = "fonts-noto-cjk"
LATIN_FONT = "fonts-inter"
# What the window takes for Latin text before the Chinese font (studio/gui/theme/fonts.py).
LATIN_FAMILIES = (
    "Inter", "Adwaita Sans", "Cantarell", "Ubuntu", "Noto Sans", "Open Sans", "Roboto", "Liberation Sans",
    "DejaVu Sans",
)  # fmt: skip
# Debian package -> its program: a screen without a monitor, and a mouse and keyboard without hands.
TEST_TOOLS = {"xvfb": "Xvfb", "xdotool": "xdotool"}

# Debian package -> the library that the loader looks for (Qt 6.11's xcb plugin and QtGui, by ldd).
QT_LIBRARIES = {
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-render-util0": "libxcb-render-util.so.0",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
    "libxcb-xinerama0": "libxcb-xinerama.so.0",
    "libxcb-cursor0": "libxcb-cursor.so.0",
    "libxcb-image0": "libxcb-image.so.0",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libegl1": "libEGL.so.1",
    "libgl1": "libGL.so.1",
    "libdbus-1-3": "libdbus-1.so.3",
    "libfontconfig1": "libfontconfig.so.1",
    "libglib2.0-0": "libglib-2.0.so.0",
}


@dataclass(frozen=True)
class Wants:
    """What this run needs from the system: a window, the test tools, or neither."""

    window: bool
    dev: bool

    @property
    def packages(self) -> tuple[str, ...]:
        """Debian packages wanted; none outside Linux, where Qt's wheels bring everything."""
        if not sys.platform.startswith("linux") or not (self.window or self.dev):
            return ()
        return (*QT_LIBRARIES, CHINESE_FONT, LATIN_FONT, *(TEST_TOOLS if self.dev else ()))


class Apt:
    """Debian's installer, used when it may be used without asking for a password."""

    def __init__(self, runner: Runner, console: Console) -> None:
        self._runner = runner
        self._console = console

    def command(self, packages: Sequence[str]) -> str:
        """The exact line that the user can type."""
        prefix = "" if _is_root() else "sudo "
        return f"{prefix}apt-get install -y {shlex.join(packages)}"

    def available(self) -> bool:
        """Whether this is a system with apt at all."""
        return shutil.which("apt-get") is not None

    def permitted(self) -> bool:
        """Root, or sudo that asks no password."""
        if not self.available():
            return False
        return _is_root() or self._runner.run(["sudo", "-n", "true"]).ok

    def install(self, packages: Sequence[str], hint: str) -> None:
        """Refresh the lists and install. Raises StepError with the tool's last lines."""
        apt = [*([] if _is_root() else ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        # A broken third-party source fails the refresh, yet ours may install; so only the install counts.
        self._runner.run([*apt, "update"], self._console.listen)
        outcome = self._runner.run([*apt, "install", *APT_OPTIONS, *packages], self._console.listen)
        if not outcome.ok:
            cause = _("{tool} ended with code {code}.").format(tool="apt-get", code=outcome.code)
            raise StepError(cause, hint, outcome.tail)


class SystemLibraries:
    """The step that completes the system under the window."""

    def __init__(self, runner: Runner, console: Console, apt: Apt, wants: Wants) -> None:
        self._runner = runner
        self._apt = apt
        self._console = console
        self._wants = wants

    def missing(self) -> list[str]:
        """Wanted Debian packages whose content is not on this machine, however it came there."""
        wanted = self._wants.packages
        if not wanted:
            return []
        absent = self._missing_libraries()
        absent += self._missing_fonts()
        return absent + [
            p for p, program in TEST_TOOLS.items() if p in wanted and shutil.which(program) is None
        ]

    def bring(self) -> None:
        """Install what is missing. Raises StepPostponed when it may wait, StepError when it cannot."""
        absent = self.missing()
        if not absent:
            return
        if self._apt.permitted():
            self._apt.install(absent, self._by_hand(absent))
            return
        missing = _("Missing: {names}.").format(names=", ".join(absent))
        if self._wants.window and any(name in QT_LIBRARIES for name in absent):
            raise StepError(missing, self._by_hand(absent))
        raise StepPostponed(f"{missing} {self._by_hand(absent)}")

    def _by_hand(self, packages: Sequence[str]) -> str:
        if not self._apt.available():
            return _("Use your system's package manager to install what provides them, then start again.")
        command = self._apt.command(packages)
        return _("Run this command, then start again: {command}").format(command=command)

    def _missing_libraries(self) -> list[str]:
        """None where the loader cannot be asked: an unusual system is not to be kept from starting."""
        loadable = self._loadable()
        return [name for name, library in QT_LIBRARIES.items() if loadable and library not in loadable]

    def _loadable(self) -> frozenset[str]:
        """Every library name that the loader knows; empty where it cannot be asked."""
        names: set[str] = set()
        tool = shutil.which("ldconfig", path=os.pathsep.join((os.environ.get("PATH", ""), *SBIN)))

        def collect(line: str) -> bool:
            names.update(line.split()[:1])
            return True  # some thousand lines that nobody wants in the record

        if tool is not None:
            self._runner.run([tool, "-p"], collect)
        return frozenset(names)

    def _missing_fonts(self) -> list[str]:
        chinese = self._listed_fonts(":lang=zh", lambda _family: True)
        latin = self._listed_fonts(":lang=en", lambda family: family in LATIN_FAMILIES)
        found = {CHINESE_FONT: chinese, LATIN_FONT: latin}
        return [
            name for name, there in found.items() if not (self._is_package(name) if there is None else there)
        ]

    def _listed_fonts(self, pattern: str, wanted: Callable[[str], bool]) -> bool | None:
        """Whether fontconfig has such a family; None where it cannot be asked."""
        found: list[str] = []

        def collect(line: str) -> bool:
            found.extend(name for name in line.strip().split(",") if name and wanted(name))
            return True  # several hundred lines that nobody wants in the record

        outcome = self._runner.run(["fc-list", pattern, "family"], collect)
        return bool(found) if outcome.ok else None

    def _is_package(self, name: str) -> bool:
        asked = self._runner.run(["dpkg-query", "-W", "-f=${db:Status-Status}", name])
        return asked.ok and asked.tail[-1:] == ("installed",)


def has_nvidia_gpu(runner: Runner) -> bool:
    """Whether an NVIDIA driver answers on this machine."""
    if not sys.platform.startswith("linux"):
        return False  # the other systems have one build for everybody
    if Path("/proc/driver/nvidia/version").exists():
        return True
    return shutil.which("nvidia-smi") is not None and runner.run(["nvidia-smi", "-L"]).ok


def venv_package() -> str:
    """Debian's package that lets this very Python make environments."""
    return "python{}.{}-venv".format(*sys.version_info[:2])


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
