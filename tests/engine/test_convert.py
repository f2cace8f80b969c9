"""GGUF files: honest ones become folders that answer alike, lying ones are refused before native code sees them."""

from __future__ import annotations

import json
import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.engine.convert import convert_gguf
from studio.engine.gguf_header import read_header
from studio.engine.loading import load_model, load_tokenizer
from studio.engine.weights import check_hashes, sha256_of
from studio.errors import StudioError
from tests.helpers.tiny_model import CHATML, tiny_tokenizer

HEADS = 4


def write_gguf(path: Path, model: Any) -> Path:
    """The tiny Llama as llama.cpp's own converter would write it, in F16."""
    config, tokenizer = model.config, tiny_tokenizer()
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("Tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config.vocab_size)
    core = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _index in vocabulary])
    writer.add_token_types([3 if index < 3 else 1 for _token, index in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in core["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_bos_token_id(1)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_chat_template(CHATML)
    for name, tensor in _tensors(model):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(model: Any) -> list[tuple[str, Any]]:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    found = []
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied
        array = weight.detach().numpy()
        for key, heads in (("q_proj", HEADS), ("k_proj", 2)):
            if key in name:  # llama.cpp rotates neighbours, Hugging Face halves
                array = array.reshape(heads, 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
        kind = np.float32 if "norm" in name else np.float16
        stored = names.get_name(name, try_suffixes=(".weight",))
        found.append((stored, np.ascontiguousarray(array.astype(kind))))
    return found


@pytest.fixture(scope="module")
def model(tiny_model_dir: Path) -> Any:
    return load_model(tiny_model_dir)


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory: pytest.TempPathFactory, model: Any) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", model)


def test_the_converted_model_computes_what_the_original_computed(
    gguf_file: Path, model: Any, tmp_path: Path
) -> None:
    phases: list[str] = []
    target = tmp_path / "models" / "tiny"
    parameters = convert_gguf(gguf_file, target, phases.append)
    converted, tokenizer = load_model(target), load_tokenizer(target)
    assert phases == ["reading_header", "loading_model", "writing", "hashing", "publishing"]
    assert parameters == sum(p.numel() for p in model.parameters())
    text = "How do I return 订单?"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert tokenizer.chat_template == CHATML
    with torch.inference_mode():
        ours = converted(input_ids=torch.tensor([ids])).logits
        theirs = model(input_ids=torch.tensor([ids])).logits
    assert converted.dtype is torch.float32
    assert torch.allclose(ours, theirs, atol=2e-2)  # stored as float16
    assert torch.equal(ours.argmax(-1), theirs.argmax(-1))


def test_the_source_is_noted_and_the_hashes_hold(gguf_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "tiny"
    convert_gguf(gguf_file, target, lambda _name: None)
    facts = json.loads((target / "studio.json").read_text())
    assert (facts["source"], facts["sha256"]) == ("tiny.gguf", sha256_of(gguf_file))
    assert facts["name"] == "Tiny"
    assert "model.safetensors" in facts["files"]
    check_hashes(target)
    assert {p.name for p in tmp_path.iterdir()} == {"tiny"}  # nothing left aside


@pytest.mark.parametrize("phase", ["loading_model", "writing", "hashing", "publishing"])
def test_cancelling_at_any_phase_leaves_nothing(gguf_file: Path, tmp_path: Path, phase: str) -> None:
    class Enough(Exception):
        pass

    def on_phase(name: str) -> None:
        if name == phase:
            raise Enough

    with pytest.raises(Enough):
        convert_gguf(gguf_file, tmp_path / "tiny", on_phase)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_not_touched(gguf_file: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    with pytest.raises(StudioError) as raised:
        convert_gguf(gguf_file, tmp_path / "tiny", lambda _name: None)
    assert raised.value.code == "model.exists"
    assert list((tmp_path / "tiny").iterdir()) == []


def test_the_header_is_read(gguf_file: Path, model: Any) -> None:
    header = read_header(gguf_file)
    assert header.architecture == "llama"
    assert header.parameters == sum(p.numel() for p in model.parameters())


def refuse(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    started = time.thread_time()
    with pytest.raises(StudioError) as raised:
        convert_gguf(path, path.with_name("out"), lambda _name: None)
    assert time.thread_time() - started < 1
    assert not path.with_name("out").exists()
    return raised.value.code


def header(tensors: int = 1, pairs: int = 0, version: int = 3) -> bytes:
    return struct.pack("<4sIQQ", b"GGUF", version, tensors, pairs)


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("gguf.not_gguf", b""),
        ("gguf.not_gguf", b"GGUF"),
        ("gguf.not_gguf", b"PK\x03\x04" + bytes(100)),
        ("gguf.version", header(version=99) + bytes(100)),
        ("gguf.damaged", header() + bytes(10)),
        ("gguf.damaged", header(tensors=2**62) + bytes(100)),
        ("gguf.damaged", header(pairs=2**62) + bytes(100)),
        ("gguf.damaged", header(pairs=1) + struct.pack("<Q", 2**63) + bytes(100)),
        ("gguf.damaged", header(pairs=1) + struct.pack("<QcIIQ", 1, b"k", 9, 4, 2**61) + bytes(100)),
        ("gguf.damaged", header(pairs=1) + struct.pack("<QcI", 1, b"k", 77) + bytes(100)),
        ("gguf.damaged", header(pairs=1) + struct.pack("<Qc", 1, b"k") + struct.pack("<IIQ", 9, 9, 1) * 5000),
        ("gguf.damaged", header() + struct.pack("<QcIQIQ", 1, b"t", 1, 2**50, 0, 0) + bytes(100)),
        ("gguf.damaged", header() + struct.pack("<QcIQIQ", 1, b"t", 1, 8, 0, 2**62) + bytes(100)),
        ("gguf.damaged", header() + struct.pack("<QcI", 1, b"t", 2**31) + bytes(100)),
        ("gguf.damaged", header(tensors=0) + bytes(100)),
    ],
)
def test_lying_files_are_refused_within_a_second(tmp_path: Path, code: str, content: bytes) -> None:
    assert refuse(tmp_path / "evil.gguf", content) == code


@given(cut=st.floats(0, 0.999))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_anywhere_is_refused(gguf_file: Path, tmp_path: Path, cut: float) -> None:
    whole = gguf_file.read_bytes()
    assert refuse(tmp_path / "cut.gguf", whole[: int(len(whole) * cut)]).startswith("gguf.")


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bits_in_the_header_never_crash_the_reader(
    gguf_file: Path, tmp_path: Path, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    content = bytearray(gguf_file.read_bytes())
    for at in generator.integers(0, 20_000, size=8):
        content[int(at)] ^= 1 << int(generator.integers(0, 8))
    path = tmp_path / "flipped.gguf"
    path.write_bytes(content)
    with suppress(StudioError):  # the only kind that may come out
        read_header(path)


@pytest.mark.slow
@pytest.mark.skipif("STUDIO_TEST_GGUF" not in os.environ, reason="names a real GGUF file")
def test_a_real_gguf_file(tmp_path: Path) -> None:
    assert convert_gguf(Path(os.environ["STUDIO_TEST_GGUF"]), tmp_path / "real", lambda _name: None) > 10**8
