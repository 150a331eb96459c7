"""Where the reference comes from, and when it moves."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, model_validator

from smoulder.rulebook.parts import AsTuple, Days, Part, days_text, listed, relapse_distance_text

Move = Literal["worsening", "PIRA", "improvement", "relapse"]
_MOVE_ORDER: tuple[Move, ...] = get_args(Move)
_FROM_ZERO = ("nearest time zero", "first after time zero")


def _in_order(moves: tuple[Move, ...]) -> tuple[Move, ...]:
    return tuple(sorted(moves, key=_MOVE_ORDER.index))


class Baseline(Part):
    """The visit compared with; its score is the reference."""

    extras: ClassVar[frozenset[str]] = frozenset({"zero", "start_within_days", "distance_after_change"})

    start: Literal["first visit", "nearest time zero", "first after time zero", "previous visit"] = "first visit"
    """Where it starts: the first visit with the measure; the one nearest the patient's time zero (the earlier of two); the first one
    on or after time zero (`start_within_days`), and the first of all where there is none. Or it has no fixed place: every visit is
    compared with the one before it."""
    zero: Literal["time zero", "diagnosis", "onset of the disease"] = "time zero"
    """Which day of the patients table time zero is: `time_zero`, `diagnosis_date` or `onset_date`."""
    start_within_days: Days | None = None
    """How many days after time zero the first visit after it may be; None: any."""
    days_after_relapse: Days = 0
    """How many days after a relapse a baseline visit must be; 0 switches the rule off."""
    days_before_relapse: Days = 0
    """How many days before a relapse a baseline visit must be; 0 switches the rule off."""
    distance_after_change: bool = True
    """Whether the visit that a confirmed change moves it to must keep these distances too, or only the first baseline and one after a
    relapse (MSoutcomes: the new reference "regardless of the recency of a relapse")."""
    moves_after: Annotated[tuple[Move, ...], AsTuple, AfterValidator(_in_order)] = ()
    """What moves it; empty: fixed. "PIRA" moves it on those worsenings only that are PIRA."""
    moves_to: Literal["confirmation", "onset", "lowest score"] = "confirmation"
    """Where a confirmed change moves it: the confirming visit, the onset visit, or the first visit with the best score
    from onset to the confirming visit."""
    sub_threshold: Literal["no", "improvement", "worsening", "both"] = "no"
    """Whether a confirmed change below the threshold moves it too; only in a direction in which it moves at all."""
    unsustained_moves: bool = False
    """Whether a confirmed change that is not sustained moves it as an event would."""
    relapse_move: Literal["every", "crossed"] = "every"
    """Where relapses move it: every relapse does, or only one that a candidate has crossed (msprog, MSoutcomes)."""
    crossed_days: Days | None = None
    """By how many days a relapse must lie before a candidate to move the baseline; None: the RAW window before onset."""
    may_fall: Literal["yes", "not after a relapse", "no"] = "yes"
    """Whether the reference may become better than the one before: always, not by a move after a relapse (Kappos 2020), never."""
    local_extrema: Literal["allowed", "not strict", "none"] = "allowed"
    """Whether a visit may serve whose two neighbours are both worse or both better: always, not if both by the threshold, never."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start == "previous visit" and (self.moves_after or self.local_extrema != "allowed"):
            raise ValueError(
                "start = 'previous visit' leaves moves_after empty and local_extrema 'allowed': each visit has its own baseline"
            )
        if self.start not in _FROM_ZERO and self.zero != "time zero":
            raise ValueError(f"zero has no effect unless start is {listed([repr(start) for start in _FROM_ZERO], 'or')}")
        if self.start != "first after time zero" and self.start_within_days is not None:
            raise ValueError("start_within_days has no effect unless start = 'first after time zero'")
        if len(set(self.moves_after)) != len(self.moves_after):
            raise ValueError("moves_after names something twice")
        if {"worsening", "PIRA"} <= set(self.moves_after):
            raise ValueError("moves_after has both 'worsening' and 'PIRA'; every PIRA is a worsening, so name one")
        directions = {
            "improvement": ("improvement",),
            "worsening": ("worsening",),
            "both": ("improvement", "worsening"),
            "no": (),
        }
        for direction in directions[self.sub_threshold]:
            if direction not in self.moves_after:
                raise ValueError(f"sub_threshold = '{self.sub_threshold}' has no effect unless moves_after has '{direction}'")
        if "relapse" not in self.moves_after and (self.relapse_move != "every" or self.crossed_days is not None):
            raise ValueError("relapse_move and crossed_days have no effect unless moves_after has 'relapse'")
        moved_by_change = set(self.moves_after) - {"relapse"}
        if not self.distance_after_change and not (moved_by_change and (self.days_after_relapse or self.days_before_relapse)):
            raise ValueError("distance_after_change has no effect unless confirmed changes move the baseline and it keeps a distance")
        if self.may_fall != "yes" and not self.moves_after:
            raise ValueError("may_fall has no effect on a baseline that never moves")
        if self.may_fall == "not after a relapse" and "relapse" not in self.moves_after:
            raise ValueError("may_fall = 'not after a relapse' has no effect unless moves_after has 'relapse'")
        return self

    def prose(self) -> str:
        """Return the baseline in words."""
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        if self.start == "previous visit":
            where = f", or at the last one before it that was {distance}" if distance else ""
            return f"Each visit was compared with the score at the visit before it{where}. {self._search_prose()}"
        sentences = [self.starting_prose()]
        if not self.moves_after:
            sentences.append("It stayed fixed.")
        changes = [f"each confirmed {move}" if move != "PIRA" else "each PIRA" for move in self.moves_after if move != "relapse"]
        if changes:
            place = {"confirmation": "the confirming visit", "onset": "the onset visit"}.get(
                self.moves_to, "the best visit from onset to confirmation"
            )
            sentences.append(f"It moved to the score at {place} after {listed(changes)}.")
        if self.sub_threshold != "no":
            which = {"both": "change"}.get(self.sub_threshold, self.sub_threshold)
            sentences.append(f"Any confirmed {which} moved it, also one smaller than the threshold.")
        if self.unsustained_moves:
            sentences.append("Changes that were confirmed but not sustained moved it as well.")
        if "relapse" in self.moves_after:
            sentences.append(self._relapse_prose())
        if self.moves_after and distance and self.distance_after_change:
            sentences.append(f"Each new reference visit, too, had to be {distance}.")
        elif distance and not self.distance_after_change:
            after = f"; one after a relapse had to be {distance}" if "relapse" in self.moves_after else ""
            sentences.append(f"A reference visit after a confirmed change could be near a relapse{after}.")
        if self.may_fall != "yes":
            which = "A relapse" if self.may_fall == "not after a relapse" else "A move"
            sentences.append(f"{which} could not make the reference better: the worse of the old and the new score was kept.")
        if self.local_extrema != "allowed":
            by = " by at least the threshold" if self.local_extrema == "not strict" else ""
            sentences.append(f"A visit whose neighbours were both worse or both better{by} could not serve as baseline.")
        return " ".join(sentences)

    def starting_prose(self) -> str:
        """Return the sentence that says where the reference starts."""
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        start = f"{self._start_visit()}{f' {distance}' if distance else ''}"
        if self.start in _FROM_ZERO:
            start = f"{self._start_visit()}{f', or the first one after it {distance}' if distance else ''}"
        return f"The reference was the score at {start}."

    def _start_visit(self) -> str:
        zero = self.zero if self.zero == "time zero" else f"the {self.zero}"
        if self.start == "nearest time zero":
            return f"the visit nearest {zero}"
        if self.start == "first after time zero":
            within = f" within {days_text(self.start_within_days)}" if self.start_within_days is not None else ""
            return f"the first visit{within} on or after {zero} (the first of all where there was none)"
        return "the first visit"

    def _search_prose(self) -> str:
        place = {"onset": "onset", "confirmation": "the confirming one", "lowest score": "the best one from onset to confirmation"}
        return f"After an event the search went on at the visit after {place[self.moves_to]}."

    def _relapse_prose(self) -> str:
        near = "on the day of the relapse" if self.crossed_days == 0 else f"at most {days_text(self.crossed_days or 0)} after the relapse"
        if self.crossed_days is None:
            near = "no longer after the relapse than the RAW window before onset"
        anew = "the reference was set anew at the first visit on or after the relapse"
        kept = f"a change first seen {near} was still compared with the reference before it"
        if self.relapse_move == "every":
            return f"After every relapse {anew}; {kept}."
        return f"Where a change was first seen after a relapse, {anew}; {kept}."
