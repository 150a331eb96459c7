"""A study into its folder: the report, every table and figure, and what is needed to do it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from smoulder.estimates import Curve, Effects
from smoulder.outputs import (
    MOST_SHEET_ROWS,
    Document,
    Files,
    about,
    files_in,
    new_folder,
    provenance_frame,
    report_document,
    write,
    write_figure,
    write_text,
)
from smoulder.studying.adam import adtte, parameters_frame, variables_frame, write_adam
from smoulder.studying.charts import NAMES, study_charts
from smoulder.studying.methods import methods_paragraph, software
from smoulder.studying.report import counts_by_definition, ends_frame, outcomes_frame, report_html
from smoulder.studying.reporting_items import reporting_items
from smoulder.studying.rerun import RERUN, FigureFormat, Recipe, rerun_text, sha256_of
from smoulder.studying.result import StudyResult

MOST_SHEET_NAME = 31
"""Characters of the name of a worksheet."""
RESERVED_SHEETS = ("history",)
"""Names that spreadsheet programs keep for themselves."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table of a study."""

    name: str
    """Of its file, without ending; each once."""
    title: str
    frame: pl.DataFrame


def write_study(
    result: StudyResult,
    folder: str | Path,
    *,
    adam: bool = False,
    figures_as: Sequence[FigureFormat] = (),
    made_on: str | None = None,
    inputs: Sequence[str | Path] = (),
    recipe: Recipe | None = None,
    extra: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[str, ...]:
    """Write everything a study found into a new folder, which appears whole or not at all; return the names of the files.

    report.html is one page that needs nothing else. tables/ and tables.xlsx have counts and estimates, no person; people/ and
    people.xlsx have one row a person, event or finding. figures/ has every figure as SVG, and in other formats where asked for.
    study.toml, definitions/, methods.txt and provenance.json say what was done, and rerun.json does it again. The same result gives the
    same bytes.

    Parameters
    ----------
    adam
        Whether adam/ with time-to-event data for trial statisticians is written as well.
    figures_as
        Formats in which every figure is written besides SVG: "png", "pdf".
    made_on
        The day of making, for one line of the report; None: no such line.
    inputs
        Files that were read, for their hashes; not needed with `recipe`.
    recipe
        How the tables were read; without it rerun.json cannot read them again.
    extra
        Further parts of the provenance, as plain data, such as how the tables were read.
    progress
        Is told each step in a few words before it begins.

    Raises
    ------
    UsageError
        The folder has something in it already, or cannot be written.
    """
    told = progress or (lambda step: None)
    read_files = recipe.inputs if recipe is not None else tuple((Path(path).name, sha256_of(Path(path))) for path in inputs)
    told("Drawing the figures")
    drawn = study_charts(result)
    told("Writing the tables")
    with new_folder(folder) as place:
        contents = _write_tables(result, place, extra or {})
        for one in drawn:
            if one.drawing is not None:
                endings = ", ".join(f".{ending}" for ending in ("svg", *dict.fromkeys(figures_as)))
                contents[f"figures/{one.name}{endings}"] = NAMES["timeline"] if one.kind == "timeline" else one.drawing.title
                _parent(place / f"figures/{one.name}.svg")
        with Files() as files:
            for one in drawn:
                if one.drawing is None:
                    continue
                for ending in ("svg", *dict.fromkeys(figures_as)):
                    write_figure(one.drawing, place / f"figures/{one.name}.{ending}", files)
            contents["methods.txt"] = "the methods paragraph"
            write_text(methods_paragraph(result), place / "methods.txt", files)
        if adam:
            told("Writing ADaM data")
            contents |= _write_adam(result, place, extra or {})
        contents |= _write_what_was_done(result, place, recipe, adam=adam, figures_as=figures_as)
        known = about(result.provenance, extra or {}) | {
            "software": software(),
            "study": result.study.as_dict(),
            "inputs": [{"file": name, "sha256": digest} for name, digest in read_files],
        }
        contents["provenance.json"] = "versions, hash of the cohort, hashes of the files that were read, the definitions in full"
        (place / "provenance.json").write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        told("Writing the report")
        listed = dict(sorted(contents.items()))
        page = report_html(result, drawn, made_on=made_on, inputs=read_files, files=listed, extra=extra)
        (place / "report.html").write_text(page, encoding="utf-8")
        return files_in(place)


def study_tables(result: StudyResult) -> tuple[Sheet, ...]:
    """Return every table of counts and estimates; no row is a person."""
    found: list[tuple[str, str, pl.DataFrame]] = [
        ("flow", "who entered, and how the others were left out", result.followed.flow_frame()),
        ("outcomes", "people with each outcome, out of how many, and person-years", outcomes_frame(result)),
        ("endings", "how the observation of people ended, by outcome", ends_frame(result)),
        ("events-by-definition", "people and events of every label under each definition", counts_by_definition(result).table),
    ]
    for finding in result.findings:
        for number, estimate in enumerate(finding.estimates, start=1):
            name = finding.key if number == 1 else f"{finding.key}-{number}"
            found.append((name, estimate.title, estimate.table))
            found += [(f"{name}-{what}", f"{estimate.title}: {words}", frame) for what, words, frame in _parts(estimate) if frame.height]
    found.append(("reporting-items", "the reporting items, filled in", reporting_items(result)))
    return tuple(_each_once(found))


def _parts(estimate: object) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Yield the further tables of an estimate: what is added to its name, what they are, and the tables."""
    if isinstance(estimate, Curve):
        yield "quantiles", "medians and restricted means", estimate.quantiles
        yield "at-days", "the curves at the days asked for", estimate.at_days
        yield "tests", "tests between groups", estimate.tests
        yield "differences", "differences between groups", estimate.differences
    elif isinstance(estimate, Effects):
        yield "checks", "test of proportional hazards", estimate.checks


def people_tables(result: StudyResult) -> tuple[Sheet, ...]:
    """Return every table whose rows are persons, events or findings about persons; days are dates where the cohort has dates."""
    events = result.events
    found = [
        ("people", "everybody who entered: time zero, end of observation and why, what is known at time zero", result.followed.people),
        ("events", "one row an event, under every definition", events.table),
        ("unconfirmed", "changes that are no event, with the reason", events.unconfirmed),
    ]
    dated = [(name, title, events.dated(frame)) for name, title, frame in found]
    for key, outcome in result.made().items():
        dated.append((f"outcome-{key}", f"{outcome.name}: days, cause and reason, one row a person", outcome.frame()))
    dated.append(("findings", "what was found in the tables, one row a case", report_document(result.cohort.report).table))
    return tuple(_each_once(dated))


def _each_once(found: Sequence[tuple[str, str, pl.DataFrame]]) -> Iterator[Sheet]:
    names: set[str] = set()
    for name, title, frame in found:
        chosen, number = name, 2
        while chosen in names:
            chosen, number = f"{name}-{number}", number + 1
        names.add(chosen)
        yield Sheet(name=chosen, title=title, frame=frame)


def _parent(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)


def _write_tables(result: StudyResult, place: Path, extra: Mapping[str, Any]) -> dict[str, str]:
    """Write the tables as CSV, Parquet and one workbook for each kind; return the name of each file and what it holds."""
    contents = {}
    whose = {"tables": "counts and estimates; no row is a person", "people": "one row a person, event or finding"}
    for home, sheets in (("tables", study_tables(result)), ("people", people_tables(result))):
        (place / home).mkdir()
        known = about(result.provenance, extra) if home == "people" else without_people(about(result.provenance, extra))
        metadata = {"smoulder": json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True)}
        for sheet in sheets:
            sheet.frame.write_csv(place / home / f"{sheet.name}.csv")
            sheet.frame.write_parquet(place / home / f"{sheet.name}.parquet", metadata=metadata)
            contents[f"{home}/{sheet.name}.csv, .parquet"] = sheet.title
        with Files() as files:
            write(workbook(sheets, known), place / f"{home}.xlsx", files)
        contents[f"{home}.xlsx"] = f"all of {home}/ as sheets: {whose[home]}"
    return contents


def without_people(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return provenance with how many patients and rows were set aside, instead of which."""
    aside = {"set_aside": "n_set_aside", "rows_set_aside": "n_rows_set_aside"}
    return {name: value for name, value in known.items() if name not in aside} | {
        counts: len(known.get(name, ())) for name, counts in aside.items()
    }


def workbook(sheets: Sequence[Sheet], known: Mapping[str, Any]) -> Document:
    """Return tables as a workbook: the list of its sheets first, the provenance last; what is too long for a sheet is told and left out."""
    named = list(zip(sheet_names([sheet.name for sheet in sheets]), sheets, strict=True))
    fits = {name: sheet.frame.height <= MOST_SHEET_ROWS for name, sheet in named}
    rows = [
        (name if fits[name] else "", sheet.name, sheet.title if fits[name] else f"{sheet.title} (too long for a sheet; see the CSV)")
        for name, sheet in named
    ]
    return Document(
        name="contents",
        table=pl.DataFrame(rows, schema=dict.fromkeys(("sheet", "file", "what it holds"), pl.String), orient="row"),
        beside={name: sheet.frame for name, sheet in named if fits[name]} | {"provenance": provenance_frame(known)},
    )


def sheet_names(names: Sequence[str]) -> list[str]:
    """Return names that a workbook accepts: at most 31 characters, each once whatever the case.

    >>> sheet_names(["a" * 40, "a" * 41, "history", "Rates", "rates"])[1:]
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaa~2', 'history~', 'Rates', 'rates~2']
    """
    taken = {"contents", "provenance"}
    found = []
    for name in names:
        base = f"{name}~" if name.lower() in RESERVED_SHEETS else name
        chosen, number = base[:MOST_SHEET_NAME], 2
        while chosen.lower() in taken:
            ending = f"~{number}"
            chosen, number = f"{base[: MOST_SHEET_NAME - len(ending)]}{ending}", number + 1
        taken.add(chosen.lower())
        found.append(chosen)
    return found


def _write_adam(result: StudyResult, place: Path, extra: Mapping[str, Any]) -> dict[str, str]:
    (place / "adam").mkdir()
    people, calendar = result.followed.people, result.events.calendar
    outcomes = result.made()
    titles = {part.key: part.title for part in result.study.known}
    table = adtte(outcomes, people, calendar, study_key=result.study.key)
    with Files() as files:
        write_adam(
            table,
            parameters_frame(outcomes),
            variables_frame(people, calendar, titles),
            place / "adam",
            files,
            provenance=result.provenance,
            extra=extra,
        )
    return {
        "adam/adtte.csv, .parquet, .xpt": "time-to-event data for trial statisticians; .xpt is a SAS transport file",
        "adam/adtte_parameters.csv": "what its parameters and codes mean",
        "adam/adtte_variables.csv": "what its variables mean",
    }


def _write_what_was_done(
    result: StudyResult, place: Path, recipe: Recipe | None, *, adam: bool, figures_as: Sequence[FigureFormat]
) -> dict[str, str]:
    """Write the study, its definitions and the file to run it again; return the name of each file and what it holds."""
    (place / "definitions").mkdir()
    contents = {"study.toml": "the study in full", RERUN: "gives the same files again: smoulder rerun"}
    (place / "study.toml").write_text(result.study.toml(), encoding="utf-8")
    for one in result.events.definitions:
        (place / "definitions" / f"{one.key}.toml").write_text(one.toml(), encoding="utf-8")
        contents[f"definitions/{one.key}.toml"] = one.title
    (place / RERUN).write_text(rerun_text(result, recipe, adam=adam, figures_as=figures_as), encoding="utf-8")
    return contents
