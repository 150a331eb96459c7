"""The bootstrap: reproducible, near the formulas where there are some, and silent where there is nothing to say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from smoulder.analysis import bootstrap, share_among
from smoulder.errors import UsageError


def test_the_interval_of_a_mean_is_near_the_formula() -> None:
    values = np.random.default_rng(11).normal(50, 10, 200)

    def mean(weights: NDArray[np.int64]) -> float:
        return float((weights * values).sum() / weights.sum())

    found = bootstrap(mean, 200, replicates=4000, seed=1)
    assert found.estimate == pytest.approx(values.mean(), rel=1e-12)
    assert found.lower is not None and found.upper is not None
    half = 1.96 * values.std() / math.sqrt(200)
    # Monte Carlo error of a percentile from 4,000 resamples: about 0.04 standard errors, so 4 of them are 8 % of the half width.
    assert found.lower == pytest.approx(values.mean() - half, abs=0.08 * half)
    assert found.upper == pytest.approx(values.mean() + half, abs=0.08 * half)
    assert bootstrap(mean, 200, replicates=4000, seed=1) == found
    assert bootstrap(mean, 200, replicates=4000, seed=2) != found


def test_every_weight_is_a_resample_of_people() -> None:
    seen: list[NDArray[np.int64]] = []

    def statistic(weights: NDArray[np.int64]) -> float:
        seen.append(weights)
        return float(weights[0])

    bootstrap(statistic, 30, replicates=100, seed=4)
    assert len(seen) == 101
    assert all(weights.shape == (30,) and weights.sum() == 30 and weights.min() >= 0 for weights in seen)
    assert (seen[0] == 1).all()


def test_events_of_one_patient_go_together() -> None:
    # 50 patients with four events each, all or none of a kind: 200 events, but only 50 independent people.
    kind = np.array([4, 0] * 25)
    together = share_among(kind, np.full(50, 4), seed=7)
    apart = share_among(np.array([1, 0] * 100), np.ones(200, dtype=int), seed=7)
    assert together.estimate == apart.estimate == 0.5
    assert together.lower is not None and together.upper is not None and apart.lower is not None and apart.upper is not None
    # Twice as wide, for a quarter of the people; the percentiles are good to about 5 %.
    assert (together.upper - together.lower) / (apart.upper - apart.lower) == pytest.approx(2, rel=0.1)


def test_nothing_to_say() -> None:
    assert share_among([], [], seed=1) == (None, None, None, 0)
    assert share_among([0, 0], [0, 0], seed=1) == (None, None, None, 0)
    # All events are of the kind: the share is 1, and resampling cannot say how sure that is.
    assert share_among([2, 1], [2, 1], seed=1) == (1.0, None, None, pytest.approx(0))
    # One of three patients has the only events: some 30 % of the resamples have none (8/27), and no interval is left.
    found = share_among([1, 0, 0], [2, 0, 0], replicates=3000, seed=1)
    assert (found.estimate, found.lower, found.upper) == (0.5, None, None)
    assert found.n_failed / 3000 == pytest.approx((2 / 3) ** 3, abs=0.03)  # three standard errors of a share of 3,000


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="one numerator"):
        share_among([1, 2], [1], seed=1)
    with pytest.raises(UsageError, match="whole counts"):
        share_among([-1], [1], seed=1)
    with pytest.raises(UsageError, match="100 replicates"):
        bootstrap(lambda weights: 1.0, 5, replicates=10, seed=1)
