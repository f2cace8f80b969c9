"""What an import says of its rows beside their number."""

from __future__ import annotations

import pytest

from studio.cli.importing import _questions
from studio.domain.datasets import ImportSpec
from studio.domain.shapes import ColumnRole, Shape
from tests.helpers.matrix_data import dataset

ANSWERS = {"text": ColumnRole.RESPONSE}


@pytest.mark.parametrize(
    ("shape", "roles", "said"),
    [
        (Shape.PROMPT_RESPONSE, ANSWERS, ["3 rows still need a question: "]),
        (Shape.PROMPT_RESPONSE, {**ANSWERS, "title": ColumnRole.PROMPT}, []),
        (Shape.TEXT, {"text": ColumnRole.TEXT}, []),
    ],
)
def test_rows_that_wait_for_a_question_are_counted(
    shape: Shape, roles: dict[str, ColumnRole], said: list[str]
) -> None:
    made = dataset(rows=3, shape=shape, spec=ImportSpec(source="m.pdf", roles=roles))
    assert [words[: len("3 rows still need a question: ")] for words in _questions(made)] == said
