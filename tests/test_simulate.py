"""Made-up people: the truth adds up, the same seed gives the same bytes, and the numbers are believable."""

# polars types the extremes and means of any column as any literal
# pyright: reportOperatorIssue=false, reportOptionalMemberAccess=false, reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import doctest
import io
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import smoulder.simulation.people
import smoulder.simulation.registry
from smoulder.errors import UsageError
from smoulder.simulation import NATALIZUMAB, TRIAL, Plan, Simulated, fast_registry, simulate
from smoulder.simulation.grid import landed
from smoulder.simulation.life import Epoch, treatment_factors
from smoulder.simulation.plan import Escalation, RaterNoise, Treatment, Withdrawal
from smoulder.tables import COLUMNS

PLANS = {"natalizumab": NATALIZUMAB, "trial": TRIAL}
GRID = {0.0, *(half / 2 for half in range(2, 20))}
"""The EDSS of living people: 0, 1.0, 1.5, ... 9.5."""


@pytest.fixture(scope="module", params=PLANS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return PLANS[request.param]


@pytest.fixture(scope="module")
def made(plan: Plan) -> Simulated:
    return simulate(plan, 150, seed=5)


@pytest.fixture(scope="module")
def registry() -> Simulated:
    return simulate(NATALIZUMAB, 1000, seed=11)


@pytest.fixture(scope="module")
def trial() -> Simulated:
    return simulate(TRIAL, 1000, seed=11)


def content(made: Simulated) -> bytes:
    """Every frame of a cohort as bytes."""
    out = io.BytesIO()
    for frame in (*made.tables.values(), made.truth, made.people):
        frame.write_ipc(out)
    return out.getvalue()


def by_hand(made: Simulated, visits: pl.DataFrame) -> list[float]:
    """The true EDSS at each visit, added up one step at a time."""
    start = dict(made.people.select("patient", "start_edss").iter_rows())
    steps: dict[str, list[tuple]] = {}
    for patient, date, step in made.truth.select("patient", "date", "step").iter_rows():
        steps.setdefault(patient, []).append((date, step))
    return [
        start[patient] + sum(step for changed, step in steps.get(patient, []) if changed <= date)
        for patient, date in visits.select("patient", "date").iter_rows()
    ]


def person_years(frame: pl.DataFrame) -> float:
    """Years between start_date and end_date, summed."""
    return frame.select((pl.col("end_date") - pl.col("start_date")).dt.total_days().sum()).item() / 365.25


def on_natalizumab(made: Simulated) -> pl.DataFrame:
    """patient, start_date, end_date (end of follow-up where it goes on)."""
    ends = made.people.select("patient", last="end_date")
    return (
        made.tables["treatments"]
        .filter(pl.col("treatment") == "natalizumab")
        .join(ends, on="patient")
        .select("patient", "start_date", end_date=pl.coalesce("end_date", "last"))
    )


def smouldering_share(made: Simulated, points: float) -> float:
    """Share of people with a smouldering step of at least so many points."""
    steps = made.truth.filter((pl.col("cause") == "smouldering") & (pl.col("step") >= points))
    return steps["patient"].n_unique() / made.people.height


# --- the truth


def test_without_rater_noise_the_edss_is_the_start_plus_the_steps_so_far(plan: Plan) -> None:
    quiet = simulate(replace(plan, rater=RaterNoise(probability=0)), 150, seed=5)
    visits = quiet.tables["visits"]
    assert visits["edss"].to_list() == by_hand(quiet, visits)


def test_latent_is_the_start_plus_the_steps_so_far_on_any_day_in_any_order(made: Simulated) -> None:
    asked = pl.concat([made.truth.select("patient", "date"), made.people.select("patient", date="end_date")])
    asked = asked.sample(fraction=1, shuffle=True, seed=1)
    assert made.latent(asked).to_list() == by_hand(made, asked)


def test_latent_is_empty_for_somebody_else(made: Simulated) -> None:
    asked = made.people.select(pl.lit("X1").alias("patient"), date="end_date").head(1)
    assert made.latent(asked).to_list() == [None]


def test_the_true_edss_never_leaves_the_scale(made: Simulated) -> None:
    assert set(made.people["start_edss"]) <= GRID
    # Two changes may share a day; each of them ends on the scale.
    path = made.truth.join(made.people, on="patient").select(pl.col("start_edss") + pl.col("step").cum_sum().over("patient"))
    assert set(path.to_series()) <= GRID


def test_each_change_has_a_cause_and_follow_up_contains_it(made: Simulated) -> None:
    truth = made.truth.join(made.people, on="patient")
    assert truth.filter(~pl.col("date").is_between("start_date", "end_date", closed="right")).is_empty()
    assert truth.filter(pl.col("step") == 0).is_empty()
    assert set(truth["cause"]) == {"relapse", "smouldering", "recovery"}
    assert truth.filter((pl.col("cause") == "recovery") != (pl.col("step") < 0)).is_empty()
    assert truth.filter((pl.col("cause") == "smouldering") != pl.col("relapse_date").is_null()).is_empty()


def test_rise_and_recovery_belong_to_a_relapse_of_the_table(made: Simulated) -> None:
    relapses = made.tables["relapses"].select("patient", relapse_date="date", over="end_date")
    caused = made.truth.filter(pl.col("cause") != "smouldering")
    matched = caused.join(relapses, on=["patient", "relapse_date"], how="inner")
    assert matched.height == caused.height
    assert matched.filter((pl.col("cause") == "relapse") & (pl.col("date") != pl.col("relapse_date"))).is_empty()
    recovered = matched.filter(pl.col("cause") == "recovery")
    assert recovered.filter(pl.col("date") != pl.col("over")).is_empty()
    left = matched.group_by("patient", "relapse_date").agg(pl.col("step").sum(), pl.len())
    assert left["step"].min() >= 0, "a recovery takes more than the relapse gave"
    assert left["len"].max() <= 2


def test_some_relapses_leave_a_residual_and_most_do_not(registry: Simulated) -> None:
    ended = registry.tables["relapses"].drop_nulls("end_date").select("patient", relapse_date="date")
    left = registry.truth.join(ended, on=["patient", "relapse_date"]).group_by("patient", "relapse_date").agg(pl.col("step").sum())
    # 25 % as planned, and a few more where the scale has no 0.5 to recover to.
    assert 0.22 < left.select((pl.col("step") > 0).mean()).item() < 0.35


@pytest.mark.parametrize(("level", "rests"), [(-1, 0), (0, 0), (1, 2), (2, 2), (19, 19), (20, 19)])
def test_a_level_comes_to_rest_on_the_scale(level: int, rests: int) -> None:
    assert landed(level) == rests


# --- what is seen


def test_rater_noise_is_half_a_point_on_the_scale(made: Simulated, plan: Plan) -> None:
    visits = made.tables["visits"]
    error = visits["edss"] - made.latent(visits)
    assert set(visits["edss"]) <= GRID
    assert set(error) == {-0.5, 0.0, 0.5}
    # Somewhat below the plan, for what the scale does not have (0.5 beside 0 and 1.0) is not written.
    share = (error != 0).sum() / len(error)
    assert 0.75 * plan.rater.probability < share < 1.1 * plan.rater.probability


def test_sdmt_is_whole_and_times_have_one_decimal(made: Simulated) -> None:
    visits = made.tables["visits"]
    assert visits["sdmt"].dtype == pl.Int32
    assert visits["sdmt"].drop_nulls().is_between(0, 110).all()
    for key in ("t25fw", "nhpt_dominant", "nhpt_nondominant"):
        times = visits[key].drop_nulls()
        assert times.min() > 0
        assert (times - times.round(1)).abs().max() < 1e-9  # binary fractions of tenths


def test_tests_are_slower_at_a_higher_edss(registry: Simulated) -> None:
    visits = registry.tables["visits"].with_columns(high=pl.col("edss") >= 4)
    means = visits.group_by("high").agg(pl.col("t25fw", "nhpt_dominant", "sdmt").mean()).sort("high")
    assert means["t25fw"].is_sorted()
    assert means["nhpt_dominant"].is_sorted()
    assert means["sdmt"].is_sorted(descending=True)


def test_nobody_walks_25_feet_above_the_limit(registry: Simulated) -> None:
    visits = registry.tables["visits"]
    walked = visits.with_columns(true=registry.latent(visits)).drop_nulls("t25fw")
    assert walked["true"].max() <= NATALIZUMAB.tests.walk.possible_up_to


def test_visits_lie_in_follow_up_once_a_day_and_the_first_on_its_first_day(made: Simulated) -> None:
    visits = made.tables["visits"]
    joined = visits.join(made.people, on="patient")
    assert joined.filter(~pl.col("date").is_between("start_date", "end_date")).is_empty()
    assert not visits.select("patient", "date").is_duplicated().any()
    first = joined.group_by("patient", maintain_order=True).first()
    assert first.filter(pl.col("date") != pl.col("start_date")).is_empty()
    assert first.height == made.people.height


def test_relapses_lie_in_follow_up_at_least_30_days_apart(made: Simulated) -> None:
    relapses = made.tables["relapses"].join(made.people, on="patient")
    assert relapses.filter(~pl.col("date").is_between("start_date", "end_date_right")).is_empty()
    gaps = made.tables["relapses"].select(pl.col("date").diff().over("patient")).to_series().drop_nulls()
    assert gaps.min() >= timedelta(days=30)


def test_what_would_come_after_the_end_does_not_come(plan: Plan) -> None:
    late = replace(plan.visits, at_relapse=1.0, relapse_delay_days=(300, 400))
    slow = replace(plan.relapses, yearly_rate=2.0, median_recovery_days=400)
    made = simulate(replace(plan, visits=late, relapses=slow), 50, seed=5)
    ends = made.people.select("patient", last="end_date")
    for name, column in (("visits", "date"), ("relapses", "end_date")):
        assert made.tables[name].join(ends, on="patient").filter(pl.col(column) > pl.col("last")).is_empty()
    assert made.truth.join(ends, on="patient").filter(pl.col("date") > pl.col("last")).is_empty()
    assert made.tables["relapses"]["end_date"].null_count() > 0


def test_unplanned_visits_follow_a_relapse(made: Simulated, plan: Plan) -> None:
    unplanned = made.tables["visits"].filter(~pl.col("scheduled")).select("patient", "date").sort("date")
    onsets = made.tables["relapses"].select("patient", onset="date").sort("onset")
    nearest = unplanned.join_asof(onsets, left_on="date", right_on="onset", by="patient", check_sortedness=False)
    waited = (nearest["date"] - nearest["onset"]).dt.total_days()
    assert unplanned.height > 0
    assert waited.null_count() == 0
    assert waited.max() <= plan.visits.relapse_delay_days[1]


def test_tables_have_the_columns_that_cohorts_have(made: Simulated) -> None:
    assert set(made.tables) == {"visits", "relapses", "treatments", "patients"}
    for name, frame in made.tables.items():
        assert set(frame.columns) <= {column.name for column in COLUMNS[name]}
        assert {column.name for column in COLUMNS[name] if column.required} <= set(frame.columns)
        assert frame.equals(frame.sort(frame.columns[0], "start_date" if name == "treatments" else frame.columns[1]))


# --- the seed


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people(plan: Plan, made: Simulated) -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()
    assert content(simulate(plan, 150, seed=5)) == content(made)
    assert np.random.get_state()[1].tolist() == before
    assert content(simulate(plan, 150, seed=6)) != content(made)


def test_a_person_does_not_depend_on_how_many_there_are(plan: Plan, made: Simulated) -> None:
    few = simulate(plan, 7, seed=5)
    ids = few.people["patient"].implode()
    for name, frame in few.tables.items():
        assert_frame_equal(frame, made.tables[name].filter(pl.col("patient").is_in(ids)))
    assert_frame_equal(few.truth, made.truth.filter(pl.col("patient").is_in(ids)))


def test_another_visit_schedule_leaves_the_disease_as_it_was(plan: Plan, made: Simulated) -> None:
    rare = simulate(replace(plan, visits=replace(plan.visits, missed=0.7)), 150, seed=5)
    assert rare.tables["visits"].height < made.tables["visits"].height / 2
    assert_frame_equal(rare.truth, made.truth)
    assert_frame_equal(rare.tables["relapses"], made.tables["relapses"])


def test_ids_are_numbered_from_one_and_grow_where_they_must() -> None:
    assert simulate(TRIAL, 2, seed=0).people["patient"].to_list() == ["T0001", "T0002"]
    many = simulate(replace(TRIAL, people=replace(TRIAL.people, digits=1)), 11, seed=0).people["patient"]
    assert many.n_unique() == 11
    assert "T10" in many.to_list()


def test_nobody_at_all_keeps_the_columns(plan: Plan, made: Simulated) -> None:
    nobody = simulate(plan, 0, seed=5)
    for name, frame in nobody.tables.items():
        assert frame.is_empty()
        assert frame.schema == made.tables[name].schema
    assert nobody.truth.schema == made.truth.schema
    assert nobody.latent(nobody.tables["visits"]).is_empty()


# --- the natalizumab cohort: 1,000 people, so that chance moves the shares by 1.5 points at most (one standard error)


def test_everybody_has_platform_therapy_and_two_years_of_natalizumab(registry: Simulated) -> None:
    epochs = registry.tables["treatments"]
    assert not epochs.group_by("patient").agg(pl.col("treatment").first()).filter(pl.col("treatment") == "natalizumab").height
    spent = on_natalizumab(registry)
    assert spent.height == 1000
    assert spent.select((pl.col("end_date") - pl.col("start_date")).dt.total_days().min()).item() >= 731
    overlaps = epochs.filter(pl.col("end_date").shift(1).over("patient") >= pl.col("start_date"))
    assert overlaps.is_empty()
    zero = registry.tables["patients"].join(spent, on="patient")
    assert zero.filter(pl.col("time_zero") != pl.col("start_date")).is_empty()


def test_relapses_before_and_on_natalizumab(registry: Simulated) -> None:
    spent = on_natalizumab(registry)
    relapses = registry.tables["relapses"].select("patient", "date").join(spent, on="patient")
    day = pl.col("date")
    before = relapses.filter(day.is_between(pl.col("start_date") - timedelta(days=365), pl.col("start_date"), closed="left"))
    during = relapses.filter(day.is_between("start_date", "end_date"))
    # Published cohorts: 0.94 to 2.00 before; on it 0.25 in the first year, below 0.20 later, 0.30 and 0.47 elsewhere.
    assert 1.0 < before.height / 1000 < 2.0
    assert 0.15 < during.height / person_years(spent) < 0.30


def test_stopping_brings_relapses_back(registry: Simulated) -> None:
    ended = registry.tables["treatments"].filter((pl.col("treatment") == "natalizumab") & pl.col("end_date").is_not_null())
    last = ended.select("patient", last="end_date")
    after = registry.tables["relapses"].join(last, on="patient")
    within = after.filter(pl.col("date").is_between(pl.col("last"), pl.col("last") + timedelta(days=365), closed="right"))
    assert 0.3 < ended.height / 1000 < 0.6
    # TYSEDMUS: 45 % relapsed within a year of stopping; here follow-up may end sooner.
    assert 0.30 < within["patient"].n_unique() / ended.height < 0.55


def test_about_a_quarter_smoulder_by_a_point(registry: Simulated) -> None:
    # TOP: 17.6 % had progression unrelated to relapse after 5.5 years (roving reference); here follow-up is twice as long.
    assert 0.20 < smouldering_share(registry, 1.0) < 0.35
    assert 0.35 < smouldering_share(registry, 0.5) < 0.55


def test_visits_of_the_registry_are_irregular(registry: Simulated) -> None:
    visits = registry.tables["visits"]
    gaps = visits.filter("scheduled").select(pl.col("date").diff().over("patient").dt.total_days()).to_series().drop_nulls()
    assert 90 < gaps.median() < 190
    assert gaps.std() > 30
    assert 20 < visits.height / 1000 < 40
    assert 0.03 < 1 - visits["scheduled"].mean() < 0.15


def test_follow_up_of_the_registry(registry: Simulated) -> None:
    days = (registry.people["end_date"] - registry.people["start_date"]).dt.total_days()
    assert days.max() <= 15 * 365.25
    assert 9 < days.mean() / 365.25 < 12


def test_people_at_natalizumab_start_look_like_those_of_top(registry: Simulated) -> None:
    # TOP at natalizumab start: EDSS 3.5 (SD 1.6), age 37.1 (9.8), 72.1 % women.
    patients = registry.tables["patients"]
    edss = registry.latent(patients.select("patient", date="time_zero"))
    age = (patients["time_zero"] - patients["birth_date"]).dt.total_days() / 365.25
    assert 2.9 < edss.mean() < 3.8
    assert 1.2 < edss.std() < 2.0
    assert 35 < age.mean() < 39
    assert 0.67 < (patients["sex"] == "female").mean() < 0.77
    assert (patients["birth_date"] < patients["onset_date"]).all()
    assert (patients["onset_date"] <= patients["diagnosis_date"]).all()


# --- the trial


def arm(made: Simulated, name: str) -> Simulated:
    """The people of one arm."""
    ids = made.tables["patients"].filter(pl.col("arm") == name)["patient"].implode()
    of_arm = pl.col("patient").is_in(ids)
    return replace(
        made,
        tables={key: frame.filter(of_arm) for key, frame in made.tables.items()},
        truth=made.truth.filter(of_arm),
        people=made.people.filter(of_arm),
    )


def test_arms_are_equal_in_every_block(trial: Simulated) -> None:
    arms = trial.tables["patients"]["arm"].to_list()
    assert all(sorted(arms[k : k + 4]) == ["active", "active", "control", "control"] for k in range(0, 1000, 4))
    assert len({tuple(arms[k : k + 4]) for k in range(0, 1000, 4)}) == 6, "all orders of a block occur"
    treated = trial.tables["treatments"].join(trial.tables["patients"], on="patient")
    assert treated.height == 1000
    assert treated.filter(pl.col("treatment") != pl.col("arm")).is_empty()


def test_the_trial_has_visits_every_12_weeks_for_96_to_120_weeks(trial: Simulated) -> None:
    visits = trial.tables["visits"].filter("scheduled")
    gaps = visits.select(pl.col("date").diff().over("patient").dt.total_days()).to_series().drop_nulls()
    assert gaps.median() == 84
    assert gaps.is_between(70, 98).mean() > 0.95  # the rest follow a missed visit
    assert gaps.n_unique() > 5, "nobody comes to the day"
    days = (trial.people["end_date"] - trial.people["start_date"]).dt.total_days()
    assert days.max() <= 120 * 7 + 7
    assert (days >= 96 * 7).mean() > 0.8, "most stay to the end"
    assert trial.tables["patients"]["time_zero"].equals(trial.people["start_date"], check_names=False)


def test_the_active_arm_relapses_and_smoulders_less() -> None:
    # 6,000 people: the ratio of the relapse rates has a standard error of about 5 %, that of smouldering about 8 %.
    many = simulate(TRIAL, 6000, seed=2)
    relapses, smoulders = [], []
    for name in ("active", "control"):
        of_arm = arm(many, name)
        years = person_years(of_arm.people)
        relapses.append(of_arm.tables["relapses"].height / years)
        smoulders.append(of_arm.truth.filter(pl.col("cause") == "smouldering").height / years)
    assert relapses[0] / relapses[1] == pytest.approx(0.5, abs=0.1)
    assert smoulders[0] / smoulders[1] == pytest.approx(0.75, abs=0.15)
    assert 0.2 < relapses[1] < 0.4


# --- plans


def test_what_stopping_does_day_by_day() -> None:
    drug = Treatment(name="drug", relapse_factor=0.25, smouldering_factor=0.5)
    drug = replace(drug, withdrawal=Withdrawal(carry_over_days=2, rebound_factor=3, rebound_days=1))
    following = Treatment(name="next", relapse_factor=0.5, smouldering_factor=1.0)
    epochs = (Epoch(treatment=drug, start=1, end=2), Epoch(treatment=following, start=4, end=None))
    relapses, smouldering = treatment_factors(epochs, 8)
    # day                         0    1     2     3      4    5    6    7
    assert relapses.tolist() == [1, 0.25, 0.25, 0.25, 0.125, 1.5, 0.5, 0.5]
    assert smouldering.tolist() == [1, 0.5, 0.5, 1, 1, 1, 1, 1]


def test_a_treatment_changes_a_plan_as_said() -> None:
    course = NATALIZUMAB.course
    assert isinstance(course, Escalation)
    useless = replace(course, escalated=replace(course.escalated, relapse_factor=1.0))
    more = simulate(replace(NATALIZUMAB, course=useless), 150, seed=5).tables["relapses"].height
    assert more > 1.5 * simulate(NATALIZUMAB, 150, seed=5).tables["relapses"].height


def test_rates_of_zero_give_nothing(plan: Plan) -> None:
    calm = replace(plan, relapses=replace(plan.relapses, yearly_rate=0), smouldering=replace(plan.smouldering, yearly_rate=0))
    still = simulate(calm, 40, seed=5)
    assert still.truth.is_empty()
    assert still.tables["relapses"].is_empty()
    assert still.tables["visits"]["scheduled"].all()


def test_a_plan_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^The plan cannot be: probability of rater noise must lie between 0 and 1, and is 1.5\.$"):
        RaterNoise(probability=1.5)
    with pytest.raises(UsageError, match="the shares of rises must sum to 1"):
        replace(NATALIZUMAB.relapses, rises=((1.0, 0.5),))
    with pytest.raises(UsageError, match="steps must be whole half points"):
        replace(NATALIZUMAB.smouldering, steps=((0.7, 1.0),))
    with pytest.raises(UsageError, match="need up to 2557 days, and follow-up has 1000"):
        replace(NATALIZUMAB, people=replace(NATALIZUMAB.people, follow_up_days=(500, 1000)))


@pytest.mark.parametrize(("n_patients", "seed"), [(-1, 0), (1, -1)])
def test_a_negative_number_is_refused(n_patients: int, seed: int) -> None:
    with pytest.raises(UsageError, match="must not be negative"):
        simulate(TRIAL, n_patients, seed)


# --- the fast registry


def test_the_fast_registry_is_sound() -> None:
    tables = fast_registry(3000, 20, seed=4)
    visits, relapses = tables["visits"], tables["relapses"]
    assert visits.schema == {"patient": pl.String, "date": pl.Date, "edss": pl.Float64}
    assert relapses.schema == {"patient": pl.String, "date": pl.Date}
    assert visits.height == 60_000
    assert visits["patient"].n_unique() == 3000
    assert set(visits["edss"]) <= GRID
    for frame in (visits, relapses):
        assert frame.equals(frame.sort("patient", "date"))
        assert not frame.select("patient", "date").is_duplicated().any()
    spans = visits.group_by("patient").agg(first=pl.col("date").min(), last=pl.col("date").max())
    assert relapses.join(spans, on="patient").filter(~pl.col("date").is_between("first", "last")).is_empty()
    assert 1.4 < relapses.height / 3000 < 1.6


def test_the_fast_registry_gets_worse_with_time_and_at_relapses() -> None:
    tables = fast_registry(3000, 20, seed=4)
    visits = tables["visits"].with_columns(change=pl.col("edss").diff().over("patient")).sort("date")
    by_person = tables["visits"].group_by("patient").agg(pl.col("edss").last() - pl.col("edss").first())
    assert 0.3 < by_person["edss"].mean() < 1.0
    onsets = tables["relapses"].sort("date")
    seen = onsets.join_asof(visits, on="date", by="patient", strategy="forward", tolerance="60d", check_sortedness=False)
    assert seen["change"].mean() > 0.7, "a relapse in the 60 days before shows"


def test_the_fast_registry_depends_on_the_seed_alone() -> None:
    assert_frame_equal(fast_registry(50, 3, seed=4)["visits"], fast_registry(50, 3, seed=4)["visits"])
    assert not fast_registry(50, 3, seed=4)["visits"].equals(fast_registry(50, 3, seed=5)["visits"])


def test_the_fast_registry_goes_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoulder.simulation.registry, "BATCH", 100)
    tables = fast_registry(250, 4, seed=4)
    assert tables["visits"].height == 1000
    assert tables["visits"]["patient"].n_unique() == 250
    assert tables["visits"].equals(tables["visits"].sort("patient", "date"))
    assert tables["relapses"].equals(tables["relapses"].sort("patient", "date"))


@pytest.mark.parametrize(("n_patients", "n_visits"), [(0, 5), (5, 1)])
def test_the_smallest_fast_registries(n_patients: int, n_visits: int) -> None:
    tables = fast_registry(n_patients, n_visits, seed=1)
    assert tables["visits"].height == n_patients * n_visits
    assert tables["visits"].schema == {"patient": pl.String, "date": pl.Date, "edss": pl.Float64}


def test_the_fast_registry_refuses_no_visits() -> None:
    with pytest.raises(UsageError, match="at least 1 visit"):
        fast_registry(5, 0, seed=1)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(smoulder.simulation.people).failed == 0
