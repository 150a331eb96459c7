"""When a person's time starts, and what ends it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.protocol.entry import Names
from smoulder.rulebook.parts import Days, Part, days_text, listed

ZERO_PROSE = {
    "first visit": "the first visit",
    "time zero": "the day that the tables state (randomisation or another index date)",
    "onset": "the day of the first symptom",
    "diagnosis": "the day of the diagnosis",
}

CENSOR_REASONS = (
    "death",
    "treatment stopped",
    "switched treatment",
    "restarted treatment",
    "end of the study period",
    "end of recording",
    "last visit",
)
"""Why the observation of a person ends; of two on one day the one that stands first here is told."""


DEATH_AFTER_DAYS = 365
"""A death up to so many days after the last visit is what ended the visits, and observation goes on to it; a later one came after the
person was lost (ours). Visits end before every death, so that without this no death would ever be seen to compete."""


def _with_years(days: int) -> str:
    """Return days in words, with the years where they are whole ones (of 365.25 days, rounded to a day)."""
    years = round(days / 365.25)
    whole = years > 0 and abs(days - 365.25 * years) < 1
    return f"{days_text(days)} ({years} year{'s' if years > 1 else ''})" if whole else days_text(days)


class TimeZero(Part):
    """The day from which a person is followed, and the visit that is the start."""

    at: Literal["first visit", "time zero", "onset", "diagnosis", "treatment start", "treatment stop", "visit number"]
    """"time zero" is the column of that name of the patients table, such as randomisation."""
    treatments: Names = ()
    """Of treatment start and stop: which treatments; none: any. Names listed together are one and the same treatment."""
    which: Literal["first", "last"] = "first"
    """Of treatment start and stop: which period, where there are several."""
    least_days: Days = 0
    """Of treatment start and stop: shorter periods are passed over."""
    joined_days: Days = 90
    """Periods on one treatment with no more days between them are one period."""
    number: Annotated[int, Field(ge=1)] | None = None
    """Of "visit number": which visit, the first being 1."""
    plus_days: Days = 0
    """Days after that day at which time zero lies: a landmark. Who is not observed so long does not enter."""
    start_before_days: Days = 90
    start_after_days: Days = 90
    """The starting visit lies at most so many days before or after time zero; the nearest one counts, of two equally near the earlier."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.at == "visit number") != (self.number is not None):
            raise ValueError("number goes with at = 'visit number', and is needed there")
        if self.treatments and not self.at.startswith("treatment"):
            raise ValueError("treatments has an effect only with at = 'treatment start' or 'treatment stop'")
        return self

    def prose(self) -> str:
        """Return time zero in words."""
        if self.at in ZERO_PROSE:
            day = ZERO_PROSE[self.at]
        elif self.at == "visit number":
            day = f"visit number {self.number}"
        else:
            names = listed(self.treatments, "or") if self.treatments else "any treatment"
            of = f" that lasted at least {days_text(self.least_days)}" if self.least_days else ""
            end = "start" if self.at == "treatment start" else "last day"
            day = f"the {end} of the {self.which} period on {names}{of} (periods at most {days_text(self.joined_days)} apart are one)"
        zero = f"{_with_years(self.plus_days)} after {day}" if self.plus_days else day
        return (
            f"Time zero was {zero}. The starting visit was the one nearest to it, at most {days_text(self.start_before_days)} before "
            f"and {days_text(self.start_after_days)} after."
        )


class Ending(Part):
    """What ends the observation of a person, besides the last visit."""

    stop_after_days: Days | None = None
    """Days after the last day on the treatment that counts; None: stopping does not end the observation."""
    switch: bool = False
    """Whether the start of another treatment ends it, on the day before."""
    restart: bool = False
    """Whether a new period on the treatment that was stopped ends it, on the day before."""
    treatments: Names = ()
    """The treatments that count; none: those of time zero, or the one taken at time zero."""
    death: bool = True
    """Whether death (death_date of the patients table, at most `DEATH_AFTER_DAYS` after the last visit) ends it; it is told apart from
    other reasons."""
    recording: bool = True
    """Whether the end of recording (observed_to of the patients table) ends it."""
    most_days: Annotated[int, Field(ge=1)] | None = None
    """Longest time from time zero that is analysed; None: no limit."""
    confirmed_after: bool = True
    """Whether a visit after the end may confirm what began before it."""

    def looks_at_treatments(self) -> bool:
        """Return whether some treatment ends the observation."""
        return self.stop_after_days is not None or self.switch or self.restart

    def prose(self) -> str:
        """Return what ends the observation in words."""
        ends = ["the last visit"]
        if self.stop_after_days is not None:
            ends.append(
                f"{days_text(self.stop_after_days)} after the treatment was stopped"
                if self.stop_after_days
                else "the stop of the treatment"
            )
        if self.switch:
            ends.append("the day before another treatment")
        if self.restart:
            ends.append("the day before a new period on the treatment that was stopped")
        if self.death:
            ends.append(f"death (also one up to {days_text(DEATH_AFTER_DAYS)} after the last visit)")
        if self.recording:
            ends.append("the end of recording")
        if self.most_days is not None:
            ends.append(f"{days_text(self.most_days)} after time zero")
        first = (
            f"Observation ended with {listed(ends, 'or')}, whichever came first."
            if len(ends) > 1
            else "Observation ended with the last visit."
        )
        later = (
            "A visit after the end could confirm a worsening that began before it."
            if self.confirmed_after
            else "A worsening had to be confirmed before the end."
        )
        return f"{first} {later}"
