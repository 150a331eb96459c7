"""All definitions of the catalogue in one call, beside one call for each."""

from __future__ import annotations

import statistics
from dataclasses import replace

from cohorts import trial_like
from measuring import Line, ratios, script, seconds_of, spread

from smoulder import definitions, detect, read

MOST = 0.6


def measure(quick: bool) -> list[Line]:
    """Return the time of one call as a share of the sum of the single calls; all tables of the result are made in both."""
    n_patients, visits_each, n_runs = (1_000, 20, 2) if quick else (100_000, 20, 7)
    # A timed test that is far off its scale sets a few made-up patients aside.
    cohort = read(trial_like(n_patients, visits_each), keep_going=True)
    keys = [one.key for one in definitions()]
    detect(cohort, keys)
    apart: list[float] = []
    together: list[float] = []
    for _ in range(n_runs):
        apart.append(sum(seconds_of(lambda key=key: detect(replace(cohort), key)) for key in keys))
        together.append(seconds_of(lambda: detect(replace(cohort), keys)))
    shares = ratios(together, apart)
    return [
        Line(
            what=f"d: all {len(keys)} definitions of the catalogue in one call, {cohort.n_visits:,} visits, 4 measures",
            target=f"at most {MOST:g} × single calls",
            reached=f"{spread(shares, '.2f', ' ×')}; {spread(together, '.2f', ' s')}, single calls {spread(apart, '.2f', ' s')}",
            holds=statistics.median(shares) <= MOST,
            runs=n_runs,
            figures={"share": statistics.median(shares), "seconds": statistics.median(together), "apart": statistics.median(apart)},
        )
    ]


if __name__ == "__main__":
    script(measure)
