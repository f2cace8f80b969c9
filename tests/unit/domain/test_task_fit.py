"""What a founder is told whose data does not suit the product."""

from __future__ import annotations

import pytest

from studio.domain.products import Task
from studio.domain.shapes import Shape
from studio.domain.task_fit import advice, learns_from, mismatch_words


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("shape", Shape)
def test_every_mismatch_has_a_reason_and_a_way_out(shape: Shape, task: Task) -> None:
    found = advice(shape, task, "csv")
    assert found.fits == learns_from(task, shape)
    if found.fits:
        assert not found.offers
        return
    assert found.message
    assert found.offers
    for offer in found.offers:
        # Whoever takes it has a product that learns from the data.
        assert learns_from(offer.task or task, offer.shape)
        assert offer.explanation


def test_running_text_for_a_conversation_is_no_conversation() -> None:
    found = advice(Shape.TEXT, Task.CHAT, "pdf")
    assert not found.fits
    assert [offer.shape for offer in found.offers] == [Shape.PROMPT_RESPONSE, Shape.TEXT]


@pytest.mark.parametrize(
    ("shape", "word"),
    [(Shape.TEXT_LABEL, "label"), (Shape.TEXT_LABELS, "label"), (Shape.TEXT_NUMBER, "number")],
)
def test_what_stands_beside_the_texts_is_called_by_its_name(shape: Shape, word: str) -> None:
    assert advice(shape, Task.CHAT, "csv").message.endswith(f"each text has a {word}.")


def test_texts_can_be_labelled_for_a_product_that_sorts_them() -> None:
    first, *_others = advice(Shape.TEXT, Task.CLASSIFY_TEXT, "txt").offers
    assert (first.shape, first.task) == (Shape.TEXT_LABEL, None)


def test_data_that_does_not_suit_the_product_is_told_with_the_way_out() -> None:
    words = mismatch_words(Task.CHAT, Shape.IMAGE_LABEL)
    assert "cannot learn" in words
    assert "Recognises pictures" in words
    assert mismatch_words(Task.CLASSIFY_IMAGES, Shape.IMAGE_LABEL) == ""
