"""Text and CSV files as people really send them, with what must come of each."""

from __future__ import annotations

import random

from tests.faults.bad_sources import BadSource, source

_TWO = (("hello there", "good day"), ("你好吗朋友", "我很好谢谢你的关心"))
_TABLE = "question,answer\n" + "".join(f"{q},{a}\n" for q, a in _TWO)

CSV_SOURCES = [
    source("zero.csv", b"", error="import.empty"),
    source("bom_only.csv", b"\xef\xbb\xbf", error="import.empty"),
    source("header_only.csv", "question,answer\n", error="import.no_rows"),
    source("png.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, error="import.binary"),
    source("random.csv", bytes((i * 97 + i // 7) % 256 for i in range(5000)), error="import.binary"),
    source("utf16le_bom.csv", b"\xff\xfe" + _TABLE.encode("utf-16-le"), kept=_TWO),
    source("utf16be_bom.csv", b"\xfe\xff" + _TABLE.encode("utf-16-be"), kept=_TWO),
    source("utf16le.csv", _TABLE.encode("utf-16-le"), kept=_TWO),
    source("utf16be.csv", _TABLE.encode("utf-16-be"), kept=_TWO),
    source("utf8_bom.csv", b"\xef\xbb\xbf" + _TABLE.encode(), kept=_TWO),
    source("gb18030.csv", _TABLE.encode("gb18030"), kept=_TWO),
    source("lone_cr.csv", _TABLE.replace("\n", "\r"), kept=_TWO),
    source("crlf.csv", _TABLE.replace("\n", "\r\n"), kept=_TWO),
    source("semicolon.csv", _TABLE.replace(",", ";"), kept=_TWO),
    source("tabs.tsv", _TABLE.replace(",", "\t"), kept=_TWO),
    source("no_end.csv", _TABLE.rstrip("\n"), kept=_TWO),
    source("nul.csv", "question,answer\na,b\nc\0,d\n", kept=(("a", "b"),), rejected=((2, "nul_character"),)),
    source(
        "invalid_utf8.csv",
        "question,answer\n你,好\n".encode() + b"bad\xff,x\ngood,y\n",
        kept=(("你", "好"), ("good", "y")),
        rejected=((2, "invalid_bytes"),),
    ),
    source(
        "unclosed_quote.csv",
        'question,answer\na,b\n"c,d\ne,f\n"g ""q""","h\nh"\n',
        kept=(("a", "b"), ("e", "f"), ('g "q"', "h\nh")),
        rejected=((2, "bad_quotes"),),
    ),
    source(
        "ragged.csv",
        "question,answer\na,b\nonly\nx,y,z\nc,d\n,e\nf,\n",
        kept=(("a", "b"), ("c", "d")),
        rejected=(
            (2, "missing_response"),
            (3, "too_many_fields"),
            (5, "missing_prompt"),
            (6, "missing_response"),
        ),
    ),
    source("blank_lines.csv", "question,answer\n\na,b\n\n,\nc,d\n\n", kept=(("a", "b"), ("c", "d"))),
    source("names.csv", "question,answer,,answer\na,b,c,d\n", kept=(("a", "b"),)),
    source(
        "as_written.csv",
        "question,answer\nNA,None\n00123,1e5\n123456789012345678901234567890,NaN\n1.10,TRUE\n",
        kept=(("NA", "None"), ("00123", "1e5"), ("123456789012345678901234567890", "NaN"), ("1.10", "TRUE")),
    ),
    source("stray.csv", 'question,answer\n5" pipe,b\nc,d\n', kept=(('5" pipe', "b"), ("c", "d"))),
    source("pipes.csv", _TABLE.replace(",", "|"), kept=_TWO),
    source(
        "shift_jis.csv",
        "question,answer\nこんにちは、元気ですか,はい、とても元気です\n".encode("shift_jis")
        + "お元気でしたか,ありがとうございます\n".encode("shift_jis"),
        kept=(("こんにちは、元気ですか", "はい、とても元気です"), ("お元気でしたか", "ありがとうございます")),
    ),
    source(
        "mixed_encodings.csv",
        "question,answer\n你好吗,我很好\n".encode()
        + "再见吧,下次见\n".encode("gb18030")
        + "谢谢,不客气\n".encode(),
        kept=(("你好吗", "我很好"), ("谢谢", "不客气")),
        rejected=((2, "invalid_bytes"),),
    ),
    source(
        "too_many_beside.csv",
        "question,answer,note\na,b,c\nHello, you,b,c\nd,e,f\n",
        kept=(("a", "b"), ("d", "e")),
        rejected=((2, "too_many_fields"),),
    ),
    source(
        "decimal_comma.csv",
        'question;answer\nWhat is pi?;3,14\nHow much?;"1.234,50"\n',
        kept=(("What is pi?", "3,14"), ("How much?", "1.234,50")),
    ),
    source(
        "dates.csv",
        "question,answer\nWhen?,01/02/2024\nWhen then?,2024-13-45\n",
        kept=(("When?", "01/02/2024"), ("When then?", "2024-13-45")),
    ),
    source(
        "long_field.csv",
        f'question,answer\nshort,"{"长" * 70_000}"\nnext,row\n',
        kept=(("short", "长" * 70_000), ("next", "row")),
    ),
    source(
        "stray_return.csv",
        "question,answer\na,b\nc\rd,e\nf,g\n",
        kept=(("a", "b"), ("f", "g")),
        rejected=((2, "stray_return"),),
    ),
    source("only_blank_lines.csv", "\n\n \n", error="import.empty"),
    source("spaces.csv", "question,answer\n  a  ,\tb \n", kept=(("  a  ", "\tb "),)),
    source("same_names.csv", "question,question,answer\na,b,c\n", kept=(("a", "c"),)),
]


def random_bytes(seed: int) -> BadSource:
    """Noise with line ends in it: refused, or at least not taken for a dataset without a word."""
    rng = random.Random(seed)
    noise = bytes(rng.choice((*range(256), 10, 44)) for _index in range(20_000))
    return BadSource(f"noise{seed}.csv", noise, error="import.binary")
