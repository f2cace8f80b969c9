"""Is this computer, this installation and this workspace in order? One answer for each question, with advice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from studio.errors import StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths
from studio.services.checks import STATE_TITLES as STATE_TITLES
from studio.services.checks import Check as Check
from studio.services.checks import CheckState as CheckState
from studio.services.machine_checks import INSTALLER
from studio.services.machine_checks import machine_checks as machine_checks
from studio.services.models import ModelService
from studio.words import listed, size_words

LOW_DISK_BYTES = 5 * 10**9


class DoctorService:
    """Looks at the machine when asked. ``sqlite_version`` and ``database_problem`` come from the store."""

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
        return [self._base_model(), *machine_checks(), self._workspace(), self._disk(), self._database()]

    def _base_model(self) -> Check:
        base = self._models.default()
        if base is None:
            return Check(
                "base_model", _("Default base model"), CheckState.PROBLEM, _("not installed"),
                _("Run: {command}").format(command=INSTALLER),
            )  # fmt: skip
        found = listed([base.name, f"{base.parameters / 1e6:.1f} M", size_words(base.size_bytes)])
        return Check("base_model", _("Default base model"), CheckState.OK, found)

    def _workspace(self) -> Check:
        title, root = _("Workspace folder"), self._paths.root
        if not os.access(root, os.W_OK | os.X_OK):
            return Check(
                "workspace", title, CheckState.PROBLEM, _("{path} cannot be written").format(path=root),
                _("Check that the disk is there and that you may write to it, or choose another folder."),
            )  # fmt: skip
        return Check("workspace", title, CheckState.OK, str(root))

    def _disk(self) -> Check:
        usage = shutil.disk_usage(self._paths.root)
        found = _("{free} of {total} free").format(free=size_words(usage.free), total=size_words(usage.total))
        if usage.free < LOW_DISK_BYTES:
            return Check("disk", _("Disk of the workspace"), CheckState.WARNING, found, _("Free some space."))
        return Check("disk", _("Disk of the workspace"), CheckState.OK, found)

    def _database(self) -> Check:
        problem = self._database_problem()
        if problem:
            return Check(
                "database", _("Database"), CheckState.PROBLEM, problem, _("Restore the newest backup.")
            )
        return Check("database", _("Database"), CheckState.OK, f"SQLite {self._sqlite_version}")


def closed_workspace(problem: StudioError) -> Check:
    """The check that stands for a workspace which could not be opened."""
    return Check("workspace", _("Workspace folder"), CheckState.PROBLEM, problem.message, problem.hint)
