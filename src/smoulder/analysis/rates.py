"""Rates per 100 person-years with exact limits, and shares with Wilson's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from smoulder.analysis.library import poisson_limits
from smoulder.analysis.words import grouped, outcome_notes, people
from smoulder.errors import UsageError, agreed
from smoulder.estimates import DAYS_A_YEAR, RATE_SCHEMA, SHARE_SCHEMA, Episodes, Rates, Shares, SurvivalOutcome, as_frame
from smoulder.events import Proportion

PER_YEARS = 100
"""Rates are stated for this many person-years."""

NO_TIME = "There are no person-years, so there is no rate."


def incidence_rates(outcomes: SurvivalOutcome | Sequence[SurvivalOutcome], *, by: str | None = None) -> Rates:
    """Return first events per 100 person-years at risk, of each of `outcomes` and each group of column `by`.

    Limits (95 %) are exact for a Poisson count (Garwood 1936, Biometrika 28:437); with no event the rate is 0 and has an upper limit
    only above it. A year is 365.25 days. Raises UsageError for a column that does not exist. Equals R survival 3.5 `cipoisson`.

    >>> import numpy as np, polars as pl
    >>> from smoulder.estimates import SurvivalOutcome
    >>> names = pl.Series(["p1", "p2"])
    >>> outcome = SurvivalOutcome(name="first PIRA", patients=names, time=np.array([731, 730], np.int32),
    ...     cause=np.array([1, 0], np.int8), causes=("PIRA",), reason=pl.Series(["PIRA", "last visit"]),
    ...     free=np.array([600, 730], np.int32), people=pl.DataFrame({"patient": names}))
    >>> incidence_rates(outcome).table.select("events", "person_years", "rate").row(0)
    (1, 4.0, 25.0)
    """
    several = (outcomes,) if isinstance(outcomes, SurvivalOutcome) else tuple(outcomes)
    rows: list[dict[str, Any]] = []
    notes: tuple[str, ...] = ()
    for outcome in several:
        groups, found = grouped(outcome.people, by)
        notes += (*outcome_notes(outcome), *found)
        for name, mask in groups:
            days = int(outcome.time[mask].sum(dtype=np.int64))
            rows.append(rate_row(name, outcome.name, int(mask.sum()), int(outcome.event[mask].sum()), days))
    return Rates(
        title="Events per 100 person-years",
        method="Rates are first events per 100 person-years at risk with exact Poisson 95 % limits.",
        table=as_frame(rows, RATE_SCHEMA),
        notes=tuple(dict.fromkeys(notes)),
    )


def recurrent_rates(episodes: Episodes | Sequence[Episodes], *, by: str | None = None) -> Rates:
    """Return all events, also repeated ones, of `episodes` per 100 person-years under observation, of each group of column `by`.

    A group may change over time: events and person-years count where they fall. The exact limits take events as independent of each
    other, which repeated events of a person rarely are; a note says so.
    """
    several = (episodes,) if isinstance(episodes, Episodes) else tuple(episodes)
    rows: list[dict[str, Any]] = []
    notes: tuple[str, ...] = ()
    for one in several:
        table = one.table
        groups, found = grouped(table, by)
        if found and by is not None:
            n_without = table.filter(table[by].is_null())["patient"].n_unique()
            verb = agreed(n_without, "is", "are")
            found = (f"{people(n_without)} without a value of '{by}', in some or all episodes, {verb} in no group for that time.",)
        notes += (*one.notes, *found)
        days = (table["stop_day"] - table["start_day"]).to_numpy()
        event = table["event"].to_numpy()
        person = table["patient"].rank("dense").to_numpy()
        for name, mask in groups:
            n_people = int(np.unique(person[mask]).size)
            rows.append(rate_row(name, one.name, n_people, int(event[mask].sum()), int(days[mask].sum(dtype=np.int64))))
        if one.recurrent:
            notes += (
                f"{one.name}: the limits take all events as independent (a Poisson count). Where some people have many events they are too "
                "narrow; the negative binomial and the Andersen-Gill model allow for that.",
            )
    return Rates(
        title="Events per 100 person-years, repeated events included",
        method="Rates are all events per 100 person-years under observation with exact Poisson 95 % limits.",
        table=as_frame(rows, RATE_SCHEMA),
        notes=tuple(dict.fromkeys(notes)),
    )


def rate_row(group: str, what: str, n_people: int, events: int, days: int) -> dict[str, Any]:
    """Return one row of RATE_SCHEMA; `days` are person-days."""
    years = days / DAYS_A_YEAR
    row: dict[str, Any] = {"group": group, "what": what, "people": n_people, "events": events, "person_years": years, "why": ""}
    if days <= 0:
        return row | {"why": NO_TIME}
    lower, upper = poisson_limits(events, years)
    return row | {"rate": PER_YEARS * events / years, "lower": PER_YEARS * lower, "upper": PER_YEARS * upper}


def shares(rows: Sequence[tuple[str, str, int, int, float | None]], title: str, method: str = "") -> Shares:
    """Return shares with Wilson's 95 % limits; each row is group, what, n, out of how many, person-years (None: not stated).

    Raises UsageError where n is not between 0 and what it is out of.

    >>> shares([("all", "PIRA", 44, 184, 500.0)], "PIRA").table["share"].round(4).item()
    0.2391
    """
    made: list[dict[str, Any]] = []
    notes = []
    for group, what, n, out_of, years in rows:
        if not 0 <= n <= out_of:
            raise UsageError(f"A share needs a count from 0 to what it is out of; '{what}' in '{group}' has {n} of {out_of}.")
        row: dict[str, Any] = {"group": group, "what": what, "n": n, "out_of": out_of, "person_years": years}
        interval = Proportion(numerator=n, denominator=out_of).interval
        if interval is None:
            notes.append(f"There is no share for '{what}' in '{group}': nobody could have it.")
        else:
            row |= {"share": n / out_of, "lower": interval[0], "upper": interval[1]}
        made.append(row)
    return Shares(
        title=title,
        method=method or "Shares have Wilson's 95 % limits (Wilson 1927, J Am Stat Assoc 22:209).",
        table=as_frame(made, SHARE_SCHEMA),
        notes=tuple(notes),
    )
