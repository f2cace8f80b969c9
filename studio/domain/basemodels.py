"""Base models: what the catalogue tells of each, and how one on disk is described."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class BaseSource(StrEnum):
    """Where a base model is."""

    BUNDLED = "bundled"  # the default one, fetched by the installer
    FOLDER = "folder"  # any local Hugging Face folder
    GGUF = "gguf"  # any GGUF file, converted once into the models folder
    HUB = "hub"  # fetched on consent into the models folder


class CatalogueEntry(BaseModel):
    """One base model that the studio knows of (resources/catalogue/base_models.json).

    languages: codes that it answers well in. memory_bytes: to fine-tune by LoRA at batch 4 and 512 tokens.
    """

    model_config = ConfigDict(frozen=True)

    id: str  # folder name below the models folder
    name: str
    parameters: int
    languages: tuple[str, ...]
    licence: str
    download_bytes: int
    memory_bytes: int
    chat: bool
    hub_ids: dict[str, str]  # hub name (huggingface, modelscope) -> repository id
    summary: str  # English msgid, translated on show


class BaseModelInfo(BaseModel):
    """A base model that can be used now, as found on disk."""

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
