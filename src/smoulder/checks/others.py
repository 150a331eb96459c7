"""Treatments, patients and MRI."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from smoulder.checks.rule import Rule, apply
from smoulder.findings import Finding
from smoulder.loaded import Loaded, Table


def other_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is wrong with the tables beside visits and relapses."""
    for name, rules in (("treatments", _treatment_rules), ("patients", _patient_rules), ("mri", _scan_rules)):
        table = loaded.tables.get(name)
        if table is not None:
            yield from apply(table, rules(table))


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
