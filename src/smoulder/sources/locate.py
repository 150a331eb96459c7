"""Which file, sheet or frame is which table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from smoulder.errors import SourceError, UsageError, agreed, unknown
from smoulder.findings import Finding
from smoulder.sources.columns import is_visits
from smoulder.sources.files import SHEET_ENDINGS, Opened, is_header, kind_of, of_another_program, open_file, opened_frame
from smoulder.sources.frames import as_polars
from smoulder.sources.settings import FILE_NAME, Settings, read_settings
from smoulder.tables import TABLES
from smoulder.terms import Measure

_WORDS = {
    "visits": ("visits", "visit"),
    "relapses": ("relapses", "relapse"),
    "treatments": ("treatments", "treatment"),
    "patients": ("patients", "patient"),
    "mri": ("mri", "mris"),
}


@dataclass(frozen=True, kw_only=True)
class Located:
    """The tables of a cohort, found and not yet read."""

    tables: dict[str, Opened]
    settings: Settings = field(default_factory=Settings)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A file or sheet that may be a table."""

    name: str
    """Its name without endings, as words are looked for in it."""
    label: str
    reference: str
    """What names it in `cohort.toml`: a file, or a workbook and its sheet as "file.xlsx#sheet"."""
    open: Callable[[], Opened]


def locate(source: Any, given: Mapping[str, Any], measures: Sequence[Measure]) -> Located:
    """Return the tables of `source` (path, frame, mapping or None) and of those `given` by name, which win.

    Raises SourceError for what cannot be opened and UsageError for a table that does not exist.
    """
    given = {name: table for name, table in given.items() if table is not None}
    if isinstance(source, Mapping) and not _is_columns(cast("Mapping[str, Any]", source)):
        named = cast("Mapping[str, Any]", source)
        for name in named:
            if name not in TABLES:
                raise UsageError(unknown("table", str(name), TABLES))
        given = {**{name: table for name, table in named.items() if table is not None}, **given}
        source = None
    if source is None and not given:
        raise UsageError("Nothing to read was given: give a path, a frame, or visits=.")
    located = Located(tables={})
    if isinstance(source, (str, Path)):
        located = _from_path(Path(source), measures, set(given))
    elif source is not None:
        given = {"visits": source, **given}
    tables = dict(located.tables)
    for name, table in given.items():
        tables[name] = _given(name, table)
    if source is None:
        located = _with_settings_beside(located, given)
    return Located(tables=tables, settings=located.settings, findings=located.findings)


def _is_columns(mapping: Mapping[str, Any]) -> bool:
    """Return whether a mapping gives the columns of one table rather than tables."""
    return not any(key in TABLES for key in mapping) and all(
        isinstance(values, Sequence | pl.Series | np.ndarray) and not isinstance(values, str) for values in mapping.values()
    )


def _with_settings_beside(located: Located, given: Mapping[str, Any]) -> Located:
    """Take the `cohort.toml` beside the visits file, where visits are a file."""
    visits = given.get("visits")
    if not isinstance(visits, (str, Path)):
        return located
    return Located(tables={}, settings=_settings_in(Path(visits).parent))


def _given(name: str, table: Any) -> Opened:
    """Return a table that was given by name: a path or a frame."""
    if not isinstance(table, (str, Path)):
        return opened_frame(as_polars(table, name), name)
    path, sheet = _file_and_sheet(Path(table))
    sheets = open_file(path)
    if sheet:
        return _sheet_named(sheet, sheets, path)
    if len(sheets) == 1:
        return next(iter(sheets.values()))
    fitting = [sheet for sheet in sheets if sheet.lower() == name]
    if len(fitting) == 1:
        return sheets[fitting[0]]
    if not sheets:
        raise SourceError(f"'{path.name}' has no sheet with a table.")
    raise SourceError(
        f"'{path.name}' has {len(sheets)} sheets ({', '.join(sheets)}), and none is named '{name}'. {_say_which(path.name, list(sheets))}"
    )


def _file_and_sheet(path: Path) -> tuple[Path, str]:
    """Return the file and the sheet of "export.xlsx#EDSS A"; "" where no sheet is named."""
    file, mark, sheet = str(path).rpartition("#")
    if mark and file.lower().endswith(SHEET_ENDINGS) and not path.exists():
        return Path(file), sheet
    return path, ""


def _sheet_named(sheet: str, sheets: Mapping[str, Opened], path: Path) -> Opened:
    by_plain = {name.strip().lower(): name for name in sheets}
    found = sheet if sheet in sheets else by_plain.get(sheet.strip().lower())
    if found is None:
        raise SourceError(f"'{path.name}': {unknown('sheet', sheet, sheets)}")
    return sheets[found]


def _say_which(file: str, sheets: Sequence[str]) -> str:
    return f'Name the one to use, such as "{file}#{sheets[0]}".'


def _settings_in(folder: Path) -> Settings:
    path = folder / FILE_NAME
    return read_settings(path) if path.is_file() else Settings()


def _from_path(path: Path, measures: Sequence[Measure], given: set[str]) -> Located:
    file, sheet = _file_and_sheet(path)
    if not file.exists():
        raise SourceError(f"There is no file or folder '{file}'.")
    if sheet:
        return Located(tables={"visits": _given("visits", path)}, settings=_settings_in(file.parent))
    if path.is_dir():
        settings = _settings_in(path)
        candidates = _in_folder(path, settings)
        return _assigned(candidates, settings, path, path.name, (*measures, *settings.measures), given)
    settings = _settings_in(path.parent)
    named = settings.tables.get("visits")
    if named is not None and _file_and_sheet(path.parent / named)[0].resolve() != path.resolve():
        settings = Settings()
        named = None
    if path.name.lower().endswith(SHEET_ENDINGS):
        return _from_workbook(path, settings, measures, given)
    others = {name: file for name, file in settings.tables.items() if name != "visits" and named is not None}
    tables = {name: _given(name, path.parent / file) for name, file in others.items() if name not in given}
    return Located(tables={"visits": open_file(path)[""], **tables}, settings=settings)


def _from_workbook(path: Path, settings: Settings, measures: Sequence[Measure], given: set[str]) -> Located:
    stated = set(settings.tables.values())
    every = _sheets(path)
    candidates = [candidate for candidate in every if candidate.reference not in stated]
    if len(every) == 1:
        return Located(tables={"visits": candidates[0].open()}, settings=settings)
    return _assigned(candidates, settings, path.parent, path.name, (*measures, *settings.measures), given)


def _sheets(path: Path) -> list[_Candidate]:
    sheets = open_file(path)
    return [
        _Candidate(name=name, label=sheet.label, reference=f"{path.name}#{name}", open=_always(sheet)) for name, sheet in sheets.items()
    ]


def _always(opened: Opened) -> Callable[[], Opened]:
    return lambda: opened


def _in_folder(folder: Path, settings: Settings) -> list[_Candidate]:
    """Return the files of a folder that may be tables; of workbooks that are not named as one table, the sheets."""
    stated = {(folder / file).resolve() for file in settings.tables.values()}
    sheets_of = {_file_and_sheet(path)[0] for path in stated}
    candidates: list[_Candidate] = []
    for path in sorted(folder.iterdir()):
        kind = kind_of(path)
        if not path.is_file() or not kind or path.name.startswith((".", "~$")) or path.resolve() in stated:
            continue
        stem = _stem(path)
        if path.name.lower().endswith(".txt") and not _tables_named(stem):
            continue
        if kind == "sheets" and (path.resolve() in sheets_of or not _tables_named(stem)):
            candidates += [sheet for sheet in _sheets(path) if (folder / sheet.reference).resolve() not in stated]
            continue
        candidates.append(_Candidate(name=stem, label=path.name, reference=path.name, open=_opener(path)))
    found = {table for candidate in candidates for table in _tables_named(candidate.name)} | settings.tables.keys()
    for path in sorted(folder.iterdir()):
        if of_another_program(path) and set(_tables_named(_stem(path))) - found:
            raise SourceError(of_another_program(path))
    return candidates


def _stem(path: Path) -> str:
    """Return a file's name without the ending that says its kind."""
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name


def _opener(path: Path) -> Callable[[], Opened]:
    def opened() -> Opened:
        sheets = open_file(path)
        named = [name for name in sheets if _tables_named(name)]
        # A sheet of notes is no candidate.
        named = named or [name for name, sheet in sheets.items() if is_header(sheet.names)] or list(sheets)
        if not sheets:
            raise SourceError(f"'{path.name}' has no sheet with a table.")
        if len(named) > 1:
            raise SourceError(
                f"'{path.name}' has {len(named)} sheets that may be meant ({', '.join(named)}). {_say_which(path.name, named)}"
            )
        return sheets[named[0]]

    return opened


def _tables_named(name: str) -> list[str]:
    """Return the tables whose word is in a name."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return [table for table, known in _WORDS.items() if any(word in known for word in words)]


def _assigned(
    candidates: list[_Candidate], settings: Settings, folder: Path, label: str, measures: Sequence[Measure], given: set[str]
) -> Located:
    """Return the tables among the candidates: stated, else by name, else (visits) by their columns."""
    tables = {name: _given(name, folder / file) for name, file in settings.tables.items() if name not in given}
    used: set[str] = set()
    for table in TABLES:
        if table in tables or table in given:
            continue
        fitting = _by_name(candidates, table)
        if len(fitting) > 1:
            raise SourceError(_several(table, fitting, label))
        if fitting:
            tables[table] = fitting[0].open()
            used.add(fitting[0].label)
    if "visits" not in tables and "visits" not in given:
        chosen = _by_columns([c for c in candidates if c.label not in used], measures, label)
        tables["visits"] = chosen.open()
        used.add(chosen.label)
    unused = [candidate.label for candidate in candidates if candidate.label not in used]
    return Located(tables=tables, settings=settings, findings=_not_used(unused))


def _by_name(candidates: list[_Candidate], table: str) -> list[_Candidate]:
    """Return the candidates for a table: those with its word in their name.

    A file whose name has the words of several tables is one of another table where that is named exactly.
    """
    exact = [c for c in candidates if c.name.lower() in _WORDS[table]]
    named = [c for c in candidates if table in _tables_named(c.name)]
    return [c for c in named if c in exact or len(_tables_named(c.name)) == 1] if exact else named


def _by_columns(candidates: list[_Candidate], measures: Sequence[Measure], label: str) -> _Candidate:
    """Return the only candidate that has the columns of visits."""
    fitting = [candidate for candidate in candidates if is_visits(candidate.open().names, measures)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise SourceError(_several("visits", fitting, label))
    seen = f" It has {', '.join(c.label for c in candidates)}." if candidates else " It has no table."
    raise SourceError(
        f"'{label}' has no visits: no table is named 'visits', and none has columns for patient, date and a score.{seen} "
        f'Name it in {FILE_NAME}: [tables] visits = "...".'
    )


def _several(table: str, fitting: Sequence[_Candidate], label: str) -> str:
    names = ", ".join(candidate.label for candidate in fitting)
    return (
        f"'{label}' has {len(fitting)} candidates for the table {table}: {names}. "
        f'Name the one to use in {FILE_NAME}: [tables] {table} = "{fitting[0].reference}".'
    )


def _not_used(labels: Sequence[str]) -> tuple[Finding, ...]:
    if not labels:
        return ()
    return (
        Finding(
            level="notice",
            code="files-not-used",
            table="files",
            column="",
            problem=f"Not used, as {agreed(len(labels), 'it is', 'they are')} not named as a table of the cohort: {', '.join(labels)}.",
            advice=f'If one is wanted, name it in {FILE_NAME} ([tables] relapses = "...").',
        ),
    )
