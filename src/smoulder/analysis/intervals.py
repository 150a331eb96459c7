"""Sensitivity to what happens between visits: the event lies after the last visit without it and by the visit with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from smoulder.analysis.cox import TIME, WORDS, outcome_frame
from smoulder.analysis.design import Design
from smoulder.analysis.fitting import fit_models
from smoulder.analysis.library import Distribution, Fit, Floats, NoEstimate, interval_fit
from smoulder.analysis.words import competing_note, grouped, need_days, nobody, outcome_notes, people
from smoulder.errors import UsageError, unknown
from smoulder.estimates import (
    AT_DAYS_SCHEMA,
    CURVE_SCHEMA,
    QUANTILE_SCHEMA,
    TEST_SCHEMA,
    Curve,
    Effects,
    SurvivalOutcome,
    Term,
    as_frame,
)

FREE = "\x00free"

KKT_GAP = 1e-9
"""The log likelihood is at most n times this below its maximum when iterations stop (Lindsay 1983, Ann Stat 11:86)."""
MOST_ITERATIONS = 10_000


def interval_survival(outcome: SurvivalOutcome, *, by: str | None = None, at_days: Sequence[int] = ()) -> Curve:
    """Return the share free of the event, taking it only as known that the event fell in (`free`, `time`], one curve a group of `by`.

    Both are arrays of `outcome`; the result tells the curve `at_days`, days from time zero.

    This is the nonparametric maximum likelihood estimate (Turnbull 1976, J R Stat Soc B 38:290). It says how much the share falls
    within certain intervals, not where inside them; the curve falls at their ends, and a day inside one reads the share before the
    fall. There are no limits: this estimate has no simple standard error, and bootstrapping from it is known not to be consistent
    (Sen and Xu 2015, Comput Stat Data Anal 81:121). Events have no one day, so events and censored a day are null. Raises UsageError
    for a column that does not exist and for days that are none.
    """
    groups, notes = grouped(outcome.people, by)
    days = need_days(at_days)
    notes = (*outcome_notes(outcome), *competing_note(outcome), *notes)
    rows: list[dict[str, Any]] = []
    quantiles: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    for name, mask in groups:
        time, event, free = outcome.time[mask], outcome.event[mask], outcome.free[mask]
        if not time.size:
            continue
        labels = {"group": name, "cause": outcome.causes[0]}
        quantiles.append(labels | {"n": time.size, "events": int(event.sum())})
        try:
            masses = npmle(free, time, event)
        except NoEstimate as none:
            notes += (f"There is no curve of '{name}': {none.reason}.",)
            continue
        if not event.any():
            notes += (f"{nobody(name)} had the event ({people(time.size)}): its curve stays at 1 and has no median.",)
        ends, left = masses.end, 1 - np.cumsum(masses.mass)
        longest = int(time.max())
        rows.append(labels | {"day": 0, "at_risk": time.size, "estimate": 1.0})
        steps = [(int(end), float(share)) for end, share in zip(ends, left, strict=True) if end <= longest]
        if not steps or steps[-1][0] < longest:
            steps.append((longest, steps[-1][1] if steps else 1.0))
        for day, share in steps:
            rows.append(labels | {"day": day, "at_risk": int((time >= day).sum()), "estimate": max(share, 0.0)})
        if event.any():
            # A share of exactly one half is found to what the distance from the maximum leaves, some 1e-7.
            below = [day for day, share in steps if share <= 0.5 + 1e-6]
            quantiles[-1]["median_days"] = float(below[0]) if below else None
        for day in days:
            row: dict[str, Any] = labels | {"day": day, "at_risk": int((time >= day).sum())}
            if day <= longest:
                row["estimate"] = max([1.0, *(share for end, share in steps if end <= day)][-1], 0.0)
            read.append(row)
    if not rows:
        notes += ("There is nobody, so there is no curve.",)
    else:
        notes += (
            "Events happen between visits: the curve falls at the end of each interval in which they can lie. It has no "
            "limits, as bootstrapping from it is known not to be consistent (Sen and Xu 2015); the Kaplan-Meier curve has.",
        )
    return Curve(
        title=f"Free of {outcome.name}, events between visits",
        method=(
            "The share free of the event was estimated by nonparametric maximum likelihood for interval-censored times (Turnbull 1976), "
            "each event lying after the last visit without it and by the visit with it."
        ),
        table=as_frame(rows, CURVE_SCHEMA),
        notes=notes,
        kind="survival",
        outcome=outcome.name,
        quantiles=as_frame(quantiles, QUANTILE_SCHEMA),
        at_days=as_frame(read, AT_DAYS_SCHEMA),
        tests=as_frame([], TEST_SCHEMA),
    )


def interval_regression(
    outcome: SurvivalOutcome,
    terms: Sequence[Term],
    *,
    distribution: Distribution = "weibull",
    model: str = "adjusted",
    univariable: bool = False,
) -> Effects:
    """Return time ratios of an accelerated failure time model for events in (`free`, `time`], columns of `outcome.people` as terms.

    A time ratio of 2 means twice as long to the event. With `univariable` each term is fitted alone as well. For the Weibull distribution
    the hazard ratio is the time ratio to the power -1/scale; the scale is in the notes. Limits (95 %) and p are Wald's. What cannot be
    estimated is null, with the reason in `why`. Raises UsageError for columns, levels or distributions that do not exist. Equals R survival
    3.5 `survreg` on interval data.
    """
    if distribution not in get_args(Distribution):
        raise UsageError(unknown("distribution", distribution, get_args(Distribution)))
    frame, event = outcome_frame(outcome, terms, {FREE: outcome.free})
    time, free = frame[TIME].to_numpy(), frame[FREE].to_numpy()
    scales: list[float] = []

    def fit(design: Design) -> Fit:
        rows = design.rows
        found, scale = interval_fit(free[rows], time[rows], event[rows], design.x, distribution)
        scales.append(scale)
        return found

    def told(_: str) -> tuple[str, ...]:
        if not scales or distribution != "weibull":
            return ()
        scale = scales.pop()
        return (f"The scale is {scale:.4g}: a hazard ratio is the time ratio to the power {-1 / scale:.4g}.",)

    return fit_models(
        frame,
        terms,
        event,
        fit,
        WORDS,
        title=f"Time ratios of {outcome.name}, events between visits",
        method=(
            f"Time ratios are from accelerated failure time models ({distribution}) for interval-censored times, each event lying after "
            "the last visit without it and by the visit with it. Limits (95 %) and p values are Wald's."
        ),
        scale="time ratio",
        outcome=outcome.name,
        model=model,
        univariable=univariable,
        notes=(*outcome_notes(outcome), *competing_note(outcome)),
        told=told,
    )


class Masses(NamedTuple):
    """How much probability lies in each interval (start, end]; `end` is a day beyond all others where nobody came so far."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    mass: Floats


def npmle(free: NDArray[np.integer[Any]], time: NDArray[np.integer[Any]], event: NDArray[np.bool_]) -> Masses:
    """Return the nonparametric maximum likelihood estimate of events in (`free`, `time`] and of no event by `time`.

    The library's `turnbull` is R's, whose iterations end early (survival shares up to 0.003 away from the maximum, measured), so
    this is ours: self-consistency and iterative convex minorant steps in turn (Wellner and Zhan 1997, J Am Stat Assoc 92:945), until
    the likelihood is provably at its maximum. Days are whole: an event known to the day lies in (day - 1, day].
    Raises NoEstimate where the iterations do not end.
    """
    never = int(time.max()) + 1
    left = np.where(event, np.minimum(free, time - 1), time).astype(np.int64)
    right = np.where(event, time, never).astype(np.int64)
    # All mass lies in the intervals from a left end to the next right end with no other end between them. At equal
    # days a right end comes first, since (a, b] and (b, c] have nothing in common.
    points = sorted({(day, 1) for day in left.tolist()} | {(day, 0) for day in right.tolist()})
    inner = [(a, b) for (a, is_left), (b, b_left) in pairwise(points) if is_left and not b_left]
    start, end = (np.array(side, dtype=np.int64) for side in zip(*inner, strict=True))
    first = np.searchsorted(start, left, side="left")
    beyond = np.searchsorted(end, right, side="right")
    spans, weight = np.unique(np.column_stack([first, beyond]), axis=0, return_counts=True)
    low, high, k = spans[:, 0], spans[:, 1], start.size

    def share(risen: Floats) -> Floats:
        """Return the probability of each span; `risen` (k + 1,) is the share with the event before each interval, and 1 at the end."""
        return np.maximum(risen[high] - risen[low], 1e-300)

    risen = np.arange(k + 1) / k
    for _ in range(MOST_ITERATIONS):
        pull = weight / share(risen)
        # Slope of the log likelihood a person at each interval: 1 where it holds mass and at most 1 elsewhere, at the maximum.
        slope = np.cumsum(np.bincount(low, pull, k + 1) - np.bincount(high, pull, k + 1))[:k] / weight.sum()
        if slope.max() - 1 <= KKT_GAP:
            return Masses(start, end, np.diff(risen))
        mass = np.diff(risen) * slope
        risen = np.concatenate([[0.0], np.cumsum(mass / mass.sum())[:-1], [1.0]])
        risen = _towards_minorant(risen, low, high, weight, share)
    raise NoEstimate("the iterations for interval-censored times did not end")


def _towards_minorant(
    risen: Floats, low: NDArray[np.int64], high: NDArray[np.int64], weight: NDArray[np.int64], share: Callable[[Floats], Floats]
) -> Floats:
    """Return a better distribution: towards the one that the diagonal second-order approximation calls best, as far as it helps."""
    k = risen.size - 1
    pull = weight / share(risen)
    curve = pull / share(risen)
    slope = (np.bincount(high, pull, k + 1) - np.bincount(low, pull, k + 1))[1:k]
    curvature = np.maximum((np.bincount(high, curve, k + 1) + np.bincount(low, curve, k + 1))[1:k], 1e-12)
    aim = np.clip(_rising(risen[1:k] + slope / curvature, curvature), 0.0, 1.0)
    way = np.concatenate([[0.0], aim, [1.0]]) - risen
    before, gain, step = float(weight @ np.log(share(risen))), float(slope @ way[1:k]), 1.0
    for _ in range(30):
        tried = risen + step * way
        # Armijo's rule: a tenth of what the slope promises.
        if float(weight @ np.log(share(tried))) >= before + 0.1 * step * gain:
            return tried
        step /= 2
    return risen


def _rising(values: Floats, weights: Floats) -> Floats:
    """Return the rising sequence nearest to `values` in weighted squares: neighbours that fall are pooled."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] >= pool[0]:
            other = pools.pop()
            both = other[1] + pool[1]
            pool = ((other[0] * other[1] + pool[0] * pool[1]) / both, both, other[2] + pool[2])
        pools.append(pool)
    return np.repeat([value for value, _, _ in pools], [n for _, _, n in pools])
