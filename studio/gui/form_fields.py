"""One input per pydantic field: what a form needs to know is read from the field's own declaration."""

from __future__ import annotations

import enum
import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PySide6.QtCore import QLocale, QObject, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from studio.gui.theme import current_tokens
from studio.gui.widgets import DropDown, Figure, IconButton, Slider, Switch
from studio.i18n import _

_NONE_KEY = "\x00none"


@dataclass(frozen=True)
class FieldSpec:
    """A field as declared. ``minimum``/``maximum`` are inclusive bounds, None = unbounded."""

    name: str
    title: str
    help: str
    kind: Literal["int", "float", "bool", "str", "choice"]
    optional: bool
    choices: tuple[Any, ...]
    minimum: float | None
    maximum: float | None
    extra: dict[str, Any]

    @property
    def level(self) -> str:
        """ "simple" or "advanced"."""
        return str(self.extra.get("level", "simple"))

    @property
    def group(self) -> str:
        """Untranslated heading under which the field stands, may be empty."""
        return str(self.extra.get("group", ""))


def read_fields(model_type: type[BaseModel]) -> list[FieldSpec]:
    """The fields of a model that carry a title, in their order; others are not for people."""
    return [_spec(name, info) for name, info in model_type.model_fields.items() if info.title]


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    annotation, optional = _without_none(info.annotation)
    extra: dict[str, Any] = dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}
    kind, choices = _kind(annotation)
    minimum, maximum = _bounds(info, nudge=1 if kind == "int" else float(extra.get("step", 0)))
    return FieldSpec(
        name, info.title or name, info.description or "", kind, optional, choices, minimum, maximum, extra
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _kind(annotation: Any) -> tuple[Literal["int", "float", "bool", "str", "choice"], tuple[Any, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "choice", tuple(annotation)
    simple: dict[Any, Literal["int", "float", "bool", "str"]] = {
        bool: "bool", int: "int", float: "float", str: "str",
    }  # fmt: skip
    if annotation not in simple:
        raise TypeError(f"no input for a field of type {annotation!r}")
    return simple[annotation], ()


def _bounds(info: FieldInfo, *, nudge: float) -> tuple[float | None, float | None]:
    """Inclusive bounds; an exclusive one is moved inwards by ``nudge``."""
    minimum: float | None = None
    maximum: float | None = None
    for mark in info.metadata:
        if getattr(mark, "ge", None) is not None:
            minimum = mark.ge
        elif getattr(mark, "gt", None) is not None:
            minimum = mark.gt + nudge
        elif getattr(mark, "le", None) is not None:
            maximum = mark.le
        elif getattr(mark, "lt", None) is not None:
            maximum = mark.lt - nudge
    return minimum, maximum


class FieldInput(QObject):
    """An input: ``widget`` to show, ``get``/``put`` its value, ``edited`` when the user changed it."""

    edited = Signal()

    def __init__(self, widget: QWidget, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
        super().__init__(widget)
        self.widget = widget
        self.get = get
        self.put = put


def build_input(spec: FieldSpec) -> FieldInput:
    """The input that fits a field."""
    widget_hint = spec.extra.get("widget")
    if spec.kind == "bool" and not spec.optional:
        return _switch()
    if spec.kind == "choice":
        return _choice(spec)
    if spec.kind in ("int", "float"):
        bounded = spec.minimum is not None and spec.maximum is not None
        if widget_hint == "slider" and bounded and not spec.optional:
            return _slider(spec)
        return _number_or_auto(spec) if spec.optional else _number(spec)
    if widget_hint in ("text", "multiline"):
        return _long_text(spec)
    if widget_hint == "path":
        return _path(spec)
    return _line(spec)


def _switch() -> FieldInput:
    box = Switch()
    made = FieldInput(box, box.isChecked, lambda value: box.setChecked(bool(value)))
    box.toggled.connect(lambda: made.edited.emit())
    return made


def _choice(spec: FieldSpec) -> FieldInput:
    combo = DropDown()
    titles: dict[str, str] = spec.extra.get("choices_titles", {})
    if spec.optional:
        combo.addItem(_("Automatic"), _NONE_KEY)
    for choice in spec.choices:
        key = choice.value if isinstance(choice, enum.Enum) else choice
        combo.addItem(_(titles.get(str(key), str(key))), choice)

    def get() -> Any:
        value = combo.currentData()
        return None if value == _NONE_KEY else value

    def put(value: Any) -> None:
        wanted = _NONE_KEY if value is None else value
        combo.setCurrentIndex(next((i for i in range(combo.count()) if combo.itemData(i) == wanted), -1))

    made = FieldInput(combo, get, put)
    combo.activated.connect(lambda: made.edited.emit())
    return made


class _IntBox(QSpinBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _FloatBox(QDoubleSpinBox):
    """Shows 0.0003 as people write it, without a tail of zeros."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def textFromValue(self, value: float) -> str:
        text = f"{value:.{self.decimals()}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


def _decimals(spec: FieldSpec) -> int:
    if "decimals" in spec.extra:
        return int(spec.extra["decimals"])
    smallest = min((abs(b) for b in (spec.minimum, spec.maximum) if b), default=1.0)
    return 6 if smallest < 1e-2 else 4


def _number(spec: FieldSpec) -> FieldInput:
    box: QSpinBox | QDoubleSpinBox
    if spec.kind == "int":
        box = _IntBox()
        box.setRange(_int32(spec.minimum, -(2**31)), _int32(spec.maximum, 2**31 - 1))
        box.setSingleStep(int(spec.extra.get("step", 1)))
    else:
        box = _FloatBox()
        box.setDecimals(_decimals(spec))
        low, high = spec.minimum, spec.maximum
        box.setRange(-1e12 if low is None else low, 1e12 if high is None else high)
        box.setSingleStep(float(spec.extra.get("step", 10 ** -min(_decimals(spec), 4))))
        if "step" not in spec.extra:
            box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setLocale(QLocale.c())
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel, which it ignores, must not give it the focus
    box.lineEdit().setTextMargins(
        7, 0, 0, 0
    )  # the style sheet's padding does not reach the text of a spin box
    box.setFixedHeight(current_tokens().control_height)
    if spec.extra.get("unit"):
        box.setSuffix(" " + _(str(spec.extra["unit"])))
    made = FieldInput(box, box.value, lambda value: box.setValue(value))
    box.valueChanged.connect(lambda: made.edited.emit())
    return made


def _int32(bound: float | None, otherwise: int) -> int:
    return otherwise if bound is None else max(-(2**31), min(2**31 - 1, int(bound)))


def _number_or_auto(spec: FieldSpec) -> FieldInput:
    """A number that may be left out: an empty line means automatic, or what the field's ``empty`` says."""
    line = QLineEdit()
    line.setPlaceholderText(_(str(spec.extra["empty"])) if "empty" in spec.extra else _("Automatic"))
    line.setClearButtonEnabled(True)

    def get() -> Any:
        return line.text().strip() or None  # the model's own validation turns text into a number or an error

    made = FieldInput(line, get, lambda value: line.setText("" if value is None else f"{value:.12g}"))
    line.textEdited.connect(lambda: made.edited.emit())
    return made


def _slider(spec: FieldSpec) -> FieldInput:
    low, high = float(spec.minimum or 0.0), float(spec.maximum or 0.0)
    step = float(spec.extra.get("step", 1 if spec.kind == "int" else (high - low) / 100))
    natural = 0 if spec.kind == "int" else max(0, -math.floor(math.log10(step)))
    decimals = int(spec.extra.get("decimals", natural))
    host = QWidget()
    row = QHBoxLayout(host)
    row.setContentsMargins(0, 0, 0, 0)
    slider = Slider()
    slider.setRange(0, round((high - low) / step))
    slider.setMinimumHeight(current_tokens().control_height - 8)
    slider.setAccessibleName(_(spec.title))
    figure = Figure()
    figure.setMinimumWidth(48)
    figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    row.addWidget(slider, 1)
    row.addWidget(figure)
    host.setFocusProxy(slider)

    def get() -> Any:
        value = round(low + slider.value() * step, decimals)
        return int(value) if spec.kind == "int" else min(value, high)

    def put(value: Any) -> None:
        slider.setValue(round((float(value) - low) / step))

    made = FieldInput(host, get, put)
    slider.valueChanged.connect(lambda: figure.setText(f"{get():.{decimals}f}"))
    slider.valueChanged.connect(lambda: made.edited.emit())
    figure.setText(f"{get():.{decimals}f}")
    return made


def _line(spec: FieldSpec) -> FieldInput:
    line = QLineEdit()
    empty = None if spec.optional else ""
    made = FieldInput(line, lambda: line.text() or empty, lambda value: line.setText(value or ""))
    line.textEdited.connect(lambda: made.edited.emit())
    return made


def _long_text(spec: FieldSpec) -> FieldInput:
    box = QPlainTextEdit()
    box.setTabChangesFocus(True)
    box.setFixedHeight(int(spec.extra.get("height", 96)))
    made = FieldInput(
        box, lambda: box.toPlainText() or (None if spec.optional else ""), lambda v: box.setPlainText(v or "")
    )
    box.textChanged.connect(lambda: made.edited.emit())
    return made


def _path(spec: FieldSpec) -> FieldInput:
    host = QWidget()
    row = QHBoxLayout(host)
    row.setContentsMargins(0, 0, 0, 0)
    line = QLineEdit()
    empty = None if spec.optional else ""
    line.setAccessibleName(_(spec.title))
    row.addWidget(line, 1)
    made = FieldInput(host, lambda: line.text() or empty, lambda value: line.setText(value or ""))

    def browse() -> None:
        chosen = QFileDialog.getExistingDirectory(host, _(spec.title), line.text())
        if chosen:
            line.setText(chosen)
            made.edited.emit()

    row.addWidget(IconButton("folder", _("Choose a folder"), browse))
    host.setFocusProxy(line)
    line.editingFinished.connect(lambda: made.edited.emit())
    return made
