"""Interval-censored survival against npsurv and R survival (tests/golden/intervals.R), and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from golden.data import TERMS, compare, golden, outcome, worsening

from smoulder.analysis import interval_regression, interval_survival, kaplan_meier
from smoulder.analysis.intervals import npmle
from smoulder.errors import UsageError
from smoulder.estimates import Term


@pytest.mark.parametrize("group", ["all", "placebo", "low", "high"])
def test_the_nonparametric_estimate_is_npsurvs(group: str) -> None:
    made = worsening()
    made = made if group == "all" else made.only((made.people["arm"] == group).to_numpy())
    ours = npmle(made.free, made.time, made.event)
    theirs = golden("intervals_npsurv.csv").filter(pl.col("group") == group)
    total = np.concatenate([[0.0], np.cumsum(ours.mass)])
    left = np.where(made.event, made.free, made.time)
    right = np.where(made.event, made.time, made.time.max() + 1)
    shares = total[np.searchsorted(ours.end, right, side="right")] - total[np.searchsorted(ours.start, left)]
    # Both stop within 1e-9 a person of the largest likelihood; ours must not be below theirs.
    assert float(np.log(shares).sum()) == pytest.approx(theirs["ll"][0], abs=1e-6)
    for row in theirs.filter(pl.col("end").is_not_null()).to_dicts():
        at = ours.end <= row["end"]
        expected = theirs.filter(pl.col("end") <= row["end"])["mass"].sum()
        # Measured 6e-10; what the distance from the maximum leaves.
        assert float(ours.mass[at].sum()) == pytest.approx(expected, abs=1e-7)


def test_rs_survfit_is_near() -> None:
    # R's iterations end early: its shares are 0.0011 from the maximum here, npsurv's are not (the test above).
    ours = interval_survival(worsening()).table
    theirs = golden("intervals_survfit.csv")
    for row in ours.filter(pl.col("day") > 0).to_dicts():
        known = theirs.filter(pl.col("day") <= row["day"])
        if known.height:
            assert row["estimate"] == pytest.approx(known["estimate"][-1], abs=0.003)


def test_intervals_by_hand() -> None:
    # One visit schedule, 100 and 200 days: 2 of 5 had it by 100, 1 more by 200; the others are free at 200. Then it is 3/5 and 2/5.
    made = outcome([100, 100, 200, 200, 200], [1, 1, 1, 0, 0], free=[0, 0, 100, 200, 200])
    curve = interval_survival(made, at_days=(50, 100, 150, 200, 201))
    assert curve.table.select("day", "estimate").rows() == [(0, 1.0), (100, pytest.approx(0.6)), (200, pytest.approx(0.4))]
    assert curve.at_days["estimate"].to_list() == [1.0, pytest.approx(0.6), pytest.approx(0.6), pytest.approx(0.4), None]
    assert curve.table["lower"].null_count() == curve.table.height
    assert curve.quantiles["median_days"].item() == 200


def test_neighbouring_exact_days_stay_apart() -> None:
    # Known to the day, one event on day 10 and one on day 11: half are free after day 10.
    table = interval_survival(outcome([10, 11], [1, 1], free=[10, 11])).table
    assert table.select("day", "estimate").rows() == [(0, 1.0), (10, pytest.approx(0.5)), (11, pytest.approx(0, abs=1e-12))]


def test_exact_days_are_kaplan_meier() -> None:
    # With every event known to the day the estimate is Kaplan and Meier's.
    made = worsening()
    exact = outcome(made.time.tolist(), made.cause.tolist(), free=made.time.tolist())
    ours = interval_survival(exact).table
    km = kaplan_meier(exact).table
    for row in ours.filter(pl.col("day") > 0).to_dicts():
        # What the distance from the maximum leaves.
        assert row["estimate"] == pytest.approx(km.filter(pl.col("day") <= row["day"])["estimate"][-1], abs=1e-7)


@pytest.mark.parametrize("distribution", ["weibull", "exponential", "lognormal", "loglogistic"])
def test_interval_regression_is_r(distribution: str) -> None:
    theirs = golden("intervals_survreg.csv").filter(pl.col("model") == distribution)
    effects = interval_regression(worsening(), TERMS, distribution=distribution)  # type: ignore[arg-type]
    # R was asked for 1e-13, the library ends at 1e-9 of the likelihood.
    compare(effects.table, theirs, 1e-6)
    assert effects.scale == "time ratio"
    if distribution == "weibull":
        assert any(f"The scale is {theirs['scale'][0]:.4g}" in note for note in effects.notes)


def test_regression_on_exact_days_is_r() -> None:
    made = replace(worsening(), free=worsening().time)
    compare(interval_regression(made, TERMS).table, golden("intervals_survreg.csv").filter(pl.col("model") == "exact weibull"), 1e-6)


def test_regression_on_late_events_is_r() -> None:
    # Nobody has the event in the first 1,400 days: the library's own start, as R's, runs away from there.
    made = worsening()
    late = replace(made, time=made.time + np.int32(1400), free=made.free + np.int32(1400))
    compare(interval_regression(late, TERMS).table, golden("intervals_survreg.csv").filter(pl.col("model") == "late weibull"), 1e-6)


@pytest.mark.parametrize("distribution", ["weibull", "lognormal", "loglogistic"])
@pytest.mark.parametrize("seed", range(4))
def test_one_visit_for_all_does_not_tell_the_scale(distribution: str, seed: int) -> None:
    # Everyone has it by the only visit or is free at it: every scale is as likely, and a time ratio of 1 would be no result.
    values = np.random.default_rng(seed).normal(size=40).tolist()
    made = outcome([5] * 40, [1, 0] * 20, free=[0, 5] * 20, x=values)
    row = interval_regression(made, [Term(column="x", title="x")], distribution=distribution).table.row(0, named=True)  # type: ignore[arg-type]
    assert row["estimate"] is None
    assert "the scale of the model runs to 0" in row["why"].lower() or "did not end" in row["why"]


def test_visits_far_apart_do_not_hide_what_is_known() -> None:
    # 3,000 made-up people with Weibull times (shape 1.4, so a scale of 1 / 1.4), half of them with times longer by exp(0.5); seen every
    # 80 to 260 days. Read as happening at the visit, events come too late.
    random = np.random.default_rng(3)
    n = 3000
    longer = random.integers(0, 2, n)
    happens = 1200 * np.exp(0.5 * longer) * random.weibull(1.4, n)
    time, cause, free = [], [], []
    for k in range(n):
        visits = np.concatenate([[0], np.cumsum(random.integers(80, 260, 12))])
        visits = visits[: max(2, int((visits < random.integers(600, 1800)).sum()))]
        with_it = int((visits < happens[k]).sum())
        had = with_it < len(visits)
        time.append(int(visits[with_it] if had else visits[-1]))
        free.append(int(visits[with_it - 1] if had else visits[-1]))
        cause.append(int(had))
    made = outcome(time, cause, free=free, arm=["longer" if one else "as is" for one in longer])
    effects = interval_regression(made, [Term(column="arm", title="arm")])
    row = effects.table.row(0, named=True)
    assert row["lower"] < np.exp(0.5) < row["upper"]
    assert row["upper"] / row["lower"] < 1.25
    truth = float(np.mean([np.exp(-((730 / 1200 / np.exp(0.5 * arm)) ** 1.4)) for arm in (0, 1)]))
    between = interval_survival(made, at_days=[730]).at_days["estimate"].item()
    # Three standard errors: 0.01 each, from the scatter of twelve such cohorts.
    assert between == pytest.approx(truth, abs=0.03)
    assert kaplan_meier(made, at_days=[730]).at_days["estimate"].item() > between


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'weibull'"):
        interval_regression(worsening(), TERMS, distribution="weibul")  # type: ignore[arg-type]
