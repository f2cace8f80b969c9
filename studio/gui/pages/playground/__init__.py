"""The playground: talk to a model, compare it, and say what was good."""

from studio.gui.pages.playground.page import PlaygroundPage

__all__ = ["PlaygroundPage"]
