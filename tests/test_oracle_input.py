"""What the comparisons are given: other folders, single files, falsified answers, and whatever is missing or not understood.

Exit codes: 0 identical or named, 1 unexplained or not understood, 2 wrong or missing, with a sentence and never a traceback.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import bern, cross
from tests.oracle.__main__ import main
from tests.oracle.agreement import Agreement, exit_code, table

Told = pytest.CaptureFixture[str]


@pytest.fixture(scope="session")
def oracle(shared: Path) -> Path:
    return shared / "oracle"


@pytest.fixture(scope="module")
def compared(oracle: Path) -> list[Agreement]:
    return list(cross.compare_folder(oracle / "cross"))


@pytest.fixture(scope="session")
def cases(shared: Path) -> Path:
    return shared / "data" / "bern_cases" / "cases.json"


@pytest.fixture(scope="session")
def stata(shared: Path) -> Path:
    return shared / "data" / "stata_setools"


@pytest.fixture(scope="session")
def sample(shared: Path) -> Path:
    return shared / "data" / "msoutcomes_sample"


def saved(folder: Path, data: Any) -> str:
    """Write a file of cases; return its path."""
    path = folder / "cases.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return str(path)


def part_of(oracle: Path, folder: Path, *files: str) -> Path:
    """Return a folder with some of the answers in `cross` and, beside it, the cohort."""
    (folder / "cross").mkdir()
    (folder / "cohorts").symlink_to(oracle / "cohorts")
    for file in files:
        (folder / "cross" / file).symlink_to(oracle / "cross" / file)
    return folder


def lines(text: str) -> list[str]:
    """Return the lines of a table with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


# -- where the answers may lie ----------------------------------------------------------------


def test_the_folder_of_answers_may_be_given_itself(compared: list[Agreement]) -> None:
    """The table is the one of docs/agreement.md, which is made from the folder above it (tests/test_oracle.py)."""
    assert table(compared) in (Path(__file__).parents[1] / "docs" / "agreement.md").read_text(encoding="utf-8")
    assert exit_code(compared) == 0


@pytest.mark.parametrize(
    ("program", "file", "line"),
    [
        ("bern", "drstrupf_main_default_rel", "bern-default 1 500 500 0 0"),
        ("msoutcomes", "msoutcomes_main_spmsDx_no_fss", "msoutcomes_main_spmsDx_no_fss 1 500 467 33 0"),
        ("cross", "msprog_main_norel_firstCDW", "msprog, norel 1 500 500 0 0"),
    ],
)
def test_so_may_it_for_each_command(oracle: Path, tmp_path: Path, capsys: Told, program: str, file: str, line: str) -> None:
    folder = part_of(oracle, tmp_path, f"{file}.csv")
    for given in (folder, folder / "cross"):
        assert main([program, str(given)]) == 2  # the other files are missing
        assert line in lines(capsys.readouterr().out)


def test_cohorts_may_lie_in_the_folder_of_answers(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    file = "msprog_main_norel_firstCDW.csv"
    (tmp_path / "cohorts").symlink_to(oracle / "cohorts")
    shutil.copy(oracle / "cross" / file, tmp_path / file)
    assert main(["cross", str(tmp_path)]) == 2  # the other files are missing
    told = capsys.readouterr()
    assert "msprog, norel 1 500 500 0 0" in lines(told.out)
    assert "not compared: drstrupf_main_fixed84_norel.csv (there is no such file)" in told.out
    assert "Files are missing" in told.err


def test_a_file_may_be_given(cases: Path, stata: Path, capsys: Told) -> None:
    assert main(["bern", str(cases)]) == 0
    assert main(["setools", str(stata / "setools_known_answers.json")]) == 0
    out = lines(capsys.readouterr().out)
    assert "bern 76 76 76 0 0" in out
    assert "all 32 63 63 0 0" in out


def test_not_every_command_takes_a_file(cases: Path, capsys: Told) -> None:
    assert main(["cross", str(cases)]) == 2
    assert "There is no folder" in capsys.readouterr().err


# -- falsified answers ------------------------------------------------------------------------


def test_emptied_cases_of_bern_are_unexplained(cases: Path, tmp_path: Path, capsys: Told) -> None:
    data = json.loads(cases.read_text(encoding="utf-8"))
    n_with_answer = sum(any(name in bern.COMPARED for name in case["expected"]) for case in data["cases"])
    assert n_with_answer > 60
    for case in data["cases"]:
        case["expected"] = {}
    assert main(["bern", saved(tmp_path, data)]) == 1
    assert f"all 76 76 {76 - n_with_answer} 0 {n_with_answer}" in lines(capsys.readouterr().out)


@pytest.mark.parametrize("column", bern.COMPARED)
def test_each_column_is_compared_both_ways(cases: Path, column: str) -> None:
    """A column taken from a case that has it, or a cell given to one that lacks it, is a difference in that column."""
    data = json.loads(cases.read_text(encoding="utf-8"))
    having = next(case for case in data["cases"] if case["expected"].get(column))
    other = next(case for case in data["cases"] if not case["ignore_relapses"] and case is not having)
    assert identical(having, data) and identical(other, data)
    value = having["expected"].pop(column)[0][1]
    other["expected"][column] = [*other["expected"].get(column, []), [10_000, value]]
    for case in (having, other):
        [difference] = bern.compare_case(case, data["default_options"]).unexplained
        assert [row["column"] for row in difference.ours] == [row["column"] for row in difference.theirs] == [column]


def identical(case: dict[str, Any], data: dict[str, Any]) -> bool:
    return bern.compare_case(case, data["default_options"]).identical == 1


def test_an_event_that_nobody_expects_is_unexplained(cases: Path, tmp_path: Path, capsys: Told) -> None:
    """The cases that expect nothing say so: with an EDSS that stays high, the event we find is a difference."""
    data = json.loads(cases.read_text(encoding="utf-8"))
    data["cases"] = [case for case in data["cases"] if not case["expected"]]
    assert len(data["cases"]) == 4
    assert main(["bern", saved(tmp_path, data)]) == 0
    for case in data["cases"]:
        case["edss"] = [1.0, *[6.0] * (len(case["days"]) - 1)]
        case["options"] |= {"opt_require_confirmation": False, "opt_minimal_distance_time": 0}
    assert main(["bern", saved(tmp_path, data)]) == 1
    assert "all 4 4 0 0 4" in lines(capsys.readouterr().out)


def test_columns_of_bern_not_compared_are_told(cases: Path, capsys: Told) -> None:
    data = json.loads(cases.read_text(encoding="utf-8"))
    assert main(["bern", str(cases)]) == 0
    out = capsys.readouterr().out
    columns = {name for case in data["cases"] for name in case["expected"]}
    untold = [name for name in columns if name not in bern.COMPARED and f"not compared: {name} " not in out]
    assert untold == []
    assert columns - set(bern.COMPARED) == set(bern.NOT_OURS)


@pytest.mark.parametrize(
    ("file", "before", "after", "named"),
    [
        ("msprog_main_core_firstPIRA.csv", "2009-12-09,3.5,2004-12-28,2.5", "2009-12-09,3.5,2004-12-28,2.0", "P0001"),
        ("msclinical_main_roving_imprTrue_attr.csv", "2009-12-09,3.5,2010-06-02,3.5,PIRA", "2009-12-09,3.5,2010-06-02,3.5,RAW", "P0001"),
        ("msoutcomes_main_norel_CDW_sustTRUE.csv", '"P0002",1,2008-03-12,3.5', '"P0002",1,2008-03-13,3.5', "P0002"),
        ("drstrupf_main_roving84_rel.csv", "P0001,2010-10-22,2124,4.5,RAW", "P0001,2010-10-22,2125,4.5,RAW", "P0001"),
    ],
)
def test_a_falsified_answer_is_unexplained(
    oracle: Path, tmp_path: Path, capsys: Told, file: str, before: str, after: str, named: str
) -> None:
    folder = part_of(oracle, tmp_path)
    text = (oracle / "cross" / file).read_text(encoding="utf-8")
    assert text.count(before) == 1
    (folder / "cross" / file).write_text(text, encoding="utf-8")
    assert main(["cross", str(folder)]) == 2  # nothing unexplained, but the other files are missing
    (folder / "cross" / file).write_text(text.replace(before, after), encoding="utf-8")
    assert main(["cross", str(folder)]) == 1
    assert f"{file.removesuffix('.csv')} {named}\n" in capsys.readouterr().out


# -- what is not understood is told, left out, and ends with 1 ------------------------------------


def test_an_unknown_option_of_bern_is_left_out(cases: Path, tmp_path: Path, capsys: Told) -> None:
    data = json.loads(cases.read_text(encoding="utf-8"))
    case = data["cases"][0]
    case["options"]["opt_confirmation_tim"] = 5
    assert main(["bern", saved(tmp_path, data)]) == 1
    out = capsys.readouterr().out
    assert f"not compared: {case['case_id']} (the program has no option or column opt_confirmation_tim)" in out
    assert "all 75 75 75 0 0" in lines(out)


def test_an_unknown_option_of_setools_is_left_out(stata: Path, tmp_path: Path, capsys: Told) -> None:
    data = json.loads((stata / "setools_known_answers.json").read_text(encoding="utf-8"))
    data["cases"][0]["options"]["eventvar"] = "event"
    assert main(["setools", saved(tmp_path, data)]) == 1
    out = capsys.readouterr().out
    assert f"not compared: {data['cases'][0]['name']} (cdp has no option eventvar here)" in out
    assert any(line.startswith("known cdp 16 ") for line in lines(out))


def test_an_unknown_argument_of_msprog_is_left_out(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = one_configuration(oracle, tmp_path, {"conf_day": 84})
    assert main(["msprog", str(folder)]) == 1
    assert "not compared: A_firstCDW_fixed (the programs have no argument conf_day)" in capsys.readouterr().out


def one_configuration(oracle: Path, folder: Path, args: dict[str, Any]) -> Path:
    """Return a folder with one configuration of msprog's and its answer, with other arguments."""
    (folder / "configs").mkdir()
    (folder / "expected").mkdir()
    (folder / "cohorts").symlink_to(oracle / "cohorts")
    config = json.loads((oracle / "configs" / "A_firstCDW_fixed.json").read_text(encoding="utf-8"))
    config["args"] |= args
    (folder / "configs" / "A_firstCDW_fixed.json").write_text(json.dumps(config), encoding="utf-8")
    shutil.copy(oracle / "expected" / "A_firstCDW_fixed.csv.gz", folder / "expected")
    return folder


def test_files_that_nobody_knows_are_told(oracle: Path, sample: Path, tmp_path: Path, capsys: Told) -> None:
    folder = part_of(oracle, tmp_path, "msprog_main_norel_firstCDW.csv")
    (folder / "cross" / "foo.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(["cross", str(folder)]) == 1
    assert "not compared: foo.csv (no file of this name is known here)" in capsys.readouterr().out
    shutil.copy(sample / "SampleData.csv", tmp_path)
    (tmp_path / "reference_outputs").mkdir()
    for file in ("CDI_3mo_sustained.csv", "foo.csv"):
        shutil.copy(sample / "reference_outputs" / "CDI_3mo_sustained.csv", tmp_path / "reference_outputs" / file)
    assert main(["msoutcomes", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "not compared: foo.csv (no answer of this name is known here)" in out
    assert "CDI_3mo_sustained [cdi-msoutcomes] 1 40 40 0 0" in lines(out)


def test_every_file_of_the_oracle_is_compared_or_told(oracle: Path, compared: list[Agreement]) -> None:
    files = {a.config.partition(" ")[0] for a in compared if not a.left_out}
    told = {a.config.removesuffix(".csv") for a in compared if a.left_out}
    assert files | told == {path.stem for path in (oracle / "cross").glob("*.csv")}
    assert told == set(cross.NO_ANSWERS)
    assert sum(name.startswith("msprog_main_") for name in files) == 11


# -- what is wrong or missing ends with 2 and a sentence -------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda case: case.pop("options"), "has no options."),
        (lambda case: case.pop("days"), "has no days."),
        (lambda case: case["options"].update(opt_baseline_type="rovin"), "opt_baseline_type is 'rovin'; it can be 'fixed', 'roving'."),
        (lambda case: case["options"].update(opt_confirmation_time="24 weeks"), "opt_confirmation_time is '24 weeks', which is no number."),
        (lambda case: case["edss"].pop(), "days have to be whole numbers that rise, one for each EDSS."),
        (lambda case: case.update(edss=["a"] * len(case["edss"])), "cannot be read"),
        (lambda case: case.update(expected=[]), "has to be an object"),
    ],
)
def test_a_broken_case_of_bern(cases: Path, tmp_path: Path, capsys: Told, change: Any, sentence: str) -> None:
    data = json.loads(cases.read_text(encoding="utf-8"))
    change(data["cases"][0])
    assert main(["bern", saved(tmp_path, data)]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("program", ["bern", "setools"])
@pytest.mark.parametrize("text", ["{", "[]", '{"cases": 3, "default_options": {}}'])
def test_a_file_that_is_no_file_of_cases(tmp_path: Path, capsys: Told, program: str, text: str) -> None:
    (tmp_path / "cases.json").write_text(text, encoding="utf-8")
    assert main([program, str(tmp_path / "cases.json")]) == 2
    assert "cases.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda case: case["options"].pop("confirmdays"), "options has no confirmdays."),
        (lambda case: case["options"].update(confirmtype="any"), "confirmtype is 'any'; it can be 'sustained', 'visit'."),
        (lambda case: case["options"].update(threetier=1), "threetier is 1; it can be True, False."),
        (lambda case: case.update(command="cdq"), "command is 'cdq'"),
        (lambda case: case["options"].update(exit={"1": "late"}), "exit: 1 is 'late', which is no number."),
        (lambda case: case["visits"][0].pop("edss"), "there is no 'edss'."),
        (lambda case: case["visits"][0].update(edss="high"), "The EDSS 'high' of patient 1 is no number."),
    ],
)
def test_a_broken_case_of_setools(stata: Path, tmp_path: Path, capsys: Told, change: Any, sentence: str) -> None:
    data = json.loads((stata / "setools_known_answers.json").read_text(encoding="utf-8"))
    change(data["cases"][0])
    assert main(["setools", saved(tmp_path, data)]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("lacking", ["relapses_visits.csv", "relapses_only.csv"])
def test_a_table_of_setools_is_missing(stata: Path, tmp_path: Path, capsys: Told, lacking: str) -> None:
    for file in ("relapses_visits.csv", "relapses_only.csv", "relapses_oracle_pira_raw.csv"):
        if file != lacking:
            shutil.copy(stata / file, tmp_path)
    assert main(["setools", str(tmp_path)]) == 2
    assert f"There is no file {tmp_path / lacking}." in capsys.readouterr().err


def test_answers_of_setools_about_people_whose_visits_are_missing_are_unexplained(stata: Path, tmp_path: Path, capsys: Told) -> None:
    for file in ("relapses_visits.csv", "relapses_only.csv", "relapses_oracle_pira_raw.csv"):
        shutil.copy(stata / file, tmp_path)
    rows = list(csv.reader((tmp_path / "relapses_visits.csv").read_text(encoding="utf-8").splitlines()))
    kept = [rows[0], *(row for row in rows[1:] if row[0] not in ("100001", "100002"))]
    (tmp_path / "relapses_visits.csv").write_text("\n".join(",".join(row) for row in kept) + "\n", encoding="utf-8")
    assert main(["setools", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "oracle pira 6 3,000 2,985 3 12" in lines(out)
    assert "ours [{'patient': 'not in the cohort'}]" in lines(out)


def test_answers_of_msprog_about_people_whose_visits_are_missing_are_unexplained(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = one_configuration(oracle, tmp_path, {})
    (folder / "cohorts").unlink()
    (folder / "cohorts" / "main").mkdir(parents=True)
    for file in ("visits.csv", "relapses.csv"):
        rows = (oracle / "cohorts" / "main" / file).read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if not row.startswith("P0003,")]
        (folder / "cohorts" / "main" / file).write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert main(["msprog", str(folder)]) == 1
    assert "all 1 500 499 0 1" in lines(capsys.readouterr().out)


STRANGERS = [
    ("bern", "oracle/cross/drstrupf_main_default_rel.csv", "P0001", 1),
    ("cross", "oracle/cross/msoutcomes_main_CDI_sustFALSE.csv", "P0019", 1),
    ("cross", "oracle/cross/msclinical_main_roving_imprTrue_attr.csv", "P0001", 5),
    ("cross", "oracle/cross/msprog_main_norel_firstCDW.csv", "P0001", 1),
    ("cross", "oracle/cross/drstrupf_main_fixed84_norel.csv", "P0001", 2),
    ("msoutcomes", "oracle/cross/msoutcomes_main_CDEseq_CDW.csv", "P0002", 1),
    ("msoutcomes", "oracle/cross/msoutcomes_main_spmsDx_no_fss.csv", "P0001", 1),
    ("msoutcomes", "data/msoutcomes_sample/reference_outputs/CDW_6mo_notsustained.csv", "ipt 03", 1),
    ("msoutcomes", "data/msoutcomes_sample/reference_outputs/spmsDx_default.csv", "ipt 01", 1),
    ("setools", "data/stata_setools/relapses_oracle_pira_raw.csv", "100001", 6),
    ("msprog", "oracle/expected/A_firstCDW_fixed.csv.gz", "P0001", 1),
    ("msprog", "oracle/expected/V_edss4.csv.gz", "P0001", 1),
]
"""Program, one of its files, somebody in it, and in how many comparisons the answers of that file are."""


@pytest.mark.parametrize(("program", "file", "patient", "n"), STRANGERS)
def test_an_answer_about_somebody_who_is_not_in_the_cohort_is_unexplained(
    shared: Path, tmp_path: Path, capsys: Told, program: str, file: str, patient: str, n: int
) -> None:
    """The answers of one patient stand in the file a second time, under a name that the cohort does not have."""
    home, path = shared / Path(file).parts[0], shared / file
    folder = tmp_path / "given"
    folder.mkdir()
    if file.startswith("data/"):
        home = home / Path(file).parts[1]
        for beside in home.glob("*.csv"):
            (folder / beside.name).symlink_to(beside)
    else:
        (folder / "cohorts").symlink_to(home / "cohorts")
    target = folder / path.relative_to(home)
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    if program == "msprog":
        (folder / "configs").mkdir()
        config = f"{path.name.partition('.')[0]}.json"
        (folder / "configs" / config).symlink_to(home / "configs" / config)
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")

    def told(text: str) -> tuple[int, int]:
        target.write_bytes(gzip.compress(text.encode("utf-8")) if path.suffix == ".gz" else text.encode("utf-8"))
        code = main([program, str(folder)])
        (line,) = [line for line in lines(capsys.readouterr().out) if line.startswith("all ")]
        return code, int(line.split()[-1].replace(",", ""))

    code, before = told(text)
    assert (code in (0, 2), before) == (True, 0)  # 2: other files of the folder are missing
    rows = text.splitlines()
    again = [row.replace(patient, "X9999") for row in rows[1:] if row.startswith((patient + ",", f'"{patient}",'))]
    assert again
    assert told("\n".join([*rows, *again]) + "\n") == (1, n)


def test_a_known_answer_of_setools_about_somebody_without_visits_is_unexplained(stata: Path, tmp_path: Path, capsys: Told) -> None:
    data = json.loads((stata / "setools_known_answers.json").read_text(encoding="utf-8"))
    data["cases"][0]["expected"]["X9999"] = None
    assert main(["setools", saved(tmp_path, data)]) == 1
    assert "all 32 64 63 0 1" in lines(capsys.readouterr().out)


def test_an_answer_about_somebody_whom_nobody_asked_about_is_unexplained(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = one_configuration(oracle, tmp_path, {"subjects": ["P0001", "P0002"]})
    assert main(["msprog", str(folder)]) == 1
    out = lines(capsys.readouterr().out)
    assert "all 1 500 2 0 498" in out


def test_an_answer_of_msprog_for_some_patients_only(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = part_of(oracle, tmp_path)
    file = "msprog_main_norel_firstCDW.csv"
    rows = (oracle / "cross" / file).read_text(encoding="utf-8").splitlines()
    (folder / "cross" / file).write_text("\n".join([rows[0], *rows[3:]]) + "\n", encoding="utf-8")
    assert main(["cross", str(folder)]) == 2  # the other files are missing
    out = capsys.readouterr().out
    assert "not compared: 2 patients (P0001, P0002) in the cohort, not in the answer" in out
    assert "all 1 498 498 0 0" in lines(out)


def test_a_row_without_a_patient(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = part_of(oracle, tmp_path)
    file = "msprog_main_norel_firstCDW.csv"
    text = (oracle / "cross" / file).read_text(encoding="utf-8")
    (folder / "cross" / file).write_text(text.replace('"P0001"', "", 1), encoding="utf-8")
    assert main(["cross", str(folder)]) == 2
    assert f"{file} has 1 row without a patient in the column id." in capsys.readouterr().err


def test_msprog_without_an_answer_or_with_a_value_that_cannot_be(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = one_configuration(oracle, tmp_path, {"sub_threshold_rebl": "improvment"})
    assert main(["msprog", str(folder)]) == 2
    assert "sub_threshold_rebl is 'improvment'" in capsys.readouterr().err
    shutil.copy(oracle / "configs" / "A_firstCDW_fixed.json", folder / "configs")
    (folder / "expected" / "A_firstCDW_fixed.csv.gz").unlink()
    assert main(["msprog", str(folder)]) == 2
    assert "not compared: A_firstCDW_fixed (there is no file expected/A_firstCDW_fixed.csv.gz)" in capsys.readouterr().out


def test_msoutcomes_without_visits(sample: Path, tmp_path: Path, capsys: Told) -> None:
    (tmp_path / "reference_outputs").mkdir()
    shutil.copy(sample / "reference_outputs" / "CDI_3mo_sustained.csv", tmp_path / "reference_outputs")
    assert main(["msoutcomes", str(tmp_path)]) == 2
    assert f"There are no visits in {tmp_path}" in capsys.readouterr().err


def test_an_answer_of_msoutcomes_without_its_columns(sample: Path, tmp_path: Path, capsys: Told) -> None:
    shutil.copy(sample / "SampleData.csv", tmp_path)
    (tmp_path / "reference_outputs").mkdir()
    (tmp_path / "reference_outputs" / "CDI_3mo_sustained.csv").write_text("ID,EDSS\n", encoding="utf-8")
    assert main(["msoutcomes", str(tmp_path)]) == 2
    assert "has no column dateEDSS, bEDSS, base.date" in capsys.readouterr().err


def test_an_answer_about_secondary_progression_for_some_patients_only(sample: Path, tmp_path: Path, capsys: Told) -> None:
    shutil.copy(sample / "SampleData.csv", tmp_path)
    (tmp_path / "reference_outputs").mkdir()
    rows = (sample / "reference_outputs" / "spmsDx_no_fss_default.csv").read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if '"ipt 03"' not in row]
    (tmp_path / "reference_outputs" / "spmsDx_no_fss_default.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert main(["msoutcomes", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "not compared: 1 patient (ipt 03) in the cohort, not in the answer" in out
    assert any(line.startswith("spmsDx_no_fss_default 1 39 ") for line in lines(out))


@pytest.mark.parametrize("given", ["cross", "."])
def test_a_cross_folder_without_answers(oracle: Path, tmp_path: Path, capsys: Told, given: str) -> None:
    folder = part_of(oracle, tmp_path)
    assert main(["cross", str(folder / given)]) == 2
    assert "There is no answer of another program in" in capsys.readouterr().err


def test_a_cross_folder_without_its_cohort(oracle: Path, tmp_path: Path, capsys: Told) -> None:
    folder = part_of(oracle, tmp_path, "msprog_main_norel_firstCDW.csv")
    (folder / "cohorts").unlink()
    assert main(["cross", str(folder)]) == 2
    assert "There is no folder cohorts/main in, beside or above" in capsys.readouterr().err
    (folder / "cohorts" / "main").mkdir(parents=True)
    assert main(["cross", str(folder)]) == 2
    assert f"There is no file {folder / 'cohorts' / 'main' / 'visits.csv'}." in capsys.readouterr().err


def test_a_list_that_cannot_be_written(cases: Path, tmp_path: Path, capsys: Told) -> None:
    assert main(["bern", str(cases), "--list", str(tmp_path / "nowhere" / "x.csv")]) == 2
    assert f"There is no folder {tmp_path / 'nowhere'} to write x.csv into." in capsys.readouterr().err
    assert main(["bern", str(cases), "--list", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["bern", str(cases), "--list", str(tmp_path / "x.csv")]) == 0
    assert (tmp_path / "x.csv").read_text(encoding="utf-8") == "config,patient,names,ours,theirs\n"


# -- the definitions of the catalogue ------------------------------------------------------------


def test_the_catalogue_finds_what_the_programs_find(compared: list[Agreement]) -> None:
    """The counts that the catalogue's pages and docs/agreement.md give: patients identical, and different by a name; none unexplained."""
    agreements = [a for a in compared if a.group.startswith("catalogue: ")]
    counts = {a.group.removeprefix("catalogue: "): count(a) for a in agreements}
    assert counts == {
        "cdi-msoutcomes": (500, 0, 0),
        "kalincik-2015": (465, 35, 0),
        "msbase-dzau-2023": (492, 8, 0),
        "msclinical-default": (447, 53, 0),
        "msclinical-default, first": (478, 22, 0),
        "msoutcomes-cdw": (465, 35, 0),
        "msoutcomes-cdw-unsustained": (456, 44, 0),
        "pirma-onset": (447, 53, 0),
        "pirma-reference": (447, 53, 0),
    }


def count(agreement: Agreement) -> tuple[int, int, int]:
    return agreement.identical, len(agreement.differences) - len(agreement.unexplained), len(agreement.unexplained)
