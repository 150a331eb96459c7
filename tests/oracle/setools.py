"""Agreement with Stata setools 1.5 (cdp, pira, sustainedss): its known answers, and its classes on a cohort of relapses.

Its options become settings of ours: the baseline is the first EDSS within N days on or after diagnosis; "sustained" asks that every
EDSS from the confirming day on stays past the threshold, whatever lies between; and its relapse window runs from `windowbefore` days
before a relapse to `windowafter` days after it, so that in days from onset it is the other way round.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
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
from smoulder.errors import SourceError
from smoulder.rulebook.milestone import Milestone
from smoulder.rulebook.model import Definition, definition_from
from smoulder.rulebook.thresholds import MeasureRule
from smoulder.tables import Cohort, Relapses, Visits
from smoulder.terms import MEASURES, Measure
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import day_number, offsets
from tests.oracle.inputs import json_of, numbers, object_with, one_of_values, reading, rows_of, strangers

TWO_TIERS = [{"up_to": 5.5, "change": 1.0}, {"change": 0.5}]
THREE_TIERS = [{"up_to": 0.0, "change": 1.5}, *TWO_TIERS]

ROUNDED = "scores are kept in hundredths"
WHY_ROUNDED = (
    "an EDSS has half points; 39 of 100 of that cohort have up to 15 decimals, which setools compares as they are "
    "(setools/_setools_cdp_confirm.ado, double), and ours rounds to hundredths"
)

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
            try:
                days[day] = min(Decimal(str(score)), days.get(day, Decimal(99)))
            except InvalidOperation as error:
                raise SourceError(f"The EDSS '{score}' of patient {patient} is no number.") from error
    return {patient: sorted(days.items()) for patient, days in seen.items()}


# -- the known answers ------------------------------------------------------------------------


CDP = ("confirmdays", "baselinewindow", "threetier", "confirmtype", "roving")
NEEDED: dict[str, tuple[str, ...]] = {
    "cdp": CDP,
    "cdp_roving_all": CDP,
    "pira": (*CDP, "windowbefore", "windowafter", "rebaselinerelapse"),
    "sustainedss": ("threshold", "confirmwindow", "confirmvisit", "floor"),
}
"""Command -> the options that a case of it has to state; `exit` (patient -> last day) may stand beside them, but for sustainedss."""

WORDS: dict[str, tuple[Any, ...]] = {
    "confirmtype": ("sustained", "visit"),
    "confirmvisit": ("", "window", "unlimited"),
    "threetier": (True, False),
    "roving": (True, False),
    "rebaselinerelapse": (True, False),
}
"""Options that are a choice, and what can be chosen (setools/cdp.ado, pira.ado and sustainedss.ado, syntax)."""

NUMBERS = ("confirmdays", "baselinewindow", "windowbefore", "windowafter", "threshold", "confirmwindow", "floor")


def compare_known(path: Path) -> Iterator[Agreement]:
    """Compare every hand-made case of setools' own tests."""
    cases = json_of(path, "cases")["cases"]
    if not isinstance(cases, list):
        raise SourceError(f"{path}: cases has to be a list.")
    for case in cases:
        yield compare_case(case)


def unknown_options(case: dict[str, Any], what: str) -> list[str]:
    """Return the options that the command of a case does not have; SourceError where one is lacking or has a value that cannot be."""
    one_of_values(case, "command", tuple(NEEDED), what)
    options = object_with(case["options"], f"{what}: options", *NEEDED[case["command"]])
    for name, words in WORDS.items():
        one_of_values(options, name, words, what)
    numbers(options, NUMBERS, what)
    exits = object_with(options.get("exit", {}), f"{what}: exit")
    numbers(exits, exits, f"{what}: exit")
    known = {*NEEDED[case["command"]], *(["exit"] if case["command"] != "sustainedss" else [])}
    return [name for name in options if name not in known]


def compare_case(case: dict[str, Any]) -> Agreement:
    """Compare one case, patient by patient."""
    object_with(case, "A case", "name", "command", "options", "visits", "relapses", "expected")
    what = f"Case '{case['name']}'"
    agreement = Agreement(case["name"], f"known {case['command']}")
    unknown = unknown_options(case, what)
    if unknown:
        agreement.left_out = f"{case['command']} has no option {', '.join(unknown)} here"
        return agreement
    with reading(what):
        people = lowest_a_day([(row["id"], row["day"], row["edss"]) for row in case["visits"]])
        diagnosis = {row["id"]: row.get("dx_day") for row in case["visits"]}
        relapses: dict[str, set[int]] = {}
        for row in case["relapses"]:
            relapses.setdefault(row["id"], set()).add(row["day"])
        cohort = cohort_of(people, diagnosis, relapses)
        definition: Definition | Milestone = (
            milestone_of(case["options"])
            if case["command"] == "sustainedss"
            else definition_of(case["options"], "setools", all_events=case["command"] == "cdp_roving_all")
        )
        expected = dict(object_with(case["expected"], f"{what}: expected"))
    mine = answers(cohort, case["command"], definition, case["options"].get("exit", {}))
    strangers(agreement, {name: [{"answer": answer}] for name, answer in expected.items()}, mine, both_ways=True)
    for patient in [name for name in expected if name in mine]:
        agreement.patients += 1
        if mine[patient] == expected[patient]:
            agreement.identical += 1
        else:
            theirs: list[Row] = [{"answer": expected[patient]}]
            agreement.differences.append(NamedDifference(case["name"], patient, (), [{"answer": mine[patient]}], theirs))
    return agreement


def answers(cohort: Cohort, command: str, definition: Definition | Milestone, exits: Mapping[str, int]) -> dict[str, Any]:
    """Return our answer for each patient in the form of the known answers; events after a patient's last day in `exits` do not count."""
    everything = command == "cdp_roving_all"
    found: dict[str, Any] = dict.fromkeys(cohort.patients, [] if everything else None)
    if isinstance(definition, Milestone):
        for row in reach(cohort, definition).rows(named=True):
            found[row["patient"]] = row["day"] if row["reached"] else None
        return found
    for row in detect(cohort, definition).table.rows(named=True):
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
    answers_file, visits_file, relapses_file = (folder / f"relapses_{name}.csv" for name in ("oracle_pira_raw", "visits", "only"))
    oracle = rows_of(answers_file, "id", *OPTIONS, "cls", "event_date")
    visits = rows_of(visits_file, "id", "edss_date", "edss", "dx_date")
    relapses: dict[str, set[int]] = {}
    for row in rows_of(relapses_file, "id", "relapse_date"):
        day = day_number(row["relapse_date"], "relapse_date")
        if day is None:
            raise SourceError(f"{relapses_file}: patient {row['id']} has a relapse without a date.")
        relapses.setdefault(row["id"], set()).add(day)
    people = lowest_a_day([(row["id"], day_number(row["edss_date"], "edss_date"), row["edss"]) for row in visits])
    diagnosis = {row["id"]: day_number(row["dx_date"], "dx_date") for row in visits}
    cohort = cohort_of(people, diagnosis, relapses)
    theirs: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in oracle:
        options = tuple(row[name] for name in OPTIONS)
        theirs.setdefault(options, {})[row["id"]] = {"class": row["cls"], "onset": row["event_date"] or None}
    unknown = [name for name in oracle[0] if name not in ("id", *OPTIONS, "cls", "event_date")] if oracle else []
    for options, rows in theirs.items():
        named: dict[str, str] = dict(zip(OPTIONS, options, strict=True))
        if unknown:
            yield Agreement(" ".join(options), "oracle pira", left_out=f"there is no option or column {', '.join(unknown)} here")
        else:
            yield compare_options(read_options(named, answers_file), cohort, people, rows)


def read_options(options: Mapping[str, str], path: Path) -> dict[str, Any]:
    """Return one set of options with truth values and days read; SourceError where one cannot be."""
    one_of_values(options, "threetier", ("True", "False"), str(path))
    one_of_values(options, "confirmtype", WORDS["confirmtype"], str(path))
    days = [name for name in OPTIONS if name not in ("threetier", "confirmtype")]
    with reading(path):
        return {**options, "threetier": options["threetier"] == "True", **{name: int(options[name]) for name in days}}


def compare_options(options: dict[str, Any], cohort: Cohort, people: People, theirs: dict[str, Row]) -> Agreement:
    """Compare one set of options, patient by patient; where we differ, once more with every decimal of the scores."""
    definition = definition_of(options, "setools")
    agreement = Agreement(" ".join(str(options[name]) for name in OPTIONS), "oracle pira")
    ours: dict[str, Row] = {patient: {"class": "none", "onset": None} for patient in cohort.patients}
    for row in detect(cohort, definition).table.rows(named=True):
        ours[row["patient"]] = {"class": row["label"], "onset": date_text(row["onset_day"])}
    strangers(agreement, {patient: [row] for patient, row in theirs.items()}, ours, both_ways=True)
    for patient, row in theirs.items():
        if patient not in ours:
            continue
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


def date_text(day: int) -> str:
    """Return a day as an ISO date."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def compare_folder(path: Path) -> Iterator[Agreement]:
    """Compare the known answers in a file, or those and the oracle of a folder."""
    known = path if path.is_file() else path / "setools_known_answers.json"
    if known.is_file():
        yield from compare_known(known)
    if (path / "relapses_oracle_pira_raw.csv").is_file():
        yield from compare_oracle(path)
