"""Steps that several commands take: read and stop on faults, tell warnings and traps, say what was written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smoulder.cli.options import Reading
from smoulder.cli.say import doing, say
from smoulder.errors import DataError, counted

if TYPE_CHECKING:
    from smoulder.rulebook import Definition
    from smoulder.tables import Cohort

PREPARING = "Preparing the engine for this machine (once, up to a minute)"
HINTS = {
    "columns=": "On the command line a column is named with --column, such as --column edss=EDSS_total or --column relapses.date=Onset.",
    "date_format": "On the command line a format is stated with --date-format, such as --date-format %d.%m.%Y or "
    "--date-format relapses=%Y-%m-%d for one table.",
    "same_day": "On the command line: --same-day last, lowest or highest.",
    "nobody_relapsed": "On the command line: --nobody-relapsed, or --relapses FILE for a table of relapses.",
    "keep_going": "On the command line: --keep-going.",
}
"""Words of the Python functions, and the options that say the same."""
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
    lines += hints("\n".join(lines))
    lines.append(f"'smoulder check {shlex.quote(data)}' shows the tables with all warnings and notices.")
    faulty = report.faulty_patients()
    if not cohort.kept_going and not report.errors_of_the_whole():
        aside = counted(len(faulty), "patient") if faulty else "these rows"
        lines.append(f"--keep-going sets {aside} aside, says so in every result, and analyses the others.")
    raise DataError("\n".join(lines))


def hints(text: str) -> list[str]:
    """Return how on the command line is said what a text of the library says in Python.

    >>> hints("Delete the wrong ones, or say which to take: same_day=...")
    ['On the command line: --same-day last, lowest or highest.']
    """
    return [hint for word, hint in HINTS.items() if re.search(rf"\b{word}", text)]


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


def tell_traps(definitions: Sequence[Definition], met: Mapping[str, Sequence[str]], *, known: bool = True) -> None:
    """Say on stderr where the definitions are known to mislead, and what they meet in these tables (`met_in_tables`).

    `known` False leaves out what holds for any tables, where it stands by the counts.
    """
    from smoulder.rulebook import traps

    allowed: dict[str, list[str]] = {}
    for definition in definitions:
        for sentence in (*(traps(definition) if known else ()), *met.get(definition.key, ())):
            allowed.setdefault(sentence, []).append(definition.key)
    for sentence, keys in allowed.items():
        more = f" and {len(keys) - SHOWN:,} more" if len(keys) > SHOWN else ""
        say(f"Known trap of {', '.join(keys[:SHOWN])}{more}: {sentence}")


def met_in_tables(definitions: Sequence[Definition], cohort: Cohort) -> dict[str, list[str]]:
    """Return what each definition meets in the tables, by its key; a part of provenance. Definitions that meet nothing are left out."""
    from smoulder.checks import met_in

    found = {definition.key: list(met_in(cohort, definition)) for definition in definitions}
    return {key: sentences for key, sentences in found.items() if sentences}


def tell_written(*paths: Path | None) -> None:
    """Say on stderr which files there are now."""
    for path in paths:
        if path is not None:
            beside = f" (provenance in {path.name}.provenance.json)" if path.suffix.lower() == ".csv" else ""
            say(f"Wrote {path}{beside}")
