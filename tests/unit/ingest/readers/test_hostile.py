"""Hostile documents and tables end in a clear refusal, or give their good rows, within time and memory."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.ingest.readers.archives import check_archive
from tests.faults import documents, tables
from tests.faults.judged import Judge, Verdict

Read = Callable[[Path], Verdict]


@pytest.fixture(scope="module")
def judge() -> Iterator[Read]:
    made = Judge()
    yield made.judge
    made.close()


@pytest.mark.parametrize(
    ("make", "kind", "code", "rows"),
    [*documents.HOSTILE, *tables.HOSTILE],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_hostile_file(
    make: Callable[[Path], Path], kind: str, code: str, rows: int, judge: Read, tmp_path: Path
) -> None:
    verdict = judge(make(tmp_path))
    assert (verdict.kind, verdict.code, verdict.rows) == (kind, code, rows)


def test_a_bomb_is_measured_by_what_it_broke(tmp_path: Path) -> None:
    """It said 300 MB, of at most 1024 MB."""
    with pytest.raises(StudioError, match=r"unpacks to \d+ times its size \(at most 200\)"):
        check_archive(documents.zip_bomb(tmp_path), "DOCX")


def test_links_of_a_document_are_not_followed(judge: Read, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert judge(documents.external_link(tmp_path, address)).rows == 1
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_file_that_opens_without_a_password_is_read(judge: Read, tmp_path: Path) -> None:
    assert judge(documents.encrypted(tmp_path, "")).rows == 1
