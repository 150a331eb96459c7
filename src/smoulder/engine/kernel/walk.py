"""A reference that is carried from visit to visit: the compiled twin of `engine/walk.py`."""

from __future__ import annotations

import numpy as np

from smoulder.engine.encoding import (
    AFTER_LAST,
    AS_BAD,
    AT_ONCE,
    EARLIER,
    EVERY_EVENT,
    EVERY_VISIT,
    EVERYWHERE,
    FALLS_EVERY,
    FALLS_FROM,
    FALLS_HOW,
    FALLS_TO,
    FAR,
    IMPROVEMENT_ONLY,
    LOOKING_FOR,
    MERGE_STABLE,
    MERGE_WITHIN,
    MERGES,
    MIN_DAYS,
    N_COLUMNS,
    N_WINDOWS,
    NO_FALL,
    NO_SECOND,
    O_LABEL,
    O_ONSET,
    O_ONSET_SCORE,
    O_OUTSIDE,
    O_PIRA,
    O_RAW,
    O_REASON,
    RAW_AFTER,
    RAW_BEFORE,
    RISES,
    SECOND,
    SECOND_LEAST,
    SUSTAINED_DAYS,
    SUSTAINED_EVERY,
    SUSTAINED_KINDS,
    WORSE,
)
from smoulder.engine.kernel.baseline import may_begin
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.confirming import fill_eligible, first_failing, is_confirmed, is_counted, is_sustained, keep_holding
from smoulder.engine.kernel.people import Change, holds, is_past, needed_from
from smoulder.engine.kernel.rows import copy_row, is_looked_for, keep, write_change, write_event
from smoulder.engine.record import NO_LABEL, UNDEFINED, UNDETERMINED
from smoulder.terms import MISSING

NOTHING, NO_EVENT, EVENT = range(3)
"""What an attempt comes to."""
FIRST, SECOND_ONE = 0, 1
"""Places of the carried references."""
VISIT, SCORE = 0, 1
"""Columns of a reference held."""


@compiled
def mark_past_relapse(person, rule, start, past):
    """Mark the first visit past the RAW window of each relapse, but for relapses whose window runs into that of the next one."""
    for visit in range(len(person.day)):
        past[visit] = False
    if rule.setting[RISES] == 0:
        return
    for place in range(len(person.relapse)):
        end = person.relapse[place] + rule.setting[RAW_BEFORE]
        if place + 1 < len(person.relapse) and end >= person.relapse[place + 1] - rule.setting[RAW_AFTER]:
            continue
        for visit in range(start, len(person.day)):
            if person.day[visit] > end:
                past[visit] = True
                break


@compiled
def fallen_score(person, rule, visit, reference):
    """Return the score that a reference falls to at a better score; MISSING where that is not confirmed."""
    if rule.setting[FALLS_HOW] == AT_ONCE:
        return np.int64(person.score[visit])
    for confirming in range(visit + 1, len(person.day)):
        waited = person.day[confirming] - person.day[visit]
        if waited < rule.setting[FALLS_FROM] or waited > rule.setting[FALLS_TO]:
            continue
        worst = np.int64(person.score[visit])
        first = visit + 1 if rule.setting[FALLS_EVERY] != 0 else confirming
        for later in range(first, confirming + 1):
            worst = max(worst, np.int64(person.score[later]))
        return worst if worst < reference else np.int64(MISSING)
    return np.int64(MISSING)


@compiled
def let_fall(person, rule, visit, held, n_held):
    """Let a better score lower both references; `n_held` counts those held."""
    if rule.setting[FALLS_HOW] == NO_FALL:
        return
    for which in (FIRST, SECOND_ONE):
        reference = held[which, SCORE, n_held[which] - 1]
        if person.score[visit] < reference:
            score = fallen_score(person, rule, visit, reference)
            if score != MISSING:
                held[which, VISIT, n_held[which]], held[which, SCORE, n_held[which]] = visit, score
                n_held[which] += 1


@compiled
def set_reference(held, n_held, which, visit, score):
    """Let a reference be one score alone."""
    held[which, VISIT, 0], held[which, SCORE, 0] = visit, score
    n_held[which] = 1


@compiled
def place_of_reference(person, rule, visit, held, n_held, which):
    """Return which of the references held a visit is compared with: the latest, or an earlier one where that is too near."""
    latest = n_held[which] - 1
    if rule.setting[EARLIER] == 0:
        return latest
    for place in range(latest, -1, -1):
        far = person.day[visit] - person.day[held[which, VISIT, place]] >= rule.setting[MIN_DAYS]
        if far and is_past(rule, person.score[visit], held[which, SCORE, place], 1):
            return place
    return latest


@compiled
def confirmed_score(person, rule, change, eligible, n_confirming):
    """Return the best of the scores that had to hold, onset included and without forgiven ones."""
    best = np.int64(person.score[change.onset])
    if n_confirming == 0:
        return best
    first = change.onset + 1 if rule.setting[EVERY_VISIT] != 0 else eligible[0]
    to_end = rule.setting[SUSTAINED_DAYS] == FAR and rule.setting[SUSTAINED_KINDS] != IMPROVEMENT_ONLY
    last = len(person.day) - 1 if to_end and rule.setting[SUSTAINED_EVERY] != 0 else eligible[0]
    for visit in range(first, last + 1):
        if holds(person, rule, visit, change):
            best = min(best, np.int64(person.score[visit]))
    end = len(person.day) - 1
    if to_end and holds(person, rule, end, change):
        best = min(best, np.int64(person.score[end]))
    return best


@compiled
def attempt(person, rule, visit, held, n_held, which, at_least, row, scratch):
    """Judge a worsening that begins at a visit from a reference; write it to `row`. Return what it comes to, and its confirmed score."""
    place = place_of_reference(person, rule, visit, held, n_held, which)
    base, reference = held[which, VISIT, place], held[which, SCORE, place]
    score = np.int64(person.score[visit])
    if score < at_least or not is_past(rule, score, reference, 1) or not may_begin(person, rule, visit, base):
        return NOTHING, score
    change = Change(1, visit, base, reference, needed_from(rule, reference, 1), at_least)
    eligible = scratch.eligible
    n_eligible = fill_eligible(person, rule, visit, eligible)
    confirmed = n_eligible > 0 and is_confirmed(person, rule, change, eligible[0])
    if not confirmed and rule.setting[N_WINDOWS] > 0 and not is_counted(person, rule, change, n_eligible):
        write_change(person, rule, change, 2 if n_eligible > 0 else 1, row)
        return NO_EVENT, score
    fails = first_failing(person, rule, change, eligible[0] if confirmed else visit)
    until = len(person.day) - 1 if fails < 0 else fails - 1
    n_confirming = keep_holding(person, rule, change, eligible, n_eligible, until) if confirmed else 0
    if not is_sustained(person, rule, change, fails):
        write_change(person, rule, change, 3, row)
        return NO_EVENT, score
    write_event(person, rule, change, eligible, n_confirming, until, scratch.is_pira_visit, row)
    reached = confirmed_score(person, rule, change, eligible, n_confirming)
    if which == SECOND_ONE and row[O_LABEL] != NO_LABEL:
        row[O_LABEL] = UNDEFINED if person.relapses_known else UNDETERMINED
        row[O_RAW], row[O_PIRA], row[O_OUTSIDE] = 0, 0, 0
        for column in range(N_COLUMNS + (len(row) - N_COLUMNS) // 2, len(row)):
            row[column] = -1
    return EVENT, reached


@compiled
def merge(person, rule, onset, score, held, n_held, row, spare, scratch):
    """Join the steps that follow an event and are one with it. Return the score reached, its visit, and the last visit of the series."""
    dated, last, stable_since = onset, onset, -1
    for visit in range(onset + 1, len(person.day)):
        if person.day[visit] - person.day[dated] > rule.setting[MERGE_WITHIN]:
            break
        outcome, reached = attempt(person, rule, visit, held, n_held, FIRST, -FAR, spare, scratch)
        if outcome != EVENT or spare[O_LABEL] != row[O_LABEL] or reached < score:
            break
        if reached == score:
            if stable_since < 0:
                stable_since = visit - 1
            if person.day[visit] - person.day[stable_since] > rule.setting[MERGE_STABLE]:
                break
        else:
            stable_since, last = -1, visit
        score, dated = reached, visit
    return score, dated, last


@compiled
def step_at(person, rule, visit, only_second, held, n_held, out, start, count, scratch):
    """Look for the worsening that begins at a visit. Return whether there is one, from which reference, its score, and the row count.

    The event is left in the row at `count`; what is no event is kept.
    """
    past = scratch.past_relapse[visit]
    if not past and not only_second:
        outcome, score = attempt(person, rule, visit, held, n_held, FIRST, -FAR, out[count], scratch)
        if outcome == EVENT:
            return True, FIRST, score, count
        if outcome == NO_EVENT:
            count = keep(out, start, count)
    where = rule.setting[SECOND]
    if only_second or where == EVERYWHERE or (past and where != NO_SECOND):
        least = -np.int64(FAR)
        if rule.setting[SECOND_LEAST] in (AS_BAD, WORSE):
            least = held[FIRST, SCORE, n_held[FIRST] - 1] + (1 if rule.setting[SECOND_LEAST] == WORSE else 0)
        outcome, score = attempt(person, rule, visit, held, n_held, SECOND_ONE, least, out[count], scratch)
        if outcome == EVENT:
            return True, SECOND_ONE, score, count
        if outcome == NO_EVENT:
            count = keep(out, start, count)
    return False, FIRST, np.int64(0), count


@compiled
def walk(person, rule, base, score, only_second, out, start, scratch):
    """Walk from one visit to the end, its score being the reference.

    Returns the row count, and the last visit and the score of the last RAW or PIRA (`base` and `score` where there is none).
    """
    held, n_held, past = scratch.held, scratch.n_held, scratch.past_relapse
    set_reference(held, n_held, FIRST, base, score)
    set_reference(held, n_held, SECOND_ONE, base, score)
    mark_past_relapse(person, rule, base, past)
    count, visit = start, base + 1
    while visit < len(person.day):
        found, which, reached, count = step_at(person, rule, visit, only_second, held, n_held, out, start, count, scratch)
        if not found:
            if past[visit] and person.score[visit] > held[FIRST, SCORE, n_held[FIRST] - 1]:
                set_reference(held, n_held, FIRST, visit, person.score[visit])
            let_fall(person, rule, visit, held, n_held)
            visit += 1
            continue
        dated, last = visit, visit
        if which == FIRST and rule.setting[MERGES] != 0:
            reached, dated, last = merge(person, rule, visit, reached, held, n_held, out[count], out[count + 1], scratch)
        if which == FIRST:
            base, score = last, reached
        left = np.int64(out[count, O_ONSET_SCORE]) if past[visit] else reached
        looked_for = is_looked_for(rule, out[count])
        count = keep(out, start, count)
        if looked_for and rule.setting[LOOKING_FOR] != EVERY_EVENT:
            break
        set_reference(held, n_held, SECOND_ONE, dated, reached)
        if left > held[FIRST, SCORE, n_held[FIRST] - 1]:
            set_reference(held, n_held, FIRST, dated, left)
        visit = last + 1
    return count, base, score


@compiled
def walk_person(person, rule, baseline, out, start, scratch):
    """Walk one patient under one definition. Return the number of rows."""
    count, last_visit, score = walk(person, rule, baseline, np.int64(person.score[baseline]), False, out, start, scratch)
    if rule.setting[SECOND] != AFTER_LAST or last_visit >= len(person.day) - 1:
        return count
    end, _, _ = walk(person, rule, last_visit, score, True, out, count, scratch)
    any_event = False
    for place in range(count, end):
        any_event = any_event or out[place, O_REASON] == 0
    if not any_event:
        return count
    kept = start
    while kept < count and out[kept, O_ONSET] <= last_visit:
        kept += 1
    for place in range(count, end):
        copy_row(out[place], out[kept])
        kept += 1
    return kept
