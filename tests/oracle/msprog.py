"""Agreement with msprog and pymsprog: every configuration of a folder laid out like the shared oracle, column by column."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from tests.oracle.inputs import json_of, leave_out, one_of_values, reading, rows_of
from tests.oracle.milestones import compare_milestones, milestone_of
from tests.oracle.msprog_settings import definition_of, unknown_arguments
from tests.oracle.quirks import explained_by

FUNCTIONS = ("MSprog", "value_milestone")


def compare_folder(folder: Path, only: str = "") -> Iterator[Agreement]:
    """Compare every configuration of a folder, in the order of their names."""
    cohorts: dict[tuple[str, str, bool], Cohort] = {}
    for path in sorted((folder / "configs").glob("*.json")):
        config = json_of(path, "id", "description", "cohort", "function", "relapse_table", "args", "left_out")
        if config["id"].startswith(only):
            yield compare_one(config, path, folder, cohorts)


def compare_one(config: dict[str, Any], path: Path, folder: Path, cohorts: dict[tuple[str, str, bool], Cohort]) -> Agreement:
    """Compare one configuration, or tell why it cannot be."""
    left_out = Agreement(config["id"], config["id"].split("_")[0])
    one_of_values(config, "function", FUNCTIONS, str(path))
    unknown = unknown_arguments(config["args"], str(path))
    expected = folder / "expected" / f"{config['id']}.csv.gz"
    if unknown:
        left_out.left_out = f"the programs have no argument {', '.join(unknown)}"
        return left_out
    if not expected.is_file():
        left_out.left_out, left_out.left_out_code = f"there is no file expected/{expected.name}", 2
        return left_out
    milestone = config["function"] == "value_milestone"
    try:
        with reading(path):
            milestone_of(config) if milestone else definition_of(config)
    except DefinitionError as error:
        left_out.left_out = str(error)
        return left_out
    date_column = config["args"].get("date_col", "date")
    which = (config["cohort"], date_column, config["relapse_table"])
    if which not in cohorts:
        cohorts[which] = read_cohort(folder / "cohorts" / which[0], date_column=date_column, relapses=which[2])
    rows = rows_of(expected, "id", *(["observed", "time2event"] if milestone else ["nevent"]))
    return (compare_milestones if milestone else compare_config)(config, cohorts[which], rows)


def compare_config(config: dict[str, Any], cohort: Cohort, expected: list[Row]) -> Agreement:
    """Compare one MSprog configuration, patient by patient."""
    definition = definition_of(config)
    events = detect(cohort, definition)
    ours = answers_of(events, definition)
    theirs: dict[str, list[Row]] = {}
    followed: dict[str, float] = {}
    with reading(f"The expected answer of {config['id']}"):
        for row in expected:
            answer = theirs.setdefault(row["id"], [])
            if row.get("total_fu"):
                followed[row["id"]] = float(row["total_fu"])
            if row["nevent"] != "0":
                answer.append(read_row(row, cohort.calendar == "date"))
    agreement = Agreement(config["id"], config["id"].split("_")[0])
    asked = {*config["args"].get("subjects", cohort.patients)}
    places = {patient: place for place, patient in enumerate(cohort.patients) if patient in asked}
    leave_out(agreement, config, theirs, cohort)
    for patient, wanted in theirs.items():
        if patient in config["left_out"] or patient not in places:
            continue
        agreement.patients += 1
        record = record_of(cohort, places[patient], definition.measures[0], definition)
        days = record.days[-1] - record.days[0] if record.days else None
        as_long = followed.get(patient, days) == days
        if same(ours.get(patient, []), wanted) and as_long:
            agreement.identical += 1
            continue
        names = name_difference(record, definition, config["args"], wanted) if as_long else ()
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
