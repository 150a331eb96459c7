"""Agreement with msprog and pymsprog: every configuration of a folder laid out like the shared oracle, column by column."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS, Found, Record
from smoulder.errors import DefinitionError
from smoulder.events import Events
from smoulder.rulebook.model import Definition
from smoulder.tables import Cohort
from smoulder.terms import Measure, date_of
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import read_cohort
from tests.oracle.milestones import compare_milestones
from tests.oracle.msprog_settings import definition_of
from tests.oracle.quirks import explained_by


def compare_folder(folder: Path, only: str = "") -> Iterator[Agreement]:
    """Compare every configuration of a folder, in the order of their names."""
    cohorts: dict[tuple[str, str, bool], Cohort] = {}
    for path in sorted((folder / "configs").glob("*.json")):
        config = json.loads(path.read_text(encoding="utf-8"))
        if not config["id"].startswith(only):
            continue
        date_column = config["args"].get("date_col", "date")
        which = (config["cohort"], date_column, config["relapse_table"])
        if which not in cohorts:
            cohorts[which] = read_cohort(folder / "cohorts" / which[0], date_column=date_column, relapses=which[2])
        expected = pl.read_csv(folder / "expected" / f"{config['id']}.csv.gz", infer_schema_length=0).rows(named=True)
        compare = compare_milestones if config["function"] == "value_milestone" else compare_config
        try:
            yield compare(config, cohorts[which], expected)
        except (DefinitionError, ValidationError) as error:
            yield Agreement(config["id"], config["id"].split("_")[0], left_out=str(error))


def compare_config(config: dict[str, Any], cohort: Cohort, expected: list[Row]) -> Agreement:
    """Compare one MSprog configuration, patient by patient."""
    definition = definition_of(config)
    events = detect(cohort, definition)
    ours = answers_of(events, definition)
    theirs: dict[str, list[Row]] = {}
    for row in expected:
        theirs.setdefault(row["id"], [])
        if row["nevent"] != "0":
            theirs[row["id"]].append(row)
    agreement = Agreement(config["id"], config["id"].split("_")[0])
    for patient, answer in theirs.items():
        if patient in config["left_out"]:
            continue
        agreement.patients += 1
        wanted = [read_row(row, cohort.calendar == "date") for row in answer]
        if same(ours.get(patient, []), wanted):
            agreement.identical += 1
            continue
        record = record_of(cohort, cohort.index_of(patient), definition.measures[0], definition)
        names = name_difference(record, definition, config["args"], wanted)
        agreement.differences.append(NamedDifference(config["id"], patient, names, ours.get(patient, []), wanted))
    return agreement


def name_difference(record: Record, definition: Definition, args: dict[str, Any], wanted: list[Row]) -> tuple[str, ...]:
    """Return the habits that explain a difference; empty where none do."""
    habits = explained_by(record, definition, args, lambda found: same(answer_rows(record, definition, found), wanted))
    return tuple(habit.name for habit in habits) if habits else ()


def same(ours: list[Row], theirs: list[Row]) -> bool:
    """Return whether two answers are equal in every column that both have."""
    return len(ours) == len(theirs) and all(
        all(mine[column] == yours[column] for column in mine.keys() & yours.keys()) for mine, yours in zip(ours, theirs, strict=True)
    )


def answers_of(events: Events, definition: Definition) -> dict[str, list[Row]]:
    """Return our events with msprog's column names, patient by patient."""
    answers: dict[str, list[Row]] = {}
    for event in events.dated().rows(named=True):
        short = "date" if events.calendar == "date" else "day"
        row = {
            "event_type": "CDW" if event["kind"] == "worsening" else "CDI",
            "date": event[f"onset_{short}"],
            "value": event["onset_score"],
            "bl_date": event[f"baseline_{short}"],
            "bl_value": event["reference_score"],
            "last_delta_date": event[f"meaningful_{short}"],
            "last_delta_value": event["meaningful_score"],
            "sust_days": event["sustained_days"],
            "sust_last": event["sustained_to_end"],
            "time2event": event["days_from_start"],
            "bl2event": event["days_from_baseline"],
        }
        if definition.labelled:
            row["CDW_type"] = event["label"] or ""
        for window in definition.confirmation.windows:
            for ours, theirs in (("confirmed", "conf"), ("pira_confirmed", "PIRA_conf")):
                row[f"{theirs}{window.name}_date"] = event[f"{ours}_{window.name}_{short}"]
                row[f"{theirs}{window.name}_value"] = event[f"{ours}_{window.name}_score"]
        answers.setdefault(event["patient"], []).append(row)
    return answers


def answer_rows(record: Record, definition: Definition, found: list[Found]) -> list[Row]:
    """Return what a reference scan found with msprog's column names."""
    measure = definition.measures[0].spec()
    return [answer_row(record, definition, measure, event) for event in found if event.reason == 0]


def answer_row(record: Record, definition: Definition, measure: Measure, event: Found) -> Row:
    """Return one event of a reference scan with msprog's column names; days as numbers (see `same_day`)."""

    def day(visit: int) -> Any:
        return None if visit < 0 else Day(record.days[visit])

    def score(visit: int) -> float | None:
        return None if visit < 0 else measure.points(record.scores[visit])

    row = {
        "event_type": "CDW" if event.worsening else "CDI",
        "date": day(event.onset),
        "value": measure.points(event.onset_score),
        "bl_date": day(event.baseline),
        "bl_value": measure.points(event.reference),
        "last_delta_date": day(event.meaningful),
        "last_delta_value": measure.points(event.meaningful_score),
        "sust_days": record.days[event.sustained_until] - record.days[event.onset],
        "sust_last": event.sustained_until == len(record.days) - 1,
        "time2event": record.days[event.onset] - record.days[0],
        "bl2event": record.days[event.onset] - record.days[event.baseline],
    }
    if definition.labelled:
        row["CDW_type"] = LABELS[event.label] or ""
    for window, confirming, pira in zip(definition.confirmation.windows, event.confirmations, event.pira_confirmations, strict=True):
        row |= {f"conf{window.name}_date": day(confirming), f"conf{window.name}_value": score(confirming)}
        row |= {f"PIRA_conf{window.name}_date": day(pira), f"PIRA_conf{window.name}_value": score(pira)}
    return row


class Day(int):
    """A day that equals the date it stands for, so that one answer compares with both calendars."""

    def __eq__(self, other: object) -> bool:
        return date_of(int(self)) == other if isinstance(other, datetime.date) else int(self) == other

    __hash__ = int.__hash__


def read_row(row: Row, dated: bool) -> Row:
    """Return one expected row with dates, numbers and truth values read."""
    answer: Row = {}
    for column, text in row.items():
        if column in ("id", "nevent", "total_fu"):
            continue
        if column in ("event_type", "CDW_type"):
            answer[column] = text or ""
        elif text in (None, "", "NA", "NaN"):
            answer[column] = None
        elif column.endswith("date"):
            answer[column] = datetime.date.fromisoformat(text[:10]) if dated else int(float(text))
        elif column == "sust_last":
            answer[column] = text in ("TRUE", "True", "1")
        else:
            answer[column] = float(text)
    return {rename(column): value for column, value in answer.items()}


def rename(column: str) -> str:
    """Return a column name without the point that a fractional delay leaves in it."""
    return column.replace(".", "p") if "conf" in column else column
