"""Checks of the computer and the installation that need no workspace and load neither torch nor Qt."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from importlib import metadata

import psutil

from studio.i18n import _
from studio.services.checks import Check, CheckState
from studio.words import listed, size_words

LOW_MEMORY_BYTES = 4 * 10**9
ENGINE = ("torch", "transformers", "peft")
# What Qt's xcb plugin loads and fresh Debian or Ubuntu machines often lack: library -> package.
WINDOW_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0", "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1", "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0", "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}  # fmt: skip
INSTALLER = "python3 installer/bootstrap.py run"


def machine_checks() -> list[Check]:
    """All of them, in the order in which a person would ask."""
    return [_engine(), _memory(), _processor(), _gpu(), _window(), _python()]


def _engine() -> Check:
    found, missing = [], []
    for name in ENGINE:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check(
            "engine", _("Training engine"), CheckState.PROBLEM,
            _("missing: {names}").format(names=listed(missing)), _("Run: {command}").format(command=INSTALLER),
        )  # fmt: skip
    return Check("engine", _("Training engine"), CheckState.OK, listed(found))


def _memory() -> Check:
    memory = psutil.virtual_memory()
    found = _("{free} of {total} free").format(
        free=size_words(memory.available), total=size_words(memory.total)
    )
    if memory.available < LOW_MEMORY_BYTES:
        return Check(
            "memory", _("Memory"), CheckState.WARNING, found, _("Close other programs before training.")
        )
    return Check("memory", _("Memory"), CheckState.OK, found)


def _processor() -> Check:
    threads = os.cpu_count() or 1
    cores = psutil.cpu_count(logical=False) or threads
    found = _("{cores} cores, {threads} threads, {machine}").format(
        cores=cores, threads=threads, machine=platform.machine()
    )
    return Check("processor", _("Processor"), CheckState.OK, found)


def _gpu() -> Check:
    found = listed(_gpu_names()) or _("none found; the processor trains small models well")
    return Check("gpu", _("Graphics card"), CheckState.OK, found)


def _window() -> Check:
    """Whether the window can open here. Nothing of Qt is loaded, only the system libraries that it needs."""
    title = _("Window")
    if not sys.platform.startswith("linux"):
        return Check("window", title, CheckState.OK, platform.system())
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if not display:
        return Check("window", title, CheckState.OK, _("no screen here; the command line does everything"))
    missing = [package for library, package in WINDOW_LIBRARIES.items() if not _loads(library)]
    if missing:
        return Check(
            "window", title, CheckState.PROBLEM, _("missing: {names}").format(names=listed(missing)),
            _("Run: {command}").format(command=INSTALLER),
        )  # fmt: skip
    return Check("window", title, CheckState.OK, _("screen {name}").format(name=display))


def _python() -> Check:
    return Check("python", "Python", CheckState.OK, listed([platform.python_version(), sys.platform]))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _gpu_names() -> list[str]:
    """Names of NVIDIA cards by their driver, without loading torch."""
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except pynvml.NVMLError:
        return []
