"""The commands of the algorithms beside the scan: every command, its formats and files, its reasons, wrong use; the page runs."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from smoulder.cli import run

VISITS = """\
Patient-ID;Visit Date;EDSS Score;SDMT
P001;04.03.2019;5,0;50
P001;10.09.2019;6,0;44
P001;09.03.2020;6,0;45
P001;15.09.2020;6,5;
P002;11.01.2019;2,0;61
P002;15.07.2019;2,0;60
P002;12.01.2020;2,0;62
P002;13.07.2022;2,5;58
P003;05.05.2019;4,0;
"""
RELAPSES = "Patient-ID;Onset\nP001;28.08.2019\nP001;08.09.2019\nP002;01.01.2019\n"
MRI = "Patient-ID;Scan Date;New T2;Gd\nP002;10.01.2019;2;1\nP002;10.01.2020;0;0\nP001;25.02.2020;0;\n"

COMMANDS = {
    "milestone": ("milestone", "DATA", "6"),
    "progression": ("progression", "DATA", "--without-systems"),
    "neda": ("neda", "DATA", "-d", "cdw-12w"),
    "relapses": ("relapses", "DATA"),
    "follow-up": ("follow-up", "DATA"),
    "decompose": ("decompose", "DATA"),
    "area": ("area", "DATA"),
}


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
    (folder / "mri.csv").write_text(MRI, encoding="utf-8")
    return folder


def words(name: str, data: Path) -> list[str]:
    """Return the words of a command with its data."""
    return [word.replace("DATA", str(data)) for word in COMMANDS[name]]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(smoulder: Run, name: str) -> None:
    said = smoulder(name, "--help")
    assert (said.code, said.err) == (0, "")
    assert f"Examples:\n  smoulder {name} my-data/" in said.out
    assert "Exit code:" in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_and_the_shares_are_for_people(smoulder: Run, data: Path, name: str) -> None:
    said = smoulder(*words(name, data))
    assert said.code == 0
    assert said.out.startswith("patient")
    assert "P001" in said.out and re.search(r"\d/\d \(", said.out)
    assert max(len(line) for line in said.out.splitlines()) <= 150


@pytest.mark.parametrize("name", COMMANDS)
def test_data_go_to_stdout_and_words_beside_them(smoulder: Run, data: Path, name: str) -> None:
    as_csv = smoulder(*words(name, data), "--format", "csv")
    as_json = json.loads(smoulder(*words(name, data), "--format", "json").out)
    rows = rows_of(as_csv.out)
    assert [row["patient"] for row in rows] == [row["patient"] for row in as_json["outcome"]]
    assert len(rows) >= 2
    assert re.search(r"\d/\d \(", as_csv.err)
    assert as_json["provenance"]["rule"] and as_json["provenance"]["methods"]
    assert as_json["summary"][0]["out_of"] is not None


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "json"])
def test_files(smoulder: Run, data: Path, tmp_path: Path, name: str, ending: str) -> None:
    target = tmp_path / f"out.{ending}"
    said = smoulder(*words(name, data), "-o", target)
    assert said.code == 0
    assert f"Wrote {target}" in said.err
    assert not said.out.startswith("patient")
    printed = rows_of(smoulder(*words(name, data), "--format", "csv").out)
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "xlsx": pl.read_excel}
    rows = json.loads(target.read_text())["outcome"] if ending == "json" else read[ending](target).to_dicts()
    assert [row["patient"] for row in rows] == [row["patient"] for row in printed]
    assert list(rows[0]) == list(printed[0])
    assert smoulder(*words(name, data), "-o", target).code == 0
    if ending == "csv":
        known = json.loads((tmp_path / "out.csv.provenance.json").read_text())
        assert known["outcome"] and known["rule"] and known["input_sha256"] and known["reading"]


def test_a_workbook_has_the_rule_and_the_reasons(smoulder: Run, data: Path, tmp_path: Path) -> None:
    target = tmp_path / "neda.xlsx"
    assert smoulder(*words("neda", data), "-p", "P002", "-o", target).code == 0
    rule = dict(pl.read_excel(target, sheet_name="rule").iter_rows())
    assert (rule["to_day"], rule["scans.near_end_days"], rule["worsening.key"]) == ("365", "183", "cdw-12w")
    assert pl.read_excel(target, sheet_name="reasons")["patient"].unique().to_list() == ["P002"]
    assert "unknown" in pl.read_excel(target, sheet_name="summary")["what"].to_list()


@pytest.mark.parametrize("command", [("neda",), ("explain", "-p", "P001")])
def test_a_grid_is_no_definition_for_a_command_that_takes_one(smoulder: Run, data: Path, command: tuple[str, ...]) -> None:
    said = smoulder(command[0], data, *command[1:], "-d", "mueller-2025-grid")
    assert (said.code, said.out) == (2, "")
    assert "'mueller-2025-grid' is a grid of 360 definitions; name one of them, such as 'mueller-2025-grid.pira-" in said.err
    one = smoulder(command[0], data, *command[1:], "-d", "mueller-2025-grid.pira-6m-score-90d-30d")
    assert one.code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_reasons_of_a_patient(smoulder: Run, data: Path, name: str) -> None:
    said = smoulder(*words(name, data), "-p", "P001", "-p", "P003")
    assert said.code == 0
    assert said.out.index("Patient P001\n  ") < said.out.index("Patient P003\n  ")
    nobody = smoulder(*words(name, data), "-p", "P1")
    assert (nobody.code, nobody.out) == (2, "")
    assert "There is no patient 'P1'; did you mean 'P001'?" in nobody.err


def test_milestone(smoulder: Run, data: Path) -> None:
    rows = rows_of(smoulder(*words("milestone", data), "--format", "csv").out)
    assert [(row["patient"], row["reached"], row["date"]) for row in rows] == [
        ("P001", "true", "2019-09-10"),
        ("P002", "false", "2022-07-13"),
        ("P003", "false", "2019-05-05"),
    ]
    later = rows_of(smoulder(*words("milestone", data), "--confirmed-after", "372", "--format", "csv").out)
    assert [row["reached"] for row in later] == ["false"] * 3
    just = rows_of(smoulder(*words("milestone", data), "--confirmed-after", "371", "--format", "csv").out)
    assert just[0]["reached"] == "true"
    sdmt = rows_of(smoulder("milestone", data, "45", "--measure", "sdmt", "--format", "csv").out)
    assert [row["reached"] for row in sdmt] == ["true", "false", ""]


def test_neda(smoulder: Run, data: Path) -> None:
    rows = rows_of(smoulder(*words("neda", data), "--format", "csv").out)
    assert [row["neda"] for row in rows] == ["false", "true", ""]
    four = rows_of(smoulder(*words("neda", data), "--neda4", "--format", "csv").out)
    assert [row["neda"] for row in four] == ["false", "", ""]
    zero = rows_of(smoulder(*words("neda", data), "--time-zero", "--format", "csv").out)
    assert [row["neda"] for row in zero] == ["", "", ""]
    late = rows_of(smoulder(*words("neda", data), "--from-day", "190", "--format", "csv").out)
    assert [row["no_relapse"] for row in late] == ["true", "true", ""]
    assert [row["no_mri_activity"] for row in late] == ["", "true", ""]
    t2 = rows_of(smoulder(*words("neda", data), "--from-day", "190", "--without-gd", "--format", "csv").out)
    assert [row["no_mri_activity"] for row in t2] == ["true", "true", ""]


def test_relapses(smoulder: Run, data: Path, tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    said = smoulder(*words("relapses", data), "--rates", rates, "--period", "365", "--format", "csv")
    assert [row["fate"] for row in rows_of(said.out)] == ["kept", "merged", "dropped"]
    assert f"Wrote {rates}" in said.err
    periods = rows_of(rates.read_text())
    assert [(row["patient"], row["period"], row["relapses"]) for row in periods[:2]] == [("P001", "1", "1"), ("P001", "2", "0")]
    known = json.loads(rates.with_name("rates.csv.provenance.json").read_text())
    assert known["relapses_counted"]["apart_days"] == 30
    assert known["input_as_read_sha256"] != known["input_sha256"]
    kept = rows_of(smoulder(*words("relapses", data), "--apart", "11", "--keep-outside", "--format", "csv").out)
    assert [row["fate"] for row in kept] == ["kept"] * 3


def test_follow_up(smoulder: Run, data: Path) -> None:
    rows = rows_of(smoulder(*words("follow-up", data), "--format", "csv").out)
    assert [(row["patient"], row["block"], row["gap_before_days"]) for row in rows] == [
        ("P001", "1", ""),
        ("P002", "1", ""),
        ("P002", "2", "913"),
        ("P003", "1", ""),
    ]
    assert len(rows_of(smoulder(*words("follow-up", data), "--longest-gap", "913", "--format", "csv").out)) == 3


def test_decompose_and_area(smoulder: Run, data: Path) -> None:
    parts = rows_of(smoulder(*words("decompose", data), "--format", "csv").out)
    assert [(row["change"], row["relapse_related"], row["independent"]) for row in parts] == [
        ("1.5", "1.0", "0.5"),
        ("0.5", "0.0", "0.5"),
        ("", "", ""),
    ]
    sdmt = rows_of(smoulder(*words("decompose", data), "--measure", "sdmt", "--format", "csv").out)
    assert [(row["change"], row["relapse_related"]) for row in sdmt] == [("5.0", "6.0"), ("3.0", "0.0"), ("", "")]
    mean = rows_of(smoulder(*words("area", data), "--measure", "sdmt", "--format", "csv").out)
    assert [row["mean_above_first"] == "" for row in mean] == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["milestone", "DATA"], "SCORE"),
        (["milestone", "DATA", "12"], "12 is no score of the EDSS"),
        (["milestone", "DATA", "6", "--measure", "edsss"], "'edsss' is no known measure"),
        (["milestone", "DATA", "6", "--measure", "t25fw"], "There is no measure 't25fw'"),
        (["milestone", "DATA", "6", "--confirmed-after", "-1"], "from_day: "),
        (["neda", "DATA"], "--definition"),
        (["neda", "DATA", "-d", "cdw-12ww"], "did you mean 'cdw-12w'"),
        (["neda", "DATA", "-d", "cdw-12w", "--to-day", "0"], "the window ends (day 0) before or on the day it starts (day 0)"),
        (["neda", "DATA", "-d", "edss-plus"], "There is no measure 't25fw'"),
        (["relapses", "DATA", "--apart", "-1"], "apart_days: "),
        (["relapses", "DATA", "--period", "0"], "period_days: "),
        (["relapses", "DATA", "--rates", "nowhere/rates.csv"], "There is no folder"),
        (["relapses", "DATA", "-o", "both.csv", "--rates", "both.csv"], "Two results are meant for one file"),
        (["follow-up", "DATA", "--longest-gap", "0"], "longest_gap_days: "),
        (["follow-up", "DATA", "--measure", "eds"], "did you mean 'edss'"),
        (["decompose", "DATA", "--measure", "eds"], "did you mean 'edss'"),
        (["area", "DATA", "--measure", "eds"], "did you mean 'edss'"),
        (["area", "DATA", "-o", "area.doc"], "possible are"),
        (["area", "DATA", "-o", "DATA/visits.csv"], "not overwritten"),
    ],
)
def test_wrong_use_is_met_with_a_sentence_and_2(
    smoulder: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    found = smoulder(*(argument.replace("DATA", str(data)) for argument in arguments))
    assert found.code == 2
    assert said in " ".join(found.err.split())
    assert found.out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_faulty_tables_stop_it(smoulder: Run, data: Path, name: str) -> None:
    (data / "visits.csv").write_text(VISITS.replace("P002;15.07.2019;2,0", "P002;15.07.2019;99"), encoding="utf-8")
    stopped = smoulder(*words(name, data))
    assert (stopped.code, stopped.out) == (1, "")
    assert "nothing was analysed" in stopped.err
    went_on = smoulder(*words(name, data), "--keep-going")
    assert went_on.code == 0
    assert "1 patient set aside because of faults in the tables." in went_on.out


# The page

DOCS = Path(__file__).parents[1] / "docs"
PAGE = "other-outcomes.md"


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the code blocks of a page: what stands behind the backticks, and the content."""
    return re.findall(r"^```(.*)\n((?:.*\n)*?)```$", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_command_of_the_page_says_what_the_page_says(smoulder: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown_commands = set()
    for head, content in blocks(PAGE):
        if title := re.search('title="(.+)"', head):
            Path(title.group(1)).parent.mkdir(exist_ok=True)
            Path(title.group(1)).write_text(content, encoding="utf-8")
        elif content.startswith("$ smoulder "):
            command, *shown = content.splitlines()
            said = smoulder(*shlex.split(command)[2:])
            found = [line.rstrip() for line in (said.out + said.err).splitlines()]
            assert [line for line in shown if line != "..." and line not in found] == [], command
            shown_commands.add(shlex.split(command)[2])
        elif head == "python":
            exec(compile(content, PAGE, "exec"), {})
    assert shown_commands == COMMANDS.keys()
