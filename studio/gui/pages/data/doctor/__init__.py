"""The data doctor beside the rows: what it found, and what each fix would change."""

from studio.gui.pages.data.doctor.panel import DoctorPanel

__all__ = ["DoctorPanel"]
