"""What a statistical analysis works on and finds: `SurvivalOutcome`, and the estimates made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import UsageError, counted
from smoulder.provenance import Provenance

DAYS_A_YEAR = 365.25

Scale = Literal["hazard ratio", "subdistribution hazard ratio", "rate ratio", "odds ratio", "time ratio", "mean ratio"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SurvivalOutcome:
    """Time to a first event, one row a person, with the reason why the observation of each person ended."""

    name: str
    """What the event is, in a few words, such as "first PIRA"."""
    patients: pl.Series
    """(n,) text ids, sorted."""
    time: NDArray[np.int32]
    """(n,) days from time zero to the event or to the end of observation; above 0."""
    cause: NDArray[np.int8]
    """(n,) 0: censored; k: the event `causes[k - 1]`."""
    causes: tuple[str, ...]
    """The event asked about first, then the ones that compete with it; one only where nothing competes."""
    reason: pl.Series
    """(n,) text: the cause of those with an event, otherwise why they were censored, such as "last visit" or "treatment stopped"."""
    free: NDArray[np.int32]
    """(n,) days from time zero to the last visit at which the person was known to be free of the event; at most `time`.

    The event happened after it and by `time`: interval censoring. Equal to `time` where censored.
    """
    people: pl.DataFrame
    """patient, and what is known of each at time zero (groups, covariates); in the order of `patients`."""
    left_out: tuple[tuple[str, int], ...] = ()
    """Why people of the study have no row here, and how many: such as no visit after time zero."""
    notes: tuple[str, ...] = ()
    """What else the reader must know, as sentences."""
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        n = len(self.patients)
        if self.cause.dtype != np.int8:
            raise TypeError(
                f"cause must be an array of small integers (int8); got {self.cause.dtype}. "
                "Was a time, or an ADaM CNSR column (where 0 means event), passed by mistake?"
            )
        lengths = {len(self.time), len(self.cause), len(self.reason), len(self.free), self.people.height}
        if lengths != {n}:
            raise ValueError(f"an outcome of {n} people needs {n} times, causes, reasons and rows; got {sorted(lengths)}")
        if n and (self.time.min() <= 0 or (self.free > self.time).any() or self.cause.min() < 0 or self.cause.max() > len(self.causes)):
            raise ValueError("times must be above 0, `free` at most `time`, and causes among `causes`")

    def __repr__(self) -> str:
        return f"<SurvivalOutcome: {self.name}, {counted(self.n, 'person', 'people')}, {counted(self.n_events, 'event')}>"

    @property
    def n(self) -> int:
        """Number of people."""
        return len(self.patients)

    @property
    def event(self) -> NDArray[np.bool_]:
        """(n,) True where the event asked about was seen; those with a competing event count as censored."""
        return self.cause == 1

    @property
    def n_events(self) -> int:
        """Number of people with the event asked about."""
        return int(self.event.sum())

    @property
    def person_years(self) -> float:
        """Person-years at risk; a year is 365.25 days."""
        return int(self.time.sum(dtype=np.int64)) / DAYS_A_YEAR

    def only(self, keep: NDArray[np.bool_]) -> SurvivalOutcome:
        """Return the outcome of the people at which `keep`, (n,), is True."""
        mask = pl.Series(keep)
        return replace(
            self,
            patients=self.patients.filter(mask),
            time=self.time[keep],
            cause=self.cause[keep],
            reason=self.reason.filter(mask),
            free=self.free[keep],
            people=self.people.filter(mask),
        )

    def groups(self, by: str | None) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
        """Return the groups of a column of `people` and who is in each, (n,); one group "all" where `by` is None.

        Groups come in the order of the column's categories (`pl.Enum`), otherwise sorted; people without a value are in none.
        Raises UsageError where there is no such column.
        """
        if by is None:
            return (("all", np.ones(self.n, dtype=np.bool_)),)
        if by not in self.people.columns:
            raise UsageError(f"There is no column '{by}' of the people; there are {', '.join(self.people.columns[1:]) or 'none'}.")
        column = self.people[by]
        if isinstance(column.dtype, pl.Enum):
            present = set(column.drop_nulls().cast(pl.String).to_list())
            names = [name for name in column.dtype.categories.to_list() if name in present]
        else:
            names = [str(value) for value in column.drop_nulls().unique().sort().to_list()]
        text = column.cast(pl.String)
        return tuple((name, (text == name).fill_null(False).to_numpy()) for name in names)

    def frame(self) -> pl.DataFrame:
        """Return one row a person: patient, time_days, event, cause, reason, free_days, and what is known of each."""
        names = pl.Series("cause", ["", *self.causes])
        return pl.DataFrame(
            {
                "patient": self.patients,
                "time_days": self.time,
                "event": self.event,
                "cause": names.gather(self.cause.astype(np.int64)),
                "reason": self.reason,
                "free_days": self.free,
            }
        ).hstack(self.people.drop("patient").get_columns())


@dataclass(frozen=True, kw_only=True)
class Term:
    """One term of a model: a column of the people, and how its effect is stated."""

    column: str
    title: str
    """As tables and figures name it, such as "age"."""
    per: float = 1.0
    """Of a number: the step that the effect is stated for, such as 10 (years)."""
    unit: str = ""
    """Of a number: its unit, such as "years"."""
    reference: str | None = None
    """Of groups: the level compared with; None: the first."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Episodes:
    """Follow-up cut into stretches in which everything known of a person stays the same: for recurrent events, and for what changes."""

    name: str
    """What the event is."""
    table: pl.DataFrame
    """patient, start_day, stop_day (days from time zero, stop above start), event (whether it happened at stop), and covariates; sorted."""
    recurrent: bool
    """Whether a person stays at risk after an event."""
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        needed = {"patient": pl.String, "start_day": pl.Int32, "stop_day": pl.Int32, "event": pl.Boolean}
        wrong = [name for name, dtype in needed.items() if self.table.schema.get(name) != dtype]
        if wrong:
            raise TypeError(f"episodes need the columns {', '.join(f'{name} ({dtype})' for name, dtype in needed.items())}; wrong: {wrong}")
        if (self.table["stop_day"] <= self.table["start_day"]).any():
            raise ValueError("an episode must stop after it starts")

    @property
    def n(self) -> int:
        """Number of people."""
        return self.table["patient"].n_unique()

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.table["event"].sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimate:
    """What one analysis found: a table, how it was made, and what could not be estimated."""

    title: str
    method: str
    """How it was made, as sentences for a methods paragraph."""
    table: pl.DataFrame
    """One row an estimate; all columns are there also where nothing could be estimated. A cell that does not exist is null."""
    notes: tuple[str, ...] = ()
    """What the reader must know, as sentences; why an estimate is missing is among them."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title}, {counted(self.table.height, 'row')}>"


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve(Estimate):
    """Curves over time, one a group (and cause), with confidence limits and numbers at risk.

    `table`: group, cause (text), day, at_risk, events, censored, estimate, lower, upper. The first row of each curve is day 0.
    `estimate` is the share free of the event (`kind` "survival"), the share with the event ("incidence") or the mean number of
    events a person ("mean count"). `lower` and `upper` are the pointwise 95 % limits, null where there is none.
    """

    kind: Literal["survival", "incidence", "mean count"]
    outcome: str
    """What is counted, such as "first PIRA"."""
    quantiles: pl.DataFrame
    """group, cause, n, events, median_days, lower_days, upper_days, restricted_mean_days, restricted_to_days, standard_error_days; null
    where not reached."""
    at_days: pl.DataFrame
    """group, cause, day, at_risk, estimate, lower, upper: the curve at the days asked for; null after the end of follow-up of a group."""
    tests: pl.DataFrame
    """test, statistic, df, p; no row where there is one group, or no test exists."""
    differences: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DIFFERENCE_SCHEMA))
    """group, against, day, what ("restricted mean"), difference, lower, upper, p."""


CURVE_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.String(),
    "cause": pl.String(),
    "day": pl.Int32(),
    "at_risk": pl.Int64(),
    "events": pl.Int64(),
    "censored": pl.Int64(),
    "estimate": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
}
QUANTILE_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.String(),
    "cause": pl.String(),
    "n": pl.Int64(),
    "events": pl.Int64(),
    "median_days": pl.Float64(),
    "lower_days": pl.Float64(),
    "upper_days": pl.Float64(),
    "restricted_mean_days": pl.Float64(),
    "restricted_to_days": pl.Int32(),
    "standard_error_days": pl.Float64(),
}
AT_DAYS_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.String(),
    "cause": pl.String(),
    "day": pl.Int32(),
    "at_risk": pl.Int64(),
    "estimate": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
}
TEST_SCHEMA: dict[str, pl.DataType] = {"test": pl.String(), "statistic": pl.Float64(), "df": pl.Float64(), "p": pl.Float64()}
DIFFERENCE_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.String(),
    "against": pl.String(),
    "day": pl.Int32(),
    "what": pl.String(),
    "difference": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "p": pl.Float64(),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Effects(Estimate):
    """What a model says of each term.

    `table`: model (text, such as "adjusted"), outcome, term, level (of a group; "" for a number), against (reference level; for a
    number the step, such as "10 years more"), n, events, estimate, lower, upper, p, why (text: why there is no estimate; else "").
    """

    scale: Scale
    checks: pl.DataFrame
    """model, outcome, term, statistic, df, p: the test of proportional hazards; no row where the model assumes none."""
    references: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFERENCE_SCHEMA))
    """model, outcome, term, level, n, events: the level compared with of each term of groups, which has no row in `table`; note: the
    sentence of `notes` that says the same."""


EFFECT_SCHEMA: dict[str, pl.DataType] = {
    "model": pl.String(),
    "outcome": pl.String(),
    "term": pl.String(),
    "level": pl.String(),
    "against": pl.String(),
    "n": pl.Int64(),
    "events": pl.Int64(),
    "estimate": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "p": pl.Float64(),
    "why": pl.String(),
}
REFERENCE_SCHEMA: dict[str, pl.DataType] = {
    "model": pl.String(),
    "outcome": pl.String(),
    "term": pl.String(),
    "level": pl.String(),
    "n": pl.Int64(),
    "events": pl.Int64(),
    "note": pl.String(),
}
CHECK_SCHEMA: dict[str, pl.DataType] = {
    "model": pl.String(),
    "outcome": pl.String(),
    "term": pl.String(),
    "statistic": pl.Float64(),
    "df": pl.Float64(),
    "p": pl.Float64(),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Rates(Estimate):
    """Events per 100 person-years.

    `table`: group, what, people, events, person_years, rate (per 100 person-years), lower, upper (exact 95 % limits), why.
    """


RATE_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.String(),
    "what": pl.String(),
    "people": pl.Int64(),
    "events": pl.Int64(),
    "person_years": pl.Float64(),
    "rate": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "why": pl.String(),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Shares(Estimate):
    """People with something, out of how many.

    `table`: group, what, n, out_of, share, lower, upper (Wilson 95 % limits; null with nothing in the denominator), person_years.
    """


SHARE_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.String(),
    "what": pl.String(),
    "n": pl.Int64(),
    "out_of": pl.Int64(),
    "share": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "person_years": pl.Float64(),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class TableOne(Estimate):
    """The people at the start.

    `table`: variable, level ("" for a number), statistic ("n (%)", "mean (SD)", "median (quartiles)", "missing"), then one text
    column a group and "all" the first of them.
    """


def as_frame(rows: list[Mapping[str, Any]] | list[dict[str, Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return rows as a frame with the columns of `schema`, in its order; what a row does not say is null."""
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=dict(schema))
