"""NEDA-3 and NEDA-4 in a window of days: one patient at a time; what cannot be known stays unknown."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

import numpy as np
import polars as pl

from smoulder.engine.beside.asked import Span, asked_for, general_notes, measured, recorded_span, said_day, said_span, seen_spans, stated
from smoulder.engine.detect import detect
from smoulder.errors import counted
from smoulder.events import REASONS, Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.neda import BrainVolume, Neda, Scans
from smoulder.tables import Cohort, Visits
from smoulder.terms import MISSING, exact_units

NEDA_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "window_start_day": pl.Int32(),
    "window_end_day": pl.Int32(),
    "neda": pl.Boolean(),
    "no_relapse": pl.Boolean(),
    "no_worsening": pl.Boolean(),
    "no_mri_activity": pl.Boolean(),
    "no_brain_volume_loss": pl.Boolean(),
    "relapses": pl.Int32(),
    "worsening_day": pl.Int32(),
    "scans": pl.Int32(),
    "brain_volume_percent_a_year": pl.Float64(),
    "failed_for": pl.String(),
    "unknown_for": pl.String(),
}
"""true: free of it, false: not, null: cannot be known. relapses: in the window, null where they are not known; worsening_day: first onset
in the window; scans: in the window and after its baseline days; brain_volume_percent_a_year: negative is loss; no_brain_volume_loss is
null throughout for NEDA-3. The window is null where it cannot be placed."""

NO_TIME_ZERO = "time zero is not known"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of one part of NEDA."""

    part: str
    """"relapse", "worsening", "MRI activity" or "brain volume loss"."""
    free: bool | None
    """None: unknown."""
    why: str
    """A few words on what it rests on."""
    day: int | None = None
    """Of the first worsening in the window."""

    def sentence(self) -> str:
        """Return the verdict in words."""
        found = {True: "none", False: "yes", None: "unknown"}[self.free]
        return f"{self.part[0].upper()}{self.part[1:]}: {found}; {self.why}."


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One MRI scan; None where a count or the volume is not known."""

    day: int
    lesions: Mapping[str, int | None]
    """Of the columns that the table has."""
    volume: Fraction | None


def neda(cohort: Cohort, rule: Neda, explain: Collection[str] = ()) -> Outcome:
    """Say of each patient whether there was evidence of disease activity in a window of days.

    Parameters
    ----------
    cohort
        The tables; a missing relapse or MRI table leaves its part unknown. Brain volume is the column `brain_volume` of the mri table.
    rule
        NEDA-3 or NEDA-4 with a definition of worsening, as `neda_rule` makes it.
    explain
        Patients whose verdict is given in sentences.

    Returns
    -------
    Outcome, one row a patient (`NEDA_SCHEMA`).

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        The definition needs a measure that the visits do not have, or a patient to explain is not there.
    """
    cohort.require_sound()
    wanted = asked_for(cohort, explain)
    seen = seen_spans(cohort)
    windows = [window_of(cohort, rule, index, seen[index]) for index in range(cohort.n_patients)]
    worsenings = worsening_verdicts(cohort, rule, windows)
    scans = scans_by_patient(cohort)
    rows, reasons, old_comparison = [], {}, 0
    for index, patient in enumerate(cohort.patients):
        window = windows[index]
        mine = scans.get(patient, [])
        if window is None:
            why = NO_TIME_ZERO if rule.start == "time zero" else "no visit"
            parts = ("relapse", "worsening", "MRI activity", *(["brain volume loss"] if rule.brain_volume else []))
            verdicts = [Verdict(part=part, free=None, why=why) for part in parts]
            rate = None
        else:
            verdicts = [
                relapse_verdict(cohort, rule, index, window, seen[index]),
                worsenings[index],
                scan_verdict(cohort, rule.scans, mine, window),
            ]
            rate = None
            if rule.brain_volume is not None:
                rate, verdict = volume_verdict(cohort, rule, rule.brain_volume, mine, window)
                verdicts.append(verdict)
            before = any(scan.day <= window.first + rule.scans.baseline_days for scan in mine)
            old_comparison += verdicts[2].free is False and not before
        result = overall([verdict.free for verdict in verdicts])
        rows.append(row_of(cohort, rule, index, patient, window, verdicts, result, mine, rate))
        if patient in wanted:
            reasons[patient] = explained(cohort, rule, window, verdicts, result)
    table = pl.DataFrame(rows, schema=NEDA_SCHEMA, orient="row")
    return Outcome(
        name=f"{rule.name}, day {rule.from_day} to {rule.to_day} after {rule.start}",
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=shares(table, rule),
        notes=tuple([*notes_of(cohort, rule, table, old_comparison), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, (rule.worsening,)),
    )


def overall(parts: Sequence[bool | None]) -> bool | None:
    """Return the whole from its parts: False if any is, else None if any is unknown, else True."""
    if False in parts:
        return False
    return None if None in parts else True


def window_of(cohort: Cohort, rule: Neda, index: int, seen: Span | None) -> Span | None:
    """Return a patient's window; None where there is nothing to count its days from."""
    start = stated(cohort.time_zero, index) if rule.start == "time zero" else None if seen is None else seen.first
    return None if start is None else Span(start + rule.from_day, start + rule.to_day)


# Relapses


def relapse_verdict(cohort: Cohort, rule: Neda, index: int, window: Span, seen: Span | None) -> Verdict:
    """Return whether a window is free of relapses."""
    days = relapses_in(cohort, index, window)
    part = "relapse"
    if days:
        return Verdict(part=part, free=False, why=f"{counted(len(days), 'relapse')}, the first on {said_day(cohort, days[0])}")
    if cohort.relapse_knowledge == "unknown":
        return Verdict(part=part, free=None, why="there is no table of relapses")
    known = recorded_span(cohort, index, seen)
    if known is None:
        return Verdict(part=part, free=None, why="there is no visit, and it is not said when relapses were recorded")
    if known.first > window.first + rule.tolerance_days:
        return Verdict(part=part, free=None, why=f"relapses are known from {said_day(cohort, known.first)} only")
    if known.last < window.last - rule.tolerance_days:
        return Verdict(part=part, free=None, why=f"relapses are known up to {said_day(cohort, known.last)} only")
    return Verdict(part=part, free=True, why="no relapse was recorded in the window")


def relapses_in(cohort: Cohort, index: int, window: Span) -> list[int]:
    """Return the days of relapse in a window."""
    return [day for day in cohort.relapse_days_of(index).tolist() if window.first <= day <= window.last]


# Worsening


def worsening_verdicts(cohort: Cohort, rule: Neda, windows: Sequence[Span | None]) -> list[Verdict]:
    """Return (n_patients,) whether each window is free of confirmed worsening."""
    days = {one.measure: [list(series.days) for series in measured(cohort, one.measure)] for one in rule.worsening.measures}
    searched, references = from_reference(cohort, rule, windows, days)
    events = detect(searched, rule.worsening)
    onsets: dict[str, list[int]] = {}
    open_onsets: dict[str, list[int]] = {}
    worse = events.table.filter(pl.col("kind") == "worsening")
    for patient, day in worse.select("patient", "onset_day").iter_rows():
        onsets.setdefault(patient, []).append(day)
    pending = events.unconfirmed.filter((pl.col("kind") == "worsening") & (pl.col("reason") == REASONS[0]))
    for patient, day in pending.select("patient", "onset_day").iter_rows():
        open_onsets.setdefault(patient, []).append(day)
    assessable = {measure: events.follow_up[f"{measure}_assessable"].to_list() for measure in references}
    verdicts = []
    for index, patient in enumerate(cohort.patients):
        window = windows[index]
        if window is None:
            verdicts.append(Verdict(part="worsening", free=None, why="there is no window"))
            continue
        found = sorted(onsets.get(patient, []))
        why_unknown = [
            gap
            for measure in references
            if (gap := unseen(cohort, rule, measure, days[measure][index], window, references[measure][index], assessable[measure][index]))
        ]
        verdicts.append(worsening_verdict(cohort, rule, window, found, open_onsets.get(patient, []), why_unknown))
    return verdicts


def worsening_verdict(
    cohort: Cohort, rule: Neda, window: Span, onsets: Sequence[int], open_onsets: Sequence[int], unseen_for: Sequence[str]
) -> Verdict:
    """Return whether a window is free of confirmed worsening, from the days of onset and what is not known."""
    inside = [day for day in onsets if window.first <= day <= window.last]
    if inside:
        return Verdict(part="worsening", free=False, why=f"confirmed worsening, onset {said_day(cohort, inside[0])}", day=inside[0])
    pending = [day for day in open_onsets if window.first <= day <= window.last]
    if pending:
        why = f"worse on {said_day(cohort, min(pending))}, and no visit could confirm it"
        return Verdict(part="worsening", free=None, why=why)
    earlier = [day for day in onsets if day < window.first]
    if earlier and rule.worsening.looking_for == "first worsening":
        why = f"the search ended with the worsening of {said_day(cohort, earlier[0])}, before the window"
        return Verdict(part="worsening", free=None, why=why)
    if unseen_for:
        return Verdict(part="worsening", free=None, why=unseen_for[0])
    return Verdict(part="worsening", free=True, why="no confirmed worsening began in the window")


def unseen(cohort: Cohort, rule: Neda, measure: str, days: Sequence[int], window: Span, reference: int | None, assessable: bool) -> str:
    """Return why worsening of a measure, seen on some days, cannot be ruled out in a window; "" where it can."""
    name = next(one.spec().name for one in rule.worsening.measures if one.measure == measure)
    if reference is None:
        return f"no visit with the {name} to compare with"
    if reference > window.first + rule.tolerance_days:
        return f"the first visit with the {name} that could be compared with is that of {said_day(cohort, reference)}"
    if not any(reference < day and window.first < day <= window.last for day in days):
        return f"no visit with the {name} in the window to compare"
    if days[-1] < window.last - rule.tolerance_days:
        return f"the last visit with the {name} is that of {said_day(cohort, days[-1])}"
    if not assessable:
        return f"no visit with the {name} could serve as baseline"
    return ""


def from_reference(
    cohort: Cohort, rule: Neda, windows: Sequence[Span | None], days: Mapping[str, Sequence[Sequence[int]]]
) -> tuple[Cohort, dict[str, list[int | None]]]:
    """Return the cohort without the scores before each patient's reference visit, and for each measure the day of that visit.

    Visits and relapses stay, so that distances from relapses are the same. None: no such visit.
    """
    references: dict[str, list[int | None]] = {}
    scores = dict(cohort.visits.scores)
    for one in rule.worsening.measures:
        kept = cohort.scores(one.measure).copy()
        found: list[int | None] = []
        for index, window in enumerate(windows):
            where = cohort.visits_of(index)
            day = reference_day(rule, days[one.measure][index], window)
            found.append(day)
            before = cohort.visits.day[where] < (np.iinfo(np.int32).max if day is None else day)
            kept[where][before] = MISSING
        references[one.measure] = found
        scores[one.measure] = kept
    visits = Visits(first=cohort.visits.first, day=cohort.visits.day, scores=scores, scheduled=cohort.visits.scheduled)
    return replace(cohort, visits=visits), references


def reference_day(rule: Neda, days: Sequence[int], window: Span | None) -> int | None:
    """Return the day of the visit from which the search starts; None where there is none."""
    if window is None or not days:
        return None
    if rule.reference == "as the definition says":
        return days[0]
    before = [day for day in days if day <= window.first]
    if rule.reference == "last visit up to the window" and before:
        return before[-1]
    return next((day for day in days if window.first <= day <= window.last), None)


# MRI


def scans_by_patient(cohort: Cohort) -> dict[str, list[Scan]]:
    """Return the scans of each patient, in day order."""
    if cohort.mri is None:
        return {}
    lesions = [name for name in ("new_t2", "enlarging_t2", "gd") if name in cohort.mri.columns]
    rows = cohort.mri.sort("patient", "day", maintain_order=True).iter_rows(named=True)
    return {
        patient: [
            Scan(day=row["day"], lesions={name: row[name] for name in lesions}, volume=exact_volume(row.get("brain_volume")))
            for row in theirs
        ]
        for patient, theirs in groupby(rows, key=lambda row: row["patient"])
    }


def exact_volume(volume: float | None) -> Fraction | None:
    """Return a volume as the decimal number it is written as; None where it is not known or not above zero."""
    # str gives the decimals of the table; 0.4 % of 1500.0 is then 6 and not 6.0000000000000002.
    exact = None if volume is None or math.isnan(volume) else Fraction(str(volume))
    return exact if exact is not None and exact > 0 else None


def scan_verdict(cohort: Cohort, rule: Scans, scans: Sequence[Scan], window: Span) -> Verdict:
    """Return whether a window is free of MRI activity."""
    part = "MRI activity"
    if cohort.mri is None:
        return Verdict(part=part, free=None, why="there is no table of MRI scans")
    inside = scans_in(rule, scans, window)
    for scan in inside:
        found = [f"{name}: {scan.lesions[name]}" for name in rule.counts if (scan.lesions.get(name) or 0) > 0]
        if found:
            return Verdict(part=part, free=False, why=f"the scan of {said_day(cohort, scan.day)} shows lesions ({', '.join(found)})")
    if not inside:
        return Verdict(part=part, free=None, why="there is no scan in the window")
    read = [scan for scan in inside if is_read(rule, scan)]
    if not read:
        return Verdict(part=part, free=None, why="no scan in the window was read for all the lesions needed")
    last = read[-1].day
    if rule.near_end_days is not None and last < window.last - rule.near_end_days:
        return Verdict(part=part, free=None, why=f"the last scan, of {said_day(cohort, last)}, says nothing of the end of the window")
    return Verdict(part=part, free=True, why=f"no lesion on {counted(len(read), 'scan')}, the last of {said_day(cohort, last)}")


def scans_in(rule: Scans, scans: Sequence[Scan], window: Span) -> list[Scan]:
    """Return the scans that count: after the start of the window and its baseline days, up to its end."""
    return [scan for scan in scans if window.first + rule.baseline_days < scan.day <= window.last]


def is_read(rule: Scans, scan: Scan) -> bool:
    """Return whether the counts are known that a scan must have to be free of activity."""
    asked = {*rule.needed, *(name for name in rule.needed_if_there if name in scan.lesions)}
    return all(scan.lesions.get(name) is not None for name in asked)


# Brain volume


def volume_verdict(cohort: Cohort, rule: Neda, limit: BrainVolume, scans: Sequence[Scan], window: Span) -> tuple[float | None, Verdict]:
    """Return the change of brain volume in per cent a year (negative is loss), and whether it is within the limit."""
    part = "brain volume loss"
    if cohort.mri is None or "brain_volume" not in cohort.mri.columns:
        return None, Verdict(part=part, free=None, why="there is no column brain_volume in a table of MRI scans")
    measured = [(scan.day, scan.volume) for scan in scans if scan.volume is not None and scan.day <= window.last]
    starting = [one for one in measured if one[0] <= window.first + rule.scans.baseline_days]
    inside = [one for one in measured if one[0] >= window.first]
    pair = (starting[-1:] or inside[:1]) + inside[-1:]
    if len(pair) < 2 or pair[0][0] >= pair[1][0]:
        return None, Verdict(part=part, free=None, why="there are no two scans with a volume to compare")
    (first_day, first), (last_day, last) = pair
    days = last_day - first_day
    if days < limit.least_days:
        return None, Verdict(part=part, free=None, why=f"the scans with a volume are only {days} days apart ({limit.least_days} needed)")
    # A year has 365.25 days = 1461 / 4.
    percent = 100 * (last - first) / first * Fraction(1461, 4) / days
    allowed = Fraction(exact_units(limit.most_loss_percent), 100)
    why = f"{float(percent):+.2f} % a year from {said_day(cohort, first_day)} to {said_day(cohort, last_day)}"
    return float(percent), Verdict(part=part, free=-percent <= allowed, why=f"{why} (loss up to {limit.most_loss_percent:g} % allowed)")


# What comes out


def row_of(
    cohort: Cohort,
    rule: Neda,
    index: int,
    patient: str,
    window: Span | None,
    verdicts: Sequence[Verdict],
    result: bool | None,
    scans: Sequence[Scan],
    rate: float | None,
) -> tuple[object, ...]:
    """Return one row of the table."""
    known = cohort.relapse_knowledge != "unknown"
    n_relapses = len(relapses_in(cohort, index, window)) if window is not None and known else None
    n_scans = None if cohort.mri is None or window is None else len(scans_in(rule.scans, scans, window))
    return (
        patient,
        None if window is None else window.first,
        None if window is None else window.last,
        result,
        *(verdict.free for verdict in verdicts),
        *([None] if rule.brain_volume is None else []),
        n_relapses,
        verdicts[1].day,
        n_scans,
        rate,
        "; ".join(verdict.part for verdict in verdicts if verdict.free is False),
        "; ".join(f"{verdict.part}: {verdict.why}" for verdict in verdicts if verdict.free is None),
    )


def explained(cohort: Cohort, rule: Neda, window: Span | None, verdicts: Sequence[Verdict], result: bool | None) -> tuple[str, ...]:
    """Return why a patient has this verdict, in sentences."""
    opening = "There is no window." if window is None else f"The window is {said_span(cohort, window)}."
    ending = {
        True: f"{rule.name}: no evidence of disease activity.",
        False: f"Not {rule.name}: there was disease activity.",
        None: f"{rule.name} unknown: nothing was found, and not everything is known.",
    }[result]
    return (opening, *(verdict.sentence() for verdict in verdicts), ending)


def shares(table: pl.DataFrame, rule: Neda) -> tuple[tuple[str, Proportion], ...]:
    """Return how many are free of activity, of all and of those that can be told, and the same for each part."""
    n = table.height
    free, active = int(table["neda"].sum()), int((~table["neda"]).sum())
    counts = [
        (f"{rule.name} (no evidence of disease activity)", Proportion(numerator=free, denominator=n)),
        ("disease activity", Proportion(numerator=active, denominator=n)),
        ("unknown", Proportion(numerator=n - free - active, denominator=n)),
        (f"{rule.name}, of those who can be told", Proportion(numerator=free, denominator=free + active)),
    ]
    parts = ("no_relapse", "no_worsening", "no_mri_activity", *(["no_brain_volume_loss"] if rule.brain_volume else []))
    for part in parts:
        known = table[part].drop_nulls()
        line = f"{part.replace('_', ' ').replace('mri', 'MRI')}, of those known"
        counts.append((line, Proportion(numerator=int(known.sum()), denominator=len(known))))
    return tuple(counts)


def notes_of(cohort: Cohort, rule: Neda, table: pl.DataFrame, old_comparison: int) -> list[str]:
    """Return what the reader must know of this result."""
    notes = []
    unknown = table["neda"].null_count()
    if unknown:
        notes.append(
            f"{counted(unknown, 'patient')} unknown. One part with activity is enough to tell activity, all parts must be known to tell "
            "that there was none, so the share of those who can be told is too low where much is unknown."
        )
    if cohort.relapse_knowledge == "unknown":
        notes.append("There was no relapse table, so nobody is known to be free of relapses.")
    if cohort.mri is None:
        notes.append("There was no MRI table, so nobody is known to be free of MRI activity.")
    else:
        lacking = [name for name in rule.scans.counts if name not in cohort.mri.columns]
        if lacking:
            notes.append(f"The MRI table has no column {' or '.join(lacking)}; such lesions were not seen.")
    if old_comparison:
        notes.append(
            f"{counted(old_comparison, 'patient')} with MRI activity had no scan up to the start of the window: a lesion may be older."
        )
    return notes
