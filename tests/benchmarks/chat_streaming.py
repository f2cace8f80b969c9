"""How long the window stands still while a long answer streams into the playground: 2,000 pieces, 400 a second.

Run: QT_QPA_PLATFORM=offscreen .venv/bin/python -m tests.benchmarks.chat_streaming
A timer beats every 5 ms in the event loop; a gap is the time between two beats. The limit is for the work of this
thread between them, since other programs use the same cores; the gap by the clock stands beside it.
"""

from __future__ import annotations

import gc
import os
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio.gui.models.chat_conversation import Answer, AnswerState, Turn
from studio.gui.theme import Theme
from studio.gui.widgets.chat_answer import AnswerView
from studio.gui.widgets.chat_turn import Transcript
from studio.protocol.events import Token

LIMIT_MS = 50.0
BEAT_MS = 5
AT_A_BEAT = 2
PIECES = 2000
PARAGRAPH = (
    "The lamp can be returned within **thirty days**; keep `the box`, and print the label from *My orders*. "
)


def long_answers() -> dict[str, str]:
    """What each is made of, and its Markdown."""
    code = (
        "```python\n"
        + "def refund(price: float) -> float:\n    return price - 4.90  # dollars\n" * 110
        + "```"
    )
    mixed = "\n\n".join([PARAGRAPH * 4, "1. one\n2. two\n3. three", "```python\nx = 1\n```"] * 18)
    many = "\n".join(f"- point {n}: the lamp, the box and the label" for n in range(170))
    return {"one paragraph": PARAGRAPH * 75, "one code block": code, "mixed": mixed, "one list": many}


def gaps_of(source: str) -> list[tuple[float, float]]:
    """(milliseconds by the clock, of this thread's work) between beats while the text streams in."""
    transcript = Transcript(lambda answer: AnswerView(answer, "model"))
    transcript.resize(760, 600)
    transcript.show()
    answer = Answer("a", "model", request_id="r", state=AnswerState.STREAMING)
    transcript.add(Turn("question", [answer]))
    size = max(1, len(source) // PIECES)
    left = [source[place : place + size] for place in range(0, len(source), size)][::-1]
    gaps: list[tuple[float, float]] = []
    wait, timer = QEventLoop(), QTimer()
    last = (0.0, 0.0)

    def beat() -> None:
        nonlocal last
        now = (time.perf_counter(), time.thread_time())
        gaps.append(((now[0] - last[0]) * 1000, (now[1] - last[1]) * 1000))
        last = now
        for _count in range(min(AT_A_BEAT, len(left))):
            answer.tokens.append(Token.model_construct(request_id="r", text=left.pop()))
            transcript.grew(answer)
        if not left:
            timer.stop()
            QTimer.singleShot(300, wait.quit)

    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    last = (time.perf_counter(), time.thread_time())
    timer.start(BEAT_MS)
    wait.exec()
    answer.state = AnswerState.DONE
    transcript.view_of(answer).update_state()
    transcript.close()
    return gaps


def main() -> int:
    """Print the gaps of each answer; 1 when one is longer than the limit."""
    app = QApplication([])
    theme = Theme(app, "light")
    gaps_of("```python\nx\n```")  # what is loaded once, at the first answer
    gc.collect()
    gc.freeze()
    worst = 0.0
    for name, source in long_answers().items():
        gaps = gaps_of(source)
        by_clock, by_work = (max(column) for column in zip(*gaps, strict=True))
        middle = sorted(work for _clock, work in gaps)[len(gaps) // 2]
        print(
            f"{name}: {len(gaps):,} beats, longest gap {by_clock:.0f} ms by the clock, {by_work:.0f} ms of work "
            f"(median {middle:.1f}; {by_work / LIMIT_MS:.2f} of the limit of {LIMIT_MS:.0f} ms)"
        )
        worst = max(worst, by_work)
    del theme
    return 0 if worst <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
