"""Product Matrix Studio: a desktop program in which a founder makes a family of AI products."""

__version__ = "0.1.0"
