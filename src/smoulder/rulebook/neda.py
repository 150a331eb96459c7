"""No evidence of disease activity: what NEDA-3 and NEDA-4 ask of a patient in a stretch of days."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.cited import CitedPart, made
from smoulder.rulebook.model import Definition, Source
from smoulder.rulebook.parts import AsTuple, Days, Part, days_text, listed
from smoulder.terms import exact_units

Lesions = Literal["new_t2", "enlarging_t2", "gd"]
LESION_NAMES: dict[Lesions, str] = {"new_t2": "new T2", "enlarging_t2": "enlarging T2", "gd": "gadolinium-enhancing"}

WITH_GD: tuple[Lesions, ...] = ("new_t2", "gd")
WITHOUT_GD: tuple[Lesions, ...] = ("new_t2",)
"""Counts that a scan must have, with gadolinium and where it is often not given."""

_FULL_SEARCHES = ("every event", "first worsening")
"""What a definition may look for so that no worsening escapes it."""


class Scans(Part):
    """Which MRI scans count, and when they say that there was no activity."""

    counts: Annotated[tuple[Lesions, ...], AsTuple, Field(min_length=1)] = ("new_t2", "enlarging_t2", "gd")
    """Lesions of which a single one is activity."""
    needed: Annotated[tuple[Lesions, ...], AsTuple] = WITH_GD
    """Counts that must be known for a scan to be free of activity."""
    needed_if_there: Annotated[tuple[Lesions, ...], AsTuple] = ("enlarging_t2",)
    """Counts that must be known where the table has a column for them; many tables count enlarging lesions among the new ones."""
    baseline_days: Days = 0
    """Scans up to this many days after the window's start are baseline scans: what they show is from before."""
    near_end_days: Days | None = 183
    """How near the window's end the last scan must be for the window to be free of activity; None: any scan in it will do."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        stray = [LESION_NAMES[name] for name in self.needed if name not in self.counts]
        if stray:
            raise ValueError(f"needed names {listed(stray)}, which counts does not")
        return self

    def prose(self) -> str:
        """Return the rule in words."""
        names = listed([LESION_NAMES[name] for name in self.counts], "or")
        after = f"more than {days_text(self.baseline_days)} after" if self.baseline_days else "after"
        near = "" if self.near_end_days is None else f", the last of them at most {days_text(self.near_end_days)} before its end"
        there = [f"{LESION_NAMES[name]} where recorded" for name in self.needed_if_there if name not in self.needed]
        needed = listed([*(LESION_NAMES[name] for name in self.needed), *there])
        read = f" A scan of which not all counts ({needed}) are known says nothing, unless it shows a lesion." if needed else ""
        return (
            f"MRI activity was any {names} lesion on a scan {after} the start of the window and up to its end; "
            f"there was none if a scan there was free of them{near}.{read}"
        )


class BrainVolume(Part):
    """How much brain volume may be lost a year."""

    most_loss_percent: float = Field(default=0.4, ge=0)
    """Per cent of the first volume a year; as much as this is still allowed."""
    least_days: Days = 180
    """How far apart the two scans must be."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        exact_units(self.most_loss_percent)
        return self

    def prose(self) -> str:
        """Return the rule in words."""
        return (
            f"Brain volume loss was the loss from the last scan up to the start of the window (else the first in it) to the last in it, "
            f"at least {days_text(self.least_days)} apart, as per cent of the first volume over the years between (365.25 days each); "
            f"more than {self.most_loss_percent:g} % a year was activity."
        )


class Neda(CitedPart):
    """No evidence of disease activity in a window of days, both ends included."""

    worsening: Definition
    """What counts as confirmed worsening."""
    start: Literal["first visit", "time zero"] = "first visit"
    """What the days of the window are counted from."""
    from_day: Days = 0
    """First day of the window; what happens before it does not count (re-baselining)."""
    to_day: Days = 365
    """Last day of the window."""
    reference: Literal["last visit up to the window", "first visit in the window", "as the definition says"] = "last visit up to the window"
    """Where the search for worsening starts, for each measure: the last visit up to the window's first day (the first visit after it
    where there is none), the first visit in it, or wherever the definition starts with all visits."""
    tolerance_days: Days = 30
    """By how many days what was observed may begin after the window's start and end before its end."""
    scans: Scans = Scans()
    brain_volume: BrainVolume | None = None
    """None: NEDA-3; otherwise NEDA-4."""
    source: Source = Source(
        citation="Components: NEDA-3, and NEDA-4 with brain volume loss of at most 0.4 % a year, as stated in Guevara 2019, Front Neurol "
        "10:788. First used by Havrdova 2009, Lancet Neurol 8:254, and Kappos 2016, Mult Scler 22:1297 (both recalled, not seen).",
        doi="10.3389/fneur.2019.00788",
        year=2019,
        assumed=("start", "from_day", "reference", "tolerance_days", "scans"),
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.to_day <= self.from_day:
            raise ValueError(f"the window ends (day {self.to_day}) before or on the day it starts (day {self.from_day})")
        if self.worsening.looking_for not in _FULL_SEARCHES:
            raise ValueError(
                f"'{self.worsening.key}' looks for the {self.worsening.looking_for} and passes other worsening over; "
                f"take a definition that looks for {listed(_FULL_SEARCHES, 'or')}"
            )
        return self

    @property
    def name(self) -> str:
        """Return "NEDA-3" or "NEDA-4"."""
        return "NEDA-3" if self.brain_volume is None else "NEDA-4"

    def prose(self) -> str:
        """Return the rule in words."""
        since = "the first visit" if self.start == "first visit" else "time zero"
        parts = ["no relapse", "no confirmed worsening", "no MRI activity", *(["no brain volume loss"] if self.brain_volume else [])]
        where = {
            "last visit up to the window": "from the last visit up to the first day of the window",
            "first visit in the window": "from the first visit in the window",
            "as the definition says": "from the baseline that the definition chooses among all visits",
        }[self.reference]
        sentences = [
            f"{self.name} was {listed(parts)} from day {self.from_day} to day {self.to_day} after {since}, both days included.",
            "A part for which there was evidence decides against it; otherwise a part that could not be known leaves it unknown.",
            f"Relapses and visits had to be known for the window, give or take {days_text(self.tolerance_days)} at either end.",
            f"Worsening was looked for {where}, and dated at onset; one that no visit could confirm left it unknown.",
            self.scans.prose(),
            *([self.brain_volume.prose()] if self.brain_volume else []),
            self.evidence_prose(),
            f"Confirmed worsening [{self.worsening.key}]: {self.worsening.prose()}",
        ]
        return " ".join(sentence for sentence in sentences if sentence)


def neda_rule(worsening: Definition, **settings: Any) -> Neda:
    """Return the rule of NEDA with a definition of worsening and other settings; DefinitionError with the reason where it cannot be."""
    return made(Neda, "NEDA", worsening=worsening, **settings)
