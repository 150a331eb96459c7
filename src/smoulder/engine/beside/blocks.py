"""Blocks of follow-up: where a patient was seen often enough, and the gaps between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from statistics import median

import polars as pl

from smoulder.engine.beside.asked import DAYS_A_YEAR, Span, asked_for, general_notes, measured, said_span
from smoulder.errors import counted
from smoulder.events import Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.periods import Blocks
from smoulder.tables import Cohort

BLOCKS_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "block": pl.Int32(),
    "blocks": pl.Int32(),
    "start_day": pl.Int32(),
    "end_day": pl.Int32(),
    "visits": pl.Int32(),
    "days": pl.Int32(),
    "median_interval_days": pl.Float64(),
    "longest_interval_days": pl.Int32(),
    "visits_a_year": pl.Float64(),
    "gap_before_days": pl.Int32(),
}
"""One row a block. block: 1, 2, …, 0 for a patient without such a visit; blocks: of that patient; intervals and visits_a_year: null with
one visit; gap_before_days: from the last visit of the block before, null for the first block."""


def follow_up_blocks(cohort: Cohort, rule: Blocks | None = None, explain: Collection[str] = ()) -> Outcome:
    """Split each patient's visits into blocks without long gaps.

    Parameters
    ----------
    cohort
        The tables.
    rule
        How long a gap is, and which visits count; None: more than 730 days, every visit.
    explain
        Patients whose blocks are told in sentences.

    Returns
    -------
    Outcome, one row a patient and block (`BLOCKS_SCHEMA`); who has no such visit has one row with block 0.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        The visits do not have the measure, or a patient to explain is not there.
    """
    cohort.require_sound()
    rule = rule or Blocks()
    wanted = asked_for(cohort, explain)
    rows, reasons = [], {}
    for patient, days in zip(cohort.patients, visit_days(cohort, rule.measure), strict=True):
        blocks = blocks_of(days, rule.longest_gap_days)
        rows += block_rows(patient, blocks)
        if patient in wanted:
            reasons[patient] = told_blocks(cohort, rule, blocks)
    table = pl.DataFrame(rows, schema=BLOCKS_SCHEMA, orient="row")
    people = table.unique("patient", maintain_order=True)
    seen = people.filter(pl.col("blocks") > 0)
    visits = table.group_by("patient", maintain_order=True).agg(pl.col("visits").sum()).filter(pl.col("visits") > 0)
    return Outcome(
        name="Blocks of follow-up",
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=(
            ("patients with such a visit", Proportion(numerator=seen.height, denominator=people.height)),
            ("patients with a gap", Proportion(numerator=seen.filter(pl.col("blocks") > 1).height, denominator=seen.height)),
            ("patients with one visit only", Proportion(numerator=visits.filter(pl.col("visits") == 1).height, denominator=visits.height)),
        ),
        notes=tuple([*gap_notes(table), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def visit_days(cohort: Cohort, measure: str | None) -> list[list[int]]:
    """Return (n_patients,) the days of each patient's visits, of those with a measure where one is named."""
    if measure is not None:
        return [series.days for series in measured(cohort, measure)]
    return [cohort.visits.day[cohort.visits_of(index)].tolist() for index in range(cohort.n_patients)]


def blocks_of(days: Sequence[int], longest_gap_days: int) -> list[list[int]]:
    """Return visit days in blocks; a gap as long as allowed does not part them, one day more does."""
    blocks: list[list[int]] = []
    for day in days:
        if not blocks or day - blocks[-1][-1] > longest_gap_days:
            blocks.append([])
        blocks[-1].append(day)
    return blocks


def block_rows(patient: str, blocks: Sequence[Sequence[int]]) -> list[tuple[object, ...]]:
    """Return one row a block; one row without days where there is none."""
    if not blocks:
        return [(patient, 0, 0, None, None, 0, 0, None, None, None, None)]
    rows = []
    for number, block in enumerate(blocks, start=1):
        intervals = [later - earlier for earlier, later in pairwise(block)]
        days = block[-1] - block[0]
        rows.append(
            (
                patient,
                number,
                len(blocks),
                block[0],
                block[-1],
                len(block),
                days,
                float(median(intervals)) if intervals else None,
                max(intervals, default=None),
                (len(block) - 1) * DAYS_A_YEAR / days if days else None,
                None if number == 1 else block[0] - blocks[number - 2][-1],
            )
        )
    return rows


def told_blocks(cohort: Cohort, rule: Blocks, blocks: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """Return a patient's blocks in sentences."""
    if not blocks:
        return ("No visit counts.",)
    told = []
    for number, block in enumerate(blocks, start=1):
        if number > 1:
            last = blocks[number - 2][-1]
            gap = said_span(cohort, Span(last, block[0]))
            told.append(f"Gap from {gap}: {block[0] - last} days, more than {rule.longest_gap_days}.")
        told.append(f"Block {number}, {said_span(cohort, Span(block[0], block[-1]))}: {counted(len(block), 'visit')}.")
    return tuple(told)


def gap_notes(table: pl.DataFrame) -> list[str]:
    """Return the gaps and the density of visits over all patients."""
    gaps = table["gap_before_days"].drop_nulls().to_list()
    notes = []
    if gaps:
        notes.append(f"{counted(len(gaps), 'gap')}, the median of {median(gaps):g} days and the longest of {max(gaps):,}.")
    days, intervals = int(table["days"].sum()), int((table["visits"] - 1).clip(lower_bound=0).sum())
    if days:
        notes.append(f"Within blocks there were {intervals * DAYS_A_YEAR / days:.2f} visits a year.")
    return notes
