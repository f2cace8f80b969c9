"""A GGUF file made into a Hugging Face folder in float32, once: from then on it is a base model like any other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from studio.engine.folders import check_free, note_source, written_aside
from studio.engine.gguf_header import GgufHeader, read_header
from studio.engine.loading import check_model_folder
from studio.engine.weights import sha256_of
from studio.errors import ResourceError, StudioError
from studio.i18n import _

_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, NotImplementedError)
_BYTES_PER_PARAMETER = 4


def convert_gguf(source: Path, target: Path, on_phase: Callable[[str], None]) -> int:
    """Write the model of a GGUF file to the folder ``target`` and return its number of parameters.

    on_phase hears ``reading_header``, ``loading_model``, ``writing``, ``hashing`` and may raise to cancel. Beside the
    model stands studio.json with the source's name and SHA-256. Weights become float32 whatever they were: a quantised
    model cannot be trained.
    Raises StudioError ``gguf.*`` for the file, ``model.exists`` for the target; ResourceError ``gguf.disk``.
    """
    on_phase("reading_header")
    header = read_header(source)
    check_free(target)
    _check_space(header, target)
    with written_aside(target) as aside:
        _convert(source, aside, on_phase)
        on_phase("hashing")
        parameters = check_model_folder(aside)
        note_source(
            aside,
            format="gguf",
            source=source.name,
            sha256=sha256_of(source),
            architecture=header.architecture,
            parameters=parameters,
            name=str(header.metadata.get("general.name", source.stem)),
            licence=str(header.metadata.get("general.license", "")),
        )
        on_phase("publishing")
    return parameters


def _check_space(header: GgufHeader, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    needed = header.parameters * _BYTES_PER_PARAMETER
    free = shutil.disk_usage(target.parent).free
    if free < needed * 1.05:
        raise ResourceError(
            "gguf.disk",
            _("The converted model needs {needed} MB; only {free} MB are free.").format(
                needed=needed // 10**6, free=free // 10**6
            ),
            _("Free some space on the disk of the models folder."),
        )


def _convert(source: Path, aside: Path, on_phase: Callable[[str], None]) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    on_phase("loading_model")
    folder, name = str(source.parent), source.name
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, gguf_file=name, local_files_only=True, trust_remote_code=False
        )
        # Without GgufConfig the weights stay quantised and cannot be saved.
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            gguf_file=name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
        )
        on_phase("writing")
        model.save_pretrained(str(aside))
        tokenizer.save_pretrained(str(aside))
    except _ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the file
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise StudioError(
            "gguf.unsupported",
            _("“{name}” cannot be converted: {reason}").format(name=name, reason=reason),
            _("Choose a model of a common architecture, such as Llama or Qwen."),
        ) from error
