"""When a milestone such as EDSS 6 is reached and confirmed: one patient at a time, in plain Python."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from smoulder.engine.judgement import Change, Judgement
from smoulder.engine.pack import plain_record
from smoulder.engine.record import Record
from smoulder.rulebook.milestone import Milestone
from smoulder.tables import Cohort
from smoulder.terms import MEASURES

MILESTONE_SCHEMA = {
    "patient": pl.String(),
    "reached": pl.Boolean(),
    "day": pl.Int32(),
    "score": pl.Float64(),
    "days_from_start": pl.Int32(),
    "confirmed": pl.Boolean(),
}
"""day: of the first visit that reaches it, else of the last visit; score: there, null where not reached."""


def reach(cohort: Cohort, milestone: Milestone) -> pl.DataFrame:
    """Return one row a patient with any visit of the measure: whether and when the milestone is reached (`MILESTONE_SCHEMA`).

    Raises DataError where the tables have errors, UsageError where the visits lack the measure.
    """
    cohort.require_sound()
    measure = MEASURES[milestone.measure]
    rows = []
    for index, patient in enumerate(cohort.patients):
        record = plain_record(cohort, index, milestone.measure)
        if not record.days:
            continue
        reached = first_reached(record, milestone)
        onset, confirmed = (len(record.days) - 1, False) if reached is None else reached
        score = None if reached is None else measure.points(record.scores[onset])
        rows.append((patient, reached is not None, record.days[onset], score, record.days[onset] - record.days[0], confirmed))
    return pl.DataFrame(rows, schema=MILESTONE_SCHEMA, orient="row")


def first_reached(record: Record, milestone: Milestone) -> tuple[int, bool] | None:
    """Return the first visit at which the milestone is reached for good, and whether a later visit confirms it; None for none.

    The first visit may be one. A score that reaches it and is not confirmed, or not sustained, is passed over.
    """
    measure = MEASURES[milestone.measure]
    judge = Judgement(record, measure, milestone)
    goal = measure.units(milestone.score)
    onset = 0
    while onset <= judge.last:
        reaches = judge.worse_by(judge.scores[onset], goal) >= 0
        if not reaches or not judge.far_enough_for_onset(onset):
            onset += 1
            continue
        confirmed = confirmed_for_good(judge, milestone, Change(worsening=True, onset=onset, baseline=onset, reference=goal, needed=0))
        if confirmed is not None:
            return onset, confirmed
        onset = onset + 1 if milestone.tried == "at every visit" else after_spell(judge, onset, goal)
    return None


def confirmed_for_good(judge: Judgement, milestone: Milestone, change: Change) -> bool | None:
    """Return whether a visit confirms a milestone (False: counted without); None where it is not confirmed, or not sustained."""
    eligible = judge.eligible(change.onset)
    confirmed = bool(eligible) and judge.is_confirmed(change, eligible[0])
    if not confirmed and milestone.confirmation.windows and not judge.is_counted(change, eligible):
        return None
    floor = change.reference if milestone.floor is None else MEASURES[milestone.measure].units(milestone.floor)
    lasting = replace(change, reference=floor)
    after = eligible[0] if confirmed else change.onset
    return confirmed if judge.is_sustained(lasting, judge.first_failing(lasting, after)) else None


def after_spell(judge: Judgement, onset: int, goal: int) -> int:
    """Return where to look after the spell that starts at `onset`: past the visit that leaves it, else at the last visit."""
    left = next((visit for visit in range(onset + 1, judge.last + 1) if judge.worse_by(judge.scores[visit], goal) < 0), None)
    if left is not None:
        return left + 1
    return judge.last if onset < judge.last else judge.last + 1
