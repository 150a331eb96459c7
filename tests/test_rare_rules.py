"""The rules that few definitions use, each on a hand-worked patient and its near miss; every case through both engines."""

from __future__ import annotations

from typing import Any

import pytest
from cohorts import cohort_of
from pydantic import ValidationError
from test_rules import LABELS, cell, found, rule

from smoulder.engine.beside.milestones import reach
from smoulder.engine.detect import detect
from smoulder.engine.explain import explain
from smoulder.errors import DataError
from smoulder.rulebook.milestone import Milestone
from smoulder.rulebook.model import Definition

# -- where the baseline starts ------------------------------------------------------------------

PREVIOUS = {"start": "previous visit", "moves_to": "onset"}


def test_every_visit_is_compared_with_the_one_before() -> None:
    series = "0:2.0 90:2.5 180:3.0 270:3.5 360:3.5"
    assert found(series, rule(baseline=PREVIOUS)) == []  # +0.5 three times is +1.5 from the start, and no step of 1.0
    assert found(series, rule(looking_for="first worsening")) == [("worsening", 180)]
    assert found("0:2.0 90:2.5 180:3.5 270:3.5 360:3.5", rule(baseline=PREVIOUS)) == [("worsening", 180)]
    assert cell("reference_score", "0:2.0 90:2.5 180:3.5 270:3.5 360:3.5", rule(baseline=PREVIOUS)) == [2.5]


def test_with_the_previous_visit_the_search_goes_on_where_the_definition_says() -> None:
    series = "0:2.0 90:3.0 180:4.0 270:4.0 360:4.0"
    assert found(series, rule(baseline=PREVIOUS)) == [("worsening", 90), ("worsening", 180)]
    assert found(series, rule(baseline=PREVIOUS | {"moves_to": "confirmation"})) == [("worsening", 90)]


def test_a_previous_visit_too_near_a_relapse_gives_way_to_the_one_before_it() -> None:
    series, near = "0:2.0 90:2.5 180:3.0 270:3.0", PREVIOUS | {"days_after_relapse": 30}
    assert found(series, rule(baseline=near), [61]) == [("worsening", 180)]  # day 90 is 29 days after, so day 0 is compared with
    assert found(series, rule(baseline=near), [60]) == []


@pytest.mark.parametrize(
    ("relapse", "always", "expected"),
    [
        (151, True, [("worsening", 90)]),  # day 180 is 29 days after it: day 270 is the new reference, and its step is lost
        (151, False, [("worsening", 90), ("worsening", 270)]),
        (150, True, [("worsening", 90), ("worsening", 270)]),  # 30 days are far enough
        (150, False, [("worsening", 90), ("worsening", 270)]),
    ],
)
def test_a_reference_after_a_confirmed_change_may_be_near_a_relapse(relapse: int, always: bool, expected: list[Any]) -> None:
    """Confirmed at day 180, which becomes the reference, or does not where the distance is asked of it as well."""
    base = {"moves_after": ["worsening"], "days_after_relapse": 30, "distance_after_change": always}
    assert found("0:2.0 90:3.0 180:3.0 270:4.0 360:4.0", rule(baseline=base), [relapse]) == expected


@pytest.mark.parametrize("always", [True, False])
def test_the_first_reference_and_one_after_a_relapse_keep_their_distance(always: bool) -> None:
    base = {"moves_after": ["worsening", "relapse"], "crossed_days": 0, "days_after_relapse": 30, "distance_after_change": always}
    near_at_first = cell("baseline_day", "0:2.0 60:2.0 150:3.0 240:3.0", rule(baseline=base), [-10])
    assert near_at_first == [60]
    after_a_relapse = "0:2.0 90:2.0 100:3.0 200:3.0 300:4.0 400:4.0"
    assert cell("baseline_day", after_a_relapse, rule(baseline=base), [95]) == [200]


@pytest.mark.parametrize(("zero", "reference"), [(90, [2.0]), (91, [3.0]), (-640, [3.0]), (-639, [3.0])])
def test_the_first_visit_after_the_diagnosis(zero: int, reference: list[float]) -> None:
    after = {"start": "first after time zero", "zero": "diagnosis"}
    series = "0:3.0 90:2.0 180:3.0 270:4.0 360:4.0"
    assert cell("reference_score", series, rule(baseline=after, looking_for="first worsening"), diagnosis={"A": zero}) == reference


@pytest.mark.parametrize(("zero", "onset"), [(0, 180), (-1, 270)])
def test_the_first_visit_after_it_may_be_too_late(zero: int, onset: int) -> None:
    """Day 90 lies 90 days after day 0 and 91 after day -1; then the first visit of all serves, with its 3.0."""
    within = {"start": "first after time zero", "zero": "diagnosis", "start_within_days": 90}
    cohort = {"diagnosis": {"A": zero}}
    series = "-30:3.0 90:2.0 180:3.0 270:4.0 360:4.0"
    assert found(series, rule(baseline=within, looking_for="first worsening"), **cohort) == [("worsening", onset)]


def test_without_a_diagnosis_nobody_is_assessed() -> None:
    after = rule(baseline={"start": "first after time zero", "zero": "diagnosis"})
    two = cohort_of({"A": {"edss": "0:2.0 90:3.0 180:3.0"}, "B": {"edss": "0:2.0 90:3.0 180:3.0"}}, diagnosis={"A": 0})
    events = detect(two, after)
    assert events.table["patient"].to_list() == ["A"]
    assert events.assessable["patients"].to_list() == [1, 1]
    with pytest.raises(DataError, match="starts at the diagnosis, and no patient has one"):
        detect(cohort_of({"A": {"edss": "0:2.0 90:3.0"}}), after)


# -- distance and visits at a set time ------------------------------------------------------------


@pytest.mark.parametrize(("day", "expected"), [(90, [("worsening", 90)]), (89, [("worsening", 174)])])
def test_onset_keeps_its_distance_from_the_baseline(day: int, expected: list[Any]) -> None:
    assert found(f"0:2.0 {day}:3.0 174:3.0 300:3.0", rule(onset={"min_days": 90}, looking_for="first worsening")) == expected


@pytest.mark.parametrize(("day", "expected"), [(30, [("worsening", 120)]), (31, [])])
def test_onset_keeps_its_distance_from_the_previous_visit(day: int, expected: list[Any]) -> None:
    distance = {"min_days": 90, "min_days_from": "previous visit"}
    assert found(f"0:2.0 {day}:2.0 120:3.0 204:3.0", rule(onset=distance)) == expected


YEAR_5 = {"at": {"day": 1826, "from_day": 1461, "to_day": 2191}}
YEAR_10 = {"at": {"day": 3652, "from_day": 3287, "to_day": 4018}, "every_visit": False, "windows": [{"name": "10y", "from_day": 1}]}


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("0:2.0 1826:3.0 2600:2.0 3652:3.0", [("worsening", 1826)]),
        ("0:2.0 1461:3.0 3287:3.0", [("worsening", 1461)]),
        ("0:2.0 1460:3.0 3287:3.0", []),  # a day before year 4
        ("0:2.0 1461:3.0 3286:3.0", []),  # a day before year 9
        ("0:2.0 2191:3.0 4018:3.0", [("worsening", 2191)]),  # the last days of year 5 and of year 10
        ("0:2.0 2192:3.0 4018:3.0", []),
        ("0:2.0 2191:3.0 4019:3.0", []),
        ("0:2.0 1825:3.0 1827:2.0 3652:3.0", [("worsening", 1825)]),  # equally near: the earlier counts
        ("0:2.0 1824:3.0 1827:2.0 3652:3.0", []),  # the visit nearest to year 5 is no worsening
        ("0:2.0 1826:3.0 3600:3.0 3652:2.5", []),  # and the one nearest to year 10 does not confirm
    ],
)
def test_worse_at_year_5_and_still_at_year_10(series: str, expected: list[Any]) -> None:
    assert found(series, rule(onset=YEAR_5, confirmation=YEAR_10)) == expected


WEEK_96 = {"windows": [{"name": "24w", "from_day": 168}], "as_well": {"day": 672, "from_day": 644, "to_day": 700}}


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("0:4.0 84:5.0 252:5.0 672:5.0", [("worsening", 84)]),
        ("0:4.0 84:5.0 252:5.0 672:4.5", []),  # not past the threshold at week 96
        ("0:4.0 84:5.0 252:5.0 643:5.0", []),  # no visit of week 96
        ("0:4.0 672:5.0 840:5.0", [("worsening", 672)]),  # first seen at week 96 itself
        ("0:4.0 504:5.0 672:5.0", [("worsening", 504)]),  # week 96 is also the confirming visit
        ("0:4.0 505:5.0 672:5.0", []),  # 167 days
        ("0:4.0 672:4.0 700:5.0 868:5.0", []),  # a worsening after week 96
    ],
)
def test_confirmed_and_present_at_week_96_as_well(series: str, expected: list[Any]) -> None:
    assert found(series, rule(confirmation=WEEK_96, looking_for="first worsening")) == expected


@pytest.mark.parametrize(("day", "expected"), [(744, [("worsening", 184)]), (743, [])])
def test_a_set_time_is_counted_from_the_starting_visit(day: int, expected: list[Any]) -> None:
    """The starting visit is that of day 100, nearest time zero; 644 days later is day 744."""
    starts = rule(confirmation=WEEK_96, baseline={"start": "nearest time zero"}, looking_for="first worsening")
    assert found(f"0:4.0 100:4.0 184:5.0 352:5.0 {day}:5.0", starts, time_zero={"A": 100}) == expected


# -- confirmation ---------------------------------------------------------------------------------


def test_no_confirmation_is_asked_for() -> None:
    at_once = rule(confirmation={"windows": []}, relapses=LABELS, baseline={"moves_after": ["worsening", "improvement"]})
    assert found("0:2.0 90:3.0 180:2.0", at_once) == [("PIRA", 90), ("improvement", 180)]
    assert found("0:2.0 90:2.5 180:2.0", at_once) == []
    assert cell("confirmed", "0:2.0 90:3.0 180:2.0", at_once) == [False, False]
    cohort = cohort_of({"A": {"edss": "0:2.0 90:3.0"}}, {"A": []})
    assert any("needed no confirmation" in note for note in detect(cohort, at_once).summaries()[0].notes)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("0:2.0 90:3.0 130:2.0 160:3.0 300:3.0", [("worsening", 90)]),  # one better visit
        ("0:2.0 90:3.0 130:2.0 160:2.0 300:3.0 400:3.0", [("worsening", 300)]),  # two in a row
        ("0:2.0 90:3.0 130:2.0 160:3.0 170:2.0 180:3.0 300:3.0", [("worsening", 90)]),  # two, not in a row
        ("0:2.0 90:3.0 174:2.0 300:3.0", []),  # the confirming visit itself is not forgiven
    ],
)
def test_a_single_dip_is_forgiven(series: str, expected: list[Any]) -> None:
    forgiving = rule(confirmation={"forgives": "single visits"}, looking_for="first worsening")
    assert found(series, forgiving) == expected


def test_a_forgiven_visit_confirms_no_window() -> None:
    windows = [{"name": "12w", "from_day": 84, "to_day": 120}, {"name": "24w", "from_day": 168, "to_day": 300}]
    forgiving = rule(confirmation={"windows": windows, "forgives": "single visits"})
    series = "0:2.0 90:3.0 180:3.0 260:2.0 350:3.0"
    assert cell("confirmed_24w_day", series, forgiving) == [350]


def test_a_single_dip_is_forgiven_in_how_long_it_lasts() -> None:
    lasting = {"days": "to the end"}
    series = "0:2.0 90:3.0 180:3.0 270:2.0 360:3.0"
    assert found(series, rule(sustained=lasting)) == []
    forgiving = rule(sustained=lasting, confirmation={"forgives": "single visits"})
    assert found(series, forgiving) == [("worsening", 90)]
    assert found("0:2.0 90:3.0 180:3.0 270:2.0 360:2.0 450:3.0", forgiving) == []
    assert found("0:2.0 90:3.0 180:3.0 270:2.0", forgiving) == []  # at the last visit there is no next one to hold again


def led(systems: dict[str, str], *, every: bool = True) -> list[int]:
    """Return the onsets of a worsening from 3.0 to 4.0 on day 90, confirmed on day 180, that must be led."""
    definition = rule(confirmation={"leading_system": True, "every_visit": every})
    cohort = cohort_of({"A": {"edss": "0:3.0 90:4.0 130:4.0 180:4.0"} | systems}, {"A": []})
    onsets = detect(cohort, definition).table["onset_day"].to_list()
    explained = [event.onset_day for event in explain(cohort, "A", definition).measures[0].events]
    assert explained == onsets
    return onsets


def test_the_leading_system_must_stay_worse() -> None:
    assert led({"pyramidal": "0:1 90:2 130:2 180:2"}) == [90]
    assert led({"pyramidal": "0:1 90:2 130:2 180:1"}) == []
    assert led({"pyramidal": "0:1 90:1 130:2 180:2"}) == []  # no system had worsened at onset
    assert led({"pyramidal": "0:1 90:3 130:2 180:2"}) == [90]  # worse than at baseline is enough
    assert led({"pyramidal": "0:1 90:2 130:2 180:1", "sensory": "0:0 90:1 130:1 180:1"}) == [90]  # two lead, one stays
    assert led({"pyramidal": "0:1 90:3 130:1 180:1", "sensory": "0:0 90:1 130:1 180:1"}) == []  # the pyramidal leads alone
    assert led({"pyramidal": "0:1 90:2 130:1 180:2"}) == []  # not at every visit
    assert led({"pyramidal": "0:1 90:2 130:1 180:2"}, every=False) == [90]
    assert led({"pyramidal": "0:1 90:2 180:2"}) == [90]  # not scored on day 130: not known to be better
    assert led({"pyramidal": "90:2 130:2 180:2"}) == []  # no baseline to compare with
    assert led({}) == []


def test_improvements_need_no_leading_system() -> None:
    definition = rule(confirmation={"leading_system": True})
    assert found("0:4.0 90:3.0 180:3.0", definition) == [("improvement", 90)]


@pytest.mark.parametrize(("every", "expected"), [(True, []), (False, [("worsening", 90)]), (None, [("worsening", 90)])])
def test_sustained_at_every_visit_or_at_the_end_only(every: bool | None, expected: list[Any]) -> None:
    series = "0:2.0 90:3.0 180:3.0 270:2.0 360:3.0"
    only_there = rule(
        confirmation={"every_visit": False}, sustained={"days": "to the end", "every_visit": every}, looking_for="first worsening"
    )
    assert found(series, only_there)[:1] == expected


# -- labels ---------------------------------------------------------------------------------------


def test_pira_at_any_confirming_visit_or_at_the_first() -> None:
    """X7: the relapse of day 220 lies 50 days before the first confirming visit and 140 before the second."""
    series, around = "0:2.0 180:3.0 270:3.0 360:3.0", ["onset-90 .. onset+30", "confirmation-90 .. confirmation+30"]
    labels = {"raw": {"days_before_onset": 90}, "relapse_free": around}
    assert found(series, rule(relapses=labels), [220]) == [("PIRA", 180)]
    first = labels | {"pira_at": "first confirming visit"}
    assert found(series, rule(relapses=first), [220]) == [("undefined", 180)]
    assert found(series, rule(relapses=first), [179 - 90]) == [("PIRA", 180)]


def test_a_relapse_during_confirmation_makes_a_class_of_its_own() -> None:
    series = "0:2.0 180:3.0 270:3.0"
    labels = {
        "raw": {"days_before_onset": 90},
        "relapse_free": ["onset-90 .. onset", "onset .. confirmation+30"],
        "during_confirmation": "own class",
        "pira_at": "first confirming visit",
    }
    own = rule(relapses=labels)
    assert found(series, own, [300]) == [("PIRA with relapse during confirmation", 180)]
    assert found(series, own, [301]) == [("PIRA", 180)]
    assert found(series, own, [90]) == [("RAW", 180)]
    assert cell("pira", series, own, [300]) == [False]
    earlier = rule(relapses=labels | {"raw": None})
    assert found(series, earlier, [90]) == [("undefined", 180)]  # a relapse before onset fails it whatever comes later
    cohort = cohort_of({"A": {"edss": series}}, {"A": [300]})
    names = [name for name, _ in detect(cohort, own).summaries()[0].counts]
    assert "PIRA with relapse during confirmation" in names
    assert "not RAW, and a relapse lies only after onset" in explain(cohort, "A", own).text()


@pytest.mark.parametrize(("relapse", "label"), [(90, "RAW"), (180, "RAW"), (89, "PIRA"), (181, "PIRA")])
def test_raw_may_be_a_relapse_since_the_previous_visit(relapse: int, label: str) -> None:
    definition = rule(relapses={"raw_in": ["previous visit .. onset"]})
    assert found("0:2.0 90:2.0 180:3.0 270:3.0", definition, [relapse]) == [(label, 180)]
    text = explain(cohort_of({"A": {"edss": "0:2.0 90:2.0 180:3.0 270:3.0"}}, {"A": [relapse]}), "A", definition).text()
    assert ("began" in text) == (label == "RAW")


def test_a_class_of_its_own_needs_the_days_before_onset_to_be_recorded() -> None:
    labels = {"relapse_free": ["onset-90 .. onset", "onset .. confirmation+30"], "during_confirmation": "own class"}
    for recorded_from, label in ((90, "PIRA with relapse during confirmation"), (91, "undetermined")):
        recorded = {"recorded": {"A": (recorded_from, None)}}
        assert found("0:2.0 180:3.0 270:3.0", rule(relapses=labels), [300], **recorded) == [(label, 180)]


@pytest.mark.parametrize(("relapse", "label"), [(450, "undefined"), (451, "PIRA")])
def test_an_interval_may_reach_to_the_last_visit_at_which_it_holds(relapse: int, label: str) -> None:
    labels = {"relapse_free": ["onset .. last holding visit"]}
    assert found("0:2.0 90:3.0 180:3.0 450:3.0 600:2.0", rule(relapses=labels), [relapse]) == [(label, 90)]


# -- a reference carried from visit to visit ------------------------------------------------------

CARRIED: dict[str, Any] = {"falls": "if confirmed", "falls_from_day": 30}
RAW = {"raw": {"days_before_onset": 90, "days_after_onset": 30}, "relapse_free": ["onset .. confirmation+30"]}


def carried(relapses: dict[str, Any] | None = None, **parts: Any) -> Definition:
    """Return a definition with a carried reference, confirmed for 12 weeks."""
    onset = parts.pop("onset", {})
    return rule(carried=CARRIED | parts, relapses=relapses or RAW, onset=onset)


def test_a_better_score_lowers_the_reference_once_it_is_confirmed() -> None:
    falls = "0:3.0 90:2.0 120:2.0 200:3.0 290:3.0"
    assert found(falls, carried()) == [("PIRA", 200)]
    assert found(falls.replace("120", "119"), carried()) == []  # the next visit, 111 days on, is as bad as the reference
    assert found(falls.replace("120", "119"), carried(falls_from_day=29)) == [("PIRA", 200)]
    assert found(falls, rule(relapses=RAW, carried={"falls": "no"})) == []
    assert found("0:3.0 90:2.0 200:3.0 290:3.0", rule(relapses=RAW, carried={"falls": "at once"})) == [("PIRA", 200)]


def test_the_reference_falls_to_the_worst_score_of_its_confirmation() -> None:
    series = "0:4.0 90:2.0 130:3.0 200:4.0 290:4.0"
    assert cell("reference_score", series, carried()) == [3.0]
    assert cell("reference_score", "0:4.0 90:2.0 110:3.0 130:2.5 200:4.0 290:4.0", carried(falls_every_visit=False)) == [2.5]


@pytest.mark.parametrize(("day", "expected"), [(150, [("PIRA", 200)]), (151, [])])
def test_a_better_score_may_have_to_be_confirmed_soon(day: int, expected: list[Any]) -> None:
    assert found(f"0:3.0 90:2.0 {day}:2.0 200:3.0 290:3.0", carried(falls_to_day=60)) == expected


def test_between_events_the_reference_only_falls() -> None:
    """Half points upwards never move it, so that they add up; msprog's roving baseline would stay at 2.0 too, a previous visit not."""
    assert found("0:2.0 90:2.5 180:3.0 270:3.0", carried()) == [("PIRA", 180)]


def test_after_an_event_the_reference_is_the_confirmed_score() -> None:
    series = "0:2.0 90:4.0 180:3.0 270:4.0 360:4.0"
    assert found(series, carried()) == [("PIRA", 90), ("PIRA", 270)]
    assert cell("reference_score", series, carried()) == [2.0, 3.0]


def test_what_a_relapse_leaves_becomes_the_reference_and_is_undefined() -> None:
    """Relapse on day 10: day 101 is the first visit past its window of 90 days, day 100 is not."""
    series = "0:2.0 {}:3.0 190:3.0 280:4.0 370:4.0"
    assert found(series.format(101), carried(), [10]) == [("undefined", 101), ("PIRA", 280)]
    assert found(series.format(100), carried(), [10]) == [("RAW", 100), ("PIRA", 280)]
    assert found(series.format(101), carried(second_reference="no"), [10]) == [("PIRA", 280)]
    stays = carried(after_relapse="stays", second_reference="no")
    assert found(series.format(101), stays, [10]) == [("PIRA", 101), ("PIRA", 280)]


def test_a_relapse_whose_window_runs_into_the_next_does_not_count() -> None:
    """The window of day 10 ends on day 100; that of a second relapse begins 30 days before it."""
    series = "0:2.0 101:3.0 190:3.0 280:3.0"
    assert found(series, carried(), [10, 131]) == [("undefined", 101)]
    assert found(series, carried(), [10, 130]) == [("RAW", 101)]


def test_what_an_undefined_worsening_leaves() -> None:
    """Confirmed at 3.0, that is the second reference; the first rises to the 4.0 that the relapse left, so 4.0 later is no event."""
    series = "0:2.0 101:4.0 190:3.0 280:4.0 370:4.0"
    assert found(series, carried(falls="no", falls_from_day=30), [10]) == [("undefined", 101)]


def test_an_undefined_worsening_never_lowers_the_first_reference() -> None:
    """The first reference is 3.5 from day 101 on; the undefined worsening of day 200 is confirmed at 3.0, so 4.0 is less than 4.5."""
    everywhere = carried(second_reference="at every visit", falls="no")
    series = "0:2.0 101:3.5 150:2.5 200:3.5 290:3.0 380:3.5 470:3.5 560:4.0 650:3.5"
    assert found(series, everywhere, [10]) == [("undefined", 200)]


def test_undefined_worsening_from_the_second_reference() -> None:
    """A relapse leaves 2.5, so the first reference rises to 2.5; from the second, still 2.0, day 300 with 3.0 is worse by 1.0."""
    series, relapse = "0:2.0 120:2.5 210:2.5 300:3.0 390:3.0", [10]
    assert found(series, carried(), relapse) == []
    assert found(series, carried(second_reference="at every visit"), relapse) == [("undefined", 300)]
    assert found(series, carried(second_reference="after the last event"), relapse) == [("undefined", 300)]


def test_what_was_found_before_the_last_event_stays() -> None:
    """PIRA on day 90; a relapse then leaves 3.5: the first reference is 3.5, the second still 3.0 when 4.0 comes."""
    series = "0:2.0 90:3.0 180:3.0 300:3.5 390:3.5 480:4.0 570:4.0"
    assert found(series, carried(), [215]) == [("PIRA", 90)]
    assert found(series, carried(second_reference="after the last event"), [215]) == [("PIRA", 90), ("undefined", 480)]


@pytest.mark.parametrize(
    ("least", "confirming", "expected"),
    [
        ("any", 3.0, [("undefined", 200)]),
        ("the reference", 3.5, [("undefined", 200)]),
        ("the reference", 3.0, []),  # what confirms it is better than the first reference
        ("worse than the reference", 3.5, []),
        ("worse than the reference", 4.0, []),  # onset itself is no worse than the first reference
    ],
)
def test_how_bad_undefined_worsening_must_be(least: str, confirming: float, expected: list[Any]) -> None:
    """The relapse of day 10 leaves 3.5 on day 101, not confirmed: the first reference is 3.5 from there on, the second still 2.0."""
    series = f"0:2.0 101:3.5 150:2.5 200:3.5 290:{confirming}"
    assert found(series, carried(second_reference="at every visit", second_at_least=least), [10]) == expected


def test_an_earlier_reference_stands_in_where_the_last_is_too_near() -> None:
    """The reference fell to 2.0 on day 150, 50 days before onset; the one before, 3.0 of day 0, is far and low enough for 4.0."""
    series = "0:3.0 150:2.0 180:2.0 200:4.0 290:4.0"
    near = {"onset": {"min_days": 90}}
    assert found(series, carried(**near)) == []
    assert found(series, carried(earlier_reference=True, **near)) == [("PIRA", 200)]
    assert cell("reference_score", series, carried(earlier_reference=True, **near)) == [3.0]
    assert found(series.replace("4.0", "3.5"), carried(earlier_reference=True, **near)) == []
    assert found("110:3.0 150:2.0 180:2.0 200:4.0 290:4.0", carried(earlier_reference=True, **near)) == [("PIRA", 200)]  # 90 days
    assert found("111:3.0 150:2.0 180:2.0 200:4.0 290:4.0", carried(earlier_reference=True, **near)) == []


def test_steps_that_follow_each_other_are_one_event() -> None:
    series = "0:2.0 90:3.0 174:4.0 258:5.0 342:5.0"
    single = carried()
    assert found(series, single) == [("PIRA", 90), ("PIRA", 174), ("PIRA", 258)]
    assert found(series, carried(merging={"stable_days": 30})) == [("PIRA", 90)]
    assert found(series, carried(merging={"stable_days": 30, "within_days": 83})) == [("PIRA", 90), ("PIRA", 174), ("PIRA", 258)]
    assert found(series, carried(merging={"stable_days": 30, "within_days": 84})) == [("PIRA", 90)]
    dropped = "0:2.0 90:4.0 180:4.0 270:3.5 360:5.0 450:5.0"  # from day 180 on 3.5 is all that holds: the series is over
    assert found(dropped, carried(merging={"stable_days": 200})) == [("PIRA", 90), ("PIRA", 360)]
    assert found(series, carried(merging={"stable_days": 30}), [228]) == [("PIRA", 90), ("undefined", 174), ("RAW", 258)]  # other labels
    stable = "0:2.0 90:3.0 120:3.0 204:4.0 288:4.0"
    assert found(stable, carried(merging={"stable_days": 30})) == [("PIRA", 90)]
    assert found(stable, carried(merging={"stable_days": 29})) == [("PIRA", 90), ("PIRA", 204)]


def test_the_explanation_of_a_carried_reference_says_where_it_is_set_anew() -> None:
    cohort = cohort_of({"A": {"edss": "0:3.0 90:2.0 120:2.0 200:3.0 290:3.0"}}, {"A": []})
    explanation = explain(cohort, "A", carried())
    assert "2.0: better than the reference before, which falls to it" in explanation.text()
    assert "the confirmed worsening makes this the reference from here on" in explanation.text()
    assert explanation.measures[0].references == ((0, 300), (90, 200), (200, 300))


# -- what a review found --------------------------------------------------------------------------


@pytest.mark.parametrize(("recorded_from", "label"), [(90, "PIRA"), (91, "undetermined")])
def test_pira_needs_the_days_of_raw_to_be_recorded_where_the_two_exclude_each_other(recorded_from: int, label: str) -> None:
    """Onset on day 180, RAW from day 90 on; the relapse-free interval begins with onset."""
    labels = {"raw": {"days_before_onset": 90}, "relapse_free": ["onset .. confirmation"]}
    recorded = {"recorded": {"A": (recorded_from, None)}}
    assert found("0:2.0 180:3.0 270:3.0", rule(relapses=labels), **recorded) == [(label, 180)]
    both = rule(relapses=labels | {"exclusive": False})
    assert found("0:2.0 180:3.0 270:3.0", both, **recorded) == [("PIRA", 180)]  # there PIRA says nothing of RAW


def test_pira_that_rests_on_raw_days_before_the_first_visit_says_so() -> None:
    labels = {"raw": {"days_before_onset": 90}, "relapse_free": ["onset .. confirmation"]}
    assert cell("outside_follow_up", "0:2.0 90:3.0 180:3.0", rule(relapses=labels)) == [False]
    assert cell("outside_follow_up", "0:2.0 89:3.0 180:3.0", rule(relapses=labels)) == [True]


@pytest.mark.parametrize("parts", [{"baseline": {"moves_after": ["worsening"], "moves_to": "lowest score"}}, {"carried": {"falls": "no"}}])
def test_a_forgiven_dip_is_no_new_reference(parts: dict[str, Any]) -> None:
    """The dip of day 60 is forgiven; were it the reference, the 3.0 after it would be a second worsening."""
    series = "0:2.0 30:3.0 60:2.0 120:3.0 200:3.0 300:3.0 400:3.0"
    forgiving = rule(confirmation={"forgives": "single visits"}, relapses=RAW, **parts)
    assert [onset for _, onset in found(series, forgiving)] == [30]


def test_the_last_meaningful_visit_forgives_too() -> None:
    labels = {"relapse_free": ["last meaningful visit .. onset"]}
    series = "0:2.0 100:2.0 200:2.0 300:2.0 330:3.0 360:2.5 430:3.0 500:3.0"
    forgiving = rule(confirmation={"forgives": "single visits"}, relapses=labels, looking_for="first worsening")
    assert found(series, forgiving, [50]) == [("PIRA", 330)]
    assert cell("meaningful_day", series, forgiving, [50]) == [300]


def test_a_carried_reference_rests_on_the_scores_that_had_to_hold() -> None:
    """To the end of follow-up, but at the last visit only: the 2.0 of day 200 is none that had to hold."""
    series = "0:2.0 30:3.0 120:3.0 200:2.0 300:3.0 400:3.0 500:3.0 600:3.0"
    lasting = rule(carried={"falls": "no"}, relapses=RAW, sustained={"days": "to the end", "every_visit": False})
    assert found(series, lasting) == [("PIRA", 30)]


@pytest.mark.parametrize(("relapse", "label"), [(20, "undefined"), (199, "undefined"), (200, "PIRA with relapse during confirmation")])
def test_a_relapse_before_onset_is_none_during_confirmation(relapse: int, label: str) -> None:
    labels = {"relapse_free": ["baseline .. confirmation"], "during_confirmation": "own class"}
    assert found("0:2.0 200:3.0 300:3.0", rule(relapses=labels), [relapse]) == [(label, 200)]


def told(series: str, definition: Definition, relapses: list[int] | None = None) -> str:
    """Return the explanation of one patient."""
    return explain(cohort_of({"A": {"edss": series}}, {"A": relapses or []}), "A", definition).text()


@pytest.mark.parametrize(
    ("series", "parts", "relapses", "words"),
    [
        (
            "0:4.0 90:2.0 100:4.0 200:4.0",
            {"carried": CARRIED, "relapses": RAW},
            [],
            "2.0 better than the reference 4.0; only worsening is looked for",
        ),
        (
            "0:2.0 200:3.0 300:3.0 400:3.0",
            {"onset": {"days_after_relapse": 90}},
            [140, 210],
            "too near the relapse of day 140 to be an onset",
        ),
        ("0:2.0 90:2.0 180:3.0 270:3.0", {"baseline": {"days_after_relapse": 90}}, [-60, 10], "too near the relapse of day -60"),
        (
            "0:2.0 100:2.0 130:3.0 230:3.0 400:3.0",
            {"onset": {"min_days": 60, "min_days_from": "previous visit"}},
            [],
            "less than 60 days after the visit before it, day 100",
        ),
        (
            "0:2.0 200:3.0 300:3.0 400:3.0 500:3.0",
            {"onset": {"min_days": 60, "at": {"day": 400, "from_day": 400, "to_day": 400}}},
            [],
            "not the visit at which a change is looked for",
        ),
        (
            "0:2.0 30:3.0 120:3.0 180:2.0 230:2.0 330:3.0",
            {"sustained": {"days": 200, "every_visit": False}},
            [],
            "day 230 (2.0): the worsening of day 30 was confirmed but is not sustained",
        ),
        ("0:2.0 90:3.0", {"confirmation": {"windows": []}}, [], "(1.0 needed); it counts."),
    ],
)
def test_the_explanation_names_what_decided(series: str, parts: dict[str, Any], relapses: list[int], words: str) -> None:
    assert words in told(series, rule(**parts), relapses)


def test_the_explanation_of_an_undefined_worsening_names_the_second_reference() -> None:
    second = rule(carried={"falls": "no", "second_reference": "at every visit"}, relapses=RAW)
    text = told("0:2.0 110:3.0 140:2.5 300:3.0 400:3.0 500:3.0", second, [10, 315])
    assert "undefined: it is compared with the second reference, which relapses do not move" in text


def test_a_summary_has_a_line_for_every_label() -> None:
    """RAW by an interval has its line, what needed no confirmation is not called confirmed, and improvement has a line where it can be."""

    def lines(definition: Definition) -> dict[str, int]:
        cohort = cohort_of({"A": {"edss": "0:2.0 100:3.0 200:3.0"}}, {"A": [50]})
        return {name: share.numerator for name, share in detect(cohort, definition).summaries()[0].counts}

    assert lines(rule(relapses={"raw_in": ["previous visit .. onset"]}))["RAW"] == 1
    assert "worsening" in lines(rule(confirmation={"windows": []}))
    assert "confirmed improvement" in lines(rule())
    assert "confirmed improvement" not in lines(rule(carried=CARRIED, relapses=RAW))


# -- MRI ------------------------------------------------------------------------------------------

MRI = {"scans_in": ["baseline .. confirmation"]}


def mri(scans: list[dict[str, int | None]] | None, rules: dict[str, Any] = MRI, relapses: list[int] | None = None) -> list[str | None]:
    """Return what the MRI of a PIRA says, whose baseline is day 0, onset day 400 and confirmation day 500."""
    cohort = cohort_of({"A": {"edss": "0:2.0 400:3.0 500:3.0"}}, {"A": relapses or []}, mri=None if scans is None else {"A": scans})
    definition = rule(relapses=LABELS, mri=rules)
    found = detect(cohort, definition).table["mri"].to_list()
    told = [step.verdict for step in explain(cohort, "A", definition).measures[0].steps if step.rule == "mri.scans_in"]
    assert told == [f"MRI: {verdict}" for verdict in found if verdict is not None]
    return found


@pytest.mark.parametrize(
    ("scans", "verdict"),
    [
        ([{"day": 100, "new_t2": 1}, {"day": 410, "new_t2": 0}], "activity"),  # X24, reference window
        ([{"day": 410, "new_t2": 0}], "no activity"),
        ([{"day": 500, "new_t2": 1}], "activity"),  # the last day belongs to it
        ([{"day": 501, "new_t2": 1}], "unknown"),
        ([{"day": -1, "new_t2": 1}, {"day": 0, "new_t2": 0}], "no activity"),
        ([{"day": 410, "new_t2": 0, "gd": None}], "unknown"),  # not read for all of them
        ([{"day": 410, "new_t2": 0, "gd": None}, {"day": 420, "new_t2": 0, "gd": 0}], "no activity"),
        ([{"day": 410, "new_t2": None, "gd": 2}], "activity"),
        ([], "unknown"),
        (None, "unknown"),
    ],
)
def test_pira_and_its_scans(scans: list[dict[str, int | None]] | None, verdict: str) -> None:
    assert mri(scans) == [verdict]


def test_the_window_of_the_scans_decides() -> None:
    """X24: a new lesion on day 100, a clean scan on day 410."""
    scans: list[dict[str, int | None]] = [{"day": 100, "new_t2": 1}, {"day": 410, "new_t2": 0}]
    assert mri(scans, {"scans_in": ["onset .. confirmation"]}) == ["no activity"]
    assert mri(scans, {"scans_in": ["onset-730 .. onset"]}) == ["activity"]
    assert mri(scans, {"scans_in": ["onset-300 .. onset"]}) == ["activity"]
    assert mri(scans, {"scans_in": ["onset-299 .. onset"]}) == ["unknown"]
    assert mri(scans, {"scans_in": ["baseline .. confirmation"], "lesions": ["gd"]}) == ["unknown"]


def test_only_pira_have_an_mri() -> None:
    assert mri([{"day": 410, "new_t2": 0}], relapses=[380]) == [None]


def test_the_summary_tells_pira_apart_by_their_mri() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 400:3.0 500:3.0"}}, {"A": []}, mri={"A": [{"day": 410, "new_t2": 0}]})
    counts = {name: share.numerator for name, share in detect(cohort, rule(relapses=LABELS, mri=MRI)).summaries()[0].counts}
    assert counts["PIRA without MRI activity (PIRMA)"] == 1
    assert counts["PIRA with MRI activity"] == counts["PIRA whose MRI is unknown"] == 0


# -- milestones -----------------------------------------------------------------------------------


def reached(series: str, **parts: Any) -> int | None:
    """Return the day on which EDSS 6 is reached for good."""
    milestone = Milestone.model_validate({"key": "six", "title": "six", "score": 6.0, **parts})
    row = reach(cohort_of({"A": {"edss": series}}), milestone).row(0, named=True)
    return row["day"] if row["reached"] else None


LASTING: dict[str, Any] = {"confirmation": {"windows": []}, "sustained": {"days": "to the end"}}


@pytest.mark.parametrize(("later", "expected"), [(5.5, 100), (5.0, 300)])
def test_a_milestone_may_have_a_floor(later: float, expected: int) -> None:
    series = f"0:5.0 100:6.0 200:{later} 300:6.5"
    assert reached(series, floor=5.5, **LASTING) == expected
    assert reached(series, **LASTING) == 300


def test_a_milestone_without_confirmation_is_reached_at_the_last_visit_too() -> None:
    assert reached("0:5.0 100:6.0", **LASTING) == 100
    assert reached("0:5.0 100:6.0", confirmation={"windows": [{"name": "next", "from_day": 1}]}) is None


@pytest.mark.parametrize(
    "parts",
    [
        {"floor": 6.5, "sustained": {"days": "to the end"}},
        {"floor": 5.5},
        {"onset": {"min_days": 30}},
        {"onset": {"at": {"day": 1, "from_day": 0, "to_day": 2}}},
        {"confirmation": {"windows": [{"name": "w", "from_day": 1}], "leading_system": True}},
    ],
)
def test_what_means_nothing_to_a_milestone_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Milestone.model_validate({"key": "six", "title": "six", "score": 6.0, "confirmation": {"windows": []}, **parts})
