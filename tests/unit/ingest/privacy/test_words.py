"""Unsafe words: found as whole words, not inside harmless ones; the lists can be added to."""

from __future__ import annotations

import polars as pl
import pytest

from studio.ingest.privacy.words import UnsafeWords, categories


def _find(text: str) -> list[str]:
    return UnsafeWords().find(pl.Series([text]))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("你这个傻逼，滚蛋", ["傻逼", "滚蛋"]),
        ("SHUT  the\nfuck up", ["shut the fuck up"]),
        ("I'll kill you!", ["i'll kill you"]),
        ("He sold cocaine and METH.", ["cocaine", "meth"]),
        ("不想活了，准备割腕", ["不想活了", "割腕"]),
        ("代开发票请联系", ["代开发票"]),
        ("吸毒，毒品，吸毒", ["吸毒", "毒品"]),
    ],
)
def test_listed_words_are_found_once_each(text: str, words: list[str]) -> None:
    assert _find(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "这款手机性价比很高",
        "一次性交付全部货款",
        "前面路口交通拥堵",
        "惹上大麻烦了",
        "跳楼价甩卖",
        "爸爸妈妈的礼物",
        "线性交通规划",
        "Scunthorpe and Penistone are towns",
        "an assessment of the class",
        "cocktails with a shiitake starter",
        "Moby Dick is a novel",
        "methods of analysis",
        "great tits at the feeder",
        "the grape harvest",
    ],
)
def test_harmless_words_around_them_do_not_count(text: str) -> None:
    assert _find(text) == []


def test_a_word_counts_outside_of_the_harmless_phrase() -> None:
    assert _find("大麻烦：他卖大麻") == ["大麻"]


def test_missing_texts() -> None:
    assert UnsafeWords().find(pl.Series([None, "fuck"], dtype=pl.String)) == [[], ["fuck"]]
    assert UnsafeWords().find(pl.Series([], dtype=pl.String)) == []


def test_every_listed_word_is_found_alone() -> None:
    words = [word for listed in categories().values() for word in listed]
    found = UnsafeWords().find(pl.Series(words))
    assert [word for word, hits in zip(words, found, strict=True) if not hits] == []
    assert set(categories()) == {"toxic", "sexual", "violent", "self_harm", "illegal_goods"}
