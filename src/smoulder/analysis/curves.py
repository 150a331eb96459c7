"""Curves over time: Kaplan-Meier, and the cumulative incidence of competing events (Aalen-Johansen)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smoulder.analysis.library import Curves, KaplanMeier, NoEstimate, finite_or_none, incidence_curves, log_rank
from smoulder.analysis.words import Z, competing_note, grouped, need_days, nobody, outcome_notes, people, two_sided_p
from smoulder.errors import UsageError
from smoulder.estimates import (
    AT_DAYS_SCHEMA,
    CURVE_SCHEMA,
    DIFFERENCE_SCHEMA,
    QUANTILE_SCHEMA,
    TEST_SCHEMA,
    Curve,
    SurvivalOutcome,
    as_frame,
)

Row = dict[str, Any]


def kaplan_meier(
    outcome: SurvivalOutcome, *, by: str | None = None, at_days: Sequence[int] = (), restricted_to_days: int | None = None
) -> Curve:
    """Return the share free of the event over time, one curve a group of column `by`, by the Kaplan-Meier method.

    Limits (95 %) are on the log-log scale, null where there are none: before the first event, and after the last person had it.
    Competing events count as censored, and a note says so. `quantiles` has the median and the restricted mean event-free time up to
    `restricted_to_days` (None: the shortest of the groups' longest times), `differences` that mean against the first group, `tests`
    the log-rank test. Raises UsageError for a column that does not exist and for days that are none.
    Equals R survival 3.5 `survfit(conf.type = "log-log")`, `survdiff` and `print(rmean = )`.

    >>> import numpy as np, polars as pl
    >>> from smoulder.estimates import SurvivalOutcome
    >>> names = pl.Series(["p1", "p2", "p3", "p4"])
    >>> outcome = SurvivalOutcome(name="first PIRA", patients=names, time=np.array([90, 180, 180, 360], np.int32),
    ...     cause=np.array([1, 0, 1, 0], np.int8), causes=("PIRA",), reason=pl.Series(["PIRA", "last visit", "PIRA", "last visit"]),
    ...     free=np.array([0, 180, 90, 360], np.int32), people=pl.DataFrame({"patient": names}))
    >>> kaplan_meier(outcome, at_days=[200]).at_days.select("at_risk", "estimate").row(0)
    (1, 0.5)
    """
    groups, notes = grouped(outcome.people, by)
    days = need_days(at_days)
    notes = (*outcome_notes(outcome), *competing_note(outcome), *notes)
    horizon = _horizon(outcome, [mask for _, mask in groups], restricted_to_days)
    cause = outcome.causes[0]
    rows: list[Row] = []
    quantiles: list[Row] = []
    read: list[Row] = []
    means: list[tuple[str, tuple[float, float] | None]] = []
    for name, mask in groups:
        time, event = outcome.time[mask], outcome.event[mask]
        if not time.size:
            continue
        fitted = KaplanMeier(time, event)
        steps = fitted.steps()
        labels = {"group": name, "cause": cause}
        rows += step_rows(steps, labels, time.size, start=1.0)
        read += rows_at(steps, days, time, labels, start=1.0)
        median, lower, upper = fitted.median()
        quantile: Row = labels | {"n": time.size, "events": int(event.sum()), "restricted_to_days": horizon}
        quantile |= {"median_days": median, "lower_days": lower, "upper_days": upper}
        mean: tuple[float, float] | None = None
        if not event.any():
            notes += (
                f"{nobody(name)} had the event ({people(time.size)}): its curve stays at 1 without limits, and has no median or mean.",
            )
        elif horizon is not None:
            try:
                mean = fitted.restricted_mean(horizon)
                quantile |= {"restricted_mean_days": mean[0], "standard_error_days": mean[1]}
            except NoEstimate as none:
                notes += (f"There is no restricted mean to day {horizon:,} in '{name}': {none.reason}.",)
        means.append((name, mean))
        quantiles.append(quantile)
    tests, test_notes = _log_rank(outcome, groups)
    if not rows:
        notes += ("There is nobody, so there is no curve.",)
    return Curve(
        title=f"Free of {outcome.name}",
        method=(
            "The share free of the event was estimated by the Kaplan-Meier method with 95 % limits on the log-log scale; groups were "
            "compared by the log-rank test and by the restricted mean event-free time."
        ),
        table=as_frame(rows, CURVE_SCHEMA),
        notes=(*notes, *test_notes),
        kind="survival",
        outcome=outcome.name,
        quantiles=as_frame(quantiles, QUANTILE_SCHEMA),
        at_days=as_frame(read, AT_DAYS_SCHEMA),
        tests=as_frame(tests, TEST_SCHEMA),
        differences=as_frame(_differences(means, horizon), DIFFERENCE_SCHEMA),
    )


def cumulative_incidence(outcome: SurvivalOutcome, *, by: str | None = None, at_days: Sequence[int] = ()) -> Curve:
    """Return the share with each kind of event over time, competing events taken into account (Aalen-Johansen).

    One curve a group of column `by` of `outcome.people` and cause; all people at risk of any event are at risk of each. Limits (95 %) are
    on the log-log scale, null before the first event of the cause. The result tells each curve `at_days`, days from time zero. Raises
    UsageError for a column that does not exist and for days that are none. Equals R survival 3.5 `survfit(Surv(time, factor(cause)) ~
    group, conf.type = "log-log")`.
    """
    groups, notes = grouped(outcome.people, by)
    days = need_days(at_days)
    notes = (*outcome_notes(outcome), *notes)
    rows: list[Row] = []
    quantiles: list[Row] = []
    read: list[Row] = []
    for name, mask in groups:
        time, cause = outcome.time[mask], outcome.cause[mask]
        if not time.size:
            continue
        for k, steps in enumerate(incidence_curves(time, cause, len(outcome.causes)), start=1):
            labels = {"group": name, "cause": outcome.causes[k - 1]}
            rows += step_rows(steps, labels, time.size, start=0.0)
            read += rows_at(steps, days, time, labels, start=0.0)
            n_events = int((cause == k).sum())
            quantiles.append(labels | {"n": time.size, "events": n_events})
            if not n_events:
                notes += (f"{nobody(name)} had '{outcome.causes[k - 1]}' ({people(time.size)}): its curve stays at 0 without limits.",)
    if not rows:
        notes += ("There is nobody, so there is no curve.",)
    if len(groups) > 1:
        notes += (
            "The curves of groups are not tested: Gray's test is in no library that is used here. The Fine-Gray model says how groups "
            "differ in cumulative incidence.",
        )
    return Curve(
        title=f"Cumulative incidence of {outcome.name}",
        method="The cumulative incidence was estimated by the Aalen-Johansen method with 95 % limits on the log-log scale.",
        table=as_frame(rows, CURVE_SCHEMA),
        notes=notes,
        kind="incidence",
        outcome=outcome.name,
        quantiles=as_frame(quantiles, QUANTILE_SCHEMA),
        at_days=as_frame(read, AT_DAYS_SCHEMA),
        tests=as_frame([], TEST_SCHEMA),
    )


def step_rows(steps: Curves, labels: Row, n: int, *, start: float) -> list[Row]:
    """Return the rows of one curve, day 0 first (nothing has happened by then, so there are no limits)."""
    rows = [labels | {"day": 0, "at_risk": n, "events": 0, "censored": 0, "estimate": start}]
    for day, at_risk, events, censored, estimate, lower, upper in zip(*(column.tolist() for column in steps), strict=True):
        row = labels | {"day": day, "at_risk": at_risk, "events": events, "censored": censored, "estimate": finite_or_none(estimate)}
        rows.append(row | {"lower": finite_or_none(lower), "upper": finite_or_none(upper)})
    return rows


def rows_at(steps: Curves, days: Sequence[int], time: NDArray[np.integer[Any]], labels: Row, *, start: float) -> list[Row]:
    """Return the curve at days: its last step by then; null after the longest time of the group."""
    rows = []
    for day in days:
        row = labels | {"day": day, "at_risk": int((time >= day).sum())}
        if day <= time.max():
            at = int(np.searchsorted(steps.day, day, side="right")) - 1
            if at < 0:
                row |= {"estimate": start}
            else:
                row |= {"estimate": finite_or_none(float(steps.estimate[at]))}
                row |= {"lower": finite_or_none(float(steps.lower[at])), "upper": finite_or_none(float(steps.upper[at]))}
        rows.append(row)
    return rows


def _horizon(outcome: SurvivalOutcome, masks: Sequence[NDArray[np.bool_]], asked: int | None) -> int | None:
    if asked is not None:
        (day,) = need_days([asked], "restricted_to_days")
        if day == 0:
            raise UsageError("restricted_to_days must be above 0.")
        return day
    longest = [int(outcome.time[mask].max()) for mask in masks if mask.any()]
    return min(longest) if longest else None


def _log_rank(outcome: SurvivalOutcome, groups: Sequence[tuple[str, NDArray[np.bool_]]]) -> tuple[list[Row], tuple[str, ...]]:
    if len(groups) < 2:
        return [], ()
    inside = np.any([mask for _, mask in groups], axis=0)
    code = np.argmax([mask for _, mask in groups], axis=0)
    try:
        test = log_rank(outcome.time[inside], outcome.event[inside], code[inside])
    except NoEstimate as none:
        return [], (f"There is no log-rank test: {none.reason}.",)
    return [{"test": "log-rank", "statistic": test.statistic, "df": test.df, "p": test.p}], ()


def _differences(means: Sequence[tuple[str, tuple[float, float] | None]], horizon: int | None) -> list[Row]:
    """Return the restricted means against the first group's, with normal limits; null where one of the two is missing."""
    rows: list[Row] = []
    for name, mean in means[1:]:
        against, first = means[0]
        row: Row = {"group": name, "against": against, "day": horizon, "what": "restricted mean"}
        if mean is not None and first is not None:
            difference, error = mean[0] - first[0], math.hypot(mean[1], first[1])
            if error > 0:
                row |= {"difference": difference, "lower": difference - Z * error, "upper": difference + Z * error}
                row |= {"p": two_sided_p(difference / error)}
        rows.append(row)
    return rows
