"""Which reported relapses count, and over which days relapses are counted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smoulder.rulebook.cited import CitedPart
from smoulder.rulebook.model import Source
from smoulder.rulebook.parts import Days, days_text


class RelapseHygiene(CitedPart):
    """Which reported relapses count as relapses of their own."""

    least_hours: int = Field(default=24, ge=0)
    """How long a relapse must last where that is known; 0 switches the rule off."""
    without_fever: bool = True
    """Whether a relapse with fever or infection is left out, where that is known."""
    apart_days: Days = 30
    """How many days after an onset the next one must be to be another relapse; nearer ones are merged into the earlier. 0: none is."""
    counted_from: Literal["the first onset", "the onset before"] = "the first onset"
    """Onsets at day 0, 20 and 40 and 30 days apart: two relapses counted from the first onset (0 and 40), one in a chain (0)."""
    outside_follow_up: Literal["dropped", "kept"] = "dropped"
    """What becomes of relapses before the first or after the last day on which relapses were recorded, else before the first or after
    the last visit."""
    source: Source = Source(
        citation="24 hours, no fever or infection: relapse definition of AFFIRM as quoted by tysabrihcp.com (seen). 30 days apart, "
        "merging and follow-up: msclinical 0.1.0, relapses/core.py (code).",
        assumed=("counted_from",),
        code=("apart_days", "outside_follow_up"),
        seen=("least_hours", "without_fever"),
    )

    def prose(self) -> str:
        """Return the rule in words."""
        sentences = []
        if self.least_hours:
            sentences.append(
                f"A relapse known to have lasted less than {self.least_hours} hours was dropped; one that ended on the day it began "
                "lasted less than 24, one that ended later is taken to have lasted."
            )
        if self.without_fever:
            sentences.append("A relapse known to have come with fever or infection was dropped; where that was not known it was kept.")
        if self.outside_follow_up == "dropped":
            sentences.append(
                "A relapse outside the days on which relapses were recorded (else outside first to last visit) was dropped, "
                "before any were merged."
            )
        if self.apart_days:
            since = (
                "the onset of the relapse before it" if self.counted_from == "the first onset" else "the report before it, merged or not,"
            )
            sentences.append(
                f"Of what was left, an onset less than {days_text(self.apart_days)} after {since} was merged into it, "
                "and the relapse keeps its first day."
            )
        if not sentences:
            sentences.append("Every reported relapse counted.")
        return " ".join(part for part in (*sentences, self.evidence_prose()) if part)


class RelapseRate(CitedPart):
    """Over which days relapses are counted, and in which periods."""

    bounds: Literal["visits", "recording"] = "visits"
    """"visits": first to last visit, and of that only days on which relapses were recorded, where the tables say;
    "recording": the days on which relapses were recorded, where the tables say, otherwise first to last visit."""
    period_days: int | None = Field(default=None, gt=0)
    """Length of each period from the first day on, the last one shorter; None: one period a patient."""
    source: Source = Source(
        citation="Annualised relapse rate: relapses over person-years; no paper's wording of its boundaries was seen.",
        assumed=("bounds", "period_days"),
    )

    def prose(self) -> str:
        """Return the rule in words."""
        days = {
            "visits": "from the first to the last visit, cut to the days on which relapses were recorded where the tables say",
            "recording": "over the days on which relapses were recorded where the tables say, otherwise from the first to the last visit",
        }[self.bounds]
        periods = "" if self.period_days is None else f", in periods of {days_text(self.period_days)} (the last may be shorter)"
        return " ".join(
            part
            for part in (
                f"Relapses were counted {days}{periods}.",
                "A relapse on the first day of a period belongs to what was before, one on its last day to the period, so that days at "
                "risk are the last day less the first; a person-year has 365.25 days.",
                self.evidence_prose(),
            )
            if part
        )
