"""Independent programs on the shared oracle: every patient identical, or different for a reason that has a name."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from oracle_tables import keep_table

from smoulder.rulebook import definition
from tests.oracle import bern, counterexamples, cross, msprog, setools
from tests.oracle.__main__ import main
from tests.oracle.agreement import Agreement, difference_rows, table
from tests.oracle.msoutcomes import NOT_ASSESSED, SEARCH_HABITS, WHY_NOT_ASSESSED
from tests.oracle.msoutcomes_habits import EVENT_HABITS, MSOUTCOMES_HABITS
from tests.oracle.msprog_settings import definition_of
from tests.oracle.quirks import QUIRKS

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs" / "agreement.md"


@pytest.fixture(scope="session")
def oracle(shared: Path) -> Path:
    return shared / "oracle"


def test_msprog_and_pymsprog(oracle: Path, request: pytest.FixtureRequest) -> None:
    agreements = list(msprog.compare_folder(oracle))
    keep_table(request, "msprog and pymsprog", table(agreements))
    assert [f"{d.config} {d.patient}" for a in agreements for d in a.unexplained] == []
    assert sum(a.patients for a in agreements) > 100_000
    assert listed("msprog") == written(agreements)
    assert table(agreements) in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "args"),
    [
        ("msprog-default", {"outcome": "edss", "RAW_PIRA": True}),
        ("msprog-default-t25fw", {"outcome": "t25fw", "RAW_PIRA": True}),
        ("msprog-default-nhpt", {"outcome": "nhpt", "RAW_PIRA": True}),
        ("msprog-default-sdmt", {"outcome": "sdmt", "RAW_PIRA": True}),
        ("cdi-msprog", {"outcome": "edss", "event": "firstCDI"}),
    ],
)
def test_the_defaults_of_msprog_in_the_catalogue_are_what_its_arguments_come_to(key: str, args: dict[str, object]) -> None:
    """And these arguments give msprog's answers on 500 people (configurations L and A), but for percentages that it rounds."""
    by_arguments = definition_of({"id": key, "description": key, "args": {"value_col": "column", **args}}).settings()
    by_name = definition(key).settings()
    assert [by_name.pop("confirmation.windows"), by_arguments.pop("confirmation.windows")] == [
        [{"name": name, "from_day": 77, "to_day": 814}] for name in ("12w", "84")
    ]
    assert by_name == by_arguments


def test_counterexamples(oracle: Path) -> None:
    agreements = list(counterexamples.compare_folder(oracle))
    assert [a.config for a in agreements if a.identical != 1] == []
    assert len(agreements) == 10


def test_other_programs(oracle: Path, request: pytest.FixtureRequest) -> None:
    agreements = list(cross.compare_folder(oracle))
    keep_table(request, "MSoutcomes, msclinical and drstrupf", table(agreements))
    first = [a for a in agreements if a.config.endswith("(first)")]
    assert len(first) == 7
    assert all(a.identical == a.patients == 500 for a in first)
    assert [f"{d.config} {d.patient}" for a in agreements for d in a.unexplained] == []
    assert listed("cross") == written(agreements)
    assert table(agreements) in DOCS.read_text(encoding="utf-8")


def test_the_hand_made_cases_of_bern(shared: Path, request: pytest.FixtureRequest) -> None:
    agreements = list(bern.compare_folder(shared / "data" / "bern_cases"))
    keep_table(request, "the hand-made cases of Bern", table(agreements))
    assert [a.config for a in agreements if a.identical != 1] == []
    assert len(agreements) == 76
    assert table(agreements) in DOCS.read_text(encoding="utf-8")


def test_a_wrong_case_of_bern_is_unexplained(shared: Path) -> None:
    import json

    data = json.loads((shared / "data" / "bern_cases" / "cases.json").read_text(encoding="utf-8"))
    case = next(case for case in data["cases"] if case["expected"].get("progression_score"))
    assert bern.compare_case(case, data["default_options"]).identical == 1
    case["expected"]["progression_score"][0][1] += 0.5
    assert bern.compare_case(case, data["default_options"]).unexplained


def test_setools(shared: Path, request: pytest.FixtureRequest) -> None:
    agreements = list(setools.compare_folder(shared / "data" / "stata_setools"))
    keep_table(request, "Stata setools", table(agreements))
    assert [f"{d.config} {d.patient}" for a in agreements for d in a.unexplained] == []
    known = [a for a in agreements if a.group.startswith("known")]
    assert (len(known), sum(a.identical for a in known)) == (32, sum(a.patients for a in known))
    assert sum(a.patients for a in agreements if a.group == "oracle pira") == 6 * 500
    assert table(agreements) in DOCS.read_text(encoding="utf-8")


def test_the_usual_relapse_window_is_not_that_of_setools(shared: Path) -> None:
    """With the two numbers of the window as they stand, not swapped, classes differ: the orientation is tested by the data."""
    folder = shared / "data" / "stata_setools"
    agreement = next(a for a in setools.compare_oracle(folder) if a.config.endswith("90 30"))
    assert agreement.identical == 500
    options = dict(zip(setools.OPTIONS, agreement.config.split(), strict=True)) | {"windowbefore": "30", "windowafter": "90"}
    right = setools.definition_of(options | {"threetier": False}, "setools").relapses
    assert right is not None and right.raw is not None
    assert (right.raw.days_before_onset, right.raw.days_after_onset) == (90, 30)


HABITS = {
    **{habit.name: habit.why for habit in (*QUIRKS, *MSOUTCOMES_HABITS, *EVENT_HABITS, *SEARCH_HABITS, cross.LOWER_SCORE_HOLDS)},
    NOT_ASSESSED: WHY_NOT_ASSESSED,
    setools.ROUNDED: setools.WHY_ROUNDED,
}


@pytest.mark.parametrize("name", HABITS)
def test_each_habit_is_documented_and_cites_the_program(name: str) -> None:
    """The page names the file of the program in which the habit can be read."""
    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    assert f"| {name} | {HABITS[name]} |" in text
    assert re.search(r"R/\w+\.R|\w+/\w+\.(py|ado)", HABITS[name])


def test_every_name_in_the_lists_is_a_habit() -> None:
    names = {name for kind in ("msprog", "cross") for row in listed(kind) for name in row["names"].split(" + ")}
    assert names <= set(HABITS)


def test_nothing_cites_what_is_not_there() -> None:
    """Notes outside the project cannot be looked up by a reader of it."""
    for path in (DOCS, *(HERE / "oracle").glob("*.py")):
        assert re.findall(r"peers\.md|style\.md|engine semantics", path.read_text(encoding="utf-8")) == [], path


def test_a_wrong_answer_is_unexplained(oracle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One changed score in an expected answer makes the command fail and name the patient."""
    for folder in ("configs", "expected", "cohorts"):
        (tmp_path / folder).mkdir()
    config = (oracle / "configs" / "A_firstCDW_fixed.json").read_text(encoding="utf-8")
    (tmp_path / "configs" / "A_firstCDW_fixed.json").write_text(config, encoding="utf-8")
    (tmp_path / "cohorts" / "main").symlink_to(oracle / "cohorts" / "main")
    import gzip

    answer = gzip.decompress((oracle / "expected" / "A_firstCDW_fixed.csv.gz").read_bytes()).decode()
    assert main(["msprog", str(tmp_path_with(tmp_path, answer))]) == 0
    lines = answer.splitlines()
    place = next(i for i, line in enumerate(lines) if ",CDW," in line)
    patient = lines[place].split(",")[0]
    lines[place] = lines[place].replace(",CDW,", ",CDI,")
    assert main(["msprog", str(tmp_path_with(tmp_path, "\n".join(lines) + "\n"))]) == 1
    assert f"A_firstCDW_fixed {patient}" in capsys.readouterr().out


def test_wrong_use_ends_with_2(tmp_path: Path) -> None:
    assert main([]) == 2
    assert main(["msprog", str(tmp_path / "nowhere")]) == 2
    assert main(["msprog", str(tmp_path)]) == 2


def tmp_path_with(folder: Path, answer: str) -> Path:
    import gzip

    (folder / "expected" / "A_firstCDW_fixed.csv.gz").write_bytes(gzip.compress(answer.encode()))
    return folder


def listed(kind: str) -> list[dict[str, str]]:
    """Return the committed list of differences."""
    return list(csv.DictReader(io.StringIO((HERE / "oracle" / f"differences_{kind}.csv").read_text(encoding="utf-8"))))


def written(agreements: list[Agreement]) -> list[dict[str, str]]:
    """Return the differences of this run as the list has them."""
    return difference_rows(agreements)
