"""What MSoutcomes 0.2.1 does otherwise than ours, as scans that do it too; most of it is otherwise than its own text.

Each cites a file of the package (R/…) and what to look for in it; its text is the description and the parameters at the head of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from smoulder.engine.judgement import Change
from smoulder.engine.record import Found
from smoulder.engine.reference import Scan


@dataclass(frozen=True)
class Habit:
    """One thing that another program does otherwise."""

    name: str
    why: str
    """The program's own text and code, and what ours does."""
    scan: type[Scan]


class OnlyConfirmedVisitsScan(Scan):
    """Takes the new reference from those visits only that are themselves held for the whole confirmation delay."""

    delay_days = 84

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        super().move_on(change, confirming, moves=moves, event=event)
        if not moves or not change.worsening:
            return
        lasting = [visit for visit in range(change.onset, self.last + 1) if self.held_days(visit, change) >= self.delay_days]
        near = [visit for visit in lasting if self.days[visit] - self.days[change.onset] <= self.delay_days]
        lowest = min(self.scores[visit] for visit in {*near, *lasting[:2]})
        self.baseline = next(visit for visit in range(change.onset, self.last + 1) if self.scores[visit] == lowest)
        self.search = self.baseline + 1

    def held_days(self, visit: int, change: Change) -> int:
        """Return for how long the change holds from a visit to the last one, far from relapses, before it fails; -1: not at all."""
        if not self.holds(visit, change):
            return -1
        fails = next((later for later in range(visit, self.last + 1) if not self.holds(later, change)), self.last + 1)
        after = self.definition.confirmation.days_after_relapse
        far = [later for later in range(fails) if self.far_from_relapses(later, after, 0)]
        return self.days[far[-1]] - self.days[visit] if far else -1


class LastVisitFarScan(Scan):
    """Calls nothing sustained whose last visit is near a relapse, because that visit is left out of what holds."""

    def is_sustained(self, change: Change, fails: int | None) -> bool:
        after = self.definition.confirmation.days_after_relapse
        return super().is_sustained(change, fails) and (self.definition.sustained.days == 0 or self.far_from_relapses(self.last, after, 0))


class ConfirmedCrossingScan(Scan):
    """Moves the baseline after a relapse only when a worsening from the old one is confirmed; its text says after every relapse."""

    worsened: int | None = None
    """The confirmed worsening that was found and is not yet judged."""

    def look(self) -> int | None:
        search = self.search
        while (candidate := super().look()) is not None:
            change = self.past_threshold(candidate, worsening=True)
            eligible = self.eligible(candidate)
            if change is not None and eligible and self.is_confirmed(change, eligible[0]):
                fails = next((at for at in range(eligible[0] + 1, self.last + 1) if not self.holds(at, change)), None)
                if self.is_sustained(change, fails):
                    break
            self.search = candidate + 1
        self.search = search if candidate is None else min(candidate, self.last)
        self.worsened = candidate
        return candidate

    def crossed(self, visit: int) -> bool:
        return visit == self.worsened and super().crossed(visit)

    def judge(self, onset: int) -> bool:
        self.worsened = None
        return super().judge(onset)


MSOUTCOMES_HABITS: tuple[Habit, ...] = (
    Habit(
        "new reference from lasting visits only",
        "the text says the minimum within the confirmation period; the code has dropped the visits that are not themselves held that long "
        "(R/CDW.R, R/PIRA.R, R/CDI.R, CL after its subset by sust.prog or sust.reg, then min2 and min.prog)",
        OnlyConfirmedVisitsScan,
    ),
    Habit(
        "last visit near a relapse",
        "the text says sustained for the remaining recorded follow-up; the code looks for the last visit more than tRelapse days after a "
        "relapse, and where that is not the last one nothing is sustained (R/CDW.R, R/PIRA.R, norel, CL$last.1 and sust.prog)",
        LastVisitFarScan,
    ),
    Habit(
        "relapse moves the baseline only with a confirmed worsening",
        "the text says that following a relapse the first EDSS outside 30 days becomes the new baseline; the code gets there only with a "
        "confirmed worsening (R/PIRA.R, break where CL is empty, before the re-baseline following a relapse)",
        ConfirmedCrossingScan,
    ),
)


class LastingVisitsScan(OnlyConfirmedVisitsScan):
    """Takes the new reference from visits that are themselves held for the whole delay, after an improvement as well."""

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        Scan.move_on(self, change, confirming, moves=moves, event=event)
        if not moves:
            return
        lasting = [visit for visit in range(change.onset, self.last + 1) if self.held_days(visit, change) >= self.delay_days]
        near = [visit for visit in lasting if self.days[visit] - self.days[change.onset] <= self.delay_days]
        lowest = min(self.scores[visit] for visit in {*near, *lasting[:2]})
        self.baseline = next(visit for visit in range(change.onset, self.last + 1) if self.scores[visit] == lowest)
        self.search = self.baseline + 1

    def held_days(self, visit: int, change: Change) -> int:
        if change.worsening:
            return super().held_days(visit, change)
        if not self.holds(visit, change):
            return -1
        fails = next((later for later in range(visit, self.last + 1) if not self.holds(later, change)), self.last + 1)
        return self.days[fails - 1] - self.days[visit]


class NearImprovementScan(Scan):
    """Confirms an improvement at any visit, also one near a relapse."""

    def eligible(self, onset: int) -> list[int]:
        if self.worse_by(self.scores[onset], self.reference) >= 0:
            return super().eligible(onset)
        return [visit for visit in range(onset + 1, self.last + 1) if self.in_window(visit, onset, 0)]


class EarlyVisitsScan(Scan):
    """Looks at the visits before the first baseline too; what is found there is not told, but moves the baseline."""

    first_baseline: int | None = None

    def settle(self) -> bool:
        settled = super().settle()
        if settled and self.first_baseline is None:
            self.first_baseline, self.search = self.baseline, 0
        return settled

    def may_begin(self, visit: int, baseline: int) -> bool:
        return super().may_begin(visit, min(visit, baseline))

    def wanted(self) -> list[Found]:
        return [found for found in super().wanted() if found.onset > (self.first_baseline or 0)]


class FirstDirectionScan(Scan):
    """Lets the first change, confirmed or not, decide what is looked for next, and ends where nothing of that kind is confirmed."""

    def look(self) -> int | None:
        first = super().look()
        if first is None:
            return None
        worsening = self.worse_by(self.scores[first], self.reference) > 0
        for visit in range(first, self.last + 1):
            change = self.past_threshold(visit, worsening=worsening)
            eligible = self.eligible(visit)
            if change is not None and eligible and self.is_confirmed(change, eligible[0]):
                return visit
        return None


class EndMarkerScan(Scan):
    """Puts the patient's first visit behind the last one as a mark of the end; before the baseline it may itself be a change, and then
    it ends nothing: it counts among the visits that last, and an improvement that holds to the end is none."""

    first_change = True

    def first_visit_changed(self, change: Change) -> bool:
        """Return whether the first visit lies before the first baseline and is past the threshold from it as well."""
        return self.first_change and change.baseline > 0 and self.is_past(self.scores[0], change.reference, worsening=change.worsening)

    def is_sustained(self, change: Change, fails: int | None) -> bool:
        if not change.worsening and fails is None and self.first_visit_changed(change):
            return False
        return super().is_sustained(change, fails)

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        marked = self.first_visit_changed(change)
        super().move_on(change, confirming, moves=moves, event=event)
        if moves and marked and self.scores[0] < self.scores[self.baseline]:
            same = (visit for visit in range(change.onset, self.last + 1) if self.scores[visit] == self.scores[0])
            self.baseline = next(same, self.last)
            self.search = self.baseline + 1
        self.first_change = self.first_change and not (event and moves)


class RelapseOnFirstVisitScan(Scan):
    """Leaves the patient at the first change whose last relapse began on the day of the first visit still kept."""

    moved = False

    def confirmed(self, change: Change, eligible: list[int]) -> bool:
        kept = self.baseline if self.moved else 0
        relapse = max((day for day in self.record.relapses if day <= self.days[change.onset]), default=None)
        earliest = eligible[0] if eligible else change.onset
        if change.worsening and relapse == self.days[kept] and self.is_sustained(change, self.first_failing(change, earliest)):
            return True
        return super().confirmed(change, eligible)

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        super().move_on(change, confirming, moves=moves, event=event)
        self.moved = self.moved or moves

    def move_after_relapse(self) -> bool:
        moved = super().move_after_relapse()
        self.moved = self.moved or moved
        return moved


class EndMarkerEventScan(Scan):
    """Keeps a visit exactly as far from a relapse as asked before the new baseline, and tells it as an event where nothing else is one."""

    moved_to: int | None = None
    """First visit after the relapse that moved the baseline; None: no relapse moved it."""
    kept: int | None = None
    """Visit kept before the baseline."""

    def move_after_relapse(self) -> bool:
        moved = super().move_after_relapse()
        self.moved_to = self.baseline if moved else None
        return moved

    def settle(self) -> bool:
        settled = super().settle()
        if self.moved_to is not None:
            after = self.definition.baseline.days_after_relapse - 1
            before = range(self.moved_to, self.baseline)
            self.kept = next((visit for visit in before if self.far_from_relapses(visit, after, 0)), None)
            self.moved_to = None
        return settled

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        super().move_on(change, confirming, moves=moves, event=event)
        self.kept = None if moves else self.kept

    def look(self) -> int | None:
        candidate = super().look()
        if candidate is not None or self.kept is None:
            return candidate
        kept, self.kept = self.kept, None
        change = self.past_threshold(kept, worsening=True)
        far = max(visit for visit in range(self.baseline, self.last + 1) if visit == self.baseline or self.is_far(visit))
        lasts = self.definition.sustained.days == 0 or far == self.last
        if change is None or not lasts or self.days[far] - self.days[kept] < self.definition.confirmation.windows[0].from_day:
            return None
        self.add(self.event(change, [far], far))
        self.baseline, self.search = kept, kept + 1
        self.reference = self.last_reference = self.scores[kept]
        return super().look()

    def is_far(self, visit: int) -> bool:
        """Return whether a visit is far enough from relapses to confirm."""
        return self.far_from_relapses(visit, self.definition.confirmation.days_after_relapse, 0)


END_MARKER = Habit(
    "the first visit marks the end",
    "a change that holds to the last visit is one; the code appends the patient's first visit as the end of the list, and where that lies "
    "before the baseline and is a change itself, it ends nothing (R/CDW.R and R/CDI.R, rbind(CL, CL[1,]))",
    EndMarkerScan,
)
EARLY_VISITS = Habit(
    "visits before the baseline are looked at",
    "a change from the baseline is one after it; the code compares every visit of the patient with it, tells none of the events before it, "
    "and moves the baseline by them (R/CDEseq.R, Visits.s from Visits.sav, and timepoint > 0 at the end)",
    EarlyVisitsScan,
)
NEAR_IMPROVEMENT = Habit(
    "an improvement confirmed near a relapse",
    "its text states a minimum time since the most recent relapse for an EDSS assessment; the code asks it of what confirms a worsening, "
    "and not of what confirms an improvement (R/CDI.R, R/CDEseq.R, no norel for regression)",
    NearImprovementScan,
)
FIRST_DIRECTION = Habit(
    "an unconfirmed change decides what follows",
    "its text says sequential worsening and improvement events, confirmed; in the code the first change of either kind, confirmed or not, "
    "decides that the next event is of that kind, and where none is, the patient is left (R/CDEseq.R, disability.event and break)",
    FirstDirectionScan,
)
RELAPSE_ON_FIRST_VISIT = Habit(
    "a relapse on the day of the first visit ends the search",
    "a relapse before the baseline does not move it; the code takes one on the day of the first visit it keeps as a later one, removes "
    "the visits with an older relapse, and where there are none it leaves the patient (R/PIRA.R, Visits.s$dateEDSS[1], and x from min of "
    "nothing)",
    RelapseOnFirstVisitScan,
)
END_MARKER_EVENT = Habit(
    "the mark of the end is an event",
    "an event lies after its baseline; after a relapse the code keeps a visit exactly 30 days after it as the first one and takes the "
    "baseline from the next, appends the first visit as the mark of the end, and tells that as an event where it is worse "
    "(R/PIRA.R, daysPostRelapse < tRelapse beside > tRelapse, and rbind(CL, CL[1,]))",
    EndMarkerEventScan,
)
EVENT_HABITS = (END_MARKER, EARLY_VISITS, NEAR_IMPROVEMENT, FIRST_DIRECTION, RELAPSE_ON_FIRST_VISIT, END_MARKER_EVENT)
"""Habits of single programs of the package."""
