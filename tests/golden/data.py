"""The cohorts of this folder as the nouns the statistics take, what R says of them, and small cohorts at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from smoulder.estimates import Episodes, SurvivalOutcome, Term

HERE = Path(__file__).parent
ARMS = pl.Enum(["placebo", "low", "high"])

ARM = Term(column="arm", title="arm")
SEX = Term(column="sex", title="sex")
AGE = Term(column="age", title="age", per=10, unit="years")
EDSS = Term(column="edss", title="EDSS", per=1, unit="points")
TERMS = (ARM, SEX, AGE, EDSS)


R_NAMES = {
    "armlow": ("arm", "low"),
    "armhigh": ("arm", "high"),
    "armnew": ("arm", "new"),
    "armnatalizumab": ("arm", "natalizumab"),
    "armnone": ("arm", "none"),
    "sexmale": ("sex", "male"),
    "I(age/10)": ("age", ""),
    "edss": ("EDSS", ""),
    "before": ("relapses before", ""),
    "treated": ("treatment", ""),
}
"""What R calls a coefficient, and the term and level it is of."""


def compare(ours: pl.DataFrame, theirs: pl.DataFrame, tolerance: float) -> None:
    """Assert that the effects of a model are R's: estimate, limits and p, to a relative tolerance."""
    found = {(row["term"], row["level"]): row for row in ours.to_dicts()}
    assert len(found) == theirs.height
    for row in theirs.to_dicts():
        mine = found[R_NAMES[row["name"].replace(" ", "")]]
        assert mine["why"] == ""
        for name in ("estimate", "lower", "upper", "p"):
            assert mine[name] == pytest.approx(row[name], rel=tolerance), (row["name"], name)


def golden(name: str) -> pl.DataFrame:
    """Return a table that R made; its first line says with what."""
    return pl.read_csv(HERE / name, comment_prefix="#", infer_schema_length=None)


def cohort() -> pl.DataFrame:
    return pl.read_csv(HERE / "survival.csv").with_columns(pl.col("arm").cast(ARMS))


def worsening(frame: pl.DataFrame | None = None) -> SurvivalOutcome:
    """Return the time to worsening of survival.csv, which treatment stops compete with."""
    frame = cohort() if frame is None else frame
    names = {0: "last visit", 1: "worsening", 2: "stop"}
    return SurvivalOutcome(
        name="first worsening",
        patients=frame["patient"],
        time=frame["time"].to_numpy().astype(np.int32),
        cause=frame["cause"].to_numpy().astype(np.int8),
        causes=("worsening", "stop"),
        reason=pl.Series([names[cause] for cause in frame["cause"].to_list()], dtype=pl.String),
        free=frame["free"].to_numpy().astype(np.int32),
        people=frame.select("patient", "arm", "sex", "age", "edss", "worse"),
    )


def relapses() -> Episodes:
    """Return the episodes of recurrent.csv."""
    frame = pl.read_csv(HERE / "recurrent.csv").with_columns(
        pl.col("start").cast(pl.Int32).alias("start_day"),
        pl.col("stop").cast(pl.Int32).alias("stop_day"),
        pl.col("event").cast(pl.Boolean),
        pl.col("arm").cast(pl.Enum(["old", "new"])),
    )
    table = frame.select("patient", "start_day", "stop_day", "event", "arm", "age", "treated").sort("patient", "start_day")
    return Episodes(name="relapses", table=table, recurrent=True)


def outcome(
    time: Sequence[int],
    cause: Sequence[int],
    *,
    free: Sequence[int] | None = None,
    causes: tuple[str, ...] = ("worsening", "stop"),
    **columns: Sequence[object],
) -> SurvivalOutcome:
    """Return a small outcome; columns are what is known of the people."""
    n = len(time)
    patients = pl.Series("patient", [f"p{k:03}" for k in range(n)], dtype=pl.String)
    free = free if free is not None else [day - 1 if happened == 1 else day for day, happened in zip(time, cause, strict=True)]
    return SurvivalOutcome(
        name="first worsening",
        patients=patients,
        time=np.array(time, dtype=np.int32),
        cause=np.array(cause, dtype=np.int8),
        causes=causes,
        reason=pl.Series("reason", ["last visit" if k == 0 else causes[k - 1] for k in cause], dtype=pl.String),
        free=np.array(free, dtype=np.int32),
        people=pl.DataFrame([patients, *(pl.Series(name, list(values)) for name, values in columns.items())]),
    )


def episodes(rows: Sequence[tuple[str, int, int, bool]], *, recurrent: bool = True, **columns: Sequence[object]) -> Episodes:
    """Return small episodes: patient, start, stop, event; columns are covariates."""
    schema = {"patient": pl.String, "start_day": pl.Int32, "stop_day": pl.Int32, "event": pl.Boolean}
    table = pl.DataFrame(list(rows), schema=schema, orient="row").hstack([pl.Series(name, list(v)) for name, v in columns.items()])
    return Episodes(name="relapses", table=table.sort("patient", "start_day"), recurrent=recurrent)
