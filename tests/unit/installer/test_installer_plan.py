"""Which steps run, which are remembered, and what a failure leaves behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from installer.console import Console
from installer.plan import Stamps, Step, StepError, StepFailed, StepPostponed, all_done, digest, run_plan


def make_step(key: str, work: Callable[[], None], fingerprint: str = "1", present: bool = True) -> Step:
    return Step(key, f"Title of {key}", fingerprint, lambda: present, work)


@pytest.fixture
def stamps(tmp_path: Path) -> Stamps:
    return Stamps(tmp_path / "stamps")


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(output: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("STUDIO_LANGUAGE", "en")
    return Console(output)


def test_finished_step_is_not_repeated(stamps: Stamps, console: Console, output: io.StringIO) -> None:
    done: list[str] = []
    step = make_step("a", lambda: done.append("a"))
    run_plan([step], stamps, console)
    assert all_done([step], stamps)
    run_plan([step], stamps, console)
    assert done == ["a"]
    assert "[1/1] Title of a: already done" in output.getvalue()


@pytest.mark.parametrize("change", [{"fingerprint": "2"}, {"present": False}])
def test_changed_input_or_lost_result_repeats_the_step(
    stamps: Stamps, console: Console, change: dict[str, str | bool]
) -> None:
    done: list[str] = []
    run_plan([make_step("a", lambda: done.append("first"))], stamps, console)
    changed = make_step("a", lambda: done.append("again"), **change)  # type: ignore[arg-type]
    run_plan([changed], stamps, console)
    assert done == ["first", "again"]


def test_failure_names_the_step_and_keeps_what_was_done(stamps: Stamps, console: Console) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise StepError("no network", "plug it in", ["last line"])

    steps = [
        make_step("a", lambda: ran.append("a")),
        make_step("b", fail),
        make_step("c", lambda: ran.append("c")),
    ]
    with pytest.raises(StepFailed) as caught:
        run_plan(steps, stamps, console)
    assert (caught.value.title, caught.value.error.cause) == ("Title of b", "no network")
    assert ran == ["a"]
    assert all_done(steps[:1], stamps)
    assert not all_done(steps[1:2], stamps)


def test_full_disk_is_a_failure_with_advice(stamps: Stamps, console: Console) -> None:
    def fill() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StepFailed) as caught:
        run_plan([make_step("a", fill)], stamps, console)
    assert "No space left" in caught.value.error.cause
    assert "Free some space" in caught.value.error.hint


def test_trouble_while_looking_belongs_to_the_step(stamps: Stamps, console: Console) -> None:
    def look() -> bool:
        raise StepError("cannot ask", "try again")

    stamps.write("a", "1")
    with pytest.raises(StepFailed):
        run_plan([Step("a", "A", "1", look, lambda: None)], stamps, console)


def test_interrupt_leaves_no_stamp_and_resumes(stamps: Stamps, console: Console) -> None:
    attempts: list[int] = []

    def work() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise KeyboardInterrupt

    step = make_step("a", work)
    with pytest.raises(KeyboardInterrupt):
        run_plan([step], stamps, console)
    assert not all_done([step], stamps)
    run_plan([step], stamps, console)
    assert all_done([step], stamps)


def test_postponed_step_is_noted_and_tried_again(
    stamps: Stamps, console: Console, output: io.StringIO
) -> None:
    def later() -> None:
        raise StepPostponed("needs a password")

    after: list[str] = []
    steps = [make_step("a", later), make_step("b", lambda: after.append("b"))]
    run_plan(steps, stamps, console)
    assert after == ["b"]
    assert "Note: needs a password" in output.getvalue()
    assert not all_done(steps, stamps)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": 1}', "\x00\x00"])
def test_damaged_stamp_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    assert not Stamps(tmp_path).holds("a", "1")


def test_stamp_killed_before_the_rename_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            Stamps(tmp_path).write("a", "1")
    assert not Stamps(tmp_path).holds("a", "1")
    Stamps(tmp_path).write("a", "1")
    assert Stamps(tmp_path).holds("a", "1")


def test_digest_separates_its_parts() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a") == digest(b"a")


def test_download_progress_is_shown_in_megabytes(console: Console, output: io.StringIO) -> None:
    console.begin(1, 2, "PyTorch")
    assert console.listen("Progress 50000000 of 200000000")
    assert not console.listen("Collecting torch")
    console.done()
    assert output.getvalue().startswith("[1/2] PyTorch: done in ")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_terminal_line_is_redrawn_with_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_LANGUAGE", "en")
    monkeypatch.setattr("installer.console.DRAW_INTERVAL_S", 0.0)
    stream = Terminal()
    console = Console(stream)
    console.begin(1, 2, "PyTorch")
    console.listen("Progress 50000000 of 200000000")
    assert "\r[1/2] PyTorch  25% of 200 MB" in stream.getvalue()
    assert "\n" not in stream.getvalue()
