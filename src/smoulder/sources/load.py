"""The door: whatever holds a cohort to typed tables, with everything found on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from smoulder.errors import SourceError, UsageError, agreed, unknown
from smoulder.findings import NOTE, Finding, FoundColumn, Level
from smoulder.loaded import NEEDED_OF_PATIENTS, Loaded, Table
from smoulder.sources.columns import Stated, choose, found_columns, relapse_columns
from smoulder.sources.dates import stated_format
from smoulder.sources.files import Opened
from smoulder.sources.ids import tidied
from smoulder.sources.locate import Located, locate
from smoulder.sources.numbers import Decimal
from smoulder.sources.parsed import Issue
from smoulder.sources.settings import SAME_DAY, Settings, meanings_of, wrong_place
from smoulder.sources.softening import CARRIED
from smoulder.sources.typed import Read, calendars, findings_of, joined, read_columns, relapses_on_visits
from smoulder.tables import COLUMNS, TABLES, SameDay
from smoulder.terms import MEASURES, Calendar, Measure

_ONE_CALENDAR = "Give all days as dates, or all as day numbers counted from the same day; name the columns in cohort.toml or with columns=."

Columns = Mapping[str, str] | Mapping[str, Mapping[str, str]]


def load(
    source: Any,
    given: Mapping[str, Any],
    *,
    columns: Columns | None = None,
    date_format: str | Mapping[str, str] | None = None,
    same_day: SameDay = "error",
    nobody_relapsed: bool = False,
    measures: Sequence[Measure] = (),
) -> Loaded:
    """Return the tables of a cohort, typed, with what was found while reading them (arguments: see `smoulder.read`)."""
    if same_day not in SAME_DAY:
        raise UsageError(unknown("choice of same_day", same_day, SAME_DAY))
    located = locate(source, given, measures)
    settings = located.settings
    own = _own_measures(measures, settings)
    stated = _stated_columns(columns, settings, own)
    formats = _stated_formats(date_format, settings)
    reading = _Reading(located, stated, formats, settings.decimal, own)
    reads = reading.read_all()
    _agree(reads, reading)
    tables = _joined(reads, reading.findings)
    return Loaded(
        tables=tables,
        unusable=reading.unusable,
        calendar=_calendar(reads),
        measures=own,
        same_day=settings.same_day if same_day == "error" else same_day,
        nobody_relapsed=nobody_relapsed or settings.nobody_relapsed,
        findings=(*_note(settings), *located.findings, *reading.findings),
        columns=tuple(reading.columns),
    )


def _note(settings: Settings) -> tuple[Finding, ...]:
    return (_of_table("warning", NOTE, "visits", settings.note, ""),) if settings.note else ()


class _Reading:
    """The reading of one cohort's tables: collects findings and found columns on the way."""

    def __init__(
        self,
        located: Located,
        stated: Mapping[str, Mapping[str, Stated]],
        formats: Mapping[str, str],
        decimal: Decimal | None,
        measures: tuple[Measure, ...],
    ) -> None:
        self.located, self.stated, self.formats, self.measures = located, stated, formats, measures
        self.decimal: Decimal | None = decimal
        self.findings: list[Finding] = []
        self.columns: list[FoundColumn] = []
        self.unusable: dict[str, int] = {}

    def read_all(self) -> dict[str, Read]:
        """Return the tables that can be used, column by column."""
        if "visits" not in self.located.tables:
            raise SourceError("There is no table of visits: give visits=, or a folder or workbook that has them.")
        self._tell_unplaced()
        reads: dict[str, Read] = {}
        for name in TABLES:
            if name in self.located.tables:
                read = self._read(name, self.located.tables[name])
                if read is not None:
                    reads[name] = read
        if "visits" in reads and "relapses" not in self.located.tables:
            self._relapses_on_visits(reads)
        return reads

    def _tell_unplaced(self) -> None:
        """Raise the error of a column stated without its table that no table has."""
        for ours, column in {o: s for named in self.stated.values() for o, s in named.items() if not s.must}.items():
            if not any(column.column in t.names for n, t in self.located.tables.items() if ours in meanings_of(n, self.measures)):
                home = next(n for n in TABLES if ours in meanings_of(n, self.measures))
                names = self.located.tables[home].names if home in self.located.tables else ()
                chosen = choose(home, names, {ours: Stated(column=column.column, by=column.by)}, self.measures)
                self._tell_issues(home, [issue for issue in chosen.issues if issue.code == "column-not-there"])

    def _tell_issues(self, name: str, issues: Sequence[Issue]) -> None:
        for issue in issues:
            self.findings.append(_of_table(issue.level, issue.code, name, issue.problem, issue.advice))

    def _formats(self, name: str) -> dict[str, str]:
        """Return our name -> stated format for the columns of days of a table."""
        days = [column.name for column in COLUMNS[name] if column.kind == "day"]
        stated = {day: self.formats.get(f"{name}.{day}", self.formats.get(name, self.formats.get("", ""))) for day in days}
        return {day: text for day, text in stated.items() if text}

    def _read(self, name: str, opened: Opened) -> Read | None:
        """Return a table's columns; None where the table lacks one it must have."""
        chosen = choose(name, opened.names, self.stated.get(name, {}), self.measures)
        self._tell_issues(name, chosen.issues)
        if chosen.lacking:
            self.unusable[name] = opened.take(opened.names[:1]).height
            self.columns += found_columns(name, chosen, {})
            return None
        extra = list(chosen.unused) if name == "patients" else []
        if name == "visits" and "relapses" not in self.located.tables:
            extra = list(relapse_columns(opened.names, chosen.unused).values())
        read = read_columns(name, opened, chosen, formats=self._formats(name), decimal=self.decimal, measures=self.measures, extra=extra)
        self.columns += found_columns(name, chosen, {ours: parsed.format for ours, parsed in read.parsed.items()})
        return self._usable(read)

    def _usable(self, read: Read) -> Read | None:
        """Return the columns where the required ones could be read; tell about those that could not."""
        for ours in read.broken:
            self._tell_broken(read, ours)
        required = {column.name for column in COLUMNS[read.name] if column.required}
        scores = [measure.key for measure in read.measures if measure.key not in read.broken]
        if required & set(read.broken) or (read.name == "visits" and not scores):
            self.unusable[read.name] = len(read.row) + read.empty_rows
            return None
        return read

    def _tell_broken(self, read: Read, ours: str) -> None:
        theirs = read.chosen.columns[ours]
        for issue in read.parsed[ours].issues:
            self.findings.append(_of_table(issue.level, issue.code, read.name, issue.problem, issue.advice, theirs))

    def _relapses_on_visits(self, reads: dict[str, Read]) -> None:
        """Take the relapses from a column of the visits, where there is one and no other table of relapses."""
        visits = reads["visits"]
        columns = relapse_columns(visits.opened.names, visits.chosen.unused)
        if not columns:
            return
        read = relapses_on_visits(visits, columns, self._formats("relapses"))
        self.columns = [c for c in self.columns if c.table != "visits" or c.column not in columns.values()]
        self.columns += found_columns("relapses", read.chosen, {ours: parsed.format for ours, parsed in read.parsed.items()})
        problem = (
            f"There is no table of relapses, and the visits have a column '{columns['date']}': "
            "each row with a day in it counts as a relapse."
        )
        advice = "Nothing to do if these are all relapses; otherwise give a table of relapses."
        self.findings.append(_of_table("notice", "relapses-from-visits", "visits", problem, advice, columns["date"]))
        usable = self._usable(read)
        if usable is not None:
            reads["relapses"] = usable


def _of_table(level: Level, code: str, table: str, problem: str, advice: str, column: str = "") -> Finding:
    return Finding(level=level, code=code, table=table, column=column, problem=problem, advice=advice)


def _joined(reads: Mapping[str, Read], findings: list[Finding]) -> dict[str, Table]:
    """Return the tables with tidied ids, and tell what was found in their columns."""
    tidy = tidied({name: read.ids for name, read in reads.items()})
    tables: dict[str, Table] = {}
    for name, read in reads.items():
        ids, issues = tidy[name]
        tables[name] = joined(read, ids)
        shown = {ours: parsed for ours, parsed in read.parsed.items() if parsed.values is not None}
        findings += findings_of(tables[name], _with(read, shown), issues)
    return tables


def _with(read: Read, parsed: dict[str, Any]) -> Read:
    return replace(read, parsed=parsed)


def _agree(reads: dict[str, Read], reading: _Reading) -> None:
    """Tell where some columns hold dates and others day numbers: they cannot be compared; leave out what nothing rests on."""
    named: dict[Calendar, list[str]] = {"date": [], "day": []}
    for name in [name for name in reads if name not in CARRIED]:
        for ours, calendar in calendars(reads[name]).items():
            if name != "patients" or ours in NEEDED_OF_PATIENTS:
                named[calendar].append(f"{name}.{reads[name].chosen.columns[ours]}")
    if named["date"] and named["day"]:
        problem = f"Dates ({', '.join(named['date'])}) and day numbers ({', '.join(named['day'])}) cannot be compared."
        reading.findings.append(_of_table("error", "date-calendars-differ", "tables", problem, _ONE_CALENDAR))
    _leave_out(reads, reading)


def _leave_out(reads: dict[str, Read], reading: _Reading) -> None:
    """Leave out tables, and columns of the patients, in another calendar than the visits."""
    if "visits" not in reads:
        return
    calendar = _calendar(reads)
    for name in [name for name in (*CARRIED, "patients") if name in reads]:
        read = reads[name]
        others = [ours for ours, own in calendars(read).items() if own != calendar and ours not in NEEDED_OF_PATIENTS]
        if not others:
            continue
        listed = ", ".join(f"'{read.chosen.columns[ours]}'" for ours in others)
        kinds = "dates, and the visits day numbers" if calendar == "day" else "day numbers, and the visits dates"
        what = agreed(len(others), "the column is", "the columns are") if name == "patients" else "the table is"
        problem = f"{listed} {agreed(len(others), 'holds', 'hold')} {kinds}: {what} left out."
        reading.findings.append(_of_table("warning", "date-calendar-apart", name, problem, _ONE_CALENDAR))
        if name == "patients":
            reads[name] = replace(read, parsed={ours: parsed for ours, parsed in read.parsed.items() if ours not in others})
        else:
            reading.unusable[name] = len(read.row) + read.empty_rows
            del reads[name]


def _calendar(reads: Mapping[str, Read]) -> Calendar:
    visits: Calendar | None = calendars(reads["visits"]).get("date") if "visits" in reads else None
    every: list[Calendar] = [calendar for read in reads.values() for calendar in calendars(read).values()]
    return visits or (every[0] if every else "date")


def _own_measures(measures: Sequence[Measure], settings: Settings) -> tuple[Measure, ...]:
    own = {measure.key: measure for measure in (*settings.measures, *measures)}
    for key in own:
        if key in {column.name for column in COLUMNS["visits"]} | MEASURES.keys():
            raise UsageError(f"The measure '{key}' cannot be declared: visits have a column of that name already.")
    return tuple(own.values())


def _stated_columns(columns: Columns | None, settings: Settings, measures: tuple[Measure, ...]) -> dict[str, dict[str, Stated]]:
    """Return table -> our name -> the column stated in `cohort.toml` or by argument, which wins."""
    stated = {t: {ours: Stated(column=c, by="cohort.toml") for ours, c in named.items()} for t, named in settings.columns.items()}
    for key, value in (columns or {}).items():
        if isinstance(value, Mapping):
            if key not in TABLES:
                raise UsageError(f"columns: {unknown('table', key, TABLES)}")
            for ours, theirs in cast("Mapping[str, str]", value).items():
                _known_meaning(ours, [key], measures)
                stated.setdefault(key, {})[ours] = Stated(column=theirs, by="argument")
            continue
        for table in _known_meaning(key, TABLES, measures):
            stated.setdefault(table, {})[key] = Stated(column=value, by="argument", must=False)
    return stated


def _known_meaning(ours: str, tables: Sequence[str], measures: tuple[Measure, ...]) -> list[str]:
    """Return the tables that have one of our columns; UsageError where none has."""
    homes = [table for table in tables if ours in meanings_of(table, measures)]
    if not homes:
        known = {name for table in tables for name in meanings_of(table, measures)}
        raise UsageError(f"columns: {unknown('column', ours, known)}")
    return homes


def _stated_formats(date_format: str | Mapping[str, str] | None, settings: Settings) -> dict[str, str]:
    """Return "table.column", "table" or "" (all) -> stated format."""
    formats = {place: stated_format(text) for place, text in settings.dates.items()}
    if isinstance(date_format, str):
        return {"": stated_format(date_format)}
    for place, text in (date_format or {}).items():
        problem = wrong_place(place)
        if problem:
            raise UsageError(f"date_format: {problem}")
        formats[place] = stated_format(text)
    return formats
