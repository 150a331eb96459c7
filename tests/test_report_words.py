"""What the first sentences and the tables of a report may claim."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from smoulder import read, run_study, simulate
from smoulder.analysis import table_one
from smoulder.demo import made_up
from smoulder.estimates import Curve, Term
from smoulder.outputs import write_table
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


def test_a_spelling_is_the_most_frequent_then_the_first_by_alphabet() -> None:
    names = [f"P{k}" for k in range(7)]
    visits = {"patient": names * 2, "date": ["2020-01-01"] * 7 + ["2021-01-01"] * 7, "edss": [2.0] * 14}
    arms = ["Control", "control", " control ", "Active", "ACTIVE", "active", "Other"]
    patients = {"patient": names, "arm": arms, "sex": ["f"] * 7}
    result = run_study(study_from(ARMS, where="test"), read({"visits": visits, "patients": patients}, nobody_relapsed=True))
    assert result.followed.people["arm"].cast(pl.String).to_list() == ["control"] * 3 + ["ACTIVE"] * 3 + ["Other"]
    (note,) = [text for text in result.warnings if "differ in case" in text]
    assert "'ACTIVE' (also 'Active', 'active'); 'control' (also 'Control')" in note


def test_headers_of_a_sheet_that_differ_in_case_keep_their_cells(tmp_path: Path) -> None:
    """A worksheet takes 'arm' and 'Arm' for one header; without names of their own the cells of the whole sheet are lost."""
    table = pl.DataFrame({"Arm": ["a"], "arm": ["b"], "ARM": ["c"], "arm~2": ["d"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_table(table, tmp_path / "t.xlsx")
    head, row = openpyxl.load_workbook(tmp_path / "t.xlsx")["rows"].iter_rows(values_only=True)
    assert (head, row) == (("Arm", "arm~3", "ARM~4", "arm~2"), ("a", "b", "c", "d"))


def test_people_without_a_group_have_a_column_of_table_one() -> None:
    people = pl.DataFrame(
        {"patient": list("abcde"), "arm": ["A", "B", None, "B", None], "age": [30.0, 40.0, 50.0, None, 70.0]},
        schema_overrides={"arm": pl.String},
    )
    found = table_one(people, [Term(column="age", title="age")], by="arm")
    assert found.table.columns == ["variable", "level", "statistic", "all", "A", "B", "not known"]
    assert found.table.row(0)[3:] == ("5/5 (100.0 %)", "1/5 (20.0 %)", "2/5 (40.0 %)", "2/5 (40.0 %)")
    assert found.table["not known"].to_list()[1:] == ["60.0 (14.1)", "60.0 (55.0 to 65.0)", "0"]
    assert any("2 people without a value of 'arm' are in no group" in note for note in found.notes)
    (shown,) = shown_tables(found, "arm")
    assert shown.head == ("", "statistic", "all", "arm A", "arm B", "arm not known")
    assert "not known" not in table_one(people.drop_nulls("arm"), [Term(column="age", title="age")], by="arm").table.columns
    assert "not known" not in table_one(people, [Term(column="age", title="age")]).table.columns
    called_so = people.with_columns(pl.col("arm").replace("A", "not known"))
    table = table_one(called_so, [Term(column="age", title="age")], by="arm").table
    assert table.columns[4:] == ["B", "not known", "not known (no value)"]
    assert table.row(0)[4:] == ("2/5 (40.0 %)", "1/5 (20.0 %)", "2/5 (40.0 %)")


def test_a_share_of_nobody_with_the_event_is_not_told_and_that_of_the_other_group_is() -> None:
    """Twenty people an arm, seen every 100 days; a third of arm B worsens at day 200, nobody of arm A."""
    names = [f"P{k:02}" for k in range(40)]
    rows = [(name, day, 3.0 if k % 2 and k % 3 == 0 and day >= 200 else 2.0) for k, name in enumerate(names) for day in range(0, 701, 100)]
    visits = pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row")
    patients = pl.DataFrame({"patient": names, "arm": ["A", "B"] * 20})
    pira = {"kind": "disability", "definition": "mueller-2025", "event": "PIRA", "competing": ["RAW"]}
    changes: dict[str, Any] = {
        "known": ARMS["known"][:1],
        "outcome": [{"key": "pira", "title": "first PIRA", **pira}],
        "analysis": [{"key": "aj", "title": "aj", "kind": "incidence", "outcome": "pira", "by": "arm", "at_days": [100, 500]}],
    }
    cohort = read({"visits": visits, "patients": patients}, date_format="day", nobody_relapsed=True)
    result = run_study(study_from(ARMS | changes, where="test"), cohort)
    curve = result.finding("aj").estimates[0]
    assert isinstance(curve, Curve)
    rows_of_pira = curve.at_days.filter(pl.col("cause") == "PIRA")
    assert rows_of_pira.filter(pl.col("group") == "A")["estimate"].to_list() == [0.0, 0.0]
    assert rows_of_pira["lower"].null_count() == 3
    cells = {(row[0], row[1]): row[-1] for row in shown_tables(curve, "arm")[1].rows if "PIRA" in row}
    assert cells["3.3 months (day 100)", "A"] == cells["16.4 months (day 500)", "A"] == "no event by then (0/20)"
    assert cells["3.3 months (day 100)", "B"] == "no event by then (0/20)"
    assert cells["16.4 months (day 500)", "B"].startswith("35.0 % (")
    (told,) = [text for text in main_sentences(result) if "estimated share" in text]
    assert "was not to be told, as none of 20 had it by then, for arm A; 35.0 % (95 % limits " in told and told.count("%") == 3


@pytest.mark.parametrize(
    ("women", "men"),
    [("w", "m"), ("f", "m"), ("F", "M"), ("weiblich", "männlich"), ("Weiblich", "Männlich"), ("woman", "man"), ("Frau", "Mann")],
)
def test_words_for_the_sex_meet_levels_and_reference(women: str, men: str) -> None:
    visits = {"patient": ["A", "B", "C"] * 2, "date": ["2020-01-01"] * 3 + ["2021-01-01"] * 3, "edss": [2.0] * 6}
    patients = {"patient": ["A", "B", "C"], "arm": ["x"] * 3, "sex": [women, men, women]}
    known = [ARMS["known"][0], ARMS["known"][1] | {"reference": ["male"]}]
    result = run_study(
        study_from(ARMS | {"known": known}, where="test"), read({"visits": visits, "patients": patients}, nobody_relapsed=True)
    )
    column = result.followed.people["sex"]
    assert column.cast(pl.String).to_list() == ["female", "male", "female"]
    assert isinstance(column.dtype, pl.Enum) and column.dtype.categories.to_list() == ["male", "female"]


def test_numbers_for_the_sex_are_not_guessed() -> None:
    visits = {"patient": ["A", "B", "C"] * 2, "date": ["2020-01-01"] * 3 + ["2021-01-01"] * 3, "edss": [2.0] * 6}
    patients = {"patient": ["A", "B", "C"], "arm": ["x"] * 3, "sex": ["0", "1", "2"]}
    result = run_study(study_from(ARMS, where="test"), read({"visits": visits, "patients": patients}, nobody_relapsed=True))
    assert result.followed.people["sex"].cast(pl.String).to_list() == ["0", "1", "2"]
    assert not [text for text in result.warnings if "read as female" in text]
