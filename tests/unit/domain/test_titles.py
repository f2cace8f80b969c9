"""Names of shapes, roles and splits for a person: each its own, also where two members are equal as strings."""

from __future__ import annotations

import pytest

from studio.domain.datasets import Split, title
from studio.domain.shapes import ColumnRole, Shape


@pytest.mark.parametrize("member", [*Shape, *ColumnRole, *Split])
def test_every_member_has_a_name(member: Shape | ColumnRole | Split) -> None:
    assert title(member)


def test_a_shape_and_a_role_of_the_same_word_have_their_own_names() -> None:
    assert Shape.TEXT == ColumnRole.TEXT  # as strings
    assert (title(Shape.TEXT), title(ColumnRole.TEXT)) == ("Plain text", "Text")
    assert (title(Shape.MESSAGES), title(ColumnRole.MESSAGES)) == ("Conversations", "Conversation")
