"""How long the import of a CSV file takes beside polars' scan to Parquet and datasets.load_dataset.

Run: python tests/benchmarks/import_csv.py [--rows 1000000] [--repeats 5] [--peer PYTHON]
The targets: at most 1.5 times polars, never slower than datasets, peak memory at most 1 GiB.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.import_speed import benchmark

if __name__ == "__main__":
    benchmark("csv", __doc__ or "")
