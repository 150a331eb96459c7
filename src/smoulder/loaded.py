"""Tables as they were read: typed, with the row and the text every value came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.findings import CASE_SCHEMA, Finding, FoundColumn, Level
from smoulder.tables import SameDay
from smoulder.terms import Calendar, Measure

DAY_OFFSET = 2**31
"""Added to a day so that it is never negative in a key."""

DAY_COLUMN = {"visits": "date", "relapses": "date", "mri": "date", "treatments": "start_date"}
"""The day by which the rows of a table are ordered."""

NEEDED_OF_PATIENTS = ("relapses_recorded_from", "relapses_recorded_to", "time_zero")
"""The columns of the patients on which an analysis rests; the others, treatments and scans are only carried along."""

REPEATED = re.compile(r"_duplicated_\d+$")
"""What reading adds to the name of a column that is there twice."""

ONSET_ADVICE = (
    "Give the best estimate of the day, or set the patient aside (keep_going=True, --keep-going): without the relapse, "
    "a worsening of that patient may be called PIRA."
)
"""What to do about a relapse whose day is not known: never to leave it out."""

INVISIBLE = r"\s\u{00ad}\u{180e}\u{200b}-\u{200f}\u{2060}\u{feff}"
"""Inside [] of a pattern: blanks of every width, and signs that show nothing at all."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Keys:
    """The rows of a table that have a patient and a day, sorted by both."""

    key: NDArray[np.int64]
    """(n,) patient code << 32 | day + DAY_OFFSET, ascending."""
    position: NDArray[np.uint32] | None
    """(n,) place of each key's row in the table; None where every row counts and they are in order already."""

    @property
    def code(self) -> NDArray[np.int64]:
        """(n,) code of the patient: the position in `Table.ids`."""
        return self.key >> 32

    @property
    def day(self) -> NDArray[np.int32]:
        """(n,) day."""
        return days_in(self.key)

    def positions(self) -> NDArray[np.uint32]:
        """Return (n,) the place of each key's row in the table."""
        return np.arange(len(self.key), dtype=np.uint32) if self.position is None else self.position


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """One table as read, in the order of its file."""

    name: str
    """"visits", "relapses", ..."""
    origin: str
    """The file, sheet or frame it came from."""
    frame: pl.DataFrame
    """row (UInt32, as a spreadsheet shows it), patient (Enum of the sorted ids), then our columns: days and scores Int32."""
    raw: pl.DataFrame
    """The same rows as they were written, under our names; without `patient`."""
    columns: dict[str, str]
    """Our name -> name in the file."""
    unused: tuple[str, ...] = ()
    """The file's other columns."""
    faulty: pl.Series | None = None
    """(n_rows,) whether a value of the row could not be read; None where all could."""
    measures: tuple[Measure, ...] = ()
    """The measures of the visits."""
    rows_read: int = 0
    """Rows in the file."""
    empty_rows: int = 0
    """Rows without anything in them, left out of `frame`."""

    @cached_property
    def ids(self) -> pl.Series:
        """(n_ids,) the patients' ids, sorted; kept, because asking for the type of an Enum of a million ids takes 50 ms."""
        dtype = self.frame["patient"].dtype
        assert isinstance(dtype, pl.Enum)
        return dtype.categories

    def scored(self) -> pl.Series:
        """Return (n_rows,) whether the row has a score of any measure."""
        return self.frame.select(pl.any_horizontal(pl.col(m.key).is_not_null() for m in self.measures).alias("scored"))["scored"]

    @cached_property
    def keys(self) -> Keys:
        """The rows that count, sorted by patient and day; rows of one day stay in the order of the file."""
        day = self.frame[DAY_COLUMN[self.name]]
        usable = self.frame["patient"].is_not_null() & day.is_not_null()
        if self.name == "visits":
            usable &= self.scored()
        if self.faulty is not None:
            usable &= ~self.faulty
        codes = self.frame["patient"].to_physical()
        if usable.all():
            return sorted_keys(codes.to_numpy(), day.to_numpy(), None)
        at = usable.arg_true()
        return sorted_keys(codes.gather(at).to_numpy(), day.gather(at).to_numpy(), at.cast(pl.UInt32).to_numpy())

    def cases(self, at: pl.Series, column: str = "", found: pl.Series | None = None) -> pl.DataFrame:
        """Return the cases of a finding.

        Parameters
        ----------
        at
            (n_rows,) Boolean, or positions of rows.
        column
            Our name of the column whose text is quoted; "" quotes nothing.
        found
            (n_cases,) the texts to show instead.
        """
        positions = at.arg_true() if at.dtype == pl.Boolean else at
        if found is None:
            found = self._quoted(column, positions)
        return pl.DataFrame(
            {
                "row": self.frame["row"].gather(positions).cast(pl.Int64),
                "patient": self.frame["patient"].gather(positions).cast(pl.String),
                "found": found.cast(pl.String),
            },
            schema=CASE_SCHEMA,
        )

    def _quoted(self, column: str, positions: pl.Series) -> pl.Series:
        if column in self.raw.columns:
            return self.raw[column].gather(positions).cast(pl.String, strict=False).fill_null("")
        return pl.repeat("", len(positions), dtype=pl.String, eager=True)

    def finding(
        self,
        level: Level,
        *,
        code: str,
        problem: str,
        advice: str,
        column: str = "",
        at: pl.Series | None = None,
        found: pl.Series | None = None,
    ) -> Finding:
        """Return a finding about this table; `column` is our name and `at` the rows (see `cases`)."""
        cases = pl.DataFrame(schema=CASE_SCHEMA) if at is None else self.cases(at, column, found)
        return Finding(
            level=level,
            code=code,
            table=self.name,
            column=self.columns.get(column, column),
            problem=problem,
            advice=advice,
            cases=cases,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Loaded:
    """All tables of a cohort as read, and what was found while reading them."""

    tables: dict[str, Table]
    """The tables that can be used, by name."""
    unusable: dict[str, int] = field(default_factory=dict)
    """The tables that cannot (a column is missing or unreadable), with their number of rows."""
    calendar: Calendar = "date"
    measures: tuple[Measure, ...] = ()
    """The caller's own measures."""
    same_day: SameDay = "error"
    nobody_relapsed: bool = False
    findings: tuple[Finding, ...] = ()
    columns: tuple[FoundColumn, ...] = ()


def plain_name(name: str) -> str:
    """Return a column's name as it is compared: lower case, letters and digits only.

    >>> plain_name("Visit_Date "), plain_name("9-HPT.mean")
    ('visitdate', '9hptmean')
    """
    return re.sub(r"[^a-z0-9]", "", REPEATED.sub("", name.strip()).lower())


def sorted_keys(codes: NDArray[np.uint32], days: NDArray[np.int32], position: NDArray[np.uint32] | None) -> Keys:
    """Return the keys of rows, sorted; equal keys stay in their order."""
    key = codes.astype(np.int64)
    key <<= 32
    key += days
    key += DAY_OFFSET
    if (key[1:] >= key[:-1]).all():
        return Keys(key=key, position=position)
    order = np.argsort(key, kind="stable").astype(np.uint32)
    return Keys(key=key[order], position=order if position is None else position[order])


def days_in(key: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the days of keys."""
    return ((key & 0xFFFFFFFF) - DAY_OFFSET).astype(np.int32)
