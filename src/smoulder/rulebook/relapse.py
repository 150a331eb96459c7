"""Relapses near a worsening: when it is RAW, when PIRA, when neither."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, model_serializer, model_validator

from smoulder.rulebook.parts import MOST_DAYS, AsTuple, Days, Part, days_text, listed

Anchor = Literal["baseline", "last meaningful visit", "previous visit", "onset", "confirmation", "last holding visit"]
ANCHORS: tuple[Anchor, ...] = get_args(Anchor)
"""In the order in which they usually lie in time; `baseline` is the visit whose score is the reference, and the last holding visit the
last one before the change first fails to hold after its confirmation."""

_END = re.compile(rf"^({'|'.join(ANCHORS)})\s*(?:([+-])\s*(\d+))?$")


class Interval(Part):
    """A stretch of days that must be free of relapses, both ends included.

    Written in TOML as text: "onset-90 .. onset+30", "baseline .. confirmation".
    """

    start: Anchor
    start_days: int = 0
    """Days added to the start anchor (negative: before it)."""
    end: Anchor
    end_days: int = 0
    """Days added to the end anchor."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        ends = [_END.match(part.strip()) for part in value.split("..")]
        if len(ends) != 2 or None in ends:
            raise ValueError(
                f"'{value}' is not 'ANCHOR±DAYS .. ANCHOR±DAYS', such as 'onset-90 .. onset+30'; the anchors are {listed(ANCHORS)}"
            )
        named = []
        for end in ends:
            anchor, sign, days = end.groups()  # type: ignore[union-attr]
            named.append((anchor, int(f"{sign}{days}") if days else 0))
        return {"start": named[0][0], "start_days": named[0][1], "end": named[1][0], "end_days": named[1][1]}

    @model_serializer
    def _plain(self) -> str:  # type: ignore[override]
        return str(self)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if ANCHORS.index(self.start) > ANCHORS.index(self.end):
            raise ValueError(f"'{self}' starts at a later anchor than it ends")
        if max(abs(self.start_days), abs(self.end_days)) > MOST_DAYS:
            raise ValueError(f"'{self}' reaches further than {MOST_DAYS:,} days")
        if self.start == self.end and self.start_days >= self.end_days:
            raise ValueError(f"'{self}' has no length")
        return self

    @property
    def is_late(self) -> bool:
        """Whether it ends at the confirming visit or later."""
        return self.end in ("confirmation", "last holding visit")

    def __str__(self) -> str:
        return f"{_anchored(self.start, self.start_days)} .. {_anchored(self.end, self.end_days)}"

    def prose(self) -> str:
        """Return the interval in words."""
        if self.start == self.end and self.start_days < 0 < self.end_days:
            before, after = days_text(-self.start_days), days_text(self.end_days)
            return f"from {before} before to {after} after {_anchor_prose(self.end, 0)}"
        return f"from {_anchor_prose(self.start, self.start_days)} to {_anchor_prose(self.end, self.end_days)}"


def _anchored(anchor: str, days: int) -> str:
    return anchor if days == 0 else f"{anchor}{days:+d}"


def _anchor_prose(anchor: str, days: int) -> str:
    names = {
        "baseline": "the reference visit",
        "confirmation": "the confirming visit",
        "last holding visit": "the last visit at which it held",
    }
    name = names.get(anchor, f"the {anchor}")
    name = "onset" if anchor == "onset" else name
    if days == 0:
        return name
    return f"{days_text(abs(days))} {'before' if days < 0 else 'after'} {name}"


class RawWindow(Part):
    """RAW: a relapse began in [onset - days_before_onset, onset + days_after_onset], both ends included."""

    days_before_onset: Days
    days_after_onset: Days = 0

    def prose(self) -> str:
        """Return the window in words."""
        before, after = days_text(self.days_before_onset), days_text(self.days_after_onset)
        if self.days_before_onset and self.days_after_onset:
            return f"from {before} before to {after} after onset"
        if self.days_before_onset:
            return f"in the {before} before onset or on its day"
        return f"on the day of onset or in the {after} after it" if self.days_after_onset else "on the day of onset"


def _intervals(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(Interval.model_validate(item) if isinstance(item, str) else item for item in value)
    return value


Intervals = Annotated[tuple[Interval, ...], AsTuple, BeforeValidator(_intervals)]


class RelapseRule(Part):
    """How a confirmed worsening is labelled by the relapses around it (engine semantics, section 5)."""

    extras: ClassVar[frozenset[str]] = frozenset({"raw_in", "pira_at", "during_confirmation"})

    raw: RawWindow | None = None
    """None: nothing is RAW by a window (see `otherwise`)."""
    raw_in: Intervals = ()
    """RAW: a relapse began in any of these as well (Ingwersen 2023: between the visit before onset and onset); anchors up to onset only."""
    relapse_free: Intervals = ()
    """PIRA: no relapse in any of these; empty: nothing to fail."""
    exclusive: bool = True
    """True: RAW is tested first, and what is RAW is not PIRA. False: the two are independent and both may hold."""
    otherwise: Literal["undefined", "RAW"] = "undefined"
    """What is neither: "undefined", or "RAW" as the residual class."""
    pira_at: Literal["any confirming visit", "first confirming visit"] = "any confirming visit"
    """Where the relapse-free intervals are asked of: each confirming visit, of which one is enough, or the earliest alone."""
    during_confirmation: Literal["as otherwise", "own class"] = "as otherwise"
    """What becomes of a worsening that fails to be PIRA only by relapses in an interval that ends at the confirming visit or later: as
    any other, or a class of its own, "PIRA with relapse during confirmation" (Bsteh 2025)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(interval.is_late for interval in self.raw_in):
            raise ValueError("raw_in is judged before confirmation, so its intervals end at onset at the latest")
        late = [interval for interval in self.relapse_free if interval.is_late]
        if self.during_confirmation == "own class" and not late:
            raise ValueError(
                "during_confirmation = 'own class' has no effect unless an interval of relapse_free ends at the confirming visit"
            )
        return self

    def prose(self) -> str:
        """Return the labels in words."""
        sentences = []
        raw = [*([self.raw.prose()] if self.raw is not None else []), *(interval.prose() for interval in self.raw_in)]
        if raw:
            sentences.append(f"A worsening was relapse-associated (RAW) if a relapse began {listed(raw, 'or')}.")
        not_raw = "it was not RAW" if raw and self.exclusive else ""
        free = listed([interval.prose() for interval in self.relapse_free], "or")
        conditions = listed([part for part in (not_raw, f"no relapse began {free}" if free else "") if part])
        if not free:
            which = "Any other worsening was" if not_raw else "Every worsening was counted as"
            return " ".join([*sentences, f"{which} independent of relapses (PIRA)."])
        asked_there = any("confirmation" in (interval.start, interval.end) for interval in self.relapse_free)
        several = "; of several confirming visits, one for which this held was enough" if asked_there else ""
        if asked_there and self.pira_at == "first confirming visit":
            several = "; of several confirming visits, the first one decided"
        sentences.append(f"{'It' if sentences else 'A worsening'} was independent of relapses (PIRA) if {conditions}{several}.")
        sentences.append("The first and the last day of a window belonged to it.")
        if raw and not self.exclusive:
            sentences.append("RAW and PIRA were not exclusive: a worsening could be both.")
        if self.during_confirmation == "own class":
            sentences.append(
                "A worsening that was not PIRA only because of a relapse after onset, up to or around its confirmation, was a class of its "
                "own (PIRA with relapse during confirmation)."
            )
        rest = "was counted as RAW" if self.otherwise == "RAW" else "was left undefined"
        return " ".join([*sentences, f"Any other worsening {rest}."])
