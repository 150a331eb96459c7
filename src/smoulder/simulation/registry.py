"""`fast_registry`: very many plain people at once, for measuring speed. Their causes are not kept."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from smoulder.errors import UsageError
from smoulder.simulation.grid import HALVES, all_landed, shifted

BATCH = 65_536
"""People made at once: bounds the memory beside the result."""

_ENTRY_DAYS = (12_784, 14_975)
"""2005-01-01 to 2010-12-31, days since 1970-01-01."""
_GAP_DAYS = (60, 240)
"""Days between two visits, shortest and longest."""
_RELAPSES_A_PERSON = 1.5
_RELAPSE_WINDOW_DAYS = 90
"""Days after onset during which a visit sees the whole rise."""
_RISE, _RESIDUAL = 2, 1
"""Half points: seen within the window, and staying in a quarter of the relapses."""
_RESIDUAL_SHARE, _SMOULDERING_SHARE, _NOISE_SHARE = 0.25, 0.02, 0.15
"""Shares of relapses, of visits (a step of half a point or one point), of visits (half a point up or down)."""


def fast_registry(n_patients: int, visits_per_patient: int, seed: int) -> dict[str, pl.DataFrame]:
    """Return the tables "visits" (patient, date, edss) and "relapses" (patient, date), sorted by patient and date.

    Relapses lie between the first and the last visit. The same arguments give the same bytes; a person does
    depend on `n_patients` in the last batch of 65,536. Raises UsageError where a number is negative or there is no visit.
    """
    if n_patients < 0 or seed < 0 or visits_per_patient < 1:
        raise UsageError(
            "The number of people and the seed must not be negative, and everybody has at least 1 visit; "
            f"found {n_patients}, {seed} and {visits_per_patient}."
        )
    starts = range(0, n_patients, BATCH)
    width = max(7, len(str(n_patients)))
    visits = [pl.DataFrame(schema={"patient": pl.String, "date": pl.Date, "edss": pl.Float64})]
    relapses = [pl.DataFrame(schema={"patient": pl.String, "date": pl.Date})]
    for start, child in zip(starts, SeedSequence(seed).spawn(len(starts)), strict=True):
        numbers = range(start + 1, min(start + BATCH, n_patients) + 1)
        names = pl.Series("patient", [f"F{number:0{width}d}" for number in numbers], dtype=pl.String)
        of_batch = _batch(names, visits_per_patient, Generator(PCG64(child)))
        visits.append(of_batch[0])
        relapses.append(of_batch[1])
    return {"visits": pl.concat(visits), "relapses": pl.concat(relapses)}


def _batch(names: pl.Series, n_visits: int, rng: Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return visits and relapses of the people with the given names."""
    days = _visit_days(len(names), n_visits, rng)
    who, onsets = _onsets(days, rng)
    edss = _edss(days, who, onsets, rng)
    rows = np.repeat(np.arange(len(names), dtype=np.uint32), n_visits)
    visits = pl.DataFrame({"patient": names.gather(rows), "date": days.ravel(), "edss": edss.ravel()})
    relapses = pl.DataFrame({"patient": names.gather(who), "date": onsets})
    return visits.with_columns(pl.col("date").cast(pl.Date)), relapses.with_columns(pl.col("date").cast(pl.Date))


def _visit_days(n: int, n_visits: int, rng: Generator) -> NDArray[np.int32]:
    """Return (n, n_visits) days since 1970-01-01, ascending along each row."""
    gaps = rng.integers(_GAP_DAYS[0], _GAP_DAYS[1] + 1, (n, n_visits), dtype=np.int32)
    gaps[:, 0] = rng.integers(_ENTRY_DAYS[0], _ENTRY_DAYS[1] + 1, n, dtype=np.int32)
    return np.cumsum(gaps, axis=1, dtype=np.int32)


def _onsets(days: NDArray[np.int32], rng: Generator) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return who relapsed and when, (n_relapses,) both, sorted, each day of a person once."""
    counts = rng.poisson(_RELAPSES_A_PERSON, len(days))
    who = np.repeat(np.arange(len(days), dtype=np.int64), counts)
    first, last = days[who, 0], days[who, -1]
    onsets = first + (rng.random(len(who)) * (last - first + 1)).astype(np.int32)
    keys = np.unique(who << 32 | onsets)
    return (keys >> 32).astype(np.uint32), (keys & 0xFFFF_FFFF).astype(np.int32)


def _edss(days: NDArray[np.int32], who: NDArray[np.uint32], onsets: NDArray[np.int32], rng: Generator) -> NDArray[np.float64]:
    """Return (n, n_visits) EDSS points as written down."""
    n, n_visits = days.shape
    steps = np.where(rng.random((n, n_visits)) < _SMOULDERING_SHARE, rng.integers(1, 3, (n, n_visits)), 0).astype(np.int16)
    steps[:, 0] = np.clip(np.rint(rng.normal(2.5, 1.4, n) * HALVES), 0, 12)
    # Onsets never come after the last visit, so a first visit at or after each exists.
    visit = (days[who] < onsets[:, None]).sum(axis=1)
    stays = rng.random(len(who)) < _RESIDUAL_SHARE
    np.add.at(steps, (who[stays], visit[stays]), np.int16(_RESIDUAL))
    near = days[who, visit] - onsets <= _RELAPSE_WINDOW_DAYS
    rise = np.zeros((n, n_visits), dtype=np.int16)
    rise[who[near], visit[near]] = _RISE
    levels = all_landed(np.cumsum(steps, axis=1, dtype=np.int16) + rise)
    errs = rng.random((n, n_visits), dtype=np.float32) < _NOISE_SHARE
    shifts = np.where(errs, rng.integers(0, 2, (n, n_visits), dtype=np.int8) * 2 - 1, 0).astype(np.int16)
    return shifted(levels, shifts) / HALVES
