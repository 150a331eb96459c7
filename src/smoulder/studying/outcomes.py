"""The outcomes of a study, made from what the engine finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from smoulder.analysis.outcome import days_by_patient, is_event, survival_outcome, time_to_first, visit_days
from smoulder.engine.beside.progression import secondary_progression
from smoulder.engine.beside.reached import milestone_at, milestone_reached
from smoulder.enrolment import Times
from smoulder.enrolment.periods import Period, drug
from smoulder.enrolment.times import Time
from smoulder.errors import DataError, SmoulderError, agreed, counted
from smoulder.estimates import SurvivalOutcome
from smoulder.events import Events
from smoulder.followed import Followed
from smoulder.protocol.aims import AnyAim, DisabilityAim, MilestoneAim, ProgressionAim, RelapseAim, TreatmentAim
from smoulder.protocol.model import Study
from smoulder.rulebook.parts import listed
from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS
from smoulder.studying.result import MadeOutcome
from smoulder.tables import Cohort
from smoulder.terms import MISSING


def made_outcomes(study: Study, followed: Followed, times: Times, events: Events) -> dict[str, MadeOutcome]:
    """Return every outcome of a study, by key; one that these tables do not allow says why."""
    made = {}
    for aim in study.outcome:
        try:
            made[aim.key] = MadeOutcome(aim=aim, outcome=outcome_of(aim, followed, times, events))
        except SmoulderError as error:
            made[aim.key] = MadeOutcome(aim=aim, outcome=None, why_not=str(error))
    return made


def outcome_of(aim: AnyAim, followed: Followed, times: Times, events: Events) -> SurvivalOutcome:
    """Return one outcome; SmoulderError where the tables do not allow it."""
    if isinstance(aim, DisabilityAim):
        return time_to_first(
            events,
            followed,
            aim.event,
            definition=aim.definition,
            competing=aim.competing,
            death_competes=aim.death_competes,
            name=aim.title,
        )
    if isinstance(aim, MilestoneAim | ProgressionAim):
        return _reached_outcome(aim, followed)
    days = days_of_aim(aim, followed.history, times)
    if isinstance(aim, RelapseAim):
        return _relapse_outcome(aim, followed, days)
    return _treatment_outcome(aim, followed, days)


def _reached_outcome(aim: MilestoneAim | ProgressionAim, followed: Followed) -> SurvivalOutcome:
    """Return the time to a state that is reached once; who could not be assessed for it is left out, not counted as free of it.

    Raises DataError where nobody could be assessed.
    """
    table = reached_table(aim, followed.history)
    unknown = table.filter(pl.col("reached").is_null())
    if unknown.height == table.height:
        raise DataError(f"Nobody could be assessed for it ({_why_unknown(aim, unknown)}).")
    known = followed.people.filter(~pl.col("patient").is_in(unknown["patient"].implode()))
    measure = aim.measure if isinstance(aim, MilestoneAim) else "edss"
    made = survival_outcome(
        aim.title,
        known,
        {aim.title: days_by_patient(table.filter("reached"), "day")},
        visit_days(followed.history, (measure,)),
        causes=(aim.title,),
        at_visits=True,
        death_competes=aim.death_competes,
        provenance=followed.provenance,
    )
    left_out = [(f"could not be assessed ({_why_unknown(aim, unknown)})", unknown.height)] if unknown.height else []
    return replace(made, left_out=(*made.left_out, *left_out))


def _why_unknown(aim: MilestoneAim | ProgressionAim, unknown: pl.DataFrame) -> str:
    if isinstance(aim, MilestoneAim):
        return f"no visit has {aim.measure.upper()}"
    return listed(unknown["reason"].unique().sort().to_list())


def reached_table(aim: MilestoneAim | ProgressionAim, cohort: Cohort) -> pl.DataFrame:
    """Return patient, reached (null: could not be assessed), day and, of secondary progression, reason."""
    if isinstance(aim, MilestoneAim):
        return milestone_reached(cohort, milestone_at(aim.score, aim.measure, aim.confirmed_after_days)).table
    return secondary_progression(cohort, LORSCHEIDER_2016 if aim.functional_systems else LORSCHEIDER_2016_NO_SYSTEMS).table


def _relapse_outcome(aim: RelapseAim, followed: Followed, days: Mapping[str, list[int]]) -> SurvivalOutcome:
    """Return the time to the first relapse, up to the day to which relapses were recorded."""
    known_to = relapses_known_to(followed)
    from_zero = pl.Series([day is not None for day in known_to], dtype=pl.Boolean)
    ends = pl.Series("end_day", known_to, dtype=pl.Int32)
    people = followed.people.with_columns(
        end_day=ends, end_reason=pl.when(ends < pl.col("end_day")).then(pl.lit("end of recording")).otherwise("end_reason")
    ).filter(from_zero)
    made = survival_outcome(
        aim.title,
        people,
        {aim.title: days},
        {},
        causes=(aim.title,),
        at_visits=False,
        once=False,
        death_competes=aim.death_competes,
        provenance=followed.provenance,
    )
    unknown = int((~from_zero).sum())
    return replace(made, left_out=(*made.left_out, *([(NOT_FROM_ZERO, unknown)] if unknown else [])))


NOT_FROM_ZERO = "relapses were not recorded from time zero on"


def relapses_known_to(followed: Followed) -> list[int | None]:
    """Return (n,) the last day observed of which relapses are known; None where they are not known from time zero on."""
    first, last = followed.cohort.recorded_from, followed.cohort.recorded_to
    found: list[int | None] = []
    for index, (zero, end) in enumerate(followed.people.select("zero_day", "end_day").iter_rows()):
        # The time at risk starts on the day after time zero.
        if first is not None and first[index] != MISSING and first[index] > zero + 1:
            found.append(None)
        else:
            found.append(end if last is None or last[index] == MISSING else min(end, int(last[index])))
    return found


def relapse_recording_notes(followed: Followed) -> tuple[str, ...]:
    """Return whose time counts in part or not at all where relapses are counted, because they were not recorded; none where all are."""
    known, ends = relapses_known_to(followed), followed.people["end_day"].to_list()
    out = sum(day is None for day in known)
    shorter = sum(day is not None and day < end for day, end in zip(known, ends, strict=True))
    notes = []
    if out:
        verb = agreed(out, "is", "are")
        notes.append(f"{counted(out, 'person', 'people')} of {len(ends):,} {verb} left out where relapses are counted: {NOT_FROM_ZERO}.")
    if shorter:
        everyone = counted(len(ends), "person", "people")
        notes.append(
            f"The relapses of {shorter:,} of {everyone} were recorded for a part of the time only, and where relapses are counted the time "
            "ends there."
        )
    return tuple(notes)


def days_of_aim(aim: AnyAim, cohort: Cohort, times: Times) -> dict[str, list[int]]:
    """Return patient -> days of an outcome that is no event of a definition, ascending."""
    if isinstance(aim, MilestoneAim | ProgressionAim):
        return days_by_patient(reached_table(aim, cohort).filter(pl.col("reached").fill_null(False)), "day")
    if isinstance(aim, RelapseAim):
        if cohort.relapse_knowledge == "unknown":
            raise DataError("There is no table of relapses, so relapses cannot be counted.")
        return {patient: cohort.relapse_days_of(index).tolist() for index, patient in enumerate(cohort.patients)}
    assert isinstance(aim, TreatmentAim)
    return treatment_days(aim, cohort, times)


def treatment_days(aim: TreatmentAim, cohort: Cohort, times: Times) -> dict[str, list[int]]:
    """Return patient -> days on which a period on one of the treatments started, ascending.

    Without names: on any other treatment than that of time zero, and on that one where it began anew. A treatment that was begun while
    that of time zero went on, and was taken on its last day, starts after the stop: on day 1 (ours; so a switch is usually recorded).
    """
    if cohort.treatments is None:
        raise DataError("There is no table of treatments, so their starts cannot be counted.")
    wanted = {drug(name, times.one_drug) for name in aim.any_of}
    people = {patient: (time, periods) for patient, time, periods in zip(times.patients, times.of, times.periods, strict=True)}
    found: dict[str, list[int]] = {}
    for patient in cohort.patients:
        time, periods = people[patient]
        days = []
        for one in periods:
            name = drug(one.treatment, times.one_drug)
            same = time is not None and time.index_treatment is not None and name == drug(time.index_treatment, times.one_drug)
            anew = time is not None and time.index_start_day is not None and one.start_day > time.index_start_day
            if name in wanted if wanted else not same or anew:
                days.append(one.start_day)
                if time is not None and not same and _begun_before_stop(one, time, times):
                    days.append(time.zero_day + 1)
        if days:
            found[patient] = sorted(days)
    return found


def _begun_before_stop(one: Period, time: Time, times: Times) -> bool:
    """Return whether a period began on or before the day of the stop, which is time zero, since the treatment that was stopped began."""
    if not times.from_stop or time.index_start_day is None:
        return False
    return time.index_start_day <= one.start_day <= time.zero_day and one.covers(time.zero_day)


def _treatment_outcome(aim: TreatmentAim, followed: Followed, days: Mapping[str, list[int]]) -> SurvivalOutcome:
    """Return the time to the start of a treatment, which is seen also where this very start ended the observation on the day before."""
    columns = followed.people.select("patient", "end_day", "end_reason").iter_rows()
    by_start = [reason in ENDED_BY_START and end + 1 in days.get(patient, ()) for patient, end, reason in columns]
    return survival_outcome(
        aim.title,
        followed.people.with_columns(end_day=pl.col("end_day") + pl.Series(by_start, dtype=pl.Int32)),
        {aim.title: days},
        {},
        causes=(aim.title,),
        at_visits=False,
        once=False,
        death_competes=aim.death_competes,
        provenance=followed.provenance,
    )


ENDED_BY_START = ("switched treatment", "restarted treatment")


def treatment_notes(study: Study, followed: Followed, times: Times) -> tuple[str, ...]:
    """Return of how many people a next treatment was begun on or before the day of the stop; none where there is no such outcome."""
    notes = []
    for aim in study.outcome:
        if not isinstance(aim, TreatmentAim) or followed.cohort.treatments is None:
            continue
        days = treatment_days(aim, followed.history, times)
        zeros = followed.people.select("patient", "zero_day").iter_rows()
        n = sum(any(day <= zero for day in mine) and zero + 1 in mine for patient, zero in zeros if (mine := days.get(patient, [])))
        if n:
            notes.append(
                f"{aim.title}: {n:,} of {followed.n:,} people {agreed(n, 'was', 'were')} on it already on the day of the stop, and it "
                "counts as begun on day 1."
            )
    return tuple(notes)


def event_days(table: pl.DataFrame, event: str) -> dict[str, list[int]]:
    """Return patient -> onset days of the events of a kind, ascending."""
    return days_by_patient(table.filter(is_event(event)), "onset_day")


def within_observation(events: Events, followed: Followed) -> Events:
    """Return the events that began between time zero and the end of observation of each person."""
    limits = followed.people.select("patient", "zero_day", "end_day")

    def kept(frame: pl.DataFrame) -> pl.DataFrame:
        joined = frame.join(limits, on="patient", how="left", maintain_order="left")
        inside = (pl.col("onset_day") > pl.col("zero_day")) & (pl.col("onset_day") <= pl.col("end_day"))
        return joined.filter(inside).drop("zero_day", "end_day")

    return replace(events, table=kept(events.table), unconfirmed=kept(events.unconfirmed))


def relapse_days_since(followed: Followed) -> Mapping[str, list[int]]:
    """Return patient -> all relapses as days from time zero (before it: negative), ascending."""
    cohort = followed.cohort
    zeros = followed.people["zero_day"].to_list()
    return {
        patient: [int(day) - zero for day in cohort.relapse_days_of(index)]
        for index, (patient, zero) in enumerate(zip(cohort.patients, zeros, strict=True))
    }
