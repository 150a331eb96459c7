"""Time a visit of `detect` from 10⁵ to 2·10⁷ visits: the same, or does it grow?"""

from __future__ import annotations

import statistics
from dataclasses import replace

from cohorts import registry
from measuring import Line, script, seconds_of, spread

from smoulder import detect, read
from smoulder.tables import Cohort

DEFINITION = "mueller-2025"
MOST = 0.2
VISITS_EACH = 20
SIZES, QUICK_SIZES = (5_000, 50_000, 200_000, 1_000_000), (100, 200)
LEAST_VISITS = 2_000_000
"""Small cohorts are gone through this many visits long, so that one measurement is not a blink."""


def time_a_visit(cohort: Cohort) -> float:
    """Return nanoseconds a visit of one run, the mean over the repeats of a small cohort; a copy has no hash of the input yet."""
    repeats = max(1, LEAST_VISITS // cohort.n_visits)
    return seconds_of(lambda: [detect(replace(cohort), DEFINITION) for _ in range(repeats)]) / repeats / cohort.n_visits * 1e9


def measure(quick: bool) -> list[Line]:
    """Return the time a visit at each size, and how far apart they are."""
    cohorts = [read(registry(n_patients, VISITS_EACH)) for n_patients in (QUICK_SIZES if quick else SIZES)]
    n_runs = 2 if quick else 7
    for cohort in cohorts:
        detect(cohort, DEFINITION)
    spans: list[list[float]] = [[] for _ in cohorts]
    for _ in range(n_runs):
        for cohort, reached in zip(cohorts, spans, strict=True):
            reached.append(time_a_visit(cohort))
    middles = [statistics.median(reached) for reached in spans]
    lines = [
        Line(what=f"e: detect, {DEFINITION}, {cohort.n_visits:,} visits", reached=f"{spread(reached, '.0f', ' ns/visit')}", runs=n_runs)
        for cohort, reached in zip(cohorts, spans, strict=True)
    ]
    growth = middles[-1] / middles[0] - 1
    widest = max(middles) / min(middles) - 1
    return [
        Line(
            what=f"e: time a visit of detect, {cohorts[0].n_visits:,} to {cohorts[-1].n_visits:,} visits",
            target=f"the same within {MOST:.0%}",
            reached=f"{widest:.0%} between the fastest and the slowest size; {growth:+.0%} from the smallest to the largest",
            holds=widest <= MOST,
            runs=n_runs,
            figures={"widest": widest, "growth": growth, **{f"ns_{c.n_visits}": m for c, m in zip(cohorts, middles, strict=True)}},
        ),
        *lines,
    ]


if __name__ == "__main__":
    script(measure)
