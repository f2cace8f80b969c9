"""The card says what is known, says what is not, and shows no private value and no trick in a name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from studio.domain.datasets import (
    DatasetVersion,
    ImportSpec,
    Origin,
    OriginKind,
    SourceRecord,
    Split,
    TokenStats,
)
from studio.domain.findings import DoctorReport, DoctorSpec, Example, Finding, Severity
from studio.domain.recipes import (
    AugmentStep,
    FindingKind,
    FixAction,
    FixStep,
    ReplaceStep,
    StepOutcome,
    TextOperator,
)
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.statistics import DatasetStatistics, Histogram
from studio.i18n import set_language
from studio.report.dataset_card import dataset_card
from studio.report.markdown import code, escaped
from studio.services.ports import DatasetFacts
from tests.helpers import builders

SECRET = "13812345678"
EVIL = "# [x](javascript:alert(1)) <script>alert(1)</script> | `a` ![i](http://evil/x.png) http://evil"
reader = MarkdownIt("commonmark").enable("table")


def version(**fields: object) -> DatasetVersion:
    record = SourceRecord(
        path="/data/shop|1.zip", member="in`ner`.csv", format="csv", encoding="gb18030", size_bytes=2_000_000,
        sha256="a" * 64, modified_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC), rows=900, rejected=100,
    )  # fmt: skip
    spec = ImportSpec(source="/data/shop.zip", licence="CC-BY 4.0")
    values: dict[str, object] = {
        "name": "Shop", "shape": Shape.TEXT_LABEL, "sources": [record], "spec": spec, "rows": 1000, "rejected": 100,
        "splits": {Split.TRAIN: 880, Split.VALIDATION: 60, Split.TEST: 60},
        "labels": {"": 40, "good|bad": 600, **{f"label {n}": 1 for n in range(30)}}, "class_weights": {"good|bad": 0.5},
    }  # fmt: skip
    return builders.dataset(**{**values, **fields})


def changed(parent: DatasetVersion) -> DatasetVersion:
    steps = [
        FixStep(finding=FindingKind.PRIVATE_DATA, action=FixAction.MASK),
        ReplaceStep(find="<b>|", replacement="*"),
        AugmentStep(text=(TextOperator.TYPOS,)),
    ]
    outcomes = [StepOutcome(step=step, rows_before=1234, rows_after=1000, changed=77) for step in steps]
    return version(
        family_id=parent.family_id, parent_id=parent.id, number=2, made_by=outcomes, note="For launch"
    )


def report_of(version: DatasetVersion) -> DoctorReport:
    private = Finding(
        kind=FindingKind.PRIVATE_DATA, severity=Severity.PROBLEM, rows=12, of=1000,
        examples=[Example(row=1, column="text", before=f"call {SECRET}", after="call [PHONE]")],
        details={"kinds": {"phone": 12}},
    )  # fmt: skip
    short = Finding(kind=FindingKind.TOO_SHORT, severity=Severity.NOTE, rows=5, of=1000)
    return DoctorReport(
        dataset_id=version.id, content_sha256=version.content_sha256, rows=1000, findings=[private, short],
        checked=list(FindingKind), spec=DoctorSpec(), seconds=1.0,
    )  # fmt: skip


def section(card: str, title: str) -> str:
    return card.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_a_full_card_tells_all_that_is_known() -> None:
    first = version()
    second = changed(first)
    figures = DatasetStatistics(
        dataset_id=second.id, rows=1000, splits={}, languages={"zh": 0.75, "ja": 0.25, "en": 0.0}, estimated=True,
        lengths=[
            Histogram(column=column, unit="tokens", edges=[0, 1], counts=[1], p50=12, p95=1234, longest=5678)
            for column in ("text", "")
        ],
    )  # fmt: skip
    card = dataset_card(DatasetFacts(second, (first, second), figures, report_of(second)))
    assert card.startswith("# Shop\n\nFor launch\n")
    sources = section(card, "Sources")
    for part in ("csv, gb18030", "2 MB", "2026-01-02", "| 900 | 100 |", "a" * 64):
        assert part in sources
    assert "CC-BY 4.0" in section(card, "Licence")
    assert "| Training | 880 | 88.0% |" in section(card, "Rows")
    assert "Chinese: 75.0%" in section(card, "Languages")
    assert "English" not in section(card, "Languages")
    labels = section(card, "Labels")
    assert "(none yet) | 40 | 4.0% | –" in labels
    assert "`good¦bad` | 600 | 60.0% | 0.5 |" in labels
    assert "and 12 more labels" in labels
    lengths = section(card, "Lengths")
    assert "| Text | tokens | 12 | 1,234 | 5,678 |" in lengths
    assert "| whole row | tokens | 12 |" in lengths
    assert "Estimated" in lengths
    log = section(card, "Cleaning log")
    assert log.count("| 2 |") == 3
    assert "1,234 | 1,000 | 77 | 0 | 0 |" in log
    assert "&#60;b&#62;\\|" in log
    private = section(card, "Private data")
    assert "12 rows" in private
    assert "- Private data of people: Mask with a placeholder: 77 rows change" in private
    limits = section(card, "Known limits")
    for part in (
        "60 rows are kept",
        "100 rows of the sources",
        "changed copies",
        "40 rows have no label",
        "Private data",
    ):
        assert part in limits
    assert "almost no text" not in limits  # a note is no limit


def test_columns_have_the_names_that_the_window_gives_them() -> None:
    made = version(shape=Shape.PROMPT_RESPONSE)
    assert "columns Instruction to the model, Question, Answer" in dataset_card(DatasetFacts(made, (made,)))
    lengths = [
        Histogram(column=column, unit="characters", edges=[0, 1], counts=[1], p50=1, p95=1, longest=1)
        for column in ("prompt", "response")
    ]
    figures = DatasetStatistics(dataset_id=made.id, rows=1000, splits={}, lengths=lengths)
    rows = section(dataset_card(DatasetFacts(made, (made,), figures)), "Rows")
    assert "columns Question, Answer" in rows, "an instruction that no row has is not one of them"
    told = ImportSpec(source="/x", roles={"q": ColumnRole.PROMPT, "a": ColumnRole.RESPONSE})
    made = version(shape=Shape.PROMPT_RESPONSE, spec=told)
    assert "columns Question, Answer" in section(dataset_card(DatasetFacts(made, (made,))), "Rows")


def test_no_private_value_is_in_the_card() -> None:
    made = version()
    assert SECRET not in dataset_card(DatasetFacts(made, (made,), None, report_of(made)))


def test_what_nobody_looked_at_is_said() -> None:
    made = builders.dataset(splits={Split.TRAIN: 0, Split.VALIDATION: 0, Split.TEST: 1000}, languages={})
    card = dataset_card(DatasetFacts(made, (made,)))
    assert "Not stated." in section(card, "Licence")
    assert "Not measured." in section(card, "Lengths")
    assert "Nothing was changed" in section(card, "Cleaning log")
    assert "Nobody has looked" in section(card, "Private data")
    assert "has not examined" in section(card, "Known limits")
    assert "## Languages" not in card
    assert "## Labels" not in card
    assert "`/somewhere/questions.csv`" in section(card, "Sources")  # recorded before sources were records


def test_a_clean_report_and_older_figures() -> None:
    tokens = TokenStats(tokenizer="smol", total=12345, mean=12, p50=10, p95=30, longest=99)
    made = builders.dataset(tokens=tokens, splits={Split.TEST: 500})
    report = report_of(made).model_copy(update={"findings": []})
    card = dataset_card(DatasetFacts(made, (made,), None, report))
    assert "None was found" in section(card, "Private data")
    assert "12,345 tokens by `smol`; median 10" in section(card, "Lengths")
    assert "None that the program knows of." in section(card, "Known limits")
    partial = report.model_copy(update={"checked": [FindingKind.MARKUP]})
    card = dataset_card(DatasetFacts(made, (made,), None, partial))
    assert "Nobody has looked" in section(card, "Private data")


@pytest.mark.parametrize(("kind", "words"), [(OriginKind.HUB, "`own/er`"), (OriginKind.CLIPBOARD, "Pasted")])
def test_where_a_source_came_from(kind: OriginKind, words: str) -> None:
    spec = ImportSpec(source="/x", origin=Origin(kind=kind, address="own/er"))
    made = version(spec=spec)
    assert words in section(dataset_card(DatasetFacts(made, (made,))), "Sources")


def test_a_file_with_columns_of_its_own_says_what_they_were_used_as() -> None:
    made = version()
    own = {"问题": ColumnRole.TEXT, "a|b": ColumnRole.LABEL, "id": ColumnRole.IGNORE}
    other = made.sources[0].model_copy(update={"member": "other.csv", "roles": own})
    shown = section(dataset_card(DatasetFacts(version(sources=[*made.sources, other]), (made,))), "Sources")
    (line,) = (line for line in shown.splitlines() if "→" in line)
    assert "other.csv" in line
    assert "问题 → Text" in line
    assert "id" not in line
    assert "names of their own" not in section(dataset_card(DatasetFacts(made, (made,))), "Sources")


def test_the_card_is_in_the_active_language(monkeypatch: pytest.MonkeyPatch) -> None:
    import gettext

    class Chinese(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return "许可" if message == "Licence" else message

    monkeypatch.setattr(gettext, "translation", lambda *_a, **_k: Chinese())
    set_language("zh_CN")
    made = version()
    assert "\n## 许可\n" in dataset_card(DatasetFacts(made, (made,)))


def test_nothing_that_was_typed_becomes_markup() -> None:
    record = SourceRecord(path=EVIL, member=EVIL, format=EVIL, size_bytes=1, sha256=EVIL)
    made = version(
        name=EVIL, note=EVIL, spec=ImportSpec(source="/x", licence=EVIL), labels={EVIL: 3}, sources=[record],
        made_by=[StepOutcome(step=ReplaceStep(find=EVIL, replacement=EVIL), rows_before=1, rows_after=1)],
    )  # fmt: skip
    card = dataset_card(DatasetFacts(made, (made,)))
    html = reader.render(card)
    for trick in ("<script", "<img", "<a ", 'href="'):
        assert trick not in html
    assert html.count("<h1>") == 1
    assert "[x](javascript:alert(1))" in html.split("</h1>")[0].replace("&amp;", "&")
    assert all(line.count("<td") == 6 for line in html.split("<tr>")[2:3])


tricky = st.text(st.sampled_from("#*_-+=1.)>[]!`|<&:/@~$\\ wax") | st.characters(), max_size=40)


@settings(deadline=None)
@given(text=tricky, frame=st.sampled_from(["x {} x", "# {}", "- {}", "- x: {}"]))
def test_any_text_is_shown_as_it_is(text: str, frame: str) -> None:
    tokens = [token for token in reader.parse(frame.format(escaped(text))) if token.type == "inline"]
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}
    shown = "".join(child.content for child in children)
    expected = frame.removeprefix("# ").removeprefix("- ").format(" ".join(text.split())).strip()
    assert shown.replace("\ufffd", "\0") == expected.replace("\ufffd", "\0")


@settings(deadline=None)
@given(text=tricky)
def test_any_text_in_a_code_span_is_code(text: str) -> None:
    plain = " ".join(text.split()).replace("|", "¦")
    children = reader.parse(f"x {code(text)} x")[1].children or []
    spans = [child.content for child in children if child.type == "code_inline"]
    assert [span.strip().replace("\ufffd", "\0") for span in spans] == [plain.replace("\ufffd", "\0")]
    assert {child.type for child in children} <= {"text", "code_inline"}


def test_the_card_is_plain_text_without_odd_characters(tmp_path: Path) -> None:
    made = version(name="a\nb\tc")
    card = dataset_card(DatasetFacts(made, (made,)))
    assert card.startswith("# a b c\n")
    assert json.loads(json.dumps(card)) == card
