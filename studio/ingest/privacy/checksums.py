"""Checks that tell a real number from one that merely looks alike; each rule is public and named at its function."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Final

_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES: Final = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)
# (prefix from, prefix to, lengths): issuer ranges of ISO/IEC 7812 as the card schemes publish them.
_ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("62", "62", (16, 17, 18, 19)),
    ("81", "81", (16, 19)),
    ("6011", "6011", (16, 19)),
    ("644", "649", (16, 19)),
    ("65", "65", (16, 19)),
    ("3528", "3589", (16, 19)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("2200", "2204", (16,)),
    ("60", "60", (16, 19)),
    ("955", "955", (16, 17, 18, 19)),
)
# Length of an IBAN by country (ISO 13616 registry).
IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_VERHOEFF_D: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_ITALIAN_ODD: Final = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)


def digits_of(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(char for char in text if char in "0123456789")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812 annex B: every second digit from the right doubled, digit sum divisible by ten."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char) << (place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 and len(set(digits)) > 1


def bank_card(digits: str) -> bool:
    """A card number: an issuer's prefix and length, and the Luhn check."""
    for first, last, lengths in _ISSUERS:
        if len(digits) in lengths and first <= digits[: len(first)] <= last:
            return luhn(digits)
    return False


def iban(compact: str) -> bool:
    """ISO 13616: the country's length, check digits 02 to 98, and 1 as the remainder by 97."""
    if len(compact) != IBAN_LENGTHS.get(compact[:2]) or not "02" <= compact[2:4] <= "98":
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def is_date(year: str, month: str, day: str) -> bool:
    """A day in the life of people alive, written in digits."""
    try:
        return 1900 <= datetime.date(int(year), int(month), int(day)).year <= 2100
    except ValueError:
        return False


def resident_id(number: str) -> bool:
    """GB 11643: province, date of birth, and the ISO 7064 MOD 11-2 check character."""
    if number[:2] not in _PROVINCES or not is_date(number[6:10], number[10:12], number[12:14]):
        return False
    return "10X98765432"[_weighted(number[:17], _RESIDENT_WEIGHTS) % 11] == number[17].upper()


def resident_id_15(number: str) -> bool:
    """The form until 1999: province and date of birth with two digits of the year."""
    return number[:2] in _PROVINCES and is_date("19" + number[6:8], number[8:10], number[10:12])


def ssn(number: str) -> bool:
    """United States: area 001-899 without 666, group and serial not zero; not the numbers printed in advertisements."""
    digits = digits_of(number)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area >= "900" or group == "00" or serial == "0000":
        return False
    return digits not in ("078051120", "219099999")


def hong_kong(number: str) -> bool:
    """Letters count from 10, a missing first letter 36; weights 9 to 2, check digit by eleven, A for ten."""
    body = number.replace("(", "").replace(")", "").upper()
    values = [36] * (9 - len(body)) + [int(char, 36) for char in body[:-1]]
    return sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True)) % 11 == (
        -int(body[-1], 36) % 11
    )


def taiwan(number: str) -> bool:
    """The first letter stands for two digits; weights 1, 9 to 1, 1; divisible by ten."""
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0].upper()) + 10
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return _weighted(f"{code}{number[1:]}", weights) % 10 == 0


def spain(number: str) -> bool:
    """DNI and NIE: the number by 23 gives the letter; X, Y, Z in front stand for 0, 1, 2."""
    compact = number.replace("-", "").upper()
    body = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23] == compact[-1]


def italy(number: str) -> bool:
    """Codice fiscale: odd and even places valued by the decree's tables; the sum by 26 gives the letter."""
    total = 0
    for place, char in enumerate(number[:15].upper()):
        value = int(char) if char.isdigit() else ord(char) - 65
        total += value if place % 2 else _ITALIAN_ODD[value]
    return chr(65 + total % 26) == number[15].upper()


def france(number: str) -> bool:
    """NIR: a month of birth, and 97 less the remainder by 97 as the key; Corsica's 2A and 2B count as 19 and 18."""
    compact = number.replace(" ", "").upper()
    if not ("01" <= compact[3:5] <= "12" or compact[3] in "2345"):
        return False
    return 97 - int(compact[:13].replace("2A", "19").replace("2B", "18")) % 97 == int(compact[13:])


def singapore(number: str) -> bool:
    """NRIC and FIN: weights 2, 7 to 2; T and G add four; the remainder by 11 gives the letter."""
    upper = number.upper()
    total = _weighted(upper[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if upper[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if upper[0] in "ST" else "XWUTRQPNMLK")[total % 11] == upper[8]


def brazil(number: str) -> bool:
    """CPF: two check digits, each ten times the weighted sum by 11, ten counting as nought."""
    digits = digits_of(number)
    first = _weighted(digits[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(digits[:10], range(11, 1, -1)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}" and len(set(digits)) > 1


def india(number: str) -> bool:
    """Aadhaar: the Verhoeff check."""
    state = 0
    for place, char in enumerate(reversed(digits_of(number))):
        state = int(_VERHOEFF_D[state][int(_VERHOEFF_P[place % 8][int(char)])])
    return state == 0


def netherlands(number: str) -> bool:
    """BSN: weights 9 to 2 and -1, divisible by 11."""
    return _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def poland(number: str) -> bool:
    """PESEL: weights 1, 3, 7, 9 and so on, the last 1; divisible by ten."""
    return _weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def canada(number: str) -> bool:
    """SIN: nine digits that pass the Luhn check, the first not 0 or 8."""
    digits = digits_of(number)
    return digits[0] not in "08" and luhn(digits)


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(char) * weight for char, weight in zip(digits, weights, strict=True))
