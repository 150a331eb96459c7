"""Rules about single values: who, when, and scores within their scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from smoulder.checks.rule import Rule, apply
from smoulder.findings import Finding
from smoulder.loaded import DAY_COLUMN, ONSET_ADVICE, Table
from smoulder.tables import COLUMNS
from smoulder.terms import HUNDREDTHS, Calendar, Measure

FIRST_DAY, LAST_DAY = -25_567, 47_846
"""1900-01-01 and 2100-12-31."""

MOST_DAYS = 40_000
"""Day numbers beyond this, 110 years, are no day of a follow-up."""

TOO_FAR = 2_000_000_000
"""Scores at this many units were cut to it while reading."""

EDSS_NEVER = HUNDREDTHS // 2
"""The EDSS goes from 0 to 1 in one step; 0.5 does not exist."""


def value_findings(table: Table, calendar: Calendar) -> Iterator[Finding]:
    """Yield what is wrong with single values of a table."""
    yield from apply(table, _rules(table, calendar))


def _rules(table: Table, calendar: Calendar) -> Iterator[Rule]:
    yield _no_patient(table)
    if table.name in DAY_COLUMN:
        yield _no_day(table)
    for column in COLUMNS[table.name]:
        if column.kind == "day" and column.name in table.frame.columns:
            yield _implausible(table.name, column.name, calendar)
    for measure in table.measures:
        yield from score_rules(measure)


def _no_patient(table: Table) -> Rule:
    return Rule(
        level="error",
        code="patient-missing",
        column="patient",
        broken=pl.col("patient").is_null(),
        problem="{rows} {have} no patient.",
        advice="Write the id, or delete the rows.",
    )


def _no_day(table: Table) -> Rule:
    day = DAY_COLUMN[table.name]
    broken = pl.col(day).is_null()
    if table.name == "visits":
        broken &= pl.any_horizontal(pl.col(measure.key).is_not_null() for measure in table.measures)
    what = {
        "visits": "a score but no day of the visit",
        "relapses": "no day of onset",
        "treatments": "no first day",
        "mri": "no day of the scan",
    }
    return Rule(
        level="error",
        code="date-missing",
        column=day,
        broken=broken,
        problem=f"{{rows}} {{have}} {what[table.name]}.",
        advice=ONSET_ADVICE if table.name == "relapses" else "Write the day, or delete the rows.",
        readable_only=True,
    )


def _implausible(table: str, day: str, calendar: Calendar) -> Rule:
    if calendar == "date":
        broken, limits = (pl.col(day) < FIRST_DAY) | (pl.col(day) > LAST_DAY), "before 1900 or after 2100"
    else:
        broken, limits = pl.col(day).abs() > MOST_DAYS, f"more than {MOST_DAYS:,} days away from day 0"
    return Rule(
        level="error",
        code="date-implausible",
        column=day,
        broken=broken,
        problem=f"{{days}} {{are}} {limits}.",
        advice=ONSET_ADVICE
        if (table, day) == ("relapses", "date")
        else "Correct them, or leave the cells empty where the day is not known.",
    )


def score_rules(measure: Measure) -> Iterable[Rule]:
    """Yield the rules about the scores of a measure: possible at all, unusual, on its grid."""
    score = pl.col(measure.key)
    yield Rule(
        level="error",
        code="score-out-of-range",
        column=measure.key,
        broken=_outside(measure),
        problem=f"{{scores}} cannot be {measure.name}: it goes {_range_words(measure)} {measure.unit}.",
        advice="Correct them; where a number such as 99, 999 or -9 stands for a missing score, leave the cell empty instead.",
    )
    if measure.unusual_above is not None:
        limit = measure.units(measure.unusual_above)
        yield Rule(
            level="warning",
            code="score-unusual",
            column=measure.key,
            broken=(score > limit) & (score < TOO_FAR),
            problem=f"{{scores}} {{are}} above {measure.unusual_above:g} {measure.unit}, which is unusual for {measure.name}.",
            advice="Check that they are no missing code and no limit of the test; they are used as they are.",
        )
    if measure.grid is not None:
        off = (score % measure.units(measure.grid)) != 0
        if measure.key == "edss":
            off |= score == EDSS_NEVER
        yield Rule(
            level="warning",
            code="score-off-grid",
            column=measure.key,
            broken=off & ~_outside(measure),
            problem=f"{{scores}} of {{of}} {{are}} not on the scale of {measure.name} ({_grid_words(measure)}); used as written.",
            advice="Check where they come from: an average, an estimate, or a typing error.",
        )


def _outside(measure: Measure) -> pl.Expr:
    score = pl.col(measure.key)
    low = measure.units(measure.low)
    below = score <= low if measure.above_zero else score < low
    above = score > measure.units(measure.high) if measure.high is not None else score >= TOO_FAR
    return below | above


def _range_words(measure: Measure) -> str:
    if measure.high is None:
        return f"{'above' if measure.above_zero else 'from'} {measure.low:g}"
    return f"from {measure.low:g} to {measure.high:g}"


def _grid_words(measure: Measure) -> str:
    if measure.key == "edss":
        return "0, 1, 1.5, 2, and so on to 10; there is no 0.5"
    return "whole numbers" if measure.grid == 1 else f"steps of {measure.grid:g}"
