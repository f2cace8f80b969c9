"""Whether a run can be computed where the user wants it, asked before it is queued."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Final

from studio.domain.runs import Placement
from studio.errors import StudioError
from studio.extras import no_ray
from studio.i18n import _

_ADDRESS: Final = re.compile(r"(ray://)?(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}")


def check_placement(placement: Placement) -> None:
    """Raise StudioError ``placement.no_address`` or ``cluster.no_ray``; whether somebody answers shows in the run."""
    if placement.kind != "ray":
        return
    if not _ADDRESS.fullmatch(placement.address):
        raise StudioError(
            "placement.no_address",
            _("“{address}” is not the address of a Ray cluster.").format(address=placement.address),
            _("Write it as Ray does, with the port: ray://head:10001."),
        )
    if find_spec("ray") is None:
        raise no_ray()
