"""Rows that are nearly the same: shingles, MinHash signatures, candidates by bands, and the exact comparison."""
