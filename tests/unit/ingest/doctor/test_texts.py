"""Checks that look into one text: what they find, what they leave alone, and what they make of it."""

from __future__ import annotations

import polars as pl
import pytest

from studio.domain.shapes import Shape
from studio.ingest.doctor.checks.control_characters import ControlCharacters
from studio.ingest.doctor.checks.encoding_damage import EncodingDamage, repaired
from studio.ingest.doctor.checks.markup import Markup, stripped
from studio.ingest.doctor.rules import RowRule
from studio.ingest.doctor.texts import text_parts, whole_texts, with_texts
from tests.unit.ingest.doctor.helpers import chat

RIGHT = [
    "你好，世界。",
    "“你好”——他说……",
    "联通公司的网络",
    "繁體中文的範例，妳好嗎？姊姊。",
    "café, naïve, Ångström, señor; ÄÖÜß äöüß",
    "L’été à Paris – “très bien” … 20 °C",
    "Привет, как её дела? Ёлка.",
    "Ελληνικά άέή, İstanbul’da",
    "Tiếng Việt có dấu",
    "👨‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ☕",
    "日本語のテキスト、한국어",
    "5 × 3 ≈ 15, √2, ½ µm ± 1 €",
]
CHINESE = ["你好世界", "我的订单什么时候可以退款？", "中文测试", "房间很干净，服务也好。"]


def frame(*texts: str) -> pl.DataFrame:
    return pl.DataFrame({"row": range(1, len(texts) + 1), "text": texts}, schema_overrides={"row": pl.Int64})


def found(rule: RowRule, *texts: str) -> list[int]:
    return rule.find(frame(*texts), Shape.TEXT).index.to_list()


@pytest.mark.parametrize("text", RIGHT)
def test_right_text_is_left_alone(text: str) -> None:
    assert repaired(text) == text
    assert found(EncodingDamage(), text) == []
    assert found(ControlCharacters(), text) == []
    assert found(Markup(), text) == []


@pytest.mark.parametrize("text", [*CHINESE, "schön und teuer: Bücher", "déjà vu – “oui”", "Привет, мир"])
@pytest.mark.parametrize("wrong", ["latin-1", "cp1252"])
def test_utf8_read_as_one_byte_encoding(text: str, wrong: str) -> None:
    damaged = "".join(_decoded(byte, wrong) for byte in text.encode())
    assert found(EncodingDamage(), damaged) == [0]
    assert repaired(damaged).replace("“", '"').replace("”", '"') == text.replace("“", '"').replace("”", '"')


def _decoded(byte: int, encoding: str) -> str:
    """As browsers do: bytes without a character keep their number."""
    try:
        return bytes([byte]).decode(encoding)
    except UnicodeDecodeError:
        return chr(byte)


@pytest.mark.parametrize("text", CHINESE)
def test_gbk_read_as_latin(text: str) -> None:
    damaged = text.encode("gbk").decode("latin-1")
    assert found(EncodingDamage(), damaged) == [0]
    assert repaired(damaged) == text


@pytest.mark.parametrize("text", ["你好世界", "中文测试"])
def test_utf8_read_as_gbk(text: str) -> None:
    damaged = text.encode().decode("gb18030")
    assert found(EncodingDamage(), damaged, text) == [0]
    assert repaired(damaged) == text


def test_only_the_damaged_line_is_repaired() -> None:
    assert repaired("schön\nschÃ¶n\n你好") == "schön\nschön\n你好"


@pytest.mark.parametrize("text", ["lost \ufffd here", "锟斤拷锟斤拷订单", "ä½ å¥½ï¼Œè®¢å•"])
def test_lost_characters_are_pointed_at(text: str) -> None:
    """A replacement character, one that was read as GBK, and a mix-up with bytes that were dropped on the way."""
    hits = EncodingDamage().find(frame("all is well", text), Shape.TEXT)
    assert hits.index.to_list() == [1]
    assert hits.kinds == {"lost": 1}
    assert repaired(text) == text


def test_what_is_repaired_is_not_lost() -> None:
    hits = EncodingDamage().find(frame("schÃ¶n", "Crème brûlée à la carte, ça va?"), Shape.TEXT)
    assert hits.index.to_list() == [0]
    assert hits.kinds == {}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x07\x85c", "abc"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("in\u00advisible", "invisible"),
        ("user\u202egnp.exe\u202c", "usergnp.exe"),
        ("a\u200db 你\u200c好", "ab 你好"),
        ("hi\U000e0068\U000e0069", "hi"),
    ],
)
def test_invisible_characters(text: str, clean: str) -> None:
    rule = ControlCharacters()
    assert found(rule, text, clean) == [0]
    assert rule.mend(pl.Series([text]), pl.Series([False])).to_list() == [clean]


def test_what_lines_and_scripts_need_stays() -> None:
    assert found(ControlCharacters(), "a\tb\r\nc", "می\u200cخواهم", "क्\u200dष", "👩\u200d🚀") == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<p>Hello&nbsp;there</p>", "Hello there"),
        ('See <a href="x.html">here</a> &amp; there', "See here & there"),
        ("one<br/>two", "one\ntwo"),
        ("价格&#160;面议", "价格 面议"),
        ("<|im_start|>user\nhi<|im_end|>", "hi"),
        ("[INST] hi [/INST] yes</s>", "hi  yes"),
        ("### Instruction:\nDo it\n### Response:\nDone", "Do it\nDone"),
        ("<｜User｜>你好<｜Assistant｜>您好", "你好您好"),
        ("<start_of_turn>user\nhi<end_of_turn>", "hi"),
    ],
)
def test_markup_is_stripped(text: str, clean: str) -> None:
    assert found(Markup(), text, clean) == [0]
    assert stripped(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d then stop",
        "Use `<b>` for bold.",
        "Here it is:\n```\n<p>text</p>\n<|im_end|>\n```",
        "Write it in HTML: <p>text</p>",
        r"The sum is \frac{a}{b} with x^{n}",
        'A JSON object: {"name": "Jo"}',
        "I <3 you & me; AT&T",
    ],
)
def test_code_and_signs_are_no_markup(text: str) -> None:
    assert found(Markup(), text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Dear {{customer}}, hello", "placeholders"),
        ("亲爱的 {姓名}，您好", "placeholders"),
        ("As an AI language model, I cannot.", "model_phrase"),
        ("作为一个人工智能语言模型，我不能。", "model_phrase"),
    ],
)
def test_what_cannot_be_stripped_is_pointed_at(text: str, kind: str) -> None:
    hits = Markup().find(frame(text), Shape.TEXT)
    assert (hits.index.to_list(), dict(hits.kinds)) == ([0], {kind: 1})
    assert stripped(text) == text


def test_messages_are_taken_out_and_put_back() -> None:
    rows = pl.DataFrame({"messages": [chat("a", 'b "quoted"\n'), chat("你", "好", "c", "d")]})
    parts = text_parts(rows, ["messages"])
    assert parts.rows() == [
        (0, "messages", 0, "a"), (0, "messages", 1, 'b "quoted"\n'), (1, "messages", 0, "你"),
        (1, "messages", 1, "好"), (1, "messages", 2, "c"), (1, "messages", 3, "d"),
    ]  # fmt: skip
    assert with_texts(rows, parts).equals(rows)
    changed = parts.filter(pl.col("text") == "c").with_columns(text=pl.lit("C"))
    assert with_texts(rows, changed)["messages"].to_list() == [
        rows["messages"][0],
        chat("你", "好", "C", "d"),
    ]
    assert whole_texts(rows, ["messages"]).to_list() == ['a\nb "quoted"\n', "你\n好\nc\nd"]
