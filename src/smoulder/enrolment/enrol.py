"""Apply the criteria in order, count whom each leaves out, and cut the visits to the time that is observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.enrolment.criteria import Answers, Judged, Situation, judge
from smoulder.enrolment.knowing import known_column
from smoulder.enrolment.periods import names_not_taken
from smoulder.enrolment.times import Time, Times
from smoulder.followed import FlowStep, Followed
from smoulder.protocol.model import Study
from smoulder.protocol.timing import DEATH_AFTER_DAYS
from smoulder.provenance import provenance_of
from smoulder.rulebook.parts import listed
from smoulder.tables import Cohort
from smoulder.terms import MISSING

_NO_EVENTS = pl.DataFrame(
    schema={
        "definition": pl.String,
        "patient": pl.String,
        "kind": pl.String,
        "pira": pl.Boolean,
        "raw": pl.Boolean,
        "label": pl.String,
        "onset_day": pl.Int32,
    }
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Past:
    """What the engine found of the time before time zero, on all visits."""

    events: pl.DataFrame = field(default_factory=lambda: _NO_EVENTS)
    """definition, patient, kind, pira, raw, label, onset_day under `Study.history_keys`."""
    had_before: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Outcome key -> patient -> first day of it."""
    no_activity: Mapping[str, Mapping[str, bool | None]] = field(default_factory=dict)
    """Criterion key -> patient -> whether free of activity before time zero."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Criterion key -> what the reader must know."""


def enrol(cohort: Cohort, study: Study, times: Times, past: Past) -> Followed:
    """Return the people who enter a study, what is known of each at time zero, and how the others were left out.

    A person of whom a criterion is unknown does not enter, and is counted as unknown. Criteria that do not speak of time zero come first,
    in the order of the study; then time zero itself, the starting visit, and the others.
    """
    known: dict[str, pl.Series] = {}
    notes: list[str] = []
    for part in study.known:
        known[part.key], told = known_column(cohort, times, part, past.events)
        notes += [f"{part.title}: {note}" for note in told]
    situation = Situation(
        cohort=cohort, times=times, known=known, had_before=past.had_before, no_activity=past.no_activity, notes=past.notes
    )
    n = cohort.n_patients
    inside = np.ones(n, dtype=np.bool_)
    flow = [FlowStep(key="tables", text="people in the tables", left_out=0, unknown=0, remaining=n)]

    def step(key: str, text: str, judged: Judged) -> None:
        passed = np.array([answer is True for answer in judged.answers], dtype=np.bool_)
        unsure = np.array([answer is None for answer in judged.answers], dtype=np.bool_)
        out, unknown = int((inside & ~passed).sum()), int((inside & unsure).sum())
        np.logical_and(inside, passed, out=inside)
        flow.append(FlowStep(key=key, text=text, left_out=out, unknown=unknown, remaining=int(inside.sum()), note=judged.note))

    for criterion in study.enter:
        if not criterion.after_zero():
            step(criterion.key, criterion.prose(), judge(criterion, situation))
    has_zero: Answers = [time is not None for time in times.of]
    step("time-zero", _zero_text(study), Judged(answers=has_zero, note=names_not_taken(cohort, study.time_zero.treatments)))
    has_start: Answers = [time is not None and time.start_day is not None for time in times.of]
    step("starting-visit", _start_text(study), Judged(answers=has_start))
    for criterion in study.enter:
        if criterion.after_zero():
            step(criterion.key, criterion.prose(), judge(criterion, situation))
    seen_later: Answers = [time is not None and _is_seen_later(time) for time in times.of]
    step("observed", "have a visit after the starting visit and time zero, before the end of observation", Judged(answers=seen_later))
    keep = np.flatnonzero(inside)
    people = _people(cohort, times, known).filter(pl.Series(inside))
    history = replace(cohort, time_zero=_zero_array(times)).subset(keep)
    return Followed(
        cohort=_within(history, people, later_too=study.ending.confirmed_after),
        history=history,
        people=people,
        flow=tuple(flow),
        notes=(*notes, *times.notes, *_late_starts(people), *_deaths_after_visits(people)),
        provenance=provenance_of(cohort, ()),
    )


def _late_starts(people: pl.DataFrame) -> tuple[str, ...]:
    """Return that some starting visits lie after time zero, where they do: until then nobody could be seen to worsen."""
    late = (people["start_day"] - people["zero_day"]).filter(people["start_day"] > people["zero_day"])
    if not len(late):
        return ()
    middle, longest = int(late.median()), int(late.max())  # type: ignore[arg-type] # of whole numbers, none missing
    return (
        f"The starting visit of {len(late):,} of {people.height:,} people lies after time zero ({middle:,} days in the median, {longest:,} "
        "at most). Their time at risk counts from time zero, although a worsening can only be seen after that visit: rates are a little "
        "too low.",
    )


def _deaths_after_visits(people: pl.DataFrame) -> tuple[str, ...]:
    """Return that some people died after their last visit, where they did, and up to when they count as observed."""
    after = people.filter(pl.col("death_day") > pl.col("last_visit_day"))
    if not after.height:
        return ()
    soon = after.filter(pl.col("end_reason") == "death").height
    return (
        f"{after.height:,} of {people.height:,} people died after the last visit that counts. {soon:,} of them did so at most "
        f"{DEATH_AFTER_DAYS} days after their last visit and within the time of the study, and were observed up to death; the others were "
        "lost before it.",
    )


def _is_seen_later(time: Time) -> bool:
    """Return whether there is time at risk: a visit after both the starting visit and time zero, not after the end of observation."""
    if time.start_day is None or time.last_visit_day is None:
        return False
    return time.last_visit_day > max(time.start_day, time.zero_day)


def _zero_text(study: Study) -> str:
    rule = study.time_zero
    names = listed(rule.treatments, "or") or "a treatment"
    of = f" of at least {rule.least_days} days" if rule.least_days else ""
    what = {
        "first visit": "a first visit",
        "time zero": "a stated index date (such as randomisation)",
        "onset": "a date of the first symptom",
        "diagnosis": "a date of the diagnosis",
        "treatment start": f"a start of a period on {names}{of}",
        "treatment stop": f"an end of a period on {names}{of}",
        "visit number": f"a visit number {rule.number}",
    }[rule.at]
    return f"have {what}"


def _start_text(study: Study) -> str:
    rule = study.time_zero
    return f"have a starting visit (at most {rule.start_before_days} days before or {rule.start_after_days} days after time zero)"


def _zero_array(times: Times) -> NDArray[np.int32]:
    return np.array([MISSING if time is None else time.zero_day for time in times.of], dtype=np.int32)


def _people(cohort: Cohort, times: Times, known: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Return one row a patient of the cohort, whoever enters."""
    columns: dict[str, pl.Series] = {"patient": cohort.patients}
    for name in ("zero_day", "start_day", "end_day", "last_visit_day", "index_start_day", "index_end_day"):
        columns[name] = times.days(name)
    reasons = [None if time is None else time.end_reason for time in times.of]
    treatments = [None if time is None else time.index_treatment for time in times.of]
    columns["end_reason"] = pl.Series(reasons, dtype=pl.String)
    columns["index_treatment"] = pl.Series(treatments, dtype=pl.String)
    columns["death_day"] = pl.Series(list(times.death_day), dtype=pl.Int32)
    return pl.DataFrame(columns).with_columns(**known)


def _within(cohort: Cohort, people: pl.DataFrame, *, later_too: bool) -> Cohort:
    """Return the cohort with the visits from the starting visit on; those after the end only where they may confirm."""
    lengths = np.diff(cohort.visits.first)
    owner = np.repeat(np.arange(cohort.n_patients), lengths)
    start = people["start_day"].to_numpy()[owner]
    end = people["end_day"].to_numpy()[owner]
    day = cohort.visits.day
    kept = day >= start
    if not later_too:
        kept &= day <= end
    return cohort.with_visits(kept)
