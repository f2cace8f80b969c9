"""Options made from a pydantic model, so that none is declared twice; values are checked by the model itself."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from studio.errors import StudioError
from studio.i18n import N_, _
from studio.words import listed

Model = TypeVar("Model", bound=BaseModel)

_PANELS = {
    "method": N_("Method"),
    "model": N_("New model"),
    "settings": N_("Training settings"),
    "limits": N_("Limits"),
    "machine": N_("Computer"),
    "": N_("How answers are drawn"),
}
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}


def parameters_of(model: type[BaseModel]) -> list[inspect.Parameter]:
    """One keyword parameter for each field; None stands for "not given"."""
    return [_parameter(name, field) for name, field in model.model_fields.items()]


def validated(model: type[Model], fields: Mapping[str, object]) -> Model:
    """The model with these fields. Raises StudioError ``option.invalid`` or ``option.unknown`` in plain words."""
    try:
        return model.model_validate(dict(fields))
    except ValidationError as problem:
        raise _explained(model, problem) from problem


def assignments(texts: list[str]) -> dict[str, str]:
    """``["epochs=2"]`` as ``{"epochs": "2"}``. Raises StudioError ``option.invalid``."""
    pairs = [text.partition("=") for text in texts]
    for (name, equals, _value), text in zip(pairs, texts, strict=True):
        if not name or not equals:
            raise StudioError(
                "option.invalid",
                _("“{text}” is not of the form name=value.").format(text=text),
                _("For example: {example}").format(example="epochs=2"),
            )
    return {name.strip().replace("-", "_"): value.strip() for name, _equals, value in pairs}


def flag(name: str) -> str:
    """The option of a field: ``lora_rank`` is ``--lora-rank``."""
    return "--" + name.replace("_", "-")


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    option = typer.Option(
        flag(name), help=_help(field), show_default=False, rich_help_panel=_(_PANELS[_group(field)])
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[_type(field) | None, option]
    )


def _help(field: FieldInfo) -> str:
    """Title, description, unit and bounds of the field."""
    facts = [_(str(unit))] if (unit := _extra(field).get("unit")) else []
    facts += _limits(field)
    text = _("{title}. {description}").format(
        title=_(field.title or ""), description=_(field.description or "")
    )
    return _("{text} ({facts})").format(text=text, facts=listed(facts)) if facts else text


def _limits(field: FieldInfo) -> list[str]:
    found = []
    for rule in field.metadata:
        for name, words in _BOUNDS.items():
            if (bound := getattr(rule, name, None)) is not None:
                found.append(words.format(f"{bound:g}" if isinstance(bound, float) else f"{bound}"))
    return found


def _type(field: FieldInfo) -> Any:
    """The field's type without None, which stands for "not given"."""
    annotation = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    return annotation


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _group(field: FieldInfo) -> str:
    return str(_extra(field).get("group", ""))


def _explained(model: type[BaseModel], problem: ValidationError) -> StudioError:
    first = problem.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = model.model_fields.get(name)
    if name and field is None:
        return StudioError(
            "option.unknown", _("There is no setting “{name}”.").format(name=name),
            _("The settings are: {names}").format(names=listed(model.model_fields)),
        )  # fmt: skip
    if field is None:  # a rule over several fields, which speaks for itself
        return StudioError("option.invalid", str(first.get("ctx", {}).get("error", first["msg"])))
    message = _("{title} ({option}) cannot be {value}.").format(
        title=_(field.title or name), option=flag(name), value=first["input"]
    )
    limits = _limits(field)
    hint = _("Allowed: {bounds}").format(bounds=listed(limits)) if limits else ""
    return StudioError("option.invalid", message, hint)
