"""Who enters: each criterion says of everybody yes, no or unknown."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from smoulder.enrolment.periods import drug, is_one_of, names_not_taken
from smoulder.enrolment.times import Times, attribute_days
from smoulder.errors import DataError, UsageError
from smoulder.protocol.entry import (
    AnyCriterion,
    ColumnCriterion,
    DateCriterion,
    FollowUpCriterion,
    FreeOfCriterion,
    NoActivityCriterion,
    TreatmentCriterion,
    VisitsCriterion,
)
from smoulder.tables import Cohort
from smoulder.terms import MISSING, day_of

Answers = list[bool | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """What a criterion says of everybody."""

    answers: Answers
    """(n_patients,) None: unknown."""
    applied: bool = True
    note: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Situation:
    """What criteria judge by."""

    cohort: Cohort
    times: Times
    known: Mapping[str, pl.Series]
    had_before: Mapping[str, Mapping[str, int]]
    """Outcome key -> patient -> first day on which he or she had it, before or after time zero."""
    no_activity: Mapping[str, Mapping[str, bool | None]]
    """Criterion key -> patient -> whether free of activity; None unknown."""
    notes: Mapping[str, str]
    """Criterion key -> what the reader must know of how it was judged."""


def judge(criterion: AnyCriterion, situation: Situation) -> Judged:
    """Return what a criterion says of everybody in the cohort."""
    cohort, times = situation.cohort, situation.times
    if isinstance(criterion, ColumnCriterion):
        return _column(criterion, situation)
    if isinstance(criterion, TreatmentCriterion):
        return Judged(answers=_treated(criterion, cohort, times), note=names_not_taken(cohort, criterion.any_of))
    if isinstance(criterion, VisitsCriterion):
        return Judged(answers=_visits(criterion, cohort, times))
    if isinstance(criterion, FollowUpCriterion):
        answers: Answers = [None if t is None else t.end_day - t.zero_day >= criterion.least_days for t in times.of]
        return Judged(answers=answers)
    if isinstance(criterion, DateCriterion):
        return _dated(criterion, cohort, times)
    note = situation.notes.get(criterion.key, "")
    if isinstance(criterion, NoActivityCriterion):
        found = situation.no_activity[criterion.key]
        return Judged(answers=[found.get(patient) for patient in cohort.patients], note=note)
    assert isinstance(criterion, FreeOfCriterion)
    days = situation.had_before[criterion.outcome]
    free: Answers = []
    for patient, time in zip(cohort.patients, times.of, strict=True):
        free.append(None if time is None else not (patient in days and days[patient] <= time.zero_day))
    return Judged(answers=free, note=note)


def _column(criterion: ColumnCriterion, situation: Situation) -> Judged:
    cohort = situation.cohort
    if criterion.at_time_zero:
        column: pl.Series | None = situation.known[criterion.column]
        missing = column is not None and column.null_count() == len(column)
    else:
        attributes = cohort.attributes
        column = attributes[criterion.column] if attributes is not None and criterion.column in attributes.columns else None
        missing = column is None
    if missing or column is None:
        if criterion.if_missing_column == "refused":
            raise DataError(
                f"The study asks for '{criterion.column}' of the patients table ({criterion.prose()}), and there is no such column."
            )
        note = f"not applied: the tables have no '{criterion.column}'; everybody was kept"
        return Judged(answers=[True] * cohort.n_patients, applied=False, note=note)
    if criterion.any_of:
        answers = [None if value is None else is_one_of(str(value), criterion.any_of) for value in column.to_list()]
        return Judged(answers=answers, note=_other_values(column, answers))
    if not column.dtype.is_numeric():
        raise UsageError(f"The study compares '{criterion.column}' with a number, and the tables hold words there.")
    low = -np.inf if criterion.at_least is None else criterion.at_least
    high = np.inf if criterion.at_most is None else criterion.at_most
    return Judged(answers=[None if value is None else bool(low <= value <= high) for value in column.to_list()])


MOST_OTHERS = 5
"""Values that a note names; more are only counted."""


def _other_values(column: pl.Series, answers: Answers) -> str:
    """Return which values were not among those asked for, so that another spelling is seen; "" where there are none."""
    others = Counter(str(value) for value, answer in zip(column.to_list(), answers, strict=True) if answer is False)
    if not others:
        return ""
    ranked = sorted(others.items(), key=lambda one: (-one[1], one[0]))
    named = [f"'{value}' ({n:,})" for value, n in ranked[:MOST_OTHERS]]
    more = f" and {len(ranked) - MOST_OTHERS:,} more" if len(ranked) > MOST_OTHERS else ""
    return f"other values in the tables: {', '.join(named)}{more}"


def _treated(criterion: TreatmentCriterion, cohort: Cohort, times: Times) -> Answers:
    if cohort.treatments is None:
        raise DataError(f"The study asks who was treated ({criterion.prose()}), and the cohort has no table of treatments.")
    wanted = {drug(name, times.one_drug) for name in criterion.any_of}
    answers: Answers = []
    for index, periods in enumerate(times.periods):
        days = cohort.visits.day[cohort.visits_of(index)]
        last = int(days[-1]) if len(days) else None
        mine = [one for one in periods if not wanted or drug(one.treatment, times.one_drug) in wanted]
        answers.append(any(last is not None and one.lasts(last) >= max(criterion.least_days, 1) for one in mine))
    return answers


def _visits(criterion: VisitsCriterion, cohort: Cohort, times: Times) -> Answers:
    scores = cohort.scores(criterion.measure)
    answers: Answers = []
    for index, time in enumerate(times.of):
        where = cohort.visits_of(index)
        days = cohort.visits.day[where][scores[where] != MISSING]
        if criterion.from_time_zero:
            if time is None or time.start_day is None:
                answers.append(None)
                continue
            days = days[(days >= time.start_day) & (days <= time.end_day)]
        answers.append(len(days) >= criterion.least)
    return answers


def _dated(criterion: DateCriterion, cohort: Cohort, times: Times) -> Judged:
    if cohort.calendar == "day":
        return Judged(
            answers=[True] * cohort.n_patients,
            applied=False,
            note="not applied: the tables count days and have no dates; everybody was kept",
        )
    columns = {"onset": "onset_date", "diagnosis": "diagnosis_date", "birth": "birth_date"}
    if criterion.what == "time zero":
        days: list[int | None] = [None if time is None else time.zero_day for time in times.of]
    elif criterion.what == "first visit":
        firsts = [cohort.visits.day[cohort.visits_of(index)] for index in range(cohort.n_patients)]
        days = [int(mine[0]) if len(mine) else None for mine in firsts]
    else:
        days = attribute_days(cohort, columns[criterion.what])
    low = day_of(criterion.earliest or datetime.date(1, 1, 1))
    high = day_of(criterion.latest or datetime.date(9999, 12, 31))
    return Judged(answers=[None if day is None else low <= day <= high for day in days])
