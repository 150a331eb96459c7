"""`smoulder check`: what is in the tables, and everything that is wrong with them."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from smoulder.cli.common import hints
from smoulder.cli.options import AS_FOUND, Data, Output, Reading
from smoulder.cli.say import doing, give, give_table, give_wrapped, say

if TYPE_CHECKING:
    from smoulder.findings import Report
    from smoulder.rulebook import Definition
    from smoulder.tables import Cohort

EXAMPLES = """Examples:
  smoulder check my-data/
  smoulder check export.xlsx --column edss=EDSS_total
  smoulder check visits.csv --relapses attacks.csv --date-format %d.%m.%Y
  smoulder check my-data/ -o faults.xlsx   every faulty row, to work through
  smoulder check my-data/ --save-map       writes my-data/cohort.toml
  smoulder check my-data/ -d mueller-2025  and where this definition may mislead here

Exit code: 0 no errors, 1 errors in the data, 2 wrong use.
In Python: smoulder.check(smoulder.read("my-data/"))"""


def check(
    data: Data,
    /,
    *,
    format: Annotated[Literal["text", "json", "csv"], Parameter(help="How to print it.")] = "text",
    output: Annotated[Output, Parameter(help="Write every faulty row to FILE: .csv, .parquet, .xlsx or .json.")] = None,
    definition: Annotated[
        list[str] | None, Parameter(name=["--definition", "-d"], negative="", help="KEY or TOML file: also what it meets in these tables.")
    ] = None,
    save_map: Annotated[bool, Parameter(negative="", help="Write how the columns were understood to cohort.toml beside the data.")] = False,
    reading: Reading = AS_FOUND,
) -> int:
    """Show what is in the tables and everything that is wrong with them.

    All faults are listed at once, each with its rows, its patients and what to
    do. An error stops an analysis, a warning may change an answer, a notice says
    what was done. Rows add up: read = kept + set aside.
    """
    from smoulder.outputs import TABLE_ENDINGS, Files, check_target, report_document, write
    from smoulder.reading import check as check_cohort
    from smoulder.rulebook import resolve

    chosen = resolve(definition) if definition else ()
    inputs = reading.inputs(data)
    if output is not None:
        check_target(output, inputs, TABLE_ENDINGS)
    with doing(f"Reading and checking {data}"):
        cohort = reading.read(data)
        report = check_cohort(cohort)
    document = report_document(report, reading.used(data, cohort))
    if format == "json":
        give(document.json())
    elif format == "csv":
        give(document.table.write_csv())
    else:
        _give_text(cohort, report, data)
        _give_definitions(cohort, chosen)
    if output is not None:
        with Files(inputs) as files:
            write(document, output, files)
        say(f"Wrote {output}")
    if save_map:
        _save_map(data, report, reading.tables())
    return 1 if report.errors else 0


def _give_text(cohort: Cohort, report: Report, data: str) -> None:
    rows = [(c.table, c.column, c.meaning or "(not used)", c.format, c.decided_by if c.meaning else "") for c in report.columns]
    if rows:
        give_table(("table", "column in the file", "understood as", "written as", "decided by"), rows, title="Columns")
        give("")
    give(report.text())
    if cohort.set_aside:
        give(f"\n{len(cohort.set_aside):,} set aside (--keep-going):")
        for patient, reason in cohort.set_aside:
            give(f"  {patient}: {reason.replace('-', ' ')}")
    for line in hints(report.text()):
        say(f"\n{line}")
    if not report.errors:
        say(f"\nNext: smoulder events {shlex.quote(data)} -d KEY    (smoulder definitions list shows the keys)")


def _give_definitions(cohort: Cohort, chosen: Sequence[Definition]) -> None:
    """Give what each definition meets in the tables, where they can be analysed."""
    from smoulder.checks import check_definition

    for definition in chosen if not cohort.report.errors or cohort.kept_going else ():
        give(f"\n{definition.title} [{definition.key}] on these tables:")
        found = check_definition(cohort, definition)
        for sentence in found:
            give_wrapped(f"- {sentence}", indent="  ")
        if not found:
            give("  nothing to warn of")


def _save_map(data: str, report: Report, tables: Mapping[str, Path]) -> None:
    """Write how columns were understood, and which files are which where that was stated, so that they are found again."""
    from smoulder.errors import UsageError
    from smoulder.sources import cohort_toml
    from smoulder.sources.files import SHEET_ENDINGS

    folder = Path(data) if Path(data).is_dir() else Path(data).parent
    place = folder / "cohort.toml"
    named = dict(tables)
    if tables and not Path(data).is_dir() and not data.lower().endswith(SHEET_ENDINGS):
        named = {"visits": Path(data), **named}
    lines = [f"{name} = {json.dumps(_as_seen_from(folder, path), ensure_ascii=False)}\n" for name, path in named.items()]
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(cohort_toml(report) + "".join(["\n[tables]\n", *lines] if lines else []))
    except FileExistsError as error:
        raise UsageError(f"'{place}' is there already and is not overwritten; move it away first.") from error
    except OSError as error:
        raise UsageError(f"'{place}' cannot be written: {error.strerror}.") from error
    say(f"Wrote {place}; it is read whenever these tables are.")


def _as_seen_from(folder: Path, path: Path) -> str:
    """Return the name of a file relative to a folder; in full where it is on another drive."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.resolve().as_posix()
