"""The one place where events become times: from events and the end of observation to a `SurvivalOutcome`.

The event is dated by its onset, the first visit of the worsening that was confirmed later (Kappos 2020; the registered definition of
evobrutinib, NCT04032158, has it in words: time to the first event "that was confirmed"). Who has none is censored at the last visit
that is observed, with the reason why no more was observed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from smoulder.errors import DataError, UsageError, one_of
from smoulder.estimates import SurvivalOutcome
from smoulder.events import Events
from smoulder.followed import Followed
from smoulder.provenance import Provenance
from smoulder.rulebook.model import Definition
from smoulder.tables import Cohort
from smoulder.terms import MISSING

KINDS = ("worsening", "PIRA", "RAW", "improvement", "undefined worsening", "undetermined worsening")
DEATH = "death"
EXISTED = "had it at or before time zero"
UNSEEN = "no visit after time zero"


def time_to_first(
    events: Events,
    people: Followed | Cohort,
    event: str = "worsening",
    *,
    definition: str | None = None,
    competing: Sequence[str] = (),
    death_competes: bool = True,
    name: str = "",
) -> SurvivalOutcome:
    """Return the time from time zero to the first event of a kind.

    Parameters
    ----------
    events
        What `detect` found in the cohort of `people`.
    people
        The people of a study with their time zero and end of observation, or a cohort: then everybody with two visits counts, from
        the first visit to the last.
    event
        "worsening", "PIRA", "RAW", "improvement", "undefined worsening" or "undetermined worsening".
    definition
        Key of the definition; None: the only one of `events`.
    competing
        Events of the same definition that end the risk of this one. Others leave a person at risk. Of two at one visit the event asked
        about counts, then the competing ones in the order given.
    death_competes
        Whether a known death before the end of observation is a competing event; otherwise it censors.
    name
        Name of the outcome; "": "first PIRA" and so on.

    Returns
    -------
    One row a person who has a visit after time zero and had no such event up to time zero; the others are counted in `left_out`.

    Raises
    ------
    UsageError
        There is no such event or definition, or the definition does not tell RAW from PIRA.
    DataError
        PIRA or RAW is asked for and there is no table of relapses.

    Examples
    --------
    >>> from smoulder import detect, read, time_to_first
    >>> visits = {"patient": ["A"] * 4, "date": ["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01"], "edss": [2.0, 2.0, 3.0, 3.0]}
    >>> cohort = read(visits, nobody_relapsed=True)
    >>> outcome = time_to_first(detect(cohort, "cdw-12w"), cohort)
    >>> outcome.time.tolist(), outcome.event.tolist(), outcome.free.tolist()
    ([182], [True], [91])
    """
    key = _definition_key(events, definition)
    chosen = next(one for one in events.definitions if one.key == key)
    for kind in (event, *competing):
        if kind not in KINDS:
            raise UsageError(f"There is no event '{kind}'; there are {one_of(KINDS)}.")
        if kind not in ("worsening", "improvement") and not chosen.labelled:
            raise UsageError(f"The definition '{key}' does not tell RAW from PIRA, so there is no '{kind}' under it.")
        if kind in ("PIRA", "RAW") and events.provenance.relapse_knowledge == "unknown":
            raise DataError(f"There is no table of relapses, so RAW and PIRA cannot be told apart and a first {kind} cannot be dated.")
    table = events.of(key)
    causes = (event, *competing)
    days = {cause: days_by_patient(table.filter(is_event(cause)), "onset_day") for cause in causes}
    measures = tuple(rule.measure for rule in chosen.measures)
    cohort = people.cohort if isinstance(people, Followed) else people
    frame = people.people if isinstance(people, Followed) else people_of(people)
    outcome = survival_outcome(
        name or f"first {event}",
        frame,
        days,
        visit_days(cohort, measures),
        causes=causes,
        free_days=_last_free(cohort, chosen, table.filter(pl.any_horizontal(is_event(cause) for cause in causes))),
        at_visits=True,
        death_competes=death_competes,
        provenance=events.provenance,
    )
    return outcome if event not in ("PIRA", "RAW") else _with_undetermined(outcome, table, event)


def _last_free(cohort: Cohort, definition: Definition, table: pl.DataFrame) -> dict[str, dict[int, int]]:
    """Return patient -> onset day of an event -> the last visit before it that was free of it.

    It is the last one with a score of the measure that worsened at which the definition would have seen a worsening begin: visits too
    near to a relapse, or too soon after the reference, say nothing. At the visit compared with there was none by definition. Of several
    measures that worsened at one visit, the one that was free the longest time ago decides.
    """
    rule = definition.onset
    places = {patient: index for index, patient in enumerate(cohort.patients)}
    scored = {measure: cohort.scores(measure) != MISSING for measure in table["measure"].unique()}
    found: dict[str, dict[int, int]] = {}
    for patient, measure, onset, baseline in table.select("patient", "measure", "onset_day", "baseline_day").iter_rows():
        where = cohort.visits_of(places[patient])
        days = cohort.visits.day[where][scored[measure][where]]
        between = days[(days > baseline) & (days < onset)]
        if rule.at is not None:
            between = between[:0]
        elif rule.min_days and rule.min_days_from == "baseline":
            between = between[between - baseline >= rule.min_days]
        relapses = cohort.relapse_days_of(places[patient])
        if len(relapses) and (rule.days_after_relapse or rule.days_before_relapse):
            since = between[:, None].astype(np.int64) - relapses[None, :]
            near = ((since >= 0) & (since < rule.days_after_relapse)) | ((since <= 0) & (-since < rule.days_before_relapse))
            between = between[~near.any(axis=1)]
        last = int(between[-1]) if len(between) else baseline
        mine = found.setdefault(patient, {})
        mine[onset] = min(last, mine.get(onset, last))
    return found


def _with_undetermined(outcome: SurvivalOutcome, table: pl.DataFrame, event: str) -> SurvivalOutcome:
    """Return the outcome with a note on the people whose worsening at risk may have been the event, and is not known to be."""
    ends = dict(zip(outcome.patients, (outcome.people["zero_day"] + pl.Series(outcome.time)).to_list(), strict=True))
    zeros = dict(outcome.people.select("patient", "zero_day").iter_rows())
    rows = table.filter(is_event("undetermined worsening")).select("patient", "onset_day").iter_rows()
    unsure = {patient for patient, day in rows if patient in ends and zeros[patient] < day <= ends[patient]}
    none = outcome.patients.filter(pl.Series(~outcome.event)).to_list()
    n = sum(patient in unsure for patient in none)
    if not n:
        return outcome
    note = (
        f"{n:,} of {len(none):,} people without a {event} had a worsening that is undetermined, because relapses were not recorded at the "
        f"time: it may have been a {event}, and they stay at risk."
    )
    return replace(outcome, notes=(*outcome.notes, note))


def survival_outcome(
    name: str,
    people: pl.DataFrame,
    event_days: Mapping[str, Mapping[str, Sequence[int]]],
    visits: Mapping[str, Sequence[int]],
    *,
    causes: Sequence[str],
    at_visits: bool,
    free_days: Mapping[str, Mapping[int, int]] | None = None,
    once: bool = True,
    death_competes: bool = True,
    provenance: Provenance | None = None,
) -> SurvivalOutcome:
    """Return the outcome of people of whom the days of each cause are known.

    Parameters
    ----------
    people
        As `Followed.people`.
    event_days
        Cause -> patient -> days of it, ascending.
    visits
        Patient -> days of the visits at which the event could be seen, ascending.
    causes
        The event asked about, then those that compete with it.
    at_visits
        Whether the event is seen at visits only: then it happened after the visit before, and who has none is free of it up to the
        last visit. Otherwise (relapses, treatments) its day is known, and observation goes on to the last day observed.
    free_days
        Patient -> day of an event -> last visit before it that was free of it; where it is not stated, the one before among `visits`.
    once
        Whether a person who had it up to time zero is no longer at risk, as with a milestone; not so with relapses.
    death_competes
        Whether a known death competes.
    """
    rows: list[tuple[str, int, int, str, int]] = []
    kept: list[int] = []
    left_out = {EXISTED: 0, UNSEEN: 0}
    n_deaths = 0
    has_death = death_competes and "death_day" in people.columns and people["death_day"].null_count() < people.height
    columns = people.select("patient", "zero_day", "end_day", "end_reason", "death_day")
    for place, (patient, zero, end, reason, death) in enumerate(columns.iter_rows()):
        mine = visits.get(patient, ())
        seen = [day for day in mine if day <= end]
        had = event_days[causes[0]].get(patient, ())
        if once and any(day <= zero for day in had):
            left_out[EXISTED] += 1
            continue
        last = (seen[-1] if seen else None) if at_visits else end
        if last is None or last <= zero:
            left_out[UNSEEN] += 1
            continue
        # A competing event at or before time zero does not end a risk that starts later.
        coming = [
            (min(days), number)
            for number, cause in enumerate(causes)
            if (days := [day for day in event_days[cause].get(patient, ()) if zero < day <= end])
        ]
        day, cause = min(coming, default=(last, -1))
        if death is not None and zero < death <= end and (cause < 0 or death < day):
            reason = DEATH
            if has_death:
                day, cause, n_deaths = death, len(causes), n_deaths + 1
        if cause >= 0:
            before = [visit for visit in mine if visit < day]
            stated = None if free_days is None else free_days.get(patient, {}).get(day)
            seen_free = stated if stated is not None else (before[-1] if before else zero)
            free = seen_free if at_visits and cause < len(causes) else day
            why = (*causes, DEATH)[cause]
        else:
            free, why = day, reason
        rows.append((patient, day - zero, cause + 1, why, max(free - zero, 0)))
        kept.append(place)
    everything = (*causes, DEATH) if n_deaths else tuple(causes)
    return SurvivalOutcome(
        name=name,
        patients=pl.Series("patient", [row[0] for row in rows], dtype=pl.String),
        time=np.array([row[1] for row in rows], dtype=np.int32),
        cause=np.array([row[2] for row in rows], dtype=np.int8),
        causes=everything,
        reason=pl.Series("reason", [row[3] for row in rows], dtype=pl.String),
        free=np.array([row[4] for row in rows], dtype=np.int32),
        people=people[kept],
        left_out=tuple((reason, n) for reason, n in left_out.items() if n),
        provenance=provenance,
    )


def people_of(cohort: Cohort) -> pl.DataFrame:
    """Return everybody in a cohort as people of a study: from the first visit to the last."""
    days, first = cohort.visits.day, cohort.visits.first
    has = np.diff(first) > 0
    starts = np.where(has, days[np.minimum(first[:-1], max(len(days) - 1, 0))] if len(days) else 0, 0)
    ends = np.where(has, days[np.maximum(first[1:] - 1, 0)] if len(days) else 0, 0)
    frame = pl.DataFrame(
        {
            "patient": cohort.patients,
            "zero_day": starts.astype(np.int32),
            "start_day": starts.astype(np.int32),
            "end_day": ends.astype(np.int32),
            "end_reason": pl.Series(["last visit"] * cohort.n_patients, dtype=pl.String),
            "last_visit_day": ends.astype(np.int32),
            "death_day": pl.Series([None] * cohort.n_patients, dtype=pl.Int32),
        }
    )
    attributes = cohort.attributes
    if attributes is not None:
        extra = [name for name in attributes.columns if name not in frame.columns]
        frame = frame.hstack(attributes.select(extra).get_columns())
    return frame


def visit_days(cohort: Cohort, measures: Sequence[str]) -> dict[str, list[int]]:
    """Return patient -> days of the visits with a score of any of some measures."""
    scored = np.zeros(cohort.n_visits, dtype=np.bool_)
    for measure in measures:
        scored |= cohort.scores(measure) != MISSING
    found = {}
    for index, patient in enumerate(cohort.patients):
        where = cohort.visits_of(index)
        found[patient] = cohort.visits.day[where][scored[where]].tolist()
    return found


def _definition_key(events: Events, definition: str | None) -> str:
    keys = [one.key for one in events.definitions]
    if definition is None and len(keys) == 1:
        return keys[0]
    if definition is None:
        raise UsageError(f"The events are those of {len(keys)} definitions; say which: definition='{keys[0]}'.")
    if definition not in keys:
        raise UsageError(f"The events are not those of '{definition}' but of {one_of(keys)}.")
    return definition


def is_event(cause: str) -> pl.Expr:
    """Return the condition under which a row of `Events.table` is an event of a kind."""
    worsening = pl.col("kind") == "worsening"
    return {
        "worsening": worsening,
        "PIRA": worsening & pl.col("pira"),
        "RAW": worsening & pl.col("raw"),
        "improvement": pl.col("kind") == "improvement",
        "undefined worsening": worsening & (pl.col("label") == "undefined"),
        "undetermined worsening": worsening & (pl.col("label") == "undetermined"),
    }[cause]


def days_by_patient(table: pl.DataFrame, column: str) -> dict[str, list[int]]:
    """Return patient -> the days of a column, ascending."""
    days: dict[str, list[int]] = {}
    for patient, day in table.select("patient", column).sort("patient", column).iter_rows():
        days.setdefault(patient, []).append(day)
    return days
