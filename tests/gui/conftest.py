"""A window without a workspace: small fakes for the services that the frame itself asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool
from PySide6.QtWidgets import QApplication

from studio.gui.context import ChangeSignal, GuiContext, Navigator
from studio.gui.notices import NoticeCenter
from studio.gui.tasks import TaskRunner
from studio.gui.theme import Theme
from studio.paths import WorkspacePaths
from studio.services.changes import ChangeBus
from studio.services.ports import OutboundCall
from studio.services.settings import SettingsService


@dataclass
class FakeOutbound:
    """The record of connections, in memory."""

    calls: list[OutboundCall] = field(default_factory=list)

    def list(self, limit: int = 500) -> list[OutboundCall]:
        return self.calls[:limit]


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """A light theme on the test application."""
    # What earlier tests closed waits for an event loop to delete it: styling it once more cost half a second a test.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    made = Theme(qapp, "light")
    yield made
    qapp.styleHints().colorSchemeChanged.disconnect(made._on_system_scheme)


@pytest.fixture
def make_context(qapp: QApplication, theme: Theme, tmp_path: Path) -> Iterator[Callable[..., GuiContext]]:
    """Builds contexts around given services (settings, paths, changes and outbound are filled in)."""
    made: list[GuiContext] = []

    def make(**services: Any) -> GuiContext:
        bus = ChangeBus()
        notices = NoticeCenter()
        filled: dict[str, Any] = {
            "changes": bus,
            "settings": SettingsService(tmp_path / "settings.json", bus),
            "paths": WorkspacePaths(tmp_path / "workspace"),
            "outbound": FakeOutbound(),
        } | services
        ctx = GuiContext(
            services=SimpleNamespace(**filled),  # type: ignore[arg-type]
            changes=ChangeSignal(filled["changes"]), tasks=TaskRunner(notices.error_from), notices=notices,
            theme=theme, navigator=Navigator(),
        )  # fmt: skip
        made.append(ctx)
        return ctx

    yield make
    for ctx in made:
        ctx.changes.close()
        assert ctx.tasks.shutdown(), "a task did not end"
    assert QThreadPool.globalInstance().activeThreadCount() == 0


@pytest.fixture
def ctx(make_context: Callable[..., GuiContext]) -> GuiContext:
    """A context with the frame's own services only."""
    return make_context()
