"""Numbers that stand for a person or an account: national IDs, passports, bank cards, IBANs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy import checksums
from studio.ingest.privacy.spans import Place, before

# Words that say that the number after them is something else.
_SOMETHING_ELSE: Final = re.compile(
    r"(?i)order|invoice|tracking|ticket|\bref|serial|\bsku\b|\bpart\b|isbn|batch|model|timestamp"
    r"|transaction|parcel"
    r"|confirmation|\bupc\b|订单|单号|流水|货号|条码|条形码|序列号|发票|时间戳|商品编码|物流编号|产品编号"
)
_CARD_WORDS: Final = re.compile(r"(?i)card|visa|mastercard|amex|account|卡|账号|帐号|账户")
_DIGIT_EDGE_LEFT: Final = r"(?<![0-9A-Za-z_])(?<![0-9][.,-])"
_DIGIT_EDGE_RIGHT: Final = r"(?![0-9A-Za-z_]|[.,-][0-9])"
# After one of these the Luhn check suffices: Maestro, JCB and others have ranges of their own.
_SURELY_CARD: Final = re.compile(r"(?i)\bcard\b|visa|master ?card|maestro|amex|卡")
_MADE_UP_CARD: Final = "9999"  # what made_up.bank_card begins with
_CARD: Final = re.compile(_DIGIT_EDGE_LEFT + r"[1-9](?:[ -]?[0-9]){11,18}" + _DIGIT_EDGE_RIGHT)
_CARD_GROUPS: Final = frozenset(
    {
        (4, 4, 4, 4),
        (4, 6, 5),
        (4, 6, 4),
        (4, 4, 4, 4, 3),
        (6, 13),
        (4, 4, 4, 1),
        (6, 4, 4, 4, 1),
        (6, 10),
        (4, 4, 8),
    }
)
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}")
_PASSPORT: Final = re.compile(
    r"(?i:passport|护照)[^0-9\n]{0,24}?(?<![A-Za-z0-9])((?:[A-Z]{1,2}[0-9]{6,8}|[0-9]{9}"
    r"|[0-9]{2}[A-Z]{2}[0-9]{5}))(?![0-9A-Za-z])"
)


class IdForm(NamedTuple):
    """One country's number. context: words one of which must stand before it (None: the check is enough)."""

    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    context: re.Pattern[str] | None = None


def _form(pattern: str, valid: Callable[[str], bool], context: str | None = None) -> IdForm:
    edges = r"(?<![0-9A-Za-z_])(?<![0-9][.-])" + f"(?:{pattern})" + r"(?![0-9A-Za-z_]|[.-][0-9])"
    return IdForm(re.compile(edges), valid, re.compile(context) if context else None)


def _compact(check: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda number: check(number.replace(" ", "").replace("-", ""))


_SSN_WORDS: Final = r"(?i)\bssn\b|social\b|tax.?id|社会安全|社保号"
_FORMS: Final = (
    _form(r"[1-8][0-9]{5} ?(?:18|19|20)[0-9]{6} ?[0-9]{3}[0-9Xx]", _compact(checksums.resident_id)),
    _form(r"[1-8][0-9]{14}", checksums.resident_id_15, r"身份证|证件号"),
    _form(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", checksums.ssn),
    _form(r"[0-9]{3} ?[0-9]{2} ?[0-9]{4}", checksums.ssn, _SSN_WORDS),
    _form(
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
        lambda number: True,
        r"(?i)\bni\b|nino|national insurance|insurance n",
    ),
    _form(r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)", checksums.hong_kong),
    _form(r"[A-Z][12][0-9]{8}", checksums.taiwan, r"(?i)身分證|身份证|身份證|taiwan|\bid\b"),
    _form(r"[0-9XYZ][0-9]{7}-?[A-HJ-NP-TV-Z]", checksums.spain, r"(?i)\bdni\b|\bnie\b|\bnif\b|spanish id"),
    _form(r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]", checksums.italy),
    _form(r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", checksums.france),
    _form(r"[STFG][0-9]{7}[A-Z]", checksums.singapore),
    _form(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", checksums.brazil),
    _form(r"[2-9][0-9]{3} ?[0-9]{4} ?[0-9]{4}", checksums.india, r"(?i)aadha?ar"),
    _form(r"[0-9]{9}", checksums.netherlands, r"(?i)\bbsn\b|burgerservice"),
    _form(r"[0-9]{11}", checksums.poland, r"(?i)pesel"),
    _form(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", checksums.canada, r"(?i)\bsin\b|social insurance"),
)
_ANY_CONTEXT: Final = re.compile(
    "|".join(sorted({f"(?i:{form.context.pattern.removeprefix('(?i)')})" for form in _FORMS if form.context}))
)


def something_else(text: str, start: int) -> bool:
    """Whether the words before a number call it an order, a serial number or the like."""
    return bool(_SOMETHING_ELSE.search(before(text, start, 24)))


def find_national_ids(text: str) -> Iterator[Place]:
    """National ID numbers: by their check where it is strong, else with a word that names them before."""
    named = bool(_ANY_CONTEXT.search(text))
    for form in _FORMS:
        if form.context is not None and not named:
            continue
        for match in form.pattern.finditer(text):
            if _in_context(form, text, match.start()) and form.valid(match.group()):
                yield Place(match.start(), match.end(), PrivateKind.NATIONAL_ID)


def _in_context(form: IdForm, text: str, start: int) -> bool:
    if form.context is None:
        return not something_else(text, start)
    return bool(form.context.search(before(text, start, 40)))


def find_cards(text: str) -> Iterator[Place]:
    """Bank cards: issuer, length and Luhn check, in one piece or in the usual groups."""
    for match in _CARD.finditer(text):
        number = match.group()
        groups = tuple(len(piece) for piece in re.split("[ -]", number))
        if len(groups) > 1 and groups not in _CARD_GROUPS:
            continue
        words = before(text, match.start(), 24)
        if _SOMETHING_ELSE.search(words) and not _CARD_WORDS.search(words):
            continue
        digits = checksums.digits_of(number)
        named = _SURELY_CARD.search(words) and not digits.startswith(_MADE_UP_CARD)
        if checksums.bank_card(digits) or (named and checksums.luhn(digits)):
            yield Place(match.start(), match.end(), PrivateKind.BANK_CARD)


def find_ibans(text: str) -> Iterator[Place]:
    """IBANs, also in groups of four; words in capitals after one are left out by the country's length."""
    for match in _IBAN.finditer(text):
        length = checksums.IBAN_LENGTHS.get(match.group()[:2])
        if length is None:
            continue
        piece = _first_characters(match.group(), length)
        end = match.start() + len(piece)
        ends = end >= len(text) or not text[end].isalnum() or not text[end].isascii()
        if ends and checksums.iban(piece.replace(" ", "")):
            yield Place(match.start(), end, PrivateKind.IBAN)


def _first_characters(text: str, count: int) -> str:
    """The beginning of a text with so many characters that are no blanks."""
    places = [place for place, char in enumerate(text) if char != " "]
    return text[: places[count - 1] + 1] if len(places) >= count else text


def find_passports(text: str) -> Iterator[Place]:
    """Passport numbers, which have no check: only with the word before them. X000… is made up."""
    for match in _PASSPORT.finditer(text):
        if not match.group(1).startswith("X000"):
            yield Place(match.start(1), match.end(1), PrivateKind.PASSPORT)
