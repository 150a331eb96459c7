"""What a definition meets in the tables of a cohort: whether it can run there, and where it is known to mislead on such data."""

from __future__ import annotations

from collections.abc import Hashable
from weakref import WeakKeyDictionary

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
CENTRES = ("centre", "center", "centreid", "centerid", "site", "siteid", "clinic", "clinicid", "hospital")
"""Names of a column of centres in the patients table, in lower case without signs; the first such column is taken."""
FEWEST_PEOPLE = 20
"""People below which a centre or a treatment is too small to tell."""
MOST_GROUPS = 20
"""Centres or treatments beyond which some differ by chance."""


def check_definition(cohort: Cohort, definition: Definition) -> tuple[str, ...]:
    """Return what to know before a definition is run on a cohort, as sentences; empty where there is nothing.

    First what the tables lack for it, then the known traps that it allows (`traps`), then those that depend on these visits:
    month lengths against the visit intervals, follow-up too short to confirm, visits of unlike density in the arms of a trial, at the
    centres, or on the treatments at the first visit.

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


_SAID: WeakKeyDictionary[Cohort, dict[Hashable, tuple[str, ...]]] = WeakKeyDictionary()
"""What was said of the visits of a cohort: the definitions of a grid share most of it, and it takes half a second of a million visits."""


def visits_say(cohort: Cohort, definition: Definition) -> tuple[str, ...]:
    """Return where a definition is known to mislead on visits like these."""
    measured = next((rule for rule in definition.measures if cohort.has_measure(rule.measure)), None)
    if measured is None:
        return ()
    confirm, onset = definition.confirmation, definition.onset
    said = _SAID.setdefault(cohort, {})
    asked: Hashable = (measured.measure, confirm.windows, confirm.at, confirm.as_well, onset.at)
    if asked not in said:
        days, first = days_of(cohort, measured)
        if measured.measure not in said:
            said[measured.measure] = tuple(unlike_groups(cohort, days, first))
        found = (*month_lengths(days, first, definition), *short_follow_up(days, first, definition), *said[measured.measure])
        said[asked] = found
    return said[asked]


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
    """Return which groups of a cohort are seen at unlike intervals: more visits find more worsening, and label it otherwise.

    The groups are the arms of a trial; the centres, where the patients table has such a column (`CENTRES`); and the treatments at
    the first visit with the measure. Centres and treatments of fewer than `FEWEST_PEOPLE` are passed over, and more than `MOST_GROUPS`
    of them are not compared, as among so many some differ by chance.
    """
    if not len(days):
        return []
    found = []
    attributes = cohort.attributes
    if attributes is not None and "arm" in attributes.columns:
        arms = attributes["arm"].cast(pl.String)
        found.append(unlike(days, first, arms, "The arms are seen", "in {}", "the arms", fewest_people=1, most_groups=cohort.n_patients))
    column = None if attributes is None else next((name for name in attributes.columns if _letters(name) in CENTRES), None)
    if attributes is not None and column is not None:
        found.append(unlike(days, first, attributes[column].cast(pl.String), "The centres see their people", "in {}", "the centres"))
    if cohort.treatments is not None:
        names = treatment_at(cohort, days, first)
        found.append(unlike(days, first, names, "People on unlike treatments at the first visit are seen", "on {}", "they"))
    return [sentence for sentence in found if sentence]


def unlike(
    days: NDArray[np.int64],
    first: NDArray[np.int64],
    group: pl.Series,
    seen: str,
    within: str,
    who: str,
    *,
    fewest_people: int = FEWEST_PEOPLE,
    most_groups: int = MOST_GROUPS,
) -> str:
    """Return a sentence where two groups differ much in the days between visits; "" where none do.

    `group` has the group of each patient of the cohort, null for those of none.
    """
    patient = owners(first)
    same = patient[1:] == patient[:-1]
    each = (
        pl.DataFrame({"patient": patient[1:][same], "group": group.gather(patient[1:][same]), "days": np.diff(days)[same]})
        .drop_nulls()
        .group_by("group")
        .agg(pl.col("days").median().alias("median"), pl.len().alias("n"), pl.col("patient").n_unique().alias("people"))
        .filter((pl.col("n") >= FEWEST_INTERVALS) & (pl.col("people") >= fewest_people))
        .sort("median", "group")
    )
    if not 2 <= each.height <= most_groups or each["median"][-1] < UNLIKE * each["median"][0]:
        return ""
    (dense, often, *_), (sparse, seldom, *_) = each.row(0), each.row(-1)
    return (
        f"{seen} at unlike intervals: a median of {often:.0f} days {within.format(dense)} and {seldom:.0f} {within.format(sparse)}. "
        f"More visits find more worsening, confirm it sooner and move the reference more often: {who} differ by their visits alone."
    )


def treatment_at(cohort: Cohort, days: NDArray[np.int64], first: NDArray[np.int64]) -> pl.Series:
    """Return the treatment of each of the first patients on their first visit, the one begun last; "none" for none."""
    assert cohort.treatments is not None
    some = np.diff(first) > 0
    seen = pl.DataFrame({"patient": cohort.patients[: len(first) - 1].filter(pl.Series(some)), "day": days[first[:-1][some]]})
    on = (
        cohort.treatments.join(seen, on="patient")
        .filter((pl.col("start_day") <= pl.col("day")) & (pl.col("end_day").is_null() | (pl.col("end_day") >= pl.col("day"))))
        .sort("patient", "start_day", "treatment")
        .group_by("patient", maintain_order=True)
        .agg(pl.col("treatment").last())
    )
    return cohort.patients.to_frame("patient").join(on, on="patient", how="left", maintain_order="left")["treatment"].fill_null("none")


def _letters(name: str) -> str:
    """Return a column's name in lower case without signs."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
