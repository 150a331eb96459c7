"""The people of a figure: from time zero to the end of the observation, with their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import UsageError, counted, unknown
from smoulder.tables import Cohort
from smoulder.terms import MISSING

NEEDED = ("patient", "zero_day", "end_day")


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person's time."""

    patient: str
    index: int | None
    """Position in the cohort; None: not in it."""
    zero_day: int
    end_day: int
    end_reason: str
    group: str | None = None

    @property
    def days(self) -> int:
        """Days from time zero to the end of the observation."""
        return self.end_day - self.zero_day


def people_in(cohort: Cohort, people: pl.DataFrame | None, by: str | None = None) -> tuple[list[Person], list[str]]:
    """Return the people that can be drawn, sorted by id, and sentences about those that cannot.

    `people` has patient, zero_day and end_day, and may have end_reason; None: everybody from the first visit to the last.
    Raises UsageError where a column is missing.
    """
    if people is None:
        people = _from_visits(cohort) if by is None else _with_attributes(cohort, by)
    missing = [name for name in (*NEEDED, *([by] if by else [])) if name not in people.columns]
    if missing:
        raise UsageError(f"The people have no column '{missing[0]}'; there are {', '.join(people.columns)}.")
    reasons = people["end_reason"] if "end_reason" in people.columns else pl.Series([""] * people.height, dtype=pl.String)
    groups = people[by].cast(pl.String) if by else pl.Series([None] * people.height, dtype=pl.String)
    places = {patient: place for place, patient in enumerate(cohort.patients.to_list())}
    found, timeless = [], 0
    rows = zip(people["patient"].to_list(), people["zero_day"].to_list(), people["end_day"].to_list(), reasons, groups, strict=True)
    for patient, zero, end, reason, group in sorted(rows, key=lambda row: row[0]):
        if zero is None or end is None or end < zero:
            timeless += 1
            continue
        found.append(
            Person(patient=patient, index=places.get(patient), zero_day=zero, end_day=end, end_reason=reason or "not stated", group=group)
        )
    said = f"{counted(timeless, 'person', 'people')} without time after time zero not shown"
    return found, [said] if timeless else []


def _from_visits(cohort: Cohort) -> pl.DataFrame:
    """Return everybody with a visit, from the first to the last."""
    has = np.diff(cohort.visits.first) > 0
    firsts, lasts = cohort.visits.first[:-1][has], cohort.visits.first[1:][has] - 1
    names = cohort.patients.filter(pl.Series(has))
    reason = pl.Series(["last visit"] * len(names), dtype=pl.String)
    return pl.DataFrame(
        {"patient": names, "zero_day": cohort.visits.day[firsts], "end_day": cohort.visits.day[lasts], "end_reason": reason}
    )


def _with_attributes(cohort: Cohort, by: str) -> pl.DataFrame:
    """Return everybody with a visit, and a column of the patients table."""
    attributes = cohort.attributes
    if attributes is None or by not in attributes.columns:
        raise UsageError(f"The patients table has no column '{by}'; give the people as a frame that has it.")
    return _from_visits(cohort).join(attributes.select("patient", by), on="patient", how="left", maintain_order="left")


def measure_scores(cohort: Cohort, measure: str) -> NDArray[np.int32]:
    """Return (n_visits,) score units of a measure; UsageError where the visits do not have it."""
    if not cohort.has_measure(measure):
        raise UsageError(unknown("measure", measure, cohort.visits.scores))
    return cohort.scores(measure)


def scored_visits(cohort: Cohort, scores: NDArray[np.int32], person: Person) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return days since time zero and score units of a person's scored visits up to the end, those before time zero included."""
    if person.index is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    where = cohort.visits_of(person.index)
    days, units = cohort.visits.day[where], scores[where]
    kept = (units != MISSING) & (days <= person.end_day)
    return days[kept].astype(np.int64) - person.zero_day, units[kept]
