"""Fetching a dataset over real HTTP: what is taken, what is refused, what is not fetched twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.engine import hub_data, hub_transfer
from studio.engine.hub_data import DataFetcher, FetchedData
from studio.engine.hub_transfer import parts_folder
from studio.errors import StudioError
from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Cancel
from studio.protocol.events import Cancelled, Finished, Log
from tests.helpers.hub_server import HubServer

HUBS = ["mirror", "modelscope"]
CSV = b"question,answer\nq,a\n"
PARQUET = b"PAR1" + bytes(range(256)) * 800
CARD = b"---\nlicense: cc-by-4.0\ntags:\n- x\n---\n# FAQ\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    (tmp_path / "empty").mkdir()
    with HubServer(tmp_path / "empty") as running:
        running.dataset = {
            "README.md": CARD,
            "faq.csv": CSV,
            "data/train-00000-of-00001.parquet": PARQUET,
            "faq.py": b"raise SystemExit",
            "model.pkl": b"pickle",
            ".gitattributes": b"x",
            "dataset_infos.json": b"{}",
            "../escape.csv": b"no",
            "a/../../escape.csv": b"no",
            "/etc/escape.csv": b"no",
            "LICENSE/../../escape.csv": b"no",
        }
        yield running


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_transfer, "RETRY_S", 0.001)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "fetched" / "faq"


def fetch(
    server: HubServer,
    target: Path,
    hub: str = "mirror",
    repo: str = "tiny/llama",
    files: tuple[str, ...] = (),
) -> FetchedData:
    fetcher = DataFetcher(
        target, on_host=lambda _h: None, on_progress=lambda _d, _t: None, check=lambda: None
    )
    return fetcher.fetch(hub, server.url, repo, files)


def failure(server: HubServer, target: Path, **more: str) -> str:
    with pytest.raises(StudioError) as raised:
        fetch(server, target, **more)  # type: ignore[arg-type]
    return raised.value.code


@pytest.mark.parametrize("hub", HUBS)
def test_only_data_and_the_card_are_taken(server: HubServer, target: Path, hub: str) -> None:
    data = fetch(server, target, hub)
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert found == {"README.md", "studio.json", "data/faq.csv", "data/data/train-00000-of-00001.parquet"}
    assert data.folder == target / "data"
    assert sorted(data.files) == ["data/train-00000-of-00001.parquet", "faq.csv"]
    assert (data.folder / "data/train-00000-of-00001.parquet").read_bytes() == PARQUET
    assert not list(target.parent.parent.rglob("escape.csv"))
    assert [path.name for path in target.parent.iterdir()] == ["faq"]


def test_the_licence_is_the_hubs_or_the_cards(server: HubServer, target: Path) -> None:
    assert fetch(server, target).licence == "apache-2.0"
    info = server.huggingface_info
    server.huggingface_info = lambda files=None: {**info(files), "cardData": None}  # type: ignore[method-assign]
    assert fetch(server, target.with_name("second")).licence == "cc-by-4.0"
    assert json.loads((target / "studio.json").read_text())["files"]["data/faq.csv"]["bytes"] == len(CSV)


@pytest.mark.parametrize("hub", HUBS)
def test_a_broken_transfer_goes_on_where_it_broke(server: HubServer, target: Path, hub: str) -> None:
    server.cut_after, server.cuts = 50_000, 2
    data = fetch(server, target, hub)
    assert {wanted for _path, wanted in server.requests if wanted} == {"bytes=50000-", "bytes=100000-"}
    assert (data.folder / "data/train-00000-of-00001.parquet").read_bytes() == PARQUET


def test_a_wrong_file_is_not_taken(server: HubServer, target: Path) -> None:
    server.corrupt = True
    assert failure(server, target) == "hub.corrupt"
    assert not target.exists()


def test_the_same_revision_is_not_fetched_twice_and_a_new_one_goes_beside(
    server: HubServer, target: Path
) -> None:
    fetch(server, target)
    server.requests.clear()
    assert fetch(server, target).folder == target / "data"
    assert [path.split("?")[0] for path, _range in server.requests] == ["/api/datasets/tiny/llama"]


def test_a_new_revision_goes_beside_the_old_one(server: HubServer, target: Path) -> None:
    fetch(server, target)
    server.revision = "f" * 40
    server.dataset["faq.csv"] = CSV + b"q2,a2\n"
    newer = fetch(server, target)
    assert newer.folder.parent.name == "faq-ffffffffffff"
    assert (target / "data" / "faq.csv").read_bytes() == CSV
    assert (newer.folder / "faq.csv").read_bytes() == CSV + b"q2,a2\n"


@pytest.mark.slow
def test_many_files_are_listed_page_by_page(server: HubServer, target: Path) -> None:
    server.dataset |= {f"part{number}.txt": b"text" for number in range(250)}
    assert len(fetch(server, target, "modelscope").files) == 252


def test_chosen_files_only(server: HubServer, target: Path) -> None:
    assert fetch(server, target, files=("*.csv",)).files == ["faq.csv"]


def test_refusals(server: HubServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure(server, target, repo="tiny/unknown") == "hub.not_found"
    assert failure(server, target, repo="tiny/unknown", hub="modelscope") == "hub.not_found"
    assert failure(server, target, repo="../etc") == "hub.bad_name"
    with monkeypatch.context() as patched:
        patched.setattr(hub_data, "MAX_BYTES", 1000)
        assert failure(server, target) == "hub.too_large"
    server.gated = True
    assert failure(server, target) == "hub.no_access"
    server.dataset = {"faq.py": b"", "README.md": CARD}
    assert failure(server, target) == "hub.no_data"
    assert not target.exists()


def run_worker(server: HubServer, target: Path, *, cancel: bool = False) -> list[object]:
    payload = {"repo": "tiny/llama", "hub": "mirror", "endpoint": server.url, "out_dir": str(target)}
    lines = json.dumps(payload) + "\n" + (encode(Cancel()) + "\n" if cancel else "")
    child = subprocess.Popen(
        [sys.executable, "-m", "studio", "worker", "fetch-dataset"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LANGUAGE": "en"},
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(lines)
    child.stdin.flush()
    events = [decode_event(line) for line in child.stdout]
    child.stdin.close()
    child.stdout.close()
    assert child.wait(30) == 0
    return events


def test_the_job_tells_hosts_and_ends_with_folder_and_licence(server: HubServer, target: Path) -> None:
    events = run_worker(server, target)
    assert [event.message for event in events if isinstance(event, Log)] == ["outbound 127.0.0.1"]
    last = events[-1]
    assert isinstance(last, Finished)
    assert (last.result["path"], last.result["licence"]) == (str(target / "data"), "apache-2.0")
    assert "faq.csv" in last.result["files"]


def test_a_cancelled_job_leaves_nothing(server: HubServer, target: Path) -> None:
    server.chunk_delay_s = 0.2
    events = run_worker(server, target, cancel=True)
    assert isinstance(events[-1], Cancelled)
    assert not target.exists()
    assert not parts_folder(target).exists()
