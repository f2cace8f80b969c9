"""From files to one canonical Parquet: readers, detection, splits, statistics, and paged reading."""

import os

# Before polars loads its allocator: memory that a batch gave back is kept for the next one for some seconds. With the
# half second that polars sets, a fifth of an import's processor time went into fetching pages from the system again.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:5000")
