"""Mix-ups of the Chinese encodings, which ftfy does not know: UTF-8 read as GBK, and GBK read as Latin-1.

A repair is believed only when all of it comes out as everyday Chinese characters (level 1 of GB 2312) and what
stood there before was not. So correct Chinese, and letters with accents, are never touched.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final


def _level_one() -> frozenset[str]:
    """The 3,755 everyday characters of GB 2312, rows 16 to 55."""
    pairs = (bytes((first, second)) for first in range(0xB0, 0xD8) for second in range(0xA1, 0xFF))
    return frozenset("".join(pair.decode("gb2312", "ignore") for pair in pairs))


def _heads() -> str:
    """What the first two of the three bytes of a Chinese character in UTF-8 look like when read as GBK."""
    pairs = (bytes((first, second)) for first in range(0xE4, 0xEA) for second in range(0x80, 0xC0))
    return "".join(sorted(set("".join(pair.decode("gbk", "ignore") for pair in pairs)) - _EVERYDAY))


_EVERYDAY: Final = _level_one()
_MARKS: Final = frozenset("，。！？：；、“”‘’（）《》…—·　")
# Two characters of the upper half of Latin-1 and again two: at least two Chinese characters in GBK.
_LATIN_RUN: Final = re.compile("[\xa1-\xf7][\xa1-\xfe](?:[\xa1-\xf7][\xa1-\xfe])+")
_HEADS: Final = _heads()
_TWO_BYTE_HEADS: Final = frozenset((0xC2, 0xC3, 0xC4, 0xC5, 0xD0, 0xD1))
_HIGH_RUN: Final = re.compile("[^\x00-\x7f]+")
GBK_SUSPECTS: Final = (
    rf"[{_HEADS}]|[\x{{A1}}-\x{{F7}}][\x{{A1}}-\x{{FE}}][\x{{A1}}-\x{{F7}}][\x{{A1}}-\x{{FE}}]"
)


def latin_to_gbk(line: str) -> str:
    """The line with every stretch of GBK that was read as Latin-1 put right."""
    return _LATIN_RUN.sub(lambda found: _from_latin(found.group()), line)


def gbk_to_utf8(line: str) -> str:
    """The line with every stretch of UTF-8 that was read as GBK put right."""
    if not any(character in _head_set() for character in line):
        return line
    return _HIGH_RUN.sub(lambda found: _from_gbk(found.group()), line)


@cache
def _head_set() -> frozenset[str]:
    return frozenset(_HEADS)


def _from_latin(run: str) -> str:
    coded = run.encode("latin-1")
    try:
        text = coded.decode("gb2312")
    except UnicodeError:
        return run
    if set(coded[::2]) <= _TWO_BYTE_HEADS:  # Cyrillic or accents in UTF-8, of which ftfy could make nothing
        return run
    return text if _is_everyday(text) else run


def _from_gbk(run: str) -> str:
    try:
        text = run.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return run
    return text if _is_everyday(text) and not _is_everyday(run) else run


def _is_everyday(text: str) -> bool:
    """Two Chinese characters at least, and nothing but everyday ones and Chinese punctuation."""
    chinese = sum(character in _EVERYDAY for character in text)
    return chinese >= 2 and all(character in _EVERYDAY or character in _MARKS for character in text)
