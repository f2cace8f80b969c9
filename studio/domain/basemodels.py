"""Base models: what the catalogue tells of each, and how one on disk is described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from studio.domain.architectures import Architecture

CHINESE_SHARE: Final = 0.3  # from this share of Chinese rows on, the base model should know Chinese

# The endings of class names and, where those say nothing (…Model), families, as Hugging Face's config.json names them.
_WRITES: Final = ("ForCausalLM", "LMHeadModel")
_READS: Final = ("ForMaskedLM", "ForPreTraining", "ForSequenceClassification", "ForTokenClassification")
_SEES: Final = ("ForImageClassification", "ForMaskedImageModeling")
_READERS: Final = frozenset({
    "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert", "mobilebert",
    "modernbert", "mpnet", "nomic_bert", "roberta", "xlm-roberta", "xlm-roberta-xl",
})  # fmt: skip
_SEERS: Final = frozenset({
    "beit", "bit", "convnext", "convnextv2", "cvt", "deit", "dinov2", "dinov3_vit", "efficientnet", "efficientnet-lite",
    "focalnet", "levit", "mobilenet_v1", "mobilenet_v2", "mobilevit", "mobilevitv2", "poolformer", "pvt", "pvt_v2",
    "regnet", "resnet", "swin", "swinv2", "timm_wrapper", "vit",
})  # fmt: skip


def base_kind(config: dict[str, Any]) -> Architecture | None:
    """What a model with this config.json can be the base of; None when it does not tell."""
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and names else ""
    for endings, kind in (
        (_WRITES, Architecture.LANGUAGE_MODEL), (_SEES, Architecture.BACKBONE), (_READS, Architecture.ENCODER),
    ):  # fmt: skip
        if name.endswith(endings):
            return kind
    family = str(config.get("model_type", ""))
    if family in _READERS:
        return Architecture.ENCODER
    return Architecture.BACKBONE if family in _SEERS else None


class BaseSource(StrEnum):
    """Where a base model is."""

    BUNDLED = "bundled"  # the default one, fetched by the installer
    FOLDER = "folder"  # any local Hugging Face folder
    GGUF = "gguf"  # any GGUF file, converted once into the models folder
    HUB = "hub"  # fetched on consent into the models folder


class CatalogueEntry(BaseModel):
    """One base model that the studio knows of (resources/catalogue/base_models.json).

    kind: what it is the base of. languages: codes that it knows well. memory_bytes: to train it by the advised method
    at the Balanced preset's sizes.
    """

    model_config = ConfigDict(frozen=True)

    id: str  # folder name below the models folder
    name: str
    kind: Architecture = Architecture.LANGUAGE_MODEL
    parameters: int
    languages: tuple[str, ...]
    licence: str
    download_bytes: int
    memory_bytes: int
    chat: bool
    hub_ids: dict[str, str]  # hub name (huggingface, modelscope) -> repository id
    summary: str  # English msgid, translated on show


class BaseModelInfo(BaseModel):
    """A base model that can be used now, as found on disk. kind: None where its files do not tell."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    path: str
    source: BaseSource
    architecture: str
    parameters: int
    size_bytes: int
    languages: tuple[str, ...] = ()  # empty: unknown
    licence: str = ""  # empty: unknown
    chat: bool = False  # has a chat template
    max_length: int = 0
    kind: Architecture | None = None

    def serves(self, architecture: Architecture) -> bool:
        """Whether a model of this kind can begin from it."""
        return self.kind in (None, architecture)

    def knows(self, languages: Mapping[str, float]) -> bool:
        """Whether it knows the language of data with these shares. Only Chinese is told apart; unknown is yes."""
        return languages.get("zh", 0.0) <= CHINESE_SHARE or not self.languages or "zh" in self.languages


def no_encoder_knows(models: Iterable[BaseModelInfo], languages: Mapping[str, float]) -> bool:
    """Whether there are text encoders among these, and none knows the language of data with these shares."""
    encoders = [model for model in models if model.kind is Architecture.ENCODER]
    return bool(encoders) and not any(model.knows(languages) for model in encoders)
