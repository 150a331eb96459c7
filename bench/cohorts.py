"""The made-up tables that the measurements run on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

from smoulder.simulation import fast_registry

SEED = 2025
MISSING_SHARE = 0.1
"""Visits at which a timed test was not done."""


def registry(n_patients: int, visits_each: int) -> dict[str, pl.DataFrame]:
    """Return visits with the EDSS and relapses, sorted by patient and date."""
    return fast_registry(n_patients, visits_each, SEED)


def trial_like(n_patients: int, visits_each: int) -> dict[str, pl.DataFrame]:
    """Return a registry whose visits have the timed walk and the peg test of both hands too, and patients with a time zero.

    The tests wander around a level of the patient's own, so that a change of 20 % is met about as often as one of the EDSS.
    """
    tables = registry(n_patients, visits_each)
    rng = np.random.default_rng(SEED)
    visits = tables["visits"].with_columns(
        t25fw=wandering(rng, n_patients, visits_each, 6.0),
        nhpt_dominant=wandering(rng, n_patients, visits_each, 22.0),
        nhpt_nondominant=wandering(rng, n_patients, visits_each, 24.0),
    )
    starts = visits.group_by("patient", maintain_order=True).agg(pl.col("date").first().alias("time_zero"))
    return tables | {"visits": visits, "patients": starts}


def wandering(rng: np.random.Generator, n_patients: int, visits_each: int, typical: float) -> pl.Series:
    """Return (n_patients * visits_each,) seconds, a tenth of them missing."""
    level = np.exp(rng.normal(np.log(typical), 0.2, (n_patients, 1)))
    walk = np.cumsum(rng.normal(0.01, 0.04, (n_patients, visits_each)), axis=1)
    noise = rng.normal(0, 0.05, (n_patients, visits_each))
    seconds = np.round(level * np.exp(walk + noise), 1).ravel()
    return pl.Series(seconds).set(pl.Series(rng.random(len(seconds)) < MISSING_SHARE), None)


def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows in an order without any meaning, the same one every time."""
    order = np.random.default_rng(SEED).permutation(frame.height)
    return frame[pl.Series(order)]


def written(tables: dict[str, pl.DataFrame], folder: Path) -> Path:
    """Write tables as Parquet into a folder of their own and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    return folder


def main() -> None:
    """Write a registry into a folder: `cohorts.py FOLDER PATIENTS VISITS_EACH sorted|shuffled`, in a process of its own."""
    folder, n_patients, visits_each, order = sys.argv[1:]
    tables = registry(int(n_patients), int(visits_each))
    written(tables if order == "sorted" else {name: shuffled(frame) for name, frame in tables.items()}, Path(folder))


if __name__ == "__main__":
    main()
