"""Rates with exact limits against R (tests/golden/rates.R) and by hand; shares against the Wilson interval of `Proportion`."""

from __future__ import annotations

import polars as pl
import pytest
from golden.data import episodes, golden, outcome, relapses, worsening

from smoulder.analysis import incidence_rates, recurrent_rates, shares
from smoulder.analysis.library import poisson_limits
from smoulder.errors import UsageError
from smoulder.events import Proportion


def test_exact_limits_are_r() -> None:
    for row in golden("rates.csv").to_dicts():
        lower, upper = poisson_limits(row["events"], row["years"])
        # survival's limits, to rounding; base R's poisson.test is the same law by another route, and agrees as far.
        assert (lower, upper) == pytest.approx((row["ci_lower"], row["ci_upper"]), rel=1e-10)
        assert (lower, upper) == pytest.approx((row["lower"], row["upper"]), rel=1e-10)


def test_rates_of_groups() -> None:
    everyone = worsening()
    ours = incidence_rates(everyone, by="arm").table
    assert ours["group"].to_list() == ["placebo", "low", "high"]
    for row in ours.to_dicts():
        mask = (everyone.people["arm"] == row["group"]).to_numpy()
        years = int(everyone.time[mask].sum()) / 365.25
        events = int((everyone.cause[mask] == 1).sum())
        assert (row["people"], row["events"]) == (int(mask.sum()), events)
        assert row["person_years"] == pytest.approx(years, rel=1e-12)
        assert row["rate"] == pytest.approx(100 * events / years, rel=1e-12)
        assert row["lower"] < row["rate"] < row["upper"]
    assert ours["events"].sum() == incidence_rates(everyone).table["events"].item()


def test_several_outcomes_and_no_event() -> None:
    none = outcome([365, 366], [0, 0])
    table = incidence_rates([none, worsening()]).table
    assert table["what"].to_list() == ["first worsening", "first worsening"]
    zero = table.row(0, named=True)
    # 731 days are 2.001369 years; the exact upper limit of no events is -log(0.025) a person-time (Garwood).
    assert (zero["events"], zero["rate"], zero["lower"]) == (0, 0.0, 0.0)
    assert zero["upper"] == pytest.approx(100 * 3.6888794541139363 / (731 / 365.25), rel=1e-12)


def test_repeated_events_count_where_they_fall() -> None:
    made = episodes(
        [("a", 0, 100, True), ("a", 100, 200, True), ("a", 200, 465, False), ("b", 0, 365, True)],
        arm=["old", "new", "new", "old"],
    )
    table = recurrent_rates(made, by="arm").table
    assert table.select("group", "people", "events", "person_years").rows() == [
        ("new", 1, 1, 365 / 365.25),
        ("old", 2, 2, 465 / 365.25),
    ]
    found = recurrent_rates(relapses())
    assert found.table["events"].item() == relapses().n_events
    assert any("Poisson count" in note for note in found.notes)


def test_people_without_a_group_are_told() -> None:
    made = episodes([("a", 0, 10, True), ("b", 0, 10, False)], arm=["old", None])
    assert (
        recurrent_rates(made, by="arm").notes[0]
        == "1 person without a value of 'arm', in some or all episodes, is in no group for that time."
    )
    assert incidence_rates(outcome([5, 6], [1, 0], arm=["x", None]), by="arm").notes == (
        "1 person without a value of 'arm' is in no group.",
    )


def test_shares_are_wilsons() -> None:
    found = shares([("all", "PIRA", 44, 184, 512.5), ("none", "PIRA", 0, 0, 0.0)], "PIRA")
    first, second = found.table.to_dicts()
    assert (first["n"], first["out_of"], first["person_years"]) == (44, 184, 512.5)
    assert (first["lower"], first["upper"]) == Proportion(numerator=44, denominator=184).interval
    assert (second["share"], second["lower"], second["upper"]) == (None, None, None)
    assert found.notes == ("There is no share for 'PIRA' in 'none': nobody could have it.",)
    with pytest.raises(UsageError, match="3 of 2"):
        shares([("all", "PIRA", 3, 2, None)], "PIRA")


def test_shares_are_rs() -> None:
    for row in golden("rates_shares.csv").to_dicts():
        ours = shares([("all", "x", row["n"], row["out_of"], None)], "x").table.row(0, named=True)
        # R's file has 15 digits.
        assert (ours["lower"], ours["upper"]) == pytest.approx((row["lower"], row["upper"]), rel=1e-12, abs=1e-15)


def test_no_person_years_no_rate() -> None:
    row = incidence_rates(outcome([], [])).table.row(0, named=True)
    assert row["rate"] is None and row["upper"] is None
    assert row["why"] == "There are no person-years, so there is no rate."
    assert incidence_rates(outcome([], [], arm=[]), by="arm").table.schema["rate"] == pl.Float64
