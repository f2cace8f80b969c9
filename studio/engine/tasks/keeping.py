"""A kept model that is no language model: task.json says how to read it and answer with it, weights.safetensors holds
the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from studio.engine.folders import plain_write_errors
from studio.errors import StudioError
from studio.i18n import _

TASK_FILE: Final = "task.json"
WEIGHTS_FILE: Final = "weights.safetensors"
FORMAT: Final = 1


def write_task(folder: Path, document: dict[str, Any]) -> None:
    """Write task.json: ``architecture`` and what its package needs. Raises OSError."""
    text = json.dumps({"format": FORMAT, **document}, ensure_ascii=False, indent=1)
    (folder / TASK_FILE).write_text(text, encoding="utf-8")


def read_task(folder: Path) -> dict[str, Any]:
    """What task.json says. Raises StudioError ``model.unreadable``."""
    try:
        document: dict[str, Any] = json.loads((folder / TASK_FILE).read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(document["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder) from error
    return document


def save_weights(model: nn.Module, folder: Path) -> None:
    """All weights of the model, each tensor once. Raises OSError when the disk refuses."""
    with torch.no_grad(), plain_write_errors():
        tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
        save_file(tensors, str(folder / WEIGHTS_FILE))


def load_weights(model: nn.Module, folder: Path) -> None:
    """Put the kept weights into the model. Raises StudioError ``model.unreadable``."""
    try:
        model.load_state_dict(load_file(str(folder / WEIGHTS_FILE)))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder) from error


def _unreadable(folder: Path) -> StudioError:
    return StudioError(
        "model.unreadable", _("The model in {folder} cannot be opened.").format(folder=folder),
        _("Choose another run, or train it again."),
    )  # fmt: skip
