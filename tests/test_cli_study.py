"""`smoulder study`, `rerun` and `studies`: what is said where, exit codes, and a sentence for everything that can be done wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from smoulder import load_study, study
from smoulder.cli import run
from smoulder.demo import made_up
from smoulder.outputs import files_in
from smoulder.protocol import study_keys

KEY = "tur-2023"
N = 60
"""People, so that a run takes a second."""


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def smoulder(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in this process; whatever happens, there is no traceback and no fault of ours."""

    def said(*arguments: str | Path) -> Said:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "our fault" not in captured.err
        return Said(code, captured.out, captured.err)

    return said


def tables() -> dict[str, pl.DataFrame]:
    people = made_up().tables["patients"]["patient"].head(N)
    return {name: table.filter(pl.col("patient").is_in(people.implode())) for name, table in made_up().tables.items()}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "my data"
    folder.mkdir()
    for name, table in tables().items():
        table.write_csv(folder / f"{name}.csv")
    return folder


def refused(said: Said, code: int, out: Path, *words: str) -> None:
    """Assert an exit code, what is said on stderr, and that nothing was written or given."""
    assert said.code == code, said
    assert said.out == ""
    for word in words:
        assert word in said.err
    assert not out.exists()
    assert [path.name for path in out.parent.iterdir() if path.name.startswith(".smoulder")] == []


# -- studies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["study", "rerun", "studies", "studies list", "studies show"])
def test_help_teaches_by_example(smoulder: Run, command: str) -> None:
    said = smoulder(*command.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert f"smoulder {command}" in said.out
    assert "Examples:" in said.out or command == "studies"


def test_every_study_in_a_help_text_exists(smoulder: Run) -> None:
    text = "".join(smoulder(*command.split(), "--help").out for command in ("study", "studies show", ""))
    named = set(re.findall(r"\b[a-z]+-20\d\d\b", text))
    assert "graf-2021" in named and named <= set(study_keys()) | {"mueller-2025", "kappos-2020"}


def test_the_list_has_every_study_with_what_it_needs(smoulder: Run) -> None:
    said = smoulder("studies", "list")
    assert said.code == 0
    for key in study_keys():
        assert f"{key}: {study(key).title}\n" in said.out
    assert said.out.count("  needs ") == len(study_keys())
    assert said.err == f"{len(study_keys())} studies. One in full: smoulder studies show KEY\n"


def test_the_list_as_json(smoulder: Run) -> None:
    said = smoulder("studies", "list", "--format", "json")
    rows = {row["key"]: row for row in json.loads(said.out)}
    assert tuple(rows) == study_keys() and said.err == ""
    assert all(set(row) == {"key", "title", "question", "needs"} for row in rows.values())
    assert {"treatments", "visits.edss", "relapses", "patients.course"} <= set(rows["graf-2021"]["needs"])
    assert "patients.time_zero" in rows["kappos-2020"]["needs"]


@pytest.mark.parametrize("key", study_keys())
def test_a_study_is_shown_in_words_with_its_evidence(smoulder: Run, key: str) -> None:
    said = smoulder("studies", "show", key)
    one, words = study(key), " ".join(said.out.split())
    assert said.code == 0
    assert said.out.startswith(f"{one.title} [{key}]\n")
    for text in (one.question, one.prose(), *one.limits, *(f"- {part.title} ({part.kind})" for part in one.analysis)):
        assert " ".join(text.split()) in words
    assert all(path in said.out for path in one.settings())
    assert f"smoulder studies show {key} --toml > mine.toml" in said.err


def test_a_study_as_a_file_is_the_study(smoulder: Run, tmp_path: Path) -> None:
    said = smoulder("studies", "show", KEY, "--toml")
    assert (said.code, said.err) == (0, "")
    (tmp_path / "mine.toml").write_text(said.out, encoding="utf-8")
    assert load_study(tmp_path / "mine.toml") == study(KEY)
    assert smoulder("studies", "show", tmp_path / "mine.toml").out == smoulder("studies", "show", KEY).out


@pytest.mark.parametrize("command", [["studies", "show"], ["study"]])
def test_an_unknown_study_has_near_ones(smoulder: Run, data: Path, tmp_path: Path, command: list[str]) -> None:
    more = [data, "-o", tmp_path / "out"] if command == ["study"] else []
    refused(smoulder(*command, "graf2021", *more), 2, tmp_path / "out", "There is no study 'graf2021'", "did you mean 'graf-2021'")


def test_a_study_file_with_faults_is_told_with_all_of_them(smoulder: Run, data: Path, tmp_path: Path) -> None:
    text = study(KEY).toml().replace('at = "onset"', 'at = "birth"').replace('kind = "cox"', 'kind = "coxx"')
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    said = smoulder("study", tmp_path / "mine.toml", data, "-o", tmp_path / "out")
    refused(said, 2, tmp_path / "out", "mine.toml: ", "time_zero.at: should be", "there is no kind 'coxx'; did you mean 'cox'?")
    refused(smoulder("study", tmp_path / "no.toml", data, "-o", tmp_path / "out"), 2, tmp_path / "out", "no.toml: cannot be read")


# -- a study ----------------------------------------------------------------------------------------


def test_a_study_gives_its_sentences_and_says_the_rest_on_stderr(smoulder: Run, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = smoulder("study", KEY, data, "-o", out)
    assert said.code == 0
    names = files_in(out)
    assert said.err.splitlines()[-1] == f"Wrote {len(names)} files to {out}; the report is {out / 'report.html'}"
    assert f"of {N} people in the tables entered and were observed for" in said.out
    assert "Wrote" not in said.out and "…" not in said.out
    steps = [line for line in said.err.splitlines() if line.endswith(" …")]
    wanted = ["Finding time zero and who enters …", "Finding the events …", *(f"{part.title} …" for part in study(KEY).analysis)]
    assert [step for step in steps if step in wanted] == wanted
    assert steps[-3:] == ["Drawing the figures …", "Writing the tables …", "Writing the report …"]
    words = " ".join(said.out.split())
    page = (out / "report.html").read_text(encoding="utf-8")
    first = re.findall(r"<p>(.*?)</p>", page[page.index('<div class="found">') :])[0]
    assert first in words
    assert "adam/adtte.xpt" not in names and {"report.html", "rerun.json", "methods.txt", "tables.xlsx", "people.xlsx"} <= set(names)


def test_adam_and_the_day_of_making(smoulder: Run, data: Path, tmp_path: Path) -> None:
    said = smoulder("study", KEY, data, "-o", tmp_path / "out", "--adam", "--made-on", "2025-03-31")
    assert said.code == 0 and "Writing ADaM data …" in said.err
    assert {"adam/adtte.csv", "adam/adtte.parquet", "adam/adtte.xpt"} <= set(files_in(tmp_path / "out"))
    assert '<p class="made-on">Made on 2025-03-31.</p>' in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("day", ["yesterday", "31.03.2025", "2025-02-30"])
def test_a_day_of_making_that_is_none(smoulder: Run, data: Path, tmp_path: Path, day: str) -> None:
    said = smoulder("study", KEY, data, "-o", tmp_path / "out", "--made-on", day)
    refused(said, 2, tmp_path / "out", f"--made-on takes a day such as 2025-03-31; found '{day}'.")


def test_without_an_output_it_says_how_it_is_used(smoulder: Run, data: Path, tmp_path: Path) -> None:
    said = smoulder("study", KEY, data)
    assert said.code == 2 and said.out == "" and "--output" in said.err and "smoulder study --help" in said.err


def test_data_that_are_not_there(smoulder: Run, tmp_path: Path) -> None:
    said = smoulder("study", KEY, tmp_path / "nowhere", "-o", tmp_path / "out")
    assert said.code in (1, 2)
    refused(said, said.code, tmp_path / "out", "nowhere")


def test_a_folder_without_visits(smoulder: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(smoulder("study", KEY, tmp_path / "empty", "-o", tmp_path / "out"), 1, tmp_path / "out", "visits")


def test_an_output_that_is_there_is_refused_before_anything_is_read(smoulder: Run, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("keep", encoding="utf-8")
    said = smoulder("study", KEY, data, "-o", out)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"smoulder: '{out}' is there already and not empty; give a new folder.\n"
    assert files_in(out) == ("notes.txt",)
    said = smoulder("study", KEY, data, "-o", data)
    assert said.code == 2 and "is there already and not empty" in said.err
    said = smoulder("study", KEY, data, "-o", tmp_path / "no" / "out")
    assert said.code == 2 and f"There is no folder '{tmp_path / 'no'}' to make 'out' in." in said.err


def test_an_output_inside_the_data_folder_leaves_the_tables_as_they_are(smoulder: Run, data: Path) -> None:
    before = {name: (data / name).read_bytes() for name in files_in(data)}
    assert smoulder("study", KEY, data, "-o", data / "out").code == 0
    assert {name: (data / name).read_bytes() for name in before} == before
    assert {name.partition("/")[0] for name in files_in(data)} - {"out"} == set(before)
    assert smoulder("study", KEY, data, "-o", data / "again").code == 0


def test_a_study_of_treatments_without_a_table_of_them(smoulder: Run, data: Path, tmp_path: Path) -> None:
    (data / "treatments.csv").unlink()
    refused(smoulder("study", "graf-2021", data, "-o", tmp_path / "out"), 1, tmp_path / "out", "table of treatments")


def test_a_time_zero_that_the_tables_do_not_have(smoulder: Run, data: Path, tmp_path: Path) -> None:
    pl.read_csv(data / "patients.csv").drop("onset_date").write_csv(data / "patients.csv")
    said = smoulder("study", KEY, data, "-o", tmp_path / "out")
    refused(said, 1, tmp_path / "out", "no column 'onset_date'", "--column patients.onset_date=NAME")


def test_nobody_enters(smoulder: Run, data: Path, tmp_path: Path) -> None:
    pl.read_csv(data / "treatments.csv").with_columns(treatment=pl.lit("aspirin")).write_csv(data / "treatments.csv")
    said = smoulder("study", "graf-2021", data, "-o", tmp_path / "out")
    told = f"Nobody enters the study 'graf-2021', so there is nothing to analyse. Of {N} people:"
    refused(said, 1, tmp_path / "out", told, f"were treated with natalizumab or Tysabri for at least 731 days: {N} left out, 0 remain")


def test_what_cannot_be_done_is_said_and_the_rest_is_done(smoulder: Run, data: Path, tmp_path: Path) -> None:
    (data / "relapses.csv").unlink()
    said = smoulder("study", "graf-2021", data, "-o", tmp_path / "out")
    assert said.code == 0
    assert "Could not be done: Free of cPIRA: " in said.err and "no table of relapses" in said.err
    assert "First confirmed worsening of any kind: " in said.out
    assert (tmp_path / "out" / "report.html").is_file()


# -- messy tables -----------------------------------------------------------------------------------


@pytest.fixture
def messy(data: Path) -> Path:
    """Return the data with one visit twice on a day, and one person with an EDSS of 77."""
    visits = pl.read_csv(data / "visits.csv", schema_overrides={"edss": pl.Float64}).select("patient", "date", "edss")
    who = visits["patient"].unique(maintain_order=True).to_list()
    twice = visits.filter(pl.col("patient") == who[0]).head(1).with_columns(edss=pl.lit(8.5))
    wrong = pl.when(pl.col("patient") == who[1]).then(pl.lit(77.0)).otherwise("edss")
    pl.concat([visits, twice]).with_columns(edss=wrong).write_csv(data / "visits.csv")
    return data


def test_faults_in_the_tables_stop_it_and_say_what_can_be_done(smoulder: Run, messy: Path, tmp_path: Path) -> None:
    said = smoulder("study", KEY, messy, "-o", tmp_path / "out")
    refused(said, 1, tmp_path / "out", "errors in the tables, so nothing was analysed:", "--same-day last, lowest or highest")
    assert "--keep-going sets" in said.err and f"smoulder check '{messy}'" in said.err


def test_faults_can_be_resolved_and_set_aside(smoulder: Run, messy: Path, tmp_path: Path) -> None:
    said = smoulder("study", KEY, messy, "-o", tmp_path / "out", "--same-day", "lowest", "--keep-going")
    assert said.code == 0, said
    assert "Set aside because of faults: 1 patient: " in said.err
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Set aside because of faults: 1 person (" in page
    assert f"of {N - 1} people in the tables entered" in " ".join(said.out.split())
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["reading"]["same_day"] == "lowest"


# -- rerun ------------------------------------------------------------------------------------------


def test_rerun_says_that_all_is_the_same(smoulder: Run, data: Path, tmp_path: Path) -> None:
    first = smoulder("study", KEY, data, "-o", tmp_path / "out")
    again = smoulder("rerun", tmp_path / "out" / "rerun.json", "-o", tmp_path / "again")
    assert again.code == 0 and again.out == first.out
    n = len(files_in(tmp_path / "out"))
    assert again.err.splitlines()[-2:] == [
        f"Wrote {n} files to {tmp_path / 'again'}; the report is {tmp_path / 'again' / 'report.html'}",
        f"All {n} files are the same bytes as before.",
    ]


def test_rerun_of_changed_tables_is_a_fault_of_the_data(smoulder: Run, data: Path, tmp_path: Path) -> None:
    smoulder("study", KEY, data, "-o", tmp_path / "out")
    with (data / "visits.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    said = smoulder("rerun", tmp_path / "out" / "rerun.json", "-o", tmp_path / "again")
    refused(said, 1, tmp_path / "again", f"'{data}/visits.csv' has changed.")


def test_rerun_of_what_is_no_rerun_json(smoulder: Run, data: Path, tmp_path: Path) -> None:
    said = smoulder("rerun", data / "visits.csv", "-o", tmp_path / "again")
    refused(said, 2, tmp_path / "again", "is no rerun.json of Smoulder")
    refused(smoulder("rerun", tmp_path / "no.json", "-o", tmp_path / "again"), 1, tmp_path / "again", "no.json' cannot be read")


def test_another_process_gives_the_same(data: Path, tmp_path: Path) -> None:
    """As people run it, without a terminal: results on stdout, the rest on stderr."""
    code = f"import sys; from smoulder.cli import main; sys.argv = ['smoulder', 'study', '{KEY}', 'my data', '-o', 'out']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert re.match(rf"\d+ of {N} people in the tables entered", done.stdout)
    assert done.stderr.splitlines()[-1].endswith("the report is out/report.html")
