"""The heaviest bad files through the real import child: within 30 s and 1.5 GB, with a report that names the row."""

from __future__ import annotations

import os
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
    pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the peak memory of a child"),
]


@pytest.mark.parametrize("heavy", HEAVY, ids=lambda heavy: heavy.name)
def test_heavy(heavy: Heavy, tmp_path: Path) -> None:
    source = heavy.write(tmp_path)
    out = tmp_path / "sets" / "d1"
    began = time.monotonic()
    child = launch("import", payload(source, out))
    try:
        last = events_of(child)[-1]
        _pid, _status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
    finally:
        source.unlink()
        child.returncode = child.returncode or 0
        end(child)
    print(f"{heavy.name}: {seconds:.1f} s, {usage.ru_maxrss >> 10} MB")  # noqa: T201 (shown with -s)
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
    assert usage.ru_maxrss * 1024 < MOST_BYTES
    assert seconds < MOST_S
