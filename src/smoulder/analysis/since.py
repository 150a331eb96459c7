"""Rates by time since time zero, rebound after stopping a treatment, and an outcome held against a published course."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from smoulder.analysis.curves import kaplan_meier
from smoulder.analysis.library import poisson_limits
from smoulder.analysis.rates import rate_row, shares
from smoulder.analysis.words import grouped
from smoulder.estimates import DAYS_A_YEAR, RATE_SCHEMA, Curve, Estimate, Rates, Shares, SurvivalOutcome, as_frame
from smoulder.protocol.aims import ReferenceCurve

MONTH_DAYS = 30.4375


def rates_since(
    what: str,
    people: pl.DataFrame,
    event_days: Mapping[str, Sequence[int]],
    last_days: Mapping[str, int],
    edges_days: Sequence[int],
    *,
    by: str | None = None,
) -> Rates:
    """Return events per 100 person-years in periods since time zero.

    Parameters
    ----------
    event_days
        Patient -> days of events from time zero; of a first event only the first.
    last_days
        Patient -> last day at risk from time zero.
    edges_days
        Ascending; a period goes from the day after one edge to the next edge.
    """
    groups, notes = grouped(people, by)
    patients = people["patient"].to_list()
    rows = []
    for name, mask in groups:
        mine = [patient for patient, inside in zip(patients, mask.tolist(), strict=True) if inside]
        for low, high in pairwise(edges_days):
            at_risk = [max(0, min(last_days.get(patient, 0), high) - low) for patient in mine]
            counted = sum(low < day <= min(high, last_days.get(patient, 0)) for patient in mine for day in event_days.get(patient, ()))
            period = f"{what}, {_months(low)} to {_months(high)} months"
            rows.append(rate_row(name, period, sum(days > 0 for days in at_risk), counted, sum(at_risk)))
    return Rates(
        title=f"{what} by time since time zero",
        method="Rates were counted in periods since time zero, with exact Poisson limits; a month is 30.4375 days.",
        table=as_frame(rows, RATE_SCHEMA),
        notes=(*notes, "A person with several events counts several times; the exact limits take events as independent of each other."),
    )


def _months(days: int) -> str:
    return f"{days / MONTH_DAYS:.0f}" if abs(days / MONTH_DAYS - round(days / MONTH_DAYS)) < 0.05 else f"{days / MONTH_DAYS:.1f}"


def rebound(
    people: pl.DataFrame, relapse_days: Mapping[str, Sequence[int]], recorded_from: Mapping[str, int], after_days: int, before_days: int
) -> tuple[Shares, Rates]:
    """Return who relapses more after stopping a treatment than before it, and the rates before, on and after it.

    Rebound is an individual relapse rate after the stop above the one before the treatment (Sorensen 2014, J Neurol 261:1170); it is not
    the return of relapses ("reactivation").

    Parameters
    ----------
    people
        patient, zero_day (the stop), index_start_day (first day on the treatment), end_day.
    relapse_days
        Patient -> relapses as days of the calendar.
    recorded_from
        Patient -> first day from which relapses are known.
    """
    n_rebound = n_known = 0
    totals = {"before": [0, 0, 0], "on treatment": [0, 0, 0], "after the stop": [0, 0, 0]}
    for patient, zero, start, end in people.select("patient", "zero_day", "index_start_day", "end_day").iter_rows():
        if start is None:
            continue
        onsets = relapse_days.get(patient, ())
        spans = {
            "before": (max(start - before_days, recorded_from.get(patient, start)), start - 1),
            "on treatment": (start, zero),
            "after the stop": (zero + 1, min(zero + after_days, end)),
        }
        counts = {}
        for name, (first, last) in spans.items():
            days = max(0, last - first + 1)
            counts[name] = (sum(first <= day <= last for day in onsets), days)
            totals[name][0] += counts[name][0]
            totals[name][1] += days
            totals[name][2] += days > 0
        before, after = counts["before"], counts["after the stop"]
        if min(before[1], after[1]) < MIN_REBOUND_DAYS:
            continue
        n_known += 1
        # Compared as whole numbers, so that equal rates are equal.
        n_rebound += after[0] * before[1] > before[0] * after[1]
    share = shares(
        [("all", "rebound: more relapses a year after the stop than before the treatment", n_rebound, n_known, None)],
        "Rebound after the stop",
        f"Rebound was an individual relapse rate in the {after_days} days after the stop above that in the {before_days} days before the "
        "treatment (as in Sorensen 2014, J Neurol 261:1170). Shares have Wilson's 95 % limits.",
    )
    missing = people.height - n_known
    notes = (
        (
            f"Of {missing:,} of {people.height:,} people it is not known: fewer than {MIN_REBOUND_DAYS} days were recorded before the "
            "treatment or after the stop.",
        )
        if missing
        else ()
    )
    rows = [rate_row("all", f"relapses {name}", n, events, days) for name, (events, days, n) in totals.items()]
    rates = Rates(
        title="Relapse rates before, on and after the treatment",
        method="Relapse rates are per 100 person-years with exact Poisson limits.",
        table=as_frame(rows, RATE_SCHEMA),
        notes=("Regression to the mean lowers the rate on treatment: people start a treatment when they had relapses.",),
    )
    return Shares(title=share.title, method=share.method, table=share.table, notes=(*share.notes, *notes)), rates


MIN_REBOUND_DAYS = 90
"""Days that must be recorded on either side for an individual rate to be compared (ours: Sorensen 2014 was not seen to state it)."""


def against_reference(outcome: SurvivalOutcome, reference: ReferenceCurve, at_days: Sequence[int] = ()) -> tuple[Curve, Estimate]:
    """Return an outcome as a curve beside a published course, and observed against expected events.

    Expected is the sum over people of the published cumulative hazard up to the end of each one's observation (as in a standardised
    incidence ratio); its limits are the exact Poisson limits of the observed events over the expected number, which is taken as known.
    """
    curve = kaplan_meier(outcome, at_days=at_days)
    expected = float(np.sum([cumulative_hazard(reference, days / DAYS_A_YEAR) for days in sorted(outcome.time.tolist())]))
    observed = outcome.n_events
    row: dict[str, Any] = {
        "outcome": outcome.name,
        "people": outcome.n,
        "observed": observed,
        "expected": expected,
        "person_years": outcome.person_years,
        "why": "",
    }
    if expected > 0 and observed > 0:
        lower, upper = poisson_limits(observed, expected)
        row |= {"ratio": observed / expected, "lower": lower, "upper": upper}
    elif expected > 0:
        row |= {"upper": poisson_limits(0, expected)[1], "why": "Nobody had the event: there is an upper limit only."}
    else:
        row |= {"why": "Nothing was expected, so there is no ratio."}
    schema: dict[str, pl.DataType] = {
        "outcome": pl.String(),
        "people": pl.Int64(),
        "observed": pl.Int64(),
        "expected": pl.Float64(),
        "person_years": pl.Float64(),
        "ratio": pl.Float64(),
        "lower": pl.Float64(),
        "upper": pl.Float64(),
        "why": pl.String(),
    }
    estimate = Estimate(
        title=f"{outcome.name}: observed and expected",
        method=f"Expected events are those of {reference.title} ({reference.source}), applied to the time at risk of each person.",
        table=as_frame([row], schema),
        notes=(
            f"The published course is that of {reference.population}, counted from {reference.time_zero}; other people, other times and "
            "another definition of the outcome differ from it in more than the treatment.",
        ),
    )
    return _with_reference(curve, reference, outcome), estimate


def cumulative_hazard(reference: ReferenceCurve, years: float) -> float:
    """Return the cumulative hazard of a published course by a time; beyond its last point the hazard of its last stretch goes on."""
    if reference.yearly_hazard is not None:
        return reference.yearly_hazard * years
    points = [(0.0, 0.0), *((year, -math.log1p(-share)) for year, share in zip(reference.years, reference.share, strict=True) if share < 1)]
    for (year_a, hazard_a), (year_b, hazard_b) in pairwise(points):
        if years <= year_b:
            return hazard_a + (hazard_b - hazard_a) * (years - year_a) / (year_b - year_a)
    if len(points) == 1:
        return 0.0
    (year_a, hazard_a), (year_b, hazard_b) = points[-2:]
    return hazard_b + (hazard_b - hazard_a) / (year_b - year_a) * (years - year_b)


def _with_reference(curve: Curve, reference: ReferenceCurve, outcome: SurvivalOutcome) -> Curve:
    """Return the curve with the published course as one more group, without limits and numbers at risk."""
    last = int(outcome.time.max()) if outcome.n else 0
    days = sorted({*range(0, last + 1, 7), last})
    counted_from = f"The published course counts from {reference.time_zero}, that of these people from time zero."
    cause = curve.table["cause"][0] if curve.table.height else outcome.name
    rows = [
        {"group": reference.title, "cause": cause, "day": day, "estimate": math.exp(-cumulative_hazard(reference, day / DAYS_A_YEAR))}
        for day in days
    ]
    added = as_frame(rows, dict(curve.table.schema))
    return Curve(
        title=curve.title,
        method=curve.method,
        table=pl.concat([curve.table, added]),
        notes=(*curve.notes, counted_from),
        kind=curve.kind,
        outcome=curve.outcome,
        quantiles=curve.quantiles,
        at_days=curve.at_days,
        tests=curve.tests,
    )
