"""Settings survive everything but a good write; listeners hear of every change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.domain.settings import Settings
from studio.errors import StudioError
from studio.services.changes import ChangeBus, Changes
from studio.services.settings import SettingsService


def test_a_change_is_stored_and_told(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    service = SettingsService(path)
    heard: list[Changes] = []
    service.changes.subscribe(heard.append)
    assert service.current == Settings()
    assert service.update(theme="dark", tariff_per_kwh=0.9).theme == "dark"
    assert heard == [Changes.SETTINGS]
    assert SettingsService(path).current == service.current
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_a_value_out_of_bounds_changes_nothing(tmp_path: Path) -> None:
    service = SettingsService(tmp_path / "settings.json")
    with pytest.raises(StudioError, match="tariff_per_kwh"):
        service.update(tariff_per_kwh=-1, theme="dark")
    assert service.current == Settings()
    assert not service.path.exists()


def test_a_bad_value_in_the_file_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"theme": "purple", "power_kw": 0.5, "from_the_future": [1]}))
    service = SettingsService(path)
    assert service.current.theme == "system"
    assert service.current.power_kw == 0.5
    service.update(rail_folded=True)
    assert json.loads(path.read_text())["from_the_future"] == [1]


def test_a_bad_value_is_told_once_in_words_and_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    stored = {"language": "zh", "power_kw": 0.5}
    path.write_text(json.dumps(stored))
    words = SettingsService(path).reset_words()
    assert "Language" in words
    kept = path.with_suffix(".broken.json")
    assert str(kept) in words
    assert json.loads(kept.read_text()) == stored
    again = SettingsService(path)
    assert again.reset_words() == ""
    assert (again.current.language, again.current.power_kw) == (None, 0.5)


@pytest.mark.parametrize("content", ["", "{half", "[1]", "\x00\x00"])
def test_an_unreadable_file_is_not_the_end(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    service = SettingsService(path)
    assert service.current == Settings()
    service.update(theme="light")
    assert SettingsService(path).current.theme == "light"


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    service = SettingsService(tmp_path / "file" / "settings.json")
    with pytest.raises(StudioError) as caught:
        service.update(theme="dark")
    assert caught.value.code == "settings.not_saved"
    assert service.current == Settings()


def test_a_listener_leaves_and_a_broken_one_does_not_silence_the_others() -> None:
    bus, heard = ChangeBus(), []

    def broken(changes: Changes) -> None:
        raise ValueError("a page's mistake")

    bus.subscribe(broken)
    leave = bus.subscribe(heard.append)
    bus.publish(Changes.MATRIX | Changes.RUNS)
    leave()
    leave()
    bus.publish(Changes.RUNS)
    assert heard == [Changes.MATRIX | Changes.RUNS]
