"""The specification: the scan for one patient and one measure, step by step, as the engine semantics (section 4) say it.

Slow and plain on purpose. The kernel has to agree with it; it also says why (`ExplainedStep`).
"""

from __future__ import annotations

from collections.abc import Sequence

from smoulder.engine.judgement import Change, Judgement
from smoulder.engine.record import BOTH, DURING, NO_LABEL, PIRA, RAW, UNDEFINED, UNDETERMINED, Found, Record
from smoulder.engine.telling import Teller
from smoulder.rulebook.model import Definition, MeasureRule
from smoulder.rulebook.relapse import Anchor, Interval

ONLY_WORSENING = ("first worsening", "first PIRA", "first RAW")


def scan(record: Record, rule: MeasureRule, definition: Definition, teller: Teller | None = None) -> list[Found]:
    """Return what the definition finds in one patient's scores, in onset order.

    Events and changes that are none are both listed (`Found.reason`). `teller` is told each step.
    """
    return scan_of(definition)(record, rule, definition, teller or Teller()).run()


def scan_of(definition: Definition) -> type[Scan]:
    """Return the scan that a definition asks for: of a baseline visit that moves, or of a reference carried from visit to visit."""
    if definition.carried is None:
        return Scan
    from smoulder.engine.walk import Walk

    return Walk


class Scan(Judgement):
    """The state of one scan: the baseline visit, where the search is, and what was found."""

    def __init__(self, record: Record, rule: MeasureRule, definition: Definition, teller: Teller) -> None:
        super().__init__(record, rule.spec(), definition)
        self.rule = rule
        self.definition = definition
        self.teller = teller
        self.baseline = 0
        self.search = 1
        self.reference = 0
        self.last_reference: int | None = None
        self.moved_by_relapse = False
        self.from_second = False
        """Whether what is being judged is compared with a second reference (`walk`)."""
        self.found: list[Found] = []

    # -- comparing scores -------------------------------------------------------------------

    def is_past(self, score: int, reference: int, *, worsening: bool) -> bool:
        """Return whether a score is past the threshold from a reference, in one direction."""
        needed = self.rule.needed(reference, worsening=worsening)
        change = self.worse_by(score, reference) if worsening else -self.worse_by(score, reference)
        return needed is not None and change >= needed

    def is_local_extremum(self, visit: int) -> bool:
        """Return whether both neighbours are worse, or both better, by what the definition asks."""
        setting = self.definition.baseline.local_extrema
        if setting == "allowed" or visit in (0, self.last):
            return False
        before, here, after = self.scores[visit - 1], self.scores[visit], self.scores[visit + 1]
        if visit >= 2 and self.scores[visit - 2] == here:
            return False
        if setting == "not strict":
            return any(self.is_past(before, here, worsening=way) and self.is_past(after, here, worsening=way) for way in (True, False))
        both = (self.worse_by(before, here), self.worse_by(after, here))
        return min(both) > 0 or max(both) < 0

    # -- relapses ---------------------------------------------------------------------------

    def first_relapse_after(self, visit: int) -> int | None:
        """Return the day of the first relapse after the day of a visit."""
        return next((relapse for relapse in self.record.relapses if relapse > self.days[visit]), None)

    # -- the scan ---------------------------------------------------------------------------

    def run(self) -> list[Found]:
        """Scan until what is looked for is found, or visits run out."""
        if not self.start():
            return []
        while self.settle():
            candidate = self.look()
            if candidate is None:
                if not (self.relapses_move and self.definition.baseline.relapse_move == "every" and self.move_after_relapse()):
                    self.teller.stopped(self, "no further change that could count")
                    break
                continue
            if self.crossed(candidate):
                if not self.move_after_relapse():
                    break
                continue
            if self.judge(candidate):
                self.teller.stopped(self, f"the {self.definition.looking_for} is found")
                break
            if self.search <= self.last and self.crossed(self.search) and not self.move_after_relapse():
                break
        return self.wanted()

    def start(self) -> bool:
        """Set the starting visit; False where there is none."""
        if self.last < 0:
            return False
        rule, zero = self.definition.baseline, self.record.time_zero
        if rule.start in ("nearest time zero", "first after time zero"):
            if zero is None:
                return False
            self.baseline = self.nearest_to(zero) if rule.start == "nearest time zero" else self.first_after(zero)
        self.starting = self.baseline
        self.search = self.baseline + 1
        return True

    def nearest_to(self, zero: int) -> int:
        """Return the visit nearest a day, the earlier of two."""
        return min(range(self.last + 1), key=lambda visit: (abs(self.days[visit] - zero), visit))

    def first_after(self, zero: int) -> int:
        """Return the first visit on or after a day, as near to it as the definition asks; the first of all where there is none."""
        within = self.definition.baseline.start_within_days
        later = (visit for visit in range(self.last + 1) if self.days[visit] >= zero)
        first = next(later, 0)
        return first if within is None or self.days[first] - zero <= within else 0

    def settle(self) -> bool:
        """Step A: move the baseline on while it may not serve; set the reference. False: no visit left after it.

        Where every visit is compared with the one before it, `look` sets baseline and reference.
        """
        if self.previous_serves:
            return self.search <= self.last
        while not self.may_serve(self.baseline):
            self.teller.skipped_baseline(self, self.baseline)
            self.baseline += 1
            if self.baseline >= self.last:
                self.teller.stopped(self, "no visit is left after the baseline")
                return False
        if self.baseline >= self.last:
            self.teller.stopped(self, "no visit is left after the baseline")
            return False
        self.search = max(self.search, self.baseline + 1)
        self.keep_from_falling()
        self.reference = self.scores[self.baseline]
        self.last_reference = self.reference
        self.moved_by_relapse = False
        self.teller.baseline_set(self)
        return True

    def may_serve(self, visit: int) -> bool:
        """Return whether a visit may serve as baseline: far enough from relapses, and no local extremum where those are skipped."""
        rule = self.definition.baseline
        by_change = self.last_reference is not None and not self.moved_by_relapse
        far = (by_change and not rule.distance_after_change) or self.far_from_relapses(
            visit, rule.days_after_relapse, rule.days_before_relapse
        )
        return far and not self.is_local_extremum(visit)

    def keep_from_falling(self) -> None:
        """Raise the score at the baseline to the last reference, where the reference may not become better."""
        may_fall = self.definition.baseline.may_fall
        if may_fall == "yes" or self.last_reference is None or (may_fall == "not after a relapse" and not self.moved_by_relapse):
            return
        if self.worse_by(self.last_reference, self.scores[self.baseline]) > 0:
            self.teller.raised_reference(self, self.baseline, self.last_reference)
            self.scores[self.baseline] = self.last_reference

    def look(self) -> int | None:
        """Step B: return the first visit that differs enough to matter and at which a change may begin."""
        for visit in range(self.search, self.last + 1):
            if self.previous_serves and not self.take_previous(visit):
                continue
            score = self.scores[visit]
            differs = self.is_past(score, self.reference, worsening=True) or self.is_past(score, self.reference, worsening=False)
            if self.definition.baseline.sub_threshold != "no":
                differs = score != self.reference
            far = self.may_begin(visit, self.baseline)
            self.teller.compared(self, visit, differs=differs, far=far)
            if differs and far:
                return visit
        return None

    @property
    def previous_serves(self) -> bool:
        """Whether every visit is compared with the one before it."""
        return self.definition.baseline.start == "previous visit"

    def take_previous(self, visit: int) -> bool:
        """Take the last visit before one that may serve as its baseline; False where there is none."""
        before = next((earlier for earlier in range(visit - 1, -1, -1) if self.may_serve(earlier)), None)
        if before is None:
            return False
        self.baseline, self.reference = before, self.scores[before]
        return True

    @property
    def relapses_move(self) -> bool:
        """Whether relapses move the baseline."""
        return "relapse" in self.definition.baseline.moves_after

    def crossed(self, visit: int) -> bool:
        """Step C: return whether the first relapse after the baseline lies before a visit by more than the window."""
        if not self.relapses_move:
            return False
        relapse = self.first_relapse_after(self.baseline)
        return relapse is not None and self.days[visit] - relapse > self.definition.crossed_days

    def move_after_relapse(self) -> bool:
        """Move the baseline to the first visit on or after the first relapse after it; False where there is none."""
        relapse = self.first_relapse_after(self.baseline)
        if relapse is None:
            return False
        visit = next((visit for visit in range(self.baseline + 1, self.last + 1) if self.days[visit] >= relapse), None)
        if visit is None:
            self.teller.stopped(self, "no visit follows the relapse")
            return False
        self.teller.moved_after_relapse(self, relapse, visit)
        self.baseline, self.search, self.moved_by_relapse = visit, visit + 1, True
        return True

    # -- judging a candidate ----------------------------------------------------------------

    def judge(self, onset: int) -> bool:
        """Steps D to F for one candidate; True where what is looked for was found."""
        eligible = self.eligible(onset)
        worsening = self.worse_by(self.scores[onset], self.reference) > 0
        change = self.past_threshold(onset, worsening=worsening)
        ignored = not worsening and self.definition.looking_for in ONLY_WORSENING and not self.moves("improvement")
        if change is not None and not ignored:
            if not self.definition.confirmation.windows:
                return self.confirmed(change, [])
            if eligible and self.is_confirmed(change, eligible[0]):
                return self.confirmed(change, eligible)
            if worsening and self.is_counted(change, eligible):
                return self.confirmed(change, [])
        if self.sub_threshold_moves(onset, worsening=worsening) and eligible:
            small = Change(worsening, onset, self.baseline, self.reference, 1)
            if self.is_confirmed(small, eligible[0]):
                self.teller.small_change(self, small, eligible[0])
                self.move_on(small, eligible[0], moves=True)
                return False
        if change is not None and ignored:
            self.teller.ignored(self, change)
        elif change is not None:
            self.teller.unconfirmed(self, change, eligible)
            self.add(self.no_event(change, 2 if eligible else 1))
        self.search = onset + 1
        return False

    def past_threshold(self, onset: int, *, worsening: bool) -> Change | None:
        """Return the change at a candidate where it is past the threshold, else None."""
        needed = self.rule.needed(self.reference, worsening=worsening)
        if needed is None or not self.is_past(self.scores[onset], self.reference, worsening=worsening):
            return None
        return Change(worsening, onset, self.baseline, self.reference, needed)

    def confirmed(self, change: Change, eligible: list[int]) -> bool:
        """Step E for a confirmed change (or one counted without confirmation: `eligible` empty); True ends the scan."""
        earliest = eligible[0] if eligible else change.onset
        fails = self.first_failing(change, earliest)
        sustained_until = self.last if fails is None else fails - 1
        confirming = [visit for visit in eligible if visit <= sustained_until and self.holds(visit, change)]
        direction = "worsening" if change.worsening else "improvement"
        self.teller.confirmed(self, change, confirming, sustained_until)
        if not self.is_sustained(change, fails):
            self.teller.not_sustained(self, change, fails)
            self.add(self.no_event(change, 3))
            self.move_on(change, earliest, moves=self.definition.baseline.unsustained_moves and self.moves(direction), event=False)
            return False
        event = self.event(change, confirming, sustained_until)
        self.add(event)
        self.teller.labelled(self, change, event)
        moves = self.moves(direction) or (event.pira and "PIRA" in self.definition.baseline.moves_after)
        other_label = not self.is_looked_for(event) and change.worsening and self.definition.looking_for in ("first PIRA", "first RAW")
        self.move_on(change, earliest, moves=moves, event=not other_label)
        return self.definition.looking_for != "every event" and self.is_looked_for(event)

    def moves(self, what: str) -> bool:
        """Return whether the baseline moves after a confirmed change in a direction."""
        return what in self.definition.baseline.moves_after

    def sub_threshold_moves(self, onset: int, *, worsening: bool) -> bool:
        """Return whether a confirmed change of any size in this direction moves the baseline."""
        allowed = self.definition.baseline.sub_threshold
        return allowed in ("both", "worsening" if worsening else "improvement")

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        """Step F: move the baseline where the definition says so, and the search after it.

        Where the baseline does not move and the change is not an event that was looked for, the search goes on right after onset.
        """
        place = self.definition.baseline.moves_to
        target = confirming
        if place == "onset":
            target = change.onset
        elif place == "lowest score":
            # A forgiven visit, at which the change does not hold, is none that it could go on from.
            held = (visit for visit in range(change.onset, confirming + 1) if self.holds(visit, change))
            target = min(held, key=lambda visit: (self.sign * self.scores[visit], visit))
        if moves:
            self.baseline = target
            self.teller.moved(self, change, target)
        self.search = (target if moves or event else change.onset) + 1

    # -- labels -----------------------------------------------------------------------------

    def event(self, change: Change, confirming: list[int], sustained_until: int) -> Found:
        """Return the event of a confirmed, sustained change."""
        meaningful = self.last_meaningful(change, confirming)
        windows = range(len(self.definition.confirmation.windows))
        label, raw, pira_visits, outside = NO_LABEL, False, [], False
        if change.worsening and self.definition.relapses is not None and self.definition.looking_for != "first improvement":
            label, raw, pira_visits, outside = self.label(change, confirming, meaningful, sustained_until)
        return Found(
            reason=0,
            worsening=change.worsening,
            label=label,
            raw=raw,
            pira=label in (PIRA, BOTH),
            onset=change.onset,
            onset_score=self.scores[change.onset],
            baseline=change.baseline,
            reference=change.reference,
            meaningful=meaningful,
            meaningful_score=self.scores[meaningful],
            sustained_until=sustained_until,
            confirmations=tuple(self.first_in_window(confirming, change.onset, number) for number in windows),
            pira_confirmations=tuple(
                self.first_in_window([visit for visit in pira_visits if visit in confirming], change.onset, number) for number in windows
            ),
            counted=not confirming,
            outside=outside,
        )

    def no_event(self, change: Change, reason: int) -> Found:
        """Return the entry of a change that is no event."""
        none = (-1,) * len(self.definition.confirmation.windows)
        return Found(
            reason=reason,
            worsening=change.worsening,
            label=NO_LABEL,
            raw=False,
            pira=False,
            onset=change.onset,
            onset_score=self.scores[change.onset],
            baseline=change.baseline,
            reference=change.reference,
            meaningful=-1,
            meaningful_score=0,
            sustained_until=-1,
            confirmations=none,
            pira_confirmations=none,
            counted=False,
            outside=False,
        )

    def last_meaningful(self, change: Change, confirming: list[int]) -> int:
        """Return the last visit before onset from whose score the change is past its threshold up to confirmation."""
        every = self.definition.confirmation.every_visit
        later: list[int] = []
        if confirming:
            later = list(range(change.onset + 1, confirming[0] + 1)) if every else [confirming[0]]
        later = [visit for visit in later if self.holds(visit, change)]
        for visit in range(change.onset - 1, -1, -1):
            if self.is_local_extremum(visit):
                continue
            if all(self.is_past(self.scores[at], self.scores[visit], worsening=change.worsening) for at in (change.onset, *later)):
                return visit
        return 0

    def label(self, change: Change, confirming: list[int], meaningful: int, until: int) -> tuple[int, bool, list[int], bool]:
        """Return label, whether RAW, the confirming visits at which it is PIRA, and whether that rests on days outside follow-up."""
        rule = self.definition.relapses
        assert rule is not None
        if not self.record.relapses_known:
            return UNDETERMINED, False, [], False
        raw_spans = self.raw_spans(change, meaningful)
        raw = not self.relapse_free(raw_spans)
        if raw and rule.exclusive:
            return RAW, True, [], False
        visits = confirming or [change.onset]
        asked = visits if rule.pira_at == "any confirming visit" else visits[:1]
        # Where RAW and PIRA exclude each other, "not RAW" is itself a claim that no relapse was there.
        not_raw = raw_spans if rule.exclusive else []
        spans = {visit: [*not_raw, *self.intervals(change, visit, meaningful, until)] for visit in asked}
        free = [visit for visit in asked if self.relapse_free(spans[visit])]
        covered = [visit for visit in free if self.inside(spans[visit], self.record.covered_from, self.record.covered_to)]
        if covered:
            observed = (self.record.observed_from, self.record.observed_to)
            outside = not any(self.inside(spans[visit], *observed) for visit in covered)
            return (BOTH if raw else PIRA), raw, covered, outside
        if raw:
            return RAW, True, [], False
        if free:
            return UNDETERMINED, False, [], False
        if rule.during_confirmation == "own class":
            early = [*not_raw, *self.early_part(change, asked[0], meaningful, until)]
            if self.relapse_free(early):
                known = self.inside(early, self.record.covered_from, self.record.covered_to)
                return (DURING if known else UNDETERMINED), False, [], False
        if rule.otherwise == "RAW":
            return RAW, True, [], False
        return UNDEFINED, False, [], False

    def raw_spans(self, change: Change, meaningful: int) -> list[tuple[int, int]]:
        """Return first and last day of the RAW window and of each RAW interval."""
        rule = self.definition.relapses
        if rule is None:
            return []
        onset = self.days[change.onset]
        window = [(onset - rule.raw.days_before_onset, onset + rule.raw.days_after_onset)] if rule.raw is not None else []
        return [*window, *self.spans(rule.raw_in, change, change.onset, meaningful, change.onset)]

    def intervals(self, change: Change, confirming: int, meaningful: int, until: int) -> list[tuple[int, int]]:
        """Return first and last day of each relapse-free interval; those without length are left out."""
        rule = self.definition.relapses
        assert rule is not None
        return self.spans(rule.relapse_free, change, confirming, meaningful, until)

    def early_part(self, change: Change, confirming: int, meaningful: int, until: int) -> list[tuple[int, int]]:
        """Return the relapse-free intervals without what comes with the confirmation: of those that end there, the days before onset."""
        rule = self.definition.relapses
        assert rule is not None
        onset = self.days[change.onset]
        early = self.spans([interval for interval in rule.relapse_free if not interval.is_late], change, confirming, meaningful, until)
        late = self.spans([interval for interval in rule.relapse_free if interval.is_late], change, confirming, meaningful, until)
        return [*early, *((first, min(last, onset - 1)) for first, last in late if first < onset)]

    def spans(self, intervals: Sequence[Interval], change: Change, confirming: int, meaningful: int, until: int) -> list[tuple[int, int]]:
        """Return first and last day of intervals between anchors; those without length are left out."""
        anchors: dict[Anchor, int] = {
            "baseline": self.days[change.baseline],
            "last meaningful visit": self.days[meaningful],
            "previous visit": self.days[max(change.onset - 1, 0)],
            "onset": self.days[change.onset],
            "confirmation": self.days[confirming],
            "last holding visit": self.days[until],
        }

        def ends(interval: Interval) -> tuple[int, int]:
            return anchors[interval.start] + interval.start_days, anchors[interval.end] + interval.end_days

        return [(first, last) for first, last in map(ends, intervals) if last > first]

    def relapse_free(self, spans: list[tuple[int, int]]) -> bool:
        """Return whether no relapse lies in any of some intervals."""
        return not any(first <= relapse <= last for first, last in spans for relapse in self.record.relapses)

    def inside(self, spans: list[tuple[int, int]], first_day: int | None, last_day: int | None) -> bool:
        """Return whether every one of some intervals lies between two days; None: no limit."""
        return all((first_day is None or first >= first_day) and (last_day is None or last <= last_day) for first, last in spans)

    # -- what was found ---------------------------------------------------------------------

    def add(self, found: Found) -> None:
        """List a finding. An onset visit gives one: a later event replaces an earlier finding, a later non-event only a non-event."""
        same = next((i for i, earlier in enumerate(self.found) if earlier.onset == found.onset), None)
        if same is None:
            self.found.append(found)
        elif found.reason == 0 or self.found[same].reason != 0:
            self.found[same] = found

    def is_looked_for(self, found: Found) -> bool:
        """Return whether an event is of the kind that is looked for."""
        return (
            found.reason == 0
            and {
                "every event": True,
                "first event": True,
                "first worsening": found.worsening,
                "first improvement": not found.worsening,
                "first PIRA": found.pira,
                "first RAW": found.raw,
            }[self.definition.looking_for]
        )

    def wanted(self) -> list[Found]:
        """Return the findings in onset order: every event, or the first one looked for; and the changes that are none."""
        ordered = sorted(self.found, key=lambda found: found.onset)
        if self.definition.looking_for == "every event":
            return ordered
        first = next((found for found in ordered if self.is_looked_for(found)), None)
        return [found for found in ordered if found.reason != 0 or found is first]
