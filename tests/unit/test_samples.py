"""Guards the bundled sample data: what a first-time user trains on must be complete, clean and fictional."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
LANGUAGES = ("en", "zh")
PROBE_KEYS = {"en": "en", "zh": "zh_CN"}
NEXT_STEP = {"en": "Next step: ", "zh": "下一步："}
DATA_FILES = [f"customer_service_{lang}.csv" for lang in LANGUAGES] + [
    f"recommendation_{lang}.jsonl" for lang in LANGUAGES
]
JUDGED_FILES = [f"{name}_{lang}.csv" for name in ("judged", "thumbs") for lang in LANGUAGES]
HAN = re.compile(r"[\u4e00-\u9fff]")


def rows_of(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def service_rows(lang: str) -> list[dict[str, str]]:
    return rows_of(f"customer_service_{lang}.csv")


def chats(lang: str) -> list[list[dict[str, str]]]:
    lines = (SAMPLES / f"recommendation_{lang}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]


def probes() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = json.loads((SAMPLES / "probes.json").read_text(encoding="utf-8"))
    return loaded


def normalised(text: str) -> str:
    """Letters and digits only, lower case, so that punctuation cannot hide a duplicate."""
    return re.sub(r"[\W_]+", "", text.lower())


def questions(lang: str) -> list[str]:
    return [row["question"] for row in service_rows(lang)] + [chat[1]["content"] for chat in chats(lang)]


def catalogue(lang: str) -> dict[str, str]:
    """Product name (English: its first word) -> price, from the table in shop_facts.md."""
    table = (SAMPLES / "shop_facts.md").read_text(encoding="utf-8").split("## Products")[1]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "|" in line]
    name, price = (0, 1) if lang == "en" else (2, 3)
    return {row[name].split()[0]: row[price] for row in cells[2:]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_customer_service_is_large_and_varied_enough(lang: str) -> None:
    rows = service_rows(lang)
    topics = Counter(row["topic"] for row in rows)
    assert len(rows) >= 240
    assert list(rows[0]) == ["question", "answer", "topic"]
    assert len(topics) >= 12
    assert min(topics.values()) >= 10, "a topic needs enough rows to survive a train/test split"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_cell_is_empty_or_padded(lang: str) -> None:
    for row in service_rows(lang):
        assert None not in row, "a row has more cells than the header"
        assert all(value and value == value.strip() for value in row.values()), row


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_question_or_answer_is_repeated(lang: str) -> None:
    asked = Counter(map(normalised, questions(lang)))
    answered = Counter(normalised(row["answer"]) for row in service_rows(lang))
    assert [text for text, count in asked.items() if count > 1] == []
    assert [text for text, count in answered.items() if count > 1] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_answer_keeps_the_house_style(lang: str) -> None:
    for row in service_rows(lang):
        body, marker, step = row["answer"].partition(NEXT_STEP[lang])
        assert all((body, marker, step)), row
        assert NEXT_STEP[lang] not in step, row
        assert row["answer"].endswith((".", "。")), row
        assert len(row["answer"]) <= 320, row


def test_each_file_is_written_in_its_language() -> None:
    assert not any(HAN.search(text) for row in service_rows("en") for text in row.values())
    assert all(HAN.search(text) for row in service_rows("zh") for text in row.values())
    assert not any(HAN.search(part["content"]) for chat in chats("en") for part in chat)
    assert all(HAN.search(part["content"]) for chat in chats("zh") for part in chat)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_recommendations_are_complete_chats(lang: str) -> None:
    rows = chats(lang)
    assert len(rows) >= 60
    for chat in rows:
        assert [part["role"] for part in chat] == ["system", "user", "assistant"]
        assert all(part["content"].strip() for part in chat)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_recommended_products_exist_at_their_listed_price(lang: str) -> None:
    prices = catalogue(lang)
    recommended: set[str] = set()
    for chat in chats(lang):
        answer = chat[2]["content"]
        named = [name for name in prices if name in answer]
        assert named, answer
        assert all(re.search(rf"(?<!\d){prices[name]}(?!\d)", answer) for name in named), answer
        recommended.update(named)
    assert recommended == set(prices), "each product should be recommended at least once"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_probes_never_occur_in_the_data(lang: str) -> None:
    prompts = probes()[PROBE_KEYS[lang]]
    known = {normalised(text) for text in questions(lang)}
    assert len(set(prompts)) == 6
    assert not any(normalised(prompt) in known for prompt in prompts)


@pytest.mark.parametrize("name", [*DATA_FILES, *JUDGED_FILES, "probes.json", "shop_facts.md"])
def test_nothing_looks_like_private_data(name: str) -> None:
    text = (SAMPLES / name).read_text(encoding="utf-8")
    domains = set(re.findall(r"[\w.+-]+@([\w.-]*\w)", text, flags=re.ASCII))
    phones = re.findall(r"\d{3,4}[-\s]\d{4}(?!\d)", text)
    assert domains <= {"lanternwick.example"}, "only the reserved .example domain"
    assert all(re.fullmatch(r"555-01\d\d", phone) for phone in phones), phones
    assert not re.search(r"\d{7,}", text), "mobile, card and ID numbers are long runs of digits"
    assert not re.search(r"\d{3}-\d{2}-\d{4}", text), "looks like a social security number"
    assert not re.search(r"https?://|www\.", text)


def test_licence_file_lists_every_file_with_its_rows() -> None:
    text = (SAMPLES / "LICENSES.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| ([\w.]+\.\w+) \| (\S+) \|.*CC0-1\.0 \|$", flags=re.M)
    listed: dict[str, str] = dict(row.findall(text))
    counts = {f"customer_service_{lang}.csv": len(service_rows(lang)) for lang in LANGUAGES}
    counts |= {f"recommendation_{lang}.jsonl": len(chats(lang)) for lang in LANGUAGES}
    counts |= {name: len(rows_of(name)) for name in JUDGED_FILES}
    counts["probes.json"] = sum(map(len, probes().values()))
    assert {name: int(listed[name]) for name in counts} == counts
    assert set(listed) == {path.name for path in SAMPLES.iterdir()} - {"LICENSES.md"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_judged_answers_differ_and_the_worse_lacks_the_next_step(lang: str) -> None:
    judged, thumbs = (rows_of(f"{name}_{lang}.csv") for name in ("judged", "thumbs"))
    answers = {row["question"]: row["answer"] for row in service_rows(lang)}
    assert len({row["question"] for row in judged}) == len(judged) == len(thumbs) == 88
    for row, thumb in zip(judged, thumbs, strict=True):
        assert row["better"] == answers[row["question"]]
        assert NEXT_STEP[lang] not in row["worse"]
        assert row["worse"].strip()
        assert thumb["answer"] == row["better" if thumb["thumb"] == "up" else "worse"]
    assert [row["thumb"] for row in thumbs].count("up") == 44
