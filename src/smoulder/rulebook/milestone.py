"""Milestones: a score first reached and confirmed, such as EDSS 6."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.model import Confirmation, LastVisit, Onset, Sustained
from smoulder.rulebook.parts import Part
from smoulder.terms import MEASURES, exact_units


class Milestone(Part):
    """A score that counts as reached once it is confirmed; the same parts as a definition, and no baseline."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    measure: str = "edss"
    score: float
    """The score to reach, in points: at least this, or at most this where lower is worse."""
    floor: float | None = None
    """How good the score may become again while the milestone lasts, in points (setools: `floor`); None: no better than `score`. It
    is for `sustained`, not for the confirming visit."""
    onset: Onset = Onset()
    confirmation: Confirmation
    sustained: Sustained = Sustained()
    last_visit: LastVisit = LastVisit()
    tried: Literal["at every visit", "once a spell"] = "at every visit"
    """Where a score that reaches it and is not confirmed is tried again: at the next visit, or (msprog) not before the score was left;
    a spell that lasts to the end is then tried at the last visit."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.measure not in MEASURES:
            raise ValueError(f"'{self.measure}' is no known measure ({', '.join(MEASURES)})")
        exact_units(self.score)
        if self.floor is not None:
            exact_units(self.floor)
            better = self.floor <= self.score if MEASURES[self.measure].higher_is_worse else self.floor >= self.score
            if not better or self.sustained.days == 0:
                raise ValueError("floor must be as good as score or better, and needs sustained.days")
        idle = [name for name in ("min_days", "at") if getattr(self.onset, name)]
        if idle or self.confirmation.leading_system:
            raise ValueError(
                f"{', '.join([*(f'onset.{name}' for name in idle), 'confirmation.leading_system'][:1])} has no effect on a milestone"
            )
        return self

    def prose(self) -> str:
        """Return the milestone in words."""
        measure = MEASURES[self.measure]
        article = "an" if measure.name[0] in "AEIOS" and measure.name.isupper() else "a"
        side = "at least" if measure.higher_is_worse else "at most"
        first = f"The milestone was {article} {measure.name} of {side} {measure.text(measure.units(self.score))}."
        parts = (self.onset, self.confirmation, self.sustained, self.last_visit)
        lasting = (
            [] if self.floor is None else [f"While it lasted the score might be as good as {measure.text(measure.units(self.floor))}."]
        )
        again = ["A score that was not confirmed was tried again only after it had been left."] if self.tried == "once a spell" else []
        return " ".join([first, *(part.prose() for part in parts if part.prose()), *lasting, *again])
