"""The mean number of events against R's survfit and mets (tests/golden/recurrent.R), and by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest
from golden.data import episodes, golden, relapses

from smoulder.analysis import mean_cumulative
from smoulder.errors import UsageError
from smoulder.estimates import Episodes


@pytest.mark.parametrize("by", [None, "arm"])
def test_mean_count_is_r(by: str | None) -> None:
    theirs = golden("recurrent_mean.csv").filter((pl.col("group") == "all") == (by is None)).sort("group", "day")
    # R has a row also where an episode ends and nothing happens; we have none.
    theirs = theirs.filter((pl.col("events") > 0) | (pl.col("censored") > 0))
    ours = mean_cumulative(relapses(), by=by).table.filter(pl.col("day") > 0).sort("group", "day")
    for name in ("group", "at_risk", "events", "censored"):
        assert ours[name].to_list() == theirs[name].to_list()
    assert ours["day"].to_list() == [int(day) for day in theirs["day"].to_list()]
    for mine, row in zip(ours.to_dicts(), theirs.to_dicts(), strict=True):
        # Sums of the same terms in another order.
        assert mine["estimate"] == pytest.approx(row["estimate"], rel=1e-11, abs=1e-11)
        if row["se"] > 0:
            ratio = math.exp(1.959963984540054 * row["se"] / row["estimate"])
            assert mine["upper"] == pytest.approx(row["estimate"] * ratio, rel=1e-9)
            assert mine["lower"] == pytest.approx(row["estimate"] / ratio, rel=1e-9)
        else:
            assert mine["lower"] is None


def test_mean_count_is_mets_too() -> None:
    table = relapses().table
    own = table["patient"].rank("dense").cast(pl.Int32)
    # As the R script does: ties broken, because mets takes tied events one after the other.
    start = pl.when(table["start_day"] == 0).then(0).otherwise(table["start_day"] * 1000 + own).cast(pl.Int32)
    table = table.with_columns(start_day=start, stop_day=table["stop_day"] * 1000 + own)
    theirs = golden("recurrent_mets.csv")
    ours = mean_cumulative(Episodes(name="relapses", table=table, recurrent=True), at_days=theirs["step"].to_list()).at_days
    for mine, row in zip(ours.to_dicts(), theirs.to_dicts(), strict=True):
        assert mine["estimate"] == pytest.approx(row["estimate"], rel=1e-10)
        # The same Lawless-Nadeau variance by another program.
        error = math.log(mine["upper"] / mine["estimate"]) * mine["estimate"] / 1.959963984540054
        assert error == pytest.approx(row["se"], rel=1e-8)


def test_mean_count_by_hand() -> None:
    # a: events at 10 and 30, watched to 40; b: watched to 20; c: event at 30, watched to 30.
    made = episodes([("a", 0, 10, True), ("a", 10, 30, True), ("a", 30, 40, False), ("b", 0, 20, False), ("c", 0, 30, True)])
    curve = mean_cumulative(made, at_days=(0, 9, 10, 30, 35, 41))
    assert curve.kind == "mean count"
    assert curve.table.select("day", "at_risk", "events", "estimate").rows() == [
        (0, 3, 0, 0.0),
        (10, 3, 1, pytest.approx(1 / 3)),
        (20, 3, 0, pytest.approx(1 / 3)),
        (30, 2, 2, pytest.approx(4 / 3)),
        (40, 1, 0, pytest.approx(4 / 3)),
    ]
    assert curve.at_days.select("day", "at_risk", "estimate").rows() == [
        (0, 3, 0.0),
        (9, 3, 0.0),
        (10, 3, pytest.approx(1 / 3)),
        (30, 2, pytest.approx(4 / 3)),
        (35, 1, pytest.approx(4 / 3)),
        (41, 0, None),
    ]


def test_a_group_that_changes_is_refused() -> None:
    with pytest.raises(UsageError, match="'arm' changes within 1 person"):
        mean_cumulative(episodes([("a", 0, 10, True), ("a", 10, 20, False), ("b", 0, 5, True)], arm=["x", "y", "x"]), by="arm")
