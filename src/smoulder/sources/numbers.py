"""Scores, counts and flags: from whatever a file holds to whole numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from smoulder.errors import agreed, counted
from smoulder.sources.parsed import Issue, Parsed, Texts, missing_issue, texts_of
from smoulder.terms import Measure

Decimal = Literal[".", ","]

FARTHEST = 2_000_000_000
"""Scores beyond this many units are cut to it; the checks call them out of range."""

_POINT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_COMMA = r"^[+-]?(\d+,\d*|,\d+)$"
_TRUE = frozenset(("1", "1.0", "true", "t", "yes", "y", "x", "scheduled", "planned"))
_FALSE = frozenset(("0", "0.0", "false", "f", "no", "n", "unscheduled", "unplanned"))


def parse_scores(series: pl.Series, measure: Measure, decimal: Decimal | None = None) -> Parsed:
    """Return a column of scores in score units (Int32).

    Parameters
    ----------
    series
        (n_rows,) numbers or texts.
    measure
        What they measure.
    decimal
        The decimal sign, where it was stated; otherwise both are understood.
    """
    if series.dtype == pl.Null:
        return Parsed(values=series.cast(pl.Int32), format="empty")
    if series.dtype.is_numeric():
        return _units(series, measure, "numbers", ())
    if series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum):
        texts = texts_of(series)
        numbers, words, issues = _numbers_in(texts, decimal)
        return _units(numbers, measure, words, (*missing_issue(texts.missing), *issues))
    return _wrong_type(series, "score-type", f"{measure.name} needs numbers")


def parse_counts(series: pl.Series, decimal: Decimal | None = None) -> Parsed:
    """Return a column of whole counts (Int32)."""
    if series.dtype == pl.Null:
        return Parsed(values=series.cast(pl.Int32), format="empty")
    issues: tuple[Issue, ...] = ()
    numbers = series
    if not series.dtype.is_numeric():
        if series.dtype not in (pl.String, pl.Categorical) and not isinstance(series.dtype, pl.Enum):
            return _wrong_type(series, "count-type", "it should hold counts")
        texts = texts_of(series)
        numbers, _, unread = _numbers_in(texts, decimal)
        issues = (*missing_issue(texts.missing), *unread)
    values = numbers.cast(pl.Float64).fill_nan(None)
    whole = (values == values.round(0)) & (values >= 0) & (values < FARTHEST)
    wrong = (~whole).fill_null(False)
    if wrong.any():
        issue = Issue(
            level="error",
            code="count-not-whole",
            problem=f"{counted(int(wrong.sum()), 'value')} cannot be counts: negative or not whole.",
            advice="Correct them, or leave the cells empty.",
            at=wrong,
        )
        issues = (*issues, issue)
    kept = pl.select(pl.when(whole).then(values).otherwise(None).cast(pl.Int32).alias(series.name))[series.name]
    return Parsed(values=kept, format="counts", issues=issues)


def parse_numbers(series: pl.Series, decimal: Decimal | None = None) -> Parsed:
    """Return a column of quantities above zero (Float64), such as volumes and hours."""
    if series.dtype == pl.Null:
        return Parsed(values=series.cast(pl.Float64), format="empty")
    issues: tuple[Issue, ...] = ()
    numbers = series
    if not series.dtype.is_numeric():
        if series.dtype not in (pl.String, pl.Categorical) and not isinstance(series.dtype, pl.Enum):
            return _wrong_type(series, "number-type", "it should hold numbers")
        texts = texts_of(series)
        numbers, _, unread = _numbers_in(texts, decimal)
        issues = (*missing_issue(texts.missing), *unread)
    values = numbers.cast(pl.Float64).fill_nan(None)
    wrong = ((values <= 0) | values.is_infinite()).fill_null(False)
    if wrong.any():
        issue = Issue(
            level="error",
            code="number-not-above-zero",
            problem=f"{counted(int(wrong.sum()), 'value')} cannot be such a quantity: zero, negative or without end.",
            advice="Correct them, or leave the cells empty.",
            at=wrong,
        )
        issues = (*issues, issue)
    kept = pl.select(pl.when(wrong).then(None).otherwise(values).alias(series.name))[series.name]
    return Parsed(values=kept, format="numbers", issues=issues)


def parse_flags(series: pl.Series) -> Parsed:
    """Return a column of yes and no (Boolean); a missing flag stays null."""
    if series.dtype in (pl.Boolean, pl.Null):
        return Parsed(values=series.cast(pl.Boolean), format="yes or no")
    if not _is_plain(series):
        return _wrong_type(series, "column-type", "it should say yes or no")
    texts = texts_of(series)
    lower = texts.unique.str.to_lowercase()
    yes, no = lower.is_in(sorted(_TRUE)), lower.is_in(sorted(_FALSE))
    issues = list(missing_issue(texts.missing))
    wrong = ~(yes | no)
    if wrong.any():
        issues.append(
            Issue(
                level="error",
                code="flag-not-read",
                problem=f"{counted(texts.n_rows(wrong), 'value')} cannot be read as yes or no: {texts.examples(wrong)}.",
                advice="Write 1 or 0, yes or no, true or false.",
                at=texts.rows(wrong),
            )
        )
    values = pl.select(pl.when(yes).then(True).when(no).then(False).otherwise(None).alias("flag"))["flag"]
    return Parsed(values=texts.spread(values), format="yes or no", issues=tuple(issues))


def parse_text(series: pl.Series) -> Parsed:
    """Return a column of words (String), stripped; missing spellings become null."""
    if not _is_plain(series):
        return _wrong_type(series, "column-type", "it should hold words")
    texts = texts_of(series)
    return Parsed(values=texts.column.cast(pl.String), format="text", issues=missing_issue(texts.missing))


def _is_plain(series: pl.Series) -> bool:
    """Return whether each value is one thing that can be written as text."""
    return not series.dtype.is_nested() and series.dtype not in (pl.Binary, pl.Object)


def _wrong_type(series: pl.Series, code: str, needs: str) -> Parsed:
    issue = Issue(
        level="error",
        code=code,
        problem=f"The column holds {series.dtype}, but {needs}.",
        advice="Give one plain value a row, or name another column in cohort.toml or with columns=.",
    )
    return Parsed(values=None, issues=(issue,))


def _numbers_in(texts: Texts, decimal: Decimal | None) -> tuple[pl.Series, str, list[Issue]]:
    """Return (n_rows,) Float64, how they were written, and what could not be read."""
    point = texts.unique.str.contains(_POINT)
    comma = texts.unique.str.contains(_COMMA)
    if decimal == ",":
        point &= ~texts.unique.str.contains(r"\.")
    elif decimal == ".":
        comma &= False
    issues: list[Issue] = []
    wrong = ~(point | comma)
    if wrong.any():
        issues.append(
            Issue(
                level="error",
                code="score-not-a-number",
                problem=f"{counted(texts.n_rows(wrong), 'value')} cannot be read as a number: {texts.examples(wrong)}.",
                advice="Write a number, or leave the cell empty where nothing was measured.",
                at=texts.rows(wrong),
            )
        )
    dotted = point & texts.unique.str.contains(r"\.")
    if comma.any() and dotted.any():
        issues.append(
            Issue(
                level="warning",
                code="score-mixed-decimals",
                problem=(
                    f"Decimals are written with a comma {counted(texts.n_rows(comma), 'time')} ({texts.examples(comma, 1)}) "
                    f"and with a point {counted(texts.n_rows(dotted), 'time')} ({texts.examples(dotted, 1)}); both are read as decimals."
                ),
                advice="Check that none is a sign between thousands, and write one kind.",
                at=texts.rows(comma if texts.n_rows(comma) <= texts.n_rows(dotted) else dotted),
            )
        )
    readable = pl.select(pl.when(wrong).then(None).otherwise(texts.unique.str.replace(",", ".", literal=True)).alias("n"))["n"]
    words = "decimal comma" if comma.any() else "numbers"
    return texts.spread(readable.cast(pl.Float64)), words, issues


def _units(numbers: pl.Series, measure: Measure, words: str, issues: tuple[Issue, ...]) -> Parsed:
    """Return numbers in score units; says how many had more than two decimals."""
    if numbers.dtype.is_integer():
        units = (numbers.cast(pl.Int64).clip(-FARTHEST, FARTHEST) * measure.units_per_point).clip(-FARTHEST, FARTHEST)
        return Parsed(values=units.cast(pl.Int32), format=words, issues=issues)
    # numpy, as one pass a step: twenty million scores take half a second so.
    exact = numbers.cast(pl.Float64).to_numpy() * measure.units_per_point
    units = np.rint(exact)
    with np.errstate(invalid="ignore"):
        np.subtract(exact, units, out=exact)
    np.abs(exact, out=exact)
    off = exact > 1e-6
    np.clip(units, -FARTHEST, FARTHEST, out=units)
    if off.any():
        rounded = Issue(
            level="warning",
            code="score-rounded",
            problem=(
                f"{counted(int(off.sum()), 'score')} of {int((~np.isnan(units)).sum()):,} "
                f"{agreed(int(off.sum()), 'has', 'have')} more than two decimals; they are rounded to hundredths."
            ),
            advice="Nothing to do if the scores were computed; otherwise look at where they come from.",
            at=pl.Series(off),
        )
        issues = (*issues, rounded)
    return Parsed(values=pl.Series(units).fill_nan(None).cast(pl.Int32), format=words, issues=issues)
