"""gettext for every surface (window, CLI, reports, worker messages), in English and Chinese.

The message ids are the English sentences. ``set_language`` takes effect at once for every later call, so the window
changes language by building its pages again. Never format before translating: ``_("{n} rows").format(n=n)``.
"""

from __future__ import annotations

import gettext
import locale
import os
from typing import Final

from studio.paths import resource_path

LANGUAGES: Final = {"en": "English", "zh_CN": "简体中文"}
LANGUAGE_VARIABLE: Final = "STUDIO_LANGUAGE"

_active: gettext.NullTranslations = gettext.NullTranslations()
_code = "en"


def system_language() -> str:
    """The supported language nearest to the system's: ``zh_CN`` for any Chinese locale, else ``en``."""
    name = os.environ.get(LANGUAGE_VARIABLE) or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "zh_CN" if name.lower().startswith("zh") else "en"


def set_language(code: str) -> None:
    """Make ``code`` (a key of LANGUAGES) the language of all later messages; an unknown code means English.

    The choice is put into the environment, so child processes speak the same language.
    """
    global _active, _code
    _code = code if code in LANGUAGES else "en"
    os.environ[LANGUAGE_VARIABLE] = _code
    _active = gettext.translation(
        "studio", localedir=str(resource_path("translations")), languages=[_code], fallback=True
    )


def current_language() -> str:
    """The active language code, a key of LANGUAGES."""
    return _code


def _(message: str) -> str:
    """The message in the active language; an empty message stays empty (gettext would return its header)."""
    return _active.gettext(message) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form of the message for ``n`` things, in the active language."""
    return _active.ngettext(singular, plural, n)


def N_(message: str) -> str:
    """Mark a message for extraction without translating it yet (for declarations made at import time)."""
    return message
