"""`run_study`: from a study and a cohort to everything that the study asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from smoulder.checks import check_definition
from smoulder.engine import detect
from smoulder.enrolment import enrol, study_times
from smoulder.errors import DataError
from smoulder.events import REASONS, Events
from smoulder.followed import FlowStep
from smoulder.protocol import Study, study
from smoulder.provenance import provenance_of
from smoulder.rulebook.parts import days_text, listed
from smoulder.studying.analyses import Bench
from smoulder.studying.outcomes import made_outcomes, treatment_notes, within_observation
from smoulder.studying.past import past_of
from smoulder.studying.result import StudyResult
from smoulder.tables import Cohort
from smoulder.terms import MISSING

NO_VISIT = REASONS[0]


def run_study(chosen: Study | str | Path, cohort: Cohort, progress: Callable[[str], None] | None = None) -> StudyResult:
    """Run a study on a cohort.

    Parameters
    ----------
    chosen
        A study, the key of a shipped one, or the path of a TOML file.
    cohort
        The tables, as `read` gives them.
    progress
        Is told each step in a few words before it begins; None: nobody is told.

    Returns
    -------
    StudyResult: who entered and how the others were left out, the events, outcomes and what every analysis found. An analysis that these
    tables do not allow says why, and the others are done.

    Raises
    ------
    DataError
        The tables have errors, lack what the study cannot do without (such as a table of treatments), or nobody enters.
    UsageError, DefinitionError
        There is no such study or definition, or the file is not a valid study.

    Examples
    --------
    >>> from smoulder import read, run_study
    >>> from smoulder.demo import made_up
    >>> result = run_study("graf-2021", read(made_up().tables))
    >>> result.followed.n > 100
    True
    """
    told = progress or (lambda step: None)
    as_written = chosen if isinstance(chosen, Study) else study(chosen)
    cohort.require_sound()
    asked, unlike = as_written.on_measures(lambda measure: cohort.has_measure(measure) and bool((cohort.scores(measure) != MISSING).any()))
    told("Finding time zero and who enters")
    times = study_times(cohort, asked)
    followed = enrol(cohort, asked, times, past_of(cohort, asked, times))
    if not followed.n:
        raise DataError(_nobody(asked, followed.flow))
    told("Finding the events")
    events = within_observation(detect(followed.cohort, list(asked.definitions())), followed)
    outcomes = made_outcomes(asked, followed, times, events)
    bench = Bench(study=asked, followed=followed, times=times, events=events, outcomes=outcomes)
    findings = []
    for part in asked.analysis:
        told(part.title)
        findings.append(bench.find(part))
    definitions = asked.definitions()
    traps = {sentence: None for one in definitions for sentence in check_definition(followed.cohort, one)}
    return StudyResult(
        study=as_written,
        cohort=cohort,
        followed=followed,
        events=events,
        outcomes=outcomes,
        findings=tuple(findings),
        unlike_published=unlike,
        warnings=(*unlike, *traps, *_unseen_at_the_end(events), *followed.notes, *treatment_notes(asked, followed, times)),
        provenance=provenance_of(cohort, definitions),
    )


def _unseen_at_the_end(events: Events) -> list[str]:
    """Return that the last stretch before the last visit holds no event that needs confirmation, and how many were lost to that."""
    alike: dict[int, list[str]] = {}
    for one in events.definitions:
        if one.confirmation.windows and one.last_visit.worsening != "counted":
            missed = events.unconfirmed.filter((pl.col("definition") == one.key) & (pl.col("kind") == "worsening"))
            lost = missed.filter(pl.col("reason") == NO_VISIT).height
            needed = min(window.from_day for window in one.confirmation.windows)
            alike.setdefault(needed, []).append(f"{one.key} ({lost:,} here)")
    return [
        f"A worsening that begins less than {days_text(needed)} before the last visit cannot be confirmed, and is no event under "
        f"{listed(named)}, while the person stays at risk up to that visit: rates are a little too low, and the end of curves too good."
        for needed, named in alike.items()
        if needed
    ]


def _nobody(asked: Study, flow: Sequence[FlowStep]) -> str:
    """Return how everybody was left out, as an error."""
    steps = [step for step in flow if step.left_out]
    notes = [f" ({step.note})" if step.note else "" for step in steps]
    lines = [
        f"  - {step.text}: {step.left_out:,} left out, {step.remaining:,} remain{note}" for step, note in zip(steps, notes, strict=True)
    ]
    return "\n".join([f"Nobody enters the study '{asked.key}', so there is nothing to analyse. Of {flow[0].remaining:,} people:", *lines])
