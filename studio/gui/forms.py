"""Forms made from pydantic models, so that no option is declared twice.

A field's ``Field(...)`` holds its title, help and bounds; ``json_schema_extra`` may add ``unit``, ``group``, ``level``
("simple" or "advanced"), ``choices_titles``, ``step``, ``decimals``, ``empty`` (what an empty number means) and
``widget`` ("slider", "text", "path").
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.form_fields import FieldInput, FieldSpec, build_input, read_fields
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, FormRow, SectionTitle
from studio.i18n import _

M = TypeVar("M", bound=BaseModel)


class ModelForm(QWidget, Generic[M]):
    """Labelled inputs for the fields of ``model_type``; ``changed`` carries each new valid instance.

    ``validity_changed(bool)`` tells whether the form as it stands is valid. Fields not shown keep their value.
    """

    changed = Signal(object)
    validity_changed = Signal(bool)

    def __init__(
        self,
        model_type: type[M],
        value: M | None = None,
        *,
        fields: list[str] | None = None,
        level: str = "advanced",
        compact: bool = False,
        columns: int = 1,
        parent: QWidget | None = None,
    ) -> None:
        """fields: which, in which order (None = all with a title); level: "simple" hides advanced fields;

        compact: label above the input instead of beside it; columns: inputs side by side (compact only).
        """
        super().__init__(parent)
        self._type = model_type
        self._value: M = value if value is not None else model_type()
        self._filling = False
        self._valid = True
        self._inputs: dict[str, FieldInput] = {}
        self._rows: dict[str, FormRow] = {}
        self._grids: list[tuple[FormRow, QGridLayout]] = []  # each row and where it belongs
        self._placed: list[tuple[FormRow, QGridLayout]] = []  # those that stand in their grid
        self._general = Caption(tone="error", parent=self)
        self._general.hide()
        self._specs = _chosen(read_fields(model_type), fields)
        self._build(compact, columns)
        self.set_level(level)
        self.set_value(self._value)

    def value(self) -> M:
        """The last valid instance."""
        return self._value

    def is_valid(self) -> bool:
        """Whether what stands in the inputs now is valid."""
        return self._valid

    def set_value(self, value: M) -> None:
        """Show another instance, without emitting ``changed``."""
        self._value = value
        self._filling = True
        for name, field in self._inputs.items():
            field.put(getattr(value, name))
        self._filling = False
        self._show_errors({})

    def set_level(self, level: str) -> None:
        """ "simple" hides the advanced fields, "advanced" shows all."""
        for spec in self._specs:
            self._rows[spec.name].setVisible(level == "advanced" or spec.level == "simple")
        self._place_rows()

    def level_of(self, name: str) -> str:
        """ "simple" or "advanced", as the field declares."""
        return next(spec.level for spec in self._specs if spec.name == name)

    def set_field_visible(self, name: str, visible: bool) -> None:
        """Hide a field that does not apply now (its value is kept)."""
        self._rows[name].setVisible(visible)
        self._place_rows()

    def input(self, name: str) -> QWidget:
        """The input widget of a field."""
        return self._inputs[name].widget

    def general_error(self) -> str:
        """What is wrong with the fields together, empty when nothing is."""
        return self._general.text()

    def error(self, name: str) -> str:
        """The message under a field, empty when it is valid."""
        return self._rows[name].error()

    def _build(self, compact: bool, columns: int) -> None:
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(space.l)
        grid: QGridLayout | None = None
        group = None
        self._columns = columns
        for spec in self._specs:
            if grid is None or spec.group != group:
                group, grid = spec.group, QGridLayout()
                grid.setHorizontalSpacing(space.l)
                grid.setVerticalSpacing(space.m if compact else space.l)
                if "group_title" in spec.extra:
                    outer.addWidget(SectionTitle(_(str(spec.extra["group_title"]))))
                outer.addLayout(grid)
            row = self._row(spec, compact)
            if columns > 1:  # all as wide, whatever they hold
                row.setSizePolicy(QSizePolicy.Policy.Ignored, row.sizePolicy().verticalPolicy())
            self._grids.append((row, grid))
        for column in range(columns):
            for _row, each in self._grids:
                each.setColumnStretch(column, 1)
        self._place_rows()
        outer.addWidget(self._general)

    def _place_rows(self) -> None:
        """Rows that are shown follow one another without holes."""
        shown = [(row, grid) for row, grid in self._grids if not row.isHidden()]
        if shown == self._placed:
            return
        for row, grid in self._placed:
            grid.removeWidget(row)
        counts: dict[QGridLayout, int] = {}
        for row, grid in shown:
            place = counts[grid] = counts.get(grid, -1) + 1
            # At the top of its cell, so that labels of neighbours stand level though their help differs in length.
            grid.addWidget(row, place // self._columns, place % self._columns, Qt.AlignmentFlag.AlignTop)
        self._placed = shown

    def _row(self, spec: FieldSpec, compact: bool) -> FormRow:
        field = build_input(spec)
        row = FormRow(_(spec.title), field.widget, _(spec.help), wide=not compact)
        row.setObjectName(f"field.{spec.name}")
        field.edited.connect(self._on_edited)
        self._inputs[spec.name] = field
        self._rows[spec.name] = row
        return row

    def _on_edited(self) -> None:
        if self._filling:
            return
        raw: dict[str, Any] = {name: getattr(self._value, name) for name in type(self._value).model_fields}
        raw |= self._value.model_extra or {}
        raw |= {name: field.get() for name, field in self._inputs.items()}
        try:
            made = self._type.model_validate(raw)
        except ValidationError as problem:
            self._show_errors({str((e["loc"] or ("",))[0]): e for e in problem.errors()})
            return
        self._show_errors({})
        if made != self._value:
            self._value = made
            self.changed.emit(made)

    def _show_errors(self, errors: dict[str, Any]) -> None:
        for name, row in self._rows.items():
            message = _error_words(errors.pop(name)) if name in errors else ""
            if message != row.error():
                row.set_error(message)
        rest = "\n".join(_error_words(error) for error in errors.values())
        self._general.setText(rest)
        self._general.setVisible(bool(rest))
        valid = not rest and not any(row.error() for row in self._rows.values())
        if valid != self._valid:
            self._valid = valid
            self.validity_changed.emit(valid)


def _chosen(specs: list[FieldSpec], fields: list[str] | None) -> list[FieldSpec]:
    if fields is None:
        return specs
    by_name = {spec.name: spec for spec in specs}
    return [by_name[name] for name in fields]


def _error_words(error: Any) -> str:
    """A pydantic error in plain words, translated; messages of our own validators are kept."""
    context: dict[str, Any] = error.get("ctx") or {}
    kind = str(error["type"])
    if kind in ("greater_than_equal", "greater_than"):
        return _("At least {bound}.").format(bound=context.get("ge", context.get("gt")))
    if kind in ("less_than_equal", "less_than"):
        return _("At most {bound}.").format(bound=context.get("le", context.get("lt")))
    if kind.startswith(("int_", "float_")):
        return _("This needs a number.")
    if kind in ("missing", "string_too_short"):
        return _("This may not stay empty.")
    return str(context.get("error") or error["msg"])
