"""Who enters a study, from when to when: hand-worked people and their near misses."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from smoulder import read
from smoulder.enrolment import Past, enrol, study_times
from smoulder.enrolment.periods import Period, joined
from smoulder.errors import DataError, DefinitionError
from smoulder.followed import Followed
from smoulder.protocol import study_from
from smoulder.tables import Cohort

STUDY: dict[str, Any] = {
    "key": "test",
    "title": "A study",
    "question": "Does it work?",
    "time_zero": {"at": "first visit"},
    "outcome": [{"key": "worse", "title": "worsening", "kind": "disability", "definition": "cdw-12w", "event": "worsening"}],
    "analysis": [{"key": "km", "title": "free of it", "kind": "survival", "outcomes": ["worse"]}],
}


def cohort(
    visits: dict[str, str],
    *,
    treatments: list[tuple[str, str, int, int | None]] | None = None,
    patients: dict[str, list[Any]] | None = None,
    relapses: dict[str, list[int]] | None = None,
) -> Cohort:
    """Return a cohort in days; `visits` has "day:score day:score" a person."""
    rows = [(who, int(day), float(score)) for who, text in visits.items() for day, score in (item.split(":") for item in text.split())]
    tables: dict[str, Any] = {"visits": pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row")}
    onsets = [(who, day) for who, days in (relapses or {}).items() for day in days]
    tables["relapses"] = pl.DataFrame(onsets, schema={"patient": pl.String, "date": pl.Int64}, orient="row")
    if treatments is not None:
        schema = {"patient": pl.String, "treatment": pl.String, "start_date": pl.Int64, "end_date": pl.Int64}
        tables["treatments"] = pl.DataFrame(treatments, schema=schema, orient="row")
    if patients is not None:
        tables["patients"] = pl.DataFrame(patients)
    return read(tables, date_format="day")


def entered(people: Cohort, **changes: Any) -> Followed:
    study = study_from(STUDY | changes, where="test")
    return enrol(people, study, study_times(people, study), Past())


def only(found: Followed, *columns: str) -> tuple[Any, ...]:
    assert found.n == 1
    return found.people.select(*columns).row(0)


# -- time zero and the starting visit ---------------------------------------------------------------


def test_time_zero_is_the_first_visit_and_the_end_the_last() -> None:
    found = entered(cohort({"A": "10:2 100:2 200:3"}))
    assert only(found, "zero_day", "start_day", "end_day", "end_reason", "last_visit_day") == (10, 10, 200, "last visit", 200)


@pytest.mark.parametrize(("day", "start"), [(10, 10), (9, None)])
def test_the_starting_visit_lies_within_the_limits(day: int, start: int | None) -> None:
    """Treatment starts on day 100; the visit of day 10 is 90 days before it, that of day 9 91 days."""
    people = cohort({"A": f"{day}:2 300:2 400:2"}, treatments=[("A", "Drug", 100, None)])
    found = entered(people, time_zero={"at": "treatment start"})
    assert found.people["start_day"].to_list() == ([start] if start is not None else [])
    assert [(step.key, step.left_out) for step in found.flow if step.left_out] == ([] if start is not None else [("starting-visit", 1)])


def test_of_two_equally_near_visits_the_earlier_is_the_start() -> None:
    people = cohort({"A": "90:2 110:3 300:3"}, treatments=[("A", "Drug", 100, None)])
    assert only(entered(people, time_zero={"at": "treatment start"}), "start_day") == (90,)
    nearer = cohort({"A": "90:2 109:3 300:3"}, treatments=[("A", "Drug", 100, None)])
    assert only(entered(nearer, time_zero={"at": "treatment start"}), "start_day") == (109,)


def test_visits_before_the_starting_visit_are_not_used_and_all_relapses_are() -> None:
    people = cohort({"A": "0:2 90:2 300:2 400:2"}, treatments=[("A", "Drug", 100, None)], relapses={"A": [5, 350]})
    found = entered(people, time_zero={"at": "treatment start"})
    assert found.cohort.visits.day.tolist() == [90, 300, 400]
    assert found.history.visits.day.tolist() == [0, 90, 300, 400]
    assert found.cohort.relapses.day.tolist() == [5, 350]
    assert found.cohort.time_zero is not None and found.cohort.time_zero.tolist() == [100]


def test_the_period_that_lasted_long_enough_counts() -> None:
    """The first period of 99 days is passed over where 100 are asked for."""
    treatments = [("A", "Drug", 0, 98), ("A", "Drug", 300, 399)]
    people = cohort({"A": "0:2 300:2 500:2"}, treatments=treatments)
    assert only(entered(people, time_zero={"at": "treatment start"}), "zero_day") == (0,)
    assert only(entered(people, time_zero={"at": "treatment start", "least_days": 100}), "zero_day") == (300,)
    assert entered_nobody(people, time_zero={"at": "treatment start", "least_days": 101})


def entered_nobody(people: Cohort, **changes: Any) -> bool:
    return entered(people, **changes).n == 0


def test_a_period_that_goes_on_lasts_to_the_last_visit() -> None:
    people = cohort({"A": "0:2 300:2"}, treatments=[("A", "Drug", 0, None)])
    assert not entered_nobody(people, time_zero={"at": "treatment start", "least_days": 301})
    assert entered_nobody(people, time_zero={"at": "treatment start", "least_days": 302})


@pytest.mark.parametrize(("start", "expected"), [(191, [("Drug", 0, 300)]), (192, [("Drug", 0, 100), ("Drug", 192, 300)])])
def test_periods_of_one_treatment_are_joined_over_short_gaps(start: int, expected: list[Any]) -> None:
    """From day 101 to day 190 are 90 days without it."""
    rows = [Period("Drug", 0, 100), Period("drug", start, 300)]
    found = [(one.treatment.capitalize(), one.start_day, one.end_day) for one in joined(rows, 90)]
    assert found == expected


def test_an_open_period_swallows_later_rows_of_the_same_treatment() -> None:
    assert joined([Period("Drug", 0, None), Period("Drug", 500, 600)], 90) == [Period("Drug", 0, None)]


def test_treatments_are_chosen_by_name_in_any_case() -> None:
    people = cohort({"A": "0:2 100:2 300:2"}, treatments=[("A", "Other", 0, 50), ("A", "NATALIZUMAB", 100, None)])
    zero = {"at": "treatment start", "treatments": ["natalizumab"]}
    assert only(entered(people, time_zero=zero), "zero_day", "index_treatment") == (100, "NATALIZUMAB")


def test_the_stop_of_the_last_period() -> None:
    treatments = [("A", "Drug", 0, 100), ("A", "Drug", 400, 500)]
    people = cohort({"A": "0:2 90:2 480:2 700:2"}, treatments=treatments)
    assert only(entered(people, time_zero={"at": "treatment stop", "which": "last"}), "zero_day") == (500,)
    assert only(entered(people, time_zero={"at": "treatment stop", "which": "first"}), "zero_day") == (100,)


def test_visit_number_and_landmark() -> None:
    people = cohort({"A": "0:2 100:2 200:2 300:2"})
    assert only(entered(people, time_zero={"at": "visit number", "number": 3}), "zero_day") == (200,)
    assert only(entered(people, time_zero={"at": "first visit", "plus_days": 110}), "zero_day", "start_day") == (110, 100)
    assert entered_nobody(people, time_zero={"at": "visit number", "number": 5})


def test_what_the_tables_do_not_have_is_an_error() -> None:
    people = cohort({"A": "0:2 100:2"})
    with pytest.raises(DataError, match="no column 'onset_date'"):
        entered(people, time_zero={"at": "onset"})
    with pytest.raises(DataError, match="table of treatments"):
        entered(people, time_zero={"at": "treatment start"})


# -- the end of observation -------------------------------------------------------------------------

ON_DRUG = [("A", "Drug", 0, 200), ("A", "Other", 260, None)]
SERIES = {"A": "0:2 100:2 200:2 300:2 400:2"}


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ({}, (400, "last visit", 400)),
        ({"stop_after_days": 0}, (200, "treatment stopped", 200)),
        ({"stop_after_days": 99}, (299, "treatment stopped", 200)),
        ({"stop_after_days": 100}, (300, "treatment stopped", 300)),
        ({"switch": True}, (259, "switched treatment", 200)),
        ({"switch": True, "stop_after_days": 59}, (259, "treatment stopped", 200)),  # of two on one day the stop is told
        ({"most_days": 350}, (350, "end of the study period", 300)),
        ({"most_days": 400}, (400, "end of the study period", 400)),
    ],
)
def test_what_ends_the_observation(ending: dict[str, Any], expected: tuple[Any, ...]) -> None:
    found = entered(cohort(SERIES, treatments=ON_DRUG), time_zero={"at": "treatment start"}, ending=ending)
    assert only(found, "end_day", "end_reason", "last_visit_day") == expected


def test_death_and_the_end_of_recording_end_it() -> None:
    patients = {"patient": ["A"], "death_date": [350], "observed_to": [360]}
    found = entered(cohort(SERIES, patients=patients))
    assert only(found, "end_day", "end_reason", "death_day") == (350, "death", 350)
    alive = entered(cohort(SERIES, patients=patients), ending={"death": False})
    assert only(alive, "end_day", "end_reason") == (360, "end of recording")


def test_a_visit_after_the_end_may_confirm_or_not() -> None:
    people = cohort(SERIES, treatments=ON_DRUG)
    later = entered(people, time_zero={"at": "treatment start"}, ending={"stop_after_days": 0})
    assert later.cohort.visits.day.tolist() == [0, 100, 200, 300, 400]
    never = entered(people, time_zero={"at": "treatment start"}, ending={"stop_after_days": 0, "confirmed_after": False})
    assert never.cohort.visits.day.tolist() == [0, 100, 200]


# -- criteria and the flow --------------------------------------------------------------------------


def flow(found: Followed) -> list[tuple[str, int, int, int]]:
    return [(step.key, step.left_out, step.unknown, step.remaining) for step in found.flow]


def test_the_flow_counts_each_step_and_who_is_not_known() -> None:
    visits = dict.fromkeys("ABCDE", "0:2 100:2 200:2") | {"E": "0:2"}
    patients = {"patient": list("ABCDE"), "course": ["RRMS", "rrms", "PPMS", None, "RRMS"]}
    found = entered(
        cohort(visits, patients=patients),
        enter=[
            {"key": "course", "kind": "column", "column": "course", "any_of": ["RRMS"]},
            {"key": "visits", "kind": "visits", "least": 2},
        ],
    )
    assert flow(found) == [
        ("tables", 0, 0, 5),
        ("course", 2, 1, 3),
        ("visits", 1, 0, 2),
        ("time-zero", 0, 0, 2),
        ("starting-visit", 0, 0, 2),
        ("observed", 0, 0, 2),
    ]
    assert found.people["patient"].to_list() == ["A", "B"]


def test_a_column_that_is_not_there_is_said_and_not_applied() -> None:
    criterion = {"key": "course", "kind": "column", "column": "course", "any_of": ["RRMS"]}
    found = entered(cohort({"A": "0:2 100:2"}), enter=[criterion])
    assert found.n == 1
    assert found.flow[1].note == "not applied: the tables have no 'course'; everybody was kept"
    with pytest.raises(DataError, match="'course'"):
        entered(cohort({"A": "0:2 100:2"}), enter=[criterion | {"if_missing_column": "refused"}])


@pytest.mark.parametrize(("least", "n"), [(300, 1), (301, 0)])
def test_follow_up_is_counted_from_time_zero(least: int, n: int) -> None:
    found = entered(cohort({"A": "100:2 400:2"}), enter=[{"key": "long", "kind": "follow up", "least_days": least}])
    assert found.n == n


def test_who_has_no_visit_after_time_zero_is_not_observed() -> None:
    """The only later visit is that of time zero itself."""
    people = cohort({"A": "20:2 100:2"}, treatments=[("A", "Drug", 100, None)])
    found = entered(people, time_zero={"at": "treatment start"})
    assert found.n == 0 and flow(found)[-1] == ("observed", 1, 0, 0)


def test_numbers_known_at_time_zero_may_be_asked_for() -> None:
    known = [{"key": "edss", "title": "EDSS", "what": "score"}]
    criterion = {"key": "mild", "kind": "column", "column": "edss", "at_time_zero": True, "at_most": 3.5}
    found = entered(cohort({"A": "0:3.5 100:2", "B": "0:4 100:2"}), known=known, enter=[criterion])
    assert found.people["patient"].to_list() == ["A"]


# -- what is known at time zero ---------------------------------------------------------------------


def known(people: Cohort, part: dict[str, Any], **changes: Any) -> list[Any]:
    found = entered(people, known=[{"key": "k", "title": "it"} | part], **changes)
    return found.people["k"].to_list()


def test_relapses_before_time_zero_within_a_window() -> None:
    """Time zero is day 400; day 35 is 365 days before it and counts, day 34 does not, and the day of time zero itself is not before."""
    people = cohort({"A": "0:2 400:2 500:2"}, relapses={"A": [34, 35, 399, 400]}, treatments=[("A", "Drug", 400, None)])
    at = {"time_zero": {"at": "treatment start"}}
    assert known(people, {"what": "relapses before", "days": 365}, **at) == [2.0]
    assert known(people, {"what": "relapses before"}, **at) == [3.0]


def test_treatments_before_count_names_and_not_the_index_treatment() -> None:
    treatments = [("A", "one", 0, 50), ("A", "ONE", 200, 250), ("A", "two", 260, 300), ("A", "Drug", 400, None), ("A", "late", 450, None)]
    people = cohort({"A": "0:2 400:2 500:2"}, treatments=treatments)
    zero = {"at": "treatment start", "treatments": ["drug"], "joined_days": 0}
    assert known(people, {"what": "treatments before"}, time_zero=zero) == [2.0]


def test_a_treatment_that_starts_later_is_not_known_at_time_zero() -> None:
    """No knowledge of the future: who is treated after the landmark is not yet treated at it."""
    patients = {"patient": ["A", "B", "C"], "onset_date": [0, 0, 0]}
    treatments = [("A", "Drug", 731, None), ("B", "Drug", 1827, None), ("C", "Drug", 365, 500)]
    people = cohort(dict.fromkeys("ABC", "1826:2 2000:2"), patients=patients, treatments=treatments)
    zero = {"at": "onset", "plus_days": 1826}
    part = {"what": "time to first treatment", "cut": [2]}
    assert known(people, part, time_zero=zero) == ["2 or more", "not yet treated", "below 2"]


def test_the_order_of_words_and_the_reference() -> None:
    patients = {"patient": ["A", "B", "C"], "arm": ["drug", "Placebo", "drug"]}
    people = cohort(dict.fromkeys("ABC", "0:2 100:2"), patients=patients)
    found = entered(people, known=[{"key": "arm", "title": "arm", "what": "column", "column": "arm", "reference": ["placebo"]}])
    assert found.people["arm"].dtype == pl.Enum(["Placebo", "drug"])


def test_event_before_is_read_from_the_past() -> None:
    people = cohort({"A": "0:2 1900:2 2000:2", "B": "0:2 1900:2 2000:2"}, patients={"patient": ["A", "B"], "onset_date": [0, 0]})
    events = pl.DataFrame(
        {
            "definition": ["tur-2023", "tur-2023"],
            "patient": ["A", "B"],
            "kind": ["worsening"] * 2,
            "pira": [True, True],
            "raw": [False, False],
            "label": ["PIRA", "PIRA"],
            "onset_day": pl.Series([1826, 1827], dtype=pl.Int32),
        }
    )
    part = {"key": "early", "title": "early PIRA", "what": "event before", "definition": "tur-2023"}
    zero = {"at": "onset", "plus_days": 1826, "start_after_days": 365}
    study = study_from(STUDY | {"known": [part], "time_zero": zero}, where="test")
    found = enrol(people, study, study_times(people, study), Past(events=events))
    assert found.people["early"].to_list() == ["yes", "no"]
    unsure = events.with_columns(
        pira=pl.Series([False, None]), label=pl.lit("undetermined"), onset_day=pl.Series([1826, 1827], dtype=pl.Int32)
    )
    found = enrol(people, study, study_times(people, study), Past(events=unsure))
    assert found.people["early"].to_list() == [None, "no"]  # A may have had one; B's came after time zero


# -- a study that cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tiem_zero": {}}, "did you mean 'time_zero'"),
        ({"time_zero": {"at": "birth"}}, "time_zero.at"),
        ({"time_zero": {"at": "visit number"}}, "number goes with"),
        ({"enter": [{"key": "x", "kind": "column", "column": "c"}]}, "say any_of, at_least or at_most"),
        ({"enter": [{"key": "x", "kind": "colum", "column": "c"}]}, "enter.0"),
        ({"analysis": [{"key": "km", "title": "t", "kind": "survival", "outcomes": ["wors"]}]}, "there is no outcome 'wors'; did you mean"),
        ({"figure": [{"kind": "forest", "of": "km"}]}, "'forest' cannot draw 'km'"),
        ({"known": [{"key": "a", "title": "t", "what": "age", "cut": [3, 2]}]}, "cut must rise"),
        (
            {
                "outcome": [{"key": "r", "title": "relapse", "kind": "relapse"}],
                "analysis": [{"key": "k", "title": "t", "kind": "rates", "outcomes": ["r"]}],
            },
            "names a definition",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        study_from(STUDY | change, where="mine.toml")
    assert said in str(raised.value)
    assert str(raised.value).startswith("mine.toml: ")
