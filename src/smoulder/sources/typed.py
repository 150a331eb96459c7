"""An opened table to a typed one: each column read by its kind, the faults kept with their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from smoulder.findings import Finding
from smoulder.loaded import NEEDED_OF_PATIENTS, ONSET_ADVICE, Table
from smoulder.sources.columns import Chosen, columns_of
from smoulder.sources.dates import parse_days
from smoulder.sources.files import Opened
from smoulder.sources.ids import encoded, id_texts
from smoulder.sources.numbers import Decimal, parse_counts, parse_flags, parse_numbers, parse_scores, parse_text
from smoulder.sources.parsed import Issue, Parsed
from smoulder.tables import Column
from smoulder.terms import MEASURES, Calendar, Measure


@dataclass(frozen=True, eq=False, kw_only=True)
class Read:
    """The columns of one table, read one by one and not yet put together."""

    name: str
    opened: Opened
    chosen: Chosen
    raw: pl.DataFrame
    """The used columns as written, under our names."""
    ids: pl.Series
    """(n_rows,) Enum."""
    parsed: dict[str, Parsed]
    """Our name -> column read; without `patient`."""
    extra: pl.DataFrame
    """Other columns to keep (patients), or that hold relapses (visits), as written."""
    row: pl.Series
    empty_rows: int
    measures: tuple[Measure, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The columns that could not be read at all."""
        return tuple(ours for ours, parsed in self.parsed.items() if parsed.values is None)


def read_columns(
    name: str,
    opened: Opened,
    chosen: Chosen,
    *,
    formats: Mapping[str, str],
    decimal: Decimal | None,
    measures: Sequence[Measure],
    extra: Sequence[str] = (),
) -> Read:
    """Return the columns of a table, each read by its kind.

    Parameters
    ----------
    formats
        Our name of a column of days -> its stated format.
    extra
        Columns of the file to keep as they are.
    """
    taken = opened.take(list(dict.fromkeys([*chosen.columns.values(), *extra])))
    row = pl.Series("row", np.arange(opened.first_row, opened.first_row + taken.height, dtype=np.uint32))
    taken, row, empty_rows = _without_empty_rows(taken, row, chosen.columns["patient"])
    used = [column for column in columns_of(name, measures) if column.name in chosen.columns and column.name != "patient"]
    raw = taken.select(pl.col(chosen.columns[column.name]).alias(column.name) for column in used)
    others = taken.select(extra)
    ids = encoded(id_texts(taken[chosen.columns["patient"]], opened.label)).alias("patient")
    del taken
    own = {measure.key: measure for measure in measures}
    parsed = {column.name: _parsed(column, raw[column.name], MEASURES | own, formats, decimal) for column in used}
    return Read(
        name=name,
        opened=opened,
        chosen=chosen,
        raw=raw,
        ids=ids,
        parsed=parsed,
        extra=others,
        row=row,
        empty_rows=empty_rows,
        measures=tuple((MEASURES | own)[column.name] for column in used if column.kind == "score"),
    )


def _without_empty_rows(taken: pl.DataFrame, row: pl.Series, patient: str) -> tuple[pl.DataFrame, pl.Series, int]:
    """Leave out rows with nothing in them, such as the last lines of a sheet."""
    unnamed = taken[patient].is_null().arg_true()
    if not len(unnamed):
        return taken, row, 0
    nothing = taken[unnamed].select(pl.all_horizontal(_is_blank(dtype, name) for name, dtype in taken.schema.items()).alias("n"))["n"]
    if not nothing.any():
        return taken, row, 0
    keep = np.ones(taken.height, dtype=np.bool_)
    keep[unnamed.filter(nothing).to_numpy()] = False
    return taken.filter(keep), row.filter(pl.Series(keep)), int(nothing.sum())


def _is_blank(dtype: pl.DataType, name: str) -> pl.Expr:
    if dtype == pl.String:
        return pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")
    return pl.col(name).is_nan() | pl.col(name).is_null() if dtype.is_float() else pl.col(name).is_null()


def _parsed(
    column: Column, series: pl.Series, measures: Mapping[str, Measure], formats: Mapping[str, str], decimal: Decimal | None
) -> Parsed:
    if column.kind == "day":
        return parse_days(series, formats.get(column.name))
    if column.kind == "score":
        return parse_scores(series, measures[column.name], decimal)
    if column.kind == "flag":
        return parse_flags(series)
    if column.kind == "count":
        return parse_counts(series, decimal)
    if column.kind == "number":
        return parse_numbers(series, decimal)
    return parse_text(series)


def joined(read: Read, ids: pl.Series) -> Table:
    """Return a table of the columns that could be read, with its tidied ids."""
    values = [parsed.values.alias(ours) for ours, parsed in read.parsed.items() if parsed.values is not None]
    extra = [read.extra[name] for name in read.extra.columns if read.name == "patients" and name not in ("row", "patient", *read.parsed)]
    needed = [p for ours, p in read.parsed.items() if read.name != "patients" or ours in NEEDED_OF_PATIENTS]
    faults = [i.at for p in needed for i in p.issues if i.level == "error" and i.at is not None]
    faulty = None
    if faults:
        faulty = pl.DataFrame([at.alias(str(n)) for n, at in enumerate(faults)]).select(pl.any_horizontal(pl.all()).alias("faulty"))[
            "faulty"
        ]
    return Table(
        name=read.name,
        origin=read.opened.label,
        frame=pl.DataFrame([read.row, ids.alias("patient"), *values, *extra]),
        raw=read.raw,
        columns=read.chosen.columns,
        unused=read.chosen.unused,
        faulty=faulty,
        measures=tuple(measure for measure in read.measures if measure.key not in read.broken),
        rows_read=len(read.row) + read.empty_rows,
        empty_rows=read.empty_rows,
    )


def findings_of(table: Table, read: Read, of_ids: Sequence[Issue]) -> list[Finding]:
    """Return what was found while reading a table's columns."""
    issues = [(ours, issue) for ours, parsed in read.parsed.items() for issue in parsed.issues]
    found = [as_finding(table, "patient", issue) for issue in of_ids] + [as_finding(table, ours, issue) for ours, issue in issues]
    notes = [
        table.finding("notice", code=code, problem=note, advice="Nothing to do if names and ids look right.")
        for code, note in read.opened.notes
    ]
    return notes + found


def as_finding(table: Table, ours: str, issue: Issue) -> Finding:
    """Return an issue as a finding of a table."""
    at = issue.at
    advice = ONSET_ADVICE if (table.name, ours) == ("relapses", "date") and at is not None and issue.level == "error" else issue.advice
    found = None
    if ours == "patient" and at is not None:
        found = pl.Series([""]).gather(pl.repeat(0, int(at.sum()), dtype=pl.UInt32, eager=True))
    return table.finding(issue.level, code=issue.code, problem=issue.problem, advice=advice, column=ours, at=at, found=found)


def calendars(read: Read) -> dict[str, Calendar]:
    """Return the calendar of each column of days that has any."""
    return {ours: parsed.calendar for ours, parsed in read.parsed.items() if parsed.calendar is not None and parsed.values is not None}


def relapses_on_visits(visits: Read, columns: Mapping[str, str], formats: Mapping[str, str]) -> Read:
    """Return the relapses that a visits table gives on its rows: one for each row with a relapse's day."""
    raw = visits.extra.select(pl.col(theirs).alias(ours) for ours, theirs in columns.items())
    day = raw["date"]
    written = day.is_not_null() & (day.cast(pl.String).str.strip_chars() != "")
    raw = raw.filter(written)
    chosen = Chosen(
        columns={"patient": visits.chosen.columns["patient"], **columns},
        decided_by=dict.fromkeys(("patient", *columns), "name"),
        unused=(),
    )
    return Read(
        name="relapses",
        opened=visits.opened,
        chosen=chosen,
        raw=raw,
        ids=visits.ids.filter(written),
        parsed={ours: parse_days(raw[ours], formats.get(ours)) for ours in columns},
        extra=pl.DataFrame(),
        row=visits.row.filter(written),
        empty_rows=0,
        measures=(),
    )
