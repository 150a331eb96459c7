"""How a definition becomes integers: the places in a rule array, and the arrays the kernel reads.

The kernel compiles once and serves every definition, because a definition is data to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smoulder.rulebook.model import CarriedReference, Definition, MeasureRule
from smoulder.rulebook.relapse import ANCHORS
from smoulder.rulebook.thresholds import Threshold
from smoulder.terms import HUNDREDTHS, MISSING, exact_units

FAR = 2**31 - 1
"""Stands for "no limit" and "no relapse on that side"; more days than any calendar here has."""
NEVER = 2**31 - 1
"""Change needed where no change counts; more than any score."""

# Places in a rule array (int64).
(
    START,
    BASE_AFTER,
    BASE_BEFORE,
    MOVES_WORSENING,
    MOVES_IMPROVEMENT,
    MOVES_PIRA,
    MOVES_RELAPSE,
    MOVES_TO,
    SMALL_WORSENING,
    SMALL_IMPROVEMENT,
    UNSUSTAINED_MOVES,
    CROSSED_DAYS,
    MAY_FALL,
    EXTREMA,
    ONSET_AFTER,
    ONSET_BEFORE,
    EVERY_VISIT,
    LEVEL_ONSET,
    CONFIRM_AFTER,
    CONFIRM_BEFORE,
    SCHEDULED_ONLY,
    SUSTAINED_DAYS,
    SUSTAINED_KINDS,
    COUNT_LAST,
    COUNT_WITHIN,
    LABELLED,
    HAS_RAW,
    RAW_BEFORE,
    RAW_AFTER,
    EXCLUSIVE,
    OTHERWISE_RAW,
    LOOKING_FOR,
    N_WINDOWS,
    N_INTERVALS,
    N_RAW_INTERVALS,
    COVERAGE_OBSERVED,
    START_WITHIN,
    ZERO,
    MIN_DAYS,
    MIN_FROM_PREVIOUS,
    ONSET_AT,
    CONFIRM_AT,
    AS_WELL,
    FORGIVES,
    LED,
    SUSTAINED_EVERY,
    PIRA_FIRST,
    OWN_CLASS,
    CARRIED,
    FALLS_HOW,
    FALLS_FROM,
    FALLS_TO,
    FALLS_EVERY,
    RISES,
    SECOND,
    SECOND_LEAST,
    EARLIER,
    MERGES,
    MERGE_STABLE,
    MERGE_WITHIN,
    BASE_ALWAYS,
) = range(61)
N_SETTINGS = 61

ANCHOR_DAY, ANCHOR_FROM, ANCHOR_TO = range(3)
"""Columns of `Rules.anchored`."""
AT_ONSET_ONLY, AT_CONFIRMING_ONLY, AT_AS_WELL = range(3)
"""Rows of `Rules.anchored`."""

FIRST_VISIT, NEAREST, FIRST_AFTER, PREVIOUS = range(4)
"""Values of START."""
NO, CROSSED, EVERY = range(3)
"""Values of MOVES_RELAPSE."""
TO_CONFIRMATION, TO_ONSET, TO_LOWEST = range(3)
"""Values of MOVES_TO."""
FALLS, NOT_AFTER_RELAPSE, NEVER_FALLS = range(3)
"""Values of MAY_FALL."""
ALLOWED, NOT_STRICT, NONE = range(3)
"""Values of EXTREMA."""
BOTH_KINDS, WORSENING_ONLY, IMPROVEMENT_ONLY = range(3)
"""Values of SUSTAINED_KINDS."""
COUNT_NOT, COUNT_AT_LAST, COUNT_UNSEEN = range(3)
"""Values of COUNT_LAST."""
EVERY_EVENT, FIRST_EVENT, FIRST_WORSENING, FIRST_IMPROVEMENT, FIRST_PIRA, FIRST_RAW = range(6)
"""Values of LOOKING_FOR."""
AT_BASELINE, AT_MEANINGFUL, AT_PREVIOUS, AT_ONSET, AT_CONFIRMATION, AT_LAST_HOLDING = range(len(ANCHORS))
"""Anchors, in the order of `ANCHORS`."""

NO_FALL, AT_ONCE, IF_CONFIRMED = range(3)
"""Values of FALLS_HOW."""
NO_SECOND, PAST_RELAPSE, EVERYWHERE, AFTER_LAST = range(4)
"""Values of SECOND."""
ANY_SCORE, AS_BAD, WORSE = range(3)
"""Values of SECOND_LEAST."""

_STARTS = ("first visit", "nearest time zero", "first after time zero", "previous visit")
ZEROS = ("time zero", "diagnosis", "onset of the disease")
"""Values of ZERO, by name."""
_LOOKING = ("every event", "first event", "first worsening", "first improvement", "first PIRA", "first RAW")

# Columns of a row that the kernel writes (int32); the confirming visit of each window and then that of the PIRA follow.
(
    O_RULE,
    O_PATIENT,
    O_REASON,
    O_WORSENING,
    O_LABEL,
    O_RAW,
    O_PIRA,
    O_ONSET,
    O_ONSET_SCORE,
    O_BASELINE,
    O_REFERENCE,
    O_MEANINGFUL,
    O_MEANINGFUL_SCORE,
    O_SUSTAINED,
    O_COUNTED,
    O_OUTSIDE,
) = range(16)
N_COLUMNS = 16


class Pack(NamedTuple):
    """The visits of one measure and the relapses, as flat arrays; scores are signed so that higher is worse."""

    first: NDArray[np.int64]
    """(n_patients + 1,) patient p owns visits first[p]:first[p + 1]."""
    day: NDArray[np.int32]
    """(n_visits,)"""
    score: NDArray[np.int32]
    """(n_visits,)"""
    scheduled: NDArray[np.bool_]
    """(n_visits,)"""
    relapse_first: NDArray[np.int64]
    """(n_patients + 1,)"""
    relapse_day: NDArray[np.int32]
    """(n_relapses,)"""
    recorded_from: NDArray[np.int32]
    recorded_to: NDArray[np.int32]
    """(n_patients,) stated days of relapse recording; MISSING where not stated."""
    seen_from: NDArray[np.int32]
    seen_to: NDArray[np.int32]
    """(n_patients,) first and last visit of any measure."""
    zero: NDArray[np.int32]
    """(3, n_patients) day of time zero, of the diagnosis and of the onset of the disease; MISSING where not said."""
    relapses_known: bool
    systems: NDArray[np.int32]
    """(n_visits, 8) functional systems, MISSING where not scored; (0, 8) where no definition asks for them."""


class Rules(NamedTuple):
    """Several definitions of one measure."""

    setting: NDArray[np.int64]
    """(n_rules, N_SETTINGS)"""
    window: NDArray[np.int64]
    """(n_rules, max_windows, 2) from and to, days after onset."""
    interval: NDArray[np.int64]
    """(n_rules, max_intervals, 4) start anchor, days, end anchor, days: first the relapse-free ones, then those of RAW."""
    worse: NDArray[np.int32]
    better: NDArray[np.int32]
    """(n_rules, n_scores) change needed from each signed score, counted from `lowest`."""
    lowest: int
    """Signed score that place 0 of `worse` and `better` stands for."""
    anchored: NDArray[np.int64]
    """(n_rules, 3, 3) day, first and last day of the visits at a set time: of onset, confirmation, and where it must hold as well."""


def encode_settings(definition: Definition) -> NDArray[np.int64]:
    """Return (N_SETTINGS,) the settings of a definition."""
    base, confirm, relapses = definition.baseline, definition.confirmation, definition.relapses
    row = np.zeros(N_SETTINGS, dtype=np.int64)
    row[START], row[ZERO] = _STARTS.index(base.start), ZEROS.index(base.zero)
    row[START_WITHIN] = FAR if base.start_within_days is None else base.start_within_days
    row[BASE_AFTER], row[BASE_BEFORE] = base.days_after_relapse, base.days_before_relapse
    row[BASE_ALWAYS] = base.distance_after_change
    row[MOVES_WORSENING] = "worsening" in base.moves_after
    row[MOVES_IMPROVEMENT] = "improvement" in base.moves_after
    row[MOVES_PIRA] = "PIRA" in base.moves_after
    row[MOVES_RELAPSE] = {"every": EVERY, "crossed": CROSSED}[base.relapse_move] if "relapse" in base.moves_after else NO
    row[MOVES_TO] = ("confirmation", "onset", "lowest score").index(base.moves_to)
    row[SMALL_WORSENING] = base.sub_threshold in ("worsening", "both")
    row[SMALL_IMPROVEMENT] = base.sub_threshold in ("improvement", "both")
    row[UNSUSTAINED_MOVES] = base.unsustained_moves
    row[CROSSED_DAYS] = definition.crossed_days
    row[MAY_FALL] = ("yes", "not after a relapse", "no").index(base.may_fall)
    row[EXTREMA] = ("allowed", "not strict", "none").index(base.local_extrema)
    row[ONSET_AFTER], row[ONSET_BEFORE] = definition.onset.days_after_relapse, definition.onset.days_before_relapse
    row[MIN_DAYS], row[MIN_FROM_PREVIOUS] = definition.onset.min_days, definition.onset.min_days_from == "previous visit"
    row[ONSET_AT] = definition.onset.at is not None
    row[CONFIRM_AT], row[AS_WELL] = confirm.at is not None, confirm.as_well is not None
    row[FORGIVES] = confirm.forgives == "single visits"
    row[EVERY_VISIT] = confirm.every_visit
    row[LEVEL_ONSET] = confirm.level == "onset"
    row[CONFIRM_AFTER], row[CONFIRM_BEFORE] = confirm.days_after_relapse, confirm.days_before_relapse
    row[SCHEDULED_ONLY] = confirm.visits == "scheduled"
    row[SUSTAINED_DAYS] = FAR if definition.sustained.days == "to the end" else definition.sustained.days
    over = definition.sustained.every_visit
    row[SUSTAINED_EVERY] = confirm.every_visit if over is None else over
    row[SUSTAINED_KINDS] = ("both", "worsening", "improvement").index(definition.sustained.kinds)
    last = definition.last_visit
    counts = {"first seen at the last visit": COUNT_AT_LAST, "no eligible visit left": COUNT_UNSEEN}
    row[COUNT_LAST] = counts[last.when] if last.worsening == "counted" else COUNT_NOT
    row[COUNT_WITHIN] = FAR if last.within_days is None else last.within_days
    row[LOOKING_FOR] = _LOOKING.index(definition.looking_for)
    row[LABELLED] = relapses is not None and definition.looking_for != "first improvement"
    row[COVERAGE_OBSERVED] = definition.coverage == "observed"
    row[N_WINDOWS] = len(confirm.windows)
    if relapses is not None:
        row[HAS_RAW] = relapses.raw is not None
        if relapses.raw is not None:
            row[RAW_BEFORE], row[RAW_AFTER] = relapses.raw.days_before_onset, relapses.raw.days_after_onset
        row[EXCLUSIVE] = relapses.exclusive
        row[PIRA_FIRST] = relapses.pira_at == "first confirming visit"
        row[OWN_CLASS] = relapses.during_confirmation == "own class"
        row[OTHERWISE_RAW] = relapses.otherwise == "RAW"
        row[N_INTERVALS], row[N_RAW_INTERVALS] = len(relapses.relapse_free), len(relapses.raw_in)
    if definition.carried is not None:
        encode_carried(definition.carried, row)
        has_raw = relapses is not None and relapses.raw is not None
        row[RISES] = has_raw and definition.carried.after_relapse != "stays"
    return row


def encode_carried(carried: CarriedReference, row: NDArray[np.int64]) -> None:
    """Write the settings of a carried reference."""
    row[CARRIED] = 1
    row[FALLS_HOW] = ("no", "at once", "if confirmed").index(carried.falls)
    row[FALLS_FROM] = carried.falls_from_day
    row[FALLS_TO] = FAR if carried.falls_to_day is None else carried.falls_to_day
    row[FALLS_EVERY] = carried.falls_every_visit
    row[SECOND] = ("no", "after a relapse", "at every visit", "after the last event").index(carried.second_reference)
    row[SECOND_LEAST] = ("any", "the reference", "worse than the reference").index(carried.second_at_least)
    row[EARLIER] = carried.earlier_reference
    if carried.merging is not None:
        within = carried.merging.within_days
        row[MERGES], row[MERGE_STABLE] = 1, carried.merging.stable_days
        row[MERGE_WITHIN] = FAR if within is None else within


def encode(pairs: Sequence[tuple[Definition, MeasureRule]], lowest: int, highest: int) -> Rules:
    """Return definitions, each with its rule for one measure, as arrays.

    `lowest` and `highest` bound the signed scores; the change needed is tabled for every score between.
    """
    n = len(pairs)
    windows = np.zeros((n, max(len(d.confirmation.windows) for d, _ in pairs), 2), dtype=np.int64)
    asked = [(*d.relapses.relapse_free, *d.relapses.raw_in) if d.relapses else () for d, _ in pairs]
    intervals = np.zeros((n, max([1, *map(len, asked)]), 4), dtype=np.int64)
    anchored = np.zeros((n, 3, 3), dtype=np.int64)
    worse = np.empty((n, highest - lowest + 1), dtype=np.int32)
    better = np.empty_like(worse)
    for number, (definition, rule) in enumerate(pairs):
        for place, window in enumerate(definition.confirmation.windows):
            windows[number, place] = window.from_day, FAR if window.to_day is None else window.to_day
        for place, interval in enumerate(asked[number]):
            start, end = ANCHORS.index(interval.start), ANCHORS.index(interval.end)
            intervals[number, place] = start, interval.start_days, end, interval.end_days
        for place, anchor in enumerate((definition.onset.at, definition.confirmation.at, definition.confirmation.as_well)):
            if anchor is not None:
                anchored[number, place] = anchor.day, anchor.from_day, anchor.to_day
        worse[number] = _needed(rule, lowest, highest, worsening=True)
        better[number] = _needed(rule, lowest, highest, worsening=False)
    settings = np.stack([encode_settings(definition) for definition, _ in pairs])
    settings[:, LED] = [definition.confirmation.leading_system and rule.measure == "edss" for definition, rule in pairs]
    return Rules(settings, windows, intervals, worse, better, lowest, anchored)


def _needed(rule: MeasureRule, lowest: int, highest: int, *, worsening: bool) -> NDArray[np.int32]:
    """Return (highest - lowest + 1,) the change needed from each signed score."""
    measure = rule.spec()
    references = np.arange(lowest, highest + 1, dtype=np.int64) * (1 if measure.higher_is_worse else -1)
    threshold = rule.worsening if worsening or rule.improvement is None else rule.improvement
    return needed_each(threshold, references, measure.units_per_point).astype(np.int32)


def needed_each(threshold: Threshold, references: NDArray[np.int64], units_per_point: int) -> NDArray[np.int64]:
    """Return `Threshold.needed` of many references at once; NEVER for None."""
    each = np.full(len(references), NEVER, dtype=np.int64)
    if threshold.steps:
        for step in reversed(threshold.steps):
            reached = slice(None) if step.up_to is None else references <= exact_units(step.up_to, units_per_point)
            each[reached] = NEVER if step.change is None else exact_units(step.change, units_per_point)
        return each
    if threshold.percent is not None:
        each = -(-exact_units(threshold.percent) * references // (100 * HUNDREDTHS))
    if threshold.points is not None:
        points = exact_units(threshold.points, units_per_point)
        each = np.maximum(each, points) if threshold.of_two == "larger" else np.minimum(each, points)
    return np.maximum(each, 1)


def missing_days(n: int) -> NDArray[np.int32]:
    """Return (n,) days that are all not said."""
    return np.full(n, MISSING, dtype=np.int32)
