"""Too short and too long: by a real tokenizer and by characters; what is cut keeps its meaning and its limit."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.doctor.checks.too_long import TooLong
from studio.ingest.doctor.lengths import TokenCounter, row_tokens
from tests.unit.ingest.doctor.helpers import applied, chat, examined, finding, make_dataset

TEXT = "A sentence about shoes. Another one about hats! 这是一个句子。再来一句？ " * 12


@pytest.fixture(scope="module")
def tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    return str(folder)


@pytest.fixture(params=["tokenizer", "characters"])
def counter(request: pytest.FixtureRequest, tokenizer_dir: str) -> TokenCounter:
    return TokenCounter(tokenizer_dir if request.param == "tokenizer" else None)


def test_no_tokenizer_is_a_clear_error(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "d", Shape.TEXT, [{"text": "abc"}])
    with pytest.raises(StudioError, match=r"tokenizer\.json") as raised:
        examined(folder, tokenizer_dir=str(tmp_path))
    assert raised.value.code == "doctor.tokenizer"


def test_shortcuts_give_the_real_counts(counter: TokenCounter) -> None:
    texts = [TEXT[:size] for size in (1, 3, 10, 40, 200, 500)]
    real = counter.count(texts)
    for low, high in ((5, 60), (2, 1024), (30, 100)):
        between = counter.count_between(pl.Series(texts), low, high).to_list()
        assert [n < low for n in between] == [n < low for n in real]
        frame = pl.DataFrame({"text": texts})
        rows = row_tokens(frame, Shape.TEXT, counter, high, high).to_list()
        assert [n > high for n in rows] == [n > high for n in real]


@pytest.mark.parametrize("limit", [1, 2, 7, 50])
def test_pieces_keep_every_character_and_the_limit(counter: TokenCounter, limit: int) -> None:
    pieces = TooLong(counter, limit).pieces(TEXT)
    assert "".join("".join(pieces).split()) == "".join(TEXT.split())
    if limit > 4:  # a Chinese character alone may have three tokens
        assert max(counter.count(pieces)) <= limit


def test_pieces_end_with_sentences() -> None:
    pieces = TooLong(TokenCounter(None), 30).pieces(TEXT)
    assert all(piece[-1] in ".!。？" for piece in pieces)


@pytest.mark.parametrize("limit", [20, 60])
def test_a_cut_row_ends_at_the_limit(tmp_path: Path, tokenizer_dir: str, limit: int) -> None:
    rows = [{"prompt": "Tell me", "response": TEXT}, {"prompt": TEXT, "response": "Yes"}]
    folder = make_dataset(tmp_path / "d", Shape.PROMPT_RESPONSE, rows)
    limits = {"max_tokens": limit, "tokenizer_dir": tokenizer_dir}
    found = finding(examined(folder, **limits), FindingKind.TOO_LONG)
    assert found
    assert found.rows == 2
    cut = next(option for option in found.fixes if option.action is FixAction.CUT)
    assert cut.rows_changed == 1  # the other's question alone is too long
    step = FixStep(finding=FindingKind.TOO_LONG, action=FixAction.CUT, **limits)
    _outcome, after = applied(folder, step, Shape.PROMPT_RESPONSE, tmp_path / "out")
    counts = TokenCounter(tokenizer_dir).count([after["prompt"][0], after["response"][0]])
    assert limit - 2 <= sum(counts) <= limit
    assert TEXT.startswith(after["response"][0])
    assert after["prompt"].to_list() == [row["prompt"] for row in rows]


def test_a_cut_conversation_ends_with_an_answer(tmp_path: Path) -> None:
    folder = make_dataset(
        tmp_path / "d", Shape.MESSAGES, [{"messages": chat("q" * 20, "a" * 20, "r" * 20, "b" * 900)}]
    )
    step = FixStep(finding=FindingKind.TOO_LONG, action=FixAction.CUT, max_tokens=50)
    outcome, after = applied(folder, step, Shape.MESSAGES, tmp_path / "out")
    assert outcome.changed == 1
    assert json.loads(after["messages"][0])[-1] == {"role": "assistant", "content": "a" * 20}


def test_pieces_stay_in_the_split_of_their_row(tmp_path: Path) -> None:
    folder = make_dataset(
        tmp_path / "d", Shape.TEXT, [{"text": TEXT, "split": "test"}, {"text": "short one"}]
    )
    step = FixStep(finding=FindingKind.TOO_LONG, action=FixAction.PIECES, max_tokens=60)
    outcome, after = applied(folder, step, Shape.TEXT, tmp_path / "out")
    assert (outcome.changed, outcome.added) == (1, after.height - 2)
    assert after["split"].to_list() == ["test"] * (after.height - 1) + ["train"]
    assert after["row"][0] == 1
    assert after["origin"].to_list() == [None, *["added"] * outcome.added, None]


@pytest.mark.parametrize("action", [FixAction.PIECES, FixAction.CUT])
def test_a_text_of_separators_only_stays_as_it_is(tmp_path: Path, action: FixAction) -> None:
    """They are blank to Python's strip, not to the import: nothing would be left of it."""
    separators = "\x1c\x1d\x1e\x1f" * 500
    folder = make_dataset(tmp_path / "d", Shape.TEXT, [{"text": separators}, {"text": TEXT}])
    step = FixStep(finding=FindingKind.TOO_LONG, action=action, max_tokens=60)
    outcome, after = applied(folder, step, Shape.TEXT, tmp_path / "out")
    assert outcome.changed == 1
    assert after.row(0, named=True)["text"] == separators
    assert "".join("".join(after["text"][1:]).split()) in "".join(TEXT.split())


def test_short_answers(tmp_path: Path) -> None:
    rows = [
        {"prompt": "A long question about many things", "response": "k"},
        {"prompt": "Hi", "response": "Hello you"},
    ]
    found = finding(
        examined(make_dataset(tmp_path / "d", Shape.PROMPT_RESPONSE, rows)), FindingKind.TOO_SHORT
    )
    assert found
    assert [(example.row, example.column) for example in found.examples] == [(1, "response")]
