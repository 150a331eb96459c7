"""Who enters a study: criteria that are applied one after the other, each counting whom it leaves out."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from smoulder.rulebook.parts import AsTuple, Days, Part, days_text, listed

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
"""A short name, lower case with dashes."""

Names = Annotated[tuple[str, ...], AsTuple]


def _iso_date(value: object) -> object:
    """Return the day that a text such as "2010-12-31" states; anything else as it is."""
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


IsoDate = Annotated[datetime.date, BeforeValidator(_iso_date)]
"""A day: a date of TOML, or a text such as "2010-12-31", as JSON has it."""


class Criterion(Part):
    """What all criteria have."""

    key: Key

    def after_zero(self) -> bool:
        """Return whether the criterion speaks of time zero, and so is applied after it was found."""
        return False


class ColumnCriterion(Criterion):
    """A column of the patients table, or something known of a person at time zero."""

    kind: Literal["column"]
    column: str
    """Name of the column, or key of what is `known`."""
    any_of: Names = ()
    """Values that enter; upper and lower case are the same."""
    at_least: float | None = None
    at_most: float | None = None
    at_time_zero: bool = False
    """Whether `column` is the key of something `known` at time zero."""
    if_missing_column: Literal["not applied", "refused"] = "not applied"
    """Where the tables have no such column: everybody is kept and every result says so, or the study does not run."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.any_of and self.at_least is None and self.at_most is None:
            raise ValueError("say any_of, at_least or at_most")
        if self.any_of and (self.at_least is not None or self.at_most is not None):
            raise ValueError("any_of is for words, at_least and at_most are for numbers; say one")
        return self

    def after_zero(self) -> bool:
        """Return whether the criterion speaks of time zero."""
        return self.at_time_zero

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        what = self.column.replace("_", " ").replace("-", " ")
        when = " at time zero" if self.at_time_zero else ""
        if self.any_of:
            return f"had {what} {listed(self.any_of, 'or')}{when}"
        bounds = [
            f"at least {self.at_least:g}" if self.at_least is not None else "",
            f"at most {self.at_most:g}" if self.at_most is not None else "",
        ]
        return f"had {what} of {listed([bound for bound in bounds if bound])}{when}"


class TreatmentCriterion(Criterion):
    """Treatment with certain drugs for some time."""

    kind: Literal["treatment"]
    any_of: Names = ()
    """Names of treatments; upper and lower case are the same; none: any treatment."""
    least_days: Days = 0
    """Days that one period on it must have lasted; a period that goes on counts to the last visit."""

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        names = listed(self.any_of, "or") if self.any_of else "a treatment"
        return f"were treated with {names}" + (f" for at least {days_text(self.least_days)}" if self.least_days else "")


class VisitsCriterion(Criterion):
    """Enough visits with a score."""

    kind: Literal["visits"]
    least: Annotated[int, Field(ge=1)]
    measure: str = "edss"
    from_time_zero: bool = False
    """Whether only visits from the starting visit on count."""

    def after_zero(self) -> bool:
        """Return whether the criterion speaks of time zero."""
        return self.from_time_zero

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        since = " from the starting visit on" if self.from_time_zero else ""
        return f"had at least {self.least} visits with {self.measure.upper().replace('_', ' ')}{since}"


class FollowUpCriterion(Criterion):
    """Enough time observed after time zero."""

    kind: Literal["follow up"]
    least_days: Days

    def after_zero(self) -> bool:
        """Return True: follow-up is counted from time zero."""
        return True

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        return f"were followed for at least {days_text(self.least_days)} after time zero"


class DateCriterion(Criterion):
    """A date within limits."""

    kind: Literal["date"]
    what: Literal["time zero", "onset", "diagnosis", "birth", "first visit"]
    earliest: IsoDate | None = None
    latest: IsoDate | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.earliest is None and self.latest is None:
            raise ValueError("say earliest or latest")
        return self

    def after_zero(self) -> bool:
        """Return whether the criterion speaks of time zero."""
        return self.what == "time zero"

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        bounds = [f"not before {self.earliest}" if self.earliest else "", f"not after {self.latest}" if self.latest else ""]
        return f"had their {self.what} {listed([bound for bound in bounds if bound])}"


class NoActivityCriterion(Criterion):
    """No evidence of disease activity (NEDA) over the days before time zero."""

    kind: Literal["no activity"]
    days: Days
    """Length of the window that ends at time zero."""
    definition: str
    """Key of the definition of worsening."""
    without_mri: bool = True
    """Whether relapses and worsening alone decide where the tables have no MRI; every result says so."""

    def after_zero(self) -> bool:
        """Return True: the window ends at time zero."""
        return True

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        return f"had no relapse, no worsening ({self.definition}) and no MRI activity in the {days_text(self.days)} before time zero"


class FreeOfCriterion(Criterion):
    """Free of an outcome at time zero."""

    kind: Literal["free of"]
    outcome: str
    """Key of an outcome of the study."""

    def after_zero(self) -> bool:
        """Return True: it is judged at time zero."""
        return True

    def prose(self) -> str:
        """Return the criterion as a phrase after "who"."""
        return f"had not had the outcome '{self.outcome}' before time zero"


AnyCriterion = Annotated[
    ColumnCriterion | TreatmentCriterion | VisitsCriterion | FollowUpCriterion | DateCriterion | NoActivityCriterion | FreeOfCriterion,
    Field(discriminator="kind"),
]
