"""Datasets written out: CSV, JSONL, XLSX and Parquet files, and the dataset card."""
