"""The command line: every command, format and exit code; data on stdout only; never a traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from smoulder import __version__
from smoulder.cli import run
from smoulder.cli.options import Reading, SameDayOption
from smoulder.engine import prepared
from smoulder.outputs import Document, Files, write
from smoulder.rulebook import keys
from smoulder.tables import SameDay

SOURCE = Path(__file__).parents[1] / "src"

VISITS = """\
Patient-ID;Visit Date;EDSS Score;T25FW;Remark
P001;04.03.2019;2,0;4,8;
P001;10.09.2019;2,0;5,0;good
P001;09.03.2020;3,0;5,1;
P001;15.09.2020;3,0;;
P001;22.03.2021;3,5;;
P001;20.09.2021;3,5;6,4;
P002;11.01.2019;1,5;;
P002;15.07.2019;1,5;;
P002;20.01.2020;3,0;;
P002;13.07.2020;3,0;;
P002;20.02.2021;3,0;;
P003;05.05.2019;4,0;;
P003;06.11.2019;4,0;;
"""
RELAPSES = "Patient-ID;Onset\nP002;28.12.2019\n"
FAULTY = VISITS.replace("P002;15.07.2019;1,5", "P002;15.07.2019;99").replace("06.11.2019", "31.04.2020")


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def smoulder(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in this process."""

    def said(*arguments: str | Path) -> Said:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Said(code, captured.out, captured.err)

    return said


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "my-data"
    folder.mkdir()
    (folder / "visits.csv").write_text(VISITS, encoding="utf-8")
    (folder / "relapses.csv").write_text(RELAPSES, encoding="utf-8")
    return folder


@pytest.fixture
def faulty(data: Path) -> Path:
    (data / "visits.csv").write_text(FAULTY, encoding="utf-8")
    return data


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# Help and the way in


@pytest.mark.parametrize(
    "command", ["", "check", "events", "explain", "demo", "definitions", "definitions list", "definitions show", "definitions diff"]
)
def test_help_teaches_by_example(smoulder: Run, command: str) -> None:
    said = smoulder(*command.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert f"smoulder {command}".strip() in said.out
    assert "Examples:" in said.out or "Start here:" in said.out


def test_every_key_in_a_help_text_exists(smoulder: Run) -> None:
    texts = [smoulder(*command.split(), "--help").out for command in ("", "events", "explain", "definitions", "definitions diff")]
    named = {word.strip('",)') for text in texts for word in text.split() if word.strip('",)').startswith(("mueller-", "kappos-", "cdw-"))}
    assert named
    assert named <= set(keys())


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from smoulder.cli import run; run(['--help']); print([m for m in ('polars', 'numba', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(smoulder: Run) -> None:
    assert smoulder("--version").out.strip() == __version__


def test_the_options_are_those_of_read() -> None:
    assert get_args(SameDayOption) == get_args(SameDay)
    import inspect

    from smoulder.reading import read

    words = {"column": "columns"}
    assert {words.get(name, name) for name in Reading.__dataclass_fields__} <= set(inspect.signature(read).parameters)


# check


def test_check_shows_columns_accounts_and_findings(smoulder: Run, data: Path) -> None:
    said = smoulder("check", data)
    assert said.code == 0
    assert "EDSS Score" in said.out and "decimal comma" in said.out and "DD.MM.YYYY" in said.out
    assert "visits: 13 rows read = 13 kept" in said.out
    assert "No errors" in said.out
    assert "Next: smoulder events" in said.err


def test_check_lists_every_fault_at_once_and_returns_1(smoulder: Run, faulty: Path) -> None:
    said = smoulder("check", faulty)
    assert said.code == 1
    assert "2 errors" in said.out
    assert "patient P002: 99" in said.out and "31.04.2020" in said.out


def test_check_as_csv_and_json_and_file(smoulder: Run, faulty: Path, tmp_path: Path) -> None:
    said = smoulder("check", faulty, "--format", "csv", "-o", tmp_path / "faults.xlsx")
    assert said.code == 1
    assert {row["code"] for row in rows_of(said.out) if row["level"] == "error"} == {"score-out-of-range", "date-impossible"}
    assert (tmp_path / "faults.xlsx").is_file()
    content = json.loads(smoulder("check", faulty, "--format", "json").out)
    assert content["accounts"][0]["rows_read"] == 13
    assert {"table": "visits", "column": "EDSS Score", "meaning": "edss"}.items() <= content["columns"][2].items()


def test_check_can_save_what_it_understood(smoulder: Run, data: Path) -> None:
    assert smoulder("check", data, "--save-map").code == 0
    assert 'edss = "EDSS Score"' in (data / "cohort.toml").read_text()
    again = smoulder("check", data, "--save-map")
    assert again.code == 2
    assert "is not overwritten" in again.err
    assert "cohort.toml" in smoulder("check", data).out


def test_a_saved_map_names_the_tables_that_were_given(smoulder: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "relapses.csv").rename(tmp_path / 'the "attacks".csv')
    (data / "visits.csv").rename(data / "export.csv")
    for source in (data, data / "export.csv", Path("export.csv")):
        (data / "cohort.toml").unlink(missing_ok=True)
        monkeypatch.chdir(data)
        assert smoulder("check", source, "--relapses", tmp_path / 'the "attacks".csv', "--save-map").code == 0
        said = tomllib.loads((data / "cohort.toml").read_text(encoding="utf-8"))["tables"]
        assert said.pop("visits", "export.csv") == "export.csv"
        assert said == {"relapses": '../the "attacks".csv'}
        again = smoulder("check", source)
        assert again.code == 0
        assert "relapses: 1 row read = 1 kept" in again.out


def test_a_saved_map_beside_a_workbook_can_be_read(smoulder: Run, data: Path, tmp_path: Path) -> None:
    visits = {"patient": ["P002"] * 2, "date": ["2020-01-20", "2021-01-20"], "edss": [3, 3]}
    with xlsxwriter.Workbook(data / "export.xlsx") as book:
        pl.DataFrame(visits).write_excel(book, "Visit")
        pl.DataFrame({"code": [1], "meaning": ["one"]}).write_excel(book, "legend")
    (data / "relapses.csv").rename(tmp_path / "attacks.csv")
    assert smoulder("check", data / "export.xlsx", "--relapses", tmp_path / "attacks.csv", "--save-map").code == 0
    again = smoulder("check", data / "export.xlsx")
    assert (again.code, "relapses: 1 row read" in again.out) == (0, True)


def test_a_column_without_a_known_name_can_be_named(smoulder: Run, data: Path) -> None:
    (data / "relapses.csv").write_text(RELAPSES.replace("Onset", "Schubbeginn"), encoding="utf-8")
    said = smoulder("events", data, "-d", "mueller-2025")
    assert said.code == 1
    assert "--column" in said.err and "Schubbeginn" in said.err
    assert smoulder("events", data, "-d", "mueller-2025", "--column", "relapses.date=Schubbeginn").code == 0


# events


def test_events_for_people(smoulder: Run, data: Path) -> None:
    said = smoulder("events", data, "-d", "mueller-2025")
    assert said.code == 0
    assert "2.0 to 3.0" in said.out and "PIRA" in said.out and "RAW" in said.out
    assert "patients with PIRA: 1/3" in said.out
    assert "Known trap of mueller-2025" in said.err


def test_events_as_csv_are_nothing_but_csv(smoulder: Run, data: Path) -> None:
    said = smoulder("events", data, "-d", "mueller-2025", "--format", "csv")
    rows = rows_of(said.out)
    assert [(row["patient"], row["label"], row["onset_date"]) for row in rows] == [
        ("P001", "PIRA", "2020-03-09"),
        ("P002", "RAW", "2020-01-20"),
    ]
    assert "patients with PIRA: 1/3" in said.err


def test_events_as_json_carry_provenance(smoulder: Run, data: Path) -> None:
    content = json.loads(smoulder("events", data, "-d", "mueller-2025", "--format", "json").out)
    assert len(content["events"]) == 2
    assert content["provenance"]["definitions"][0]["key"] == "mueller-2025"
    assert content["summary"][0]["out_of"] == 3


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "json"])
def test_events_into_files(smoulder: Run, data: Path, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"events.{ending}"
    said = smoulder("events", data, "-d", "mueller-2025", "-d", "cdw-12w", "-o", target, "--threads", "1")
    assert said.code == 0
    assert f"Wrote {target}" in said.err
    assert said.out.startswith("Standardised PIRA")
    assert target.stat().st_size > 100


def test_a_table_that_cohort_toml_names_is_not_overwritten(smoulder: Run, data: Path, tmp_path: Path) -> None:
    (data / "relapses.csv").rename(tmp_path / "attacks.csv")
    (data / "cohort.toml").write_text('[tables]\nvisits = "visits.csv"\nrelapses = "../attacks.csv"\n')
    for source in (data, data / "visits.csv"):
        said = smoulder("events", source, "-d", "cdw-12w", "-o", tmp_path / "attacks.csv")
        assert (said.code, "not overwritten" in said.err) == (2, True)
    assert (tmp_path / "attacks.csv").read_text() == RELAPSES


def test_nothing_that_smoulder_did_not_write_is_overwritten(smoulder: Run, data: Path) -> None:
    (data / "visits.csv").rename(data / "visits.txt")
    (data / "notes.html").write_text("mine")
    (data / "scan.png").write_bytes(b"mine")
    before = {path: path.read_bytes() for path in data.iterdir()}
    explain = ("explain", data, "-d", "cdw-12w", "-p", "P001")
    for arguments in (
        (*explain, "-o", data / "visits.txt"),
        (*explain, "--plot", data / "notes.html"),
        (*explain, "--plot", data / "scan.png"),
        ("events", data / "visits.txt", "-d", "cdw-12w", "--nobody-relapsed", "-o", data / "relapses.csv"),
        ("events", data / "visits.txt", "-d", "cdw-12w", "--nobody-relapsed", "--follow-up", data / "relapses.csv"),
        ("check", data / "visits.txt", "-o", data / "relapses.csv"),
    ):
        said = smoulder(*arguments)
        assert (said.code, "not overwritten" in said.err, said.out) == (2, True, ""), said
        assert {path: path.read_bytes() for path in data.iterdir()} == before


def test_every_result_can_be_written_again(smoulder: Run, data: Path) -> None:
    explain, key = ("explain", data, "-p", "P001"), ("-d", "mueller-2025")
    for _ in range(2):
        for ending in ("csv", "parquet", "xlsx", "json"):
            assert smoulder("check", data, "-o", data / f"faults.{ending}").code == 0
            assert smoulder("events", data, *key, "-o", data / f"e.{ending}", "--unconfirmed", data / f"u.{ending}").code == 0
            assert smoulder(*explain, *key, "-o", data / f"p.{ending}").code == 0
        for ending in ("svg", "png", "html"):
            assert smoulder(*explain, *key, "-o", data / "p.txt", "--plot", data / f"p.{ending}").code == 0


def test_a_result_that_is_read_as_a_table_is_not_overwritten(smoulder: Run, data: Path) -> None:
    arguments = ("events", data, "-d", "cdw-12w", "--follow-up", data / "patients.parquet")
    assert smoulder(*arguments).code == 0
    said = smoulder(*arguments)
    assert (said.code, "one of the files that are read" in said.err) == (2, True)


def test_a_sheet_can_be_named_and_its_workbook_is_not_overwritten(smoulder: Run, data: Path) -> None:
    visits = {"patient": ["P002"] * 2, "date": ["2020-01-20", "2021-01-20"], "edss": [3, 3]}
    book = data.parent / "export.xlsx"
    with Files() as files:
        write(Document(name="EDSS A", table=pl.DataFrame(visits), beside={"EDSS B": pl.DataFrame(visits)}), book, files)
    key = ("-d", "cdw-12w", "--nobody-relapsed")
    assert smoulder("events", f"{book}#EDSS A", *key, "-o", data / "e.csv").code == 0
    said = smoulder("events", f"{book}#EDSS A", *key, "-o", book)
    assert (said.code, "one of the files that are read" in said.err) == (2, True), said.err


def test_provenance_says_how_the_tables_were_read(smoulder: Run, data: Path, tmp_path: Path) -> None:
    (data / "cohort.toml").write_text('[reading]\nsame_day = "lowest"\n')
    how = ("--date-format", "%d.%m.%Y", "--column", "edss=EDSS Score", "--keep-going")
    key = ("-d", "cdw-12w")
    assert smoulder("events", data, *key, *how, "-o", tmp_path / "e.csv", "--follow-up", tmp_path / "f.csv").code == 0
    assert smoulder("explain", data, *key, *how, "-p", "P001", "-o", tmp_path / "p.csv").code == 0
    assert smoulder("check", data, *how, "-o", tmp_path / "c.csv").code == 0
    for name in "efpc":
        reading = json.loads((tmp_path / f"{name}.csv.provenance.json").read_text())["reading"]
        assert (reading["same_day"], reading["keep_going"], reading["nobody_relapsed"]) == ("lowest", True, False)
        assert reading["date_format"] == "%d.%m.%Y"
        assert reading["columns"]["visits"] == {"patient": "Patient-ID", "date": "Visit Date", "edss": "EDSS Score", "t25fw": "T25FW"}
        assert reading["formats"]["visits.edss"] == "decimal comma"
    printed = json.loads(smoulder("events", data, *key, *how, "--same-day", "last", "--format", "json").out)
    assert printed["provenance"]["reading"]["same_day"] == "last"
    assert {row["definition"] for row in printed["summary"]} == {"cdw-12w"}


def test_known_traps_stand_below_the_counts_and_what_the_tables_add_beside_them(smoulder: Run, data: Path, tmp_path: Path) -> None:
    text = smoulder("definitions", "show", "cdw-12w", "--format", "toml").out
    (tmp_path / "mine.toml").write_text(text.replace('"first worsening"', '"every event"').replace('"cdw-12w"', '"mine"'))
    for target in ((), ("-o", tmp_path / "e.csv")):
        said = smoulder("events", data, "-d", tmp_path / "mine.toml", "-d", "cdw-12w", *target)
        mine, other = said.out.split("[mine]")[1].split("[cdw-12w]")
        assert "  known trap: Every event is looked for" in mine
        assert "  known trap: Confirmation has no upper bound" in mine
        assert "Every event is looked for" not in other
        assert "  known trap: Confirmation has no upper bound" in other
        assert "Known trap" not in said.err
    said = smoulder("events", data, "-d", tmp_path / "mine.toml", "--format", "csv")
    assert "  known trap: Every event is looked for" in said.err
    said = smoulder("events", data, "-d", "mueller-2025")
    assert "Known trap of mueller-2025: 1 of 3 patients with two visits or more is followed for less than the 365 days" in said.err
    assert "followed for less" not in said.out


def test_known_traps_of_many_definitions_are_told_although_their_counts_have_a_line_each(smoulder: Run, data: Path) -> None:
    said = smoulder("events", data, "-d", "portaccio-2025-grid")
    assert "known trap" not in said.out
    assert re.search(r"Known trap of portaccio-2025-grid\S+(, \S+)+ and \d+ more: Confirmation has no upper bound", said.err)


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "json"])
def test_every_written_result_says_where_the_definition_misleads_on_these_tables(
    smoulder: Run, data: Path, tmp_path: Path, ending: str
) -> None:
    known, met = "Confirmation has no upper bound", "1 of 3 patients with two visits or more is followed for less than the 365 days"
    names = {"events": "-o", "unconfirmed": "--unconfirmed", "people": "--follow-up"}
    targets = {name: tmp_path / f"{name}.{ending}" for name in names}
    said = smoulder("events", data, "-d", "mueller-2025", *(part for name, option in names.items() for part in (option, targets[name])))
    assert said.code == 0
    for target in targets.values():
        if ending == "xlsx":
            rows = [(str(row[0].value), str(row[1].value)) for row in openpyxl.load_workbook(target)["provenance"].iter_rows(min_row=2)]
            assert [value for name, value in rows if name == "known traps: mueller-2025" and value.startswith(known)]
            assert [value for name, value in rows if name == "on these tables: mueller-2025" and value.startswith(met)]
            continue
        if ending == "parquet":
            about = json.loads(pl.read_parquet_metadata(target)["smoulder"])
        elif ending == "csv":
            about = json.loads(Path(f"{target}.provenance.json").read_text(encoding="utf-8"))
        else:
            about = json.loads(target.read_text(encoding="utf-8"))["provenance"]
        assert any(sentence.startswith(known) for sentence in about["known_traps"]["mueller-2025"])
        assert any(sentence.startswith(met) for sentence in about["on_these_tables"]["mueller-2025"])


def test_what_is_no_event_and_the_follow_up_into_files(smoulder: Run, data: Path, tmp_path: Path) -> None:
    said = smoulder("events", data, "-d", "cdw-12w", "--unconfirmed", tmp_path / "u.csv", "--follow-up", tmp_path / "f.parquet")
    assert said.code == 0
    assert pl.read_parquet(tmp_path / "f.parquet")["patient"].to_list() == ["P001", "P002", "P003"]
    assert "reason" in (tmp_path / "u.csv").read_text()


def test_faults_stop_the_events_and_say_how_to_go_on(smoulder: Run, faulty: Path, tmp_path: Path) -> None:
    said = smoulder("events", faulty, "-d", "mueller-2025", "-o", tmp_path / "e.csv")
    assert said.code == 1
    assert said.out == ""
    assert "2 errors in the tables, so nothing was analysed" in said.err
    assert "--keep-going sets 2 patients aside" in said.err
    assert not (tmp_path / "e.csv").exists()


def test_keep_going_says_who_was_set_aside_everywhere(smoulder: Run, faulty: Path, tmp_path: Path) -> None:
    said = smoulder("events", faulty, "-d", "mueller-2025", "--keep-going", "-o", tmp_path / "e.csv")
    assert said.code == 0
    assert "Set aside because of faults: 2 patients: P002 (score out of range); P003 (date impossible)." in said.err
    assert "2 patients set aside because of faults" in said.out
    aside = json.loads((tmp_path / "e.csv.provenance.json").read_text())["set_aside"]
    assert [one["patient"] for one in aside] == ["P002", "P003"]


def test_keep_going_cannot_mend_a_whole_table(smoulder: Run, data: Path) -> None:
    (data / "relapses.csv").write_text(RELAPSES.replace("Onset", "Schubbeginn"), encoding="utf-8")
    said = smoulder("events", data, "-d", "mueller-2025", "--keep-going")
    assert said.code == 1
    assert "concern a whole table" in said.err


def test_no_event_is_a_result(smoulder: Run, data: Path) -> None:
    (data / "visits.csv").write_text("\n".join(line for line in VISITS.splitlines() if "P00" not in line or "P003" in line))
    (data / "relapses.csv").write_text("Patient-ID;Onset\n")
    said = smoulder("events", data, "-d", "cdw-12w", "--date-format", "%d.%m.%Y")
    assert said.code == 0
    assert "No event was found." in said.out and "0/1" in said.out


def test_nobody_at_all_is_a_result_too(smoulder: Run, data: Path) -> None:
    (data / "visits.csv").write_text("patient,date,edss\n")
    (data / "relapses.csv").write_text("patient,date\n")
    said = smoulder("events", data, "-d", "mueller-2025")
    assert said.code == 0
    assert "0/0 (no share: nobody could be assessed)" in said.out


def test_a_long_list_is_cut_and_says_so(smoulder: Run, tmp_path: Path) -> None:
    rows = [f"Q{n:02d},{day},{score}" for n in range(30) for day, score in (("2020-01-01", 2), ("2020-06-01", 3), ("2021-01-01", 3))]
    (tmp_path / "v.csv").write_text("\n".join(["patient,date,edss", *rows]))
    said = smoulder("events", tmp_path / "v.csv", "-d", "cdw-12w", "--nobody-relapsed")
    assert "and 10 more of 30" in said.out
    assert "Q19" in said.out and "Q20" not in said.out


def test_a_definition_of_ones_own_with_a_measure_of_ones_own(smoulder: Run, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("patient,date,fatigue\nA,2020-01-01,10\nA,2020-06-01,16\nA,2021-01-01,16\n")
    (tmp_path / "tired.toml").write_text(
        """
key = "tired"
title = "Confirmed worsening of fatigue"
[[measures]]
measure = "fatigue"
worsening = { steps = [{ change = 5.0 }] }
custom = { name = "fatigue scale", unit = "points", low = 0.0, high = 84.0, worse = "higher" }
[confirmation]
windows = [{ name = "12w", from_day = 84 }]
"""
    )
    said = smoulder("events", tmp_path / "v.csv", "-d", tmp_path / "tired.toml", "--nobody-relapsed")
    assert said.code == 0
    assert "10 to 16" in said.out and "[tired]" in said.out


# explain


def test_explain_in_words(smoulder: Run, data: Path) -> None:
    said = smoulder("explain", data, "-d", "mueller-2025", "-p", "P002")
    assert said.code == 0
    assert "Patient P002" in said.out and "Verdict: worsening (RAW)" in said.out


def test_explain_as_csv_json_and_files(smoulder: Run, data: Path, tmp_path: Path) -> None:
    arguments = ("explain", data, "-d", "mueller-2025", "-p", "P001")
    assert rows_of(smoulder(*arguments, "--format", "csv").out)[0]["step"] == "baseline"
    content = json.loads(smoulder(*arguments, "--format", "json").out)
    assert content["patient"] == "P001" and content["provenance"]["definitions"]
    for ending in ("txt", "csv", "xlsx", "json", "parquet"):
        assert smoulder(*arguments, "-o", tmp_path / f"p.{ending}").code == 0
        assert (tmp_path / f"p.{ending}").stat().st_size > 100
    assert smoulder(*arguments, "-o", tmp_path / "q.txt").out == ""
    assert smoulder(*arguments, "--plot", tmp_path / "p.svg").code == 0
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("patient", "hint"),
    [
        ("P01", "did you mean 'P001'?"),
        ("p-001", "did you mean 'P001'?"),
        ("P0011", "did you mean 'P001'"),
        ("x", "there are: P001, P002, P003"),
    ],
)
def test_an_unknown_patient_is_met_with_near_ones(smoulder: Run, data: Path, patient: str, hint: str) -> None:
    said = smoulder("explain", data, "-d", "mueller-2025", "-p", patient)
    assert said.code == 2
    assert hint in said.err


def test_an_id_without_its_leading_zeros_is_met_with_the_one_there_is(smoulder: Run, data: Path) -> None:
    (data / "visits.csv").write_text(VISITS.replace("P0", "0"))
    (data / "relapses.csv").write_text(RELAPSES.replace("P0", "0"))
    said = smoulder("explain", data, "-d", "mueller-2025", "-p", "2")
    assert said.code == 2
    assert re.search(r"There is no patient '2'; (did you mean '002'\?|there are: 002\.)", said.err)


def test_a_patient_who_was_set_aside_is_told_as_such(smoulder: Run, faulty: Path) -> None:
    said = smoulder("explain", faulty, "-d", "mueller-2025", "-p", "P002", "--keep-going")
    assert said.code == 1
    assert "was set aside because of faults in the tables: score out of range" in said.err


# definitions


def test_definitions_list(smoulder: Run) -> None:
    assert {row["key"] for row in rows_of(smoulder("definitions", "list", "--format", "csv").out)} == set(keys())
    walks = json.loads(smoulder("definitions", "list", "--measure", "t25fw", "--format", "json").out)
    assert walks and all("t25fw" in one["measures"].split() for one in walks)
    said = smoulder("definitions", "list")
    assert "mueller-2025" in said.out
    wrong = smoulder("definitions", "list", "--measure", "t25f")
    assert (wrong.code, "did you mean 't25fw'" in wrong.err) == (2, True)


@pytest.mark.parametrize("key", keys())
def test_definitions_show(smoulder: Run, key: str) -> None:
    from smoulder.rulebook import definition

    said = smoulder("definitions", "show", key)
    assert said.code == 0
    assert " ".join(definition(key).prose().split()) in " ".join(said.out.split())
    assert "how it is known" in said.out and "Worked patient" in said.out


def test_definitions_show_round_trip(smoulder: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(smoulder("definitions", "show", "mueller-2025", "--format", "toml").out, encoding="utf-8")
    said = smoulder("definitions", "diff", "mueller-2025", tmp_path / "mine.toml")
    assert "decide alike" in said.out
    assert json.loads(smoulder("definitions", "show", "mueller-2025", "--format", "json").out)["key"] == "mueller-2025"


def test_definitions_diff(smoulder: Run) -> None:
    assert "confirmation.windows" in smoulder("definitions", "diff", "cdw-12w", "cdw-24w").out
    rows = rows_of(smoulder("definitions", "diff", "cdw-12w", "cdw-24w", "--format", "csv").out)
    content = json.loads(smoulder("definitions", "diff", "cdw-12w", "cdw-24w", "--format", "json").out)
    assert [row["setting"] for row in rows] == [one["setting"] for one in content["differences"]]
    assert smoulder("definitions", "diff", "cdw-12w", "cdw-12w", "--format", "csv").out == "setting,a,b\n"


# Wrong use


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evnts"], 'Did you mean "events"'),
        (["events", "DATA"], "smoulder definitions list"),
        (["events", "DATA", "-d", "mueler-2025"], "did you mean 'mueller-2025'"),
        (["events", "DATA", "-d", "none.toml"], "none.toml: cannot be read"),
        (["events", "DATA", "-d", "cdw-12w", "-d", "cdw-12w"], "Two definitions have the key"),
        (["events", "DATA", "-d", "cdw-12w", "--threads", "0"], "--threads must be 1 or more"),
        (["events", "DATA", "-d", "cdw-12w", "-o", "events.doc"], "possible are"),
        (["events", "DATA", "-d", "cdw-12w", "-o", "nowhere/e.csv"], "There is no folder"),
        (["events", "DATA", "-d", "cdw-12w", "-o", "DATA/visits.csv"], "not overwritten"),
        (["events", "DATA", "-d", "edss-plus"], "There is no measure"),
        (["events", "DATA-", "-d", "cdw-12w"], "did you mean"),
        (["events", "DATA", "-d", "cdw-12w", "--relapses", "none.csv"], "There is no file or folder 'none.csv'"),
        (["check", "DATA", "--column", "edss"], "--column takes NAME=COLUMN"),
        (["check", "DATA", "--column", "eds=x"], "There is no column 'eds'"),
        (["check", "DATA", "--date-format", "%Y", "--date-format", "%d"], "--date-format takes one format"),
        (["check", "DATA", "--same-day", "lst"], 'Did you mean "last"'),
        (["check", "DATA", "--frmat", "csv"], "Unknown option"),
        (["explain", "DATA", "-d", "cdw-12w"], "--patient"),
        (["explain", "DATA", "-d", "cdw-12w", "-p", "P001", "--plot", "p.bmp"], "'.svg', '.png' or '.html'"),
        (["definitions", "show", "nothing"], "There is no definition 'nothing'"),
    ],
)
def test_wrong_use_is_met_with_a_sentence_and_2(smoulder: Run, data: Path, arguments: list[str], said: str) -> None:
    found = smoulder(*(argument.replace("DATA", str(data)) for argument in arguments))
    assert found.code == 2
    assert said in found.err
    assert found.out == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.xlsx", b"no workbook"),
        ("v.parquet", b"no parquet"),
        ("v.csv", b"a,b\n1,2\n"),
        ("v.csv", b""),
        ("v.csv", b"patient,date,edss\nA,2020-01-01,2,0\n"),
        ("v.csv", b"\xff\xfe\x00\x01\x02"),
        ("v.xyz", b"patient,date,edss\nA,2020-01-01,2\n"),
    ],
)
def test_files_that_cannot_be_read_are_a_fault_in_the_data(smoulder: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    said = smoulder("events", tmp_path / name, "-d", "cdw-12w", "--nobody-relapsed")
    assert said.code == 1
    assert said.err.startswith("smoulder: ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ((), "--same-day last"),
        (("--same-day", "last"), ""),
    ],
)
def test_two_scores_a_day_are_answered_with_the_option(smoulder: Run, data: Path, arguments: tuple[str, ...], hint: str) -> None:
    (data / "visits.csv").write_text(VISITS + "P003;06.11.2019;5,0;;\n")
    for command in (("check", data), ("events", data, "-d", "cdw-12w")):
        said = smoulder(*command, *arguments)
        assert said.code == (1 if hint else 0)
        assert ("On the command line: --same-day last, lowest or highest." in said.err) == bool(hint)


def test_dates_that_can_be_read_in_two_ways_are_answered_with_the_option(smoulder: Run, data: Path) -> None:
    (data / "visits.csv").write_text("patient,date,edss\nP002,01/02/2020,2\nP002,03/04/2020,2\n")
    for command in (("check", data), ("events", data, "-d", "cdw-12w")):
        said = smoulder(*command)
        assert said.code == 1
        assert "--date-format %d.%m.%Y" in said.err
    said = smoulder("check", data, "--date-format", "visit=%Y")
    assert (said.code, "--date-format relapses=%Y-%m-%d" in said.err) == (2, True)


def test_a_missing_table_of_relapses_is_answered_with_the_option(smoulder: Run, data: Path) -> None:
    (data / "relapses.csv").unlink()
    assert "On the command line: --nobody-relapsed" in smoulder("check", data).err
    assert "On the command line: --nobody-relapsed" not in smoulder("check", data, "--nobody-relapsed").err


# What goes wrong with us


def test_our_own_fault_is_owned(smoulder: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoulder.reading.read", lambda *args, **kwargs: 1 / 0)
    said = smoulder("check", data)
    assert said.code == 70
    assert "This is our fault" in said.err and "ZeroDivisionError" in said.err


def test_the_traceback_is_there_for_those_who_ask(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("smoulder.reading.read", lambda *args, **kwargs: 1 / 0)
    monkeypatch.setenv("SMOULDER_DEBUG", "1")
    assert run(["check", str(data)]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_stopping_is_no_fault(smoulder: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("smoulder.reading.read", stopped)
    assert smoulder("check", data) == Said(130, "", "Stopped.\n")


def test_a_full_disk_leaves_nothing_half_written(smoulder: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    before = sorted(tmp_path.rglob("*"))
    said = smoulder("events", data, "-d", "cdw-12w", "-o", tmp_path / "e.csv")
    assert said.code == 2
    assert "No space left on device" in said.err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_first_call_says_that_the_engine_is_prepared(smoulder: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smoulder.engine.is_prepared", lambda: False)
    assert "Preparing the engine for this machine (once" in smoulder("events", data, "-d", "cdw-12w").err
    monkeypatch.setattr("smoulder.engine.is_prepared", lambda: True)
    assert "Preparing" not in smoulder("events", data, "-d", "cdw-12w").err


def test_an_empty_cache_is_not_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not prepared.is_prepared()


def test_what_numba_keeps_is_recognised(smoulder: Run, data: Path) -> None:
    from smoulder.engine.kernel.scan import scan_chunk

    assert smoulder("events", data, "-d", "cdw-12w").code == 0
    index = Path(scan_chunk.stats.cache_path)
    assert any(index.glob(prepared.INDEX))


# A few for real


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), **more}


def real(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smoulder", *(str(argument) for argument in arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment(**more), encoding="utf-8")


def test_exit_codes_of_the_process(data: Path) -> None:
    assert real("check", data).returncode == 0
    assert real("check").returncode == 2
    (data / "visits.csv").write_text(FAULTY, encoding="utf-8")
    done = real("check", data)
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0)


def test_a_reader_who_has_seen_enough_is_no_fault() -> None:
    command = f"'{sys.executable}' -m smoulder definitions show mueller-2025 | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["definitions list", "definitions list --format csv", "demo", "--help"])
def test_a_reader_who_has_gone_is_no_fault(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "smoulder", *command.split()],
        check=False,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", ["definitions list", "definitions show cdw-12w --format toml", "demo", "events DATA -d cdw-12w --format csv"]
)
def test_a_full_disk_behind_stdout_is_told_in_a_sentence(data: Path, command: str) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this machine has no /dev/full")
    arguments = [sys.executable, "-m", "smoulder", *command.replace("DATA", str(data)).split()]
    with full.open("w") as out:
        done = subprocess.run(arguments, check=False, stdout=out, stderr=subprocess.PIPE, text=True, env=environment())
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1] == "smoulder: The result cannot be written: No space left on device."
        assert "our fault" not in done.stderr
        assert subprocess.run(arguments, check=False, stdout=out, stderr=out, env=environment()).returncode == 2


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "json", "svg", "html", "txt"])
def test_a_full_disk_behind_a_file_is_told_in_a_sentence(data: Path, tmp_path: Path, ending: str) -> None:
    resource = pytest.importorskip("resource")
    small = (1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    option = "--plot" if ending in ("svg", "html") else "-o"
    command = ["explain", str(data), "-d", "mueller-2025", "-p", "P002", option, str(tmp_path / f"p.{ending}")]
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "smoulder", *command],
        check=False,
        capture_output=True,
        text=True,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, small),
    )
    assert done.returncode == 2, done.stderr
    assert re.search(r"^smoulder: .*cannot be written.*File too large", done.stderr, re.MULTILINE)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_closed_stdout_is_no_fault() -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m smoulder definitions list >&-"],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0


def test_a_terminal_without_our_signs_is_no_fault() -> None:
    done = real("definitions", "show", "mueller-2025", PYTHONIOENCODING="ascii")
    assert done.returncode == 0


# The documentation

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the code blocks of a page: what stands behind the backticks, and the content."""
    return re.findall(r"^```(.*)\n((?:.*\n)*?)```$", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", ["getting-started.md", "command-line.md"])
def test_every_command_of_a_page_says_what_the_page_says(smoulder: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.chdir(tmp_path)
    n_commands = 0
    names: dict[str, object] = {}
    for head, content in blocks(page):
        if title := re.search('title="(.+)"', head):
            Path(title.group(1)).parent.mkdir(exist_ok=True)
            Path(title.group(1)).write_text(content, encoding="utf-8")
        elif content.startswith("$ smoulder "):
            command, *shown = content.splitlines()
            said = smoulder(*shlex.split(command)[2:])
            found = [line.rstrip() for line in (said.out + said.err).splitlines()]
            assert [line for line in shown if line != "..." and line not in found] == [], command
            n_commands += 1
        elif head == "python":
            # A page is read from its beginning: what an earlier block made is there in a later one.
            exec(compile(content, page, "exec"), names)
    assert n_commands >= 5


def test_every_command_has_its_section() -> None:
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    for name in ("check", "events", "explain", "definitions", "demo"):
        assert f"\n## {name}\n" in page
    for option in Reading.__dataclass_fields__:
        assert f"`--{option.replace('_', '-')}" in page
