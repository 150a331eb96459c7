"""The specification of a carried reference: every visit in turn is compared with a score that is carried from visit to visit.

Slow and plain on purpose, as `reference` is; the kernel has to agree with it (Bsteh 2025, MSARD 93:106215; Bsteh 2026, Mult Scler 32:179).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from smoulder.engine.judgement import Change
from smoulder.engine.record import NO_LABEL, UNDEFINED, UNDETERMINED, Found, Record
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.rulebook.model import CarriedReference, Definition, MeasureRule


@dataclass(frozen=True)
class Held:
    """A reference in force: its score, and the visit it was set at."""

    visit: int
    score: int


@dataclass(frozen=True)
class Attempt:
    """What a visit comes to against one reference."""

    change: Change | None
    """None: no change past the threshold that may begin here."""
    eligible: list[int]
    """Visits that may confirm."""
    confirming: list[int]
    """Visits that confirm; empty also where it counts without."""
    fails: int | None = None
    until: int = -1
    found: Found | None = None
    """The event; None where it is not confirmed or not sustained (`until` is -1 where it is not confirmed)."""


@dataclass(frozen=True)
class Step:
    """One event, and the reference it leaves."""

    found: Found
    score: int
    """Best score from onset to the end of the confirmation, of the last of a merged series."""
    dated: int
    """Visit by which the new reference is dated."""
    last_visit: int
    """Last visit of a merged series; onset where none follows."""
    first: bool
    """Whether it is a worsening from the first reference: RAW or PIRA."""


class Walk(Scan):
    """The state of one walk: the references in force since the last event, latest last, and what was found."""

    def __init__(self, record: Record, rule: MeasureRule, definition: Definition, teller: Teller) -> None:
        super().__init__(record, rule, definition, teller)
        assert definition.carried is not None
        self.carried: CarriedReference = definition.carried
        self.first: list[Held] = []
        """References of RAW and PIRA."""
        self.second: list[Held] = []
        """References of undefined worsening; relapses do not move them."""
        self.steps: list[Step] = []

    # -- the walk ---------------------------------------------------------------------------

    def run(self) -> list[Found]:
        """Walk from the starting visit to the last one, or until what is looked for is found."""
        if not self.start() or not self.settle():
            return []
        origin = Held(self.baseline, self.reference)
        self.first, self.second = [origin], [origin]
        self.walk(origin.visit + 1, self.past_relapse(origin.visit))
        if self.carried.second_reference == "after the last event":
            self.look_after_last_event(origin)
        return self.wanted()

    def walk(self, first: int, past_relapse: set[int], *, only_second: bool = False) -> None:
        """Visit by visit: look for a worsening; where there is none, let relapses and better scores move the references."""
        visit = first
        while visit <= self.last:
            step = self.step_at(visit, past=visit in past_relapse, only_second=only_second)
            if step is None:
                if visit in past_relapse:
                    self.rise_after_relapse(visit)
                self.fall(visit)
                visit += 1
                continue
            self.add(step.found)
            self.steps.append(step)
            if self.definition.looking_for != "every event" and self.is_looked_for(step.found):
                self.teller.stopped(self, f"the {self.definition.looking_for} is found")
                return
            self.move_after(step, past=visit in past_relapse)
            visit = step.last_visit + 1
        self.teller.stopped(self, "no visit is left")

    def look_after_last_event(self, origin: Held) -> None:
        """Walk again from the last RAW or PIRA, against the second reference alone; what it finds there stands for what was found."""
        last = next((step for step in reversed(self.steps) if step.first), None)
        restart = origin if last is None else Held(last.last_visit, last.score)
        start = restart.visit
        if start >= self.last:
            return
        before, self.found = self.found, []
        self.first, self.second = [restart], [restart]
        self.walk(start + 1, self.past_relapse(start), only_second=True)
        events = [found for found in self.found if found.reason == 0]
        kept = [found for found in before if not events or found.onset <= start]
        self.found = sorted([*kept, *(self.found if events else [])], key=lambda found: found.onset)

    # -- relapses ---------------------------------------------------------------------------

    def past_relapse(self, start: int) -> set[int]:
        """Return the first visit past the RAW window of each relapse, but for relapses whose window runs into that of the next one."""
        rule = self.definition.relapses
        if rule is None or rule.raw is None or self.carried.after_relapse == "stays":
            return set()
        found = set()
        for place, relapse in enumerate(self.record.relapses):
            end = relapse + rule.raw.days_before_onset
            following = self.record.relapses[place + 1 : place + 2]
            if following and end >= following[0] - rule.raw.days_after_onset:
                continue
            visit = next((visit for visit in range(start, self.last + 1) if self.days[visit] > end), None)
            if visit is not None:
                found.add(visit)
        return found

    def rise_after_relapse(self, visit: int) -> None:
        """Let the first reference rise to what a relapse left behind."""
        if self.worse_by(self.scores[visit], self.first[-1].score) > 0:
            self.first = [Held(visit, self.scores[visit])]
            self.teller.carried(self, "first", visit, self.scores[visit], "relapse")

    # -- better scores ----------------------------------------------------------------------

    def fall(self, visit: int) -> None:
        """Let a better score lower the references that it is better than."""
        if self.carried.falls == "no":
            return
        for which, held in (("first", self.first), ("second", self.second)):
            if self.worse_by(held[-1].score, self.scores[visit]) > 0:
                score = self.fallen_score(visit, held[-1].score)
                if score is not None:
                    held.append(Held(visit, score))
                    self.teller.carried(self, which, visit, score, "falls")

    def fallen_score(self, visit: int, reference: int) -> int | None:
        """Return the score that a reference falls to; None where the better score is not confirmed."""
        rule = self.carried
        if rule.falls == "at once":
            return self.scores[visit]

        def waited(later: int) -> int:
            return self.days[later] - self.days[visit]

        confirming = next(
            (
                later
                for later in range(visit + 1, self.last + 1)
                if rule.falls_from_day <= waited(later) and (rule.falls_to_day is None or waited(later) <= rule.falls_to_day)
            ),
            None,
        )
        if confirming is None:
            return None
        visits = range(visit + 1, confirming + 1) if rule.falls_every_visit else range(confirming, confirming + 1)
        if any(self.worse_by(self.scores[later], reference) >= 0 for later in visits):
            return None
        return max((self.scores[later] for later in (visit, *visits)), key=lambda score: self.sign * score)

    # -- worsening --------------------------------------------------------------------------

    def step_at(self, visit: int, *, past: bool, only_second: bool) -> Step | None:
        """Return the worsening that begins at a visit: RAW or PIRA from the first reference, else undefined from the second."""
        if not past and not only_second:
            found = self.worsening(visit, self.first, first=True, at_least=None)
            if found is not None:
                return self.merged(found) if self.carried.merging is not None else found
        where = self.carried.second_reference
        if only_second or where == "at every visit" or (past and where != "no"):
            reference = self.first[-1].score
            least = {"any": None, "the reference": reference, "worse than the reference": reference + self.sign}
            return self.worsening(visit, self.second, first=False, at_least=least[self.carried.second_at_least])
        return None

    def worsening(self, visit: int, held: list[Held], *, first: bool, at_least: int | None) -> Step | None:
        """Return the event that begins at a visit, from one of the references held, and tell what is none; None where there is none."""
        base = self.reference_for(visit, held)
        self.baseline, self.reference, self.from_second = base.visit, base.score, not first
        differs = self.is_past(self.scores[visit], base.score, worsening=True)
        self.teller.compared(self, visit, differs=differs, far=self.may_begin(visit, base.visit))
        attempt = self.attempt(visit, base, first=first, at_least=at_least)
        change = attempt.change
        if change is None:
            return None
        if attempt.until < 0:
            self.teller.unconfirmed(self, change, attempt.eligible)
            self.add(self.no_event(change, 2 if attempt.eligible else 1))
            return None
        self.teller.confirmed(self, change, attempt.confirming, attempt.until)
        if attempt.found is None:
            self.teller.not_sustained(self, change, attempt.fails)
            self.add(self.no_event(change, 3))
            return None
        self.teller.labelled(self, change, attempt.found)
        return Step(attempt.found, self.confirmed_score(change, attempt.confirming), visit, visit, first)

    def attempt(self, visit: int, base: Held, *, first: bool, at_least: int | None = None) -> Attempt:
        """Judge a worsening that begins at a visit from a reference."""
        needed = self.rule.needed(base.score, worsening=True)
        low = at_least is not None and self.worse_by(self.scores[visit], at_least) < 0
        if (
            needed is None
            or low
            or not self.is_past(self.scores[visit], base.score, worsening=True)
            or not self.may_begin(visit, base.visit)
        ):
            return Attempt(None, [], [])
        change = Change(True, visit, base.visit, base.score, needed, at_least)
        eligible = self.eligible(visit)
        confirmed = bool(eligible) and self.is_confirmed(change, eligible[0])
        if not confirmed and self.definition.confirmation.windows and not self.is_counted(change, eligible):
            return Attempt(change, eligible, [])
        earliest = eligible[0] if confirmed else visit
        fails = self.first_failing(change, earliest)
        until = self.last if fails is None else fails - 1
        confirming = [later for later in eligible if later <= until and self.holds(later, change)] if confirmed else []
        if not self.is_sustained(change, fails):
            return Attempt(change, eligible, confirming, fails, until)
        found = self.event(change, confirming, until)
        return Attempt(change, eligible, confirming, fails, until, found if first else self.undefined(found))

    def undefined(self, event: Found) -> Found:
        """Return the event of a worsening from the second reference, which is neither RAW nor PIRA."""
        label = NO_LABEL if event.label == NO_LABEL else UNDEFINED if self.record.relapses_known else UNDETERMINED
        none = (-1,) * len(event.pira_confirmations)
        return replace(event, label=label, raw=False, pira=False, pira_confirmations=none, outside=False)

    def reference_for(self, visit: int, held: list[Held]) -> Held:
        """Return the reference that a visit is compared with: the latest, or an earlier one where that is too near."""
        if not self.carried.earlier_reference:
            return held[-1]
        able = (
            earlier
            for earlier in reversed(held)
            if self.is_past(self.scores[visit], earlier.score, worsening=True)
            and self.days[visit] - self.days[earlier.visit] >= self.definition.onset.min_days
        )
        return next(able, held[-1])

    def confirmed_score(self, change: Change, confirming: list[int]) -> int:
        """Return the best of the scores that had to hold, onset included and without forgiven ones: the reference from there on."""
        visits = {change.onset}
        if confirming:
            every = self.definition.confirmation.every_visit
            visits |= set(range(change.onset, confirming[0] + 1)) if every else {confirming[0]}
            sustained = self.definition.sustained
            if sustained.days == "to the end" and sustained.kinds != "improvement":
                visits |= set(range(confirming[0], self.last + 1)) if self.lasts_at_every_visit else {self.last}
        return min((self.scores[visit] for visit in visits if self.holds(visit, change)), key=lambda score: self.sign * score)

    # -- moving the references --------------------------------------------------------------

    def move_after(self, step: Step, *, past: bool) -> None:
        """Let the references be what a worsening leaves: the second always, the first only where that is worse than it was."""
        self.second = [Held(step.dated, step.score)]
        self.teller.carried(self, "second", step.found.onset, step.score, "worsening")
        left = step.found.onset_score if past else step.score
        if self.worse_by(left, self.first[-1].score) > 0:
            self.first = [Held(step.dated, left)]
            self.teller.carried(self, "first", step.found.onset, left, "worsening")

    # -- steps that follow each other -------------------------------------------------------

    def merged(self, step: Step) -> Step:
        """Return a step with those that follow it and are one event with it: no drop, the same label, stable for a short time only."""
        rule = self.carried.merging
        assert rule is not None
        score, dated, last, stable_since = step.score, step.dated, step.last_visit, None
        for visit in range(step.found.onset + 1, self.last + 1):
            if rule.within_days is not None and self.days[visit] - self.days[dated] > rule.within_days:
                break
            attempt = self.attempt(visit, self.reference_for(visit, self.first), first=True)
            if attempt.found is None or attempt.change is None or attempt.found.label != step.found.label:
                break
            reached = self.confirmed_score(attempt.change, attempt.confirming)
            if self.worse_by(reached, score) < 0:
                break
            if reached == score:
                stable_since = visit - 1 if stable_since is None else stable_since
                if self.days[visit] - self.days[stable_since] > rule.stable_days:
                    break
            else:
                stable_since, last = None, visit
            score, dated = reached, visit
        return replace(step, score=score, dated=dated, last_visit=last)
