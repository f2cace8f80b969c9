"""One setting in the form of a search: whether it is searched, and from where to where or among which choices."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.domain.search_space import Dimension, field_title, read_dimension, setting_words, suggested
from studio.domain.specs import TrainSpec
from studio.errors import StudioError
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Switch
from studio.i18n import _

_FIELD_WIDTH = 108
_NAME_WIDTH = 236


class RangeRow(QWidget):
    """``changed`` when anything in it was changed by the user."""

    changed = Signal()

    def __init__(self, name: str, spec: TrainSpec) -> None:
        super().__init__()
        self.name = name
        self._suggested = suggested(name, spec)
        self._error = Caption(tone="error")
        self._error.hide()
        self.switch = Switch()
        self.switch.setAccessibleName(_("Search “{title}”").format(title=field_title(name)))
        self.low, self.high = QLineEdit(), QLineEdit()
        self.boxes: list[QCheckBox] = []
        self._values = QWidget()
        self._build()
        self.switch.toggled.connect(self._on_switch)
        self._on_switch(False)

    def chosen(self) -> bool:
        """Whether the setting is searched."""
        return self.switch.isChecked()

    def dimension(self) -> Dimension:
        """What stands in the inputs. Raises StudioError."""
        return read_dimension(self.name, self._text())

    def check(self) -> str:
        """What is wrong with the inputs, shown below them; empty when nothing is."""
        problem = ""
        if self.chosen():
            try:
                self.dimension()
            except StudioError as wrong:
                problem = " ".join(part for part in (wrong.message, wrong.hint) if part)
        self._error.setText(problem)
        self._error.setVisible(bool(problem))
        return problem

    def _build(self) -> None:
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, space.xs, 0, space.xs)
        outer.setSpacing(space.xs)
        row = QHBoxLayout()
        row.setSpacing(space.m)
        row.addWidget(self.switch)
        title = BodyText(field_title(self.name))
        title.setFixedWidth(_NAME_WIDTH)
        title.setToolTip(_(TrainSpec.model_fields[self.name].description or ""))
        row.addWidget(title)
        row.addWidget(self._values)
        row.addStretch(1)
        inner = QHBoxLayout(self._values)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(space.s)
        if self._suggested.choices:
            self._build_choices(inner)
        else:
            self._build_ends(inner)
        outer.addLayout(row)
        outer.addWidget(self._error)

    def _build_ends(self, inner: QHBoxLayout) -> None:
        title = field_title(self.name)
        for edit, value, words in (
            (self.low, self._suggested.low, _("{title}, from")), (self.high, self._suggested.high, _("{title}, to")),
        ):  # fmt: skip
            edit.setText(f"{value:.6g}")
            edit.setFixedWidth(_FIELD_WIDTH)
            edit.setAccessibleName(words.format(title=title))
            edit.textEdited.connect(lambda _text: self._on_edited())
        inner.addWidget(self.low)
        inner.addWidget(Caption(_("to")))
        inner.addWidget(self.high)

    def _build_choices(self, inner: QHBoxLayout) -> None:
        for value in self._suggested.choices:
            box = QCheckBox(setting_words(self.name, value))
            box.setChecked(True)
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            box.toggled.connect(lambda _on: self._on_edited())
            self.boxes.append(box)
        grid = QVBoxLayout()
        grid.setSpacing(current_tokens().space.xs)
        inner.addLayout(grid)
        for start in range(0, len(self.boxes), 3):
            line = QHBoxLayout()
            line.setSpacing(current_tokens().space.m)
            for box in self.boxes[start : start + 3]:
                line.addWidget(box)
            line.addStretch(1)
            grid.addLayout(line)

    def _text(self) -> str:
        if self.boxes:
            values = zip(self.boxes, self._suggested.choices, strict=True)
            return ",".join(str(value) for box, value in values if box.isChecked())
        return f"{self.low.text().strip()}..{self.high.text().strip()}"

    def _on_switch(self, on: bool) -> None:
        self._values.setVisible(on)
        self._on_edited()

    def _on_edited(self) -> None:
        self.check()
        self.changed.emit()
