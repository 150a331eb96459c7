"""Results into files: every ending, provenance in each, whole or not at all, and never over what was read."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import polars as pl
import pytest

from smoulder import outputs
from smoulder.engine import detect, explain
from smoulder.errors import UsageError
from smoulder.events import Events
from smoulder.figures import plot_patient
from smoulder.outputs import (
    Document,
    Files,
    check_target,
    companion,
    definition_frame,
    events_document,
    summary_frame,
    write_events,
    write_figure,
    write_table,
    write_text,
)
from smoulder.reading import read

VISITS = {
    "patient": ["http://1"] * 4 + ["002"] * 4,
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
    assert about == json.loads(events.provenance.json()) | {"file": "e.csv"}
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
    assert people == ["002", "http://1"]
    assert all(cell.hyperlink is None for row in book["follow_up"].iter_rows() for cell in row)
    evidence = {row[3].value for row in book["definition"].iter_rows(min_row=2)}
    assert {"seen", "assumed"} <= evidence


def test_no_text_becomes_a_formula(tmp_path: Path) -> None:
    write_table(pl.DataFrame({"a": ["=1+1"]}), tmp_path / "e.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "e.xlsx").worksheets[0]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


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
    write_events(events, target)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    monkeypatch.setattr(Document, "json", full)
    monkeypatch.setattr(outputs, "_write_workbook", full)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        write_events(events, target)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


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


@pytest.mark.parametrize("name", ["e", "u", "f"])
@pytest.mark.parametrize("ending", outputs.TABLE_ENDINGS)
def test_every_file_has_the_whole_provenance(events: Events, tmp_path: Path, name: str, ending: str) -> None:
    targets = {one: tmp_path / f"{one}{ending}" for one in "euf"}
    write_events(
        events, targets["e"], unconfirmed=targets["u"], follow_up=targets["f"], extra={"reading": {"same_day": "last", "columns": {}}}
    )
    if ending == ".xlsx":
        book = openpyxl.load_workbook(targets[name])
        assert {"definition", "provenance"} <= set(book.sheetnames)
        known = {str(row[0].value): row[1].value for row in book["provenance"].iter_rows(min_row=2)}
        assert (known["input sha256"], known["reading: same_day"]) == (events.provenance.input_sha256, "last")
        return
    if ending == ".parquet":
        about = json.loads(pl.read_parquet_metadata(targets[name])["smoulder"])
    elif ending == ".csv":
        about = json.loads(companion(targets[name]).read_text(encoding="utf-8"))
    else:
        about = json.loads(targets[name].read_text(encoding="utf-8"))["provenance"]
    assert about["reading"] == {"same_day": "last", "columns": {}}
    assert about.items() >= json.loads(events.provenance.json()).items()


def test_any_error_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Files() as files:
        files.part(tmp_path / "a.txt").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    write_table(pl.DataFrame({"a": [1]}), tmp_path / "there" / "real.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "there" / "real.csv")
    for n in (2, 3):
        write_table(pl.DataFrame({"a": [n]}), tmp_path / "link.csv")
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "there" / "real.csv").read_text() == f"a\n{n}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"there", "link.csv"}


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
        write_table(pl.DataFrame({"a": [1]}), tmp_path / f"t{ending}", inputs=(tmp_path,))


NOT_OURS = {
    ".csv": b"patient,date,edss\n",
    ".parquet": b"PAR1",
    ".xlsx": b"PK",
    ".json": b'{"smoulder-data": 1}',
    ".txt": b"Written by Smoulder 0.1.0\npatient,date,edss\n",
    ".svg": b"<svg><text>Smoulder</text></svg>",
    ".html": b"<!DOCTYPE html><p>Smoulder</p>",
    ".png": b"\x89PNG\r\n\x1a\nmine",
    ".toml": b"[tables]",
}


@pytest.mark.parametrize("ending", NOT_OURS)
def test_a_file_that_is_not_ours_is_not_overwritten_anywhere(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"mine{ending}"
    for content in (NOT_OURS[ending], b""):
        target.write_bytes(content)
        with pytest.raises(UsageError, match=r"was not written by Smoulder.*Choose another name, or delete it"), Files() as files:
            files.part(target).write_text("result")
        assert target.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_provenance_makes_only_its_own_file_ours(tmp_path: Path) -> None:
    write_table(pl.DataFrame({"a": [1]}), tmp_path / "e.csv")
    companion(tmp_path / "e.csv").rename(companion(tmp_path / "other.csv"))
    for name in ("e.csv", "other.csv"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match="not overwritten"):
            write_table(pl.DataFrame({"a": [2]}), tmp_path / name)


def test_a_workbook_that_somebody_went_on_with_is_theirs(tmp_path: Path) -> None:
    write_table(pl.DataFrame({"a": [1]}), tmp_path / "e.xlsx")
    book = openpyxl.load_workbook(tmp_path / "e.xlsx")
    book.properties.lastModifiedBy = "A. Person"
    book.save(tmp_path / "e.xlsx")
    with pytest.raises(UsageError, match="not overwritten"):
        write_table(pl.DataFrame({"a": [2]}), tmp_path / "e.xlsx")


def test_texts_and_figures_are_known_again(tmp_path: Path) -> None:
    told = explain(read(VISITS, nobody_relapsed=True), "002", "cdw-12w")
    figure = plot_patient(told)
    for n in range(2):
        with Files() as files:
            write_text(f"text {n}", tmp_path / "a.txt", files)
            for ending in (".svg", ".html", ".png"):
                write_figure(figure, tmp_path / f"a{ending}", files)
    assert (tmp_path / "a.txt").read_text().startswith("text 1\n\nWritten by Smoulder ")
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    assert_png(tmp_path / "a.png")


def assert_png(path: Path) -> None:
    """Check the sum of every chunk of a PNG, and that the last one is IEND."""
    content, at, kinds = path.read_bytes(), 8, []
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(body),)
        kinds.append(body[:4])
        at += 12 + length
    assert kinds[-2:] == [b"tEXt", b"IEND"]


def test_another_name_of_what_was_read_is_never_overwritten(tmp_path: Path) -> None:
    write_table(pl.DataFrame({"a": [1]}), tmp_path / "e.parquet")
    os.link(tmp_path / "e.parquet", tmp_path / "same.parquet")
    with pytest.raises(UsageError, match="one of the files that are read"):
        write_table(pl.DataFrame({"a": [2]}), tmp_path / "same.parquet", inputs=(tmp_path / "e.parquet",))


def test_a_sheet_that_would_be_too_long_is_refused(events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_SHEET_ROWS", 1)
    with pytest.raises(UsageError, match=r"a worksheet holds 1\. Write CSV or Parquet"):
        write_events(events, tmp_path / "e.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_counts_keep_what_they_are_out_of(events: Events) -> None:
    frame = summary_frame(events.summaries())
    row = frame.row(by_predicate=(pl.col("what") == "patients with PIRA"), named=True)
    assert set(frame["definition"]) == {"kappos-2020-edss", "cdw-12w"}
    assert dict(frame.select("definition", "title").rows()) == {one.key: one.title for one in events.definitions}
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
