"""The area under the scores of a measure over time: one patient at a time, in whole numbers up to the one division."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import polars as pl

from smoulder.engine.beside.asked import DAYS_A_YEAR, Series, asked_for, general_notes, measured, said_day
from smoulder.errors import counted
from smoulder.events import Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.periods import AreaUnderCurve
from smoulder.tables import Cohort
from smoulder.terms import Measure

AREA_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "start_day": pl.Int32(),
    "end_day": pl.Int32(),
    "visits": pl.Int32(),
    "days": pl.Int32(),
    "longest_interval_days": pl.Int32(),
    "first_score": pl.Float64(),
    "mean_score": pl.Float64(),
    "mean_above_first": pl.Float64(),
    "area_point_years": pl.Float64(),
    "area_above_first_point_years": pl.Float64(),
    "twice_area_unit_days": pl.Int64(),
    "twice_area_above_first_unit_days": pl.Int64(),
}
"""mean_score: area over time, the mean score of a day; mean_above_first: the same for the score less the first one, worse positive;
twice_area…: twice the area in score units times days, exact. Null with fewer than two visits of the measure."""


def area_under_curve(cohort: Cohort, rule: AreaUnderCurve | None = None, explain: Collection[str] = ()) -> Outcome:
    """Sum the area under each patient's scores of a measure from the first to the last visit.

    Parameters
    ----------
    cohort
        The tables.
    rule
        The measure; None: EDSS.
    explain
        Patients whose area is told piece by piece.

    Returns
    -------
    Outcome, one row a patient (`AREA_SCHEMA`).

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        The visits do not have the measure, or a patient to explain is not there.
    """
    cohort.require_sound()
    rule = rule or AreaUnderCurve()
    wanted = asked_for(cohort, explain)
    measure = cohort.measure(rule.measure)
    rows, reasons = [], {}
    for patient, series in zip(cohort.patients, measured(cohort, rule.measure), strict=True):
        rows.append((patient, *row_of(measure, series)))
        if patient in wanted:
            reasons[patient] = told_area(cohort, measure, series)
    table = pl.DataFrame(rows, schema=AREA_SCHEMA, orient="row")
    known = table.filter(pl.col("twice_area_unit_days").is_not_null())
    worse = known.filter(pl.col("twice_area_above_first_unit_days") > 0)
    return Outcome(
        name=f"Area under the {measure.name}",
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=(
            ("patients with two visits or more", Proportion(numerator=known.height, denominator=table.height)),
            ("patients worse than at the first visit on average", Proportion(numerator=worse.height, denominator=known.height)),
        ),
        notes=tuple([*area_notes(measure, known), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def twice_area(days: Sequence[int], scores: Sequence[int]) -> int:
    """Return twice the area under straight lines from visit to visit, in score units times days."""
    return sum((first + last) * (end - start) for (start, first), (end, last) in pairwise(zip(days, scores, strict=True)))


def row_of(measure: Measure, series: Series) -> tuple[object, ...]:
    """Return the row of a patient, without the name."""
    days, scores = series
    n_visits = len(days)
    if n_visits < 2:
        ends = (days[0], days[0]) if n_visits else (None, None)
        first = measure.points(scores[0]) if n_visits else None
        return (*ends, n_visits, 0, None, first, *[None] * 6)
    length = days[-1] - days[0]
    whole, above = twice_area(days, scores), above_first(measure, series)
    points_a_unit_day = 2 * measure.units_per_point
    return (
        days[0],
        days[-1],
        n_visits,
        length,
        max(end - start for start, end in pairwise(days)),
        measure.points(scores[0]),
        whole / (points_a_unit_day * length),
        above / (points_a_unit_day * length),
        whole / (points_a_unit_day * DAYS_A_YEAR),
        above / (points_a_unit_day * DAYS_A_YEAR),
        whole,
        above,
    )


def above_first(measure: Measure, series: Series) -> int:
    """Return twice the area between the scores and the first one, worse positive, in score units times days."""
    sign = 1 if measure.higher_is_worse else -1
    return twice_area(series.days, [sign * (score - series.scores[0]) for score in series.scores])


def told_area(cohort: Cohort, measure: Measure, series: Series) -> tuple[str, ...]:
    """Return a patient's area in sentences, piece by piece and in sum."""
    days, scores = series
    if len(days) < 2:
        return (f"Fewer than two visits with the {measure.name}: no area.",)
    told = []
    for (start, first), (end, last) in pairwise(zip(days, scores, strict=True)):
        mean = (first + last) / (2 * measure.units_per_point)
        told.append(
            f"{said_day(cohort, start)} ({measure.text(first)}) to {said_day(cohort, end)} ({measure.text(last)}): "
            f"a mean of {mean:g} over {counted(end - start, 'day')}."
        )
    length = days[-1] - days[0]
    mean = twice_area(days, scores) / (2 * measure.units_per_point * length)
    above = above_first(measure, series) / (2 * measure.units_per_point * length)
    told.append(f"Together a mean of {mean:.3f} over {counted(length, 'day')}, {above:+.3f} from the first score (worse is positive).")
    return tuple(told)


def area_notes(measure: Measure, known: pl.DataFrame) -> list[str]:
    """Return the mean over all patients, and what the reader must know of it."""
    days = int(known["days"].sum())
    if not days:
        return []
    whole = int(known["twice_area_unit_days"].sum()) / (2 * measure.units_per_point * days)
    above = int(known["twice_area_above_first_unit_days"].sum()) / (2 * measure.units_per_point * days)
    return [
        f"Over all days of {counted(known.height, 'patient')} the mean {measure.name} was {whole:.2f}, {above:+.2f} from the first score "
        "(worse is positive).",
        "Between visits the score is taken to change in a straight line, over long gaps too (longest_interval_days).",
    ]
