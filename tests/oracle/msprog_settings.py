"""msprog's and pymsprog's arguments as a Definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from smoulder.errors import DefinitionError
from smoulder.rulebook import Definition
from smoulder.rulebook.model import definition_from
from tests.oracle.inputs import object_with, one_of_values

STEPS_5P0 = [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.0, "change": 1.0}, {"change": 0.5}]
STEPS_5P5 = [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.5, "change": 1.0}, {"change": 0.5}]
OUTCOME_THRESHOLDS: dict[str, dict[str, Any]] = {
    "edss": {"steps": STEPS_5P0},
    "t25fw": {"percent": 20.0},
    "nhpt": {"percent": 20.0},
    "sdmt": {"percent": 20.0, "points": 4.0, "of_two": "smaller"},
}
STEPS_BELOW_6 = [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.99, "change": 1.0}, {"change": 0.5}]
DELTA_THRESHOLDS: dict[str, dict[str, Any]] = {
    "edss_below_6": {"steps": STEPS_BELOW_6},
    "half": {"points": 0.5},
    "edss_5p5": {"steps": STEPS_5P5},
    "pct10": {"percent": 10.0},
}
DEFAULT_INDEPENDENT = {"prec": [0, 0], "event": [90, 30], "conf": [90, 30], "prec_type": "baseline"}
PRECEDING = {"baseline": "baseline", "last": "previous visit", "last_delta": "last meaningful visit"}
LOOKING_FOR = {
    "multiple": "every event",
    "first": "first event",
    "firstCDW": "first worsening",
    "firstCDI": "first improvement",
    "firstPIRA": "first PIRA",
    "firstRAW": "first RAW",
}

YES_NO = (True, False)
WORDS: dict[str, tuple[Any, ...]] = {
    "outcome": (*OUTCOME_THRESHOLDS, "custom"),
    "delta_fun": tuple(DELTA_THRESHOLDS),
    "event": tuple(LOOKING_FOR),
    "baseline": ("fixed", "roving", "roving_wors", "roving_impr"),
    "proceed_from": ("firstconf", "event"),
    "sub_threshold_rebl": ("none", "change", "improvement", "worsening"),
    "skip_local_extrema": ("none", "strict", "all"),
    "validconf_col": ("scheduled",),
    "worsening": ("increase", "decrease"),
    "date_format": ("day",),
    **dict.fromkeys(("RAW_PIRA", "relapse_rebl", "bl_geq", "check_intermediate", "include_stable"), YES_NO),
}
"""Arguments that are a choice, and what can be chosen (R/MSprog.R, MSprog); functions go by the names of `DELTA_THRESHOLDS`."""

OTHERS = (
    *("value_col", "date_col", "conf_days", "conf_tol_days", "require_sust_days", "relapse_to_bl", "relapse_to_event", "relapse_to_conf"),
    *("relapse_assoc", "relapse_indep", "impute_last_visit", "subjects", "milestone"),
)
"""Arguments that are columns, days, intervals, patients or a score."""


def unknown_arguments(args: Mapping[str, Any], what: str) -> list[str]:
    """Return the arguments that are none of the programs'; SourceError where one is lacking or has a value that cannot be."""
    object_with(args, f"{what}: args", "outcome", "value_col")
    for name, words in WORDS.items():
        one_of_values(args, name, words, f"{what}: args")
    return [name for name in args if name not in WORDS and name not in OTHERS]


def definition_of(config: dict[str, Any]) -> Definition:
    """Return the Definition of one MSprog configuration."""
    args = config["args"]
    event = args.get("event", "firstCDW")
    labelled = event != "firstCDI" and (args.get("RAW_PIRA", False) or event in ("firstPIRA", "firstRAW"))
    raw_before, raw_after = pair(args.get("relapse_assoc", 90))
    sustained = number(args.get("require_sust_days", 0))
    data: dict[str, Any] = {
        "key": config["id"].lower().replace("_", "-"),
        "title": config["description"],
        "measures": [measure_of(args)],
        "baseline": baseline_of(args, event, raw_before, sustained=sustained > 0),
        "onset": distances(args.get("relapse_to_event", 0)),
        "confirmation": confirmation_of(args),
        "sustained": {"days": "to the end" if math.isinf(sustained) else math.ceil(sustained)},
        "last_visit": last_visit_of(number(args.get("impute_last_visit", 0))),
        "looking_for": LOOKING_FOR[event],
    }
    if labelled:
        data["relapses"] = {
            "raw": {"days_before_onset": raw_before, "days_after_onset": raw_after},
            "relapse_free": intervals_of(args.get("relapse_indep") or DEFAULT_INDEPENDENT),
        }
    return definition_from(data, where=config["id"])


def number(value: Any) -> float:
    """Return a number; "Inf" is infinity."""
    return math.inf if value == "Inf" else float(value)


def pair(value: Any) -> tuple[int, int]:
    """Return (before, after) days: a single number is the first, and nothing is asked of the other side."""
    if isinstance(value, list):
        return (int(value[0]), int(value[1])) if len(value) == 2 else (int(value[0]), 0)
    return int(value), 0


def distances(value: Any) -> dict[str, int]:
    """Return the distance rule of a visit from relapses."""
    after, before = pair(value)
    return {"days_after_relapse": after, "days_before_relapse": before}


def measure_of(args: dict[str, Any]) -> dict[str, Any]:
    """Return the measure (by the column it is in) with its threshold."""
    outcome = args["outcome"] if args["outcome"] != "custom" else args["value_col"].lower()
    threshold = DELTA_THRESHOLDS[args["delta_fun"]] if args.get("delta_fun") else OUTCOME_THRESHOLDS[args["outcome"]]
    return {"measure": outcome, "worsening": threshold}


def baseline_of(args: dict[str, Any], event: str, raw_before: int, *, sustained: bool) -> dict[str, Any]:
    """Return the baseline scheme."""
    scheme = args.get("baseline", "fixed")
    moves = {"fixed": [], "roving": ["worsening", "improvement"], "roving_wors": ["worsening"], "roving_impr": ["improvement"]}[scheme]
    small = {"none": [], "change": ["improvement", "worsening"]}.get(
        args.get("sub_threshold_rebl", "none"), [args.get("sub_threshold_rebl", "none")]
    )
    small = [direction for direction in small if direction in moves]
    by_relapse = bool(args.get("relapse_rebl", False))
    baseline: dict[str, Any] = {
        **distances(args.get("relapse_to_bl", 30)),
        "moves_after": [*moves, *(["relapse"] if by_relapse else [])],
        "moves_to": "onset" if args.get("proceed_from", "firstconf") == "event" else "confirmation",
        "sub_threshold": {0: "no", 2: "both"}.get(len(small), small[0] if small else "no"),
        "unsustained_moves": sustained,
        "local_extrema": {"none": "allowed", "strict": "not strict", "all": "none"}[args.get("skip_local_extrema", "none")],
    }
    if by_relapse:
        baseline["relapse_move"] = "crossed"
        baseline["crossed_days"] = 0 if event == "firstPIRA" else raw_before
        baseline["may_fall"] = "no" if args.get("bl_geq", False) else "yes"
    return baseline


def confirmation_of(args: dict[str, Any]) -> dict[str, Any]:
    """Return the confirmation windows; a fractional delay is cut to whole days before the tolerance is applied."""
    delays = args.get("conf_days", 84)
    windows = []
    for delay in delays if isinstance(delays, list) else [delays]:
        early, late = tolerances(args.get("conf_tol_days", [7, 730.5]), delay)
        window: dict[str, Any] = {"name": window_name(delay), "from_day": max(0, math.ceil(int(delay) - early))}
        if not math.isinf(late):
            window["to_day"] = math.floor(int(delay) + late)
        windows.append(window)
    return {
        "windows": windows,
        "every_visit": args.get("check_intermediate", True),
        "visits": "scheduled" if args.get("validconf_col") else "any",
        **distances(args.get("relapse_to_conf", 30)),
    }


def tolerances(stated: Any, delay: float) -> tuple[float, float]:
    """Return days early and days late: one number for both, two, or (pymsprog) a table with one or two for each delay."""
    if isinstance(stated, dict):
        stated = next(value for key, value in stated.items() if float(key) == float(delay))
    both = stated if isinstance(stated, list) else [stated]
    return number(both[0]), number(both[-1])


def window_name(delay: float) -> str:
    """Return the name of the window of one delay, as msprog writes it into its column names."""
    return f"{delay:g}".replace(".", "p")


def last_visit_of(impute: float) -> dict[str, Any]:
    """Return what happens to a worsening first seen at the last visit; a probability below 1 is no definition."""
    if impute == 0:
        return {}
    if 0 < impute < 1:
        raise DefinitionError("impute_last_visit is a probability; by a coin the same patient has an event or none, which is no definition")
    return {"worsening": "counted"} | ({} if impute == 1 else {"within_days": math.floor(impute)})


def intervals_of(bounds: dict[str, Any]) -> list[str]:
    """Return the relapse-free intervals of msprog's bounds: an open right bound joins with the next one given."""
    anchors = {"prec": PRECEDING[bounds["prec_type"]], "event": "onset", "conf": "confirmation"}
    intervals, start = [], anchors["prec"]
    for point, anchor in anchors.items():
        before, after = bounds[point]
        if before == 0 and after == 0:
            continue
        if before is not None:
            start = offset(anchor, -before)
        if after is not None:
            intervals.append(f"{start} .. {offset(anchor, after)}")
    return intervals


def offset(anchor: str, days: int) -> str:
    """Return an anchor with its days, as definitions write it."""
    return f"{anchor}{days:+d}" if days else anchor
