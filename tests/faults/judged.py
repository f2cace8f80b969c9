"""Opens and reads hostile files in a process of their own, and says what came of each and what it cost."""

from __future__ import annotations

import json
import select
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


class Judge:
    """A child that reads one file after the other; a new one when a file was too much for it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None

    def judge(self, path: Path) -> Verdict:
        """Fails when the process crashes, or takes more time or memory than a hostile file may."""
        child = self._child or self._start()
        assert child.stdin
        assert child.stdout
        child.stdin.write(f"{path}\n")
        child.stdin.flush()
        waiting, _w, _x = select.select([child.stdout], [], [], MAX_SECONDS)
        answer = child.stdout.readline() if waiting else ""
        if not answer:
            child.kill()
            raise AssertionError(f"{path.name}: {'crashed' if waiting else 'took too long'}: {self.close()}")
        verdict = Verdict(**json.loads(answer))
        assert verdict.peak_mb <= MAX_MB
        return verdict

    def close(self) -> str:
        """End the child; what it wrote as errors."""
        if self._child is None:
            return ""
        _out, errors = self._child.communicate(timeout=MAX_SECONDS)
        self._child = None
        return errors[-2000:]

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.faults.judged"]
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        return self._child


def _forget_peak() -> None:
    """What is held now is the peak from here on; elsewhere than on Linux earlier files count too."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> int:
    import resource

    if sys.platform == "linux":  # ru_maxrss is never forgotten
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _verdict(path: Path) -> Verdict:
    from studio.errors import StudioError
    from studio.ingest.readers.registry import container_kind, open_container

    _forget_peak()
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
    return Verdict(kind, code, rows, dict(rejected), _peak_mb())


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(vars(_verdict(Path(line.removesuffix("\n"))))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
