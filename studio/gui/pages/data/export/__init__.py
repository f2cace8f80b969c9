"""A dataset on its way out: as a file, and as a card that says what it is."""
