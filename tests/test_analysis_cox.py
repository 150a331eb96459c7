"""Cox, its check, time-varying terms, Andersen-Gill and Fine-Gray against R (tests/golden/cox.R)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from golden.data import AGE, ARM, EDSS, R_NAMES, TERMS, cohort, compare, golden, outcome, relapses, worsening

from smoulder.analysis import andersen_gill, cox, cox_time_varying, fine_gray
from smoulder.errors import UsageError
from smoulder.estimates import Episodes, Term

# Newton's iterations of R and of the library end at a relative change of the likelihood of 1e-9, so coefficients agree to
# about 1e-9 of their standard error; measured 2e-13 to 4e-10.
CLOSE = 1e-8

RECURRENT_TERMS = (ARM, AGE, Term(column="treated", title="treatment"))


def first_relapse() -> Episodes:
    """The episodes up to and with each person's first relapse."""
    table = relapses().table.with_columns((pl.col("event").cum_sum() - pl.col("event")).over("patient").alias("before"))
    return Episodes(name="first relapse", table=table.filter(pl.col("before") == 0).drop("before"), recurrent=False)


def test_adjusted_model_is_r() -> None:
    effects = cox(worsening(), TERMS)
    compare(effects.table, golden("cox_effects.csv").filter(pl.col("model") == "adjusted"), CLOSE)
    assert effects.scale == "hazard ratio"
    assert effects.table["against"].to_list() == ["placebo", "placebo", "female", "10 years more", "1 point more"]


def test_counts_of_people_and_events() -> None:
    full = cohort().drop_nulls(["age", "sex"])
    rows = {(row["term"], row["level"]): (row["n"], row["events"]) for row in cox(worsening(), TERMS).table.to_dicts()}
    for level in ("low", "high"):
        part = full.filter(pl.col("arm") == level)
        assert rows["arm", level] == (part.height, part.filter(pl.col("cause") == 1).height)
    assert rows["age", ""] == (full.height, full.filter(pl.col("cause") == 1).height)
    notes = cox(worsening(), TERMS).notes
    left, no_sex, no_age = 240 - full.height, cohort()["sex"].null_count(), cohort()["age"].null_count()
    assert f"Model 'adjusted': {left} of 240 people are left out because a value is missing (sex {no_sex}, age {no_age})." in notes
    placebo = full.filter(pl.col("arm") == "placebo")
    events = placebo.filter(pl.col("cause") == 1).height
    assert f"Model 'adjusted', arm: {placebo.height} people with {events} events in the level compared with, 'placebo'." in notes


def test_each_term_alone() -> None:
    table = cox(worsening(), TERMS, univariable=True).table
    assert table["model"].unique(maintain_order=True).to_list() == ["each alone", "adjusted"]
    alone = table.filter((pl.col("model") == "each alone") & (pl.col("term") == "arm"))
    compare(alone, golden("cox_effects.csv").filter(pl.col("model") == "arm alone"), CLOSE)


@pytest.mark.parametrize("name", ["adjusted", "arm alone"])
def test_proportional_hazards_are_r(name: str) -> None:
    checks = cox(worsening(), TERMS if name == "adjusted" else [ARM]).checks
    theirs = golden("cox_zph.csv").filter(pl.col("model") == name)
    check_tests(checks, theirs)


def check_tests(checks: pl.DataFrame, theirs: pl.DataFrame) -> None:
    names = {"I(age/10)": "age", "edss": "EDSS", "treated": "treatment"}
    expected = [names.get(term.replace(" ", ""), term) for term in theirs["term"].to_list()]
    assert checks["term"].to_list() == expected
    assert checks["df"].to_list() == theirs["df"].to_list()
    assert checks["statistic"].to_list() == pytest.approx(theirs["statistic"].to_list(), rel=CLOSE)
    assert checks["p"].to_list() == pytest.approx(theirs["p"].to_list(), rel=CLOSE)


def test_time_varying_terms_are_r() -> None:
    effects = cox_time_varying(first_relapse(), [ARM, Term(column="treated", title="treatment")])
    compare(effects.table, golden("cox_effects.csv").filter(pl.col("model") == "time-varying first"), CLOSE)
    assert "robust" not in effects.method


def test_andersen_gill_is_r() -> None:
    effects = andersen_gill(relapses(), RECURRENT_TERMS)
    compare(effects.table, golden("cox_effects.csv").filter(pl.col("model") == "andersen-gill"), CLOSE)
    check_tests(effects.checks, golden("cox_zph.csv").filter(pl.col("model") == "andersen-gill"))
    assert "clustered by patient" in effects.method
    # Recurrent events need robust errors, so the time-varying model takes them too.
    assert cox_time_varying(relapses(), RECURRENT_TERMS).table["lower"].to_list() == effects.table["lower"].to_list()


def test_overlapping_time_needs_robust_errors() -> None:
    table = first_relapse().table
    twice = pl.concat([table, table]).sort("patient", "start_day")
    once = cox_time_varying(first_relapse(), [ARM])
    repeated = cox_time_varying(Episodes(name="first relapse", table=twice, recurrent=False), [ARM])
    assert "robust" in repeated.method
    # Everybody twice is no more information: robust limits stay about as wide; model-based ones would shrink by a factor of 1.41.
    width = [np.log(e.table["upper"].item() / e.table["lower"].item()) for e in (once, repeated)]
    assert width[1] / width[0] == pytest.approx(1, abs=0.1)


def test_fine_gray_is_r() -> None:
    effects = fine_gray(worsening(), TERMS)
    compare(effects.table, golden("cox_finegray.csv").filter(pl.col("model") == "finegray"), CLOSE)
    assert effects.scale == "subdistribution hazard ratio"


def test_fine_gray_without_censoring_is_r() -> None:
    made = worsening(cohort().drop_nulls(["age", "sex"]).filter(pl.col("cause") > 0))
    compare(fine_gray(made, [ARM]).table, golden("cox_finegray.csv").filter(pl.col("model") == "uncensored"), CLOSE)


@pytest.mark.parametrize("name", ["cox", "finegray"])
def test_a_level_without_events_leaves_the_others_at_their_limit(name: str) -> None:
    # R lets the coefficient of the level run to -20; we leave its people out, which is the limit of the likelihood.
    frame = cohort().drop_nulls(["age", "sex"])
    none = (pl.col("arm") == "high") & (pl.col("cause") == 1)
    frame = frame.with_columns(cause=pl.when(none).then(0).otherwise(pl.col("cause")), free=pl.when(none).then("time").otherwise("free"))
    table = (cox if name == "cox" else fine_gray)(worsening(frame), [ARM, EDSS]).table
    assert table.filter(pl.col("level") == "high")["why"].item() == "No estimate for 'high': no event among them."
    # exp(-20) is 2e-9: what people of that level still weigh in R's sums.
    compare(table.filter(pl.col("level") != "high"), golden("cox_level_without_events.csv").filter(pl.col("model") == name), 1e-6)


def test_fine_gray_is_near_cmprsk() -> None:
    # Another convention for ties, and standard errors that allow for estimated weights: measured differences of at most 0.6 %.
    theirs = golden("cox_finegray.csv").filter(pl.col("model") == "crr")
    ours = {(row["term"], row["level"]): row for row in fine_gray(worsening(), TERMS).table.to_dicts()}
    for row in theirs.to_dicts():
        mine = ours[R_NAMES[row["name"].replace(" ", "")]]
        assert mine["estimate"] == pytest.approx(row["estimate"], rel=0.01)
        assert np.log(mine["upper"] / mine["lower"]) == pytest.approx(np.log(row["upper"] / row["lower"]), rel=0.02)


def test_fine_gray_without_competing_events_is_cox() -> None:
    made = worsening().only(worsening().cause != 2)
    ours, plain = fine_gray(made, [ARM]).table, cox(made, [ARM]).table
    assert ours["estimate"].to_list() == pytest.approx(plain["estimate"].to_list(), rel=1e-12)
    assert any("no competing event" in note for note in fine_gray(made, [ARM]).notes)


def test_a_hazard_ratio_by_hand() -> None:
    # Events of A at day 1, of B at 2 and 3, of A censored at 4. With r the hazard of B over that of A the partial likelihood is
    # 1/(2 + 2r) x r/(1 + 2r) x r/(1 + r). Its logarithm has slope 0 where 2/r = 2/(1 + r) + 2/(1 + 2r), that is
    # 1/(r(1 + r)) = 1/(1 + 2r), r squared = r + 1.
    made = outcome([1, 2, 3, 4], [1, 1, 1, 0], arm=["A", "B", "B", "A"])
    golden_ratio = (1 + 5**0.5) / 2
    # Newton's iterations end at a relative change of 1e-9 of the likelihood, which is flat at its top.
    assert cox(made, [ARM]).table["estimate"].item() == pytest.approx(golden_ratio, rel=1e-6)


def test_the_reference_and_the_step_can_be_chosen() -> None:
    made = worsening()
    low = cox(made, [Term(column="arm", title="arm", reference="high")]).table
    assert low["level"].to_list() == ["placebo", "low"]
    first = cox(made, [ARM]).table
    assert low["estimate"][0] == pytest.approx(1 / first["estimate"][1], rel=CLOSE)
    one, ten = (cox(made, [Term(column="age", title="age", per=per)]).table["estimate"].item() for per in (1, 10))
    assert ten == pytest.approx(one**10, rel=CLOSE)


def test_the_order_of_rows_changes_nothing() -> None:
    frame = cohort()
    shuffled = frame.sample(fraction=1, shuffle=True, seed=3)
    for analysis in (cox, fine_gray):
        assert analysis(worsening(frame), TERMS).table.equals(analysis(worsening(shuffled), TERMS).table)
    table = relapses().table
    other = Episodes(name="relapses", table=table.sample(fraction=1, shuffle=True, seed=3), recurrent=True)
    assert andersen_gill(relapses(), RECURRENT_TERMS).table.equals(andersen_gill(other, RECURRENT_TERMS).table)


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'age'"):
        cox(worsening(), [Term(column="aeg", title="age")])
    with pytest.raises(UsageError, match="no level of 'arm' 'pacebo'; did you mean 'placebo'"):
        cox(worsening(), [Term(column="arm", title="arm", reference="pacebo")])
    with pytest.raises(UsageError, match="at least one"):
        cox(worsening(), [])
    with pytest.raises(UsageError, match="once"):
        cox(worsening(), [ARM, ARM])
    with pytest.raises(UsageError, match="above 0"):
        cox(worsening(), [Term(column="age", title="age", per=0)])
