"""Secondary progression: hand-worked patients and their near misses, one day or one half point apart."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest
from cohorts import cohort_of
from pydantic import ValidationError

from smoulder.engine.beside.progression import PROGRESSION_SCHEMA, secondary_progression
from smoulder.errors import UsageError
from smoulder.outcome import Outcome
from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS, SecondaryProgression, SignificantRelapse
from smoulder.rulebook.thresholds import Threshold

WITHOUT = LORSCHEIDER_2016_NO_SYSTEMS


def found(edss: str, *relapses: int, rule: SecondaryProgression = WITHOUT, **systems: str) -> dict[str, Any]:
    """Return the row of one patient, without what is null."""
    cohort = cohort_of({"A": {"edss": edss, **systems}}, {"A": relapses})
    row = secondary_progression(cohort, rule).table.row(0, named=True)
    return {name: value for name, value in row.items() if value is not None}


def day_of(edss: str, *relapses: int, rule: SecondaryProgression = WITHOUT, **systems: str) -> int | None:
    """Return the day of secondary progression of one patient."""
    return found(edss, *relapses, rule=rule, **systems).get("day")


def reason_of(edss: str, *relapses: int, rule: SecondaryProgression = WITHOUT, **systems: str) -> str | None:
    """Return why one patient has none."""
    return found(edss, *relapses, rule=rule, **systems).get("reason")


def test_the_example_of_the_definition() -> None:
    row = found("0:3.0 180:4.0 360:4.0 540:3.0 720:4.0 900:4.0")
    assert row == {
        "patient": "A",
        "reached": True,
        "day": 180,
        "score": 4.0,
        "score_before": 3.0,
        "reference_score": 3.0,
        "baseline_day": 0,
        "confirmed_day": 360,
        "days_from_start": 180,
        "last_day": 900,
        "days_followed": 900,
    }


# -- lasting, and the forgiven dip ------------------------------------------------------------


def test_one_visit_short_of_it_is_forgiven_and_two_in_a_row_end_it() -> None:
    assert day_of("0:3.0 180:4.0 360:4.0 540:3.0 720:4.0 900:4.0") == 180
    assert day_of("0:3.0 180:4.0 360:4.0 540:3.0 720:3.0 900:4.0 1080:4.0") == 900
    assert day_of("0:3.0 180:4.0 360:4.0 540:3.0 720:4.0 900:3.0 1080:4.0") == 180


def test_one_visit_short_of_it_at_the_end_is_forgiven_and_two_are_not() -> None:
    assert day_of("0:3.0 180:4.0 360:4.0 540:3.5") == 180
    assert day_of("0:3.0 180:4.0 360:4.0 540:3.5 720:3.5") is None
    assert reason_of("0:3.0 180:4.0 360:4.0 540:3.5 720:3.5") == "progression did not last to the end of follow-up"


def test_a_forgiven_visit_neither_dates_nor_confirms() -> None:
    # Reference 5.0, so 6.0 is needed; the single 5.5 is at least EDSS 4, and is not worse.
    assert day_of("0:5.0 180:5.5 360:6.0 540:6.0") == 360
    assert day_of("0:5.0 90:5.0 180:6.0 360:5.5") is None
    assert found("0:5.0 90:5.0 180:6.0 360:5.5 540:6.0")["confirmed_day"] == 540


def test_none_forgiven() -> None:
    strict = WITHOUT.model_copy(update={"forgiven": 0})
    assert day_of("0:3.0 180:4.0 360:4.0 540:3.0 720:4.0 900:4.0", rule=strict) == 720
    assert "at every visit" in strict.prose()
    ended = reasons("0:3.0 180:4.0 360:4.0 540:3.0", rule=strict)
    assert "It does not last: after day 360 (EDSS 4.0), a visit falls short of it." in ended


# -- the EDSS ---------------------------------------------------------------------------------


def test_edss_4_is_needed() -> None:
    assert day_of("0:2.5 180:3.5 360:3.5 540:3.5") is None
    assert day_of("0:2.5 180:3.5 360:4.0 540:4.0") == 360
    assert reason_of("0:2.5 180:3.5 360:3.5 540:3.5") == "no confirmed progression"


@pytest.mark.parametrize(
    ("reference", "misses", "reaches"),
    [(0.0, 1.0, 1.5), (0.5, 1.0, 1.5), (5.5, 6.0, 6.5), (6.0, 6.0, 6.5)],
)
def test_the_rise_that_counts(reference: float, misses: float, reaches: float) -> None:
    low = WITHOUT.model_copy(update={"minimum_edss": 0.5})
    assert day_of(f"0:{reference} 180:{misses} 360:{misses}", rule=low) is None
    assert day_of(f"0:{reference} 180:{reaches} 360:{reaches}", rule=low) == 180


def test_a_rise_of_one_and_a_half_is_needed_from_0() -> None:
    low = WITHOUT.model_copy(update={"minimum_edss": 0.5})
    assert day_of("0:0.0 180:1.0 360:1.0", rule=low) is None
    assert day_of("0:0.5 180:1.5 360:1.5", rule=low) == 180


def test_the_edss_must_not_fall_below_4_before_confirmation() -> None:
    assert day_of("0:3.0 180:4.0 220:3.5 300:4.0 480:4.0") == 300
    assert day_of("0:3.0 180:4.0 271:4.0 300:3.5 480:4.0") == 180
    assert reason_of("0:3.0 180:4.0 220:3.5 300:4.0") == "EDSS fell below the minimum before the progression was confirmed"


# -- confirmation -----------------------------------------------------------------------------


def test_confirmed_after_more_than_three_months() -> None:
    assert day_of("0:3.0 100:4.0 190:4.0") is None
    assert day_of("0:3.0 100:4.0 191:4.0") == 100


def test_the_confirming_visit_keeps_its_distance_from_relapses() -> None:
    assert day_of("0:3.0 100:4.0 200:4.0", 170) is None
    assert day_of("0:3.0 100:4.0 200:4.0", 169) == 100
    assert found("0:3.0 100:4.0 200:4.0 300:4.0", 170)["confirmed_day"] == 300
    assert day_of("0:3.0 100:4.0 200:4.0", 200) is None


def test_a_last_visit_near_a_relapse_does_not_undo_it() -> None:
    assert day_of("0:3.0 100:4.0 200:4.0 300:4.0", 290) == 100


# -- relapses ---------------------------------------------------------------------------------


def test_no_relapse_from_the_visit_before_to_onset() -> None:
    edss = "0:4.0 100:4.0 200:5.0 300:5.0 400:5.0"
    assert day_of(edss, 99) == 200
    assert day_of(edss, 100) is None
    assert day_of(edss, 200) is None
    assert day_of(edss, 201) == 200
    assert reason_of(edss, 150) == "progression came with a relapse"


def test_a_rise_with_a_relapse_becomes_the_baseline() -> None:
    row = found("0:4.0 100:4.0 200:5.0 300:5.0 400:6.0 500:6.0", 150)
    assert (row["day"], row["baseline_day"], row["reference_score"]) == (400, 200, 5.0)
    assert day_of("0:4.0 100:4.0 200:5.0 300:6.0 400:6.0", 150) == 300


def test_the_first_baseline_keeps_its_distance_from_relapses() -> None:
    assert found("0:5.0 20:4.0 200:5.0 300:5.0", -11)["baseline_day"] == 20
    assert found("0:3.0 20:4.0 200:5.0 300:5.0", -31)["baseline_day"] == 0
    assert reason_of("0:3.0 10:3.0 100:3.0", -5, rule=LORSCHEIDER_2016, pyramidal="0:1 10:1") == (
        "no visit at least 31 days after any relapse and with a functional system scored to serve as baseline"
    )
    assert reason_of("0:3.0 10:3.0 20:3.0", -5) == "no visit at least 31 days after any relapse to serve as baseline"


def test_relapses_that_are_not_known_leave_it_open() -> None:
    cohort = cohort_of({"A": {"edss": "0:3.0 180:4.0 360:4.0"}}, knowledge="unknown")
    outcome = secondary_progression(cohort, WITHOUT)
    assert outcome.table.select("reached", "reason").row(0) == (None, "relapses not recorded")
    nobody = cohort_of({"A": {"edss": "0:3.0 180:4.0 360:4.0"}}, knowledge="none")
    assert secondary_progression(nobody, WITHOUT).table["day"].to_list() == [180]


# -- a baseline set anew ------------------------------------------------------------------------


def test_an_improvement_held_for_more_than_nine_months_moves_the_baseline() -> None:
    # 4.0 is +1.0 from 3.0, and not from the first 4.0.
    assert day_of("0:4.0 100:3.0 372:3.0 400:4.0 500:4.0") is None
    assert day_of("0:4.0 100:3.0 373:3.0 400:4.0 500:4.0") == 400
    assert day_of("0:4.0 100:3.0 200:4.0 373:3.0 400:4.0 500:4.0") is None
    assert found("0:4.0 100:3.5 373:3.5 400:4.5 500:4.5")["baseline_day"] == 100


def test_a_relapse_that_leaves_a_worse_score_sets_the_baseline_anew() -> None:
    # The relapse on day 90 left 4.5: above 3.0, +0.5 from the reference and from the visit before. 4.5 is then the reference.
    after = "0:4.0 100:4.5 200:4.5 382:4.5 450:5.0 600:5.0"
    assert day_of(after) == 450
    assert day_of(after, 90) is None
    row = found("0:4.0 100:4.5 200:4.5 382:4.5 450:5.5 600:5.5", 90)
    assert (row["day"], row["baseline_day"], row["reference_score"]) == (450, 200, 4.5)


def test_the_score_after_such_a_relapse_must_be_stable_for_more_than_six_months() -> None:
    # 181 days are not enough: the confirmed rise that follows becomes the baseline, and nothing comes after it.
    assert day_of("0:4.0 100:4.5 200:4.5 381:4.5 450:5.5 600:5.5", 90) is None
    assert day_of("0:4.0 100:4.5 200:4.5 382:4.5 450:5.5 600:5.5", 90) == 450
    # A score that differs by 1.0 is another one.
    assert day_of("0:4.0 100:4.5 200:4.5 300:3.5 382:4.5 450:5.5 600:5.5", 90) is None
    assert day_of("0:4.0 100:4.5 200:4.5 300:4.0 382:4.5 450:5.5 600:5.5", 90) == 450


@pytest.mark.parametrize(
    ("edss", "anew"),
    [
        ("0:4.0 100:4.5 450:5.0 600:5.0", True),
        ("0:4.0 100:4.0 450:5.0 600:5.0", False),  # no rise at all
        ("0:2.5 100:3.0 450:4.0 600:4.0", False),  # 3.0 is not above 3.0
        ("0:2.5 100:3.5 120:3.0 450:4.0 600:4.0", True),
        ("0:6.0 100:6.5 120:6.0 130:6.0 450:7.0 600:7.0", False),  # from 6.0 on no relapse is significant
        ("0:5.5 100:6.0 450:6.5 600:6.5", True),
        ("0:4.0 50:4.5 100:4.5 450:5.0 600:5.0", False),  # no rise from the visit before
    ],
)
def test_which_relapse_sets_the_baseline_anew(edss: str, *, anew: bool) -> None:
    assert (day_of(edss, 90) is None) == anew


def test_a_rise_that_did_not_last_leaves_the_baseline() -> None:
    row = found("0:3.0 100:4.0 200:4.0 300:3.0 400:3.0 500:4.0 600:4.0")
    assert (row["day"], row["baseline_day"]) == (500, 0)


def test_the_search_goes_on_after_a_rise_that_did_not_last() -> None:
    # The relapse on day 290 fell into the rise of days 100 to 350, which is done with: it sets no baseline anew.
    assert day_of("0:3.0 100:4.0 300:4.5 350:4.5 500:3.0 600:3.0 700:4.0 900:4.0", 290) == 700


# -- functional systems -------------------------------------------------------------------------

EDSS = "0:3.0 180:4.0 360:4.0 540:4.0"


def test_the_pyramidal_score_must_be_2() -> None:
    row = found(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:1 180:2 360:2 540:2")
    assert (row["day"], row["systems_imputed"]) == (180, False)
    low = {"pyramidal": "0:1 180:1 360:1 540:1", "sensory": "0:1 180:3 360:3 540:3"}
    assert reason_of(EDSS, rule=LORSCHEIDER_2016, **low) == "pyramidal score below the minimum"
    assert day_of(EDSS, rule=LORSCHEIDER_2016, **low | {"pyramidal": "0:2 180:2 360:2 540:2"}) == 180


def test_the_pyramidal_score_is_taken_as_2_from_edss_5_5_on() -> None:
    low = {"pyramidal": "0:1 180:1 360:1 540:1", "sensory": "0:1 180:3 360:3 540:3"}
    assert day_of("0:4.5 180:5.5 360:5.5 540:5.5", rule=LORSCHEIDER_2016, **low) == 180
    assert day_of("0:4.0 180:5.0 360:5.0 540:5.0", rule=LORSCHEIDER_2016, **low) is None
    missing = {"pyramidal": "0:1", "sensory": "0:1 180:3 360:3 540:3"}
    assert day_of("0:4.5 180:5.5 360:5.5 540:5.5", rule=LORSCHEIDER_2016, **missing) == 180
    assert day_of("0:4.0 180:5.0 360:5.0 540:5.0", rule=LORSCHEIDER_2016, **missing) is None
    never = LORSCHEIDER_2016.model_copy(update={"pyramidal_met_from_edss": None})
    assert day_of("0:4.5 180:5.5 360:5.5 540:5.5", rule=never, **low) is None


def test_the_leading_system_must_stay_raised() -> None:
    kept = {"pyramidal": "0:2 100:3 190:2 191:3 500:3"}
    edss = "0:3.0 100:4.0 190:4.0 191:4.0 500:4.0"
    assert day_of(edss, rule=LORSCHEIDER_2016, **kept) == 191
    assert day_of(edss, rule=LORSCHEIDER_2016, pyramidal="0:2 100:3 190:3 191:2 500:2") is None
    assert day_of(edss, rule=LORSCHEIDER_2016, pyramidal="0:2 100:3 190:3 191:3 500:2") == 100
    assert reason_of(edss, rule=LORSCHEIDER_2016, pyramidal="0:2 100:3 190:3 191:2 500:2") == (
        "progression not confirmed in the leading functional system"
    )


def test_below_the_baseline_is_not_raised() -> None:
    assert day_of(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:3 360:1 540:3") is None
    assert day_of(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:4 360:3 540:3") == 180


def test_only_the_largest_rise_leads_and_one_of_equals_is_enough() -> None:
    pyramidal = "0:2 180:3 360:3 540:3"
    assert day_of(EDSS, rule=LORSCHEIDER_2016, pyramidal=pyramidal, sensory="0:1 180:3 360:1 540:1") == 360
    assert day_of(EDSS, rule=LORSCHEIDER_2016, pyramidal=pyramidal, sensory="0:1 180:2 360:1 540:1") == 180
    assert day_of(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:2 360:2 540:2", ambulation="0:1 180:3 360:3 540:3") == 180


def test_no_system_that_worsened_none_that_leads() -> None:
    assert day_of(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:2 360:2 540:2") is None


def test_systems_that_were_not_scored() -> None:
    some = {"pyramidal": "0:2 180:3", "sensory": "0:1 180:1 360:1 540:1"}
    row = found(EDSS, rule=LORSCHEIDER_2016, **some)
    assert (row["day"], row["systems_imputed"]) == (180, True)
    left_out = LORSCHEIDER_2016.model_copy(update={"unscored": "left out"})
    assert day_of(EDSS, rule=left_out, **some) is None
    between = {"pyramidal": "0:2 180:3 540:3"}
    assert found(EDSS, rule=left_out, **between)["systems_imputed"] is False
    assert day_of(EDSS, rule=left_out, **between) == 180
    # From 5.5 on, with no system scored at onset: only the missing pyramidal score, taken as raised, leads.
    row = found("0:4.5 180:5.5 360:5.5", rule=LORSCHEIDER_2016, pyramidal="0:2", sensory="0:1")
    assert (row["day"], row["systems_imputed"]) == (180, True)
    assert day_of("0:4.5 180:5.5 360:5.5", rule=left_out, pyramidal="0:2", sensory="0:1") is None


def test_the_baseline_needs_a_functional_system() -> None:
    pyramidal = "180:2 360:3 540:3"
    row = found("0:2.0 180:3.0 360:4.0 540:4.0", rule=LORSCHEIDER_2016, pyramidal=pyramidal)
    assert (row["day"], row["baseline_day"], row["days_from_start"]) == (360, 180, 360)
    # The first visit with systems is near a relapse, the next one far from it has none.
    row = found("0:3.0 100:3.0 200:3.0 300:4.0 400:4.0", -20, rule=LORSCHEIDER_2016, pyramidal="0:1 200:1 300:2 400:2")
    assert (row["day"], row["baseline_day"]) == (300, 200)


def test_a_later_baseline_needs_a_functional_system_too() -> None:
    # The improvement begins on day 100, where none was scored.
    row = found("0:4.0 100:3.0 200:3.0 400:3.0 500:4.0 600:4.0", rule=LORSCHEIDER_2016, pyramidal="0:2 200:1 400:1 500:2 600:2")
    assert (row["day"], row["baseline_day"]) == (500, 200)


def test_the_stable_score_after_a_relapse_needs_a_functional_system() -> None:
    edss = "0:4.0 100:4.5 200:4.5 300:4.5 482:4.5 550:5.5 700:5.5"
    assert day_of(edss, 90, rule=LORSCHEIDER_2016, pyramidal="0:2 100:2 300:2 482:2 550:3 700:3") == 550
    assert day_of(edss, 90, rule=LORSCHEIDER_2016, pyramidal="0:2 100:2 482:2 550:3 700:3") is None


def test_the_baseline_that_moved_stays() -> None:
    # From the baseline on day 100 the rise on day 500 is not led by a system; from the first one that of day 600 would be.
    systems = {"pyramidal": "0:1 100:2 400:2 500:2 600:2 700:2"}
    edss = "0:4.0 100:3.0 400:3.0 500:4.0 600:5.0 700:5.0"
    assert day_of(edss, rule=LORSCHEIDER_2016, **systems) is None


# -- who cannot be assessed -----------------------------------------------------------------------


def test_three_visits_are_needed() -> None:
    assert found("0:3.0 180:4.0") == {
        "patient": "A",
        "reason": "fewer than 3 visits with an EDSS",
        "last_day": 180,
        "days_followed": 180,
    }
    assert "reached" in found("0:3.0 180:4.0 181:4.0")


def test_without_functional_systems_nothing_is_known() -> None:
    assert reason_of(EDSS, rule=LORSCHEIDER_2016) == "no functional system scored"
    few = reason_of(EDSS, rule=LORSCHEIDER_2016, pyramidal="360:2 540:2")
    assert few == "fewer than 3 visits with an EDSS from the first functional system on"


def test_patients_without_an_edss_have_a_row() -> None:
    cohort = cohort_of({"A": {"sdmt": "0:50"}, "B": {"edss": "0:3.0 180:4.0 360:4.0"}}, {})
    outcome = secondary_progression(cohort, WITHOUT)
    assert outcome.table["patient"].to_list() == ["A", "B"]
    assert outcome.table["reached"].to_list() == [None, True]
    assert [share.text().partition(" ")[0] for _, share in outcome.counts] == ["1/1", "1/2"]


def test_nobody_reaches_it_and_every_column_is_there() -> None:
    stable = cohort_of({"A": {"edss": "0:2.0 180:2.0 360:2.0"}}, {})
    nobody = cohort_of({}, {}, measures=["edss"])
    for cohort in (stable, nobody):
        for rule in (LORSCHEIDER_2016, WITHOUT):
            outcome = secondary_progression(cohort, rule)
            assert dict(outcome.table.schema) == PROGRESSION_SCHEMA
            assert outcome.counts[0][1].numerator == 0
            assert outcome.text()


def test_visits_without_an_edss_column_are_refused() -> None:
    with pytest.raises(UsageError, match="edss"):
        secondary_progression(cohort_of({"A": {"sdmt": "0:50"}}, {}), WITHOUT)


# -- laws -----------------------------------------------------------------------------------------


def test_shifting_all_days_shifts_the_answer_only() -> None:
    cohort = {"A": {"edss": "0:3.0 180:4.0 360:4.0 540:3.0 720:4.0"}, "B": {"edss": "-90:4.0 0:5.0 100:5.0 400:5.0"}}
    later = {name: {"edss": " ".join(f"{int(day) + 1000}:{score}" for day, score in (item.split(":") for item in text["edss"].split()))}
             for name, text in cohort.items()}  # fmt: skip
    days = [name for name in PROGRESSION_SCHEMA if name == "day" or name.endswith("_day")]
    here = secondary_progression(cohort_of(cohort, {"A": [170], "B": [300]}), WITHOUT).table
    there = secondary_progression(cohort_of(later, {"A": [1170], "B": [1300]}), WITHOUT).table
    assert here.with_columns(pl.col(day) + 1000 for day in days).equals(there)


# -- words ----------------------------------------------------------------------------------------


def reasons(edss: str, *relapses: int, rule: SecondaryProgression = WITHOUT, **systems: str) -> tuple[str, ...]:
    cohort = cohort_of({"A": {"edss": edss, **systems}, "B": {"edss": "0:2.0"}}, {"A": relapses})
    outcome = secondary_progression(cohort, rule, explain=["A"])
    assert set(outcome.reasons) == {"A"}
    return outcome.reasons["A"]


def test_the_explanation_of_a_patient_who_has_it() -> None:
    assert reasons("0:3.0 180:4.0 360:4.0 540:3.0 720:4.0") == (
        "Baseline is day 0 (EDSS 3.0).",
        "Progression from 3.0 (+1.0 needed) on day 180 (EDSS 4.0), confirmed on day 360 (EDSS 4.0).",
        "Forgiven: day 540 (EDSS 3.0), not worse, and not 2 in a row.",
        "Secondary progression, dated day 180 (EDSS 4.0).",
    )


def test_the_explanation_of_patients_who_have_not() -> None:
    assert reasons("0:3.0 100:4.0 190:4.0") == (
        "Baseline is day 0 (EDSS 3.0).",
        "Worse than 3.0 on day 100 (EDSS 4.0); no worse visit 91 days or more later and at least 31 days after any relapse confirms it.",
        "Worse than 3.0 on day 190 (EDSS 4.0); no worse visit 91 days or more later and at least 31 days after any relapse confirms it.",
        "No further change is confirmed: no secondary progression.",
    )
    assert reasons("0:4.0 100:5.0 300:5.0 400:5.0", 90)[1:3] == (
        "Progression from 4.0 (+1.0 needed) on day 100 (EDSS 5.0), confirmed on day 300 (EDSS 5.0).",
        "A relapse began since the visit before: not in the absence of relapses.",
    )
    assert reasons("0:4.0 100:4.5 300:5.0 400:5.0", 90)[1:3] == (
        "A relapse left a worse score on day 100 (EDSS 4.5): the baseline is set anew.",
        "The baseline moves to day 300 (EDSS 5.0).",
    )
    assert reasons("0:3.0 180:4.0") == ("It could not be assessed: fewer than 3 visits with an EDSS.",)
    assert "It does not last: after day 360 (EDSS 4.0), 2 visits in a row fall short of it." in reasons(
        "0:3.0 180:4.0 360:4.0 540:3.5 720:3.5"
    )
    assert "An improvement from 4.0 begins on day 100 (EDSS 3.0) and holds long enough." in reasons("0:4.0 100:3.0 400:3.0")


def test_the_explanation_of_functional_systems() -> None:
    led = reasons(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:3 360:3 540:3", sensory="0:1 180:2 360:1 540:1")
    assert "The largest rise is in the pyramidal or sensory score; pyramidal is still raised on day 540." in led
    fell = reasons(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:3 360:2 540:2")
    assert "The largest rise is in the pyramidal score, which does not stay raised long enough." in fell
    assert "No functional system is above the baseline there." in reasons(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:2 180:2 360:2 540:2")
    assert "The pyramidal score is below 2." in reasons(EDSS, rule=LORSCHEIDER_2016, pyramidal="0:1 180:1 360:1 540:1")


def test_a_patient_to_explain_must_be_there() -> None:
    with pytest.raises(UsageError, match="There is no patient 'Z'"):
        secondary_progression(cohort_of({"A": {"edss": "0:3.0"}}, {}), WITHOUT, explain=["Z"])


def test_the_notes_say_what_rests_on_missing_scores() -> None:
    visits = {"A": {"edss": EDSS, "pyramidal": "0:2 180:3"}, "B": {"edss": "0:3.0"}}
    outcome: Outcome = secondary_progression(cohort_of(visits, {}), LORSCHEIDER_2016)
    assert outcome.notes == (
        "Not assessed: 1 patient: fewer than 3 visits with an EDSS.",
        "1 secondary progression rests on a functional system that was not scored.",
    )


def test_dates_come_back_as_dates() -> None:
    from smoulder import read

    days = [datetime.date(2020, 1, 1), datetime.date(2020, 7, 1), datetime.date(2021, 1, 1)]
    visits = {"patient": ["A"] * 3, "date": [day.isoformat() for day in days], "edss": [3.0, 4.0, 4.0]}
    outcome = secondary_progression(read(visits, nobody_relapsed=True), WITHOUT, explain=["A"])
    assert outcome.dated().select("date", "baseline_date", "confirmed_date").row(0) == (days[1], days[0], days[2])
    assert outcome.reasons["A"][-1] == "Secondary progression, dated 2020-07-01 (EDSS 4.0)."


# -- the rule -------------------------------------------------------------------------------------


def test_more_than_some_months_is_the_next_whole_day() -> None:
    rule = LORSCHEIDER_2016
    assert (rule.confirmed_from_day, rule.stable_from_day, rule.improved_from_day) == (91, 182, 273)
    assert rule.model_copy(update={"days_a_month": 30.0}).confirmed_from_day == 91
    assert rule.model_copy(update={"days_a_month": 30.4375}).confirmed_from_day == 92


def test_the_prose_follows_the_settings() -> None:
    text = LORSCHEIDER_2016.prose()
    assert text.startswith(
        "Secondary progression was a rise of the EDSS of at least 1.5 points from a reference of 0.0, 1.0 point from a reference below 6.0 "
        "and 0.5 points from a reference from 6.0 on to 4.0 or more, at a visit with no relapse since the visit before. It was confirmed "
        "at a worse visit more than 3 months (91 days or more) later and at least 31 days after any relapse"
    )
    assert "The pyramidal score had to be at least 2 (taken as reached from an EDSS of 5.5 on)." in text
    assert "pyramidal" not in WITHOUT.prose()
    changed = LORSCHEIDER_2016.model_copy(update={"minimum_edss": 3.0, "unscored": "left out"}).prose()
    assert "to 3.0 or more" in changed
    assert "Only scores that were there counted." in changed


def test_what_was_seen_and_what_comes_from_the_program() -> None:
    assert LORSCHEIDER_2016.evidence("minimum_edss") == "seen"
    assert LORSCHEIDER_2016.evidence("forgiven") == "code"
    assert "Lorscheider J, Buzzard K, Jokubaitis V" in LORSCHEIDER_2016.prose()
    assert "Lizak" in WITHOUT.prose()


def test_rules_are_equal_by_content_and_checked() -> None:
    again = SecondaryProgression.model_validate(LORSCHEIDER_2016.model_dump())
    assert again == LORSCHEIDER_2016
    assert hash(again) == hash(LORSCHEIDER_2016)
    with pytest.raises(ValidationError, match="two decimals"):
        SecondaryProgression(key="own", title="own", minimum_edss=4.001)
    with pytest.raises(ValidationError):
        SecondaryProgression(key="own", title="own", significant_relapse=SignificantRelapse(rise=0))
    own = SecondaryProgression(key="own", title="own", threshold=Threshold(points=2.0), with_systems=False)
    assert day_of("0:3.0 180:4.5 360:4.5", rule=own) is None
    assert day_of("0:3.0 180:5.0 360:5.0", rule=own) == 180
