"""One module per task: what rows it needs, how they become tokens, and what is trained."""
