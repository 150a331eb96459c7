"""Days: from whatever a file holds to days since 1970-01-01, or the tables' own day numbers.

A column has one format. It is stated, or it is the only one its values can have; nothing is guessed.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from smoulder.errors import UsageError, agreed, counted, unknown
from smoulder.sources.calendars import EXCEL_EPOCH, days_from_civil, is_date
from smoulder.sources.datetexts import parse_texts
from smoulder.sources.parsed import Issue, Parsed
from smoulder.terms import Calendar

STATED_WORDS = ("day", "excel", "yyyymmdd", "iso")
"""What may be stated beside a strptime format."""

EXCEL_RANGE = (20_000, 60_000)
"""Serial days of 1954-10-03 to 2064-04-08; as day numbers they would be 55 to 164 years."""

_YEARS = (1950, 2050)
_LETTERS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}

NUMBER_WORDS = {"day": "day numbers", "excel": "Excel serial days", "yyyymmdd": "YYYYMMDD"}


def stated_format(text: str) -> str:
    """Return a stated format as strptime or one of STATED_WORDS; "DD/MM/YYYY" is understood too.

    Raises UsageError for anything else.
    """
    if text.lower() in STATED_WORDS:
        return text.lower()
    if "%" in text:
        return text
    translated = re.sub("YYYY|YY|MM|DD", lambda found: _LETTERS[found.group()], text.upper())
    if translated.count("%") == 3:
        return translated
    raise UsageError(f"{unknown('date format', text, STATED_WORDS)} A format such as '%d/%m/%Y' or 'DD/MM/YYYY' is possible too.")


def parse_days(series: pl.Series, stated: str | None = None) -> Parsed:
    """Return a column as days (Int32).

    Parameters
    ----------
    series
        (n_rows,) dates, timestamps, numbers or texts.
    stated
        See `stated_format`; None where the caller said nothing.
    """
    if series.dtype == pl.Date:
        return Parsed(values=series.to_physical().cast(pl.Int32), format="dates", calendar="date")
    if isinstance(series.dtype, pl.Datetime):
        return _from_timestamps(series, series.dtype.time_zone)
    if series.dtype == pl.Null:
        return Parsed(values=series.cast(pl.Int32), format="empty")
    if series.dtype.is_numeric():
        if stated is not None and "%" in stated:
            return _from_texts(_as_whole_text(series), stated)
        return from_numbers(series, stated if stated != "iso" else None)
    if series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum):
        return _from_texts(series.cast(pl.String), stated)
    problem = f"The column holds {series.dtype}, which are not days."
    advice = "Give dates, or name another column in cohort.toml or with columns=."
    return Parsed(values=None, issues=(Issue(level="error", code="date-type", problem=problem, advice=advice),))


def _as_whole_text(series: pl.Series) -> pl.Series:
    return series.cast(pl.Int64, strict=False).cast(pl.String) if series.dtype.is_float() else series.cast(pl.String)


def _from_timestamps(series: pl.Series, zone: str | None) -> Parsed:
    """Cut timestamps to the date their own clock showed."""
    local = series.dt.replace_time_zone(None) if zone is not None else series
    dates = local.dt.date()
    late = (local != dates.cast(local.dtype)).fill_null(False)
    issues: list[Issue] = []
    if zone is not None or late.any():
        zoned = f" of the time zone {zone}" if zone is not None else ""
        issues.append(cut_issue(f"The column holds timestamps{zoned}", int(late.sum()), late if late.any() else None))
    return Parsed(values=dates.to_physical().cast(pl.Int32), format="timestamps", calendar="date", issues=tuple(issues))


def cut_issue(what: str, n_late: int, at: pl.Series | None) -> Issue:
    """Return the notice that times of day were cut off."""
    return Issue(
        level="notice",
        code="date-time-cut",
        problem=f"{what}, {n_late:,} with a time of day; each is cut to its own local date, and none is moved to another day.",
        advice="Nothing to do.",
        at=at,
    )


def _from_texts(series: pl.Series, stated: str | None) -> Parsed:
    parsed, numbers = parse_texts(series, stated)
    if numbers is None:
        return parsed
    as_numbers = from_numbers(numbers, stated)
    issues = (*parsed.issues, *as_numbers.issues)
    return Parsed(values=as_numbers.values, format=as_numbers.format, calendar=as_numbers.calendar, issues=issues)


def number_format(numbers: pl.Series) -> str | None:
    """Return "day", "excel" or "yyyymmdd": the only thing whole numbers in a date column can be; None where that is open."""
    low, high = float(numbers.min() or 0), float(numbers.max() or 0)  # pyright: ignore[reportArgumentType]
    if low >= 18_000_101 and high <= 22_001_231:
        return "yyyymmdd"
    if low >= EXCEL_RANGE[0] and high <= EXCEL_RANGE[1]:
        return "excel"
    if low >= _YEARS[0] and high <= _YEARS[1] and numbers.n_unique() > 1:
        return None
    if -EXCEL_RANGE[0] < low and high < EXCEL_RANGE[0]:
        return "day"
    return None


def from_numbers(series: pl.Series, stated: str | None) -> Parsed:
    """Return numbers in a date column as days."""
    numbers = series.cast(pl.Float64).fill_nan(None)
    known = numbers.drop_nulls()
    if not len(known):
        return Parsed(values=numbers.cast(pl.Int32), format="empty")
    kind = stated or number_format(known)
    if kind is None or kind not in NUMBER_WORDS:
        return Parsed(values=None, issues=(_open_numbers(known),))
    whole = numbers.floor().clip(-FARTHEST_DAY, FARTHEST_DAY)
    issues: list[Issue] = [] if stated else [_decided(kind, known)]
    late = (numbers != numbers.floor()).fill_null(False)
    if late.any() and kind == "day":
        issues.append(_fractions(late))
    elif late.any():
        issues.append(cut_issue("The column holds Excel's serial days", int(late.sum()), late))
    calendar: Calendar = "day" if kind == "day" else "date"
    if kind == "yyyymmdd":
        return _from_compact(whole, tuple(issues))
    days = (whole - EXCEL_EPOCH if kind == "excel" else whole).cast(pl.Int32)
    return Parsed(values=days, format=NUMBER_WORDS[kind], calendar=calendar, issues=tuple(issues))


FARTHEST_DAY = 100_000_000
"""Numbers beyond it are cut to it, and the checks call them implausible."""


def _from_compact(whole: pl.Series, issues: tuple[Issue, ...]) -> Parsed:
    """Return numbers such as 20200131 as days."""
    number = whole.fill_null(19700101).to_numpy().astype(np.int64)
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    real = is_date(year, month, day)
    if not real.all():
        impossible = Issue(
            level="error",
            code="date-impossible",
            problem=f"{counted(int((~real).sum()), 'number')} of the form YYYYMMDD {agreed(int((~real).sum()), 'names', 'name')} "
            "no date that exists.",
            advice="Correct them, or leave the cells empty.",
            at=pl.Series(~real),
        )
        issues = (*issues, impossible)
    days = pl.Series(days_from_civil(year, month, np.where(real, day, 1))).cast(pl.Int32)
    values = pl.select(pl.when(pl.lit(pl.Series(real)) & pl.lit(whole).is_not_null()).then(days).alias("d"))["d"]
    return Parsed(values=values, format=NUMBER_WORDS["yyyymmdd"], calendar="date", issues=issues)


def _shown(number: object) -> str:
    return f"{number:.10g}"


def _decided(kind: str, known: pl.Series) -> Issue:
    why = {
        "day": "so small that they cannot be Excel's serial days or YYYYMMDD",
        "excel": f"all between {EXCEL_RANGE[0]:,} and {EXCEL_RANGE[1]:,}; as day numbers they would be more than 54 years",
        "yyyymmdd": "all with eight digits",
    }[kind]
    return Issue(
        level="notice",
        code="date-numbers",
        problem=f"The days are numbers from {_shown(known.min())} to {_shown(known.max())}, {why}: they are read as {NUMBER_WORDS[kind]}.",
        advice=f"Nothing to do if that is right; otherwise state the format (date_format=, or [dates] in cohort.toml): '{kind}' was used.",
    )


def _fractions(late: pl.Series) -> Issue:
    return Issue(
        level="warning",
        code="date-fraction",
        problem=f"{counted(int(late.sum()), 'day number')} {agreed(int(late.sum()), 'is', 'are')} not whole; each is cut "
        "to the day it falls in.",
        advice="Give whole days if the cut may matter.",
        at=late,
    )


def _open_numbers(known: pl.Series) -> Issue:
    return Issue(
        level="error",
        code="date-numbers-open",
        problem=(
            f"The days are numbers from {_shown(known.min())} to {_shown(known.max())}, and these may be day numbers, Excel's serial days, "
            "years or something else."
        ),
        advice="State which with date_format= or [dates] in cohort.toml: 'day', 'excel', 'yyyymmdd' or a format such as '%Y'.",
    )
