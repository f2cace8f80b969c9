"""Folders that are not what they seem, and two models that share one copy of weights."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.domain.sampling import Sampling
from studio.engine.generate import answer
from studio.engine.loading import check_model_folder, load_adapter, load_model, load_tokenizer
from studio.engine.slots import Slots
from studio.engine.weights import sha256_of
from studio.errors import StudioError

QUESTION = [{"role": "user", "content": "Hello"}]
GREEDY = Sampling(temperature=0, repetition_penalty=1, max_new_tokens=10, seed=1)


@pytest.fixture
def folder(tiny_model_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))


@pytest.fixture(scope="module")
def adapter_dir(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(5)
    wrapped = get_peft_model(
        load_model(tiny_model_dir),
        LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"),
    )
    path = tmp_path_factory.mktemp("run") / "model"
    wrapped.save_pretrained(str(path))
    return path


def edit_config(folder: Path, **fields: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | fields))


def truncate(path: Path, by: int) -> None:
    path.write_bytes(path.read_bytes()[:-by])


def lying_header(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**60) + path.read_bytes()[8:])


def drop_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors.pop(sorted(tensors)[-1])
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def missing_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def changed_after_hashing(folder: Path) -> None:
    weights = folder / "model.safetensors"
    facts = {"files": {weights.name: {"sha256": sha256_of(weights)}}}
    (folder / "studio.json").write_text(json.dumps(facts))
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)


def zeroed(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(bytes(weights.stat().st_size))


def foreign_code(folder: Path) -> None:
    edit_config(folder, model_type="mystery", auto_map={"AutoModelForCausalLM": "evil.Model"})
    (folder / "evil.py").write_text("raise SystemExit('executed')")


BAD: list[tuple[str, Callable[[Path], Any]]] = [
    ("model.not_found", shutil.rmtree),
    ("model.no_config", lambda f: (f / "config.json").unlink()),
    ("model.unreadable", lambda f: (f / "config.json").write_text("{")),
    ("model.unreadable", lambda f: (f / "config.json").write_text("[]")),
    ("model.unsupported", lambda f: edit_config(f, model_type="mystery")),
    ("model.code_required", foreign_code),
    ("model.no_tokenizer", lambda f: (f / "tokenizer.json").unlink()),
    ("model.no_weights", lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin")),
    ("model.damaged", lambda f: truncate(f / "model.safetensors", 1)),
    ("model.damaged", lambda f: (f / "model.safetensors").write_bytes(b"")),
    ("model.damaged", lambda f: lying_header(f / "model.safetensors")),
    ("model.damaged", zeroed),
    ("model.damaged", missing_shard),
    ("model.damaged", changed_after_hashing),
    ("model.damaged", drop_tensor),
]


@pytest.mark.parametrize(("code", "spoil"), BAD, ids=[f"{i}-{c}" for i, (c, _) in enumerate(BAD)])
def test_each_kind_of_bad_folder_has_its_own_code(
    folder: Path, code: str, spoil: Callable[[Path], Any]
) -> None:
    spoil(folder)
    with pytest.raises(StudioError) as raised:
        load_model(folder)
    assert raised.value.code == code
    assert raised.value.hint


def test_a_whole_folder_passes_and_tells_its_size(folder: Path) -> None:
    model = load_model(folder)
    assert check_model_folder(folder) == sum(p.numel() for p in model.parameters())
    assert not model.training
    assert model.dtype is torch.float32


def test_code_beside_a_known_architecture_is_never_imported(folder: Path) -> None:
    edit_config(folder, auto_map={"AutoModelForCausalLM": "evil.Model", "AutoConfig": "evil.Config"})
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    assert type(load_model(folder)).__name__ == "LlamaForCausalLM"


def test_a_broken_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(StudioError) as raised:
        load_tokenizer(folder)
    assert raised.value.code == "model.unreadable"


def test_an_adapter_for_another_model_is_refused(folder: Path, adapter_dir: Path, tmp_path: Path) -> None:
    from tests.helpers.tiny_model import write_tiny_model

    other = load_model(write_tiny_model(tmp_path / "other", width=32))
    with pytest.raises(StudioError) as raised:
        load_adapter(other, adapter_dir)
    assert raised.value.code == "model.unreadable"


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("model.not_found", shutil.rmtree),
        ("model.no_weights", lambda f: (f / "adapter_model.safetensors").unlink()),
        ("model.damaged", lambda f: truncate(f / "adapter_model.safetensors", 3)),
        ("model.unreadable", lambda f: (f / "adapter_config.json").unlink()),
    ],
)
def test_bad_adapters(
    folder: Path, adapter_dir: Path, tmp_path: Path, code: str, spoil: Callable[[Path], Any]
) -> None:
    copy = Path(shutil.copytree(adapter_dir, tmp_path / "adapter"))
    spoil(copy)
    with pytest.raises(StudioError) as raised:
        load_adapter(load_model(folder), copy)
    assert raised.value.code == code


class TestSlots:
    def say(self, slots: Slots, name: str) -> str:
        with slots.get(name).use() as (model, tokenizer):
            return answer(model, tokenizer, QUESTION, GREEDY).text

    @pytest.fixture
    def expected(self, tiny_model_dir: Path, adapter_dir: Path) -> tuple[str, str]:
        tokenizer = load_tokenizer(tiny_model_dir)
        base = answer(load_model(tiny_model_dir), tokenizer, QUESTION, GREEDY).text
        tuned = answer(
            load_adapter(load_model(tiny_model_dir), adapter_dir), tokenizer, QUESTION, GREEDY
        ).text
        assert base != tuned
        return base, tuned

    @pytest.mark.parametrize("limit", [0, 2**31], ids=["shared", "merged"])
    @pytest.mark.parametrize("order", [("base", "tuned"), ("tuned", "base")])
    def test_each_slot_answers_as_its_own_model(
        self,
        tiny_model_dir: Path,
        adapter_dir: Path,
        expected: tuple[str, str],
        limit: int,
        order: tuple[str, str],
    ) -> None:
        slots = Slots("cpu", "float32", limit)
        for name in order:
            slots.load(name, name, tiny_model_dir, adapter_dir if name == "tuned" else None)
        for _again in range(2):
            assert (self.say(slots, "base"), self.say(slots, "tuned")) == expected
        shared = slots.get("base").weights is slots.get("tuned").weights
        assert shared is (limit == 0)

    @pytest.mark.parametrize("limit", [0, 2**31], ids=["shared", "merged"])
    def test_unloading_one_leaves_the_other(
        self, tiny_model_dir: Path, adapter_dir: Path, expected: tuple[str, str], limit: int
    ) -> None:
        slots = Slots("cpu", "float32", limit)
        slots.load("base", "base", tiny_model_dir)
        slots.load("tuned", "tuned", tiny_model_dir, adapter_dir)
        slots.unload("tuned")
        assert self.say(slots, "base") == expected[0]
        slots.load("tuned", "tuned", tiny_model_dir, adapter_dir)
        slots.unload("base")
        assert self.say(slots, "tuned") == expected[1]

    def test_two_adapters_on_one_base(
        self, tiny_model_dir: Path, adapter_dir: Path, expected: tuple[str, str]
    ) -> None:
        slots = Slots("cpu", "float32", 0)
        slots.load("one", "one", tiny_model_dir, adapter_dir)
        slots.load("two", "two", tiny_model_dir, adapter_dir)
        slots.unload("one")
        assert self.say(slots, "two") == expected[1]

    def test_a_failed_load_leaves_the_slot_empty_and_the_others_alone(
        self, tiny_model_dir: Path, tmp_path: Path, expected: tuple[str, str]
    ) -> None:
        slots = Slots("cpu", "float32")
        slots.load("base", "base", tiny_model_dir)
        slots.load("tuned", "tuned", tiny_model_dir)
        with pytest.raises(StudioError):
            slots.load("tuned", "tuned", tmp_path / "nowhere")
        with pytest.raises(StudioError) as raised:
            slots.get("tuned")
        assert raised.value.code == "chat.not_loaded"
        assert self.say(slots, "base") == expected[0]
