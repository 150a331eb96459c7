"""What anybody does first with such files: read, sort, write. `plain_polars.py FROM TO`, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for name in ("visits", "relapses"):
        pl.read_parquet(source / f"{name}.parquet").sort("patient", "date").write_parquet(target / f"{name}.parquet")


if __name__ == "__main__":
    main()
