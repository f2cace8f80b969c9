"""K-folds: the same settings on several parts of the rows, with mean and deviation."""

from studio.gui.pages.runs.folds.start_dialog import FoldsDialog
from studio.gui.pages.runs.folds.view import FoldsView

__all__ = ["FoldsDialog", "FoldsView"]
