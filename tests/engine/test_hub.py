"""Fetching a model over real HTTP: what is taken, what is refused, and going on after interruptions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from studio.engine import hub_transfer
from studio.engine.hub import Fetcher
from studio.engine.hub_listing import list_model
from studio.engine.hub_transfer import discard, parts_folder
from studio.engine.loading import load_model, load_tokenizer
from studio.errors import StudioError
from studio.protocol.codec import decode_event, encode
from studio.protocol.commands import Cancel
from studio.protocol.events import Cancelled, Event, Failed, Finished, Log, Progress
from tests.helpers.hub_server import HubServer

HUBS = ["mirror", "modelscope"]


@pytest.fixture
def server(tiny_model_dir: Path) -> Iterator[HubServer]:
    with HubServer(tiny_model_dir) as running:
        running.extra = {
            "pytorch_model.bin": b"pickle",
            "modeling_tiny.py": b"raise SystemExit",
            "README.md": b"# Tiny",
            "LICENSE": b"Apache",
            "consolidated.safetensors": b"twice",
            "../escape.json": b"{}",
        }
        yield running


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_transfer, "RETRY_S", 0.001)


class Job:
    """A fetcher and what it said."""

    def __init__(self, target: Path) -> None:
        self.hosts: list[str] = []
        self.progress: list[tuple[int, int]] = []
        self.stop_at: int | None = None
        self.target = target

    def check(self) -> None:
        if self.stop_at is not None and self.progress and self.progress[-1][0] >= self.stop_at:
            raise InterruptedError

    def fetch(self, server: HubServer, hub: str = "mirror", repo: str = "tiny/llama") -> int:
        fetcher = Fetcher(
            self.target,
            on_host=self.hosts.append,
            on_progress=lambda done, total: self.progress.append((done, total)),
            check=self.check,
        )
        return fetcher.fetch(hub, server.url, repo)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "models" / "tiny")


def failure(job: Job, server: HubServer, **more: str) -> StudioError:
    with pytest.raises(StudioError) as raised:
        job.fetch(server, **more)
    return raised.value


@pytest.mark.parametrize("hub", HUBS)
def test_a_fetched_model_works_and_holds_nothing_that_could_run(
    server: HubServer, job: Job, hub: str, tiny_model_dir: Path
) -> None:
    parameters = job.fetch(server, hub)
    names = {path.name for path in job.target.iterdir()}
    assert names == {p.name for p in tiny_model_dir.iterdir()} | {"LICENSE", "studio.json"}
    assert sum(p.numel() for p in load_model(job.target).parameters()) == parameters
    assert load_tokenizer(job.target).chat_template
    assert set(job.hosts) == {"127.0.0.1"}
    assert job.progress[-1][0] == job.progress[-1][1] > 0
    assert {p.name for p in job.target.parent.iterdir()} == {"tiny"}
    assert not (job.target.parent / "escape.json").exists()


def test_source_and_licence_are_noted(server: HubServer, job: Job) -> None:
    job.fetch(server)
    facts = json.loads((job.target / "studio.json").read_text())
    assert (facts["source"], facts["licence"], facts["format"]) == ("tiny/llama", "apache-2.0", "hub")


@pytest.mark.parametrize("hub", HUBS)
def test_a_broken_transfer_goes_on_where_it_broke(server: HubServer, job: Job, hub: str) -> None:
    server.cut_after, server.cuts = 50_000, 2
    job.fetch(server, hub)
    ranges = [wanted for _path, wanted in server.requests if wanted]
    assert "bytes=50000-" in ranges
    assert "bytes=100000-" in ranges
    load_model(job.target)


def test_an_interrupted_job_goes_on_in_the_next(
    server: HubServer, job: Job, tmp_path: Path, tiny_model_dir: Path
) -> None:
    weights = (tiny_model_dir / "model.safetensors").stat().st_size
    server.cut_after, server.cuts = 100_000, 1
    job.stop_at = 100_000
    with pytest.raises(InterruptedError):
        job.fetch(server)
    assert parts_folder(job.target).is_dir()
    assert not job.target.exists()
    sent = server.sent_bytes
    server.cuts = 0
    Job(job.target).fetch(server)
    assert server.sent_bytes - sent < weights
    load_model(job.target)


def test_a_server_without_ranges_is_asked_from_the_start(server: HubServer, job: Job) -> None:
    server.cut_after, server.cuts, server.ignore_ranges = 50_000, 1, True
    job.fetch(server)
    load_model(job.target)
    assert all(done <= total for done, total in job.progress)


def test_parts_of_another_revision_are_dropped(server: HubServer, job: Job) -> None:
    parts = parts_folder(job.target)
    parts.mkdir(parents=True)
    (parts / ".revision").write_text("mirror tiny/llama older")
    (parts / "config.json").write_text("{}")
    job.fetch(server)
    load_model(job.target)


@pytest.mark.parametrize("hub", HUBS)
def test_wrong_bytes_are_never_published(server: HubServer, job: Job, hub: str) -> None:
    server.corrupt = True
    assert failure(job, server, hub=hub).code == "hub.corrupt"
    assert not job.target.exists()


@pytest.mark.parametrize("hub", HUBS)
def test_an_unknown_model_is_told(server: HubServer, job: Job, hub: str) -> None:
    assert failure(job, server, hub=hub, repo="no/such").code == "hub.not_found"


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "hub.no_access"), (403, "hub.no_access"), (500, "hub.unreachable"), (200, "hub.answer")],
)
def test_refusals_of_the_hub(server: HubServer, job: Job, hub: str, status: int, code: str) -> None:
    server.status = status
    assert failure(job, server, hub=hub).code == code
    assert list(job.target.parent.iterdir()) == []


@pytest.mark.parametrize("hub", HUBS)
def test_a_model_that_must_be_agreed_to(server: HubServer, job: Job, hub: str) -> None:
    server.gated = True
    assert failure(job, server, hub=hub).code == "hub.no_access"
    assert not job.target.exists()


@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_that_is_not_there(server: HubServer, job: Job, hub: str, tmp_path: Path) -> None:
    gone = HubServer(tmp_path)
    gone._server.server_close()  # its port is free again, nobody listens
    assert failure(job, gone, hub=hub).code == "hub.unreachable"


def test_a_transfer_that_never_moves_is_given_up(server: HubServer, job: Job) -> None:
    server.cut_after, server.cuts = 0, 10**6
    assert failure(job, server).code == "hub.unreachable"


@pytest.mark.parametrize("repo", ["", "tiny", "../../etc", "a/b/c", "tiny/llama?x=1", "http://x/y"])
def test_names_that_are_none(server: HubServer, job: Job, repo: str) -> None:
    assert failure(job, server, repo=repo).code == "hub.bad_name"
    assert server.requests == []


def test_a_model_of_pickles_only_is_refused(tmp_path: Path, job: Job) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "pytorch_model.bin").write_bytes(b"pickle")
    with HubServer(tmp_path / "hub") as server:
        assert failure(job, server).code == "model.no_weights"


def test_a_folder_that_is_there_is_not_touched(server: HubServer, job: Job) -> None:
    job.target.mkdir(parents=True)
    assert failure(job, server).code == "model.exists"
    assert server.requests == []


def test_two_fetches_of_one_model_exclude_each_other(server: HubServer, job: Job) -> None:
    job.target.parent.mkdir(parents=True)
    with FileLock(str(parts_folder(job.target)) + ".lock"):
        assert failure(job, server).code == "hub.busy"


def test_only_the_wanted_hub_is_contacted(server: HubServer, job: Job) -> None:
    job.fetch(server)
    assert set(job.hosts) == {"127.0.0.1"}
    asked = {path.split("?")[0] for path, _range in server.requests}
    assert "/api/models/tiny/llama" in asked
    assert not [path for path in asked if "tiny/llama" not in path and not path.startswith("/cdn/")]


def test_the_callers_patterns_narrow_what_is_taken(server: HubServer) -> None:
    listing = list_model(
        "mirror", server.url, "tiny/llama", ["*.safetensors", "*.py", "config.json"], lambda _host: None
    )
    assert {file.path for file in listing.files} == {"model.safetensors", "config.json"}


class TestWorker:
    def start(self, server: HubServer, target: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "studio", "worker", "fetch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "STUDIO_LANGUAGE": "en"},
        )
        payload = {"repo": "tiny/llama", "endpoint": server.url, "hub": "mirror", "out_dir": str(target)}
        assert process.stdin
        process.stdin.write(json.dumps(payload) + "\n")
        process.stdin.flush()
        return process

    def events(self, process: subprocess.Popen[str]) -> Iterator[Event]:
        assert process.stdout
        for line in process.stdout:
            event = decode_event(line)
            assert event is not None
            yield event

    def close(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(20)
        process.stdout.close()

    def test_fetches_and_tells_hosts_and_progress(self, server: HubServer, tmp_path: Path) -> None:
        process = self.start(server, tmp_path / "tiny")
        seen = list(self.events(process))
        self.close(process)
        assert isinstance(seen[-1], Finished)
        assert seen[-1].result["path"] == str(tmp_path / "tiny")
        assert [e.message for e in seen if isinstance(e, Log)] == ["outbound 127.0.0.1"]
        last = [e for e in seen if isinstance(e, Progress)][-1]
        assert last.done == last.total
        load_model(tmp_path / "tiny")

    def test_cancel_drops_everything(self, server: HubServer, tmp_path: Path) -> None:
        server.chunk_delay_s = 0.2
        process = self.start(server, tmp_path / "tiny")
        events = self.events(process)
        next(e for e in events if isinstance(e, Progress))
        assert process.stdin
        process.stdin.write(encode(Cancel()) + "\n")
        process.stdin.flush()
        assert isinstance(list(events)[-1], Cancelled)
        self.close(process)
        assert list(tmp_path.iterdir()) == []

    def test_when_the_parent_goes_the_parts_stay(self, server: HubServer, tmp_path: Path) -> None:
        server.chunk_delay_s = 0.2
        process = self.start(server, tmp_path / "tiny")
        next(e for e in self.events(process) if isinstance(e, Progress))
        self.close(process)
        assert parts_folder(tmp_path / "tiny").is_dir()
        discard(tmp_path / "tiny")
        assert list(tmp_path.iterdir()) == []

    def test_a_refusal_is_the_last_word(self, server: HubServer, tmp_path: Path) -> None:
        server.status = 403
        process = self.start(server, tmp_path / "tiny")
        last = list(self.events(process))[-1]
        self.close(process)
        assert isinstance(last, Failed)
        assert last.code == "hub.no_access"
