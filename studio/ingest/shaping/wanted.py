"""Which source column fills which cell of a shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.domain.datasets import title
from studio.domain.shapes import SHAPES, ColumnRole, Shape, missing_roles
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest import errors
from studio.words import listed

TURN_PREFIX = (
    "turn"  # turn000_user, turn001_assistant, …: cells of a conversation in turn columns, left to right
)


def wanted_columns(shape: Shape, roles: Mapping[str, ColumnRole], available: Sequence[str]) -> dict[str, str]:
    """Cell name -> source column; a cell is named as its role, turn columns are numbered.

    Raises StudioError import.columns when roles and columns do not give the shape what it needs.
    """
    columns = SHAPES[shape]
    usable = frozenset[ColumnRole]().union(*columns.needed, columns.optional)
    for name, role in roles.items():
        if role in usable and name not in available:
            raise errors.columns(_("There is no column “{name}” in the file.").format(name=name))
    wanted: dict[str, str] = {}
    for column in available:
        role = roles.get(column, ColumnRole.IGNORE)
        if role not in usable:
            continue
        cell = _turn(len(wanted), role) if role in columns.repeated else role.value
        if cell in wanted:
            names = listed([wanted[cell], column])
            raise errors.columns(_("Two columns have the same purpose: {names}.").format(names=names))
        wanted[cell] = column
    missing = missing_roles(shape, roles.values())
    if missing:
        raise _incomplete(missing, available)
    return wanted


def _turn(number: int, role: ColumnRole) -> str:
    return f"{TURN_PREFIX}{number:03d}_{'user' if role is ColumnRole.USER_TURN else 'assistant'}"


def _incomplete(missing: list[ColumnRole], available: Sequence[str]) -> StudioError:
    needed = listed(title(role) for role in missing)
    return errors.columns(
        _("No column is chosen for: {needed}. Columns in the file: {names}.").format(
            needed=needed, names=listed(available[:20])
        )
    )
