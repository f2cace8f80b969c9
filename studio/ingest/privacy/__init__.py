"""Private data in text: finding it with its checksum verified, and masking or replacing it."""
