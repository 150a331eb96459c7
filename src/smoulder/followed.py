"""Who entered a study, from when to when each is observed, and how everybody else was left out: `Followed`."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from smoulder.errors import counted
from smoulder.provenance import Provenance
from smoulder.tables import Cohort


@dataclass(frozen=True, kw_only=True)
class FlowStep:
    """One step on the way from the tables to the people who are analysed."""

    key: str
    """Key of the criterion, or "tables", "time-zero", "starting-visit", "observed"."""
    text: str
    """The step in words, such as "had course RRMS"."""
    left_out: int
    """People who did not pass it."""
    unknown: int
    """Of those left out: people of whom it is not known."""
    remaining: int
    """People after it."""
    note: str = ""
    """Why the step was not applied, where it was not; or what else the reader must know."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Followed:
    """The people of a study and their time."""

    cohort: Cohort
    """Those who entered, in the order of `people`: visits from the starting visit on (after the end only to confirm), all relapses."""
    history: Cohort
    """The same people with all their visits."""
    people: pl.DataFrame
    """One row a person, sorted: patient, zero_day, start_day (the starting visit), end_day (last day observed), end_reason, last_visit_day
    (the last visit on or before end_day), death_day (null: none known), index_treatment (text, null), and each thing known, by its key."""
    flow: tuple[FlowStep, ...]
    notes: tuple[str, ...]
    """What the reader must know of how people entered, as sentences."""
    provenance: Provenance

    def __repr__(self) -> str:
        return f"<Followed: {counted(self.people.height, 'person', 'people')} of {self.flow[0].remaining:,}>"

    @property
    def n(self) -> int:
        """Number of people who entered."""
        return self.people.height

    def flow_frame(self) -> pl.DataFrame:
        """Return the flow, one row a step."""
        names = ("key", "text", "left_out", "unknown", "remaining", "note")
        return pl.DataFrame(
            [{name: getattr(step, name) for name in names} for step in self.flow],
            schema={
                "key": pl.String,
                "text": pl.String,
                "left_out": pl.Int64,
                "unknown": pl.Int64,
                "remaining": pl.Int64,
                "note": pl.String,
            },
        )
