"""Agreement with the Bern program (drstrupf/multiple-sclerosis-disability-progression at 2953488) on its hand-made cases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS, Record
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.engine.walk import Walk
from smoulder.errors import DefinitionError, SourceError
from smoulder.rulebook.model import Definition, definition_from
from smoulder.terms import MEASURES, date_of
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import read_cohort
from tests.oracle.inputs import answers_and_cohorts, json_of, numbers, object_with, one_of_values, reading, rows_of, strangers

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
"""The options of the program as it comes (definitions/edssprogression.py, class EDSSProgression)."""

WORDS: dict[str, tuple[Any, ...]] = {
    "undefined_progression": tuple(SECOND),
    "undefined_progression_wrt_raw_pira_baseline": tuple(LEAST),
    "opt_baseline_type": ("fixed", "roving"),
    "opt_roving_reference_confirmation_included_values": ("all", "last"),
    "opt_confirmation_type": ("minimum", "monotonic"),
    "opt_confirmation_included_values": ("all", "last"),
    "opt_minimal_distance_type": ("reference", "previous"),
    **{name: (True, False) for name, value in DEFAULTS.items() if isinstance(value, bool)},
}
"""Options that are a choice, and what can be chosen (edssprogression.py, EDSSProgression.__post_init__)."""

LIMITS = tuple(name for name, value in DEFAULTS.items() if value == "inf")
"""Options that are days and may be "inf"."""

NUMBERS = tuple(name for name in DEFAULTS if name not in (*WORDS, *LIMITS))
"""Options that are days or a score."""

NAMES = ("_column_name", "label_")
"""End or beginning of options that only name columns and labels."""

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
    "is_post_relapse_rebaseline",
)
"""Columns of the program that say what was found and which reference is in force."""

WITH_RELAPSES = ("is_raw_pira_rebaseline", "edss_score_used_as_new_raw_pira_reference", "is_post_relapse_rebaseline")
"""Columns that the cases without relapses do not have: the authors' tests look there at the general reference alone."""

NOT_OURS = ("days_since_previous_relapse", "days_to_next_relapse")
"""Columns of the program that repeat its input."""


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
    edss, days = MEASURES["edss"], case["days"]
    if len(days) != len(case["edss"]) or not days or any(type(day) is not int for day in days) or days != sorted(set(days)):
        raise SourceError(f"Case {case['case_id']}: days have to be whole numbers that rise, one for each EDSS.")
    return Record(
        days=tuple(days),
        scores=tuple(edss.units(score) for score in case["edss"]),
        scheduled=(True,) * len(days),
        relapses=() if case["ignore_relapses"] else tuple(sorted(set(case["relapses"]))),
        relapses_known=True,
        covered_from=None,
        covered_to=None,
        observed_from=days[0],
        observed_to=days[-1],
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
    first_only = definition.looking_for == "first event"
    past_relapse = walk.past_relapse(0)
    for which, visit, score, why in references.set:
        if why == "worsening" and (visit not in onsets or first_only):
            continue
        name = {"first": "raw_pira", "second": "general"}[which]
        cells[f"is_{name}_rebaseline"][visit] = True
        cells[f"edss_score_used_as_new_{name}_reference"][visit] = score / 100
        if which == "first" and visit in past_relapse and why != "falls":
            cells["is_post_relapse_rebaseline"][visit] = True
    if first_only:
        cells["is_post_event_rebaseline"] = {}
        # The program marks these visits first, takes the mark from some as it comes to them, and stops at the one event.
        unseen = {visit for visit in past_relapse if found and visit >= found[0].onset}
        cells["is_post_relapse_rebaseline"] |= dict.fromkeys(unseen, True)
    return {
        name: [[record.days[visit], value] for visit, value in sorted(by_visit.items())] for name, by_visit in cells.items() if by_visit
    }


def check_options(options: dict[str, Any], what: str) -> list[str]:
    """Return the options that are none of the program's; SourceError where the value of one cannot be."""
    for name, words in WORDS.items():
        one_of_values(options, name, words, what)
    numbers(options, NUMBERS, what)
    numbers(options, LIMITS, what, also=("inf",))
    return [name for name in options if name not in DEFAULTS]


def compare_case(case: dict[str, Any], defaults: dict[str, Any]) -> Agreement:
    """Compare one case, both ways: a cell that only one of the two has is a difference."""
    object_with(case, "A case", "case_id")
    what = f"Case {case['case_id']}"
    object_with(case, what, "days", "edss", "relapses", "ignore_relapses", "options", "expected")
    options, expected = object_with(case["options"], f"{what}: options"), object_with(case["expected"], f"{what}: expected")
    agreement = Agreement(str(case["case_id"]), "bern")
    unknown = check_options(options, what) + [name for name in expected if name not in (*COMPARED, *NOT_OURS)]
    if unknown:
        agreement.left_out = f"the program has no option or column {', '.join(unknown)}"
        return agreement
    with reading(what):
        record = record_of_case(case)
    try:
        definition = definition_of(defaults | options)
    except DefinitionError as error:
        agreement.left_out = str(error)
        return agreement
    mine = annotation(record, definition)
    columns = [name for name in COMPARED if not case["ignore_relapses"] or name not in WITH_RELAPSES]
    if case["ignore_relapses"]:
        agreement.notes.append(f"{', '.join(WITH_RELAPSES)} (the case is one without relapses, and has none)")
    agreement.notes += [f"{name} (it repeats the relapses given)" for name in NOT_OURS if name in expected]
    differing = [name for name in columns if mine.get(name, []) != expected.get(name, [])]
    ours: list[Row] = [{"column": name, "cells": mine.get(name, [])} for name in differing]
    theirs: list[Row] = [{"column": name, "cells": expected.get(name, [])} for name in differing]
    agreement.patients = 1
    if differing:
        agreement.differences.append(NamedDifference(agreement.config, "case", (), ours, theirs))
    else:
        agreement.identical = 1
    return agreement


CROSS: dict[str, dict[str, Any]] = {
    "default": {},
    "fixed84": {"opt_baseline_type": "fixed", "opt_confirmation_time": 84},
    "roving84": {"opt_confirmation_time": 84, "opt_roving_reference_confirmation_time": 84},
}
"""Files of the program's answers on the common cohort, and the options they were made with."""


def compare_cross(folder: Path, defaults: dict[str, Any]) -> Iterator[Agreement]:
    """Compare the program's answers on the common cohort, with relapses and without: day, score, type, confirmed score, reference."""
    answers, cohorts = answers_and_cohorts(folder)
    for name, options in CROSS.items():
        definition = definition_of(defaults | options, f"bern-{name}")
        for relapses in (False, True):
            path = answers / f"{cross_file(name, relapses=relapses)}.csv"
            if path.is_file():
                yield compare_file(path, cohorts / "main", definition, relapses=relapses)
            else:
                yield Agreement(path.name, "", left_out="there is no such file", left_out_code=2)


def cross_file(name: str, *, relapses: bool) -> str:
    """Return the name of one of the files without its ending."""
    return f"drstrupf_main_{name}_{'rel' if relapses else 'norel'}"


CROSS_FILES = tuple(cross_file(name, relapses=relapses) for name in CROSS for relapses in (False, True))
COLUMNS = (
    "id",
    "date",
    "days_after_baseline",
    "edss_score",
    "progression_type",
    "progression_score",
    "progression_reference_score",
    "progression_event_id",
)


def compare_file(path: Path, cohort_folder: Path, definition: Definition, *, relapses: bool) -> Agreement:
    """Compare one file with ours, patient by patient; both of our engines."""
    cohort = read_cohort(cohort_folder, relapses=relapses)
    theirs: dict[str, list[Row]] = {}
    for row in rows_of(path, *COLUMNS):
        with reading(path):
            kept: Row = {"onset": row["date"][:10], "days": int(row["days_after_baseline"]), "score": float(row["edss_score"])}
            kept |= {"label": LABEL.get(row["progression_type"], row["progression_type"]), "number": float(row["progression_event_id"])}
            kept |= {"confirmed_score": float(row["progression_score"]), "reference": float(row["progression_reference_score"])}
        theirs.setdefault(row["id"], []).append(kept)
    compiled: dict[str, list[tuple[int, float, str]]] = {}
    for event in detect(cohort, definition).table.rows(named=True):
        compiled.setdefault(event["patient"], []).append((event["onset_day"], event["reference_score"], event["label"]))
    agreement = Agreement(path.stem, definition.key)
    strangers(agreement, theirs, cohort.patients, both_ways=False)
    for place, patient in enumerate(cohort.patients):
        record = record_of(cohort, place, definition.measures[0], definition)
        walk = Walk(record, definition.measures[0], definition, Teller())
        found = [event for event in walk.run() if event.reason == 0]
        scores = {step.found.onset: step.score for step in walk.steps}
        mine: list[Row] = [
            {
                "onset": date_of(record.days[event.onset]).isoformat(),
                "days": record.days[event.onset] - record.days[0],
                "score": event.onset_score / 100,
                "label": LABELS[event.label],
                "number": number,
                "confirmed_score": scores[event.onset] / 100,
                "reference": event.reference / 100,
            }
            for number, event in enumerate(found, start=1)
        ]
        readable = [(record.days[event.onset], event.reference / 100, str(LABELS[event.label])) for event in found]
        assert compiled.get(patient, []) == readable, f"the two engines differ: {definition.key} {patient}"
        agreement.patients += 1
        yours = theirs.get(patient, [])
        if mine == yours:
            agreement.identical += 1
        else:
            agreement.differences.append(NamedDifference(path.stem, patient, (), mine, yours))
    return agreement


def compare_cases(path: Path) -> Iterator[Agreement]:
    """Compare every hand-made case of a file."""
    data = json_of(path, "cases", "default_options")
    defaults = object_with(data["default_options"], f"{path}: default_options", *DEFAULTS)
    unknown = check_options(defaults, f"{path}: default_options")
    unknown = [name for name in unknown if not name.endswith(NAMES[0]) and not name.startswith(NAMES[1])]
    if unknown:
        raise SourceError(f"{path}: the program has no option {', '.join(unknown)}, which stands in default_options.")
    if not isinstance(data["cases"], list):
        raise SourceError(f"{path}: cases has to be a list.")
    for case in data["cases"]:
        yield compare_case(case, defaults)


def compare_folder(path: Path) -> Iterator[Agreement]:
    """Compare the cases of a file, or of `cases.json` in a folder, or the program's answers on a common cohort in `cross`."""
    cases = path if path.is_file() else path / "cases.json"
    if cases.is_file():
        yield from compare_cases(cases)
    elif (path / "cross").is_dir() or any((path / f"{file}.csv").is_file() for file in CROSS_FILES):
        yield from compare_cross(path, DEFAULTS)
