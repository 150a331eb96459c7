"""Reading: encodings, separators, types, names of columns, dates, numbers, folders, `cohort.toml`."""

from __future__ import annotations

import datetime
import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from smoulder.errors import SourceError, UsageError
from smoulder.reading import check, read
from smoulder.sources import cohort_toml, write_cohort_toml
from smoulder.sources.calendars import days_from_civil, is_date
from smoulder.sources.dates import parse_days, stated_format
from smoulder.sources.merging import merged_scores
from smoulder.sources.numbers import parse_counts, parse_flags, parse_scores
from smoulder.sources.settings import read_settings
from smoulder.tables import COLUMNS, TABLES, Cohort
from smoulder.terms import MEASURES, MISSING, Measure, day_of

DOCS = Path(__file__).parents[1] / "docs"
VISITS = "patient;date;EDSS\nMüller;2020-01-05;3,5\nMüller;2020-04-05;4\nB2;2020-02-01;1,5\n"
FRAME = pl.DataFrame(
    {
        "patient": ["Müller", "Müller", "B2"],
        "date": [datetime.date(2020, 1, 5), datetime.date(2020, 4, 5), datetime.date(2020, 2, 1)],
        "edss": [3.5, 4.0, 1.5],
    }
)


@pytest.fixture(scope="module")
def plain() -> Cohort:
    return read(FRAME, nobody_relapsed=True)


def codes(cohort: Cohort, level: str = "error") -> list[str]:
    return [finding.code for finding in check(cohort).findings if finding.level == level]


# --- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, plain: Cohort, encoding: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(VISITS.encode(encoding))
    cohort = read(path, nobody_relapsed=True)
    assert cohort.sha256 == plain.sha256
    told = "file-encoding" in codes(cohort, "notice")
    assert told == (not encoding.startswith("utf-8"))


@pytest.mark.parametrize(("sign", "ending"), [(",", "csv"), (";", "csv"), ("\t", "tsv"), ("\t", "txt"), ("|", "csv"), (" ", "txt")])
@pytest.mark.parametrize("packed", [False, True])
def test_separators(tmp_path: Path, plain: Cohort, sign: str, ending: str, packed: bool) -> None:
    data = VISITS.replace(",", ".").replace(";", sign).encode()
    path = tmp_path / (f"export.{ending}.gz" if packed else f"export.{ending}")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert read(path, nobody_relapsed=True).sha256 == plain.sha256


def test_quoted_cells_and_decimal_commas_under_a_comma(tmp_path: Path, plain: Cohort) -> None:
    path = tmp_path / "export.csv"
    path.write_text('"patient","date","EDSS"\n"Müller","2020-01-05","3,5"\n"Müller","2020-04-05","4"\n"B2","2020-02-01","1,5"\n')
    assert read(path, nobody_relapsed=True).sha256 == plain.sha256


def test_a_row_with_too_many_cells_is_named(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("patient,date,EDSS\nA,2020-01-05,2\nA,2020-04-05,3,5\n")
    with pytest.raises(SourceError, match="row 3: 4 cells under a header of 3"):
        read(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "no.parquet").write_bytes(b"not parquet")
    (tmp_path / "no.xlsx").write_bytes(b"not a workbook")
    (tmp_path / "no.csv.gz").write_bytes(b"not packed")
    (tmp_path / "data.sav").write_bytes(b"$FL2")
    for name in ("empty.csv", "no.parquet", "no.xlsx", "no.csv.gz", "data.sav", "missing.csv"):
        with pytest.raises(SourceError):
            read(tmp_path / name)


def test_parquet_reads_the_used_columns(tmp_path: Path, plain: Cohort) -> None:
    FRAME.with_columns(weight=pl.lit(70)).write_parquet(tmp_path / "visits.parquet")
    cohort = read(tmp_path, nobody_relapsed=True)
    assert cohort.sha256 == plain.sha256
    assert [c.column for c in check(cohort).columns if not c.meaning] == ["weight"]


def test_empty_lines_keep_the_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("patient,date,EDSS\nA,2020-01-05,2\n\n,,\nA,2020-04-05,12\n,,\n")
    report = check(read(path, nobody_relapsed=True))
    assert [(f.code, f.cases.rows()) for f in report.errors] == [("score-out-of-range", [(5, "A", "12")])]
    assert report.accounts[0].set_aside[0] == ("nothing in the row", 3)
    assert report.accounts[0].rows_read == 5


# --- workbooks


def workbook(path: Path, sheets: dict[str, list[list[Any]]], first_row: int = 0) -> Path:
    book = xlsxwriter.Workbook(str(path))
    as_date = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, datetime.date):
                    sheet.write_datetime(first_row + i, j, datetime.datetime(cell.year, cell.month, cell.day), as_date)
                elif cell is not None:
                    sheet.write(first_row + i, j, cell)
    book.close()
    return path


HEADER = ["id", "Date of visit", "EDSS"]


def test_workbook_with_sheets(tmp_path: Path, plain: Cohort) -> None:
    rows = [HEADER, *([p, d, s] for p, d, s in FRAME.rows())]
    path = workbook(tmp_path / "cohort.xlsx", {"Visits": rows, "Relapses": [["id", "Onset"], ["B2", datetime.date(2020, 3, 1)]]})
    cohort = read(path)
    assert cohort.n_relapses == 1 and cohort.visits.day.tolist() == plain.visits.day.tolist()
    assert cohort.visits.scores["edss"].tolist() == plain.visits.scores["edss"].tolist()
    assert read(tmp_path).sha256 == cohort.sha256, "a folder with one workbook"


def test_a_sheet_may_start_lower_and_mix_types(tmp_path: Path) -> None:
    rows = [
        HEADER,
        [1, datetime.date(2020, 1, 5), 3.5],
        [None, None, None],
        [2, "12.03.2020", "n/a"],
        ["P3", datetime.date(2020, 1, 5), "4,5"],
    ]
    cohort = read(workbook(tmp_path / "a.xlsx", {"Sheet1": rows}, first_row=3), nobody_relapsed=True)
    assert [(f.code, f.cases["row"].to_list()) for f in check(cohort).errors] == [("date-mixed-formats", [7])]
    assert cohort.patients.to_list() == ["1", "P3"]
    assert "'n/a' 1 times" in next(f for f in check(cohort).findings if f.code == "missing-spelled").problem


def test_serial_days_in_a_workbook(tmp_path: Path) -> None:
    rows = [HEADER, ["A", 43835, 2], ["A", 43926.5, 3]]
    cohort = read(workbook(tmp_path / "a.xlsx", {"Sheet1": rows}), nobody_relapsed=True)
    assert cohort.visits.day.tolist() == [day_of(datetime.date(2020, 1, 5)), day_of(datetime.date(2020, 4, 5))]
    assert {"date-numbers", "date-time-cut"} <= set(codes(cohort, "notice"))


# --- frames


def pandas_frame() -> pd.DataFrame:
    return pd.DataFrame({name: FRAME[name].to_list() for name in FRAME.columns})


class OnlyStream:
    """A frame of which nothing is known but the Arrow C stream."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.lazy(),
        pa.table({name: FRAME[name].to_list() for name in FRAME.columns}),
        OnlyStream(FRAME),
        pandas_frame(),
        pandas_frame().astype({"edss": "Float64", "patient": "category"}),
        pandas_frame().assign(date=lambda f: pd.to_datetime(f["date"])),
        pandas_frame().astype({"patient": object, "edss": object}),
        {name: FRAME[name].to_list() for name in FRAME.columns},
        FRAME.with_columns(pl.col("edss").cast(pl.Decimal(4, 1))),
        FRAME.with_columns(pl.col("edss").cast(pl.Float32), pl.col("patient").cast(pl.Categorical)),
    ],
    ids=["lazy", "pyarrow", "stream", "pandas", "nullable", "timestamps", "objects", "mapping", "decimal", "float32"],
)
def test_frames(frame: Any, plain: Cohort) -> None:
    assert read(frame, nobody_relapsed=True).sha256 == plain.sha256
    assert read(visits=frame, nobody_relapsed=True).sha256 == plain.sha256
    assert read({"visits": frame}, nobody_relapsed=True).sha256 == plain.sha256


def test_pandas_without_pyarrow(monkeypatch: pytest.MonkeyPatch, plain: Cohort) -> None:
    frame = pandas_frame().astype({"patient": object})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert read(frame, nobody_relapsed=True).sha256 == plain.sha256


def test_missing_values_of_pandas() -> None:
    frame = pandas_frame()
    frame.loc[1, "edss"] = np.nan
    frame.loc[2, "patient"] = None
    cohort = read(frame, nobody_relapsed=True)
    assert codes(cohort) == ["patient-missing"] and "row-without-score" in codes(cohort, "notice")


def test_what_is_no_frame() -> None:
    with pytest.raises(SourceError, match="int"):
        read(7)
    with pytest.raises(UsageError, match="Nothing to read"):
        read()
    with pytest.raises(UsageError, match="did you mean 'visits'"):
        read({"visit": FRAME})


# --- any order


@given(st.permutations(range(12)), st.sampled_from(["error", "lowest", "highest"]))
def test_row_order_does_not_matter(order: list[int], same_day: Any) -> None:
    days = [0, 30, 30, 60, 0, 10, 20, 20, 5, 5, 5, 9]
    frame = pl.DataFrame(
        {
            "patient": ["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", None],
            "day": days,
            "edss": [1.0, 2.0, None, 3.0, 4.0, 5.0, 6.0, 7.0, 2.0, 2.5, 3.0, 1.0],
            "sdmt": [None, None, 50, 40, 30, 20, None, None, 10, None, None, None],
        }
    )
    one, other = read(frame, same_day=same_day, nobody_relapsed=True), read(frame[order], same_day=same_day, nobody_relapsed=True)
    assert one.sha256 == other.sha256
    assert sorted(f.code for f in check(one).findings) == sorted(f.code for f in check(other).findings)
    assert check(one).accounts == check(other).accounts


def test_different_measures_of_one_day_are_one_visit() -> None:
    frame = pl.DataFrame({"patient": ["a", "a"], "day": [3, 3], "edss": [2.0, None], "sdmt": [None, 50], "scheduled": [0, 1]})
    cohort = read(frame, nobody_relapsed=True)
    assert not check(cohort).errors and cohort.n_visits == 1
    assert (cohort.visits.scores["edss"].tolist(), cohort.visits.scores["sdmt"].tolist()) == ([200], [5000])
    assert cohort.visits.scheduled is not None and cohort.visits.scheduled.tolist() == [True]
    assert check(cohort).accounts[0].rows_kept == 2


def test_merged_scores() -> None:
    scores = np.array([3, 1, MISSING, MISSING, 5, 2], dtype=np.int32)
    starts = np.array([0, 3, 4])
    for same_day, expected in (("last", [1, MISSING, 2]), ("lowest", [1, MISSING, 2]), ("highest", [3, MISSING, 5])):
        assert merged_scores(scores, starts, same_day)[0].tolist() == expected
    assert merged_scores(scores, starts, "highest")[1].tolist() == [0, -1, 4]
    negative = np.array([-5, -7], dtype=np.int32)
    assert merged_scores(negative, np.array([0]), "lowest")[0].tolist() == [-7]


# --- columns


def named(**columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(columns)


@pytest.mark.parametrize("table", TABLES)
def test_every_name_and_synonym_is_recognised(table: str) -> None:
    from smoulder.sources.columns import choose

    for column in COLUMNS[table]:
        for name in (column.name, column.name.upper(), column.name.replace("_", " "), *column.synonyms):
            assert choose(table, [name], {}).columns.get(column.name) == name, name


def test_no_name_means_two_columns_of_a_table() -> None:
    from smoulder.sources.columns import plain

    for table in TABLES:
        names = [name for column in COLUMNS[table] for name in {plain(column.name), *column.synonyms}]
        assert len(names) == len(set(names)), table


def test_two_columns_that_could_be_it() -> None:
    frame = FRAME.with_columns(edss_score=pl.col("edss"))
    report = check(read(frame, nobody_relapsed=True))
    assert [f.code for f in report.errors] == ["column-ambiguous"]
    assert "'edss' and 'edss_score'" in report.errors[0].problem
    assert not check(read(frame, nobody_relapsed=True, columns={"edss": "edss_score"})).errors


def test_two_columns_of_one_name_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,date,EDSS,EDSS\nA,2020-01-01,2,3\n")
    assert "2 columns named 'EDSS'" in check(read(path, nobody_relapsed=True)).errors[0].problem


def test_a_stated_column_that_is_not_there() -> None:
    for columns in ({"edss": "edsss"}, {"visits": {"edss": "edsss"}}):
        errors = check(read(FRAME, nobody_relapsed=True, columns=columns)).errors
        assert [f.code for f in errors if f.code == "column-not-there"] == ["column-not-there"]
        assert "did you mean 'edss'" in errors[0].problem


def test_flat_columns_hold_for_every_table_that_has_them() -> None:
    table, onsets = FRAME.rename({"patient": "who"}), named(who=["B2"], date=["2020-03-01"])
    cohort = read(table, relapses=onsets, columns={"patient": "who"})
    assert cohort.n_relapses == 1 and not check(cohort).errors


# --- cohort.toml


def test_cohort_toml(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("nr;d;score;Grip_kg\nA;01/02/2020;2,5;30\nA;01/05/2020;3;25,5\n")
    (tmp_path / "y.csv").write_text("nr;start of it\nA;2020-03-01\n")
    (tmp_path / "cohort.toml").write_text(
        """
        [tables]
        visits = "x.csv"
        relapses = "y.csv"
        [columns.visits]
        patient = "nr"
        date = "d"
        edss = "score"
        grip = "Grip_kg"
        [columns.relapses]
        patient = "nr"
        date = "start of it"
        [dates]
        visits = "%d/%m/%Y"
        [reading]
        same_day = "lowest"
        decimal = ","
        [measures.grip]
        name = "Grip strength"
        unit = "kg"
        low = 0
        high = 100
        worse = "lower"
        """
    )
    for source in (tmp_path, tmp_path / "x.csv"):
        cohort = read(source)
        assert not check(cohort).errors
        assert cohort.visits.day.tolist() == [day_of(datetime.date(2020, 2, 1)), day_of(datetime.date(2020, 5, 1))]
        assert cohort.visits.scores["grip"].tolist() == [3000, 2550]
        assert not cohort.measure("grip").higher_is_worse and cohort.n_relapses == 1


MISTAKES = {
    "[colums.visits]\npatient='id'": "did you mean 'columns'",
    "[columns.visit]\npatient='id'": "did you mean 'visits'",
    "[columns.visits]\npatiant='id'": "did you mean 'patient'",
    "[columns.visits]\npatient=3": "must be the name of a column",
    "[dates]\nvisit='%Y'": "did you mean 'visits'",
    "[dates]\n'visits.edss'='%Y'": "no column of days in visits 'edss'",
    "[tables]\nvisitz='a.csv'": "did you mean 'visits'",
    "[reading]\nsame_dya='last'": "did you mean 'same_day'",
    "[reading]\nsame_day='lats'": "did you mean 'last'",
    "[reading]\nnobody_relapsed='yes'": "must be true or false",
    "[reading]\ndecimal=';'": "must be '.' or ','",
    "[measures.grip]\nlow=0": "needs 'worse'",
    "[measures.grip]\nlow=0\nworse='down'": "'lower' or 'higher'",
    "[measures.grip]\nlow=5\nhigh=1\nworse='lower'": "high must be above low",
    "[measures.grip]\nlow=0\nworse='lower'\nhihg=3": "did you mean 'high'",
    "[measures.edss]\nlow=0\nworse='lower'": "a column already",
    "tables = 3": r"written \[tables\]",
    "[tables": "cannot be read",
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.items())
def test_mistakes_in_cohort_toml(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "cohort.toml"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        read_settings(path)


def test_all_mistakes_of_cohort_toml_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cohort.toml"
    path.write_text("[reading]\nsame_dya='last'\ndecimal=';'\n[dates]\nvisit='%Y'")
    with pytest.raises(SourceError, match="3 mistakes"):
        read_settings(path)


def test_the_found_map_can_be_saved(tmp_path: Path) -> None:
    FRAME.with_columns(pl.col("date").dt.to_string("%d.%m.%Y")).vstack(
        pl.DataFrame({"patient": ["B2"], "date": ["31.12.2020"], "edss": [2.0]})
    ).rename({"patient": "Pat. ID"}).write_csv(tmp_path / "visits.csv")
    cohort = read(tmp_path, columns={"patient": "Pat. ID"}, nobody_relapsed=True)
    path = write_cohort_toml(tmp_path / "cohort.toml", check(cohort))
    assert '"visits.date" = "%d.%m.%Y"' in path.read_text()
    again = read(tmp_path, nobody_relapsed=True)
    assert again.sha256 == cohort.sha256
    assert cohort_toml(check(again)).count("Pat. ID") == 1
    with pytest.raises(FileExistsError):
        write_cohort_toml(path, check(cohort))


def test_a_measure_of_the_callers_own() -> None:
    grip = Measure(key="grip", name="Grip", unit="kg", low=0, high=90, higher_is_worse=False)
    cohort = read(FRAME.with_columns(grip=pl.Series([30.0, 95.0, 20.0])), nobody_relapsed=True, measures=[grip])
    assert [f.code for f in check(cohort).errors] == ["score-out-of-range"]
    assert cohort.custom_measures == (grip,)


# --- folders


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("patient,date\nB2,2020-03-01\n" if "relapse" in name else VISITS)


def test_folders(tmp_path: Path) -> None:
    write(tmp_path, "My_study_visits.csv", "relapses-2024.csv", "SOURCE.txt", "notes.json")
    cohort = read(tmp_path)
    assert (cohort.n_visits, cohort.n_relapses) == (3, 1) and "files-not-used" not in codes(cohort, "notice")
    write(tmp_path, "visits.csv")
    assert "files-not-used" in codes(read(tmp_path), "notice"), "the exact name wins"
    write(tmp_path, "old_relapses.csv")
    with pytest.raises(SourceError, match="2 candidates for the table relapses"):
        read(tmp_path)


def test_the_only_file_with_columns_of_visits(tmp_path: Path) -> None:
    write(tmp_path, "SampleData.csv")
    (tmp_path / "codes.csv").write_text("code,meaning\n1,yes\n")
    cohort = read(tmp_path)
    assert cohort.n_visits == 3 and "codes.csv" in next(f for f in check(cohort).notices if f.code == "files-not-used").problem
    write(tmp_path, "Other.csv")
    with pytest.raises(SourceError, match="2 candidates for the table visits"):
        read(tmp_path)


def test_a_folder_without_visits(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("code,meaning\n1,yes\n")
    with pytest.raises(SourceError, match=r"no visits.*codes\.csv"):
        read(tmp_path)


# --- days


@given(st.dates(min_value=datetime.date(1, 1, 1)))
def test_days_from_civil(date: datetime.date) -> None:
    parts = [np.array([part]) for part in (date.year, date.month, date.day)]
    assert is_date(*parts)[0] and days_from_civil(*parts)[0] == day_of(date)


JAN5, FEB13 = day_of(datetime.date(2020, 1, 5)), day_of(datetime.date(2020, 2, 13))
DATES: list[tuple[list[Any], str | None, list[int | None]]] = [
    (["2020-01-05", "2020-2-13", None, " ", "NA"], None, [JAN5, FEB13, None, None, None]),
    (["2020/01/05", "2020.02.13"], None, [JAN5, FEB13]),
    (["5/1/2020", "13/2/2020"], None, [JAN5, FEB13]),
    (["01/05/2020", "02/13/2020"], None, [JAN5, FEB13]),
    (["05.01.2020", "13.02.2020 10:30"], None, [JAN5, FEB13]),
    (["05-Jan-2020", "13FEB2020"], None, [JAN5, FEB13]),
    (["20200105", "20200213"], None, [JAN5, FEB13]),
    ([20200105, 20200213], None, [JAN5, FEB13]),
    ([43835, 43874], None, [JAN5, FEB13]),
    ([43835.0, 43874.75], None, [JAN5, FEB13]),
    (["43835", "43874,75"], None, [JAN5, FEB13]),
    (["2020-01-05T23:59:59.123Z", "2020-02-13 00:30:00+05:30"], None, [JAN5, FEB13]),
    ([-30, 0, 400], None, [-30, 0, 400]),
    (["-30", "0", "400"], None, [-30, 0, 400]),
    ([-30.0, 0.0, None], None, [-30, 0, None]),
    ([21000, 30000], "day", [21000, 30000]),
    (["05/01/20", "13/02/20"], "%d/%m/%y", [JAN5, FEB13]),
    (["05/01/2020 08:00", "05/01/2020"], "%d/%m/%Y", [JAN5, JAN5]),
    (["01/01/2020", "02/02/2020"], None, [day_of(datetime.date(2020, 1, 1)), day_of(datetime.date(2020, 2, 2))]),
    ([datetime.datetime(2020, 1, 5, 23, 59)], None, [JAN5]),
]


@pytest.mark.parametrize(("written", "stated", "days"), DATES)
def test_days(written: list[Any], stated: str | None, days: list[int | None]) -> None:
    parsed = parse_days(pl.Series("d", written, strict=False), stated)
    assert parsed.values is not None and parsed.values.to_list() == days
    assert not [issue for issue in parsed.issues if issue.level == "error"]


OPEN: list[tuple[list[Any], str]] = [
    (["03/01/2020", "05/02/2020"], "date-ambiguous"),
    (["13/01/2020", "01/13/2020"], "date-mixed-order"),
    (["01/02/20"], "date-two-digit-year"),
    ([2003, 2004], "date-numbers-open"),
    ([5, 43000], "date-numbers-open"),
    (["soon", "later"], "date-none-read"),
    ([True], "date-type"),
]


@pytest.mark.parametrize(("written", "code"), OPEN)
def test_columns_of_days_that_stay_open(written: list[Any], code: str) -> None:
    parsed = parse_days(pl.Series("d", written))
    assert parsed.values is None and [i.code for i in parsed.issues if i.level == "error"] == [code]


ROWS: list[tuple[list[Any], str | None, str, list[bool]]] = [
    (["2020-01-05", "2020-02-30"], None, "date-impossible", [False, True]),
    (["2020-01-05", "2020-02-03", "13.01.2020"], None, "date-mixed-formats", [False, False, True]),
    (["2020-01-05", "unknown"], None, "date-not-read", [False, True]),
    (["20200105", "20200230"], None, "date-impossible", [False, True]),
    (["05.01.2020", "2020-01-05"], "%d.%m.%Y", "date-not-read", [False, True]),
]


@pytest.mark.parametrize(("written", "stated", "code", "rows"), ROWS)
def test_rows_of_days_that_cannot_be_read(written: list[str], stated: str | None, code: str, rows: list[bool]) -> None:
    parsed = parse_days(pl.Series("d", written), stated)
    errors = [issue for issue in parsed.issues if issue.level == "error"]
    assert [i.code for i in errors] == [code]
    assert errors[0].at is not None and errors[0].at.to_list() == rows


def test_stated_formats() -> None:
    assert stated_format("DD/MM/YYYY") == "%d/%m/%Y" and stated_format("Excel") == "excel"
    with pytest.raises(UsageError, match="did you mean 'excel'"):
        stated_format("exel")
    with pytest.raises(UsageError, match="did you mean 'visits'"):
        read(FRAME, date_format={"visit": "iso"})


# --- scores, counts, flags


@given(st.lists(st.integers(0, 100_000), min_size=1))
def test_two_decimals_are_exact_however_they_are_written(hundredths: list[int]) -> None:
    points = [h / 100 for h in hundredths]
    for series in (
        pl.Series("s", points),
        pl.Series("s", [f"{p:.2f}" for p in points]),
        pl.Series("s", [f"{p:.2f}".replace(".", ",") for p in points]),
    ):
        parsed = parse_scores(series, MEASURES["t25fw"])
        assert parsed.values is not None and parsed.values.to_list() == hundredths and not parsed.issues


def test_scores_of_every_kind() -> None:
    edss, nhpt = MEASURES["edss"], MEASURES["nhpt"]
    parsed = parse_scores(pl.Series("s", ["3,5", " 4.0 ", "NA", "", None, "1e1", "x"]), edss)
    assert parsed.values is not None and parsed.values.to_list() == [350, 400, None, None, None, 1000, None]
    assert [i.code for i in parsed.issues] == ["missing-spelled", "score-not-a-number", "score-mixed-decimals"]
    assert parse_scores(pl.Series("s", [20.25, 20.005]), nhpt).values.to_list() == [4050, 4001]  # pyright: ignore[reportOptionalMemberAccess]
    rounded = parse_scores(pl.Series("s", [2.375, 2.5, float("nan"), None]), edss)
    assert rounded.values is not None and rounded.values.to_list() == [238, 250, None, None]
    assert rounded.issues[0].code == "score-rounded" and "1 score of 2 has" in rounded.issues[0].problem
    assert parse_scores(pl.Series("s", ["3.5"]), edss, ",").issues[0].code == "score-not-a-number"
    assert parse_scores(pl.Series("s", [datetime.date(2020, 5, 3)]), edss).values is None


def test_scores_beyond_all_numbers_are_out_of_range() -> None:
    for value in (1e300, float("inf"), -1e300):
        for measure in ("edss", "t25fw"):
            frame = FRAME.drop("edss").with_columns(pl.lit(value).alias(measure))
            assert codes(read(frame, nobody_relapsed=True)) == ["score-out-of-range"]


def test_flags_and_counts() -> None:
    flags = parse_flags(pl.Series("f", ["Yes", "0", "planned", None, "maybe"]))
    assert flags.values is not None and flags.values.to_list() == [True, False, True, None, None]
    assert [i.code for i in flags.issues] == ["flag-not-read"]
    assert parse_flags(pl.Series("f", [1, 0])).values.to_list() == [True, False]  # pyright: ignore[reportOptionalMemberAccess]
    counts = parse_counts(pl.Series("c", [1.0, 2.5, -1.0, None]))
    assert counts.values is not None and counts.values.to_list() == [1, None, None, None]
    assert counts.issues[0].at is not None and counts.issues[0].at.to_list() == [False, True, True, False]


# --- other tables


def test_treatments_patients_and_scans() -> None:
    cohort = read(
        FRAME,
        relapses=named(patient=["B2"], date=["2020-03-01"]),
        treatments=named(patient=["B2", "B2"], drug=["b", "a"], start=["2020-02-01", "2020-01-01"], end=[None, "2020-01-31"]),
        patients=named(patient=["B2", "X"], sex=["f", "m"], age=["31", "40"], relapses_recorded_from=["2019-01-01", None]),
        mri=named(patient=["B2"], date=["2020-03-01"], gd=[1]),
    )
    assert not check(cohort).errors
    assert cohort.treatments is not None and cohort.treatments["treatment"].to_list() == ["a", "b"]
    assert cohort.treatments.columns == ["patient", "treatment", "start_day", "end_day"]
    assert cohort.attributes is not None and cohort.attributes["age"].to_list() == [31.0, None]
    assert cohort.attributes["patient"].to_list() == cohort.patients.to_list()
    assert cohort.recorded_from is not None
    assert cohort.recorded_from.tolist() == [day_of(datetime.date(2019, 1, 1)), MISSING]
    assert cohort.mri is not None and cohort.mri.columns == ["patient", "day", "gd"]


# --- documentation


def columns_page() -> str:
    """Return the tables of docs/data-model.md, made of tables.COLUMNS."""
    lines: list[str] = []
    for table in TABLES:
        lines += [f"### {table}", "", "| column | kind | needed | meaning | also known as |", "|---|---|---|---|---|"]
        for column in COLUMNS[table]:
            names = ", ".join(f"`{name}`" for name in column.synonyms)
            lines.append(f"| `{column.name}` | {column.kind} | {'yes' if column.required else ''} | {column.meaning} | {names} |")
        lines.append("")
    return "\n".join(lines)


def test_the_columns_page_is_up_to_date() -> None:
    page = (DOCS / "data-model.md").read_text(encoding="utf-8")
    begin, end = "<!-- columns: begin -->\n", "<!-- columns: end -->"
    written = page[page.index(begin) + len(begin) : page.index(end)].strip()
    assert written == columns_page().strip(), "replace the part between the marks by columns_page() of this file"
