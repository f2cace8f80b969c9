"""How sure the model was of each token: a soft colour by probability, and the alternatives in words."""

from __future__ import annotations

from bisect import bisect_right

from PySide6.QtGui import QColor, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument

from studio.gui.theme import Tokens
from studio.i18n import N_, _
from studio.protocol.events import Token

# (at least this probability, colour token of the ground, words of the legend)
BANDS: tuple[tuple[float, str, str], ...] = (
    (0.75, "success_soft", N_("sure")),
    (0.40, "accent_soft", N_("likely")),
    (0.15, "warning_soft", N_("unsure")),
    (0.0, "error_soft", N_("surprising")),
)


def ground_of(probability: float) -> str:
    """The colour token behind a token of this probability."""
    return next(name for least, name, _words in BANDS if probability >= least)


def token_words(token: Token) -> str:
    """What the tooltip says: the chance of this token and what else could have stood here."""
    if token.probability is None:
        return ""
    lines = [
        _("{token}: chance {share}").format(token=_visible(token.text), share=_percent(token.probability))
    ]
    others = [(text, share) for text, share in token.alternatives if text != token.text]
    if others:
        lines.append(_("Instead, it could have been:"))
        lines += [f"    {_visible(text)}   {_percent(share)}" for text, share in others]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"


def _visible(text: str) -> str:
    """A token between quotes, with blanks that can be seen."""
    return "“" + text.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "·") + "”"


class TokenWriter:
    """Appends tokens to a document, each on its colour, and finds the token at a place in it."""

    def __init__(self, document: QTextDocument, tokens: Tokens) -> None:
        self._document = document
        self._tokens = tokens
        self._written: list[Token] = []
        self._starts: list[int] = []

    def restart(self, tokens: Tokens) -> None:
        """Forget everything, e.g. to write again in other colours."""
        self._document.clear()
        self._tokens = tokens
        self._written, self._starts = [], []

    def write(self, tokens: list[Token]) -> None:
        """Bring the document to ``tokens``, which begins with what was written before."""
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        if not self._written:
            block = QTextBlockFormat()
            block.setLineHeight(125.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.setBlockFormat(block)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for token in tokens[len(self._written) :]:
            self._starts.append(cursor.position())
            self._written.append(token)
            cursor.insertText(token.text.replace("\r", "").replace("\n", "\u2028"), self._format(token))
        cursor.endEditBlock()

    def at(self, position: int) -> Token | None:
        """The token that covers a position of the document."""
        index = bisect_right(self._starts, position) - 1
        return self._written[index] if 0 <= index < len(self._written) else None

    def _format(self, token: Token) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setForeground(QColor(self._tokens.text))
        if token.probability is not None:
            form.setBackground(QColor(getattr(self._tokens, ground_of(token.probability))))
        return form
