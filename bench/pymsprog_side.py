"""pymsprog on a cohort, inside its own environment: `pymsprog_side.py FOLDER`. Writes seconds and the events as JSON.

The tables are in memory before the clock starts; nothing of Smoulder is imported.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path


def main() -> None:
    import pandas as pd
    from pymsprog import MSprog

    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    visits = pd.read_csv(folder / "visits.csv", dtype={"patient": str})
    relapses = pd.read_csv(folder / "relapses.csv", dtype={"patient": str})
    start = time.perf_counter()
    _, found = MSprog(
        visits, "patient", "edss", "date", "edss", relapse=relapses, rsubj_col="patient", rdate_col="date",
        event="multiple", baseline="roving", RAW_PIRA=True, include_dates=True, include_stable=False, verbose=0,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    days = pd.to_datetime(found["date"]).dt.strftime("%Y-%m-%d")
    events = sorted(zip(found["patient"].astype(str), days, found["event_type"], found["CDW_type"].fillna(""), strict=True))
    json.dump({"seconds": seconds, "events": events}, sys.stdout)


if __name__ == "__main__":
    main()
