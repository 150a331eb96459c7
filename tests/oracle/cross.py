"""Agreement with MSoutcomes, msclinical and drstrupf on one cohort, each under the definition that matches it best."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from smoulder.engine.detect import detect
from smoulder.engine.judgement import Change
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS, Found, Record
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.rulebook.model import Definition, definition_from
from smoulder.tables import Cohort
from smoulder.terms import date_of
from tests.oracle import bern
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import read_cohort
from tests.oracle.msoutcomes_habits import (
    EARLY_VISITS,
    END_MARKER_EVENT,
    MSOUTCOMES_HABITS,
    NEAR_IMPROVEMENT,
    RELAPSE_ON_FIRST_VISIT,
    ConfirmedCrossingScan,
    Habit,
)
from tests.oracle.msprog_settings import STEPS_5P0, STEPS_5P5

STEPS_BELOW_6 = [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.99, "change": 1.0}, {"change": 0.5}]
IMPROVEMENT_MSOUTCOMES = [{"up_to": 1.5, "change": 1.5}, {"up_to": 6.0, "change": 1.0}, {"change": 0.5}]


@dataclass(frozen=True)
class Comparison:
    """One file of another program, and our definition that matches it."""

    file: str
    definition: Definition
    relapses: bool
    """Whether the program was given the relapses."""
    columns: dict[str, str]
    """Our name -> its column; patient, onset and so on."""
    first_only: bool = False
    keep: Callable[[Row], bool] = lambda row: True
    """Which of its rows are events of this kind."""
    kind: str = "worsening"
    pira_only: bool = False
    habits: tuple[Habit, ...] = ()
    """What the program does otherwise; a difference is explained where replaying it gives the program's answer."""


def matching(key: str, steps: list[dict[str, float]], **parts: Any) -> Definition:
    """Return a definition on the EDSS confirmed from day 84 on, with other parts as given."""
    measure: dict[str, Any] = {"measure": "edss", "worsening": {"steps": steps}}
    if "improvement" in parts:
        measure["improvement"] = {"steps": parts.pop("improvement")}
    confirmation = {"windows": [{"name": "84", "from_day": 84}], **parts.pop("confirmation", {})}
    return definition_from({"key": key.lower(), "title": key, "measures": [measure], "confirmation": confirmation, **parts}, where=key)


FIRST = {"looking_for": "first worsening"}
FAR = {"baseline": {"days_after_relapse": 31}, "confirmation": {"days_after_relapse": 31}}
DRSTRUPF = {"patient": "id", "onset": "date", "score": "edss_score"}
MSCLINICAL = {
    "patient": "patient",
    "onset": "onset_date",
    "score": "onset_value",
    "reference": "reference_value",
    "confirmed": "confirmation_date",
}
MSOUTCOMES = {"patient": "ID", "onset": "dateEDSS", "score": "EDSS", "reference": "bEDSS", "baseline": "base.date"}
LOWEST = {"moves_after": ["worsening"], "moves_to": "lowest score"}
LASTING: dict[str, dict[str, Any]] = {"FALSE": {}, "TRUE": {"sustained": {"days": "to the end"}}}


PIRA_HABITS = (*MSOUTCOMES_HABITS, RELAPSE_ON_FIRST_VISIT, END_MARKER_EVENT)
CDI_HABITS = (*(habit for habit in MSOUTCOMES_HABITS if habit.scan is not ConfirmedCrossingScan), EARLY_VISITS, NEAR_IMPROVEMENT)
"""Improvements know nothing of crossing relapses."""


class LowerScoreHolds(Scan):
    def holds(self, visit: int, change: Change) -> bool:
        if change.worsening:
            return super().holds(visit, change)
        return self.worse_by(self.scores[visit], self.scores[change.onset]) <= 0

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        super().move_on(change, confirming if change.worsening else change.onset, moves=moves, event=event)


LOWER_SCORE_HOLDS = Habit(
    name="a lower score stays as low and is itself the reference",
    why="msclinical's reference drops to a lower score where every score up to confirmation is as low as that one, and to that one",
    scan=LowerScoreHolds,
)


def comparisons() -> Iterator[Comparison]:
    """Yield every comparison, those that must be identical first."""
    yield from first_worsening()
    yield from repeated_worsening()
    yield from labels()
    yield from msoutcomes_sequences()


def first_worsening() -> Iterator[Comparison]:
    """First confirmed worsening: four independent programs and ours have to agree on every patient."""
    yield Comparison("drstrupf_main_fixed84_norel", matching("drstrupf-first", STEPS_5P0, **FIRST), False, DRSTRUPF, first_only=True)
    msclinical = matching("msclinical-first", STEPS_5P5, **FIRST)
    yield Comparison("msclinical_main_fixed_imprFalse", msclinical, False, MSCLINICAL, True, is_confirmed)
    no_relapses = matching("msoutcomes-first-norel", STEPS_BELOW_6, **FIRST)
    yield Comparison("msoutcomes_main_norel_CDW_sustFALSE", no_relapses, False, MSOUTCOMES, True)
    yield Comparison("msoutcomes_main_CDW_sustFALSE", matching("msoutcomes-first", STEPS_BELOW_6, **FIRST, **FAR), True, MSOUTCOMES, True)


def repeated_worsening() -> Iterator[Comparison]:
    """Every confirmed worsening: the programs disagree wherever the rule for the next baseline does."""
    on_worsening = matching("msclinical-all", STEPS_5P5, baseline={"moves_after": ["worsening"]})
    yield Comparison("msclinical_main_roving_imprFalse", on_worsening, False, MSCLINICAL, keep=is_confirmed)
    both_ways = {"moves_after": ["worsening", "improvement"], "sub_threshold": "improvement"}
    yield Comparison(
        "msclinical_main_roving_imprTrue",
        matching("msclinical-both", STEPS_5P5, baseline=both_ways),
        False,
        MSCLINICAL,
        keep=is_confirmed,
        habits=(LOWER_SCORE_HOLDS,),
    )


def labels() -> Iterator[Comparison]:
    """RAW or PIRA: msclinical calls RAW what has a relapse from 90 days before onset to the confirming visit."""
    relapses = {"relapse_free": ["onset-90 .. confirmation"], "otherwise": "RAW", "pira_at": "first confirming visit"}
    columns = MSCLINICAL | {"label": "class"}
    fixed = matching("msclinical-first-labels", STEPS_5P5, relapses=relapses, **FIRST)
    yield Comparison("msclinical_main_fixed_imprFalse_attr", fixed, True, columns, True, is_confirmed)
    roving = matching("msclinical-all-labels", STEPS_5P5, relapses=relapses, baseline={"moves_after": ["worsening"]})
    yield Comparison("msclinical_main_roving_imprFalse_attr", roving, True, columns, keep=is_confirmed)


def msoutcomes_sequences() -> Iterator[Comparison]:
    """MSoutcomes' sequences: its own text and its code part ways in three places, which the habits replay."""
    far_base, far_confirm = FAR["baseline"], FAR["confirmation"]
    worsening = matching("msoutcomes-cdw-norel", STEPS_BELOW_6, baseline=LOWEST)
    yield Comparison("msoutcomes_main_norel_CDW_sustFALSE", worsening, False, MSOUTCOMES, habits=MSOUTCOMES_HABITS)
    for lasting, sustained in LASTING.items():
        worsening = matching(f"msoutcomes-cdw{lasting}", STEPS_BELOW_6, baseline=LOWEST | far_base, confirmation=far_confirm, **sustained)
        yield Comparison(f"msoutcomes_main_CDW_sust{lasting}", worsening, True, MSOUTCOMES, habits=MSOUTCOMES_HABITS)
        pira = matching(
            f"msoutcomes-pira{lasting}",
            STEPS_BELOW_6,
            baseline={**LOWEST, **far_base, "moves_after": ["PIRA", "relapse"], "relapse_move": "crossed", "crossed_days": 0},
            confirmation=far_confirm,
            relapses={"relapse_free": ["baseline .. onset"]},
            **sustained,
        )
        yield Comparison(f"msoutcomes_main_PIRA_sust{lasting}", pira, True, MSOUTCOMES, pira_only=True, habits=PIRA_HABITS)
        improvement = matching(
            f"msoutcomes-cdi{lasting}",
            STEPS_BELOW_6,
            improvement=IMPROVEMENT_MSOUTCOMES,
            baseline={**LOWEST, **far_base, "moves_after": ["improvement"]},
            confirmation=far_confirm,
            **sustained,
        )
        yield Comparison(
            f"msoutcomes_main_CDI_sust{lasting}",
            improvement,
            True,
            MSOUTCOMES,
            kind="improvement",
            habits=CDI_HABITS,
        )


def is_confirmed(row: Row) -> bool:
    """Return whether msclinical calls a row confirmed."""
    return row["status"] == "confirmed"


def compare(comparison: Comparison, folder: Path) -> Agreement:
    """Compare one file with ours, patient by patient."""
    cohort = read_cohort(folder / "cohorts" / "main", relapses=comparison.relapses)
    path = folder / "cross" / f"{comparison.file}.csv"
    theirs: dict[str, list[Row]] = {}
    for row in pl.read_csv(path, infer_schema_length=0).rows(named=True):
        if comparison.keep(row):
            theirs.setdefault(row[comparison.columns["patient"]], []).append(read_row(row, comparison.columns))
    ours = our_answers(cohort, comparison)
    agreement = Agreement(f"{comparison.file}{' (first)' if comparison.first_only else ''}", comparison.definition.key)
    for patient in cohort.patients:
        agreement.patients += 1
        mine, yours = ours.get(patient, []), sorted(theirs.get(patient, []), key=lambda row: row["onset"])
        if comparison.first_only:
            mine, yours = mine[:1], yours[:1]
        yours = [{name: row[name] for name in row if name != "baseline"} for row in yours]
        if mine == yours:
            agreement.identical += 1
        else:
            names = names_of(comparison, cohort, patient, yours)
            agreement.differences.append(NamedDifference(agreement.config, patient, names, mine, yours))
    return agreement


def names_of(comparison: Comparison, cohort: Cohort, patient: str, wanted: list[Row]) -> tuple[str, ...]:
    """Return the habits that give the other program's answer; empty where nothing explains it."""
    rule = comparison.definition.measures[0]
    record = record_of(cohort, cohort.index_of(patient), rule, comparison.definition)
    for size in range(1, len(comparison.habits) + 1):
        for habits in itertools.combinations(comparison.habits, size):
            kind = type("WithHabits", tuple(habit.scan for habit in habits), {})
            found = kind(record, rule, comparison.definition, Teller()).run()
            if [row_of(comparison, record, event) for event in found if is_wanted(comparison, event)] == wanted:
                return tuple(habit.name for habit in habits)
    return ()


def is_wanted(comparison: Comparison, event: Found) -> bool:
    """Return whether an event is of the kind compared."""
    return event.reason == 0 and event.worsening == (comparison.kind == "worsening") and (event.pira or not comparison.pira_only)


def row_of(comparison: Comparison, record: Record, event: Found) -> Row:
    """Return one event of a reference scan with the columns that the other program has."""
    row = {
        "onset": date_of(record.days[event.onset]).isoformat(),
        "score": event.onset_score / 100,
        "reference": event.reference / 100,
        "confirmed": date_of(record.days[event.confirmations[0]]).isoformat() if event.confirmations[0] >= 0 else None,
        "label": LABELS[event.label],
    }
    return {name: row[name] for name in row if name in comparison.columns}


def our_answers(cohort: Cohort, comparison: Comparison) -> dict[str, list[Row]]:
    """Return our events with the columns that the other program has, patient by patient."""
    answers: dict[str, list[Row]] = {}
    for event in detect(cohort, comparison.definition).table.rows(named=True):
        if event["kind"] != comparison.kind or (comparison.pira_only and not event["pira"]):
            continue
        row = {
            "onset": date_of(event["onset_day"]).isoformat(),
            "score": event["onset_score"],
            "reference": event["reference_score"],
            "confirmed": date_of(event["confirmed_84_day"]).isoformat() if event["confirmed_84_day"] is not None else None,
            "label": event["label"],
        }
        answers.setdefault(event["patient"], []).append({name: row[name] for name in row if name in comparison.columns})
    return answers


def read_row(row: Row, columns: dict[str, str]) -> Row:
    """Return one row of another program with our names; in the order of ours."""
    read: Row = {"onset": row[columns["onset"]][:10]}
    for name in ("score", "reference"):
        if name in columns:
            read[name] = float(row[columns[name]])
    if "baseline" in columns:
        read["baseline"] = row[columns["baseline"]][:10]
    if "confirmed" in columns:
        read["confirmed"] = row[columns["confirmed"]][:10]
    if "label" in columns:
        # Without an MRI table msclinical appends that its MRI is unknown.
        read["label"] = row[columns["label"]].removesuffix("_MRI_unknown")
    return read


def compare_folder(folder: Path) -> Iterator[Agreement]:
    """Compare every file that has a matching definition here."""
    for comparison in comparisons():
        yield compare(comparison, folder)
    yield from bern.compare_cross(folder, bern.DEFAULTS)
