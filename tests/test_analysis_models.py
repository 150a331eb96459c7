"""Negative binomial and logistic models against R (tests/golden/models.R), and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from golden.data import AGE, ARM, HERE, TERMS, cohort, compare, golden

from smoulder.analysis import logistic, relapse_rate_model
from smoulder.errors import UsageError
from smoulder.estimates import Term

# R was asked to iterate to 1e-14, we stop at 1e-12 of the deviance; measured differences below 1e-9.
CLOSE = 1e-7

COUNT_TERMS = (ARM, AGE, Term(column="before", title="relapses before", per=1))


def counts() -> pl.DataFrame:
    return pl.read_csv(HERE / "counts.csv")


@pytest.mark.parametrize("model", ["adjusted", "arm alone"])
def test_relapse_rates_are_rs_glm_nb(model: str) -> None:
    theirs = golden("models_glmnb.csv").filter(pl.col("model") == model)
    effects = relapse_rate_model(counts(), COUNT_TERMS if model == "adjusted" else [ARM])
    compare(effects.table, theirs, CLOSE)
    assert effects.scale == "rate ratio"
    dispersion = 1 / theirs["theta"][0]
    assert any(f"the dispersion is {dispersion:.3g}" in note for note in effects.notes)


def test_logistic_is_rs_glm() -> None:
    effects = logistic(cohort(), "worse", TERMS)
    compare(effects.table, golden("models_logistic.csv"), CLOSE)
    assert effects.scale == "odds ratio"
    assert effects.checks.height == 0


def test_each_term_alone() -> None:
    table = logistic(cohort(), "worse", TERMS, univariable=True).table
    alone = table.filter((pl.col("model") == "each alone") & (pl.col("term") == "sex")).row(0, named=True)
    # An odds ratio of one yes/no term is that of the two by two table.
    full = cohort().drop_nulls("sex")
    cells = {
        (sex, worse): full.filter((pl.col("sex") == sex) & (pl.col("worse") == worse)).height
        for sex in ("male", "female")
        for worse in (True, False)
    }
    odds = cells["male", True] * cells["female", False] / (cells["male", False] * cells["female", True])
    assert alone["estimate"] == pytest.approx(odds, rel=CLOSE)
    # Woolf's standard error.
    error = math.sqrt(sum(1 / n for n in cells.values()))
    assert math.log(alone["upper"] / alone["lower"]) == pytest.approx(2 * 1.959963984540054 * error, rel=CLOSE)
    assert alone["n"] == cells["male", True] + cells["male", False]
    assert alone["events"] == cells["male", True]


def test_counts_that_do_not_scatter_are_poisson() -> None:
    # Everyone with one relapse in one year or two in two: less scatter than Poisson, so the dispersion is 0 and the rate ratio is crude.
    frame = pl.DataFrame({"arm": ["a", "a", "b", "b"] * 5, "relapses": [1, 2, 2, 2] * 5, "days": [365, 730, 365, 365] * 5})
    effects = relapse_rate_model(frame, [ARM])
    assert effects.table["estimate"].item() == pytest.approx((20 / 10) / (15 / 15), rel=CLOSE)
    # The error of a log ratio of two Poisson counts, 15 and 20.
    assert math.log(effects.table["upper"].item() / effects.table["lower"].item()) == pytest.approx(
        2 * 1.959963984540054 * math.sqrt(1 / 15 + 1 / 20), rel=CLOSE
    )
    assert any("Poisson model" in note for note in effects.notes)


def test_separation_is_found() -> None:
    random = np.random.default_rng(5)
    n = 80
    score = random.normal(size=n)
    base = pl.DataFrame({"score": score, "other": random.normal(size=n), "arm": ["a", "b", "c", "d"] * (n // 4)})
    complete = base.with_columns((pl.col("score") > 0.2).alias("worse"))
    table = logistic(complete, "worse", [Term(column="score", title="score"), Term(column="other", title="other")]).table
    assert table["estimate"].to_list() == [None, None]
    assert "separation" in table["why"][0]
    assert "'score'" in table["why"][1] or "separation" in table["why"][1]
    # Quasi-complete: among those below the cut nobody has it, above it only some.
    quasi = base.with_columns(((pl.col("score") > 0.2) & (pl.col("other") > 0)).alias("worse"), (pl.col("score") > 0.2).alias("above"))
    row = logistic(quasi, "worse", [Term(column="above", title="above"), Term(column="other", title="other")]).table.row(0, named=True)
    assert row["estimate"] is None
    assert row["why"] == "No estimate against 'no': no outcome among them."
    # Separation by no single term: their sum decides.
    joint = base.with_columns((pl.col("score") + pl.col("other") > 0.1).alias("worse"))
    table = logistic(joint, "worse", [Term(column="score", title="score"), Term(column="other", title="other")]).table
    assert table["estimate"].to_list() == [None, None]
    assert all("separation" in why for why in table["why"])


def test_levels_with_all_or_none_have_no_estimate_and_the_others_do() -> None:
    # a: 5 of 10; b: 0 of 10; c: 10 of 10; d: 2 of 10.
    worse = [k < 5 for k in range(10)] + [False] * 10 + [True] * 10 + [k < 2 for k in range(10)]
    frame = pl.DataFrame({"arm": ["a"] * 10 + ["b"] * 10 + ["c"] * 10 + ["d"] * 10, "worse": worse})
    effects = logistic(frame, "worse", [ARM])
    rows = {row["level"]: row for row in effects.table.to_dicts()}
    assert rows["b"]["estimate"] is None and rows["b"]["why"] == "No estimate for 'b': no outcome among them."
    assert rows["c"]["estimate"] is None and rows["c"]["why"] == "No estimate for 'c': all of them have the outcome."
    assert rows["d"]["estimate"] == pytest.approx((2 / 8) / (5 / 5), rel=CLOSE)
    assert (rows["b"]["n"], rows["b"]["events"], rows["c"]["events"]) == (10, 0, 10)
    assert any("20 people in levels without an estimate say nothing" in note for note in effects.notes)


def test_people_left_out_are_counted() -> None:
    frame = counts().with_columns(pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise(pl.col("relapses")).alias("relapses"))
    notes = relapse_rate_model(frame, [ARM]).notes
    assert notes[0] == "3 of 200 people lack a value of 'relapses' or days of observation in 'days' and are left out."
    assert relapse_rate_model(frame, [ARM]).table["n"].sum() < 200


def test_the_order_of_rows_changes_nothing() -> None:
    for seed in (1, 2):
        mixed = counts().sample(fraction=1, shuffle=True, seed=seed)
        assert relapse_rate_model(mixed, COUNT_TERMS).table.equals(relapse_rate_model(counts(), COUNT_TERMS).table)
        assert logistic(cohort().sample(fraction=1, shuffle=True, seed=seed), "worse", TERMS).table.equals(
            logistic(cohort(), "worse", TERMS).table
        )


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="True/False"):
        logistic(cohort(), "age", [ARM])
    with pytest.raises(UsageError, match="whole numbers"):
        relapse_rate_model(counts().with_columns(pl.lit(1.5).alias("relapses")), [ARM])
    with pytest.raises(UsageError, match="numbers of days"):
        relapse_rate_model(counts().with_columns(pl.lit(-1).alias("days")), [ARM])
    with pytest.raises(UsageError, match="no column 'relapse'; did you mean 'relapses'"):
        relapse_rate_model(counts(), [ARM], count="relapse")
