"""Chinese has no spaces to break a line at; nothing of a help text may be lost for that."""

from __future__ import annotations

import re

import pytest

from studio.cli.app import main
from studio.domain.specs import TrainSpec
from studio.i18n import _


@pytest.mark.parametrize("columns", ["80", "110"])
def test_a_help_page_in_chinese_loses_no_word(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["train", "--help", "--language", "zh_CN"]) == 0
    page = re.sub(r"[\s│]", "", capsys.readouterr().out)
    assert "…" not in page
    helps = [_(field.description or "") for field in TrainSpec.model_fields.values()]
    assert "随机关闭" in "".join(helps)
    # Where another column is folded too, its piece stands between two lines; those texts are told by their end.
    assert [text for text in helps if re.sub(r"\s", "", text)[-6:] not in page] == []


def test_what_typer_adds_is_in_chinese_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    assert main(["search", "start", "--help", "--language", "zh_CN"]) == 0
    page = capsys.readouterr().out
    assert "[必填]" in page
    assert "[默认：balanced]" in page
    assert "[default" not in page
