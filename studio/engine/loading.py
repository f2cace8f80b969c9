"""Opens base models, tokenizers and adapters from local folders, and nothing else from nowhere else.

Weights only as safetensors, never a program that came with a model, never the network. What is wrong with a
folder is said before a library trips over it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Before transformers is imported: no look at a hub, whatever a configuration file names.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging as transformers_logging

from studio.engine.weights import check_hashes, check_safetensors, damaged, read_json, weight_files
from studio.errors import StudioError
from studio.i18n import _

transformers_logging.disable_progress_bar()

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
LIBRARY_ERRORS = (
    OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError, SafetensorError,
)  # fmt: skip


def check_model_folder(folder: Path, *, hashes: bool = True, reads_text: bool = True) -> int:
    """Look whether ``folder`` holds a whole model that can be opened; return its number of stored parameters.

    hashes: compare its files with the hashes noted when it was fetched or converted, at about 1 GB/s.
    reads_text: it must have a tokenizer.
    Raises StudioError: ``model.not_found``, ``model.no_config``, ``model.unreadable``,
    ``model.code_required``, ``model.unsupported``, ``model.no_tokenizer``, ``model.no_weights``,
    ``model.damaged``.
    """
    if not folder.is_dir():
        raise StudioError(
            "model.not_found",
            _("The model's folder {path} does not exist.").format(path=folder),
            _("Choose another model, or put the folder back."),
        )
    if not (folder / "config.json").is_file():
        raise StudioError(
            "model.no_config",
            _("The folder “{name}” is not a model: it has no config.json.").format(name=folder.name),
            _("Choose the folder that holds config.json and the .safetensors files."),
        )
    _check_architecture(read_json(folder / "config.json"))
    if reads_text and not has_tokenizer(folder):
        raise StudioError(
            "model.no_tokenizer",
            _("The folder “{name}” has no tokenizer.").format(name=folder.name),
            _("Put the model's tokenizer files, such as tokenizer.json, beside its weights."),
        )
    parameters = sum(check_safetensors(path) for path in weight_files(folder))
    if hashes:
        check_hashes(folder)
    return parameters


def _check_architecture(config: dict[str, Any]) -> None:
    model_type = str(config.get("model_type", ""))
    if model_type in CONFIG_MAPPING:
        return  # a class of transformers itself is used, whatever auto_map names
    if config.get("auto_map"):
        raise StudioError(
            "model.code_required",
            _("This model runs only with a program of its own, which the studio never executes."),
            _("Choose a model of a common architecture, such as Llama or Qwen."),
        )
    raise StudioError(
        "model.unsupported",
        _("The architecture “{name}” is not known to this version.").format(name=model_type or "?"),
        _("Choose a model of a common architecture, such as Llama or Qwen."),
    )


def has_tokenizer(folder: Path) -> bool:
    """Whether the folder holds a tokenizer's vocabulary."""
    return any((folder / name).is_file() for name in _TOKENIZER_FILES)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model or adapter folder. Raises StudioError ``model.no_tokenizer`` or
    ``model.unreadable``."""
    if not has_tokenizer(folder):
        raise StudioError(
            "model.no_tokenizer",
            _("The folder “{name}” has no tokenizer.").format(name=folder.name),
            _("Put the model's tokenizer files, such as tokenizer.json, beside its weights."),
        )
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # tokenizers raises plain Exception for a file that it cannot parse
        raise unreadable(folder, error) from error


def load_model(
    folder: Path, *, device: torch.device | None = None, dtype: torch.dtype = torch.float32
) -> Any:
    """The causal language model of a Hugging Face folder, in evaluation mode, on ``device`` (None: the CPU).

    Checks the folder first; raises what ``check_model_folder`` raises, and ``model.unreadable``.
    """
    check_model_folder(folder)
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except LIBRARY_ERRORS as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise
        raise unreadable(folder, error) from error
    missing = sorted(info["missing_keys"]) + sorted(str(key) for key in info["mismatched_keys"])
    if missing:  # transformers would fill them with random numbers
        raise damaged(folder.name, _("weights are missing, such as {name}").format(name=missing[0]))
    return model.to(device or torch.device("cpu")).eval()


def load_adapter(model: Any, folder: Path, name: str = "default") -> Any:
    """``model`` wrapped with the LoRA adapter in ``folder``, in evaluation mode; a wrapped one gets one more.

    The wrapper shares the model's weights. Raises StudioError ``model.not_found`` when the folder is gone,
    ``model.no_weights`` or ``model.damaged`` for its weights, ``model.unreadable`` when it does not fit the
    model.
    """
    from peft import PeftModel  # 1 s, only with adapters

    weights = folder / "adapter_model.safetensors"
    if not folder.is_dir():
        raise StudioError(
            "model.not_found",
            _("The add-on's folder {path} does not exist.").format(path=folder),
            _("Choose another run, or train it again."),
        )
    if not weights.is_file():
        raise StudioError(
            "model.no_weights",
            _("The add-on's folder {path} holds no weights.").format(path=folder),
            _("Choose another run, or train it again."),
        )
    check_safetensors(weights)
    try:
        if isinstance(model, PeftModel):
            model.load_adapter(str(folder), name, is_trainable=False)
            return model.eval()
        return PeftModel.from_pretrained(model, str(folder), name, is_trainable=False).eval()
    except LIBRARY_ERRORS as error:
        raise unreadable(folder, error) from error


def unreadable(folder: Path, error: Exception) -> StudioError:
    """What to say when a library cannot open the model."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    return StudioError(
        "model.unreadable",
        _("The model “{name}” cannot be opened: {reason}").format(name=folder.name, reason=reason),
        _("Fetch or copy the model again, or choose another one."),
    )
