"""What an import keeps of how it was done."""

from __future__ import annotations

from pathlib import Path

from studio.domain.shapes import ColumnRole, Shape
from tests.unit.ingest.helpers import run_import


def test_the_spec_is_kept_with_what_was_detected(tmp_path: Path) -> None:
    """Without it a recipe of this dataset would not know what the columns of the next file are for."""
    source = tmp_path / "a.csv"
    source.write_text("id,question,answer\n1,Where is it?,Here.\n2,When?,Now.\n")
    version = run_import(source, tmp_path / "sets" / "a")
    assert version.spec.shape is Shape.PROMPT_RESPONSE
    assert version.spec.roles == {"question": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE}


def test_the_spec_can_be_repeated(tmp_path: Path) -> None:
    """A label that waits for all rows: the roles alone would say plain text."""
    source = tmp_path / "a.csv"
    source.write_text("text,seen\n" + "".join(f"some words about {i},{i}\n" for i in range(20)))
    first = run_import(source, tmp_path / "sets" / "a", shape=Shape.TEXT_LABEL)
    again = run_import(source, tmp_path / "sets" / "b", shape=first.spec.shape, roles=first.spec.roles)
    assert (again.shape, again.content_sha256) == (Shape.TEXT_LABEL, first.content_sha256)
