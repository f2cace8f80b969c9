"""The figures of a dataset as small plots, each with a sentence that reads it."""
