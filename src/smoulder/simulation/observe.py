"""What a clinic sees of a life: when the person comes, the EDSS as it is written down, the timed tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from smoulder.simulation.grid import HALVES, shifted
from smoulder.simulation.life import Life
from smoulder.simulation.plan import Plan, RaterNoise, SymbolDigit, TimedTest, VisitSchedule
from smoulder.terms import MEASURES


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """The visits of one person, by day."""

    days: NDArray[np.int32]
    """(n_visits,) days since entry, each once."""
    scheduled: NDArray[np.bool_]
    """(n_visits,)"""
    scores: dict[str, NDArray[np.float64]]
    """Measure key -> (n_visits,) in the measure's unit; NaN where not measured."""


def visit_days(schedule: VisitSchedule, life: Life, rng: Generator) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the days of visits, ascending and each once, and whether each was planned; (n_visits,) both."""
    planned = planned_days(schedule, life.end, rng)
    onsets = np.array([one.onset for one in life.attacks], dtype=np.int32)
    earliest, latest = schedule.relapse_delay_days
    prompted = onsets + rng.integers(earliest, latest + 1, len(onsets), dtype=np.int32)
    prompted = prompted[(rng.random(len(onsets)) < schedule.at_relapse) & (prompted <= life.end)]
    days = np.union1d(planned, prompted).astype(np.int32)
    return days, np.isin(days, planned)


def planned_days(schedule: VisitSchedule, end: int, rng: Generator) -> NDArray[np.int32]:
    """Return the days of the planned visits that take place, ascending; the first is day 0."""
    interval = rng.uniform(*schedule.interval_days)
    n_planned = int(end / interval) + 1
    late = np.clip(rng.normal(0, schedule.jitter_days, n_planned), -interval / 3, interval / 3)
    late[0] = 0
    takes_place = rng.random(n_planned) >= schedule.missed
    takes_place[0] = True
    days = np.rint(np.arange(n_planned) * interval + late).astype(np.int32)
    return np.unique(days[takes_place & (days <= end)])


def rated(levels: NDArray[np.int16], noise: RaterNoise, rng: Generator) -> NDArray[np.float64]:
    """Return the EDSS as it is written down, (n_visits,) points, from the true levels in half points."""
    errs = rng.random(len(levels)) < noise.probability
    shifts = np.where(errs, rng.choice(np.array([-1, 1]), len(levels)), 0).astype(np.int16)
    return shifted(levels, shifts) / HALVES


def timed(test: TimedTest, points: NDArray[np.float64], hands: tuple[float, ...], rng: Generator) -> list[NDArray[np.float64]]:
    """Return the times for each of `hands` (multiples of the plain time), (n_visits,) seconds to a tenth; NaN where not done."""
    person = rng.normal(0, test.between_people)
    done = (rng.random(len(points)) < test.measured) & (points <= test.possible_up_to)
    plain = test.at_zero * np.exp(test.growth * points + person)
    times = [hand * plain * np.exp(rng.normal(0, test.between_visits, len(points))) for hand in hands]
    return [np.where(done, np.clip(np.round(time, 1), 0.1, test.longest), np.nan) for time in times]


def symbols(test: SymbolDigit, points: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Return the SDMT, (n_visits,) whole points; NaN where not done."""
    person = rng.normal(0, test.between_people)
    done = rng.random(len(points)) < test.measured
    right = test.at_zero + person - test.loss * points + rng.normal(0, test.between_visits, len(points))
    return np.where(done, np.clip(np.rint(right), MEASURES["sdmt"].low, MEASURES["sdmt"].high), np.nan)


def seen(plan: Plan, life: Life, clinic: tuple[Generator, Generator, Generator]) -> Seen:
    """Return the visits of a life; `clinic` are the streams of the visits, the rater and the tests."""
    visit_rng, rater_rng, test_rng = clinic
    days, scheduled = visit_days(plan.visits, life, visit_rng)
    levels = life.levels(days)
    points = levels / HALVES
    (walk,) = timed(plan.tests.walk, points, (1.0,), test_rng)
    dominant, other = timed(plan.tests.hands, points, (1.0, plan.tests.other_hand), test_rng)
    scores = {
        "edss": rated(levels, plan.rater, rater_rng),
        "t25fw": walk,
        "nhpt_dominant": dominant,
        "nhpt_nondominant": other,
        "sdmt": symbols(plan.tests.symbols, points, test_rng),
    }
    return Seen(days=days, scheduled=scheduled, scores=scores)
