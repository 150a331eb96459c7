"""Which visits may confirm a change, whether it holds there, and for how long."""

from __future__ import annotations

from smoulder.engine.encoding import (
    AS_WELL,
    CONFIRM_AFTER,
    CONFIRM_AT,
    CONFIRM_BEFORE,
    COUNT_AT_LAST,
    COUNT_LAST,
    COUNT_NOT,
    COUNT_WITHIN,
    EVERY_VISIT,
    FORGIVES,
    IMPROVEMENT_ONLY,
    LED,
    N_WINDOWS,
    SCHEDULED_ONLY,
    SUSTAINED_DAYS,
    SUSTAINED_EVERY,
    SUSTAINED_KINDS,
    WORSENING_ONLY,
)
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.people import holds, is_far
from smoulder.terms import MISSING


@compiled
def in_window(person, rule, number, onset, visit):
    """Return whether a visit lies in a confirmation window."""
    waited = person.day[visit] - person.day[onset]
    return rule.window[number, 0] <= waited <= rule.window[number, 1]


@compiled
def fill_eligible(person, rule, onset, eligible):
    """Write the visits that may confirm into `eligible`; return how many."""
    n = 0
    if rule.setting[AS_WELL] != 0 and person.as_well < onset:
        return n
    for visit in range(onset + 1, len(person.day)):
        inside = False
        for number in range(rule.setting[N_WINDOWS]):
            inside = inside or in_window(person, rule, number, onset, visit)
        if (
            inside
            and (rule.setting[CONFIRM_AT] == 0 or visit == person.confirm_at)
            and is_far(person, visit, rule.setting[CONFIRM_AFTER], rule.setting[CONFIRM_BEFORE])
            and (rule.setting[SCHEDULED_ONLY] == 0 or person.scheduled[visit])
        ):
            eligible[n] = visit
            n += 1
    return n


@compiled
def breaks(person, rule, visit, change):
    """Return whether a change fails to hold at a visit, and that is not forgiven because it holds again at the next one."""
    if holds(person, rule, visit, change):
        return False
    return not (rule.setting[FORGIVES] != 0 and visit + 1 < len(person.day) and holds(person, rule, visit + 1, change))


@compiled
def is_led(person, rule, change, confirming):
    """Return whether one of the functional systems that worsened most is still worse than at baseline wherever it must be."""
    if change.direction < 0:
        return True
    before, after = person.systems[change.baseline], person.systems[change.onset]
    most = 0
    for system in range(len(before)):
        if before[system] != MISSING and after[system] != MISSING:
            most = max(most, after[system] - before[system])
    if most == 0:
        return False
    first = change.onset + 1 if rule.setting[EVERY_VISIT] != 0 else confirming
    for system in range(len(before)):
        if before[system] == MISSING or after[system] == MISSING or after[system] - before[system] != most:
            continue
        still = True
        for visit in range(first, confirming + 1):
            here = person.systems[visit, system]
            still = still and (here == MISSING or here > before[system])
        if still:
            return True
    return False


@compiled
def is_confirmed(person, rule, change, confirming):
    """Return whether a change holds at the confirming visit and wherever else it must."""
    if not holds(person, rule, confirming, change):
        return False
    if rule.setting[EVERY_VISIT] != 0:
        for visit in range(change.onset + 1, confirming):
            if breaks(person, rule, visit, change):
                return False
    if rule.setting[AS_WELL] != 0 and not holds(person, rule, person.as_well, change):
        return False
    return rule.setting[LED] == 0 or is_led(person, rule, change, confirming)


@compiled
def keep_holding(person, rule, change, eligible, n_eligible, until):
    """Keep, of the eligible visits up to one, those at which the change holds; return how many."""
    n = 0
    for place in range(n_eligible):
        if eligible[place] <= until and holds(person, rule, eligible[place], change):
            eligible[n] = eligible[place]
            n += 1
    return n


@compiled
def is_counted(person, rule, change, n_eligible):
    """Return whether an unconfirmed worsening counts because no later visit could confirm it."""
    counts = rule.setting[COUNT_LAST]
    if counts == COUNT_NOT or person.day[change.onset] - person.day[0] > rule.setting[COUNT_WITHIN]:
        return False
    last = len(person.day) - 1
    if counts == COUNT_AT_LAST:
        return change.onset == last
    if n_eligible > 0:
        return False
    for visit in range(change.onset + 1, last + 1):
        if not holds(person, rule, visit, change):
            return False
    return True


@compiled
def first_failing(person, rule, change, confirming):
    """Return the first visit after the confirming one at which the change fails to hold; -1 for none."""
    for visit in range(confirming + 1, len(person.day)):
        if breaks(person, rule, visit, change):
            return visit
    return -1


@compiled
def is_sustained(person, rule, change, fails):
    """Return whether a confirmed change lasts as long as the definition asks; `fails` is -1 where it never fails."""
    days, kinds = rule.setting[SUSTAINED_DAYS], rule.setting[SUSTAINED_KINDS]
    if days == 0 or kinds == (IMPROVEMENT_ONLY if change.direction > 0 else WORSENING_ONLY):
        return True
    if rule.setting[SUSTAINED_EVERY] != 0:
        return fails < 0 or person.day[fails] - person.day[change.onset] >= days
    at = len(person.day) - 1
    for visit in range(change.onset + 1, len(person.day)):
        if person.day[visit] - person.day[change.onset] >= days:
            at = visit
            break
    return holds(person, rule, at, change)
