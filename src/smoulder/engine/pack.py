"""A cohort as the engines read it: flat arrays for the kernel, one record for the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smoulder.engine.encoding import ZEROS, Pack, missing_days
from smoulder.engine.record import Record
from smoulder.rulebook.model import Definition, MeasureRule
from smoulder.tables import Cohort
from smoulder.terms import FUNCTIONAL_SYSTEMS, MISSING, Measure


def seen_days(cohort: Cohort) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (n_patients,) first and last visit day of each patient, any measure; MISSING for a patient without visits."""
    first, day = cohort.visits.first, cohort.visits.day
    start, end = missing_days(cohort.n_patients), missing_days(cohort.n_patients)
    some = first[1:] > first[:-1]
    start[some], end[some] = day[first[:-1][some]], day[first[1:][some] - 1]
    return start, end


def pack_measure(cohort: Cohort, measure: Measure, *, systems: bool = False) -> Pack:
    """Return the visits that have one measure, with the relapses, as flat arrays; scores signed so that higher is worse.

    With `systems` the functional systems at those visits too.
    """
    scores = cohort.scores(measure.key)
    measured = scores != MISSING
    day, first = cohort.visits.day, cohort.visits.first
    scheduled = cohort.visits.scheduled
    if not measured.all():
        before = np.zeros(len(measured) + 1, dtype=np.int64)
        np.cumsum(measured, out=before[1:])
        first, day, scores = before[first], day[measured], scores[measured]
        scheduled = scheduled[measured] if scheduled is not None else None
    seen_from, seen_to = seen_days(cohort)
    unsaid = missing_days(cohort.n_patients)
    return Pack(
        first=first,
        day=day,
        score=scores if measure.higher_is_worse else -scores,
        scheduled=np.ones(len(day), dtype=np.bool_) if scheduled is None else scheduled,
        relapse_first=cohort.relapses.first,
        relapse_day=cohort.relapses.day,
        recorded_from=unsaid if cohort.recorded_from is None else cohort.recorded_from,
        recorded_to=unsaid if cohort.recorded_to is None else cohort.recorded_to,
        seen_from=seen_from,
        seen_to=seen_to,
        zero=np.stack([unsaid if (days := cohort.zero_days(zero)) is None else days for zero in ZEROS]),
        relapses_known=cohort.relapse_knowledge != "unknown",
        systems=pack_systems(cohort, measured) if systems else np.empty((0, len(FUNCTIONAL_SYSTEMS)), dtype=np.int32),
    )


def pack_systems(cohort: Cohort, measured: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return (n_visits, 8) the functional systems at the visits that are kept, MISSING where not scored."""
    unscored = np.full(int(measured.sum()), MISSING, dtype=np.int32)
    columns = [cohort.scores(key)[measured] if cohort.has_measure(key) else unscored for key in FUNCTIONAL_SYSTEMS]
    return np.ascontiguousarray(np.stack(columns, axis=1))


def plain_record(
    cohort: Cohort, index: int, measure: str, coverage: str = "assumed", *, zero: str = "time zero", systems: bool = False
) -> Record:
    """Return one patient and one measure as plain lists; with `systems` the functional systems at those visits too."""
    where = cohort.visits_of(index)
    all_days = cohort.visits.day[where].tolist()
    scores = cohort.scores(measure)[where].tolist()
    scheduled = cohort.visits.scheduled[where].tolist() if cohort.visits.scheduled is not None else [True] * len(scores)
    kept = [place for place, score in enumerate(scores) if score != MISSING]

    def said(days: NDArray[np.int32] | None) -> int | None:
        return None if days is None or days[index] == MISSING else int(days[index])

    stated_from, stated_to = said(cohort.recorded_from), said(cohort.recorded_to)
    seen_from, seen_to = (all_days[0], all_days[-1]) if all_days else (0, 0)
    observed_from = seen_from if stated_from is None else stated_from
    observed_to = seen_to if stated_to is None else stated_to
    only_observed = coverage == "observed"
    return Record(
        days=tuple(all_days[place] for place in kept),
        scores=tuple(scores[place] for place in kept),
        scheduled=tuple(scheduled[place] for place in kept),
        relapses=tuple(cohort.relapse_days_of(index).tolist()),
        relapses_known=cohort.relapse_knowledge != "unknown",
        covered_from=observed_from if only_observed else stated_from,
        covered_to=observed_to if only_observed else stated_to,
        observed_from=observed_from,
        observed_to=observed_to,
        time_zero=said(cohort.zero_days(zero)),
        systems=systems_of(cohort, where, kept) if systems else (),
    )


def systems_of(cohort: Cohort, where: slice, kept: list[int]) -> tuple[tuple[int | None, ...], ...]:
    """Return the functional systems at some visits of a patient, None where not scored."""
    columns = [cohort.scores(key)[where].tolist() if cohort.has_measure(key) else None for key in FUNCTIONAL_SYSTEMS]
    return tuple(tuple(None if column is None or column[place] == MISSING else column[place] for column in columns) for place in kept)


def record_of(cohort: Cohort, index: int, rule: MeasureRule, definition: Definition) -> Record:
    """Return one patient and one measure as plain lists, for the reference engine."""
    led = definition.confirmation.leading_system and rule.measure == "edss"
    return plain_record(cohort, index, rule.measure, definition.coverage, zero=definition.baseline.zero, systems=led)
