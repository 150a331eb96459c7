"""RAW, PIRA or neither: the relapses around a confirmed worsening."""

from __future__ import annotations

from typing import Any

import numpy as np

from smoulder.engine.encoding import (
    AT_BASELINE,
    AT_CONFIRMATION,
    AT_LAST_HOLDING,
    AT_MEANINGFUL,
    AT_ONSET,
    AT_PREVIOUS,
    COVERAGE_OBSERVED,
    EVERY_VISIT,
    EXCLUSIVE,
    FAR,
    HAS_RAW,
    N_INTERVALS,
    N_RAW_INTERVALS,
    OTHERWISE_RAW,
    OWN_CLASS,
    PIRA_FIRST,
    RAW_AFTER,
    RAW_BEFORE,
)
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.people import holds, is_local_extremum, is_past
from smoulder.engine.record import BOTH, DURING, PIRA, RAW, UNDEFINED, UNDETERMINED
from smoulder.terms import MISSING


@compiled
def last_meaningful(person, rule, change, confirming):
    """Return the last visit before onset from whose score the change is past its threshold up to `confirming` (-1: none)."""
    first = change.onset + 1 if rule.setting[EVERY_VISIT] != 0 else confirming
    for visit in range(change.onset - 1, -1, -1):
        if is_local_extremum(person, rule, visit) or not is_past(rule, person.score[change.onset], person.score[visit], change.direction):
            continue
        past = True
        for later in range(first, confirming + 1):
            past = past and (
                not holds(person, rule, later, change) or is_past(rule, person.score[later], person.score[visit], change.direction)
            )
        if past or confirming < 0:
            return visit
    return 0


@compiled
def anchor_day(person, change, meaningful, confirming, until, anchor):
    """Return the day of an anchor of a relapse-free interval."""
    if anchor == AT_BASELINE:
        return person.day[change.baseline]
    if anchor == AT_MEANINGFUL:
        return person.day[meaningful]
    if anchor == AT_PREVIOUS:
        return person.day[max(change.onset - 1, 0)]
    if anchor == AT_ONSET:
        return person.day[change.onset]
    return person.day[confirming] if anchor == AT_CONFIRMATION else person.day[until]


@compiled
def has_relapse(person, first, last):
    """Return whether a relapse lies in an interval, both ends included."""
    for relapse in person.relapse:
        if first <= relapse <= last:
            return True
    return False


@compiled
def is_raw(person, rule, change, meaningful):
    """Return whether a relapse lies in the RAW window around onset, or in one of the RAW intervals."""
    onset = person.day[change.onset]
    if rule.setting[HAS_RAW] != 0 and has_relapse(person, onset - rule.setting[RAW_BEFORE], onset + rule.setting[RAW_AFTER]):
        return True
    for number in range(rule.setting[N_INTERVALS], rule.setting[N_INTERVALS] + rule.setting[N_RAW_INTERVALS]):
        interval = rule.interval[number]
        first = anchor_day(person, change, meaningful, change.onset, change.onset, interval[0]) + interval[1]
        last = anchor_day(person, change, meaningful, change.onset, change.onset, interval[2]) + interval[3]
        if last > first and has_relapse(person, first, last):
            return True
    return False


@compiled
def judge_intervals(person, rule, change, meaningful, confirming, until, early_only):
    """Return whether the relapse-free intervals are free of relapses, inside coverage, and inside what was observed.

    `early_only`: of those that end at the confirming visit or later, only the days before onset. Where RAW and PIRA exclude each other,
    "not RAW" is itself a claim that no relapse was there, so the days of RAW have to be covered too.
    """
    free, covered, observed = True, True, True
    onset = person.day[change.onset]
    if rule.setting[EXCLUSIVE] != 0:
        if rule.setting[HAS_RAW] != 0:
            first, last = onset - rule.setting[RAW_BEFORE], onset + rule.setting[RAW_AFTER]
            covered = covered and person.covered_from <= first and last <= person.covered_to
            observed = observed and person.observed_from <= first and last <= person.observed_to
        for number in range(rule.setting[N_INTERVALS], rule.setting[N_INTERVALS] + rule.setting[N_RAW_INTERVALS]):
            interval = rule.interval[number]
            first = anchor_day(person, change, meaningful, change.onset, change.onset, interval[0]) + interval[1]
            last = anchor_day(person, change, meaningful, change.onset, change.onset, interval[2]) + interval[3]
            if last > first:
                covered = covered and person.covered_from <= first and last <= person.covered_to
                observed = observed and person.observed_from <= first and last <= person.observed_to
    for number in range(rule.setting[N_INTERVALS]):
        interval = rule.interval[number]
        first = anchor_day(person, change, meaningful, confirming, until, interval[0]) + interval[1]
        last = anchor_day(person, change, meaningful, confirming, until, interval[2]) + interval[3]
        if last <= first:
            continue
        if early_only and interval[2] in (AT_CONFIRMATION, AT_LAST_HOLDING):
            if first >= onset:
                continue
            last = min(last, onset - 1)
        for relapse in person.relapse:
            free = free and not first <= relapse <= last
        covered = covered and person.covered_from <= first and last <= person.covered_to
        observed = observed and person.observed_from <= first and last <= person.observed_to
    return free, covered, observed


@compiled
def label_of(person, rule, change, meaningful, eligible, n_confirming, until, is_pira_visit):
    """Return label, whether RAW, and whether PIRA rests on days outside follow-up; mark the visits at which it is PIRA."""
    for place in range(n_confirming):
        is_pira_visit[place] = False
    if not person.relapses_known:
        return UNDETERMINED, False, False
    raw = is_raw(person, rule, change, meaningful)
    if raw and rule.setting[EXCLUSIVE] != 0:
        return RAW, True, False
    any_free, any_covered, any_observed = False, False, False
    n_asked = 1 if rule.setting[PIRA_FIRST] != 0 else max(n_confirming, 1)
    for place in range(n_asked):
        confirming = eligible[place] if n_confirming > 0 else change.onset
        free, covered, observed = judge_intervals(person, rule, change, meaningful, confirming, until, False)
        any_free = any_free or free
        if free and covered:
            any_covered = True
            any_observed = any_observed or observed
            if n_confirming > 0:
                is_pira_visit[place] = True
    if any_covered:
        return BOTH if raw else PIRA, raw, not any_observed
    if raw:
        return RAW, True, False
    if any_free:
        return UNDETERMINED, False, False
    if rule.setting[OWN_CLASS] != 0:
        confirming = eligible[0] if n_confirming > 0 else change.onset
        free, covered, _ = judge_intervals(person, rule, change, meaningful, confirming, until, True)
        if free:
            return DURING if covered else UNDETERMINED, False, False
    if rule.setting[OTHERWISE_RAW] != 0:
        return RAW, True, False
    return UNDEFINED, False, False


@compiled
def coverage(pack, setting, patient) -> tuple[Any, Any, Any, Any]:
    """Return the first and last day of relapse recording, and of what is known to be recorded."""
    stated_from, stated_to = pack.recorded_from[patient], pack.recorded_to[patient]
    observed_from = pack.seen_from[patient] if stated_from == MISSING else stated_from
    observed_to = pack.seen_to[patient] if stated_to == MISSING else stated_to
    only_observed = setting[COVERAGE_OBSERVED] != 0
    covered_from = observed_from if only_observed or stated_from != MISSING else -FAR
    covered_to = observed_to if only_observed or stated_to != MISSING else FAR
    return np.int64(covered_from), np.int64(covered_to), np.int64(observed_from), np.int64(observed_to)
