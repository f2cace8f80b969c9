"""What a run's program says is found for the catalogue and said in the active language; its code stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from installer.translations import Files, extract
from studio.i18n import _, set_language
from studio.paths import resource_path
from studio.report.script_texts import texts_of, translated

PART = '''# ruff: noqa: E501
RUN = json.loads(r"""@RUN@""")


def save(folder):
    """Loss of each row."""
    # All items are alike.
    sys.exit(_("Say in which folder the run shall be kept."))  # fmt: skip
'''


@pytest.fixture
def chinese() -> Iterator[None]:
    set_language("zh_CN")
    yield
    set_language("en")


def parts() -> list[Path]:
    return sorted(resource_path("scripts").glob("*.txt"))


def test_docstrings_comments_and_messages_are_found_and_nothing_else() -> None:
    said = ["Loss of each row.", "All items are alike.", "Say in which folder the run shall be kept."]
    assert texts_of(PART) == said
    assert translated(PART) == PART.replace('_("', '"').replace('kept.")', 'kept."')


def test_they_are_said_in_the_active_language(chinese: None) -> None:
    told = translated(PART)
    assert '"""每行的损失。"""' in told
    assert "# 所有样本同样大小。\n" in told
    assert 'sys.exit("请指定保存训练的文件夹。")' in told
    assert '# ruff: noqa: E501\nRUN = json.loads(r"""@RUN@""")' in told


def test_the_catalogue_has_them() -> None:
    known = {message.id for message in extract(Files())}
    assert {text for part in parts() for text in texts_of(part.read_text(encoding="utf-8"))} <= known


def test_no_translation_ends_the_docstring_that_it_stands_in(chinese: None) -> None:
    said = {_(text) for part in parts() for text in texts_of(part.read_text(encoding="utf-8"))}
    assert len(said) > 100
    assert {text for text in said if '"' in text or "\\" in text or "\n" in text} == set()
