"""Models without a time axis: relapse counts (negative binomial) and yes/no questions (logistic). By statsmodels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.analysis.design import Design, Words, canonical
from smoulder.analysis.fitting import fit_models
from smoulder.analysis.library import STEP_THAT_DIVERGES, Fit, Floats, NoEstimate, spread
from smoulder.analysis.words import need_column
from smoulder.errors import UsageError, agreed, counted
from smoulder.estimates import DAYS_A_YEAR, Effects, Term

MOST_ITERATIONS = 25
"""As in R's glm. A fit that has an end is there after some 8; one that runs away moves by about 1 each time, and 25 is not yet
past what numbers can hold."""

STILL = 1e-12
"""Change of the deviance at which iterations stop. R's glm stops at 1e-8; this leaves coefficients exact to 1e-10."""


def relapse_rate_model(
    counts: pl.DataFrame,
    terms: Sequence[Term],
    *,
    count: str = "relapses",
    days: str = "days",
    model: str = "adjusted",
    univariable: bool = False,
) -> Effects:
    """Return rate ratios of a negative binomial model (NB2) of counts a person, with log person-years as offset.

    `counts` has one row a person: the whole-number column `count`, the days of observation `days`, and the columns of `terms`. The
    variance of a count with mean m is m + dispersion x m squared; the dispersion is fitted by maximum likelihood and told in the
    notes. Where counts vary no more than a Poisson law says, its maximum likelihood estimate is 0 and the model is a Poisson model.
    Limits (95 %) are Wald's with the dispersion taken as known, as in R MASS `glm.nb`. People without a count, without days or without a
    value of a term are left out. With `univariable` each term is fitted alone as well. What cannot be estimated is null, with the
    reason in `why`. Raises UsageError for columns that do not exist, counts that are no whole numbers from 0 on, and negative days.
    """
    for name in (count, days, *(term.column for term in terms)):
        need_column(counts, name)
    known = counts.filter(pl.col(count).is_not_null() & pl.col(days).is_not_null())
    if known.height and (not known[count].dtype.is_numeric() or (known[count] < 0).any() or (known[count] % 1 != 0).any()):
        raise UsageError(f"Column '{count}' must hold whole numbers from 0 on.")
    if known.height and (not known[days].dtype.is_numeric() or (known[days] < 0).any()):
        raise UsageError(f"Column '{days}' must hold numbers of days from 0 on.")
    known = known.filter(pl.col(days) > 0) if known.height else known
    frame = canonical(known, [count, days, *(term.column for term in terms)])
    y = frame[count].cast(pl.Int64).to_numpy()
    log_years = np.log(frame[days].cast(pl.Float64).to_numpy() / DAYS_A_YEAR)
    words = Words(event="relapse" if count == "relapses" else f"of {count}", plural=count)
    dispersions: list[float] = []

    def fit(design: Design) -> Fit:
        found, dispersion = _negative_binomial(y[design.rows], log_years[design.rows], design.x)
        dispersions.append(dispersion)
        return found

    def told(shown: str) -> tuple[str, ...]:
        if not dispersions:
            return ()
        dispersion = dispersions.pop()
        if dispersion == 0:
            return (f"Model '{shown}': counts vary no more than a Poisson law says, so the dispersion is 0 and this is a Poisson model.",)
        return (
            f"Model '{shown}': the dispersion is {dispersion:.3g}, so a count with mean m has the variance m + {dispersion:.3g} m squared.",
        )

    return fit_models(
        frame,
        terms,
        y,
        fit,
        words,
        title=f"Rate ratios of {count}",
        method=(
            "Rate ratios are from negative binomial regression (NB2) with the logarithm of person-years as offset; the dispersion was "
            "fitted by maximum likelihood. Limits (95 %) and p values are Wald's."
        ),
        scale="rate ratio",
        outcome=count,
        model=model,
        univariable=univariable,
        notes=_left_out(counts.height - known.height, counts.height, f"a value of '{count}' or days of observation in '{days}'"),
        told=told,
    )


def logistic(people: pl.DataFrame, outcome: str, terms: Sequence[Term], *, model: str = "adjusted", univariable: bool = False) -> Effects:
    """Return odds ratios of a logistic model of a True/False column of `people`, one row a person.

    Fitted by maximum likelihood without any penalty; limits (95 %) and p are Wald's. Where a level, or a combination of terms,
    separates those with the outcome from those without, there is no finite estimate: it is null and `why` says so. People without an
    outcome or without a value of a term are left out. With `univariable` each term is fitted alone as well. Raises UsageError for
    columns that do not exist, and where the outcome is not True/False. Equals R `glm(family = binomial)`.
    """
    for name in (outcome, *(term.column for term in terms)):
        need_column(people, name)
    if people[outcome].dtype not in (pl.Boolean, pl.Null):
        raise UsageError(f"The outcome '{outcome}' must be a column of True/False; it is {people[outcome].dtype}.")
    known = people.filter(pl.col(outcome).is_not_null())
    frame = canonical(known, [outcome, *(term.column for term in terms)])
    y = frame[outcome].cast(pl.Boolean).to_numpy()

    def fit(design: Design) -> Fit:
        return _logistic(y[design.rows], design.x)

    return fit_models(
        frame,
        terms,
        y.astype(np.int64),
        fit,
        Words(event="outcome", plural="outcomes", needs_both=True),
        title=f"Odds ratios of {outcome}",
        method="Odds ratios are from logistic regression by maximum likelihood. Limits (95 %) and p values are Wald's.",
        scale="odds ratio",
        outcome=outcome,
        model=model,
        univariable=univariable,
        notes=_left_out(people.height - known.height, people.height, f"a value of '{outcome}'"),
    )


def _left_out(n: int, out_of: int, what: str) -> tuple[str, ...]:
    everyone = counted(out_of, "person", "people")
    return (f"{n:,} of {everyone} {agreed(n, 'lacks', 'lack')} {what} and {agreed(n, 'is', 'are')} left out.",) if n else ()


def _prepared(x: Floats) -> tuple[Floats, Floats]:
    """Return a constant and the columns centred and of one size, (n, k + 1), and what they were divided by, (k,)."""
    size = spread(x)
    return np.column_stack([np.ones(x.shape[0]), (x - x.mean(axis=0)) / size]), size


def _fit_of(result: Any, size: Floats) -> Fit:
    """Return coefficients of the terms; one for which a further Newton step is still long runs to infinity."""
    beta, variance = np.asarray(result.params, dtype=np.float64), np.asarray(result.cov_params(), dtype=np.float64)
    with np.errstate(all="ignore"):
        step = np.abs(variance @ np.asarray(result.model.score(result.params), dtype=np.float64))
    diverging = ~np.isfinite(beta) | ~np.isfinite(step) | (step > STEP_THAT_DIVERGES * (1 + np.abs(beta)))
    return Fit(beta[1:] / size, variance[1:, 1:] / np.outer(size, size), diverging[1:])


def _glm(y: NDArray[Any], design: Floats, family: Any, offset: Floats | None = None) -> Any:
    import statsmodels.api as sm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = sm.GLM(y.astype(np.float64), design, family=family, offset=offset)
            return model.fit(maxiter=MOST_ITERATIONS, tol=STILL)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise NoEstimate(f"the model could not be fitted ({error})") from error


def _logistic(y: NDArray[np.bool_], x: Floats) -> Fit:
    import statsmodels.api as sm

    design, size = _prepared(x)
    return _fit_of(_glm(y, design, sm.families.Binomial()), size)


def _negative_binomial(y: NDArray[np.int64], log_years: Floats, x: Floats) -> tuple[Fit, float]:
    """Return the coefficients of an NB2 model and its dispersion."""
    import statsmodels.api as sm
    from statsmodels.discrete.discrete_model import NegativeBinomial

    design, size = _prepared(x)
    if y.size <= design.shape[1]:
        known = counted(y.size, "person", "people")
        raise NoEstimate(f"the model has {counted(design.shape[1], 'coefficient')}, the constant included, and only {known}")
    poisson = _glm(y, design, sm.families.Poisson(), log_years)
    mean = np.asarray(poisson.fittedvalues, dtype=np.float64)
    # Half of this is the slope of the likelihood at dispersion 0; where it does not rise from there, 0 is the estimate.
    excess = float(((y - mean) ** 2 - y).sum())
    if excess <= 0:
        return _fit_of(poisson, size), 0.0
    start = np.append(np.asarray(poisson.params), max(excess / float((mean**2).sum()), 1e-3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = NegativeBinomial(y, design, loglike_method="nb2", offset=log_years)
            rough = model.fit(start_params=start, method="bfgs", maxiter=500, disp=0, skip_hessian=True)
            dispersion = float(rough.params[-1])
            fine = model.fit(start_params=rough.params, method="newton", maxiter=50, tol=1e-12, disp=0, skip_hessian=True)
            if np.isfinite(fine.params).all() and fine.llf >= rough.llf - 1e-9 and fine.params[-1] > 0:
                dispersion = float(fine.params[-1])
            slope = np.abs(np.asarray(model.score(np.append(np.asarray(fine.params[:-1]), dispersion))))
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise NoEstimate(f"the negative binomial model could not be fitted ({error})") from error
    # 1e-3 of a unit of log likelihood a unit of dispersion: measured at 1e-8 where the iterations end well.
    if not np.isfinite(slope).all() or slope.max() > 1e-3 or dispersion <= 0:
        raise NoEstimate("the negative binomial model did not settle on a dispersion")
    return _fit_of(_glm(y, design, sm.families.NegativeBinomial(alpha=dispersion), log_years), size), dispersion
