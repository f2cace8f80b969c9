"""From Train to verdict with nothing faked: real services, a real (tiny) model, the real trainer in its
process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio import bootstrap
from studio.domain.datasets import ImportSpec
from studio.gui.context import ChangeSignal, GuiContext, Navigator
from studio.gui.notices import NoticeCenter
from studio.gui.pages.runs import RunsPage
from studio.gui.pages.train import TrainPage
from studio.gui.tasks import TaskRunner
from studio.gui.theme import Theme
from studio.gui.worker_host import RunHost
from studio.paths import resource_path
from studio.services.settings import SettingsService

LEFT = Qt.MouseButton.LeftButton
MINUTES = 180_000

pytestmark = pytest.mark.slow


@pytest.fixture
def context(theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GuiContext]:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    services = bootstrap.open_workspace(
        tmp_path / "work", settings=SettingsService(tmp_path / "settings.json")
    )
    notices = NoticeCenter()
    ctx = GuiContext(
        services=services, changes=ChangeSignal(services.changes), tasks=TaskRunner(notices.error_from),
        notices=notices, theme=theme, navigator=Navigator(), jobs=RunHost(services.runs),
    )  # fmt: skip
    yield ctx
    assert ctx.jobs.shutdown()
    ctx.changes.close()
    assert ctx.tasks.shutdown()
    for run in services.runs.active():
        services.runs.cancel(run.id)
    services.close()


def test_from_choice_to_verdict(qtbot: QtBot, context: GuiContext, tmp_path: Path) -> None:
    services = context.services
    script = (
        "import sys, pathlib; from tests.helpers.tiny_model import write_tiny_model as write;"
        "write(pathlib.Path(sys.argv[1]))"
    )
    # In a child, so that this process stays without torch, as the window is.
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "tiny")], check=True)
    services.models.register_folder(tmp_path / "tiny")
    dataset = services.datasets.import_(
        ImportSpec(source=str(resource_path("samples", "customer_service_en.csv")))
    )
    problems: list[Any] = []
    context.notices.posted.connect(lambda notice: problems.append(notice) if notice.kind == "error" else None)
    train, runs = TrainPage(context), RunsPage(context)
    for page in (train, runs):
        qtbot.addWidget(page)
        page.resize(1072, 900)
    context.jobs.start()
    train.show()
    train.enter(dataset_id=dataset.id)
    qtbot.waitUntil(lambda: train.preview.badge.text() == "Ready", timeout=MINUTES)
    assert underline_of(train)
    qtbot.mouseClick(train.level._buttons["advanced"], LEFT)
    qtbot.keyClicks(train.limits.form.form.input("max_steps"), "12")
    wishes: list[Any] = []
    context.navigator.requested.connect(wishes.append)
    qtbot.mouseClick(train.preview.start, LEFT)
    qtbot.waitUntil(lambda: bool(wishes), timeout=30_000)
    train.leave()
    runs.show()
    runs.enter(**wishes[0][1])
    qtbot.waitUntil(
        lambda: runs.current.verdict.isVisible() or runs.current.failure.isVisible(), timeout=MINUTES
    )
    assert not problems, problems
    assert runs.current.failure.isHidden(), runs.current.failure.message.text()
    live = runs.current.live
    assert live is not None
    assert live.curves.loss.x[-1] == 12  # not every step is told (20 a second), but the last one is
    assert live.probes
    for page in (train, runs):
        page.leave()
        page.dispose()


def underline_of(page: TrainPage) -> bool:
    """Something in the preview is marked as learned."""
    return any(token.trained for row in page.preview.batch._rows for token in row)
