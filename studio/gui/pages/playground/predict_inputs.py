"""What a predictor is given: a text box, a place for pictures or recordings, a user, or a draw of new pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    DropZone,
    FormRow,
    LinkButton,
    PrimaryButton,
    SecondaryButton,
    Switch,
)
from studio.gui.widgets.chat_input import GrowingText
from studio.i18n import _

MOST_DRAWN, MOST_ITEMS, MOST_SUGGESTIONS = 400, 100, 3
PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.gif", "*.bmp", "*.webp", "*.tif", "*.tiff")
RECORDINGS = ("*.wav", "*.flac", "*.ogg", "*.mp3")
_SHORT = 48  # characters of a suggestion


class InputPart(QWidget):
    """``asked`` carries (inputs, as a person reads them); ``file_asked`` a Path with many of them.

    Each gives its focus to the field or button that is used first.
    """

    asked = Signal(object)
    file_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(current_tokens().space.m)

    @abstractmethod
    def set_allowed(self, allowed: bool) -> None:
        """Whether something may be asked now."""

    def suggest(self, probes: Sequence[str]) -> None:
        """Offer what the run itself was tried with."""

    def choose_file(self) -> None:
        """A CSV or text file with many inputs."""
        chosen, _filter = QFileDialog.getOpenFileName(self, _("File with inputs"), "", "*.csv *.txt")
        if chosen:
            self.file_asked.emit(Path(chosen))


class TextInput(InputPart):
    """One text, or one for each line."""

    def __init__(self) -> None:
        super().__init__()
        self.box = GrowingText(_("Text"), _("Type or paste a text"), least_lines=5, most_lines=14)
        self.box.takes_escape = False
        self.box.submitted.connect(self._ask)
        self.lines = Switch()
        self.lines.setAccessibleName(_("Each line is a text of its own"))
        words = BodyText(_("Each line is a text of its own"))
        words.setBuddy(self.lines)
        row = QHBoxLayout()
        row.addWidget(words, 1)
        row.addWidget(self.lines)
        self.go = PrimaryButton(_("Answer"), self._ask)
        self.file = SecondaryButton(_("From a file…"), self.choose_file, icon="file")
        self.file.setToolTip(_("A CSV with a column named text, or a text file with one text a line"))
        feet = QHBoxLayout()
        feet.setSpacing(current_tokens().space.s)
        feet.addWidget(self.go)
        feet.addWidget(self.file)
        feet.addStretch(1)
        self.setFocusProxy(self.box)
        self.tries = Suggestions(self._try)
        self.column.addWidget(self.box)
        self.column.addLayout(row)
        self.column.addLayout(feet)
        self.column.addWidget(self.tries)

    def set_allowed(self, allowed: bool) -> None:
        for button in (self.go, self.file, *self.tries.buttons):
            button.setEnabled(allowed)

    def suggest(self, probes: Sequence[str]) -> None:
        self.tries.show_texts(probes)

    def _try(self, text: str) -> None:
        self.lines.setChecked(False)
        self.box.setPlainText(text)
        self._ask()

    def _ask(self) -> None:
        whole = self.box.toPlainText()
        texts = [line.strip() for line in (whole.splitlines() if self.lines.isChecked() else [whole])]
        texts = [text for text in texts if text]
        if texts and self.go.isEnabled():
            self.asked.emit(([{"text": text} for text in texts], texts))


class FileInput(InputPart):
    """Pictures or recordings, dropped or chosen. kind: "image" or "audio"."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind
        pictures = kind == "image"
        self._patterns = PICTURES if pictures else RECORDINGS
        self.choose = SecondaryButton(
            _("Choose pictures…") if pictures else _("Choose recordings…"), self._choose, icon="folder"
        )
        sentence = _("Drop pictures here") if pictures else _("Drop recordings here")
        hint = _("PNG, JPEG, GIF, BMP, WebP or TIFF") if pictures else _("WAV, FLAC, OGG or MP3")
        self.zone = DropZone(sentence, hint, self._choose, button=self.choose)
        self.zone.dropped.connect(self.take)
        self.setFocusProxy(self.choose)
        self.tries = Suggestions(self._try)
        self._offered: dict[str, Path] = {}
        self.column.addWidget(self.zone)
        self.column.addWidget(self.tries)

    def set_allowed(self, allowed: bool) -> None:
        for part in (self.zone, *self.tries.buttons):
            part.setEnabled(allowed)

    def offer(self, files: Sequence[Path]) -> None:
        """Files of rows that the model did not learn from."""
        words = _("Test picture {n}") if self._kind == "image" else _("Test recording {n}")
        self._offered = {words.format(n=place): file for place, file in enumerate(files, 1)}
        self.tries.show_texts(list(self._offered))

    def _try(self, words: str) -> None:
        self.asked.emit(([{self._kind: str(self._offered[words])}], [words]))

    def take(self, paths: list[Path]) -> None:
        """Ask of these files, and of those in these folders."""
        endings = {pattern[1:] for pattern in self._patterns}
        files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
        files = [file for file in files if file.suffix.lower() in endings]
        if files:
            self.asked.emit(([{self._kind: str(file)} for file in files], [file.name for file in files]))

    def _choose(self) -> None:
        title = _("Choose pictures…") if self._kind == "image" else _("Choose recordings…")
        chosen, _filter = QFileDialog.getOpenFileNames(self, title, "", " ".join(self._patterns))
        if chosen:
            self.take([Path(name) for name in chosen])


class UserInput(InputPart):
    """A user of the training data; where the order of choices counts, also a list of choices."""

    def __init__(self) -> None:
        super().__init__()
        self.user = QLineEdit()
        self.user.setPlaceholderText(_("As it stands in the data"))
        self.user.returnPressed.connect(self._ask)
        self.history = QLineEdit()
        self.history.setPlaceholderText(_("For example: lamp, candle"))
        self.history.returnPressed.connect(self._ask)
        self.count = _spin(1, MOST_ITEMS, 10)
        self.history_row = FormRow(
            _("Or what was chosen so far"), self.history, _("Items parted by commas, the last one last.")
        )
        self.go = PrimaryButton(_("Recommend"), self._ask)
        self.file = SecondaryButton(_("From a file…"), self.choose_file, icon="file")
        self.file.setToolTip(_("A CSV with a column named user, one recommendation a row"))
        feet = QHBoxLayout()
        feet.setSpacing(current_tokens().space.s)
        feet.addWidget(self.go)
        feet.addWidget(self.file)
        feet.addStretch(1)
        self.setFocusProxy(self.user)
        self.tries = Suggestions(self._try)
        self.column.addWidget(FormRow(_("User"), self.user))
        self.column.addWidget(self.history_row)
        self.column.addWidget(FormRow(_("How many items"), self.count))
        self.column.addLayout(feet)
        self.column.addWidget(self.tries)

    def set_allowed(self, allowed: bool) -> None:
        for button in (self.go, self.file, *self.tries.buttons):
            button.setEnabled(allowed)

    def suggest(self, probes: Sequence[str]) -> None:
        self.tries.show_texts(probes)

    def _try(self, user: str) -> None:
        self.history.clear()
        self.user.setText(user)
        self._ask()

    def _ask(self) -> None:
        count, user = self.count.value(), self.user.text().strip()
        chosen = [item.strip() for item in self.history.text().replace("，", ",").split(",") if item.strip()]
        if not self.go.isEnabled() or not (user or chosen):
            return
        if chosen and self.history_row.isVisible():
            self.asked.emit(([{"history": chosen, "count": count}], [" → ".join(chosen)]))
        elif user:
            self.asked.emit(([{"user": user, "count": count}], [user]))


class DrawInput(InputPart):
    """How many new pictures, and the seed that repeats them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = _spin(1, MOST_DRAWN, 36)
        self.seed = _spin(0, 2**31 - 1, 0)
        self.go = PrimaryButton(_("Draw new pictures"), self._ask)
        self.setFocusProxy(self.go)
        self.column.addWidget(FormRow(_("How many"), self.count))
        self.column.addWidget(
            FormRow(_("Seed"), self.seed, _("The same seed draws the same pictures; it counts up by itself."))
        )
        self.column.addWidget(self.go, 0, Qt.AlignmentFlag.AlignLeft)

    def set_allowed(self, allowed: bool) -> None:
        self.go.setEnabled(allowed)

    def _ask(self) -> None:
        count, seed = self.count.value(), self.seed.value()
        shown = _("{n} new pictures, seed {seed}").format(n=count, seed=seed)
        self.asked.emit(([{"sample": count, "seed": seed}], [shown]))
        self.seed.setValue(seed + 1)


class Suggestions(QWidget):
    """A few inputs to begin with, each asked by a click."""

    def __init__(self, take: Callable[[str], object]) -> None:
        super().__init__()
        self._take = take
        self.buttons: list[LinkButton] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(Caption(_("Try one of these")))
        self.hide()

    def show_texts(self, texts: Sequence[str]) -> None:
        """Show the first of these."""
        for button in self.buttons:
            button.setParent(None)
            button.deleteLater()
        self.buttons = []
        for text in texts[:MOST_SUGGESTIONS]:
            words = " ".join(text.split())
            short = words if len(words) <= _SHORT else words[:_SHORT] + "…"
            button = LinkButton(short, partial(self._take, text))
            button.setToolTip(words)
            self.buttons.append(button)
            self._column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.setVisible(bool(self.buttons))


def input_for(asks: str) -> InputPart:
    """The part for what a model asks for (domain.predictions.asks_for)."""
    made: dict[str, Callable[[], InputPart]] = {
        "image": lambda: FileInput("image"), "audio": lambda: FileInput("audio"), "user": UserInput,
        "sample": DrawInput,
    }  # fmt: skip
    return made.get(asks, TextInput)()


def inputs_from(found: list[dict[str, Any]], asks: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What a file held, as asked and as shown; empty when the file holds another kind."""
    inputs = [given for given in found if asks in given]
    named = asks in ("image", "audio")
    return inputs, [Path(given[asks]).name if named else str(given[asks]) for given in inputs]


def _spin(least: int, most: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, most)
    box.setValue(value)
    box.setLocale(QLocale.c())
    box.lineEdit().setTextMargins(
        7, 0, 0, 0
    )  # as in forms: the style sheet's padding does not reach the text
    box.setFixedHeight(current_tokens().control_height)
    return box
