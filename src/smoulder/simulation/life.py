"""What happens to one made-up person, whoever looks: treatments, relapses, and the path of the true EDSS.

Days are whole days since the person's entry; levels are half points of the EDSS (see `grid`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from smoulder.simulation.grid import HALVES, landed
from smoulder.simulation.plan import DAYS_A_YEAR, Escalation, People, Plan, RelapseProcess, Sizes, Smouldering, Span, Treatment
from smoulder.terms import day_of

Cause = Literal["relapse", "smouldering", "recovery"]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who somebody is on the day of entry."""

    entry: int
    """Days since 1970-01-01."""
    planned_end: int
    """Last day of follow-up as planned or by dropping out."""
    age: float
    """Years at entry."""
    duration: float
    """Years from the first symptom to entry."""
    diagnosis: float
    """Years from diagnosis to entry."""
    sex: str
    level: int
    """True EDSS at entry, half points."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """Time on one treatment."""

    treatment: Treatment
    start: int
    end: int | None
    """Last day on it; None where it goes on."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One relapse."""

    onset: int
    recovery: int
    """Day it is over."""
    rise: int
    """Half points that the true EDSS rises, where the scale has room."""
    residual: int
    """Half points of the rise that stay."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of the true EDSS."""

    day: int
    step: int
    """Half points, never 0."""
    cause: Cause
    onset: int | None
    """Onset of the relapse behind it; None for smouldering."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """One person from entry to the end of follow-up."""

    person: Person
    end: int
    """Last day of follow-up."""
    epochs: tuple[Epoch, ...]
    attacks: tuple[Attack, ...]
    changes: tuple[Change, ...]
    """By day."""

    def levels(self, days: NDArray[np.int32]) -> NDArray[np.int16]:
        """Return the true EDSS on the given days, (n_days,) half points; a change counts from its own day on."""
        change_days = np.array([change.day for change in self.changes], dtype=np.int32)
        path = np.cumsum([self.person.level, *(change.step for change in self.changes)])
        return path[np.searchsorted(change_days, days, side="right")].astype(np.int16)


def between(span: Span, rng: Generator) -> int:
    """Return a whole number drawn evenly from a span, both ends included."""
    return int(rng.integers(int(span[0]), int(span[1]) + 1))


def born(people: People, rng: Generator) -> Person:
    """Return a person on the day of entry."""
    entry = between((day_of(people.first_entry), day_of(people.last_entry)), rng)
    planned = between(people.follow_up_days, rng)
    # Drawn also where nobody drops out, so that a rate of 0 leaves everything else as it was.
    patience = rng.standard_exponential()
    stays = patience * DAYS_A_YEAR / people.yearly_dropout if people.yearly_dropout > 0 else np.inf
    age = float(np.clip(rng.normal(people.mean_age, people.sd_age), *people.age_limits))
    # Nobody here has first symptoms before the age of ten.
    duration = min(people.median_duration * float(rng.lognormal(0, 0.7)), age - 10)
    points = np.clip(rng.normal(people.mean_edss, people.sd_edss), *people.edss_limits)
    return Person(
        entry=entry,
        planned_end=int(min(planned, stays)),
        age=age,
        duration=duration,
        diagnosis=duration * float(rng.uniform(0.5, 1.0)),
        sex="female" if rng.random() < people.female else "male",
        level=landed(round(float(points) * HALVES)),
    )


def daily_chance(
    yearly_rate: float, change_per_year: float, reference_age: float, age: float, factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the chance of an event on each day, (n_days,): the rate follows age (log scale) and the factors."""
    years = age - reference_age + np.arange(len(factors)) / DAYS_A_YEAR
    rates = yearly_rate * np.exp(change_per_year * years) * factors
    return -np.expm1(-rates / DAYS_A_YEAR)


def spaced(days: NDArray[np.intp], least_gap: int) -> list[int]:
    """Return those of the ascending days that lie at least `least_gap` days after the one kept before."""
    kept: list[int] = []
    for day in days.tolist():
        if not kept or day - kept[-1] >= least_gap:
            kept.append(day)
    return kept


def treatment_factors(epochs: tuple[Epoch, ...], n_days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factors on relapses and on smouldering for each day, (n_days,) each."""
    relapses, smouldering = np.ones(n_days), np.ones(n_days)
    for epoch in epochs:
        stop = n_days if epoch.end is None else epoch.end + 1
        relapses[epoch.start : stop] *= epoch.treatment.relapse_factor
        smouldering[epoch.start : stop] *= epoch.treatment.smouldering_factor
        withdrawal = epoch.treatment.withdrawal
        if withdrawal is not None and epoch.end is not None:
            rebound = stop + withdrawal.carry_over_days
            relapses[stop:rebound] *= epoch.treatment.relapse_factor
            relapses[rebound : rebound + withdrawal.rebound_days] *= withdrawal.rebound_factor
    return relapses, smouldering


class RelapseClock:
    """The onsets of one person under any treatments: the luck of each day is drawn once, before the treatment is known."""

    def __init__(self, process: RelapseProcess, age: float, n_days: int, rng: Generator) -> None:
        self._process = process
        self._age = age
        self._rate = process.yearly_rate * float(rng.gamma(process.frailty_shape)) / process.frailty_shape
        self._luck = rng.random(n_days)

    def onsets(self, factors: NDArray[np.float64]) -> list[int]:
        """Return the days of onset where `factors`, (n_days,), multiply the rate; day 0, of entry, has none."""
        process = self._process
        chance = daily_chance(self._rate, -process.yearly_decline, process.reference_age, self._age, factors)
        days = np.flatnonzero(self._luck[: len(factors)] < chance)
        return spaced(days[days > 0], process.least_gap_days)


def escalation_day(course: Escalation, onsets: list[int], rng: Generator) -> int:
    """Return the day of the change to the stronger treatment, given the onsets on platform therapy."""
    planned = between(course.platform_days, rng)
    delay = between(course.delay_days, rng)
    for first, second in itertools.pairwise(onsets):
        if second - first <= course.relapses_within_days:
            return max(int(course.platform_days[0]), min(planned, second + delay))
    return planned


def escalated_epochs(course: Escalation, clock: RelapseClock, planned_end: int, rng: Generator) -> tuple[tuple[Epoch, ...], int]:
    """Return the treatments of a person and the last day of follow-up."""
    platform = course.platform[int(rng.integers(len(course.platform)))]
    n_days = int(course.platform_days[1]) + 1
    start = escalation_day(course, clock.onsets(np.full(n_days, platform.relapse_factor)), rng)
    end = max(planned_end, start + course.least_days)
    stop = start + course.least_days + _waiting_days(course.yearly_stop, rng)
    restart = stop + 1 + between(course.gap_days, rng)
    following = course.following[int(rng.integers(len(course.following)))]
    stays_off = rng.random() < course.untreated
    epochs = [
        Epoch(treatment=platform, start=0, end=start - 1),
        Epoch(treatment=course.escalated, start=start, end=stop if stop < end else None),
    ]
    if restart <= end and not stays_off:
        epochs.append(Epoch(treatment=following, start=restart, end=None))
    return tuple(epochs), end


def _waiting_days(yearly_rate: float, rng: Generator) -> int:
    """Return the days to an event of a constant rate; ten thousand years where it never comes."""
    patience = rng.standard_exponential()
    return int(min(patience / yearly_rate, 10_000) * DAYS_A_YEAR) if yearly_rate > 0 else int(10_000 * DAYS_A_YEAR)


def attack(process: RelapseProcess, onset: int, rng: Generator) -> Attack:
    """Return the relapse with a given onset."""
    rise = drawn(process.rises, rng)
    leaves_residual = rng.random() < process.residual
    residual = int(rng.integers(1, rise + 1)) if rise and leaves_residual else 0
    lasts = process.median_recovery_days * float(rng.lognormal(0, process.spread_recovery))
    return Attack(onset=onset, recovery=onset + max(process.least_recovery_days, round(lasts)), rise=rise, residual=residual)


def drawn(sizes: Sizes, rng: Generator) -> int:
    """Return a step drawn from (points, share) pairs, half points."""
    shares = np.cumsum([share for _, share in sizes])
    place = min(int(np.searchsorted(shares, rng.random(), side="right")), len(sizes) - 1)
    return round(sizes[place][0] * HALVES)


def smouldering_days(process: Smouldering, age: float, factors: NDArray[np.float64], rng: Generator) -> list[int]:
    """Return the days of smouldering steps where `factors`, (n_days,), multiply the rate; day 0 has none."""
    rate = process.yearly_rate * float(rng.gamma(process.frailty_shape)) / process.frailty_shape
    chance = daily_chance(rate, process.yearly_rise, process.reference_age, age, factors)
    days = np.flatnonzero(rng.random(len(factors)) < chance)
    return spaced(days[days > 0], process.least_gap_days)


def _events(end: int, attacks: tuple[Attack, ...], smoulders: list[int]) -> Iterator[tuple[int, Cause, Attack | None]]:
    """Yield the day and cause of whatever moves the true EDSS up to `end`, in no order."""
    for one in attacks:
        yield one.onset, "relapse", one
        if one.recovery <= end:
            yield one.recovery, "recovery", one
    for day in smoulders:
        yield day, "smouldering", None


def latent_path(
    level: int, end: int, attacks: tuple[Attack, ...], smoulders: list[int], process: Smouldering, rng: Generator
) -> tuple[Change, ...]:
    """Return every change of the true EDSS from entry to `end`, by day; steps that the scale has no room for are shorter."""
    risen: dict[int, int] = {}
    changes: list[Change] = []
    for day, cause, one in sorted(_events(end, attacks, smoulders), key=lambda event: event[:2]):
        if one is None:
            aim = level + drawn(process.steps if level <= 5.5 * HALVES else process.steps_above, rng)
        elif cause == "relapse":
            aim = level + one.rise
            risen[one.onset] = landed(aim) - level
        else:
            aim = level - max(risen[one.onset] - one.residual, 0)
        step = landed(aim) - level
        level += step
        if step:
            changes.append(Change(day=day, step=step, cause=cause, onset=None if one is None else one.onset))
    return tuple(changes)


def lived(plan: Plan, arm: Treatment | None, disease: tuple[Generator, Generator, Generator, Generator]) -> Life:
    """Return one life; `disease` are the streams of the person, the treatments, the relapses and smouldering."""
    person_rng, course_rng, relapse_rng, smoulder_rng = disease
    person = born(plan.people, person_rng)
    clock = RelapseClock(plan.relapses, person.age, int(plan.people.follow_up_days[1]) + 1, relapse_rng)
    if isinstance(plan.course, Escalation):
        epochs, end = escalated_epochs(plan.course, clock, person.planned_end, course_rng)
    else:
        end = person.planned_end
        epochs = () if arm is None else (Epoch(treatment=arm, start=0, end=None),)
    on_relapses, on_smouldering = treatment_factors(epochs, end + 1)
    attacks = tuple(attack(plan.relapses, onset, relapse_rng) for onset in clock.onsets(on_relapses))
    smoulders = smouldering_days(plan.smouldering, person.age, on_smouldering, smoulder_rng)
    changes = latent_path(person.level, end, attacks, smoulders, plan.smouldering, smoulder_rng)
    return Life(person=person, end=end, epochs=epochs, attacks=attacks, changes=changes)
