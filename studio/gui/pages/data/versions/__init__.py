"""The versions of a dataset: what made them, what differs, and the way back."""
