"""Describes a Hugging Face model folder without loading it: its config and the headers of its safetensors files.

Nothing of the folder is executed, and lengths that a header claims are checked against the file before any use.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

from studio.domain.architectures import Architecture
from studio.domain.basemodels import BaseModelInfo, BaseSource, base_kind
from studio.errors import NotFoundError, StudioError
from studio.i18n import _

MAX_HEADER_BYTES = 100 * 2**20  # the limit of the safetensors format itself
_TOKENIZERS = (("tokenizer.json",), ("tokenizer.model",), ("vocab.json", "merges.txt"), ("vocab.txt",))
_UNSAFE = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_LENGTH_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")


def inspect_folder(
    path: Path, source: BaseSource, languages: tuple[str, ...] = (), licence: str = ""
) -> BaseModelInfo:
    """What the model in ``path`` is.

    Raises NotFoundError ``model.no_folder`` and StudioError ``model.not_a_model``, ``model.no_config``,
    ``model.no_weights``, ``model.unsafe_weights``, ``model.broken_weights``, ``model.no_tokenizer``.
    """
    if not path.is_dir():
        raise NotFoundError("model.no_folder", _("There is no folder {path}.").format(path=path))
    config = _config(path)
    files, kind = _weight_files(path), base_kind(config)
    if kind is not Architecture.BACKBONE and not any(
        all((path / name).is_file() for name in names) for names in _TOKENIZERS
    ):
        raise StudioError(
            "model.no_tokenizer", _("This model has no tokenizer (tokenizer.json is missing)."),
            _("Get the whole model folder, with its tokenizer files."),
        )  # fmt: skip
    tokenizer = _json(path / "tokenizer_config.json")
    return BaseModelInfo(
        id=path.name, name=path.name, path=str(path), source=source, architecture=_architecture(config),
        parameters=sum(count_parameters(file) for file in files),
        size_bytes=sum(file.stat().st_size for file in files), languages=languages, licence=licence,
        chat=(path / "chat_template.jinja").is_file() or bool(tokenizer.get("chat_template")),
        max_length=next((int(config[key]) for key in _LENGTH_KEYS if isinstance(config.get(key), int)), 0), kind=kind,
    )  # fmt: skip


def read_config(path: Path) -> dict[str, Any]:
    """The folder's config.json; empty when it cannot be read."""
    return _json(path / "config.json")


def count_parameters(file: Path) -> int:
    """Numbers stored in a safetensors file, from its header. Raises StudioError ``model.broken_weights``."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise ValueError("header longer than the file")
            header = json.loads(stream.read(length))
        return sum(
            _tensor_size(entry, size - 8 - length) for key, entry in header.items() if key != "__metadata__"
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
        RecursionError,
    ) as problem:
        raise StudioError(
            "model.broken_weights", _("The weights in {file} are damaged or incomplete.").format(file=file.name),
            _("Get the model again."),
        ) from problem  # fmt: skip


def _tensor_size(entry: dict[str, Any], data_bytes: int) -> int:
    begin, end = entry["data_offsets"]
    if not 0 <= begin <= end <= data_bytes or any(not isinstance(n, int) or n < 0 for n in entry["shape"]):
        raise ValueError("a tensor lies outside the file")
    return math.prod(entry["shape"])


def _config(path: Path) -> dict[str, Any]:
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        raise StudioError(
            "model.not_a_model", _("This folder holds only an add-on (adapter), not a whole model."),
            _("Choose the folder of the base model."),
        )  # fmt: skip
    if not (path / "config.json").is_file():
        if any(path.glob("*.safetensors")):
            raise StudioError(
                "model.no_config", _("This folder has weights but no config.json."),
                _("Get the whole model folder, with its configuration."),
            )  # fmt: skip
        raise StudioError(
            "model.not_a_model", _("This folder holds no model."),
            _("Choose a folder with config.json, tokenizer.json and *.safetensors."),
        )  # fmt: skip
    config = _json(path / "config.json")
    if not config:
        raise StudioError(
            "model.no_config", _("The model's config.json cannot be read."), _("Get the model again.")
        )
    return config


def _weight_files(path: Path) -> list[Path]:
    index = _json(path / "model.safetensors.index.json").get("weight_map")
    if isinstance(index, dict) and index:
        files = [path / Path(str(name)).name for name in sorted(set(map(str, index.values())))]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise StudioError(
                "model.no_weights", _("A part of the weights is missing: {file}.").format(file=missing[0]),
                _("Get the whole model folder."),
            )  # fmt: skip
        return files
    files = sorted(path.glob("*.safetensors"))
    if not files and any(file for pattern in _UNSAFE for file in path.glob(pattern)):
        raise StudioError(
            "model.unsafe_weights", _("The weights are in an old format that can carry harmful programs."),
            _("Get the same model as safetensors."),
        )  # fmt: skip
    if not files:
        raise StudioError(
            "model.no_weights",
            _("This folder has no weights (*.safetensors)."),
            _("Get the whole model folder."),
        )
    return files


def _architecture(config: dict[str, Any]) -> str:
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else str(config.get("model_type", ""))


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
