"""How long the window stands still while a run trains: 100,000 points on the plots and a live stream.

Run: QT_QPA_PLATFORM=offscreen python tests/benchmarks/gui_responsiveness.py [seconds]
A timer beats every 5 ms in the event loop; a gap is the time between two beats. Limits: p99 33 ms, longest
150 ms.
The events come from a real follower thread that polls ten times a second, twenty steps a second, as in a real
run.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio.domain.runs import Run
from studio.gui.context import ChangeSignal, GuiContext, Navigator
from studio.gui.notices import NoticeCenter
from studio.gui.pages.runs import RunsPage
from studio.gui.tasks import TaskRunner
from studio.gui.theme import Theme
from studio.gui.worker_host import RunHost
from studio.paths import WorkspacePaths
from studio.protocol.events import Event
from studio.services.changes import ChangeBus
from studio.services.settings import SettingsService
from tests.gui.runs_fakes import FakeRuns, make_run, make_services, make_steps, step_event

POINTS = 100_000
BEAT_MS = 5
STEPS_PER_S = 20
P99_LIMIT_MS, MAX_LIMIT_MS = 33.0, 150.0
SETTLE_S = 3.0


class StreamingRuns(FakeRuns):
    """Tells twenty new steps a second, whenever it is polled."""

    def begin(self, run: Run) -> None:
        self.run = run
        self.began = time.monotonic()
        self.told = 0

    def poll(self) -> list[tuple[str, list[Event]]]:
        due = int((time.monotonic() - self.began) * STEPS_PER_S)
        first, self.told = self.told, due
        events: list[Event] = [step_event(POINTS + number + 1, 2 * POINTS) for number in range(first, due)]
        return [(self.run.id, events)] if events else []


def main(seconds: float) -> int:
    app = QApplication([])
    theme = Theme(app, "light")
    run = make_run(step=POINTS, total_steps=2 * POINTS)
    runs = StreamingRuns(runs=[run], all_steps={run.id: make_steps(POINTS)})
    runs.begin(run)
    gc.freeze()  # the stored points live in SQLite in the real program, not as Python objects in this process
    bus, notices = ChangeBus(), NoticeCenter()
    folder = Path(tempfile.mkdtemp())
    services = make_services(runs, changes=bus, settings=SettingsService(folder / "settings.json", bus))
    ctx = GuiContext(
        services=SimpleNamespace(**services, paths=WorkspacePaths(folder)),  # type: ignore[arg-type]
        changes=ChangeSignal(bus), tasks=TaskRunner(notices.error_from), notices=notices, theme=theme,
        navigator=Navigator(), jobs=RunHost(runs),
    )  # fmt: skip
    page = RunsPage(ctx)
    page.resize(1072, 1400)  # all five plots in sight: the worst case
    page.show()
    page.enter(run_id=run.id)
    ctx.jobs.start()
    gaps = measure(app, seconds)
    ctx.jobs.shutdown()
    page.dispose()
    ctx.tasks.shutdown()
    points = len(page.current.live.curves.loss) if page.current.live else 0
    return report(gaps, points)


def measure(app: QApplication, seconds: float) -> list[float]:
    """Gaps in milliseconds, after the page has settled."""
    gaps: list[float] = []
    last = [0.0]

    def beat() -> None:
        now = time.perf_counter()
        gaps.append((now - last[0]) * 1000)
        last[0] = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(BEAT_MS)
    timer.timeout.connect(beat)

    def begin() -> None:
        last[0] = time.perf_counter()
        timer.start()

    QTimer.singleShot(int(SETTLE_S * 1000), begin)
    QTimer.singleShot(int((SETTLE_S + seconds) * 1000), app.quit)
    app.exec()
    return gaps


def report(gaps: list[float], points: int) -> int:
    ordered = sorted(gaps)
    p50, p99, longest = ordered[len(gaps) // 2], ordered[int(len(gaps) * 0.99)], ordered[-1]
    print(f"points {points:,}, beats {len(gaps):,}")
    print(
        f"gap p50 {p50:.1f} ms, p99 {p99:.1f} ms ({p99 / P99_LIMIT_MS:.2f} of the limit of {P99_LIMIT_MS:.0f} ms)"
    )
    print(f"longest {longest:.1f} ms ({longest / MAX_LIMIT_MS:.2f} of the limit of {MAX_LIMIT_MS:.0f} ms)")
    return 0 if points > POINTS and p99 <= P99_LIMIT_MS and longest <= MAX_LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0))
