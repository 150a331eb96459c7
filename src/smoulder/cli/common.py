"""Steps that several commands take: read and stop on faults, tell warnings and traps, say what was written."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smoulder.cli.options import Reading
from smoulder.cli.say import doing, say
from smoulder.errors import DataError, counted

if TYPE_CHECKING:
    from smoulder.findings import Report
    from smoulder.rulebook import Definition
    from smoulder.tables import Cohort

PREPARING = "Preparing the engine for this machine (once, about 15 s)"
SHOWN = 5
"""Warnings and patients that are named; the others are counted."""


def read_sound(data: str, reading: Reading, definitions: Sequence[Definition]) -> Cohort:
    """Read the tables and tell their warnings; DataError where they have errors that stop the analysis."""
    with doing(f"Reading and checking {data}"):
        cohort = reading.read(data, definitions)
    stop_on_errors(cohort, data)
    tell_report(cohort, data)
    return cohort


def stop_on_errors(cohort: Cohort, data: str) -> None:
    """Raise DataError, listing every error and what can be done, where the tables cannot be analysed."""
    report = cohort.report
    stopping = report.errors_of_the_whole() if cohort.kept_going else report.errors
    if not stopping:
        return
    lines = [f"{counted(len(stopping), 'error')} in the tables, so nothing was analysed:"]
    lines += [f"  - {finding.text().replace(chr(10), chr(10) + '  ')}" for finding in stopping]
    if cohort.kept_going:
        lines.append("--keep-going sets patients aside; these errors concern a whole table.")
    lines += name_columns(report)
    lines.append(f"'smoulder check {shlex.quote(data)}' shows the tables with all warnings and notices.")
    faulty = report.faulty_patients()
    if not cohort.kept_going and not report.errors_of_the_whole():
        aside = counted(len(faulty), "patient") if faulty else "these rows"
        lines.append(f"--keep-going sets {aside} aside, says so in every result, and analyses the others.")
    raise DataError("\n".join(lines))


def name_columns(report: Report) -> list[str]:
    """Return how columns are named on the command line, where one was not recognised."""
    lacking = [f for f in report.findings if f.code.startswith("column-") and f.level == "error"]
    if not lacking:
        return []
    return ["On the command line a column is named with --column, such as --column edss=EDSS_total or --column relapses.date=Onset."]


def tell_report(cohort: Cohort, data: str) -> None:
    """Say on stderr who was set aside and which warnings there are, and how to see more."""
    if cohort.set_aside:
        named = "; ".join(f"{patient} ({reason.replace('-', ' ')})" for patient, reason in cohort.set_aside[:SHOWN])
        more = f"; and {len(cohort.set_aside) - SHOWN:,} more" if len(cohort.set_aside) > SHOWN else ""
        say(f"Set aside because of faults: {counted(len(cohort.set_aside), 'patient')}: {named}{more}.")
    report = cohort.report
    for finding in report.warnings[:SHOWN]:
        where = f"{finding.table}.{finding.column}" if finding.column else finding.table
        say(f"Warning: {where}: {finding.problem}")
    if report.warnings or report.notices:
        counts = f"{counted(len(report.warnings), 'warning')} and {counted(len(report.notices), 'notice')}"
        say(f"{counts} about the tables; 'smoulder check {shlex.quote(data)}' shows them in full.")


def tell_traps(definitions: Sequence[Definition]) -> None:
    """Say on stderr where the definitions are known to mislead."""
    from smoulder.rulebook import traps

    for definition in definitions:
        for sentence in traps(definition):
            say(f"Known trap of {definition.key}: {sentence}")


def tell_written(*paths: Path | None) -> None:
    """Say on stderr which files there are now."""
    for path in paths:
        if path is not None:
            beside = f" (provenance in {path.name}.provenance.json)" if path.suffix.lower() == ".csv" else ""
            say(f"Wrote {path}{beside}")
