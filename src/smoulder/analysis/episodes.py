"""Follow-up cut into stretches: at relapses, at the start of treatments, at every event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from smoulder.errors import agreed, counted
from smoulder.estimates import Episodes, SurvivalOutcome

Span = tuple[int, int]
"""First and last day, both included."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that changes after time zero: its value from a day on."""

    key: str
    values: Mapping[str, Sequence[tuple[int, str | float]]]
    """Patient -> (day from time zero, value from the day after it on), ascending; the first is the value at time zero."""
    levels: tuple[str, ...] = ()
    """Groups in order; empty: a number."""


def relapsed_within(days: Mapping[str, Sequence[int]], window_days: int) -> dict[str, list[tuple[int, str | float]]]:
    """Return patient -> changes of "a relapse in the last `window_days`" ("no", "yes"); `days` are relapses as days from time zero.

    It is "yes" from the day after a relapse to `window_days` after it: of the day of the relapse itself nothing is known yet.
    """
    found: dict[str, list[tuple[int, str | float]]] = {}
    for patient, onsets in days.items():
        spans = merged([(onset, onset + window_days) for onset in onsets])
        found[patient] = _from_spans(spans)
    return found


def relapses_so_far(days: Mapping[str, Sequence[int]]) -> dict[str, list[tuple[int, str | float]]]:
    """Return patient -> changes of the number of relapses since time zero; `days` are relapses as days from time zero."""
    return {
        patient: [(0, 0.0), *((onset, float(number)) for number, onset in enumerate(sorted(o for o in onsets if o > 0), 1))]
        for patient, onsets in days.items()
    }


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return spans (first, last) without overlap, ascending."""
    done: list[Span] = []
    for first, last in sorted(spans):
        if done and first <= done[-1][1]:
            done[-1] = (done[-1][0], max(done[-1][1], last))
        else:
            done.append((first, last))
    return done


def _from_spans(spans: Sequence[Span]) -> list[tuple[int, str | float]]:
    """Return "yes" within half-open stretches (first, last] and "no" elsewhere, as changes from time zero on."""
    changes: list[tuple[int, str | float]] = []
    at_zero: str | float = "no"
    for first, last in spans:
        if last <= 0:
            continue
        if first <= 0:
            at_zero = "yes"
        else:
            changes.append((first, "yes"))
        changes.append((last, "no"))
    return [(0, at_zero), *changes]


def first_event_episodes(
    outcome: SurvivalOutcome, changes: Sequence[Change] = (), not_at_risk: Mapping[str, Sequence[Span]] | None = None
) -> Episodes:
    """Return the time of each person up to the first event, cut where something changes.

    Parameters
    ----------
    outcome
        First event and end of each person; competing events censor.
    changes
        What changes; a person who is not among the values keeps a null.
    not_at_risk
        Patient -> stretches (first, last] in days from time zero that are taken out, with what happened in them: an event counts only
        among people at risk of it. Kept with its one day it would count as an event and not as time (measured in made-up people in whom
        relapses do nothing: hazard ratios 8 to 19 % higher). A note says how many events are left out.
    """
    rows: list[dict[str, object]] = []
    n_inside = 0
    names = covariates(outcome.people)
    for patient, time, event, known in zip(
        outcome.patients, outcome.time.tolist(), outcome.event.tolist(), outcome.people.select(names).iter_rows(), strict=True
    ):
        out = merged((not_at_risk or {}).get(patient, ()))
        cuts = {day for change in changes for day, _ in change.values.get(patient, ()) if 0 < day < time}
        cuts |= {day for span in out for day in span if 0 < day < time}
        edges = [0, *sorted(cuts), time]
        for start, stop in pairwise(edges):
            happened = event and stop == time
            if any(first <= start and stop <= last for first, last in out):
                n_inside += happened
                continue
            values = {change.key: value_at(change.values.get(patient, ()), start) for change in changes}
            rows.append(
                {
                    "patient": patient,
                    "start_day": start,
                    "stop_day": stop,
                    "event": happened,
                    **dict(zip(names, known, strict=True)),
                    **values,
                }
            )
    schema: dict[str, pl.DataType] = {
        "patient": pl.String(),
        "start_day": pl.Int32(),
        "stop_day": pl.Int32(),
        "event": pl.Boolean(),
        **{name: outcome.people.schema[name] for name in names},
        **{change.key: pl.Enum(change.levels) if change.levels else pl.Float64() for change in changes},
    }
    notes = outcome.notes
    if n_inside:
        verb = agreed(n_inside, "lies", "lie")
        notes += (
            f"{n_inside:,} of {counted(outcome.n_events, 'event')} {verb} on days that are not at risk and {agreed(n_inside, 'is', 'are')} "
            "left out with them.",
        )
    table = pl.DataFrame(rows, schema=schema)
    return Episodes(name=outcome.name, table=table, recurrent=False, notes=notes, provenance=outcome.provenance)


def covariates(people: pl.DataFrame) -> list[str]:
    """Return the columns of people that may be terms or groups: not the patient, and not days of the calendar."""
    return [name for name in people.columns if name != "patient" and not name.endswith("_day")]


def value_at(changes: Sequence[tuple[int, str | float]], day: int) -> str | float | None:
    """Return the value in force after a day; None where nothing is known."""
    value: str | float | None = None
    for since, new in changes:
        if since > day:
            break
        value = new
    return value


def recurrent_episodes(name: str, people: pl.DataFrame, event_days: Mapping[str, Sequence[int]], last_days: Mapping[str, int]) -> Episodes:
    """Return the time of each person cut at every event.

    Parameters
    ----------
    people
        patient and what is known of each.
    event_days
        Patient -> days of the events, from time zero; those not after it or past the last day do not count. Two on one day are one.
    last_days
        Patient -> last day observed, from time zero.
    """
    rows: list[dict[str, object]] = []
    names = covariates(people)
    for row in people.iter_rows(named=True):
        patient = row["patient"]
        last = last_days.get(patient, 0)
        days = sorted({day for day in event_days.get(patient, ()) if 0 < day <= last})
        edges = [0, *days, *([last] if last > (days[-1] if days else 0) else [])]
        for start, stop in pairwise(edges):
            known = {key: row[key] for key in names}
            rows.append({"patient": patient, "start_day": start, "stop_day": stop, "event": stop in days, **known})
    schema: dict[str, pl.DataType] = {
        "patient": pl.String(),
        "start_day": pl.Int32(),
        "stop_day": pl.Int32(),
        "event": pl.Boolean(),
        **{key: people.schema[key] for key in names},
    }
    return Episodes(name=name, table=pl.DataFrame(rows, schema=schema), recurrent=True)
