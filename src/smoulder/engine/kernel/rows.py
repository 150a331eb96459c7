"""The rows that the kernel writes: one a finding, in onset order."""

from __future__ import annotations

from smoulder.engine.encoding import (
    EVERY_EVENT,
    FIRST_EVENT,
    FIRST_IMPROVEMENT,
    FIRST_PIRA,
    FIRST_RAW,
    FIRST_WORSENING,
    LABELLED,
    LOOKING_FOR,
    N_COLUMNS,
    N_WINDOWS,
    O_BASELINE,
    O_COUNTED,
    O_LABEL,
    O_MEANINGFUL,
    O_MEANINGFUL_SCORE,
    O_ONSET,
    O_ONSET_SCORE,
    O_OUTSIDE,
    O_PIRA,
    O_RAW,
    O_REASON,
    O_REFERENCE,
    O_SUSTAINED,
    O_WORSENING,
)
from smoulder.engine.kernel.compiling import compiled
from smoulder.engine.kernel.confirming import in_window
from smoulder.engine.kernel.labels import label_of, last_meaningful
from smoulder.engine.record import BOTH, NO_LABEL, PIRA


@compiled
def is_looked_for(rule, row):
    """Return whether a row is an event of the kind that is looked for."""
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
        label, raw, outside = label_of(person, rule, change, meaningful, eligible, n_confirming, sustained_until, is_pira_visit)
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
    """Copy one row onto another of the same length."""
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
