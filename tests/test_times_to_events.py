"""From events and the end of observation to times, stretches and counts: hand-worked people and their near misses."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from test_enrolment import STUDY, cohort

from smoulder import definition, detect, read, run_study, time_to_first
from smoulder.analysis import cox_time_varying
from smoulder.analysis.counts import AMONG, event_counts
from smoulder.analysis.episodes import Change, first_event_episodes, recurrent_episodes, relapsed_within, relapses_so_far, value_at
from smoulder.analysis.outcome import survival_outcome
from smoulder.analysis.since import against_reference, cumulative_hazard, rates_since, rebound
from smoulder.analysis.windows import blocked_days
from smoulder.errors import DataError, UsageError
from smoulder.estimates import DAYS_A_YEAR, Episodes, SurvivalOutcome, Term
from smoulder.protocol import study_from
from smoulder.protocol.aims import ReferenceCurve
from smoulder.rulebook import Definition
from smoulder.studying.result import StudyResult

PIRA_RULE: dict[str, Any] = {
    "key": "mine",
    "title": "Mine",
    "measures": [{"measure": "edss", "worsening": {"steps": [{"change": 1.0}]}}],
    "baseline": {"moves_after": ["worsening"]},
    "confirmation": {"windows": [{"name": "12w", "from_day": 84}]},
    "relapses": {"raw": {"days_before_onset": 90}, "relapse_free": ["onset-90 .. onset+30"]},
}
MINE = Definition.model_validate(PIRA_RULE)


def first(event: str, visits: dict[str, str], relapses: dict[str, list[int]] | None = None, **options: Any) -> SurvivalOutcome:
    people = cohort(visits, relapses=relapses)
    return time_to_first(detect(people, MINE), people, event, **options)


def rows(outcome: SurvivalOutcome) -> list[tuple[Any, ...]]:
    names = ("patient", "time_days", "event", "cause", "reason", "free_days")
    return outcome.frame().select(names).rows()


# -- time to a first event ----------------------------------------------------------------------------


def test_the_event_is_dated_by_its_onset_and_happened_after_the_visit_before() -> None:
    assert rows(first("worsening", {"A": "10:2 100:2 190:3 280:3"})) == [("A", 180, True, "worsening", "worsening", 90)]


def test_who_has_none_is_censored_at_the_last_visit() -> None:
    assert rows(first("worsening", {"A": "10:2 100:2 190:2"})) == [("A", 180, False, "", "last visit", 180)]


def test_who_has_only_one_visit_is_left_out_and_counted() -> None:
    outcome = first("worsening", {"A": "10:2 100:2", "B": "10:2"})
    assert outcome.patients.to_list() == ["A"]
    assert outcome.left_out == (("no visit after time zero", 1),)


RAW_THEN_PIRA = {"A": "0:2 100:3 190:3 280:3 370:4 460:4"}


def test_another_event_leaves_at_risk_unless_it_competes() -> None:
    """RAW on day 100 (relapse on day 90), PIRA on day 370."""
    relapses = {"A": [90]}
    assert rows(first("PIRA", RAW_THEN_PIRA, relapses)) == [("A", 370, True, "PIRA", "PIRA", 280)]
    assert rows(first("PIRA", RAW_THEN_PIRA, relapses, competing=["RAW"])) == [("A", 100, False, "RAW", "RAW", 0)]
    assert rows(first("RAW", RAW_THEN_PIRA, relapses, competing=["PIRA"])) == [("A", 100, True, "RAW", "RAW", 0)]


def test_of_two_at_one_visit_the_event_asked_about_counts() -> None:
    both = MINE.changed({"relapses.exclusive": False, "relapses.relapse_free": ["onset .. onset+30"]})
    people = cohort({"A": "0:2 100:3 190:3"}, relapses={"A": [90]})
    events = detect(people, both)
    assert time_to_first(events, people, "PIRA", competing=["RAW"]).frame()["cause"].to_list() == ["PIRA"]
    assert time_to_first(events, people, "RAW", competing=["PIRA"]).frame()["cause"].to_list() == ["RAW"]


COMPOSITE = Definition.model_validate(
    PIRA_RULE
    | {
        "measures": [
            {"measure": "edss", "worsening": {"steps": [{"change": 1.0}]}},
            {"measure": "t25fw", "worsening": {"percent": 20.0}},
        ]
    }
)


def free_of(rule: Definition, edss: list[float | None], t25fw: list[float | None], relapses: list[int]) -> tuple[int, int]:
    """Return time and `free` of the first worsening of one person with a visit every 100 days, in days."""
    days = [100 * k for k in range(len(edss))]
    visits = {"patient": ["A"] * len(days), "date": days, "edss": edss, "t25fw": t25fw}
    people = read({"visits": visits, "relapses": {"patient": ["A"] * len(relapses), "date": relapses}}, date_format="day")
    outcome = time_to_first(detect(people, rule), people)
    assert outcome.event.tolist() == [True]
    return int(outcome.time[0]), int(outcome.free[0])


def test_free_is_known_from_the_measure_that_worsened() -> None:
    # The EDSS worsens by day 300 and was last seen at day 100; at day 200 only the walk was timed.
    assert free_of(COMPOSITE, [2, 2, None, 3, 3], [5, 5, 5, 5, 5], []) == (300, 100)
    assert free_of(COMPOSITE, [2, 2, 2, 3, 3], [5, 5, 5, 5, 5], []) == (300, 200)
    # Both worsen by day 300: the EDSS was free at day 100, the walk at day 200; the first of the two may have come after day 100.
    assert free_of(COMPOSITE, [2, 2, None, 3, 3], [5, 5, 5, 8, 8], []) == (300, 100)


@pytest.mark.parametrize(
    ("onset", "free"),
    [
        ({}, 200),
        # Day 200 is 20 days after the relapse: a worsening could not have begun there, so nothing is known of it.
        ({"days_after_relapse": 21}, 100),
        ({"days_after_relapse": 20}, 200),
        ({"min_days": 200}, 200),
        # Day 200 is too soon after the reference of day 0.
        ({"min_days": 201}, 0),
    ],
)
def test_a_visit_that_could_not_be_an_onset_does_not_say_free(onset: dict[str, int], free: int) -> None:
    rule = Definition.model_validate(PIRA_RULE | {"onset": onset})
    assert free_of(rule, [2, 2, 2, 3, 3], [5] * 5, [180]) == (300, free)


def test_undetermined_events_outside_the_time_at_risk_are_not_told() -> None:
    """A worsens undetermined on day 190; of the time up to day 150 nothing is undetermined."""
    patients = {"patient": ["A"], "relapses_recorded_from": [150], "relapses_recorded_to": [900]}
    people = cohort({"A": "0:2 100:2 150:2 190:3 280:3"}, patients=patients)
    outcome = [STUDY["outcome"][0] | {"definition": "mine", "event": "PIRA"}]
    study = study_from(STUDY | {"definition": [PIRA_RULE], "outcome": outcome, "ending": {"most_days": 150}}, where="test")
    assert run_study(study, people).made()["worse"].notes == ()
    later = study_from(STUDY | {"definition": [PIRA_RULE], "outcome": outcome, "ending": {"most_days": 190}}, where="test")
    assert run_study(later, people).made()["worse"].notes[0].startswith("1 of 1 people without a PIRA had a worsening that is undetermined")


def test_of_an_event_and_death_on_one_day_the_event_counts() -> None:
    frame = pl.DataFrame({"patient": ["A"], "zero_day": [0], "end_day": [100], "end_reason": ["death"], "death_day": [100]})
    made = survival_outcome("x", frame, {"x": {"A": [100]}}, {"A": [0, 100]}, causes=("x",), at_visits=True)
    assert rows(made) == [("A", 100, True, "x", "x", 0)]
    none = survival_outcome("x", frame, {"x": {}}, {"A": [0, 100]}, causes=("x",), at_visits=True)
    assert rows(none) == [("A", 100, False, "death", "death", 100)]


def test_what_does_not_exist_is_said() -> None:
    people = cohort({"A": "0:2 100:3"})
    with pytest.raises(UsageError, match="There is no event 'pira'"):
        time_to_first(detect(people, MINE), people, "pira")
    with pytest.raises(UsageError, match="does not tell RAW from PIRA"):
        time_to_first(detect(people, "cdw-12w"), people, "PIRA")
    with pytest.raises(UsageError, match="say which"):
        time_to_first(detect(people, ["cdw-12w", "cdw-24w"]), people)


def test_who_may_have_had_it_stays_at_risk_and_is_told() -> None:
    """Relapses of A are recorded from day 150 on, so the worsening of day 190 is undetermined: its window begins on day 100."""
    patients = {"patient": ["A"], "relapses_recorded_from": [150], "relapses_recorded_to": [900]}
    people = cohort({"A": "0:2 100:2 190:3 280:3"}, patients=patients)
    outcome = time_to_first(detect(people, MINE), people, "PIRA")
    assert rows(outcome) == [("A", 280, False, "", "last visit", 280)]
    assert outcome.notes[0].startswith("1 of 1 people without a PIRA had a worsening that is undetermined")


def test_without_a_relapse_table_a_first_pira_cannot_be_dated() -> None:
    people = read({"patient": ["A"] * 3, "date": ["2020-01-01", "2020-06-01", "2021-01-01"], "edss": [2.0, 3.0, 3.0]})
    with pytest.raises(DataError, match="no table of relapses"):
        time_to_first(detect(people, MINE), people, "PIRA")


def test_an_adam_censoring_column_is_refused() -> None:
    with pytest.raises(TypeError, match="CNSR"):
        SurvivalOutcome(
            name="x",
            patients=pl.Series(["A"]),
            time=np.array([1], dtype=np.int32),
            cause=np.array([1], dtype=np.int64),  # type: ignore[arg-type]
            causes=("x",),
            reason=pl.Series(["x"]),
            free=np.array([0], dtype=np.int32),
            people=pl.DataFrame({"patient": ["A"]}),
        )


ONE = {"patient": ["A"], "end_reason": ["last visit"], "death_day": pl.Series([None], dtype=pl.Int32)}


def made_of(
    days: dict[str, list[int]], visits: list[int], zero: int = 0, end: int = 400, *, at_visits: bool = True, once: bool = True
) -> SurvivalOutcome:
    """Return the outcome of one person; `days` has the days of each cause, the one asked about first."""
    frame = pl.DataFrame(ONE | {"zero_day": [zero], "end_day": [end]})
    by_cause = {cause: {"A": mine} for cause, mine in days.items()}
    return survival_outcome("x", frame, by_cause, {"A": visits}, causes=tuple(days), at_visits=at_visits, once=once)


def test_a_competing_event_up_to_time_zero_does_not_end_the_risk() -> None:
    found = made_of({"PIRA": [300], "RAW": [100]}, [0, 100, 200, 300], zero=100)
    assert rows(found) == [("A", 200, True, "PIRA", "PIRA", 100)]
    # After time zero it does, and on the day of the event the event counts.
    assert rows(made_of({"PIRA": [300], "RAW": [101]}, [0, 101, 200, 300], zero=100)) == [("A", 1, False, "RAW", "RAW", 0)]
    assert rows(made_of({"PIRA": [200], "RAW": [200]}, [0, 200], zero=100)) == [("A", 100, True, "PIRA", "PIRA", 0)]


@pytest.mark.parametrize(("end", "last"), [(100, [0, 100]), (99, [0, 50]), (400, [0, 100])])
def test_who_is_not_seen_after_time_zero_is_left_out(end: int, last: list[int]) -> None:
    found = made_of({"x": []}, last, zero=100, end=end)
    assert (found.n, found.left_out) == (0, (("no visit after time zero", 1),))


def test_an_event_on_the_day_of_time_zero_is_before_it() -> None:
    assert made_of({"x": [100]}, [0, 100, 200], zero=100).left_out == (("had it at or before time zero", 1),)
    again = made_of({"x": [100, 150]}, [], zero=100, at_visits=False, once=False)
    assert rows(again) == [("A", 50, True, "x", "x", 50)]


def test_an_event_after_a_baseline_before_time_zero_happened_after_time_zero() -> None:
    """The visit before the event is on day 80, time zero on day 100: the event lies in (0, 100] days from it."""
    assert rows(made_of({"x": [200]}, [80, 200], zero=100)) == [("A", 100, True, "x", "x", 0)]


# -- the end of observation in a study ----------------------------------------------------------------


def ran(visits: dict[str, str], *, patients: dict[str, list[Any]] | None = None, treatments: Any = None, **changes: Any) -> StudyResult:
    return run_study(study_from(STUDY | changes, where="test"), cohort(visits, patients=patients, treatments=treatments))


def test_an_onset_after_the_end_does_not_count() -> None:
    series = {"A": "0:2 100:2 200:3 300:3"}
    assert rows(ran(series, ending={"most_days": 200}).made()["worse"]) == [("A", 200, True, "worsening", "worsening", 100)]
    assert rows(ran(series, ending={"most_days": 199}).made()["worse"]) == [("A", 100, False, "", "end of the study period", 100)]


def test_confirmation_after_the_end_counts_only_where_it_may() -> None:
    series = {"A": "0:2 100:2 200:3 300:3"}
    assert ran(series, ending={"most_days": 250}).made()["worse"].n_events == 1
    never = ran(series, ending={"most_days": 250, "confirmed_after": False}).made()["worse"]
    assert rows(never) == [("A", 200, False, "", "end of the study period", 200)]


@pytest.mark.parametrize(
    ("competes", "expected"), [(True, ("A", 350, False, "death", "death", 350)), (False, ("A", 300, False, "", "death", 300))]
)
def test_death_competes_or_censors(competes: bool, expected: tuple[Any, ...]) -> None:
    outcome = STUDY["outcome"][0] | {"death_competes": competes}
    found = ran({"A": "0:2 100:2 200:2 300:2 400:2"}, patients={"patient": ["A"], "death_date": [350]}, outcome=[outcome])
    assert rows(found.made()["worse"]) == [expected]


@pytest.mark.parametrize(
    ("death", "ending", "expected"),
    [
        # Visits end on day 400. A death within a year of it ends the observation; a later one came after the person was lost.
        (430, {}, ("A", 430, False, "death", "death", 430)),
        (765, {}, ("A", 765, False, "death", "death", 765)),
        (766, {}, ("A", 400, False, "", "last visit", 400)),
        (430, {"death": False}, ("A", 400, False, "", "last visit", 400)),
        (430, {"most_days": 420}, ("A", 400, False, "", "end of the study period", 400)),
    ],
)
def test_death_after_the_last_visit(death: int, ending: dict[str, Any], expected: tuple[Any, ...]) -> None:
    people = {"patient": ["A"], "death_date": [death]}
    found = ran({"A": "0:2 100:2 200:2 300:2 400:2"}, patients=people, ending=ending)
    assert rows(found.made()["worse"]) == [expected]
    n_observed = int(expected[4] == "death")
    assert any(f"1 of 1 people died after the last visit that counts. {n_observed} of them" in note for note in found.followed.notes)
    alone = STUDY["outcome"][0] | {"death_competes": False}
    censored = ran({"A": "0:2 100:2 200:2 300:2 400:2"}, patients=people, ending=ending, outcome=[alone]).made()["worse"]
    assert (censored.time.tolist(), censored.cause.tolist()) == ([400], [0])


def test_a_milestone_that_was_reached_before_leaves_out() -> None:
    aim = {"key": "six", "title": "EDSS 6", "kind": "milestone", "score": 6.0, "confirmed_after_days": 84}
    changes = {"outcome": [STUDY["outcome"][0], aim], "time_zero": {"at": "visit number", "number": 2}}
    found = ran({"A": "0:6 100:6 200:6", "B": "0:5 100:5 200:6 300:6"}, **changes).made()["six"]
    assert rows(found) == [("B", 100, True, "EDSS 6", "EDSS 6", 0)]
    assert found.left_out == (("had it at or before time zero", 1),)


def test_relapses_before_time_zero_do_not_leave_out() -> None:
    aim = {"key": "relapse", "title": "relapse", "kind": "relapse"}
    changes = {"outcome": [STUDY["outcome"][0], aim], "time_zero": {"at": "visit number", "number": 2}}
    people = cohort({"A": "0:2 100:2 400:2"}, relapses={"A": [50, 250]})
    found = run_study(study_from(STUDY | changes, where="test"), people).made()["relapse"]
    assert rows(found) == [("A", 150, True, "relapse", "relapse", 150)]


def test_relapses_count_only_while_they_were_recorded() -> None:
    """Relapses of A are recorded to day 300, those of B from day 50 on, those of C always; all visits go to day 400."""
    series = "0:2 100:2 400:2"
    patients = {
        "patient": ["A", "B", "C"],
        "relapses_recorded_from": [0, 50, None],
        "relapses_recorded_to": [300, 900, None],
    }
    people = cohort(dict.fromkeys("ABC", series), relapses={"A": [350], "B": [200], "C": [390]}, patients=patients)
    aim = {"key": "relapse", "title": "relapse", "kind": "relapse"}
    analyses = [*STUDY["analysis"], {"key": "rates", "title": "relapses", "kind": "relapse rates"}]
    result = run_study(study_from(STUDY | {"outcome": [STUDY["outcome"][0], aim], "analysis": analyses}, where="test"), people)
    found = result.made()["relapse"]
    assert rows(found) == [("A", 300, False, "", "end of recording", 300), ("C", 390, True, "relapse", "relapse", 390)]
    assert found.left_out == (("relapses were not recorded from time zero on", 1),)
    (rates,) = result.finding("rates").estimates
    assert rates.table.select("people", "events").row(0) == (2, 1)
    assert rates.table["person_years"][0] * DAYS_A_YEAR == pytest.approx(300 + 400)
    assert rates.notes[:2] == (
        "1 person of 3 is left out where relapses are counted: relapses were not recorded from time zero on.",
        "The relapses of 1 of 3 people were recorded for a part of the time only, and where relapses are counted the time ends there.",
    )


def test_an_outcome_that_the_tables_do_not_allow_says_why_and_the_others_are_done() -> None:
    aim = {"key": "next", "title": "next treatment", "kind": "treatment start"}
    analyses = [*STUDY["analysis"], {"key": "next", "title": "next", "kind": "survival", "outcomes": ["next"]}]
    found = ran({"A": "0:2 100:2", "B": "0:2 100:3 200:3"}, outcome=[STUDY["outcome"][0], aim], analysis=analyses)
    assert found.outcomes["next"].outcome is None and "no table of treatments" in found.outcomes["next"].why_not
    assert [(finding.key, bool(finding.estimates)) for finding in found.findings] == [("km", True), ("next", False)]
    assert "no table of treatments" in found.finding("next").why_not


# -- stretches of time --------------------------------------------------------------------------------


def stretches(episodes: Any, *columns: str) -> list[tuple[Any, ...]]:
    return episodes.table.select("start_day", "stop_day", "event", *columns).rows()


def test_a_relapse_counts_from_the_day_after_it() -> None:
    """A relapse on day 50 and a window of 100 days: yes on the days 51 to 150."""
    outcome = first("worsening", {"A": "0:2 100:2 200:3 300:3"})
    change = Change(key="recent", values=relapsed_within({"A": [50]}, 100), levels=("no", "yes"))
    found = stretches(first_event_episodes(outcome, [change]), "recent")
    assert found == [(0, 50, False, "no"), (50, 150, False, "yes"), (150, 200, True, "no")]


def test_relapses_near_each_other_are_one_stretch_and_one_before_time_zero_counts() -> None:
    assert relapsed_within({"A": [-50, 30, 400]}, 100)["A"] == [(0, "yes"), (130, "no"), (400, "yes"), (500, "no")]
    assert relapsed_within({"A": [-100]}, 100)["A"] == [(0, "no")]
    assert relapsed_within({"A": [-99]}, 100)["A"] == [(0, "yes"), (1, "no")]


def test_relapses_so_far_count_from_time_zero() -> None:
    changes = relapses_so_far({"A": [-10, 0, 40, 90]})["A"]
    assert [value_at(changes, day) for day in (0, 39, 40, 90)] == [0.0, 0.0, 1.0, 2.0]


def test_blocked_days_are_taken_out_with_the_events_in_them() -> None:
    outcome = first("worsening", {"A": "0:2 100:2 200:3 300:3"})
    out = first_event_episodes(outcome, not_at_risk={"A": [(60, 120)]})
    assert stretches(out) == [(0, 60, False), (120, 200, True)]
    inside = first_event_episodes(outcome, not_at_risk={"A": [(150, 250)]})
    assert stretches(inside) == [(0, 150, False)]
    assert (out.notes, inside.notes[-1]) == ((), "1 of 1 event lies on days that are not at risk and is left out with them.")
    first_day = first_event_episodes(outcome, not_at_risk={"A": [(150, 199)]})
    assert stretches(first_day) == [(0, 150, False), (199, 200, True)]


def test_recurrent_events_cut_the_time_and_later_ones_do_not_count() -> None:
    people = pl.DataFrame({"patient": ["A", "B"], "arm": ["x", "y"], "zero_day": [0, 0]})
    found = recurrent_episodes("e", people, {"A": [100, 100, 300, 500]}, {"A": 400, "B": 200})
    assert found.table.rows() == [
        ("A", 0, 100, True, "x"),
        ("A", 100, 300, True, "x"),
        ("A", 300, 400, False, "x"),
        ("B", 0, 200, False, "y"),
    ]


# -- what the windows block ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        # From 90 days before to 30 days after onset for certain; about confirmation only while no later visit can confirm.
        ("mueller-2023", 30, 90),
        ("portaccio-2025", 30, 90),
        # From 90 days before onset to a confirming visit 183 days after it at the earliest.
        ("tur-2023", 183, 90),
        # From onset to 30 days after a confirming visit 180 days after it at the earliest; RAW up to 90 days after a relapse.
        ("bsteh-2025", 210, 90),
        # RAW and PIRA do not exclude each other; the reference is at most at onset.
        ("kappos-2020", 30, 0),
        ("mueller-2025", 0, 0),
        ("cdw-12w", 0, 0),
    ],
)
def test_how_long_no_pira_can_begin_near_a_relapse(key: str, before: int, after: int) -> None:
    blocked = blocked_days(definition(key))
    assert (blocked.before_days, blocked.after_days) == (before, after)


@pytest.mark.parametrize(("relapse", "label"), [(70, "PIRA"), (71, None), (190, None), (191, "PIRA")])
def test_the_blocked_days_are_those_on_which_the_engine_finds_none(relapse: int, label: str | None) -> None:
    """Onset on day 160, confirmed on day 250; the relapse-free days are 70 to 190, the RAW window 70 to 160."""
    rule = MINE.changed({"relapses.relapse_free": ["onset-89 .. onset+30"], "relapses.raw": {"days_before_onset": 89}})
    people = cohort({"A": "0:2 160:3 250:3"}, relapses={"A": [relapse]})
    found = detect(people, rule).table.filter(pl.col("pira"))["label"].to_list()
    assert found == ([label] if label else [])
    blocked = blocked_days(rule)
    first_day, last_day = blocked.spans({"A": [relapse]})["A"][0]
    assert (first_day < 160 <= last_day) == (label is None)


def test_a_later_confirming_visit_can_rescue_a_pira_from_a_relapse_about_the_first() -> None:
    """Onset on day 100; the relapse of day 190 bars the visit of day 190 from confirming a PIRA, and not that of day 400."""
    people = cohort({"A": "0:2 100:3 190:3 400:3"}, relapses={"A": [190]})
    assert first_labels(people, "mueller-2023") == ["PIRA"]
    assert blocked_days(definition("mueller-2023")).unbounded == ("confirmation-90 .. confirmation+30",)
    # Confirmed 84 to 100 days after onset: whichever visit it is, the days 10 to 114 after onset lie in the interval about it.
    closed = MINE.changed({"confirmation.windows": [{"name": "c", "from_day": 84, "to_day": 100}], "relapses.relapse_free": CONFIRMED})
    assert (blocked_days(closed).before_days, blocked_days(closed).after_days) == (114, 90)


CONFIRMED = ["onset-90 .. onset+30", "confirmation-90 .. confirmation+30"]


def first_labels(people: Any, key: str) -> list[str]:
    return detect(people, key).table["label"].to_list()


def test_an_onset_that_must_keep_its_distance_is_blocked_by_it() -> None:
    far = MINE.changed({"onset": {"days_after_relapse": 120, "days_before_relapse": 60}})
    assert (blocked_days(far).before_days, blocked_days(far).after_days) == (59, 119)


# -- rates by time, rebound, a published course -------------------------------------------------------


def test_rates_since_time_zero_count_days_and_events_where_they_fall() -> None:
    people = pl.DataFrame({"patient": ["A", "B"]})
    table = rates_since("relapses", people, {"A": [30, 31, 90], "B": [100]}, {"A": 90, "B": 60}, (0, 30, 90)).table
    assert table["events"].to_list() == [1, 2]
    assert table["people"].to_list() == [2, 2]
    assert [round(years * DAYS_A_YEAR) for years in table["person_years"]] == [60, 90]


@pytest.mark.parametrize(("after", "n"), [([450], 0), ([450, 460], 1)])
def test_rebound_is_more_relapses_a_year_than_before(after: list[int], n: int) -> None:
    """One relapse in the 100 days before the treatment; on treatment from day 100 to day 400; 100 days recorded after it."""
    people = pl.DataFrame({"patient": ["A"], "zero_day": [400], "index_start_day": [100], "end_day": [500]})
    share, rates = rebound(people, {"A": [50, *after]}, {"A": 0}, 100, 100)
    assert share.table.select("n", "out_of").row(0) == (n, 1)
    assert rates.table["events"].to_list() == [1, 0, len(after)]
    assert [round(years * DAYS_A_YEAR) for years in rates.table["person_years"]] == [100, 301, 100]


def test_too_short_a_time_leaves_rebound_unknown() -> None:
    people = pl.DataFrame({"patient": ["A"], "zero_day": [400], "index_start_day": [89], "end_day": [500]})
    share, _ = rebound(people, {"A": []}, {"A": 0}, 100, 100)
    assert share.table["out_of"].to_list() == [0]
    assert "it is not known" in share.notes[-1]


COURSE: dict[str, Any] = {"key": "c", "title": "course", "source": "made up", "population": "nobody", "time_zero": "birth"}


def test_a_published_course_by_hazard_and_by_points() -> None:
    flat = ReferenceCurve.model_validate(COURSE | {"yearly_hazard": 0.1})
    assert cumulative_hazard(flat, 5.0) == pytest.approx(0.5, rel=1e-12)
    points = ReferenceCurve.model_validate(COURSE | {"years": [5.0, 10.0], "share": [0.5, 0.75]})
    # Half are free at 5 years, a quarter at 10: the hazard is ln 2 in each stretch, and goes on like that.
    assert [cumulative_hazard(points, years) / np.log(2) for years in (2.5, 5, 7.5, 10, 15)] == pytest.approx(
        [0.5, 1, 1.5, 2, 3], rel=1e-12
    )


def test_observed_against_expected() -> None:
    """Two people for 1,000 and 1,826.25 days at 0.1 a year expect 0.7738; one event is a ratio of 1.292."""
    outcome = first("worsening", {"A": "0:2 1000:3 1100:3", "B": "0:2 1826:2"})
    curve, found = against_reference(outcome, ReferenceCurve.model_validate(COURSE | {"yearly_hazard": 0.1}))
    row = found.table.row(0, named=True)
    assert row["expected"] == pytest.approx((1000 + 1826) / 365.25 * 0.1, rel=1e-12)
    assert row["ratio"] == pytest.approx(1 / row["expected"], rel=1e-12)
    assert set(curve.table["group"]) == {"all", "course"}
    none = against_reference(first("worsening", {"B": "0:2 1826:2"}), ReferenceCurve.model_validate(COURSE | {"yearly_hazard": 0.1}))[1]
    assert none.table["ratio"].to_list() == [None] and "upper limit only" in none.table["why"][0]


# -- counts -------------------------------------------------------------------------------------------


def test_people_are_counted_once_for_each_kind_and_events_each_time() -> None:
    people = cohort(RAW_THEN_PIRA | {"B": "0:2 100:2 460:2", "C": "0:2 100:3"}, relapses={"A": [90]})
    events = detect(people, MINE)
    from smoulder.analysis.outcome import people_of

    table = event_counts(events, people_of(people), "mine").table
    n = dict(table.select("what", "n").iter_rows())
    assert n["people with confirmed worsening"] == 1 and n["events: confirmed worsening"] == 2
    assert n["people with PIRA"] == 1 and n["people with RAW"] == 1 and n["people with undefined worsening"] == 0
    assert n["people with none, but a worsening that is no event: no visit could confirm it"] == 1
    assert set(table.filter(pl.col("what").str.starts_with("people"))["out_of"]) == {3}
    assert table["person_years"][0] == pytest.approx((460 + 460 + 100) / 365.25, rel=1e-12)


def test_people_with_a_worsening_are_split_by_what_they_had() -> None:
    """A has a RAW and later a PIRA, B a RAW, C a PIRA, D nothing: each with a worsening stands in one row, out of the three."""
    people = cohort(
        RAW_THEN_PIRA | {"B": "0:2 100:3 200:3 300:3", "C": "0:2 100:3 200:3 300:3", "D": "0:2 100:2"}, relapses={"A": [90], "B": [90]}
    )
    from smoulder.analysis.outcome import people_of

    table = event_counts(detect(people, MINE), people_of(people), "mine").table
    split = {
        what.removeprefix(AMONG): (n, out_of, share)
        for what, n, out_of, share in table.select("what", "n", "out_of", "share").iter_rows()
        if what.startswith(AMONG)
    }
    assert {what: n for what, (n, _, _) in split.items()} == {
        "PIRA and no RAW": 1,
        "RAW and no PIRA": 1,
        "both RAW and PIRA, at once or one after the other": 1,
        "neither": 0,
        "neither, as far as is known (undetermined)": 0,
    }
    assert {out_of for _, out_of, _ in split.values()} == {3}
    assert split["PIRA and no RAW"][2] == pytest.approx(1 / 3, rel=1e-12)


def test_nobody_with_a_worsening_is_split() -> None:
    people = cohort({"D": "0:2 100:2"})
    from smoulder.analysis.outcome import people_of

    found = event_counts(detect(people, MINE), people_of(people), "mine")
    assert not found.table["what"].str.starts_with(AMONG).any() and found.notes == ()


# -- what taking blocked days out is worth ------------------------------------------------------------


def test_what_happens_lies_between_free_and_the_event() -> None:
    """The EDSS of made-up people rises for good on a day that is known; some visits lack it."""
    random = np.random.default_rng(9)
    rows_of: list[tuple[str, int, float | None, float]] = []
    happens: dict[str, float] = {}
    for k in range(400):
        patient = f"p{k:03}"
        happens[patient] = random.uniform(1, 1500)
        days = np.concatenate([[0], np.cumsum(random.integers(40, 200, 12))])
        missing = random.random(len(days)) < 0.3
        missing[0] = False
        for day, none in zip(days.tolist(), missing.tolist(), strict=True):
            rows_of.append((patient, day, None if none else 2.0 + (day >= happens[patient]), 5.0))
    visits = pl.DataFrame(rows_of, schema=["patient", "date", "edss", "t25fw"], orient="row")
    people = read({"visits": visits}, nobody_relapsed=True, date_format="day")
    made = time_to_first(detect(people, COMPOSITE), people)
    assert made.n_events > 150
    for patient, day, event, free in zip(made.patients, made.time.tolist(), made.event.tolist(), made.free.tolist(), strict=True):
        if event:
            assert free < happens[patient] <= day
        else:
            assert free == day


def unrelated(n: int, seed: int) -> Any:
    """Return made-up people with visits every 90 days for six years, in whom relapses and lasting steps of the EDSS do not know each other.

    Relapses come 0.5 a year and leave nothing behind; a step of 1 comes 0.12 a year: a relapse changes the hazard of worsening by 1.
    """
    random = np.random.default_rng(seed)
    visits: list[tuple[str, int, float]] = []
    relapses: list[tuple[str, int]] = []
    for k in range(n):
        days = np.concatenate([[0], np.cumsum(90 + random.integers(-10, 11, 24))])
        steps = np.cumsum(random.exponential(365 / 0.12, 20))
        visits += [(f"p{k:05}", int(day), 2.0 + min(float((steps <= day).sum()), 7.0)) for day in days]
        relapses += [(f"p{k:05}", int(day)) for day in np.unique(random.integers(0, 2160, random.poisson(3.0)))]
    tables = {
        "visits": pl.DataFrame(visits, schema=["patient", "date", "edss"], orient="row"),
        "relapses": pl.DataFrame(relapses, schema=["patient", "date"], orient="row"),
    }
    return read(tables, date_format="day")


@pytest.mark.parametrize("key", ["portaccio-2025", "mueller-2023"])
def test_a_relapse_that_does_nothing_has_a_hazard_ratio_of_one_without_the_blocked_days(key: str) -> None:
    people = unrelated(2500, 5)
    outcome = time_to_first(detect(people, key), people, "PIRA")
    days = {patient: people.relapse_days_of(index).tolist() for index, patient in enumerate(people.patients)}
    recent = Change(key="recent", values=relapsed_within(days, 365), levels=("no", "yes"))
    term = [Term(column="recent", title="relapse in the last year", reference="no")]

    def limits(episodes: Episodes) -> tuple[float, float]:
        row = cox_time_varying(episodes, term).table.row(0, named=True)
        return row["lower"], row["upper"]

    # The windows take a PIRA away near relapses, so that with all days at risk a relapse seems to protect.
    lower, upper = limits(first_event_episodes(outcome, [recent]))
    assert upper < 0.9
    without = first_event_episodes(outcome, [recent], blocked_days(definition(key)).spans(days))
    assert not any("not at risk" in note for note in without.notes)
    lower, upper = limits(without)
    assert lower < 1 < upper
    # About 1,000 events: the ratio is known to within an eighth or so, so that limits around 1 say something.
    assert upper / lower < 1.4


def test_of_a_composite_that_looks_for_the_first_event_only_the_earliest_counts() -> None:
    """A has a PIRA on the EDSS at day 100, and a RAW on the walk at day 400 after a relapse at day 390: the first was a PIRA."""
    from smoulder.analysis.outcome import people_of

    visits = {
        "patient": ["A"] * 7,
        "date": ["2020-01-01", "2020-04-10", "2020-08-01", "2020-11-01", "2021-02-04", "2021-06-01", "2021-10-01"],
        "edss": [2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0],
        "t25fw": [5.0, 5.0, 5.0, 5.0, 7.0, 7.0, 7.0],
    }
    tables = {"visits": visits, "patients": {"patient": ["A"], "time_zero": ["2020-01-01"]}}
    people = read(tables | {"relapses": {"patient": ["A"], "date": ["2021-01-25"]}})
    rules = definition("kappos-2020-cda").changed(
        measures=[one.model_dump(exclude_none=True) for one in definition("kappos-2020-cda").measures[:2]]
    )
    table = event_counts(detect(people, rules), people_of(people), "kappos-2020-cda").table
    n = dict(table.select("what", "n").iter_rows())
    assert n["events: confirmed worsening"] == n["people with confirmed worsening"] == n["people with PIRA"] == 1
    assert n["people with RAW"] == 0 and n[f"{AMONG}PIRA and no RAW"] == 1
    every = rules.changed(looking_for="every event")
    both = dict(event_counts(detect(people, every), people_of(people), "kappos-2020-cda").table.select("what", "n").iter_rows())
    assert both[f"{AMONG}both RAW and PIRA, at once or one after the other"] == 1
