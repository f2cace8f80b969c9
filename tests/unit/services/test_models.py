"""Base models: described from their headers, refused with a reason, fetched only on consent."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.architectures import Architecture
from studio.domain.basemodels import BaseSource
from studio.errors import StudioError
from studio.paths import DEFAULT_BASE_MODEL, resource_path
from studio.protocol.events import Log
from studio.services.children import JobCancelled
from studio.services.model_folder import count_parameters, inspect_folder
from studio.services.models import ModelService, slug
from studio.services.outbound import OutboundLog
from studio.store.records import SqlBaseModels, SqlOutbound
from tests.helpers import builders
from tests.helpers.model_folders import write_model, write_safetensors
from tests.unit.services.conftest import FakeJobs, Studio


@pytest.fixture
def models(studio: Studio, jobs: FakeJobs, tmp_path: Path) -> ModelService:
    return ModelService(
        SqlBaseModels(studio.database), tmp_path / "models", resource_path("catalogue", "base_models.json"),
        studio.settings, OutboundLog(SqlOutbound(studio.database), studio.changes), studio.changes, jobs,
    )  # fmt: skip


def test_a_folder_is_described_from_its_headers(tmp_path: Path) -> None:
    info = inspect_folder(write_model(tmp_path / "tiny"), BaseSource.FOLDER)
    assert (info.architecture, info.parameters, info.chat, info.max_length) == (
        "LlamaForCausalLM",
        24,
        True,
        2048,
    )
    assert info.size_bytes == (tmp_path / "tiny" / "model.safetensors").stat().st_size


def test_shards_are_added_up_and_a_missing_one_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    for n in (1, 2):
        write_safetensors(folder / f"model-{n}.safetensors", {f"w{n}": [10]})
    names = {"w1": "model-1.safetensors", "w2": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert inspect_folder(folder, BaseSource.FOLDER).parameters == 20
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(StudioError, match="model-2") as caught:
        inspect_folder(folder, BaseSource.FOLDER)
    assert caught.value.code == "model.no_weights"


def _only_adapter(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")


def _old_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_empty, "model.not_a_model"),
        (_only_adapter, "model.not_a_model"),
        (_old_weights, "model.unsafe_weights"),
        (lambda folder: (folder / "config.json").unlink(), "model.no_config"),
        (lambda folder: (folder / "config.json").write_text("{half"), "model.no_config"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "model.no_tokenizer"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.no_weights"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 4), "model.broken_weights"),
    ],
)
def test_what_is_missing_is_said(
    models: ModelService, tmp_path: Path, spoil: Callable[[Path], Any], code: str
) -> None:
    folder = write_model(tmp_path / "m")
    spoil(folder)
    with pytest.raises(StudioError) as caught:
        models.register_folder(folder)
    assert caught.value.code == code
    assert caught.value.hint
    assert models.available() == []


def test_a_folder_that_is_not_there_is_said(models: ModelService, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        models.register_folder(tmp_path / "none")
    assert caught.value.code == "model.no_folder"


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
        {"a": {"dtype": "F32"}},
        {"a": 7},
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, header: dict[str, object]) -> None:
    text = json.dumps(header).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(16))
    with pytest.raises(StudioError) as caught:
        count_parameters(path)
    assert caught.value.code == "model.broken_weights"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_model_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    try:
        assert count_parameters(path) >= 0
    except StudioError as problem:
        assert problem.code == "model.broken_weights"  # noqa: PT017 (either is right, nothing else is)


def test_the_default_comes_first_and_broken_ones_are_left_out(models: ModelService, tmp_path: Path) -> None:
    assert models.default() is None
    write_model(tmp_path / "models" / "a-small-one")
    write_model(tmp_path / "models" / DEFAULT_BASE_MODEL, {"w": [100]})
    (tmp_path / "models" / "broken").mkdir()
    far = write_model(tmp_path / "elsewhere" / "A Small One", {"w": [3]})
    models.register_folder(far)
    found = models.available()
    assert [info.id for info in found] == [DEFAULT_BASE_MODEL, "a-small-one-2", "a-small-one"]
    assert found[0].name == "SmolLM2 135M Instruct"
    assert found[0].source is BaseSource.BUNDLED
    assert found[0].languages == ("en",)
    assert models.get(str(far)).id == "a-small-one-2"
    models.unregister("a-small-one-2")
    assert len(models.available()) == 2
    with pytest.raises(StudioError) as caught:
        models.get("unknown")
    assert caught.value.code == "model.unknown"


def test_a_gguf_is_converted_by_a_child_into_the_models_folder(
    models: ModelService, jobs: FakeJobs, tmp_path: Path
) -> None:
    (tmp_path / "My Model.Q4.gguf").write_bytes(b"GGUF")
    target = tmp_path / "models" / "my-model.q4"
    jobs.effect = lambda _payload: {"path": str(write_model(target))}
    info = models.register_gguf(tmp_path / "My Model.Q4.gguf")
    assert (info.id, info.source) == ("my-model.q4", BaseSource.GGUF)
    assert jobs.asked[0][0] == ["convert", "--gguf", str(tmp_path / "My Model.Q4.gguf"), "--out", str(target)]
    assert models.available() == [info]
    with pytest.raises(StudioError) as caught:
        models.register_gguf(tmp_path / "none.gguf")
    assert caught.value.code == "model.no_file"


def test_the_same_gguf_is_converted_once_until_it_changes(
    models: ModelService, jobs: FakeJobs, tmp_path: Path
) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    jobs.effect = lambda _payload: {"path": str(write_model(Path(jobs.asked[-1][0][-1])))}
    first = models.register_gguf(file)
    assert models.register_gguf(file) == first
    assert len(jobs.asked) == 1
    later = file.stat().st_mtime + 1000
    os.utime(file, (later, later))
    assert models.register_gguf(file).id != first.id


def test_nothing_is_fetched_without_consent(models: ModelService, jobs: FakeJobs) -> None:
    with pytest.raises(StudioError) as caught:
        models.fetch(models.catalogue()[0])
    assert caught.value.code == "hub.no_consent"
    assert jobs.asked == []


def test_a_fetch_records_every_host_and_ends_in_the_models_folder(
    models: ModelService, studio: Studio, jobs: FakeJobs, tmp_path: Path
) -> None:
    studio.settings.update(hub_consent=True, hub="modelscope")
    entry = next(entry for entry in models.catalogue() if entry.id == "qwen3-0.6b")
    jobs.events = [
        Log(level="info", message="outbound a.example"),
        Log(level="info", message="outbound a.example"),
    ]
    jobs.effect = lambda payload: {"path": str(write_model(Path(payload["out_dir"])))}
    info = models.fetch(entry)
    assert (info.id, info.name, info.source) == ("qwen3-0.6b", "Qwen3 0.6B", BaseSource.HUB)
    assert "zh" in info.languages
    payload = jobs.asked[0][1]
    assert (payload["repo"], payload["hub"], payload["endpoint"]) == ("Qwen/Qwen3-0.6B", "modelscope", "")
    assert not any(name.endswith((".bin", ".py", ".pt")) for name in payload["allow"])
    calls = SqlOutbound(studio.database).list()
    assert [(call.host, "Qwen/Qwen3-0.6B" in call.purpose) for call in calls] == [("a.example", True)]
    assert models.fetch(entry) == info  # it is there already: no second download
    assert len(jobs.asked) == 1


def test_a_mirror_needs_its_address_and_a_hub_must_have_the_model(
    models: ModelService, studio: Studio
) -> None:
    studio.settings.update(hub_consent=True, hub="mirror")
    with pytest.raises(StudioError) as caught:
        models.fetch("someone/model")
    assert caught.value.code == "hub.no_mirror"
    studio.settings.update(hub="modelscope")
    with pytest.raises(StudioError) as caught:
        models.fetch(next(entry for entry in models.catalogue() if "modelscope" not in entry.hub_ids))
    assert caught.value.code == "hub.not_there"


def test_a_cancelled_fetch_leaves_no_model(models: ModelService, studio: Studio, jobs: FakeJobs) -> None:
    studio.settings.update(hub_consent=True)
    jobs.problem = JobCancelled()
    with pytest.raises(JobCancelled):
        models.fetch("someone/model")
    assert models.available() == []


def test_chinese_data_asks_for_a_base_that_knows_chinese(models: ModelService, tmp_path: Path) -> None:
    english = models.register_folder(write_model(tmp_path / "smollm2-360m-instruct"))
    chinese = models.register_folder(write_model(tmp_path / "qwen3-0.6b"))
    unknown = models.register_folder(write_model(tmp_path / "mine"))
    data = builders.dataset(languages={"zh": 0.9, "en": 0.1})
    warning = models.language_warning(english, data)
    assert warning is not None
    assert "Qwen3 0.6B" in warning
    assert "TinyLlama" not in warning
    assert models.language_warning(chinese, data) is None
    assert models.language_warning(unknown, data) is None
    assert models.language_warning(english, builders.dataset(languages={"zh": 0.2, "en": 0.8})) is None


def test_an_encoder_that_hardly_knows_chinese_says_what_to_choose(
    models: ModelService, tmp_path: Path
) -> None:
    folder = models.register_folder(write_model(tmp_path / "mine"))
    english = folder.model_copy(update={"kind": Architecture.ENCODER, "languages": ("en",)})
    warning = models.language_warning(english, builders.dataset(languages={"zh": 0.9}))
    assert warning is not None
    assert "from scratch" in warning
    assert "BERT" in warning
    assert "Qwen" not in warning


def test_the_catalogue_is_complete_and_has_the_default(models: ModelService) -> None:
    entries = models.catalogue()
    assert [entry.parameters for entry in entries] == sorted(entry.parameters for entry in entries)
    assert len({entry.id for entry in entries}) == len(entries)
    default = next(entry for entry in entries if entry.id == DEFAULT_BASE_MODEL)
    assert default.languages == ("en",)
    for entry in entries:
        assert entry.id == slug(entry.id)
        assert "huggingface" in entry.hub_ids
        assert entry.download_bytes > entry.parameters
        assert entry.memory_bytes > entry.download_bytes
