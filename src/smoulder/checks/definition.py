"""What a definition meets in the tables of a cohort: whether it can run there, and where it is known to mislead on such data."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import agreed, counted
from smoulder.rulebook.model import Definition, MeasureRule, Window
from smoulder.rulebook.traps import traps
from smoulder.tables import Cohort
from smoulder.terms import FUNCTIONAL_SYSTEMS, MISSING

MOST_VISITS = 1_000_000
"""Visits whose intervals are looked at; the first patients of a larger cohort stand for all."""
NEAR_DAYS = 7
"""A visit that misses a confirmation window by at most a week was probably meant to confirm."""
MANY = 0.10
"""Share of visits from which on that is told."""
UNLIKE = 1.25
"""Ratio of the visit intervals of two groups from which on that is told (X21: the label may hang on one visit)."""
FEWEST_INTERVALS = 20
"""Intervals below which a group, or a cohort, is too small to tell."""


def check_definition(cohort: Cohort, definition: Definition) -> tuple[str, ...]:
    """Return what to know before a definition is run on a cohort, as sentences; empty where there is nothing.

    First what the tables lack for it, then the known traps that it allows (`traps`), then those that depend on these visits:
    month lengths against the visit intervals, follow-up too short to confirm, visits of unlike density in the arms of a trial.

    Examples
    --------
    >>> from smoulder import check_definition, definition, read
    >>> visits = {"patient": ["A"] * 2, "date": ["2020-01-01", "2020-04-01"], "edss": [2.0, 3.0]}
    >>> check_definition(read(visits, nobody_relapsed=True), definition("kappos-2020"))[0]
    'The tables have no T25FW and no 9HPT, which the definition needs.'
    """
    return (*lacking(cohort, definition), *traps(definition), *visits_say(cohort, definition))


def met_in(cohort: Cohort, definition: Definition) -> tuple[str, ...]:
    """Return what `check_definition` says because of these tables: without the known traps, which hold for any."""
    return (*lacking(cohort, definition), *visits_say(cohort, definition))


def visits_say(cohort: Cohort, definition: Definition) -> tuple[str, ...]:
    """Return where a definition is known to mislead on visits like these."""
    found: list[str] = []
    measured = [rule for rule in definition.measures if cohort.has_measure(rule.measure)]
    if measured:
        days, first = days_of(cohort, measured[0])
        found += month_lengths(days, first, definition)
        found += short_follow_up(days, first, definition)
        found += unlike_groups(cohort, days, first)
    return tuple(found)


def lacking(cohort: Cohort, definition: Definition) -> list[str]:
    """Return what the tables lack for a definition."""
    found = []
    missing = [rule.spec().name for rule in definition.measures if not cohort.has_measure(rule.measure)]
    if missing:
        found.append(f"The tables have no {' and no '.join(missing)}, which the definition needs.")
    if definition.labelled and cohort.relapse_knowledge == "unknown":
        found.append("There is no relapse table, so every label will be undetermined.")
    if definition.mri is not None and cohort.mri is None:
        found.append("There is no MRI table, so the MRI of every PIRA will be unknown.")
    unread = [name for name in (definition.mri.lesions if definition.mri is not None else ()) if name not in _columns(cohort.mri)]
    if cohort.mri is not None and unread:
        found.append(
            f"The MRI table has no column {' and no '.join(unread)}: a PIRA may be told to be free of MRI activity although nobody looked "
            "for those lesions, unless another column holds them too."
        )
    found += missing_start(cohort, definition)
    if definition.confirmation.leading_system and not any(cohort.has_measure(key) for key in FUNCTIONAL_SYSTEMS):
        found.append("The visits have no functional systems, so no worsening can be led by one and none will be confirmed.")
    if definition.confirmation.visits == "scheduled" and cohort.visits.scheduled is None:
        found.append("The visits do not say which were scheduled, so every visit may confirm.")
    return found


def _columns(frame: pl.DataFrame | None) -> list[str]:
    return [] if frame is None else frame.columns


def missing_start(cohort: Cohort, definition: Definition) -> list[str]:
    """Return how many patients lack the day that a definition starts at."""
    base = definition.baseline
    if base.start not in ("nearest time zero", "first after time zero"):
        return []
    days = cohort.zero_days(base.zero)
    n_missing = cohort.n_patients if days is None else int((days == MISSING).sum())
    if not n_missing:
        return []
    column = {"time zero": "time_zero", "diagnosis": "diagnosis_date", "onset of the disease": "onset_date"}[base.zero]
    return [
        f"{n_missing:,} of {counted(cohort.n_patients, 'patient')} {agreed(n_missing, 'has', 'have')} no {column} in the patients table "
        "and cannot be assessed, because the definition starts there."
    ]


def days_of(cohort: Cohort, rule: MeasureRule) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (n,) days of the visits with a measure and (n_patients + 1,) where each patient's start, of the first patients."""
    n_patients = int(np.searchsorted(cohort.visits.first, MOST_VISITS, side="right")) - 1
    n_patients = max(min(n_patients, cohort.n_patients), min(1, cohort.n_patients))
    first = cohort.visits.first[: n_patients + 1]
    measured = cohort.scores(rule.measure)[: int(first[-1])] != MISSING
    before = np.concatenate([[0], np.cumsum(measured)])
    return cohort.visits.day[: int(first[-1])][measured].astype(np.int64), before[first]


def owners(first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (n,) the patient of each visit."""
    return np.repeat(np.arange(len(first) - 1), np.diff(first))


def month_lengths(days: NDArray[np.int64], first: NDArray[np.int64], definition: Definition) -> list[str]:
    """Return, for each window, whether many visits miss it by a week at most: a month is 28 to 30.5 days, a quarter 84 to 92.

    Not where one visit at a set time confirms: that time decides, and the window only says how far it is from onset at least.
    """
    if definition.confirmation.at is not None:
        return []
    return [sentence for window in definition.confirmation.windows if (sentence := just_missed(days, first, window))]


def just_missed(days: NDArray[np.int64], first: NDArray[np.int64], window: Window) -> str:
    """Return a sentence where many visits are followed by one that misses a window by a week at most; else ""."""
    if window.from_day <= NEAR_DAYS or not len(days):
        return ""
    patient = owners(first)
    place = (patient << 33) + days
    near = np.searchsorted(place, place + window.from_day - NEAR_DAYS)
    inside = np.minimum(near, len(days) - 1)
    followed = (near < len(days)) & (patient[inside] == patient)
    waited = days[inside] - days
    n_followed, n_short = int(followed.sum()), int((followed & (waited < window.from_day)).sum())
    if n_followed < FEWEST_INTERVALS or n_short < MANY * n_followed:
        return ""
    share, shortest = f"{100 * n_short / n_followed:.0f} %", window.from_day - NEAR_DAYS
    return (
        f"After {n_short:,} of {n_followed:,} visits ({share}) there is a next one {shortest} to {window.from_day - 1} days later, which "
        f"misses the window {window.name} (from day {window.from_day}) by a week at most: with a month a little shorter, or a tolerance, "
        "it would confirm. Try it, and say which you took."
    )


def short_follow_up(days: NDArray[np.int64], first: NDArray[np.int64], definition: Definition) -> list[str]:
    """Return how many people are not followed long enough for anything to be confirmed, where they are many."""
    some = np.diff(first) > 1
    if not definition.confirmation.windows or not some.any():
        return []
    anchors = (definition.onset.at, definition.confirmation.at, definition.confirmation.as_well)
    sought = [anchor.from_day for anchor in anchors if anchor is not None]
    wait = max([min(window.from_day for window in definition.confirmation.windows), *sought])
    followed = days[first[1:][some] - 1] - days[first[:-1][some]]
    n_short = int((followed < wait).sum())
    if n_short < MANY * len(followed):
        return []
    return [
        f"{n_short:,} of {counted(len(followed), 'patient')} with two visits or more {agreed(n_short, 'is', 'are')} followed for less than "
        f"the {wait} days that a confirmation takes; {agreed(n_short, 'this one counts', 'they count')} as free of events."
    ]


def unlike_groups(cohort: Cohort, days: NDArray[np.int64], first: NDArray[np.int64]) -> list[str]:
    """Return whether the arms of a cohort are seen at unlike intervals: more visits find more worsening, and label it otherwise."""
    if cohort.attributes is None or "arm" not in cohort.attributes.columns or not len(days):
        return []
    patient = owners(first)
    same = patient[1:] == patient[:-1]
    arms = cohort.attributes["arm"].gather(patient[1:][same])
    each = (
        pl.DataFrame({"arm": arms, "days": np.diff(days)[same]})
        .drop_nulls()
        .group_by("arm")
        .agg(pl.col("days").median().alias("median"), pl.len().alias("n"))
        .filter(pl.col("n") >= FEWEST_INTERVALS)
        .sort("median", "arm")
    )
    if each.height < 2 or each["median"][-1] < UNLIKE * each["median"][0]:
        return []
    dense, sparse = each.row(0), each.row(-1)
    return [
        f"The arms are seen at unlike intervals: a median of {dense[1]:.0f} days in {dense[0]} and {sparse[1]:.0f} in {sparse[0]}. "
        "More visits find more worsening, confirm it sooner and move the reference more often: the arms differ by their visits alone."
    ]
