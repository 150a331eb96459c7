"""A whole study as a process, from files to its folder with report, tables and figures, for 5,000 people."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from measuring import Line, Process, process, python, script, smoulder, spread

MAKE = """
import sys
from pathlib import Path
from smoulder.simulation import NATALIZUMAB, TRIAL, simulate
for name, plan in (("registry", NATALIZUMAB), ("trial", TRIAL)):
    folder = Path(sys.argv[1]) / name
    folder.mkdir()
    for table, frame in simulate(plan, int(sys.argv[2]), 1).tables.items():
        frame.write_csv(folder / f"{table}.csv")
"""
STUDIES = {
    "kappos-2020": "trial",
    "graf-2021": "registry",
    "prosperini-2021": "registry",
    "tur-2023": "registry",
    "early-treatment": "registry",
    "relapse-dependence": "registry",
    "natalizumab-stop": "registry",
}
"""Study -> made-up cohort that it runs on."""
TARGET_SECONDS = 60


def measure(quick: bool) -> list[Line]:
    """Return the time and memory of each shipped study, the engine being compiled already."""
    n_people, n_runs = (200, 1) if quick else (5000, 3)
    lines = []
    with tempfile.TemporaryDirectory() as place:
        process(python("-c", MAKE, place, str(n_people)))
        process(smoulder("events", f"{place}/registry", "-d", "mueller-2025"))
        for study, tables in STUDIES.items():
            runs: list[Process] = []
            for run in range(n_runs):
                folder = Path(place) / f"{study}-{run}"
                runs.append(process(smoulder("study", study, f"{place}/{tables}", "-o", str(folder), "--adam")))
            seconds = [one.seconds for one in runs]
            peak = statistics.median(one.peak_bytes for one in runs)
            lines.append(
                Line(
                    what=f"g: study {study}, {n_people:,} people, files to folder",
                    target=f"under {TARGET_SECONDS} s",
                    reached=f"{spread(seconds, '.1f', ' s')}; {peak / 1024**3:.2f} GiB",
                    holds=statistics.median(seconds) < TARGET_SECONDS,
                    runs=n_runs,
                    figures={"seconds": statistics.median(seconds), "peak_bytes": peak},
                )
            )
    return lines


if __name__ == "__main__":
    script(measure)
