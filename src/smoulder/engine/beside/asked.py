"""What the algorithms beside the scan share: who is explained, what is observed of a patient, days in words, years."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smoulder.engine.pack import seen_days
from smoulder.errors import counted
from smoulder.tables import Cohort
from smoulder.terms import MISSING, day_text

DAYS_A_YEAR = 365.25


class Span(NamedTuple):
    """A stretch of days, both ends included."""

    first: int
    last: int


def asked_for(cohort: Cohort, explain: Collection[str]) -> frozenset[str]:
    """Return the patients to explain; UsageError or DataError (`Cohort.index_of`) for one who is not there."""
    for patient in explain:
        cohort.index_of(patient)
    return frozenset(explain)


def seen_spans(cohort: Cohort) -> list[Span | None]:
    """Return (n_patients,) first to last visit of each patient; None without a visit."""
    return [
        None if start == MISSING else Span(start, end) for start, end in zip(*(days.tolist() for days in seen_days(cohort)), strict=True)
    ]


class Series(NamedTuple):
    """One patient's scores of one measure, in day order."""

    days: list[int]
    scores: list[int]
    """Score units."""


def measured(cohort: Cohort, measure: str) -> list[Series]:
    """Return (n_patients,) the scores of a measure of each patient; UsageError where the visits do not have it."""
    scores = cohort.scores(measure)
    found = []
    for index in range(cohort.n_patients):
        where = cohort.visits_of(index)
        known = scores[where] != MISSING
        found.append(Series(cohort.visits.day[where][known].tolist(), scores[where][known].tolist()))
    return found


def stated(days: NDArray[np.int32] | None, index: int) -> int | None:
    """Return a day that the patients table states for a patient; None where it does not."""
    return None if days is None or days[index] == MISSING else int(days[index])


def recorded_span(cohort: Cohort, index: int, seen: Span | None) -> Span | None:
    """Return the days on which relapses of a patient were recorded: as stated, otherwise from the first or to the last visit.

    None where one end is neither stated nor seen.
    """
    first, last = stated(cohort.recorded_from, index), stated(cohort.recorded_to, index)
    first = seen.first if first is None and seen is not None else first
    last = seen.last if last is None and seen is not None else last
    return None if first is None or last is None else Span(first, last)


def said_day(cohort: Cohort, day: int) -> str:
    """Return a day as sentences have it."""
    return day_text(day, cohort.calendar)


def said_span(cohort: Cohort, span: Span) -> str:
    """Return a stretch of days as sentences have it."""
    return f"{said_day(cohort, span.first)} to {said_day(cohort, span.last)}"


def general_notes(cohort: Cohort) -> list[str]:
    """Return what the reader of any outcome must know of the cohort: who and what was set aside."""
    notes = []
    if cohort.set_aside:
        notes.append(f"{counted(len(cohort.set_aside), 'patient')} set aside because of faults in the tables.")
    rows = cohort.report.rows_without_patient() if cohort.kept_going else ()
    if rows:
        notes.append(f"{counted(len(rows), 'row')} without a patient set aside because of faults.")
    return notes


def points_text(points: float) -> str:
    """Return a change in points with its sign, such as '+1.5'; '0' for none."""
    return f"{points:+g}" if points else "0"
