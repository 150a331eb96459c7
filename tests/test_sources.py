"""Reading: encodings, separators, types, names of columns, dates, numbers, folders, `cohort.toml`."""

from __future__ import annotations

import datetime
import gzip
import re
import sys
import zipfile
import zoneinfo
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
from smoulder.sources.parsed import MISSING_SPELLINGS
from smoulder.sources.settings import read_settings
from smoulder.sources.sheetcells import lost_cells
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
    assert "'n/a' 1 time;" in next(f for f in check(cohort).findings if f.code == "missing-spelled").problem


def test_serial_days_in_a_workbook(tmp_path: Path) -> None:
    rows = [HEADER, ["A", 43835, 2], ["A", 43926.5, 3]]
    cohort = read(workbook(tmp_path / "a.xlsx", {"Sheet1": rows}), nobody_relapsed=True)
    assert cohort.visits.day.tolist() == [day_of(datetime.date(2020, 1, 5)), day_of(datetime.date(2020, 4, 5))]
    assert {"date-numbers", "date-time-cut"} <= set(codes(cohort, "notice"))


def without_values(path: Path, *values: str) -> Path:
    """Take the stored values of formulas out of a workbook, as programs that write formulas and do not compute do."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            text = data
            for value in values:
                text = text.replace(f"<v>{value}</v>".encode(), b"")
            book.writestr(name, text)
    return path


@pytest.mark.parametrize("left", [0, 2])
def test_errors_and_formulas_of_excel_are_not_empty_cells(tmp_path: Path, left: int) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet: Any = book.add_worksheet("Visits")
    sheet.write_row(0, left, HEADER)
    for row in range(1, 7):
        sheet.write_row(row, left, ["A", f"2020-0{row}-05"])
    sheet.write_formula(1, left + 2, "=1/0", value="#DIV/0!")
    sheet.write_formula(2, left + 2, "=1+1", value=2)
    sheet.write_formula(3, left + 2, "=1+2", value=4321)
    sheet.write_formula(4, left + 1, "=B99", value="#REF!")
    sheet.write(4, left + 2, 2)
    sheet.write_formula(5, left, "=A99", value="#REF!")
    sheet.write(5, left + 2, 2)
    sheet.write_formula(6, left + 2, "=1+3", value="")
    book.close()
    cohort = read(without_values(path, "4321"), nobody_relapsed=True)
    told = [(f.code, f.cases["row"].to_list(), f.cases["found"].to_list()) for f in check(cohort).errors]
    assert told == [
        ("date-not-read", [5], ["#REF!"]),
        ("score-not-a-number", [2, 4, 7], ["#DIV/0!", "=1+2", "=1+3"]),
        ("patient-missing", [6], [""]),
    ]
    assert cohort.n_visits == 1


def test_a_workbook_without_formulas_is_not_searched(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Visits": [HEADER, ["A", datetime.date(2020, 1, 5), 2]]})
    assert lost_cells(path) == {}


def test_sheets_are_named_with_their_file(tmp_path: Path) -> None:
    rows = [HEADER, *([p, d, s] for p, d, s in FRAME.rows())]
    later = [HEADER, ["B2", datetime.date(2021, 2, 1), 2]]
    relapses = [["id", "Onset"], ["B2", datetime.date(2020, 3, 1)]]
    path = workbook(tmp_path / "export.xlsx", {"EDSS A": rows, "EDSS B": later, "Attacks": relapses})
    with pytest.raises(SourceError, match=r'2 candidates.*"export.xlsx#EDSS A"'):
        read(path)
    with pytest.raises(SourceError, match=r'none is named .visits.*"[^"]*export.xlsx#EDSS A"'):
        read(visits=path)
    with pytest.raises(SourceError, match="no sheet 'EDSS C'; did you mean 'EDSS"):
        read(visits=f"{path}#EDSS C")
    assert read(f"{path}#edss b", nobody_relapsed=True).n_visits == 1
    assert read(visits=f"{path}#EDSS A", relapses=f"{path}#Attacks").n_relapses == 1
    (tmp_path / "cohort.toml").write_text('[tables]\nvisits = "export.xlsx#EDSS A"\nrelapses = "export.xlsx#Attacks"\n')
    for source in (tmp_path, path):
        cohort = read(source)
        assert (cohort.n_visits, cohort.n_relapses) == (3, 1)
        assert "sheet 'EDSS B'" in next(f for f in check(cohort).notices if f.code == "files-not-used").problem


def test_two_sheets_of_a_table(tmp_path: Path) -> None:
    rows = [HEADER, ["A", datetime.date(2020, 1, 5), 2]]
    for name in ("export.xlsx", "visits.xlsx"):
        path = workbook(tmp_path / name, {"Visits": rows, "visits 2020": rows})
        with pytest.raises(SourceError, match=f"{name}#Visits"):
            read(tmp_path)
        path.unlink()


TITLED = 'Study X, export of 2024\n\n"Prepared by; us";;\n'


@pytest.mark.parametrize(
    ("above", "row", "told"), [(TITLED, 4, True), ("sep=;\n", 2, False), ("\n\n", 3, False), ("sep=;\nTitle\n", 3, True)]
)
def test_rows_above_the_header_of_a_text(tmp_path: Path, plain: Cohort, above: str, row: int, told: bool) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes((above + VISITS).replace("\n", "\r\n").encode())
    cohort = read(path, nobody_relapsed=True)
    assert cohort.sha256 == plain.sha256
    notes = [f.problem for f in check(cohort).notices if f.code == "file-header"]
    assert bool(notes) == told and all(f"is row {row}" in note for note in notes)
    path.write_text(above + VISITS + "B2;2020-05-01;99\n")
    assert [f.cases["row"].to_list() for f in check(read(path)).errors] == [[row + 4]]


def test_rows_above_the_header_of_a_sheet(tmp_path: Path, plain: Cohort) -> None:
    rows = [["Study X", None, None], [None, None, None], HEADER, *([p, d, s] for p, d, s in FRAME.rows()), ["B2", "x", 99]]
    report = check(read(workbook(tmp_path / "a.xlsx", {"Sheet1": rows}), nobody_relapsed=True))
    assert "is row 3" in next(f.problem for f in report.notices if f.code == "file-header")
    assert {tuple(f.cases["row"]) for f in report.errors} == {(7,)}


def test_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text('id,date,EDSS\nA,2020-01-05,2\nA,"2020-04-05,3\nA,2020-07-05,3\n')
    with pytest.raises(SourceError, match=r"row 3: a quote .* not closed") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_two_quotes_that_are_no_pair(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    lines = [
        "id,date,EDSS,note",
        "A,2020-01-05,2,ok",
        'A,2020-02-05,2,"5',
        *(f"A,2020-0{n}-05,2,ok" for n in (3, 4, 5)),
        'A,2020-06-05,2,6"',
    ]
    path.write_text("\n".join([*lines, "A,2020-07-05,2,ok", ""]))
    with pytest.raises(SourceError, match=r"row 3: a cell in quotes .* holds whole rows"):
        read(path)
    path.write_text('id,date,EDSS,note\nA,2020-01-05,2,"two\nlines, with a comma\nand more"\nA,2020-02-05,99,ok\n')
    assert [f.cases["row"].to_list() for f in check(read(path)).errors] == [[3]]


def test_a_quote_within_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("id,date,EDSS,note\n" + "A,2020-01-05,2,ok\n" * 4 + 'A,2020-04-05,3,he said "x" 5\' 3"\n' + "A,2020-07-05,2,ok\n" * 9)
    with pytest.raises(SourceError, match="row 6: a quote"):
        read(path)


def test_lines_that_end_as_on_old_computers(tmp_path: Path, plain: Cohort) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(VISITS.replace("\n", "\r").encode())
    assert read(path, nobody_relapsed=True).sha256 == plain.sha256


def test_a_sheet_of_notes_beside_a_table(tmp_path: Path) -> None:
    write(tmp_path, "visits.csv")
    workbook(tmp_path / "relapses.xlsx", {"Sheet1": [["id", "Onset"], ["B2", "2020-03-01"]], "notes": [["made by"], ["us"]]})
    assert read(tmp_path).n_relapses == 1


def test_files_of_statistics_programs_are_named(tmp_path: Path) -> None:
    for name, program in (("a.sas7bdat", "SAS"), ("a.sav", "SPSS"), ("a.dta", "Stata")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(SourceError, match=f"{program} are not read yet; export it as CSV, Parquet or Excel"):
            read(tmp_path / name)
    write(tmp_path, "visits.csv")
    assert read(tmp_path).n_visits == 3
    (tmp_path / "relapses.sav").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"relapses\.sav'.*SPSS"):
        read(tmp_path)


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "visits.parquet"
    pl.DataFrame({"patient": ["a"] * 5000, "date": ["2020-01-01"] * 5000, "edss": list(range(5000))}).write_parquet(path)
    data = bytearray(path.read_bytes())
    data[20:400] = b"\xff" * 380
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"visits\.parquet' is damaged"):
        read(path)


@pytest.mark.parametrize("ids", [[["a"], ["b"], ["c"]], [b"a", b"b", b"c"], [{"n": 1}, {"n": 2}, {"n": 3}]])
def test_ids_that_are_no_text(ids: list[Any]) -> None:
    with pytest.raises(SourceError, match=r"'patient' holds .* no ids of patients"):
        read(FRAME.with_columns(pl.Series("patient", ids)))


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


EAST = datetime.timezone(datetime.timedelta(hours=2))
MOMENTS: list[Any] = [
    datetime.datetime(2020, 1, 5, tzinfo=EAST),
    datetime.datetime(2020, 4, 5, 0, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Prague")),
    datetime.datetime(2020, 2, 1, 23, 30, tzinfo=zoneinfo.ZoneInfo("America/New_York")),
]


@pytest.mark.parametrize("moments", [MOMENTS, [MOMENTS[0], datetime.date(2020, 4, 5), datetime.datetime(2020, 2, 1)]])
def test_moments_with_a_time_zone_keep_their_own_date(plain: Cohort, moments: list[Any]) -> None:
    mapping = {"patient": FRAME["patient"].to_list(), "date": moments, "edss": FRAME["edss"].to_list()}
    frame = pd.DataFrame({**mapping, "date": pd.Series(moments, dtype=object)})
    stamps = pd.DataFrame({**mapping, "date": pd.Series([pd.Timestamp(moment) for moment in moments], dtype=object)})
    for table in (mapping, frame, stamps):
        cohort = read(table, nobody_relapsed=True)
        assert cohort.sha256 == plain.sha256 and "date-time-cut" in codes(cohort, "notice")


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
    from smoulder.loaded import plain_name as plain

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


@pytest.mark.parametrize("name", ["EDSS Score (0-10)", "edss [points]", "EDSS (0-10) "])
def test_units_in_brackets(name: str) -> None:
    report = check(read(FRAME.rename({"edss": name}), nobody_relapsed=True))
    assert not report.errors and {c.meaning: c.column for c in report.columns}["edss"] == name
    both = check(read(FRAME.with_columns(pl.col("edss").alias(name)), nobody_relapsed=True))
    assert not both.errors and "column-alike" in {f.code for f in both.notices}


def test_one_column_a_visit() -> None:
    wide = named(id=["A"], EDSS_0=[2], EDSS_12=[3])
    errors = check(read(wide, nobody_relapsed=True)).errors
    assert [f.code for f in errors] == ["table-wide"] and errors[0].problem.startswith("One row a visit is needed: 'EDSS_0', 'EDSS_12'")
    months = named(id=["A"], visit_date=["2020-01-05"], **{"SDMT month 6": [50], "SDMT month 12": [51], "EDSS": [2]})
    report = check(read(months, nobody_relapsed=True))
    assert not report.errors and "column-wide" in {f.code for f in report.warnings}
    assert "column-wide" not in codes(read(named(id=["A"], day=[3], edss=[2], sdmt_1=[4]), nobody_relapsed=True), "warning")


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
    write(tmp_path, "old_relapses.csv")
    with pytest.raises(SourceError, match="2 candidates for the table relapses"):
        read(tmp_path)


@pytest.mark.parametrize("other", ["visits_b.csv", "My_study_visits.csv", "Visits 2021.csv"])
def test_a_second_file_of_a_table_is_never_left_out_in_silence(tmp_path: Path, other: str) -> None:
    write(tmp_path, "visits.csv", other)
    with pytest.raises(SourceError, match="2 candidates for the table visits"):
        read(tmp_path)
    (tmp_path / "cohort.toml").write_text(f'[tables]\nvisits = "{other}"\n')
    told = next(f for f in check(read(tmp_path, nobody_relapsed=True)).notices if f.code == "files-not-used")
    assert "not named as a table of the cohort: visits.csv" in told.problem


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


def test_every_spelling_of_missing_is_listed() -> None:
    page = (DOCS / "data-model.md").read_text(encoding="utf-8")
    listed = page[page.index("* **Missing**") : page.index("How often each was met")]
    assert set(re.findall("`(.+?)`", listed)) == MISSING_SPELLINGS - {""}


# --- quantities that some tables have


def with_quantities(hours: list[object], volumes: list[object]) -> Cohort:
    return read(
        FRAME,
        relapses=named(patient=["B2"] * len(hours), date=[f"2020-0{number}-01" for number in range(3, 3 + len(hours))], hours=hours),
        mri=named(patient=["B2"] * len(volumes), date=[f"2020-0{number}-01" for number in range(3, 3 + len(volumes))], nbv=volumes),
    )


def test_what_else_is_known_of_relapses_and_scans() -> None:
    cohort = with_quantities(["12,5", None], [1500.25, None])
    assert not check(cohort).errors
    assert cohort.relapse_details is not None and cohort.relapse_details["duration_hours"].to_list() == [12.5, None]
    assert cohort.mri is not None and cohort.mri["brain_volume"].to_list() == [1500.25, None]
    assert cohort.subset([0]).relapse_details is not None
    assert with_quantities(["13", None], [1500.25, None]).sha256 != cohort.sha256
    assert with_quantities(["12,5", None], [1500.5, None]).sha256 != cohort.sha256


@pytest.mark.parametrize(("hours", "volumes", "table"), [([0.0], [1.0], "relapses"), ([-1.0], [1.0], "relapses"), ([1.0], [-2.0], "mri")])
def test_quantities_are_above_zero(hours: list[object], volumes: list[object], table: str) -> None:
    found = [finding for finding in with_quantities(hours, volumes).report.findings if finding.code == "number-not-above-zero"]
    assert [finding.table for finding in found] == [table]
    assert "1 value cannot be such a quantity" in found[0].problem


def test_of_one_day_the_details_do_not_hang_on_the_order_of_rows() -> None:
    def details(rows: list[tuple[str, float | None]]) -> list[tuple[object, ...]]:
        table = named(patient=["B2"] * len(rows), date=[date for date, _ in rows], hours=[hours for _, hours in rows])
        frame = read(FRAME, relapses=table).relapse_details
        assert frame is not None
        return frame.rows()

    rows = [("2020-03-01", 48.0), ("2020-03-01", 24.0), ("2020-03-01", None)]
    assert details(rows) == details(rows[::-1])
    assert [row[2] for row in details(rows)] == [24.0]


def test_a_cohort_without_details() -> None:
    assert read(FRAME, relapses=named(patient=["B2"], date=["2020-03-01"])).relapse_details is None


def test_what_the_owner_of_the_tables_says_of_them_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("patient,date,edss\nA,2020-01-01,2\nA,2020-06-01,3\n", encoding="utf-8")
    (tmp_path / "cohort.toml").write_text('[reading]\nnote = "All people are made up."\n', encoding="utf-8")
    report = read(tmp_path, nobody_relapsed=True).report
    assert report.notes == ("All people are made up.",)
    assert [finding.level for finding in report.findings if finding.code == "note"] == ["warning"]
    (tmp_path / "cohort.toml").write_text("[reading]\nnote = 3\n", encoding="utf-8")
    with pytest.raises(SourceError, match="note must be a text in quotes"):
        read(tmp_path, nobody_relapsed=True)
