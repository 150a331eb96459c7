"""The shrunk disagreements between msprog and pymsprog: our answer must be that of the program which follows its manual."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smoulder.engine.beside.milestones import reach
from smoulder.engine.detect import detect
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import build_cohort
from tests.oracle.inputs import json_of, one_of_values, reading
from tests.oracle.milestones import milestone_of
from tests.oracle.msprog import FUNCTIONS, answers_of
from tests.oracle.msprog_settings import definition_of, unknown_arguments

RIGHT = {
    "D_firstCDW_168_84_tol30": "pymsprog",
    "D_firstPIRA_fixed_84_168": "msprog",
    "G_vignette_kappos2020": "msprog",
    "L_sdmt_sub_improvement": "msprog",
    "L_sdmt_sub_worsening": "msprog",
    "V_edss4_ev30": "pymsprog",
    "V_edss4_messy": "msprog",
    "V_edss6_impute1": "msprog",
    "V_sdmt40": "msprog",
    "Z_fuzz027": "pymsprog",
}
"""Whose answer follows the manual that both programs share (R/MSprog.R and R/value_milestone.R, their @param texts); the other breaks it.

In `Z_fuzz027` that is no event under our labels either way.
"""


def compare_folder(folder: Path) -> Iterator[Agreement]:
    """Compare every counterexample of a folder."""
    home = folder / "counterexamples" if (folder / "counterexamples").is_dir() else folder
    for path in sorted(home.glob("*.json")):
        yield compare(json_of(path, "visits", "relapses", "config", "args", "function", "msprog", "pymsprog"), path.stem)


def compare(case: dict[str, Any], name: str) -> Agreement:
    """Compare one counterexample: which events there are, and the days and scores that its answer gives."""
    agreement = Agreement(name, "counterexamples")
    one_of_values(case, "function", FUNCTIONS, name)
    unknown = unknown_arguments(case["args"], name)
    if unknown or name not in RIGHT:
        agreement.left_out = f"the programs have no argument {', '.join(unknown)}" if unknown else "it is not known here who is right"
        return agreement
    config = {"id": case["config"], "description": case["config"], "args": case["args"]}
    milestone = case["function"] == "value_milestone"
    with reading(name):
        patient = case["visits"][0]["id"]
        cohort = build_cohort(as_text(case["visits"]), as_text(case["relapses"]))
        answer = case[RIGHT[name]]
        if answer.startswith("ERROR"):
            answer = case["pymsprog"]
        theirs = [row for row in ast.literal_eval(answer) if row]
        wanted: list[Row] = [{"cells": row} for row in theirs]
        if milestone:
            wanted = [{"score": float(row[0]) if row[0] else None, "reached": row[2] == "T", "days": int(float(row[3]))} for row in theirs]
    if milestone:
        mine = reach(cohort, milestone_of(config)).row(0, named=True)
        ours: list[Row] = [{"score": mine["score"], "reached": mine["reached"], "days": mine["days_from_start"]}]
        same = ours == wanted
    else:
        definition = definition_of(config)
        ours = answers_of(detect(cohort, definition), definition).get(patient, [])
        same = len(ours) == len(theirs) and all(mentions(mine, row) for mine, row in zip(ours, theirs, strict=True))
    agreement.patients, agreement.identical = 1, int(same)
    if not same:
        agreement.differences.append(NamedDifference(name, patient, (), ours, wanted))
    return agreement


def as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with every cell as text, as a CSV file has them."""
    return [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]


def mentions(mine: Row, cells: list[str]) -> bool:
    """Return whether the kind of event, its label and its day from the start are among the cells of an answer."""
    numbers = {float(cell) for cell in cells if cell.replace(".", "", 1).lstrip("-").isdigit()}
    label = mine.get("CDW_type") or ""
    return mine["event_type"] in cells and (not label or label in cells) and float(mine["time2event"]) in numbers
