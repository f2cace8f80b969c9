"""Searches for good settings: begun, watched, and used."""

from studio.gui.pages.runs.search.parallel import ParallelPlot
from studio.gui.pages.runs.search.start_dialog import StartDialog
from studio.gui.pages.runs.search.view import SearchView

__all__ = ["ParallelPlot", "SearchView", "StartDialog"]
