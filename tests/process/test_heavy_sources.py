"""The heaviest bad files through the real import child: within 30 s and 1.5 GB, with a report that names the row."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from pathlib import Path

import pytest

from studio.protocol.events import Failed, Finished
from tests.faults.heavy import HEAVY, Heavy
from tests.process.test_import_worker import end, events_of, launch, payload
from tests.unit.ingest.helpers import rejected

MOST_S = 30.0
MOST_BYTES = 1536 << 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


class Peak:
    """The most memory that a process held, watched until it is gone.

    What wait4 tells begins with the size of the process that forked it, which a process of tests may have grown to.
    """

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._status = Path(f"/proc/{pid}/status")
        threading.Thread(target=self._watch, name="peak", daemon=True).start()

    def _watch(self) -> None:
        while (found := self._now()) is not None:
            self.bytes = max(self.bytes, found)
            time.sleep(0.02)

    def _now(self) -> int | None:
        with contextlib.suppress(OSError):
            for line in self._status.read_text(encoding="utf-8").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return None


@pytest.mark.parametrize("heavy", HEAVY, ids=lambda heavy: heavy.name)
def test_heavy(heavy: Heavy, tmp_path: Path) -> None:
    source = heavy.write(tmp_path)
    out = tmp_path / "sets" / "d1"
    began = time.monotonic()
    child = launch("import", payload(source, out))
    try:
        peak = Peak(child.pid)
        last = events_of(child)[-1]
        child.wait(MOST_S)
        seconds = time.monotonic() - began
    finally:
        source.unlink()
        end(child)
    print(f"{heavy.name}: {seconds:.1f} s, {peak.bytes >> 20} MB")  # noqa: T201 (shown with -s)
    if heavy.error:
        assert isinstance(last, Failed)
        assert last.code == heavy.error
        assert not out.exists()
    else:
        assert isinstance(last, Finished), last
        assert last.result["rows"] == heavy.rows
        assert [(item.row, item.code) for item in rejected(out, 0, len(heavy.rejected))] == list(
            heavy.rejected
        )
    assert 0 < peak.bytes < MOST_BYTES
    assert seconds < MOST_S
