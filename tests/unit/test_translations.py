"""Guards the Chinese catalogue: complete, in step with the source, and really spoken by the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from installer.translations import Files, compiled, extract, main, merge, problems, read, update
from studio.domain.datasets import ImportSpec, SplitShares
from studio.domain.products import TITLES, Stage, title
from studio.domain.sampling import Sampling
from studio.domain.settings import Settings
from studio.domain.specs import TrainSpec
from studio.i18n import _, ngettext, set_language

HAN = r"\u3400-\u9fff"
GLUED = re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]")
NARROW = re.compile(rf"[{HAN}][,;:!?]|[{HAN}] ?\(|\) ?[{HAN}]|[{HAN}]\.(?![A-Za-z0-9])")
# Names and units that no language translates; a language's name stands in that language.
SAME_EVERYWHERE = {
    "English", "简体中文", "Hugging Face", "ModelScope", "NVIDIA GPU", "Apple GPU", "float32", "bfloat16",
    "kW", "/kWh", "int8", "Adam", "AdamW", "Adagrad", "RMSprop",
}  # fmt: skip
OPTIONS: tuple[type[BaseModel], ...] = (TrainSpec, ImportSpec, SplitShares, Sampling, Settings)


@pytest.fixture(scope="module")
def catalogue() -> dict[str, str]:
    """English (the singular where there are two) -> Chinese."""
    found = {}
    for message in read(Files()):
        if message.id:
            counted = isinstance(message.id, tuple)
            found[message.id[0] if counted else message.id] = message.string[0] if counted else message.string
    return found


@pytest.fixture
def project(tmp_path: Path) -> Files:
    """A small project of our own, with a catalogue to go wrong."""
    files = Files(tmp_path)
    files.source.mkdir()
    files.base_models.parent.mkdir(parents=True)
    files.base_models.write_text('[{"summary": "A small one."}]', encoding="utf-8")
    (files.source / "words.py").write_text(
        '_("{n} of {all}")\nN_("Later")\nngettext("{n} day", "{n} days", 2)\n_("")\n', encoding="utf-8"
    )
    return files


WORDS = {"{n} of {all}": "{n}/{all}", "Later": "稍后", "{n} days": "{n} 天", "A small one.": "小模型。"}


def finish(files: Files, words: dict[str, str]) -> None:
    from installer.translations import write

    catalogue = update(files)
    merge(catalogue, words, replace=True)
    write(catalogue, files)
    files.compiled.write_bytes(compiled(read(files)))


def test_the_committed_catalogue_is_complete() -> None:
    assert problems(Files()) == []


def test_no_option_is_left_in_english(catalogue: dict[str, str]) -> None:
    shown = {text for model in OPTIONS for field in model.model_fields.values() for text in _shown(field)}
    assert len(shown) > 80
    assert {text for text in shown if text not in catalogue} == set()


def _shown(field: FieldInfo) -> list[str]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    choices = extra.get("choices_titles") or {}
    assert isinstance(choices, dict)
    words = [field.title, field.description, extra.get("unit"), *choices.values()]
    return [str(word) for word in words if word and word not in SAME_EVERYWHERE]


def test_chinese_sentences_have_chinese_punctuation_and_spacing(catalogue: dict[str, str]) -> None:
    plain = {english: re.sub(r"\{\w*\}", "", text) for english, text in catalogue.items()}
    # Qt reads "(*)" in the file filter, so its brackets stay.
    plain.pop("All files (*)")
    assert {text for text in plain.values() if GLUED.search(text) or NARROW.search(text)} == set()


def test_sentences_end_as_in_english(catalogue: dict[str, str]) -> None:
    stops = {
        english: text for english, text in catalogue.items() if english.endswith(".") and len(english) > 1
    }
    assert {text for text in stops.values() if text[-1] not in "。）”？…"} == set()


def test_one_way_of_addressing_the_user(catalogue: dict[str, str]) -> None:
    # The example of a system prompt speaks to the model, not to the user.
    told = [
        text for english, text in catalogue.items() if "你" in text and not english.startswith("e.g. You are")
    ]
    assert told == []


def test_the_program_speaks_chinese() -> None:
    set_language("zh_CN")
    assert _("Start training") == "开始训练"
    assert ngettext("{n} row", "{n} rows", 1).format(n=1) == "1 行"
    assert ngettext("{n} row", "{n} rows", 5).format(n=5) == "5 行"
    assert title(Stage.PILOT) == "试点"
    assert all(re.search(f"[{HAN}]", _(text)) for text in TITLES.values())
    set_language("en")
    assert _("Start training") == "Start training"


def test_a_finished_catalogue_has_no_problems_and_never_changes_again(project: Files) -> None:
    finish(project, WORDS)
    assert problems(project) == []
    before = project.catalogue.read_bytes(), project.compiled.read_bytes()
    finish(project, WORDS)
    assert (project.catalogue.read_bytes(), project.compiled.read_bytes()) == before
    assert b"Date" not in before[0] + before[1]
    assert b"#:" not in before[0]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"Later": ""}, "untranslated: Later"),
        ({"{n} of {all}": "共 {all}"}, "placeholders differ: '{n} of {all}' -> '共 {all}'"),
        ({"{n} of {all}": "{n}/{total}"}, "placeholders differ: '{n} of {all}' -> '{n}/{total}'"),
        ({"{n} days": "几天"}, "placeholders differ: '{n} day' -> '几天'"),
    ],
)
def test_a_wrong_translation_is_named(project: Files, words: dict[str, str], complaint: str) -> None:
    finish(project, WORDS | words)
    assert problems(project) == [complaint]


def test_fuzzy_ones_and_an_old_mo_file_are_named(project: Files) -> None:
    finish(project, WORDS)
    text = project.catalogue.read_text(encoding="utf-8")
    project.catalogue.write_text(text.replace('msgid "Later"', '#, fuzzy\nmsgid "Later"'), encoding="utf-8")
    assert problems(project) == ["fuzzy: Later", "the .mo file is out of date: run compile"]


def test_new_and_lost_messages_are_named_until_the_update(project: Files) -> None:
    finish(project, WORDS)
    (project.source / "words.py").write_text('_("{n} of {all}")\n_("New")\n', encoding="utf-8")
    assert problems(project) == ["not in the catalogue: New", "obsolete: Later", "obsolete: {n} day"]
    finish(project, {"New": "新"})
    assert problems(project) == []
    assert [m.id for m in extract(project) if m.id] == [m.id for m in update(project) if m.id]


def test_merging_keeps_reviewed_words_unless_told(project: Files) -> None:
    finish(project, WORDS)
    catalogue = read(project)
    assert merge(catalogue, {"Later": "以后", "Gone": "没有"}) == {"Gone"}
    assert catalogue["Later"].string == "稍后"
    merge(catalogue, {"Later": "以后"}, replace=True)
    assert catalogue["Later"].string == "以后"


def test_the_command_line_checks_the_committed_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "The catalogue is complete.\n"
