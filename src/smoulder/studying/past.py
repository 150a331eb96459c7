"""What a study has to know of the time before time zero: events on all visits, milestones, activity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from smoulder.engine import detect
from smoulder.engine.beside.neda import neda
from smoulder.enrolment import Past, Times
from smoulder.protocol.aims import DisabilityAim
from smoulder.protocol.entry import FreeOfCriterion, NoActivityCriterion
from smoulder.protocol.model import Study
from smoulder.rulebook.neda import neda_rule
from smoulder.studying.outcomes import days_of_aim, event_days
from smoulder.tables import Cohort
from smoulder.terms import MISSING


def past_of(cohort: Cohort, study: Study, times: Times) -> Past:
    """Return what is found of the time before time zero, on all visits of everybody."""
    rules = [study.definition_of(key) for key in study.history_keys()]
    events = detect(up_to_zero(at_zero(cohort, times), times), rules).table if rules else Past().events
    had_before: dict[str, dict[str, int]] = {}
    no_activity: dict[str, dict[str, bool | None]] = {}
    notes: dict[str, str] = {}
    for part in study.enter:
        if isinstance(part, FreeOfCriterion):
            aim = study.aim(part.outcome)
            if isinstance(aim, DisabilityAim):
                mine = event_days(events.filter(pl.col("definition") == aim.definition), aim.event)
            else:
                mine = days_of_aim(aim, cohort, times)
            had_before[aim.key] = {patient: min(days) for patient, days in mine.items() if days}
        elif isinstance(part, NoActivityCriterion):
            no_activity[part.key], notes[part.key] = _free_of_activity(cohort, times, part, study)
    return Past(events=events, had_before=had_before, no_activity=no_activity, notes=notes)


def up_to_zero(cohort: Cohort, times: Times) -> Cohort:
    """Return the cohort without the visits after time zero: what a later visit confirms was not known on the day.

    People without a time zero keep their visits.
    """
    ends = np.array([MISSING if time is None else time.zero_day for time in times.of], dtype=np.int64)
    owner = np.repeat(np.arange(cohort.n_patients), np.diff(cohort.visits.first))
    return cohort.with_visits((ends[owner] == MISSING) | (cohort.visits.day <= ends[owner]))


def at_zero(cohort: Cohort, times: Times, less_days: int = 0) -> Cohort:
    """Return the cohort with the time zero of the study, or some days before it."""
    days = [MISSING if time is None else time.zero_day - less_days for time in times.of]
    return replace(cohort, time_zero=np.array(days, dtype=np.int32))


def _free_of_activity(cohort: Cohort, times: Times, part: NoActivityCriterion, study: Study) -> tuple[dict[str, bool | None], str]:
    """Return who was free of activity in the window that ends at time zero, and what the reader must know of it.

    Visits after time zero are looked at too: without them most people could not be said to be free of worsening that needs confirmation.
    """
    rule = neda_rule(study.definition_of(part.definition), start="time zero", to_day=part.days)
    table = neda(at_zero(cohort, times, part.days), rule).table
    if cohort.mri is None and part.without_mri:
        both = {
            patient: None if False not in (relapse, worse) and None in (relapse, worse) else bool(relapse and worse)
            for patient, relapse, worse in table.select("patient", "no_relapse", "no_worsening").iter_rows()
        }
        return both, "there is no MRI table: relapses and worsening alone decided, so this is not NEDA"
    return dict(table.select("patient", "neda").iter_rows()), ""
