"""What is counted in a study: outcomes, and published curves to hold them against."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.protocol.entry import Key, Names
from smoulder.rulebook.parts import AsTuple, Days, Part, listed

EventKind = Literal["worsening", "PIRA", "RAW", "improvement", "undefined worsening", "undetermined worsening"]


class Aim(Part):
    """What all outcomes have."""

    key: Key
    title: str
    """As tables and figures name it."""
    death_competes: bool = True
    """Whether death competes with it in cumulative incidence, where the tables state deaths."""


class DisabilityAim(Aim):
    """The first event of a kind under a definition."""

    kind: Literal["disability"]
    definition: str
    """Key of a definition."""
    event: EventKind
    competing: Annotated[tuple[EventKind, ...], AsTuple] = ()
    """Events of the same definition after which the person is no longer at risk of a first event of this kind."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.event in self.competing:
            raise ValueError("an event cannot compete with itself")
        return self

    def prose(self) -> str:
        """Return the outcome in words."""
        ends = f"; {listed(self.competing)} competed with it" if self.competing else ""
        return f"{self.title}: the first {self.event} under {self.definition}, dated by its onset{ends}"


class MilestoneAim(Aim):
    """A score first reached and confirmed, such as EDSS 6."""

    kind: Literal["milestone"]
    measure: str = "edss"
    score: float
    confirmed_after_days: Days = 168

    def prose(self) -> str:
        """Return the outcome in words."""
        return (
            f"{self.title}: {self.measure.upper()} {self.score:g} first reached, confirmed after {self.confirmed_after_days} days or more"
        )


class ProgressionAim(Aim):
    """Secondary progression by the data-derived definition (Lorscheider 2016)."""

    kind: Literal["secondary progression"]
    functional_systems: bool = False
    """Whether the leading functional system must have worsened too."""

    def prose(self) -> str:
        """Return the outcome in words."""
        with_systems = "with" if self.functional_systems else "without"
        return f"{self.title}: secondary progression by the data-derived definition (Lorscheider 2016, {with_systems} functional systems)"


class RelapseAim(Aim):
    """The first relapse after time zero."""

    kind: Literal["relapse"]

    def prose(self) -> str:
        """Return the outcome in words."""
        return f"{self.title}: the first relapse after time zero"


class TreatmentAim(Aim):
    """The start of a treatment after time zero."""

    kind: Literal["treatment start"]
    any_of: Names = ()
    """Names; none: any treatment that is not the one of time zero, and that one where it begins anew after it."""

    def prose(self) -> str:
        """Return the outcome in words."""
        what = listed(self.any_of, "or") if self.any_of else "another treatment, or of a new period on the same one,"
        return f"{self.title}: the start of {what} after time zero"


AnyAim = Annotated[DisabilityAim | MilestoneAim | ProgressionAim | RelapseAim | TreatmentAim, Field(discriminator="kind")]


class ReferenceCurve(Part):
    """A published course of an outcome, as data with its source."""

    key: Key
    title: str
    source: str
    """Citation, and where in it the numbers stand."""
    population: str
    """Whose course it is."""
    yearly_hazard: Annotated[float, Field(gt=0)] | None = None
    """Constant hazard per person-year; or `years` and `share`."""
    years: Annotated[tuple[float, ...], AsTuple] = ()
    share: Annotated[tuple[float, ...], AsTuple] = ()
    """Share with the event by each of `years`."""
    time_zero: str
    """From when the published course counts, in words."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.yearly_hazard is None) == (not self.years):
            raise ValueError("say yearly_hazard, or years and share")
        rising = all(a <= b for a, b in zip(self.share, self.share[1:], strict=False))
        years_rise = all(a < b for a, b in zip(self.years, self.years[1:], strict=False))
        within = all(0 <= part <= 1 for part in self.share)
        if len(self.years) != len(self.share) or not rising or not years_rise or not within:
            raise ValueError("years and share must be of one length and rise, and shares lie from 0 to 1")
        return self
