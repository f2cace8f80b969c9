"""A worker's failure tells the shell whose turn it is."""

from __future__ import annotations

import pytest

from studio.protocol.events import Failed
from studio.services.children import JobFailed


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("import.no_rows", 2),
        ("worker.crash", 1),
        ("worker.crashed", 1),
        ("import.out_of_memory", 3),
        ("x.disk_full", 3),
    ],
)
def test_exit_codes(code: str, exit_code: int) -> None:
    assert JobFailed(Failed(code=code, message="m")).exit_code == exit_code
