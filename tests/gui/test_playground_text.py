"""Answers as they are drawn: growing at their end, never loading anything, and quick."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.theme import Theme, current_tokens
from studio.gui.widgets.chat_text import ChatText
from studio.protocol.events import Token

MARKDOWN = """# Returns

You have **30 days**, see `orders` and the [page](https://example.org/returns).

1. Open it
2. Print it
   - twice

> Keep the box.

```python
def refund(price):
    return price - 4.9  # dollars
```

| Item | Days |
|---|---|
| Lamp | 30 |

---

The end.
"""


@pytest.fixture
def text(qtbot: QtBot, theme: Theme) -> ChatText:
    made = ChatText()
    qtbot.addWidget(made)
    made.resize(500, 100)
    return made


def shape(document: QTextDocument) -> list[tuple[object, ...]]:
    """Every block with the formats that can be seen."""
    found: list[tuple[object, ...]] = []
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        marker = block.textList().format().style() if block.textList() else None
        found.append((block.text(), form.topMargin(), form.indent(), form.headingLevel(), marker))
        block = block.next()
    return found


@pytest.mark.parametrize("step", [1, 7, 40])
def test_a_text_that_grew_looks_like_one_written_at_once(qtbot: QtBot, text: ChatText, step: int) -> None:
    for end in range(0, len(MARKDOWN) + step, step):
        text.show_markdown(MARKDOWN[:end], final=end >= len(MARKDOWN))
    at_once = ChatText()
    qtbot.addWidget(at_once)
    at_once.show_markdown(MARKDOWN, final=True)
    assert shape(text.document()) == shape(at_once.document())
    assert text.codes() == ["def refund(price):\n    return price - 4.9  # dollars"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([*MARKDOWN.split("\n"), "", "```", "- a", "<b>", "    code", "| x |", "2. b"]),
        max_size=14,
    ),
    st.integers(1, 12),
)
@example(lines=["words", "| x |", "|---|---|"], step=1)
@example(lines=["1. a", "", "2. b"], step=1)
def test_any_text_may_grow(text: ChatText, lines: list[str], step: int) -> None:
    source = "\n".join(lines)
    for end in range(0, len(source) + step, step):
        text.show_markdown(source[:end], final=end >= len(source))
    grown = shape(text.document())
    text.show_plain("")
    text.show_markdown(source, final=True)
    assert grown == shape(text.document())


def test_the_text_is_as_high_as_its_words(qtbot: QtBot, text: ChatText) -> None:
    text.show()
    text.show_markdown("one", final=True)
    low = text.height()
    text.show_markdown("one\n\ntwo\n\nthree", final=True)
    assert text.height() > 2 * low
    qtbot.waitUntil(lambda: text.viewport().height() == text.height())
    assert text.verticalScrollBar().maximum() == 0


def test_colours_follow_the_theme(text: ChatText, theme: Theme) -> None:
    text.show_markdown("words", final=True)

    def colour() -> str:
        return text.document().begin().begin().fragment().charFormat().foreground().color().name()

    assert colour() == current_tokens().text
    theme.set_appearance("dark")
    assert colour() == current_tokens().text == "#e8eaee"
    theme.set_appearance("light")


class _Listener(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A web server on this computer that notes what is asked of it."""
    asked: list[str] = []
    handler = type("Handler", (_Listener,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src={url}/a.png onerror=alert(1)>",
    "![picture]({url}/b.png)",
    '<link rel="stylesheet" href="{url}/c.css"><style>@import "{url}/d.css";</style>',
    "<iframe src={url}/e></iframe>\n\n<object data={url}/f></object>",
    "[click](javascript:alert(1)) [file](file:///etc/passwd) ![x](file:///etc/passwd) [copy](studio-copy:0)",
    '<table background="{url}/g.png"><tr><td style="background:url({url}/h.png)">x</td></tr></table>',
    "```html\n<img src={url}/i.png>\n```",
    "| <img src={url}/j.png> |\n|---|\n| ![k]({url}/k.png) |",
    "&lt;img src={url}/l.png&gt; &#60;script&#62;",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("kind", ["markdown", "plain", "tokens"])
def test_nothing_a_model_says_loads_anything(
    qtbot: QtBot, text: ChatText, listener: tuple[str, list[str]], attack: str, kind: str
) -> None:
    url, asked = listener
    source = attack.replace("{url}", url)
    with qtbot.waitExposed(text):
        text.show()
    if kind == "markdown":
        text.show_markdown(source, final=True)
    elif kind == "plain":
        text.show_plain(source)
    else:
        text.show_tokens([Token(request_id="r", text=source, probability=0.5)])
    text.grab()
    qtbot.wait(30)
    assert asked == []
    assert "￼" not in text.toPlainText()  # no picture, not even an empty one
    said = text.toPlainText()
    if "<script>" in source or "<img" in source:
        assert "<" in said  # told as words, not swallowed
    anchors = [f.charFormat().anchorHref() for f in fragments(text.document()) if f.charFormat().isAnchor()]
    codes = [address for address in anchors if address.startswith("studio-copy")]
    assert len(codes) == len(text.codes())
    assert all(a.startswith(("http://", "https://")) for a in anchors if a not in codes)


def fragments(document: QTextDocument) -> Iterator[object]:
    block = document.begin()
    while block.isValid():
        it = block.begin()
        while not it.atEnd():
            yield it.fragment()
            it += 1
        block = block.next()


def click_word(qtbot: QtBot, text: ChatText, word: str) -> None:
    cursor = text.document().find(word)
    assert not cursor.isNull()
    cursor.setPosition(cursor.selectionStart() + 1)
    place = text.cursorRect(cursor).center()
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))


def test_a_link_is_told_and_not_followed(qtbot: QtBot, text: ChatText) -> None:
    text.show_markdown("see [the page](https://example.org/returns)", final=True)
    text.show()
    with qtbot.waitSignal(text.link_clicked) as told:
        click_word(qtbot, text, "page")
    assert told.args == ["https://example.org/returns"]
    assert "the page" in text.toPlainText()


def test_the_copy_word_above_code_copies_that_code(qtbot: QtBot, text: ChatText) -> None:
    text.show_markdown("```\nfirst\n```\n\n```sql\nsecond = 2\n```", final=True)
    text.show()
    cursor = text.document().find("sql")
    cursor.movePosition(cursor.MoveOperation.EndOfBlock)
    place = text.cursorRect(cursor).center()
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x() - 6, place.y()))
    assert QApplication.clipboard().text() == "second = 2"


def test_tokens_show_their_alternatives(qtbot: QtBot, text: ChatText) -> None:
    tokens = [
        Token(request_id="r", text="Yes", probability=0.9, alternatives=[("Yes", 0.9), ("No", 0.08)]),
        Token(request_id="r", text=" sir", probability=0.05, alternatives=[(" madam", 0.4)]),
    ]
    text.show_tokens(tokens)
    text.show()
    cursor = text.document().find("sir")
    cursor.setPosition(cursor.selectionStart() + 1)
    words = text._words_at(text.cursorRect(cursor).center())
    assert "5.0%" in words
    assert "madam" in words
    backs = [f.charFormat().background().color().name() for f in fragments(text.document())]
    assert backs == [current_tokens().success_soft, current_tokens().error_soft]
