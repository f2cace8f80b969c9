"""Is this computer, this installation and this workspace in order? One answer for each question, with advice."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import psutil

from studio.i18n import N_, _
from studio.paths import WorkspacePaths
from studio.services.models import ModelService
from studio.services.run_space import gigabytes

LOW_DISK_BYTES = 5 * 10**9
LOW_MEMORY_BYTES = 4 * 10**9


class CheckState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


STATE_TITLES = {
    CheckState.OK: N_("In order"), CheckState.WARNING: N_("Worth a look"), CheckState.PROBLEM: N_("To be mended"),
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One question and its answer; advice is empty when all is well."""

    id: str
    title: str
    state: CheckState
    found: str
    advice: str = ""


class DoctorService:
    """Looks at the machine when asked. ``sqlite_version`` and ``place_problem`` come from the store."""

    def __init__(
        self,
        paths: WorkspacePaths,
        models: ModelService,
        sqlite_version: str,
        database_problem: Callable[[], str | None],
    ) -> None:
        self._paths = paths
        self._models = models
        self._sqlite_version = sqlite_version
        self._database_problem = database_problem

    def checks(self) -> list[Check]:
        """All checks, in the order in which a person would ask."""
        return [
            self._base_model(), self._engine(), self._memory(), self._disk(), self._processor(), self._gpu(),
            self._database(), self._python(),
        ]  # fmt: skip

    def _base_model(self) -> Check:
        base = self._models.default()
        if base is None:
            return Check(
                "base_model", _("Default base model"), CheckState.PROBLEM, _("not installed"),
                _("Run the installer again, or add a base model of your own."),
            )  # fmt: skip
        found = f"{base.name}, {base.parameters / 1e6:.1f} M, {gigabytes(base.size_bytes)}"
        return Check("base_model", _("Default base model"), CheckState.OK, found)

    def _engine(self) -> Check:
        missing = [
            name for name in ("torch", "transformers", "peft") if importlib.util.find_spec(name) is None
        ]
        if missing:
            return Check(
                "engine", _("Training engine"), CheckState.PROBLEM,
                _("missing: {names}").format(names=", ".join(missing)),
                _("Run the installer again."),
            )  # fmt: skip
        return Check("engine", _("Training engine"), CheckState.OK, _("installed"))

    def _memory(self) -> Check:
        memory = psutil.virtual_memory()
        found = _("{free} of {total} free").format(
            free=gigabytes(memory.available), total=gigabytes(memory.total)
        )
        if memory.available < LOW_MEMORY_BYTES:
            return Check(
                "memory", _("Memory"), CheckState.WARNING, found, _("Close other programs before training.")
            )
        return Check("memory", _("Memory"), CheckState.OK, found)

    def _disk(self) -> Check:
        usage = shutil.disk_usage(self._paths.root)
        found = _("{free} of {total} free").format(free=gigabytes(usage.free), total=gigabytes(usage.total))
        if usage.free < LOW_DISK_BYTES:
            return Check("disk", _("Disk of the workspace"), CheckState.WARNING, found, _("Free some space."))
        return Check("disk", _("Disk of the workspace"), CheckState.OK, found)

    def _processor(self) -> Check:
        cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
        found = _("{cores} cores, {machine}").format(cores=cores, machine=platform.machine())
        return Check("processor", _("Processor"), CheckState.OK, found)

    def _gpu(self) -> Check:
        names = _gpu_names()
        if not names:
            return Check(
                "gpu",
                _("Graphics card"),
                CheckState.OK,
                _("none found; the processor trains small models well"),
            )
        return Check("gpu", _("Graphics card"), CheckState.OK, ", ".join(names))

    def _database(self) -> Check:
        problem = self._database_problem()
        if problem:
            return Check(
                "database", _("Database"), CheckState.PROBLEM, problem, _("Restore the newest backup.")
            )
        return Check("database", _("Database"), CheckState.OK, f"SQLite {self._sqlite_version}")

    def _python(self) -> Check:
        return Check("python", "Python", CheckState.OK, f"{platform.python_version()}, {sys.platform}")


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
