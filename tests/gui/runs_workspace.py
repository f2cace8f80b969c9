"""The Runs page over real services and a real database, with trainers that need no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pytestqt.qtbot import QtBot

from studio.domain.runs import Run, RunState
from studio.domain.specs import TrainSpec
from studio.gui.context import GuiContext
from studio.gui.pages.runs import RunsPage
from tests.helpers import builders
from tests.unit.services.conftest import Studio

NOON = datetime(2026, 3, 2, 12, 0)


class Workspace(Studio):
    """A studio at noon, and runs put into its database as they are wanted."""

    def put(self, name: str, state: RunState = RunState.QUEUED, **fields: Any) -> Run:
        plan = builders.plan(self.dataset, name=name, spec=TrainSpec(), **fields.pop("plan", {}))
        run = Run(plan=plan, state=state, **fields)
        self.repository.add(run)
        return run

    def __post_init__(self) -> None:
        super().__post_init__()
        self.dataset = self.data()


def make_workspace(root: Path) -> Iterator[Workspace]:
    made = Workspace(root, trainer="learn", local=lambda: NOON)
    yield made
    for run in made.runs.active():
        worker = made.watch.worker(run.id)
        if worker is not None:
            worker.kill()
            worker.wait(10)
    made.close()


def make_page(
    qtbot: QtBot, make_context: Callable[..., GuiContext], workspace: Workspace
) -> Iterator[RunsPage]:
    ctx = make_context(
        runs=workspace.runs, searches=workspace.searches, folds=workspace.folds, matrices=workspace.matrices,
        changes=workspace.changes, paths=workspace.paths,
    )  # fmt: skip
    page = RunsPage(ctx)
    qtbot.addWidget(page)
    page.resize(1072, 704)
    page.show()
    ctx.changes.changed.connect(page.refresh)  # as the window does for the page on the screen
    yield page
    ctx.changes.changed.disconnect(page.refresh)
    page.leave()
    page.dispose()
