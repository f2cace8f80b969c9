"""Datasets from a hub: fetched by a child on consent only, every contacted host recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.domain.datasets import ImportSpec, Origin, OriginKind
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Event
from studio.services.hub_consent import check_consent, endpoint_of
from studio.services.models import slug
from studio.services.outbound import OutboundLog
from studio.services.ports import RunJob
from studio.services.settings import SettingsService


class DataHub:
    """Fetches dataset repositories into ``folder``, one subfolder for each hub and repository."""

    def __init__(
        self, settings: SettingsService, outbound: OutboundLog, folder: Path, run_job: RunJob
    ) -> None:
        self._settings = settings
        self._outbound = outbound
        self._folder = folder
        self._run_job = run_job

    def fetch(
        self,
        repo: str,
        hub: str | None = None,
        endpoint: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> ImportSpec:
        """The files of a repository as a source. Blocking.

        hub, endpoint: None for those of the settings. Raises StudioError ``hub.no_consent``, ``hub.no_mirror``,
        ``hub.no_repository``, and what the child reports; JobCancelled.
        """
        settings = self._settings.current
        check_consent(settings)
        chosen, wanted = hub or settings.hub, repo.strip().strip("/")
        if not wanted:
            raise StudioError(
                "hub.no_repository", _("No dataset was named."),
                _("Write its name as the hub shows it, e.g. owner/name."),
            )  # fmt: skip
        target = self._folder / chosen / slug(wanted.replace("/", "--"))
        payload = {
            "repo": wanted, "hub": chosen, "out_dir": str(target),
            "endpoint": endpoint or endpoint_of(chosen, settings.hub_mirror),
        }  # fmt: skip
        purpose = _("Fetching the dataset {name}").format(name=wanted)
        finished = self._run_job(
            ["fetch-dataset"], payload, self._outbound.watching(purpose, on_event), cancel
        )
        return _source(finished.result, wanted)


def _source(result: dict[str, Any], repo: str) -> ImportSpec:
    if not isinstance(result.get("path"), str):
        raise StudioError(
            "hub.bad_result", _("The download ended with a result that cannot be read."), _("Try again.")
        )
    return ImportSpec(
        source=result["path"], name=repo.rsplit("/", 1)[-1], licence=str(result.get("licence") or ""),
        origin=Origin(kind=OriginKind.HUB, address=repo),
    )  # fmt: skip
