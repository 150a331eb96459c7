"""Intervals by resampling patients, where no formula serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smoulder.errors import UsageError

MOST_FAILURES = 0.05
"""Share of resamples without a value above which there is no interval: what is left would be a selection."""


class Bootstrapped(NamedTuple):
    """An estimate with its 95 % percentile interval; None where there is none."""

    estimate: float | None
    lower: float | None
    upper: float | None
    n_failed: int
    """Resamples in which the statistic had no value."""


def bootstrap(statistic: Callable[[NDArray[np.int64]], float | None], n_people: int, *, replicates: int = 2000, seed: int) -> Bootstrapped:
    """Return a statistic of people with its 95 % percentile interval (Efron and Tibshirani 1993, chapter 13).

    `statistic` takes how many times each person is there, (n_people,) whole numbers, all 1 for the estimate itself, and returns a
    number, or None where there is none. People are drawn with replacement `replicates` times; the same seed gives the same interval.
    There is no interval where more than 5 % of the resamples have no value, or where all have the same one (the data do
    not vary, which a bootstrap cannot see beyond). Raises UsageError for negative numbers of people or fewer than 100 replicates.

    >>> ages = np.array([20, 30, 40, 50])
    >>> bootstrap(lambda weights: float((weights * ages).sum() / weights.sum()), 4, seed=1).estimate
    35.0
    """
    if n_people < 0 or replicates < 100:
        raise UsageError(f"A bootstrap needs people and at least 100 replicates; got {n_people} and {replicates}.")
    estimate = statistic(np.ones(n_people, dtype=np.int64)) if n_people else None
    if estimate is None or not np.isfinite(estimate):
        return Bootstrapped(None, None, None, 0)
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    found = []
    for _ in range(replicates):
        value = statistic(np.bincount(random.integers(0, n_people, n_people), minlength=n_people))
        if value is not None and np.isfinite(value):
            found.append(float(value))
    n_failed = replicates - len(found)
    if n_failed > MOST_FAILURES * replicates or min(found) == max(found):
        return Bootstrapped(float(estimate), None, None, n_failed)
    lower, upper = np.quantile(np.array(found), [0.025, 0.975])
    return Bootstrapped(float(estimate), float(lower), float(upper), n_failed)


def share_among(numerators: ArrayLike, denominators: ArrayLike, *, replicates: int = 2000, seed: int) -> Bootstrapped:
    """Return the sum of `numerators` over the sum of `denominators`, with an interval by resampling patients.

    Both are (n,) counts a patient, such as PIRA events and worsening events: events of one patient go together, so a binomial interval
    over events would be too narrow. None where the denominators sum to 0. Raises UsageError where counts are negative or of different
    length.

    >>> share_among([1, 0, 2, 1], [1, 1, 2, 2], seed=1).estimate
    0.6666666666666666
    """
    upper, lower = np.asarray(numerators), np.asarray(denominators)
    if upper.shape != lower.shape or upper.ndim != 1:
        raise UsageError(f"A share needs one numerator and one denominator a patient; got {upper.shape} and {lower.shape}.")
    if upper.size and ((upper < 0).any() or (lower < 0).any() or (upper % 1 != 0).any() or (lower % 1 != 0).any()):
        raise UsageError("A share needs whole counts from 0 on, one a patient.")
    top, below = upper.astype(np.int64), lower.astype(np.int64)

    def statistic(weights: NDArray[np.int64]) -> float | None:
        total = int(weights @ below)
        return int(weights @ top) / total if total else None

    return bootstrap(statistic, top.size, replicates=replicates, seed=seed)
