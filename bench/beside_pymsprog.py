"""Time a visit beside pymsprog's: the same people, the same settings, both from memory; first it is checked that both find the same.

pymsprog pins an old numpy, so it lives in an environment of its own, made once in bench/.cache.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import polars as pl
from cohorts import registry
from measuring import ROOT, Line, process, script, seconds_of, spread

from smoulder import detect, read
from smoulder.rulebook.model import Definition, definition_from

CACHE = ROOT / "bench" / ".cache"
WANTED = ("pymsprog==1.0.7", "numpy<2")
LEAST_TIMES = 2_000
BETWEEN = 25
"""Runs of ours for each one of pymsprog's."""
SETTINGS = {
    "key": "as-pymsprog",
    "title": "pymsprog with event='multiple', baseline='roving', RAW_PIRA=True",
    "measures": [
        {"measure": "edss", "worsening": {"steps": [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.0, "change": 1.0}, {"change": 0.5}]}}
    ],
    "baseline": {"days_after_relapse": 30, "moves_after": ["worsening", "improvement"], "moves_to": "confirmation"},
    "confirmation": {"windows": [{"name": "84", "from_day": 77, "to_day": 814}], "days_after_relapse": 30},
    "relapses": {
        "raw": {"days_before_onset": 90, "days_after_onset": 0},
        "relapse_free": ["onset-90 .. onset+30", "confirmation-90 .. confirmation+30"],
    },
}


def its_python() -> Path | None:
    """Return the Python that has pymsprog, made if need be; None where it cannot be installed."""
    home = CACHE / "pymsprog"
    path = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    check = [str(path), "-c", "import pymsprog"]
    if path.exists() and subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return path
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n", encoding="utf-8")
    venv.create(home, with_pip=True, clear=True)
    install = [str(path), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED]
    return path if subprocess.run(install, capture_output=True, check=False).returncode == 0 else None


def ours(tables: dict[str, pl.DataFrame], chosen: Definition) -> pl.DataFrame:
    """Return the events as pymsprog writes them."""
    found = detect(read(tables), chosen)
    kinds = pl.when(pl.col("kind") == "worsening").then(pl.lit("CDW")).otherwise(pl.lit("CDI"))
    return found.dated().select("patient", pl.col("onset_date").cast(pl.String), kinds.alias("kind"), pl.col("label").fill_null(""))


def measure(quick: bool) -> list[Line]:
    """Return how many times faster a visit is."""
    what = "c: beside pymsprog 1.0.7, a visit from memory to events"
    target = f"at least {LEAST_TIMES:,} ×"
    path = its_python()
    if path is None:
        return [Line(what=what, target=target, reached="pymsprog could not be installed, so nothing was compared")]
    n_patients, visits_each, n_runs = (100, 20, 2) if quick else (1_000, 20, 5)
    tables = registry(n_patients, visits_each)
    chosen = definition_from(SETTINGS, where="bench")
    mine, theirs, events = [], [], []
    with tempfile.TemporaryDirectory() as place:
        for name, frame in tables.items():
            frame.write_csv(Path(place) / f"{name}.csv")
        for _ in range(n_runs):
            told = json.loads(process([str(path), "-W", "ignore", str(ROOT / "bench" / "pymsprog_side.py"), place]).said)
            theirs.append(told["seconds"])
            events = [tuple(event) for event in told["events"]]
            # The first one after the other program finds cold caches and is left out.
            spans = [seconds_of(lambda: detect(read(tables), chosen)) for _ in range(BETWEEN + 1)][1:]
            mine.append(statistics.median(spans))
    times = [other / own for own, other in zip(mine, theirs, strict=True)]
    found = sorted(ours(tables, chosen).rows())
    both = len(set(found) & set(events))
    agreed = f"events {len(found):,} and {len(events):,}, {both:,} identical"
    return [
        Line(
            what=f"{what}, {n_patients:,} patients",
            target=target,
            reached=f"{spread(times, ',.0f', ' ×')}; {statistics.median(mine) * 1e3:.1f} ms, pymsprog {statistics.median(theirs):.2f} s; {agreed}",
            holds=statistics.median(times) >= LEAST_TIMES,
            runs=n_runs,
            figures={
                "times": statistics.median(times), "seconds": statistics.median(mine), "its_seconds": statistics.median(theirs),
                "events": len(found), "its_events": len(events), "identical": both,
            },
        )
    ]  # fmt: skip


if __name__ == "__main__":
    script(measure)
