"""What is known at time zero is known on the day: nothing that only a later visit tells."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from smoulder import read, run_study
from smoulder.protocol import study_from

LANDMARK: dict[str, Any] = {
    "key": "landmark",
    "title": "Landmark",
    "question": "Who had a PIRA by then?",
    "time_zero": {"at": "onset", "plus_days": 1000, "start_before_days": 400, "start_after_days": 400},
    "known": [{"key": "early", "title": "early PIRA", "what": "event before", "definition": "mueller-2023", "event": "PIRA"}],
    "outcome": [{"key": "worse", "title": "first worsening", "kind": "disability", "definition": "cdw-12w", "event": "worsening"}],
    "analysis": [{"key": "rates", "title": "rates", "kind": "rates", "outcomes": ["worse"], "by": "early"}],
}
DAYS = (0, 200, 400, 800, 1000, 1001, 1400, 1800)


def early(scores: dict[str, tuple[float, ...]], days: tuple[int, ...] = DAYS) -> dict[str, str | None]:
    """Return what the study says of each person; scores as many as days."""
    rows = [(who, day, score) for who, mine in scores.items() for day, score in zip(days, mine, strict=True)]
    visits = pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row")
    patients = pl.DataFrame({"patient": list(scores), "onset_date": [0] * len(scores)})
    cohort = read({"visits": visits, "patients": patients}, nobody_relapsed=True)
    people = run_study(study_from(LANDMARK, where="test"), cohort).followed.people
    return dict(people.select("patient", "early").iter_rows())


def test_a_worsening_counts_once_it_is_confirmed_on_or_before_the_day() -> None:
    """The step of day 800 is confirmed at day 1000, time zero itself; that of day 1000 not before day 1400."""
    found = early({"A": (2, 2, 2, 3.5, 3.5, 3.5, 3.5, 3.5), "B": (2, 2, 2, 2, 3.5, 3.5, 3.5, 3.5), "C": (2, 2, 2, 2, 2, 2, 2, 2)})
    assert found == {"A": "yes", "B": "no", "C": "no"}


def test_the_future_changes_nothing() -> None:
    """A and B have the same scores up to time zero; one recovers afterwards and one does not."""
    days = (0, 200, 400, 900, 1100, 1400)
    found = early({"A": (2, 2, 2, 3.5, 3.5, 3.5), "B": (2, 2, 2, 3.5, 2, 2)}, days)
    assert found["A"] == found["B"] == "no"


def known(what: dict[str, Any], **tables: Any) -> tuple[list[Any], tuple[str, ...]]:
    """Return what a study knows of each person, and its warnings."""
    visits = {"patient": ["A", "A", "B", "B"], "date": ["2020-01-01", "2021-01-01"] * 2, "edss": [2.0] * 4}
    part = {"key": "it", "title": "it", **what}
    result = run_study(
        study_from(LANDMARK | {"time_zero": {"at": "first visit"}, "known": [part], "analysis": [RATES]}, where="test"),
        read({"visits": visits, **tables}, nobody_relapsed="relapses" not in tables),
    )
    return result.followed.people["it"].to_list(), result.warnings


RATES = {"key": "rates", "title": "rates", "kind": "rates", "outcomes": ["worse"]}


def test_age_may_be_stated_in_years_as_trials_do() -> None:
    values, told = known({"what": "age"}, patients={"patient": ["A", "B"], "age": [34, 61]})
    assert values == [34.0, 61.0]
    assert "it: The patients table has no birth_date; its column 'age' was taken as the years at time zero." in told
    values, told = known({"what": "age"}, patients={"patient": ["A", "B"], "birth_date": ["1980-01-01", None], "age": [34, 61]})
    assert values == [pytest.approx(40.0, abs=0.01), None]  # a stated day of birth wins, and who has none is not known


def test_relapses_before_recording_began_are_missing_not_none() -> None:
    before = {"what": "relapses before", "days": 365}
    values, told = known(before, relapses={"patient": ["A"], "date": ["2020-06-01"]})
    assert values == [None, None] and any("how many they had is missing" in text for text in told)
    values, told = known(before, relapses={"patient": ["A"], "date": ["2019-06-01"]})
    assert values == [1.0, 0.0] and any("may be missing rather than none" in text for text in told)
    patients = {"patient": ["A", "B"], "relapses_recorded_from": ["2018-01-01", "2020-01-01"]}
    values, told = known(before, relapses={"patient": ["A"], "date": ["2019-06-01"]}, patients=patients)
    assert values == [1.0, None]


def test_other_values_of_a_column_are_named() -> None:
    course = {"key": "course", "kind": "column", "column": "course", "any_of": ["RRMS"]}
    study = study_from(LANDMARK | {"time_zero": {"at": "first visit"}, "known": [], "enter": [course], "analysis": [RATES]}, where="test")
    visits = {"patient": ["A", "A", "B", "B"], "date": ["2020-01-01", "2021-01-01"] * 2, "edss": [2.0] * 4}
    cohort = read({"visits": visits, "patients": {"patient": ["A", "B"], "course": ["schubförmig", "RRMS"]}}, nobody_relapsed=True)
    step = next(step for step in run_study(study, cohort).followed.flow if step.key == "course")
    assert (step.left_out, step.note) == (1, "other values in the tables: 'schubförmig' (1)")
