"""What processes say to each other: typed commands and events, one JSON object a line."""
