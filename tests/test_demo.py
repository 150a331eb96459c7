"""The demonstration: made up and says so, the same each time, counts with what they are out of."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from smoulder import demo
from smoulder.cli import run
from smoulder.errors import UsageError


@pytest.fixture(scope="module")
def found() -> demo.Demo:
    return demo.demonstrate(demo.made_up())


def test_the_demo_says_that_all_is_made_up_and_shows_denominators(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"]) == 0
    out = capsys.readouterr().out
    assert out.count("made up") >= 2
    assert out.splitlines()[0].startswith("*** All people in this demonstration are made up.")
    for part in ("1. What is in the tables", "2. The events", "3. Why", "4. The same people", "5. A published study"):
        assert part in out
    assert re.search(r"patients with PIRA: \d+/\d+ \(", out)
    assert "person-years" in out and "Verdict: worsening (PIRA)" in out


def test_the_people_are_the_same_each_time(found: demo.Demo) -> None:
    again = demo.demonstrate(demo.made_up())
    assert again.events.table.equals(found.events.table)
    assert again.explanation.text() == found.explanation.text()


def test_the_tables_have_no_errors(found: demo.Demo) -> None:
    assert found.cohort.report.errors == ()
    assert found.cohort.n_patients == demo.N_PATIENTS


def test_the_patient_has_a_pira_and_a_raw(found: demo.Demo) -> None:
    own = found.events.table.filter(pl.col("patient") == found.explanation.patient)
    assert own["pira"].any() and own["raw"].any()


def test_the_comparison_says_what_each_count_is_out_of(found: demo.Demo) -> None:
    frame = demo.comparison_frame(found.compared)
    assert frame.height == len(demo.edss_definitions()) > 3
    assert frame["definition"][0] == demo.DEFINITION
    for name in ("worsening", "pira", "raw"):
        counted = frame.filter(pl.col(f"{name}_patients").is_not_null())
        assert (counted[f"{name}_patients"] <= counted[f"{name}_out_of"]).all()
    assert (frame["worsening_out_of"] == demo.N_PATIENTS).any()


def test_the_folder_holds_everything_and_can_be_analysed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert run(["demo", "-o", str(folder)]) == 0
    assert "made up" in (folder / "README.txt").read_text()
    assert {path.name for path in (folder / "tables").iterdir()} == {
        "visits.csv",
        "relapses.csv",
        "treatments.csv",
        "patients.csv",
        "cohort.toml",
    }
    assert [path.read_text()[:4] for path in folder.glob("*.svg")] == ["<svg"]
    capsys.readouterr()
    assert run(["events", str(folder / "tables"), "-d", demo.DEFINITION, "-o", str(folder / "again.csv")]) == 0
    assert (folder / "again.csv").read_bytes() == (folder / "events.csv").read_bytes()
    assert set(pl.read_csv(folder / "summary.csv")["definition"]) == {one.key for one in demo.edss_definitions()}
    svg = next(folder.glob("*.svg"))
    told = [
        "explain",
        str(folder / "tables"),
        "-d",
        demo.DEFINITION,
        "-p",
        svg.stem,
        "-o",
        str(svg.with_suffix(".txt")),
        "--plot",
        str(svg),
    ]
    before = svg.read_bytes()
    assert run(told) == 0
    assert svg.read_bytes() == before
    assert run(["demo", "-o", str(folder)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_a_folder_appears_whole_or_not_at_all(found: demo.Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo, "readme", full)
    with pytest.raises(UsageError, match="No space left"):
        demo.write_demo(found, tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="There is no folder"):
        demo.write_demo(found, tmp_path / "no" / "demo")


def test_the_study_of_the_folder_says_that_all_is_made_up_and_runs_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert run(["demo", "-o", str(folder)]) == 0
    page = (folder / "study" / "report.html").read_text()
    assert demo.MADE_UP in page[: page.index("What was found")]
    capsys.readouterr()
    assert run(["rerun", str(folder / "study" / "rerun.json"), "-o", str(tmp_path / "again")]) == 0
    told = capsys.readouterr()
    assert "are the same bytes as before" in told.out + told.err
