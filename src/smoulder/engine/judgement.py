"""What the scan and the milestones share: comparing scores, keeping away from relapses, confirming, lasting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from smoulder.engine.record import Record
from smoulder.rulebook.model import Confirmation, LastVisit, Onset, Sustained
from smoulder.terms import Measure


@dataclass(frozen=True)
class Change:
    """A change being judged: in which direction, from what, and how much is needed to count."""

    worsening: bool
    onset: int
    baseline: int
    reference: int
    needed: int


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

    def worse_by(self, score: int, reference: int) -> int:
        """Return by how much a score is worse than a reference; negative where it is better."""
        return self.sign * (score - reference)

    def holds(self, visit: int, change: Change) -> bool:
        """Return whether a change still holds at a visit."""
        direction = 1 if change.worsening else -1
        past = direction * self.worse_by(self.scores[visit], change.reference) >= change.needed
        if self.terms.confirmation.level == "threshold":
            return past
        return past and direction * self.worse_by(self.scores[visit], self.scores[change.onset]) >= 0

    def far_from_relapses(self, visit: int, days_after: int, days_before: int) -> bool:
        """Return whether a visit keeps its distance: at least N days after and before any relapse; 0 switches a side off."""
        day = self.days[visit]
        for relapse in self.record.relapses:
            if relapse <= day and day - relapse < days_after:
                return False
            if relapse >= day and relapse - day < days_before:
                return False
        return True

    def eligible(self, onset: int) -> list[int]:
        """Step D: return the visits that may confirm, in day order."""
        rule = self.terms.confirmation
        return [
            visit
            for visit in range(onset + 1, self.last + 1)
            if any(self.in_window(visit, onset, number) for number in range(len(rule.windows)))
            and self.far_from_relapses(visit, rule.days_after_relapse, rule.days_before_relapse)
            and (rule.visits == "any" or self.record.scheduled[visit])
        ]

    def in_window(self, visit: int, onset: int, number: int) -> bool:
        """Return whether a visit lies in a named confirmation window."""
        window = self.terms.confirmation.windows[number]
        waited = self.days[visit] - self.days[onset]
        return window.from_day <= waited and (window.to_day is None or waited <= window.to_day)

    def is_confirmed(self, change: Change, confirming: int) -> bool:
        """Return whether a change holds at the confirming visit and, where required, at every visit up to it."""
        between = range(change.onset + 1, confirming) if self.terms.confirmation.every_visit else range(0)
        return all(self.holds(visit, change) for visit in (*between, confirming))

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

    def is_sustained(self, change: Change, fails: int | None) -> bool:
        """Return whether a confirmed change lasts as long as the definition asks."""
        rule = self.terms.sustained
        if rule.days == 0 or rule.kinds == ("improvement" if change.worsening else "worsening"):
            return True
        if self.terms.confirmation.every_visit:
            return fails is None or (rule.days != "to the end" and self.days[fails] - self.days[change.onset] >= rule.days)
        at = self.last
        if rule.days != "to the end":
            wait = int(rule.days)
            later = (visit for visit in range(change.onset + 1, self.last + 1) if self.days[visit] - self.days[change.onset] >= wait)
            at = next(later, self.last)
        return self.holds(at, change)

    def first_in_window(self, visits: list[int], onset: int, number: int) -> int:
        """Return the first of some visits that lies in a window; -1 for none."""
        return next((visit for visit in visits if self.in_window(visit, onset, number)), -1)

    def far_enough_for_onset(self, visit: int) -> bool:
        """Return whether a visit is far enough from relapses to be an onset."""
        return self.far_from_relapses(visit, self.terms.onset.days_after_relapse, self.terms.onset.days_before_relapse)
