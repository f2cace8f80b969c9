"""Nothing is fetched from a hub before the user allowed it; one rule for models and data."""

from __future__ import annotations

from studio.domain.settings import Settings
from studio.errors import StudioError
from studio.i18n import _


def check_consent(settings: Settings) -> None:
    """Raise StudioError ``hub.no_consent`` unless downloads are allowed."""
    if not settings.hub_consent:
        raise StudioError(
            "hub.no_consent", _("Downloads from the hub are not allowed."),
            _("Allow them in the settings; nothing is fetched before that."),
        )  # fmt: skip


def endpoint_of(hub: str, mirror: str) -> str:
    """The address to ask: a mirror's own, else empty for the hub's. Raises StudioError ``hub.no_mirror``."""
    if hub != "mirror":
        return ""
    if not mirror.strip():
        raise StudioError("hub.no_mirror", _("No mirror address is set."), _("Enter it in the settings."))
    return mirror.strip()
