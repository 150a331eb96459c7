"""Treatments, patients and MRI."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from smoulder.checks.rule import Rule, apply
from smoulder.errors import agreed, counted
from smoulder.findings import Finding
from smoulder.loaded import Loaded, Table
from smoulder.terms import plain_treatment


def other_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is wrong with the tables beside visits and relapses."""
    for name, rules in (("treatments", _treatment_rules), ("patients", _patient_rules), ("mri", _scan_rules)):
        table = loaded.tables.get(name)
        if table is not None:
            yield from apply(table, rules(table))
    if "treatments" in loaded.tables:
        yield from _open_before_another(loaded.tables["treatments"])


def _treatment_rules(table: Table) -> Iterator[Rule]:
    yield Rule(
        level="error",
        code="treatment-unnamed",
        column="treatment",
        broken=pl.col("treatment").is_null(),
        problem="{rows} {have} no name of the treatment.",
        advice="Write its name, or delete the rows.",
    )
    own = [name for name in ("patient", "treatment", "start_date", "end_date") if name in table.frame.columns]
    yield Rule(
        level="notice",
        code="treatment-twice",
        column="treatment",
        broken=pl.struct(own).is_duplicated() & ~pl.struct(own).is_first_distinct() & pl.col("patient").is_not_null(),
        problem="{rows} {have} the same treatment of the same patient and days again; it is kept once.",
        advice="Nothing to do.",
        readable_only=True,
    )
    if "end_date" in table.frame.columns:
        yield Rule(
            level="error",
            code="treatment-ends-early",
            column="end_date",
            broken=pl.col("end_date") < pl.col("start_date"),
            problem="{treatments} {have} an end before the start.",
            advice="Correct the two days.",
        )


def _open_before_another(table: Table) -> Iterator[Finding]:
    """Yield the warning about patients of whom a treatment has no end although a different one started later."""
    columns = {"at": pl.int_range(pl.len()), "patient": "patient", "name": "treatment", "start": "start_date"}
    names = {name: plain_treatment(name) for name in table.frame["treatment"].drop_nulls().unique()}
    rows = table.frame.select(**columns).with_columns(pl.col("name").replace(names))
    usable = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True) if table.faulty is None else ~table.faulty
    rows = rows.filter(usable).drop_nulls()
    is_open = "end_date" not in table.frame.columns or table.frame["end_date"].is_null().gather(rows["at"])
    latest = rows.group_by("patient", "name").agg(last=pl.col("start").max())
    before = (
        rows.filter(is_open)
        .join(latest, on="patient", suffix="_of_other")
        .filter(pl.col("name") != pl.col("name_of_other"), pl.col("last") > pl.col("start"))
    )
    if not before.height:
        return
    n = before["patient"].n_unique()
    yield table.finding(
        "warning",
        code="treatment-open",
        problem=f"{counted(n, 'patient')} {agreed(n, 'has', 'have')} a treatment with no end date, but another treatment started later. A "
        "study takes it to have lasted until the day before.",
        advice="Write its last day; where both were taken together, the last day of the one that ended first.",
        column="treatment",
        at=before["at"].unique().sort(),
    )


def _patient_rules(table: Table) -> Iterator[Rule]:
    yield Rule(
        level="error",
        code="patient-twice",
        column="patient",
        broken=pl.col("patient").is_duplicated() & pl.col("patient").is_not_null(),
        problem="{rows} {are} of patients with more than one row; the table has one row a patient.",
        advice="Keep one row for each.",
    )
    if {"relapses_recorded_from", "relapses_recorded_to"} <= set(table.frame.columns):
        yield Rule(
            level="error",
            code="recording-ends-early",
            column="relapses_recorded_to",
            broken=pl.col("relapses_recorded_to") < pl.col("relapses_recorded_from"),
            problem="For {patients} the recording of relapses ends before it begins.",
            advice="Correct the two days.",
        )


def _scan_rules(table: Table) -> Iterator[Rule]:
    yield Rule(
        level="warning",
        code="scan-twice-a-day",
        column="date",
        broken=pl.struct("patient", "date").is_duplicated() & pl.col("patient").is_not_null() & pl.col("date").is_not_null(),
        problem="{rows} {are} of patients with several scans on one day; all are kept.",
        advice="Check that lesions are not counted twice.",
    )
