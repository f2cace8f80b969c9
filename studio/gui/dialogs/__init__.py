"""Questions to the user; messages go to the notice area instead."""
