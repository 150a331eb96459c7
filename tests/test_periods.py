"""Blocks of follow-up, change with and without relapses, area under a score, milestones as an outcome: hand-worked patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoulder.engine.beside.area import AREA_SCHEMA, area_under_curve
from smoulder.engine.beside.blocks import BLOCKS_SCHEMA, follow_up_blocks
from smoulder.engine.beside.decomposition import DECOMPOSITION_SCHEMA, decompose_change
from smoulder.engine.beside.milestones import reach
from smoulder.engine.beside.reached import REACHED_SCHEMA, milestone_at, milestone_reached
from smoulder.errors import DefinitionError, UsageError
from smoulder.outcome import Outcome
from smoulder.rulebook.model import Onset
from smoulder.rulebook.periods import AreaUnderCurve, Blocks, Decomposition
from smoulder.terms import Measure
from tests.cohorts import cohort_of

GRIP = Measure(key="grip", name="grip strength", unit="kg", low=0, high=100, higher_is_worse=False)


def shares_of(outcome: Outcome) -> dict[str, tuple[int, int]]:
    return {line: (share.numerator, share.denominator) for line, share in outcome.counts}


# Blocks


@pytest.mark.parametrize(
    ("second", "blocks"),
    [(730, [(1, 0, 830, 3, None)]), (731, [(1, 0, 0, 1, None), (2, 731, 831, 2, 731)])],
)
def test_a_gap_parts_two_blocks(second: int, blocks: list[tuple[Any, ...]]) -> None:
    cohort = cohort_of({"A": {"edss": f"0:2.0 {second}:2.0 {second + 100}:2.0"}})
    table = follow_up_blocks(cohort).table
    assert table.select("block", "start_day", "end_day", "visits", "gap_before_days").rows() == blocks
    assert table["blocks"].unique().to_list() == [len(blocks)]


def test_density_and_intervals() -> None:
    row = follow_up_blocks(cohort_of({"A": {"edss": "0:2 100:2 300:2 1461:2"}}), Blocks(longest_gap_days=2000)).table.row(0, named=True)
    assert (row["median_interval_days"], row["longest_interval_days"], row["visits_a_year"]) == (200.0, 1161, 0.75)
    even = follow_up_blocks(cohort_of({"A": {"edss": "0:2 100:2 301:2"}})).table
    assert even["median_interval_days"].to_list() == [150.5]


def test_blocks_of_one_measure() -> None:
    cohort = cohort_of({"A": {"edss": "0:2 1000:2", "sdmt": "500:50"}, "B": {"sdmt": "0:50"}})
    assert follow_up_blocks(cohort).table["blocks"].to_list() == [1, 1]
    found = follow_up_blocks(cohort, Blocks(measure="edss"), explain=["A", "B"])
    assert found.table.select("patient", "block", "visits").rows() == [("A", 1, 1), ("A", 2, 1), ("B", 0, 0)]
    assert found.reasons["A"] == (
        "Block 1, day 0 to day 0: 1 visit.",
        "Gap from day 0 to day 1000: 1000 days, more than 730.",
        "Block 2, day 1000 to day 1000: 1 visit.",
    )
    assert found.reasons["B"] == ("No visit counts.",)
    assert shares_of(found) == {"patients with such a visit": (1, 2), "patients with a gap": (1, 1), "patients with one visit only": (0, 1)}


def test_block_notes() -> None:
    cohort = cohort_of({"A": {"edss": "0:2 1000:2 1365:2"}, "B": {"edss": "0:2"}})
    found = follow_up_blocks(cohort)
    assert found.notes == ("1 gap, the median of 1000 days and the longest of 1,000.", "Within blocks there were 1.00 visits a year.")
    assert shares_of(found)["patients with one visit only"] == (1, 2)


# Decomposition


def parts(scores: str, relapses: Sequence[int] = (), measure: str = "edss", **settings: Any) -> tuple[float, float, float]:
    """Return total, relapse-related and independent change of a patient A."""
    cohort = cohort_of({"A": {measure: scores}}, {"A": relapses})
    row = decompose_change(cohort, Decomposition(measure=measure, **settings)).table.row(0, named=True)
    assert row["undetermined"] == 0
    return row["change"], row["relapse_related"], row["independent"]


@pytest.mark.parametrize(
    ("relapse", "related"),
    [
        (0, 0.0),  # on the day of the visit before, which is 100 days earlier
        (1, 1.0),
        (100, 1.0),  # on the day of the visit itself
        (101, -0.5),  # in the next interval, which improved
        (109, -0.5),
        (110, -0.5),
        (200, -0.5),
        (201, 0.0),
    ],
)
def test_the_interval_with_the_relapse_is_related(relapse: int, related: float) -> None:
    # 2.0, then 3.0, then 2.5; a relapse up to 90 days before the end of an interval reaches it also from the one before.
    total, found, independent = parts("0:2.0 100:3.0 200:2.5", [relapse], days_after_relapse=50)
    assert (total, found, independent) == (0.5, related, 0.5 - related)


@pytest.mark.parametrize(("relapse", "related"), [(10, 1.0), (9, 0.0)])
def test_a_relapse_reaches_on_for_days(relapse: int, related: float) -> None:
    assert parts("0:2.0 50:2.0 100:3.0", [relapse])[1] == related
    assert parts("0:2.0 50:2.0 100:3.0", [50 if related else 51], days_after_relapse=50)[1] == 1.0


def test_a_relapse_before_the_first_visit_reaches_in() -> None:
    assert parts("0:3.0 60:2.0", [-30]) == (-1.0, -1.0, 0.0)
    assert parts("0:3.0 60:2.0", [-31]) == (-1.0, 0.0, -1.0)


def test_worse_is_positive_where_lower_is_worse() -> None:
    assert parts("0:50 100:40 300:44", [60], "sdmt") == (6.0, 10.0, -4.0)
    assert parts("0:5.1 100:6.4 300:6.2", [60], "t25fw")[0] == pytest.approx(1.1)


def test_parts_add_up_in_whole_units() -> None:
    cohort = cohort_of({"A": {"t25fw": "0:4.83 100:5.10 200:5.37"}}, {"A": [50]})
    row = decompose_change(cohort, Decomposition(measure="t25fw")).table.row(0, named=True)
    units = [row[f"{name}_units"] for name in ("relapse_related", "independent", "undetermined", "change")]
    assert units == [27, 27, 0, 54]


@given(
    scores=st.lists(st.integers(0, 20), min_size=2, max_size=8),
    gaps=st.lists(st.integers(1, 400), min_size=8, max_size=8),
    relapses=st.lists(st.integers(-100, 3000), max_size=5),
)
def test_parts_always_add_up(scores: list[int], gaps: list[int], relapses: list[int]) -> None:
    days = [sum(gaps[:place]) for place in range(len(scores))]
    series = " ".join(f"{day}:{score / 2}" for day, score in zip(days, scores, strict=True))
    row = decompose_change(cohort_of({"A": {"edss": series}}, {"A": relapses}, recorded={"A": (0, 500)})).table.row(0, named=True)
    assert row["change_units"] == (scores[-1] - scores[0]) * 50
    assert row["relapse_related_units"] + row["independent_units"] + row["undetermined_units"] == row["change_units"]
    lengths = [row[f"{name}_intervals"] for name in ("relapse_related", "independent", "undetermined")]
    assert sum(lengths) == len(scores) - 1


@pytest.mark.parametrize(
    ("recorded", "undetermined"),
    [((10, 200), 0.0), ((11, 200), 1.0), ((None, 200), 0.0), ((None, 199), -0.5), ((None, None), 0.0)],
)
def test_days_without_recording_leave_it_undetermined(recorded: tuple[int | None, int | None], undetermined: float) -> None:
    cohort = cohort_of({"A": {"edss": "20:2.0 100:3.0 200:2.5"}}, {"A": []}, recorded={"A": recorded})
    assert decompose_change(cohort).table["undetermined"].to_list() == [undetermined]


def test_a_relapse_outside_recording_still_counts() -> None:
    cohort = cohort_of({"A": {"edss": "20:2.0 100:3.0"}}, {"A": [60]}, recorded={"A": (90, 200)})
    assert decompose_change(cohort).table["relapse_related"].to_list() == [1.0]


def test_without_a_relapse_table_all_is_undetermined() -> None:
    found = decompose_change(cohort_of({"A": {"edss": "0:2.0 100:3.0"}}, knowledge="unknown"))
    assert found.table.select("change", "relapse_related", "independent", "undetermined").row(0) == (1.0, 0.0, 0.0, 1.0)
    assert "There was no relapse table, so nothing could be told apart." in found.notes


def test_decomposition_told() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 100:3.0 300:2.5"}, "B": {"edss": "0:2.0"}, "C": {"sdmt": "0:40"}}, {"A": [60]})
    found = decompose_change(cohort, explain=["A", "B", "C"])
    assert found.reasons["A"] == (
        "day 0 to day 100: +1, relapse-related (relapse of day 60, in it).",
        "day 100 to day 300: -0.5, independent (no relapse).",
        "Together +0.5 (worse is positive): +1 relapse-related, -0.5 independent, 0 undetermined.",
    )
    assert found.reasons["B"] == found.reasons["C"] == ("Fewer than two visits with the EDSS: no change.",)
    assert (
        found.notes[0]
        == "Summed over 1 patient the EDSS changed by +0.5 (worse is positive): +1 relapse-related, -0.5 independent, 0 undetermined."
    )
    assert "The independent part is 0 worsening and -0.5 improvement." in found.notes[1]
    assert found.table.filter(pl.col("patient") != "A")["change"].to_list() == [None, None]
    assert shares_of(found) == {
        "patients with two visits or more": (1, 3),
        "patients worse at the last visit than at the first": (1, 1),
        "intervals between visits relapse-related": (1, 2),
        "intervals between visits independent": (1, 2),
        "intervals between visits undetermined": (0, 2),
    }


# Area


def area(scores: str, measure: str = "edss", **about: Any) -> dict[str, Any]:
    return area_under_curve(cohort_of({"A": {measure: scores}}, **about), AreaUnderCurve(measure=measure)).table.row(0, named=True)


def test_the_area_is_a_sum_of_trapezoids() -> None:
    # 100 days at a mean of 2.5, 300 days at a mean of 3.0.
    row = area("0:2.0 100:3.0 400:3.0")
    assert row["twice_area_unit_days"] == 2 * (250 * 100 + 300 * 300)
    assert row["mean_score"] == (2.5 * 100 + 3.0 * 300) / 400
    assert row["mean_above_first"] == row["mean_score"] - 2.0
    assert row["area_point_years"] == pytest.approx((2.5 * 100 + 3.0 * 300) / 365.25, rel=1e-12)
    assert (row["days"], row["longest_interval_days"], row["first_score"]) == (400, 300, 2.0)


def test_a_level_score_has_no_area_above_the_first() -> None:
    row = area("0:3.5 17:3.5 1000:3.5")
    assert (row["mean_score"], row["mean_above_first"], row["twice_area_above_first_unit_days"]) == (3.5, 0.0, 0)


def test_above_the_first_is_worse() -> None:
    row = area("0:50 100:40", "sdmt")
    assert (row["mean_score"], row["mean_above_first"]) == (45.0, 5.0)
    assert area("0:2.0 100:1.0")["mean_above_first"] == -0.5


def test_the_mean_of_two_hands_keeps_its_unit() -> None:
    cohort = cohort_of({"A": {"nhpt_dominant": "0:20 100:20", "nhpt_nondominant": "0:22 100:22"}})
    assert area_under_curve(cohort, AreaUnderCurve(measure="nhpt")).table["mean_score"].to_list() == [21.0]


def test_a_measure_of_the_cohorts_own() -> None:
    row = area("0:40 100:30", "grip", custom=[GRIP])
    assert (row["mean_score"], row["mean_above_first"]) == (35.0, 5.0)


def test_one_visit_has_no_area() -> None:
    cohort = cohort_of({"A": {"edss": "7:2.0"}, "B": {"sdmt": "0:50"}, "C": {"edss": "0:2 10:2"}})
    found = area_under_curve(cohort, explain=["A", "C"])
    assert found.table.select("start_day", "visits", "mean_score").rows() == [(7, 1, None), (None, 0, None), (0, 2, 2.0)]
    assert shares_of(found) == {"patients with two visits or more": (1, 3), "patients worse than at the first visit on average": (0, 1)}
    assert found.reasons["A"] == ("Fewer than two visits with the EDSS: no area.",)
    assert found.reasons["C"] == (
        "day 0 (2.0) to day 10 (2.0): a mean of 2 over 10 days.",
        "Together a mean of 2.000 over 10 days, +0.000 from the first score (worse is positive).",
    )


# Milestones


def milestone(edss: str, **about: Any) -> dict[str, Any]:
    return milestone_reached(cohort_of({"A": {"edss": edss}}, **about), milestone_at(6)).table.row(0, named=True)


@pytest.mark.parametrize(
    ("edss", "reached", "day", "unconfirmed"),
    [
        ("0:5.0 100:6.0 184:6.0", True, 100, None),
        ("0:5.0 100:6.0 183:6.0", False, 183, 100),
        ("0:5.0 100:5.5 184:6.0", False, 184, 184),
        ("0:5.0 100:6.0 184:5.5", False, 184, None),
        ("0:6.0 84:6.0", True, 0, None),
        ("0:5.0", False, 0, None),
    ],
)
def test_a_milestone_is_reached_once_confirmed(edss: str, reached: bool, day: int, unconfirmed: int | None) -> None:
    row = milestone(edss)
    assert (row["reached"], row["day"], row["unconfirmed_day"]) == (reached, day, unconfirmed)
    assert row["at_first_visit"] == (reached and day == 0)


def test_a_patient_without_the_measure_is_unknown() -> None:
    cohort = cohort_of({"A": {"edss": "0:6.0 84:6.0"}, "B": {"sdmt": "0:40"}, "C": {"edss": "0:3.0 50:6.0"}})
    found = milestone_reached(cohort, milestone_at(6), explain=["A", "B", "C"])
    assert found.table["reached"].to_list() == [True, None, False]
    assert shares_of(found) == {
        "patients with the measure": (2, 3),
        "patients who reach it": (1, 2),
        "patients who have it at the first visit": (1, 2),
        "patients who reach it later, of the others": (0, 1),
    }
    assert found.reasons == {
        "A": ("day 0 (6.0): reaches 6.0, confirmed on day 84 (6.0).",),
        "B": ("No visit with the EDSS: unknown.",),
        "C": ("day 50 (6.0): at or past 6.0, no later visit could confirm it.", "6.0 is not reached by day 50 (6.0), the last visit."),
    }
    assert "1 patient counted as not reaching it had such a score that no later visit could confirm." in found.notes


def test_a_visit_too_near_a_relapse_is_no_unconfirmed_milestone() -> None:
    rule = milestone_at(6).model_copy(update={"onset": Onset(days_after_relapse=30)})
    for relapse, unconfirmed in ((70, 100), (71, None)):
        found = milestone_reached(cohort_of({"A": {"edss": "0:5.0 100:6.0"}}, {"A": [relapse]}), rule, explain=["A"])
        assert found.table["unconfirmed_day"].to_list() == [unconfirmed]
    assert found.reasons["A"][0] == "day 100 (6.0): at or past 6.0, too near a relapse to count."


def test_the_outcome_says_what_reach_says() -> None:
    cohort = cohort_of({"A": {"edss": "0:3.0 90:4.0 180:4.0"}, "B": {"edss": "0:4.0 90:3.0"}, "C": {"edss": "0:4.0"}})
    same = ["patient", "reached", "day", "score", "days_from_start", "confirmed"]
    assert milestone_reached(cohort, milestone_at(4)).table.select(same).rows() == reach(cohort, milestone_at(4)).rows()


@pytest.mark.parametrize(("last", "expected"), [(6.0, True), (5.5, False)])
def test_a_lasting_milestone_holds_to_the_end(last: float, expected: bool) -> None:
    cohort = cohort_of({"A": {"edss": f"0:5.0 100:6.0 200:6.0 300:{last}"}})
    assert milestone_reached(cohort, milestone_at(6, lasting=True)).table["reached"].to_list() == [expected]
    assert milestone_reached(cohort, milestone_at(6)).table["reached"].to_list() == [True]


def test_milestones_that_cannot_be() -> None:
    with pytest.raises(DefinitionError, match="12 is no score of the EDSS"):
        milestone_at(12)
    with pytest.raises(DefinitionError, match="'edsss' is no known measure"):
        milestone_at(6, "edsss")
    assert milestone_at(40, "sdmt").prose().startswith("The milestone was an SDMT of at most 40.")


# Of all


EMPTY: Mapping[str, tuple[Any, Any]] = {
    "blocks": (follow_up_blocks, BLOCKS_SCHEMA),
    "decomposition": (decompose_change, DECOMPOSITION_SCHEMA),
    "area": (area_under_curve, AREA_SCHEMA),
    "milestone": (lambda cohort, explain=(): milestone_reached(cohort, milestone_at(6), explain), REACHED_SCHEMA),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nobody_at_all(name: str) -> None:
    outcome, schema = EMPTY[name]
    found = outcome(cohort_of({}, measures=["edss"]))
    assert (found.table.schema, found.table.height) == (schema, 0)
    assert found.text()


@pytest.mark.parametrize("name", EMPTY)
def test_a_patient_who_is_not_there_is_named(name: str) -> None:
    with pytest.raises(UsageError, match="There is no patient 'Z'"):
        EMPTY[name][0](cohort_of({"A": {"edss": "0:2.0"}}), explain=["Z"])


@pytest.mark.parametrize("rule", [Blocks(measure="gripp"), Decomposition(measure="gripp"), AreaUnderCurve(measure="gripp")])
def test_a_measure_that_is_not_there_is_named(rule: Any) -> None:
    outcome = {Blocks: follow_up_blocks, Decomposition: decompose_change, AreaUnderCurve: area_under_curve}[type(rule)]
    with pytest.raises(UsageError, match="gripp"):
        outcome(cohort_of({"A": {"edss": "0:2.0"}}), rule)


def test_a_setting_that_was_changed_is_no_longer_assumed() -> None:
    assert "longest gap days" in Blocks().prose()
    assert "longest gap days" not in Blocks(longest_gap_days=365).prose()
    assert "more than 365 days apart" in Blocks(longest_gap_days=365).prose()
