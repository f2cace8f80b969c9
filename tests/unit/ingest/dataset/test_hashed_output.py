"""A file that is hashed and sent to the disk while it is written."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import threading
from pathlib import Path

import pytest

from studio.ingest.dataset import hashed_output
from studio.ingest.dataset.hashed_output import HashedOutput

PORTION = os.urandom(64 << 10)


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashed_output, "_SYNC_EVERY_BYTES", 2 * len(PORTION))


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with HashedOutput(path) as output:
        for _portion in range(9):
            assert output.write(PORTION) == len(PORTION)
    assert path.read_bytes() == 9 * PORTION
    assert output.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_portions_are_on_the_disk_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    synced = threading.Event()

    def sync(number: int) -> None:
        sizes.append(os.fstat(number).st_size)
        synced.set()

    monkeypatch.setattr(hashed_output, "_to_disk", sync)
    with HashedOutput(tmp_path / "rows") as output:
        output.write(PORTION)
        assert not sizes
        output.write(PORTION)
        assert synced.wait(10)
        assert sizes[0] >= 2 * len(PORTION)


def _fail(_number: int) -> None:
    raise OSError(errno.EIO, "broken")


def test_a_disk_that_failed_a_portion_is_told_with_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashed_output, "_to_disk", _fail)
    output = HashedOutput(tmp_path / "rows")
    with pytest.raises(OSError, match="broken"):
        output.writelines(itertools.repeat(PORTION, 10_000))
    assert output.error is not None
    with pytest.raises(OSError, match="broken"):
        output.close()


def test_a_disk_that_failed_the_last_portion_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashed_output, "_to_disk", _fail)
    output = HashedOutput(tmp_path / "rows")
    output.write(2 * PORTION)
    with pytest.raises(OSError, match="broken"):
        output.close()
    assert output.closed
    assert output.error is not None
    assert output.error.errno == errno.EIO
