"""Which character encoding a file is in: byte order mark, then strict UTF-8, then the likely others."""

from __future__ import annotations

import codecs
from typing import Final

import chardet

SAMPLE_BYTES: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# GB2312's two planes of Chinese characters; ordinary Chinese text hardly leaves them, other scripts do.
_HANZI_LEAD: Final = range(0xB0, 0xF8)
_HANZI_TRAIL: Final = range(0xA1, 0xFF)


def bom_length(head: bytes) -> int:
    """Length of the byte order mark at the start of a file, 0 for none."""
    return next((len(bom) for bom, _ in _BOMS if head.startswith(bom)), 0)


def detect_encoding(sample: bytes) -> str | None:
    """The Python codec name for the file that begins with ``sample``; None when it cannot be told.

    Short Chinese text in GB18030 is told apart before chardet is asked, which is unsure of it.
    """
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name
    if is_utf8(sample):
        return "utf-8"
    found = _utf16_by_zeros(sample) or _mostly_utf8(sample) or _gb18030(sample) or _guess(sample)
    return found or _mostly_ascii(sample)


def is_utf8(sample: bytes) -> bool:
    """Strict UTF-8 without zero bytes; a character cut off by the sample's end is forgiven."""
    if b"\0" in sample[:4096] and sample[:4096].count(0) > 8:
        return False
    return _decodes(sample, "utf-8")


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _utf16_by_zeros(sample: bytes) -> str | None:
    """UTF-16 without a mark: line ends, spaces and digits have their zero always on the same side."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    pairs = max(1, len(sample) // 2)
    name = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) < max(1, pairs // 50) or min(even, odd) > max(even, odd) // 20:
        return None
    return name if _decodes(sample[: len(sample) // 2 * 2], name) and _is_text(sample, name) else None


def _is_text(sample: bytes, encoding: str) -> bool:
    text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
    odd = sum(1 for char in text if not char.isprintable() and char not in "\r\n\t\ufeff\u3000")
    return odd * 50 <= len(text)


def _mostly_utf8(sample: bytes) -> str | None:
    """UTF-8 with some damaged lines: the damaged ones are put aside later, by their row numbers."""
    good = bad = 0
    for line in sample.split(b"\n")[:-1] or [sample]:
        if not line.isascii():
            good, bad = (good + 1, bad) if _decodes(line, "utf-8") else (good, bad + 1)
    if good >= bad and good:
        return "utf-8"
    return None


def _mostly_ascii(sample: bytes) -> str | None:
    """Plain ASCII but for a few lines in no known encoding: those are put aside later, as the damaged ones above."""
    lines = sample.split(b"\n")
    plain = sum(line.isascii() and b"\0" not in line for line in lines)
    return "utf-8" if len(lines) > 1 and plain * 2 >= len(lines) else None


def _gb18030(sample: bytes) -> str | None:
    if not _decodes(sample, "gb18030"):
        return None
    high = [byte for byte in sample[:65536] if byte >= 0x80]
    pairs = list(zip(high[::2], high[1::2], strict=False))
    hanzi = sum(1 for lead, trail in pairs if lead in _HANZI_LEAD and trail in _HANZI_TRAIL)
    return "gb18030" if pairs and hanzi >= 0.6 * len(pairs) else None


def _guess(sample: bytes) -> str | None:
    result = chardet.detect(sample[:65536])
    name = (result["encoding"] or "").lower()
    if not name or (result["confidence"] or 0) < 0.3:
        return None
    name = "gb18030" if name in ("gb2312", "gbk") else name
    return name if _decodes(sample, name) and name != "ascii" else None
