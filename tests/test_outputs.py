"""Results into files: every ending, provenance in each, whole or not at all, and never over what was read."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from smoulder import outputs
from smoulder.engine import detect
from smoulder.errors import UsageError
from smoulder.events import Events
from smoulder.outputs import (
    Document,
    Files,
    check_target,
    companion,
    definition_frame,
    events_document,
    summary_frame,
    write_events,
    write_table,
    write_text,
)
from smoulder.reading import read

VISITS = {
    "patient": ["=1+1"] * 4 + ["002"] * 4,
    "date": ["2020-01-06", "2020-04-06", "2020-07-06", "2021-08-06"] * 2,
    "edss": [2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 5.0, 4.0],
}


@pytest.fixture(scope="module")
def events() -> Events:
    cohort = read(VISITS, relapses={"patient": ["002"], "date": ["2020-06-30"]})
    return detect(cohort, ["kappos-2020-edss", "cdw-12w"])


@pytest.fixture(scope="module")
def nothing() -> Events:
    return detect(read({"patient": ["A"], "date": ["2020-01-06"], "edss": [2.0]}, nobody_relapsed=True), "cdw-12w")


def test_csv_has_every_row_and_its_provenance_beside_it(events: Events, tmp_path: Path) -> None:
    write_events(events, tmp_path / "e.csv")
    frame = pl.read_csv(tmp_path / "e.csv", try_parse_dates=True, schema_overrides={"patient": pl.String})
    assert frame.height == events.table.height > 0
    assert frame["onset_date"].dtype == pl.Date
    about = json.loads(companion(tmp_path / "e.csv").read_text(encoding="utf-8"))
    assert about == json.loads(events.provenance.json())
    assert [one["key"] for one in about["definitions"]] == ["kappos-2020-edss", "cdw-12w"]
    assert about["input_sha256"] and about["version"]


def test_parquet_carries_provenance_and_the_same_rows(events: Events, tmp_path: Path) -> None:
    write_events(events, tmp_path / "e.parquet")
    assert pl.read_parquet(tmp_path / "e.parquet").equals(events.dated())
    assert pl.read_parquet_metadata(tmp_path / "e.parquet")["smoulder"] == events.provenance.json()


def test_json_carries_summary_and_provenance(events: Events, tmp_path: Path) -> None:
    write_events(events, tmp_path / "e.json")
    content = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert list(content) == ["smoulder", "events", "summary", "provenance"]
    assert len(content["events"]) == events.table.height
    assert content["provenance"] == events.provenance.as_dict()


def test_workbook_has_all_sheets_and_texts_stay_texts(events: Events, tmp_path: Path) -> None:
    write_events(events, tmp_path / "e.xlsx")
    book = openpyxl.load_workbook(tmp_path / "e.xlsx")
    assert book.sheetnames == ["events", "unconfirmed", "follow_up", "summary", "definition", "provenance"]
    people = [row[0].value for row in book["follow_up"].iter_rows(min_row=2)]
    assert people == ["002", "=1+1"]
    assert all(cell.data_type != "f" for row in book["follow_up"].iter_rows() for cell in row)
    evidence = {row[3].value for row in book["definition"].iter_rows(min_row=2)}
    assert {"seen", "assumed"} <= evidence


@pytest.mark.parametrize("ending", outputs.TABLE_ENDINGS)
def test_no_event_is_a_result_with_all_columns(nothing: Events, tmp_path: Path, ending: str) -> None:
    write_events(nothing, tmp_path / f"e{ending}")
    if ending == ".csv":
        assert (tmp_path / "e.csv").read_text().splitlines()[0].split(",") == nothing.dated().columns
    assert (tmp_path / f"e{ending}").stat().st_size > 0


@pytest.mark.parametrize("ending", outputs.TABLE_ENDINGS)
def test_the_same_result_gives_the_same_bytes(events: Events, tmp_path: Path, ending: str) -> None:
    write_events(events, tmp_path / f"a{ending}")
    write_events(events, tmp_path / f"b{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


@pytest.mark.parametrize("ending", outputs.TABLE_ENDINGS)
def test_a_failure_leaves_what_was_there(events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    target = tmp_path / f"e{ending}"
    target.write_text("before")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(outputs, "companion", full)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    monkeypatch.setattr(Document, "json", full)
    monkeypatch.setattr(outputs, "_write_workbook", full)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        write_events(events, target)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_text() == "before"


def test_several_files_appear_together_or_not_at_all(events: Events, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="possible are"):
        write_events(events, tmp_path / "e.csv", unconfirmed=tmp_path / "u.doc")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="Two results are meant for one file"):
        write_events(events, tmp_path / "e.csv", unconfirmed=tmp_path / "e.csv")
    assert list(tmp_path.iterdir()) == []
    write_events(events, tmp_path / "e.csv", unconfirmed=tmp_path / "u.parquet", follow_up=tmp_path / "f.json")
    assert {path.name for path in tmp_path.iterdir()} == {"e.csv", "e.csv.provenance.json", "u.parquet", "f.json"}
    assert "follow_up" in json.loads((tmp_path / "f.json").read_text())


def test_any_error_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Files() as files:
        files.part(tmp_path / "a.txt").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "there" / "real.txt")
    write_text("new", tmp_path / "link.txt")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there" / "real.txt").read_text() == "new"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("e.doc", "it ends in '.doc', possible are '.csv', '.parquet', '.xlsx' or '.json'"),
        ("e", "it has no ending"),
        ("no/e.csv", "There is no folder"),
        ("folder.csv", "is a folder"),
    ],
)
def test_an_impossible_target_is_refused_in_words(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        check_target(tmp_path / name, (), outputs.TABLE_ENDINGS)


def test_what_was_read_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "visits.csv"
    source.write_text("patient,date,edss\n")
    for inputs in ((source,), (tmp_path,), (str(tmp_path / "." / "visits.csv"),)):
        with pytest.raises(UsageError, match="not overwritten"):
            write_table(pl.DataFrame({"a": [1]}), source, inputs=inputs)
    assert source.read_text() == "patient,date,edss\n"


@pytest.mark.parametrize("ending", outputs.TABLE_ENDINGS)
def test_own_results_in_the_folder_of_the_data_may_be_written_again(events: Events, tmp_path: Path, ending: str) -> None:
    for _ in range(2):
        write_events(events, tmp_path / f"e{ending}", inputs=(tmp_path,))
    (tmp_path / f"other{ending}").write_text("not ours")
    with pytest.raises(UsageError, match="was not written by Smoulder"):
        write_events(events, tmp_path / f"other{ending}", inputs=(tmp_path,))


def test_a_sheet_that_would_be_too_long_is_refused(events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_SHEET_ROWS", 1)
    with pytest.raises(UsageError, match=r"a worksheet holds 1\. Write CSV or Parquet"):
        write_events(events, tmp_path / "e.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_counts_keep_what_they_are_out_of(events: Events) -> None:
    frame = summary_frame(events.summaries())
    row = frame.row(by_predicate=(pl.col("what") == "patients with PIRA"), named=True)
    assert (row["n"], row["out_of"]) == (1, 2)
    assert row["percent"] == 50.0
    assert row["percent_low"] < 50 < row["percent_high"]
    assert frame["person_years"].null_count() == 0


def test_the_definition_goes_along_in_full(events: Events) -> None:
    frame = definition_frame(events.definitions)
    for one in events.definitions:
        settings = frame.filter(pl.col("definition") == one.key)["setting"].to_list()
        assert set(one.settings()) <= set(settings)
        assert one.prose() in frame["value"].to_list()


def test_people_set_aside_are_named_in_every_result(tmp_path: Path) -> None:
    visits = {"patient": ["A", "A", "B", "B"], "date": ["2020-01-01", "2020-06-01"] * 2, "edss": [2.0, 2.0, 2.0, 99.0]}
    found = detect(read(visits, nobody_relapsed=True, keep_going=True), "cdw-12w")
    document = events_document(found)
    assert '"patient": "B"' in document.json()
    assert "set aside" in document.beside["provenance"]["name"].to_list()
    write_events(found, tmp_path / "e.csv")
    assert "score-out-of-range" in companion(tmp_path / "e.csv").read_text()
