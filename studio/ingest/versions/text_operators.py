"""Small changes of a text, each by a seeded random generator; what they do is no more than their docstrings say.

They make a model less sure of spelling and order. They write nothing new: no synonyms, no translations, no paraphrase.
Words are what stands between blanks; in text written without blanks (Chinese, Japanese) every character is one.
Line ends and the blanks between words stay. strength: share of the words, or letters, that are touched; at least one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from studio.domain.recipes import TextOperator

# A Chinese character or kana alone, or a run of anything else without blanks; blanks are parts of their own.
_PARTS: Final = re.compile(
    r"\s+|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+"
)
_IDEOGRAPH: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_HALF: Final = ",.!?:;()"
_FULL: Final = "，。！？：；（）"
_OTHER_WIDTH: Final = {**dict(zip(_HALF, _FULL, strict=True)), **dict(zip(_FULL, _HALF, strict=True))}


def changed(text: str, operators: Sequence[TextOperator], strength: float, rng: Random) -> str:
    """The text after one of the operators, drawn by ``rng``; the same text when it gives nothing to change."""
    return OPERATORS[rng.choice(list(operators))](text, strength, rng)


def swap_words(text: str, strength: float, rng: Random) -> str:
    """Neighbouring words change places."""
    parts = _PARTS.findall(text)
    words = _words(parts)
    for _time in range(_times(len(words), strength)):
        if len(words) > 1:
            at = rng.randrange(len(words) - 1)
            left, right = words[at], words[at + 1]
            parts[left], parts[right] = parts[right], parts[left]
    return "".join(parts)


def drop_words(text: str, strength: float, rng: Random) -> str:
    """Words are left out; at least one stays."""
    parts = _PARTS.findall(text)
    words = _words(parts)
    count = min(_times(len(words), strength), len(words) - 1)
    gone = set(rng.sample(words, count)) if count > 0 else set()
    kept = [part for place, part in enumerate(parts) if place not in gone]
    # The blank before a word that left goes too, unless it is a line end.
    tidy = [
        part for place, part in enumerate(kept)
        if not (part == " " and (place == 0 or kept[place - 1].isspace()))
    ]  # fmt: skip
    return "".join(tidy)


def typos(text: str, strength: float, rng: Random) -> str:
    """Neighbouring letters change places; a Chinese character is doubled or left out."""
    letters = [place for place, char in enumerate(text) if char.isalpha()]
    chars = list(text)
    count = min(_times(len(letters), strength / 5), len(letters))
    for place in rng.sample(letters, count):
        if _IDEOGRAPH.match(text[place]):
            doubled = rng.random() < 0.5 or len(letters) == 1
            chars[place] = text[place] * 2 if doubled else ""
        elif place + 1 < len(chars) and chars[place + 1].isascii() and chars[place + 1].isalpha():
            chars[place], chars[place + 1] = chars[place + 1], chars[place]
    result = "".join(chars)
    return result if result.strip() else text


def punctuation(text: str, strength: float, rng: Random) -> str:
    """Punctuation marks change between full and half width, or are left out; digits' points and commas stay."""
    marks = [
        place for place, char in enumerate(text) if char in _OTHER_WIDTH and not _is_in_number(text, place)
    ]
    chars = list(text)
    count = min(_times(len(marks), max(strength, 0.5)), len(marks))
    for place in rng.sample(marks, count):
        chars[place] = _OTHER_WIDTH[text[place]] if rng.random() < 0.5 else ""
    result = "".join(chars)
    return result if result.strip() else text


def case(text: str, strength: float, rng: Random) -> str:
    """Words change between small letters, capitals and a capital at the beginning; nothing in Chinese."""
    parts = _PARTS.findall(text)
    words = [place for place in _words(parts) if parts[place].upper() != parts[place].lower()]
    for place in rng.sample(words, min(_times(len(words), strength), len(words))):
        word = parts[place]
        forms = [form for form in (word.lower(), word.upper(), word.capitalize()) if form != word]
        parts[place] = rng.choice(forms) if forms else word
    return "".join(parts)


OPERATORS: Final[dict[TextOperator, Callable[[str, float, Random], str]]] = {
    TextOperator.SWAP_WORDS: swap_words,
    TextOperator.DROP_WORDS: drop_words,
    TextOperator.TYPOS: typos,
    TextOperator.PUNCTUATION: punctuation,
    TextOperator.CASE: case,
}


def _words(parts: list[str]) -> list[int]:
    return [place for place, part in enumerate(parts) if not part.isspace()]


def _times(count: int, strength: float) -> int:
    return max(1, round(count * strength)) if count else 0


def _is_in_number(text: str, place: int) -> bool:
    return 0 < place < len(text) - 1 and text[place - 1].isdigit() and text[place + 1].isdigit()
