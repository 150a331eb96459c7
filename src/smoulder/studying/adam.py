"""Outcomes as the time-to-event data of trial statisticians (CDISC ADaM, ADTTE), as CSV, Parquet and SAS transport.

The columns follow the time-to-event variables of the CDISC ADaM Implementation Guide and the ADaM Basic Data Structure for
Time-to-Event Analyses. The tables are like ADTTE and are no submission: there is no ADSL and no define.xml, USUBJID is the id of
the tables, and groups and covariates have names of their own.

AVAL is ADT - STARTDT + 1, in days: an event on the day of time zero would have AVAL 1 (as R's admiral, `derive_vars_duration` with
its default `add_one = TRUE`). Everywhere else in Smoulder a time is the difference alone, so AVAL is one day longer.

CNSR is 0 for the event and above 0 for everything else, the opposite of an event indicator. (pandas 3.1 reads the 0 of any SAS
transport file as 5.4e-79, pandas-dev/pandas#50670: there `CNSR < 1` finds the events, and Parquet is the better file.)

==========  ==============================================================================================
CNSR        meaning
==========  ==============================================================================================
0           the event asked about
1           no event up to the last visit
2           no event up to the end of recording
3           no event up to the end of the study period
4           no event up to a switch of treatment
5           no event up to the stop of treatment
6           no event up to death, where death does not compete
7           no event up to a restart of the treatment that was stopped
10          death came first (competing)
11, 12 …    another event came first (competing), numbered in alphabetical order over all outcomes
101, 102 …  no event up to another end, numbered in alphabetical order of the reason over all outcomes
==========  ==============================================================================================

EVNTDESC is the event, the competing event, or the reason for censoring. CNSDTDSC says which day ADT is where it is not that of an
event, so it is missing for events, also for competing ones. CNSR, EVNTDESC and CNSDTDSC follow the time-to-event variables of the
guide: https://www.cdisc.org/standards/foundational/adam.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from smoulder.errors import UsageError, agreed, counted
from smoulder.estimates import SurvivalOutcome
from smoulder.outputs import Document, Files, about, companion, write
from smoulder.provenance import Provenance
from smoulder.studying.transport import MOST_NAME, as_ascii, write_transport
from smoulder.terms import Calendar

CENSOR_CODES = {
    "last visit": 1,
    "end of recording": 2,
    "end of the study period": 3,
    "switched treatment": 4,
    "treatment stopped": 5,
    "death": 6,
    "restarted treatment": 7,
}
"""CNSR of each reason why the observation of a person ends; the same in every study."""
COMPETING_CODES = {"death": 10}
"""CNSR of what competes in any study where the tables state it."""
FIRST_COMPETING_CODE = 11
FIRST_OTHER_CODE = 101
NOT_STATED = "reason not stated"

LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "AVAL": "Analysis Value",
    "AVALU": "Analysis Value Unit",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "CNSDTDSC": "Censor Date Description",
    "ADT": "Analysis Date",
    "STARTDT": "Time-to-Event Origin Date for Subject",
    "ADY": "Analysis Day as the Tables Count Days",
    "STARTDY": "Time-to-Event Origin Day for Subject",
    "TRT01P": "Planned Treatment for Period 01",
    "INDEXTRT": "Treatment at Time Zero",
    "DTHDT": "Date of Death",
    "DTHDY": "Day of Death as the Tables Count Days",
}
"""Labels of the variables that are the same in every study; those of CDISC where the variable is one of theirs."""

_DAYS = {"date": ("ADT", "STARTDT"), "day": ("ADY", "STARTDY")}
_OWN = tuple(name for name in LABELS if name not in ("TRT01P", "INDEXTRT"))
"""Names that no covariate gets, in either calendar: it has one name whether the tables hold dates or days."""
_NAMED = {"arm": "TRT01P", "index_treatment": "INDEXTRT"}
_DEATH = {"date": "DTHDT", "day": "DTHDY"}

PARAMETER_SCHEMA: dict[str, pl.DataType] = {
    "PARAMCD": pl.String(),
    "PARAM": pl.String(),
    "outcome": pl.String(),
    "CNSR": pl.Int64(),
    "kind": pl.String(),
    "meaning": pl.String(),
    "n": pl.Int64(),
}


def short_names(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return for each name one that SAS accepts: at most 8 of A-Z and 0-9, a letter first, each different and none of `taken`.

    It is the name in capitals without anything but letters and digits, after an X where a digit or nothing would come first, cut after
    8. Names of which that would be the same, or is taken, get a number in place of the last letters, in alphabetical order of the
    names; so the order in which they come does not matter.

    >>> short_names(["first-pira", "pira-12-weeks", "pira-12-weeks-edss", "9hpt"])
    {'first-pira': 'FIRSTPIR', 'pira-12-weeks': 'PIRA12W1', 'pira-12-weeks-edss': 'PIRA12W2', '9hpt': 'X9HPT'}
    """
    whole = {name: re.sub("[^A-Z0-9]", "", (as_ascii(name) or "").upper()) for name in names}
    whole = {name: part if part[:1].isalpha() else f"X{part}" for name, part in whole.items()}
    same = Counter(part[:MOST_NAME] for part in whole.values())
    short = {name: part[:MOST_NAME] for name, part in whole.items() if same[part[:MOST_NAME]] == 1 and part[:MOST_NAME] not in taken}
    used = {*taken, *short.values()}
    for name in sorted(set(whole) - set(short)):
        number = 1
        while (tried := f"{whole[name][: MOST_NAME - len(str(number))]}{number}") in used:
            number += 1
        used.add(tried)
        short[name] = tried
    return {name: short[name] for name in whole}


def adtte(outcomes: Mapping[str, SurvivalOutcome], people: pl.DataFrame, calendar: Calendar, *, study_key: str) -> pl.DataFrame:
    """Return one row a person and outcome, in the order of USUBJID and PARAMCD.

    `outcomes` are by key; `people` has a row for everybody in them: patient, zero_day (days as the tables count them), and the groups
    and covariates to write along; end_reason and days (columns that end in "_day") other than that of death are left out. The columns
    end_day and last_visit_day, where there, tell what day a censoring date is.

    The columns are STUDYID (`study_key`), USUBJID (the id of the tables), PARAMCD (`short_names` of the keys), PARAM (name of the
    outcome), AVAL (days, ADT - STARTDT + 1), AVALU ("DAYS"), CNSR (0: event; the table at the top of this file), EVNTDESC, CNSDTDSC,
    and the dates ADT and STARTDT. Tables that count days have no dates, and SAS knows no other days, so these get the numbers ADY and
    STARTDY instead, as the tables count them: unlike an ADaM relative day they may be 0. Then come the columns of `people`, named by
    `short_names` but for TRT01P (arm), INDEXTRT (index_treatment) and DTHDT or DTHDY (death_day); true is Y and false N, NaN is null.

    Raises UsageError where `people` lacks a column or somebody, has somebody twice, or holds what is no text, number or date.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from smoulder.estimates import SurvivalOutcome
    >>> who = pl.DataFrame({"patient": ["A", "B"], "zero_day": [0, 7], "arm": ["drug", "placebo"]})
    >>> days = np.array([84, 365], dtype=np.int32)
    >>> outcome = SurvivalOutcome(
    ...     name="First PIRA", patients=who["patient"], time=days, cause=np.array([1, 0], dtype=np.int8), causes=("PIRA",),
    ...     reason=pl.Series(["PIRA", "last visit"]), free=np.array([0, 365], dtype=np.int32), people=who.select("patient"),
    ... )
    >>> adtte({"first-pira": outcome}, who, "day", study_key="made-up").select("PARAMCD", "AVAL", "CNSR", "EVNTDESC", "TRT01P").rows()
    [('FIRSTPIR', 85, 0, 'PIRA', 'drug'), ('FIRSTPIR', 366, 1, 'last visit', 'placebo')]
    """
    known = _known(people, calendar)
    names, titles, codes = short_names(outcomes), _titles(outcomes), _codes(outcomes)
    started = set(known.filter(pl.col("zero").is_not_null())["USUBJID"].to_list())
    frames = [_no_rows(known, calendar)]
    for key, outcome in outcomes.items():
        lacking = sorted(set(outcome.patients.to_list()) - started)
        if lacking:
            raise UsageError(
                f"{counted(len(lacking), 'person', 'people')} of the outcome '{key}' {agreed(len(lacking), 'is', 'are')} not among "
                f"the people with a time zero, first '{lacking[0]}'; give everybody with their time zero."
            )
        frames.append(_rows(_coded(outcome, *codes), known, (study_key, names[key], titles[key]), calendar))
    return pl.concat(frames).sort("USUBJID", "PARAMCD")


def parameters_frame(outcomes: Mapping[str, SurvivalOutcome]) -> pl.DataFrame:
    """Return what the short names and codes of `adtte` mean, so that nothing is lost by them: one row a parameter and CNSR.

    PARAMCD, PARAM, outcome (its key), CNSR (null: no row in ADTTE), kind ("event", "competing event", "censored" or "left out"),
    meaning, and n, the number of people. The event and its competing events are there also where nobody had them.
    """
    names, titles = short_names(outcomes), _titles(outcomes)
    competing, censored = _codes(outcomes)
    rows: list[tuple[object, ...]] = []
    for key, outcome in outcomes.items():
        of = (names[key], titles[key], key)
        rows.append((*of, 0, "event", outcome.causes[0], outcome.n_events))
        for k, cause in enumerate(outcome.causes[1:], start=2):
            rows.append((*of, competing[cause], "competing event", cause, int((outcome.cause == k).sum())))
        counts = Counter(_reasons(outcome))
        rows += [(*of, censored[reason], "censored", reason, n) for reason, n in counts.items()]
        rows += [(*of, None, "left out", reason, n) for reason, n in outcome.left_out]
    return pl.DataFrame(rows, schema=PARAMETER_SCHEMA, orient="row").sort("PARAMCD", "CNSR", "meaning", nulls_last=True)


def variables_frame(people: pl.DataFrame, calendar: Calendar, titles: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return the variables of `adtte`, in its order: variable, label, type ("text", "number", "date"), column (of `people`, or "").

    `titles` say in words what a column of `people` is; without, its name is the label.
    """
    columns = {variable: column for column, variable in _variables(people, calendar).items()}
    rows = []
    for variable, dtype in _no_rows(_known(people, calendar), calendar).schema.items():
        column = columns.get(variable, "")
        label = LABELS.get(variable) or (titles or {}).get(column) or re.sub("[_-]+", " ", column).strip() or variable
        rows.append((variable, label, "date" if dtype == pl.Date else "text" if dtype == pl.String else "number", column))
    return pl.DataFrame(rows, schema=dict.fromkeys(("variable", "label", "type", "column"), pl.String), orient="row")


def write_adam(
    table: pl.DataFrame,
    parameters: pl.DataFrame,
    variables: pl.DataFrame,
    folder: str | Path,
    files: Files,
    *,
    provenance: Provenance | None = None,
    extra: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Write what `adtte`, `parameters_frame` and `variables_frame` return into a folder that exists.

    adtte.csv, adtte.parquet and adtte.xpt (SAS transport, version 5) hold the same rows; adtte_parameters.csv and adtte_variables.csv
    say what the codes and short names mean. Each has its provenance, with `extra`, inside or beside it. Returns sentences that say
    what had to be spelled differently or cut in adtte.xpt; they are in its provenance too. CSV and Parquet have every text as it is. The
    rows of adtte.xpt are in the order of USUBJID and PARAMCD as they are spelled there.

    Raises UsageError where a file cannot be written, and DataError where a value cannot be in a SAS transport file (`write_transport`);
    then none of `files` is written.
    """
    folder = Path(folder)
    facts = dict(extra or {})
    for name, frame in (("adtte", table), ("adtte_parameters", parameters), ("adtte_variables", variables)):
        write(Document(name=name, table=frame, provenance=provenance, extra=facts), folder / f"{name}.csv", files)
    write(Document(name="adtte", table=table, provenance=provenance, extra=facts), folder / "adtte.parquet", files)
    place = folder / "adtte.xpt"
    labels = dict(variables.select("variable", "label").iter_rows())
    notes = write_transport(table, files.part(place), name="ADTTE", title="Time to event", labels=labels, keys=("USUBJID", "PARAMCD"))
    place = Path(os.path.realpath(place))
    beside = about(provenance, facts) | {"file": place.name, "notes": list(notes)}
    text = json.dumps(beside, indent=1, ensure_ascii=False, sort_keys=True)
    files.part(companion(place)).write_text(f"{text}\n", encoding="utf-8")
    return notes


_CODED = {"USUBJID": pl.String(), "time": pl.Int64(), "censored": pl.Boolean(), "CNSR": pl.Int64(), "EVNTDESC": pl.String()}


def _coded(outcome: SurvivalOutcome, competing: Mapping[str, int], censored: Mapping[str, int]) -> pl.DataFrame:
    """Return the people of an outcome with their time, CNSR and EVNTDESC."""
    reasons = iter(_reasons(outcome))
    causes = outcome.cause.tolist()
    described = [outcome.causes[k - 1] if k else next(reasons) for k in causes]
    cnsr = [0 if k == 1 else competing[text] if k else censored[text] for k, text in zip(causes, described, strict=True)]
    columns = (outcome.patients.cast(pl.String), outcome.time, outcome.cause == 0, cnsr, described)
    return pl.DataFrame([pl.Series(name, values, dtype=_CODED[name]) for name, values in zip(_CODED, columns, strict=True)])


def _rows(coded: pl.DataFrame, known: pl.DataFrame, named: tuple[str, str, str], calendar: Calendar) -> pl.DataFrame:
    """Return the rows of one outcome, with the columns in their order; `named` are STUDYID, PARAMCD and PARAM."""
    study, code, title = named
    day, start = _DAYS[calendar]
    end = pl.col("zero") + pl.col("time")
    said = (
        pl.when(~pl.col("censored"))
        .then(None)
        .when(pl.col("last").is_null() | (pl.col("last") == end))
        .then(pl.lit("last day observed"))
        .when(pl.col("last_visit") == end)
        .then(pl.lit("last visit up to the last day observed"))
        .otherwise(pl.lit("last day that counts for this parameter"))
    )
    return coded.join(known, on="USUBJID", how="left", maintain_order="left").select(
        pl.lit(study).alias("STUDYID"),
        "USUBJID",
        pl.lit(code).alias("PARAMCD"),
        pl.lit(title).alias("PARAM"),
        (pl.col("time") + 1).alias("AVAL"),
        pl.lit("DAYS").alias("AVALU"),
        "CNSR",
        "EVNTDESC",
        said.alias("CNSDTDSC"),
        _as_day(end, calendar).alias(day),
        _as_day(pl.col("zero"), calendar).alias(start),
        *known.columns[_BESIDE:],
    )


def _no_rows(known: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Return the columns of `adtte` without rows."""
    return _rows(pl.DataFrame(schema=_CODED), known.clear(), ("", "", ""), calendar)


def _as_day(day: pl.Expr, calendar: Calendar) -> pl.Expr:
    return day.cast(pl.Int32).cast(pl.Date) if calendar == "date" else day.cast(pl.Int64)


def _titles(outcomes: Mapping[str, SurvivalOutcome]) -> dict[str, str]:
    """Return the PARAM of each outcome: its name, with its key where two have one name, as ADaM wants one PARAM for one PARAMCD."""
    same = Counter(outcome.name for outcome in outcomes.values())
    return {key: one.name if same[one.name] == 1 else f"{one.name} ({key})" for key, one in outcomes.items()}


def _reasons(outcome: SurvivalOutcome) -> list[str]:
    """Return why each of the censored was, in their order."""
    reasons = outcome.reason.cast(pl.String).filter(pl.Series(outcome.cause == 0, dtype=pl.Boolean))
    return [reason or NOT_STATED for reason in reasons.to_list()]


def _codes(outcomes: Mapping[str, SurvivalOutcome]) -> tuple[dict[str, int], dict[str, int]]:
    """Return CNSR of every competing event, and of every reason for censoring: one code has one meaning in all parameters."""
    causes = {cause for outcome in outcomes.values() for cause in outcome.causes[1:]}
    reasons = {reason for outcome in outcomes.values() for reason in _reasons(outcome)}
    return _numbered(causes, COMPETING_CODES, FIRST_COMPETING_CODE), _numbered(reasons, CENSOR_CODES, FIRST_OTHER_CODE)


def _numbered(texts: set[str], fixed: Mapping[str, int], first: int) -> dict[str, int]:
    """Return the code of each text: a fixed one, otherwise from `first` on in alphabetical order."""
    return {**fixed, **{text: code for code, text in enumerate(sorted(texts - set(fixed)), first)}}


_BESIDE = 4
"""Columns of `_known` before those that are written as they are: USUBJID, zero, last, last_visit."""


def _known(people: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Return USUBJID, zero, last and last_visit (last day observed and last visit up to it, null where `people` does not say), and what
    is known of people under its SAS names.
    """
    lacking = [name for name in ("patient", "zero_day") if name not in people.columns]
    if lacking:
        raise UsageError(f"The people need the columns 'patient' and 'zero_day'; there is no '{lacking[0]}'.")
    ids = people["patient"].cast(pl.String)
    if ids.is_duplicated().any():
        raise UsageError(f"'{ids.filter(ids.is_duplicated()).sort()[0]}' is among the people twice; give one row a person.")
    known = [ids.alias("USUBJID")]
    for column, name in (("zero_day", "zero"), ("end_day", "last"), ("last_visit_day", "last_visit")):
        days = people[column] if column in people.columns else pl.Series([None] * people.height)
        known.append(days.cast(pl.Int64).alias(name))
    for column, variable in _variables(people, calendar).items():
        values = _as_day_series(people[column], calendar) if column == "death_day" else _simple(people[column])
        known.append(values.alias(variable))
    return pl.DataFrame(known)


def _as_day_series(days: pl.Series, calendar: Calendar) -> pl.Series:
    return days.to_frame().select(_as_day(pl.col(days.name), calendar)).to_series()


def _variables(people: pl.DataFrame, calendar: Calendar) -> dict[str, str]:
    """Return the SAS name of each column of the people that is written."""
    shown = [name for name in people.columns if name == "death_day" or not (name in ("patient", "end_reason") or name.endswith("_day"))]
    fixed = {name: variable for name, variable in (_NAMED | {"death_day": _DEATH[calendar]}).items() if name in shown}
    taken = {*_OWN, *fixed.values()}
    short = short_names([name for name in shown if name not in fixed], taken)
    return {name: fixed.get(name) or short[name] for name in shown}


def _simple(column: pl.Series) -> pl.Series:
    """Return a column as text, number or date."""
    dtype = column.dtype
    if dtype == pl.Boolean:
        return column.replace_strict({True: "Y", False: "N"}, default=None, return_dtype=pl.String)
    if dtype in (pl.String, pl.Enum, pl.Categorical, pl.Null):
        return column.cast(pl.String)
    if dtype.is_float():
        return column.fill_nan(None)
    if dtype.is_numeric() or dtype == pl.Date:
        return column
    raise UsageError(f"The column '{column.name}' of the people is neither text, number nor date ({dtype}); leave it out.")
