"""The 46 bad inputs on which other programs gave silent wrong answers or crashed; here each has a named answer.

A three-patient table: P01 has a PIRA, P02 a RAW, P03 is stable. Inputs about names and values of options of the engine
(40, 41, 42, 44, 45) are tested with the engine.
"""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest

from smoulder.errors import DataError, UsageError
from smoulder.findings import Finding
from smoulder.reading import check, read
from smoulder.tables import Cohort
from smoulder.terms import day_of

SCORES = {"P01": (2.0, 2.0, 3.0, 3.0, 3.0), "P02": (3.0, 3.0, 4.0, 4.0, 4.0), "P03": (1.5, 1.5, 1.5, 1.5, 1.5)}
START = datetime.date(2019, 1, 15)
PATIENTS = ("P01", "P02", "P03")


def visits() -> pl.DataFrame:
    rows = [(p, START + datetime.timedelta(days=90 * i), score) for p in PATIENTS for i, score in enumerate(SCORES[p])]
    return pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row")


def relapses(patient: str = "P02") -> pl.DataFrame:
    return pl.DataFrame({"patient": [patient], "date": [START + datetime.timedelta(days=170)]})


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.all().cast(pl.String))


def changed(frame: pl.DataFrame, row: int, column: str, value: Any) -> pl.DataFrame:
    """Return a frame with one cell changed; rows count from 0."""
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, strict=True))


def dated(form: str, frame: pl.DataFrame | None = None) -> pl.DataFrame:
    return (visits() if frame is None else frame).with_columns(pl.col("date").dt.to_string(form))


def found(cohort: Cohort, code: str) -> Finding:
    """Return the only finding of a code."""
    matching = [finding for finding in check(cohort).findings if finding.code == code]
    assert len(matching) == 1, [finding.code for finding in check(cohort).findings]
    return matching[0]


def codes(cohort: Cohort, level: str = "error") -> list[str]:
    return [finding.code for finding in check(cohort).findings if finding.level == level]


@pytest.fixture
def good() -> Cohort:
    return read(visits(), relapses=relapses())


def test_the_good_table_has_no_error_and_no_warning(good: Cohort) -> None:
    assert (good.n_patients, good.n_visits, good.n_relapses) == (3, 15, 1)
    assert not check(good).errors and not check(good).warnings
    good.require_sound()


def test_01_visit_rows_unsorted(good: Cohort) -> None:
    assert read(visits().sample(fraction=1, shuffle=True, seed=4), relapses=relapses()).sha256 == good.sha256


def test_02_relapse_rows_unsorted() -> None:
    several = pl.concat([relapses(p) for p in PATIENTS] + [relapses("P02").with_columns(pl.col("date").dt.offset_by("100d"))])
    assert read(visits(), relapses=several).sha256 == read(visits(), relapses=several.reverse()).sha256


def test_03_two_scores_on_one_day() -> None:
    twice = pl.concat([visits(), visits()[2:3].with_columns(edss=pl.lit(2.5))])
    cohort = read(twice, relapses=relapses())
    finding = found(cohort, "score-twice-a-day")
    assert finding.level == "error"
    assert finding.cases["row"].to_list() == [4, 17]
    assert finding.patients == ["P01"]
    assert finding.cases["found"].to_list() == ["3.0 on 2019-07-14", "2.5 on 2019-07-14"]
    with pytest.raises(DataError, match="P01"):
        cohort.require_sound()


@pytest.mark.parametrize(("same_day", "score"), [("last", 250), ("lowest", 250), ("highest", 300)])
def test_03_two_scores_on_one_day_resolved(same_day: Any, score: int) -> None:
    twice = pl.concat([visits(), visits()[2:3].with_columns(edss=pl.lit(2.5))])
    cohort = read(twice, relapses=relapses(), same_day=same_day)
    assert not check(cohort).errors
    assert found(cohort, "score-one-a-day").level == "notice"
    assert cohort.visits.scores["edss"][2] == score
    assert cohort.n_visits == 15


def test_04_exact_duplicate_rows(good: Cohort) -> None:
    cohort = read(pl.concat([visits(), visits()[:1]]), relapses=relapses())
    assert codes(cohort) == ["score-twice-a-day"]
    assert read(pl.concat([visits(), visits()[:1]]), relapses=relapses(), same_day="last").sha256 == good.sha256


def test_05_day_first_with_a_day_above_12(good: Cohort) -> None:
    cohort = read(dated("%d/%m/%Y"), relapses=relapses())
    assert cohort.sha256 == good.sha256
    assert {c.meaning: c.format for c in check(cohort).columns if c.table == "visits"}["date"] == "DD/MM/YYYY"


def ambiguous(form: str) -> pl.DataFrame:
    few = visits().with_columns(pl.Series("date", [datetime.date(2019, 1 + i % 5 * 2, 5) for i in range(15)]))
    return dated(form, few)


def test_06_day_first_and_no_day_above_12() -> None:
    cohort = read(ambiguous("%d/%m/%Y"), relapses=relapses())
    finding = found(cohort, "date-ambiguous")
    assert finding.level == "error" and "date_format" in finding.advice and "either way" in finding.problem
    with pytest.raises(DataError, match="either way"):
        cohort.require_sound()
    stated = read(ambiguous("%d/%m/%Y"), relapses=relapses(), date_format={"visits": "%d/%m/%Y"})
    assert not check(stated).errors and stated.visits.day[0] == day_of(datetime.date(2019, 1, 5))


def test_07_day_first_with_points_and_no_day_above_12() -> None:
    assert "date-ambiguous" in codes(read(ambiguous("%d.%m.%Y"), relapses=relapses()))
    stated = read(ambiguous("%d.%m.%Y"), relapses=relapses(), date_format={"visits": "DD.MM.YYYY"})
    assert not check(stated).errors


def test_08_two_formats_in_one_column() -> None:
    mixed = changed(as_text(visits()), 7, "date", "14.07.2019")
    finding = found(read(mixed, relapses=relapses()), "date-mixed-formats")
    assert finding.cases.rows() == [(9, "P02", "14.07.2019")]


def test_09_time_of_day_in_the_date(good: Cohort) -> None:
    timed = as_text(visits()).with_columns(pl.col("date") + " 23:30:00")
    cohort = read(timed, relapses=relapses())
    assert cohort.sha256 == good.sha256
    assert found(cohort, "date-time-cut").level == "notice"
    stamped = visits().with_columns(pl.col("date").cast(pl.Datetime("us")) + pl.duration(hours=23, minutes=30))
    assert read(stamped, relapses=relapses()).sha256 == good.sha256


def test_10_missing_score_at_the_event() -> None:
    cohort = read(changed(visits(), 2, "edss", None), relapses=relapses())
    assert not check(cohort).errors
    finding = found(cohort, "row-without-score")
    assert finding.level == "notice" and finding.cases.rows() == [(4, "P01", "")]
    assert check(cohort).accounts[0].text() == "visits: 15 rows read = 14 kept + 1 set aside (no score in the row)"


def test_11_missing_visit_date() -> None:
    cohort = read(changed(visits(), 2, "date", None), relapses=relapses())
    finding = found(cohort, "date-missing")
    assert finding.level == "error" and finding.cases.rows() == [(4, "P01", "")]


@pytest.mark.parametrize("score", [11.0, -1.0, 99.0, 999.0, -9.0])
def test_12_15_16_scores_outside_the_scale(score: float) -> None:
    finding = found(read(changed(visits(), 3, "edss", score), relapses=relapses()), "score-out-of-range")
    assert finding.level == "error" and finding.column == "edss"
    assert finding.cases.rows() == [(5, "P01", f"{score:.1f}")]
    assert "missing" in finding.advice


@pytest.mark.parametrize("score", [2.3, 0.5])
def test_13_14_scores_off_the_scale(score: float) -> None:
    cohort = read(changed(visits(), 3, "edss", score), relapses=relapses())
    assert not check(cohort).errors
    finding = found(cohort, "score-off-grid")
    assert finding.level == "warning" and finding.cases.rows() == [(5, "P01", str(score))]
    assert cohort.visits.scores["edss"][3] == round(score * 100)


def test_17_decimal_comma(good: Cohort) -> None:
    cohort = read(as_text(visits()).with_columns(pl.col("edss").str.replace(".", ",", literal=True)), relapses=relapses())
    assert cohort.sha256 == good.sha256
    assert not check(cohort).warnings
    assert {c.meaning: c.format for c in check(cohort).columns if c.table == "visits"}["edss"] == "decimal comma"


def test_18_numbers_as_text(good: Cohort) -> None:
    assert read(as_text(visits()), relapses=as_text(relapses())).sha256 == good.sha256


def test_18b_scores_as_categories(good: Cohort) -> None:
    labels = visits().with_columns(pl.col("edss").cast(pl.String).cast(pl.Categorical))
    assert read(labels, relapses=relapses()).sha256 == good.sha256
    frame = pd.DataFrame({name: visits()[name].to_list() for name in visits().columns})
    frame["edss"] = pd.Categorical(frame["edss"].astype(str))
    assert read(frame, relapses=relapses()).sha256 == good.sha256


def test_19_words_among_the_scores() -> None:
    cohort = read(changed(as_text(visits()), 3, "edss", "n/a"), relapses=relapses())
    assert not check(cohort).errors
    assert "'n/a' 1 time;" in found(cohort, "missing-spelled").problem
    wrong = read(changed(as_text(visits()), 3, "edss", "bedridden"), relapses=relapses())
    assert found(wrong, "score-not-a-number").cases.rows() == [(5, "P01", "bedridden")]


def test_20_relapse_before_the_first_visit_is_kept() -> None:
    early = relapses().with_columns(date=pl.lit(START - datetime.timedelta(days=45)))
    cohort = read(visits(), relapses=early)
    assert cohort.n_relapses == 1
    assert "1 relapse before" in found(cohort, "relapse-outside").problem


def test_21_relapses_of_an_unknown_patient() -> None:
    cohort = read(visits(), relapses=pl.concat([relapses(), relapses("Q77")]))
    finding = found(cohort, "patient-unknown")
    assert finding.level == "warning" and finding.cases["row"].to_list() == [3] and finding.patients == ["Q77"]
    assert check(cohort).accounts[1].set_aside == (("no visit of that patient counts", 1),)


def test_22_empty_visits_table() -> None:
    cohort = read(visits().clear(), relapses=relapses().clear())
    assert cohort.n_patients == 0 and not check(cohort).errors
    assert found(cohort, "visits-empty").level == "warning"
    cohort.require_sound()


def test_23_empty_relapse_table() -> None:
    cohort = read(visits(), relapses=relapses().clear())
    assert cohort.relapse_knowledge == "recorded" and cohort.n_relapses == 0
    assert found(cohort, "relapses-empty").level == "notice"


def test_23_no_relapse_table() -> None:
    assert read(visits()).relapse_knowledge == "unknown"
    assert found(read(visits()), "relapses-unknown").level == "warning"
    assert read(visits(), nobody_relapsed=True).relapse_knowledge == "none"


def test_24_a_patient_with_one_visit() -> None:
    cohort = read(visits()[:11], relapses=relapses())
    assert cohort.n_patients == 3
    assert found(cohort, "patient-one-visit").patients == ["P03"]
    assert "not among those who could be assessed" in found(cohort, "patient-one-visit").problem


@pytest.mark.parametrize("zone", ["Europe/Prague", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("both", [False, True])
def test_25_26_time_zones_never_move_a_day(good: Cohort, zone: str, both: bool) -> None:
    def aware(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone(zone))

    onsets = aware(relapses()) if both else relapses()
    cohort = read(aware(visits()), relapses=onsets)
    assert cohort.sha256 == good.sha256
    assert "date-time-cut" in codes(cohort, "notice")
    frame = pd.DataFrame({name: visits()[name].to_list() for name in visits().columns})
    frame["date"] = pd.to_datetime(frame["date"]).dt.tz_localize(zone)
    assert read(frame, relapses=onsets).sha256 == good.sha256


def numbered(ids: tuple[Any, ...]) -> pl.DataFrame:
    return visits().with_columns(pl.col("patient").replace_strict(PATIENTS, list(ids)))


@pytest.mark.parametrize("there", [2, "2"])
def test_27_28_ids_that_nearly_match(there: Any) -> None:
    onsets = pl.DataFrame({"patient": [str(there), "003"], "date": [START + datetime.timedelta(days=170)] * 2})
    cohort = read(numbered(("001", "002", "003")), relapses=onsets)
    finding = found(cohort, "patient-near-miss")
    assert finding.level == "error" and finding.table == "relapses"
    assert finding.cases.rows() == [(2, "002", "written '2' here, '002' in visits")]
    going = read(numbered(("001", "002", "003")), relapses=onsets, keep_going=True)
    assert going.patients.to_list() == ["001", "003"]
    assert going.set_aside == (("002", "patient-near-miss"),)
    going.require_sound()


def test_29_trailing_blank_in_an_id(good: Cohort) -> None:
    cohort = read(visits(), relapses=relapses("P02 "))
    assert cohort.sha256 == good.sha256
    finding = found(cohort, "patient-blanks")
    assert finding.level == "warning" and finding.cases["row"].to_list() == [2]


@pytest.mark.parametrize("written", ["P01 ", "\u00a0P01", "P01\u200b", "\ufeffP01", "P01\u2060 "])
def test_29_blanks_within_a_table_are_never_another_person(good: Cohort, written: str) -> None:
    cohort = read(changed(visits(), 0, "patient", written), relapses=relapses())
    assert cohort.sha256 == good.sha256
    finding = found(cohort, "patient-blanks")
    assert finding.level == "warning" and finding.cases["row"].to_list() == [2] and "in 1 row;" in finding.problem


def test_30_ids_as_whole_and_decimal_numbers() -> None:
    whole, decimal = numbered((1, 2, 3)), numbered((1.0, 2.0, 3.0))
    onsets = relapses().with_columns(patient=pl.lit(2))
    assert read(whole, relapses=onsets).sha256 == read(decimal, relapses=onsets).sha256
    assert "patient-decimals" not in codes(read(decimal, relapses=onsets), "notice")
    written = as_text(decimal)
    cohort = read(written, relapses=onsets)
    assert cohort.patients.to_list() == ["1", "2", "3"] and cohort.n_relapses == 1
    assert found(cohort, "patient-decimals").level == "notice"


def test_31_no_score_column() -> None:
    cohort = read(visits().rename({"edss": "disability"}), relapses=relapses())
    finding = found(cohort, "column-no-score")
    assert "'disability'" in finding.problem and "columns=" in finding.advice
    with pytest.raises(DataError):
        cohort.require_sound()
    named = read(visits().rename({"edss": "disability"}), relapses=relapses(), columns={"edss": "disability"})
    assert not check(named).errors


def test_32_relapse_date_under_another_name() -> None:
    cohort = read(visits(), relapses=relapses().rename({"date": "when_it_began"}))
    finding = found(cohort, "column-missing")
    assert finding.table == "relapses" and "'when_it_began'" in finding.problem
    named = read(visits(), relapses=relapses().rename({"date": "when_it_began"}), columns={"relapses": {"date": "when_it_began"}})
    assert named.n_relapses == 1


def test_33_a_gap_of_15_years() -> None:
    late = changed(visits(), 4, "date", datetime.date(2034, 11, 1))
    finding = found(read(late, relapses=relapses()), "visit-gap")
    assert finding.level == "warning"
    assert finding.cases.rows() == [(6, "P01", "15.1 years after the visit before, 2019-10-12")]


@pytest.mark.parametrize("year", ["2200", "0202"])
def test_34_35_years_that_cannot_be(year: str) -> None:
    cohort = read(changed(as_text(visits()), 4, "date", f"{year}-01-10"), relapses=relapses())
    finding = found(cohort, "date-implausible")
    assert finding.level == "error" and finding.cases.rows() == [(6, "P01", f"{year}-01-10")]


def numbered_days(origin: datetime.date) -> tuple[pl.DataFrame, pl.DataFrame]:
    days = (pl.col("date") - pl.lit(origin)).dt.total_days().alias("date")
    return visits().with_columns(days), relapses().with_columns(days)


def test_36_day_counts() -> None:
    table, onsets = numbered_days(START)
    cohort = read(table, relapses=onsets)
    assert cohort.calendar == "day" and cohort.visits.day[:3].tolist() == [0, 90, 180]
    assert not check(cohort).errors
    assert "day numbers" in next(f for f in check(cohort).findings if f.code == "date-numbers").problem


def test_36_day_counts_beside_dates() -> None:
    assert "date-calendars-differ" in codes(read(numbered_days(START)[0], relapses=relapses()))


@pytest.mark.parametrize("text", [False, True])
def test_37_excel_serial_days(good: Cohort, text: bool) -> None:
    table, onsets = numbered_days(datetime.date(1899, 12, 30))
    cohort = read(as_text(table) if text else table, relapses=onsets)
    assert cohort.sha256 == good.sha256
    assert "Excel serial days" in {c.format for c in check(cohort).columns}


def test_38_a_patient_without_any_score() -> None:
    none = visits().with_columns(edss=pl.when(pl.col("patient") == "P03").then(None).otherwise("edss"))
    cohort = read(none, relapses=relapses())
    assert cohort.patients.to_list() == ["P01", "P02"]
    finding = found(cohort, "patient-without-score")
    assert finding.level == "warning" and finding.patients == ["P03"]


def test_39_missing_id_in_a_row() -> None:
    cohort = read(changed(visits(), 2, "patient", None), relapses=relapses())
    finding = found(cohort, "patient-missing")
    assert finding.level == "error" and finding.cases["row"].to_list() == [4]
    going = read(changed(visits(), 2, "patient", None), relapses=relapses(), keep_going=True)
    going.require_sound()
    assert going.n_visits == 14 and going.set_aside == ()
    assert check(going).accounts[0].set_aside == (("an error in a row without a patient", 1),)


def test_40_41_misspelt_reading_options() -> None:
    with pytest.raises(UsageError, match="did you mean 'lowest'"):
        read(visits(), same_day="lowst")  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="same_dy"):
        read(visits(), same_dy="last")  # pyright: ignore[reportCallIssue]
    with pytest.raises(UsageError, match="did you mean 'patient'"):
        read(visits(), columns={"pateint": "id"})


def test_43_the_same_relapse_twice(good: Cohort) -> None:
    cohort = read(visits(), relapses=pl.concat([relapses(), relapses()]))
    assert cohort.sha256 == good.sha256
    assert found(cohort, "relapse-twice").cases["row"].to_list() == [3]


def test_46_the_callers_tables_are_not_changed() -> None:
    table, onsets = changed(as_text(visits()), 0, "patient", "P01 "), relapses()
    before = table.clone(), onsets.clone()
    frame = pd.DataFrame({name: visits()[name].to_list() for name in visits().columns})
    frame_before = frame.copy(deep=True)
    columns = {"patient": "patient"}
    read(table, relapses=onsets, columns=columns)
    read(frame, relapses=onsets)
    assert table.equals(before[0]) and onsets.equals(before[1])
    pd.testing.assert_frame_equal(frame, frame_before)
    assert columns == {"patient": "patient"}


def test_46_the_arrays_of_the_cohort_are_its_own() -> None:
    table = visits().with_columns(edss=pl.lit(3, dtype=pl.Int64))
    cohort = read(table, relapses=relapses())
    cohort.visits.day[:] = 0
    cohort.visits.scores["edss"][:] = 0
    assert table["date"][0] == START and table["edss"][0] == 3
