"""Phone numbers of all countries: the form makes a candidate, the numbering plan or the words before it decide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy.checksums import digits_of
from studio.ingest.privacy.spans import Place, before

_PHONE_WORDS: Final = (
    r"phones?|tel|telephone|call|mobile|cell|fax|text|reach|contact|whatsapp|dial|ring|my number"
    r"|the number|her number"
    r"|his number|number's|hotline|helpline|voicemail|电话|手机|联系|致电|拨|打|微信|座机|热线|传"
    r"真|短信|[我他她]的号码|固话|总机"
)
_OTHER_WORDS: Final = (
    r"order|invoice|tracking|ticket|ref|reference|serial|sku|part|case|isbn(?:-10|-13)?|batch|model|timestamp"
    r"|transaction|parcel|build|version|upc|confirmation|card|account|lot|item|id|订单|单号|编号|"
    r"流水|货号|条码|条形码"
    r"|序列号|发票|运单|会议|型号|编码|商户|群号|qq|账户|余额|时间戳|股票|总数|卡号|工号|邮编|证件|身份证"
)
_WORDS: Final = re.compile(rf"(?i)(?P<phone>{_PHONE_WORDS})|(?<![a-z])(?P<other>{_OTHER_WORDS})(?![a-z])")
_ITS_NUMBER: Final = re.compile(r"[ #:：号]*[0-9]{1,8}[ ,，;；]+")
_AMOUNT_AFTER: Final = re.compile(r" ?(?:元|万|亿|次|%|人|个|件|美元|块|dollars|USD|EUR|RMB)")
_LEFT: Final = r"(?<![0-9A-Za-z_#])(?<![0-9][.,/-])"
_RIGHT: Final = r"(?![0-9A-Za-z_]|[.,/-][0-9A-Za-z])"

_CHINA_MOBILE: Final = re.compile(
    r"(?<![0-9A-Za-z_#+])(?<![0-9][.,/-])(?P<country>(?:\(?\+ ?|00)?86\)?[ -]?)?"
    r"(?P<number>1(?:3[0-9]|4[5-9]|5[0-35-9]|6[25-7]|7[0-8]|8[0-9]|9[0-35-9])"
    r"(?:[ -]?[0-9]{4}[ -]?[0-9]{4}|[ -][0-9]{3}[ -][0-9]{5}|[0-9][ -][0-9]{4}[ -][0-9]{3}"
    r"|[ -][0-9]{5}[ -][0-9]{3}"
    r"|(?:[ -][0-9]{2}){4}))(?![0-9A-Za-z_]|[.,][0-9]|[ -]?[0-9])"
)
_CHINA_LANDLINE: Final = re.compile(
    r"(?<![0-9A-Za-z_#])(?<![0-9][.,/-])\(?0(?:10|2[0-57-9]|[3-9][0-9]{2})\)?(?P<gap> ?- ?| "
    r"|(?<=\))|)[2-8][0-9]{2,3}[ -]?[0-9]{4}"
    r"(?P<extension> ?(?:转|-|ext\.? ?) ?[0-9]{1,6})?(?![0-9A-Za-z_]|[.,/][0-9])"
)
_HOTLINE: Final = re.compile(
    _LEFT + r"(?:[48]00(?P<gap>[ -]?)[0-9]{3}[ -]?[0-9]{4}|400[0-9][ -][0-9]{3}[ -][0-9]{3})" + _RIGHT
)
_INTERNATIONAL: Final = re.compile(
    r"(?<![0-9A-Za-z+)])(?P<prefix>\+ ?|00 ?|\(\+)[1-9](?:\(0\)|[ .()/-]{0,2}[0-9]){6,14}(?![0-9])"
)
_AMERICAN: Final = re.compile(
    r"(?<![0-9A-Za-z_#])(?<![0-9][.,/-])(?<![A-Za-z]-)(?:(?:\+?|00)1[ .-]?)?"
    r"(?:\([2-9][0-9]{2}\) ?[0-9]{3}[ .-]?[0-9]{4}|[2-9][0-9]{2}(?P<gap>[.-])[0-9]{3}[.-][0-9]{4}"
    r"|[2-9][0-9]{2}(?P<weak> ?)[0-9]{3} ?-?[0-9]{4})(?: ?(?:x|ext\.? ?)[0-9]{1,5})?" + _RIGHT
)
_BRITISH: Final = re.compile(
    _LEFT + r"\(?0[0-9]{2,4}\)?(?P<gap>[ -]?)[0-9]{3,4}[ -]?[0-9]{3,4}(?:[ -]?[0-9]{2,3})?" + _RIGHT
)
_ANY: Final = re.compile(_LEFT + r"(?<![+])\(?[0-9](?:[ .()-]{0,2}[0-9]){6,13}" + _RIGHT)
_DATE: Final = re.compile(
    r"(?:19|20)[0-9]{2}[-./ ]?[01]?[0-9][-./ ]?[0-3]?[0-9](?![0-9]{3})"
    r"|[0-3]?[0-9][-./ ][0-3]?[0-9][-./ ](?:19|20)[0-9]{2}"
)
_LOCAL: Final = re.compile(r"[2-9][0-9]{2}[ -][0-9]{4}")
# Where people write their own country's form without +; tried only right after a word that announces a phone.
_REGIONS: Final = (
    "US",
    "GB",
    "CN",
    "AU",
    "IN",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "HK",
    "SG",
    "MY",
    "ZA",
    "NZ",
    "IE",
    "JP",
    "BR",
    "MX",
)


def find_phones(text: str) -> Iterator[Place]:
    """Phone numbers; places may overlap, found in two forms."""
    found: list[Place] = []
    for find in (_chinese, _international, _american, _british, _announced):
        for place in find(text, found):
            if not is_reserved(digits_of(text[place.start : place.end])) and not _is_rest(text, place.start):
                found.append(place)
    yield from found


def _is_known(match: re.Match[str], found: list[Place]) -> bool:
    """Whether an earlier form holds all of it: then the numbering plans, which are slow to ask, need not be."""
    return any(place.start <= match.start() and match.end() <= place.end for place in found)


def _is_rest(text: str, start: int) -> bool:
    """Whether a country code stands before: then the numbering plan of that country has decided already."""
    return bool(re.search(r"[+][0-9]{1,4}[ -]$", text[max(0, start - 6) : start]))


def announced_as(text: str, start: int) -> str:
    """What the last telling word before a number calls it: phone, other, or nothing.

    "order 97 13812345678": a short number right after the word, and right before this one, is what the word meant.
    """
    words, found = before(text, start, 30), ""
    for match in _WORDS.finditer(words):
        if match["other"] and _ITS_NUMBER.fullmatch(words, match.end()):
            continue
        found = match.lastgroup or ""
    return found


def is_reserved(digits: str) -> bool:
    """Numbers that nobody has: 555-01xx in North America, those set aside for British drama, and what Pseudonyms makes.

    Those are the Chinese prefix 154, area codes 015 and 0600 and 4004, and the country code 999.
    """
    chinese = digits.removeprefix("00").removeprefix("86")
    if len(digits) >= 10 and chinese.startswith(("154", "015", "0600", "4004")):
        return True
    if len(digits) > 9 and digits.startswith("999"):
        return True
    national = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    if len(national) in (7, 10) and national[-7:-2] == "55501":
        return True
    british = re.sub("^(?:0044|44|0)", "", digits)
    return british.startswith(("7700900", "2079460")) and len(british) == 10


def _place(match: re.Match[str]) -> Place:
    return Place(match.start(), match.end(), PrivateKind.PHONE)


def _chinese(text: str, _found: list[Place]) -> Iterator[Place]:
    for match in _CHINA_MOBILE.finditer(text):
        if _AMOUNT_AFTER.match(text, match.end()):
            continue
        sure = match["country"] or not match["number"].isdigit()
        if sure or announced_as(text, match.start()) != "other":
            yield _place(match)
    for match in _CHINA_LANDLINE.finditer(text):
        called = announced_as(text, match.start())
        if (called == "phone" or (match["gap"] or ")" in match.group())) and called != "other":
            yield _place(match)
    for match in _HOTLINE.finditer(text):
        called = announced_as(text, match.start())
        loose = match["gap"] == ""
        if called != "other" and (called == "phone" or not loose):
            yield _place(match)


def _international(text: str, _found: list[Place]) -> Iterator[Place]:
    for match in _INTERNATIONAL.finditer(text):
        piece = match.group()
        plus = "+" in match["prefix"]
        if not plus and announced_as(text, match.start()) != "phone":
            continue
        for _ in range(4):
            dialled = re.sub(r"\(0\)", "", piece)
            dialled = dialled if plus else "+" + digits_of(dialled)[2:]
            if _valid(dialled, None):
                yield Place(match.start(), match.start() + len(piece), PrivateKind.PHONE)
                break
            piece = re.sub(r"[ .()/-]+[0-9]+$", "", piece)  # the next word may be a number too
            if len(digits_of(piece)) < 8:
                break


def _american(text: str, found: list[Place]) -> Iterator[Place]:
    for match in _AMERICAN.finditer(text):
        digits = digits_of(match.group().split("x")[0].split("e")[0])
        called = announced_as(text, match.start())
        weak = match["weak"] is not None
        if called == "other" or (weak and called != "phone"):
            continue
        # Announced as a phone and written as one, it is one for somebody, whatever area codes were given out.
        if (called == "phone" and not weak) or _is_known(match, found) or _valid(digits, "US"):
            yield _place(match)


def _british(text: str, found: list[Place]) -> Iterator[Place]:
    for match in _BRITISH.finditer(text):
        digits = digits_of(match.group())
        called = announced_as(text, match.start())
        mobile = len(digits) == 11 and digits.startswith("07")
        if called == "other" or not (called == "phone" or match["gap"] or mobile):
            continue
        if len(digits) in (10, 11) and (_is_known(match, found) or _valid(digits, "GB")):
            yield _place(match)


def _announced(text: str, found: list[Place]) -> Iterator[Place]:
    for match in _ANY.finditer(text):
        piece = match.group()
        if announced_as(text, match.start()) != "phone" or _DATE.match(piece):
            continue
        if _AMOUNT_AFTER.match(text, match.end()):
            continue
        known = _is_known(match, found) or _LOCAL.fullmatch(piece)
        if known or any(_valid(digits_of(piece), region) for region in _REGIONS):
            yield _place(match)


def _valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
