"""`simulate`: a plan, a number of people and a seed give the tables of a cohort and the truth behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.random import PCG64, Generator, SeedSequence

from smoulder.errors import UsageError
from smoulder.simulation.grid import HALVES
from smoulder.simulation.life import Life, lived
from smoulder.simulation.observe import Seen, seen
from smoulder.simulation.plan import DAYS_A_YEAR, Plan, Randomised, Treatment

_LIVES, _BLOCKS = 0, 1
"""First number of the key of a stream: one family of streams for people, one for randomisation."""

_TRUTH = pl.Schema({"patient": pl.String, "date": pl.Date, "step": pl.Float64, "cause": pl.String, "relapse_date": pl.Date})
_PEOPLE = pl.Schema({"patient": pl.String, "start_date": pl.Date, "end_date": pl.Date, "start_edss": pl.Float64})
_RELAPSES = pl.Schema({"patient": pl.String, "date": pl.Date, "end_date": pl.Date})
_TREATMENTS = pl.Schema({"patient": pl.String, "treatment": pl.String, "start_date": pl.Date, "end_date": pl.Date})
_PATIENTS = pl.Schema(
    {
        "patient": pl.String,
        "time_zero": pl.Date,
        "birth_date": pl.Date,
        "onset_date": pl.Date,
        "diagnosis_date": pl.Date,
        "sex": pl.String,
        "arm": pl.String,
        "course": pl.String,
    }
)
_VISITS = pl.Schema(
    {
        "patient": pl.String,
        "date": pl.Date,
        "edss": pl.Float64,
        "t25fw": pl.Float64,
        "nhpt_dominant": pl.Float64,
        "nhpt_nondominant": pl.Float64,
        "sdmt": pl.Int32,
        "scheduled": pl.Boolean,
    }
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated:
    """Made-up people: what a clinic would have, and what is true."""

    tables: dict[str, pl.DataFrame]
    """visits, relapses, treatments and patients, with the columns of `tables.COLUMNS`, sorted by patient and date."""
    truth: pl.DataFrame
    """One row a change of the true EDSS: patient, date (it counts from that day on), step (points, never 0),
    cause ("relapse", "smouldering", "recovery"), relapse_date (onset of the relapse behind it; null for smouldering)."""
    people: pl.DataFrame
    """One row a person: patient, start_date and end_date of follow-up, start_edss (true EDSS at start, points)."""

    def latent(self, at: pl.DataFrame) -> pl.Series:
        """Return the true EDSS, (n_rows,) points, for each row of `at`, which has patient and date within follow-up.

        It is the EDSS at start plus the steps of the truth up to that day; null for a person who is not here.
        """
        summed = self.truth.group_by("patient", "date", maintain_order=True).agg(pl.col("step").sum())
        path = summed.select("patient", "date", sum=pl.col("step").cum_sum().over("patient"))
        asked = at.select("patient", "date").with_row_index("row").sort("date", "row")
        found = asked.join_asof(path.sort("date"), on="date", by="patient", check_sortedness=False).join(
            self.people, on="patient", how="left", maintain_order="left"
        )
        edss = pl.col("start_edss") + pl.col("sum").fill_null(0.0)
        return found.sort("row").select(edss=edss)["edss"]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Made:
    """One made-up person under an id."""

    patient: str
    arm: str | None
    life: Life
    seen: Seen

    def date(self, day: int) -> int:
        """Return a day since entry as days since 1970-01-01."""
        return self.life.person.entry + day


def simulate(plan: Plan, n_patients: int, seed: int) -> Simulated:
    """Return made-up people.

    The same plan and seed give the same person for the same number, however many people there are.
    Raises UsageError where n_patients or seed is negative.

    Examples
    --------
    >>> from smoulder.simulation import NATALIZUMAB
    >>> simulate(NATALIZUMAB, 3, seed=1).tables["patients"]["patient"].to_list()
    ['N001', 'N002', 'N003']
    """
    if n_patients < 0 or seed < 0:
        raise UsageError(f"The number of people and the seed must not be negative; found {n_patients} and {seed}.")
    made = [_made(plan, number, seed) for number in range(n_patients)]
    tables = {
        "visits": _visits(made).sort("patient", "date"),
        "relapses": _frame(_RELAPSES, (row for one in made for row in _relapse_rows(one))).sort("patient", "date"),
        "treatments": _frame(_TREATMENTS, (row for one in made for row in _treatment_rows(one))).sort("patient", "start_date"),
        "patients": _frame(_PATIENTS, (_patient_row(plan, one) for one in made)).sort("patient"),
    }
    truth = _frame(_TRUTH, (row for one in made for row in _truth_rows(one)))
    people = _frame(_PEOPLE, (_person_row(one) for one in made))
    return Simulated(tables=tables, truth=truth.sort("patient", "date", maintain_order=True), people=people.sort("patient"))


def _made(plan: Plan, number: int, seed: int) -> _Made:
    """Return the person with a number, from 0."""
    # A stream for each part: another visit schedule leaves the disease as it was.
    streams = [Generator(PCG64(child)) for child in SeedSequence(seed, spawn_key=(_LIVES, number)).spawn(7)]
    arm = arm_of(plan.course, number, seed) if isinstance(plan.course, Randomised) else None
    life = lived(plan, arm, (streams[0], streams[1], streams[2], streams[3]))
    return _Made(
        patient=f"{plan.people.prefix}{number + 1:0{plan.people.digits}d}",
        arm=None if arm is None else arm.name,
        life=life,
        seen=seen(plan, life, (streams[4], streams[5], streams[6])),
    )


def arm_of(course: Randomised, number: int, seed: int) -> Treatment:
    """Return the arm of the person with a number: permuted blocks, so that each arm has as many people as any other."""
    size = 2 * len(course.arms)
    block, place = divmod(number, size)
    order = Generator(PCG64(SeedSequence(seed, spawn_key=(_BLOCKS, block)))).permutation(size)
    return course.arms[int(order[place]) % len(course.arms)]


def _frame(schema: pl.Schema, rows: Iterable[tuple[object, ...]]) -> pl.DataFrame:
    """Return rows as a frame; dates come as days since 1970-01-01."""
    plain = {name: pl.Int32() if kind == pl.Date else kind for name, kind in schema.items()}
    return pl.DataFrame(list(rows), schema=plain, orient="row").cast(schema)


def _visits(made: list[_Made]) -> pl.DataFrame:
    """Return the visits of all."""
    if not made:
        return pl.DataFrame(schema=_VISITS)
    lengths = np.array([len(one.seen.days) for one in made])
    columns: dict[str, object] = {
        "patient": np.repeat(np.array([one.patient for one in made], dtype=object), lengths),
        "date": np.concatenate([one.seen.days + one.life.person.entry for one in made]).astype(np.int32),
        "scheduled": np.concatenate([one.seen.scheduled for one in made]),
    }
    columns |= {key: np.concatenate([one.seen.scores[key] for one in made]) for key in made[0].seen.scores}
    scores = [pl.col(key).fill_nan(None) for key in made[0].seen.scores]
    return pl.DataFrame(columns).with_columns(scores).select(_VISITS.keys()).cast(_VISITS)


def _relapse_rows(one: _Made) -> Iterable[tuple[object, ...]]:
    for attack in one.life.attacks:
        over = one.date(attack.recovery) if attack.recovery <= one.life.end else None
        yield one.patient, one.date(attack.onset), over


def _treatment_rows(one: _Made) -> Iterable[tuple[object, ...]]:
    for epoch in one.life.epochs:
        end = None if epoch.end is None else one.date(epoch.end)
        yield one.patient, epoch.treatment.name, one.date(epoch.start), end


def _patient_row(plan: Plan, one: _Made) -> tuple[object, ...]:
    person = one.life.person
    start = 0 if isinstance(plan.course, Randomised) else one.life.epochs[1].start
    birth, onset, diagnosis = (one.date(-round(years * DAYS_A_YEAR)) for years in (person.age, person.duration, person.diagnosis))
    return one.patient, one.date(start), birth, onset, diagnosis, person.sex, one.arm, "RRMS"


def _truth_rows(one: _Made) -> Iterable[tuple[object, ...]]:
    for change in one.life.changes:
        onset = None if change.onset is None else one.date(change.onset)
        yield one.patient, one.date(change.day), change.step / HALVES, change.cause, onset


def _person_row(one: _Made) -> tuple[object, ...]:
    return one.patient, one.date(0), one.date(one.life.end), one.life.person.level / HALVES
