"""The command line: the same services and workers as the window, for terminals, scripts and tests."""
