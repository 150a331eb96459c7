"""The visits in order: two on one day, rows without a score, long gaps, sudden jumps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import agreed, counted
from smoulder.findings import Finding
from smoulder.loaded import Loaded, Table, days_in
from smoulder.terms import MEASURES, Calendar

GAP_DAYS = 1826
"""Five years."""
JUMP_DAYS = 30
JUMP_UNITS = MEASURES["edss"].units(3)


def visit_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is wrong or odd about the visits in order."""
    table = loaded.tables["visits"]
    yield from _without_score(table)
    key = table.keys.key
    if len(key) < 2:
        return
    yield from _same_day(table, loaded)
    yield from _gaps(table, loaded.calendar)
    if "edss" in table.frame.columns:
        yield from _jumps(table, loaded.calendar)


def _without_score(table: Table) -> Iterator[Finding]:
    empty = ~table.scored()
    if table.faulty is not None:
        empty &= ~table.faulty
    if empty.any():
        yield table.finding(
            "notice",
            code="row-without-score",
            problem=f"{counted(int(empty.sum()), 'row')} of {table.frame.height:,} {agreed(int(empty.sum()), 'has', 'have')} no score and "
            f"{agreed(int(empty.sum()), 'is', 'are')} set aside.",
            advice="Nothing to do if nothing was measured there.",
            at=empty,
        )


def _same_day(table: Table, loaded: Loaded) -> Iterator[Finding]:
    """Yield, for each measure, the days on which a patient has several scores of it."""
    key = table.keys.key
    again = np.flatnonzero(key[1:] == key[:-1])
    if not len(again):
        return
    places = np.unique(np.concatenate((again, again + 1)))
    rows = pl.Series(table.keys.positions()[places])
    for measure in table.measures:
        scores = table.frame[measure.key].gather(rows)
        shared = pl.DataFrame({"key": key[places], "row": rows, "scored": scores.is_not_null()}).filter("scored")
        shared = shared.filter(pl.col("key").is_duplicated())
        if shared.height:
            days = shared["key"].n_unique()
            yield _same_day_finding(table, measure.key, shared["row"], days, loaded)


def _same_day_finding(table: Table, measure: str, rows: pl.Series, n_days: int, loaded: Loaded) -> Finding:
    name = next(m.name for m in table.measures if m.key == measure)
    written = table.raw[measure].gather(rows).cast(pl.String)
    days = day_texts(table.frame["date"].gather(rows), loaded.calendar)
    found = pl.select(pl.format("{} on {}", written, days).alias("found"))["found"]
    what = f"{counted(len(rows), 'row')} give {name} more than once for one patient and day ({counted(n_days, 'such day')})"
    if loaded.same_day == "error":
        advice = 'Delete the wrong ones, or say which to take: same_day="last", "lowest" or "highest".'
        return table.finding("error", code="score-twice-a-day", problem=f"{what}.", advice=advice, column=measure, at=rows, found=found)
    taken = {"last": "last in the file", "lowest": "lowest", "highest": "highest"}[loaded.same_day]
    return table.finding(
        "notice",
        code="score-one-a-day",
        problem=f"{what}; the {taken} is taken.",
        advice="Nothing to do.",
        column=measure,
        at=rows,
        found=found,
    )


def _later(table: Table, apart: NDArray[np.bool_]) -> tuple[pl.Series, NDArray[np.int64]]:
    """Return the rows of the later visits of chosen neighbours, and their places in the keys."""
    places = np.flatnonzero(apart) + 1
    position = table.keys.position
    return pl.Series((places if position is None else position[places]).astype(np.uint32)), places


def _gaps(table: Table, calendar: Calendar) -> Iterator[Finding]:
    """Yield a warning for visits more than five years after the one before."""
    key = table.keys.key
    # Neighbours of different patients are at least 2**32 - 2**31 apart, unless the second's day is far below the first's.
    step = np.diff(key)
    apart = step > GAP_DAYS
    places = np.flatnonzero(apart)
    apart[places] = (key[places] >> 32) == (key[places + 1] >> 32)
    if not apart.any():
        return
    rows, places = _later(table, apart)
    years = pl.Series(step[places - 1] / 365.25).round(1)
    found = pl.select(pl.format("{} years after the visit before, {}", years, _days(key[places - 1], calendar)).alias("found"))["found"]
    yield table.finding(
        "warning",
        code="visit-gap",
        problem=f"{counted(len(places), 'visit')} {agreed(len(places), 'comes', 'come')} more than 5 years after the "
        "patient's visit before.",
        advice="Check the days; a change found after such a gap may have come at any time in it.",
        column="date",
        at=rows,
        found=found,
    )


def _days(key: NDArray[np.int64], calendar: Calendar) -> pl.Series:
    return day_texts(pl.Series(days_in(key)), calendar)


def day_texts(days: pl.Series, calendar: Calendar) -> pl.Series:
    """Return (n,) days as they are written in sentences."""
    if calendar == "date":
        return days.cast(pl.Int32).cast(pl.Date).cast(pl.String)
    return pl.select(pl.format("day {}", days).alias("day"))["day"]


def _jumps(table: Table, calendar: Calendar) -> Iterator[Finding]:
    """Yield a notice for changes of 3 EDSS points or more within 30 days."""
    key = table.keys.key
    close = np.flatnonzero(np.diff(key) <= JUMP_DAYS)
    position = table.keys.position
    edss = table.frame["edss"]

    def scores(places: NDArray[np.int64]) -> NDArray[np.float64]:
        rows = places if position is None else position[places]
        return edss.gather(pl.Series(rows.astype(np.uint32))).cast(pl.Float64).to_numpy()

    before, after = scores(close), scores(close + 1)
    jump = np.abs(after - before) >= JUMP_UNITS
    if not jump.any():
        return
    apart = np.zeros(len(key) - 1, dtype=np.bool_)
    apart[close[jump]] = True
    rows, places = _later(table, apart)
    was, now = (pl.Series(units[jump] / MEASURES["edss"].units_per_point) for units in (before, after))
    days_before, days_after = _days(key[places - 1], calendar), _days(key[places], calendar)
    found = pl.select(pl.format("EDSS {} on {}, {} on {}", was, days_before, now, days_after).alias("found"))["found"]
    yield table.finding(
        "notice",
        code="score-jump",
        problem=f"{counted(len(places), 'visit')} {agreed(len(places), 'differs', 'differ')} by 3 EDSS points or "
        f"more from one at most {JUMP_DAYS} days before.",
        advice="Check for typing errors; a relapse may explain it.",
        column="edss",
        at=rows,
        found=found,
    )
