"""`explain`: why one patient has the events that he or she has, by the readable reference engine."""

from __future__ import annotations

from smoulder.engine.judgement import Change
from smoulder.engine.narrate import Narrator, decisive_visit
from smoulder.engine.pack import record_of, seen_days
from smoulder.engine.record import LABELS, Found
from smoulder.engine.reference import Scan, scan_of
from smoulder.engine.scans import judge_scans, scans_of
from smoulder.errors import UsageError
from smoulder.events import ExplainedEvent, ExplainedMeasure, Explanation
from smoulder.provenance import provenance_of
from smoulder.rulebook import resolve
from smoulder.rulebook.model import Definition, MeasureRule
from smoulder.tables import Cohort
from smoulder.terms import MISSING


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
        follow_up=None if start == MISSING else (start, end),
        provenance=provenance_of(cohort, chosen),
    )


def explain_measure(cohort: Cohort, index: int, rule: MeasureRule, definition: Definition) -> ExplainedMeasure:
    """Explain one measure of the patient at a position."""
    record = record_of(cohort, index, rule, definition)
    narrator = Narrator(rule.spec(), cohort.calendar)
    scan = scan_of(definition)(record, rule, definition, narrator)
    found = scan.run()
    if definition.mri is not None:
        scans = scans_of(cohort, cohort.patients[index], definition.mri)
        for event in found:
            if event.pira:
                narrator.scanned(scan, event, definition.mri, judge_scans(scans, mri_spans(scan, event)))
    return ExplainedMeasure(
        measure=rule.spec(),
        days=record.days,
        scores=record.scores,
        steps=tuple(narrator.steps),
        events=tuple(explained_event(scan, event) for event in found if event.reason == 0),
        references=tuple(narrator.references),
    )


def explained_event(scan: Scan, event: Found) -> ExplainedEvent:
    """Return one event with the windows that decided its label."""
    rule = scan.definition.relapses
    change = Change(event.worsening, event.onset, event.baseline, event.reference, 0)
    confirming = [visit for visit in event.confirmations if visit >= 0]
    pira = [visit for visit in event.pira_confirmations if visit >= 0]
    onset = scan.days[event.onset]
    raw = rule.raw if rule is not None and event.label else None
    return ExplainedEvent(
        kind="worsening" if event.worsening else "improvement",
        label=LABELS[event.label],
        onset_day=onset,
        onset=event.onset_score,
        baseline_day=scan.days[event.baseline],
        reference=event.reference,
        confirmation_day=scan.days[min(confirming)] if confirming else None,
        windows=tuple(
            (window.name, scan.days[visit] if visit >= 0 else None)
            for window, visit in zip(scan.definition.confirmation.windows, event.confirmations, strict=True)
        ),
        pira_confirmation_day=scan.days[min(pira)] if pira else None,
        sustained_until_day=scan.days[event.sustained_until],
        raw_window=(onset - raw.days_before_onset, onset + raw.days_after_onset) if raw is not None else None,
        relapse_free=tuple(scan.intervals(change, decisive_visit(event), event.meaningful, event.sustained_until))
        if rule and event.label
        else (),
    )


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
