"""Cohorts at the edge (heavy ties, a few days, tiny groups, few events, late entry, gaps) against R (tests/golden/random.R)."""

from __future__ import annotations

import math

import polars as pl
import pytest
from golden.data import golden

from smoulder.analysis import andersen_gill, cox, cumulative_incidence, fine_gray, interval_regression, kaplan_meier, mean_cumulative
from smoulder.estimates import Effects, Episodes, SurvivalOutcome, Term

TERMS = [Term(column="arm", title="arm"), Term(column="age", title="age"), Term(column="edss", title="edss")]
PEOPLE, EPISODES, RESULTS = golden("random.csv"), golden("random_episodes.csv"), golden("random_results.csv")
COHORTS = RESULTS["cohort"].unique(maintain_order=True).to_list()
Z = 1.959963984540054

# Sums of the same terms in another order leave less than 1e-13; Newton's iterations end at a relative change of the likelihood of 1e-9
# and are then much nearer: coefficients and errors were measured to agree to 1e-10 of an error, one of survreg to 1e-8.
EXACT, ITERATED, SURVREG = 1e-11, 1e-8, 1e-7


def said(cohort: str, what: str) -> dict[str, float]:
    rows = RESULTS.filter((pl.col("cohort") == cohort) & (pl.col("what") == what)).select("key", "value").iter_rows()
    return {"" if key is None else key: value for key, value in rows}


def people(cohort: str) -> SurvivalOutcome:
    frame = PEOPLE.filter(pl.col("cohort") == cohort)
    return SurvivalOutcome(
        name="first worsening",
        patients=frame["patient"],
        time=frame["time"].cast(pl.Int32).to_numpy(),
        cause=frame["cause"].cast(pl.Int8).to_numpy(),
        causes=("worsening", "stop"),
        reason=pl.Series(["made up"] * frame.height),
        free=frame["free"].cast(pl.Int32).to_numpy(),
        people=frame.select("patient", "arm", "age", "edss"),
    )


def episodes(cohort: str) -> Episodes:
    frame = EPISODES.filter(pl.col("cohort") == cohort).select(
        "patient",
        pl.col("start").cast(pl.Int32).alias("start_day"),
        pl.col("stop").cast(pl.Int32).alias("stop_day"),
        pl.col("event").cast(pl.Boolean),
        "arm",
        "age",
        "changing",
    )
    return Episodes(name="relapses", table=frame.sort("patient", "start_day"), recurrent=True)


def same_effects(effects: Effects, theirs: dict[str, float], tolerance: float) -> None:
    """Assert that each coefficient is R's within a share of its standard error, and so is that error; levels R left out have none."""
    found = {}
    for row in effects.table.to_dicts():
        if row["estimate"] is None:
            assert "no event among them" in row["why"]
        else:
            found[f"{row['term']}{row['level']}"] = row
    assert {f"{name} {kind}" for name in found for kind in ("coef", "se")} == set(theirs)
    for name, row in found.items():
        error = theirs[f"{name} se"]
        assert math.log(row["estimate"]) == pytest.approx(theirs[f"{name} coef"], abs=tolerance * error)
        assert math.log(row["upper"] / row["lower"]) / (2 * Z) == pytest.approx(error, rel=tolerance)


@pytest.mark.parametrize("cohort", COHORTS)
def test_kaplan_meier(cohort: str) -> None:
    theirs = said(cohort, "km")
    days = sorted({int(key.split()[0]) for key in theirs if "at_risk" in key})
    curve = kaplan_meier(people(cohort), at_days=days, restricted_to_days=days[-1])
    for row in curve.at_days.to_dicts():
        assert row["at_risk"] == theirs[f"{row['day']} at_risk"]
        assert row["estimate"] == pytest.approx(theirs[f"{row['day']} estimate"], abs=EXACT)
    summary = curve.quantiles.row(0, named=True)
    assert summary["median_days"] == (None if theirs["median"] is None else pytest.approx(theirs["median"], rel=EXACT))
    assert summary["restricted_mean_days"] == pytest.approx(theirs["rmean"], rel=EXACT)
    assert summary["standard_error_days"] == pytest.approx(theirs["rmean se"], rel=EXACT)


@pytest.mark.parametrize("cohort", COHORTS)
def test_log_rank(cohort: str) -> None:
    tests = kaplan_meier(people(cohort), by="arm").tests
    assert tests["statistic"].item() == pytest.approx(said(cohort, "logrank")["chisq"], rel=EXACT)


@pytest.mark.parametrize("cohort", COHORTS)
def test_aalen_johansen(cohort: str) -> None:
    theirs = said(cohort, "aj")
    days = sorted({int(key.split()[1]) for key in theirs})
    compared = 0
    for row in cumulative_incidence(people(cohort), at_days=days).at_days.to_dicts():
        key = f"{1 if row['cause'] == 'worsening' else 2} {row['day']}"
        assert row["estimate"] == pytest.approx(theirs[f"{key} estimate"], abs=EXACT)
        if row["lower"] is None:
            # Before the first event R has limits of 0 to 0, or none.
            assert row["estimate"] == 0 or theirs[f"{key} lower"] is None
            continue
        compared += 1
        assert row["lower"] == pytest.approx(theirs[f"{key} lower"], abs=EXACT)
        assert row["upper"] == pytest.approx(theirs[f"{key} upper"], abs=EXACT)
    assert compared >= 3


@pytest.mark.parametrize("cohort", COHORTS)
def test_cox_and_proportional_hazards(cohort: str) -> None:
    effects = cox(people(cohort), TERMS)
    same_effects(effects, said(cohort, "cox"), ITERATED)
    checks = dict(effects.checks.select("term", "statistic").iter_rows())
    assert checks == pytest.approx(said(cohort, "zph"), rel=ITERATED)


@pytest.mark.parametrize("cohort", COHORTS)
def test_fine_gray(cohort: str) -> None:
    same_effects(fine_gray(people(cohort), TERMS), said(cohort, "finegray"), ITERATED)


@pytest.mark.parametrize("cohort", [cohort for cohort in COHORTS if cohort != "a few days"])
def test_interval_regression(cohort: str) -> None:
    same_effects(interval_regression(people(cohort), TERMS), said(cohort, "weibull"), SURVREG)


@pytest.mark.parametrize("cohort", COHORTS)
def test_andersen_gill_with_late_entry_and_gaps(cohort: str) -> None:
    terms = [TERMS[0], TERMS[1], Term(column="changing", title="changing")]
    same_effects(andersen_gill(episodes(cohort), terms), said(cohort, "andersen-gill"), ITERATED)


@pytest.mark.parametrize("cohort", COHORTS)
def test_mean_count_with_late_entry_and_gaps(cohort: str) -> None:
    theirs = said(cohort, "mean count")
    row = mean_cumulative(episodes(cohort), at_days=[int(theirs["day"])]).at_days.row(0, named=True)
    assert row["estimate"] == pytest.approx(theirs["estimate"], rel=EXACT)
    error = math.log(row["upper"] / row["lower"]) * row["estimate"] / (2 * Z)
    assert error == pytest.approx(theirs["se"], rel=1e-9)
