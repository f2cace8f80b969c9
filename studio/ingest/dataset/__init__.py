"""The canonical dataset folder: rows.parquet, its index, pages, splits, statistics and publishing."""
