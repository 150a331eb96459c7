"""What cannot be estimated: null with the reason, no warning, no traceback, and never 0, 1 or infinity as if it were a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from golden.data import ARM, episodes, outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from smoulder.analysis import (
    andersen_gill,
    cox,
    cox_time_varying,
    cumulative_incidence,
    fine_gray,
    incidence_rates,
    interval_regression,
    interval_survival,
    kaplan_meier,
    library,
    logistic,
    mean_cumulative,
    recurrent_rates,
    relapse_rate_model,
    shares,
    table_one,
)
from smoulder.errors import SmoulderError, UsageError
from smoulder.estimates import (
    AT_DAYS_SCHEMA,
    CHECK_SCHEMA,
    CURVE_SCHEMA,
    DIFFERENCE_SCHEMA,
    EFFECT_SCHEMA,
    QUANTILE_SCHEMA,
    RATE_SCHEMA,
    TEST_SCHEMA,
    Curve,
    Effects,
    Episodes,
    Rates,
    SurvivalOutcome,
    Term,
)

AGE = Term(column="age", title="age", per=10, unit="years")
BOTH = [ARM, AGE]


def cohort_of(time: Sequence[int], cause: Sequence[int], arm: Sequence[object], age: Sequence[object]) -> SurvivalOutcome:
    made = outcome(time, cause)
    people = made.people.with_columns(pl.Series("arm", list(arm), dtype=pl.String), pl.Series("age", list(age), dtype=pl.Float64))
    return replace(made, people=people)


def as_episodes(made: SurvivalOutcome) -> Episodes:
    rows = [(patient, 0, int(day), bool(event)) for patient, day, event in zip(made.patients, made.time, made.event, strict=True)]
    columns = {name: made.people[name].to_list() for name in ("arm", "age")}
    found = episodes(rows, arm=columns["arm"], age=columns["age"])
    table = found.table.with_columns(pl.col("arm").cast(pl.String), pl.col("age").cast(pl.Float64))
    return Episodes(name="worsenings", table=table, recurrent=True)


def counts_of(made: SurvivalOutcome) -> pl.DataFrame:
    return made.people.with_columns(relapses=pl.Series(made.cause, dtype=pl.Int64), days=pl.Series(made.time, dtype=pl.Int64))


ANALYSES: dict[str, Callable[[SurvivalOutcome], object]] = {
    "kaplan_meier": lambda made: kaplan_meier(made, by="arm", at_days=(0, 10, 400)),
    "kaplan_meier of all": lambda made: kaplan_meier(made, at_days=(0, 10, 400), restricted_to_days=200),
    "cumulative_incidence": lambda made: cumulative_incidence(made, by="arm", at_days=(0, 10, 400)),
    "cumulative_incidence of all": lambda made: cumulative_incidence(made, at_days=(0, 10, 400)),
    "incidence_rates": lambda made: incidence_rates(made, by="arm"),
    "recurrent_rates": lambda made: recurrent_rates(as_episodes(made), by="arm"),
    "cox": lambda made: cox(made, BOTH, univariable=True),
    "fine_gray": lambda made: fine_gray(made, BOTH, univariable=True),
    "cox_time_varying": lambda made: cox_time_varying(as_episodes(made), BOTH),
    "andersen_gill": lambda made: andersen_gill(as_episodes(made), BOTH),
    "mean_cumulative": lambda made: mean_cumulative(as_episodes(made), by="arm", at_days=(0, 10, 400)),
    "interval_survival": lambda made: interval_survival(made, by="arm", at_days=(0, 10, 400)),
    "interval_regression": lambda made: interval_regression(made, BOTH),
    "logistic": lambda made: logistic(made.people.with_columns(worse=pl.Series(made.event, dtype=pl.Boolean)), "worse", BOTH),
    "relapse_rate_model": lambda made: relapse_rate_model(counts_of(made), BOTH),
    "table_one": lambda made: table_one(made.people, BOTH, by="arm"),
}

N = 24
DAYS = [10 * (k % 8) + 30 for k in range(N)]
ARMS = ["a" if k % 2 else "b" for k in range(N)]
AGES = [30.0 + (7 * k) % 25 for k in range(N)]
COHORTS: dict[str, SurvivalOutcome] = {
    "nobody": cohort_of([], [], [], []),
    "one person without event": cohort_of([50], [0], ["a"], [40.0]),
    "one person with event": cohort_of([50], [1], ["a"], [40.0]),
    "no event": cohort_of(DAYS, [0] * N, ARMS, AGES),
    "only competing events": cohort_of(DAYS, [2] * N, ARMS, AGES),
    "all on one day": cohort_of([90] * N, [1] * N, ARMS, AGES),
    "all have it": cohort_of(DAYS, [1] * N, ARMS, AGES),
    "a group without events": cohort_of(DAYS, [int(k % 2 and k % 3 > 0) for k in range(N)], ARMS, AGES),
    "one group, one age": cohort_of(DAYS, [int(k % 3 > 0) for k in range(N)], ["a"] * N, [40.0] * N),
    "nobody has a value": cohort_of(DAYS, [k % 3 for k in range(N)], [None] * N, [None] * N),
    "separated": cohort_of([10 + k for k in range(N)], [1] * N, ["a"] * (N // 2) + ["b"] * (N // 2), [80.0 - k for k in range(N)]),
    "one event": cohort_of(DAYS, [1] + [0] * (N - 1), ARMS, AGES),
    "two alike": cohort_of([40, 40], [1, 1], ["a", "a"], [40.0, 40.0]),
}


def check(found: object) -> None:
    """Assert what holds for every estimate, whatever the cohort."""
    if isinstance(found, Effects):
        assert found.table.schema == pl.Schema(EFFECT_SCHEMA)
        assert found.checks.schema == pl.Schema(CHECK_SCHEMA)
        for row in found.table.to_dicts():
            if row["estimate"] is None:
                assert row["why"], row
                assert (row["lower"], row["upper"], row["p"]) == (None, None, None)
            else:
                assert row["why"] == ""
                assert 0 < row["lower"] < row["estimate"] < row["upper"] < math.inf
                assert 0 <= row["p"] <= 1
        if found.table["estimate"].null_count():
            assert any("no estimate" in note for note in found.notes)
        for row in found.checks.to_dicts():
            assert math.isfinite(row["statistic"]) and 0 <= row["p"] <= 1
    elif isinstance(found, Curve):
        schemas = (CURVE_SCHEMA, QUANTILE_SCHEMA, AT_DAYS_SCHEMA, TEST_SCHEMA, DIFFERENCE_SCHEMA)
        tables = (found.table, found.quantiles, found.at_days, found.tests, found.differences)
        for table, schema in zip(tables, schemas, strict=True):
            assert table.schema == pl.Schema(schema)
            for column in table.get_columns():
                assert column.dtype != pl.Float64 or column.drop_nulls().is_finite().all()
        for row in [*found.table.to_dicts(), *found.at_days.to_dicts()]:
            if row["lower"] is not None:
                assert row["lower"] < row["upper"]
        for row in found.quantiles.to_dicts():
            if not row["events"]:
                assert (row["median_days"], row["restricted_mean_days"], row["standard_error_days"]) == (None, None, None)
                assert found.notes
    elif isinstance(found, Rates):
        assert found.table.schema == pl.Schema(RATE_SCHEMA)
        for row in found.table.to_dicts():
            assert (row["rate"] is None) == bool(row["why"])
            assert row["rate"] is None or row["upper"] > row["rate"] >= row["lower"] >= 0


@pytest.mark.parametrize("analysis", ANALYSES)
@pytest.mark.parametrize("cohort", COHORTS)
def test_every_analysis_of_every_edge_cohort(cohort: str, analysis: str) -> None:
    found = ANALYSES[analysis](COHORTS[cohort])
    check(found)
    assert all(note == note.strip() and note.endswith(".") for note in found.notes)  # type: ignore[attr-defined]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 2), st.sampled_from(["a", "b", None]), st.sampled_from([20.0, 35.0, 36.0, None])),
        max_size=25,
    )
)
def test_every_analysis_of_random_cohorts(rows: list[tuple[int, int, str | None, float | None]]) -> None:
    time, cause, arm, age = ([row[k] for row in rows] for k in range(4))
    made = cohort_of(time, cause, arm, age)  # type: ignore[arg-type]
    for analysis in ANALYSES.values():
        check(analysis(made))


def whys(effects: Effects) -> dict[tuple[str, str], str]:
    return {(row["term"], row["level"]): row["why"] for row in effects.table.to_dicts()}


def test_nobody() -> None:
    assert whys(cox(COHORTS["nobody"], BOTH))["age", ""] == "There is nobody."
    curve = kaplan_meier(COHORTS["nobody"])
    assert curve.table.height == 0
    assert "There is nobody, so there is no curve." in curve.notes


def test_no_event() -> None:
    made = COHORTS["no event"]
    assert set(whys(cox(made, BOTH)).values()) == {"There is no event."}
    curve = kaplan_meier(made, by="arm")
    assert curve.table["estimate"].unique().to_list() == [1.0]
    assert curve.table["lower"].null_count() == curve.table.height
    assert curve.tests.height == 0
    assert "There is no log-rank test: no event happened while more than one group was at risk." in curve.notes
    assert "Nobody in 'a' had the event (12 people): its curve stays at 1 without limits, and has no median or mean." in curve.notes
    rate = incidence_rates(made).table.row(0, named=True)
    assert rate["rate"] == 0 and rate["upper"] > 0


def test_a_group_without_events() -> None:
    made = COHORTS["a group without events"]
    effects = cox(made, BOTH)
    assert whys(effects)["arm", "b"] == "No estimate for 'b': no event among them."
    # b says nothing about age: the model of a alone is the limit of the likelihood.
    alone = cox(made.only((made.people["arm"] == "a").to_numpy()), [AGE]).table.row(0, named=True)
    row = effects.table.filter(pl.col("term") == "age").row(0, named=True)
    assert (row["estimate"], row["lower"], row["p"]) == pytest.approx((alone["estimate"], alone["lower"], alone["p"]), rel=1e-9)
    against_b = cox(made, [Term(column="arm", title="arm", reference="b")])
    assert whys(against_b)["arm", "a"] == "No estimate against 'b': no event among them."


def test_one_group_and_a_constant() -> None:
    effects = cox(COHORTS["one group, one age"], BOTH)
    assert whys(effects) == {
        ("arm", ""): "Everyone in the model is in one level, 'a'.",
        ("age", ""): "Everyone in the model has the same value of it.",
    }
    assert kaplan_meier(COHORTS["one group, one age"], by="arm").tests.height == 0


def test_a_monotone_likelihood() -> None:
    found = whys(cox(COHORTS["separated"], BOTH))
    assert any("separation" in why for why in found.values())
    # Everyone in a has the event before anyone in b: the ratio of a alone is infinite too.
    assert "separation" in whys(cox(COHORTS["separated"], [ARM]))["arm", "b"]
    assert cox(COHORTS["separated"], [ARM]).checks.height == 0


def test_one_infinite_term_leaves_no_model() -> None:
    # Arm a has every event before arm b; age has nothing to do with it, but its estimate rests on the same model.
    ages = [AGES[(5 * k) % N] for k in range(N)]
    found = cox(cohort_of([10 + k for k in range(N)], [1] * N, ["a"] * (N // 2) + ["b"] * (N // 2), ages), BOTH)
    assert found.table["estimate"].to_list() == [None, None]
    assert whys(found)["age", ""] == "'arm: b' has no finite estimate (separation), so the model has none."


def test_all_who_were_at_risk_had_it() -> None:
    # Everyone has it on the one day: there is no order in it, though Efron's sums would give a ratio of 1 with narrow limits.
    for analysis in (cox, fine_gray):
        assert whys(analysis(COHORTS["all on one day"], [ARM]))["arm", "b"] == (
            "On every day with an event all who were at risk had it, so there is nobody to compare them with."
        )
    # Who is there longer is somebody to compare with.
    later = cohort_of([90] * N + [91] * 4, [1] * N + [0] * 4, [*ARMS, "a", "b", "a", "b"], [*AGES, *AGES[:4]])
    assert cox(later, [ARM]).table["estimate"].null_count() == 0


def test_a_robust_error_of_nothing_is_no_precision() -> None:
    # Four people who change over: each has as many events under a as under b, so that within each person all residuals cancel.
    rows = [(f"p{k}", day, day + 1, k in (0, 3)) for k in range(4) for day in (0, 1)]
    crossed = episodes(rows, arm=["a", "b", "b", "a", "b", "a", "a", "b"])
    row = andersen_gill(crossed, [ARM]).table.row(0, named=True)
    assert (row["estimate"], row["lower"]) == (None, None)
    assert row["why"] == "Its standard error is 0, which says that there is too little to tell how sure it is."


def test_as_many_coefficients_as_people() -> None:
    frame = pl.DataFrame({"arm": ["a", "b"], "relapses": [1, 3], "days": [365, 365]})
    assert whys(relapse_rate_model(frame, [ARM]))["arm", "b"] == ("The model has 2 coefficients, the constant included, and only 2 people.")
    few = pl.DataFrame({"arm": ["a", "b"] * 6, "relapses": [1, 0, 0, 1] * 3, "days": [365] * 12})
    assert any("6 relapses for 1 coefficient, fewer than 10 each" in note for note in relapse_rate_model(few, [ARM]).notes)


def test_more_terms_than_events() -> None:
    made = cohort_of(DAYS, [1, 1] + [0] * (N - 2), ARMS, AGES)
    three = made.people.with_columns(second=pl.Series([float((5 * k) % 11) for k in range(N)]))
    wide = replace(made, people=three)
    found = whys(cox(wide, [*BOTH, Term(column="second", title="second")]))
    assert found["age", ""] == "The model has 3 coefficients and only 2 events."
    assert any("fewer than 10 each" in note for note in cox(made, BOTH).notes)


def test_a_level_that_nobody_has() -> None:
    made = COHORTS["all have it"]
    people = made.people.with_columns(pl.col("arm").cast(pl.Enum(["a", "b", "c"])))
    wider = replace(made, people=people)
    effects = cox(wider, [ARM])
    assert whys(effects)["arm", "c"] == "No estimate for 'c': nobody is in it."
    assert effects.table.filter(pl.col("level") == "c")["n"].item() == 0
    assert effects.table["estimate"][0] == cox(made, [ARM]).table["estimate"].item()
    against = cox(wider, [Term(column="arm", title="arm", reference="c")])
    assert whys(against)["arm", "a"] == "No estimate against 'c': nobody is in it."


def test_two_terms_that_say_the_same() -> None:
    made = COHORTS["all have it"]
    people = made.people.with_columns(
        months=pl.col("age") * 12, side=pl.when(pl.col("arm") == "a").then(pl.lit("left")).otherwise(pl.lit("right"))
    )
    doubled = replace(made, people=people)
    effects = cox(doubled, [*BOTH, Term(column="months", title="months"), Term(column="side", title="side")])
    assert "combination of the terms before it" in whys(effects)["months", ""]
    assert "combination of the terms before it" in whys(effects)["side", "right"]
    assert effects.table["estimate"][:2].to_list() == cox(made, BOTH).table["estimate"].to_list()


def test_true_and_false_are_levels() -> None:
    made = COHORTS["all have it"]
    people = made.people.with_columns(active=pl.Series([k % 3 == 0 for k in range(N)]))
    known = replace(made, people=people)
    row = cox(known, [Term(column="active", title="active MRI")]).table.row(0, named=True)
    assert (row["level"], row["against"], row["n"]) == ("yes", "no", 8)
    assert kaplan_meier(known, by="active").quantiles.select("group", "n").rows() == [("no", 16), ("yes", 8)]


def test_infinite_values_are_refused() -> None:
    made = cohort_of(DAYS, [1] * N, ARMS, [math.inf, *AGES[1:]])
    with pytest.raises(UsageError, match="infinite values"):
        cox(made, BOTH)


def test_everyone_with_the_same_count_has_no_limits() -> None:
    made = episodes([(f"p{k}", 0, 10, True) for k in range(4)])
    row = mean_cumulative(made).table.filter(pl.col("day") == 10).row(0, named=True)
    assert (row["estimate"], row["lower"], row["upper"]) == (1.0, None, None)


def test_no_share_of_nobody() -> None:
    assert shares([("all", "PIRA", 0, 0, 0.0)], "PIRA").table["share"].to_list() == [None]


def test_what_the_library_raises_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("states")

    monkeypatch.setattr(library, "survfit", broken)
    with pytest.raises(SmoulderError, match=r"^There is no estimate: the model could not be fitted \('states'\)\.$"):
        kaplan_meier(COHORTS["all have it"])


def test_large_cohorts_take_seconds() -> None:
    random = np.random.default_rng(8)
    n = 20_000
    time = random.integers(1, 2000, n)
    cause = random.integers(0, 3, n)
    made = cohort_of(time.tolist(), cause.tolist(), random.choice(["a", "b"], n).tolist(), random.normal(40, 9, n).tolist())
    for name in ("kaplan_meier", "cumulative_incidence", "cox", "interval_survival", "relapse_rate_model", "mean_cumulative"):
        check(ANALYSES[name](made))
