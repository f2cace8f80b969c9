"""Kinds of private data that a text may hold, and the figures about them that are safe to show and to keep."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

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
