"""How much of the change from first to last visit came with relapses: the changes between visits, added up in two sums."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from smoulder.engine.beside.asked import Series, Span, asked_for, general_notes, measured, points_text, said_day, said_span, stated
from smoulder.errors import counted
from smoulder.events import Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.parts import days_text
from smoulder.rulebook.periods import Decomposition
from smoulder.tables import Cohort
from smoulder.terms import Measure

PARTS = ("relapse-related", "independent", "undetermined")

DECOMPOSITION_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "start_day": pl.Int32(),
    "end_day": pl.Int32(),
    "visits": pl.Int32(),
    "first_score": pl.Float64(),
    "last_score": pl.Float64(),
    "change": pl.Float64(),
    "relapse_related": pl.Float64(),
    "independent": pl.Float64(),
    "undetermined": pl.Float64(),
    "independent_worsening": pl.Float64(),
    "independent_improvement": pl.Float64(),
    "change_units": pl.Int32(),
    "relapse_related_units": pl.Int32(),
    "independent_units": pl.Int32(),
    "undetermined_units": pl.Int32(),
    "relapse_related_intervals": pl.Int32(),
    "independent_intervals": pl.Int32(),
    "undetermined_intervals": pl.Int32(),
}
"""Changes count worse as positive, in points; the same in whole score units, in which the parts add up to the change exactly.
independent_worsening and independent_improvement (negative) add up to independent. Null with fewer than two visits of the measure."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """The change from one visit to the next."""

    first_day: int
    last_day: int
    change: int
    """Score units, worse positive."""
    part: str
    """One of `PARTS`."""
    why: str


def decompose_change(cohort: Cohort, rule: Decomposition | None = None, explain: Collection[str] = ()) -> Outcome:
    """Split each patient's change of a measure from first to last visit into a relapse-related and an independent part.

    Parameters
    ----------
    cohort
        The tables; without a relapse table every part is undetermined.
    rule
        The measure, and how near a relapse an interval ends that is related to it; None: EDSS, 90 days.
    explain
        Patients whose change is told visit by visit.

    Returns
    -------
    Outcome, one row a patient (`DECOMPOSITION_SCHEMA`).

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        The visits do not have the measure, or a patient to explain is not there.
    """
    cohort.require_sound()
    rule = rule or Decomposition()
    wanted = asked_for(cohort, explain)
    measure = cohort.measure(rule.measure)
    rows, reasons = [], {}
    for index, (patient, series) in enumerate(zip(cohort.patients, measured(cohort, rule.measure), strict=True)):
        steps = steps_of(cohort, rule, measure, index, series)
        rows.append((patient, *row_of(measure, series, steps)))
        if patient in wanted:
            reasons[patient] = told_steps(cohort, measure, steps)
    table = pl.DataFrame(rows, schema=DECOMPOSITION_SCHEMA, orient="row")
    n_steps = {part: int(table[f"{part.replace('-', '_')}_intervals"].sum()) for part in PARTS}
    changed = table.filter(pl.col("change_units").is_not_null())
    total = sum(n_steps.values())
    return Outcome(
        name=f"Change of the {measure.name}, with and without relapses",
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=(
            ("patients with two visits or more", Proportion(numerator=changed.height, denominator=table.height)),
            (
                "patients worse at the last visit than at the first",
                Proportion(numerator=changed.filter(pl.col("change_units") > 0).height, denominator=changed.height),
            ),
            *((f"intervals between visits {part}", Proportion(numerator=n_steps[part], denominator=total)) for part in PARTS),
        ),
        notes=tuple([*sum_notes(cohort, rule, measure, changed), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def steps_of(cohort: Cohort, rule: Decomposition, measure: Measure, index: int, series: Series) -> list[Step]:
    """Return the changes between the consecutive visits of a patient."""
    relapses = cohort.relapse_days_of(index).tolist()
    sign = 1 if measure.higher_is_worse else -1
    visits = zip(series.days, series.scores, strict=True)
    steps = []
    for (first_day, first), (last_day, last) in pairwise(visits):
        part, why = part_of(cohort, rule, index, Span(first_day, last_day), relapses)
        steps.append(Step(first_day=first_day, last_day=last_day, change=sign * (last - first), part=part, why=why))
    return steps


def part_of(cohort: Cohort, rule: Decomposition, index: int, between: Span, relapses: Sequence[int]) -> tuple[str, str]:
    """Return to which part the change between two visits belongs, and why."""
    # A relapse on the day of the first visit is before the interval; one on the day of the second is in it.
    looked_at = Span(min(between.first + 1, between.last - rule.days_after_relapse), between.last)
    near = [day for day in relapses if looked_at.first <= day <= looked_at.last]
    if near:
        where = "in it" if near[-1] > between.first else f"{counted(between.last - near[-1], 'day')} before its end"
        return PARTS[0], f"relapse of {said_day(cohort, near[-1])}, {where}"
    if cohort.relapse_knowledge == "unknown":
        return PARTS[2], "there is no relapse table"
    since, until = stated(cohort.recorded_from, index), stated(cohort.recorded_to, index)
    if since is not None and looked_at.first < since:
        return PARTS[2], f"relapses were recorded from {said_day(cohort, since)} only"
    if until is not None and looked_at.last > until:
        return PARTS[2], f"relapses were recorded to {said_day(cohort, until)} only"
    return PARTS[1], "no relapse"


def row_of(measure: Measure, series: Series, steps: Sequence[Step]) -> tuple[object, ...]:
    """Return the row of a patient, without the name."""
    n_visits = len(series.days)
    ends = (series.days[0], series.days[-1]) if n_visits else (None, None)
    scores = (measure.points(series.scores[0]), measure.points(series.scores[-1])) if n_visits else (None, None)
    if not steps:
        return (*ends, n_visits, *scores, *[None] * 10, 0, 0, 0)
    units = [sum(step.change for step in steps if step.part == part) for part in PARTS]
    total = sum(units)
    alone = [step.change for step in steps if step.part == PARTS[1]]
    both_ways = (sum(change for change in alone if change > 0), sum(change for change in alone if change < 0))
    lengths = [sum(step.part == part for step in steps) for part in PARTS]
    return (*ends, n_visits, *scores, *(measure.points(n) for n in (total, *units, *both_ways)), total, *units, *lengths)


def told_steps(cohort: Cohort, measure: Measure, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return a patient's changes in sentences, visit by visit and in sum."""
    if not steps:
        return (f"Fewer than two visits with the {measure.name}: no change.",)
    told = [
        f"{said_span(cohort, Span(step.first_day, step.last_day))}: {points_text(measure.points(step.change))}, {step.part} ({step.why})."
        for step in steps
    ]
    sums = [f"{points_text(measure.points(sum(s.change for s in steps if s.part == part)))} {part}" for part in PARTS]
    total = points_text(measure.points(sum(step.change for step in steps)))
    return (*told, f"Together {total} (worse is positive): {', '.join(sums)}.")


def sum_notes(cohort: Cohort, rule: Decomposition, measure: Measure, changed: pl.DataFrame) -> list[str]:
    """Return the sums over all patients, and what the reader must know of them."""
    notes = []
    if changed.height:
        names = ("change", "relapse_related", "independent", "undetermined")
        sums = {name: points_text(measure.points(int(changed[f"{name}_units"].sum()))) for name in names}
        named = ", ".join(f"{sums[name]} {name.replace('_', '-')}" for name in names[1:])
        who = counted(changed.height, "patient")
        notes.append(f"Summed over {who} the {measure.name} changed by {sums['change']} (worse is positive): {named}.")
        worse, better = (points_text(math.fsum(changed[f"independent_{way}"])) for way in ("worsening", "improvement"))
        notes.append(
            f"The independent part is {worse} worsening and {better} improvement. Recovery from a relapse that is seen after "
            f"{days_text(rule.days_after_relapse)} is in that improvement, so the part is too low by it; none of it had to be confirmed."
        )
    if cohort.relapse_knowledge == "unknown":
        notes.append("There was no relapse table, so nothing could be told apart.")
    return notes
