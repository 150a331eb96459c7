"""`read` and `check`: from whatever holds a cohort to a checked `Cohort` with its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smoulder.checks import examine
from smoulder.findings import Report
from smoulder.sources import assemble, load
from smoulder.tables import Cohort, SameDay
from smoulder.terms import Measure


def read(
    source: Any = None,
    *,
    visits: Any = None,
    relapses: Any = None,
    treatments: Any = None,
    patients: Any = None,
    mri: Any = None,
    columns: Mapping[str, str] | Mapping[str, Mapping[str, str]] | None = None,
    date_format: str | Mapping[str, str] | None = None,
    same_day: SameDay = "error",
    nobody_relapsed: bool = False,
    keep_going: bool = False,
    measures: Sequence[Measure] = (),
) -> Cohort:
    """Return the cohort that tables hold, with a report of everything found in them.

    The cohort comes back even if the tables have errors; `check` shows them, and an analysis refuses to start
    (`Cohort.require_sound`). Nothing that is given is changed.

    Parameters
    ----------
    source
        A folder of tables, a workbook with sheets, a file (the visits), a frame (the visits), the columns of the visits
        as a mapping, or a mapping of table name -> file or frame. A `cohort.toml` beside files is read too.
    visits, relapses, treatments, patients, mri
        Files or frames; they win over what `source` has. A sheet of a workbook is "file.xlsx#sheet".
    columns
        Our name -> name in the file, such as ``{"patient": "id"}``, or that for each table by its name.
    date_format
        A strptime format, "DD/MM/YYYY", or "day", "excel", "yyyymmdd", "iso"; or that by "table" or "table.column".
    same_day
        Which score counts where a patient has several of one measure on one day.
    nobody_relapsed
        Says that there is no table of relapses because nobody had one.
    keep_going
        Sets patients with errors aside, so that the others can be analysed.
    measures
        Measures of your own; their columns are named by their keys.

    Raises
    ------
    SourceError
        A file, folder or format that cannot be read.
    UsageError
        A name or choice that does not exist.

    Examples
    --------
    >>> cohort = read({"patient": ["A", "A"], "date": ["2020-01-05", "2020-04-05"], "edss": [2, 3]}, nobody_relapsed=True)
    >>> cohort
    <Cohort: 1 patient, 2 visits, 0 relapses; edss>
    """
    given = {"visits": visits, "relapses": relapses, "treatments": treatments, "patients": patients, "mri": mri}
    loaded = load(
        source,
        given,
        columns=columns,
        date_format=date_format,
        same_day=same_day,
        nobody_relapsed=nobody_relapsed,
        measures=measures,
    )
    findings = (*loaded.findings, *examine(loaded))
    return assemble(loaded, findings, keep_going=keep_going)


def check(cohort: Cohort) -> Report:
    """Return everything found while reading a cohort's tables.

    Examples
    --------
    >>> cohort = read({"patient": ["A"], "date": ["2020-01-05"], "edss": [11]}, nobody_relapsed=True)
    >>> [finding.code for finding in check(cohort).errors]
    ['score-out-of-range']
    """
    return cohort.report
