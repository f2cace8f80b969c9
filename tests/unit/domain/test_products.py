"""A matrix keeps its rules whatever is tried on it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.products import (
    TITLES,
    LinkKind,
    LinkState,
    Matrix,
    Product,
    Purpose,
    Role,
    Stage,
    SynergyLink,
    Task,
    title,
)
from studio.errors import StudioError

names = st.sampled_from(["Assistant", "assistant ", "Recommender", "分析", "", "  "])
products = st.builds(
    Product,
    name=names,
    role=st.sampled_from(Role),
    purposes=st.lists(st.sampled_from(Purpose), max_size=2).map(tuple),
)


@settings(deadline=None)
@given(tried=st.lists(products, max_size=12))
def test_whatever_is_added_the_rules_hold(tried: list[Product]) -> None:
    matrix = Matrix("m")
    for product in tried:
        with contextlib.suppress(StudioError):
            matrix = matrix.with_product(product)
    assert sum(p.role is Role.CORE for p in matrix.products) <= 1
    keys = [p.name.strip().casefold() for p in matrix.products]
    assert len(keys) == len(set(keys))
    assert all(keys)
    assert not any(p.purposes for p in matrix.products if p.role is Role.CORE)


def test_a_product_is_replaced_in_its_place() -> None:
    first, second = Product("A", Role.CORE), Product("B", Role.AUXILIARY)
    matrix = Matrix("m", products=(first, second)).with_product(replace(first, name="A2"))
    assert [p.name for p in matrix.products] == ["A2", "B"]


def test_links_join_two_different_products_once() -> None:
    first, second = Product("A", Role.CORE), Product("B", Role.AUXILIARY)
    matrix = Matrix("m", products=(first, second)).with_link(SynergyLink(second.id, first.id))
    for link, code in (
        (SynergyLink(first.id, first.id), "link.self"),
        (SynergyLink(second.id, first.id), "link.exists"),
        (SynergyLink(second.id, "gone"), "product.unknown"),
    ):
        with pytest.raises(StudioError) as caught:
            matrix.with_link(link)
        assert caught.value.code == code
    assert len(matrix.with_link(SynergyLink(second.id, first.id, LinkKind.FEATURE)).links) == 2


@pytest.mark.parametrize("kind", [Role, Purpose, Stage, Task, LinkKind, LinkState])
def test_every_member_has_a_title(kind: type) -> None:
    for member in kind:
        assert title(member) == TITLES[member] != ""
