"""What is computed in a study, in order, and what is drawn."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.protocol.entry import Key, Names
from smoulder.rulebook.parts import AsTuple, Days, Part

DayList = Annotated[tuple[Days, ...], AsTuple]


class Analysis(Part):
    """What all analyses have."""

    key: Key
    title: str


class CountsAnalysis(Analysis):
    """People and events of each label of a definition, with what they are out of; and the unconfirmed, undefined, undetermined."""

    kind: Literal["counts"]
    definition: str
    by: str | None = None
    """Key of what is `known`; None: everybody together."""


class TableOneAnalysis(Analysis):
    """The people at time zero."""

    kind: Literal["table one"]
    variables: Names
    by: str | None = None


class SurvivalAnalysis(Analysis):
    """Kaplan–Meier curves, log-rank test and restricted mean."""

    kind: Literal["survival"]
    outcomes: Names
    by: str | None = None
    at_days: DayList = ()
    restricted_to_days: Days | None = None


class IncidenceAnalysis(Analysis):
    """Cumulative incidence with competing events (Aalen–Johansen)."""

    kind: Literal["incidence"]
    outcome: str
    by: str | None = None
    at_days: DayList = ()


class RatesAnalysis(Analysis):
    """First events per 100 person-years, with exact limits."""

    kind: Literal["rates"]
    outcomes: Names
    by: str | None = None


class CoxAnalysis(Analysis):
    """Proportional hazards, with their check."""

    kind: Literal["cox"]
    outcomes: Names
    terms: Names
    each_alone: bool = True
    """Whether each term is fitted alone as well."""


class FineGrayAnalysis(Analysis):
    """Subdistribution hazards."""

    kind: Literal["fine gray"]
    outcome: str
    terms: Names


class Changing(Part):
    """Something that changes after time zero."""

    key: Key
    title: str
    what: Literal["relapse within", "relapses so far", "treated", "treatment"]
    """"relapse within": a relapse in the last `days`; "relapses so far": their number since time zero; "treated": whether treatment has
    started; "treatment": none, or its name."""
    days: Days | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.what == "relapse within") != (self.days is not None):
            raise ValueError("days goes with what = 'relapse within', and is needed there")
        return self


class ChangingAnalysis(Analysis):
    """Proportional hazards with things that change after time zero."""

    kind: Literal["changing"]
    outcome: str
    changing: Annotated[tuple[Changing, ...], AsTuple, Field(min_length=1)]
    terms: Names = ()
    windows: Literal["at risk", "not at risk", "both"] = "at risk"
    """Whether days on which the definition cannot find the event, because a relapse is near, count as time at risk; "both" gives the two
    estimates between which the effect lies if nothing else were wrong."""


class RecurrentAnalysis(Analysis):
    """All events of a kind: Andersen–Gill and the mean number of events."""

    kind: Literal["recurrent"]
    definition: str
    event: Literal["worsening", "PIRA", "RAW"]
    terms: Names = ()
    by: str | None = None
    at_days: DayList = ()


class IntervalAnalysis(Analysis):
    """Events happen between visits: interval-censored survival as a check of the curve."""

    kind: Literal["interval"]
    outcome: str
    terms: Names = ()
    by: str | None = None
    at_days: DayList = ()


class RelapseRateAnalysis(Analysis):
    """Relapse rates by negative-binomial regression."""

    kind: Literal["relapse rates"]
    terms: Names = ()
    by: str | None = None


class LogisticAnalysis(Analysis):
    """Who has the outcome at all, whenever: the cross-sectional question."""

    kind: Literal["logistic"]
    outcome: str
    terms: Names


class PeriodsAnalysis(Analysis):
    """Relapses or first events per person-year in periods since time zero."""

    kind: Literal["periods"]
    outcome: str | None = None
    """None: all relapses."""
    edges_days: Annotated[tuple[Days, ...], AsTuple, Field(min_length=2)]
    by: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.edges_days) != sorted(set(self.edges_days)):
            raise ValueError("edges_days must rise")
        return self


class ReboundAnalysis(Analysis):
    """Who has more relapses after time zero than before a treatment: rebound as Sorensen 2014 has it."""

    kind: Literal["rebound"]
    after_days: Annotated[int, Field(ge=1)] = 365
    """Days after time zero that are counted."""
    before_days: Annotated[int, Field(ge=1)] = 365
    """Days before the treatment began that are compared with."""


class AgainstAnalysis(Analysis):
    """An outcome held against a published course."""

    kind: Literal["against"]
    outcome: str
    reference: str
    at_days: DayList = ()


class ShareAnalysis(Analysis):
    """The share of all worsening events that have a label, its interval by bootstrap of patients."""

    kind: Literal["share"]
    definition: str
    event: Literal["PIRA", "RAW"] = "PIRA"
    replicates: Annotated[int, Field(ge=200, le=20_000)] = 2000
    seed: int = 2025


AnyAnalysis = Annotated[
    CountsAnalysis
    | TableOneAnalysis
    | SurvivalAnalysis
    | IncidenceAnalysis
    | RatesAnalysis
    | CoxAnalysis
    | FineGrayAnalysis
    | ChangingAnalysis
    | RecurrentAnalysis
    | IntervalAnalysis
    | RelapseRateAnalysis
    | LogisticAnalysis
    | PeriodsAnalysis
    | ReboundAnalysis
    | AgainstAnalysis
    | ShareAnalysis,
    Field(discriminator="kind"),
]


class FigurePart(Part):
    """One figure of the report."""

    kind: Literal["flow", "curves", "stack", "forest", "strip", "spread", "timeline"]
    """"curves", "stack" and "forest" draw the analysis `of`; "strip" is the whole cohort, a line a person; "spread" is the score over time;
    "timeline" is one person with an event."""
    of: str = ""
    """Key of an analysis; of "strip" and "timeline" that of a definition."""
    title: str = ""
    """None: that of the analysis."""
    measure: str = "edss"
    """Of "spread"."""
    by: str | None = None
    """Of "spread"."""
