"""The queue of waiting runs."""

from studio.gui.pages.runs.queue.hours_dialog import HoursDialog
from studio.gui.pages.runs.queue.view import QueueView

__all__ = ["HoursDialog", "QueueView"]
