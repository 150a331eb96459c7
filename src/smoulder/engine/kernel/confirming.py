"""Which visits may confirm a change, whether it holds there, and for how long."""

from __future__ import annotations

from smoulder.engine.encoding import (
    CONFIRM_AFTER,
    CONFIRM_BEFORE,
    COUNT_AT_LAST,
    COUNT_LAST,
    COUNT_NOT,
    COUNT_WITHIN,
    EVERY_VISIT,
    IMPROVEMENT_ONLY,
    N_WINDOWS,
    SCHEDULED_ONLY,
    SUSTAINED_DAYS,
    SUSTAINED_KINDS,
    WORSENING_ONLY,
)
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.people import holds, is_far


@compiled
def in_window(person, rule, number, onset, visit):
    """Return whether a visit lies in a confirmation window."""
    waited = person.day[visit] - person.day[onset]
    return rule.window[number, 0] <= waited <= rule.window[number, 1]


@compiled
def fill_eligible(person, rule, onset, eligible):
    """Write the visits that may confirm into `eligible`; return how many."""
    n = 0
    for visit in range(onset + 1, len(person.day)):
        inside = False
        for number in range(rule.setting[N_WINDOWS]):
            inside = inside or in_window(person, rule, number, onset, visit)
        if (
            inside
            and is_far(person, visit, rule.setting[CONFIRM_AFTER], rule.setting[CONFIRM_BEFORE])
            and (rule.setting[SCHEDULED_ONLY] == 0 or person.scheduled[visit])
        ):
            eligible[n] = visit
            n += 1
    return n


@compiled
def is_confirmed(person, rule, change, confirming):
    """Return whether a change holds at the confirming visit and, where required, at every visit up to it."""
    if rule.setting[EVERY_VISIT] != 0:
        for visit in range(change.onset + 1, confirming):
            if not holds(person, rule, visit, change):
                return False
    return holds(person, rule, confirming, change)


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
        if not holds(person, rule, visit, change):
            return visit
    return -1


@compiled
def is_sustained(person, rule, change, fails):
    """Return whether a confirmed change lasts as long as the definition asks; `fails` is -1 where it never fails."""
    days, kinds = rule.setting[SUSTAINED_DAYS], rule.setting[SUSTAINED_KINDS]
    if days == 0 or kinds == (IMPROVEMENT_ONLY if change.direction > 0 else WORSENING_ONLY):
        return True
    if rule.setting[EVERY_VISIT] != 0:
        return fails < 0 or person.day[fails] - person.day[change.onset] >= days
    at = len(person.day) - 1
    for visit in range(change.onset + 1, len(person.day)):
        if person.day[visit] - person.day[change.onset] >= days:
            at = visit
            break
    return holds(person, rule, at, change)
