"""The scan itself, for many patients and many definitions at once."""

from __future__ import annotations

import numpy as np

from smoulder.engine.encoding import (
    AT_AS_WELL,
    AT_CONFIRMING_ONLY,
    AT_ONSET_ONLY,
    CARRIED,
    EVERY,
    EVERY_EVENT,
    FALLS,
    FAR,
    FIRST_PIRA,
    FIRST_RAW,
    FIRST_WORSENING,
    LOOKING_FOR,
    MAY_FALL,
    MOVES_IMPROVEMENT,
    MOVES_PIRA,
    MOVES_RELAPSE,
    MOVES_WORSENING,
    N_COLUMNS,
    N_WINDOWS,
    NOT_AFTER_RELAPSE,
    O_BASELINE,
    O_MEANINGFUL,
    O_ONSET,
    O_PATIENT,
    O_PIRA,
    O_RULE,
    O_SUSTAINED,
    PREVIOUS,
    SMALL_IMPROVEMENT,
    SMALL_WORSENING,
    START,
    UNSUSTAINED_MOVES,
    ZERO,
    Pack,
    Rules,
)
from smoulder.engine.kernel.baseline import (
    anchored_visit,
    candidate_from,
    candidate_from_previous,
    has_crossed,
    next_baseline,
    settled,
    starting_visit,
    visit_after_relapse,
)
from smoulder.engine.kernel.compiling import compiled, compiled_and_kept, stamp
from smoulder.engine.kernel.confirming import fill_eligible, first_failing, is_confirmed, is_counted, is_sustained, keep_holding
from smoulder.engine.kernel.labels import coverage
from smoulder.engine.kernel.people import Change, Person, Rule, measure_distances, needed_from
from smoulder.engine.kernel.rows import is_looked_for, keep, keep_wanted, write_change, write_event
from smoulder.engine.kernel.walk import walk_person
from smoulder.terms import MISSING


@compiled
def judge(person, rule, baseline, onset, out, start, count, eligible, is_pira_visit):
    """Judge one candidate. Return the baseline, the search, the number of rows, and whether what is looked for was found."""
    setting = rule.setting
    reference = person.score[baseline]
    direction = 1 if person.score[onset] > reference else -1
    needed = needed_from(rule, reference, direction)
    change = Change(direction, onset, baseline, reference, needed, -FAR)
    wanted = setting[LOOKING_FOR]
    ignored = direction < 0 and wanted in (FIRST_WORSENING, FIRST_PIRA, FIRST_RAW) and setting[MOVES_IMPROVEMENT] == 0
    past = direction * (person.score[onset] - reference) >= needed and not ignored
    n_eligible = fill_eligible(person, rule, onset, eligible)
    confirmed = past and n_eligible > 0 and is_confirmed(person, rule, change, eligible[0])
    counted = past and not confirmed and direction > 0 and is_counted(person, rule, change, n_eligible)
    if confirmed or counted or (past and setting[N_WINDOWS] == 0):
        earliest = eligible[0] if confirmed else onset
        fails = first_failing(person, rule, change, earliest)
        until = len(person.day) - 1 if fails < 0 else fails - 1
        n_confirming = keep_holding(person, rule, change, eligible, n_eligible, until) if confirmed else 0
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
        small = Change(direction, onset, baseline, reference, 1, -FAR)
        if is_confirmed(person, rule, small, eligible[0]):
            target = next_baseline(person, rule, small, eligible[0])
            return target, target + 1, count, False
    if past:
        write_change(person, rule, change, 2 if n_eligible > 0 else 1, out[count])
        count = keep(out, start, count)
    return baseline, onset + 1, count, False


@compiled
def scan_from_previous(person, rule, out, start, eligible, is_pira_visit):
    """Scan one patient, every visit compared with the one before it. Return the number of rows."""
    count, search = start, 1
    while True:
        candidate, baseline = candidate_from_previous(person, rule, search)
        if candidate < 0:
            return count
        _, search, count, done = judge(person, rule, baseline, candidate, out, start, count, eligible, is_pira_visit)
        if done:
            return count


@compiled
def scan_from_baseline(person, rule, baseline, out, start, eligible, is_pira_visit):
    """Scan one patient from a baseline visit that moves. Return the number of rows."""
    count = start
    search, last_reference, by_relapse = baseline + 1, np.int64(MISSING), False
    last = len(person.day) - 1
    while True:
        baseline = settled(person, rule, baseline, last_reference != MISSING and not by_relapse)
        if baseline < 0:
            return count
        search = max(search, baseline + 1)
        floor = rule.setting[MAY_FALL]
        if last_reference != MISSING and floor != FALLS and (floor != NOT_AFTER_RELAPSE or by_relapse):
            person.score[baseline] = max(person.score[baseline], last_reference)
        last_reference, by_relapse = np.int64(person.score[baseline]), False
        candidate = candidate_from(person, rule, search, baseline)
        if candidate < 0 and rule.setting[MOVES_RELAPSE] != EVERY:
            return count
        move = candidate < 0 or has_crossed(person, rule, baseline, candidate)
        if not move:
            baseline, search, count, done = judge(person, rule, baseline, candidate, out, start, count, eligible, is_pira_visit)
            if done:
                return count
            move = search <= last and has_crossed(person, rule, baseline, search)
        if move:
            baseline = visit_after_relapse(person, baseline)
            if baseline < 0:
                return count
            search, by_relapse = baseline + 1, True


@compiled
def scan_person(person, rule, out, start, scratch):
    """Scan one patient under one definition. Return the number of rows, and whether a baseline with a later visit was found."""
    if person.starting < 0:
        return start, False
    baseline = settled(person, rule, person.starting, False)
    if baseline < 0:
        return start, False
    if rule.setting[CARRIED] != 0:
        count = walk_person(person, rule, baseline, out, start, scratch)
    elif rule.setting[START] == PREVIOUS:
        count = scan_from_previous(person, rule, out, start, scratch.eligible, scratch.is_pira_visit)
    else:
        count = scan_from_baseline(person, rule, baseline, out, start, scratch.eligible, scratch.is_pira_visit)
    return keep_wanted(rule, out, start, count), True


def kept_scan(stamped: int):
    """Return the compiled scan; the stamp is part of it, so that kept code is used only with the sources it was made from."""

    @compiled_and_kept
    def scan_chunk(pack: Pack, rules: Rules, first_patient: int, end_patient: int, out, assessable, scratch):
        """Scan patients first_patient:end_patient under every rule.

        out : (n_rows, N_COLUMNS + 2 * max_windows) int32, room for a row a visit and rule of these patients
        assessable : (n_patients, n_rules) bool, written for these patients

        Returns the number of rows written, patient by patient and rule by rule; visits are numbered over the whole pack.
        """
        count = 0
        for patient in range(first_patient, end_patient):
            begin, end = pack.first[patient], pack.first[patient + 1]
            n = end - begin
            day = pack.day[begin:end]
            relapse = pack.relapse_day[pack.relapse_first[patient] : pack.relapse_first[patient + 1]]
            measure_distances(day, relapse, scratch.since, scratch.until)
            for number in range(rules.setting.shape[0]):
                for visit in range(n):
                    scratch.score[visit] = pack.score[begin + visit]
                rule = Rule(
                    rules.setting[number],
                    rules.window[number],
                    rules.interval[number],
                    rules.worse[number],
                    rules.better[number],
                    rules.lowest,
                )
                span = coverage(pack, rule.setting, patient)
                starting = starting_visit(day, rule.setting, pack.zero[rule.setting[ZERO], patient])
                person = Person(
                    day, scratch.score[:n], pack.scheduled[begin:end], scratch.since[:n], scratch.until[:n], relapse,
                    span[0], span[1], span[2], span[3], pack.relapses_known,
                    pack.systems[begin:end] if len(pack.systems) > 0 else pack.systems, starting,
                    anchored_visit(day, starting, rules.anchored[number, AT_ONSET_ONLY]),
                    anchored_visit(day, starting, rules.anchored[number, AT_CONFIRMING_ONLY]),
                    anchored_visit(day, starting, rules.anchored[number, AT_AS_WELL]),
                )  # fmt: skip
                start = count
                count, assessable[patient, number] = scan_person(person, rule, out, start, scratch)
                for place in range(start, count):
                    out[place, O_RULE], out[place, O_PATIENT] = number, patient
                    for column in (O_ONSET, O_BASELINE, O_MEANINGFUL, O_SUSTAINED):
                        if out[place, column] >= 0:
                            out[place, column] += begin
                    for column in range(N_COLUMNS, out.shape[1]):
                        if out[place, column] >= 0:
                            out[place, column] += begin
        return count if stamped >= 0 else -1

    return scan_chunk


scan_chunk = kept_scan(stamp())
