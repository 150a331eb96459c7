"""Treatments of a study: restarts, switches on the day of the stop, names of one drug, ends that are not stated."""

from __future__ import annotations

from typing import Any

import pytest
from test_enrolment import STUDY, cohort, entered, known, only

from smoulder import check, run_study, study
from smoulder.enrolment import study_times
from smoulder.enrolment.periods import Period, joined, names_not_taken
from smoulder.protocol import study_from
from smoulder.protocol.analyses import ChangingAnalysis
from smoulder.protocol.timing import CENSOR_REASONS
from smoulder.studying.adam import CENSOR_CODES
from smoulder.studying.analyses import Bench
from smoulder.studying.result import StudyResult

Rows = list[tuple[str, str, int, int | None]]

NATALIZUMAB = ["natalizumab", "Tysabri"]
STOP: dict[str, Any] = {"at": "treatment stop", "treatments": NATALIZUMAB}
START: dict[str, Any] = {"at": "treatment start", "treatments": NATALIZUMAB}
NEXT = {"key": "next", "title": "next treatment", "kind": "treatment start"}
RELAPSE = {"key": "relapse", "title": "relapse", "kind": "relapse"}
SERIES = "0:2 190:2 250:2 400:2 480:2 600:2 800:2 1000:2"


def ran(treatments: Rows, *, relapses: dict[str, list[int]] | None = None, **changes: Any) -> StudyResult:
    """Return a study of the next treatment and relapses of people seen on `SERIES`; natalizumab ends on day 200 unless told else."""
    people = cohort({who: SERIES for who, *_ in treatments}, treatments=treatments, relapses=relapses)
    written = STUDY | {"time_zero": STOP, "outcome": [*STUDY["outcome"], NEXT, RELAPSE]} | changes
    return run_study(study_from(written, where="test"), people)


def next_of(result: StudyResult, outcome: str = "next") -> list[tuple[int, int]]:
    """Return time and cause of everybody in an outcome."""
    made = result.outcomes[outcome].outcome
    assert made is not None, result.outcomes[outcome].why_not
    return list(zip(made.time.tolist(), made.cause.tolist(), strict=True))


# -- the drug that was stopped begins anew ----------------------------------------------------------


def test_a_restart_in_a_new_period_is_a_next_treatment() -> None:
    """From day 201 to day 291 are 91 days without it."""
    assert next_of(ran([("A", "natalizumab", 0, 200), ("A", "natalizumab", 292, None)])) == [(92, 1)]


def test_a_restart_within_the_days_that_join_periods_is_no_stop() -> None:
    result = ran([("A", "natalizumab", 0, 200), ("A", "natalizumab", 291, 500)])
    assert result.followed.people["zero_day"].to_list() == [500] and next_of(result) == [(500, 0)]


def test_a_restart_ends_the_observation_on_the_day_before_and_is_seen_as_next_treatment() -> None:
    rows: Rows = [("A", "natalizumab", 0, 200), ("A", "natalizumab", 300, None)]
    result = ran(rows, relapses={"A": [310]}, ending={"restart": True})
    assert only(result.followed, "end_day", "end_reason") == (299, "restarted treatment")
    assert next_of(result, "relapse") == [(99, 0)]
    assert next_of(result) == [(100, 1)]
    assert next_of(ran(rows, relapses={"A": [310]}), "relapse") == [(110, 1)]


def test_a_switch_that_ends_the_observation_is_seen_as_next_treatment() -> None:
    result = ran([("A", "natalizumab", 0, 200), ("A", "fingolimod", 300, None)], ending={"switch": True})
    assert only(result.followed, "end_day", "end_reason") == (299, "switched treatment")
    assert next_of(result) == [(100, 1)]


def test_another_treatment_is_no_restart() -> None:
    result = ran([("A", "natalizumab", 0, 200), ("A", "fingolimod", 300, None)], ending={"restart": True})
    assert only(result.followed, "end_day", "end_reason") == (1000, "last visit")


def test_the_words_of_the_design_tell_the_restart() -> None:
    told = study_from(STUDY | {"time_zero": STOP, "ending": {"restart": True}}, where="test").ending.prose()
    assert "the day before a new period on the treatment that was stopped" in told


def test_the_shipped_study_takes_the_first_stop_and_ends_at_the_restart() -> None:
    shipped = study("natalizumab-stop")
    assert shipped.time_zero.which == "first" and shipped.ending.restart
    people = cohort(
        {"A": SERIES},
        treatments=[("A", "Tysabri", 0, 200), ("A", "natalizumab", 500, 760)],
        relapses={"A": [700]},
        patients={"patient": ["A"], "birth_date": [-10000], "sex": ["female"]},
    )
    times = study_times(people, shipped)
    assert times.of[0] is not None
    assert (times.of[0].zero_day, times.of[0].end_day, times.of[0].end_reason) == (200, 499, "restarted treatment")


def test_every_reason_of_an_end_has_a_code_of_adam() -> None:
    assert set(CENSOR_REASONS) == set(CENSOR_CODES) and len(set(CENSOR_CODES.values())) == len(CENSOR_CODES)


# -- a switch on the day of the stop or before it ---------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (201, None, (1, 1)),
        (200, None, (1, 1)),  # both are recorded on one day
        (180, None, (1, 1)),  # three weeks of both
        (180, 200, (1, 1)),
        (180, 199, (800, 0)),  # over before the stop
        (-50, 900, (800, 0)),  # taken before natalizumab and beside it: not the next one
    ],
)
def test_a_switch_on_the_day_of_the_stop_or_before_it(start: int, end: int | None, expected: tuple[int, int]) -> None:
    result = ran([("A", "natalizumab", 0, 200), ("A", "fingolimod", start, end)])
    assert next_of(result) == [expected]
    told = [note for note in result.warnings if "counts as begun on day 1" in note]
    assert len(told) == (expected == (1, 1) and start < 201)
    assert all(note.startswith("next treatment: 1 of 1 people was on it already") for note in told)


def test_named_next_treatments_count_on_day_one_too() -> None:
    aim = NEXT | {"any_of": ["Fingolimod"]}
    rows: Rows = [("A", "natalizumab", 0, 200), ("A", "fingolimod", 200, None), ("B", "natalizumab", 0, 200), ("B", "other", 200, None)]
    assert next_of(ran(rows, outcome=[*STUDY["outcome"], aim])) == [(1, 1), (800, 0)]


def test_the_treatment_before_is_not_the_next_one_of_a_start() -> None:
    """Time zero is the start: fingolimod ended on that day is what was taken before."""
    result = ran([("A", "fingolimod", -300, 0), ("A", "natalizumab", 0, 200)], time_zero=START)
    assert next_of(result) == [(1000, 0)]


def test_a_treatment_begun_with_that_of_time_zero_is_not_the_next_one() -> None:
    assert next_of(ran([("A", "fingolimod", 0, 300), ("A", "natalizumab", 0, 200)], time_zero=START)) == [(1000, 0)]


# -- names of one drug ------------------------------------------------------------------------------


def test_names_listed_together_are_one_drug_when_periods_are_joined() -> None:
    rows = [Period("natalizumab", 0, 100), Period(" TYSABRI® ", 150, 300)]
    assert joined(rows, 90, NATALIZUMAB) == [Period("natalizumab", 0, 300)]
    assert len(joined(rows, 90)) == 2


def test_the_other_name_of_the_drug_is_no_switch_and_no_next_treatment() -> None:
    rows: Rows = [("A", "natalizumab", 0, 200), ("A", "Tysabri", 220, 700)]
    result = ran(rows, time_zero=START, ending={"switch": True, "stop_after_days": 0})
    assert only(result.followed, "end_day", "end_reason") == (700, "treatment stopped")
    assert next_of(result) == [(700, 0)]


def test_the_other_name_of_the_drug_in_a_later_period_is_no_switch() -> None:
    rows: Rows = [("A", "natalizumab", 0, 200), ("A", "Tysabri", 400, None)]
    found = ran(rows, time_zero=START, ending={"switch": True}).followed
    assert only(found, "end_day", "end_reason") == (1000, "last visit")


def test_the_other_name_of_the_drug_is_a_restart() -> None:
    result = ran([("A", "natalizumab", 0, 200), ("A", "Tysabri", 400, None)], ending={"restart": True})
    assert only(result.followed, "end_day", "end_reason") == (399, "restarted treatment")


def test_the_other_name_of_the_drug_is_no_earlier_treatment() -> None:
    rows: Rows = [("A", "Tysabri", 0, 50), ("A", "interferon", 60, 190), ("A", "natalizumab", 200, None)]
    people = cohort({"A": SERIES}, treatments=rows)
    # The period that lasted: the one that began on day 200.
    zero = START | {"least_days": 300}
    assert known(people, {"what": "treatments before"}, time_zero=zero) == [1.0]


def test_the_treatment_on_the_day_has_one_name() -> None:
    people = cohort({"A": SERIES, "B": SERIES}, treatments=[("A", "Tysabri", 0, None), ("B", "NATALIZUMAB ", 0, None)])
    assert known(people, {"what": "treatment"}, time_zero=START) == ["natalizumab", "natalizumab"]


def test_names_are_compared_without_case_blanks_and_trademark_signs() -> None:
    rows: Rows = [("A", " Tysabri® ", 0, None), ("B", "TYSABRI (R)", 0, None), ("C", "Tysabri\u2122", 0, None), ("D", "Tysabr", 0, None)]
    found = entered(cohort(dict.fromkeys("ABCD", SERIES), treatments=rows), time_zero=START)
    assert found.people["patient"].to_list() == ["A", "B", "C"]


def test_a_name_with_more_words_is_not_taken_and_is_told() -> None:
    rows: Rows = [("A", "natalizumab", 0, None), ("B", "Natalizumab 300mg", 0, None), ("C", "Natalizumab 300mg", 0, None)]
    rows += [("D", "pegnatalizumab", 0, None)]
    enter = [{"key": "drug", "kind": "treatment", "any_of": NATALIZUMAB}]
    found = entered(cohort(dict.fromkeys("ABCD", SERIES), treatments=rows), time_zero=START, enter=enter)
    assert found.people["patient"].to_list() == ["A"]
    said = "'Natalizumab 300mg' (2 people) was not taken as natalizumab: name it in the study or rename it"
    notes = {step.key: step.note for step in found.flow}
    assert notes["drug"] == said and notes["time-zero"] == said
    assert f"{said}." in found.notes and not any("peg" in note for note in found.notes)


def test_a_name_that_the_study_names_too_is_not_told() -> None:
    people = cohort({"A": SERIES}, treatments=[("A", "natalizumab sc", 0, None)])
    assert names_not_taken(people, ["natalizumab", "Natalizumab SC"]) == ""


def test_a_criterion_that_names_one_of_the_names_takes_the_drug() -> None:
    rows: Rows = [("A", "natalizumab", 0, 100), ("A", "Tysabri", 101, 300), ("B", "interferon", 0, 300)]
    enter = [{"key": "drug", "kind": "treatment", "any_of": ["TYSABRI"], "least_days": 301}]
    people = cohort({"A": SERIES, "B": SERIES}, treatments=rows)
    assert entered(people, time_zero=START, enter=enter).people["patient"].to_list() == ["A"]


def test_the_treatment_at_the_time_has_one_name_and_ends_where_another_starts() -> None:
    rows: Rows = [("A", "TYSABRI", 0, 200), ("A", "Gilenya ", 300, None), ("A", "other", 500, 600), ("B", "natalizumab", 0, 200)]
    rows += [("B", "gilenya", 400, 450)]
    changing = {"key": "now", "title": "treatment at the time", "what": "treatment"}
    part = {"key": "hazard", "title": "hazard", "kind": "changing", "outcome": "relapse", "changing": [changing]}
    result = ran(rows, analysis=[part])
    bench = Bench(
        study=result.study,
        followed=result.followed,
        times=study_times(result.cohort, result.study),
        events=result.events,
        outcomes=result.outcomes,
    )
    (asked,) = result.study.analysis
    assert isinstance(asked, ChangingAnalysis)
    found = bench._change(asked.changing[0])
    assert found.levels == ("none", "Gilenya", "other")
    assert found.values["A"] == [(0, "none"), (100, "Gilenya"), (299, "none"), (300, "other"), (400, "none")]
    assert found.values["B"] == [(0, "none"), (200, "Gilenya"), (250, "none")]


# -- an end that is not stated ----------------------------------------------------------------------


def test_an_open_period_lasts_to_the_day_before_the_next_different_treatment() -> None:
    rows: Rows = [("A", "natalizumab", 0, None), ("A", "fingolimod", 180, None), ("B", "natalizumab", 0, None)]
    people = cohort({"A": SERIES, "B": SERIES}, treatments=rows)
    found = entered(people, time_zero=START | {"least_days": 731})
    assert found.people["patient"].to_list() == ["B"]
    short = entered(people, time_zero=START | {"least_days": 180})
    assert short.people["index_end_day"].to_list() == [179, None]
    assert entered(people, time_zero=START | {"least_days": 181}).n == 1
    (told,) = [note for note in found.notes if "no end date" in note]
    assert "1 person" in told and "fingolimod (1)" in told


@pytest.mark.parametrize(
    "other",
    [
        ("A", "fingolimod", 0, None),  # begun on one day: taken together
        ("A", "Tysabri", 300, None),  # the same drug
        ("A", "fingolimod", -20, -1),  # before it
    ],
)
def test_an_open_period_that_goes_on(other: tuple[str, str, int, int | None]) -> None:
    people = cohort({"A": SERIES}, treatments=[("A", "natalizumab", 0, None), other])
    found = entered(people, time_zero=START | {"least_days": 731})
    assert only(found, "index_end_day") == (None,)
    assert not any("no end date" in note for note in found.notes)


def test_a_stated_end_is_kept_where_another_treatment_starts_within_it() -> None:
    people = cohort({"A": SERIES}, treatments=[("A", "natalizumab", 0, 900), ("A", "fingolimod", 180, None)])
    assert only(entered(people, time_zero=START | {"least_days": 731}), "index_end_day") == (900,)


def test_rows_without_an_end_that_go_on_after_another_treatment_are_two_periods() -> None:
    rows: Rows = [("A", "natalizumab", 0, None), ("A", "fingolimod", 180, None), ("A", "natalizumab", 600, None)]
    people = cohort({"A": SERIES}, treatments=rows)
    times = study_times(people, study_from(STUDY | {"time_zero": START}, where="test"))
    assert times.periods[0] == (Period("natalizumab", 0, 179), Period("fingolimod", 180, 599), Period("natalizumab", 600, None))


def test_the_check_names_who_has_no_end_date_and_another_treatment_later() -> None:
    rows: Rows = [
        ("A", "natalizumab", 0, None),
        ("A", "fingolimod", 180, None),
        ("B", "natalizumab", 0, None),
        ("B", "Natalizumab", 9, None),
    ]
    rows += [("C", "natalizumab", 0, 100), ("C", "fingolimod", 180, None), ("D", "x", 5, None), ("D", "y", 5, None)]
    people = cohort(dict.fromkeys("ABCD", SERIES), treatments=rows)
    (found,) = [one for one in check(people).findings if one.code == "treatment-open"]
    assert found.level == "warning"
    assert "no end date, but another treatment started later" in found.problem and found.problem.startswith("1 patient ")
    assert found.cases["patient"].to_list() == ["A"] and found.cases["row"].len() == 1
