"""Qt item models: what tables show, without any widget."""
