"""The MRI around a PIRA: free of activity, active, or unknown. It decides nothing in the scan, so it is told once events are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.rulebook.model import Definition, MriRule
from smoulder.tables import Cohort

FREE, ACTIVE, UNKNOWN = "no activity", "activity", "unknown"


def read_scans(cohort: Cohort, rule: MriRule) -> pl.DataFrame:
    """Return every scan with its day, whether it shows activity, and whether all counts asked for were read; by patient and day."""
    if cohort.mri is None:
        return pl.DataFrame(schema={"patient": pl.String, "day": pl.Int32, "active": pl.Boolean, "read": pl.Boolean})
    counts = [pl.col(name) for name in rule.lesions if name in cohort.mri.columns]
    return cohort.mri.select(
        "patient",
        "day",
        active=pl.any_horizontal([pl.lit(False), *((count > 0).fill_null(False) for count in counts)]),
        # A table with none of the counts says nothing; one that lacks some mostly holds them in another.
        read=pl.all_horizontal([pl.lit(bool(counts)), *(count.is_not_null() for count in counts)]),
    ).sort("patient", "day")


def judge_scans(scans: Sequence[tuple[int, bool, bool]], spans: Sequence[tuple[int, int]]) -> str:
    """Return what the scans (day, active, read) in some intervals say: any activity decides; else one that was read is needed."""
    inside = [(active, read) for day, active, read in scans if any(first <= day <= last for first, last in spans)]
    if any(active for active, _ in inside):
        return ACTIVE
    return FREE if any(read for _, read in inside) else UNKNOWN


def scans_of(cohort: Cohort, patient: str, rule: MriRule) -> list[tuple[int, bool, bool]]:
    """Return the scans of one patient as day, active and read."""
    frame = read_scans(cohort, rule)
    return list(frame.filter(pl.col("patient") == patient).select("day", "active", "read").iter_rows())


def mri_column(cohort: Cohort, definition: Definition, events: pl.DataFrame) -> pl.Series:
    """Return (n_events,) what the MRI of each PIRA says; null for other events, and where the definition has no MRI rule.

    `events` has the columns of `Events.table`.
    """
    found = pl.Series("mri", [None], dtype=pl.String).new_from_index(0, events.height)
    rule = definition.mri
    pira = np.flatnonzero(events["pira"].fill_null(False).to_numpy()) if events.height else np.empty(0, np.int64)
    if rule is None or not len(pira):
        return found
    some = events[pira]
    who = cohort.patients.search_sorted(some["patient"]).to_numpy().astype(np.int64)
    scans = read_scans(cohort, rule)
    mine = cohort.patients.search_sorted(scans["patient"]).to_numpy().astype(np.int64) if scans.height else np.empty(0, np.int64)
    places = _key(mine, scans["day"].to_numpy())
    active, read = _running(scans["active"]), _running(scans["read"])
    any_active, any_read = np.zeros(len(pira), np.bool_), np.zeros(len(pira), np.bool_)
    days = anchor_days(definition, some)
    for interval in rule.scans_in:
        first, last = days[interval.start] + interval.start_days, days[interval.end] + interval.end_days
        low = np.searchsorted(places, _key(who, first), side="left")
        high = np.searchsorted(places, _key(who, last), side="right")
        # An interval that ends where it starts is ignored, as it is for relapses.
        high = np.where(last > first, np.maximum(high, low), low)
        any_active |= active[high] > active[low]
        any_read |= read[high] > read[low]
    words = np.where(any_active, ACTIVE, np.where(any_read, FREE, UNKNOWN))
    return found.scatter(pira, pl.Series(words.tolist(), dtype=pl.String))


def _key(patient: NDArray[np.int64], day: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return patient and day as one number, in the same order."""
    return (patient << 33) + day.astype(np.int64) + (1 << 32)


def _running(flags: pl.Series) -> NDArray[np.int64]:
    """Return (n + 1,) how many flags are set before each place."""
    return np.concatenate([[0], np.cumsum(flags.to_numpy().astype(np.int64))]).astype(np.int64)


def anchor_days(definition: Definition, events: pl.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Return the day of every anchor of some PIRA; the confirmation is that of the PIRA, onset where there is none."""
    confirmed = [f"pira_confirmed_{window.name}_day" for window in definition.confirmation.windows]
    onset = events["onset_day"].to_numpy().astype(np.int64)
    confirmation = onset
    if confirmed:
        confirmation = events.select(pl.min_horizontal(confirmed).fill_null(pl.col("onset_day")))[:, 0].to_numpy().astype(np.int64)
    named = {"baseline": "baseline_day", "last meaningful visit": "meaningful_day", "last holding visit": "sustained_until_day"}
    return {
        "onset": onset,
        "confirmation": confirmation,
        **{anchor: events[column].to_numpy().astype(np.int64) for anchor, column in named.items()},
    }
