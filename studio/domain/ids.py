"""Identifiers of everything stored: short, sortable by nothing, safe in file names."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def new_id(length: int = 10) -> str:
    """A random identifier of ``length`` base-32 characters (50 bits at 10), starting with a letter."""
    head = secrets.choice(_ALPHABET[10:])
    return head + "".join(secrets.choice(_ALPHABET) for _ in range(length - 1))
