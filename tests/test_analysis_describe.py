"""Table 1 against R's mean, sd and quantile (tests/golden/models.R)."""

from __future__ import annotations

import polars as pl
import pytest
from golden.data import AGE, ARM, ARMS, EDSS, SEX, cohort, golden

from smoulder.analysis import table_one
from smoulder.errors import UsageError
from smoulder.estimates import Term


def test_numbers_are_rs() -> None:
    table = table_one(cohort(), [AGE], by="arm").table
    rows = {row["statistic"]: row for row in table.filter(pl.col("variable") == "age (years)").to_dicts()}
    for row in golden("models_age.csv").to_dicts():
        group = row["group"]
        assert rows["mean (SD)"][group] == f"{row['mean']:.1f} ({row['sd']:.1f})"
        assert rows["median (quartiles)"][group] == f"{row['median']:.1f} ({row['low']:.1f} to {row['high']:.1f})"
        size = 240 if group == "all" else 80
        assert int(rows["missing"][group]) == size - row["n"]


def test_groups_are_counted_with_what_they_are_out_of() -> None:
    found = table_one(cohort(), [SEX, EDSS], by="arm")
    assert found.table.columns == ["variable", "level", "statistic", "all", "placebo", "low", "high"]
    first = found.table.row(0, named=True)
    assert (first["variable"], first["all"], first["placebo"]) == ("people", "240/240 (100.0 %)", "80/240 (33.3 %)")
    known = cohort().drop_nulls("sex")
    n_female = known.filter(pl.col("sex") == "female").height
    female = found.table.filter((pl.col("variable") == "sex") & (pl.col("level") == "female"))
    assert female["all"].item() == f"{n_female}/{known.height} ({100 * n_female / known.height:.1f} %)"
    missing = found.table.filter(pl.col("statistic") == "missing")
    assert missing["variable"].to_list() == ["sex", "EDSS (points)"]
    assert missing["all"].to_list() == [str(240 - known.height), "0"]


def test_edges() -> None:
    frame = pl.DataFrame(
        {"patient": ["a"], "age": [40.0], "arm": pl.Series(["low"], dtype=ARMS), "mri": [True], "none": pl.Series([None], dtype=pl.Float64)}
    )
    table = table_one(frame, [Term(column=name, title=name) for name in ("age", "arm", "mri", "none")], by="arm").table
    cells = {(row["variable"], row["level"], row["statistic"]): row["low"] for row in table.to_dicts()}
    assert cells["age", "", "mean (SD)"] == "40.0 (–)"
    assert cells["arm", "placebo", "n (%)"] == "0/1 (0.0 %)"
    assert cells["mri", "yes", "n (%)"] == "1/1 (100.0 %)"
    assert cells["none", "", "median (quartiles)"] == "–"
    assert cells["none", "", "missing"] == "1"
    empty = table_one(frame.head(0), [AGE, ARM], by="arm")
    assert empty.table.columns == ["variable", "level", "statistic", "all"]
    assert empty.notes == ("There is nobody, so there is nothing to describe.",)


def test_small_numbers_keep_their_digits() -> None:
    frame = pl.DataFrame({"patient": list("abcd"), "z": [0.012, 0.034, 0.056, 0.018]})
    assert table_one(frame, [Term(column="z", title="z")]).table["all"][1] == "0.030 (0.020)"


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="infinite values"):
        table_one(pl.DataFrame({"patient": ["a", "b"], "z": [1.0, float("inf")]}), [Term(column="z", title="z")])
    with pytest.raises(UsageError, match="did you mean 'age'"):
        table_one(cohort(), [Term(column="agee", title="age")])
    with pytest.raises(UsageError, match="'all'"):
        table_one(cohort().with_columns(pl.lit("all").alias("centre")), [AGE], by="centre")
