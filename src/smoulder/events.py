"""What an analysis finds: `Events` of a cohort, and the `Explanation` of one patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import polars as pl

from smoulder.errors import agreed, counted
from smoulder.provenance import Provenance
from smoulder.rulebook.model import Definition
from smoulder.rulebook.traps import traps
from smoulder.terms import Calendar, Measure, date_of, day_text

EVENT_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "definition": pl.String(),
    "measure": pl.String(),
    "kind": pl.String(),
    "label": pl.String(),
    "raw": pl.Boolean(),
    "pira": pl.Boolean(),
    "mri": pl.String(),
    "onset_day": pl.Int32(),
    "onset_score": pl.Float64(),
    "baseline_day": pl.Int32(),
    "reference_score": pl.Float64(),
    "meaningful_day": pl.Int32(),
    "meaningful_score": pl.Float64(),
    "sustained_until_day": pl.Int32(),
    "sustained_days": pl.Int32(),
    "sustained_to_end": pl.Boolean(),
    "confirmed": pl.Boolean(),
    "outside_follow_up": pl.Boolean(),
    "composite": pl.Boolean(),
    "days_from_start": pl.Int32(),
    "days_from_baseline": pl.Int32(),
}
"""Columns of `Events.table`, in order; those of the confirmation windows follow (`window_columns`)."""

EVENT_MEANING: dict[str, str] = {
    "patient": "who",
    "definition": "key of the definition",
    "measure": "measure on which it was seen",
    "kind": "worsening or improvement",
    "label": "PIRA, RAW, RAW and PIRA, undefined, undetermined or PIRA with relapse during confirmation; empty for improvements and where "
    "labels were not asked for",
    "raw": "whether it counts as RAW",
    "pira": "whether it counts as PIRA",
    "mri": "of a PIRA: no activity (PIRMA), activity or unknown; empty where the definition has no MRI rule",
    "onset_day": "first visit of the change",
    "onset_score": "score at onset",
    "baseline_day": "visit compared with",
    "reference_score": "score compared with",
    "meaningful_day": "last visit before onset from whose score the change is past the threshold",
    "meaningful_score": "score at that visit",
    "sustained_until_day": "last visit before the change first fails to hold after its confirmation",
    "sustained_days": "days from onset to that visit",
    "sustained_to_end": "whether it holds to the last visit",
    "confirmed": "false for a worsening that was counted without a confirming visit",
    "outside_follow_up": "whether it is PIRA only because days before the first or after the last visit were taken as free of relapses",
    "composite": "whether it is the patient's earliest worsening on any measure of the definition",
    "days_from_start": "days from the patient's first visit to onset",
    "days_from_baseline": "days from the baseline visit to onset",
}

UNCONFIRMED_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "definition": pl.String(),
    "measure": pl.String(),
    "kind": pl.String(),
    "onset_day": pl.Int32(),
    "onset_score": pl.Float64(),
    "baseline_day": pl.Int32(),
    "reference_score": pl.Float64(),
    "reason": pl.String(),
}
"""Columns of `Events.unconfirmed`."""

DURING = "PIRA with relapse during confirmation"
"""The label of a worsening that fails to be PIRA only by a relapse after onset, where a definition makes that a class of its own."""

ANY_WORSENING = "worsening events"
"""The line of a summary that counts worsening of whatever label."""

LABEL_LINES: dict[str, pl.Expr] = {
    "PIRA": pl.col("pira"),
    "RAW": pl.col("raw"),
    "both RAW and PIRA": pl.col("raw") & pl.col("pira"),
    "PIRA without MRI activity (PIRMA)": pl.col("mri") == "no activity",
    "PIRA with MRI activity": pl.col("mri") == "activity",
    "PIRA whose MRI is unknown": pl.col("mri") == "unknown",
    DURING: pl.col("label") == DURING,
    "undefined worsening": pl.col("label") == "undefined",
    "undetermined worsening": pl.col("label") == "undetermined",
}
"""The lines of a summary that count worsening by its label, in order, and which events they count."""

_OUTSIDE, _UNCOUNTED = "outside follow-up", "without confirmation"
_NOTED_LINES: dict[str, pl.Expr] = {_OUTSIDE: pl.col("pira") & pl.col("outside_follow_up"), _UNCOUNTED: ~pl.col("confirmed")}
"""What only the notes of a summary count."""
_NOTHING: Mapping[str, int] = dict.fromkeys((ANY_WORSENING, *LABEL_LINES, *_NOTED_LINES), 0)

REASONS = ("no visit could confirm it", "did not hold up to a confirming visit", "confirmed but not sustained")
"""Why a change is no event, by the engine's code 1, 2, 3."""


def window_columns(names: Sequence[str]) -> dict[str, pl.DataType]:
    """Return the event columns of confirmation windows: the confirming visit of each, and that of the PIRA."""
    columns: dict[str, pl.DataType] = {}
    for prefix in ("confirmed", "pira_confirmed"):
        for name in names:
            columns[f"{prefix}_{name}_day"] = pl.Int32()
            columns[f"{prefix}_{name}_score"] = pl.Float64()
    return columns


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """A share with what it is out of, and its 95 % interval (Wilson score)."""

    numerator: int
    denominator: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval (Wilson 1927, J Am Stat Assoc 22:209); None with nothing in the denominator."""
        n = self.denominator
        if n == 0:
            return None
        z = NormalDist().inv_cdf(0.975)
        p = self.numerator / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * ((p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5) / (1 + z * z / n)
        # At 0 and at n the bound is exactly 0 or 1; the formula gives -1e-18.
        return (0.0 if self.numerator == 0 else middle - half, 1.0 if self.numerator == n else middle + half)

    def text(self) -> str:
        """Return the share as '44/184 (23.9 %, 95 % interval 18.3 to 30.6 %)'."""
        if self.interval is None:
            return f"{self.numerator}/0 (no share: nobody could be assessed)"
        low, high = (100 * bound for bound in self.interval)
        return (
            f"{self.numerator:,}/{self.denominator:,} ({100 * self.numerator / self.denominator:.1f} %, "
            f"95 % interval {low:.1f} to {high:.1f} %)"
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Summary:
    """Counts of one definition, each with what it is out of."""

    definition: str
    counts: tuple[tuple[str, Proportion], ...]
    """Line and share: patients with any event of a kind or label, out of those who could be assessed."""
    events: tuple[tuple[str, int], ...]
    """Line and number of events, the unconfirmed and unsustained beside them."""
    person_years: float
    """From first to last visit, of the patients who could be assessed."""
    notes: tuple[str, ...]
    """What else the reader must know, as sentences."""
    traps: tuple[str, ...] = ()
    """Where the definition is known to mislead, whatever the tables (`smoulder.rulebook.traps`)."""

    def text(self) -> str:
        """Return the summary in words."""
        lines = [self.definition]
        lines += [f"  patients with {name}: {share.text()}" for name, share in self.counts]
        lines += [f"  {name}: {n:,}" for name, n in self.events]
        lines.append(f"  followed for {self.person_years:,.{0 if self.person_years >= 100 else 1}f} person-years")
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  known trap: {trap}" for trap in self.traps]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, kw_only=True)
class Events:
    """The events of a cohort under one or more definitions. All columns are always there, also with no event."""

    table: pl.DataFrame
    """One row an event (`EVENT_SCHEMA` and `window_columns`), sorted by definition as given, patient, measure as given, onset."""
    unconfirmed: pl.DataFrame
    """One row a change that was met and is no event (`UNCONFIRMED_SCHEMA`)."""
    follow_up: pl.DataFrame
    """One row a patient: start_day, end_day, visits, relapses, and for each measure its visits."""
    assessable: pl.DataFrame
    """One row a definition and measure, and "any": how many patients had a baseline and a later visit, and their person-years."""
    definitions: tuple[Definition, ...]
    calendar: Calendar
    provenance: Provenance

    def __repr__(self) -> str:
        return f"<Events: {counted(self.table.height, 'event')} under {', '.join(d.key for d in self.definitions)}>"

    def of(self, key: str) -> pl.DataFrame:
        """Return the events of one definition."""
        return self.table.filter(pl.col("definition") == key)

    def dated(self, frame: pl.DataFrame | None = None) -> pl.DataFrame:
        """Return the events (or another table of this result) with dates where the cohort has dates: onset_date for onset_day."""
        frame = self.table if frame is None else frame
        if self.calendar == "day":
            return frame
        days = [name for name in frame.columns if name.endswith("_day")]
        return frame.with_columns(pl.col(day).cast(pl.Date) for day in days).rename({day: f"{day[:-4]}_date" for day in days})

    def summaries(self) -> tuple[Summary, ...]:
        """Return the counts of each definition, with what they are out of; counted once and kept."""
        return self._summaries

    @cached_property
    def _summaries(self) -> tuple[Summary, ...]:
        """The counts of every definition, from one pass through each table: a grid has more than a thousand definitions."""
        n_events, n_patients = _tallies(self.table)
        improving = self.table.filter(pl.col("kind") == "improvement").group_by("definition").agg(pl.col("patient").n_unique())
        improved: dict[str, int] = dict(improving.iter_rows())
        listed = self.unconfirmed.filter(pl.col("kind") == "worsening").group_by("definition", "reason").len()
        unconfirmed = {(key, reason): n for key, reason, n in listed.iter_rows()}
        of_any = self.assessable.filter(pl.col("measure") == "any").select("definition", "patients", "person_years")
        assessed: dict[str, tuple[int, float]] = {key: (int(n), float(years)) for key, n, years in of_any.iter_rows()}
        found = []
        for definition in self.definitions:
            key = definition.key
            n, years = assessed[key]
            events, patients = n_events.get(key, _NOTHING), n_patients.get(key, _NOTHING)
            labels = self._labels(definition)
            with_any = {}
            if _all_worsening(definition):
                with_any["confirmed worsening" if definition.confirmation.windows else "worsening"] = patients[ANY_WORSENING]
            with_any |= {name: patients[name] for name in labels}
            if definition.finds_improvement:
                with_any["confirmed improvement"] = improved.get(key, 0)
            found.append(
                Summary(
                    definition=f"{definition.title} [{key}]",
                    counts=tuple((name, Proportion(numerator=some, denominator=n)) for name, some in with_any.items()),
                    events=(
                        (ANY_WORSENING, events[ANY_WORSENING]),
                        *((f"of them {name}", events[name]) for name in labels),
                        *((f"worsenings that are no event, {reason}", unconfirmed.get((key, reason), 0)) for reason in REASONS),
                    ),
                    person_years=years,
                    notes=self._notes(definition, events, n),
                    traps=traps(definition),
                )
            )
        return tuple(found)

    def _labels(self, definition: Definition) -> tuple[str, ...]:
        """Return the lines by label that the summary of a definition has, in their order."""
        if not definition.labelled or definition.looking_for == "first improvement":
            return ()
        possible = possible_labels(definition)
        if self.provenance.relapse_knowledge == "unknown":
            possible = ("undetermined worsening",) if _all_worsening(definition) else ()
        return tuple(name for name in LABEL_LINES if name in possible)

    def _notes(self, definition: Definition, events: Mapping[str, int], n_assessable: int) -> tuple[str, ...]:
        """Return what else the reader must know; `events` is how many there are in each line."""
        notes = []
        n_patients = self.follow_up.height
        if n_assessable < n_patients:
            notes.append(
                f"{n_patients - n_assessable:,} of {counted(n_patients, 'patient')} could not be assessed (no baseline with a later visit)."
            )
        outside = events[_OUTSIDE]
        if outside:
            notes.append(
                f"{outside:,} of {events['PIRA']:,} PIRA {agreed(outside, 'rests', 'rest')} on days before the first or after the last "
                "visit, which were taken as free of relapses."
            )
        uncounted = events[_UNCOUNTED]
        if not definition.confirmation.windows:
            notes.append("Changes needed no confirmation: part of them are the ordinary swing of the score.")
        elif uncounted:
            notes.append(f"{counted(uncounted, 'worsening')} at the last visit counted without confirmation.")
        undetermined = events["undetermined worsening"]
        if self.provenance.relapse_knowledge == "unknown":
            if definition.labelled:
                notes.append("There was no relapse table, so RAW and PIRA could not be told apart: labels are undetermined.")
                if "PIRA" in definition.baseline.moves_after and definition.looking_for == "every event":
                    notes.append(
                        "The baseline moves after PIRA, and none could be told: a lasting worsening was found again at later visits, "
                        "so count patients, not events."
                    )
        elif undetermined:
            notes.append(
                f"{counted(undetermined, 'worsening')} undetermined, because relapses were not recorded all the time: "
                "there may be more PIRA and RAW than were counted."
            )
        if self.provenance.set_aside:
            notes.append(f"{counted(len(self.provenance.set_aside), 'patient')} set aside because of faults in the tables.")
        rows = self.provenance.rows_set_aside
        if rows:
            named = ", ".join(f"{table} row {row}" for table, row, _ in rows[:5])
            more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
            notes.append(
                f"{counted(len(rows), 'row')} without a patient set aside because of faults ({named}{more}); where it was a relapse, "
                "a PIRA may be a RAW."
            )
        return tuple(notes)


def _all_worsening(definition: Definition) -> bool:
    """Return whether a definition looks for worsening of whatever label."""
    return definition.looking_for not in ("first improvement", "first PIRA", "first RAW")


def _tallies(table: pl.DataFrame) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Return, for each definition that has any, how many worsening events each line holds, and how many patients."""
    lines = {ANY_WORSENING: pl.col("kind") == "worsening", **LABEL_LINES, **_NOTED_LINES}
    counting = [mask.sum().alias(f"events {name}") for name, mask in lines.items()]
    counting += [pl.col("patient").filter(mask).n_unique().alias(f"patients {name}") for name, mask in lines.items()]
    by_key = table.filter(pl.col("kind") == "worsening").group_by("definition").agg(counting)
    events: dict[str, dict[str, int]] = {}
    patients: dict[str, dict[str, int]] = {}
    for row in by_key.iter_rows(named=True):
        events[row["definition"]] = {name: row[f"events {name}"] for name in lines}
        patients[row["definition"]] = {name: row[f"patients {name}"] for name in lines}
    return events, patients


def possible_labels(definition: Definition) -> tuple[str, ...]:
    """Return the lines of a summary that a definition can fill: RAW only where it has a rule for it, both only where both may hold."""
    rule = definition.relapses
    if rule is None:
        return ()
    if definition.looking_for == "first RAW":
        return ("RAW",)
    has_raw = rule.raw is not None or bool(rule.raw_in) or rule.otherwise == "RAW"
    by_mri = (
        ["PIRA without MRI activity (PIRMA)", "PIRA with MRI activity", "PIRA whose MRI is unknown"] if definition.mri is not None else []
    )
    own_class = [DURING] if rule.during_confirmation == "own class" else []
    has_undefined = rule.otherwise != "RAW" or (definition.carried is not None and definition.carried.second_reference != "no")
    if definition.looking_for == "first PIRA":
        return ("PIRA", *by_mri)
    lines = ["PIRA", *by_mri, *(["RAW"] if has_raw else []), *(["both RAW and PIRA"] if has_raw and not rule.exclusive else [])]
    return (*lines, *own_class, *(["undefined worsening"] if has_undefined else []), "undetermined worsening")


@dataclass(frozen=True, kw_only=True)
class ExplainedStep:
    """One thing the engine did at one visit, with the numbers and days it used."""

    step: str
    """"baseline", "compare", "confirm", "sustain", "label", "move", "relapse" or "stop"."""
    visit_day: int | None
    score: int | None
    """Score units at that visit."""
    reference_day: int | None
    reference: int | None
    """Score units compared with."""
    change: int | None
    """Change found, in score units; positive is worse."""
    needed: int | None
    """Change needed, in score units."""
    verdict: str
    """A few words: "worse", "too small", "confirmed", "PIRA"…"""
    rule: str
    """The setting that decided, such as "confirmation.windows"."""
    text: str
    """The whole as one sentence."""


@dataclass(frozen=True, kw_only=True)
class ExplainedEvent:
    """One event as the figure and the words need it; days as integers, scores in score units."""

    kind: str
    label: str | None
    onset_day: int
    onset: int
    baseline_day: int
    reference: int
    compared_with: str
    """"reference": the one in force at onset; of a carried reference also "second reference" or "earlier reference"."""
    confirmation_day: int | None
    """Earliest confirming visit; None for a worsening counted without one."""
    windows: tuple[tuple[str, int | None], ...]
    """Confirmation window and its confirming visit."""
    pira_confirmation_day: int | None
    sustained_until_day: int
    forgiven_days: tuple[int, ...]
    """Single visits at which it did not hold, and that were forgiven."""
    raw_windows: tuple[tuple[int, int], ...]
    """First and last day of the RAW window and of each RAW interval; empty where they have no say."""
    relapse_free: tuple[tuple[int, int], ...]
    """First and last day of each relapse-free interval, at the PIRA's confirming visit, else the first one; empty where they have no
    say."""
    mri: str | None
    """Of a PIRA under a definition with an MRI rule: "no activity", "activity" or "unknown"."""
    mri_spans: tuple[tuple[int, int], ...]
    """First and last day of each interval whose scans count for the PIRA."""


@dataclass(frozen=True, kw_only=True)
class SoughtVisit:
    """A visit at a set time, as it was sought on one measure of one patient."""

    use: str
    """"onset", "confirmation" or "as well": where a change may begin, what may confirm it, where it must hold besides."""
    after_days: int
    """Days after the starting visit that it should be nearest to."""
    first_day: int
    last_day: int
    """First and last day on which it may be."""
    visit_day: int | None
    """None: there is no such visit."""


@dataclass(frozen=True, kw_only=True)
class ExplainedMeasure:
    """How one measure of one patient was judged."""

    measure: Measure
    days: tuple[int, ...]
    scores: tuple[int, ...]
    """(n_visits,) days and score units of the visits with this measure."""
    steps: tuple[ExplainedStep, ...]
    events: tuple[ExplainedEvent, ...]
    references: tuple[tuple[int, int], ...]
    """Day from which, and score units of, each reference that was in force."""
    sought: tuple[SoughtVisit, ...]
    """The visits at a set time that the definition asks for."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why one patient has the events that he or she has, visit by visit."""

    patient: str
    definition: Definition
    calendar: Calendar
    measures: tuple[ExplainedMeasure, ...]
    relapse_days: tuple[int, ...]
    relapse_knowledge: str
    treatments: tuple[tuple[str, int, int | None], ...]
    """Name, first day, last day (None while it goes on)."""
    scans: tuple[tuple[int, bool, bool], ...]
    """Day, whether it shows activity, whether all counts asked for were read; empty where the definition has no MRI rule."""
    follow_up: tuple[int, int] | None
    """Day of the first and of the last visit."""
    provenance: Provenance

    def frame(self) -> pl.DataFrame:
        """Return one row a visit and step; scores in the measure's unit, days as dates where the cohort has dates."""
        rows = []
        for judged in self.measures:
            for step in judged.steps:
                points = judged.measure.points

                def or_none(value: int | None, points: object = points) -> float | None:
                    return None if value is None else points(value)  # type: ignore[operator]

                rows.append(
                    {
                        "patient": self.patient,
                        "measure": judged.measure.key,
                        "step": step.step,
                        "visit_day": step.visit_day,
                        "score": or_none(step.score),
                        "reference_day": step.reference_day,
                        "reference_score": or_none(step.reference),
                        "change": or_none(step.change),
                        "needed": or_none(step.needed),
                        "verdict": step.verdict,
                        "rule": step.rule,
                        "text": step.text,
                    }
                )
        schema = {"patient": pl.String, "measure": pl.String, "step": pl.String, "visit_day": pl.Int32, "score": pl.Float64}
        schema |= {"reference_day": pl.Int32, "reference_score": pl.Float64, "change": pl.Float64, "needed": pl.Float64}
        schema |= {"verdict": pl.String, "rule": pl.String, "text": pl.String}
        frame = pl.DataFrame(rows, schema=schema)
        if self.calendar == "day":
            return frame
        return frame.with_columns(pl.col("visit_day", "reference_day").cast(pl.Date)).rename(
            {"visit_day": "visit_date", "reference_day": "reference_date"}
        )

    def text(self) -> str:
        """Return the explanation in words, step by step."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Patient {self.patient}, {self.definition.title} [{self.definition.key}]"
        relapses = ", ".join(day_text(day, self.calendar) for day in self.relapse_days)
        known = {"recorded": "none recorded", "none": "none (stated for the whole cohort)", "unknown": "unknown: there is no relapse table"}
        yield f"Relapses: {relapses or known[self.relapse_knowledge]}"
        for judged in self.measures:
            yield ""
            yield f"{judged.measure.name}: {counted(len(judged.days), 'visit')}"
            for step in judged.steps:
                yield f"  {step.text}"
        yield ""
        found = [(judged.measure, event) for judged in self.measures for event in judged.events]
        if not found:
            yield "Verdict: no event."
        for measure, event in sorted(found, key=lambda pair: pair[1].onset_day):
            label = f" ({event.label})" if event.label else ""
            yield (
                f"Verdict: {event.kind}{label} on the {measure.name}, onset {day_text(event.onset_day, self.calendar)}, "
                f"from {measure.text(event.reference)} to {measure.text(event.onset)}."
            )


def calendar_value(day: int, calendar: Calendar) -> object:
    """Return a day as a date or as the day number, whichever the cohort uses."""
    return date_of(day) if calendar == "date" else day
