"""Checkpoints that survive a crash at any instant: written aside, fsynced, hashed, renamed; removed the same way.

Folder ``checkpoints/ckpt-<step>/``: ``weights.safetensors`` (trainable weights), ``state.pt`` (optimizer and random
states as plain tensors and ints, loadable with weights_only), ``manifest.json`` (sizes and SHA-256 of both, written
last). A folder without a valid manifest does not count.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from studio.engine.folders import fsync, plain_write_errors
from studio.errors import StudioError
from studio.i18n import _

MANIFEST, WEIGHTS, STATE = "manifest.json", "weights.safetensors", "state.pt"
FORMAT = 1


@dataclass
class Position:
    """Where a run is: all that the loop needs besides tensors to go on exactly where it was.

    pieces: into how many each batch is divided, where the memory did not suffice for a whole one.
    fingerprint: what must be the same for an exact resume (dataset, spec, code, thread count, machine, versions).
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch already consumed
    real_tokens: int = 0
    elapsed_s: float = 0.0
    best_loss: float | None = None
    best_step: int = 0
    evals_without_gain: int = 0
    checks_on_plateau: int = (
        0  # of the plateau schedule: checks without a gain since the rate was last halved
    )
    rate_factor: float = 1.0  # the same: what the rate is multiplied by
    pieces: int = 1
    evals: list[tuple[int, float, float]] = field(default_factory=list)  # step, epoch, loss
    fingerprint: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """Copies of everything that a checkpoint holds, taken between two steps."""

    position: Position
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]
    rng: dict[str, Any]


class Buffers:
    """Memory to copy into, kept from one snapshot to the next: taking new memory costs more than the copying."""

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def copy(self, name: str, tensor: Tensor) -> Tensor:
        """``tensor`` on the processor, in the place of what ``name`` held before; pinned when it comes from a GPU."""
        source, kept = tensor.detach(), self._kept.get(name)
        if kept is None or kept.shape != source.shape or kept.dtype != source.dtype:
            kept = torch.empty(source.shape, dtype=source.dtype, pin_memory=source.is_cuda)
            self._kept[name] = kept
        return kept.copy_(source, non_blocking=source.is_cuda)


def take_snapshot(
    position: Position, model: nn.Module, optimizer: torch.optim.Optimizer, buffers: Buffers | None = None
) -> Snapshot:
    """Copy the state to the processor's memory; the loop may go on as soon as this returns.

    buffers: what the copies are made into; a snapshot of before that was made into them is gone.
    """
    into = buffers or Buffers()
    trained = _trained(model)  # once: going through all modules takes as long as a third of the copying
    weights = {name: into.copy(f"weights.{name}", tensor) for name, tensor in trained.items()}
    state = _copied(optimizer.state_dict(), into, "optimizer")
    if any(tensor.is_cuda for tensor in trained.values()):
        torch.cuda.synchronize()
    return Snapshot(Position(**json.loads(json.dumps(asdict(position)))), weights, state, rng_state())


def snapshot_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of the weights that are trained and of what the optimizer keeps of them; a snapshot takes hardly more."""
    weights = (weight for group in optimizer.param_groups for weight in group["params"])
    kept = (value for state in optimizer.state.values() for value in state.values())
    return sum(each.nbytes for each in (*weights, *kept) if isinstance(each, Tensor))


def _trained(model: nn.Module) -> dict[str, Tensor]:
    """What training changes in the model: its trainable weights, and running statistics where a layer keeps some."""
    found: dict[str, Tensor] = {name: p for name, p in model.named_parameters() if p.requires_grad}
    for prefix, module in model.named_modules():
        if isinstance(module, _NormBase):
            found |= {f"{prefix}.{name}": value for name, value in module.named_buffers(recurse=False)}
    return found


def restore(snapshot: Snapshot, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put a snapshot's weights, optimizer and random states back."""
    load_weights(model, snapshot.weights)
    optimizer.load_state_dict(snapshot.optimizer)
    set_rng_state(snapshot.rng)


def load_weights(model: torch.nn.Module, weights: dict[str, Tensor]) -> None:
    """Copy trainable weights into the model. Raises StudioError ``checkpoint.mismatch`` when names differ."""
    own = _trained(model)
    if own.keys() != weights.keys():
        raise StudioError("checkpoint.mismatch", _("The checkpoint belongs to a different model."))
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(weights[name])


def rng_state() -> dict[str, Any]:
    """States of Python's, NumPy's and torch's random generators, as tensors and plain ints."""
    version, numbers, gauss = random.getstate()
    name, keys, place, has_gauss, cached = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(), "python": [version, list(numbers), gauss],
        "numpy": [
            str(name), torch.from_numpy(np.asarray(keys).astype(np.int64)), int(place), int(has_gauss),
            float(cached),
        ],
    }  # fmt: skip
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def seed_all(seed: int) -> None:
    """Start all these generators from one number."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def set_rng_state(state: dict[str, Any]) -> None:
    """Put the random states back."""
    torch.set_rng_state(state["torch"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    if "numpy" in state:  # checkpoints of older versions have none
        name, keys, place, has_gauss, cached = state["numpy"]
        np.random.set_state((name, keys.numpy().astype(np.uint32), place, has_gauss, cached))
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


@contextmanager
def rng_untouched() -> Iterator[None]:
    """What happens inside leaves the random generators as they were, so that looking at a model changes no run."""
    state = rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


def publish(folder: Path, snapshot: Snapshot) -> tuple[Path, int]:
    """Write a snapshot below ``folder`` and make it visible at once; the path and its size in bytes.

    Raises OSError (ENOSPC, EIO …): then nothing is published and older checkpoints are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"ckpt-{snapshot.position.step:08d}"
    aside = folder / f".tmp-{uuid.uuid4().hex}"
    aside.mkdir()
    try:
        _write_tensors(snapshot, aside)
        files = {name: file_facts(aside / name) for name in (WEIGHTS, STATE)}
        write_manifest(aside, snapshot.position, files)
        for name in (WEIGHTS, STATE, MANIFEST):
            fsync(aside / name)
        fsync(aside)
        if target.exists():
            discard(target)
        aside.rename(target)
        fsync(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return target, sum(int(f["bytes"]) for f in files.values())


def write_manifest(folder: Path, position: Position, files: dict[str, dict[str, Any]]) -> None:
    """What makes the folder a checkpoint: where the run stands, and size and SHA-256 of its files."""
    manifest = {"format": FORMAT, "position": asdict(position), "files": files}
    sealed = {**manifest, "seal": _seal(manifest)}
    (folder / MANIFEST).write_text(json.dumps(sealed), encoding="utf-8")


def _write_tensors(snapshot: Snapshot, folder: Path) -> None:
    with plain_write_errors():
        save_file(snapshot.weights, str(folder / WEIGHTS))
        with (folder / STATE).open(
            "wb"
        ) as file:  # a file of our own: by path, torch hides why it cannot write
            torch.save({"optimizer": snapshot.optimizer, "rng": snapshot.rng}, file)


def valid_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints whose manifest and sizes are in order, newest step first (hashes are checked when one is loaded)."""
    found = []
    for path in folder.glob("ckpt-*"):
        manifest = _manifest(path)
        if manifest and all(_size(path / n) == f["bytes"] for n, f in manifest["files"].items()):
            found.append((int(manifest["position"]["step"]), path))
    return [path for _step, path in sorted(found, reverse=True)]


def load(path: Path) -> Snapshot:
    """Read a checkpoint. Raises StudioError ``checkpoint.damaged`` when a hash does not match."""
    manifest = _manifest(path)
    if manifest is None or any(
        not (path / n).is_file() or file_facts(path / n) != f for n, f in manifest["files"].items()
    ):
        raise StudioError(
            "checkpoint.damaged",
            _("The checkpoint {name} is damaged.").format(name=path.name),
            _("The one before it is used."),
        )
    state = torch.load(path / STATE, weights_only=True)
    return Snapshot(
        Position(**manifest["position"]), load_file(str(path / WEIGHTS)), state["optimizer"], state["rng"]
    )


def load_newest(folder: Path, on_damaged: Any = None) -> Snapshot | None:
    """The newest checkpoint that can be read whole; None when there is none. Damaged ones are set aside."""
    for path in valid_checkpoints(folder):
        try:
            return load(path)
        except StudioError as error:
            path.rename(folder / f".damaged-{path.name}-{uuid.uuid4().hex[:6]}")
            if on_damaged:
                on_damaged(error)
    return None


def retain(folder: Path, keep: int, pinned: set[int]) -> None:
    """Remove all but the ``keep`` newest and the pinned steps."""
    paths = valid_checkpoints(folder)
    for path in paths[keep:]:
        if int(path.name.split("-")[1]) not in pinned:
            discard(path)


def discard(path: Path) -> None:
    """Remove a folder so that a crash leaves either all of it or something that no longer counts."""
    trash = path.with_name(f".trash-{uuid.uuid4().hex}")
    path.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what an earlier crash left half-written or half-removed."""
    for path in [*folder.glob(".tmp-*"), *folder.glob(".trash-*")]:
        shutil.rmtree(path, ignore_errors=True)


def _copied(value: Any, into: Buffers, name: str) -> Any:
    if isinstance(value, Tensor):
        return into.copy(name, value)
    if isinstance(value, dict):
        return {key: _copied(item, into, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item, into, f"{name}.{index}") for index, item in enumerate(value))
    return value


def _manifest(path: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        whole = manifest.pop("seal") == _seal(manifest) and manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if whole else None


def _seal(manifest: dict[str, Any]) -> str:
    """SHA-256 of the manifest's canonical JSON, so that a flipped bit in it is noticed too."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def file_facts(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}
