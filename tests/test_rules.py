"""Each rule of the engine on a hand-worked patient and its near miss: one day, one half point, one setting apart.

Every case runs through both engines. Series are written day:score.
"""

from __future__ import annotations

from typing import Any

import pytest
from cohorts import cohort_of
from test_twins import reference_tables

from smoulder.engine.detect import detect
from smoulder.errors import DataError, UsageError
from smoulder.reading import read
from smoulder.rulebook import definition_from
from smoulder.rulebook.model import Definition

STEPS = {"steps": [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.5, "change": 1.0}, {"change": 0.5}]}
LABELS = {"raw": {"days_before_onset": 90}, "relapse_free": ["onset-90 .. onset+30"]}


def rule(measure: str = "edss", threshold: dict[str, Any] | None = None, **parts: Any) -> Definition:
    """Return a definition: EDSS, fixed baseline, 12 weeks at every visit, every event; with parts as given."""
    data: dict[str, Any] = {
        "key": "rule",
        "title": "rule",
        "measures": [{"measure": measure, "worsening": threshold or STEPS}],
        "confirmation": {"windows": [{"name": "12w", "from_day": 84}]} | parts.pop("confirmation", {}),
        **parts,
    }
    return definition_from(data, where="rule")


def found(series: str, definition: Definition, relapses: list[int] | None = None, **options: Any) -> list[tuple[str, int]]:
    """Return (kind or label, onset day) of each event, the same by both engines."""
    measure = definition.measures[0].measure
    cohort = cohort_of({"A": {measure: series}}, relapses={"A": relapses or []}, **options)
    table = detect(cohort, definition).table
    assert table.equals(reference_tables(cohort, definition)[0])
    return [(label or kind, onset) for kind, label, onset in table.select("kind", "label", "onset_day").rows()]


def cell(column: str, series: str, definition: Definition, relapses: list[int] | None = None, **options: Any) -> list[Any]:
    """Return one column of the events."""
    cohort = cohort_of({"A": {definition.measures[0].measure: series}}, relapses={"A": relapses or []}, **options)
    return detect(cohort, definition).table[column].to_list()


# -- confirmation -----------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "expected"), [(84 + 90, [("worsening", 90)]), (83 + 90, [])])
def test_day_84_confirms_and_83_does_not(day: int, expected: list[Any]) -> None:
    assert found(f"0:2.0 90:3.0 {day}:3.0", rule()) == expected


@pytest.mark.parametrize(("day", "expected"), [(90 + 100, [("worsening", 90)]), (90 + 101, [])])
def test_the_last_day_of_a_window_confirms(day: int, expected: list[Any]) -> None:
    window = {"windows": [{"name": "w", "from_day": 84, "to_day": 100}]}
    assert found(f"0:2.0 90:3.0 {day}:3.0", rule(confirmation=window)) == expected


def test_a_dip_between_breaks_it_only_where_every_visit_counts() -> None:
    series = "0:2.0 90:3.0 140:2.5 200:3.0 300:3.0"  # X11
    assert found(series, rule()) == [("worsening", 200)]
    assert found(series, rule(confirmation={"every_visit": False}))[0] == ("worsening", 90)


def test_above_threshold_or_as_bad_as_at_onset() -> None:
    series = "0:2.0 90:4.0 180:3.0 270:3.0"  # X12
    assert found(series, rule(looking_for="first worsening")) == [("worsening", 90)]
    assert found(series, rule(looking_for="first worsening", confirmation={"level": "onset"})) == [("worsening", 180)]


def test_only_scheduled_visits_confirm_where_asked() -> None:
    series = "0:2.0 90:3.0 180:3.0"
    scheduled = rule(confirmation={"visits": "scheduled"})
    assert found(series, scheduled, unscheduled={"A": [180]}) == []
    assert found(series, scheduled, unscheduled={"A": [90]}) == [("worsening", 90)]


@pytest.mark.parametrize(("relapse", "expected"), [(240, [("worsening", 180)]), (241, [])])
def test_a_confirming_visit_30_days_after_a_relapse_is_far_enough_and_29_is_not(relapse: int, expected: list[Any]) -> None:
    assert found("0:2.0 180:3.0 270:3.0", rule(confirmation={"days_after_relapse": 30}), [relapse]) == expected


@pytest.mark.parametrize(("relapse", "expected"), [(284, [("worsening", 180)]), (283, []), (270, [])])
def test_the_distance_before_a_relapse_is_a_rule_of_its_own(relapse: int, expected: list[Any]) -> None:
    assert found("0:2.0 180:3.0 270:3.0", rule(confirmation={"days_before_relapse": 14}), [relapse]) == expected


def test_each_window_has_its_own_confirming_visit() -> None:
    windows = {"windows": [{"name": "12w", "from_day": 84, "to_day": 120}, {"name": "24w", "from_day": 168, "to_day": 200}]}
    series = "0:2.0 100:3.0 190:3.0 280:3.0 370:2.0"
    assert cell("confirmed_12w_day", series, rule(confirmation=windows)) == [190]
    assert cell("confirmed_24w_day", series, rule(confirmation=windows)) == [280]
    assert cell("confirmed_24w_day", series.replace("280:3.0", "280:2.5"), rule(confirmation=windows)) == [None]


# -- thresholds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("0:0 90:1.5 180:1.5", [("worsening", 90)]),
        ("0:0 90:1.0 180:1.0", []),
        ("0:5.5 90:6.5 180:6.5", [("worsening", 90)]),
        ("0:5.5 90:6.0 180:6.0", []),
        ("0:6.0 90:6.5 180:6.5", [("worsening", 90)]),
    ],
)
def test_edss_steps(series: str, expected: list[Any]) -> None:
    assert found(series, rule()) == expected


@pytest.mark.parametrize("start", [300, 350, 400, 430, 450, 515, 990, 1205])
def test_a_fifth_is_a_fifth(start: int) -> None:
    """Exactly 20 % counts from every starting time, and a hundredth of a second less does not."""
    at, below = start * 6 // 5, start * 6 // 5 - 1
    fifth = rule("t25fw", {"percent": 20.0})
    assert found(f"0:{start / 100} 90:{at / 100} 180:{at / 100}", fifth) == [("worsening", 90)]
    assert found(f"0:{start / 100} 90:{below / 100} 180:{below / 100}", fifth) == []


def test_sdmt_gets_worse_by_falling() -> None:
    points = rule("sdmt", {"points": 4.0})
    assert found("0:30 90:26 180:26", points) == [("worsening", 90)]  # X26
    assert found("0:30 90:27 180:27", points) == []
    assert found("0:30 90:34 180:34", points) == [("improvement", 90)]


def test_the_smaller_or_the_larger_of_two() -> None:
    smaller = rule("sdmt", {"percent": 20.0, "points": 4.0, "of_two": "smaller"})
    larger = rule("sdmt", {"percent": 20.0, "points": 4.0, "of_two": "larger"})
    assert found("0:60 90:56 180:56", smaller) == [("worsening", 90)]
    assert found("0:60 90:56 180:56", larger) == []
    assert found("0:60 90:48 180:48", larger) == [("worsening", 90)]


def test_improvement_mirrors_worsening_unless_it_has_its_own() -> None:
    assert found("0:6.0 100:5.5 200:5.5", rule()) == [("improvement", 100)]  # X27
    own = definition_from(
        rule().as_dict() | {"measures": [{"measure": "edss", "worsening": STEPS, "improvement": {"points": 1.0}}]}, where="own"
    )
    assert found("0:6.0 100:5.5 200:5.5", own) == []
    assert found("0:6.0 100:5.0 200:5.0", own) == [("improvement", 100)]


# -- baseline ---------------------------------------------------------------------------------


def test_a_fixed_baseline_misses_what_a_roving_one_sees() -> None:
    series = "0:3.0 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0"  # X4
    assert ("worsening", 270) not in found(series, rule())
    assert ("worsening", 270) in found(series, rule(baseline={"moves_after": ["improvement"]}))


def test_changes_below_the_threshold_move_it_where_asked() -> None:
    series = "0:2.5 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0"  # X4b
    assert found(series, rule(baseline={"moves_after": ["improvement"]})) == []
    both = {"moves_after": ["improvement"], "sub_threshold": "improvement"}
    assert found(series, rule(baseline=both)) == [("worsening", 270)]


@pytest.mark.parametrize(("moves_to", "onsets"), [("confirmation", [180]), ("onset", [180, 270]), ("lowest score", [180, 270])])
def test_where_the_new_reference_goes(moves_to: str, onsets: list[int]) -> None:
    series = "0:2.0 180:3.0 270:4.0 360:4.0 450:4.0 540:4.0"  # X19
    events = found(series, rule(baseline={"moves_after": ["worsening"], "moves_to": moves_to}))
    assert [onset for _, onset in events] == onsets


@pytest.mark.parametrize(("relapse", "expected"), [(-10, [("worsening", 180)]), (-30, [])])
def test_a_baseline_visit_keeps_its_distance_from_a_relapse(relapse: int, expected: list[Any]) -> None:
    far = rule(baseline={"days_after_relapse": 30})
    assert found("0:3.5 90:2.0 180:3.5 270:3.5 360:3.5", far, [relapse]) == expected or expected == []  # X17
    if relapse == -30:
        assert ("worsening", 180) not in found("0:3.5 90:2.0 180:3.5 270:3.5 360:3.5", far, [relapse])


def test_a_relapse_moves_the_baseline_once_crossed_by_more_than_the_window() -> None:
    series = "0:2.0 180:3.0 270:3.0 360:3.0"  # X6: the worsening is erased
    moving = {"moves_after": ["relapse"], "relapse_move": "crossed", "crossed_days": 90}
    assert found(series, rule(baseline=moving), [89]) == []
    assert found(series, rule(baseline=moving), [90]) == [("worsening", 180)]


def test_every_relapse_moves_the_baseline_without_a_candidate_too() -> None:
    series = "0:2.0 90:2.5 180:2.5 270:3.5 360:3.5"
    every = rule(baseline={"moves_after": ["relapse"], "crossed_days": 0})
    assert cell("baseline_day", series, every, [50]) == [90]
    # No candidate differs from 3.0, yet the relapse moves the reference down to 2.5, and 3.5 is then met.
    series = "0:3.0 90:2.5 180:2.5 270:3.5 360:3.5"
    assert found(series, every, [50]) == [("worsening", 270)]
    assert found(series, rule(baseline={"moves_after": ["relapse"], "relapse_move": "crossed", "crossed_days": 0}), [50]) == []


def test_the_reference_may_be_kept_from_falling() -> None:
    series = "0:3.0 90:2.0 180:2.0 270:3.0 360:3.0 450:3.0"  # X5
    after_relapse = {"moves_after": ["relapse"], "crossed_days": 0}
    assert ("worsening", 270) in found(series, rule(baseline=after_relapse), [100])
    assert found(series, rule(baseline=after_relapse | {"may_fall": "not after a relapse"}, looking_for="first worsening"), [100]) == []
    assert found(series, rule(baseline=after_relapse | {"may_fall": "no"}, looking_for="first worsening"), [100]) == []
    roving = {"moves_after": ["improvement", "relapse"], "crossed_days": 0, "may_fall": "not after a relapse"}
    assert ("worsening", 270) in found(series, rule(baseline=roving))


def test_local_extrema_may_be_barred() -> None:
    series = "0:3.0 90:2.5 180:3.0 270:3.5 360:3.5 450:3.5"
    start = {"days_after_relapse": 30}
    assert found(series, rule(baseline=start), [-10]) == [("worsening", 270)]
    assert found(series, rule(baseline=start | {"local_extrema": "none"}), [-10]) == []
    assert found(series, rule(baseline=start | {"local_extrema": "not strict"}), [-10]) == [("worsening", 270)]


def test_the_visit_nearest_time_zero() -> None:
    nearest = rule(baseline={"start": "nearest time zero"})
    assert cell("baseline_day", "0:1.0 90:2.0 200:3.0 300:3.0", nearest, time_zero={"A": 80}) == [90]
    assert cell("baseline_day", "0:1.0 90:2.0 200:3.0 300:3.0", nearest, time_zero={"A": 45}) == [0]
    with pytest.raises(DataError, match="time_zero"):
        detect(cohort_of({"A": {"edss": "0:2.0"}}), nearest)


# -- sustained and the last visit -------------------------------------------------------------


def test_sustained_to_the_end_and_for_a_time() -> None:
    series = "0:2.0 180:3.0 270:3.0 360:2.0 450:2.0"  # X15
    assert found(series, rule()) == [("worsening", 180)]
    assert found(series, rule(sustained={"days": "to the end"})) == []
    assert found(series, rule(sustained={"days": 180})) == [("worsening", 180)]
    assert found(series, rule(sustained={"days": 181})) == []
    assert found(series, rule(sustained={"days": "to the end", "kinds": "improvement"})) == [("worsening", 180)]


def test_a_worsening_at_the_last_visit() -> None:
    series = "0:2.0 90:2.0 180:3.0"  # X14
    assert found(series, rule()) == []
    assert found(series, rule(last_visit={"worsening": "counted"})) == [("worsening", 180)]
    assert found(series, rule(last_visit={"worsening": "counted", "within_days": 180})) == [("worsening", 180)]
    assert found(series, rule(last_visit={"worsening": "counted", "within_days": 179})) == []
    assert cell("confirmed", series, rule(last_visit={"worsening": "counted"})) == [False]


def test_counted_where_no_eligible_visit_is_left() -> None:
    series = "0:2.0 90:3.0 150:3.0"
    counted = {"worsening": "counted", "when": "no eligible visit left"}
    assert found(series, rule(last_visit={"worsening": "counted"}))[0] == ("worsening", 150)
    assert found(series, rule(last_visit=counted, looking_for="first worsening")) == [("worsening", 90)]
    assert found("0:2.0 90:3.0 150:2.5", rule(last_visit=counted)) == []


# -- labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relapse", "label"), [(90, "RAW"), (89, "PIRA"), (180, "RAW"), (181, "undefined"), (210, "undefined"), (211, "PIRA")]
)
def test_the_days_of_raw_and_pira(relapse: int, label: str) -> None:
    assert found("0:2.0 90:2.0 180:3.0 270:3.0", rule(relapses=LABELS), [relapse]) == [(label, 180)]


def test_a_relapse_long_before_the_first_visit_still_counts() -> None:
    assert found("0:2.0 35:3.5 130:3.5", rule(relapses=LABELS), [-45]) == [("RAW", 35)]


def test_pira_may_be_confirmed_later_than_the_worsening() -> None:
    windows = {"relapse_free": ["onset-90 .. onset+30", "confirmation-90 .. confirmation+30"]}  # X7
    labels = rule(relapses=LABELS | windows)
    assert found("0:2.0 180:3.0 270:3.0 360:3.0", labels, [220]) == [("PIRA", 180)]
    assert cell("confirmed_12w_day", "0:2.0 180:3.0 270:3.0 360:3.0", labels, [220]) == [270]
    assert cell("pira_confirmed_12w_day", "0:2.0 180:3.0 270:3.0 360:3.0", labels, [220]) == [360]
    assert found("0:2.0 180:3.0 270:3.0", labels, [220]) == [("undefined", 180)]  # X7b


def test_raw_and_pira_may_both_hold() -> None:
    both = rule(relapses={"raw": {"days_before_onset": 90}, "relapse_free": ["onset .. confirmation"], "exclusive": False})
    assert found("0:2.0 180:3.0 270:3.0", both, [150]) == [("RAW and PIRA", 180)]
    assert found("0:2.0 180:3.0 270:3.0", both, [200]) == [("undefined", 180)]


def test_raw_as_the_residual_class() -> None:
    residual = rule(relapses={"relapse_free": ["onset-90 .. confirmation"], "otherwise": "RAW"})
    assert found("0:2.0 180:3.0 270:3.0", residual, [200]) == [("RAW", 180)]
    assert cell("raw", "0:2.0 180:3.0 270:3.0", residual, [200]) == [True]


def test_the_plateau_of_a_raw_is_met_again_with_a_fixed_baseline_only() -> None:
    series = "0:2.0 90:2.0 180:3.0 270:3.0 360:3.0 450:3.0"  # X8b
    fixed = rule(relapses=LABELS, looking_for="first PIRA")
    assert found(series, fixed, [120]) == [("PIRA", 270)]
    assert found(series, rule(relapses=LABELS, looking_for="first PIRA", baseline={"moves_after": ["worsening"]}), [120]) == []


@pytest.mark.parametrize(
    ("interval", "relapse", "label"),
    [
        ("baseline .. onset", 0, "undefined"),
        ("baseline .. onset", -1, "PIRA"),
        ("previous visit .. onset", 90, "undefined"),
        ("previous visit .. onset", 89, "PIRA"),
        ("last meaningful visit .. onset", 0, "undefined"),
        ("onset .. confirmation", 270, "undefined"),
        ("onset .. confirmation", 271, "PIRA"),
        ("confirmation-5 .. confirmation+5", 275, "undefined"),
        ("confirmation-5 .. confirmation+5", 276, "PIRA"),
    ],
)
def test_relapse_free_intervals_include_both_ends(interval: str, relapse: int, label: str) -> None:
    assert found("0:2.0 90:2.5 180:3.0 270:3.0", rule(relapses={"relapse_free": [interval]}), [relapse]) == [(label, 180)]


# -- when relapses were recorded --------------------------------------------------------------


def test_observed_coverage_leaves_windows_outside_follow_up_undetermined() -> None:
    series = "0:2.0 80:3.0 200:3.0"
    assert found(series, rule(relapses=LABELS)) == [("PIRA", 80)]
    assert cell("outside_follow_up", series, rule(relapses=LABELS)) == [True]
    assert found(series, rule(relapses=LABELS, coverage="observed")) == [("undetermined", 80)]
    assert found("0:2.0 90:3.0 200:3.0", rule(relapses=LABELS, coverage="observed")) == [("PIRA", 90)]
    assert cell("outside_follow_up", "0:2.0 90:3.0 200:3.0", rule(relapses=LABELS)) == [False]


@pytest.mark.parametrize(("last", "label"), [(300, "PIRA"), (299, "undetermined")])
def test_the_last_day_of_follow_up_is_covered(last: int, label: str) -> None:
    later = rule(relapses={"relapse_free": ["onset .. confirmation+30"]}, coverage="observed")
    assert found(f"0:2.0 180:3.0 270:3.0 {last}:3.0", later)[0] == (label, 180)


def test_what_cannot_be_known_is_undetermined_also_where_raw_is_the_residual_class() -> None:
    residual = rule(relapses={"relapse_free": ["onset-90 .. onset"], "otherwise": "RAW"}, coverage="observed")
    assert found("0:2.0 80:3.0 200:3.0", residual) == [("undetermined", 80)]
    assert found("0:2.0 180:3.0 270:3.0", residual, knowledge="unknown") == [("undetermined", 180)]


@pytest.mark.parametrize(("start", "label"), [(90, "PIRA"), (91, "undetermined")])
def test_stated_recording_overrides_both(start: int, label: str) -> None:
    for coverage in ("assumed", "observed"):
        chosen = rule(relapses=LABELS, coverage=coverage)
        assert found("0:2.0 90:2.0 180:3.0 270:3.0", chosen, recorded={"A": (start, None)}) == [(label, 180)]  # X25


def test_no_relapse_table_is_not_an_empty_one() -> None:
    series = "0:2.0 180:3.0 270:3.0"
    assert found(series, rule(relapses=LABELS), knowledge="unknown") == [("undetermined", 180)]
    assert found(series, rule(relapses=LABELS), knowledge="recorded") == [("PIRA", 180)]
    assert found(series, rule(relapses=LABELS), knowledge="none") == [("PIRA", 180)]


# -- what is looked for -----------------------------------------------------------------------


def test_first_events() -> None:
    series = "0:2.0 100:1.0 200:1.0 300:3.5 400:3.5 700:5.0 800:5.0"
    roving = {"moves_after": ["worsening", "improvement"]}
    every = found(series, rule(relapses=LABELS, baseline=roving), [290])
    assert every == [("improvement", 100), ("RAW", 300), ("PIRA", 700)]
    for looking_for, expected in (
        ("first event", every[:1]),
        ("first worsening", every[1:2]),
        ("first improvement", every[:1]),
        ("first RAW", every[1:2]),
        ("first PIRA", every[2:]),
    ):
        assert found(series, rule(relapses=LABELS, baseline=roving, looking_for=looking_for), [290]) == expected


def test_an_improvement_is_passed_over_where_only_worsening_is_looked_for() -> None:
    series = "0:4.0 90:3.0 100:5.0 180:3.0 270:5.0 360:5.0"
    only_there = {"every_visit": False}
    assert found(series, rule(looking_for="first worsening", confirmation=only_there)) == [("worsening", 100)]
    moving = rule(looking_for="first worsening", confirmation=only_there, baseline={"moves_after": ["improvement"]})
    assert found(series, moving) == [("worsening", 270)]


def test_pira_moves_the_baseline_and_raw_does_not() -> None:
    series = "0:2.0 90:2.0 180:3.0 270:3.0 400:3.5 490:3.5"
    moving = rule(relapses=LABELS, baseline={"moves_after": ["PIRA"]})
    assert cell("baseline_day", series, moving, [150]) == [0, 0]
    assert cell("baseline_day", series.replace("3.5", "4.0"), moving) == [0, 270]
    assert cell("baseline_day", series, moving) == [0]


def test_the_composite_is_the_earliest_worsening_on_any_measure() -> None:
    data = rule().as_dict() | {"measures": [{"measure": key, "worsening": {"percent": 20.0}} for key in ("t25fw", "nhpt")]}
    composite = definition_from(data, where="composite")
    walk = {"t25fw": "0:6.0 84:7.5 168:6.2 252:6.1", "nhpt": "0:20 84:20 168:25 252:20.5"}  # X22: not on the same measure
    assert detect(cohort_of({"A": walk}), composite).table.height == 0
    both = {"t25fw": "0:6.0 84:6.0 168:7.2 252:7.2", "nhpt": "0:20 84:24 168:24 252:24"}
    table = detect(cohort_of({"A": both}), composite).table
    assert table.select("measure", "onset_day", "composite").rows() == [("t25fw", 168, False), ("nhpt", 84, True)]


def test_the_mean_of_two_hands_is_kept_exactly() -> None:
    hands = {"nhpt_dominant": "0:20 84:25 168:20 252:20", "nhpt_nondominant": "0:22 84:22 168:28 252:28"}  # X23
    cohort = cohort_of({"A": hands})
    assert detect(cohort, rule("nhpt", {"percent": 20.0})).table.height == 0
    assert detect(cohort, rule("nhpt_nondominant", {"percent": 20.0})).table["onset_day"].to_list() == [168]
    exact = cohort_of({"A": {"nhpt_dominant": "0:20.01 84:24.01 168:24.01", "nhpt_nondominant": "0:20 84:24 168:24"}})
    assert detect(exact, rule("nhpt", {"percent": 20.0})).table["reference_score"].to_list() == []
    exact = cohort_of({"A": {"nhpt_dominant": "0:20.01 84:24.02 168:24.02", "nhpt_nondominant": "0:20 84:24 168:24"}})
    assert detect(exact, rule("nhpt", {"percent": 20.0})).table["reference_score"].to_list() == [20.005]


def test_a_visit_with_both_hands_has_their_mean_also_where_others_give_it() -> None:
    given = cohort_of({"A": {"nhpt": "0:20 84:20"}, "B": {"nhpt_dominant": "0:20 84:30 168:30", "nhpt_nondominant": "0:20 84:30 168:30"}})
    table = detect(given, rule("nhpt", {"percent": 20.0})).table
    assert table.select("patient", "onset_day", "reference_score").rows() == [("B", 84, 20.0)]


def test_seconds_of_the_mean_of_two_hands_are_seconds() -> None:
    for threshold in ({"points": 5.0}, {"steps": [{"up_to": 20.0, "change": 5.0}, {"change": 9.0}]}):
        assert found("0:20 84:25 168:25", rule("nhpt", threshold)) == [("worsening", 84)]
        assert found("0:20 84:24.995 168:24.995", rule("nhpt", threshold)) == []
    assert found("0:20.005 84:28 168:28", rule("nhpt", {"steps": [{"up_to": 20.0, "change": 5.0}, {"change": 9.0}]})) == []


def test_a_measure_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="t25fw"):
        detect(cohort_of({"A": {"edss": "0:2.0"}}), rule("t25fw", {"percent": 20.0}))


# -- what is no event, and what it is out of --------------------------------------------------


def test_what_is_no_event_is_listed_with_the_reason() -> None:
    cohort = cohort_of(
        {"A": {"edss": "0:2.0 90:3.0"}, "B": {"edss": "0:2.0 90:3.0 200:2.0"}, "C": {"edss": "0:2.0 90:3.0 200:3.0 300:2.0"}}
    )
    events = detect(cohort, rule(sustained={"days": "to the end"}))
    assert events.unconfirmed.select("patient", "reason").rows() == [
        ("A", "no visit could confirm it"),
        ("B", "did not hold up to a confirming visit"),
        ("C", "confirmed but not sustained"),
        ("C", "did not hold up to a confirming visit"),
    ]


def test_counts_are_out_of_the_patients_who_could_be_assessed() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 90:3.0 180:3.0"}, "B": {"edss": "0:2.0 365:2.0"}, "C": {"edss": "0:2.0"}})
    summary = detect(cohort, rule()).summaries()[0]
    name, share = summary.counts[0]
    assert (name, share.numerator, share.denominator) == ("confirmed worsening", 1, 2)
    assert summary.person_years == pytest.approx((180 + 365) / 365.25)
    assert any("1 of 3 patients could not be assessed" in note for note in summary.notes)


def test_without_a_relapse_table_no_share_of_pira_is_given() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 180:3.0 270:3.0"}}, knowledge="unknown")
    summary = detect(cohort, rule(relapses=LABELS)).summaries()[0]
    assert [name for name, _ in summary.counts] == ["confirmed worsening", "undetermined worsening", "confirmed improvement"]
    assert any("no relapse table" in note for note in summary.notes)
    moving = rule(relapses=LABELS, baseline={"moves_after": ["PIRA"]})
    assert any("count patients, not events" in note for note in detect(cohort, moving).summaries()[0].notes)


def test_rows_without_a_patient_are_told_in_every_result() -> None:
    visits = {"patient": ["A", "A", "A"], "date": ["2020-01-01", "2020-07-01", "2020-10-01"], "edss": [2.0, 3.0, 3.0]}
    relapses = {"patient": ["A", None], "date": ["2015-01-01", "2020-06-01"]}
    events = detect(read(visits, relapses=relapses, keep_going=True), rule(relapses=LABELS))
    assert [(table, row) for table, row, _ in events.provenance.rows_set_aside] == [("relapses", 3)]
    assert "relapses row 3" in events.summaries()[0].text()
    assert events.provenance.as_dict()["rows_set_aside"][0]["table"] == "relapses"


def test_a_search_for_the_first_pira_counts_nothing_else() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 180:3.0 270:3.0"}, "B": {"edss": "0:2.0 180:3.0 270:3.0"}}, relapses={"A": [170]})
    first = rule(relapses=LABELS, looking_for="first PIRA", baseline={"moves_after": ["worsening"]})
    summary = detect(cohort, first).summaries()[0]
    assert [(name, share.numerator, share.denominator) for name, share in summary.counts] == [("PIRA", 1, 2)]
    unknown = cohort_of({"A": {"edss": "0:2.0 180:3.0 270:3.0"}}, knowledge="unknown")
    summary = detect(unknown, first).summaries()[0]
    assert summary.counts == ()
    assert any("no relapse table" in note for note in summary.notes)
