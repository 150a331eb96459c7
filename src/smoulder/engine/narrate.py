"""The steps of a scan in words: for every visit what was compared, found, needed, and which setting decided."""

from __future__ import annotations

from smoulder.engine.judgement import Change
from smoulder.engine.record import DURING, LABELS, PIRA, RAW, UNDEFINED, UNDETERMINED, Found
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.errors import counted
from smoulder.events import ExplainedStep
from smoulder.rulebook.model import MriRule
from smoulder.terms import Calendar, Measure, day_text


class Narrator(Teller):
    """Keeps every step of one scan as an `ExplainedStep`, and which reference was in force from when."""

    def __init__(self, measure: Measure, calendar: Calendar) -> None:
        self.measure = measure
        self.calendar: Calendar = calendar
        self.steps: list[ExplainedStep] = []
        self.references: list[tuple[int, int]] = []

    def day(self, day: int) -> str:
        """Return a day in words."""
        return day_text(day, self.calendar)

    def at(self, scan: Scan, visit: int) -> str:
        """Return a visit in words, such as '2015-03-02 (3.5)'."""
        return f"{self.day(scan.days[visit])} ({self.measure.text(scan.scores[visit])})"

    def tell(
        self,
        scan: Scan,
        step: str,
        visit: int | None,
        verdict: str,
        rule: str,
        text: str,
        *,
        reference: tuple[int, int] | None = None,
        change: int | None = None,
        needed: int | None = None,
    ) -> None:
        """Keep one step; `reference` is the baseline visit and its score units."""
        self.steps.append(
            ExplainedStep(
                step=step,
                visit_day=None if visit is None else scan.days[visit],
                score=None if visit is None else scan.scores[visit],
                reference_day=None if reference is None else scan.days[reference[0]],
                reference=None if reference is None else reference[1],
                change=change,
                needed=needed,
                verdict=verdict,
                rule=rule,
                text=text,
            )
        )

    # -- baseline ---------------------------------------------------------------------------

    def skipped_baseline(self, scan: Scan, visit: int) -> None:
        base = scan.definition.baseline
        blocking = scan.blocking_relapse(visit, base.days_after_relapse, base.days_before_relapse)
        if blocking is None:
            why, rule = "both neighbouring scores lie on the same side of it (a local extremum)", "baseline.local_extrema"
        else:
            why, rule = f"it is too near the relapse of {self.day(blocking[0])}", f"baseline.days_{blocking[1]}_relapse"
        text = f"{self.at(scan, visit)}: cannot serve as baseline, because {why}; the next visit is tried."
        self.tell(scan, "baseline", visit, "not usable", rule, text)

    def baseline_set(self, scan: Scan) -> None:
        here = (scan.days[scan.baseline], scan.reference)
        if self.references and self.references[-1] == here:
            return
        self.references.append(here)
        text = f"{self.at(scan, scan.baseline)}: baseline; the reference is {self.measure.text(scan.reference)}. {self.needs(scan)}"
        self.tell(scan, "baseline", scan.baseline, "baseline", "baseline", text.strip(), reference=(scan.baseline, scan.reference))

    def needs(self, scan: Scan) -> str:
        """Return from which score on a change from the reference counts."""
        found = []
        for worsening, word in ((True, "Worsening"), (False, "improvement")):
            needed = scan.rule.needed(scan.reference, worsening=worsening)
            if needed is None:
                found.append(f"no {word.lower()} can be seen from it")
                continue
            score = scan.reference + scan.sign * (needed if worsening else -needed)
            within = self.measure.low <= self.measure.points(score) and (
                self.measure.high is None or self.measure.points(score) <= self.measure.high
            )
            side = "at least" if (scan.sign > 0) == worsening else "at most"
            found.append(f"{word} needs {side} {self.measure.text(score)}" if within else f"no {word.lower()} is possible from it")
        if not scan.definition.improvement_matters:
            return f"{found[0][0].upper()}{found[0][1:]}."
        return f"{found[0][0].upper()}{found[0][1:]}, {found[1]}."

    def raised_reference(self, scan: Scan, visit: int, reference: int) -> None:
        text = (
            f"{self.at(scan, visit)}: better than the reference before it, which is kept: "
            f"{self.measure.text(reference)} stands for this visit."
        )
        self.tell(scan, "baseline", visit, "kept from falling", "baseline.may_fall", text, reference=(visit, reference))

    def moved_after_relapse(self, scan: Scan, relapse: int, visit: int) -> None:
        text = f"{self.at(scan, visit)}: the relapse of {self.day(relapse)} moves the baseline here, the first visit on or after it."
        self.tell(scan, "relapse", visit, "baseline moves", "baseline.moves_after", text)

    def moved(self, scan: Scan, change: Change, target: int) -> None:
        text = f"{self.at(scan, target)}: the baseline moves here."
        self.tell(scan, "move", target, "baseline moves", "baseline.moves_to", text)

    # -- comparing and confirming -----------------------------------------------------------

    def compared(self, scan: Scan, visit: int, *, differs: bool, far: bool) -> None:
        change = scan.worse_by(scan.scores[visit], scan.reference)
        worsening = change > 0
        needed = scan.rule.needed(scan.reference, worsening=worsening) if change else None
        verdict, reason = self.comparison(scan, visit, change, needed, differs=differs, far=far)
        text = f"{self.at(scan, visit)}: {reason}."
        if scan.previous_serves and (not self.references or self.references[-1] != (scan.days[scan.baseline], scan.reference)):
            self.references.append((scan.days[scan.baseline], scan.reference))
        rule = f"{scan.rule.measure}.{'worsening' if worsening else 'improvement'}"
        if differs and not far:
            rule = self.why_not_begin(scan, visit)[1]
        self.tell(
            scan, "compare", visit, verdict, rule, text, reference=(scan.baseline, scan.reference), change=change, needed=needed
        )  # fmt: skip

    def comparison(self, scan: Scan, visit: int, change: int, needed: int | None, *, differs: bool, far: bool) -> tuple[str, str]:
        """Return verdict and reason of one comparison with the reference."""
        reference = self.measure.text(scan.reference)
        if change == 0:
            return "no change", f"the same as the reference {reference}"
        way = "worse" if change > 0 else "better"
        by = f"{self.measure.text(abs(change))} {way} than the reference {reference}"
        need = "no such change counts" if needed is None else f"{self.measure.text(needed)} needed"
        if change < 0 and scan.definition.carried is not None:
            return "better", f"{by}; only worsening is looked for"
        if not differs and needed is None:
            return "does not count", f"{by}; no such change counts"
        if not differs:
            return "too small", f"{by}, less than counts ({need})"
        if not far:
            why, rule = self.why_not_begin(scan, visit)
            return "near a relapse" if "relapse" in rule else "may not begin here", f"{by} ({need}), but {why}"
        if needed is None or abs(change) < needed:
            return (
                f"a little {way}",
                f"{by}, below the threshold ({need}); looked at because small confirmed changes move the baseline",
            )
        return way, f"{by} ({need}); it counts{' if it is confirmed' if scan.definition.confirmation.windows else ''}"

    def why_not_begin(self, scan: Scan, visit: int) -> tuple[str, str]:
        """Return why no change may begin at a visit, and the setting that decides."""
        onset = scan.definition.onset
        blocking = scan.blocking_relapse(visit, onset.days_after_relapse, onset.days_before_relapse)
        if blocking is not None:
            return f"too near the relapse of {self.day(blocking[0])} to be an onset", f"onset.days_{blocking[1]}_relapse"
        previous = onset.min_days_from == "previous visit"
        since = max(visit - 1, 0) if previous else scan.baseline
        if onset.min_days and scan.days[visit] - scan.days[since] < onset.min_days:
            name = "the visit before it" if previous else "the visit it is compared with"
            return f"less than {onset.min_days} days after {name}, {self.day(scan.days[since])}", "onset.min_days"
        return "not the visit at which a change is looked for", "onset.at"

    def ignored(self, scan: Scan, change: Change) -> None:
        text = f"{self.at(scan, change.onset)}: an improvement; only worsening is looked for and the baseline does not move on improvement."
        self.tell(scan, "confirm", change.onset, "passed over", "looking_for", text)

    def confirmed(self, scan: Scan, change: Change, confirming: list[int], sustained_until: int) -> None:
        kind = "worsening" if change.worsening else "improvement"
        if not confirming:
            why, rule = f"no later visit could confirm this {kind}; it is counted without confirmation", "last_visit.worsening"
            if not scan.definition.confirmation.windows:
                why, rule = f"this {kind} counts without confirmation", "confirmation.windows"
            self.tell(scan, "confirm", change.onset, "counted", rule, f"{self.at(scan, change.onset)}: {why}.")
            return
        first = confirming[0]
        windows = [
            f"{window.name} on {self.day(scan.days[visit])}"
            for number, window in enumerate(scan.definition.confirmation.windows)
            if (visit := scan.first_in_window(confirming, change.onset, number)) >= 0
        ]
        text = (
            f"{self.at(scan, first)}: confirms the {kind} of {self.day(scan.days[change.onset])}, "
            f"{counted(scan.days[first] - scan.days[change.onset], 'day')} after onset ({', '.join(windows)}); "
            f"it holds until {self.day(scan.days[sustained_until])}{', the last visit' if sustained_until == scan.last else ''}."
        )
        self.tell(scan, "confirm", first, "confirmed", "confirmation.windows", text, reference=(change.baseline, change.reference))

    def unconfirmed(self, scan: Scan, change: Change, eligible: list[int]) -> None:
        kind = "worsening" if change.worsening else "improvement"
        onset = self.day(scan.days[change.onset])
        if not eligible:
            visit, why, rule = change.onset, self.why_none_eligible(scan, change), "confirmation.windows"
            text = f"{self.at(scan, visit)}: the {kind} is not confirmed: {why}."
        else:
            visit, rule, why = self.where_it_fails(scan, change, eligible[0])
            text = (
                f"{self.at(scan, visit)}: {why}, so the visit of {self.day(scan.days[eligible[0]])} cannot confirm the {kind} of {onset}."
            )
        self.tell(scan, "confirm", visit, "not confirmed", rule, text, reference=(change.baseline, change.reference))

    def where_it_fails(self, scan: Scan, change: Change, confirming: int) -> tuple[int, str, str]:
        """Return the visit at which a change fails to be confirmed, the setting that asks for it, and why."""
        rule = scan.definition.confirmation
        if not scan.holds(confirming, change):
            return confirming, "confirmation.level", "it does not hold here"
        between = range(change.onset + 1, confirming) if rule.every_visit else range(0)
        for visit in between:
            if scan.breaks(visit, change):
                return visit, "confirmation.every_visit", "it does not hold here"
        as_well = None if rule.as_well is None else scan.anchored(rule.as_well)
        if as_well is not None and not scan.holds(as_well, change):
            return as_well, "confirmation.as_well", "it does not hold here, where it must as well"
        return confirming, "confirmation.leading_system", "no functional system that worsened most from baseline to onset stayed worse"

    def why_none_eligible(self, scan: Scan, change: Change) -> str:
        """Return why no later visit may confirm."""
        if change.onset == scan.last:
            return "it was first seen at the last visit"
        as_well = scan.definition.confirmation.as_well
        if as_well is not None and ((there := scan.anchored(as_well)) is None or there < change.onset):
            return f"there is no {as_well.prose().removeprefix('the ')} at or after onset, where it must hold as well"
        inside = [
            visit
            for visit in range(change.onset + 1, scan.last + 1)
            if any(scan.in_window(visit, change.onset, number) for number in range(len(scan.definition.confirmation.windows)))
        ]
        if not inside:
            return "no later visit lies in a confirmation window"
        if scan.definition.confirmation.at is not None:
            return f"only {scan.definition.confirmation.at.prose()} could confirm it"
        return f"{counted(len(inside), 'visit')} in the confirmation windows, but too near a relapse or not scheduled"

    def not_sustained(self, scan: Scan, change: Change, fails: int | None) -> None:
        visit = scan.lasting_visit(change) if fails is None or not scan.lasts_at_every_visit else fails
        kind = "worsening" if change.worsening else "improvement"
        text = f"{self.at(scan, visit)}: the {kind} of {self.day(scan.days[change.onset])} was confirmed but is not sustained: no event."
        self.tell(scan, "sustain", visit, "not sustained", "sustained.days", text, reference=(change.baseline, change.reference))

    def small_change(self, scan: Scan, change: Change, confirming: int) -> None:
        kind = "worsening" if change.worsening else "improvement"
        text = f"{self.at(scan, confirming)}: confirms a {kind} that is no event but moves the baseline."
        self.tell(scan, "confirm", confirming, "confirmed, no event", "baseline.sub_threshold", text)

    # -- labels -----------------------------------------------------------------------------

    def labelled(self, scan: Scan, change: Change, event: Found) -> None:
        label = LABELS[event.label]
        if label is None:
            return
        text = f"{self.at(scan, event.onset)}: {label}: {self.label_reason(scan, change, event)}."
        rule = {PIRA: "relapses.relapse_free", RAW: "relapses.raw", UNDETERMINED: "coverage"}.get(event.label, "relapses")
        self.tell(scan, "label", event.onset, label, rule, text)

    def scanned(self, scan: Scan, event: Found, rule: MriRule, verdict: str) -> None:
        """Tell what the MRI around a PIRA says."""
        change = Change(event.worsening, event.onset, event.baseline, event.reference, 0)
        spans = scan.spans(rule.scans_in, change, decisive_visit(event), event.meaningful, event.sustained_until)
        where = " and ".join(f"from {self.day(first)} to {self.day(last)}" for first, last in spans) or "in no interval of any length"
        why = {
            "activity": "a scan shows new activity",
            "no activity": "no scan shows activity and at least one was read: PIRMA",
            "unknown": "no scan was read for all lesions, so its MRI is unknown",
        }[verdict]
        self.tell(scan, "label", event.onset, f"MRI: {verdict}", "mri.scans_in", f"{self.at(scan, event.onset)}: MRI {where}: {why}.")

    def label_reason(self, scan: Scan, change: Change, event: Found) -> str:
        """Return why an event has its label, with the relapses and days that decided."""
        if not scan.record.relapses_known:
            return "there is no relapse table, so it cannot be told"
        reasons = []
        if event.raw:
            reasons.append(self.raw_reason(scan, change, event))
        if event.pira:
            free = self.intervals_text(scan, change, event)
            reasons.append(f"no relapse {free}" if free else "no relapse-free days are asked for")
            if event.outside:
                reasons.append("this rests on days before the first or after the last visit, taken as free of relapses")
        if event.label == UNDETERMINED:
            reasons.append(f"relapses were not recorded on all days {self.intervals_text(scan, change, event, raw=True)}")
        if event.label == DURING:
            reasons.append(f"not RAW, and a relapse lies only after onset, {self.intervals_text(scan, change, event, hit=True)}")
        if event.label == UNDEFINED and scan.from_second:
            reasons.append("it is compared with the second reference, which relapses do not move")
        elif event.label == UNDEFINED:
            reasons.append(f"not RAW, and a relapse lies {self.intervals_text(scan, change, event, hit=True)}")
        return "; ".join(reasons)

    def raw_reason(self, scan: Scan, change: Change, event: Found) -> str:
        """Return which relapse makes an event RAW."""
        onset = scan.days[event.onset]
        for first, last in scan.raw_spans(change, event.meaningful):
            for relapse in scan.record.relapses:
                if first <= relapse <= last:
                    gap = onset - relapse
                    side = "before" if gap > 0 else "after"
                    when = "on the day of onset" if gap == 0 else f"{counted(abs(gap), 'day')} {side} onset"
                    return f"the relapse of {self.day(relapse)} began {when}"
        return "not PIRA, and what is not PIRA is RAW by this definition"

    def intervals_text(self, scan: Scan, change: Change, event: Found, *, hit: bool = False, raw: bool = False) -> str:
        """Return the relapse-free intervals of an event as days; `hit`: only those that a relapse lies in; `raw`: those of RAW too."""
        at = decisive_visit(event)
        spans = scan.intervals(change, at, event.meaningful, event.sustained_until)
        if raw and scan.definition.relapses is not None and scan.definition.relapses.exclusive:
            spans = [*scan.raw_spans(change, event.meaningful), *spans]
        if hit:
            struck = [span for span in spans if any(span[0] <= relapse <= span[1] for relapse in scan.record.relapses)]
            spans = struck or spans
        return " and ".join(f"from {self.day(first)} to {self.day(last)}" for first, last in spans)

    def carried(self, scan: Scan, which: str, visit: int, score: int, why: str) -> None:
        here = (scan.days[visit], score)
        if which == "first" and (not self.references or self.references[-1] != here):
            self.references.append(here)
        if which == "second" and why == "worsening":
            return
        name = "reference" if which == "first" else "second reference"
        reason = {
            "worsening": "the confirmed worsening makes this the reference from here on",
            "relapse": f"what the relapse left behind; the {name} rises to it",
            "falls": f"better than the {name} before, which falls to it",
        }[why]
        text = f"{self.at(scan, visit)}: {self.measure.text(score)}: {reason}."
        self.tell(scan, "move", visit, f"{name} set anew", "carried", text, reference=(visit, score))

    def stopped(self, scan: Scan, why: str) -> None:
        self.tell(scan, "stop", None, "end", "", f"The search ends: {why}.")


def decisive_visit(event: Found) -> int:
    """Return the confirming visit at which an event is PIRA, else its first one, else its onset."""
    for visits in (event.pira_confirmations, event.confirmations):
        some = [visit for visit in visits if visit >= 0]
        if some:
            return min(some)
    return event.onset
