"""What is known of a person at time zero: groups and covariates."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.protocol.entry import Key, Names
from smoulder.rulebook.parts import AsTuple, Days, Part, days_text, listed

What = Literal[
    "age",
    "disease duration",
    "score",
    "relapses before",
    "treatments before",
    "time to first treatment",
    "treatment",
    "column",
    "event before",
]


class Known(Part):
    """One thing known at time zero."""

    key: Key
    title: str
    """As tables and figures name it."""
    what: What
    """"age" and "disease duration" are years at time zero (birth_date, onset_date); "score" that of the starting visit; "relapses before"
    and "treatments before" are counts; "time to first treatment" is years from onset to the first treatment, known at time zero or "not yet
    treated"; "treatment" is the one taken on the day; "column" is one of the patients table; "event before" is yes or no."""
    column: str | None = None
    measure: str = "edss"
    """Of "score"."""
    days: Days | None = None
    """Of "relapses before": within so many days before time zero; None: all that are known. Of "event before": likewise."""
    definition: str | None = None
    """Of "event before": key of the definition."""
    event: Literal["worsening", "PIRA", "RAW"] = "PIRA"
    """Of "event before"."""
    cut: Annotated[tuple[float, ...], AsTuple] = ()
    """Cuts a number into groups: [2, 4] gives "below 2", "2 to below 4" and "4 or more"."""
    per: Annotated[float, Field(gt=0)] = 1.0
    """Of a number: the step for which models state its effect."""
    unit: str = ""
    reference: Names = ()
    """Of groups: the one compared with, the first of these names that is there; none of them: the first group."""
    levels: Names = ()
    """Of a column of words: the order of the groups; none: alphabetical."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.what == "column") != (self.column is not None):
            raise ValueError("column goes with what = 'column', and is needed there")
        if (self.what == "event before") != (self.definition is not None):
            raise ValueError("definition goes with what = 'event before', and is needed there")
        if list(self.cut) != sorted(set(self.cut)):
            raise ValueError("cut must rise")
        return self

    def is_number(self) -> bool:
        """Return whether it is a number of each person, and so no group; a column may be either, which the tables tell."""
        return not self.cut and self.what not in ("treatment", "column", "event before")

    def groups(self) -> tuple[str, ...]:
        """Return the names of the groups that `cut` makes."""
        if not self.cut:
            return ()
        middle = [f"{low:g} to below {high:g}" for low, high in zip(self.cut, self.cut[1:], strict=False)]
        return (f"below {self.cut[0]:g}", *middle, f"{self.cut[-1]:g} or more")

    def prose(self) -> str:
        """Return what it is in words."""
        said = {
            "age": "years of age",
            "disease duration": "years since the first symptom",
            "score": f"the {self.measure.upper()} of the starting visit",
            "relapses before": "relapses " + (f"in the {days_text(self.days)} before time zero" if self.days else "before time zero"),
            "treatments before": "different treatments before time zero",
            "time to first treatment": "years from the first symptom to the first treatment",
            "treatment": "the treatment at time zero",
            "column": f"the column {self.column} of the patients table",
            "event before": f"{self.event} ({self.definition}) before time zero"
            + (f", within {days_text(self.days)}" if self.days else ""),
        }[self.what]
        in_groups = f", in groups ({listed(self.groups())})" if self.cut else ""
        return f"{self.title}: {said}{in_groups}"
