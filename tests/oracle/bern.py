"""Agreement with the Bern program (drstrupf/multiple-sclerosis-disability-progression at 2953488) on its hand-made cases."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS, Record
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.engine.walk import Walk
from smoulder.errors import DefinitionError
from smoulder.rulebook.model import Definition, definition_from
from smoulder.terms import MEASURES, date_of
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import read_cohort

LABEL = {"Undefined": "undefined"}
"""The program's word where it is not ours."""

SECOND = {"re-baselining only": "after a relapse", "never": "no", "all": "at every visit", "end": "after the last event"}
LEAST = {"any": "any", "equal or greater": "the reference", "greater only": "worse than the reference"}

DEFAULTS: dict[str, Any] = {
    "undefined_progression": "re-baselining only",
    "undefined_progression_wrt_raw_pira_baseline": "any",
    "return_first_event_only": False,
    "merge_continuous_events": False,
    "continuous_events_max_repetition_time": 30,
    "continuous_events_max_merge_distance": "inf",
    "opt_baseline_type": "roving",
    "opt_roving_reference_require_confirmation": True,
    "opt_roving_reference_confirmation_time": 30,
    "opt_roving_reference_confirmation_included_values": "all",
    "opt_roving_reference_confirmation_time_right_side_max_tolerance": "inf",
    "opt_roving_reference_confirmation_time_left_side_max_tolerance": 0,
    "opt_raw_before_relapse_max_time": 30,
    "opt_raw_after_relapse_max_time": 90,
    "opt_pira_allow_relapses_between_event_and_confirmation": False,
    "opt_max_score_that_requires_plus_1": 5.0,
    "opt_larger_increment_from_0": True,
    "opt_require_confirmation": True,
    "opt_confirmation_time": 180,
    "opt_confirmation_type": "minimum",
    "opt_confirmation_included_values": "all",
    "opt_confirmation_sustained_minimal_distance": 0,
    "opt_confirmation_time_right_side_max_tolerance": "inf",
    "opt_confirmation_time_left_side_max_tolerance": 0,
    "opt_confirmation_require_confirmation_for_last_visit": True,
    "opt_minimal_distance_time": 0,
    "opt_minimal_distance_type": "reference",
    "opt_minimal_distance_backtrack_decrease": True,
}
"""The options of the program as it comes (class EDSSProgression)."""

COMPARED = (
    "is_progression",
    "progression_type",
    "progression_score",
    "progression_reference_score",
    "progression_event_id",
    "is_general_rebaseline",
    "edss_score_used_as_new_general_reference",
    "is_raw_pira_rebaseline",
    "edss_score_used_as_new_raw_pira_reference",
    "is_post_event_rebaseline",
)
"""Columns of the program that say what was found and which reference is in force."""


def definition_of(options: dict[str, Any], key: str = "bern") -> Definition:
    """Return the definition that says what the program's options say."""
    days = lambda name: _whole(options[f"opt_{name}"])  # noqa: E731
    sustained = options["opt_confirmation_time"] == -1
    every = options["opt_confirmation_included_values"] == "all"
    steps: list[dict[str, float]] = [{"up_to": 0.0, "change": 1.5}] if options["opt_larger_increment_from_0"] else []
    one_up_to = float(options["opt_max_score_that_requires_plus_1"])
    steps += [{"up_to": one_up_to, "change": 1.0}] if one_up_to >= 0 else []
    # A window reaches to the last whole day inside it, a delay to the first one past it.
    before, after = (math.floor(options[f"opt_raw_{side}_relapse_max_time"]) for side in ("before", "after"))
    data: dict[str, Any] = {
        "key": key,
        "title": key,
        "measures": [{"measure": "edss", "worsening": {"steps": [*steps, {"change": 0.5}]}}],
        "carried": _carried(options),
        "confirmation": _confirmation(options, sustained=sustained, every=every),
        "relapses": {
            "raw": {"days_before_onset": after, "days_after_onset": before},
            **_relapse_free(options, before, after, sustained=sustained, every=every),
        },
        "looking_for": "first event" if options["return_first_event_only"] else "every event",
    }
    if sustained and options["opt_require_confirmation"]:
        data["sustained"] = {"days": "to the end", "every_visit": True}
    if options["opt_require_confirmation"] and not options["opt_confirmation_require_confirmation_for_last_visit"]:
        data["last_visit"] = {"worsening": "counted", "when": "first seen at the last visit"}
    if days("minimal_distance_time"):
        previous = options["opt_minimal_distance_type"] == "previous"
        data["onset"] = {"min_days": days("minimal_distance_time"), "min_days_from": "previous visit" if previous else "baseline"}
        data["carried"]["earlier_reference"] = not previous and options["opt_minimal_distance_backtrack_decrease"]
    return definition_from(data, where=key)


def _whole(value: Any) -> int | None:
    """Return days as the smallest whole number that is as far; None for no limit."""
    return None if value in ("inf", math.inf) else math.ceil(value)


def _window(options: dict[str, Any], prefix: str) -> tuple[int, int | None]:
    """Return from and to day of a confirmation with its tolerances; at least the next day."""
    wait = options[f"{prefix}_time"]
    left, right = options[f"{prefix}_time_left_side_max_tolerance"], options[f"{prefix}_time_right_side_max_tolerance"]
    to_day = None if right in ("inf", math.inf) else math.floor(wait + right)
    return max(math.ceil(wait - left), 1), to_day


def _confirmation(options: dict[str, Any], *, sustained: bool, every: bool) -> dict[str, Any]:
    if not options["opt_require_confirmation"]:
        return {"windows": []}
    level = "threshold" if options["opt_confirmation_type"] == "minimum" else "onset"
    if sustained:
        wait = max(math.ceil(options["opt_confirmation_sustained_minimal_distance"]), 1)
        return {"windows": [{"name": "end", "from_day": wait}], "every_visit": False, "level": level}
    from_day, to_day = _window(options, "opt_confirmation")
    window = {"name": "c", "from_day": from_day} | ({} if to_day is None else {"to_day": to_day})
    return {"windows": [window], "every_visit": every, "level": level}


def _relapse_free(options: dict[str, Any], before: int | None, after: int | None, *, sustained: bool, every: bool) -> dict[str, Any]:
    """Return the intervals of PIRA: the program asks that no relapse lies from onset to 30 days after the end of confirmation."""
    if not options["opt_require_confirmation"]:
        return {}
    end = "last holding visit" if sustained else "confirmation"
    free = [f"onset .. {end}+{before}"]
    if options["opt_pira_allow_relapses_between_event_and_confirmation"] and not every:
        free = [f"confirmation-{after} .. confirmation+{before}"]
    return {"relapse_free": free, "pira_at": "first confirming visit", "during_confirmation": "own class"}


def _carried(options: dict[str, Any]) -> dict[str, Any]:
    falls = "no" if options["opt_baseline_type"] == "fixed" else "at once"
    carried: dict[str, Any] = {
        "second_reference": SECOND[options["undefined_progression"]],
        "falls": "if confirmed" if falls != "no" and options["opt_roving_reference_require_confirmation"] else falls,
    }
    if carried["second_reference"] != "no":
        carried["second_at_least"] = LEAST[options["undefined_progression_wrt_raw_pira_baseline"]]
    if carried["falls"] == "if confirmed":
        from_day, to_day = _window(options, "opt_roving_reference_confirmation")
        carried |= {"falls_from_day": from_day} | ({} if to_day is None else {"falls_to_day": to_day})
        carried["falls_every_visit"] = options["opt_roving_reference_confirmation_included_values"] == "all"
    if options["merge_continuous_events"]:
        within = _whole(options["continuous_events_max_merge_distance"])
        carried["merging"] = {"stable_days": options["continuous_events_max_repetition_time"]}
        carried["merging"] |= {} if within is None else {"within_days": within}
    return carried


class References(Teller):
    """Keeps where each carried reference was set anew."""

    def __init__(self) -> None:
        self.set: list[tuple[str, int, int, str]] = []

    def carried(self, scan: Scan, which: str, visit: int, score: int, why: str) -> None:
        self.set.append((which, visit, score, why))


def record_of_case(case: dict[str, Any]) -> Record:
    """Return one case as a record; the program takes no relapses given as none happened."""
    edss = MEASURES["edss"]
    return Record(
        days=tuple(case["days"]),
        scores=tuple(edss.units(score) for score in case["edss"]),
        scheduled=(True,) * len(case["days"]),
        relapses=() if case["ignore_relapses"] else tuple(sorted(set(case["relapses"]))),
        relapses_known=True,
        covered_from=None,
        covered_to=None,
        observed_from=case["days"][0],
        observed_to=case["days"][-1],
        time_zero=None,
    )


def annotation(record: Record, definition: Definition) -> dict[str, list[list[Any]]]:
    """Return what the readable engine finds in the columns of the program: column -> [day, value], where it is not empty."""
    references = References()
    walk = Walk(record, definition.measures[0], definition, references)
    found = [event for event in walk.run() if event.reason == 0]
    steps = {step.found.onset: step for step in walk.steps}
    cells: dict[str, dict[int, Any]] = {name: {} for name in COMPARED}

    for number, event in enumerate(found, start=1):
        step, onset = steps[event.onset], event.onset
        label = LABELS[event.label]
        cells["is_progression"][onset] = True
        cells["progression_type"][onset] = {text: word for word, text in LABEL.items()}.get(str(label), label)
        cells["progression_score"][onset] = step.score / 100
        cells["progression_reference_score"][onset] = event.reference / 100
        for visit in range(onset, step.last_visit + 1):
            cells["progression_event_id"][visit] = number
        cells["is_post_event_rebaseline"][onset] = True
    onsets = {event.onset for event in found}
    last_only = definition.looking_for == "first event"
    for which, visit, score, why in references.set:
        if why == "worsening" and (visit not in onsets or last_only):
            continue
        name = {"first": "raw_pira", "second": "general"}[which]
        cells[f"is_{name}_rebaseline"][visit] = True
        cells[f"edss_score_used_as_new_{name}_reference"][visit] = score / 100
    if last_only:
        cells["is_post_event_rebaseline"] = {}
    return {
        name: [[record.days[visit], value] for visit, value in sorted(by_visit.items())] for name, by_visit in cells.items() if by_visit
    }


def compare_case(case: dict[str, Any], defaults: dict[str, Any]) -> Agreement:
    """Compare one case: every column that the case expects and that ours has."""
    agreement = Agreement(case["case_id"], "bern", patients=1)
    try:
        definition = definition_of(defaults | case["options"])
    except DefinitionError as error:
        agreement.left_out = str(error)
        return agreement
    mine = annotation(record_of_case(case), definition)
    expected = {name: rows for name, rows in case["expected"].items() if name in COMPARED}
    ours: list[Row] = [{"column": name, "cells": mine.get(name, [])} for name in expected]
    theirs: list[Row] = [{"column": name, "cells": rows} for name, rows in expected.items()]
    if ours == theirs:
        agreement.identical = 1
    else:
        agreement.differences.append(NamedDifference(case["case_id"], "case", (), ours, theirs))
    return agreement


CROSS: dict[str, dict[str, Any]] = {
    "default": {},
    "fixed84": {"opt_baseline_type": "fixed", "opt_confirmation_time": 84},
    "roving84": {"opt_confirmation_time": 84, "opt_roving_reference_confirmation_time": 84},
}
"""Files of the program's answers on the common cohort, and the options they were made with."""


def compare_cross(folder: Path, defaults: dict[str, Any]) -> Iterator[Agreement]:
    """Compare the program's answers on the common cohort, with relapses and without: day, score, type, confirmed score, reference."""
    for name, options in CROSS.items():
        definition = definition_of(defaults | options, f"bern-{name}")
        for relapses in (False, True):
            file = f"drstrupf_main_{name}_{'rel' if relapses else 'norel'}"
            yield compare_file(folder, file, definition, relapses=relapses)


def compare_file(folder: Path, file: str, definition: Definition, *, relapses: bool) -> Agreement:
    """Compare one file with ours, patient by patient; both of our engines."""
    cohort = read_cohort(folder / "cohorts" / "main", relapses=relapses)
    theirs: dict[str, list[Row]] = {}
    for row in pl.read_csv(folder / "cross" / f"{file}.csv").rows(named=True):
        kept = {"onset": row["date"][:10], "score": row["edss_score"], "label": LABEL.get(row["progression_type"], row["progression_type"])}
        kept |= {"confirmed_score": row["progression_score"], "reference": row["progression_reference_score"]}
        theirs.setdefault(row["id"], []).append(kept)
    compiled: dict[str, list[tuple[int, float, str]]] = {}
    for event in detect(cohort, definition).table.rows(named=True):
        compiled.setdefault(event["patient"], []).append((event["onset_day"], event["reference_score"], event["label"]))
    agreement = Agreement(file, definition.key)
    for place, patient in enumerate(cohort.patients):
        record = record_of(cohort, place, definition.measures[0], definition)
        walk = Walk(record, definition.measures[0], definition, Teller())
        found = [event for event in walk.run() if event.reason == 0]
        scores = {step.found.onset: step.score for step in walk.steps}
        mine: list[Row] = [
            {
                "onset": date_of(record.days[event.onset]).isoformat(),
                "score": event.onset_score / 100,
                "label": LABELS[event.label],
                "confirmed_score": scores[event.onset] / 100,
                "reference": event.reference / 100,
            }
            for event in found
        ]
        readable = [(record.days[event.onset], event.reference / 100, str(LABELS[event.label])) for event in found]
        assert compiled.get(patient, []) == readable, f"the two engines differ: {definition.key} {patient}"
        agreement.patients += 1
        yours = theirs.get(patient, [])
        if mine == yours:
            agreement.identical += 1
        else:
            agreement.differences.append(NamedDifference(file, patient, (), mine, yours))
    return agreement


def compare_folder(folder: Path) -> Iterator[Agreement]:
    """Compare every case of `cases.json` in a folder, or the program's answers on a common cohort in `cross`."""
    if (folder / "cases.json").is_file():
        data = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
        for case in data["cases"]:
            yield compare_case(case, data["default_options"])
    if (folder / "cross").is_dir():
        yield from compare_cross(folder, DEFAULTS)
