"""Kinds of private data that a text may hold, and the figures about them that are safe to show and to keep."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from studio.i18n import N_


class PrivateKind(StrEnum):
    """What private data is."""

    PERSON_NAME = "person_name"
    PHONE = "phone"
    EMAIL = "email"
    NATIONAL_ID = "national_id"
    PASSPORT = "passport"
    BANK_CARD = "bank_card"
    IBAN = "iban"
    ADDRESS = "address"
    IP_ADDRESS = "ip_address"
    SECRET = "secret"  # passwords, keys and tokens


TITLES: Final[dict[PrivateKind, str]] = {
    PrivateKind.PERSON_NAME: N_("Names of people"),
    PrivateKind.PHONE: N_("Phone numbers"),
    PrivateKind.EMAIL: N_("E-mail addresses"),
    PrivateKind.NATIONAL_ID: N_("National ID numbers"),
    PrivateKind.PASSPORT: N_("Passport numbers"),
    PrivateKind.BANK_CARD: N_("Bank card numbers"),
    PrivateKind.IBAN: N_("Bank account numbers"),
    PrivateKind.ADDRESS: N_("Postal addresses"),
    PrivateKind.IP_ADDRESS: N_("Internet addresses of devices"),
    PrivateKind.SECRET: N_("Passwords and keys"),
}


class PrivateDataReport(BaseModel):
    """What was found where, without the finds themselves.

    texts: texts looked at; texts_hit: with private data. counts: finds of each kind. rows: texts with each kind.
    excerpts: a few finds of each kind with the middle blotted out, such as 138****5678.
    """

    model_config = ConfigDict(frozen=True)

    texts: int = 0
    texts_hit: int = 0
    counts: dict[PrivateKind, int] = {}
    rows: dict[PrivateKind, int] = {}
    excerpts: dict[PrivateKind, list[str]] = {}
