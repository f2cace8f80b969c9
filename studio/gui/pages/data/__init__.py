"""The data page: files become datasets."""

from studio.gui.pages.data.page import DataPage

__all__ = ["DataPage"]
