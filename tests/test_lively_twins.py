"""Kernel = reference once more, on cohorts in which much happens and with the settings that few definitions use.

Random strategies shrink well but seldom make an event under a rare setting; here every cohort is a walk of many steps, and every
definition has one or two rare settings on an ordinary base.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from cohorts import cohort_of
from polars.testing import assert_frame_equal
from test_twins import reference_tables

from smoulder.engine.detect import detect
from smoulder.rulebook import Definition, definition_from
from smoulder.tables import Cohort

STEPS = [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.0, "change": 1.0}, {"change": 0.5}]
HALF = [{"change": 0.5}]
RAW = {"days_before_onset": 90, "days_after_onset": 30}


def lively_cohort(chance: random.Random, n_patients: int = 40) -> Cohort:
    """Return people whose EDSS wanders by half points, mostly upwards, with relapses and functional systems."""
    visits, relapses, diagnosis, time_zero = {}, {}, {}, {}
    for number in range(n_patients):
        day, score, series, systems = chance.choice((0, -300)), chance.choice((1.0, 2.0, 3.5, 5.0, 0.0)), [], []
        attacks = []
        for _ in range(chance.randint(4, 16)):
            series.append(f"{day}:{score}")
            systems.append((day, [chance.randint(0, 3), chance.randint(0, 3)]))
            if chance.random() < 0.3:
                attacks.append(day + chance.choice((-91, -90, -30, 0, 1, 30, 89)))
            day += chance.choice((7, 30, 84, 90, 91, 168, 365))
            step = chance.choice((0, 0, 0, 0, 0.5, 0.5, 1.0, 1.5, -0.5, -0.5, -1.0))
            score = min(max(score + step, 0.0), 9.5)
        name = f"P{number:02}"
        visits[name] = {"edss": " ".join(series)}
        for place, system in enumerate(("pyramidal", "cerebellar")):
            visits[name][system] = " ".join(f"{when}:{found[place]}" for when, found in systems if chance.random() < 0.9)
        relapses[name] = attacks
        diagnosis[name], time_zero[name] = chance.choice((0, 200, -400)), chance.choice((0, 90, 400))
    return cohort_of(visits, relapses, diagnosis=diagnosis, time_zero=time_zero)


def anchored(chance: random.Random) -> dict[str, int]:
    day = chance.choice((168, 365, 700))
    return {"day": day, "from_day": max(0, day - chance.choice((0, 100, 400))), "to_day": day + chance.choice((0, 100, 400))}


def lively_definition(chance: random.Random) -> Definition:
    """Return an ordinary definition with one or two rare settings."""
    window = {"name": "c", "from_day": chance.choice((1, 30, 84, 90))}
    data: dict[str, Any] = {
        "key": "lively",
        "title": "lively",
        "measures": [{"measure": "edss", "worsening": {"steps": chance.choice((STEPS, HALF))}}],
        "baseline": {},
        "onset": {},
        "confirmation": {"windows": [window], "every_visit": chance.random() < 0.7},
        "sustained": {},
        "relapses": {
            "raw": RAW,
            "relapse_free": [chance.choice(("onset .. confirmation+30", "onset-90 .. last holding visit", "baseline .. onset"))],
        },
    }
    if chance.random() < 0.6:
        with_carried(data, chance)
    else:
        with_baseline(data, chance)
    for _ in range(chance.randint(0, 2)):
        with_rarity(data, chance)
    if data["relapses"]["relapse_free"][0].startswith("onset") and chance.random() < 0.5:
        data["relapses"] |= {
            "during_confirmation": "own class",
            "pira_at": chance.choice(("any confirming visit", "first confirming visit")),
        }
    return definition_from(data, where="lively")


def with_baseline(data: dict[str, Any], chance: random.Random) -> None:
    if chance.random() < 0.4:
        data["baseline"] = {"start": "previous visit", "moves_to": chance.choice(("onset", "confirmation"))}
    else:
        data["baseline"] = {"moves_after": chance.choice(([], ["worsening"], ["worsening", "improvement"]))}
    if chance.random() < 0.3 and data["baseline"].get("start") is None:
        data["baseline"] |= {"start": "first after time zero", "zero": "diagnosis", "start_within_days": 365}


def with_carried(data: dict[str, Any], chance: random.Random) -> None:
    carried: dict[str, Any] = {
        "falls": chance.choice(("no", "at once", "if confirmed", "if confirmed")),
        "after_relapse": chance.choice(("stays", "rises to what is left", "rises to what is left")),
        "second_reference": chance.choice(("no", "after a relapse", "at every visit", "after the last event")),
    }
    if carried["falls"] == "if confirmed":
        carried |= {"falls_from_day": chance.choice((1, 30)), "falls_every_visit": chance.random() < 0.7}
        if chance.random() < 0.3:
            carried["falls_to_day"] = 120
    if carried["after_relapse"] == "stays" and carried["second_reference"] == "after a relapse":
        carried["second_reference"] = "no"
    if carried["second_reference"] != "no":
        carried["second_at_least"] = chance.choice(("any", "the reference", "worse than the reference"))
    if chance.random() < 0.4:
        carried["merging"] = {"stable_days": chance.choice((0, 30, 100))} | ({"within_days": 100} if chance.random() < 0.4 else {})
    if chance.random() < 0.3:
        data["onset"] = {"min_days": chance.choice((30, 91, 180))}
        carried["earlier_reference"] = carried["falls"] != "no" and chance.random() < 0.6
    data["carried"] = carried


def with_rarity(data: dict[str, Any], chance: random.Random) -> None:
    confirmation = data["confirmation"]
    rare = chance.randrange(8)
    if rare == 0 and not confirmation.keys() & {"at", "as_well", "leading_system", "days_after_relapse"} and "last_visit" not in data:
        confirmation["windows"] = []
    elif not confirmation["windows"]:
        return
    elif rare == 1:
        confirmation["forgives"] = "single visits"
    elif rare == 2 and "at" not in data["onset"]:
        confirmation["at"] = anchored(chance)
    elif rare == 3 and "last_visit" not in data and "at" not in data["onset"]:
        confirmation["as_well"] = anchored(chance)
    elif rare == 4:
        confirmation["leading_system"] = True
    elif rare == 5:
        data["sustained"] = {"days": chance.choice(("to the end", 200)), "every_visit": chance.choice((True, False))}
    elif rare == 6 and "as_well" not in confirmation:
        data["last_visit"] = {"worsening": "counted"}
    elif rare == 7 and not confirmation.keys() & {"at", "as_well"}:
        data["onset"] |= {"at": anchored(chance)}


@pytest.mark.parametrize("seed", range(12))
def test_kernel_equals_reference_under_rare_settings(seed: int) -> None:
    chance = random.Random(seed)
    n_events = 0
    for _ in range(4):
        cohort = lively_cohort(chance)
        for _ in range(20):
            definition = lively_definition(chance)
            events = detect(cohort, definition)
            table, unconfirmed = reference_tables(cohort, definition)
            assert_frame_equal(events.table, table, check_exact=True)
            assert_frame_equal(events.unconfirmed, unconfirmed, check_exact=True)
            n_events += table.height
    assert n_events > 1_000
