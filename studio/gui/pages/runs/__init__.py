"""The Runs page: the run under way, and all that were."""

from studio.gui.pages.runs.page import RunsPage

__all__ = ["RunsPage"]
