"""What the first sentences and the tables of a report may claim."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from smoulder import read, run_study, simulate
from smoulder.demo import made_up
from smoulder.protocol import study_from
from smoulder.simulation import TRIAL
from smoulder.studying.formatting import shown_tables
from smoulder.studying.methods import main_sentences
from smoulder.studying.result import StudyResult


@pytest.fixture(scope="module")
def dependence() -> StudyResult:
    return run_study("relapse-dependence", read(made_up().tables))


def test_where_nobody_has_the_event_no_share_is_told() -> None:
    tables = dict(made_up().tables)
    tables["visits"] = tables["visits"].with_columns(edss=pl.lit(2.0))
    result = run_study("graf-2021", read(tables))
    told = " ".join(main_sentences(result))
    assert "100.0 %" not in told and "none of 174 people had the event (first cPIRA)" in told
    table = shown_tables(result.finding("free-of-cpira").estimates[0], "group")[1]
    cells = [row[-1] for row in table.rows]
    assert set(cells) == {"no event by then (0/174)"}


def test_an_effect_is_told_with_what_it_rests_on_under_every_model(dependence: StudyResult) -> None:
    (told,) = [text for text in main_sentences(dependence) if "hazard ratio" in text]
    assert "(all days at risk model)" in told and "(days blocked by the definition not at risk model)" in told
    table = dependence.finding("recent").estimates[0].table.filter(pl.col("term") == "relapse in the last year")
    assert f"{table['events'][0]} events in {table['n'][0]} people against" in told


def test_an_effect_of_two_people_is_not_told() -> None:
    result = run_study("tur-2023", read(made_up().tables))
    assert result.followed.people["early-pira"].value_counts().filter(pl.col("early-pira") == "yes")["count"].to_list() == [2]
    told = main_sentences(result)
    assert not [text for text in told if "hazard ratio" in text]
    assert any("rests on too few events" in text and "(2 events in 2 people against 11 in 111)" in text for text in told)


def test_one_contrast_of_many_is_not_told() -> None:
    tables = dict(simulate(TRIAL, 300, 7).tables)
    tables["patients"] = tables["patients"].with_columns(arm=pl.Series([f"arm {k % 10}" for k in range(tables["patients"].height)]))
    told = main_sentences(run_study("kappos-2020", read(tables)))
    assert not [text for text in told if "hazard ratio" in text]


ARMS: dict[str, Any] = {
    "key": "arms",
    "title": "Arms",
    "question": "Who?",
    "time_zero": {"at": "first visit"},
    "known": [
        {"key": "arm", "title": "arm", "what": "column", "column": "arm"},
        {"key": "sex", "title": "sex", "what": "column", "column": "sex", "levels": ["female", "male"]},
    ],
    "outcome": [{"key": "worse", "title": "worse", "kind": "disability", "definition": "cdw-12w", "event": "worsening"}],
    "analysis": [{"key": "rates", "title": "rates", "kind": "rates", "outcomes": ["worse"], "by": "arm"}],
}


def test_spellings_that_differ_in_case_are_one_group_and_words_for_the_sex_are_read() -> None:
    names = ["A", "B", "C", "D"]
    visits = {"patient": names * 2, "date": ["2020-01-01"] * 4 + ["2021-01-01"] * 4, "edss": [2.0] * 8}
    patients = {"patient": names, "arm": ["Control", "control ", "Control", "Active"], "sex": ["w", "M", "weiblich", "1"]}
    result = run_study(study_from(ARMS, where="test"), read({"visits": visits, "patients": patients}, nobody_relapsed=True))
    people = result.followed.people
    assert people["arm"].cast(pl.String).to_list() == ["Control", "Control", "Control", "Active"]
    assert people["sex"].cast(pl.String).to_list() == ["female", "male", "female", "1"]
    assert any("'Control' (also 'control')" in text for text in result.warnings)
    assert any("read as female and male" in text for text in result.warnings)
