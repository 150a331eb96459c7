"""Draw the two worked patients of every definition's page: `python docs/draw_patients.py`.

The first two patients of a catalogue entry become docs/definitions/images/KEY-1.svg and KEY-2.svg, which the pages show.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from smoulder import explain, plot_patient, read
from smoulder.rulebook import entry, keys
from smoulder.rulebook.catalogue import CatalogueEntry, WorkedPatient
from smoulder.tables import Cohort
from smoulder.terms import MEASURES

HERE = Path(__file__).parent
IMAGES = HERE / "definitions" / "images"
DRAWN = 2
"""Patients of an entry that are drawn: one who has the event, one who just misses it."""


def drawings() -> dict[str, str]:
    """Return the SVG of each picture by its file name."""
    return {name: svg for key in keys() for name, svg in drawings_of(entry(key)).items()}


def drawings_of(entry: CatalogueEntry) -> dict[str, str]:
    """Return the SVG of the pictures of one entry by their file names."""
    definition = entry.definition
    return {
        f"{definition.key}-{number}.svg": plot_patient(explain(cohort_of(patient, entry), "A", definition)).svg
        for number, patient in enumerate(entry.patients[:DRAWN], start=1)
    }


def cohort_of(patient: WorkedPatient, entry: CatalogueEntry) -> Cohort:
    """Return the cohort of one worked patient "A", through the reader as a user's tables go."""
    rows = patient.visit_rows()
    measures = [key for key in MEASURES if any(key in row for row in rows)]
    visits: dict[str, list[object]] = {"patient": ["A"] * len(rows), "date": [row["date"] for row in rows]}
    # A visit at which a measure was not taken has an empty cell; one that nobody took needs its column all the same.
    needed = [rule.measure for rule in entry.definition.measures if rule.measure in MEASURES and rule.measure not in measures]
    needed = [key for key in needed if key != "nhpt" or "nhpt_dominant" not in measures]
    visits |= {key: [row.get(key) for row in rows] for key in (*measures, *needed)}
    if patient.unscheduled:
        visits["scheduled"] = [row["date"] not in patient.unscheduled for row in rows]
    tables = {"visits": pl.DataFrame(visits, schema_overrides=dict.fromkeys(needed, pl.Float64))}
    if patient.relapses:
        tables["relapses"] = pl.DataFrame({"patient": ["A"] * len(patient.relapses), "date": list(patient.relapses)})
    zeros = {"time_zero": patient.time_zero, "diagnosis_date": patient.diagnosis}
    said = {name: [day] for name, day in zeros.items() if day is not None}
    if said:
        tables["patients"] = pl.DataFrame({"patient": ["A"], **said})
    if patient.scans:
        scans = [{"patient": "A", "date": int(day), **counts} for day, counts in patient.scans.items()]
        tables["mri"] = pl.DataFrame(scans)
    return read(tables, nobody_relapsed=not patient.relapses)


def write(folder: Path) -> None:
    """Write every picture into a folder, and remove those of entries that are no more."""
    folder.mkdir(exist_ok=True)
    pictures = drawings()
    for path in folder.glob("*.svg"):
        if path.name not in pictures:
            path.unlink()
    for name, svg in pictures.items():
        (folder / name).write_text(svg, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
