"""What the scan and the milestones share: comparing scores, keeping away from relapses, confirming, lasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from smoulder.engine.record import Record
from smoulder.rulebook.model import AnchoredVisit, Confirmation, LastVisit, Onset, Sustained
from smoulder.terms import Measure


@dataclass(frozen=True)
class Change:
    """A change being judged: in which direction, from what, and how much is needed to count."""

    worsening: bool
    onset: int
    baseline: int
    reference: int
    needed: int
    at_least: int | None = None
    """Score units that onset and every confirming score must be as bad as, besides; None: no such rule."""


class Terms(Protocol):
    """The parts that say when a change counts; a `Definition` has them, and so has a `Milestone`."""

    @property
    def onset(self) -> Onset:
        """Where a change may begin."""
        ...

    @property
    def confirmation(self) -> Confirmation:
        """When it is confirmed."""
        ...

    @property
    def sustained(self) -> Sustained:
        """How long it must last."""
        ...

    @property
    def last_visit(self) -> LastVisit:
        """What becomes of a worsening that nothing could confirm."""
        ...


class Judgement:
    """One patient and one measure under the parts that say when a change counts."""

    def __init__(self, record: Record, measure: Measure, terms: Terms) -> None:
        self.record = record
        self.terms = terms
        self.days = record.days
        self.scores = list(record.scores)
        self.last = len(record.days) - 1
        self.sign = 1 if measure.higher_is_worse else -1
        self.starting = 0
        """The visit that anchored visits are counted from."""

    def worse_by(self, score: int, reference: int) -> int:
        """Return by how much a score is worse than a reference; negative where it is better."""
        return self.sign * (score - reference)

    def holds(self, visit: int, change: Change) -> bool:
        """Return whether a change still holds at a visit."""
        direction = 1 if change.worsening else -1
        past = direction * self.worse_by(self.scores[visit], change.reference) >= change.needed
        if change.at_least is not None:
            past = past and self.worse_by(self.scores[visit], change.at_least) >= 0
        if self.terms.confirmation.level == "threshold":
            return past
        return past and direction * self.worse_by(self.scores[visit], self.scores[change.onset]) >= 0

    def far_from_relapses(self, visit: int, days_after: int, days_before: int) -> bool:
        """Return whether a visit keeps its distance: at least N days after and before any relapse; 0 switches a side off."""
        return self.blocking_relapse(visit, days_after, days_before) is None

    def blocking_relapse(self, visit: int, days_after: int, days_before: int) -> tuple[int, str] | None:
        """Return the nearest relapse that a visit is too near to, and the side that decides ("after", "before"); None where it is far."""
        day = self.days[visit]
        after = [(day - relapse, relapse, "after") for relapse in self.record.relapses if 0 <= day - relapse < days_after]
        before = [(relapse - day, relapse, "before") for relapse in self.record.relapses if 0 <= relapse - day < days_before]
        nearest = min([*after, *before], default=None)
        return None if nearest is None else nearest[1:]

    def eligible(self, onset: int) -> list[int]:
        """Step D: return the visits that may confirm, in day order."""
        rule = self.terms.confirmation
        as_well = None if rule.as_well is None else self.anchored(rule.as_well)
        if rule.as_well is not None and (as_well is None or as_well < onset):
            return []
        only = None if rule.at is None else self.anchored(rule.at)
        return [
            visit
            for visit in range(onset + 1, self.last + 1)
            if (rule.at is None or visit == only)
            and any(self.in_window(visit, onset, number) for number in range(len(rule.windows)))
            and self.far_from_relapses(visit, rule.days_after_relapse, rule.days_before_relapse)
            and (rule.visits == "any" or self.record.scheduled[visit])
        ]

    def anchored(self, anchor: AnchoredVisit) -> int | None:
        """Return the visit nearest to a day after the starting visit, the earlier of two; None where none lies within the bounds."""
        start = self.days[self.starting]
        within = [visit for visit in range(self.last + 1) if anchor.from_day <= self.days[visit] - start <= anchor.to_day]
        return min(within, key=lambda visit: (abs(self.days[visit] - start - anchor.day), visit), default=None)

    def in_window(self, visit: int, onset: int, number: int) -> bool:
        """Return whether a visit lies in a named confirmation window."""
        window = self.terms.confirmation.windows[number]
        waited = self.days[visit] - self.days[onset]
        return window.from_day <= waited and (window.to_day is None or waited <= window.to_day)

    def is_confirmed(self, change: Change, confirming: int) -> bool:
        """Return whether a change holds at the confirming visit and wherever else it must."""
        rule = self.terms.confirmation
        between = range(change.onset + 1, confirming) if rule.every_visit else range(0)
        if not self.holds(confirming, change) or any(self.breaks(visit, change) for visit in between):
            return False
        if rule.as_well is not None:
            as_well = self.anchored(rule.as_well)
            if as_well is None or not self.holds(as_well, change):
                return False
        return not rule.leading_system or self.is_led(change, [*between, confirming])

    def breaks(self, visit: int, change: Change) -> bool:
        """Return whether a change fails to hold at a visit, and that is not forgiven because it holds again at the next one."""
        if self.holds(visit, change):
            return False
        forgiven = self.terms.confirmation.forgives == "single visits" and visit < self.last and self.holds(visit + 1, change)
        return not forgiven

    def first_failing(self, change: Change, after: int) -> int | None:
        """Return the first visit after one at which a change fails to hold; None where it never does."""
        return next((visit for visit in range(after + 1, self.last + 1) if self.breaks(visit, change)), None)

    def is_led(self, change: Change, visits: list[int]) -> bool:
        """Return whether one of the functional systems that worsened most is still worse than at baseline at some visits.

        Only a worsening of the EDSS must be led. A system that was not scored at one of the visits is not known to be better there.
        """
        if not change.worsening or not self.record.systems:
            return True
        leading = leading_systems(self.record.systems[change.baseline], self.record.systems[change.onset])
        before = self.record.systems[change.baseline]

        def still_worse(system: int, visit: int) -> bool:
            here, base = self.record.systems[visit][system], before[system]
            return here is None or (base is not None and here > base)

        return any(all(still_worse(system, visit) for visit in visits) for system in leading)

    def is_counted(self, change: Change, eligible: list[int]) -> bool:
        """Return whether an unconfirmed worsening counts because no later visit could confirm it."""
        rule = self.terms.last_visit
        if rule.worsening == "unconfirmed":
            return False
        if rule.within_days is not None and self.days[change.onset] - self.days[0] > rule.within_days:
            return False
        if rule.when == "first seen at the last visit":
            return change.onset == self.last
        return not eligible and all(self.holds(visit, change) for visit in range(change.onset + 1, self.last + 1))

    @property
    def lasts_at_every_visit(self) -> bool:
        """Whether a change must last at every visit after the confirming one."""
        over = self.terms.sustained.every_visit
        return self.terms.confirmation.every_visit if over is None else over

    def is_sustained(self, change: Change, fails: int | None) -> bool:
        """Return whether a confirmed change lasts as long as the definition asks."""
        rule = self.terms.sustained
        if rule.days == 0 or rule.kinds == ("improvement" if change.worsening else "worsening"):
            return True
        if self.lasts_at_every_visit:
            return fails is None or (rule.days != "to the end" and self.days[fails] - self.days[change.onset] >= rule.days)
        return self.holds(self.lasting_visit(change), change)

    def lasting_visit(self, change: Change) -> int:
        """Return the one visit that says whether a change lasts: the first at least so many days after onset, or the last of all."""
        days = self.terms.sustained.days
        if days == "to the end":
            return self.last
        later = (visit for visit in range(change.onset + 1, self.last + 1) if self.days[visit] - self.days[change.onset] >= int(days))
        return next(later, self.last)

    def first_in_window(self, visits: list[int], onset: int, number: int) -> int:
        """Return the first of some visits that lies in a window; -1 for none."""
        return next((visit for visit in visits if self.in_window(visit, onset, number)), -1)

    def far_enough_for_onset(self, visit: int) -> bool:
        """Return whether a visit is far enough from relapses to be an onset."""
        return self.far_from_relapses(visit, self.terms.onset.days_after_relapse, self.terms.onset.days_before_relapse)

    def may_begin(self, visit: int, baseline: int) -> bool:
        """Return whether a change may begin at a visit: far from relapses and from the visit compared with, and where it is looked for."""
        rule = self.terms.onset
        since = visit - 1 if rule.min_days_from == "previous visit" else baseline
        far = rule.min_days == 0 or self.days[visit] - self.days[max(since, 0)] >= rule.min_days
        return self.far_enough_for_onset(visit) and far and (rule.at is None or visit == self.anchored(rule.at))


def leading_systems(before: tuple[int | None, ...], after: tuple[int | None, ...]) -> list[int]:
    """Return the functional systems that worsened most from one visit to another; empty where none did."""
    gained = {place: b - a for place, (a, b) in enumerate(zip(before, after, strict=True)) if a is not None and b is not None}
    most = max(gained.values(), default=0)
    return [place for place, gain in gained.items() if gain == most] if most > 0 else []
