"""Milestones as an outcome: who reaches one, who does not, and of whom that cannot be said."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from smoulder.engine.beside.asked import asked_for, general_notes, said_day
from smoulder.engine.beside.milestones import first_reached, reach
from smoulder.engine.judgement import Judgement
from smoulder.engine.pack import plain_record
from smoulder.engine.record import Record
from smoulder.errors import DefinitionError, counted
from smoulder.events import Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.cited import made
from smoulder.rulebook.milestone import Milestone
from smoulder.rulebook.model import Confirmation, Sustained, Window
from smoulder.tables import Cohort
from smoulder.terms import MEASURES, Measure

REACHED_SCHEMA: dict[str, pl.DataType] = {
    "patient": pl.String(),
    "visits": pl.Int32(),
    "reached": pl.Boolean(),
    "at_first_visit": pl.Boolean(),
    "day": pl.Int32(),
    "score": pl.Float64(),
    "days_from_start": pl.Int32(),
    "confirmed": pl.Boolean(),
    "unconfirmed_day": pl.Int32(),
}
"""visits: with the measure; the rest is null where there is none. day: of the first visit that reaches it, else of the last visit;
unconfirmed_day: where it is not reached, the first visit with such a score that no visit could confirm, null where there is none."""


def milestone_at(score: float, measure: str = "edss", confirmed_after_days: int = 84, *, lasting: bool = False) -> Milestone:
    """Return the milestone of a score that is reached and holds.

    Parameters
    ----------
    score
        In points of the measure, such as 6.0.
    measure
        Key of a known measure.
    confirmed_after_days
        Days from the first visit that reaches it to the visit that confirms it, at least; it must hold at every visit between.
    lasting
        Whether it must hold to the end of follow-up as well ("irreversible"): the same patient may lose it by being followed longer.

    Raises DefinitionError where there can be no such milestone.
    """
    scale = MEASURES.get(measure)
    if scale is not None and not scale.low <= score <= (score if scale.high is None else scale.high):
        raise DefinitionError(f"milestone: {score:g} is no score of the {scale.name}.")
    window = made(Window, "milestone", name=f"{confirmed_after_days}d", from_day=confirmed_after_days)
    name = measure if scale is None else scale.name
    return made(
        Milestone,
        "milestone",
        key=f"{measure.replace('_', '-')}-{score:g}",
        title=f"{name} {score:g}, confirmed after {confirmed_after_days} days{', lasting' if lasting else ''}",
        measure=measure,
        score=score,
        confirmation=Confirmation(windows=(window,)),
        sustained=Sustained(days="to the end" if lasting else 0),
    )


def milestone_reached(cohort: Cohort, milestone: Milestone, explain: Collection[str] = ()) -> Outcome:
    """Say of each patient whether and when a milestone is reached.

    Parameters
    ----------
    cohort
        The tables.
    milestone
        The score, and when it counts as reached.
    explain
        Patients whose visits are told in sentences.

    Returns
    -------
    Outcome, one row a patient (`REACHED_SCHEMA`), those without the measure too.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        The visits do not have the measure, or a patient to explain is not there.
    """
    wanted = asked_for(cohort, explain)
    found = {row[0]: row[1:] for row in reach(cohort, milestone).iter_rows()}
    measure = MEASURES[milestone.measure]
    rows, reasons = [], {}
    for index, patient in enumerate(cohort.patients):
        record = plain_record(cohort, index, milestone.measure)
        pending = None
        if patient not in found:
            rows.append((patient, 0, *[None] * 7))
        else:
            reached, day, score, since, confirmed = found[patient]
            pending = None if reached else unconfirmed_visit(record, milestone)
            pending_day = None if pending is None else record.days[pending]
            rows.append((patient, len(record.days), reached, reached and since == 0, day, score, since, confirmed, pending_day))
        if patient in wanted:
            reasons[patient] = told(cohort, measure, milestone, record, first_reached(record, milestone), pending)
    table = pl.DataFrame(rows, schema=REACHED_SCHEMA, orient="row")
    return Outcome(
        name=milestone.title,
        table=table,
        rule=milestone,
        methods=milestone.prose(),
        counts=shares(table),
        notes=tuple([*notes_of(table, measure), *general_notes(cohort)]),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def shares(table: pl.DataFrame) -> tuple[tuple[str, Proportion], ...]:
    """Return how many have the measure, reach the milestone, and reach it after their first visit."""
    seen = table.filter(pl.col("visits") > 0)
    later = seen.filter(~pl.col("at_first_visit"))
    return (
        ("patients with the measure", Proportion(numerator=seen.height, denominator=table.height)),
        ("patients who reach it", Proportion(numerator=seen.filter("reached").height, denominator=seen.height)),
        ("patients who have it at the first visit", Proportion(numerator=seen.height - later.height, denominator=seen.height)),
        ("patients who reach it later, of the others", Proportion(numerator=later.filter("reached").height, denominator=later.height)),
    )


def notes_of(table: pl.DataFrame, measure: Measure) -> list[str]:
    """Return what the reader must know of this result."""
    notes = []
    unseen = table.filter(pl.col("visits") == 0).height
    if unseen:
        notes.append(f"{counted(unseen, 'patient')} without the {measure.name}: unknown whether it is reached.")
    pending = table["unconfirmed_day"].count()
    if pending:
        notes.append(f"{counted(pending, 'patient')} counted as not reaching it had such a score that no later visit could confirm.")
    uncounted = table.filter(pl.col("reached") & ~pl.col("confirmed")).height
    if uncounted:
        notes.append(f"{counted(uncounted, 'patient')} reached it at a last visit that counts without confirmation.")
    return notes


def unconfirmed_visit(record: Record, milestone: Milestone) -> int | None:
    """Return the first visit whose score reaches the milestone up to the last visit, and that no visit could confirm; None for none."""
    measure = MEASURES[milestone.measure]
    judge = Judgement(record, measure, milestone)
    goal = measure.units(milestone.score)
    start = judge.last + 1
    while start > 0 and judge.worse_by(judge.scores[start - 1], goal) >= 0:
        start -= 1
    run = (visit for visit in range(start, judge.last + 1) if judge.far_enough_for_onset(visit))
    return next((visit for visit in run if not judge.eligible(visit)), None)


def told(
    cohort: Cohort, measure: Measure, milestone: Milestone, record: Record, reached: tuple[int, bool] | None, pending: int | None
) -> tuple[str, ...]:
    """Return a patient's visits and the verdict in sentences."""
    if not record.days:
        return (f"No visit with the {measure.name}: unknown.",)
    goal = measure.units(milestone.score)
    judge = Judgement(record, measure, milestone)

    def visit_text(visit: int) -> str:
        return f"{said_day(cohort, record.days[visit])} ({measure.text(record.scores[visit])})"

    goal_text = measure.text(goal)
    if reached is not None:
        onset, confirmed = reached
        passed_over = [visit for visit in range(onset) if judge.worse_by(judge.scores[visit], goal) >= 0]
        by = judge.eligible(onset)[0] if confirmed else None
        ending = f", confirmed on {visit_text(by)}" if by is not None else ", counted without confirmation"
        verdict = f"{visit_text(onset)}: reaches {goal_text}{ending}."
    else:
        passed_over = [visit for visit in range(judge.last + 1) if judge.worse_by(judge.scores[visit], goal) >= 0]
        verdict = f"{goal_text} is not reached by {visit_text(judge.last)}, the last visit."
    lines = [passed_text(judge, visit, visit_text(visit), goal_text, pending) for visit in passed_over]
    return (*lines, verdict)


def passed_text(judge: Judgement, visit: int, visit_text: str, goal_text: str, pending: int | None) -> str:
    """Return why a visit whose score reaches the milestone does not count."""
    if not judge.far_enough_for_onset(visit):
        why = "too near a relapse to count"
    elif pending is not None and visit >= pending:
        why = "no later visit could confirm it"
    else:
        why = "not confirmed, or not sustained"
    return f"{visit_text}: at or past {goal_text}, {why}."
