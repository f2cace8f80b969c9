"""What the studio is about, in plain Python: products, datasets, training specs, runs, verdicts, economics."""
