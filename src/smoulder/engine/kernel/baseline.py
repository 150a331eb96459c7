"""Where the baseline starts, settles and moves, and the next visit that differs enough to matter."""

from __future__ import annotations

import numpy as np

from smoulder.engine.encoding import (
    ANCHOR_DAY,
    ANCHOR_FROM,
    ANCHOR_TO,
    BASE_AFTER,
    BASE_ALWAYS,
    BASE_BEFORE,
    CROSSED_DAYS,
    FIRST_AFTER,
    MIN_DAYS,
    MIN_FROM_PREVIOUS,
    MOVES_RELAPSE,
    MOVES_TO,
    NEAREST,
    NO,
    ONSET_AFTER,
    ONSET_AT,
    ONSET_BEFORE,
    SMALL_IMPROVEMENT,
    SMALL_WORSENING,
    START,
    START_WITHIN,
    TO_LOWEST,
    TO_ONSET,
)
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.people import holds, is_far, is_local_extremum, needed_from
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
def starting_visit(day, setting, zero):
    """Return the visit the baseline starts at; -1 for none."""
    if len(day) == 0:
        return -1
    start = setting[START]
    if start not in (NEAREST, FIRST_AFTER):
        return 0
    if zero == MISSING:
        return -1
    if start == FIRST_AFTER:
        for visit in range(len(day)):
            if day[visit] >= zero:
                return visit if day[visit] - zero <= setting[START_WITHIN] else 0
        return 0
    nearest = 0
    for visit in range(1, len(day)):
        if abs(day[visit] - zero) < abs(day[nearest] - zero):
            nearest = visit
    return nearest


@compiled
def anchored_visit(day, starting, anchor):
    """Return the visit nearest to a day after the starting visit, the earlier of two; -1 where none lies within the bounds."""
    found = -1
    if starting < 0:
        return found
    for visit in range(len(day)):
        since = day[visit] - day[starting]
        if anchor[ANCHOR_FROM] <= since <= anchor[ANCHOR_TO] and (
            found < 0 or abs(since - anchor[ANCHOR_DAY]) < abs(day[found] - day[starting] - anchor[ANCHOR_DAY])
        ):
            found = visit
    return found


@compiled
def may_begin(person, rule, visit, baseline):
    """Return whether a change may begin at a visit: far from relapses and from the visit compared with, and where it is looked for."""
    if not is_far(person, visit, rule.setting[ONSET_AFTER], rule.setting[ONSET_BEFORE]):
        return False
    if rule.setting[MIN_DAYS] != 0:
        since = max(visit - 1, 0) if rule.setting[MIN_FROM_PREVIOUS] != 0 else baseline
        if person.day[visit] - person.day[since] < rule.setting[MIN_DAYS]:
            return False
    return rule.setting[ONSET_AT] == 0 or visit == person.onset_at


@compiled
def may_serve(person, rule, visit, by_change):
    """Return whether a visit may serve as baseline; `by_change`: it is one that a confirmed change moved the baseline to."""
    far = (by_change and rule.setting[BASE_ALWAYS] == 0) or is_far(person, visit, rule.setting[BASE_AFTER], rule.setting[BASE_BEFORE])
    return far and not is_local_extremum(person, rule, visit)


@compiled
def settled(person, rule, baseline, by_change):
    """Return the first visit from `baseline` on that may serve as baseline and has a visit after it; -1 for none."""
    last = len(person.day) - 1
    while baseline < last and not may_serve(person, rule, baseline, by_change):
        baseline += 1
    return baseline if baseline < last else -1


@compiled
def candidate_from(person, rule, search, baseline):
    """Return the first visit from `search` on that differs enough to matter and at which a change may begin; -1 for none."""
    reference = person.score[baseline]
    any_difference = rule.setting[SMALL_WORSENING] != 0 or rule.setting[SMALL_IMPROVEMENT] != 0
    worse = 1 if any_difference else needed_from(rule, reference, 1)
    better = 1 if any_difference else needed_from(rule, reference, -1)
    for visit in range(search, len(person.day)):
        change = person.score[visit] - reference
        if (change >= worse or -change >= better) and may_begin(person, rule, visit, baseline):
            return visit
    return -1


@compiled
def candidate_from_previous(person, rule, search):
    """Return the first visit from `search` on that differs enough from the last one before it that may serve, and that one; -1 for none."""
    for visit in range(search, len(person.day)):
        before = visit - 1
        while before >= 0 and not may_serve(person, rule, before, False):
            before -= 1
        if before < 0:
            continue
        change, reference = person.score[visit] - person.score[before], person.score[before]
        past = change >= needed_from(rule, reference, 1) or -change >= needed_from(rule, reference, -1)
        if past and may_begin(person, rule, visit, before):
            return visit, before
    return -1, -1


@compiled
def next_baseline(person, rule, change, confirming):
    """Return the visit that a confirmed change moves the baseline to."""
    if rule.setting[MOVES_TO] == TO_ONSET:
        return change.onset
    if rule.setting[MOVES_TO] == TO_LOWEST:
        lowest = change.onset
        for visit in range(change.onset + 1, confirming + 1):
            if person.score[visit] < person.score[lowest] and holds(person, rule, visit, change):
                lowest = visit
        return lowest
    return confirming
