"""What a web page or a chat template left in the text: tags, entities, turn marks, unfilled placeholders.

Code is no trouble: fenced and inline code is left as it is, and a row that speaks of HTML or code keeps its tags.
"""

from __future__ import annotations

import html
import re
from typing import ClassVar, Final

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.checks.mending import MendingRule
from studio.ingest.doctor.texts import text_columns, whole_texts

_TAG_NAMES: Final = (
    "p|br|div|span|b|i|em|strong|a|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|font|img|hr|sup|sub|u|"
    "center|blockquote|small|big|strike|del|ins|figure|figcaption|section|article|nbsp"
)
# In Rust's and in Python's syntax alike.
HTML: Final = rf"(?i)</?(?:{_TAG_NAMES})(?:\s+[a-z:-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s<>\"']+))*\s*/?>"
ENTITY: Final = (
    r"&(?:nbsp|amp|lt|gt|quot|apos|ldquo|rdquo|lsquo|rsquo|mdash|ndash|hellip|middot|bull|copy|reg|trade"
    r"|times|laquo|raquo|euro|deg|#[0-9]{2,6}|#x[0-9A-Fa-f]{2,6});"
)
TEMPLATE: Final = (
    r"<\|(?:im_start|start_header_id|start)\|>(?:system|user|assistant|tool)?(?:<\|end_header_id\|>)?\n*"
    r"|<[|｜][A-Za-z][A-Za-z0-9_▁ -]{1,30}[|｜]>"
    r"|<(?:start_of_turn|end_of_turn)>(?:user\n|model\n)?"
    r"|\[/?INST\]|<</?SYS>>|</?s>|<(?:bos|eos|pad|unk)>"
    r"|(?:^|\n)#{2,3} ?(?:Instruction|Input|Response|Human|Assistant|User|System|指令|输入|回答|回复|用户|助手) ?[:：]"
    r"|\n\n(?:Human|Assistant): "
    r"|Below is an instruction that describes a task[^.]*\. Write a response that appropriately "
    r"completes the request\.\n*"
)
PLACEHOLDER: Final = (
    r"\{\{ ?[\p{L}_][\p{L}\p{N}_. -]{0,30} ?\}\}"
    r"|(?:^|[\s,.;:!?(\"“‘，。；：！？（、])\{[\p{L}_][\p{L}\p{N}_ -]{0,30}\}(?:$|[\s,.;:!?)\"”’，。；：！？）、])"
)
PHRASE: Final = (
    r"(?i)\b(?:as|i am|i'm|i’m) an? (?:ai|artificial intelligence)(?: language| chat)? ?(?:model|assistant)\b"
    r"|作为(?:一个|一款|一名|一种)?(?:人工智能|AI|大型?)(?:语言)?(?:模型|助手)"
)
_CODE: Final = r"```[\s\S]*?(?:```|\z)|`[^`\n]+`"
_MEANT: Final = (
    r"(?i)(?:^|[^.\w])html|\bxml\b|\bcss\b|markup|\btags?\b|javascript|\bphp\b|\bcode\b|<!doctype|<script|<style|<form|<input"
    r"|标签|代码|网页|编程"
)
_LATEX_OR_CODE: Final = (
    r"\\[a-zA-Z]+\{|(?m)^\s*(?:def|class|import|return|function|const|let|var|#include)\b|;\s*$"
)
_MARKS: Final = f"{HTML}|(?-i:{ENTITY}|{TEMPLATE})"
_PYTHON_CODE: Final = re.compile(r"(```[\s\S]*?(?:```|\Z)|`[^`\n]+`)")
_LINE_TAG: Final = re.compile(r"(?i)<br\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote|section|article)\s*>")
_ANY_TAG: Final = re.compile(HTML)
_ANY_ENTITY: Final = re.compile(ENTITY)
_ANY_TEMPLATE: Final = re.compile(TEMPLATE)


class Markup(MendingRule):
    """Tags, entities and turn marks are stripped; a placeholder or a model's stock phrase is only pointed at."""

    kind: ClassVar = FindingKind.MARKUP
    action = FixAction.STRIP

    severity: ClassVar = Severity.WARNING

    def suspects(self, texts: pl.Series) -> pl.Series:
        quick = texts.str.contains(r"[<&\[{#]|\n\n(?:Human|Assistant): |Below is an") | texts.str.contains(
            PHRASE
        )
        found = texts.filter(quick).str.replace_all(_CODE, "")
        troubled = found.str.contains(_MARKS) | found.str.contains(PLACEHOLDER) | found.str.contains(PHRASE)
        places = quick.arg_true().filter(troubled)
        return pl.Series([False]).new_from_index(0, len(texts)).scatter(places, True)

    def careful(self, frame: pl.DataFrame, shape: Shape) -> pl.Series:
        """Rows about code or HTML: there only the marks of a chat template are out of place."""
        return whole_texts(frame, text_columns(shape)).str.contains(_MEANT)

    def mend(self, texts: pl.Series, careful: pl.Series) -> pl.Series:
        pairs = zip(texts, careful, strict=True)
        return pl.Series("text", [stripped(text, code) for text, code in pairs], dtype=pl.String)

    def noted(self, texts: pl.Series, careful: pl.Series) -> dict[str, pl.Series]:
        prose = texts.str.replace_all(_CODE, "")
        formal = careful | texts.str.contains(_LATEX_OR_CODE)
        return {
            "html": prose.str.contains(HTML) & ~careful,
            "entities": prose.str.contains(ENTITY) & ~careful,
            "template": prose.str.contains(TEMPLATE),
            "placeholders": prose.str.contains(PLACEHOLDER) & ~formal,
            "model_phrase": prose.str.contains(PHRASE),
        }


def stripped(text: str, is_about_code: bool = False) -> str:
    """The text without tags, entities and turn marks (about code: turn marks only); what stands in code stays."""
    pieces = _PYTHON_CODE.split(text)
    pieces[::2] = [_ANY_TEMPLATE.sub("", piece) if is_about_code else _prose(piece) for piece in pieces[::2]]
    mended = "".join(pieces)
    return mended if mended == text else mended.strip()


def _prose(text: str) -> str:
    plain = _ANY_TEMPLATE.sub("", text)
    plain = _ANY_TAG.sub("", _LINE_TAG.sub("\n", plain))
    if _ANY_ENTITY.search(plain):
        plain = _ANY_ENTITY.sub(lambda found: html.unescape(found.group()).replace("\xa0", " "), plain)
    return plain
