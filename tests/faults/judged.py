"""Opens and reads one hostile file in a process of its own, and says what came of it and what it cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_SECONDS = 30.0
MAX_MB = 1536


@dataclass(frozen=True)
class Verdict:
    """code: of the refusal, "" when it was read. rejected: codes of rows put aside, with their numbers of rows."""

    kind: str
    code: str
    rows: int
    rejected: dict[str, int]
    peak_mb: int


def judge(path: Path) -> Verdict:
    """Fails when the process crashes, or takes more time or memory than a hostile file may."""
    command = [sys.executable, "-m", "tests.faults.judged", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    verdict = Verdict(**json.loads(done.stdout))
    assert verdict.peak_mb <= MAX_MB
    return verdict


def main(path: Path) -> None:
    import resource

    from studio.errors import StudioError
    from studio.ingest.readers.registry import container_kind, open_container

    with path.open("rb") as file:
        kind = container_kind(path, file.read(1 << 20)) or ""
    words = ("read", "")
    code, rows, rejected = "", 0, Counter[str]()
    try:
        reader = open_container(kind, path, None)
        for batch in reader.batches({name: name for name in reader.columns}):
            rows += batch.frame.height
            rejected.update(row.code for row in batch.rejected)
    except StudioError as error:
        code = error.code
        words = (error.message, error.hint)
    assert all(words) or not code, "a refusal says what happened and what to do"
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    facts = {"kind": kind, "code": code, "rows": rows, "rejected": dict(rejected), "peak_mb": peak_mb}
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
