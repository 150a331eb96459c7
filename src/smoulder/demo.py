"""The demonstration: a made-up natalizumab cohort on the way from tables to a report. Nothing in it is a real person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smoulder.engine import detect, explain
from smoulder.errors import UsageError
from smoulder.events import Events, Explanation
from smoulder.outputs import (
    Files,
    events_document,
    files_in,
    new_folder,
    summary_frame,
    write,
    write_events,
    write_figure,
    write_table,
    write_text,
)
from smoulder.reading import read
from smoulder.rulebook import Definition, definition, definitions
from smoulder.simulation import NATALIZUMAB, Simulated, simulate
from smoulder.studying.rerun import Recipe
from smoulder.studying.result import StudyResult
from smoulder.studying.run import run_study
from smoulder.studying.write import write_study
from smoulder.tables import Cohort

MADE_UP = "All people in this demonstration are made up. Nothing here says anything about a real person or a drug."
N_PATIENTS = 200
SEED = 2025
DEFINITION = "mueller-2025"
"""The definition that the demonstration follows; the others are counted beside it."""
STUDY = "graf-2021"
"""The study that the demonstration runs."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Demo:
    """Everything the demonstration shows."""

    made: Simulated
    cohort: Cohort
    events: Events
    """Under `DEFINITION`."""
    compared: Events
    """Under every definition of the EDSS in the catalogue that tells RAW from PIRA."""
    explanation: Explanation
    """Of one patient with a PIRA, and with a RAW too where there is such a patient."""
    study: StudyResult
    """Of `STUDY`."""


def made_up() -> Simulated:
    """Return the made-up people, the same ones each time."""
    return simulate(NATALIZUMAB, N_PATIENTS, SEED)


def demonstrate(made: Simulated) -> Demo:
    """Go the whole way with made-up people: read, check, detect, explain, study."""
    cohort = read(made.tables)
    events = detect(cohort, DEFINITION)
    return Demo(
        made=made,
        cohort=cohort,
        events=events,
        compared=detect(cohort, edss_definitions()),
        explanation=explain(cohort, patient_to_explain(events), DEFINITION),
        study=run_study(STUDY, cohort),
    )


def edss_definitions() -> tuple[Definition, ...]:
    """Return the definitions of the catalogue on the EDSS alone that tell RAW from PIRA; the followed one first."""
    others = [one for one in definitions() if one.labelled and [rule.measure for rule in one.measures] == ["edss"]]
    return (definition(DEFINITION), *(one for one in others if one.key != DEFINITION))


def patient_to_explain(events: Events) -> str:
    """Return the patient with the fewest visits among those with both a PIRA and a RAW; without such a one, with a PIRA."""
    counts = events.table.group_by("patient").agg(pira=pl.col("pira").any(), raw=(pl.col("raw") & ~pl.col("pira")).any())
    ranked = counts.join(events.follow_up, on="patient").sort(
        pl.col("pira") & pl.col("raw"), "pira", "visits", "patient", descending=[True, True, False, False]
    )
    if not ranked.height:
        raise UsageError("Nobody in the demonstration has an event.")
    return ranked["patient"][0]


def comparison_frame(compared: Events) -> pl.DataFrame:
    """Return one row a definition: patients with any worsening, PIRA and RAW, each with what it is out of; null where it has no RAW."""
    rows = []
    for one, summary in zip(compared.definitions, compared.summaries(), strict=True):
        shares = dict(summary.counts)
        worsening = shares.get("confirmed worsening") or shares.get("worsening")
        out_of = next(iter(shares.values())).denominator
        row: dict[str, object] = {"definition": one.key, "looking_for": one.looking_for}
        for short, share in (("worsening", worsening), ("pira", shares.get("PIRA")), ("raw", shares.get("RAW"))):
            row |= {f"{short}_patients": None if share is None else share.numerator, f"{short}_out_of": out_of}
        rows.append(row | {"person_years": summary.person_years})
    return pl.DataFrame(rows)


def write_demo(demo: Demo, folder: Path) -> tuple[str, ...]:
    """Write the tables and all results into a new folder, which appears whole or not at all; return the names of the files.

    Raises UsageError where the folder has something in it already.
    """
    with new_folder(folder) as beside:
        _fill(demo, beside)
        return files_in(beside)


def _fill(demo: Demo, folder: Path) -> None:
    from smoulder.figures import plot_patient

    (folder / "README.txt").write_text(readme(demo), encoding="utf-8")
    (folder / "tables").mkdir()
    for name, table in demo.made.tables.items():
        table.write_csv(folder / "tables" / f"{name}.csv")
    (folder / "tables" / "cohort.toml").write_text(f'[reading]\nnote = "{MADE_UP}"\n', encoding="utf-8")
    demo.made.truth.write_csv(folder / "truth.csv")
    told = demo.explanation
    write_events(demo.events, folder / "events.csv", unconfirmed=folder / "unconfirmed.csv")
    write_table(summary_frame(demo.compared.summaries()), folder / "summary.csv", demo.compared.provenance)
    with Files() as files:
        write(events_document(demo.events), folder / "events.xlsx", files)
        write_text(told.text(), folder / f"{told.patient}.txt", files)
        write_figure(plot_patient(told), folder / f"{told.patient}.svg", files)
    # From the tables that were just written, so that `smoulder rerun` finds them and gives the same bytes.
    recipe = Recipe(data="tables").hashed(folder)
    chosen = demo.study.study
    cohort = recipe.read(chosen.definitions(), folder)
    write_study(run_study(chosen, cohort), folder / "study", recipe=recipe, extra=recipe.used(cohort, folder))


def readme(demo: Demo) -> str:
    """Return what the files of the demonstration are, in words."""
    who, key = demo.explanation.patient, demo.events.definitions[0].key
    files = {
        "tables/": "what a clinic would have: visits, relapses, treatments, patients",
        "truth.csv": "what no clinic has: every change of the true EDSS with its cause",
        "events.csv, events.xlsx": f"one row an event, under {key}",
        "unconfirmed.csv": "the changes that are no event, with the reason",
        "summary.csv": "the counts under several definitions, with what they are out of",
        f"{who}.txt, {who}.svg": "one patient explained, in words and as a timeline",
        "study/report.html": f"the study {STUDY}: curves, tables, methods; its tables and figures are beside it",
    }
    lines = [f"  {name:<25} {meaning}" for name, meaning in files.items()]
    again = f"smoulder events tables/ -d {key}\nsmoulder explain tables/ -d {key} -p {who}\nsmoulder rerun study/rerun.json -o again/"
    return "\n".join([MADE_UP, "", *lines, "", "Try, in this folder:", "", again, ""])
