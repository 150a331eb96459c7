"""`explain`: why one patient has the events that he or she has, by the readable reference engine."""

from __future__ import annotations

from smoulder.engine.judgement import Change
from smoulder.engine.narrate import Narrator, decisive_visit
from smoulder.engine.pack import record_of, seen_days
from smoulder.engine.record import LABELS, NO_LABEL, Found
from smoulder.engine.reference import Scan, scan_of
from smoulder.engine.scans import judge_scans, scans_of
from smoulder.engine.walk import Walk
from smoulder.errors import UsageError
from smoulder.events import ExplainedEvent, ExplainedMeasure, Explanation, SoughtVisit
from smoulder.provenance import provenance_of
from smoulder.rulebook import resolve
from smoulder.rulebook.model import Definition, MeasureRule
from smoulder.tables import Cohort
from smoulder.terms import MISSING, Calendar, Measure

IN_FORCE, SECOND, EARLIER = "reference", "second reference", "earlier reference"


def explain(cohort: Cohort, patient: str, definition: Definition | str) -> Explanation:
    """Explain one patient under one definition, visit by visit.

    Parameters
    ----------
    cohort
        The tables, as `read` gives them.
    patient
        Id of the patient, as text.
    definition
        A definition, or a key of the catalogue.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        There is no such patient or definition, or the visits lack a measure.

    Examples
    --------
    >>> from smoulder import explain, read
    >>> visits = {"patient": ["A"] * 3, "date": ["2020-01-01", "2020-04-01", "2020-10-01"], "edss": [2.0, 3.0, 3.0]}
    >>> explanation = explain(read(visits, nobody_relapsed=True), "A", "cdw-12w")
    >>> explanation.measures[0].events[0].kind
    'worsening'
    """
    cohort.require_sound()
    chosen = resolve(definition)
    if len(chosen) != 1:
        raise UsageError("One patient is explained under one definition at a time.")
    index = cohort.index_of(patient)
    start, end = (int(days[index]) for days in seen_days(cohort))
    return Explanation(
        patient=patient,
        definition=chosen[0],
        calendar=cohort.calendar,
        measures=tuple(explain_measure(cohort, index, rule, chosen[0]) for rule in chosen[0].measures),
        relapse_days=tuple(cohort.relapse_days_of(index).tolist()),
        relapse_knowledge=cohort.relapse_knowledge,
        treatments=treatments_of(cohort, patient),
        scans=tuple(scans_of(cohort, patient, chosen[0].mri)) if chosen[0].mri is not None else (),
        follow_up=None if start == MISSING else (start, end),
        provenance=provenance_of(cohort, chosen),
    )


class Recorder(Narrator):
    """Keeps, besides the steps, what only the figure shows: visits that were forgiven, and since when a carried reference is in force."""

    def __init__(self, measure: Measure, calendar: Calendar) -> None:
        super().__init__(measure, calendar)
        self.forgiven: dict[int, tuple[int, ...]] = {}
        """Onset visit of a confirmed change, and the days at which it did not hold."""
        self.walked = False
        """Whether the last visit was reached: a carried reference may be walked again, which finds events but puts none in force."""

    def confirmed(self, scan: Scan, change: Change, confirming: list[int], sustained_until: int) -> None:
        """Hear that a change is confirmed, and keep the visits that were forgiven."""
        super().confirmed(scan, change, confirming, sustained_until)
        rule = scan.definition.confirmation
        if rule.forgives == "single visits" and confirming:
            start = change.onset if rule.every_visit else confirming[0]
            dips = (visit for visit in range(start + 1, sustained_until + 1) if not scan.holds(visit, change))
            self.forgiven[change.onset] = tuple(scan.days[visit] for visit in dips)

    def carried(self, scan: Scan, which: str, visit: int, score: int, why: str) -> None:
        """Hear that a carried reference is set anew, and keep since when it is in force."""
        before = list(self.references)
        super().carried(scan, which, visit, score, why)
        if which != "first":
            return
        # A series of steps that is one event is told at its first step; its visits were compared with the reference before it.
        since = scan.steps[-1].last_visit if why == "worsening" and isinstance(scan, Walk) else visit
        self.references = before if self.walked else [*before, (scan.days[since], score)]

    def stopped(self, scan: Scan, why: str) -> None:
        """Hear why the scan ends."""
        super().stopped(scan, why)
        self.walked = True

    def in_force(self, day: int) -> tuple[int, int]:
        """Return day and score of the reference in force before a day."""
        return [reference for reference in self.references if reference[0] < day][-1]


def explain_measure(cohort: Cohort, index: int, rule: MeasureRule, definition: Definition) -> ExplainedMeasure:
    """Explain one measure of the patient at a position."""
    record = record_of(cohort, index, rule, definition)
    recorder = Recorder(rule.spec(), cohort.calendar)
    scan = scan_of(definition)(record, rule, definition, recorder)
    found = scan.run()
    verdicts: dict[int, str] = {}
    if definition.mri is not None:
        scans = scans_of(cohort, cohort.patients[index], definition.mri)
        for event in found:
            if event.pira:
                verdicts[event.onset] = judge_scans(scans, mri_spans(scan, event))
                recorder.scanned(scan, event, definition.mri, verdicts[event.onset])
    return ExplainedMeasure(
        measure=rule.spec(),
        days=record.days,
        scores=record.scores,
        steps=tuple(recorder.steps),
        events=tuple(explained_event(scan, event, recorder, verdicts.get(event.onset)) for event in found if event.reason == 0),
        references=tuple(recorder.references),
        sought=tuple(sought_visits(scan)) if recorder.references else (),
    )


def explained_event(scan: Scan, event: Found, recorder: Recorder, mri: str | None) -> ExplainedEvent:
    """Return one event with the windows that decided its label."""
    change = Change(event.worsening, event.onset, event.baseline, event.reference, 0)
    confirming = [visit for visit in event.confirmations if visit >= 0]
    pira = [visit for visit in event.pira_confirmations if visit >= 0]
    compared_with = reference_of(scan, event, recorder)
    by_relapses = event.label != NO_LABEL and compared_with != SECOND
    return ExplainedEvent(
        kind="worsening" if event.worsening else "improvement",
        label=LABELS[event.label],
        onset_day=scan.days[event.onset],
        onset=event.onset_score,
        baseline_day=scan.days[event.baseline],
        reference=event.reference,
        compared_with=compared_with,
        confirmation_day=scan.days[min(confirming)] if confirming else None,
        windows=tuple(
            (window.name, scan.days[visit] if visit >= 0 else None)
            for window, visit in zip(scan.definition.confirmation.windows, event.confirmations, strict=True)
        ),
        pira_confirmation_day=scan.days[min(pira)] if pira else None,
        sustained_until_day=scan.days[event.sustained_until],
        forgiven_days=recorder.forgiven.get(event.onset, ()),
        raw_windows=tuple(scan.raw_spans(change, event.meaningful)) if by_relapses else (),
        relapse_free=tuple(scan.intervals(change, decisive_visit(event), event.meaningful, event.sustained_until)) if by_relapses else (),
        mri=mri,
        mri_spans=tuple(mri_spans(scan, event)) if mri is not None else (),
    )


def reference_of(scan: Scan, event: Found, recorder: Recorder) -> str:
    """Return which reference an event was compared with."""
    if not isinstance(scan, Walk):
        return IN_FORCE
    if not next(step.first for step in scan.steps if step.found is event):
        return SECOND
    compared = (scan.days[event.baseline], event.reference)
    return IN_FORCE if compared == recorder.in_force(scan.days[event.onset]) else EARLIER


def sought_visits(scan: Scan) -> list[SoughtVisit]:
    """Return the visits at a set time that a definition asks for."""
    rule = scan.definition.confirmation
    asked = (("onset", scan.definition.onset.at), ("confirmation", rule.at), ("as well", rule.as_well))
    start = scan.days[scan.starting]
    found = []
    for use, anchor in asked:
        if anchor is not None:
            visit = scan.anchored(anchor)
            day = None if visit is None else scan.days[visit]
            first, last = start + anchor.from_day, start + anchor.to_day
            found.append(SoughtVisit(use=use, after_days=anchor.day, first_day=first, last_day=last, visit_day=day))
    return found


def mri_spans(scan: Scan, event: Found) -> list[tuple[int, int]]:
    """Return first and last day of the intervals whose scans count for a PIRA."""
    assert scan.definition.mri is not None
    change = Change(event.worsening, event.onset, event.baseline, event.reference, 0)
    return scan.spans(scan.definition.mri.scans_in, change, decisive_visit(event), event.meaningful, event.sustained_until)


def treatments_of(cohort: Cohort, patient: str) -> tuple[tuple[str, int, int | None], ...]:
    """Return the treatments of a patient: name, first day, last day (None while it goes on)."""
    if cohort.treatments is None:
        return ()
    rows = cohort.treatments.filter(cohort.treatments["patient"] == patient)
    return tuple(rows.select("treatment", "start_day", "end_day").iter_rows())
