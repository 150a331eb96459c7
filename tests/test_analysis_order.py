"""The order of the rows and the number of threads change no byte of any estimate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from golden.data import HERE, cohort, relapses, worsening
from test_analysis_impossible import ANALYSES

from smoulder.analysis import mean_cumulative, recurrent_rates, table_one
from smoulder.estimates import Curve, Effects, Episodes, Estimate, SurvivalOutcome, Term

OF_OUTCOMES = [name for name in ANALYSES if name not in ("table_one", "recurrent_rates", "mean_cumulative")]


def tables(found: Estimate) -> list[bytes]:
    """Return every table of an estimate and its sentences, as bytes."""
    parts = [found.table]
    if isinstance(found, Curve):
        parts += [found.quantiles, found.at_days, found.tests, found.differences]
    if isinstance(found, Effects):
        parts += [found.checks, found.references]
    return [*(part.serialize() for part in parts), "\n".join(found.notes).encode()]


def mixed(seed: int | None) -> pl.DataFrame:
    return cohort() if seed is None else cohort().sample(fraction=1, shuffle=True, seed=seed)


@pytest.mark.parametrize("analysis", OF_OUTCOMES)
def test_the_order_of_people_changes_no_byte(analysis: str) -> None:
    first = tables(ANALYSES[analysis](worsening(mixed(None))))  # type: ignore[arg-type]
    for seed in (1, 2):
        assert tables(ANALYSES[analysis](worsening(mixed(seed)))) == first  # type: ignore[arg-type]


def test_the_order_of_episodes_changes_no_byte() -> None:
    table = relapses().table
    other = Episodes(name="relapses", table=table.sample(fraction=1, shuffle=True, seed=3), recurrent=True)
    for analysis in (mean_cumulative, recurrent_rates):
        assert tables(analysis(relapses(), by="arm")) == tables(analysis(other, by="arm"))


def test_the_order_of_people_changes_no_byte_of_table_one() -> None:
    # Values whose sums depend on the order in the last bit.
    values = [0.1 * k + 1e-9 / (k + 1) for k in range(999)]
    people = pl.DataFrame({"patient": [f"p{k:03}" for k in range(999)], "z": values, "arm": ["a", "b", None] * 333})
    term = [Term(column="z", title="z"), Term(column="arm", title="arm")]
    first = tables(table_one(people, term, by="arm"))
    assert tables(table_one(people.sample(fraction=1, shuffle=True, seed=3), term, by="arm")) == first


PROGRAM = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from test_analysis_order import OF_OUTCOMES, large, tables
from test_analysis_impossible import ANALYSES
for name in OF_OUTCOMES:
    print(name, hashlib.sha256(b"".join(tables(ANALYSES[name](large())))).hexdigest())
"""


def large() -> SurvivalOutcome:
    """Return 2,400 people: those of survival.csv ten times, so that there is something to share among threads."""
    frame = pl.concat([cohort()] * 10)
    frame = frame.with_columns(
        patient=pl.Series([f"p{k:05}" for k in range(frame.height)]), edss=pl.col("edss") + pl.int_range(pl.len()) * 1e-3
    )
    return worsening(frame)


def test_the_number_of_threads_changes_no_byte() -> None:
    found = []
    for threads in ("1", "2"):
        names = ("RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        program = PROGRAM.format(tests=str(Path(HERE).parent))
        done = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | dict.fromkeys(names, threads), capture_output=True, text=True, check=True
        )
        found.append(done.stdout.splitlines())
    assert len(found[0]) == len(OF_OUTCOMES)
    assert found[0] == found[1]
