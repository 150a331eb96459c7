"""When a change begins, when it counts as confirmed, and how long it must last."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.parts import AsTuple, Days, Part, days_text, listed, relapse_distance_text


class AnchoredVisit(Part):
    """One visit at a set time: the one nearest to a day after the starting visit, within bounds (both included)."""

    day: Days
    """Days after the starting visit; the earlier of two visits equally near."""
    from_day: Days
    to_day: Days

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.from_day <= self.day <= self.to_day:
            raise ValueError(f"day {self.day} does not lie between from_day {self.from_day} and to_day {self.to_day}")
        return self

    def prose(self) -> str:
        """Return the visit in words."""
        if self.from_day == self.to_day:
            return f"the visit on day {self.day} after the starting visit"
        return f"the visit nearest to day {self.day} after the starting visit (day {self.from_day} to {self.to_day})"


class Onset(Part):
    """The first visit of a change."""

    extras: ClassVar[frozenset[str]] = frozenset({"at", "min_days", "min_days_from"})

    days_after_relapse: Days = 0
    """How many days after a relapse it must be; 0 switches the rule off."""
    days_before_relapse: Days = 0
    """How many days before a relapse it must be; 0 switches the rule off."""
    min_days: Days = 0
    """How many days after the reference it must be at least (`min_days_from`); 0 switches the rule off."""
    min_days_from: Literal["baseline", "previous visit"] = "baseline"
    """What the distance is counted from: the visit compared with, or the visit just before."""
    at: AnchoredVisit | None = None
    """The one visit at which a change may begin (UCSF 2019: year 5); None: any."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_days_from != "baseline" and self.min_days == 0:
            raise ValueError("min_days_from has no effect unless min_days is set")
        return self

    def prose(self) -> str:
        """Return the rule in words; "" where there is none."""
        found = []
        if self.at is not None:
            found.append(f"A change was looked for only at {self.at.prose()}.")
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        if distance:
            found.append(f"The first visit of a change (its onset) had to be {distance}.")
        if self.min_days:
            after = "the visit compared with" if self.min_days_from == "baseline" else "the visit before it"
            found.append(f"Onset had to be at least {days_text(self.min_days)} after {after}.")
        return " ".join(found)


class Window(Part):
    """One named confirmation window: days from onset to the confirming visit, both ends included."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    """Short name that becomes part of column names, such as 12w."""
    from_day: Days
    to_day: Days | None = None
    """None: open, "or later"."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.to_day is not None and self.to_day < self.from_day:
            raise ValueError(f"window '{self.name}' ends (day {self.to_day}) before it starts (day {self.from_day})")
        return self

    def prose(self) -> str:
        """Return the window in words, such as '84 days or more (12w)'."""
        span = f"{days_text(self.from_day)} or more" if self.to_day is None else f"{self.from_day} to {days_text(self.to_day)}"
        return f"{span} ({self.name})"


class Confirmation(Part):
    """When a change counts as confirmed."""

    extras: ClassVar[frozenset[str]] = frozenset({"forgives", "at", "as_well", "leading_system"})

    windows: Annotated[tuple[Window, ...], AsTuple]
    """The earliest eligible visit of their union confirms, and each window has its own confirming visit. None at all: a change needs
    no confirmation."""
    every_visit: bool = True
    """Whether the change must hold at every visit up to the confirming one, or only there."""
    level: Literal["threshold", "onset"] = "threshold"
    """What "holds" means: still past the threshold, or at least as bad as at onset."""
    days_after_relapse: Days = 0
    """How many days after a relapse the confirming visit must be; 0 switches the rule off."""
    days_before_relapse: Days = 0
    """How many days before a relapse the confirming visit must be; 0 switches the rule off."""
    visits: Literal["any", "scheduled"] = "any"
    """Which visits may confirm."""
    forgives: Literal["nothing", "single visits"] = "nothing"
    """Whether one visit at which the change does not hold is forgiven, if it holds again at the next one (Lorscheider 2016); also for
    how long it is sustained."""
    at: AnchoredVisit | None = None
    """The one visit that may confirm (UCSF 2019: year 10); None: any."""
    as_well: AnchoredVisit | None = None
    """A visit at which the change must hold as well (ASCEND: week 96); None: none."""
    leading_system: bool = False
    """Whether a worsening of the EDSS must be led by a functional system: one of those that worsened most from baseline to onset must
    still be worse than at baseline at the confirming visit (and at every visit up to it, where required)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.windows and self.of_the_confirming_visit():
            raise ValueError(
                f"without windows a change needs no confirmation, so {listed(self.of_the_confirming_visit())} would have no effect"
            )
        names = [window.name for window in self.windows]
        if len(set(names)) != len(names):
            raise ValueError(f"two windows have one name: {listed(names)}")
        return self

    def of_the_confirming_visit(self) -> list[str]:
        """Return the names of the settings that are for the confirming visit and not at their default."""
        plain = ("days_after_relapse", "days_before_relapse", "visits", "at", "as_well", "leading_system")
        return [name for name in plain if getattr(self, name) != type(self).model_fields[name].default]

    def window_follows_from(self, onset: Onset) -> bool:
        """Return whether the only window says no more than the set times of onset and confirmation, which lie so far apart anyhow."""
        if self.at is None or onset.at is None or len(self.windows) != 1:
            return False
        (window,) = self.windows
        nearest, furthest = self.at.from_day - onset.at.to_day, self.at.to_day - onset.at.from_day
        return window.from_day <= nearest and (window.to_day is None or window.to_day >= furthest)

    def prose(self, onset: Onset | None = None) -> str:
        """Return the confirmation in words; `onset` is the rule of onset beside it, from which a window may follow."""
        if not self.windows:
            return "A change needed no confirmation."
        with_windows = onset is None or not self.window_follows_from(onset)
        sentences = [f"A change was confirmed if the score was still {self._held_prose(with_windows=with_windows)}."]
        if len(self.windows) > 1:
            sentences.append("Each of these windows had its own confirmation: the first such visit in it, while the change held.")
        if self.forgives == "single visits":
            sentences.append("A single visit at which it did not hold was forgiven if it held again at the next.")
        if self.as_well is not None:
            sentences.append(f"The change had to hold at {self.as_well.prose()} as well.")
        if self.leading_system:
            sentences.append(
                "A worsening of the EDSS had to be led by a functional system: of those that worsened most from the visit compared with to "
                f"onset, one had to be still worse at the confirming visit{' and at every visit up to it' if self.every_visit else ''}; "
                "where it was not scored there, it was taken as still worse."
            )
        return " ".join(sentences)

    def _held_prose(self, *, with_windows: bool) -> str:
        """Return how bad the score had to be, and where."""
        level = "past the threshold" if self.level == "threshold" else "at least as far from the reference as at onset"
        windows = listed([window.prose() for window in self.windows], "or")
        over = ", and at every visit from onset to it" if self.every_visit else ", whatever the scores between"
        kind = "scheduled visit" if self.visits == "scheduled" else "visit"
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        far = f" that was {distance}" if distance else ""
        if self.at is not None:
            after = f", {windows} after onset" if with_windows else ""
            return f"{level} at {self.at.prose()}{after}{f', if that {kind} was {distance}' if distance else ''}{over}"
        return f"{level} at the first {kind} {windows} after onset{far}{over}"


class Sustained(Part):
    """How long a confirmed change must last."""

    extras: ClassVar[frozenset[str]] = frozenset({"every_visit"})

    days: Days | Literal["to the end"] = 0
    """0: not required; N days after onset; or "to the end" of follow-up."""
    kinds: Literal["both", "worsening", "improvement"] = "both"
    """Which changes the rule is for."""
    every_visit: bool | None = None
    """Whether it must hold at every visit after the confirming one, or only at the end of that time; None: as for confirmation."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.every_visit is not None and self.days == 0:
            raise ValueError("every_visit has no effect unless days is set")
        return self

    def prose(self, *, at_every_visit: bool = True) -> str:
        """Return the rule in words; "" where there is none. `at_every_visit`: what `every_visit` None comes to."""
        if self.days == 0:
            return ""
        which = {"both": "A confirmed change"}.get(self.kinds, f"A confirmed {self.kinds}")
        span = "to the end of follow-up" if self.days == "to the end" else f"for {days_text(self.days)} from onset, or to the last visit"
        every = at_every_visit if self.every_visit is None else self.every_visit
        over = (
            ""
            if every and self.every_visit is None
            else ", at every visit after the confirming one"
            if every
            else ", whatever the scores between"
        )
        return f"{which} counted only if it was sustained {span}{over}."


class LastVisit(Part):
    """A worsening that no later visit could confirm."""

    worsening: Literal["unconfirmed", "counted"] = "unconfirmed"
    within_days: Days | None = None
    """Counted only if onset is at most this many days after the patient's first visit; None: always."""
    when: Literal["first seen at the last visit", "no eligible visit left"] = "first seen at the last visit"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.worsening == "unconfirmed" and self.within_days is not None:
            raise ValueError("within_days has no effect unless worsening = 'counted'")
        return self

    def prose(self) -> str:
        """Return the rule in words."""
        if self.worsening == "unconfirmed":
            return "A worsening that no later visit could confirm was not an event."
        within = f" within {days_text(self.within_days)} of the first visit" if self.within_days is not None else ""
        when = self.when if self.when == "first seen at the last visit" else "with no eligible visit left to confirm it"
        return f"A worsening {when}{within} was counted without confirmation."
