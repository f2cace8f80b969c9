"""Finding private data in a column: polars leaves out the texts that cannot hold any, Python verifies the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import polars as pl

from studio.ingest.privacy.addresses import ADDRESS_WORDS, find_addresses, find_chinese_addresses
from studio.ingest.privacy.chinese_names import find_chinese_names, suspect_pattern
from studio.ingest.privacy.contacts import find_emails, find_ips, find_secrets
from studio.ingest.privacy.english_names import find_english_names
from studio.ingest.privacy.identities import find_cards, find_ibans, find_national_ids, find_passports
from studio.ingest.privacy.phones import find_phones
from studio.ingest.privacy.spans import Finder, Place, Span, plain, resolve

__all__ = ["PrivateScanner", "Span"]

_D: Final = "[0-9０-９]"
_GAP: Final = "[ \u00a0\u3000().（）/\\-－–‐‑−]"


class Search(NamedTuple):
    """A finder, and a cheap and generous test that every text with such a find passes."""

    suspect: Callable[[pl.Series], pl.Series]
    find: Finder


def _pattern(make: Callable[[], str] | str) -> Callable[[pl.Series], pl.Series]:
    """Texts that match a pattern of the Rust regex engine."""
    return lambda texts: texts.str.contains(make if isinstance(make, str) else make())


def _words(*words: str) -> Callable[[pl.Series], pl.Series]:
    """Texts with one of the words, in whatever case; one pass for all of them."""
    patterns = list(words)
    return lambda texts: texts.str.contains_any(patterns, ascii_case_insensitive=True)


def _digits(count: int) -> str:
    return f"{_D}(?:{_GAP}{{0,3}}{_D}){{{count - 1}}}"


_SECRET_WORDS: Final = (
    "password",
    "pass word",
    "passwd",
    "passcode",
    "pass code",
    "passphrase",
    "pass phrase",
    "pwd",
    "pw",
    "apikey",
    "api key",
    "api_key",
    "api-key",
    "secret",
    "accesskey",
    "access key",
    "access_key",
    "access-key",
    "token",
    "密码",
    "口令",
    "密钥",
    "令牌",
    "sk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat",
    "AKIA",
    "ASIA",
    "LTAI",
    "AIza",
    "xoxa",
    "xoxb",
    "xoxp",
    "xoxr",
    "xoxs",
    "hf_",
    "eyJ",
    "PRIVATE KEY",
)
_STREET_ZH: Final = (
    rf"[路街道巷弄同堂段][东南西北中]?[一二三四五六七八九十0-9]{{0,2}}[段里巷]?[ 　]?[甲乙丙丁]?{_D}"
    rf"|[路街道巷][A-Za-zＡ-Ｚ0-9０-９]{{1,4}}[座栋幢]|[区园苑寓村家厦场里馆府湾城][一二三四五六七八九十]?期?(?:{_D}|[A-ZＡ-Ｚ])|[村屯"
    rf"庄]\p{{Han}}{{0,6}}{_D}|{_D}(?:栋|幢|号楼)"
)

SEARCHES: Final = (
    Search(_pattern(r"[@＠]|[\[({<（] ?(?:at|AT) ?[\])}>）]| (?:at|AT) .{1,64} (?:dot|DOT) "), find_emails),
    Search(_pattern(_digits(7)), find_phones),
    Search(
        _pattern(
            f"{_digits(9)}|{_D}{{7}}-?[A-Z]|{_D}{{2}} ?{_D}{{2}} ?{_D}{{2}} ?[A-Z]|[A-Z]{_D}{{6}}"
            f"|[A-Z]{{6}}{_D}{{2}}[A-Z]"
        ),
        find_national_ids,
    ),
    Search(_pattern(_digits(12)), find_cards),
    Search(_pattern(rf"[A-Z]{{2}}{_D}{{2}}[ \u{{a0}}]?[A-Z0-9０-９]"), find_ibans),
    Search(_words("passport", "护照"), find_passports),
    Search(
        _pattern(
            rf"{_D}[.．]{_D}{{1,3}}[.．]{_D}{{1,3}}[.．]{_D}|[0-9A-Fa-f]{{0,4}}[:：][0-9A-Fa-f]{{0,4}}[:：]"
        ),
        find_ips,
    ),
    Search(_words(*_SECRET_WORDS), find_secrets),
    Search(
        lambda texts: (
            texts.str.contains(
                rf"{_D}[A-Za-z]?[ \u{{a0}}](?:[A-ZＡ-Ｚ]|{_D}{{1,3}}[snrt][tdh])|[Bb][Oo][Xx][ \u{{a0}}]{_D}"
            )
            | texts.str.contains_any(list(ADDRESS_WORDS), ascii_case_insensitive=True)
        ),
        find_addresses,
    ),
    Search(_pattern(_STREET_ZH), find_chinese_addresses),
    Search(_pattern(suspect_pattern), find_chinese_names),
    Search(_pattern(r"\S\s{1,4}[-~－]{0,2} ?\p{Lu}[\p{Ll}'’]|[：:(（<,，、]\p{Lu}"), find_english_names),
)


class PrivateScanner:
    """Finds private data in text columns. Holds no state; one scanner serves any number of columns."""

    def scan(self, texts: pl.Series) -> list[list[Span]]:
        """The spans of each text, in order and without overlap; none for a missing text. Offsets count characters."""
        places: dict[int, list[Place]] = {}
        for search in SEARCHES:
            suspects = search.suspect(texts).fill_null(False).arg_true()
            for row, text in zip(suspects.to_list(), texts.gather(suspects).to_list(), strict=True):
                found = list(search.find(plain(text)))
                if found:
                    places.setdefault(row, []).extend(found)
        found_spans: list[list[Span]] = [[] for _ in range(len(texts))]
        rows = sorted(places)
        for row, text in zip(rows, texts.gather(rows).to_list(), strict=True):
            found_spans[row] = resolve(text, places[row])
        return found_spans
