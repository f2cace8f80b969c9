"""Settings of the program: read once, changed in one place, never half written."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.domain.settings import Settings
from studio.errors import StudioError
from studio.i18n import _
from studio.services.changes import ChangeBus, Changes
from studio.services.files import write_atomically
from studio.words import listed

log = logging.getLogger(__name__)


class SettingsService:
    """Holds the settings of ``path`` (settings.json). ``changes`` is the bus that the whole workspace uses."""

    def __init__(self, path: Path, changes: ChangeBus | None = None) -> None:
        self.path = path
        self.changes = changes or ChangeBus()
        self._lock = threading.Lock()
        self._reset: list[str] = []  # fields whose stored values were out of bounds
        self._current = self._read()

    @property
    def current(self) -> Settings:
        """The settings now; an immutable object."""
        return self._current

    def reset_words(self) -> str:
        """Which settings were back at their defaults when the file was read, and where it is kept; "" for none."""
        if not self._reset:
            return ""
        fields = Settings.model_fields
        titles = listed(_(fields[name].title or name) if name in fields else name for name in self._reset)
        return _(
            "These settings had values that cannot be used, and are back at their defaults: {names}. "
            "The old file is kept: {path}"
        ).format(names=titles, path=self._aside())

    def update(self, **fields: object) -> Settings:
        """Change some fields, store them and tell the bus.

        Raises StudioError ``settings.invalid`` for a value out of bounds, ``settings.not_saved`` when the file
        cannot be written; nothing is changed then.
        """
        with self._lock:
            changed = self._validated({**self._current.model_dump(), **fields})
            self._write(changed)
            self._current = changed
        self.changes.publish(Changes.SETTINGS)
        return changed

    def _validated(self, fields: dict[str, object]) -> Settings:
        try:
            return Settings.model_validate(fields)
        except ValidationError as problem:
            first = problem.errors()[0]
            raise StudioError(
                "settings.invalid",
                _("The setting “{name}” cannot have this value.").format(
                    name=".".join(map(str, first["loc"]))
                ),
                str(first["msg"]),
            ) from problem

    def _write(self, settings: Settings) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.path, settings.model_dump_json(indent=2))
        except OSError as problem:
            raise StudioError(
                "settings.not_saved",
                _("The settings could not be saved in {path}.").format(path=self.path),
                _("Check that the disk is not full and that you may write there."),
            ) from problem

    def _read(self) -> Settings:
        try:
            stored: Any = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Settings()
        except (OSError, ValueError):
            log.warning("Unreadable settings are put aside: %s", self.path)
            self._put_aside()
            return Settings()
        made, self._reset = _good_fields(stored if isinstance(stored, dict) else {})
        if self._reset:
            self._mend(made)
        return made

    def _mend(self, settings: Settings) -> None:
        """Store what could be used, so that the rest is told once; the old file is kept."""
        try:
            shutil.copyfile(self.path, self._aside())
            self._write(settings)
        except (OSError, StudioError) as problem:
            log.info("Bad settings stay in the file: %s", problem)

    def _aside(self) -> Path:
        return self.path.with_suffix(".broken.json")

    def _put_aside(self) -> None:
        try:
            os.replace(self.path, self._aside())
        except OSError:
            log.warning("Could not put %s aside", self.path)


def _good_fields(stored: dict[str, Any]) -> tuple[Settings, list[str]]:
    """The stored settings without the fields that are out of bounds, so one bad value costs only itself; and these."""
    try:
        return Settings.model_validate(stored), []
    except ValidationError as problem:
        bad = {str(error["loc"][0]) for error in problem.errors()}
        return Settings.model_validate(
            {key: value for key, value in stored.items() if key not in bad}
        ), sorted(bad)
