"""The options that commands share: how to read the tables, and where results go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from smoulder.errors import UsageError, one_of

if TYPE_CHECKING:
    from smoulder.rulebook import Definition
    from smoulder.sources.settings import Settings
    from smoulder.tables import Cohort

READING = Group("Reading options", sort_key=9)

SameDayOption = Literal["error", "last", "lowest", "highest"]
Data = Annotated[
    str,
    Parameter(
        name="DATA",
        help="A folder of tables (visits, relapses, treatments, patients, mri), a workbook with sheets of these names, "
        "or the file of visits.",
    ),
]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]
Keys = Annotated[
    list[str],
    Parameter(name=["--definition", "-d"], help="Key of a definition (smoulder definitions list), or a TOML file. May be given again."),
]
Key = Annotated[str, Parameter(name=["--definition", "-d"], help="Key of a definition (smoulder definitions list), or a TOML file.")]


@Parameter(name="*", group=READING)
@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the tables are to be read; the words are those of `smoulder.read`."""

    relapses: Path | None = None
    """File of the relapses (patient, date), where it is not in DATA."""
    treatments: Path | None = None
    """File of the treatments (patient, treatment, start_date, end_date)."""
    patients: Path | None = None
    """File of the patients (one row a person)."""
    mri: Path | None = None
    """File of the MRI scans (patient, date, lesion counts)."""
    column: Annotated[list[str] | None, Parameter(negative="")] = None
    """NAME=COLUMN: which column is what, such as edss=EDSS_total, or visits.date=Seen for one table. May be given again."""
    date_format: Annotated[list[str] | None, Parameter(negative="")] = None
    """How dates are written, such as %d.%m.%Y, day or excel; relapses=%Y-%m-%d for one table. May be given again."""
    same_day: SameDayOption = "error"
    """What to do with two scores of a patient on one day."""
    nobody_relapsed: Annotated[bool, Parameter(negative="")] = False
    """State that nobody relapsed, where there is no table of relapses."""
    keep_going: Annotated[bool, Parameter(negative="")] = False
    """Set the patients with faults aside and say so in every result, instead of stopping."""

    def tables(self) -> dict[str, Path]:
        """Return the tables that were given as files of their own."""
        named = {"relapses": self.relapses, "treatments": self.treatments, "patients": self.patients, "mri": self.mri}
        return {name: path for name, path in named.items() if path is not None}

    def inputs(self, data: str) -> tuple[Path, ...]:
        """Return everything that is read, and must not be overwritten: also what a `cohort.toml` or its own name makes a table."""
        folder = Path(data) if Path(data).is_dir() else Path(data).parent
        named = [folder / table for table in _settings(data).tables.values()]
        found = _tables_in(folder) if Path(data).is_dir() else []
        return tuple(_file_of(path) for path in (Path(data), *self.tables().values(), *named, *found))

    def used(self, data: str, cohort: Cohort) -> dict[str, Any]:
        """Return how the tables were read, by these options and a `cohort.toml`, as a part of provenance."""
        settings = _settings(data, only_if_it_counts=True)
        columns: dict[str, dict[str, str]] = {}
        for found in cohort.report.columns:
            if found.meaning:
                columns.setdefault(found.table, {})[found.meaning] = found.column
        formats = {f"{c.table}.{c.meaning}": c.format for c in cohort.report.columns if c.meaning and c.format}
        return {
            "reading": {
                "same_day": settings.same_day if self.same_day == "error" else self.same_day,
                "nobody_relapsed": self.nobody_relapsed or settings.nobody_relapsed,
                "keep_going": self.keep_going,
                "date_format": date_formats(self.date_format or ()),
                "columns": columns,
                "formats": formats,
            }
        }

    def read(self, data: str, definitions: Sequence[Definition] = ()) -> Cohort:
        """Read the tables, with the measures that definitions bring along. Raises UsageError for a file that is not there."""
        from smoulder.reading import read
        from smoulder.terms import MEASURES

        for path in (Path(data), *self.tables().values()):
            require_there(path)
        columns: Any = column_map(self.column or ())
        own = {rule.measure: rule.spec() for one in definitions for rule in one.measures if rule.measure not in MEASURES}
        return read(
            data,
            **self.tables(),
            columns=columns,
            date_format=date_formats(self.date_format or ()),
            same_day=self.same_day,
            nobody_relapsed=self.nobody_relapsed,
            keep_going=self.keep_going,
            measures=tuple(own.values()),
        )


AS_FOUND = Reading()
"""No option given."""


def _settings(data: str, *, only_if_it_counts: bool = False) -> Settings:
    """Return what the `cohort.toml` beside the data says; `only_if_it_counts` not where it is about another file of visits."""
    from smoulder.sources.settings import FILE_NAME, Settings, read_settings

    folder = Path(data) if Path(data).is_dir() else Path(data).parent
    settings = read_settings(folder / FILE_NAME) if (folder / FILE_NAME).is_file() else Settings()
    visits = settings.tables.get("visits")
    is_whole_file = Path(data).is_file()
    if only_if_it_counts and visits is not None and is_whole_file and (folder / visits).resolve() != Path(data).resolve():
        return Settings()
    return settings


def _file_of(path: Path) -> Path:
    """Return the workbook of "export.xlsx#sheet", and any other path as it is."""
    file, mark, _ = str(path).rpartition("#")
    return Path(file) if mark and not path.exists() and Path(file).is_file() else path


def _tables_in(folder: Path) -> list[Path]:
    """Return the files of a folder that may be tables by their names, such as "visits.csv" and "all-visits.csv"."""
    from smoulder.sources.files import kind_of
    from smoulder.tables import TABLES

    known = {word for table in TABLES for word in (table, table.removesuffix("s"), f"{table}s")}
    files = [path for path in folder.iterdir() if path.is_file() and kind_of(path)]
    return [path for path in files if known.intersection(re.split("[^a-z0-9]+", path.name.lower()))]


def require_there(path: Path) -> None:
    """Raise UsageError, with the near names, where there is no such file or folder."""
    if "://" in str(path) or _file_of(path).exists():
        return
    import difflib

    beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=3, cutoff=0.6)
    hint = f"; did you mean {one_of([str(path.parent / name) for name in near])}?" if near else "."
    raise UsageError(f"There is no file or folder '{path}'{hint}")


def column_map(stated: Sequence[str]) -> Mapping[str, str | dict[str, str]] | None:
    """Return NAME=COLUMN and TABLE.NAME=COLUMN as `smoulder.read` takes them; None where nothing is stated.

    >>> column_map(["edss=EDSS_total", "relapses.date=Onset"])
    {'edss': 'EDSS_total', 'relapses': {'date': 'Onset'}}
    """
    columns: dict[str, str | dict[str, str]] = {}
    for item in stated:
        name, sign, column = item.partition("=")
        if not (sign and name.strip() and column.strip()):
            raise UsageError(f"--column takes NAME=COLUMN, such as edss=EDSS_total; found '{item}'.")
        table, dot, inner = name.strip().partition(".")
        if not dot:
            columns[table] = column.strip()
            continue
        place = columns.setdefault(table, {})
        if isinstance(place, dict):
            place[inner] = column.strip()
    return columns or None


def date_formats(stated: Sequence[str]) -> str | dict[str, str] | None:
    """Return one format for all dates, or formats by place; None where nothing is stated.

    >>> date_formats(["%d.%m.%Y"]), date_formats(["visits=day", "relapses.date=%Y"])
    ('%d.%m.%Y', {'visits': 'day', 'relapses.date': '%Y'})
    """
    placed = {place: text for place, sign, text in (item.partition("=") for item in stated) if sign}
    plain = [item for item in stated if "=" not in item]
    if len(plain) > 1 or (plain and placed):
        raise UsageError("--date-format takes one format for everything, or TABLE=FORMAT for each table; not both and not two.")
    return plain[0] if plain else placed or None
