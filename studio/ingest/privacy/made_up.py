"""Made-up private data of the same form as the real, from ranges that belong to nobody.

Phones: 555-01xx in North America, 07700 900xxx and 020 7946 0xxx in Britain (Ofcom's drama numbers), the prefix 154 and
the area codes 015 and 0600 in China, which are not given out, country code 999 elsewhere. E-mail: example.com
(RFC 2606). Internet addresses: the documentation ranges (RFC 5737, RFC 3849). IDs, cards and IBANs: a region, prefix
or check that the real ones never have. Names: the lists invented_zh and invented_en.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy import invented
from studio.ingest.privacy.checksums import digits_of
from studio.ingest.privacy.spans import plain

_T = TypeVar("_T")
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_CHINA_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_DOCUMENTATION_NETS: Final = ("192.0.2", "198.51.100", "203.0.113")


class Draw:
    """Numbers drawn from a digest, always the same for the same digest."""

    def __init__(self, digest: bytes) -> None:
        self._rest = int.from_bytes(digest, "big")

    def below(self, limit: int) -> int:
        self._rest, number = divmod(self._rest, limit)
        return number

    def one(self, choices: Sequence[_T]) -> _T:
        return choices[self.below(len(choices))]

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))


def national_digits(written: str) -> str:
    """A phone's digits without 00, and without China's or North America's country code before a full number."""
    number = digits_of(plain(written)).removeprefix("00")
    american = re.match(r"\(?\+ ?1|1[ .(-]", plain(written))
    for code, length in (("86", 11), ("86", 10), ("1", 10)):
        if number.startswith(code) and len(number) == len(code) + length and (code == "86" or american):
            return number[len(code) :]
    return number


def _refill(pattern: str, digits: str) -> str:
    """Other digits in the places of the old ones; brackets, blanks and dashes stay."""
    rest = iter(digits)
    return "".join(next(rest, "0") if char in "0123456789" else char for char in pattern)


def phone(value: str, draw: Draw) -> str:
    pattern = plain(value)
    digits = digits_of(pattern)
    national = national_digits(value)
    prefix = digits[: len(digits) - len(national)]
    if _CHINA_MOBILE.fullmatch(national):
        return _refill(pattern, prefix + "154" + draw.digits(8))
    if re.fullmatch(r"0(?:10|2[0-57-9]|[3-9][0-9]{2})[2-8][0-9]{6,13}", digits) and "+" not in pattern:
        area = "015" if digits[1] in "12" else "0600"
        return _refill(pattern, area + draw.digits(len(digits) - len(area)))
    if digits.startswith(("400", "800")) and len(digits) == 10:
        return _refill(pattern, "4004" + draw.digits(6))
    british = re.fullmatch(r"(?:0044|44|0)(7[0-9]{9}|[1-9][0-9]{8,9})", digits)
    if british and (digits[0] == "0" or "+" in pattern):
        return _british(pattern, digits, british.group(1), draw)
    if len(national) == 10 and prefix == ("1" if "+" in pattern else prefix) and prefix in ("", "1"):
        return _refill(pattern, f"{prefix}{draw.one('2346789')}{draw.digits(2)}55501{draw.digits(2)}")
    if len(digits) == 7:
        return _refill(pattern, "55501" + draw.digits(2))
    return _refill(
        pattern if pattern.startswith(("+", "(+")) else f"+{pattern.lstrip('0')}",
        "999" + draw.digits(len(digits)),
    )


def _british(pattern: str, digits: str, national: str, draw: Draw) -> str:
    prefix = digits[: len(digits) - len(national)]
    made = "7700900" + draw.digits(3) if national[0] == "7" else "2079460" + draw.digits(3)
    if len(national) == 9:  # the reserved number has one digit more than the old form has places
        return f"{'+44 ' if '+' in pattern else '0'}{made[:2]} {made[2:6]} {made[6:]}"
    return _refill(pattern, prefix + made)


def email(value: str, draw: Draw) -> str:
    return f"user{draw.below(1 << 32):08x}@example.com"


def name(value: str, draw: Draw) -> str:
    if value.isascii() or not re.search("[\u4e00-\u9fa5]", value):
        given, surname = draw.one(invented.english_given()), draw.one(invented.english_surnames())
        return given if len(value.split()) == 1 else f"{given} {surname}"
    given = "".join(draw.one(invented.chinese_given()) for _ in range(min(2, len(value) - 1)))
    return draw.one(invented.chinese_surnames()) + given


def national_id(value: str, draw: Draw) -> str:
    pattern = plain(value)
    digits = digits_of(pattern)
    if len(digits) in (17, 18) and re.fullmatch(r"[0-9Xx ]+", pattern):  # region 99 is none
        made = f"990000{draw.below(60) + 1950}{draw.below(12) + 1:02}{draw.below(28) + 1:02}{draw.digits(4)}"
        return _refill(re.sub("[Xx]", "0", pattern), made)
    return _refill(re.sub(r"[A-Za-z](?=[0-9])", "Q", pattern), "000" + draw.digits(len(digits)))


def bank_card(value: str, draw: Draw) -> str:
    """No issuer begins with 99; without 0 and 1, no group of it looks like the start of a phone number."""
    pattern = plain(value)
    return _refill(
        pattern, "9999" + "".join(draw.one("23456789") for _ in range(len(digits_of(pattern)) - 4))
    )


def iban(value: str, draw: Draw) -> str:
    """The country stays; 00 is no check that can come out."""
    pattern = plain(value)
    made = [
        str(draw.below(8) + 2) if char.isdigit() else draw.one(_LETTERS) if char.isalpha() else char
        for char in pattern
    ]
    return pattern[:2] + "00" + "".join(made[4:])


def address(value: str, draw: Draw) -> str:
    number = draw.below(9998) + 1
    if re.search("[\u4e00-\u9fa5]", value):
        return f"虚构市示例路{number}号"
    return f"{number} Example Street"


def ip_address(value: str, draw: Draw) -> str:
    if ":" in plain(value):
        return f"2001:db8::{draw.below(1 << 16):x}:{draw.below(1 << 16):x}"
    return f"{draw.one(_DOCUMENTATION_NETS)}.{draw.below(254) + 1}"


def passport(value: str, draw: Draw) -> str:
    pattern = plain(value)
    count = len(digits_of(pattern))
    return "X000" + draw.digits(max(3, count - 3))


def secret(value: str, draw: Draw) -> str:
    return f"example-{draw.below(1 << 40):010x}"


MAKERS: Final[dict[PrivateKind, Callable[[str, Draw], str]]] = {
    PrivateKind.PERSON_NAME: name,
    PrivateKind.PHONE: phone,
    PrivateKind.EMAIL: email,
    PrivateKind.NATIONAL_ID: national_id,
    PrivateKind.PASSPORT: passport,
    PrivateKind.BANK_CARD: bank_card,
    PrivateKind.IBAN: iban,
    PrivateKind.ADDRESS: address,
    PrivateKind.IP_ADDRESS: ip_address,
    PrivateKind.SECRET: secret,
}
