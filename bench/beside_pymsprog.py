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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
from cohorts import registry
from measuring import ROOT, Line, process, ratios, script, seconds_of, spread

from smoulder import detect, read
from smoulder.rulebook.model import Definition, definition_from

CACHE = ROOT / "bench" / ".cache"
WANTED = ("pymsprog==1.0.7", "numpy<2")
LEAST_TIMES = 2_000
BETWEEN = 25
"""Runs of ours for each one of pymsprog's."""
Spans = dict[str, list[float]]
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


def in_turn(path: Path, tables: dict[str, pl.DataFrame], chosen: Definition, n_runs: int) -> tuple[Spans, list[tuple[str, ...]]]:
    """Return the seconds of both programs, run after run, and pymsprog's events."""
    cohort = read(tables)
    spans: Spans = {"pymsprog": [], "read and detect": [], "detect": []}
    events: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as place:
        for name, frame in tables.items():
            frame.write_csv(Path(place) / f"{name}.csv")
        for _ in range(n_runs):
            told = json.loads(process([str(path), "-W", "ignore", str(ROOT / "bench" / "pymsprog_side.py"), place]).said)
            spans["pymsprog"].append(told["seconds"])
            events = [tuple(event) for event in told["events"]]
            spans["read and detect"].append(typical(lambda: detect(read(tables), chosen)))
            spans["detect"].append(typical(lambda: detect(replace(cohort), chosen)))
    return spans, events


def typical(work: Callable[[], object]) -> float:
    """Return the median seconds of many calls; the first one after the other program finds cold caches and is left out."""
    return statistics.median([seconds_of(work) for _ in range(BETWEEN + 1)][1:])


def measure(quick: bool) -> list[Line]:
    """Return how many times faster a visit is: from frames to events, which is the target, and from a cohort that was read before."""
    what = "c: beside pymsprog 1.0.7"
    target = f"at least {LEAST_TIMES:,} ×"
    path = its_python()
    if path is None:
        return [Line(what=what, target=target, reached="pymsprog could not be installed, so nothing was compared")]
    n_patients, visits_each, n_runs = (100, 20, 2) if quick else (1_000, 20, 5)
    tables = registry(n_patients, visits_each)
    chosen = definition_from(SETTINGS, where="bench")
    found = sorted(ours(tables, chosen).rows())
    spans, events = in_turn(path, tables, chosen, n_runs)
    both = len(set(found) & set(events))
    agreed = f"events {len(found):,} and {len(events):,}, {both:,} identical"
    lines = []
    for steps, is_target in (("read and detect", True), ("detect", False)):
        times = ratios(spans["pymsprog"], spans[steps])
        own, other = statistics.median(spans[steps]), statistics.median(spans["pymsprog"])
        seconds = f"{own * 1e3:.1f} ms, pymsprog {other:.2f} s"
        lines.append(
            Line(
                what=f"{what}, {n_patients * visits_each:,} visits from memory: {steps}",
                target=target if is_target else "",
                reached=f"{spread(times, ',.0f', ' ×')}; {seconds}{f'; {agreed}' if is_target else ''}",
                holds=statistics.median(times) >= LEAST_TIMES if is_target else None,
                runs=n_runs,
                figures={"times": statistics.median(times), "seconds": own, "its_seconds": other, "events": len(found), "identical": both},
            )
        )
    return lines


if __name__ == "__main__":
    script(measure)
