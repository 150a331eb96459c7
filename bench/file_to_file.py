"""`smoulder events` from Parquet to Parquet, beside polars that only reads, sorts and writes; whole processes in turn."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from measuring import GIB, ROOT, Line, Process, process, python, ratios, script, smoulder, spread

DEFINITION = "mueller-2025"
MOST_TIMES, MOST_GIB = 3.0, 4.0


def in_turn(folder: Path, n_runs: int) -> tuple[list[Process], list[Process]]:
    """Return runs of smoulder and of polars on the tables of a folder, one after the other; the first of each is not counted."""
    results = folder / "results"
    results.mkdir()
    ours = smoulder("events", str(folder / "tables"), "-d", DEFINITION, "-o", str(results / "events.parquet"))
    plain = python(str(ROOT / "bench" / "plain_polars.py"), str(folder / "tables"), str(results))
    pairs = [(process(ours), process(plain)) for _ in range(n_runs + 1)][1:]
    return [one for one, _ in pairs], [other for _, other in pairs]


def lines_of(order: str, n_visits: int, ours: list[Process], plain: list[Process]) -> list[Line]:
    """Return the time beside polars, and the memory."""
    times = ratios([run.seconds for run in ours], [run.seconds for run in plain])
    peak = max(run.peak_bytes for run in ours) / GIB
    mine, theirs = spread([run.seconds for run in ours], ".1f", " s"), spread([run.seconds for run in plain], ".1f", " s")
    what = f"b: events, Parquet to Parquet, {n_visits:,} visits {order}"
    return [
        Line(
            what=what,
            target=f"at most {MOST_TIMES:g} × polars",
            reached=f"{spread(times, '.2f', ' ×')}; {mine}, polars {theirs}",
            holds=statistics.median(times) <= MOST_TIMES,
            runs=len(ours),
            figures={
                "times_polars": statistics.median(times),
                "seconds": statistics.median(run.seconds for run in ours),
                "cpu_seconds": statistics.median(run.cpu_seconds for run in ours),
                "polars_seconds": statistics.median(run.seconds for run in plain),
                "polars_cpu_seconds": statistics.median(run.cpu_seconds for run in plain),
            },
        ),
        Line(
            what=f"{what}: peak memory",
            target=f"at most {MOST_GIB:g} GiB",
            reached=f"{peak:.2f} GiB; polars {max(run.peak_bytes for run in plain) / GIB:.2f} GiB",
            holds=peak <= MOST_GIB,
            runs=len(ours),
            figures={"peak_gib": peak},
        ),
    ]


def measure(quick: bool) -> list[Line]:
    """Return what sorted files take, and shuffled ones."""
    n_patients, visits_each, n_runs = (2_000, 20, 2) if quick else (1_000_000, 20, 5)
    lines: list[Line] = []
    for order in ("sorted", "shuffled"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            process(python(str(ROOT / "bench" / "cohorts.py"), str(folder / "tables"), str(n_patients), str(visits_each), order))
            lines += lines_of(order, n_patients * visits_each, *in_turn(folder, n_runs))
    return lines


if __name__ == "__main__":
    script(measure)
