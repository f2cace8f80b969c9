"""One check a file: what it looks for, and what its fixes make of a row."""
