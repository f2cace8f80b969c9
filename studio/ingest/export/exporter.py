"""One export from beginning to end: written aside, then renamed, so that a file is old or complete, never half."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from studio.ingest.dataset.manifest import read_manifest
from studio.ingest.dataset.pictures import FILE_KINDS
from studio.ingest.dataset.publish import written
from studio.ingest.export import problems
from studio.ingest.export.pictures import export_pictures
from studio.ingest.export.table import ExportTable
from studio.ingest.export.writers import WRITERS
from studio.protocol.events import Event, Phase, Progress

_PROGRESS_EVERY_S: Final = 0.25


class Exporter:
    """Exports one dataset version.

    emit: told of phases and progress. check: called often; raises to cancel.
    """

    def __init__(self, dataset_dir: Path, emit: Callable[[Event], None], check: Callable[[], None]) -> None:
        self._dir = dataset_dir
        self._emit = emit
        self._check = check
        self._told = 0.0

    def run(self, format: str, out: Path, splits: Sequence[str] | None = None) -> dict[str, Any]:
        """{"path", "rows", "size_bytes"} of what was written.

        Images go into a ZIP archive when ``out`` ends with .zip, else into a folder. Raises StudioError (export.…,
        import.broken) and whatever ``check`` raises; an older file is as it was then.
        """
        version = read_manifest(self._dir)
        self._emit(Phase(name="scanning"))
        try:
            table = ExportTable(self._dir, version.shape, splits, self._check)
            if not table.rows:
                raise problems.no_rows()
            self._emit(Phase(name="writing"))

            def tell(done: int) -> None:
                self._tell(done, table.rows)

            kind = FILE_KINDS.get(version.shape)
            if kind is not None:
                path = export_pictures(table, kind, self._dir.parent, format, out, tell, self._check)
            else:
                path = out
                with written(out) as aside:
                    WRITERS[format](table, aside, tell)
                    self._check()
        except OSError as error:
            raise problems.write_failed(str(out), error) from error
        return {"path": str(path), "rows": table.rows, "size_bytes": _bytes_of(path)}

    def _tell(self, done: int, total: int) -> None:
        self._check()
        at = time.monotonic()
        if at - self._told >= _PROGRESS_EVERY_S:
            self._told = at
            self._emit(Progress(phase="writing", done=done, total=total))


def _bytes_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
