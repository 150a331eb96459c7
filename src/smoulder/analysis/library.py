"""The one door to the library `survival`: whole numbers and arrays in, plain numbers and arrays out.

Its functions follow R's package survival 3.5 and are compared with it in tests/test_analysis_*.py. Whatever it raises becomes
`NoEstimate` with a sentence; its warnings are not passed on, because everything they tell is looked for and said in our words.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from survival import Surv, cipoisson, cox_zph, coxph, finegray, survdiff, survfit, survreg
from survival.r import quantile_survfit, summary_survfit

from smoulder.analysis.words import people
from smoulder.errors import SmoulderError

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]

STEP_THAT_DIVERGES = 1e-3
"""A further Newton step of more than this, relative to 1 + |coefficient|, means that the likelihood rises without end.

Measured: fits that converge are left with steps below 1e-5, those with a monotone likelihood with steps of about 1.
"""


class NoEstimate(SmoulderError):  # noqa: N818 - an answer, not a fault
    """There is no estimate; `reason` says why, as a clause or sentence for the reader.

    The analyses turn it into a note or a `why`; one that no analysis expects reaches the user as a sentence, without a traceback.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"There is no estimate: {reason}.")
        self.reason = reason


class Curves(NamedTuple):
    """Steps of one curve: (k,) arrays; limits are NaN where there are none."""

    day: Integers
    at_risk: Integers
    events: Integers
    censored: Integers
    estimate: Floats
    lower: Floats
    upper: Floats


class Fit(NamedTuple):
    """What a model says: coefficients (k,), their variance (k, k), and which of them run to infinity (k,)."""

    coefficients: Floats
    variance: Floats
    diverging: NDArray[np.bool_]
    model: Any = None


class ChiSquared(NamedTuple):
    """A chi-squared test."""

    statistic: float
    df: float
    p: float


@contextmanager
def asking() -> Iterator[None]:
    """Turn what the library raises into `NoEstimate`, and keep its warnings to ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (ValueError, TypeError, KeyError, ArithmeticError, RuntimeError, IndexError) as error:
            raise NoEstimate(f"the model could not be fitted ({error})") from error


def finite_or_none(value: float) -> float | None:
    """Return a number, or None for NaN and the infinities: those are no estimates."""
    return float(value) if math.isfinite(value) else None


class KaplanMeier:
    """A Kaplan-Meier curve with 95 % log-log limits. `time` (n,) days above 0, `event` (n,) bool; n at least 1."""

    def __init__(self, time: Integers, event: NDArray[np.bool_]) -> None:
        with asking():
            self._fit: Any = survfit(Surv(_floats(time), event.astype(np.int64)), conf_type="log-log")
        self._last = int(time.max())
        self._event_days = time[event]

    def steps(self) -> Curves:
        """Return the curve at each time at which something happened."""
        fit = self._fit
        lower, upper = (np.array(limits, dtype=np.float64) for limits in (fit.lower, fit.upper))
        # A standard error of 0 (before the first event) or of infinity (after the last person had it) gives no limits.
        without = ~(np.array(fit.std_err) > 0) | ~np.isfinite(fit.std_err)
        return Curves(
            _whole(fit.time),
            _whole(fit.n_risk),
            _whole(fit.n_event),
            _whole(fit.n_censor),
            np.array(fit.surv),
            np.where(without, np.nan, lower),
            np.where(without, np.nan, upper),
        )

    def median(self) -> tuple[float | None, float | None, float | None]:
        """Return the median in days and its 95 % limits (where the limits of the curve cross one half); None where not reached."""
        if not self._event_days.size:
            return None, None, None
        with asking():
            found = quantile_survfit(self._fit, probs=[0.5])
        if found.lower is None or found.upper is None:
            raise NoEstimate("there are no limits")
        return finite_or_none(found.quantile[0][0]), finite_or_none(found.lower[0][0]), finite_or_none(found.upper[0][0])

    def restricted_mean(self, to_day: int) -> tuple[float, float]:
        """Return the mean event-free days up to a day and its standard error.

        Raises NoEstimate where nobody had the event by then, or the curve is not known that far.
        """
        if not (self._event_days <= to_day).any():
            raise NoEstimate("nobody had the event by then")
        if to_day > self._last and self._fit.surv[-1] > 0:
            raise NoEstimate(f"the last person was followed for {self._last:,} days only")
        with asking():
            table = summary_survfit(self._fit, rmean=to_day).table
        named = dict(zip(table.colnames, table.values[0], strict=True))
        return float(named["rmean"]), float(named["se(rmean)"])


def log_rank(time: Integers, event: NDArray[np.bool_], group: Integers) -> ChiSquared:
    """Return the log-rank test of two or more groups. Raises NoEstimate where it says nothing."""
    with asking():
        found = survdiff(Surv(_floats(time), event.astype(np.int64)), group=[int(code) for code in group])
    if not event.any() or found.df < 1 or not math.isfinite(found.chisq):
        raise NoEstimate("no event happened while more than one group was at risk")
    return ChiSquared(float(found.chisq), float(found.df), float(found.pvalue))


def incidence_curves(time: Integers, cause: Integers, n_causes: int) -> tuple[Curves, ...]:
    """Return the Aalen-Johansen curve of each cause, with 95 % log-log limits; `cause` (n,) is 0 where censored."""
    present = [k for k in range(1, n_causes + 1) if (cause == k).any()]
    if not present:
        days, counts = np.unique(time, return_counts=True)
        at_risk, nothing = _still_there(time, days), np.zeros(days.size)
        nan = np.full(days.size, np.nan)
        empty = Curves(days, at_risk, nothing.astype(np.int64), counts, nothing, nan, nan)
        return (empty,) * n_causes
    # Standard errors are sums over people; in one order whatever that of the rows, so that they are equal to the last bit.
    order = np.lexsort((cause, time))
    with asking():
        fit: Any = survfit(Surv(_floats(time[order]), _states(cause[order], present)), conf_type="log-log")
    days = _whole(fit.time)
    at_risk = _still_there(time, days)
    n_event, states = np.array(fit.n_event), list(fit.states)
    # The library counts those who leave a state; we count the people who are censored, once.
    censored = np.bincount(np.searchsorted(days, time[cause == 0]), minlength=days.size)
    curves = []
    for k in range(1, n_causes + 1):
        if k not in present:
            zero, nan = np.zeros(days.size), np.full(days.size, np.nan)
            curves.append(Curves(days, at_risk, zero.astype(np.int64), censored, zero, nan, nan))
            continue
        at = states.index(str(k))
        error = np.array(fit.std_err)[:, at]
        without = ~(error > 0) | ~np.isfinite(error)
        curves.append(
            Curves(
                days,
                at_risk,
                _whole(n_event[:, at]),
                censored,
                # Sums of many steps end at 1 + 3e-15 where all have had it.
                np.minimum(np.array(fit.pstate)[:, at], 1.0),
                np.where(without, np.nan, np.array(fit.lower)[:, at]),
                np.where(without, np.nan, np.array(fit.upper)[:, at]),
            )
        )
    return tuple(curves)


def mean_count_curve(start: Integers, stop: Integers, event: NDArray[np.bool_], person: Integers) -> tuple[Curves, Floats]:
    """Return the mean number of events a person over time, without limits, and its robust standard error (k,)."""
    with asking():
        fit: Any = survfit(
            Surv(_floats(start), _floats(stop), event.astype(np.int64)), id=[int(code) for code in person], robust=True, conf_type="log-log"
        )
    n_steps = len(fit.time)
    nan = np.full(n_steps, np.nan)
    curve = Curves(_whole(fit.time), _whole(fit.n_risk), _whole(fit.n_event), _whole(fit.n_censor), np.array(fit.cumhaz), nan, nan)
    return curve, np.array(fit.std_chaz)


def poisson_limits(events: int, person_time: float) -> tuple[float, float]:
    """Return the exact 95 % limits of events per unit of person-time."""
    with asking():
        lower, upper = cipoisson(events, person_time)  # type: ignore[misc] # one pair, because both arguments are single numbers
    return float(lower), float(upper)  # type: ignore[arg-type]


def cox_fit(
    stop: Integers | Floats,
    event: NDArray[np.bool_],
    x: Floats,
    *,
    start: Integers | Floats | None = None,
    cluster: Integers | None = None,
    weights: Floats | None = None,
) -> Fit:
    """Fit a Cox model with Efron's handling of ties; robust variance where `cluster` (n,) is given.

    `x` is (n, k) with n and k at least 1. A coefficient for which the likelihood rises without end is marked in `diverging`; one whose
    robust variance is nothing beside the model's has the variance 0. Raises NoEstimate where nobody is left to compare with.
    """
    if _all_at_risk_have_it(np.zeros_like(stop) if start is None else start, stop, event):
        raise NoEstimate("on every day with an event all who were at risk had it, so there is nobody to compare them with")
    if cluster is not None and np.unique(cluster).size <= x.shape[1]:
        n_people = np.unique(cluster).size
        raise NoEstimate(f"there {'is' if n_people == 1 else 'are'} only {people(n_people)} for the robust standard errors")
    scale = spread(x)
    names = [f"x{k}" for k in range(x.shape[1])]
    data: dict[str, Any] = {"stop": _floats(stop), "event": event.astype(np.int64)}
    data |= {name: x[:, k] / scale[k] for k, name in enumerate(names)}
    response = "Surv(stop, event)"
    if start is not None:
        data["start"] = _floats(start)
        response = "Surv(start, stop, event)"
    options: dict[str, Any] = {}
    if cluster is not None:
        options["cluster"] = cluster.astype(np.int64)
    if weights is not None:
        options["weights"] = weights
    with asking():
        model: Any = coxph(f"{response} ~ {' + '.join(names)}", data, ties="efron", **options)
    beta, variance = np.array(model.coefficients), np.array(model.var)
    naive = variance if model.naive_var is None else np.array(model.naive_var)
    if cluster is not None:
        vanishes = np.diag(variance) < VARIANCE_THAT_VANISHES * np.diag(naive)
        variance = np.where(vanishes[:, None] | vanishes[None, :], 0.0, variance)
    step = np.abs(np.array(model.fit.first) @ naive)
    diverging = ~np.isfinite(beta) | ~np.isfinite(step) | (step > STEP_THAT_DIVERGES * (1 + np.abs(beta)))
    return Fit(beta / scale, variance / np.outer(scale, scale), diverging, model)


VARIANCE_THAT_VANISHES = 1e-12
"""A robust variance below this share of the model's is 0 but for rounding (measured at 1e-30): everybody's residuals cancel, as where
all events of a few people share a day."""


def _all_at_risk_have_it(start: Integers | Floats, stop: Integers | Floats, event: NDArray[np.bool_]) -> bool:
    """Return whether on every day with an event each row at risk (start before it, stop not before it) has it."""
    days, n_events = np.unique(stop[event], return_counts=True)
    begun = np.searchsorted(np.sort(start), days, side="left")
    over = np.searchsorted(np.sort(stop), days, side="left")
    return bool((begun - over == n_events).all())


def proportional_hazards(fit: Fit, columns: Sequence[Sequence[int]]) -> tuple[ChiSquared, ...]:
    """Return the test of proportional hazards of each term (its columns of x), and the one of all terms together as the last.

    Time is transformed by the Kaplan-Meier curve, as in R's cox.zph.
    """
    assign = {str(k): tuple(at) for k, at in enumerate(columns)}
    with asking():
        table = cox_zph(dataclasses.replace(fit.model, assign=assign), transform="km").table
    return tuple(ChiSquared(float(row["chisq"]), float(row["df"]), float(row["p"])) for row in table)


class Weighted(NamedTuple):
    """Rows of the Fine-Gray risk set: (m,) arrays; `row` is the person of each."""

    row: Integers
    start: Floats
    stop: Floats
    event: NDArray[np.bool_]
    weight: Floats


def fine_gray_rows(time: Integers, cause: Integers) -> Weighted:
    """Return the rows that keep people with a competing event at risk, weighted by the censoring distribution; cause 1 is asked about."""
    with asking():
        present = np.unique(cause[cause > 0]).tolist()
        data = {"time": _floats(time), "cause": _states(cause, present), "row": np.arange(time.size)}
        frame: Any = finegray("Surv(time, cause) ~ row", data, etype="1")
    return Weighted(
        np.array(frame["row"], dtype=np.int64),
        np.array(frame["fgstart"]),
        np.array(frame["fgstop"]),
        np.array(frame["fgstatus"]) == 1,
        np.array(frame["fgwt"]),
    )


Distribution = Literal["weibull", "exponential", "lognormal", "loglogistic"]


def interval_fit(free: Integers, time: Integers, event: NDArray[np.bool_], x: Floats, distribution: Distribution) -> tuple[Fit, float]:
    """Fit an accelerated failure time model to events in (`free`, `time`]; return coefficients of log time, and the scale."""
    scale = spread(x)
    exact, from_start = event & (free == time), event & (free == 0)
    # The library's codes: 0 censored on the right, 1 exact, 2 censored on the left (its logarithm of 0 days is no number), 3 between.
    code = np.where(~event, 0, np.where(exact, 1, np.where(from_start, 2, 3)))
    first = np.where(code == 3, free, time)
    data: dict[str, Any] = {"first": _floats(first), "second": _floats(time), "code": code}
    names = [f"x{k}" for k in range(x.shape[1])]
    # Centred, so that the iterations start near the answer whatever the origin of a number (such as the year 2015).
    data |= {name: (x[:, k] - x[:, k].mean()) / scale[k] for k, name in enumerate(names)}
    formula = f"Surv(first, second, code, type='interval') ~ {' + '.join(names)}"
    model = _survreg(formula, data, distribution)
    k = x.shape[1]
    beta, variance = np.array(model.coefficients)[1:], np.array(model.var)[1 : k + 1, 1 : k + 1]
    error = np.sqrt(np.clip(np.diag(variance), 0, None))
    # A survreg fit that runs away stops with a huge error instead of a long step.
    diverging = ~np.isfinite(beta) | ~np.isfinite(error) | (error <= 0) | (error > ERROR_THAT_DIVERGES)
    return Fit(beta / scale, variance / np.outer(scale, scale), diverging, model), float(np.ravel(model.scale)[0])


def _survreg(formula: str, data: dict[str, Any], distribution: Distribution) -> Any:
    """Return a fit whose iterations have ended. Raises NoEstimate where there is none.

    From the library's (and R's) own start the iterations of a Weibull model run away where first events come late: in 5 of 5 made-up
    cohorts without an event in the first 700 days. From the log-normal or log-logistic fit they end within some 5 steps.
    """
    with asking():
        model: Any = survreg(formula, data, dist=distribution)
    for other in ("lognormal", "loglogistic"):
        if model.converged:
            break
        with asking():
            near: Any = survreg(formula, data, dist=other)
            if near.converged:
                scale = [] if distribution == "exponential" else [math.log(float(np.ravel(near.scale)[0]))]
                model = survreg(formula, data, dist=distribution, init=np.append(np.array(near.coefficients), scale))
    if not model.converged:
        raise NoEstimate(f"the iterations of the {distribution} model did not end, as where there is too little to tell its parts apart")
    if float(np.ravel(model.scale)[0]) < SCALE_THAT_VANISHES:
        raise NoEstimate("the scale of the model runs to 0: the times do not tell how much they scatter")
    return model


SCALE_THAT_VANISHES = 1e-6
"""A scale of log time below this is none: days are whole, and times that differ by one in a million are the same. Measured where there
is one visit for all, so that the likelihood is as good for every scale: 1e-15."""

ERROR_THAT_DIVERGES = 50.0
"""A standard error of a log ratio, for one standard deviation of a number or for yes against no, that no data of use would give."""


def spread(x: Floats) -> Floats:
    """Return what to divide each column by: 1 for zeros and ones, otherwise its standard deviation, so that all are of one size."""
    is_indicator = ((x == 0) | (x == 1)).all(axis=0)
    spread = x.std(axis=0)
    return np.where(is_indicator | (spread == 0), 1.0, spread)


def _states(cause: Integers, present: Sequence[int]) -> pl.Series:
    """Return causes as a factor whose first level is the censored; of plain numbers the library would take the smallest for it."""
    return pl.Series([str(k) for k in cause.tolist()], dtype=pl.Enum([str(k) for k in (0, *present)]))


def _still_there(time: Integers, days: Integers) -> Integers:
    """Return how many have a time at or after each day."""
    return time.size - np.searchsorted(np.sort(time), days, side="left")


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _whole(values: ArrayLike) -> Integers:
    return np.rint(np.asarray(values, dtype=np.float64)).astype(np.int64)
