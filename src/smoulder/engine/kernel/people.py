"""One patient under one rule: what the compiled functions are handed, and how scores and relapses are compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from smoulder.engine.encoding import ALLOWED, EXTREMA, FAR, LEVEL_ONSET, NOT_STRICT
from smoulder.engine.kernel.compiling import compiled


class Person(NamedTuple):
    """One patient and one measure."""

    day: np.ndarray  # (n_visits,) int32
    score: np.ndarray  # (n_visits,) int32, a copy: a raised reference is written into it
    scheduled: np.ndarray  # (n_visits,) bool
    since: np.ndarray  # (n_visits,) int32, days since the last relapse on or before the visit, FAR for none
    until: np.ndarray  # (n_visits,) int32, days to the next relapse on or after the visit, FAR for none
    relapse: np.ndarray  # (n_relapses,) int32
    covered_from: int
    covered_to: int
    observed_from: int
    observed_to: int
    relapses_known: bool
    systems: np.ndarray  # (n_visits, 8) int32, or (0, 8) where no definition asks for them
    starting: int  # the visit the baseline starts at; -1 for none
    onset_at: int  # the only visit that may be an onset; -1 for none, any where there is no such rule
    confirm_at: int  # the only visit that may confirm; likewise
    as_well: int  # the visit at which a change must hold as well; likewise


class Rule(NamedTuple):
    """One definition for one measure."""

    setting: np.ndarray  # (N_SETTINGS,) int64
    window: np.ndarray  # (n_windows, 2) int64
    interval: np.ndarray  # (n_intervals, 4) int64
    worse: np.ndarray  # (n_scores,) int32
    better: np.ndarray  # (n_scores,) int32
    lowest: int


class Change(NamedTuple):
    """A change being judged: direction (1 worse, -1 better), visits, and the change needed."""

    direction: int
    onset: int
    baseline: int
    reference: int
    needed: int
    at_least: int  # score that onset and confirming scores must be as bad as; -FAR for none


class Scratch(NamedTuple):
    """Room for one patient at a time; the longest patient of a chunk fits."""

    since: np.ndarray  # int32, days since the last relapse
    until: np.ndarray  # int32, days to the next relapse
    score: np.ndarray  # int32
    eligible: np.ndarray  # int64, visits that may confirm
    is_pira_visit: np.ndarray  # bool
    past_relapse: np.ndarray  # bool, whether a visit is the first past a relapse
    held: np.ndarray  # (2, 2, n) int64: first and second carried references; visit and score
    n_held: np.ndarray  # (2,) int64: how many of each are held


@compiled
def measure_distances(day, relapse, since, until):
    """Fill in the days from each visit to the nearest relapse on either side."""
    at = 0
    for visit in range(len(day)):
        while at < len(relapse) and relapse[at] <= day[visit]:
            at += 1
        since[visit] = day[visit] - relapse[at - 1] if at > 0 else FAR
        if at > 0 and relapse[at - 1] == day[visit]:
            until[visit] = 0
        else:
            until[visit] = relapse[at] - day[visit] if at < len(relapse) else FAR


@compiled
def needed_from(rule, reference, direction):
    """Return the smallest change from a reference that counts in a direction (1 worse, -1 better)."""
    return rule.worse[reference - rule.lowest] if direction > 0 else rule.better[reference - rule.lowest]


@compiled
def is_past(rule, score, reference, direction):
    """Return whether a score is past the threshold from a reference, in one direction."""
    return direction * (score - reference) >= needed_from(rule, reference, direction)


@compiled
def holds(person, rule, visit, change):
    """Return whether a change still holds at a visit."""
    gone = change.direction * (person.score[visit] - change.reference) >= change.needed and person.score[visit] >= change.at_least
    if rule.setting[LEVEL_ONSET] == 0:
        return gone
    return gone and change.direction * (person.score[visit] - person.score[change.onset]) >= 0


@compiled
def is_far(person, visit, after, before):
    """Return whether a visit keeps its distance from relapses on either side; 0 switches a side off."""
    return (after == 0 or person.since[visit] >= after) and (before == 0 or person.until[visit] >= before)


@compiled
def is_local_extremum(person, rule, visit):
    """Return whether both neighbours are worse, or both better, by what the definition asks."""
    extrema = rule.setting[EXTREMA]
    if extrema == ALLOWED or visit == 0 or visit == len(person.day) - 1:
        return False
    before, here, after = person.score[visit - 1], person.score[visit], person.score[visit + 1]
    if visit >= 2 and person.score[visit - 2] == here:
        return False
    if extrema == NOT_STRICT:
        both_worse = is_past(rule, before, here, 1) and is_past(rule, after, here, 1)
        return both_worse or (is_past(rule, before, here, -1) and is_past(rule, after, here, -1))
    return (before > here and after > here) or (before < here and after < here)
