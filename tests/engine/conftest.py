"""A whole model in a few hundred kilobytes: what takes minutes with a real one takes milliseconds with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.domain.sampling import Sampling
from tests.helpers.tiny_model import write_tiny_encoder, write_tiny_model


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: random-init tiny Llama (2 layers, width 64), byte-level BPE tokenizer, ChatML
    template.

    Read-only by agreement: copy it before changing anything.
    """
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def tiny_encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: random-init tiny BERT with a WordPiece tokenizer. Read-only by agreement."""
    return write_tiny_encoder(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(autouse=True)
def short_sample_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model never ends an answer by itself: two thirds of a run's time were sample answers of 48 tokens."""
    from studio.engine.tasks.language import task

    plain = task.answer

    def short(model: Any, tokenizer: Any, messages: Any, sampling: Sampling) -> Any:
        limit = min(sampling.max_new_tokens, 6)
        return plain(model, tokenizer, messages, sampling.model_copy(update={"max_new_tokens": limit}))

    monkeypatch.setattr(task, "answer", short)
