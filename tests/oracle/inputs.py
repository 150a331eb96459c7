"""Reading what a comparison is given. Whatever is wrong with it ends in one sentence: a `SourceError`, which the command tells."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from smoulder.errors import SourceError, counted
from smoulder.tables import Cohort
from tests.oracle.agreement import Agreement, NamedDifference, Row

NAMED = 5
"""Patients that a note names; more are only counted."""


@contextmanager
def reading(what: Path | str) -> Iterator[None]:
    """Tell what cannot be read inside the block as a `SourceError` about `what`; only for reading, never around an engine."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"There is no file {what}.") from error
    except KeyError as error:
        raise SourceError(f"{what}: there is no {error}.") from error
    except (OSError, ValueError, TypeError, AttributeError, IndexError, ArithmeticError, PolarsError) as error:
        first_line = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise SourceError(f"{what} cannot be read: {first_line}.") from error


def json_of(path: Path, *names: str) -> dict[str, Any]:
    """Return the object in a JSON file; SourceError where it is none or lacks one of the names."""
    with reading(path):
        data = json.loads(path.read_text(encoding="utf-8"))
    return object_with(data, path, *names)


def object_with(data: Any, what: Path | str, *names: str) -> dict[str, Any]:
    """Return an object of a JSON file; SourceError where it is none or lacks one of the names."""
    if not isinstance(data, dict):
        raise SourceError(f"{what} has to be an object with {', '.join(names)}.")
    lacking = [name for name in names if name not in data]
    if lacking:
        raise SourceError(f"{what} has no {', '.join(lacking)}.")
    return data


def rows_of(path: Path, patient: str, *columns: str) -> list[dict[str, Any]]:
    """Return the rows of a CSV file as text; `patient`: its column of patients.

    SourceError where there is no such file, it lacks one of the columns, or a row has no patient.
    """
    if not path.is_file():
        raise SourceError(f"There is no file {path}.")
    with reading(path):
        table = pl.read_csv(path, infer_schema_length=0)
    lacking = [name for name in (patient, *columns) if name not in table.columns]
    if lacking:
        raise SourceError(f"{path} has no column {', '.join(lacking)}; its columns are {', '.join(table.columns)[:200]}.")
    if table[patient].null_count():
        raise SourceError(f"{path} has {counted(table[patient].null_count(), 'row')} without a patient in the column {patient}.")
    return table.rows(named=True)


def one_of_values(options: Mapping[str, Any], name: str, values: Collection[Any], what: str) -> None:
    """Raise SourceError where an option that is given has a value that is none of `values`."""
    if name in options and not any(type(options[name]) is type(value) and options[name] == value for value in values):
        raise SourceError(f"{what}: {name} is {options[name]!r}; it can be {', '.join(repr(value) for value in values)}.")


def numbers(options: Mapping[str, Any], names: Iterable[str], what: str, *, also: Collection[Any] = ()) -> None:
    """Raise SourceError where one of the options named is given and is no number (nor one of the words in `also`)."""
    for name in names:
        value = options.get(name, 0)
        if value not in also and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise SourceError(f"{what}: {name} is {value!r}, which is no number.")


def answers_and_cohorts(folder: Path) -> tuple[Path, Path]:
    """Return the folder of answers (`cross` in the folder given, or that itself) and the folder `cohorts` in, beside or above it.

    SourceError where there are no cohorts.
    """
    answers = folder / "cross" if (folder / "cross").is_dir() else folder
    here = answers.absolute()
    for place in (here, here.parent, here.parent.parent):
        if (place / "cohorts" / "main").is_dir():
            return answers, place / "cohorts"
    raise SourceError(f"There is no folder cohorts/main in, beside or above {answers}, so there is nobody to compare the answers about.")


def strangers(agreement: Agreement, theirs: Mapping[str, list[Row]], ours: Iterable[str], *, both_ways: bool) -> None:
    """Tell of patients that only one side has.

    An answer about a patient who is not in the cohort is an unexplained difference: nothing that we say can be compared with it.
    `both_ways`: patients of the cohort without an answer are noted as not compared.
    """
    known = set(ours)
    for patient in sorted(theirs.keys() - known):
        agreement.patients += 1
        answer = theirs[patient] or [{"event": "none"}]
        agreement.differences.append(NamedDifference(agreement.config, patient, (), [{"patient": "not in the cohort"}], answer))
    if both_ways and known - theirs.keys():
        agreement.notes.append(f"{_patients(known - theirs.keys())} in the cohort, not in the answer")


def leave_out(agreement: Agreement, config: dict[str, Any], theirs: Mapping[str, list[Row]], cohort: Cohort) -> None:
    """Tell which patients are not compared under a configuration of msprog's: those it leaves out, and those only one side has."""
    left_out = {*config["left_out"]}
    agreement.set_aside = len(left_out)
    asked = config["args"].get("subjects", cohort.patients)
    everybody = config["args"].get("include_stable", True)
    answered = {patient: rows for patient, rows in theirs.items() if patient not in left_out}
    strangers(agreement, answered, {*asked} - left_out, both_ways=everybody)


def _patients(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:NAMED]) + (", …" if len(names) > NAMED else "")
    return f"{counted(len(names), 'patient')} ({shown})"
