"""The part of a run on a Ray cluster that works there: the trainer beside a clerk who hands out its files.

Ray starts ``python -m studio.worker.cluster_job RUN_ID`` as a job in the folder that was sent. The clerk is an actor of
its own that stays when the job is over, until everything was fetched: who asked may have lost the connection.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

NAMESPACE: Final = "product-matrix-studio"
FOLDER_VARIABLE: Final = "STUDIO_CLUSTER_DIR"
EXIT_FILE: Final = "exit"  # in the run's folder there: the trainer's exit code, once it has ended


def clerk_name(job_id: str) -> str:
    """The name by which the clerk of a job is found."""
    return f"clerk-{job_id}"


class Clerk:
    """Reads and writes the run's folder on the machine where it is trained. Paths are relative to that folder."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def read(self, name: str, offset: int, size: int) -> bytes:
        """A part of a file; empty behind its end, or when it is not there (yet, or any more)."""
        try:
            with self._path(name).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except FileNotFoundError:
            return b""

    def listing(self, name: str) -> dict[str, int]:
        """Sizes of all files below a folder, by their paths in it; half-made folders are left out."""
        root = self._path(name)
        files = (path for path in root.rglob("*") if path.is_file())
        found = {path.relative_to(root).as_posix(): path.stat().st_size for path in files}
        return {path: size for path, size in found.items() if not path.startswith(".")}

    def post(self, line: str) -> None:
        """Put a command into the trainer's mailbox."""
        with (self._folder / "commands.jsonl").open("a", encoding="utf-8") as mailbox:
            mailbox.write(line + "\n")

    def _path(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise ValueError(name)
        return path


def main(run_id: str) -> int:
    """Train in this machine's folder of the run; returns the trainer's exit code."""
    import ray

    folder = Path(os.environ.get(FOLDER_VARIABLE, str(Path(tempfile.gettempdir()) / "studio-runs"))) / run_id
    _take_in(Path.cwd(), folder)
    ray.init(address="auto", namespace=NAMESPACE, log_to_driver=False)
    _hire(ray, folder)
    command = [sys.executable, "-m", "studio", "worker", "train", str(folder)]
    with (folder / "stderr.log").open("ab") as errors:
        code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    (folder / EXIT_FILE).write_text(str(code), encoding="utf-8")
    return code


def _take_in(sent: Path, folder: Path) -> None:
    """The run's folder from what was sent; checkpoints that are here already are newer than the sent ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (EXIT_FILE, "commands.jsonl"):
        (folder / name).unlink(missing_ok=True)
    if (sent / "run" / "checkpoints").is_dir() and not (folder / "checkpoints").exists():
        shutil.copytree(sent / "run" / "checkpoints", folder / "checkpoints")
    for path in (sent / "run").iterdir():
        if path.is_file():
            shutil.copy2(path, folder / path.name)
    from studio.domain.runs import RunPlan

    plan = RunPlan.model_validate_json((folder / "spec.json").read_bytes())
    here = {name: str(sent / value) for name in ("base_dir", "dataset_dir") if (value := getattr(plan, name))}
    (folder / "spec.json").write_text(plan.model_copy(update=here).model_dump_json(), encoding="utf-8")


def _hire(ray: Any, folder: Path) -> None:
    """Start the clerk on this very machine, and wait until he is there."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    clerk = ray.remote(Clerk).options(
        name=clerk_name(os.environ["STUDIO_JOB_ID"]), lifetime="detached", num_cpus=0, scheduling_strategy=here
    ).remote(str(folder))  # fmt: skip
    ray.get(clerk.listing.remote("."))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
