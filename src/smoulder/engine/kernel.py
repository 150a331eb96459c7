"""The scan for many patients and many definitions at once, compiled. The only file that imports numba.

It follows `reference.py` step by step and has to agree with it on every patient (tests/test_twins.py). Scores are
signed so that higher is worse; visits are numbered within the patient. All arrays of one patient are views.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from smoulder.engine.encoding import (
    ALLOWED,
    AT_BASELINE,
    AT_CONFIRMATION,
    AT_MEANINGFUL,
    AT_ONSET,
    AT_PREVIOUS,
    BASE_AFTER,
    BASE_BEFORE,
    CONFIRM_AFTER,
    CONFIRM_BEFORE,
    COUNT_AT_LAST,
    COUNT_LAST,
    COUNT_NOT,
    COUNT_WITHIN,
    COVERAGE_OBSERVED,
    CROSSED_DAYS,
    EVERY,
    EVERY_EVENT,
    EVERY_VISIT,
    EXCLUSIVE,
    EXTREMA,
    FALLS,
    FAR,
    FIRST_EVENT,
    FIRST_IMPROVEMENT,
    FIRST_PIRA,
    FIRST_RAW,
    FIRST_WORSENING,
    HAS_RAW,
    IMPROVEMENT_ONLY,
    LABELLED,
    LEVEL_ONSET,
    LOOKING_FOR,
    MAY_FALL,
    MOVES_IMPROVEMENT,
    MOVES_PIRA,
    MOVES_RELAPSE,
    MOVES_TO,
    MOVES_WORSENING,
    N_COLUMNS,
    N_INTERVALS,
    N_WINDOWS,
    NO,
    NOT_AFTER_RELAPSE,
    NOT_STRICT,
    O_BASELINE,
    O_COUNTED,
    O_LABEL,
    O_MEANINGFUL,
    O_MEANINGFUL_SCORE,
    O_ONSET,
    O_ONSET_SCORE,
    O_OUTSIDE,
    O_PATIENT,
    O_PIRA,
    O_RAW,
    O_REASON,
    O_REFERENCE,
    O_RULE,
    O_SUSTAINED,
    O_WORSENING,
    ONSET_AFTER,
    ONSET_BEFORE,
    OTHERWISE_RAW,
    RAW_AFTER,
    RAW_BEFORE,
    SCHEDULED_ONLY,
    SMALL_IMPROVEMENT,
    SMALL_WORSENING,
    START,
    SUSTAINED_DAYS,
    SUSTAINED_KINDS,
    TO_LOWEST,
    TO_ONSET,
    UNSUSTAINED_MOVES,
    WORSENING_ONLY,
    Pack,
    Rules,
)
from smoulder.engine.record import BOTH, NO_LABEL, PIRA, RAW, UNDEFINED, UNDETERMINED
from smoulder.terms import MISSING

compiled = njit(cache=True, nogil=True, _nrt=False)


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
    return rule.worse[reference - rule.lowest] if direction > 0 else rule.better[reference - rule.lowest]


@compiled
def is_past(rule, score, reference, direction):
    return direction * (score - reference) >= needed_from(rule, reference, direction)


@compiled
def holds(person, rule, visit, change):
    gone = change.direction * (person.score[visit] - change.reference) >= change.needed
    if rule.setting[LEVEL_ONSET] == 0:
        return gone
    return gone and change.direction * (person.score[visit] - person.score[change.onset]) >= 0


@compiled
def is_far(person, visit, after, before):
    return (after == 0 or person.since[visit] >= after) and (before == 0 or person.until[visit] >= before)


@compiled
def is_local_extremum(person, rule, visit):
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
def in_window(person, rule, number, onset, visit):
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
    if rule.setting[EVERY_VISIT] != 0:
        for visit in range(change.onset + 1, confirming):
            if not holds(person, rule, visit, change):
                return False
    return holds(person, rule, confirming, change)


@compiled
def is_counted(person, rule, change, n_eligible):
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


@compiled
def last_meaningful(person, rule, change, confirming):
    """Return the last visit before onset from whose score the change is past its threshold up to `confirming` (-1: none)."""
    first = change.onset + 1 if rule.setting[EVERY_VISIT] != 0 else confirming
    for visit in range(change.onset - 1, -1, -1):
        if is_local_extremum(person, rule, visit) or not is_past(
            rule, person.score[change.onset], person.score[visit], change.direction
        ):
            continue
        past = True
        for later in range(first, confirming + 1):
            past = past and is_past(rule, person.score[later], person.score[visit], change.direction)
        if past or confirming < 0:
            return visit
    return 0


@compiled
def is_raw(person, rule, onset):
    if rule.setting[HAS_RAW] == 0:
        return False
    first, last = person.day[onset] - rule.setting[RAW_BEFORE], person.day[onset] + rule.setting[RAW_AFTER]
    for relapse in person.relapse:
        if first <= relapse <= last:
            return True
    return False


@compiled
def anchor_day(person, change, meaningful, confirming, anchor):
    if anchor == AT_BASELINE:
        return person.day[change.baseline]
    if anchor == AT_MEANINGFUL:
        return person.day[meaningful]
    if anchor == AT_PREVIOUS:
        return person.day[max(change.onset - 1, 0)]
    if anchor == AT_ONSET:
        return person.day[change.onset]
    return person.day[confirming]


@compiled
def judge_intervals(person, rule, change, meaningful, confirming):
    """Return whether the relapse-free intervals are free of relapses, inside coverage, and inside what was observed."""
    free, covered, observed = True, True, True
    for number in range(rule.setting[N_INTERVALS]):
        interval = rule.interval[number]
        first = anchor_day(person, change, meaningful, confirming, interval[0]) + interval[1]
        last = anchor_day(person, change, meaningful, confirming, interval[2]) + interval[3]
        if last <= first:
            continue
        for relapse in person.relapse:
            free = free and not first <= relapse <= last
        covered = covered and person.covered_from <= first and last <= person.covered_to
        observed = observed and person.observed_from <= first and last <= person.observed_to
    return free, covered, observed


@compiled
def label_of(person, rule, change, meaningful, eligible, n_confirming, is_pira_visit):
    """Return label, whether RAW, and whether PIRA rests on days outside follow-up; mark the visits at which it is PIRA."""
    for place in range(n_confirming):
        is_pira_visit[place] = False
    if not person.relapses_known:
        return UNDETERMINED, False, False
    raw = is_raw(person, rule, change.onset)
    if raw and rule.setting[EXCLUSIVE] != 0:
        return RAW, True, False
    any_free, any_covered, any_observed = False, False, False
    for place in range(max(n_confirming, 1)):
        confirming = eligible[place] if n_confirming > 0 else change.onset
        free, covered, observed = judge_intervals(person, rule, change, meaningful, confirming)
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
    if rule.setting[OTHERWISE_RAW] != 0:
        return RAW, True, False
    return UNDEFINED, False, False


@compiled
def is_looked_for(rule, row):
    wanted = rule.setting[LOOKING_FOR]
    if row[O_REASON] != 0:
        return False
    return (
        wanted in (EVERY_EVENT, FIRST_EVENT)
        or (wanted == FIRST_WORSENING and row[O_WORSENING] != 0)
        or (wanted == FIRST_IMPROVEMENT and row[O_WORSENING] == 0)
        or (wanted == FIRST_PIRA and row[O_PIRA] != 0)
        or (wanted == FIRST_RAW and row[O_RAW] != 0)
    )


@compiled
def write_change(person, rule, change, reason, row):
    """Write a change as one that is no event; `write_event` fills in the rest."""
    row[O_REASON] = reason
    row[O_WORSENING] = 1 if change.direction > 0 else 0
    row[O_LABEL], row[O_RAW], row[O_PIRA] = NO_LABEL, 0, 0
    row[O_ONSET], row[O_ONSET_SCORE] = change.onset, person.score[change.onset]
    row[O_BASELINE], row[O_REFERENCE] = change.baseline, change.reference
    row[O_MEANINGFUL], row[O_MEANINGFUL_SCORE] = -1, 0
    row[O_SUSTAINED], row[O_COUNTED], row[O_OUTSIDE] = -1, 0, 0
    for column in range(N_COLUMNS, len(row)):
        row[column] = -1


@compiled
def write_event(person, rule, change, eligible, n_confirming, sustained_until, is_pira_visit, row):
    """Write a confirmed, sustained change with its label and its confirming visits."""
    write_change(person, rule, change, 0, row)
    meaningful = last_meaningful(person, rule, change, eligible[0] if n_confirming > 0 else -1)
    row[O_MEANINGFUL], row[O_MEANINGFUL_SCORE] = meaningful, person.score[meaningful]
    row[O_SUSTAINED] = sustained_until
    row[O_COUNTED] = 1 if n_confirming == 0 else 0
    labelled = rule.setting[LABELLED] != 0 and change.direction > 0
    if labelled:
        label, raw, outside = label_of(person, rule, change, meaningful, eligible, n_confirming, is_pira_visit)
        row[O_LABEL], row[O_RAW], row[O_OUTSIDE] = label, 1 if raw else 0, 1 if outside else 0
        row[O_PIRA] = 1 if label in (PIRA, BOTH) else 0
    n_slots = (len(row) - N_COLUMNS) // 2
    for number in range(rule.setting[N_WINDOWS]):
        for place in range(n_confirming - 1, -1, -1):
            if in_window(person, rule, number, change.onset, eligible[place]):
                row[N_COLUMNS + number] = eligible[place]
                if labelled and is_pira_visit[place]:
                    row[N_COLUMNS + n_slots + number] = eligible[place]


@compiled
def copy_row(source, target):
    for column in range(len(source)):
        target[column] = source[column]


@compiled
def keep(out, start, count):
    """Keep the row at `count` among the rows from `start` on: an onset gives one entry, in onset order. Return the new count."""
    row = out[count]
    for place in range(start, count):
        if out[place, O_ONSET] == row[O_ONSET]:
            if row[O_REASON] == 0 or out[place, O_REASON] != 0:
                copy_row(row, out[place])
            return count
    place = count
    while place > start and out[place - 1, O_ONSET] > out[place, O_ONSET]:
        for column in range(out.shape[1]):
            out[place - 1, column], out[place, column] = out[place, column], out[place - 1, column]
        place -= 1
    return count + 1


@compiled
def keep_wanted(rule, out, start, count):
    """Drop the events after the first one looked for, and those that were not looked for. Return the new count."""
    if rule.setting[LOOKING_FOR] == EVERY_EVENT:
        return count
    kept, found = start, False
    for place in range(start, count):
        wanted = out[place, O_REASON] != 0 or (not found and is_looked_for(rule, out[place]))
        found = found or (wanted and out[place, O_REASON] == 0)
        if wanted:
            copy_row(out[place], out[kept])
            kept += 1
    return kept


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


@compiled
def judge(person, rule, baseline, onset, out, start, count, eligible, is_pira_visit):
    """Judge one candidate. Return the baseline, the search, the number of rows, and whether what is looked for was found."""
    setting = rule.setting
    reference = person.score[baseline]
    direction = 1 if person.score[onset] > reference else -1
    needed = needed_from(rule, reference, direction)
    change = Change(direction, onset, baseline, reference, needed)
    wanted = setting[LOOKING_FOR]
    ignored = direction < 0 and wanted in (FIRST_WORSENING, FIRST_PIRA, FIRST_RAW) and setting[MOVES_IMPROVEMENT] == 0
    past = direction * (person.score[onset] - reference) >= needed and not ignored
    n_eligible = fill_eligible(person, rule, onset, eligible)
    confirmed = past and n_eligible > 0 and is_confirmed(person, rule, change, eligible[0])
    counted = past and not confirmed and direction > 0 and is_counted(person, rule, change, n_eligible)
    if confirmed or counted:
        earliest = eligible[0] if confirmed else onset
        fails = first_failing(person, rule, change, earliest)
        until = len(person.day) - 1 if fails < 0 else fails - 1
        n_confirming = 0
        while confirmed and n_confirming < n_eligible and eligible[n_confirming] <= until:
            n_confirming += 1
        moves = setting[MOVES_WORSENING] != 0 if direction > 0 else setting[MOVES_IMPROVEMENT] != 0
        target = next_baseline(person, rule, change, earliest)
        if not is_sustained(person, rule, change, fails):
            write_change(person, rule, change, 3, out[count])
            count = keep(out, start, count)
            if setting[UNSUSTAINED_MOVES] != 0 and moves:
                return target, target + 1, count, False
            return baseline, onset + 1, count, False
        write_event(person, rule, change, eligible, n_confirming, until, is_pira_visit, out[count])
        looked_for = is_looked_for(rule, out[count])
        moves = moves or (setting[MOVES_PIRA] != 0 and out[count, O_PIRA] != 0)
        count = keep(out, start, count)
        other_label = not looked_for and direction > 0 and wanted in (FIRST_PIRA, FIRST_RAW)
        search = onset + 1 if other_label and not moves else target + 1
        return target if moves else baseline, search, count, looked_for and wanted != EVERY_EVENT
    if n_eligible > 0 and setting[SMALL_WORSENING if direction > 0 else SMALL_IMPROVEMENT] != 0:
        small = Change(direction, onset, baseline, reference, 1)
        if is_confirmed(person, rule, small, eligible[0]):
            target = next_baseline(person, rule, small, eligible[0])
            return target, target + 1, count, False
    if past:
        write_change(person, rule, change, 2 if n_eligible > 0 else 1, out[count])
        count = keep(out, start, count)
    return baseline, onset + 1, count, False


@compiled
def scan_person(person, rule, time_zero, out, start, eligible, is_pira_visit):
    """Scan one patient under one definition. Return the number of rows, and whether a baseline with a later visit was found."""
    count, assessable = start, False
    baseline = starting_visit(person, rule, time_zero)
    if baseline < 0:
        return count, assessable
    search, last_reference, by_relapse = baseline + 1, np.int64(MISSING), False
    last = len(person.day) - 1
    while True:
        baseline = settled(person, rule, baseline)
        if baseline < 0:
            break
        assessable = True
        search = max(search, baseline + 1)
        floor = rule.setting[MAY_FALL]
        if last_reference != MISSING and floor != FALLS and (floor != NOT_AFTER_RELAPSE or by_relapse):
            person.score[baseline] = max(person.score[baseline], last_reference)
        last_reference, by_relapse = np.int64(person.score[baseline]), False
        candidate = candidate_from(person, rule, search, person.score[baseline])
        if candidate < 0 and rule.setting[MOVES_RELAPSE] != EVERY:
            break
        move = candidate < 0 or has_crossed(person, rule, baseline, candidate)
        if not move:
            baseline, search, count, done = judge(person, rule, baseline, candidate, out, start, count, eligible, is_pira_visit)
            if done:
                break
            move = search <= last and has_crossed(person, rule, baseline, search)
        if move:
            baseline = visit_after_relapse(person, baseline)
            if baseline < 0:
                break
            search, by_relapse = baseline + 1, True
    return keep_wanted(rule, out, start, count), assessable


@compiled
def coverage(pack, setting, patient):
    """Return the first and last day of relapse recording, and of what is known to be recorded."""
    stated_from, stated_to = pack.recorded_from[patient], pack.recorded_to[patient]
    observed_from = pack.seen_from[patient] if stated_from == MISSING else stated_from
    observed_to = pack.seen_to[patient] if stated_to == MISSING else stated_to
    only_observed = setting[COVERAGE_OBSERVED] != 0
    covered_from = observed_from if only_observed or stated_from != MISSING else -FAR
    covered_to = observed_to if only_observed or stated_to != MISSING else FAR
    return np.int64(covered_from), np.int64(covered_to), np.int64(observed_from), np.int64(observed_to)


@compiled
def scan_chunk(pack: Pack, rules: Rules, first_patient: int, end_patient: int, out, assessable, scratch):
    """Scan patients first_patient:end_patient under every rule.

    out : (n_rows, N_COLUMNS + 2 * max_windows) int32, room for a row a visit and rule of these patients
    assessable : (n_patients, n_rules) bool, written for these patients

    Returns the number of rows written, patient by patient and rule by rule; visits are numbered over the whole pack.
    """
    since, until, score, eligible, is_pira_visit = scratch
    count = 0
    for patient in range(first_patient, end_patient):
        begin, end = pack.first[patient], pack.first[patient + 1]
        n = end - begin
        day = pack.day[begin:end]
        relapse = pack.relapse_day[pack.relapse_first[patient] : pack.relapse_first[patient + 1]]
        measure_distances(day, relapse, since, until)
        for number in range(rules.setting.shape[0]):
            for visit in range(n):
                score[visit] = pack.score[begin + visit]
            rule = Rule(
                rules.setting[number], rules.window[number], rules.interval[number], rules.worse[number], rules.better[number], rules.lowest
            )
            span = coverage(pack, rule.setting, patient)
            person = Person(
                day, score[:n], pack.scheduled[begin:end], since[:n], until[:n], relapse,
                span[0], span[1], span[2], span[3], pack.relapses_known,
            )  # fmt: skip
            start = count
            count, assessable[patient, number] = scan_person(
                person, rule, pack.time_zero[patient], out, start, eligible, is_pira_visit
            )
            for place in range(start, count):
                out[place, O_RULE], out[place, O_PATIENT] = number, patient
                for column in (O_ONSET, O_BASELINE, O_MEANINGFUL, O_SUSTAINED):
                    if out[place, column] >= 0:
                        out[place, column] += begin
                for column in range(N_COLUMNS, out.shape[1]):
                    if out[place, column] >= 0:
                        out[place, column] += begin
    return count
