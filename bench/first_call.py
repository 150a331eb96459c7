"""The first compiled call on a machine: whether it says what it is doing, and whether the next process finds it done."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from measuring import ROOT, Line, process, python, script, smoulder, spread

SAID = "Preparing the engine"


def measure(quick: bool) -> list[Line]:
    """Return the time of first and next calls, each first one with an empty cache."""
    n_runs = 1 if quick else 3
    first, later, silent, told = [], [], True, True
    with tempfile.TemporaryDirectory() as place:
        tables = Path(place) / "tables"
        process(python(str(ROOT / "bench" / "cohorts.py"), str(tables), "50", "10", "sorted"))
        command = smoulder("events", str(tables), "-d", "mueller-2025")
        for run in range(n_runs):
            cache = str(Path(place) / f"cache-{run}")
            runs = [process(command, NUMBA_CACHE_DIR=cache) for _ in range(4)]
            first.append(runs[0].seconds)
            later += [one.seconds for one in runs[1:]]
            told = told and SAID in runs[0].said
            silent = silent and not any(SAID in one.said for one in runs[1:])
    saved = statistics.median(later) < statistics.median(first) / 3
    return [
        Line(
            what="f: first compiled call says what it is doing",
            target="says so",
            reached=f"{'says so' if told else 'says nothing'}; {spread(first, '.1f', ' s')} for 500 visits",
            holds=told,
            runs=n_runs,
            figures={"seconds": statistics.median(first)},
        ),
        Line(
            what="f: the next process finds it compiled",
            target="kept",
            reached=f"{'kept' if saved and silent else 'not kept'}; {spread(later, '.2f', ' s')} for the same command",
            holds=saved and silent,
            runs=len(later),
            figures={"seconds": statistics.median(later)},
        ),
    ]


if __name__ == "__main__":
    script(measure)
