"""Which settings can be searched, and in which range: taken from the fields of TrainSpec themselves.

Trials are judged by their validation loss alone. So only fields may be searched that do not change what that loss
measures: a larger vocabulary or a longer cut would look better or worse without being so.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from studio.domain.architectures import Architecture
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec, applies
from studio.errors import StudioError
from studio.i18n import _
from studio.words import listed

Setting = bool | int | float | str
Settings = dict[str, Setting]

_GROUPS = ("method", "model", "settings")
_OTHER_LOSS = frozenset(
    {"vocabulary", "max_length", "preference_beta", "balance_labels", "label_smoothing", "seed"}
)
_OTHER_MODEL = frozenset({"architecture", "method"})
_BY_FACTORS = frozenset(
    {
        "learning_rate", "weight_decay", "l1", "max_grad_norm", "lora_rank", "lora_alpha", "batch_size",
        "gradient_accumulation", "channels", "factors", "latent",
    }
)  # fmt: skip
_MOST_CHOICES = 50


class Dimension(BaseModel):
    """The values that a field may take: ``choices``, or from ``low`` to ``high`` (both included).

    log: equal factors are equally likely. step: distance of whole numbers.
    """

    model_config = ConfigDict(frozen=True)

    choices: tuple[Setting, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False
    step: int = 1

    def holds(self, value: object) -> bool:
        """Whether the value is one of those."""
        if self.choices:
            return value in self.choices
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return not self.whole or (value - self.low) % self.step == 0

    def words(self) -> str:
        """``1e-05..0.001`` or ``4,8,16``, as it is typed."""
        if self.choices:
            return ",".join(_typed(value) for value in self.choices)
        return f"{self.low:.12g}..{self.high:.12g}"


def searchable(spec: TrainSpec, shape: Shape | None = None) -> list[str]:
    """Fields that a search over runs like this may vary, in the order of the form."""
    hidden = _OTHER_LOSS | _OTHER_MODEL
    if spec.architecture is Architecture.VAE:
        hidden |= {"image_size"}  # its loss is summed over the pixels
    return [
        name
        for name, field in TrainSpec.model_fields.items()
        if name not in hidden and _extra(field).get("group") in _GROUPS and applies(name, spec, shape)
    ]


def suggested(name: str, spec: TrainSpec) -> Dimension:
    """A range around the value that the spec has, within the field's own bounds; all choices where it has some."""
    field, value = TrainSpec.model_fields[name], getattr(spec, name)
    if named := _named_choices(field):
        return Dimension(choices=named)
    low, high = _bounds(field)
    factor = 10.0 if name == "learning_rate" else 4.0
    start = value or _smallest_step(field)
    if name in _BY_FACTORS:
        ends = max(low, start / factor), min(high, start * factor)
    else:
        ends = max(low, start / 2), min(high, start * 2)
    whole = field.annotation is int
    step = int(_extra(field).get("step", 1)) if whole else 1
    found = tuple(round(end / step) * step if whole else float(f"{end:.3g}") for end in ends)
    return _range(name, field, max(found[0], low), min(found[1], high))


def read_dimension(name: str, text: str) -> Dimension:
    """``1e-5..1e-3`` or ``4,8,16`` for this field. Raises StudioError ``search.*`` in plain words."""
    field = TrainSpec.model_fields.get(name)
    if field is None or name in _OTHER_MODEL | _OTHER_LOSS or _extra(field).get("group") not in _GROUPS:
        raise StudioError(
            "search.unknown_field", _("“{name}” is not a setting that can be searched.").format(name=name),
            _("Those that can: {names}").format(names=listed(_all_searchable())),
        )  # fmt: skip
    low, dots, high = text.partition("..")
    if dots:
        if field.annotation not in (int, float):
            raise StudioError(
                "search.no_range", _("“{title}” has no range.").format(title=_(field.title or name)),
                _("Name the choices, with commas between them: {choices}").format(
                    choices=",".join(map(str, _named_choices(field)))
                ),
            )  # fmt: skip
        return _range(name, field, float(_checked(name, field, low)), float(_checked(name, field, high)))
    choices = tuple(dict.fromkeys(_checked(name, field, part) for part in text.split(",")))
    if not 2 <= len(choices) <= _MOST_CHOICES:
        raise StudioError(
            "search.one_choice", _("“{title}” needs at least two values to choose from.").format(
                title=_(field.title or name)
            ),
            _("For example: {example}").format(example=f"{name}={suggested(name, TrainSpec()).words()}"),
        )  # fmt: skip
    return Dimension(choices=choices)


def field_title(name: str) -> str:
    """The field's name in the user's language."""
    return _(TrainSpec.model_fields[name].title or name)


def setting_words(name: str, value: Setting) -> str:
    """A value as a person reads it."""
    titles = _extra(TrainSpec.model_fields[name]).get("choices_titles", {})
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _(str(titles[value])) if value in titles else _typed(value)


def _range(name: str, field: FieldInfo, low: float, high: float) -> Dimension:
    if not low < high:
        raise StudioError(
            "search.empty_range", _("The range of “{title}” is empty.").format(title=_(field.title or name)),
            _("The first number must be the smaller one."),
        )  # fmt: skip
    whole = field.annotation is int
    step = int(_extra(field).get("step", 1)) if whole else 1
    log = name in _BY_FACTORS and low > 0
    return Dimension(low=low, high=high, whole=whole, log=log, step=1 if log else step)


def _checked(name: str, field: FieldInfo, text: str) -> Setting:
    """One value as the field takes it."""
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        value: Setting = TypeAdapter(kind).validate_python(text.strip())
    except ValidationError as problem:
        raise StudioError(
            "search.bad_value", _("“{title}” cannot be {value}.").format(
                title=_(field.title or name), value=text.strip()
            ),
            _allowed(field),
        ) from problem  # fmt: skip
    return value


def _allowed(field: FieldInfo) -> str:
    if named := _named_choices(field):
        return _("Allowed: {bounds}").format(bounds=listed(map(str, named)))
    low, high = _bounds(field)
    return _("Allowed: {low} to {high}").format(low=f"{low:g}", high=f"{high:g}")


def _named_choices(field: FieldInfo) -> tuple[Setting, ...]:
    if field.annotation is bool:
        return (False, True)
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _bounds(field: FieldInfo) -> tuple[float, float]:
    """Smallest and largest value; an open end is moved inwards by a billionth."""
    low, high = -math.inf, math.inf
    for rule in field.metadata:
        low = getattr(rule, "ge", low) if hasattr(rule, "ge") else low
        high = getattr(rule, "le", high) if hasattr(rule, "le") else high
        low = rule.gt + 1e-9 if hasattr(rule, "gt") else low
        high = rule.lt - 1e-9 if hasattr(rule, "lt") else high
    return low, high


def _smallest_step(field: FieldInfo) -> float:
    return float(_extra(field).get("step", 1))


def _all_searchable() -> list[str]:
    hidden = _OTHER_LOSS | _OTHER_MODEL
    fields = TrainSpec.model_fields.items()
    return [n for n, field in fields if n not in hidden and _extra(field).get("group") in _GROUPS]


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _typed(value: Setting) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
