"""Which reported relapses count, each with its reason, and how many fall into how many days."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from smoulder.engine.beside.asked import DAYS_A_YEAR, Span, asked_for, general_notes, recorded_span, said_day, said_span, seen_spans
from smoulder.errors import UsageError, counted
from smoulder.events import Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.parts import listed
from smoulder.rulebook.relapse_events import RelapseHygiene, RelapseRate
from smoulder.tables import Cohort, Relapses

HYGIENE_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "reported_day": pl.Int32(),
    "kept": pl.Boolean(),
    "counts_as_day": pl.Int32(),
    "fate": pl.String(),
    "reason": pl.String(),
    "duration_known": pl.Boolean(),
    "fever_known": pl.Boolean(),
}
"""One row a reported relapse. counts_as_day: onset of the relapse that it is or was merged into, null where it was dropped; fate: kept,
merged or dropped; duration_known, fever_known: whether there was anything to judge it by."""

DETAIL_COLUMNS = ("patient", "day", "end_day", "duration_hours", "fever", "infection")
"""What may be known of a relapse besides its day; only patient and day must be there."""

RATE_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "period": pl.Int32(),
    "start_day": pl.Int32(),
    "end_day": pl.Int32(),
    "bounds": pl.String(),
    "relapses": pl.Int32(),
    "person_days": pl.Int32(),
    "person_years": pl.Float64(),
    "log_person_years": pl.Float64(),
}
"""One row a patient and period. bounds: what first and last day rest on; relapses: null where they are not known; log_person_years: the
offset of a count model, null with no day at risk; start and end are null where there was nobody to observe."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One reported relapse; None where a thing is not known."""

    day: int
    end_day: int | None = None
    hours: float | None = None
    fever: bool | None = None
    infection: bool | None = None

    @property
    def duration_known(self) -> bool:
        """Whether there is anything to judge its duration by; an end before the onset is nothing."""
        return self.hours is not None or (self.end_day is not None and self.end_day >= self.day)

    @property
    def fever_known(self) -> bool:
        """Whether it is known to have come with fever or infection, or with neither."""
        return bool(self.fever or self.infection) or (self.fever is not None and self.infection is not None)


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of a reported relapse."""

    report: Report
    fate: str
    """"kept", "merged" or "dropped"."""
    reason: str
    counts_as: int | None
    """Day of the relapse that it is part of; None where it was dropped."""


def relapse_hygiene(
    cohort: Cohort, rule: RelapseHygiene | None = None, explain: Collection[str] = (), *, details: pl.DataFrame | None = None
) -> Outcome:
    """Say of each reported relapse whether it counts, was merged into another, or was dropped, and why.

    Parameters
    ----------
    cohort
        The tables; of relapses it has the days.
    rule
        What counts; None: 24 hours, no fever or infection, 30 days apart, inside follow-up.
    explain
        Patients whose relapses are told in sentences.
    details
        What else is known of relapses (`DETAIL_COLUMNS`), one row each, days as in the cohort; None: what the relapse table says.

    Returns
    -------
    Outcome, one row a reported relapse (`HYGIENE_SCHEMA`). `with_clean_relapses` gives the cohort that it leads to.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        `details` lacks a column, or names a relapse twice or one that is not in the cohort; or a patient to explain is not there.
    """
    cohort.require_sound()
    rule = rule or RelapseHygiene()
    wanted = asked_for(cohort, explain)
    rows, reasons = [], {}
    for patient, fates in zip(cohort.patients, fates_of(cohort, rule, details), strict=True):
        rows += [
            (
                patient,
                one.report.day,
                one.fate == "kept",
                one.counts_as,
                one.fate,
                one.reason,
                one.report.duration_known,
                one.report.fever_known,
            )
            for one in fates
        ]
        if patient in wanted:
            reasons[patient] = tuple(f"{said_day(cohort, one.report.day)}: {one.fate}; {one.reason}." for one in fates) or (
                "No relapse was reported.",
            )
    table = pl.DataFrame(rows, schema=HYGIENE_SCHEMA, orient="row")
    return Outcome(
        name="Relapses that count",
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=tuple(
            (f"reported relapses {fate}", Proportion(numerator=table.filter(pl.col("fate") == fate).height, denominator=table.height))
            for fate in ("kept", "merged", "dropped")
        ),
        notes=tuple([*hygiene_notes(cohort, rule, table), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def with_clean_relapses(cohort: Cohort, rule: RelapseHygiene | None = None, *, details: pl.DataFrame | None = None) -> Cohort:
    """Return the cohort with those relapses only that count, so that events can be looked for with them.

    `rule` and `details` are those of `relapse_hygiene`, and it raises as that does.
    """
    cohort.require_sound()
    kept = [[one.report.day for one in fates if one.fate == "kept"] for fates in fates_of(cohort, rule or RelapseHygiene(), details)]
    first = np.zeros(cohort.n_patients + 1, dtype=np.int64)
    np.cumsum([len(days) for days in kept], out=first[1:])
    return replace(cohort, relapses=Relapses(first=first, day=np.array([day for days in kept for day in days], dtype=np.int32)))


def fates_of(cohort: Cohort, rule: RelapseHygiene, details: pl.DataFrame | None) -> list[list[Fate]]:
    """Return (n_patients,) what becomes of each patient's relapses, in day order."""
    known = known_details(cohort, cohort.relapse_details if details is None else details)
    seen = seen_spans(cohort)
    fates = []
    for index, patient in enumerate(cohort.patients):
        reports = [known.get((patient, day), Report(day=day)) for day in cohort.relapse_days_of(index).tolist()]
        fates.append(judged(cohort, rule, reports, recorded_span(cohort, index, seen[index])))
    return fates


def judged(cohort: Cohort, rule: RelapseHygiene, reports: Sequence[Report], follow_up: Span | None) -> list[Fate]:
    """Return what becomes of one patient's relapses, given in day order: first those that are none, then merging."""
    fates: list[Fate] = []
    attack: int | None = None
    before: int | None = None
    for report in reports:
        reason = not_one(cohort, rule, report, follow_up)
        if reason:
            fates.append(Fate(report=report, fate="dropped", reason=reason, counts_as=None))
            continue
        since = attack if rule.counted_from == "the first onset" else before
        before = report.day
        if attack is not None and since is not None and report.day - since < rule.apart_days:
            after = "it" if since == attack else f"the report of {said_day(cohort, since)}"
            reason = f"part of the relapse of {said_day(cohort, attack)}, {counted(report.day - since, 'day')} after {after}"
            fates.append(Fate(report=report, fate="merged", reason=f"{reason} ({rule.apart_days} needed)", counts_as=attack))
            continue
        attack = report.day
        fates.append(Fate(report=report, fate="kept", reason=kept_because(rule, report), counts_as=attack))
    return fates


def not_one(cohort: Cohort, rule: RelapseHygiene, report: Report, follow_up: Span | None) -> str:
    """Return why a report is no relapse that counts; "" where it is one."""
    if rule.least_hours and lasted_less(report, rule.least_hours):
        return f"lasted less than {rule.least_hours} hours"
    if rule.without_fever and (report.fever or report.infection):
        return "fever" if report.fever else "infection"
    if rule.outside_follow_up == "kept":
        return ""
    if follow_up is None:
        return "outside follow-up: there is none"
    if not follow_up.first <= report.day <= follow_up.last:
        return f"outside follow-up ({said_span(cohort, follow_up)})"
    return ""


def lasted_less(report: Report, hours: int) -> bool:
    """Return whether a relapse is known to have lasted less than some hours.

    Of days of onset and end alone only this is known: with d days between them it lasted less than (d + 1) * 24 hours.
    """
    if report.hours is not None:
        return report.hours < hours
    if not report.duration_known or report.end_day is None:
        return False
    return (report.end_day - report.day + 1) * 24 <= hours


def kept_because(rule: RelapseHygiene, report: Report) -> str:
    """Return what a relapse that counts rests on."""
    missing = []
    if rule.least_hours and not report.duration_known:
        missing.append("duration")
    if rule.without_fever and not report.fever_known:
        missing += ["fever", "infection"]
    return f"counts; {listed(missing)} not known" if missing else "counts"


def known_details(cohort: Cohort, details: pl.DataFrame | None) -> dict[tuple[str, int], Report]:
    """Return what is known of each relapse by patient and day; UsageError where the table is not as it must be."""
    if details is None:
        return {}
    lacking = [name for name in ("patient", "day") if name not in details.columns]
    stray = [name for name in details.columns if name not in DETAIL_COLUMNS]
    if lacking or stray:
        raise UsageError(
            f"The details of relapses have the columns {', '.join(DETAIL_COLUMNS)}; {', '.join(lacking or stray)} is not right."
        )
    here = {patient: set(cohort.relapse_days_of(index).tolist()) for index, patient in enumerate(cohort.patients)}
    known: dict[tuple[str, int], Report] = {}
    for row in details.iter_rows(named=True):
        place = (row["patient"], row["day"])
        if place in known:
            raise UsageError(f"The details of relapses name patient '{place[0]}', {said_day(cohort, place[1])} twice.")
        if place[0] in here and place[1] not in here[place[0]]:
            raise UsageError(
                f"The details of relapses name patient '{place[0]}', {said_day(cohort, place[1])}; there is no such relapse in the cohort."
            )
        known[place] = Report(
            day=row["day"],
            end_day=row.get("end_day"),
            hours=row.get("duration_hours"),
            fever=row.get("fever"),
            infection=row.get("infection"),
        )
    return known


def hygiene_notes(cohort: Cohort, rule: RelapseHygiene, table: pl.DataFrame) -> list[str]:
    """Return what the reader must know of this result."""
    notes = []
    if cohort.relapse_knowledge == "unknown":
        notes.append("There was no relapse table: this says nothing about relapses.")
    by_reason = Counter(reason.partition(" (")[0].partition(":")[0] for reason in table.filter(pl.col("fate") == "dropped")["reason"])
    if by_reason:
        notes.append(f"Dropped: {'; '.join(f'{n:,} {reason}' for reason, n in sorted(by_reason.items()))}.")
    if any(reason.startswith("outside") for reason in by_reason):
        notes.append(
            "A definition that keeps a distance from relapses looks before the first visit too; keep those outside follow-up when events "
            "are looked for with these relapses."
        )
    kept = table.filter("kept")
    for needed, column, what in (
        (bool(rule.least_hours), "duration_known", "its duration"),
        (rule.without_fever, "fever_known", "whether there was fever or infection"),
    ):
        unknown = int((~kept[column]).sum())
        if needed and unknown:
            notes.append(f"{unknown:,} of {kept.height:,} relapses counted without knowing {what}.")
    return notes


def relapse_rates(cohort: Cohort, rule: RelapseRate | None = None, explain: Collection[str] = ()) -> Outcome:
    """Count relapses and days at risk of each patient and period, as a count model takes them.

    Parameters
    ----------
    cohort
        The tables; `with_clean_relapses` first where reports are to be merged.
    rule
        Over which days, in which periods; None: one period a patient, from the first to the last visit.
    explain
        Patients whose counts are told in sentences.

    Returns
    -------
    Outcome, one row a patient and period (`RATE_SCHEMA`); who was never at risk has one row with 0 days.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        A patient to explain is not there.
    """
    cohort.require_sound()
    rule = rule or RelapseRate()
    wanted = asked_for(cohort, explain)
    known = cohort.relapse_knowledge != "unknown"
    rows, reasons, uncounted = [], {}, 0
    for index, (patient, seen) in enumerate(zip(cohort.patients, seen_spans(cohort), strict=True)):
        days = cohort.relapse_days_of(index).tolist()
        span, bounds = span_at_risk(cohort, rule, index, seen)
        mine: list[tuple[object, ...]] = []
        for number, period in enumerate(periods_of(span, rule.period_days), start=1):
            n = sum(period.first < day <= period.last for day in days)
            length = period.last - period.first
            years = length / DAYS_A_YEAR
            log_years = math.log(years) if length else None
            mine.append((patient, number, period.first, period.last, bounds, n if known else None, length, years, log_years))
        if not mine:
            mine = [(patient, 1, None, None, bounds, None, 0, 0.0, None)]
        inside = 0 if span is None else sum(span.first < day <= span.last for day in days)
        uncounted += len(days) - inside
        rows += mine
        if patient in wanted:
            reasons[patient] = told_rates(cohort, mine, days, len(days) - inside, known)
    table = pl.DataFrame(rows, schema=RATE_SCHEMA, orient="row")
    return Outcome(
        name="Relapses and days at risk",
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=relapsing_share(table),
        notes=tuple([*rate_notes(cohort, table, uncounted), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def span_at_risk(cohort: Cohort, rule: RelapseRate, index: int, seen: Span | None) -> tuple[Span | None, str]:
    """Return the days over which a patient's relapses are counted, and what they rest on; None: there are none."""
    recorded = recorded_span(cohort, index, seen)
    if recorded is None or (rule.bounds == "visits" and seen is None):
        return None, "no visit"
    if rule.bounds == "visits" and seen is not None:
        first, last = max(seen.first, recorded.first), min(seen.last, recorded.last)
        if first > last:
            return None, "relapses were not recorded during the visits"
        return Span(first, last), "visits" if (first, last) == seen else "visits, cut to recording"
    if recorded.first > recorded.last:
        return None, "recording ends before it begins"
    return recorded, "visits" if recorded == seen else "recording"


def periods_of(span: Span | None, length: int | None) -> list[Span]:
    """Return the periods that a span falls into; the last day of one is the first of the next."""
    if span is None:
        return []
    if length is None or span.last - span.first <= length:
        return [span]
    starts = range(span.first, span.last, length)
    return [Span(start, min(start + length, span.last)) for start in starts]


def told_rates(cohort: Cohort, rows: Sequence[tuple[object, ...]], days: Sequence[int], uncounted: int, known: bool) -> tuple[str, ...]:
    """Return a patient's counts in sentences."""
    relapses = ", ".join(said_day(cohort, day) for day in days) or "none recorded"
    told = [f"Relapses: {relapses if known else 'unknown, as there is no relapse table'}."]
    for _, number, start, end, bounds, n, length, years, _ in rows:
        if not isinstance(start, int) or not isinstance(end, int):
            told.append(f"Never at risk: {bounds}.")
            continue
        found = "relapses unknown" if n is None else counted(int(str(n)), "relapse")
        told.append(f"Period {number}, {said_span(cohort, Span(start, end))} ({bounds}): {found} in {length} days ({years:.2f} years).")
    if uncounted:
        told.append(f"{counted(uncounted, 'relapse')} outside these days, or on the first of them, not counted.")
    return tuple(told)


def relapsing_share(table: pl.DataFrame) -> tuple[tuple[str, Proportion], ...]:
    """Return how many patients had a relapse, and how many were at risk at all."""
    people = table.group_by("patient", maintain_order=True).agg(
        pl.col("relapses").sum(), known=pl.col("relapses").is_not_null().all(), days=pl.col("person_days").sum()
    )
    at_risk = people.filter(pl.col("days") > 0)
    known = at_risk.filter("known")
    return (
        ("patients with a day at risk", Proportion(numerator=at_risk.height, denominator=people.height)),
        ("patients with a relapse", Proportion(numerator=known.filter(pl.col("relapses") > 0).height, denominator=known.height)),
    )


def rate_notes(cohort: Cohort, table: pl.DataFrame, uncounted: int) -> list[str]:
    """Return the crude rate, and what the reader must know of it."""
    if cohort.relapse_knowledge == "unknown":
        return ["There was no relapse table: relapses are not known, and there is no rate."]
    days, n = int(table["person_days"].sum()), int(table["relapses"].sum())
    notes = []
    if days:
        years = days / DAYS_A_YEAR
        notes.append(f"{counted(n, 'relapse')} in {years:,.2f} person-years: {n / years:.3f} a year (crude; a model needs the offset).")
    if uncounted:
        notes.append(f"{counted(uncounted, 'relapse')} outside the days at risk, or on the first of them, not counted.")
    unexposed = table.filter(pl.col("person_days") == 0).height
    if unexposed:
        notes.append(f"{counted(unexposed, 'patient')} without a day at risk listed with 0 days; a count model must leave them out.")
    return notes
