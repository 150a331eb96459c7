"""Agreement with Stata setools 1.5 (cdp, pira, sustainedss): its known answers, and its classes on a cohort of relapses.

Its options become settings of ours: the baseline is the first EDSS within N days on or after diagnosis; "sustained" asks that every
EDSS from the confirming day on stays past the threshold, whatever lies between; and its relapse window runs from `windowbefore` days
before a relapse to `windowafter` days after it, so that in days from onset it is the other way round.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from smoulder.engine.beside.milestones import reach
from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import Record
from smoulder.engine.reference import scan
from smoulder.rulebook.milestone import Milestone
from smoulder.rulebook.model import Definition, definition_from
from smoulder.rulebook.thresholds import MeasureRule
from smoulder.tables import Cohort, Relapses, Visits
from smoulder.terms import MEASURES, Measure, day_of
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import offsets, rows_of

TWO_TIERS = [{"up_to": 5.5, "change": 1.0}, {"change": 0.5}]
THREE_TIERS = [{"up_to": 0.0, "change": 1.5}, *TWO_TIERS]

ROUNDED = "scores are kept in hundredths"
"""setools compares EDSS with as many decimals as they come with; ours are whole hundredths (engine semantics, section 1)."""

People = dict[str, list[tuple[int, Decimal]]]
"""Patient -> day and EDSS, in day order; of one day the lowest, as in setools."""


def definition_of(options: Mapping[str, Any], key: str, *, all_events: bool = False) -> Definition:
    """Return the definition that says what the options of cdp and pira say."""
    sustained = options["confirmtype"] == "sustained"
    data: dict[str, Any] = {
        "key": key,
        "title": key,
        "measures": [
            # setools knows no improvement.
            {"measure": "edss", "worsening": {"steps": THREE_TIERS if options["threetier"] else TWO_TIERS}, "improvement": {"steps": [{}]}}
        ],
        "baseline": {"start": "first after time zero", "zero": "diagnosis", "start_within_days": int(options["baselinewindow"])},
        "confirmation": {"windows": [{"name": "c", "from_day": int(options["confirmdays"])}], "every_visit": False},
        "looking_for": "every event" if all_events else "first worsening",
    }
    if sustained:
        data["sustained"] = {"days": "to the end", "every_visit": True}
    if options.get("roving"):
        data["baseline"] |= {"moves_after": ["worsening"]}
    if options.get("rebaselinerelapse"):
        data["baseline"] |= {"moves_after": ["relapse"], "crossed_days": 0, "days_after_relapse": 30}
    if "windowbefore" in options:
        before, after = int(options["windowafter"]), int(options["windowbefore"])
        data["relapses"] = {"raw": {"days_before_onset": before, "days_after_onset": after}}
    return definition_from(data, where=key)


def milestone_of(options: Mapping[str, Any]) -> Milestone:
    """Return the milestone that says what the options of sustainedss say."""
    window, score, floor = int(options["confirmwindow"]), float(options["threshold"]), float(options["floor"])
    next_visit = {"name": "c", "from_day": 1} | ({"to_day": window} if options["confirmvisit"] == "window" else {})
    data: dict[str, Any] = {
        "key": "setools",
        "title": "setools",
        "score": score,
        # Without confirmvisit() the score need only not fall below the floor later, where there is a later visit.
        "confirmation": {"windows": [] if options["confirmvisit"] == "" else [next_visit]},
        "sustained": {"days": window + 1 if options["confirmvisit"] == "window" else "to the end"},
    }
    return Milestone.model_validate(data | ({} if floor == score else {"floor": floor}))


def cohort_of(people: People, diagnosis: Mapping[str, int | None], relapses: Mapping[str, set[int]]) -> Cohort:
    """Return the cohort of some people, scores rounded to hundredths."""
    names = sorted(people)
    attacks = [sorted(relapses.get(name, ())) for name in names]
    units = MEASURES["edss"].units_per_point
    return Cohort(
        patients=pl.Series(names, dtype=pl.String),
        visits=Visits(
            first=offsets([len(people[name]) for name in names]),
            day=np.array([day for name in names for day, _ in people[name]], dtype=np.int32),
            scores={"edss": np.array([round(score * units) for name in names for _, score in people[name]], dtype=np.int32)},
        ),
        relapses=Relapses(
            first=offsets([len(days) for days in attacks]), day=np.array([d for days in attacks for d in days], dtype=np.int32)
        ),
        relapse_knowledge="recorded",
        attributes=pl.DataFrame(
            {"patient": names, "diagnosis_date": [diagnosis[name] for name in names]},
            schema={"patient": pl.String, "diagnosis_date": pl.Int32},
        ),
        calendar="day",
    )


def lowest_a_day(rows: list[tuple[str, int | None, str | None]]) -> People:
    """Return people from patient, day and score; rows without day or score are left out."""
    seen: dict[str, dict[int, Decimal]] = {}
    for patient, day, score in rows:
        days = seen.setdefault(patient, {})
        if day is not None and score not in (None, ""):
            days[day] = min(Decimal(str(score)), days.get(day, Decimal(99)))
    return {patient: sorted(days.items()) for patient, days in seen.items()}


# -- the known answers ------------------------------------------------------------------------


def compare_known(path: Path) -> Iterator[Agreement]:
    """Compare every hand-made case of setools' own tests."""
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        yield compare_case(case)


def compare_case(case: dict[str, Any]) -> Agreement:
    """Compare one case, patient by patient."""
    agreement = Agreement(case["name"], f"known {case['command']}")
    people = lowest_a_day([(row["id"], row["day"], row["edss"]) for row in case["visits"]])
    diagnosis = {row["id"]: row.get("dx_day") for row in case["visits"]}
    relapses: dict[str, set[int]] = {}
    for row in case["relapses"]:
        relapses.setdefault(row["id"], set()).add(row["day"])
    cohort = cohort_of(people, diagnosis, relapses)
    mine = answers(cohort, case["command"], case["options"])
    for patient, expected in case["expected"].items():
        agreement.patients += 1
        if mine[patient] == expected:
            agreement.identical += 1
        else:
            theirs: list[Row] = [{"answer": expected}]
            agreement.differences.append(NamedDifference(case["name"], patient, (), [{"answer": mine[patient]}], theirs))
    return agreement


def answers(cohort: Cohort, command: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return our answer for each patient in the form of the known answers."""
    exits = options.get("exit", {})
    found: dict[str, Any] = dict.fromkeys(cohort.patients, [] if command == "cdp_roving_all" else None)
    if command == "sustainedss":
        for row in reach(cohort, milestone_of(options)).rows(named=True):
            found[row["patient"]] = row["day"] if row["reached"] else None
        return found
    everything = command == "cdp_roving_all"
    for row in detect(cohort, definition_of(options, "setools", all_events=everything)).table.rows(named=True):
        if row["kind"] != "worsening" or row["onset_day"] > exits.get(row["patient"], row["onset_day"]):
            continue
        if everything:
            found[row["patient"]] = [*found[row["patient"]], [row["onset_day"], row["reference_score"]]]
        else:
            found[row["patient"]] = [row["label"], row["onset_day"]] if command == "pira" else row["onset_day"]
    return found


# -- the cohort of relapses -------------------------------------------------------------------

OPTIONS = ("baselinewindow", "confirmdays", "threetier", "confirmtype", "windowbefore", "windowafter")


def compare_oracle(folder: Path) -> Iterator[Agreement]:
    """Compare the class and day of every patient under every set of options in `relapses_oracle_pira_raw.csv`."""
    visits = rows_of(folder / "relapses_visits.csv")
    people = lowest_a_day([(row["id"], day_or_none(row["edss_date"]), row["edss"]) for row in visits])
    diagnosis = {row["id"]: day_or_none(row["dx_date"]) for row in visits}
    relapses: dict[str, set[int]] = {}
    for row in rows_of(folder / "relapses_only.csv"):
        relapses.setdefault(row["id"], set()).add(day_of(datetime.date.fromisoformat(row["relapse_date"])))
    cohort = cohort_of(people, diagnosis, relapses)
    theirs: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows_of(folder / "relapses_oracle_pira_raw.csv"):
        options = tuple(row[name] for name in OPTIONS)
        theirs.setdefault(options, {})[row["id"]] = {"class": row["cls"], "onset": row["event_date"] or None}
    for options, rows in theirs.items():
        yield compare_options(dict(zip(OPTIONS, options, strict=True)), cohort, people, rows)


def compare_options(options: dict[str, Any], cohort: Cohort, people: People, theirs: dict[str, Row]) -> Agreement:
    """Compare one set of options, patient by patient; where we differ, once more with every decimal of the scores."""
    options = options | {"threetier": options["threetier"] == "True"}
    definition = definition_of(options, "setools")
    agreement = Agreement(" ".join(str(options[name]) for name in OPTIONS), "oracle pira")
    ours: dict[str, Row] = {patient: {"class": "none", "onset": None} for patient in cohort.patients}
    for row in detect(cohort, definition).table.rows(named=True):
        ours[row["patient"]] = {"class": row["label"], "onset": date_text(row["onset_day"])}
    for patient, row in theirs.items():
        agreement.patients += 1
        if ours[patient] == row:
            agreement.identical += 1
            continue
        names = (ROUNDED,) if with_every_decimal(cohort, people, patient, definition) == row else ()
        agreement.differences.append(NamedDifference(agreement.config, patient, names, [ours[patient]], [row]))
    return agreement


DECIMALS = 10**15
"""Score units in one point: the oracle's scores have up to 15 decimals."""


@dataclass(frozen=True)
class FineRule:
    """A rule for scores in units finer than hundredths."""

    rule: MeasureRule

    def spec(self) -> Measure:
        """Return the measure with the finer units."""
        return replace(self.rule.spec(), units_per_point=DECIMALS)

    def needed(self, reference: int, *, worsening: bool) -> int | None:
        """Return the change needed from a reference."""
        points = Fraction(reference, DECIMALS)
        threshold = self.rule.worsening
        step = next(step for step in threshold.steps if step.up_to is None or points <= Fraction(str(step.up_to)))
        return None if step.change is None else int(Fraction(str(step.change)) * DECIMALS)


def with_every_decimal(cohort: Cohort, people: People, patient: str, definition: Definition) -> Row:
    """Return the answer of the readable engine where scores keep every decimal."""
    rule = definition.measures[0]
    record: Record = record_of(cohort, cohort.index_of(patient), rule, definition)
    fine = replace(record, scores=tuple(int(score * DECIMALS) for _, score in people[patient]))
    found = [event for event in scan(fine, FineRule(rule), definition) if event.reason == 0]  # type: ignore[arg-type]
    if not found:
        return {"class": "none", "onset": None}
    return {"class": "RAW" if found[0].raw else "PIRA", "onset": date_text(record.days[found[0].onset])}


def day_or_none(text: str) -> int | None:
    """Return an ISO date as a day; None where it is empty."""
    return day_of(datetime.date.fromisoformat(text)) if text else None


def date_text(day: int) -> str:
    """Return a day as an ISO date."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def compare_folder(folder: Path) -> Iterator[Agreement]:
    """Compare the known answers and the oracle of a folder."""
    if (folder / "setools_known_answers.json").is_file():
        yield from compare_known(folder / "setools_known_answers.json")
    if (folder / "relapses_oracle_pira_raw.csv").is_file():
        yield from compare_oracle(folder)
