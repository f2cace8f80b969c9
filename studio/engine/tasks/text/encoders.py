"""Pretrained text encoders: loaded from a folder, given an add-on, and put together again to be kept."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from studio.domain.specs import TrainSpec
from studio.engine.loading import LIBRARY_ERRORS, check_model_folder, unreadable
from studio.engine.tasks.text.dropout import with_byte_dropout

_OF_ATTENTION: Final = re.compile(r"\.(self|attn)\.dropout$")  # modules of BERT's relatives


def load_encoder(folder: Path) -> Any:
    """The encoder of a Hugging Face folder, float32, in evaluation mode. Raises as ``check_model_folder``."""
    check_model_folder(folder)
    try:
        encoder = AutoModel.from_pretrained(
            str(folder),
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except LIBRARY_ERRORS as error:
        raise unreadable(folder, error) from error
    return _quick_to_train(without_pooler(encoder)).eval()


def new_encoder(folder: Path) -> Any:
    """An encoder of the folder's config.json with weights still to be filled."""
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    return without_pooler(AutoModel.from_config(config))


def _quick_to_train(encoder: Any) -> Any:
    """Without dropout within the attention, for which torch has only its slow form on a processor (three times the
    time of a layer's attention); the dropouts after it stay, by cheap masks."""
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Dropout) and _OF_ATTENTION.search(name):
            module.p = 0.0
    return with_byte_dropout(encoder)


def without_pooler(encoder: Any) -> Any:
    """Means are taken over all tokens, so the head over the first one would only train for nothing."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


def adapted(model: nn.Module, spec: TrainSpec) -> nn.Module:
    """A LoRA add-on on every linear layer of ``model.encoder``; the head trains as well."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=spec.lora_rank,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules="all-linear",
    )
    model.encoder = get_peft_model(model.encoder, config)
    return model


def merged(model: nn.Module) -> Any:
    """The model with its add-on added into the encoder; the one that trains is left as it is."""
    encoder: Any = model.encoder
    if not hasattr(encoder, "merge_and_unload"):
        return model
    whole: Any = copy.deepcopy(model)
    whole.encoder = whole.encoder.merge_and_unload()
    return whole
