"""One call of one verb: where its words go, which workspace it works in, and how it opens that workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studio.cli.interrupts import Interrupts
from studio.cli.output import Output
from studio.errors import BusyError

if TYPE_CHECKING:
    from studio.services.container import Services
    from studio.services.settings import SettingsService


class OpenWorkspace(Protocol):
    """bootstrap.open_workspace, or a test's own."""

    def __call__(
        self, root: Path | None, *, settings: SettingsService, read_only: bool = False
    ) -> Services: ...


@dataclass(frozen=True)
class Answer:
    """A verb's result: the JSON object, and the exit code (0: all is well)."""

    data: dict[str, Any] = field(default_factory=dict)
    code: int = 0


@dataclass(frozen=True)
class Call:
    """What every verb receives. ``workspace`` is None for the one of the settings, else the default."""

    out: Output
    settings: SettingsService
    workspace: Path | None
    open_workspace: OpenWorkspace
    interrupts: Interrupts = field(default_factory=Interrupts)

    @contextmanager
    def writing(self) -> Iterator[Services]:
        """The workspace, held alone. Raises BusyError while a window or another command has it."""
        services = self.open_workspace(self.workspace, settings=self.settings)
        try:
            yield services
        finally:
            services.close()

    @contextmanager
    def reading(self) -> Iterator[Services]:
        """The workspace as it stands, whoever works in it."""
        services = self.open_workspace(self.workspace, settings=self.settings, read_only=True)
        try:
            yield services
        finally:
            services.close()

    @contextmanager
    def up_to_date(self) -> Iterator[tuple[Services, bool]]:
        """The workspace with what trainers did since anyone looked; the flag says whether it is ours to change.

        Whoever holds the workspace keeps it up to date; when nobody does, opening it takes the runs up.
        """
        try:
            services, ours = self.open_workspace(self.workspace, settings=self.settings), True
        except BusyError:
            services = self.open_workspace(self.workspace, settings=self.settings, read_only=True)
            ours = False
        try:
            yield services, ours
        finally:
            services.close()
