"""Oracle cohorts (CSV with id, date, visit_day and scores) as `Cohort`: read plainly, apart from the product's own reader."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from smoulder.errors import SourceError
from smoulder.tables import Cohort, Relapses, Visits
from smoulder.terms import MEASURES, MISSING, day_of
from tests.oracle.inputs import reading, rows_of

SCORES = {"EDSS": "edss", "SDMT": "sdmt", "T25FW": "t25fw", "NHPT": "nhpt"}


def read_cohort(folder: Path, *, date_column: str = "date", relapses: bool = True, patients: list[str] | None = None) -> Cohort:
    """Return a cohort as the peers read it: rows without a date are left out, of one day and measure the last row counts."""
    visits = rows_of(folder / "visits.csv", "id", date_column)
    onsets = rows_of(folder / "relapses.csv", "id", date_column) if relapses else []
    with reading(folder):
        return build_cohort(visits, onsets, date_column=date_column, relapses_known=relapses, patients=patients)


def build_cohort(
    visits: list[dict[str, Any]],
    relapses: list[dict[str, Any]],
    *,
    date_column: str = "date",
    relapses_known: bool = True,
    patients: list[str] | None = None,
) -> Cohort:
    """Return a cohort of rows with id, a date column, scores by the names of `SCORES`, and scheduled."""
    seen: dict[str, dict[int, dict[str, Any]]] = {}
    for row in visits:
        day = day_number(row[date_column], date_column)
        if day is None or (patients is not None and row["id"] not in patients):
            continue
        visit = seen.setdefault(row["id"], {}).setdefault(day, {})
        visit |= {SCORES[name]: float(row[name]) for name in SCORES if has_value(row.get(name))}
        visit["scheduled"] = float(row.get("scheduled") or 1) != 0
    names = sorted(seen)
    measures = sorted({key for days in seen.values() for visit in days.values() for key in visit} - {"scheduled"})
    days = [(name, day) for name in names for day in sorted(seen[name])]
    onsets = {name: set[int]() for name in names}
    for row in relapses:
        day = day_number(row[date_column], date_column)
        if day is not None and row["id"] in onsets:
            onsets[row["id"]].add(day)
    return Cohort(
        patients=pl.Series(names, dtype=pl.String),
        visits=Visits(
            first=offsets([len(seen[name]) for name in names]),
            day=np.array([day for _, day in days], dtype=np.int32),
            scores={key: np.array([units(seen[name][day], key) for name, day in days], dtype=np.int32) for key in measures},
            scheduled=np.array([seen[name][day]["scheduled"] for name, day in days], dtype=np.bool_),
        ),
        relapses=Relapses(
            first=offsets([len(onsets[name]) for name in names]),
            day=np.array([day for name in names for day in sorted(onsets[name])], dtype=np.int32),
        ),
        relapse_knowledge="recorded" if relapses_known else "none",
        calendar="day" if date_column == "visit_day" else "date",
    )


def offsets(lengths: list[int]) -> np.ndarray:
    """Return (n + 1,) the running total of some lengths, from 0."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def has_value(text: Any) -> bool:
    """Return whether a cell has a number."""
    return text not in (None, "", "NA", "NaN")


def units(visit: dict[str, Any], key: str) -> int:
    """Return a score in score units, MISSING where the visit lacks it."""
    return MEASURES[key].units(visit[key]) if key in visit else MISSING


def day_number(text: Any, column: str) -> int | None:
    """Return a cell of a date column as a day; None where it is empty."""
    if not has_value(text):
        return None
    try:
        return int(float(text)) if column == "visit_day" else day_of(datetime.date.fromisoformat(str(text)[:10]))
    except ValueError as error:
        raise SourceError(f"'{text}' in the column {column} is no {'day' if column == 'visit_day' else 'date (YYYY-MM-DD)'}.") from error
