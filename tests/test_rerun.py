"""Running a study again from its `rerun.json`: the same bytes from the same files, and a clear sentence for everything else."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from smoulder import definition, read, run_study, study
from smoulder.cli import run
from smoulder.demo import made_up
from smoulder.errors import DataError, SmoulderError, SourceError, UsageError
from smoulder.outputs import files_in
from smoulder.studying.rerun import difference_sentence, input_files, load_rerun, rerun
from smoulder.studying.write import write_study

KEY = "tur-2023"
N = 60
"""People, so that a run takes a second."""


def tables() -> dict[str, pl.DataFrame]:
    people = made_up().tables["patients"]["patient"].head(N)
    return {name: table.filter(pl.col("patient").is_in(people.implode())) for name, table in made_up().tables.items()}


def write_csvs(folder: Path) -> Path:
    folder.mkdir()
    for name, table in tables().items():
        table.write_csv(folder / f"{name}.csv")
    return folder


def command(home: Path, *arguments: str) -> int:
    """Return the exit code of a command that is given in a folder."""
    with contextlib.chdir(home):
        return run(list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data/ and out/, the study run on it from there; not to be changed."""
    home = tmp_path_factory.mktemp("made")
    write_csvs(home / "data")
    assert command(home, "study", KEY, "data", "-o", "out", "--adam", "--made-on", "2025-01-01") == 0
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it, to be changed."""
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


def assert_same(one: Path, other: Path) -> None:
    names = files_in(one)
    assert names == files_in(other)
    assert [name for name in names if name != "report.html" and (one / name).read_bytes() != (other / name).read_bytes()] == []
    without = [[line for line in (folder / "report.html").read_text().splitlines() if "made-on" not in line] for folder in (one, other)]
    assert without[0] == without[1]


def edited(home: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Return the rerun.json after a change by hand."""
    path = home / "out" / "rerun.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


# -- the same again ---------------------------------------------------------------------------------


def test_the_same_bytes_but_for_the_day(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(made, "rerun", "out/rerun.json", "-o", str(tmp_path / "again"), "--made-on", "2026-02-02") == 0
    assert_same(made / "out", tmp_path / "again")
    pages = [(folder / "report.html").read_text() for folder in (made / "out", tmp_path / "again")]
    assert pages[0].replace("2025-01-01", "2026-02-02") == pages[1] != pages[0]
    n = len(files_in(made / "out"))
    said = capsys.readouterr().err
    assert said.endswith(f"All {n} files are the same bytes as before.\n")
    assert (tmp_path / "again" / "adam" / "adtte.xpt").is_file()


def test_a_rerun_of_a_rerun_is_the_same(made: Path, tmp_path: Path) -> None:
    with contextlib.chdir(made):
        rerun("out/rerun.json", tmp_path / "again")
        shutil.copy(tmp_path / "again" / "rerun.json", tmp_path / "rerun.json")
        found = rerun(tmp_path / "rerun.json", tmp_path / "third")
    assert_same(tmp_path / "again", tmp_path / "third")
    assert found.differences is None
    assert difference_sentence(found) == "There is no earlier report beside the file to compare with."


def test_it_is_run_from_any_folder(home: Path, tmp_path: Path) -> None:
    """Results and data lie beside each other, and the command is given elsewhere."""
    assert command(tmp_path, "rerun", str(home / "out" / "rerun.json"), "-o", "again") == 0
    assert_same(home / "out", tmp_path / "again")


def test_data_and_results_may_be_moved_together(home: Path, tmp_path: Path) -> None:
    (tmp_path / "archive" / "deeper").mkdir(parents=True)
    shutil.move(home, tmp_path / "archive" / "deeper" / "moved")
    moved = tmp_path / "archive" / "deeper" / "moved"
    assert command(tmp_path, "rerun", str(moved / "out" / "rerun.json"), "-o", "again") == 0
    assert_same(moved / "out", tmp_path / "again")


def test_an_absolute_path_is_found_from_anywhere(tmp_path: Path) -> None:
    data = write_csvs(tmp_path / "data")
    (tmp_path / "elsewhere").mkdir()
    assert command(tmp_path, "study", KEY, str(data), "-o", "out") == 0
    assert command(tmp_path / "elsewhere", "rerun", "../out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "out", tmp_path / "elsewhere" / "again")


def test_a_folder_of_results_inside_the_data_is_no_table(tmp_path: Path) -> None:
    write_csvs(tmp_path / "data")
    assert command(tmp_path, "study", KEY, "data", "-o", "data/out") == 0
    assert command(tmp_path, "rerun", "data/out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "data" / "out", tmp_path / "again")


def test_a_workbook_is_read_again(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "export.xlsx")) as book:
        for name, table in tables().items():
            table.write_excel(workbook=book, worksheet=name, autofit=False)
    assert command(tmp_path, "study", KEY, "export.xlsx", "-o", "out") == 0
    assert [name for name, _ in load_rerun(tmp_path / "out" / "rerun.json").recipe.inputs] == ["export.xlsx"]
    assert command(tmp_path, "rerun", "out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "out", tmp_path / "again")


def test_tables_of_different_places_are_read_again(tmp_path: Path) -> None:
    data = write_csvs(tmp_path / "data")
    (tmp_path / "other").mkdir()
    (data / "relapses.csv").rename(tmp_path / "other" / "attacks.csv")
    with xlsxwriter.Workbook(str(tmp_path / "book.xlsx")) as book:
        tables()["treatments"].write_excel(workbook=book, worksheet="drugs", autofit=False)
    given = ("--relapses", "other/attacks.csv", "--treatments", "book.xlsx#drugs")
    assert command(tmp_path, "study", KEY, "data", "-o", "out", *given) == 0
    inputs = [name for name, _ in load_rerun(tmp_path / "out" / "rerun.json").recipe.inputs]
    assert inputs == ["book.xlsx", "data/patients.csv", "data/treatments.csv", "data/visits.csv", "other/attacks.csv"]
    assert command(tmp_path, "rerun", "out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "out", tmp_path / "again")


def test_how_the_tables_were_read_is_kept(tmp_path: Path) -> None:
    """Columns of other names, German dates, the same day twice, a faulty person set aside, nobody relapsed."""
    folder = tmp_path / "data"
    folder.mkdir()
    visits = tables()["visits"].select("patient", "date", pl.col("edss").cast(pl.String))
    who = visits["patient"].unique(maintain_order=True).to_list()
    first = visits.filter(pl.col("patient") == who[0]).head(1)
    visits = pl.concat([visits, first.with_columns(edss=pl.lit("9.5"))])
    visits = visits.with_columns(edss=pl.when(pl.col("patient") == who[1]).then(pl.lit("77")).otherwise("edss"))
    visits.select(Kennung="patient", Tag=pl.col("date").dt.strftime("%d.%m.%Y"), Wert="edss").write_csv(folder / "visits.csv")
    tables()["patients"].select(Kennung="patient", Beginn=pl.col("onset_date").dt.strftime("%d.%m.%Y")).write_csv(folder / "patients.csv")
    options = ["--column", "patient=Kennung", "--column", "date=Tag", "--column", "edss=Wert", "--column", "patients.onset_date=Beginn"]
    options += ["--column", "patients.patient=Kennung", "--date-format", "%d.%m.%Y"]
    options += ["--same-day", "highest", "--keep-going", "--nobody-relapsed"]
    assert command(tmp_path, "study", KEY, "data", "-o", "out", *options) == 0
    recipe = load_rerun(tmp_path / "out" / "rerun.json").recipe
    assert (recipe.same_day, recipe.keep_going, recipe.nobody_relapsed, recipe.date_format) == ("highest", True, True, "%d.%m.%Y")
    assert command(tmp_path, "rerun", "out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "out", tmp_path / "again")
    known = json.loads((tmp_path / "again" / "provenance.json").read_text())
    assert known["set_aside"] == [{"patient": who[1], "reason": known["set_aside"][0]["reason"]}] or who[1] in str(known["set_aside"])
    assert known["reading"]["same_day"] == "highest" and known["reading"]["columns"]["visits"]["edss"] == "Wert"


def test_what_cohort_toml_says_is_kept_and_watched(tmp_path: Path) -> None:
    data = write_csvs(tmp_path / "data")
    (data / "cohort.toml").write_text('[reading]\nsame_day = "last"\n', encoding="utf-8")
    assert command(tmp_path, "study", KEY, "data", "-o", "out") == 0
    assert input_files("data", {}, tmp_path)[0] == "data/cohort.toml"
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["reading"]["same_day"] == "last"
    assert command(tmp_path, "rerun", "out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "out", tmp_path / "again")
    (data / "cohort.toml").write_text('[reading]\nsame_day = "lowest"\n', encoding="utf-8")
    with contextlib.chdir(tmp_path), pytest.raises(DataError, match=r"'data/cohort\.toml' has changed\."):
        rerun("out/rerun.json", "third")


def test_a_study_file_and_its_own_definition_are_kept_whole(tmp_path: Path) -> None:
    """The files are gone when it is run again: rerun.json has both in full."""
    write_csvs(tmp_path / "data")
    own = definition("mueller-2025").toml().replace('key = "mueller-2025"', 'key = "our-own"')
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    text = """
key = "mine"
title = "A study of mine"
question = "Who worsens?"
time_zero = { at = "first visit" }
outcome = [{ key = "pira", title = "first PIRA", kind = "disability", definition = "own.toml", event = "PIRA" }]
analysis = [{ key = "km", title = "Free of PIRA", kind = "survival", outcomes = ["pira"] }]
enter = [{ key = "late", kind = "date", what = "first visit", earliest = 1990-01-01 }]
"""
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert command(tmp_path, "study", "mine.toml", "data", "-o", "out") == 0
    for name in ("own.toml", "mine.toml"):
        (tmp_path / name).unlink()
    assert command(tmp_path, "rerun", "out/rerun.json", "-o", "again") == 0
    assert_same(tmp_path / "out", tmp_path / "again")
    assert "definitions/our-own.toml" in files_in(tmp_path / "again")


# -- not the same tables ----------------------------------------------------------------------------


def refused(home: Path, error: type[SmoulderError]) -> str:
    """Return why a rerun is refused; nothing is written."""
    before = sorted(path.name for path in home.iterdir())
    with contextlib.chdir(home), pytest.raises(error) as raised:
        rerun("out/rerun.json", "again")
    assert sorted(path.name for path in home.iterdir()) == before
    return str(raised.value)


def test_a_changed_table_is_refused(home: Path) -> None:
    visits = home / "data" / "visits.csv"
    visits.write_text(visits.read_text().replace("3.0", "3.5", 1))
    assert refused(home, DataError) == (
        "The tables are not those that the study was run on, so nothing was run:\n"
        "  - 'data/visits.csv' has changed.\n"
        "Put the old files back, or run 'smoulder study' on the new ones."
    )


def test_all_changes_are_said_at_once(home: Path) -> None:
    for name in ("visits", "relapses"):
        with (home / "data" / f"{name}.csv").open("a") as file:
            file.write("\n")
    (home / "data" / "mri.csv").write_text("patient,date\n")
    said = refused(home, DataError)
    assert [line for line in said.split("\n") if line.startswith("  - ")] == [
        "  - 'data/relapses.csv' has changed.",
        "  - 'data/visits.csv' has changed.",
        "  - 'data/mri.csv' is new, and may be read as a table.",
    ]


def test_a_new_file_is_refused_and_hidden_or_other_files_are_not(home: Path) -> None:
    for name in (".hidden.csv", "~$book.xlsx", "README.md", "letter.docx"):
        (home / "data" / name).write_text("x")
    assert command(home, "rerun", "out/rerun.json", "-o", "again") == 0
    (home / "data" / "visits.parquet").write_text("x")
    shutil.rmtree(home / "again")
    assert "'data/visits.parquet' is new, and may be read as a table." in refused(home, DataError)


def test_a_missing_table_is_refused(home: Path) -> None:
    (home / "data" / "treatments.csv").unlink()
    said = refused(home, SourceError)
    assert said.startswith(
        "There is no file 'data/treatments.csv', which the study read; looked for from here, from the folder of 'rerun.json'"
    )


def test_data_that_are_nowhere_are_refused(home: Path) -> None:
    shutil.rmtree(home / "data")
    assert "There is no file 'data/patients.csv'" in refused(home, SourceError)


def test_other_data_of_the_same_name_do_not_hide_the_right_ones(home: Path, tmp_path: Path) -> None:
    """Where the command is given lies another folder 'data'; that of the results is the right one."""
    (tmp_path / "data").mkdir()
    for name in tables():
        (tmp_path / "data" / f"{name}.csv").write_text("patient\n")
    assert command(tmp_path, "rerun", "home/out/rerun.json", "-o", "again") == 0
    assert_same(home / "out", tmp_path / "again")


def test_the_folder_of_the_results_is_not_written_over(home: Path) -> None:
    before = {name: (home / "out" / name).read_bytes() for name in files_in(home / "out")}
    with contextlib.chdir(home), pytest.raises(UsageError, match="'out' is there already and not empty; give a new folder"):
        rerun("out/rerun.json", "out")
    assert before == {name: (home / "out" / name).read_bytes() for name in files_in(home / "out")}


# -- not our file, or changed by hand ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no rerun.json of Smoulder: Expecting value"),
        ("not json", "is no rerun.json of Smoulder: Expecting value"),
        ("[1, 2]", "is no rerun.json of Smoulder; 'smoulder study KEY DATA -o DIR' writes one into its folder."),
        ("{}", "is no rerun.json of Smoulder"),
        ('{"name": "package", "version": "1.0"}', "is no rerun.json of Smoulder"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "rerun.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        rerun(path, tmp_path / "again")
    assert said in str(raised.value) and not (tmp_path / "again").exists()


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rerun.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"is no rerun\.json of Smoulder"):
        rerun(tmp_path / "rerun.json", tmp_path / "again")
    with pytest.raises(SourceError, match=r"nowhere\.json' cannot be read: No such file"):
        rerun(tmp_path / "nowhere.json", tmp_path / "again")
    with pytest.raises(SourceError, match=r"cannot be read: Is a directory"):
        rerun(tmp_path, tmp_path / "again")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["reading"].update(data=5),
        lambda content: content["reading"].update(data=None),
        lambda content: content["reading"].update(speed="fast"),
        lambda content: content["reading"].update(tables=["visits.csv"]),
        lambda content: content["reading"].update(tables={"visits": 3}),
        lambda content: content["reading"].update(columns=7),
        lambda content: content["reading"].update(date_format=7),
        lambda content: content["reading"].update(same_day="sometimes"),
        lambda content: content["reading"].update(keep_going="perhaps"),
        lambda content: content["reading"].pop("data"),
        lambda content: content.update(reading="data"),
        lambda content: content.update(inputs={"file": "x"}),
        lambda content: content.update(inputs=[{"file": "x"}]),
        lambda content: content.update(inputs=7),
        lambda content: content.update(software=[]),
        lambda content: content.update(study="graf-2021"),
        lambda content: content.update(study=7),
    ],
)
def test_what_was_broken_by_hand_is_a_sentence(home: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = edited(home, change)
    with contextlib.chdir(home), pytest.raises(UsageError, match=r"out/rerun\.json'? was changed or is of another version"):
        rerun(path.relative_to(home), "again")
    assert not (home / "again").exists()


def test_a_study_that_was_broken_by_hand_is_told_with_its_place(home: Path) -> None:
    path = edited(home, lambda content: content["study"]["time_zero"].update(at="birth"))
    with contextlib.chdir(home), pytest.raises(SmoulderError, match=r"rerun\.json: 1 fault in the study\n  - time_zero\.at: should be"):
        rerun(path, "again")


def test_a_hash_that_was_changed_by_hand_is_a_changed_table(home: Path) -> None:
    edited(home, lambda content: content["inputs"][0].update(sha256="0" * 64))
    assert "'data/patients.csv' has changed." in refused(home, DataError)


def test_a_study_that_was_changed_by_hand_runs_and_the_differences_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(home, lambda content: content["study"].update(title="Another title"))
    assert command(home, "rerun", "out/rerun.json", "-o", "again") == 0
    said = capsys.readouterr().err
    assert "differ from before: " in said and "report.html" in said.rpartition("differ from before: ")[2]
    assert "<h1>Another title</h1>" in (home / "again" / "report.html").read_text()


def test_another_version_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(home, lambda content: content["software"].update(numpy="1.0"))
    assert command(home, "rerun", "out/rerun.json", "-o", "again") == 0
    assert "Note: numpy was 1.0 and is " in (said := capsys.readouterr().err) and "now: numbers may differ." in said


def test_a_study_on_tables_in_memory_says_that_it_cannot(tmp_path: Path) -> None:
    write_study(run_study(KEY, read(tables())), tmp_path / "out")
    with pytest.raises(UsageError, match="The study was run on tables in memory, so there are no files to read again"):
        rerun(tmp_path / "out" / "rerun.json", tmp_path / "again")


def test_what_it_holds(made: Path) -> None:
    saved = load_rerun(made / "out" / "rerun.json")
    assert saved.study == study(KEY) and saved.adam is True
    assert [name for name, _ in saved.recipe.inputs] == [f"data/{name}.csv" for name in ("patients", "relapses", "treatments", "visits")]
    assert set(saved.software) == {"smoulder", "python", "numpy", "polars", "survival", "statsmodels"}


def test_figures_in_other_formats_are_made_again_the_same(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    assert command(made, "study", KEY, "data", "-o", str(out), "--figures-as", "png", "--figures-as", "pdf") == 0
    figures = sorted((out / "figures").glob("*.svg"))
    assert figures
    for figure in figures:
        assert figure.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert figure.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert load_rerun(out / "rerun.json").figures_as == ("png", "pdf")
    assert command(made, "rerun", str(out / "rerun.json"), "-o", str(again)) == 0
    assert_same(out, again)
    assert command(made, "study", KEY, "data", "-o", str(tmp_path / "other"), "--figures-as", "gif") == 2
    assert "gif" in capsys.readouterr().err


def test_another_format_of_figures_in_the_file_is_refused(home: Path) -> None:
    path = home / "out" / "rerun.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"figures_as": []', '"figures_as": ["gif"]'), encoding="utf-8")
    with pytest.raises(UsageError, match="figures_as cannot be understood"):
        load_rerun(path)
