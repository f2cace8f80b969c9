"""What the studio writes for readers outside of it: cards in plain Markdown, each figure with where it comes from."""
