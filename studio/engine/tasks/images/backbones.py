"""Pretrained image models: loaded from a Hugging Face folder, asked for features, given a head."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from studio.engine.loading import LIBRARY_ERRORS, check_model_folder, unreadable
from studio.engine.tasks.images.pictures import Look
from studio.errors import StudioError
from studio.i18n import _

PREPARATION_FILE: Final = "preprocessor_config.json"
_IMAGENET: Final = (
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
)  # mean and deviation where a folder says none


class BackboneModel(nn.Module):
    """A pretrained model's states averaged over all places, a norm, dropout, and a linear head.

    Takes pictures (B, C, S, S), or the features (B, H) that ``features`` gave for them.
    """

    def __init__(self, backbone: Any, size: int, outputs: int, dropout: float, *, frozen: bool) -> None:
        super().__init__()
        self.backbone, self._frozen = backbone, frozen
        scales = "interpolate_pos_encoding" in inspect.signature(backbone.forward).parameters
        self._more = {"interpolate_pos_encoding": True} if scales else {}
        backbone.requires_grad_(not frozen)
        self.eval()
        with torch.no_grad():
            width = self.features(torch.zeros(1, backbone.config.num_channels, size, size)).shape[-1]
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)
        self.head = nn.Linear(width, outputs)

    @property
    def width(self) -> int:
        """Numbers in the features of a picture."""
        return self.head.in_features

    def train(self, mode: bool = True) -> BackboneModel:
        """Batch norms keep the statistics that they were pretrained with: small batches would only spoil them, and
        so they never change, which an exact resume relies on. What is frozen stays as it answers."""
        super().train(mode)
        if self._frozen:
            self.backbone.eval()
        for module in self.backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def features(self, pictures: Tensor) -> Tensor:
        """(B, C, S, S) -> (B, H)."""
        states: Tensor = self.backbone(pixel_values=pictures, **self._more).last_hidden_state
        return states.mean((2, 3)) if states.ndim == 4 else states.mean(1)

    def forward(self, seen: Tensor) -> Tensor:
        features = seen if seen.ndim == 2 else self.features(seen)
        outputs: Tensor = self.head(self.dropout(self.norm(features)))
        return outputs


def load_backbone(folder: Path) -> Any:
    """The image model of a Hugging Face folder, float32. Raises as ``check_model_folder``; ``model.no_pictures``."""
    check_model_folder(folder, reads_text=False)
    try:
        model = AutoModel.from_pretrained(
            str(folder), dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )  # fmt: skip
    except LIBRARY_ERRORS as error:
        raise unreadable(folder, error) from error
    if "pixel_values" not in inspect.signature(model.forward).parameters:
        raise StudioError(
            "model.no_pictures", _("The model “{name}” does not look at pictures.").format(name=folder.name),
            _("Choose an image model, such as a ResNet, ViT, ConvNeXt or EfficientNet."),
        )  # fmt: skip
    return _without_pooler(model)


def new_backbone(folder: Path) -> Any:
    """A model of the folder's config.json with weights still to be filled."""
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    return _without_pooler(AutoModel.from_config(config))


def _without_pooler(model: Any) -> Any:
    """A pooler with weights reads the first place only; the means here are over all of them."""
    pooler = getattr(model, "pooler", None)
    if pooler is not None and any(True for _parameter in pooler.parameters()):
        model.pooler = None
    return model


def look_of(folder: Path, size: int, channels: int) -> Look:
    """How the folder's model wants pictures prepared; by the means of ImageNet where it says nothing."""
    try:
        said = json.loads((folder / PREPARATION_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = {}
    if said.get("do_normalize", True):
        mean, deviation = said.get("image_mean", _IMAGENET[0]), said.get("image_std", _IMAGENET[1])
    else:
        mean, deviation = [0.0] * channels, [1.0] * channels
    return Look(size, channels, tuple(mean[:channels]), tuple(deviation[:channels]))
