"""Small cohorts written by hand: `cohort_of({"A": {"edss": "0:2.0 90:3.0"}}, relapses={"A": [40]})`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl

from smoulder.rulebook.catalogue import WorkedPatient
from smoulder.rulebook.model import Definition
from smoulder.tables import Cohort, RelapseKnowledge, Relapses, Visits
from smoulder.terms import MEASURES, MISSING, Measure


def cohort_of(
    visits: Mapping[str, Mapping[str, str]],
    relapses: Mapping[str, Sequence[int]] | None = None,
    *,
    knowledge: RelapseKnowledge = "recorded",
    unscheduled: Mapping[str, Collection[int]] | None = None,
    recorded: Mapping[str, tuple[int | None, int | None]] | None = None,
    time_zero: Mapping[str, int] | None = None,
    diagnosis: Mapping[str, int] | None = None,
    mri: Mapping[str, Sequence[Mapping[str, int | None]]] | None = None,
    measures: Sequence[str] = (),
    custom: Sequence[Measure] = (),
) -> Cohort:
    """Return a cohort whose days are day numbers, without going through `read`.

    Parameters
    ----------
    visits
        Patient -> measure -> "day:score day:score …". Several measures on one day are one visit.
    relapses
        Patient -> days of onset, in any order.
    unscheduled
        Patient -> days of visits that were not planned.
    recorded
        Patient -> first and last day on which relapses were recorded; None: not said.
    time_zero
        Patient -> the day that counts as the start.
    diagnosis
        Patient -> the day of the diagnosis.
    mri
        Patient -> scans, each with its day and the lesion counts that were read.
    measures
        Measures that the visits have a column for, also where nobody has a score.
    custom
        Measures that are not known by themselves.
    """
    names = sorted(visits)
    known = MEASURES | {measure.key: measure for measure in custom}
    columns = dict.fromkeys([*measures, *(key for series in visits.values() for key in series)])
    rows = {name: rows_of(visits[name]) for name in names}
    days = {name: sorted(rows[name]) for name in names}
    attacks = {name: sorted(set((relapses or {}).get(name, ()))) for name in names}

    def units(key: str, score: float | None) -> int:
        return MISSING if score is None else known[key].units(score)

    def told(days: Mapping[str, int | None]) -> np.ndarray:
        stated = (days.get(name) for name in names)
        return np.array([MISSING if day is None else day for day in stated], dtype=np.int32)

    return Cohort(
        patients=pl.Series("patient", names, dtype=pl.String),
        visits=Visits(
            first=starts([len(days[name]) for name in names]),
            day=np.array([day for name in names for day in days[name]], dtype=np.int32),
            scores={
                key: np.array([units(key, rows[name][day].get(key)) for name in names for day in days[name]], dtype=np.int32)
                for key in columns
            },
            scheduled=None
            if unscheduled is None
            else np.array([day not in unscheduled.get(name, ()) for name in names for day in days[name]], dtype=np.bool_),
        ),
        relapses=Relapses(
            first=starts([len(attacks[name]) for name in names]),
            day=np.array([day for name in names for day in attacks[name]], dtype=np.int32),
        ),
        relapse_knowledge=knowledge,
        recorded_from=None if recorded is None else told({name: bounds[0] for name, bounds in recorded.items()}),
        recorded_to=None if recorded is None else told({name: bounds[1] for name, bounds in recorded.items()}),
        time_zero=None if time_zero is None else told(dict(time_zero)),
        attributes=None if diagnosis is None else attributes_of(names, diagnosis),
        mri=None if mri is None else scans_of(mri),
        calendar="day",
        custom_measures=tuple(custom),
    )


def attributes_of(names: Sequence[str], diagnosis: Mapping[str, int]) -> pl.DataFrame:
    """Return the patients table with the days of diagnosis."""
    days = pl.Series("diagnosis_date", [diagnosis.get(name) for name in names], dtype=pl.Int32)
    return pl.DataFrame({"patient": pl.Series(names, dtype=pl.String), "diagnosis_date": days})


def scans_of(mri: Mapping[str, Sequence[Mapping[str, int | None]]]) -> pl.DataFrame:
    """Return the MRI table of some scans, with a column for every count that any of them has."""
    rows = [{"patient": patient, **scan} for patient in sorted(mri) for scan in mri[patient]]
    counts = dict.fromkeys(name for row in rows for name in row if name not in ("patient", "day"))
    schema = {"patient": pl.String, "day": pl.Int32, **dict.fromkeys(counts, pl.Int64)}
    return pl.DataFrame(rows, schema=schema).sort("patient", "day")


def cohort_of_worked(patient: WorkedPatient, definition: Definition) -> Cohort:
    """Return the cohort of one worked patient "A", with a column for every measure of a definition."""
    specs = {rule.measure: rule.spec() for rule in definition.measures}
    # The mean of two hands follows from the hands, where the patient has them apart.
    columns = [key for key in specs if key != "nhpt" or "nhpt_dominant" not in patient.visits]
    custom = [spec for key, spec in specs.items() if key not in MEASURES]
    return cohort_of(
        {"A": patient.visits},
        {"A": patient.relapses},
        unscheduled={"A": patient.unscheduled} if patient.unscheduled else None,
        time_zero=None if patient.time_zero is None else {"A": patient.time_zero},
        diagnosis=None if patient.diagnosis is None else {"A": patient.diagnosis},
        mri={"A": [{"day": int(day), **counts} for day, counts in patient.scans.items()]} if patient.scans else None,
        measures=columns,
        custom=custom,
    )


def rows_of(series: Mapping[str, str]) -> dict[int, dict[str, float]]:
    """Return day -> measure -> score."""
    rows: dict[int, dict[str, float]] = {}
    for measure, text in series.items():
        for item in text.split():
            day, score = item.split(":")
            row = rows.setdefault(int(day), {})
            assert measure not in row, f"day {day} twice in {text!r}"
            row[measure] = float(score)
    return rows


def starts(lengths: Sequence[int]) -> np.ndarray:
    """Return (n + 1,) where each patient's rows start."""
    return np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))]).astype(np.int64)
