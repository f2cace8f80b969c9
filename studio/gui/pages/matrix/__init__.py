"""The home page: the product matrix as a table and as a synergy graph."""

from studio.gui.pages.matrix.page import MatrixPage

__all__ = ["MatrixPage"]
