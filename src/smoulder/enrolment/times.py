"""Time zero, the starting visit, and what ends the observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from smoulder.enrolment.periods import Period, drug, is_one_of, names_not_taken, treatment_periods
from smoulder.errors import DataError
from smoulder.protocol.aims import TreatmentAim
from smoulder.protocol.entry import TreatmentCriterion
from smoulder.protocol.model import Study
from smoulder.protocol.timing import CENSOR_REASONS, DEATH_AFTER_DAYS, TimeZero
from smoulder.tables import Cohort
from smoulder.terms import MISSING


class Time(NamedTuple):
    """The time of one person."""

    zero_day: int
    start_day: int | None
    """Day of the starting visit; None: there is none near enough."""
    end_day: int
    end_reason: str
    last_visit_day: int | None
    """Last visit from the starting visit on and not after the end; None: none."""
    index_treatment: str | None
    index_start_day: int | None
    index_end_day: int | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Times:
    """The times of everybody in a cohort."""

    patients: pl.Series
    """(n_patients,) ids."""
    of: tuple[Time | None, ...]
    """(n_patients,) None: there is no time zero."""
    periods: tuple[tuple[Period, ...], ...]
    """(n_patients,) periods on treatment; empty where the cohort has no table of treatments."""
    death_day: tuple[int | None, ...]
    """(n_patients,)"""
    one_drug: tuple[str, ...] = ()
    """Names that the study lists together: one and the same treatment."""
    from_stop: bool = False
    """Whether time zero is the last day on a treatment, without a landmark after it."""
    notes: tuple[str, ...] = ()
    """What the reader must know of the treatments, as sentences."""

    def days(self, what: str) -> pl.Series:
        """Return (n_patients,) one of the days, null where there is none."""
        return pl.Series(what, [None if time is None else getattr(time, what) for time in self.of], dtype=pl.Int32)


def study_times(cohort: Cohort, study: Study) -> Times:
    """Return time zero, the starting visit and the end of observation of everybody in a cohort, whoever enters.

    Raises DataError where the study counts from something that the tables do not have.
    """
    rule, ending = study.time_zero, study.ending
    needs_treatments = rule.at.startswith("treatment") or ending.looks_at_treatments()
    periods, notes = (
        treatment_periods(cohort, rule.joined_days, rule.treatments)
        if needs_treatments or cohort.treatments is not None
        else ([[] for _ in range(cohort.n_patients)], ())
    )
    zeros = _zero_days(cohort, rule)
    deaths, recorded_to = attribute_days(cohort, "death_date"), attribute_days(cohort, "observed_to")
    scored = _scored(cohort)
    found: list[Time | None] = []
    for index in range(cohort.n_patients):
        where = cohort.visits_of(index)
        days = cohort.visits.day[where][scored[where]].tolist()
        every_day = cohort.visits.day[where].tolist()
        index_period, zero = None, zeros[index]
        if rule.at.startswith("treatment"):
            index_period = _index_period(rule, periods[index], every_day[-1] if every_day else None)
            if index_period is not None:
                zero = index_period.start_day if rule.at == "treatment start" else index_period.end_day
        if rule.at == "visit number" and rule.number is not None:
            zero = days[rule.number - 1] if len(days) >= rule.number else None
        if zero is None or not every_day:
            found.append(None)
            continue
        zero += rule.plus_days
        if index_period is None:
            index_period = next((one for one in periods[index] if one.covers(zero) and is_one_of(one.treatment, ending.treatments)), None)
        start = starting_visit(days, zero, rule)
        end, reason = _end(study, zero, every_day[-1], index_period, periods[index], deaths[index], recorded_to[index])
        later = [day for day in days if day <= end and (start is None or day >= start)]
        found.append(
            Time(
                zero_day=zero,
                start_day=start,
                end_day=end,
                end_reason=reason,
                last_visit_day=later[-1] if later else None,
                index_treatment=None if index_period is None else index_period.treatment,
                index_start_day=None if index_period is None else index_period.start_day,
                index_end_day=None if index_period is None else index_period.end_day,
            )
        )
    return Times(
        patients=cohort.patients,
        of=tuple(found),
        periods=tuple(tuple(one) for one in periods),
        death_day=tuple(deaths),
        one_drug=rule.treatments,
        from_stop=rule.at == "treatment stop" and rule.plus_days == 0,
        notes=(*notes, *_other_names(cohort, study)),
    )


def _other_names(cohort: Cohort, study: Study) -> list[str]:
    """Return the treatments of the tables whose names are nearly those that the study names, as sentences."""
    asked = [study.time_zero.treatments, study.ending.treatments]
    asked += [part.any_of for part in (*study.enter, *study.outcome) if isinstance(part, TreatmentCriterion | TreatmentAim)]
    told = names_not_taken(cohort, [name for names in asked for name in names])
    return [f"{told}."] if told else []


def starting_visit(days: Sequence[int], zero: int, rule: TimeZero) -> int | None:
    """Return the visit nearest to time zero within the limits, the earlier of two equally near ones; None where there is none."""
    near = [day for day in days if -rule.start_before_days <= day - zero <= rule.start_after_days]
    return min(near, key=lambda day: (abs(day - zero), day), default=None)


def attribute_days(cohort: Cohort, column: str) -> list[int | None]:
    """Return (n_patients,) a day of the patients table; None where it is not stated, or the table has no such column."""
    if cohort.attributes is None or column not in cohort.attributes.columns:
        return [None] * cohort.n_patients
    return cohort.attributes[column].cast(pl.Int32).to_list()


def _scored(cohort: Cohort) -> np.ndarray:
    """Return (n_visits,) whether a visit has a score of any measure."""
    scored = np.zeros(cohort.n_visits, dtype=np.bool_)
    for scores in cohort.visits.scores.values():
        scored |= scores != MISSING
    return scored


def _zero_days(cohort: Cohort, rule: TimeZero) -> list[int | None]:
    """Return (n_patients,) time zero where it is a visit or a stated day; None otherwise."""
    if rule.at == "first visit":
        scored = _scored(cohort)
        firsts = []
        for index in range(cohort.n_patients):
            where = cohort.visits_of(index)
            days = cohort.visits.day[where][scored[where]]
            firsts.append(int(days[0]) if len(days) else None)
        return firsts
    if rule.at in ("time zero", "onset", "diagnosis"):
        name = {"time zero": "time zero", "onset": "onset of the disease", "diagnosis": "diagnosis"}[rule.at]
        days = cohort.zero_days(name)
        if days is None:
            column = {"time zero": "time_zero", "onset": "onset_date", "diagnosis": "diagnosis_date"}[rule.at]
            raise DataError(
                f"The study counts from {rule.at}, and the patients table has no column '{column}'. Name the column that holds it "
                f"(columns, or --column patients.{column}=NAME), or write a study that counts from something else."
            )
        return [None if day == MISSING else int(day) for day in days]
    return [None] * cohort.n_patients


def _index_period(rule: TimeZero, periods: Sequence[Period], last_day: int | None) -> Period | None:
    """Return the period whose start or stop is time zero; None where there is none."""
    if last_day is None:
        return None
    fitting = [
        one
        for one in periods
        if is_one_of(one.treatment, rule.treatments)
        and one.lasts(last_day) >= rule.least_days
        and (rule.at == "treatment start" or one.end_day is not None)
    ]
    if not fitting:
        return None
    return fitting[0] if rule.which == "first" else fitting[-1]


def _end(
    study: Study,
    zero: int,
    last_visit: int,
    index: Period | None,
    periods: Sequence[Period],
    death: int | None,
    recorded_to: int | None,
) -> tuple[int, str]:
    """Return the last day observed and why."""
    ending, one_drug = study.ending, study.time_zero.treatments
    died_soon = ending.death and death is not None and last_visit < death <= last_visit + DEATH_AFTER_DAYS
    ends: list[tuple[int, str]] = [] if died_soon else [(last_visit, "last visit")]
    if ending.stop_after_days is not None and index is not None and index.end_day is not None:
        ends.append((index.end_day + ending.stop_after_days, "treatment stopped"))
    counts = {drug(name, one_drug) for name in ending.treatments or ((index.treatment,) if index is not None else ())}
    if ending.switch and counts:
        others = [one.start_day for one in periods if one.start_day > zero and drug(one.treatment, one_drug) not in counts]
        if others:
            ends.append((min(others) - 1, "switched treatment"))
    if ending.restart and index is not None:
        again = [one.start_day for one in periods if one.start_day > index.start_day and drug(one.treatment, one_drug) in counts]
        if again:
            ends.append((min(again) - 1, "restarted treatment"))
    if ending.death and death is not None:
        ends.append((death, "death"))
    if ending.recording and recorded_to is not None:
        ends.append((recorded_to, "end of recording"))
    if ending.most_days is not None:
        ends.append((zero + ending.most_days, "end of the study period"))
    return min(ends, key=lambda end: (end[0], CENSOR_REASONS.index(end[1])))
