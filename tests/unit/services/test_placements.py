"""A run is not queued for a place where it cannot be computed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from studio.domain.runs import Placement
from studio.errors import StudioError
from studio.extras import install_command
from studio.services.placements import check_placement


@pytest.mark.parametrize(
    "address", ["", "head", "http://head:1", "ray://head", "ray://head:x", "head:6379; rm"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(StudioError) as caught:
        check_placement(Placement(kind="ray", address=address))
    assert caught.value.code == "placement.no_address"
    assert "ray://head:10001" in caught.value.hint


@pytest.mark.parametrize("address", ["ray://head:10001", "10.0.0.7:6379", "ray://[fe80::1]:10001"])
def test_a_cluster_needs_the_package(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Placement(kind="ray", address=address)
    missing = {"ray": None}
    monkeypatch.setattr(
        "studio.services.placements.find_spec", lambda name: missing.get(name, find_spec(name))
    )
    with pytest.raises(StudioError) as caught:
        check_placement(place)
    assert caught.value.code == "cluster.no_ray"
    assert install_command("cluster") in caught.value.hint
    missing.clear()
    monkeypatch.setattr("studio.services.placements.find_spec", lambda name: find_spec("json"))
    check_placement(place)


def test_this_computer_needs_nothing() -> None:
    check_placement(Placement())
    check_placement(Placement(kind="processes", processes=2))
