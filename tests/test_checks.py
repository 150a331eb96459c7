"""Checks: every code is documented, told at the level the page says, and can be provoked; every row is accounted for."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoulder.checks.people import near_form
from smoulder.errors import DataError
from smoulder.findings import Finding
from smoulder.reading import check, read
from smoulder.tables import Cohort

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"^[a-z]+(-[a-z]+)+$")


def documented() -> dict[str, str]:
    """Return code -> level, of docs/checks.md."""
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([a-z-]+)` \| (error|warning|notice) \|", page, flags=re.MULTILINE))


def used() -> set[str]:
    """Return the codes that sources and checks can give, read from their text."""
    prefixes = ("column", "file", "files", "missing", "patient", "date", "score", "count", "flag", "row", "visit", "visits")
    prefixes += ("relapse", "relapses", "treatment", "recording", "scan", "table")
    found: set[str] = set()
    for folder in ("sources", "checks"):
        for path in (ROOT / "src" / "smoulder" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
                if CODE.match(text) and text.split("-")[0] in prefixes:
                    found.add(text)
    return found


def test_every_code_is_documented_and_no_other() -> None:
    assert used() == set(documented())


def visits(**columns: list[Any]) -> pl.DataFrame:
    n = max((len(values) for values in columns.values()), default=3)
    usual: dict[str, list[Any]] = {"patient": ["a"] * n, "date": [f"2020-0{i + 1}-15" for i in range(n)], "edss": [2.0] * n}
    return pl.DataFrame(usual | columns)


def relapses(**columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"patient": ["a"], "date": ["2020-02-01"]} | columns)


def with_table(name: str, **columns: list[Any]) -> dict[str, Any]:
    return {"source": visits(), "relapses": relapses(), name: pl.DataFrame(columns)}


CASES: dict[str, dict[str, Any]] = {
    "column-alike": {"source": visits(edss_true=[1.0, 2.0, 3.0])},
    "column-ambiguous": {"source": visits(edss_score=[1.0, 2.0, 3.0])},
    "column-empty": {"source": visits(sdmt=[None, None, None])},
    "column-missing": {"source": visits().drop("date")},
    "column-no-score": {"source": visits().drop("edss")},
    "column-type": with_table("treatments", patient=["a"], drug=[["x"]], start=["2020-01-15"]),
    "column-wide": {"source": visits(edss_0=[1.0, 2.0, 3.0], edss_12=[1.0, 2.0, 3.0])},
    "table-wide": {"source": pl.DataFrame({"patient": ["a"], "edss_0": [1.0], "edss_12": [2.0]})},
    "column-not-there": {"source": visits(), "columns": {"edss": "score"}},
    "column-second-choice": {"source": visits(visit_day=[0, 30, 60])},
    "missing-spelled": {"source": visits(edss=["2", "NA", "3"])},
    "patient-missing": {"source": visits(patient=["a", None, "a"])},
    "patient-near-miss": {"source": visits(), "relapses": relapses(patient=["A"])},
    "patient-near-twins": {"source": visits(patient=["a", "A", "a"])},
    "patient-blanks": {"source": visits(patient=["a", "a", " b"])},
    "patient-decimals": {"source": visits(patient=["1.0", "1.0", "2.0"])},
    "patient-unknown": {"source": visits(), "relapses": relapses(patient=["z"])},
    "patient-without-visits": with_table("patients", patient=["a", "z"]),
    "patient-not-listed": with_table("patients", patient=["z"]),
    "patient-without-score": {"source": visits(patient=["a", "a", "b"], edss=[1.0, 1.0, None])},
    "patient-one-visit": {"source": visits(patient=["a", "a", "b"])},
    "patient-twice": with_table("patients", patient=["a", "a"], time_zero=["2020-01-15", "2020-01-16"]),
    "date-ambiguous": {"source": visits(date=["01/02/2020", "01/03/2020", "01/04/2020"])},
    "date-calendars-differ": {"source": visits(), "relapses": relapses(date=[7])},
    "date-calendar-apart": with_table("treatments", patient=["a"], drug=["x"], start=[7]),
    "date-fraction": {"source": visits(date=[0.0, 30.5, 60.0])},
    "date-implausible": {"source": visits(date=["2020-01-15", "2020-02-15", "2202-03-15"])},
    "date-impossible": {"source": visits(date=["2020-01-15", "2020-02-15", "2020-02-30"])},
    "date-missing": {"source": visits(date=["2020-01-15", None, "2020-02-15"])},
    "date-mixed-formats": {"source": visits(date=["2020-01-15", "15/02/2020", "2020-03-15"])},
    "date-mixed-order": {"source": visits(date=["15/01/2020", "01/15/2020", "16/01/2020"])},
    "date-none-read": {"source": visits(date=["x", "y", "z"])},
    "date-not-read": {"source": visits(date=["2020-01-15", "y", "2020-03-15"])},
    "date-numbers": {"source": visits(date=[0, 30, 60])},
    "date-numbers-open": {"source": visits(date=[2001, 2002, 2003])},
    "date-time-cut": {"source": visits(date=["2020-01-15 10:00", "2020-02-15 00:00", "2020-03-15"])},
    "date-two-digit-year": {"source": visits(date=["15/01/20", "16/01/20", "17/01/20"])},
    "date-type": {"source": visits(date=[True, False, True])},
    "score-out-of-range": {"source": visits(edss=[2.0, 99.0, 3.0])},
    "score-unusual": {"source": visits(t25fw=[5.0, 200.0, 5.0])},
    "score-off-grid": {"source": visits(edss=[2.0, 2.3, 0.5])},
    "score-rounded": {"source": visits(edss=[2.0, 2.123, 3.0])},
    "score-mixed-decimals": {"source": visits(edss=["2,5", "2.5", "3"])},
    "score-not-a-number": {"source": visits(edss=["2", "bad", "3"])},
    "score-type": {"source": visits(edss=[True, True, False])},
    "score-twice-a-day": {"source": visits(date=["2020-01-15", "2020-01-15", "2020-02-15"])},
    "score-one-a-day": {"source": visits(date=["2020-01-15", "2020-01-15", "2020-02-15"]), "same_day": "last"},
    "score-jump": {"source": visits(date=["2020-01-15", "2020-02-14", "2020-05-15"], edss=[2.0, 5.0, 2.0])},
    "count-not-whole": with_table("mri", patient=["a"], date=["2020-01-15"], gd=[1.5]),
    "count-type": with_table("mri", patient=["a"], date=["2020-01-15"], gd=[True]),
    "flag-not-read": {"source": visits(scheduled=["yes", "perhaps", "no"])},
    "row-without-score": {"source": visits(edss=[2.0, None, 3.0])},
    "visit-gap": {"source": visits(date=["2010-01-15", "2020-02-15", "2020-03-15"])},
    "visits-empty": {"source": visits().clear()},
    "visits-near-relapse": {"source": visits(), "relapses": relapses()},
    "relapses-unknown": {"source": visits()},
    "relapses-none": {"source": visits(), "nobody_relapsed": True},
    "relapses-empty": {"source": visits(), "relapses": relapses().clear()},
    "relapses-not-matched": {"source": visits(), "relapses": relapses(patient=["z"])},
    "relapses-contradict": {"source": visits(), "relapses": relapses(), "nobody_relapsed": True},
    "relapses-from-visits": {"source": visits(relapse_date=[None, "2020-02-01", None])},
    "relapse-column-unused": {"source": visits(relapse=[0, 1, 0])},
    "relapse-twice": {"source": visits(), "relapses": pl.concat([relapses(), relapses()])},
    "relapses-close": {"source": visits(), "relapses": relapses(patient=["a", "a"], date=["2020-02-01", "2020-03-01"])},
    "relapse-ends-early": {"source": visits(), "relapses": relapses(end_date=["2020-01-31"])},
    "relapse-outside": {"source": visits(), "relapses": relapses(date=["2019-12-01"])},
    "relapse-far-outside": {"source": visits(), "relapses": relapses(date=["2012-12-01"])},
    "treatment-unnamed": with_table("treatments", patient=["a"], drug=[" "], start=["2020-01-15"]),
    "treatment-twice": with_table("treatments", patient=["a", "a"], drug=["x", "x"], start=["2020-01-15", "2020-01-15"]),
    "treatment-ends-early": with_table("treatments", patient=["a"], drug=["x"], start=["2020-01-15"], end=["2020-01-14"]),
    "treatment-open": with_table("treatments", patient=["a", "a"], drug=["x", "y"], start=["2020-01-15", "2020-02-15"]),
    "recording-ends-early": with_table(
        "patients", patient=["a"], relapses_recorded_from=["2020-01-15"], relapses_recorded_to=["2020-01-14"]
    ),
    "scan-twice-a-day": with_table("mri", patient=["a", "a"], date=["2020-01-15", "2020-01-15"], gd=[1, 2]),
}
FROM_FILES = {"file-encoding", "file-header", "files-not-used"}


def test_every_code_but_those_of_files_is_provoked_here() -> None:
    assert set(CASES) | FROM_FILES == set(documented())


@pytest.mark.parametrize("code", CASES)
def test_codes(code: str) -> None:
    cohort = read(**CASES[code])
    told = [finding for finding in check(cohort).findings if finding.code == code]
    assert told, [finding.code for finding in check(cohort).findings]
    assert {finding.level for finding in told} == {documented()[code]}
    for finding in told:
        assert finding.problem.endswith((".", "?")) and finding.advice.endswith(".")
        assert "{rows}" not in finding.text() and finding.table
    if documented()[code] == "error":
        with pytest.raises(DataError):
            cohort.require_sound()


NEAR: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "visit-gap": (
        {"source": visits(date=["2015-01-15", "2020-01-16", "2020-03-15"])},
        {"source": visits(date=["2015-01-15", "2020-01-15", "2020-03-15"])},
    ),
    "score-jump": (
        {"source": visits(date=["2020-01-15", "2020-02-14", "2020-05-15"], edss=[2.0, 5.0, 2.0])},
        {"source": visits(date=["2020-01-15", "2020-02-15", "2020-05-15"], edss=[2.0, 5.0, 2.0])},
    ),
    "score-out-of-range": ({"source": visits(edss=[2.0, 10.5, 3.0])}, {"source": visits(edss=[2.0, 10.0, 0.0])}),
    "score-unusual": ({"source": visits(t25fw=[5.0, 180.5, 5.0])}, {"source": visits(t25fw=[5.0, 180.0, 5.0])}),
    "relapses-close": (
        {"source": visits(), "relapses": relapses(patient=["a", "a"], date=["2020-02-01", "2020-03-01"])},
        {"source": visits(), "relapses": relapses(patient=["a", "a"], date=["2020-02-01", "2020-03-02"])},
    ),
    "visits-near-relapse": (
        {"source": visits(), "relapses": relapses(date=["2020-02-14"])},
        {"source": visits(), "relapses": relapses(date=["2020-03-16"])},
    ),
    "date-implausible": (
        {"source": visits(date=["2020-01-15", "2020-02-15", "2101-01-01"])},
        {"source": visits(date=["1900-01-01", "2020-02-15", "2100-12-31"])},
    ),
    "score-twice-a-day": (
        {"source": visits(date=["2020-01-15", "2020-01-15", "2020-02-15"])},
        {"source": visits(patient=["a", "b", "a"], date=["2020-01-15", "2020-01-15", "2020-02-15"])},
    ),
}


@pytest.mark.parametrize("code", NEAR)
def test_near_misses(code: str) -> None:
    for arguments, expected in zip(NEAR[code], (True, False), strict=True):
        assert (code in {finding.code for finding in check(read(**arguments)).findings}) == expected


def test_t25fw_of_zero_is_no_time() -> None:
    assert [f.code for f in check(read(visits(t25fw=[0.0, 5.0, 5.0]))).errors] == ["score-out-of-range"]
    assert not check(read(visits(sdmt=[0, 110, 55]))).errors


def test_visits_near_two_relapses_count_once() -> None:
    onsets = relapses(patient=["a", "a"], date=["2020-02-01", "2020-02-05"])
    told = [f for f in check(read(visits(), relapses=onsets)).findings if f.code == "visits-near-relapse"]
    assert told[0].problem.startswith("1 of 3 visits")


def test_a_gap_between_patients_is_none() -> None:
    frame = visits(patient=["a", "b", "c"], date=["1990-01-15", "2020-02-15", "1985-03-15"])
    assert "visit-gap" not in {f.code for f in check(read(frame)).findings}


def test_all_faults_at_once() -> None:
    frame = visits(patient=["a", None, "a", "b"], date=["2020-01-15", "2020-02-15", None, "x"], edss=["2", "3", "99", "bad"])
    assert {f.code for f in check(read(frame, relapses=relapses(patient=["A"]))).errors} == {
        "patient-missing",
        "date-missing",
        "date-not-read",
        "score-out-of-range",
        "score-not-a-number",
        "patient-near-miss",
        "relapses-not-matched",
    }


def test_a_value_that_cannot_be_read_is_not_called_missing_too() -> None:
    told = {f.code for f in check(read(visits(edss=["2", "bad", "3"]))).findings}
    assert "score-not-a-number" in told and not told & {"row-without-score", "patient-without-score"}
    told = {f.code for f in check(read(visits(date=["2020-01-15", "soon", "2020-03-15"]))).findings}
    assert "date-not-read" in told and "date-missing" not in told


def test_a_sentence_as_it_is_read() -> None:
    finding = check(read(visits(edss=[2.0, 99.0, 3.0]), nobody_relapsed=True)).errors[0]
    assert finding.text() == (
        "visits.edss: 1 score cannot be EDSS: it goes from 0 to 10 points. Correct them; where a number such as 99, 999 or -9 stands "
        "for a missing score, leave the cell empty instead.\n    row 3, patient a: 99.0"
    )


def test_near_form() -> None:
    ids = pl.Series(["P01", "p1 ", "P001", "002", "2", "2.0", "2.5", "0", "A-07-3"])
    assert near_form(ids).to_list() == ["p1", "p1", "p1", "2", "2", "2", "2-5", "0", "a7-3"]
    odd = pl.Series(["P\u200c1", "\uff10\uff10\uff12", "ms_002", "Mu\u0308ller", "01/012", "1-1-1"])
    assert near_form(odd).to_list() == ["p1", "2", "ms2", "m\u00fcller", "1-12", "1-1-1"]


def near_misses(here: list[str], there: list[str]) -> set[tuple[str, str]]:
    """Return the (id, id of the visits) that are near misses, where the visits also have 'x' and the relapses 'x' often enough."""
    fillers = [f"x{chr(97 + n)}" for n in range(len(here))]
    frame = pl.concat([visits(patient=[p]) for p in (*there, *fillers)])
    onsets = pl.DataFrame({"patient": [*here, *fillers], "date": ["2020-02-01"] * 2 * len(here)})
    told = [f for f in check(read(frame, relapses=onsets)).errors if f.code == "patient-near-miss"]
    return {(text.split("'")[1], text.split("'")[3]) for f in told for text in f.cases["found"]}


def test_ids_are_near_whatever_signs_zeros_and_letters_are_before_them() -> None:
    there = ["MS-002", "11-2", "01-001", "3", "P1", "P01", "A7", "B7"]
    here = ["2", "1-12", "01001", "MS-3", "p1", "7"]
    pairs = {("2", "MS-002"), ("01001", "01-001"), ("MS-3", "3"), ("p1", "P01"), ("p1", "P1")}
    assert near_misses(here, there) == pairs, "1-12 is not 11-2, and 7 may be A7 or B7"


def test_a_near_miss_to_several_ids_sets_all_of_them_aside() -> None:
    frame = visits(patient=["P1", "P01", "b"])
    onsets = relapses(patient=["p1", "b"], date=["2020-02-01", "2020-02-01"])
    cohort = read(frame, relapses=onsets, keep_going=True)
    assert cohort.patients.to_list() == ["b"] and {patient for patient, _ in cohort.set_aside} == {"P1", "P01"}


@pytest.mark.parametrize(("known", "stops"), [(1, True), (2, False)])
def test_relapses_of_mostly_unknown_people_stop_an_analysis(known: int, stops: bool) -> None:
    onsets = relapses(patient=["q1", "q2", *["a", "b"][:known]], date=["2020-02-01"] * (2 + known))
    cohort = read(visits(patient=["a", "a", "b"]), relapses=onsets, keep_going=True)
    told = [f for f in check(cohort).errors if f.code == "relapses-not-matched"]
    assert bool(told) == stops
    if stops:
        assert "Only 1 of 3 ids is known to the visits: here they are written 'q1', 'q2', in the visits 'a', 'b'." in told[0].problem
        with pytest.raises(DataError):
            cohort.require_sound()
    unknown = next(f for f in check(cohort).warnings if f.code == "patient-unknown")
    assert "their worsenings may be called PIRA" in unknown.problem


@pytest.mark.parametrize("date", [None, "soon", "2020-02-30", "2202-01-01"])
def test_nobody_is_told_to_leave_a_relapse_out(date: str | None) -> None:
    onsets = relapses(patient=["a", "a"], date=["2020-02-01", date])
    told = [f for f in check(read(visits(), relapses=onsets)).errors if f.table == "relapses"]
    assert told and all("best estimate" in f.advice and "keep_going" in f.advice for f in told)
    assert not any("empty" in f.advice or "delete" in f.advice for f in told)


def test_rows_without_a_patient_are_told_apart() -> None:
    onsets = relapses(patient=["a", None], date=["2020-02-01", "2020-02-02"])
    cohort = read(visits(), relapses=onsets, keep_going=True)
    assert check(cohort).accounts[1].set_aside == (("an error in a row without a patient", 1),)


def test_the_same_input_is_told_of_in_the_same_words() -> None:
    spelled = ["NA", "n/a", ".", "-", "null", "03/01/2020", "05/02/2020", "07/04/2020", "02/09/2020"]
    texts = {check(read(visits(date=spelled, edss=["2", "3", "bad", "worse", "NA", ".", "-", "1", "1"]))).text() for _ in range(30)}
    assert len(texts) == 1
    assert "'02/09/2020' may be" in texts.pop(), "the first in order, whatever the order of rows"


def test_two_numbers_and_their_nouns_agree() -> None:
    texts = [
        check(read(visits(edss=["2", "NA", "3"]))).text(),
        check(read(visits(date=["2020-01-15 10:00", "2020-02-15", "2020-03-15"]))).text(),
        check(read(visits(edss=["2,5", "2.5", "3"]))).text(),
        check(read(visits(date=["2020-01-15", "2020-02-30", "2020-03-15"]))).text(),
    ]
    for text, said in zip(texts, ["'NA' 1 time;", "1 value carries", "a comma 1 time ", "1 value names"], strict=True):
        assert said in text


# --- tables that are only carried along


CARRIED: dict[str, dict[str, Any]] = {
    "no name": {"treatments": pl.DataFrame({"patient": ["a"], "drug": [" "], "start": ["2020-01-15"]})},
    "no start": {"treatments": pl.DataFrame({"patient": ["a", "a"], "drug": ["x", "x"], "start": ["soon", None]})},
    "no patient": {
        "treatments": pl.DataFrame({"patient": [None], "drug": ["x"], "start": ["2020-01-15"]}, schema_overrides={"patient": pl.String})
    },
    "no column": {"treatments": pl.DataFrame({"patient": ["a"], "drug": ["x"]})},
    "near miss": {"treatments": pl.DataFrame({"patient": ["A"], "drug": ["x"], "start": ["2020-01-15"]})},
    "other calendar": {"treatments": pl.DataFrame({"patient": ["a"], "drug": ["x"], "start": [7]})},
    "scan": {"mri": pl.DataFrame({"patient": ["a", "a"], "date": ["2020-01-15", None], "gd": ["many", "1"]})},
    "birth": {"patients": pl.DataFrame({"patient": ["a"], "birth_date": ["1800-01-01"]})},
    "birth unread": {"patients": pl.DataFrame({"patient": ["a", "z"], "birth_date": ["long ago", "1980-01-01"]})},
    "birth in days": {"patients": pl.DataFrame({"patient": ["a"], "birth_date": [-12000]})},
    "twice": {"patients": pl.DataFrame({"patient": ["a", "a"], "sex": ["f", "m"]})},
    "nested": {"treatments": pl.DataFrame({"patient": ["a"], "drug": [["x"]], "start": ["2020-01-15"]})},
}


@pytest.mark.parametrize("fault", CARRIED)
def test_faults_of_what_is_carried_along_stop_nothing(fault: str) -> None:
    cohort = read(visits(), relapses=relapses(), **CARRIED[fault])
    cohort.require_sound()
    assert cohort.n_patients == 1 and not cohort.set_aside and adds_up(cohort)
    told = [f.problem for f in check(cohort).warnings if f.table in CARRIED[fault]]
    assert any("left" in problem or "set aside" in problem or "is taken" in problem for problem in told)


def test_what_is_carried_along_leaves_the_recording_of_relapses_whole() -> None:
    people = {"patient": ["a"], "birth_date": ["1800-01-01"], "dob2": ["x"], "relapses_recorded_from": ["2019-01-01"]}
    cohort = read(visits(), relapses=relapses(), patients=pl.DataFrame(people))
    cohort.require_sound()
    assert cohort.attributes is not None and cohort.attributes["birth_date"].to_list() == [None]
    assert cohort.recorded_from is not None and cohort.recorded_from.tolist() == [17897]


@pytest.mark.parametrize("column", ["relapses_recorded_from", "relapses_recorded_to", "time_zero"])
@pytest.mark.parametrize("value", ["soon", "1800-01-01", 7])
def test_what_labels_rest_on_still_stops(column: str, value: Any) -> None:
    people = pl.DataFrame({"patient": ["a", "b"], column: ["2020-01-15", value] if isinstance(value, str) else [value, value]})
    with pytest.raises(DataError):
        read(visits(), relapses=relapses(), patients=people).require_sound()


def test_a_treatment_twice_is_kept_once() -> None:
    drugs = pl.DataFrame({"patient": ["a", "a", "a"], "drug": ["x", "x", "y"], "start": ["2020-01-15"] * 3})
    cohort = read(visits(), relapses=relapses(), treatments=drugs)
    assert cohort.treatments is not None and cohort.treatments.height == 2 and adds_up(cohort)


def test_a_row_of_the_patients_without_a_patient_is_an_error_only_where_labels_rest_on_the_table() -> None:
    people = {"patient": ["a", None], "sex": ["f", "m"]}
    cohort = read(visits(), relapses=relapses(), patients=pl.DataFrame(people))
    cohort.require_sound()
    assert check(cohort).accounts[2].set_aside == (("a fault in the row", 1),)
    cohort = read(visits(), relapses=relapses(), patients=pl.DataFrame(people | {"time_zero": ["2020-01-15"] * 2}), keep_going=True)
    assert check(cohort).accounts[2].set_aside == (("an error in a row without a patient", 1),)


# --- setting aside


def adds_up(cohort: Cohort) -> bool:
    return all(a.rows_read == a.rows_kept + sum(n for _, n in a.set_aside) and a.rows_kept >= 0 for a in check(cohort).accounts)


def test_keep_going_sets_aside_patients_rows_and_nothing_else() -> None:
    frame = visits(
        patient=["a", "a", "b", "b", None, "c"],
        date=["2020-01-15", "2020-02-15", "2020-01-15", "2020-02-15", "2020-01-15", "2020-01-15"],
        edss=["2", "99", "3", "3", "2", "4"],
    )
    onsets = relapses(patient=["a", "b", "c"], date=["2020-02-01", "2020-02-01", None])
    cohort = read(frame, relapses=onsets, keep_going=True)
    cohort.require_sound()
    assert cohort.patients.to_list() == ["b"]
    assert cohort.set_aside == (("a", "score-out-of-range"), ("c", "date-missing"))
    assert (cohort.n_visits, cohort.n_relapses) == (2, 1)
    assert adds_up(cohort)
    assert check(cohort).accounts[0].set_aside == (
        ("an error in a row without a patient", 1),
        ("an error in the row", 1),
        ("patient set aside because of errors", 2),
    )
    alone = frame.filter(pl.col("patient") == "b"), onsets.filter(pl.col("patient") == "b")
    assert cohort.sha256 == read(alone[0], relapses=alone[1]).sha256


@pytest.mark.parametrize("code", ["column-missing", "column-ambiguous", "date-ambiguous", "date-calendars-differ"])
def test_keep_going_still_stops_for_errors_of_the_whole(code: str) -> None:
    cohort = read(**CASES[code], keep_going=True)
    with pytest.raises(DataError):
        cohort.require_sound()


def test_keep_going_without_any_error_changes_nothing() -> None:
    assert read(visits(), keep_going=True).sha256 == read(visits()).sha256


MESSY_ROW = st.tuples(
    st.sampled_from(["a", "A", "b", "b ", "02", "2", "", None]),
    st.sampled_from(["2020-01-15", "2020-02-15", "2025-12-31", "2202-01-01", "15.01.2020", "soon", "", None]),
    st.sampled_from(["2", "2,5", "99", "0.5", "NA", "bad", "", None]),
    st.sampled_from(["50", "111", "", None]),
)


@given(
    st.lists(MESSY_ROW, max_size=12),
    st.lists(MESSY_ROW, max_size=5),
    st.booleans(),
    st.sampled_from(["error", "last", "lowest", "highest"]),
)
def test_every_row_is_accounted_for(rows: list[Any], onsets: list[Any], keep_going: bool, same_day: Any) -> None:
    schema = dict.fromkeys(("patient", "date", "edss", "sdmt"), pl.String)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    relapse_frame = pl.DataFrame(onsets, schema=schema, orient="row").drop("edss", "sdmt")
    cohort = read(frame, relapses=relapse_frame, keep_going=keep_going, same_day=same_day)
    assert adds_up(cohort)
    assert [(a.table, a.rows_read) for a in check(cohort).accounts if a.table == "visits"] == [("visits", len(rows))]
    assert cohort.patients.is_sorted() and cohort.patients.n_unique() == cohort.n_patients
    assert (cohort.visits.first[1:] > cohort.visits.first[:-1]).all() and cohort.visits.first[-1] == cohort.n_visits
    for p in range(cohort.n_patients):
        days = cohort.visits.day[cohort.visits_of(p)]
        assert (days[1:] > days[:-1]).all()
        onset_days = cohort.relapse_days_of(p)
        assert (onset_days[1:] > onset_days[:-1]).all()
    if not check(cohort).errors:
        cohort.require_sound()


def test_findings_are_frozen() -> None:
    finding = check(read(visits())).findings[0]
    assert isinstance(finding, Finding)
    with pytest.raises(AttributeError):
        finding.code = "other"  # pyright: ignore[reportAttributeAccessIssue]
