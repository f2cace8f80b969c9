"""Fetches a model from a hub: resumed after any interruption, checked by hash, published whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from studio.engine.folders import check_free, note_source, publish
from studio.engine.hub_listing import Listing, list_model
from studio.engine.hub_transfer import Transfer
from studio.engine.weights import check_safetensors, weight_files


class Fetcher:
    """One model, from listing to published folder; the arguments are those of Transfer."""

    def __init__(
        self,
        target: Path,
        *,
        on_host: Callable[[str], None],
        on_progress: Callable[[int, int], None],
        check: Callable[[], None],
    ) -> None:
        self._target = target
        self._on_host = on_host
        self._transfer = Transfer(target, on_host=on_host, on_progress=on_progress, check=check)

    def fetch(self, hub: str, endpoint: str, repo: str, allow: Sequence[str] = ()) -> int:
        """Fetch and publish; the number of parameters. Raises StudioError as list_model, and ``model.exists``,
        ``model.damaged``, and what Transfer.run raises.
        """
        check_free(self._target)
        return self._transfer.run(
            lambda: list_model(hub, endpoint, repo, allow, self._on_host), self._publish
        )

    def _publish(self, parts: Path, listing: Listing) -> int:
        parameters = sum(check_safetensors(path) for path in weight_files(parts))
        note_source(
            parts,
            format="hub",
            source=listing.repo,
            hub=listing.hub,
            revision=listing.revision,
            licence=listing.licence,
            parameters=parameters,
        )
        publish(parts, self._target)
        return parameters
