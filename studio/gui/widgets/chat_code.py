"""Which parts of a piece of code get which colour token; pygments finds the parts, the theme knows the colours."""

from __future__ import annotations

from collections.abc import Iterator

from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

MOST_CHARS = 6000  # longer code is shown in one colour: colouring it would hold the window

_TONES: dict[_TokenType, str] = {
    Token.Keyword: "accent_text",
    Token.Operator.Word: "accent_text",
    Token.Name.Tag: "accent_text",
    Token.Name.Builtin: "accent_text",
    Token.Literal.String: "success",
    Token.Literal.Number: "warning",
    Token.Name.Decorator: "warning",
    Token.Name.Attribute: "warning",
    Token.Comment: "text_muted",
    Token.Generic.Deleted: "error",
    Token.Generic.Inserted: "success",
}


def coloured(code: str, language: str) -> Iterator[tuple[str, str]]:
    """(text, name of a colour token) of each part; the texts add up to ``code``."""
    lexer = None
    if language and len(code) <= MOST_CHARS:
        try:
            lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        except ClassNotFound:
            lexer = None
    if lexer is None:
        yield code, "text"
        return
    held, tone = "", "text"
    for kind, text in lexer.get_tokens(code):
        here = _tone(kind)
        if here != tone and text.strip():
            if held:
                yield held, tone
            held, tone = "", here
        held += text
    if held:
        yield held, tone


def _tone(kind: _TokenType) -> str:
    return next((_TONES[part] for part in reversed(kind.split()) if part in _TONES), "text")
