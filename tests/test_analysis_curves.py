"""Kaplan-Meier, log-rank, restricted mean and Aalen-Johansen against R (tests/golden/curves.R), and by hand."""

from __future__ import annotations

import polars as pl
import pytest
from golden.data import golden, outcome, worsening

from smoulder.analysis import cumulative_incidence, kaplan_meier
from smoulder.errors import UsageError

# R's tables have 15 digits; the same arithmetic in another order of sums leaves rounding of about 1e-13.
CLOSE = 1e-11


def same(ours: pl.Series, theirs: pl.Series, *, tolerance: float = CLOSE) -> None:
    """Assert that two columns agree, also in where they are null."""
    mine, other = ours.cast(pl.Float64).to_list(), theirs.cast(pl.Float64).to_list()
    assert len(mine) == len(other)
    for k, (a, b) in enumerate(zip(mine, other, strict=True)):
        assert (a is None) == (b is None), (k, a, b)
        if a is not None:
            assert a == pytest.approx(b, rel=tolerance, abs=tolerance), k


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("day").cast(pl.Int64)).sort("group", "cause", "day")


@pytest.mark.parametrize("by", [None, "arm"])
def test_kaplan_meier_is_r(by: str | None) -> None:
    theirs = golden("curves_km.csv").filter((pl.col("group") == "all") == (by is None))
    ours = kaplan_meier(worsening(), by=by).table.filter(pl.col("day") > 0)
    theirs, ours = in_order(theirs), in_order(ours)
    assert ours["group"].to_list() == theirs["group"].to_list()
    for name in ("day", "at_risk", "events", "estimate"):
        same(ours[name], theirs[name])
    # R gives limits of 1 to 1 before the first event (standard error 0); we give none.
    has_limits = theirs["se"].cast(pl.Float64, strict=False).fill_null(0) > 0
    assert has_limits.sum() > 0.8 * theirs.height
    same(ours["lower"].filter(has_limits), theirs["lower"].filter(has_limits))
    same(ours["upper"].filter(has_limits), theirs["upper"].filter(has_limits))
    assert ours.filter(~has_limits)["lower"].null_count() == (~has_limits).sum()


def test_median_and_restricted_mean_are_r() -> None:
    theirs = golden("curves_quantiles.csv")
    default, at_500, everyone = theirs[:3], theirs[3:6], theirs[6:]
    for curve, expected in (
        (kaplan_meier(worsening(), by="arm"), default),
        (kaplan_meier(worsening(), by="arm", restricted_to_days=500), at_500),
        (kaplan_meier(worsening()), everyone),
    ):
        ours = curve.quantiles
        assert ours["group"].to_list() == expected["group"].to_list()
        pairs = [("n", "n"), ("events", "events"), ("median_days", "median"), ("lower_days", "lower"), ("upper_days", "upper")]
        pairs += [("restricted_to_days", "to"), ("restricted_mean_days", "rmean"), ("standard_error_days", "se")]
        for name, other in pairs:
            same(ours[name], expected[other])


def test_differences_of_restricted_means_are_those_of_their_parts() -> None:
    # By hand from R's means and errors: difference, its error as the root of the sum of squares, the normal p.
    theirs = golden("curves_quantiles.csv")[3:6].to_dicts()
    ours = kaplan_meier(worsening(), by="arm", restricted_to_days=500).differences.to_dicts()
    assert [(row["group"], row["against"], row["day"], row["what"]) for row in ours] == [
        ("low", "placebo", 500, "restricted mean"),
        ("high", "placebo", 500, "restricted mean"),
    ]
    for row, group in zip(ours, theirs[1:], strict=True):
        error = (group["se"] ** 2 + theirs[0]["se"] ** 2) ** 0.5
        assert row["difference"] == pytest.approx(group["rmean"] - theirs[0]["rmean"], rel=CLOSE)
        assert row["upper"] - row["lower"] == pytest.approx(2 * 1.959963984540054 * error, rel=CLOSE)
        assert (row["p"] < 0.05) == (abs(row["difference"]) > 1.959963984540054 * error)


@pytest.mark.parametrize("by", ["arm", "sex"])
def test_log_rank_is_r(by: str) -> None:
    (theirs,) = golden("curves_logrank.csv").filter(pl.col("by") == by).to_dicts()
    (ours,) = kaplan_meier(worsening(), by=by).tests.to_dicts()
    assert ours["test"] == "log-rank"
    assert ours["df"] == theirs["df"]
    assert ours["statistic"] == pytest.approx(theirs["statistic"], rel=CLOSE)
    assert ours["p"] == pytest.approx(theirs["p"], rel=CLOSE)


@pytest.mark.parametrize("by", [None, "arm"])
def test_aalen_johansen_is_r(by: str | None) -> None:
    theirs = golden("curves_aj.csv").filter((pl.col("group") == "all") == (by is None))
    ours = cumulative_incidence(worsening(), by=by).table.filter(pl.col("day") > 0)
    theirs, ours = in_order(theirs), in_order(ours)
    assert ours["group"].to_list() == theirs["group"].to_list()
    assert ours["cause"].to_list() == theirs["cause"].to_list()
    for name in ("day", "at_risk", "events", "estimate"):
        same(ours[name], theirs[name])
    has_limits = theirs["se"].cast(pl.Float64, strict=False).fill_null(0) > 0
    same(ours["lower"].filter(has_limits), theirs["lower"].filter(has_limits))
    same(ours["upper"].filter(has_limits), theirs["upper"].filter(has_limits))
    assert ours.filter(~has_limits)["lower"].null_count() == (~has_limits).sum()


def test_aalen_johansen_without_censoring_is_r() -> None:
    # Nobody censored: the smallest cause must not be taken for the censored.
    everyone = worsening()
    theirs = in_order(golden("curves_aj_uncensored.csv"))
    ours = in_order(cumulative_incidence(everyone.only(everyone.cause > 0)).table.filter(pl.col("day") > 0))
    for name in ("day", "at_risk", "events", "estimate"):
        same(ours[name], theirs[name])
    has_limits = theirs["se"].cast(pl.Float64, strict=False).fill_null(0) > 0
    same(ours["lower"].filter(has_limits), theirs["lower"].filter(has_limits))
    assert ours["estimate"].max() == pytest.approx(99 / 143)


def test_aalen_johansen_is_cmprsk_too() -> None:
    ours = cumulative_incidence(worsening(), by="arm", at_days=(182, 365, 730)).at_days
    names = {"1": "worsening", "2": "stop"}
    for row in golden("curves_cuminc.csv").to_dicts():
        group, cause = row["curve"].split()
        found = ours.filter((pl.col("group") == group) & (pl.col("cause") == names[cause]) & (pl.col("day") == row["day"]))
        assert found["estimate"].item() == pytest.approx(row["estimate"], rel=CLOSE)


def test_the_people_of_a_curve_add_up() -> None:
    everyone = worsening()
    for curve in (kaplan_meier(everyone, by="arm"), cumulative_incidence(everyone, by="arm")):
        for (group,), part in curve.table.filter(pl.col("cause") == "worsening").group_by("group", maintain_order=True):
            others = 0 if curve.kind == "survival" else int((everyone.cause[everyone.people["arm"] == group] == 2).sum())
            assert part["events"].sum() + part["censored"].sum() + others == part["at_risk"][0]
            assert part["day"][0] == 0
            assert part["at_risk"].is_sorted(descending=True)


def test_days_asked_for() -> None:
    # By hand: 4 people, events at 10 and 30, censored at 20 and 40.
    made = outcome([10, 20, 30, 40], [1, 0, 1, 0], arm=["a"] * 4)
    read = kaplan_meier(made, at_days=(50, 10, 9, 0, 20, 21, 40)).at_days
    assert read.select("day", "at_risk", "estimate").rows() == [
        (0, 4, 1.0),
        (9, 4, 1.0),
        (10, 4, 0.75),
        (20, 3, 0.75),
        (21, 2, 0.75),
        (40, 1, 0.375),
        (50, 0, None),
    ]
    incidence = cumulative_incidence(outcome([10, 20, 30, 40], [1, 2, 1, 0]), at_days=(25, 40, 41)).at_days
    assert incidence.select("cause", "day", "at_risk", "estimate").rows() == [
        ("worsening", 25, 2, 0.25),
        ("worsening", 40, 1, 0.5),
        ("worsening", 41, 0, None),
        ("stop", 25, 2, 0.25),
        ("stop", 40, 1, 0.25),
        ("stop", 41, 0, None),
    ]


def test_competing_events_and_missing_groups_are_told() -> None:
    curve = kaplan_meier(worsening(), by="sex")
    assert any("44 people with a competing event, stop (44), were taken as censored" in note for note in curve.notes)
    assert any("without a value of 'sex' are in no group" in note for note in curve.notes)
    assert not any("competing" in note for note in cumulative_incidence(worsening()).notes)
    assert any("Fine-Gray" in note for note in cumulative_incidence(worsening(), by="arm").notes)


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="no column 'am'; did you mean 'arm'"):
        kaplan_meier(worsening(), by="am")
    with pytest.raises(UsageError, match="whole days"):
        kaplan_meier(worsening(), at_days=(-1,))
    with pytest.raises(UsageError, match="above 0"):
        kaplan_meier(worsening(), restricted_to_days=0)


def test_no_restricted_mean_beyond_what_was_seen() -> None:
    made = outcome([100, 200, 50, 60], [1, 0, 1, 1], arm=["a", "a", "b", "b"])
    curve = kaplan_meier(made, by="arm", restricted_to_days=150)
    # In b everyone had the event by day 60, so the mean to day 150 is known: (50 + 60) / 2.
    assert curve.quantiles["restricted_mean_days"].to_list() == pytest.approx([125, 55])
    curve = kaplan_meier(made, by="arm", restricted_to_days=300)
    assert curve.quantiles["restricted_mean_days"].to_list() == [None, 55]
    assert curve.differences["difference"].to_list() == [None]
    assert any("no restricted mean to day 300 in 'a'" in note for note in curve.notes)
