"""Time-to-event data for trial statisticians: read back by pandas (SAS transport) and polars, not by the library that wrote them."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoulder.engine import detect
from smoulder.errors import DataError, UsageError
from smoulder.estimates import SurvivalOutcome
from smoulder.outputs import Files
from smoulder.protocol.timing import CENSOR_REASONS
from smoulder.provenance import Provenance
from smoulder.reading import read
from smoulder.studying import adam
from smoulder.studying.adam import adtte, parameters_frame, short_names, variables_frame, write_adam
from smoulder.studying.transport import MOST_LABEL, as_ascii, write_transport
from smoulder.terms import Calendar, day_of

FILES = ("adtte.csv", "adtte.parquet", "adtte.xpt", "adtte_parameters.csv", "adtte_variables.csv")


def an_outcome(rows: Sequence[tuple[str, int, int, str]], name: str = "First PIRA", causes: tuple[str, ...] = ("PIRA",)) -> SurvivalOutcome:
    """Return an outcome of rows of patient, days, cause (0: censored) and reason."""
    patients = pl.Series("patient", [row[0] for row in rows], dtype=pl.String)
    days = np.array([row[1] for row in rows], dtype=np.int32)
    return SurvivalOutcome(
        name=name,
        patients=patients,
        time=days,
        cause=np.array([row[2] for row in rows], dtype=np.int8),
        causes=causes,
        reason=pl.Series([row[3] for row in rows], dtype=pl.String),
        free=days,
        people=patients.to_frame(),
    )


def some_people(ids: Sequence[str], zero: Sequence[int] | None = None, **more: Any) -> pl.DataFrame:
    days = pl.Series("zero_day", zero or [0] * len(ids), dtype=pl.Int32)
    return pl.DataFrame([pl.Series("patient", ids, dtype=pl.String), days, *(pl.Series(name, values) for name, values in more.items())])


def save(
    folder: Path,
    outcomes: Mapping[str, SurvivalOutcome],
    people: pl.DataFrame,
    calendar: Calendar = "date",
    *,
    titles: Mapping[str, str] | None = None,
    provenance: Provenance | None = None,
) -> tuple[str, ...]:
    table = adtte(outcomes, people, calendar, study_key="made-up")
    with Files() as files:
        return write_adam(
            table, parameters_frame(outcomes), variables_frame(people, calendar, titles), folder, files, provenance=provenance
        )


PANDAS_ZERO = 16.0**-65
"""What pandas 3.1 reads in place of 0, which is 8 bytes of 0 in the format (pandas-dev/pandas#50670; R's foreign and haven read 0)."""


def transport(place: Path) -> Any:
    """Return a transport file as a frame of pandas, with zeros mended."""
    frame: Any = pd.read_sas(place, format="xport", encoding="ascii")
    return frame.replace(PANDAS_ZERO, 0.0)


def header(place: Path) -> Any:
    """Return the reader of pandas, which holds what the header says: a context."""
    return pd.read_sas(place, format="xport", encoding="ascii", iterator=True)


def sas(folder: Path) -> Any:
    return transport(folder / "adtte.xpt")


def sas_fields(folder: Path) -> dict[str, Any]:
    with header(folder / "adtte.xpt") as reader:
        return {field["name"].decode(): field for field in reader.fields}


# A small cohort in dates, worked by hand: 84 days after 2020-01-01 is 2020-03-25 (30 days left of January, 29 of February, 25 of March).
# SAS counts days from 1960-01-01; 2020-01-01 is 60 years of 365 days and 15 leap days later: 21915.

FIRST_PIRA = an_outcome(
    [("A", 84, 1, "PIRA"), ("B", 365, 0, "last visit"), ("C", 31, 3, "death"), ("D", 10, 0, "moved away"), ("E", 1, 2, "RAW")],
    causes=("PIRA", "RAW", "death"),
)
DEATH = an_outcome(
    [("A", 400, 0, "treatment stopped"), ("B", 366, 0, "last visit"), ("C", 31, 1, "death")], name="Death", causes=("death",)
)
OUTCOMES = {"first-pira": FIRST_PIRA, "death": DEATH}
DATES = [datetime.date(2020, 1, 1)] * 4 + [datetime.date(1959, 12, 30)]
PEOPLE = some_people(
    ["A", "B", "C", "D", "E"],
    [day_of(date) for date in DATES],
    start_day=[day_of(date) for date in DATES],
    index_start_day=[1, 2, 3, 4, 5],
    end_reason=["last visit"] * 5,
    # B is observed beyond its last visit; A, with an earlier one, to the day on which it is censored from the second outcome.
    end_day=[day_of(datetime.date(2020, 1, 1)) + n for n in (400, 500, 31, 10)] + [0],
    last_visit_day=[day_of(datetime.date(2020, 1, 1)) + n for n in (300, 366, 20, 10)] + [0],
    death_day=[None, None, day_of(datetime.date(2020, 2, 1)), None, None],
    arm=pl.Series(["drug", "placebo", "drug", None, "placebo"], dtype=pl.Enum(["placebo", "drug"])),
    age=[30.5, None, float("nan"), 1 / 3, 41.0],
    relapses_before=[0, 1, 2, None, 4],
    active=[True, False, None, True, False],
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adam")
    assert save(folder, OUTCOMES, PEOPLE, titles={"age": "Age, years", "active": "MRI active"}) == ()
    return folder


def test_transport_has_the_rows_worked_by_hand(written: Path) -> None:
    frame = sas(written)
    columns = ["USUBJID", "PARAMCD", "AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "ADT", "STARTDT"]
    assert frame[columns].values.tolist() == [
        ["A", "DEATH", 401.0, 5.0, "treatment stopped", "last day observed", 22315.0, 21915.0],
        ["A", "FIRSTPIR", 85.0, 0.0, "PIRA", "", 21999.0, 21915.0],
        ["B", "DEATH", 367.0, 1.0, "last visit", "last visit up to the last day observed", 22281.0, 21915.0],
        ["B", "FIRSTPIR", 366.0, 1.0, "last visit", "last day that counts for this parameter", 22280.0, 21915.0],
        ["C", "DEATH", 32.0, 0.0, "death", "", 21946.0, 21915.0],
        ["C", "FIRSTPIR", 32.0, 10.0, "death", "", 21946.0, 21915.0],
        ["D", "FIRSTPIR", 11.0, 101.0, "moved away", "last day observed", 21925.0, 21915.0],
        ["E", "FIRSTPIR", 2.0, 11.0, "RAW", "", -1.0, -2.0],
    ]
    assert set(frame["STUDYID"]) == {"made-up"} and set(frame["AVALU"]) == {"DAYS"}
    assert set(zip(frame["PARAMCD"], frame["PARAM"], strict=True)) == {("DEATH", "Death"), ("FIRSTPIR", "First PIRA")}


def test_csv_and_parquet_have_the_same_rows_with_dates(written: Path) -> None:
    table = pl.read_parquet(written / "adtte.parquet")
    kept = pl.read_csv(written / "adtte.csv", try_parse_dates=True, schema_overrides={"USUBJID": pl.String})
    assert kept.equals(table)
    first = table.filter(PARAMCD="FIRSTPIR", USUBJID="A").row(0, named=True)
    assert (first["ADT"], first["STARTDT"]) == (datetime.date(2020, 3, 25), datetime.date(2020, 1, 1))
    assert first["CNSDTDSC"] is None
    # SAS counts from 1960-01-01, polars from 1970-01-01; everything else is the same.
    days = [datetime.date(1960, 1, 1) + datetime.timedelta(days=day) for day in sas(written)["ADT"]]
    assert days == table["ADT"].to_list()


def test_a_duration_is_one_day_more_than_the_difference(written: Path) -> None:
    table = pl.read_parquet(written / "adtte.parquet")
    assert ((table["ADT"] - table["STARTDT"]).dt.total_days() + 1).to_list() == table["AVAL"].to_list()
    assert table.filter(PARAMCD="FIRSTPIR")["AVAL"].to_list() == [n + 1 for n in FIRST_PIRA.time.tolist()]


def test_zero_means_event(written: Path) -> None:
    frame = sas(written)
    assert (frame.query("PARAMCD == 'FIRSTPIR'")["CNSR"] == 0).tolist() == FIRST_PIRA.event.tolist()
    assert (frame.query("PARAMCD == 'DEATH'")["CNSR"] == 0).sum() == DEATH.n_events == 1


def test_zero_is_the_zero_of_the_format(tmp_path: Path) -> None:
    # By TS-140 a row is its values side by side, missing is a point and zero is 8 bytes of 0;
    # 1 is 16 to the power of 1 times 1/16: 41 10 00 ...
    values = pl.DataFrame({"X": [0.0, -0.0, 1.0, None, float("nan")]})
    write_transport(values, tmp_path / "x.xpt", name="X", title="", labels={})
    rows = (tmp_path / "x.xpt").read_bytes().rpartition(b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!" + b"0" * 30 + b"  ")[2]
    assert rows.rstrip(b" ") == bytes(16) + b"\x41\x10" + bytes(6) + 2 * (b"." + bytes(7))


def test_groups_and_covariates_with_missing_ones(written: Path) -> None:
    frame = sas(written).query("PARAMCD == 'FIRSTPIR'")
    assert frame["TRT01P"].tolist() == ["drug", "placebo", "drug", "", "placebo"]
    # An IBM double has at least 53 binary digits here, so that no number changes.
    assert frame["AGE"].tolist()[:1] + frame["AGE"].tolist()[3:] == [30.5, 1 / 3, 41.0]
    assert frame["AGE"].isna().tolist() == [False, True, True, False, False]
    assert frame["RELAPSES"].isna().tolist() == [False, False, False, True, False]
    assert frame["ACTIVE"].tolist() == ["Y", "N", "", "Y", "N"]
    assert frame["DTHDT"].dropna().tolist() == [21946.0]
    table = pl.read_parquet(written / "adtte.parquet").filter(PARAMCD="FIRSTPIR")
    assert table["AGE"].to_list() == [30.5, None, None, 1 / 3, 41.0]
    assert table["DTHDT"].drop_nulls().to_list() == [datetime.date(2020, 2, 1)]


def test_labels_and_formats_are_those_of_the_variables_frame(written: Path) -> None:
    fields = sas_fields(written)
    variables = pl.read_csv(written / "adtte_variables.csv")
    assert list(fields) == variables["variable"].to_list() == sas(written).columns.tolist()
    assert {name: field["label"].decode() for name, field in fields.items()} == dict(variables.select("variable", "label").iter_rows())
    assert fields["AGE"]["label"] == b"Age, years" and fields["RELAPSES"]["label"] == b"relapses before"
    assert fields["STARTDT"]["label"] == b"Time-to-Event Origin Date for Subject"
    # DATE9. is 01JAN2020; narrower ones hide the century.
    formats = {name: (field["nform"], field["nfl"]) for name, field in fields.items() if field["nform"]}
    assert formats == dict.fromkeys(("ADT", "STARTDT", "DTHDT"), (b"DATE", 9))
    from_people = dict(variables.filter(pl.col("column") != "").select("column", "variable").iter_rows())
    assert from_people == {"death_day": "DTHDT", "arm": "TRT01P", "age": "AGE", "relapses_before": "RELAPSES", "active": "ACTIVE"}
    assert all(len(label) <= MOST_LABEL and label.isascii() for label in adam.LABELS.values())


def test_parameters_say_what_every_code_means_and_count_the_rows(written: Path) -> None:
    parameters = pl.read_csv(written / "adtte_parameters.csv")
    assert parameters.select("PARAMCD", "outcome", "CNSR", "kind", "meaning", "n").rows() == [
        ("DEATH", "death", 0, "event", "death", 1),
        ("DEATH", "death", 1, "censored", "last visit", 1),
        ("DEATH", "death", 5, "censored", "treatment stopped", 1),
        ("FIRSTPIR", "first-pira", 0, "event", "PIRA", 1),
        ("FIRSTPIR", "first-pira", 1, "censored", "last visit", 1),
        ("FIRSTPIR", "first-pira", 10, "competing event", "death", 1),
        ("FIRSTPIR", "first-pira", 11, "competing event", "RAW", 1),
        ("FIRSTPIR", "first-pira", 101, "censored", "moved away", 1),
    ]
    counted = sas(written).groupby(["PARAMCD", "CNSR", "EVNTDESC"]).size()
    assert {key: int(n) for key, n in counted.items()} == {(row[0], row[3], row[5]): row[6] for row in parameters.rows()}  # type: ignore[index]


def test_people_left_out_are_in_the_parameters() -> None:
    outcome = an_outcome([("A", 5, 0, "")])
    object.__setattr__(outcome, "left_out", (("no visit after time zero", 3),))
    rows = parameters_frame({"x": outcome}).select("CNSR", "kind", "meaning", "n").rows()
    assert rows == [
        (0, "event", "PIRA", 0),
        (101, "censored", "reason not stated", 1),
        (None, "left out", "no visit after time zero", 3),
    ]


def test_every_reason_of_a_study_has_a_code_of_its_own() -> None:
    assert set(adam.CENSOR_CODES) == set(CENSOR_REASONS)
    codes = sorted(adam.CENSOR_CODES.values())
    assert codes == list(range(1, len(codes) + 1))
    assert codes[-1] < adam.COMPETING_CODES["death"] < adam.FIRST_COMPETING_CODE < adam.FIRST_OTHER_CODE


def test_the_module_tells_the_codes_that_are_written() -> None:
    told = {line.split()[0] for line in (adam.__doc__ or "").splitlines() if line[:1].isdigit()}
    codes = {*adam.CENSOR_CODES.values(), *adam.COMPETING_CODES.values(), 0}
    assert told == {str(code) for code in codes} | {f"{adam.FIRST_COMPETING_CODE},", f"{adam.FIRST_OTHER_CODE},"}


def test_a_cohort_in_days_has_numbers_in_place_of_dates(tmp_path: Path) -> None:
    people = some_people(["A", "B"], [-5, 0], death_day=[None, 12], adt=["x", "y"])
    save(tmp_path, {"x": an_outcome([("A", 5, 1, "PIRA"), ("B", 12, 0, "death")])}, people, "day")
    frame = sas(tmp_path)
    assert frame[["STARTDY", "ADY", "AVAL", "CNSR"]].values.tolist() == [[-5, 0, 6, 0], [0, 12, 13, 6]]
    assert {"ADT", "STARTDT", "DTHDT"}.isdisjoint(frame.columns)
    assert frame["DTHDY"].dropna().tolist() == [12]
    assert frame["ADT1"].tolist() == ["x", "y"]
    assert pl.read_parquet(tmp_path / "adtte.parquet").schema["ADY"] == pl.Int64


def test_no_events(tmp_path: Path) -> None:
    save(tmp_path, {"x": an_outcome([("A", 5, 0, "last visit")])}, some_people(["A"]))
    assert sas(tmp_path)["CNSR"].tolist() == [1]
    assert pl.read_csv(tmp_path / "adtte_parameters.csv").select("CNSR", "n").rows() == [(0, 0), (1, 1)]


@pytest.mark.parametrize("calendar", ["date", "day"])
@pytest.mark.parametrize("outcomes", [{}, {"x": an_outcome([])}], ids=["no outcome", "nobody in it"])
def test_no_people(tmp_path: Path, calendar: Calendar, outcomes: dict[str, SurvivalOutcome]) -> None:
    full = adtte({"x": an_outcome([("A", 5, 0, "last visit")])}, some_people(["A"], age=[1.5]), calendar, study_key="x")
    save(tmp_path, outcomes, some_people([], age=pl.Series([], dtype=pl.Float64)), calendar)
    table = pl.read_parquet(tmp_path / "adtte.parquet")
    assert table.height == 0 and table.schema == full.schema
    assert pl.read_csv(tmp_path / "adtte.csv").columns == full.columns
    # pandas has no frame for a table without rows; what it reads of the header must agree all the same.
    with header(tmp_path / "adtte.xpt") as reader:
        assert reader.nobs == 0 and list(reader.columns) == full.columns
    assert pl.read_csv(tmp_path / "adtte_parameters.csv").height == len(outcomes)


# Names


def test_outcomes_whose_short_names_would_be_the_same() -> None:
    one = [("A", 5, 1, "PIRA")]
    outcomes = {"first-pira-24w": an_outcome(one), "first-pira-12w": an_outcome(one), "raw": an_outcome(one, name="First RAW")}
    table = adtte(outcomes, some_people(["A"]), "day", study_key="x")
    assert table.select("PARAMCD", "PARAM").rows() == [
        ("FIRSTPI1", "First PIRA (first-pira-12w)"),
        ("FIRSTPI2", "First PIRA (first-pira-24w)"),
        ("RAW", "First RAW"),
    ]
    keys = dict(parameters_frame(outcomes).select("PARAMCD", "outcome").iter_rows())
    assert keys == {"FIRSTPI1": "first-pira-12w", "FIRSTPI2": "first-pira-24w", "RAW": "raw"}


def test_a_number_does_not_take_the_name_of_another() -> None:
    # 'abcdefg1' is its own short name, so the two that collide cannot have it.
    assert short_names(["abcdefgh-x", "abcdefgh-y", "abcdefg1"]) == {
        "abcdefgh-x": "ABCDEFG2",
        "abcdefgh-y": "ABCDEFG3",
        "abcdefg1": "ABCDEFG1",
    }
    assert short_names(["aval", "9hpt", "-", "größe"], taken=["AVAL"]) == {"aval": "AVAL1", "9hpt": "X9HPT", "-": "X", "größe": "GROSSE"}


@given(names=st.lists(st.text(max_size=12), unique=True, max_size=30), taken=st.sets(st.sampled_from(["A", "AVAL", "X", "X1"])))
def test_short_names_are_valid_different_and_the_same_in_any_order(names: list[str], taken: set[str]) -> None:
    short = short_names(names, taken)
    assert list(short) == names and len(set(short.values())) == len(names) and not taken & set(short.values())
    assert all(1 <= len(name) <= 8 and name.isascii() and name.isalnum() and name == name.upper() for name in short.values())
    assert not any(name[0].isdigit() for name in short.values())
    assert short_names(names[::-1], taken) == short


# Text that the format cannot hold


def test_letters_beyond_ascii_are_spelled_and_told_and_stay_in_csv(tmp_path: Path) -> None:
    ids = ["Zürich-1", "Zug-2", "Århus-3"]
    people = some_people(sorted(ids), site=["Århus\t(old)", "Zug", "Zürich – 2"])
    notes = save(tmp_path, {"x": an_outcome([(one, 5, 0, "last visit") for one in sorted(ids)])}, people)
    # In the order of what is written: Å comes after Z, and A before it.
    assert sas(tmp_path)["USUBJID"].tolist() == ["Arhus-3", "Zug-2", "Zurich-1"]
    assert sas(tmp_path)["SITE"].tolist() == ["Zurich - 2", "Arhus (old)", "Zug"]
    assert pl.read_csv(tmp_path / "adtte.csv")["USUBJID"].to_list() == sorted(ids)
    assert pl.read_parquet(tmp_path / "adtte.parquet")["SITE"].to_list() == ["Århus\t(old)", "Zug", "Zürich – 2"]
    assert notes == (
        "In the SAS transport file 2 texts of USUBJID are spelled in ASCII, as the format demands: "
        "'Zürich-1' as 'Zurich-1', 'Århus-3' as 'Arhus-3'.",
        "In the SAS transport file 2 texts of SITE are spelled in ASCII, as the format demands: "
        "'Zürich – 2' as 'Zurich - 2', 'Århus\\t(old)' as 'Arhus (old)'.",
    )
    assert json.loads((tmp_path / "adtte.xpt.provenance.json").read_text(encoding="utf-8"))["notes"] == list(notes)


@pytest.mark.parametrize(
    ("ids", "site", "said"),
    [
        (["Ж-1", "B"], ["x", "y"], "USUBJID: 1 text that cannot be spelled in ASCII, which is all that the format knows: 'Ж-1'."),
        (["Bär", "Bar"], ["x", "y"], "USUBJID: 'Bar', 'Bär' would be one text, 'Bar'."),
        (["A" * 201, "B"], ["x", "y"], "USUBJID: 1 text that is longer than the 200 characters of the format"),
        (["A", "B"], ["x" * 200 + "1", "x" * 200 + "2"], "would be one text, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'."),
        (["A", "B"], ["x", "x "], "SITE: 'x', 'x ' would be one text, 'x'."),
        (["A", "B"], [1.0, float("inf")], "SITE: 1 number too large or too small for the format: inf."),
        (["A", "B"], [1.0, -1e76], "SITE: 1 number too large or too small for the format: -1e+76."),
        (["A", "B"], [1.0, 1e-79], "SITE: 1 number too large or too small for the format: 1e-79."),
        (["A", "B"], [1, 2**53], "SITE: 1 number too large or too small for the format: 9007199254740992."),
    ],
)
def test_what_would_be_damaged_is_refused_and_nothing_is_written(tmp_path: Path, ids: list[str], site: list[Any], said: str) -> None:
    outcome = an_outcome([(one, 5, 0, "last visit") for one in sorted(ids)])
    with pytest.raises(DataError) as caught:
        save(tmp_path, {"x": outcome}, some_people(ids, site=site))
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        save(tmp_path, {"x": an_outcome([("Ж", 5, 0, "last visit")])}, some_people(["Ж"], site=["Ω"]))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "The SAS transport file cannot be written",
        "  - USUBJID",
        "  - SITE",
    ]


def test_texts_up_to_the_limit_are_whole_and_longer_ones_cut_with_a_note(tmp_path: Path) -> None:
    name, longest = "p" * 200, "s" * 200
    people = some_people([name], site=[longest + "tail"], other=[longest])
    title = "A title of a covariate that needs more than forty characters"
    notes = save(tmp_path, {"x": an_outcome([(name, 5, 0, "last visit")])}, people, titles={"other": title})
    row = sas(tmp_path).iloc[0]
    assert (row["USUBJID"], row["SITE"], row["OTHER"]) == (name, longest, longest)
    assert sas_fields(tmp_path)["OTHER"]["label"] == title[:40].encode()
    assert pl.read_csv(tmp_path / "adtte_variables.csv").filter(variable="OTHER")["label"].item() == title
    assert len(notes) == 2
    assert notes[0].startswith("In the SAS transport file SITE has 1 text that is longer than the 200 characters of the format ('sss")
    assert notes[1] == f"In the SAS transport file the label of OTHER, {title!r}, is written as {title[:40]!r}."


@given(st.text())
def test_a_spelling_is_printable_ascii_and_plain_text_is_its_own(text: str) -> None:
    plain = as_ascii(text)
    assert plain is None or (plain.isascii() and (plain == "" or plain.isprintable()) and as_ascii(plain) == plain)
    if text.isascii() and (text == "" or text.isprintable()):
        assert plain == text


@given(values=st.lists(st.floats(1e-70, 1e70) | st.floats(-1e70, -1e-70) | st.just(0.0) | st.none(), min_size=1, max_size=8))
def test_no_number_changes(values: list[float | None], tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.getbasetemp() / "numbers.xpt"
    write_transport(pl.DataFrame({"X": values, "T": "x" * 90}, schema_overrides={"X": pl.Float64}), place, name="T", title="", labels={})
    back = transport(place)["X"]
    assert [None if np.isnan(value) else value for value in back.tolist()] == values


# Files


def test_the_same_bytes_at_another_time_and_from_other_orders(written: Path, tmp_path: Path) -> None:
    # The format has the time of writing, in seconds, in its header.
    time.sleep(1.1)
    turned = {key: OUTCOMES[key].only(np.ones(OUTCOMES[key].n, dtype=np.bool_)) for key in reversed(OUTCOMES)}
    save(tmp_path, turned, PEOPLE.reverse(), titles={"age": "Age, years", "active": "MRI active"})
    names = sorted(path.name for path in written.iterdir())
    assert names == sorted([*FILES, *(f"{name}.provenance.json" for name in FILES if not name.endswith(".parquet"))])
    for name in names:
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes(), name


def test_transport_is_version_5_with_a_fixed_time(written: Path) -> None:
    content = (written / "adtte.xpt").read_bytes()
    assert content.startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!")
    assert len(content) % 80 == 0
    with header(written / "adtte.xpt") as reader:
        assert reader.file_info["created"] == reader.file_info["modified"] == datetime.datetime(2000, 1, 1)
        assert reader.member_info["set_name"] == "ADTTE"
        assert reader.member_info["created"] == reader.member_info["modified"] == datetime.datetime(2000, 1, 1)


def test_every_file_has_its_provenance(tmp_path: Path) -> None:
    cohort = read({"patient": ["A"], "date": ["2020-01-06"], "edss": [2.0]}, nobody_relapsed=True)
    provenance = detect(cohort, "cdw-12w").provenance
    save(tmp_path, {"x": an_outcome([("A", 5, 0, "last visit")])}, some_people(["A"]), provenance=provenance)
    for name in FILES:
        if name.endswith(".parquet"):
            known = json.loads(pl.read_parquet_metadata(tmp_path / name)["smoulder"])
        else:
            known = json.loads((tmp_path / f"{name}.provenance.json").read_text(encoding="utf-8"))
            assert known.pop("file") == name
        assert known.pop("notes", []) == []
        assert known == provenance.as_dict()


def test_a_file_of_others_is_not_overwritten_and_then_none_is_written(tmp_path: Path) -> None:
    (tmp_path / "adtte.xpt").write_bytes(b"somebody's work")
    with pytest.raises(UsageError, match="was not written by Smoulder"):
        save(tmp_path, {"x": an_outcome([("A", 5, 0, "last visit")])}, some_people(["A"]))
    assert [path.name for path in tmp_path.iterdir()] == ["adtte.xpt"]
    assert (tmp_path / "adtte.xpt").read_bytes() == b"somebody's work"


def test_files_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    save(tmp_path, {"x": an_outcome([("A", 5, 0, "last visit")])}, some_people(["A"]))
    save(tmp_path, {"x": an_outcome([("A", 6, 0, "last visit")])}, some_people(["A"]))
    assert sas(tmp_path)["AVAL"].tolist() == [7]


def test_a_file_that_was_cut_off_is_noticed(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    table = pl.DataFrame({"X": ["x" * 200] * 1000})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        with pytest.raises(OSError, match="not complete"):
            write_transport(table, tmp_path / "x.xpt", name="X", title="", labels={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    write_transport(table, tmp_path / "x.xpt", name="X", title="", labels={})
    assert len(transport(tmp_path / "x.xpt")) == 1000


def test_neither_pandas_nor_pyarrow_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pandas'] = sys.modules['pyarrow'] = None\n"
        "import datetime, pathlib, polars as pl\n"
        "from smoulder.studying.transport import write_transport\n"
        "table = pl.DataFrame({'T': ['a', None], 'D': [datetime.date(1960, 1, 2), None], 'X': [1.5, None]})\n"
        f"write_transport(table, pathlib.Path({str(tmp_path / 'x.xpt')!r}), name='X', title='', labels={{}})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    back = transport(tmp_path / "x.xpt")
    assert back["T"].tolist() == ["a", ""] and back["D"].tolist()[0] == 1 and back["X"].tolist()[0] == 1.5


# Calls that cannot be


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (some_people(["B"]), "1 person of the outcome 'x' is not among the people with a time zero, first 'A'"),
        (some_people(["A"]).with_columns(zero_day=None), "1 person of the outcome 'x' is not among the people with a time zero"),
        (some_people(["A", "A"]), "'A' is among the people twice"),
        (some_people(["A"]).drop("zero_day"), "there is no 'zero_day'"),
        (some_people(["A"], site=[["x"]]), "The column 'site' of the people is neither text, number nor date"),
    ],
)
def test_people_that_do_not_fit_are_refused(people: pl.DataFrame, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        adtte({"x": an_outcome([("A", 5, 0, "last visit")])}, people, "day", study_key="x")
    assert said in str(caught.value)


def test_a_name_that_sas_does_not_take_is_refused(tmp_path: Path) -> None:
    for name in ("lower", "NINELETTERS", "9X"):
        with pytest.raises(ValueError, match="names of a SAS transport file"):
            write_transport(pl.DataFrame({name: [1.0]}), tmp_path / "x.xpt", name="X", title="", labels={})
