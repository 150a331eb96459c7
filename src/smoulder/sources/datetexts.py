"""Dates written as text: which format a column has, and which values do not fit it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import agreed, counted
from smoulder.sources.calendars import days_from_civil, is_date
from smoulder.sources.parsed import Issue, Parsed, Texts, missing_issue, texts_of

_TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp][Mm])?\s*(?:Z|UTC|[+-]\d{2}:?\d{2}(?::\d{2})?)?)?"
_MIDNIGHT = r"[T ]\s*00?:00(?::00(?:[.,]0+)?)?\s*$"
_CLOCK = r"\d:\d{2}"

FAMILIES: dict[str, str] = {
    "ISO dates": rf"^(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_TIME}$",
    "YYYY/MM/DD": rf"^(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}}){_TIME}$",
    "/": rf"^(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_TIME}$",
    ".": rf"^(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}}){_TIME}$",
    "-": rf"^(\d{{1,2}})-(\d{{1,2}})-(\d{{4}}){_TIME}$",
    "DD Mon YYYY": rf"^(\d{{1,2}})[ \-./]?\s?([A-Za-z]{{3}})[a-z]*\.?[ \-./,]?\s?(\d{{4}}){_TIME}$",
    "two-digit years": rf"^\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{2}}{_TIME}$",
    "numbers": r"^[+-]?\d+(?:[.,]\d+)?$",
}
"""Ways of writing a date that exclude each other, each with its pattern."""

_EITHER_ORDER = ("/", ".", "-")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_STATE_IT = "State the format with date_format= or [dates] in cohort.toml, such as '%d/%m/%Y' (day first) or '%m/%d/%Y' (month first)."


@dataclass(frozen=True, kw_only=True)
class _Read:
    """The distinct texts of one family, read."""

    days: NDArray[np.int64]
    """(n_unique,)"""
    real: NDArray[np.bool_]
    """(n_unique,) whether the text names a date that exists."""
    format: str


def parse_texts(series: pl.Series, stated: str | None) -> tuple[Parsed, pl.Series | None]:
    """Return a text column as days, or else as numbers (Float64) still to be understood."""
    texts = texts_of(series)
    issues = list(missing_issue(texts.missing))
    if not len(texts.unique):
        return Parsed(values=pl.repeat(None, len(series), dtype=pl.Int32, eager=True), format="empty", issues=tuple(issues)), None
    if stated is not None and "%" in stated:
        return _by_format(texts, stated, issues), None
    family = _main_family(texts, stated)
    if family is None:
        return Parsed(values=None, issues=(*issues, _none_read(texts))), None
    fits = texts.unique.str.contains(FAMILIES[family])
    issues += _misfits(texts, fits, family, stated)
    if family == "numbers":
        readable = pl.select(pl.when(fits).then(texts.unique.str.replace(",", ".", literal=True)).alias("n"))["n"]
        return Parsed(values=None, issues=tuple(issues)), texts.spread(readable.cast(pl.Float64))
    if family == "two-digit years":
        return Parsed(values=None, issues=(*issues, _two_digits(texts, fits))), None
    return _of_family(texts, fits, family, issues), None


def _main_family(texts: Texts, stated: str | None) -> str | None:
    """Return the family most rows belong to, or the stated one; None where no text is a date."""
    if stated is not None:
        return "ISO dates" if stated == "iso" else "numbers"
    rows = {name: texts.n_rows(texts.unique.str.contains(pattern)) for name, pattern in FAMILIES.items()}
    best = max(rows, key=lambda name: rows[name])
    return best if rows[best] else None


def _misfits(texts: Texts, fits: pl.Series, family: str, stated: str | None) -> list[Issue]:
    """Return the errors about texts outside the column's family: other formats, and no dates at all."""
    words = f"numbers ({stated})" if stated and family == "numbers" else _family_words(family)
    other = pl.select(
        pl.any_horizontal([pl.lit(texts.unique).str.contains(p) for name, p in FAMILIES.items() if name != family]).alias("o")
    )["o"]
    other &= ~fits
    issues: list[Issue] = []
    n_fits, n_bad = texts.n_rows(fits), texts.n_rows(other)
    if other.any():
        issues.append(
            Issue(
                level="error",
                code="date-mixed-formats",
                problem=(
                    f"The column mixes formats: {counted(n_fits, 'row')} {agreed(n_fits, 'is', 'are')} written as {words} "
                    f"({texts.examples(fits, 1)}), and {n_bad:,} otherwise ({texts.examples(other)})."
                ),
                advice="Write all days of a column in one format, best as YYYY-MM-DD.",
                at=texts.rows(other),
            )
        )
    wrong = ~(fits | other)
    if wrong.any():
        issues.append(_not_read(texts, wrong, words))
    return issues


def _not_read(texts: Texts, wrong: pl.Series, words: str) -> Issue:
    return Issue(
        level="error",
        code="date-not-read",
        problem=f"{counted(texts.n_rows(wrong), 'value')} cannot be read as {words}: {texts.examples(wrong)}.",
        advice="Correct them, or leave the cells empty where the day is not known.",
        at=texts.rows(wrong),
    )


def _none_read(texts: Texts) -> Issue:
    everything = pl.repeat(True, len(texts.unique), eager=True)
    return Issue(
        level="error",
        code="date-none-read",
        problem=f"No value of the column can be read as a day, for example {texts.examples(everything)}.",
        advice="Name the column with the days in cohort.toml or with columns=, or state its format with date_format=.",
    )


def _two_digits(texts: Texts, fits: pl.Series) -> Issue:
    return Issue(
        level="error",
        code="date-two-digit-year",
        problem=f"The years have two digits, so neither their century nor their order is certain, for example {texts.examples(fits)}.",
        advice="State the format with date_format= or [dates] in cohort.toml, such as '%d/%m/%y', or write the years in full.",
    )


def _family_words(family: str) -> str:
    return f"DD{family}MM{family}YYYY or MM{family}DD{family}YYYY" if family in _EITHER_ORDER else family


def _of_family(texts: Texts, fits: pl.Series, family: str, issues: list[Issue]) -> Parsed:
    """Read the texts of one family; the others become null."""
    first, second, third = _parts(texts.unique.filter(fits), FAMILIES[family])
    read = _read_parts(first, second, third, family)
    if isinstance(read, str):
        problem, code = read, "date-ambiguous" if "either way" in read else "date-mixed-order"
        return Parsed(values=None, issues=(*issues, Issue(level="error", code=code, problem=problem, advice=_STATE_IT)))
    days = np.zeros(len(texts.unique), dtype=np.int64)
    real = np.zeros(len(texts.unique), dtype=np.bool_)
    days[fits.to_numpy()], real[fits.to_numpy()] = read.days, read.real
    impossible = fits & ~pl.Series(real)
    if impossible.any():
        n_bad = texts.n_rows(impossible)
        issues.append(
            Issue(
                level="error",
                code="date-impossible",
                problem=f"{counted(n_bad, 'value')} {agreed(n_bad, 'names', 'name')} no date that exists: {texts.examples(impossible)}.",
                advice="Correct them, or leave the cells empty where the day is not known.",
                at=texts.rows(impossible),
            )
        )
    issues += _cut_times(texts, fits)
    values = pl.select(pl.when(pl.lit(pl.Series(real))).then(pl.lit(pl.Series(days))).alias("d").cast(pl.Int32))["d"]
    return Parsed(values=texts.spread(values), format=read.format, calendar="date", issues=tuple(issues))


def _parts(unique: pl.Series, pattern: str) -> tuple[NDArray[np.int64], ...]:
    """Return the three parts of dates as numbers; a month's name becomes its number, an unknown name 0."""
    parts = unique.str.extract_groups(pattern).struct.unnest()
    numbers: list[NDArray[np.int64]] = []
    for name in parts.columns:
        part = parts[name]
        if name == "2" and part.str.contains("[A-Za-z]").any():
            part = part.str.to_lowercase().replace_strict(_MONTHS, list(range(1, 13)), default=0)
        numbers.append(part.cast(pl.Int64).to_numpy())
    return tuple(numbers)


def _read_parts(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64], family: str) -> _Read | str:
    """Return the dates, or the sentence that says why the order of day and month is open."""
    if family in ("ISO dates", "YYYY/MM/DD"):
        year, month, day, words = first, second, third, family
    elif family == "DD Mon YYYY":
        year, month, day, words = third, second, first, family
    else:
        day_first = _day_first(first, second, third, family)
        if isinstance(day_first, str):
            return day_first
        month, day = (second, first) if day_first else (first, second)
        year = third
        words = family.join(("DD", "MM", "YYYY") if day_first else ("MM", "DD", "YYYY"))
    real = is_date(year, month, day)
    safe = np.where(real, 1, 0)
    return _Read(days=days_from_civil(year, np.where(safe, month, 1), np.where(safe, day, 1)), real=real, format=words)


def _day_first(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64], mark: str) -> bool | str:
    """Return whether the day comes first, proved by a number above 12; else the sentence that it is open."""
    day_first = (first > 12) & (second <= 12)
    month_first = (second > 12) & (first <= 12)

    def example(rows: NDArray[np.bool_]) -> str:
        at = int(np.flatnonzero(rows)[0])
        return f"'{first[at]:02d}{mark}{second[at]:02d}{mark}{third[at]}'"

    if day_first.any() and month_first.any():
        return (
            f"The column mixes two orders: {example(day_first)} can only be day first and {example(month_first)} only month first, "
            "so no other date of it is certain."
        )
    if day_first.any() or month_first.any():
        return bool(day_first.any())
    if (first == second).all():
        return True
    return (
        f"The dates can be read either way, day first or month first, as no day is above 12: {example(first != second)} "
        f"may be {_both_ways(first, second, third)}."
    )


def _both_ways(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64]) -> str:
    at = int(np.flatnonzero(first != second)[0])
    return f"{third[at]}-{second[at]:02d}-{first[at]:02d} or {third[at]}-{first[at]:02d}-{second[at]:02d}"


def _cut_times(texts: Texts, fits: pl.Series) -> list[Issue]:
    """Return the notice about times of day; a midnight without a time zone is no time."""
    timed = fits & texts.unique.str.contains(_CLOCK) & ~texts.unique.str.contains(_MIDNIGHT)
    if not timed.any():
        return []
    return [
        Issue(
            level="notice",
            code="date-time-cut",
            problem=(
                f"{counted(texts.n_rows(timed), 'value')} {agreed(texts.n_rows(timed), 'carries', 'carry')} a time of day, "
                f"for example {texts.examples(timed, 1)}; "
                "each is cut to its own local date, and none is moved to another day."
            ),
            advice="Nothing to do.",
            at=texts.rows(timed),
        )
    ]


def _by_format(texts: Texts, stated: str, issues: list[Issue]) -> Parsed:
    """Read texts by a stated strptime format."""
    written = texts.unique
    if "%H" not in stated and "%T" not in stated and "%I" not in stated:
        written = written.str.replace(_TIME.removesuffix("?") + "$", "")
        issues += _cut_times(texts, pl.repeat(True, len(texts.unique), eager=True))
    dates = written.str.to_date(stated, strict=False)
    wrong = dates.is_null()
    if wrong.all():
        problem = f"No value of the column has the stated format '{stated}', for example {texts.examples(wrong)}."
        advice = "State the format the values have, or nothing where it is plain."
        return Parsed(values=None, issues=(*issues, Issue(level="error", code="date-none-read", problem=problem, advice=advice)))
    if wrong.any():
        issues.append(_not_read(texts, wrong, f"the stated format '{stated}'"))
    values = texts.spread(dates.to_physical().cast(pl.Int32))
    return Parsed(values=values, format=stated, calendar="date", issues=tuple(issues))
