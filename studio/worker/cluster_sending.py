"""What a run needs, put together in one folder to be sent to a cluster."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import studio
from studio.domain.runs import Placement, RunPlan
from studio.domain.shapes import Shape
from studio.errors import ResourceError, StudioError
from studio.i18n import _
from studio.words import size_words

MOST_BYTES: Final = 480_000_000  # Ray takes packages of up to 500 MiB
_WITH_MEDIA: Final = frozenset({Shape.IMAGE_LABEL, Shape.AUDIO_LABEL})


@contextmanager
def staged(plan: RunPlan, run_dir: Path) -> Iterator[Path]:
    """A folder with the program, the plan, its newest checkpoint, its data and its base model, while the block lasts.

    Raises StudioError ``cluster.not_sent`` for pictures and recordings; ResourceError ``cluster.too_large``.
    """
    shared = plan.placement.shared_folders
    if plan.shape in _WITH_MEDIA and not shared:
        raise StudioError(
            "cluster.not_sent", _("Pictures and recordings are not sent to a cluster."),
            _("Put the workspace where the cluster sees it, and say so beside the address."),
        )  # fmt: skip
    _check_size(plan, shared)
    with tempfile.TemporaryDirectory(prefix="studio-send-") as name:
        folder = Path(name)
        _copy_program(folder / "studio")
        (folder / "run").mkdir()
        _copy_newest(run_dir / "checkpoints", folder / "run" / "checkpoints")
        for file in ("base.json",):
            if (run_dir / file).is_file():
                shutil.copy2(run_dir / file, folder / "run" / file)
        there = {} if shared else _copy_inputs(plan, folder)
        processes = plan.placement.processes
        placement = Placement(kind="processes", processes=processes) if processes > 1 else Placement()
        sent = plan.model_copy(update={**there, "placement": placement, "outlive": True, "keep_awake": False})
        (folder / "run" / "spec.json").write_text(sent.model_dump_json(), encoding="utf-8")
        yield folder


def _copy_inputs(plan: RunPlan, folder: Path) -> dict[str, str]:
    """Copy data and base model; their paths in the folder."""
    shutil.copytree(plan.dataset_dir, folder / "data")
    if plan.base_dir is None:
        return {"dataset_dir": "data"}
    shutil.copytree(plan.base_dir, folder / "base", ignore=shutil.ignore_patterns(".*"))
    return {"dataset_dir": "data", "base_dir": "base"}


def _copy_program(target: Path) -> None:
    shutil.copytree(Path(studio.__file__).parent, target, ignore=shutil.ignore_patterns("__pycache__", "gui"))


def _copy_newest(checkpoints: Path, target: Path) -> None:
    newest = max(checkpoints.glob("ckpt-*"), default=None)
    if newest is not None:
        shutil.copytree(newest, target / newest.name)


def _check_size(plan: RunPlan, shared: bool) -> None:
    folders = [] if shared else [Path(folder) for folder in (plan.base_dir, plan.dataset_dir) if folder]
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    if size > MOST_BYTES:
        raise ResourceError(
            "cluster.too_large",
            _("Base model and data are {size}; up to {most} can be sent to a Ray cluster.").format(
                size=size_words(size), most=size_words(MOST_BYTES)
            ),
            _("Put them where the cluster sees them, and say so beside the address."),
        )
