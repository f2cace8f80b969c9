"""Writes parsed Markdown into a QTextDocument as text with formats, block by block.

Two reasons for not going through HTML: what a model says never meets an HTML parser, and a growing answer is
extended at its end instead of being laid out anew with every token. Blocks that are complete are written once; only
the last, unfinished one is taken out and written again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from markdown_it.token import Token
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextListFormat,
    QTextTableFormat,
)

from studio.gui.theme import Tokens, mono_font
from studio.gui.widgets.chat_code import coloured
from studio.gui.widgets.chat_markdown import blocks, is_safe_link, is_settled, line_start, make_parser
from studio.i18n import _

COPY_SCHEME = "studio-copy"  # address of the "Copy" words above code: studio-copy:<number of the code block>
_LINE_PERCENT = 118.0
_HEADING_STEPS = {1: "title", 2: "heading"}


@dataclass(frozen=True)
class _Style:
    """What surrounds the text being written. indent: depth of lists; quote: depth of quotations."""

    margin: float
    indent: int = 0
    quote: int = 0


@dataclass
class _List:
    """A list being written: how its items are marked, and the number of the item that is next."""

    kind: QTextListFormat.Style
    number: int


class DocumentWriter:
    """Fills ``document`` with Markdown; ``codes`` holds the text of each code block for copying."""

    def __init__(self, document: QTextDocument, tokens: Tokens) -> None:
        self._document = document
        self._tokens = tokens
        self._parser = make_parser()
        self._kept_chars = 0  # of the source, in blocks that are complete
        self._kept_end = 0  # of the document
        self._kept_fresh = True
        self._kept_format = QTextBlockFormat()
        self._kept_codes = 0
        self._fresh = True  # the last block of the document is empty and may be used
        self._cursor = QTextCursor(document)
        self.codes: list[str] = []

    def restart(self, tokens: Tokens) -> None:
        """Forget everything, e.g. to write again in other colours."""
        self._document.clear()
        self._tokens = tokens
        self._kept_chars = self._kept_end = self._kept_codes = 0
        self._kept_fresh = self._fresh = True
        self.codes = []

    def write(self, source: str, *, final: bool) -> None:
        """Bring the document to ``source``, which begins with what was written before."""
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        rest = source[self._kept_chars :]
        found = list(blocks(self._parser, rest))
        self._cursor = QTextCursor(self._document)
        self._cursor.beginEditBlock()
        self._take_out_tail()
        for position, block in enumerate(found):
            last = position == len(found) - 1
            self._write_block(block.tokens, final or not last)
            if not last and (final or is_settled(rest, found[position + 1])):
                self._keep(len(source) - len(rest) + line_start(rest, found[position + 1].line))
        self._cursor.endEditBlock()

    def _take_out_tail(self) -> None:
        self._cursor.setPosition(self._kept_end)
        self._cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        self._cursor.removeSelectedText()
        self._fresh = self._kept_fresh
        if self._fresh:
            self._cursor.setBlockFormat(QTextBlockFormat())
            self._cursor.setBlockCharFormat(QTextCharFormat())
        else:  # an empty block would have taken over the format of what was behind it
            self._cursor.setBlockFormat(self._kept_format)
        del self.codes[self._kept_codes :]

    def _keep(self, chars: int) -> None:
        self._kept_chars = chars
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._kept_end = self._cursor.position()
        self._kept_fresh = self._fresh
        self._kept_format = self._cursor.blockFormat()
        self._kept_codes = len(self.codes)

    def _write_block(self, tokens: list[Token], complete: bool) -> None:
        """One top-level block with everything in it."""
        style = _Style(margin=float(self._tokens.space.s))
        lists: list[_List] = []
        marker = False  # the next words begin an item of the innermost list
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.type in ("bullet_list_open", "ordered_list_open"):
                kind = (
                    QTextListFormat.Style.ListDecimal if token.tag == "ol" else QTextListFormat.Style.ListDisc
                )
                start = token.attrGet("start")
                lists.append(_List(kind, 1 if start is None else int(start)))
                style = replace(style, indent=len(lists), margin=4.0)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                lists.pop()
                style = replace(style, indent=len(lists))
            elif token.type == "list_item_open":
                marker = True
            elif token.type == "list_item_close":
                marker = False
                lists[-1].number += 1
            elif token.type == "blockquote_open":
                style = replace(style, quote=style.quote + 1)
            elif token.type == "blockquote_close":
                style = replace(style, quote=style.quote - 1)
            elif token.type in ("fence", "code_block"):
                self._write_code(
                    token.content, token.info.split()[0] if token.info.strip() else "", style, complete
                )
            elif token.type == "hr":
                self._write_rule()
            elif token.type == "table_open":
                end = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
                self._write_table(tokens[position:end])
                position = end
            elif token.type == "inline":
                heading = (
                    int(tokens[position - 1].tag[1:]) if tokens[position - 1].type == "heading_open" else 0
                )
                self._start_block(style, heading)
                if marker and lists:
                    self._make_item(lists[-1], depth=len(lists))
                    marker = False
                self._write_inline(token.children or [], self._char_format(heading, style))
            position += 1

    def _start_block(self, style: _Style, heading: int = 0) -> None:
        block = QTextBlockFormat()
        block.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        block.setTopMargin(style.margin * (2 if heading else 1) if not self._at_start() else 0)
        block.setBottomMargin(style.margin / 2)
        block.setIndent(style.indent + style.quote)
        if heading:
            block.setHeadingLevel(heading)
        self._open_block(block)

    def _open_block(self, block: QTextBlockFormat) -> None:
        """Make the end of the document a block of this format, in no list."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._fresh:
            self._cursor.setBlockFormat(block)
            self._cursor.setBlockCharFormat(QTextCharFormat())
        else:
            self._cursor.insertBlock(block, QTextCharFormat())
            current = self._cursor.currentList()
            if current is not None:
                current.remove(self._cursor.block())
                self._cursor.setBlockFormat(block)
        self._fresh = False

    def _at_start(self) -> bool:
        return self._fresh and self._document.characterCount() <= 1

    def _make_item(self, place: _List, *, depth: int) -> None:
        """Put the marker of a list before the block: its number when counted, a dot otherwise."""
        form = QTextListFormat()
        form.setStyle(place.kind)
        form.setIndent(depth)
        form.setStart(place.number)
        block = self._cursor.blockFormat()
        block.setIndent(0)
        self._cursor.setBlockFormat(block)
        self._cursor.createList(form)

    def _char_format(self, heading: int, style: _Style) -> QTextCharFormat:
        tokens = self._tokens
        form = QTextCharFormat()
        form.setForeground(QColor(tokens.text_muted if style.quote else tokens.text))
        if heading:
            form.setFontWeight(QFont.Weight.DemiBold)
            form.setProperty(
                QTextCharFormat.Property.FontPixelSize,
                getattr(tokens.fonts, _HEADING_STEPS.get(heading, "body")),
            )
        return form

    def _write_inline(self, children: list[Token], plain: QTextCharFormat) -> None:
        stack = [plain]
        for token in children:
            now = stack[-1]
            if token.type == "text":
                self._cursor.insertText(token.content, now)
            elif token.type == "code_inline":
                self._cursor.insertText(token.content, self._code_format(now))
            elif token.type in ("softbreak", "hardbreak"):
                self._cursor.insertText("\u2028", now)
            elif token.type == "image":  # never fetched: its words become a link to it
                words = token.content.strip() or _("Image")
                self._cursor.insertText(f"[{words}]", self._link_format(now, str(token.attrGet("src") or "")))
            elif token.nesting > 0:
                stack.append(self._opened(token, now))
            elif token.nesting < 0:
                stack.pop()

    def _opened(self, token: Token, outer: QTextCharFormat) -> QTextCharFormat:
        form = QTextCharFormat(outer)
        if token.type == "strong_open":
            form.setFontWeight(QFont.Weight.DemiBold)
        elif token.type == "em_open":
            form.setFontItalic(True)
        elif token.type == "s_open":
            form.setFontStrikeOut(True)
        elif token.type == "link_open":
            return self._link_format(outer, str(token.attrGet("href") or ""))
        return form

    def _link_format(self, outer: QTextCharFormat, address: str) -> QTextCharFormat:
        form = QTextCharFormat(outer)
        if is_safe_link(address):
            form.setAnchor(True)
            form.setAnchorHref(address)
            form.setToolTip(urlsplit(address).netloc or address)
            form.setForeground(QColor(self._tokens.accent_text))
            form.setFontUnderline(True)
        return form

    def _code_format(self, outer: QTextCharFormat) -> QTextCharFormat:
        form = QTextCharFormat(outer)
        form.setFontFamilies(mono_font(self._tokens.fonts.body).families())
        form.setBackground(QColor(self._tokens.surface_pressed))
        return form

    def _write_code(self, code: str, language: str, style: _Style, complete: bool) -> None:
        """A well with the language, a way to copy, and the code in colours once it is complete."""
        self._open_frame()
        caption = QTextCharFormat()
        caption.setForeground(QColor(self._tokens.text_muted))
        caption.setProperty(QTextCharFormat.Property.FontPixelSize, self._tokens.fonts.caption)
        link = QTextCharFormat(caption)
        link.setAnchor(True)
        link.setAnchorHref(f"{COPY_SCHEME}:{len(self.codes)}")
        link.setForeground(QColor(self._tokens.accent_text))
        below = QTextBlockFormat()
        below.setBottomMargin(self._tokens.space.xs)
        self._cursor.setBlockFormat(below)
        if language:
            self._cursor.insertText(f"{language}   ", caption)
        self._cursor.insertText(_("Copy"), link)
        code = code.removesuffix("\n")
        self.codes.append(code)
        lines = QTextBlockFormat()
        lines.setLineHeight(115.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        self._cursor.insertBlock(lines, QTextCharFormat())
        for text, tone in coloured(code, language if complete else ""):
            form = QTextCharFormat()
            form.setFontFamilies(mono_font(self._tokens.fonts.body).families())
            form.setFontFixedPitch(True)
            form.setProperty(QTextCharFormat.Property.FontPixelSize, self._tokens.fonts.body - 1)
            form.setForeground(QColor(getattr(self._tokens, tone)))
            self._cursor.insertText(text.replace("\n", "\u2028"), form)
        self._close_frame()

    def _open_frame(self) -> None:
        frame = QTextFrameFormat()
        frame.setBackground(QColor(self._tokens.surface_sunken))
        frame.setPadding(self._tokens.space.m)
        frame.setTopMargin(0 if self._at_start() else self._tokens.space.s)
        frame.setBottomMargin(self._tokens.space.s)
        frame.setBorder(1)
        frame.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        frame.setBorderBrush(QBrush(QColor(self._tokens.border)))
        frame.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        self._before_frame()
        self._cursor.insertFrame(frame)

    def _before_frame(self) -> None:
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._fresh:
            self._squeeze()

    def _close_frame(self) -> None:
        """Go behind the frame; the block there stays next to invisible until something uses it."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._squeeze()
        self._fresh = True

    def _squeeze(self) -> None:
        """Qt wants a block before and behind each frame: give it one pixel."""
        thin = QTextBlockFormat()
        thin.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        self._cursor.setBlockFormat(thin)
        form = QTextCharFormat()
        form.setProperty(QTextCharFormat.Property.FontPixelSize, 1)
        self._cursor.setBlockCharFormat(form)

    def _write_rule(self) -> None:
        rule = QTextBlockFormat()
        rule.setTopMargin(self._tokens.space.s)
        rule.setBottomMargin(self._tokens.space.s)
        rule.setBackground(QColor(self._tokens.border_strong))  # the line's colour
        rule.setProperty(
            QTextBlockFormat.Property.BlockTrailingHorizontalRulerWidth,
            QTextLength(QTextLength.Type.PercentageLength, 100),
        )
        self._open_block(rule)

    def _write_table(self, tokens: list[Token]) -> None:
        rows: list[list[Token]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
        columns = max(len(row) for row in rows)
        form = QTextTableFormat()
        form.setCellPadding(6)
        form.setCellSpacing(0)
        form.setBorder(1)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderCollapse(True)
        form.setBorderBrush(QBrush(QColor(self._tokens.border)))
        form.setTopMargin(self._tokens.space.s)
        form.setBottomMargin(self._tokens.space.s)
        form.setHeaderRowCount(1)
        self._before_frame()
        table = self._cursor.insertTable(len(rows), columns, form)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                self._cursor = table.cellAt(y, x).firstCursorPosition()
                words = self._char_format(0, _Style(0))
                if y == 0:
                    words.setFontWeight(QFont.Weight.DemiBold)
                self._write_inline(cell.children or [], words)
        self._close_frame()


def plain_text(document: QTextDocument, text: str, colour: str) -> None:
    """Fill a document with text as it is, line breaks kept."""
    document.clear()
    cursor = QTextCursor(document)
    block = QTextBlockFormat()
    block.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    cursor.setBlockFormat(block)
    form = QTextCharFormat()
    form.setForeground(QColor(colour))
    cursor.insertText(text, form)
