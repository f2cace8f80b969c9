"""Which task learns from which shape; its module is imported when it is needed."""

from __future__ import annotations

from typing import Any

from studio.domain.architectures import Architecture
from studio.domain.shapes import Shape
from studio.engine.tasks.task import Loaded, Setting
from studio.errors import StudioError
from studio.i18n import _


def build(setting: Setting) -> Loaded[Any, Any]:
    """The task of the plan with its items. Raises StudioError ``run.no_task`` and what the task raises."""
    shape = setting.plan.shape
    if shape in (Shape.PROMPT_RESPONSE, Shape.MESSAGES, Shape.TEXT):
        from studio.engine.tasks.language import task as language

        return language.build(setting)
    if shape in (Shape.PREFERENCE, Shape.THUMBS):
        from studio.engine.tasks.preference import task as preference

        return preference.build(setting)
    if shape is Shape.RATINGS:
        from studio.engine.tasks.recommend import task as recommend

        return recommend.build(setting)
    if shape in (Shape.TEXT_LABEL, Shape.TEXT_LABELS, Shape.TEXT_NUMBER):
        from studio.engine.tasks.text import task as text

        return text.build(setting)
    if shape is Shape.IMAGE_LABEL:
        from studio.engine.tasks.images import drawing, telling

        drawn = setting.plan.spec.architecture is Architecture.VAE
        return drawing.build(setting) if drawn else telling.build(setting)
    if shape is Shape.AUDIO_LABEL:
        from studio.engine.tasks.speech import task as speech

        return speech.build(setting)
    raise StudioError(
        "run.no_task", _("No model can be trained from this kind of data yet."), _("Choose other data.")
    )
