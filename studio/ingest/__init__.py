"""From files to one canonical Parquet: readers, detection, splits, statistics, and paged reading."""
