"""Random definitions and cohorts, rich where the rules bite: visits and relapses a day on either side of every window.

`definitions()` draws valid definitions over all settings; `cohorts()` draws small cohorts; `cohorts_with()` draws a cohort that a
definition can be run on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cohorts import cohort_of
from hypothesis import strategies as st

from smoulder.rulebook import Definition, definition_from
from smoulder.rulebook.relapse import ANCHORS
from smoulder.tables import Cohort
from smoulder.terms import MEASURES, Measure

CUSTOM: dict[str, dict[str, Any]] = {
    "grip": {"name": "grip strength", "unit": "kg", "low": 0.0, "worse": "lower"},
    "mood": {"name": "mood scale", "unit": "points", "low": -10.0, "high": 10.0},
}
"""Two measures of our own: one that falls when it gets worse, one that may be negative."""

KNOWN = ("edss", "sdmt", "t25fw", "nhpt", "nhpt_dominant", "nhpt_nondominant", "pyramidal")
ALL_MEASURES = (*KNOWN, *CUSTOM)

GAPS = (84, 90, 84, 90, 168, 30, 7, 1, 28, 83, 85, 365)
"""Days between visits; the first is what shrinking ends at."""
OFFSETS = (0, 1, 29, 30, 31, 89, 90, 91)
"""Days of a relapse from a visit, on either side."""
DISTANCES = (30, 1, 31, 90, 0)

SCORES: dict[str, tuple[float, ...]] = {
    "edss": (2.0, 3.0, 2.5, 3.5, 4.0, 0.0, 1.0, 1.5, 5.0, 5.5, 6.0, 6.5, 2.3, 5.99),
    "sdmt": (50, 46, 40, 45, 54, 60, 44, 49),
    "t25fw": (5.0, 6.0, 5.99, 4.0, 4.8, 4.79, 7.2, 5.5),
    "nhpt": (20.0, 24.0, 23.995, 16.0, 28.8, 22.0),
    "nhpt_dominant": (20.0, 24.0, 23.99, 16.0, 28.8, 22.0),
    "nhpt_nondominant": (20.0, 24.0, 23.99, 16.0, 28.8, 22.0),
    "pyramidal": (2, 3, 1, 4, 0),
    "cerebellar": (1, 2, 0, 3),
    "grip": (40.0, 32.0, 32.01, 36.0, 25.6, 0.0),
    "mood": (0.0, 1.0, 2.0, -1.0, -2.0, 0.5),
}
"""Scores of each measure, many of them exactly a threshold apart."""

STEP_CHANGES: dict[str, tuple[float, ...]] = {"edss": (1.0, 0.5, 1.5), "sdmt": (4, 8, 3), "mood": (1.0, 2.0), "pyramidal": (1, 2)}
POINTS = (1.0, 0.5, 4.0, 1.5)
PERCENTS = (20.0, 10.0, 25.0, 12.5, 33.3)


def measure_of(key: str) -> Measure:
    """Return a known measure, or one of our own."""
    if key in MEASURES:
        return MEASURES[key]
    own = CUSTOM[key]
    return Measure(
        key=key, name=own["name"], unit=own["unit"], low=own["low"], high=own.get("high"), higher_is_worse=own.get("worse") != "lower"
    )


# -- definitions ----------------------------------------------------------------------------


@st.composite
def thresholds(draw: st.DrawFn, key: str) -> dict[str, Any]:
    kinds = ["steps", "points", "percent", "two"] if measure_of(key).low >= 0 else ["steps", "points"]
    kind = draw(st.sampled_from(kinds))
    if kind == "steps":
        changes = STEP_CHANGES.get(key, POINTS)
        bounds = sorted(draw(st.sets(st.sampled_from([score for score in SCORES[key] if round(score, 2) == score]), max_size=3)))
        steps: list[dict[str, Any]] = [{"up_to": bound} for bound in bounds]
        if not steps or draw(st.booleans()):
            steps.append({})
        for number, step in enumerate(steps):
            # Most steps count; "no change counts from here" is the rare case.
            change = draw(st.sampled_from((*changes, *changes, None)))
            if change is not None:
                step["change"] = change
            elif number == 0 and len(steps) == 1:
                step["change"] = changes[0]
        return {"steps": steps}
    points, percent = draw(st.sampled_from(POINTS)), draw(st.sampled_from(PERCENTS))
    if kind == "two":
        return {"percent": percent, "points": points, "of_two": draw(st.sampled_from(("smaller", "larger")))}
    return {"points": points} if kind == "points" else {"percent": percent}


@st.composite
def measure_rules(draw: st.DrawFn, key: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"measure": key, "worsening": draw(thresholds(key))}
    if draw(st.booleans()):
        rule["improvement"] = draw(thresholds(key))
    if key in CUSTOM:
        rule["custom"] = CUSTOM[key]
    return rule


@st.composite
def intervals(draw: st.DrawFn) -> str:
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(ANCHORS) - 1)] * 2)))
    days = st.sampled_from((0, -90, 30, 0, -30, 90, -84, 31, -91))
    start_days, end_days = draw(days), draw(days)
    if start == end and start_days >= end_days:
        start_days, end_days = (end_days, start_days) if end_days < start_days else (start_days - 30, end_days)

    def text(anchor: int, days: int) -> str:
        return f"{ANCHORS[anchor]}{days:+d}" if days else ANCHORS[anchor]

    return f"{text(start, start_days)} .. {text(end, end_days)}"


@st.composite
def relapse_rules(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "relapse_free": draw(st.lists(intervals(), max_size=3)),
        "exclusive": draw(st.booleans()),
        "otherwise": draw(st.sampled_from(("undefined", "RAW"))),
        "pira_at": draw(st.sampled_from(("any confirming visit", "first confirming visit"))),
        "raw_in": [text for text in draw(st.lists(intervals(), max_size=1)) if "confirmation" not in text and "holding" not in text],
    }
    if any(interval.rpartition("..")[2].strip().startswith(("confirmation", "last holding")) for interval in rule["relapse_free"]):
        rule["during_confirmation"] = draw(st.sampled_from(("as otherwise", "own class")))
    if draw(st.booleans()):
        before, after = draw(st.sampled_from((90, 30, 0, 180))), draw(st.sampled_from((0, 30)))
        rule["raw"] = {"days_before_onset": before, "days_after_onset": after}
    return rule


@st.composite
def window_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    fewest = draw(st.sampled_from((1, 1, 1, 1, 1, 1, 0)))
    names = draw(st.lists(st.sampled_from(("12w", "24w", "6m", "late")), min_size=fewest, max_size=3, unique=True))
    windows = []
    for name in names:
        window: dict[str, Any] = {"name": name, "from_day": draw(st.sampled_from((84, 84, 84, 30, 1, 0, 85, 90, 91, 168, 365)))}
        length = draw(st.sampled_from((None, None, None, None, 730, 730, 84, 56, 1, 0)))
        windows.append(window if length is None else window | {"to_day": window["from_day"] + length})
    return windows


def distances() -> st.SearchStrategy[dict[str, int]]:
    # Mostly no rule, or hardly a visit could serve.
    none = st.just({"days_after_relapse": 0, "days_before_relapse": 0})
    some = st.fixed_dictionaries({"days_after_relapse": st.sampled_from(DISTANCES), "days_before_relapse": st.sampled_from((0, 0, 30, 1))})
    return st.one_of(none, none, some)


@st.composite
def anchored_visits(draw: st.DrawFn) -> dict[str, int]:
    day = draw(st.sampled_from((168, 84, 365, 0, 180)))
    before, after = draw(st.sampled_from((84, 0, 365))), draw(st.sampled_from((84, 365, 0)))
    return {"day": day, "from_day": max(day - before, 0), "to_day": day + after}


@st.composite
def onsets(draw: st.DrawFn) -> dict[str, Any]:
    onset: dict[str, Any] = draw(distances())
    min_days = draw(st.sampled_from((0, 0, 0, 90, 84, 1)))
    if min_days:
        onset |= {"min_days": min_days, "min_days_from": draw(st.sampled_from(("baseline", "previous visit")))}
    return onset | ({"at": draw(anchored_visits())} if draw(st.sampled_from((False,) * 6 + (True,))) else {})


@st.composite
def confirmations(draw: st.DrawFn, *, edss: bool) -> dict[str, Any]:
    windows = draw(window_lists())
    found: dict[str, Any] = {
        "windows": windows,
        "every_visit": draw(st.booleans()),
        "level": draw(st.sampled_from(("threshold", "onset"))),
        "forgives": draw(st.sampled_from(("nothing", "nothing", "single visits"))),
    }
    if not windows:
        return found
    found |= draw(distances()) | {"visits": draw(st.sampled_from(("any", "any", "scheduled")))}
    rarely = st.sampled_from((False,) * 6 + (True,))
    for name in ("at", "as_well"):
        if draw(rarely):
            found[name] = draw(anchored_visits())
    return found | ({"leading_system": draw(rarely)} if edss else {})


@st.composite
def carried_references(draw: st.DrawFn, onset: dict[str, Any], *, raw: bool, every: bool) -> dict[str, Any]:
    seconds = ["no", "at every visit"] + (["after a relapse"] if raw else []) + (["after the last event"] if raw and every else [])
    found: dict[str, Any] = {
        "falls": draw(st.sampled_from(("if confirmed", "no", "at once"))),
        "after_relapse": draw(st.sampled_from(("rises to what is left", "stays"))) if raw else "stays",
        "second_reference": draw(st.sampled_from(seconds)),
    }
    if found["falls"] == "if confirmed":
        found["falls_from_day"], length = draw(st.sampled_from((30, 1, 84))), draw(st.sampled_from((None, None, 60, 0)))
        found["falls_every_visit"] = draw(st.booleans())
        found |= {} if length is None else {"falls_to_day": found["falls_from_day"] + length}
    if found["after_relapse"] == "stays" and found["second_reference"] == "after a relapse":
        found["second_reference"] = "no"
    if found["second_reference"] != "no":
        found["second_at_least"] = draw(st.sampled_from(("any", "the reference", "worse than the reference")))
    if onset.get("min_days") and onset.get("min_days_from") == "baseline":
        found["earlier_reference"] = found["falls"] != "no" and draw(st.booleans())
    if draw(st.booleans()):
        within = draw(st.sampled_from((None, 90, 168)))
        found["merging"] = {"stable_days": draw(st.sampled_from((30, 0, 90, 200)))} | ({} if within is None else {"within_days": within})
    return found


def starts_from_zero() -> st.SearchStrategy[dict[str, Any]]:
    zero = {"zero": st.sampled_from(("time zero", "diagnosis"))}
    nearest = st.fixed_dictionaries({"start": st.just("nearest time zero"), **zero})
    after = st.fixed_dictionaries(
        {"start": st.just("first after time zero"), **zero}, optional={"start_within_days": st.sampled_from((0, 90, 365))}
    )
    return st.one_of(nearest, after)


@st.composite
def baselines(draw: st.DrawFn, relapse_rule: dict[str, Any] | None, *, sustained: bool) -> dict[str, Any]:
    start = draw(st.one_of(st.just({"start": "first visit"}), st.just({"start": "first visit"}), starts_from_zero()))
    if draw(st.sampled_from((False,) * 6 + (True,))):
        return draw(distances()) | {
            "start": "previous visit",
            "moves_to": draw(st.sampled_from(("confirmation", "onset", "lowest score"))),
        }
    worsening = ["", "worsening"] + (["PIRA"] if relapse_rule is not None else [])
    moves = [draw(st.sampled_from(worsening)), *(move for move in ("improvement", "relapse") if draw(st.booleans()))]
    moves = draw(st.permutations([move for move in moves if move]))
    base: dict[str, Any] = (
        draw(distances())
        | start
        | {
            "moves_after": moves,
            "moves_to": draw(st.sampled_from(("confirmation", "onset", "lowest score"))),
            "local_extrema": draw(st.sampled_from(("allowed", "not strict", "none"))),
            "unsustained_moves": sustained and draw(st.booleans()),
        }
    )
    small = ["no", *(way for way in ("improvement", "worsening") if way in moves)]
    base["sub_threshold"] = draw(st.sampled_from([*small, "both"] if len(small) == 3 else small))
    may_fall = ["yes"] + (["no"] if moves else []) + (["not after a relapse"] if "relapse" in moves else [])
    base["may_fall"] = draw(st.sampled_from(may_fall))
    if "relapse" in moves:
        base["relapse_move"] = draw(st.sampled_from(("every", "crossed")))
        if relapse_rule is None or "raw" not in relapse_rule or draw(st.booleans()):
            base["crossed_days"] = draw(st.sampled_from((0, 90, 30)))
    if set(moves) - {"relapse"} and (base["days_after_relapse"] or base["days_before_relapse"]):
        base["distance_after_change"] = draw(st.booleans())
    return base


@st.composite
def definitions(draw: st.DrawFn, measures: Sequence[str] = ALL_MEASURES, *, most_measures: int = 3) -> Definition:
    """Draw a valid definition over all settings, of one or more of the measures.

    Parameters
    ----------
    measures
        What it may be about: known measures and keys of `CUSTOM`.
    most_measures
        How many at once; 1: no composites.
    """
    keys = draw(st.lists(st.sampled_from(measures), min_size=1, max_size=most_measures, unique=True))
    relapse_rule = draw(st.one_of(st.none(), relapse_rules(), relapse_rules(), relapse_rules()))
    sustained_days = draw(st.sampled_from((0, 0, 84, 168, 365, "to the end")))
    confirmation = draw(confirmations(edss="edss" in keys))
    windows = confirmation["windows"]
    counted = bool(windows) and "as_well" not in confirmation and draw(st.booleans())
    within = draw(st.sampled_from((None, 0, 84, 365))) if counted else None
    looking_for = ["every event", "every event", "every event", "first worsening", "first improvement", "first event"]
    labelled_only = ["first PIRA", "first RAW"] if relapse_rule is not None else []
    months = any(window["name"] == "6m" for window in windows)
    data: dict[str, Any] = {
        "key": draw(st.sampled_from(("mine", "mine-2024", "a.b"))),
        "title": draw(st.text(max_size=20)),
        "measures": [draw(measure_rules(key)) for key in keys],
        "baseline": draw(baselines(relapse_rule, sustained=sustained_days != 0)),
        "onset": draw(onsets()),
        "confirmation": confirmation,
        "sustained": {"days": sustained_days, "kinds": draw(st.sampled_from(("both", "worsening", "improvement")))},
        "last_visit": {
            "worsening": "counted" if counted else "unconfirmed",
            "when": draw(st.sampled_from(("first seen at the last visit", "no eligible visit left"))),
        }
        | ({} if within is None else {"within_days": within}),
        "coverage": draw(st.sampled_from(("assumed", "observed"))),
        "looking_for": draw(st.sampled_from(looking_for + labelled_only)),
    }
    if sustained_days != 0:
        data["sustained"]["every_visit"] = draw(st.sampled_from((None, True, False)))
    if relapse_rule is not None:
        data["relapses"] = relapse_rule
    if draw(st.sampled_from((False, False, True))):
        data |= draw(carried(data))
    if months:
        data["days_a_month"] = draw(st.sampled_from((30.4375, 30.0, 30.25)))
    mended(data)
    return definition_from(data, where="random definition")


def mended(data: dict[str, Any]) -> None:
    """Take out of a drawn definition what is refused because it could find nothing."""
    onset, confirmation, relapses = data["onset"], data["confirmation"], data.get("relapses") or {}
    for name in ("at", "as_well"):
        if name in confirmation and "at" in onset and confirmation[name]["to_day"] < onset["at"]["from_day"]:
            del confirmation[name]

    def counts_nothing(threshold: dict[str, Any] | None) -> bool:
        return threshold is not None and "steps" in threshold and all("change" not in step for step in threshold["steps"])

    improves = not all(counts_nothing(rule.get("improvement", rule["worsening"])) for rule in data["measures"])
    worsens = not all(counts_nothing(rule["worsening"]) for rule in data["measures"])
    no_raw = not relapses.get("raw") and not relapses.get("raw_in") and relapses.get("otherwise") != "RAW"
    looking_for = data["looking_for"]
    improving = looking_for == "first improvement"
    about_worsening = confirmation.get("leading_system") or "PIRA" in data["baseline"].get("moves_after", ())
    if (
        (looking_for == "first RAW" and no_raw)
        or (improving and (not improves or about_worsening))
        or (looking_for in ("first worsening", "first PIRA", "first RAW") and not worsens)
    ):
        data["looking_for"] = "every event"


@st.composite
def carried(draw: st.DrawFn, data: dict[str, Any]) -> dict[str, Any]:
    """Draw the parts of a definition that carries its reference, in place of those that it has."""
    base, rule = data["baseline"], data.get("relapses")
    start = draw(st.one_of(st.just({"start": "first visit"}), starts_from_zero()))
    kept = {name: base[name] for name in ("days_after_relapse", "days_before_relapse")}
    looking_for = "every event" if data["looking_for"] == "first improvement" else data["looking_for"]
    raw = rule is not None and "raw" in rule
    return {
        "baseline": kept | start,
        "carried": draw(carried_references(data["onset"], raw=raw, every=looking_for == "every event")),
        "measures": [{name: value for name, value in measure.items() if name != "improvement"} for measure in data["measures"]],
        "looking_for": looking_for,
    }


@st.composite
def sourced(draw: st.DrawFn) -> Definition:
    """Draw a definition with a source whose marks cover some of its settings."""
    plain = draw(definitions())
    marks: dict[str, list[str]] = {"seen": [], "assumed": [], "code": [], "": []}
    for path in plain.settings():
        marks[draw(st.sampled_from(tuple(marks)))].append(path)
    del marks[""]
    year = draw(st.none() | st.integers(1950, 2030))
    source = {"citation": draw(st.text(max_size=30)), **({} if year is None else {"year": year}), **marks}
    return plain.changed(source=source)


# -- cohorts --------------------------------------------------------------------------------


@st.composite
def patients(draw: st.DrawFn, measures: Sequence[str], most_visits: int) -> tuple[list[int], dict[str, str]]:
    """Draw the visit days of one patient and the series of each measure; a visit may lack some of them."""
    n_visits = draw(st.sampled_from((0, 1, *range(2, most_visits + 1), *range(4, most_visits + 1), *range(4, most_visits + 1))))
    if n_visits == 0:
        return [], {}
    days = [draw(st.sampled_from((0, 10_000, -400)))]
    for _ in range(n_visits - 1):
        days.append(days[-1] + draw(st.sampled_from(GAPS)))
    series = {}
    for key in measures:
        palette = SCORES[key]
        score = draw(st.sampled_from(palette))
        items = []
        for day in days:
            # Mostly the score stays, so that changes are confirmed and sustained.
            new = draw(st.sampled_from((None,) * 2 * len(palette) + palette))
            score = score if new is None else new
            if len(measures) == 1 or draw(st.sampled_from((True,) * 7 + (False,))):
                items.append(f"{day}:{score:.10g}")
        series[key] = " ".join(items)
    return days, series


@st.composite
def near_visits(draw: st.DrawFn, days: Sequence[int], most: int) -> list[int]:
    """Draw days near visits, before the first and after the last one too."""
    found = []
    for _ in range(draw(st.sampled_from(range(most + 1)))):
        offset = draw(st.sampled_from(OFFSETS)) * draw(st.sampled_from((-1, 1)))
        found.append(draw(st.sampled_from(days)) + offset)
    return found


@st.composite
def cohorts(
    draw: st.DrawFn,
    measures: Sequence[str] = ("edss",),
    *,
    most_patients: int = 3,
    most_visits: int = 9,
    most_relapses: int = 3,
    needs_time_zero: bool = False,
) -> Cohort:
    """Draw a small cohort; a failing one is shown as the call of `cohort_of` that makes it.

    Parameters
    ----------
    measures
        Columns of the visits: known measures and keys of `CUSTOM`.
    needs_time_zero
        Whether at least one patient must be there and have a time zero.
    """
    numbers = range(1, most_patients + 1)
    n_patients = draw(st.sampled_from((*numbers, *numbers) if needs_time_zero else (0, *numbers, *numbers)))
    names = [f"P{number}" for number in range(n_patients)]
    knowledge = draw(st.sampled_from(("recorded",) * 8 + ("none", "unknown")))
    visits: dict[str, dict[str, str]] = {}
    relapses: dict[str, list[int]] = {}
    unscheduled: dict[str, list[int]] = {}
    recorded: dict[str, tuple[int | None, int | None]] = {}
    time_zero: dict[str, int] = {}
    diagnosis: dict[str, int] = {}
    for name in names:
        days, visits[name] = draw(patients(measures, most_visits))
        near = days or [0]
        if knowledge == "recorded":
            relapses[name] = draw(near_visits(near, most_relapses))
        unscheduled[name] = [day for day in days if draw(st.sampled_from((False, False, True)))]
        bounds = [draw(st.none() | near_visits(near, 1).map(lambda found: found[0] if found else None)) for _ in range(2)]
        recorded[name] = (bounds[0], bounds[1])
        for zero in (time_zero, diagnosis):
            for day in draw(near_visits(near, 1)):
                zero[name] = day
    for zero in (time_zero, diagnosis):
        if needs_time_zero and not zero:
            zero[names[0]] = 0
    options: dict[str, Any] = {
        "knowledge": st.just(knowledge),
        "unscheduled": st.just(unscheduled) if draw(st.booleans()) else st.none(),
        "recorded": st.just(recorded) if draw(st.booleans()) else st.none(),
        "time_zero": st.just(time_zero) if needs_time_zero or draw(st.booleans()) else st.none(),
        "diagnosis": st.just(diagnosis) if needs_time_zero else st.none(),
        "measures": st.just(tuple(measures)),
        "custom": st.just(tuple(measure_of(key) for key in measures if key in CUSTOM)),
    }
    return draw(st.builds(cohort_of, st.just(visits), st.just(relapses), **options))


@st.composite
def cohorts_with(draw: st.DrawFn, chosen: st.SearchStrategy[Definition] | None = None, **sizes: int) -> tuple[Cohort, Definition]:
    """Draw a definition, and a cohort that it can be run on; `sizes` as for `cohorts`."""
    definition = draw(definitions() if chosen is None else chosen)
    measures = [rule.measure for rule in definition.measures]
    if "nhpt" in measures and draw(st.booleans()):
        # The mean of two hands, from the hands.
        measures = list(dict.fromkeys([key for key in measures if key != "nhpt"] + ["nhpt_dominant", "nhpt_nondominant"]))
    if definition.confirmation.leading_system:
        measures = list(dict.fromkeys([*measures, "pyramidal", "cerebellar"]))
    needs_zero = definition.baseline.start in ("nearest time zero", "first after time zero")
    return draw(cohorts(measures, needs_time_zero=needs_zero, **sizes)), definition
