"""Small things that are done with files."""

from __future__ import annotations

from pathlib import Path

from studio.services.files import size_of


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    """An export of images is one; its own entry says 4,096 bytes whatever is in it."""
    (tmp_path / "images" / "cats").mkdir(parents=True)
    (tmp_path / "labels.csv").write_bytes(b"a" * 10)
    (tmp_path / "images" / "cats" / "1.png").write_bytes(b"b" * 5000)
    assert size_of(tmp_path) == 5010
    assert size_of(tmp_path / "labels.csv") == 10
