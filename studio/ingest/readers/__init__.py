"""File formats, one reader each: every one yields batches of text cells with their source row numbers."""
