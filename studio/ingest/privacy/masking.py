"""Taking private data out of a text: a token in its place, or a made-up value of the same form.

Tokens are the same in all languages ([PHONE] also in Chinese text), so that a model learns one sign and a founder
can search for it. Made-up values come from ranges that nobody is given, and the scanner knows them: a text that
was masked or replaced has no private data left to find.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy import made_up
from studio.ingest.privacy.spans import Span

TOKENS: Final[dict[PrivateKind, str]] = {
    PrivateKind.PERSON_NAME: "[NAME]",
    PrivateKind.PHONE: "[PHONE]",
    PrivateKind.EMAIL: "[EMAIL]",
    PrivateKind.NATIONAL_ID: "[ID]",
    PrivateKind.PASSPORT: "[PASSPORT]",
    PrivateKind.BANK_CARD: "[CARD]",
    PrivateKind.IBAN: "[IBAN]",
    PrivateKind.ADDRESS: "[ADDRESS]",
    PrivateKind.IP_ADDRESS: "[IP]",
    PrivateKind.SECRET: "[SECRET]",
}


def mask(text: str, spans: Sequence[Span]) -> str:
    """The text with a token in place of each span; every character outside the spans stays."""
    return _substitute(text, spans, lambda span: TOKENS[span.kind])


class Pseudonyms:
    """Made-up values: the same for the same original wherever it stands, another one under another secret.

    secret: any bytes that stay with the owner of the data. Without it nothing leads from a made-up value to the
    original: the value is drawn by a keyed hash (HMAC-SHA-256), and several originals may share one value.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._made: dict[tuple[PrivateKind, str], str] = {}

    def replace(self, text: str, spans: Sequence[Span]) -> str:
        """The text with a made-up value of the same form in place of each span."""
        return _substitute(text, spans, self._value)

    def _value(self, span: Span) -> str:
        key = (span.kind, span.value)
        if key not in self._made:
            identity = _identity(span.kind, span.value)
            digest = hmac.new(self._secret, f"{span.kind}:{identity}".encode(), hashlib.sha256).digest()
            self._made[key] = made_up.MAKERS[span.kind](span.value, made_up.Draw(digest))
        return self._made[key]


def _identity(kind: PrivateKind, value: str) -> str:
    """One form for all ways of writing a value: full-width, grouped, with or without the country's prefix."""
    plain = unicodedata.normalize("NFKC", value).casefold()
    if kind in (PrivateKind.PERSON_NAME, PrivateKind.ADDRESS):
        return " ".join(plain.split())
    if kind is PrivateKind.SECRET:
        return value
    if kind in (PrivateKind.EMAIL, PrivateKind.IP_ADDRESS):
        return "".join(plain.split())
    if kind is PrivateKind.PHONE:
        return made_up.national_digits(value)
    return "".join(char for char in plain if char.isalnum())


def _substitute(text: str, spans: Sequence[Span], value: Callable[[Span], str]) -> str:
    pieces: list[str] = []
    at = 0
    for span in sorted(spans):
        pieces += [text[at : span.start], value(span)]
        at = span.end
    return "".join([*pieces, text[at:]])
