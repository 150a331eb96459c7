"""A reference score that is carried from visit to visit, instead of a baseline visit that moves."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.parts import MOST_DAYS, Days, Part, days_text


class Merging(Part):
    """Steps of one worsening that follow each other are one event: the first, with the last confirmed score as the new reference."""

    stable_days: Days = 30
    """For how many days the score may stay the same before it counts as stable, which ends the series."""
    within_days: Days | None = None
    """How many days after the step before the next one may be; None: any."""

    def prose(self) -> str:
        """Return the rule in words."""
        within = f", each within {days_text(self.within_days)} of the one before" if self.within_days is not None else ""
        return (
            f"Confirmed steps of the same label that followed each other without a drop{within}, and without staying the same for more "
            f"than {days_text(self.stable_days)}, were one event."
        )


class CarriedReference(Part):
    """How a reference score is carried from visit to visit (Bsteh 2025, Bsteh 2026).

    Every visit is compared with the reference. A confirmed worsening makes the best score from onset to its confirmation the new
    reference. Between events the reference only falls. Only worsening is looked for.
    """

    falls: Literal["no", "at once", "if confirmed"] = "if confirmed"
    """Whether a better score lowers it: never (fixed), as soon as it is seen, or if every score up to a confirming visit is better than
    the reference; the worst of them is the new one."""
    falls_from_day: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 30
    """Days after a better score from which a visit may confirm it."""
    falls_to_day: Days | None = None
    """Days after a better score to which a visit may confirm it; None: any later one."""
    falls_every_visit: bool = True
    """Whether every score up to the confirming visit must be better than the reference, or only the one there."""
    after_relapse: Literal["stays", "rises to what is left"] = "rises to what is left"
    """What a relapse does: nothing; or, at the first visit past its RAW window, a score worse than the reference becomes the new one,
    and the visit is no RAW and no PIRA. Where the next relapse's RAW window begins first, only that relapse counts."""
    second_reference: Literal["no", "after a relapse", "at every visit", "after the last event"] = "after a relapse"
    """Whether a second reference that relapses do not move finds undefined worsening: at those first visits past a relapse; also at every
    visit that is no RAW and no PIRA; or at those first visits, and at every visit after the last RAW or PIRA."""
    second_at_least: Literal["any", "the reference", "worse than the reference"] = "any"
    """How bad an undefined worsening, and the scores that confirm it, must be compared with the first reference."""
    earlier_reference: bool = False
    """Where onset must keep a distance from the reference (`onset.min_days`): whether the latest earlier reference since the last event
    that is far enough, and low enough, may stand in."""
    merging: Merging | None = None
    """None: every confirmed step is an event."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.falls != "if confirmed" and (self.falls_from_day, self.falls_to_day, self.falls_every_visit) != (30, None, True):
            raise ValueError("falls_from_day, falls_to_day and falls_every_visit have no effect unless falls = 'if confirmed'")
        if self.falls_to_day is not None and self.falls_to_day < self.falls_from_day:
            raise ValueError(f"falls_to_day ({self.falls_to_day}) lies before falls_from_day ({self.falls_from_day})")
        if self.after_relapse == "stays" and self.second_reference == "after a relapse":
            raise ValueError("second_reference = 'after a relapse' has no effect where after_relapse = 'stays'; say 'no', or another")
        if self.second_reference == "no" and self.second_at_least != "any":
            raise ValueError("second_at_least has no effect unless there is a second_reference")
        return self

    def prose(self) -> str:
        """Return how the reference is carried, in words."""
        sentences = ["From there on the reference was carried from visit to visit, and every visit was compared with it."]
        sentences.append("After a confirmed worsening it was the best of the scores that had to hold, from onset on.")
        sentences.append(self._falls_prose())
        if self.after_relapse != "stays":
            sentences.append(
                "At the first visit past the RAW window of a relapse (of several whose windows touch, the last), a score worse than the "
                "reference became the new reference; that visit was neither RAW nor PIRA, whatever relapse came after."
            )
        if self.second_reference != "no":
            where = {
                "after a relapse": "at that visit",
                "at every visit": "at every visit that was neither RAW nor PIRA",
                "after the last event": "at that visit, and at every visit after the last RAW or PIRA,",
            }[self.second_reference]
            least = {
                "any": "",
                "the reference": "; it had to be at least as bad as the first reference",
                "worse than the reference": "; it had to be worse than the first reference",
            }[self.second_at_least]
            sentences.append(f"A second reference was not moved by relapses; a worsening from it {where} was undefined{least}.")
        if self.earlier_reference:
            sentences.append("Where onset was too near the reference, the latest earlier one that was far and low enough stood in.")
        if self.merging is not None:
            sentences.append(self.merging.prose())
        return " ".join(sentences)

    def _falls_prose(self) -> str:
        if self.falls == "no":
            return "It did not fall."
        if self.falls == "at once":
            return "A better score became the reference at once."
        span = (
            f"{days_text(self.falls_from_day)} or more"
            if self.falls_to_day is None
            else f"{self.falls_from_day} to {self.falls_to_day} days"
        )
        over = ", and at every visit up to it" if self.falls_every_visit else ""
        return (
            f"A better score lowered it if the score was still better than the reference at the first visit {span} later{over}; "
            "the worst of these scores was the new reference."
        )
