"""The Train page: base model, data, method, limits, and what the run will take."""

from studio.gui.pages.train.page import TrainPage

__all__ = ["TrainPage"]
