"""Secondary progression found in the data: Lorscheider 2016, with and without functional systems."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.cited import CitedPart
from smoulder.rulebook.model import Source
from smoulder.rulebook.parts import MOST_DAYS, Days, Part, days_text
from smoulder.rulebook.thresholds import Step, Threshold
from smoulder.terms import MEASURES, exact_units

Months = Annotated[float, Field(ge=0, le=MOST_DAYS / 31)]
"""A number of months, 0 or more."""


class SignificantRelapse(Part):
    """A relapse after which the baseline is set anew: one that left the EDSS worse without a confirmed progression."""

    edss_above: float = Field(default=3.0, ge=0, le=10)
    """The EDSS at the first visit after it must be higher than this."""
    rise: float = Field(default=0.5, gt=0, le=10)
    """The least rise there, both from the reference and from the visit before."""
    reference_below: float = Field(default=6.0, ge=0, le=10)
    """The reference must be lower than this."""
    stable_months: Months = 6
    """The new baseline is the first later visit whose score stays the same for more than this."""


class SecondaryProgression(CitedPart):
    """What counts as conversion to secondary progression, from EDSS, relapses and functional systems."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    with_systems: bool = True
    """Whether the rise must be confirmed in the leading functional system, with a minimal pyramidal score."""
    threshold: Threshold = Threshold(steps=(Step(up_to=0.0, change=1.5), Step(up_to=5.99, change=1.0), Step(change=0.5)))
    """The rise that counts, by the reference EDSS."""
    minimum_edss: float = Field(default=4.0, ge=0, le=10)
    """The least EDSS at onset and at every visit up to the confirming one."""
    minimum_pyramidal: int = Field(default=2, ge=0, le=6)
    """The least pyramidal score at onset."""
    pyramidal_met_from_edss: float | None = Field(default=5.5, ge=0, le=10)
    """From this EDSS on the pyramidal score is taken as reached, whatever it is or if it is missing; None: never."""
    unscored: Literal["imputed", "left out"] = "imputed"
    """What a functional system that was not scored comes to. "imputed": at onset the pyramidal score counts as one point above
    the baseline and any other as unchanged, and after onset a missing score counts as still raised. "left out": only scores that are
    there count, and a visit that has the score must confirm."""
    days_a_month: float = Field(default=30.25, gt=28, lt=31)
    confirmation_months: Months = 3
    """The confirming visit lies more than this after onset."""
    days_after_relapse: Days = 31
    """Least days from a relapse to a visit that serves as first baseline or as confirmation; "more than 30 days" is 31."""
    forgiven: int = Field(default=1, ge=0, le=10)
    """Visits in a row that may fall short of the progression after its onset; one more ends it."""
    improvement: float = Field(default=0.5, gt=0, le=10)
    """The fall from the reference that moves the baseline, where it holds for more than `improvement_months`."""
    improvement_months: Months = 9
    significant_relapse: SignificantRelapse = SignificantRelapse()
    fewest_visits: int = Field(default=3, ge=2)
    """Visits with an EDSS that a patient must have (with systems: from the first one with any functional system on)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        relapse = self.significant_relapse
        for points in (self.minimum_edss, self.improvement, relapse.edss_above, relapse.rise, relapse.reference_below):
            exact_units(points)
        if self.pyramidal_met_from_edss is not None:
            exact_units(self.pyramidal_met_from_edss)
        return self

    def more_than(self, months: float) -> int:
        """Return the first whole day that lies more than some months later.

        >>> LORSCHEIDER_2016.more_than(3)  # more than 90.75 days
        91
        """
        return math.floor(months * self.days_a_month) + 1

    @property
    def confirmed_from_day(self) -> int:
        """Days from onset to the earliest visit that may confirm."""
        return self.more_than(self.confirmation_months)

    @property
    def improved_from_day(self) -> int:
        """Days for which an improvement has to hold to move the baseline."""
        return self.more_than(self.improvement_months)

    @property
    def stable_from_day(self) -> int:
        """Days for which a score has to stay the same to be the baseline after a significant relapse."""
        return self.more_than(self.significant_relapse.stable_months)

    def prose(self) -> str:
        """Return the methods paragraph, made from the parts that decide."""
        edss = MEASURES["edss"]

        def score(points: float) -> str:
            return edss.text(edss.units(points))

        relapse = self.significant_relapse
        sentences = [
            f"Secondary progression was a rise of the EDSS {self.threshold.prose(edss)} to {score(self.minimum_edss)} or more, at a visit "
            "with no relapse since the visit before.",
            f"It was confirmed at a worse visit more than {self.confirmation_months:g} months ({self.confirmed_from_day} days or more) "
            f"later and at least {days_text(self.days_after_relapse)} after any relapse, with an EDSS of {score(self.minimum_edss)} or "
            "more at every visit up to it.",
            self._lasting_prose(),
            "It was dated at the first visit of the confirmed rise.",
        ]
        if self.with_systems:
            sentences += self._systems_prose()
        visits = "visits with any functional system scored" if self.with_systems else "visits"
        sentences += [
            f"The baseline was the first of the {visits} at least {days_text(self.days_after_relapse)} after any relapse.",
            f"It moved to the first visit of an improvement by {score(self.improvement)} or more that held for more than "
            f"{self.improvement_months:g} months ({self.improved_from_day} days or more), and to a confirmed rise with a relapse since "
            "the visit before.",
            f"A relapse that left an EDSS above {score(relapse.edss_above)}, {score(relapse.rise)} or more above both the reference (below "
            f"{score(relapse.reference_below)}) and the visit before, moved it to the first later visit whose score stayed the same for "
            f"more than {relapse.stable_months:g} months ({self.stable_from_day} days or more), or else to the confirmed change that "
            "followed.",
            f"A month was taken as {self.days_a_month:g} days. Patients needed {self.fewest_visits} visits with an EDSS.",
        ]
        if evidence := self.evidence_prose():
            sentences.append(evidence)
        return " ".join(sentences)

    def _lasting_prose(self) -> str:
        if self.forgiven == 0:
            return "It had to last to the end of follow-up at every visit."
        some = "a single visit" if self.forgiven == 1 else f"up to {self.forgiven} visits in a row"
        return f"It had to last to the end of follow-up; {some} short of it did not count against it, {self.forgiven + 1} in a row did."

    def _systems_prose(self) -> list[str]:
        met = "" if self.pyramidal_met_from_edss is None else f" (taken as reached from an EDSS of {self.pyramidal_met_from_edss:g} on)"
        missing = (
            "A pyramidal score that was missing at onset counted as one point above the baseline and any other as unchanged; after onset "
            "a missing score counted as still raised."
            if self.unscored == "imputed"
            else "Only scores that were there counted."
        )
        return [
            f"The pyramidal score had to be at least {self.minimum_pyramidal}{met}.",
            "The functional system with the largest rise from the baseline, ambulation score included (any one of those with the same "
            f"rise), had to stay above the baseline for more than {self.confirmation_months:g} months.",
            missing,
        ]


LORSCHEIDER_2016 = SecondaryProgression(
    key="lorscheider-2016",
    title="Secondary progression (Lorscheider 2016)",
    source=Source(
        citation="Lorscheider J, Buzzard K, Jokubaitis V, et al. Defining secondary progressive multiple sclerosis. "
        "Brain 2016;139:2395-2405",
        doi="10.1093/brain/aww173",
        year=2016,
        seen=("with_systems", "minimum_edss", "minimum_pyramidal", "confirmation_months"),
        code=(
            "threshold",
            "pyramidal_met_from_edss",
            "unscored",
            "days_a_month",
            "days_after_relapse",
            "forgiven",
            "improvement",
            "improvement_months",
            "significant_relapse",
            "fewest_visits",
        ),
    ),
)
"""The best of the 576 definitions compared in the paper; what its abstract does not state is as MSoutcomes 0.2.1 (`spmsDx`) has it."""

LORSCHEIDER_2016_NO_SYSTEMS = LORSCHEIDER_2016.model_copy(
    update={
        "key": "lorscheider-2016-no-systems",
        "title": "Secondary progression without functional systems (after Lorscheider 2016)",
        "with_systems": False,
        "source": Source(
            citation="Lorscheider J, et al. Brain 2016;139:2395-2405, without functional systems as in Brown JW, et al. "
            "JAMA 2019;321:175-187 and Lizak N, et al. JAMA Neurol 2020;77:1398-1407",
            doi="10.1093/brain/aww173",
            year=2020,
            seen=("minimum_edss", "confirmation_months"),
            code=tuple(mark for mark in LORSCHEIDER_2016.source.code if mark not in ("pyramidal_met_from_edss", "unscored")),
        ),
    }
)
"""The same where functional systems were not recorded, as MSoutcomes 0.2.1 (`spmsDx_no_fss`) has it."""
