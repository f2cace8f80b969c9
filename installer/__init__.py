"""The installer: brings a bare machine to a working studio with the standard library alone."""
