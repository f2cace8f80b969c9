"""The doctor's panel by mouse and keys: examine, cancel, read, fix, undo, keep as a recipe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.domain.datasets import DatasetVersion
from studio.domain.findings import DoctorReport, DoctorSpec, Example, Finding, FixOption, Severity
from studio.domain.recipes import EditStep, FindingKind, FixAction, FixStep, StepOutcome
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.notices import Notice
from studio.gui.pages.data.doctor import DoctorPanel
from studio.gui.pages.data.doctor.example_row import ExampleRow
from studio.gui.pages.data.doctor.finding_card import FindingCard
from studio.gui.pages.data.doctor.fix_all import FixAllDialog
from studio.gui.pages.data.doctor.keep_recipe import KeepRecipeDialog
from studio.gui.widgets import BodyText, PrimaryButton
from tests.helpers.data_jobs import DataWorkspace

LEFT = Qt.MouseButton.LeftButton
OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> DataWorkspace:
    return DataWorkspace(tmp_path)


@pytest.fixture
def context(workspace: DataWorkspace, make_context: Callable[..., GuiContext]) -> GuiContext:
    return make_context(**workspace.services())


@pytest.fixture
def panel(qtbot: QtBot, context: GuiContext) -> Iterator[DoctorPanel]:
    made = DoctorPanel(context)
    qtbot.addWidget(made)
    made.resize(340, 640)
    made.show()
    yield made
    made.dispose()


@pytest.fixture
def notices(context: GuiContext) -> list[Notice]:
    posted: list[Notice] = []
    context.notices.posted.connect(posted.append)
    return posted


def examined(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> DatasetVersion:
    version = workspace.add_dataset()
    panel.show_dataset(version)
    qtbot.waitUntil(panel.findings.isVisible)
    return version


def card(panel: DoctorPanel, kind: FindingKind) -> FindingCard:
    return next(each for each in panel.findings.cards if each.finding.kind is kind)


def press(qtbot: QtBot, panel: DoctorPanel, button: QPushButton) -> None:
    """As a person does: scroll there, then click what can really be seen."""
    qtbot.waitUntil(button.isVisible)
    panel.findings._page.ensureWidgetVisible(button)
    qtbot.waitUntil(lambda: not button.visibleRegion().isEmpty())
    qtbot.mouseClick(button, LEFT)


def test_a_fresh_version_is_examined_by_itself(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    workspace.data_job.gate = threading.Event()
    panel.show_dataset(workspace.add_dataset())
    qtbot.waitUntil(panel.progress.isVisible)
    qtbot.waitUntil(lambda: "400 / 1,000" in panel.progress._figures.text())
    assert "200 rows/s" in panel.progress._figures.text()
    assert "left" in panel.progress._figures.text()
    workspace.data_job.gate.set()
    qtbot.waitUntil(panel.findings.isVisible)
    assert panel._about.text() == "3 findings in 1,000 rows"


def test_pictures_without_labels_are_not_all_well(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    workspace.data_job.findings = []
    panel.show_dataset(workspace.add_dataset(labels={"": 12}))
    qtbot.waitUntil(panel.findings.isVisible)
    said = [label.text() for label in panel.findings.findChildren(BodyText)]
    assert any(words.startswith("12 rows wait for a label") for words in said)


def test_an_old_version_waits_to_be_asked(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    panel.show_dataset(workspace.add_dataset(created_at=OLD))
    qtbot.waitUntil(panel.resting.isVisible)
    assert workspace.data_job.examined == 0
    qtbot.mouseClick(panel.resting.examine, LEFT)
    qtbot.waitUntil(panel.findings.isVisible)
    assert workspace.data_job.examined == 1


def test_a_kept_report_is_shown_at_once_and_can_be_made_anew(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    version = examined(qtbot, panel, workspace)
    other = workspace.add_dataset(created_at=OLD)
    panel.show_dataset(other)
    qtbot.waitUntil(panel.resting.isVisible)
    panel.show_dataset(version)
    qtbot.waitUntil(panel.findings.isVisible)
    assert workspace.data_job.examined == 1
    workspace.data_job.findings = []
    qtbot.mouseClick(panel.again, LEFT)
    qtbot.waitUntil(lambda: panel.findings.isVisible() and panel.findings.cards == [])
    assert workspace.data_job.examined == 2
    assert not panel.findings.fix_all.isVisible()


def test_cancel_an_examination(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    workspace.data_job.gate = threading.Event()
    version = workspace.add_dataset()
    panel.show_dataset(version)
    qtbot.waitUntil(panel.progress.isVisible)
    qtbot.waitUntil(lambda: workspace.data_job.examined == 1)
    qtbot.mouseClick(panel.progress.cancel, LEFT)
    qtbot.waitUntil(panel.resting.isVisible)
    workspace.data_job.gate.set()
    panel.show_dataset(workspace.add_dataset(created_at=OLD))
    panel.show_dataset(version)  # it is not begun again behind the user's back
    qtbot.waitUntil(panel.resting.isVisible)
    assert workspace.data_job.examined == 1


def test_an_examination_is_begun_again_after_the_language_changed(
    qtbot: QtBot, panel: DoctorPanel, context: GuiContext, workspace: DataWorkspace
) -> None:
    workspace.data_job.gate = threading.Event()
    version, declined = workspace.add_dataset(), workspace.add_dataset()
    panel.show_dataset(declined)
    qtbot.waitUntil(lambda: workspace.data_job.examined == 1)
    qtbot.mouseClick(panel.progress.cancel, LEFT)
    qtbot.waitUntil(panel.resting.isVisible)
    panel.show_dataset(version)
    qtbot.waitUntil(lambda: workspace.data_job.examined == 2)
    other = DoctorPanel(context)  # as the window builds everything anew
    qtbot.addWidget(other)
    other.show()
    other.remember(panel.memory())
    panel.dispose()
    other.show_dataset(declined)
    qtbot.waitUntil(other.resting.isVisible)
    other.show_dataset(version)
    qtbot.waitUntil(lambda: workspace.data_job.examined == 3)
    workspace.data_job.gate.set()
    qtbot.waitUntil(other.findings.isVisible)
    other.dispose()


def test_a_failed_examination_says_why_and_can_be_tried_again(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    workspace.data_job.problem = StudioError(
        "doctor.no_memory", "There is not enough memory.", "Close something."
    )
    panel.show_dataset(workspace.add_dataset())
    qtbot.waitUntil(panel.problem.isVisible)
    assert panel.problem.text.text() == "There is not enough memory."
    assert panel.problem.hint.text() == "Close something."
    workspace.data_job.problem = None
    qtbot.mouseClick(panel.resting.examine, LEFT)
    qtbot.waitUntil(panel.findings.isVisible)
    assert not panel.problem.isVisible()


def test_findings_stand_worst_first_with_their_fixes(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    kinds = [each.finding.kind for each in panel.findings.cards]
    assert kinds == [FindingKind.PRIVATE_DATA, FindingKind.EXACT_DUPLICATES, FindingKind.MARKUP]
    private = card(panel, FindingKind.PRIVATE_DATA)
    assert private.accessibleName() == "Problem: Private data of people, 12 rows · 1.2%"
    names = [button.accessibleName() for button in private.buttons]
    assert names == ["Mask it in 12 rows", "Make up values in 12 rows", "Remove 12 rows"]
    assert private.buttons[0].accessibleDescription().startswith("Advised.")
    assert private.buttons[2].accessibleDescription() == "12 rows are removed"


def test_examples_show_before_and_after_and_lead_to_their_row(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    markup = card(panel, FindingKind.MARKUP)
    assert markup.examples == []
    press(qtbot, panel, markup.unfold)
    (example,) = markup.examples
    qtbot.waitUntil(lambda: not example.visibleRegion().isEmpty())  # scrolled into sight
    assert "&lt;b&gt;" in example.before.text()  # shown as it is, not obeyed
    assert "of course" in example.after.text()
    with qtbot.waitSignal(panel.example_chosen) as chosen:
        press(qtbot, panel, example)
    assert chosen.args == [3]
    press(qtbot, panel, markup.unfold)
    assert not example.isVisible()


def test_many_examples_come_in_two_goes(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    many = [Example(row=n, column="prompt", before=f"<i>{n}</i>", after=str(n)) for n in range(1, 13)]
    workspace.data_job.findings = [
        Finding(kind=FindingKind.MARKUP, severity=Severity.NOTE, rows=12, of=1_000, examples=many)
    ]
    examined(qtbot, panel, workspace)
    (markup,) = panel.findings.cards
    press(qtbot, panel, markup.unfold)
    assert len(markup.examples) == 5
    assert markup.more.text() == "Show 7 more"
    press(qtbot, panel, markup.more)
    assert [row.example.row for row in markup.examples] == list(range(1, 13))
    assert not markup.more.isVisible()


def test_private_values_are_not_on_the_screen(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    private = card(panel, FindingKind.PRIVATE_DATA)
    press(qtbot, panel, private.unfold)
    (example,) = private.examples
    said = example.before.text() + example.after.text() + example.accessibleDescription()
    assert "13812345678" not in said
    assert "***********" in example.before.text()
    assert "Call me on" in example.before.text()
    assert "[PHONE]" in example.after.text()


def test_a_row_that_leaves_says_so(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    examined(qtbot, panel, workspace)
    twins = card(panel, FindingKind.EXACT_DUPLICATES)
    press(qtbot, panel, twins.unfold)
    (example,) = twins.examples
    assert example.note.text() == "Same as row 1"
    assert not example.after.isVisible()


def test_one_fix_makes_a_version_and_undo_takes_it_back(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace, notices: list[Notice]
) -> None:
    version = examined(qtbot, panel, workspace)
    shown: list[DatasetVersion] = []
    panel.derived.connect(shown.append)
    panel.derived.connect(panel.show_dataset)
    press(qtbot, panel, card(panel, FindingKind.EXACT_DUPLICATES).buttons[0])
    qtbot.waitUntil(lambda: len(shown) == 1)
    (step,) = workspace.data_job.steps
    assert isinstance(step, FixStep)
    assert (step.finding, step.action) == (FindingKind.EXACT_DUPLICATES, FixAction.KEEP_FIRST)
    assert (shown[0].number, shown[0].parent_id) == (2, version.id)
    assert notices[-1].text == "Fixed: 5 rows are removed. Version 2 is in use now."
    assert notices[-1].action_label == "Undo"
    qtbot.waitUntil(lambda: workspace.data_job.examined == 2)  # the new version is looked at by itself
    qtbot.waitUntil(panel.findings.isVisible)
    undo = notices[-1].action
    assert undo is not None
    undo()
    qtbot.waitUntil(lambda: len(shown) == 2)
    assert shown[1].id == version.id
    assert workspace.versions.newest(version.id).id == version.id


def test_undo_never_takes_back_a_later_change(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace, notices: list[Notice]
) -> None:
    examined(qtbot, panel, workspace)
    with qtbot.waitSignal(panel.derived) as made:
        press(qtbot, panel, card(panel, FindingKind.MARKUP).buttons[0])
    fixed: DatasetVersion = made.args[0]
    undo = notices[-1].action
    step = FixStep(finding=FindingKind.MARKUP, action=FixAction.STRIP)
    later = workspace.versions.derive(fixed.id, [step])
    assert undo is not None
    undo()
    qtbot.waitUntil(lambda: notices[-1].kind == "error")
    assert "newer version" in notices[-1].text
    assert workspace.versions.newest(fixed.id).id == later.id


def test_cancel_a_fix_keeps_the_report(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    version = examined(qtbot, panel, workspace)
    workspace.data_job.gate = threading.Event()
    press(qtbot, panel, card(panel, FindingKind.MARKUP).buttons[0])
    qtbot.waitUntil(panel.progress.isVisible)
    qtbot.mouseClick(panel.progress.cancel, LEFT)
    qtbot.waitUntil(panel.findings.isVisible)
    assert card(panel, FindingKind.MARKUP).buttons[0].isEnabled()
    assert workspace.versions.newest(version.id).id == version.id


def test_a_fix_that_fails_says_why_beside_the_findings(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    workspace.data_job.problem = StudioError(
        "doctor.nothing_left", "No row would be left.", "Choose another fix."
    )
    press(qtbot, panel, card(panel, FindingKind.MARKUP).buttons[0])
    qtbot.waitUntil(panel.problem.isVisible)
    assert panel.findings.isVisible()
    assert panel.problem.text.text() == "No row would be left."


def test_fix_all_says_what_it_would_change_first(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    assert panel.findings.fix_all.text() == "Choose from 3 advised fixes…"
    qtbot.mouseClick(panel.findings.fix_all, LEFT)
    dialog = panel.findChild(FixAllDialog)
    assert isinstance(dialog, FixAllDialog)
    assert dialog.total.text() == "At most: 52 rows change, 174 rows are removed."
    shown = " ".join(
        f"{row.before.text()} {row.after.text()} {row.note.text()}"
        for row in dialog.findChildren(ExampleRow)
        if row.isVisibleTo(dialog)
    )
    for words in ("&lt;b&gt;", "of course", "[PHONE]", "Same as row 1"):
        assert words in shown
    assert "13812345678" not in shown
    box = next(box for box in dialog.boxes if box.text() == "Private data of people")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert dialog.total.text() == "At most: 40 rows change, 174 rows are removed."
    with qtbot.waitSignal(panel.derived):
        qtbot.mouseClick(dialog.confirm, LEFT)
    done = [step.finding for step in workspace.data_job.steps if isinstance(step, FixStep)]
    assert done == [FindingKind.MARKUP, FindingKind.EXACT_DUPLICATES]


def test_no_single_click_empties_the_data(qtbot: QtBot, theme: object) -> None:
    def found(kind: FindingKind, removed: int) -> Finding:
        fix = FixOption(action=FixAction.KEEP_FIRST, rows_changed=0, rows_removed=removed)
        return Finding(kind=kind, severity=Severity.WARNING, rows=removed, of=100, fixes=[fix])

    kinds = (FindingKind.EXACT_DUPLICATES, FindingKind.NEAR_DUPLICATES)
    report = DoctorReport(
        dataset_id="d", content_sha256="0", rows=100, findings=[found(kinds[0], 40), found(kinds[1], 79)],
        spec=DoctorSpec(), checked=[], seconds=0.0,
    )  # fmt: skip
    steps = [FixStep(finding=kind, action=FixAction.KEEP_FIRST) for kind in kinds]
    dialog = FixAllDialog(report, steps)
    qtbot.addWidget(dialog)
    assert [box.isChecked() for box in dialog.boxes] == [True, False]
    assert "40" in dialog.total.text()
    dialog.boxes[1].click()
    assert dialog.steps() == steps
    assert "100" in dialog.total.text(), "no more rows can leave than there are"


def test_one_advised_fix_is_the_next_step_and_several_are_one_button(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    assert panel.findings.fix_all.isVisible()
    assert not [b for each in panel.findings.cards for b in each.buttons if isinstance(b, PrimaryButton)]
    assert panel.report is not None
    alone = next(each for each in panel.report.findings if each.is_advised)
    panel.findings.show_report(panel.report.model_copy(update={"findings": [alone]}))
    assert panel.findings.fix_all.isHidden()
    assert isinstance(panel.findings.cards[0].buttons[0], PrimaryButton)


def test_fix_all_with_nothing_ticked_cannot_be_confirmed(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    examined(qtbot, panel, workspace)
    qtbot.mouseClick(panel.findings.fix_all, LEFT)
    dialog = panel.findChild(FixAllDialog)
    assert isinstance(dialog, FixAllDialog)
    for box in dialog.boxes:
        qtbot.keyClick(box, Qt.Key.Key_Space)
    assert not dialog.confirm.isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert workspace.data_job.steps == []


def test_steps_are_kept_as_a_recipe_once(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace, notices: list[Notice]
) -> None:
    version = examined(qtbot, panel, workspace)
    assert not panel.recipe.isVisible()
    panel.derived.connect(panel.show_dataset)
    press(qtbot, panel, card(panel, FindingKind.MARKUP).buttons[0])
    qtbot.waitUntil(panel.recipe.isVisible)
    qtbot.mouseClick(panel.recipe, LEFT)
    dialog = panel.findChild(KeepRecipeDialog)
    assert isinstance(dialog, KeepRecipeDialog)
    assert dialog.name.text() == version.name
    qtbot.waitUntil(lambda: dialog.steps.text() == "1. Left-over HTML and chat marks: Clean the text")
    qtbot.keyClick(dialog.name, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(dialog.name, Qt.Key.Key_Backspace)
    qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    assert dialog.message.text().startswith("The recipe has no name.")
    qtbot.keyClicks(dialog.name, "Shop cleaning")
    qtbot.mouseClick(dialog.confirm, LEFT)
    qtbot.waitUntil(lambda: [recipe.name for recipe in workspace.recipes.list()] == ["Shop cleaning"])
    qtbot.waitUntil(lambda: "Shop cleaning" in notices[-1].text)
    qtbot.mouseClick(panel.recipe, LEFT)
    again = panel.findChildren(KeepRecipeDialog)[-1]
    again.name.setText("shop CLEANING")
    qtbot.mouseClick(again.confirm, LEFT)
    qtbot.waitUntil(again.message.isVisible)
    assert "already" in again.message.text()
    again.reject()


def test_steps_that_come_after_the_dialog_was_closed_are_dropped(
    qtbot: QtBot,
    panel: DoctorPanel,
    workspace: DataWorkspace,
    context: GuiContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = examined(qtbot, panel, workspace)
    asked, gate = threading.Event(), threading.Event()

    def steps_of(_version: DatasetVersion) -> list[FixStep]:
        asked.set()
        gate.wait()
        return []

    monkeypatch.setattr(context.services.recipes, "steps_of", steps_of)
    dialog = KeepRecipeDialog(context, version.id, "Shop", panel)
    dialog.open()
    assert asked.wait(10)
    with qtbot.waitSignal(dialog.destroyed):
        dialog.reject()
    with qtbot.waitSignal(context.tasks.active_changed):
        gate.set()  # a slot that met deleted widgets would fail this test


def test_a_fix_goes_on_while_another_dataset_is_looked_at(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace, notices: list[Notice]
) -> None:
    examined(qtbot, panel, workspace)
    shown: list[DatasetVersion] = []
    panel.derived.connect(shown.append)
    workspace.data_job.gate = threading.Event()
    press(qtbot, panel, card(panel, FindingKind.MARKUP).buttons[0])
    panel.show_dataset(workspace.add_dataset(created_at=OLD))
    qtbot.waitUntil(panel.resting.isVisible)
    workspace.data_job.gate.set()
    qtbot.waitUntil(lambda: bool(notices) and notices[-1].text.startswith("Fixed"))
    assert shown == []  # it does not jump away from what the user looks at
    assert panel.resting.isVisible()


def test_long_words_never_widen_the_panel(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    option = FixOption(action=FixAction.KEEP_MAJORITY, rows_changed=0, rows_removed=17_402_113)
    workspace.data_job.findings = [
        Finding(
            kind=FindingKind.CONTRADICTORY_LABELS, severity=Severity.PROBLEM, rows=17_402_113, of=20_000_000,
            fixes=[option],
        )
    ]  # fmt: skip
    examined(qtbot, panel, workspace)
    panel.resize(300, 500)
    (button,) = card(panel, FindingKind.CONTRADICTORY_LABELS).buttons
    qtbot.waitUntil(lambda: button.text().endswith("…"))
    assert panel.width() == 300
    assert button.accessibleName() == "Keep the label that most have, remove 17,402,113 rows"
    words = button.fontMetrics().horizontalAdvance(button.text())
    assert words < button.width()


def test_the_panel_is_reached_by_keys(qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace) -> None:
    examined(qtbot, panel, workspace)
    panel.activateWindow()
    panel.again.setFocus()
    reached: list[str] = []
    for _step in range(12):
        qtbot.keyClick(panel.focusWidget() or panel, Qt.Key.Key_Tab)
        holder = panel.focusWidget()
        assert holder is not None
        assert holder.accessibleName(), holder
        reached.append(holder.accessibleName())
    assert reached[:3] == ["Choose from 3 advised fixes…", "Mask it in 12 rows", "Make up values in 12 rows"]
    assert "Keep one of each, remove 174 rows" in reached


def test_steps_that_cannot_be_repeated_offer_no_recipe(
    qtbot: QtBot, panel: DoctorPanel, workspace: DataWorkspace
) -> None:
    edited = StepOutcome(step=EditStep(removed=[1]), rows_before=10, rows_after=9, removed=1)
    panel.show_dataset(workspace.add_dataset(made_by=[edited], number=2))
    qtbot.waitUntil(panel.findings.isVisible)
    assert not panel.recipe.isVisible()


SECRETS = ("Anna PHONE", "13812345678", "+86 138 1234 5678", "anna@EMAIL.com")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Call 13812345678 today", "Call [PHONE] today"),
        ("13812345678", "[PHONE]"),
        ("I am Anna PHONE +86 138 1234 5678", "I am [NAME] [PHONE]"),
        ("Anna PHONE13812345678 or anna@EMAIL.com, please", "[NAME][PHONE] or [EMAIL], please"),
        ("a " * 90 + "13812345678 and so on" + "…", "a " * 90 + "[PHONE] and so on and on and…"),
        (
            "It is 13812345678, it is anna@EMAIL.com and the rest is c…",
            "It is [PHONE], it is [EMAIL] and the rest…",
        ),
        ("Write to anna@EMAIL.com", "Something quite different [EMAIL]"),
        ("Write to anna@EMAIL.com", None),
    ],
)
def test_no_letter_of_a_private_value_is_shown(
    qtbot: QtBot, theme: object, before: str, after: str | None
) -> None:
    row = ExampleRow(Example(row=1, column="prompt", before=before, after=after), private=True)
    qtbot.addWidget(row)
    said = f"{row.before.text()} {row.accessibleDescription().partition('After')[0]}"
    for value in SECRETS:
        for word in value.replace("@", " ").replace(".", " ").split():
            if len(word) > 3:  # "com" may well stand elsewhere
                assert word not in said
    assert "*" in row.before.text()


def test_what_stays_as_it_is_is_shown_once(qtbot: QtBot, theme: object) -> None:
    row = ExampleRow(Example(row=1, column="prompt", before="Same", after="Same", note="as in row 2"))
    qtbot.addWidget(row)
    row.show()
    assert row.before.isVisible()
    assert not row.after.isVisible()
    assert row.note.text() == "as in row 2"


def test_what_differs_is_marked_in_a_long_text(qtbot: QtBot, theme: object) -> None:
    before = "word " * 400 + "<b>bold</b> " + "tail " * 400
    row = ExampleRow(
        Example(row=1, column="prompt", before=before, after=before.replace("<b>", "").replace("</b>", ""))
    )
    qtbot.addWidget(row)
    assert row.before.text().startswith("…")
    assert "&lt;b&gt;" in row.before.text()
    assert "background-color" in row.before.text()
    assert len(row.accessibleDescription()) < 600
