"""Where the baseline starts, settles and moves, and the next visit that differs enough to matter."""

from __future__ import annotations

import numpy as np

from smoulder.engine.encoding import (
    BASE_AFTER,
    BASE_BEFORE,
    CROSSED_DAYS,
    MOVES_RELAPSE,
    MOVES_TO,
    NO,
    ONSET_AFTER,
    ONSET_BEFORE,
    SMALL_IMPROVEMENT,
    SMALL_WORSENING,
    START,
    TO_LOWEST,
    TO_ONSET,
)
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.people import is_far, is_local_extremum, needed_from
from smoulder.terms import MISSING


@compiled
def first_relapse_after(person, visit):
    """Return the day of the first relapse after the day of a visit; MISSING for none."""
    for day in person.relapse:
        if day > person.day[visit]:
            return np.int64(day)
    return np.int64(MISSING)


@compiled
def visit_after_relapse(person, baseline):
    """Return the first visit on or after the first relapse after the baseline; -1 for none."""
    relapse = first_relapse_after(person, baseline)
    if relapse == MISSING:
        return -1
    for visit in range(baseline + 1, len(person.day)):
        if person.day[visit] >= relapse:
            return visit
    return -1


@compiled
def has_crossed(person, rule, baseline, visit):
    """Return whether the first relapse after the baseline lies before a visit by more than the window."""
    if rule.setting[MOVES_RELAPSE] == NO:
        return False
    relapse = first_relapse_after(person, baseline)
    return relapse != MISSING and person.day[visit] - relapse > rule.setting[CROSSED_DAYS]


@compiled
def starting_visit(person, rule, time_zero):
    """Return the visit the baseline starts at; -1 for none."""
    if len(person.day) == 0:
        return -1
    if rule.setting[START] == 0:
        return 0
    if time_zero == MISSING:
        return -1
    nearest = 0
    for visit in range(1, len(person.day)):
        if abs(person.day[visit] - time_zero) < abs(person.day[nearest] - time_zero):
            nearest = visit
    return nearest


@compiled
def settled(person, rule, baseline):
    """Return the first visit from `baseline` on that may serve as baseline and has a visit after it; -1 for none."""
    last = len(person.day) - 1
    while baseline < last and (
        not is_far(person, baseline, rule.setting[BASE_AFTER], rule.setting[BASE_BEFORE]) or is_local_extremum(person, rule, baseline)
    ):
        baseline += 1
    return baseline if baseline < last else -1


@compiled
def candidate_from(person, rule, search, reference):
    """Return the first visit from `search` on that differs enough to matter and is far enough from relapses; -1 for none."""
    any_difference = rule.setting[SMALL_WORSENING] != 0 or rule.setting[SMALL_IMPROVEMENT] != 0
    worse = 1 if any_difference else needed_from(rule, reference, 1)
    better = 1 if any_difference else needed_from(rule, reference, -1)
    for visit in range(search, len(person.day)):
        change = person.score[visit] - reference
        if (change >= worse or -change >= better) and is_far(person, visit, rule.setting[ONSET_AFTER], rule.setting[ONSET_BEFORE]):
            return visit
    return -1


@compiled
def next_baseline(person, rule, change, confirming):
    """Return the visit that a confirmed change moves the baseline to."""
    if rule.setting[MOVES_TO] == TO_ONSET:
        return change.onset
    if rule.setting[MOVES_TO] == TO_LOWEST:
        lowest = change.onset
        for visit in range(change.onset + 1, confirming + 1):
            if person.score[visit] < person.score[lowest]:
                lowest = visit
        return lowest
    return confirming
