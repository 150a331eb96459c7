"""The scan itself, for many patients and many definitions at once."""

from __future__ import annotations

import numpy as np

from smoulder.engine.encoding import (
    EVERY,
    EVERY_EVENT,
    FALLS,
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
    NOT_AFTER_RELAPSE,
    O_BASELINE,
    O_MEANINGFUL,
    O_ONSET,
    O_PATIENT,
    O_PIRA,
    O_RULE,
    O_SUSTAINED,
    SMALL_IMPROVEMENT,
    SMALL_WORSENING,
    UNSUSTAINED_MOVES,
    Pack,
    Rules,
)
from smoulder.engine.kernel.baseline import (
    candidate_from,
    has_crossed,
    next_baseline,
    settled,
    starting_visit,
    visit_after_relapse,
)
from smoulder.engine.kernel.compiling import compiled, compiled_and_kept, stamp
from smoulder.engine.kernel.confirming import fill_eligible, first_failing, is_confirmed, is_counted, is_sustained
from smoulder.engine.kernel.labels import coverage
from smoulder.engine.kernel.people import Change, Person, Rule, measure_distances, needed_from
from smoulder.engine.kernel.rows import is_looked_for, keep, keep_wanted, write_change, write_event
from smoulder.terms import MISSING


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


def kept_scan(stamped: int):
    """Return the compiled scan; the stamp is part of it, so that kept code is used only with the sources it was made from."""

    @compiled_and_kept
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
                    rules.setting[number],
                    rules.window[number],
                    rules.interval[number],
                    rules.worse[number],
                    rules.better[number],
                    rules.lowest,
                )
                span = coverage(pack, rule.setting, patient)
                person = Person(
                    day, score[:n], pack.scheduled[begin:end], since[:n], until[:n], relapse,
                    span[0], span[1], span[2], span[3], pack.relapses_known,
                )  # fmt: skip
                start = count
                count, assessable[patient, number] = scan_person(person, rule, pack.time_zero[patient], out, start, eligible, is_pira_visit)
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
