"""The rules beside the definitions: every worked patient through the function, and what each page owes its reader."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from cohorts import cohort_of

from smoulder.engine.beside.neda import neda
from smoulder.engine.beside.progression import secondary_progression
from smoulder.errors import UsageError
from smoulder.rulebook.beside import BESIDE, JudgedPatient, beside
from smoulder.rulebook.progression import SecondaryProgression
from smoulder.tables import Cohort

PATIENTS = [pytest.param(key, number, id=f"{key}-{number}") for key in BESIDE for number in range(len(beside(key).patients))]
VERDICTS = {True: "yes", False: "no", None: "unknown"}


def cohort_with(patient: JudgedPatient) -> Cohort:
    cohort = cohort_of({"A": patient.visits}, {"A": patient.relapses})
    if not patient.scans:
        return cohort
    rows = [{"patient": "A", "day": int(day), **counts} for day, counts in patient.scans.items()]
    kinds: dict[str, Any] = {"patient": pl.String, "day": pl.Int32, "new_t2": pl.Int32, "enlarging_t2": pl.Int32, "gd": pl.Int32}
    if any("brain_volume" in row for row in rows):
        kinds["brain_volume"] = pl.Float64
    return replace(cohort, mri=pl.DataFrame(rows, schema=kinds))


@pytest.mark.parametrize(("key", "number"), PATIENTS)
def test_worked_patient(key: str, number: int) -> None:
    one, patient = beside(key), beside(key).patients[number]
    cohort = cohort_with(patient)
    if isinstance(one.rule, SecondaryProgression):
        row = secondary_progression(cohort, one.rule).table.row(0, named=True)
        assert (VERDICTS[row["reached"]], row["day"], row["reason"] or "") == (patient.verdict, patient.day, patient.why), patient.title
    else:
        row = neda(cohort, one.rule).table.row(0, named=True)
        reason = row["failed_for"] or row["unknown_for"]
        assert (VERDICTS[row["neda"]], reason) == (patient.verdict, patient.why), patient.title
        assert patient.day is None


@pytest.mark.parametrize("key", BESIDE)
def test_each_has_somebody_who_has_it_and_somebody_who_misses_it(key: str) -> None:
    patients = beside(key).patients
    assert patients[0].verdict == "yes" and patients[0].title.startswith("has it")
    assert patients[1].verdict == "no" and patients[1].title.startswith("just misses it")
    assert len({patient.title for patient in patients}) == len(patients)


@pytest.mark.parametrize("key", BESIDE)
def test_pages_read_as_paragraphs(key: str) -> None:
    one = beside(key)
    for text in (one.page.counts, one.page.why, one.page.differs, one.page.traps, *(patient.because for patient in one.patients)):
        assert text == " ".join(text.split()) and text.endswith(".") and text.count("(") == text.count(")")


@pytest.mark.parametrize("key", ["lorscheider-2016", "lorscheider-2016-no-systems"])
def test_the_wrong_dates_of_msoutcomes_are_a_named_difference(key: str) -> None:
    assert "these dates are known to be wrong" in beside(key).page.differs


def test_an_unknown_key() -> None:
    with pytest.raises(UsageError, match="There is no rule beside the definitions 'neda-5'; did you mean 'neda-4' or 'neda-3'"):
        beside("neda-5")
