"""What is exported and imported again is what it was: every shape, every format, any text."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.domain.datasets import ImportSpec
from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.content import json_text
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import store_content
from studio.ingest.export.exporter import Exporter
from studio.ingest.importer import Importer
from tests.helpers.examples import examples
from tests.unit.ingest.versions.helpers import Row, make_dataset, table

# An import takes a while: a failing example is told as it is, not made smaller.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
FORMATS = ("csv", "jsonl", "xlsx", "parquet")
TRICKY = [
    "=1+1", "+49 170 1234567", "-5", "-5 apples", "@SUM(A1)", "\tTAB", "\rCR", "'quoted", "''", "00123", "NA", "null",
    "None", " leading", "trailing ", "a\nb", "a\r\nb", 'say "hi"', "a,b;c|d\te", "😀", "中文，标点", "_x000D_", "1e5",
    "2024-01-02", "TRUE", '{"role": "user", "content": "x"}', "[1, 2]", "e\u0301", "\u200b-", "<b>", "&amp;",
    "a\u2028b",
]  # fmt: skip
ANY = st.one_of(
    st.sampled_from(TRICKY),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), min_size=1, max_size=20
    ),
).filter(lambda text: text.strip() != "")
LABEL = st.one_of(st.none(), ANY.map(str.strip).filter(lambda text: text not in ("[]",)))
MAYBE = st.one_of(st.none(), ANY)
NUMBER = st.sampled_from(["-5", "+3", "0", "00123", "1e-4", "3.14", ".5"])
NAME = ANY.map(str.strip)


@st.composite
def conversation(draw: st.DrawFn, *, system: bool = True, empty: bool = False) -> str | None:
    turns = draw(
        st.lists(ANY, min_size=0 if empty else 2, max_size=4).filter(lambda texts: len(texts) % 2 == 0)
    )
    if not turns:
        return None
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]
    if system and draw(st.booleans()):
        messages.insert(0, {"role": "system", "content": draw(ANY)})
    return json_text(messages)


def plain(labels: list[str]) -> str | None:
    kept = sorted({label.strip() for label in labels if label.strip()})
    return json_text(kept) if kept else None


HISTORY = conversation(system=False, empty=True)
ROWS: dict[Shape, st.SearchStrategy[tuple[str | None, ...]]] = {
    Shape.PROMPT_RESPONSE: st.tuples(MAYBE, ANY, ANY),
    Shape.MESSAGES: st.tuples(conversation()),
    Shape.PREFERENCE: st.tuples(MAYBE, HISTORY, ANY, ANY, ANY),
    Shape.THUMBS: st.tuples(MAYBE, HISTORY, ANY, ANY, st.sampled_from(["up", "down"])),
    Shape.TEXT: st.tuples(ANY),
    Shape.TEXT_LABEL: st.tuples(ANY, LABEL),
    Shape.TEXT_LABELS: st.tuples(ANY, st.lists(ANY, max_size=3).map(plain)),
    Shape.TEXT_NUMBER: st.tuples(ANY, NUMBER),
    Shape.RATINGS: st.tuples(NAME, NAME, NUMBER, st.one_of(st.none(), NAME)),
}


def exported_and_back(
    shape: Shape, rows: list[Row], form: str, place: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    make_dataset(place / "sets" / "v1", shape, rows)
    out = place / f"out.{form}"
    result = Exporter(place / "sets" / "v1", lambda _event: None, lambda: None).run(form, out)
    assert (result["path"], result["rows"], result["size_bytes"]) == (str(out), len(rows), out.stat().st_size)
    spec = ImportSpec(source=str(out), shape=shape)
    version = Importer(spec, place / "sets" / "back", lambda _event: None, lambda: None).run("back")
    rejected = (place / "sets" / "back" / "rejected.jsonl").read_text()
    assert (version.shape, version.rejected, rejected) == (shape, 0, "")
    content = ["split", *SHAPES[shape].stored]
    return table(place / "sets" / "v1").select(content), table(place / "sets" / "back").select(content)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("shape", list(ROWS))
@settings(max_examples=examples(9), deadline=None, phases=QUICK, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_is_lost(shape: Shape, form: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(ROWS[shape], min_size=4, max_size=8))
    with tempfile.TemporaryDirectory() as place:
        before, after = exported_and_back(shape, rows, form, Path(place))
    assert after.drop("split").to_dicts() == before.drop("split").to_dicts()


@pytest.mark.parametrize("form", FORMATS)
def test_tricky_cells_and_their_splits(form: str, tmp_path: Path) -> None:
    rows = [(text, f"answer {place}") for place, text in enumerate(TRICKY * 3)]
    rows = [(None, *row) for row in rows]  # type: ignore[misc]
    before, after = exported_and_back(Shape.PROMPT_RESPONSE, rows, form, tmp_path)
    assert after.to_dicts() == before.to_dicts(), "the same content is in the same split again"


@pytest.mark.parametrize("form", FORMATS)
def test_judged_answers_without_a_conversation_keep_their_columns(form: str, tmp_path: Path) -> None:
    rows = [("be kind", None, f"q{i}", '{"role": "assistant", "content": "x"}', "=bad") for i in range(5)]
    before, after = exported_and_back(Shape.PREFERENCE, rows, form, tmp_path)
    assert after.drop("split").to_dicts() == before.drop("split").to_dicts()


def test_json_is_json(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    exported_and_back(Shape.MESSAGES, [(json_text(talk),)] * 2, "jsonl", tmp_path)
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["messages"] == talk


@pytest.mark.parametrize("name", ["out.zip", "out"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_pictures_come_back(form: str, name: str, tmp_path: Path) -> None:
    sets, rows = tmp_path / "sets", []
    for at, label in enumerate(["a/b", "猫", None, "=x"] * 2):
        stream = io.BytesIO()
        Image.new("RGB", (8 + at, 9), (at * 20, 1, 2)).save(stream, "PNG")
        rows.append((store_content(stream.getvalue(), FileStore(sets / "images"), "png"), label))
    make_dataset(sets / "v1", Shape.IMAGE_LABEL, rows)
    Exporter(sets / "v1", lambda _event: None, lambda: None).run(form, tmp_path / name)
    spec = ImportSpec(source=str(tmp_path / name))
    version = Importer(spec, sets / "back", lambda _event: None, lambda: None).run("back")
    assert (version.shape, version.rejected) == (Shape.IMAGE_LABEL, 0)
    assert table(sets / "back").select("image", "label").rows() == rows
