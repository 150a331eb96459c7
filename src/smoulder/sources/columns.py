"""Which column of a file is which of ours: stated, or known by its name."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smoulder.errors import one_of
from smoulder.findings import FoundColumn, Report
from smoulder.loaded import REPEATED, plain_name
from smoulder.sources.parsed import Issue
from smoulder.tables import COLUMNS, TABLES, Column
from smoulder.terms import Measure

_IN_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_NUMBERED = re.compile(
    r"(.*?\D)[\s_.\-]*(?:v|visit|m|month|w|week|y|year|bl)?[\s_.\-]*\d+\s*(?:m|mo|months?|w|weeks?|y|years?)?", re.IGNORECASE
)
_SAYS_RELAPSE = {"relapses.date", "relapses.end_date"}
_NAME_IT = "Name the one to use in cohort.toml or with columns=."


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A column named by the caller."""

    column: str
    by: str
    """"argument" or "cohort.toml"."""
    must: bool = True
    """Whether it is an error if the table does not have it."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The columns of one table, understood."""

    columns: dict[str, str]
    """Our name -> name in the file."""
    decided_by: dict[str, str]
    """Our name -> "name", "argument" or "cohort.toml"."""
    unused: tuple[str, ...]
    issues: tuple[Issue, ...] = ()
    lacking: tuple[str, ...] = field(default=())
    """Required columns that were not found, or found twice."""


def columns_of(table: str, measures: Sequence[Measure] = ()) -> tuple[Column, ...]:
    """Return the columns a table may have, with the caller's own measures among the visits."""
    if table != "visits":
        return COLUMNS[table]
    own = tuple(Column(name=m.key, kind="score", meaning=f"{m.name}, {m.unit}", synonyms=(plain_name(m.name),)) for m in measures)
    return (*COLUMNS[table], *own)


def choose(table: str, names: Sequence[str], stated: Mapping[str, Stated], measures: Sequence[Measure] = ()) -> Chosen:
    """Return which of a file's columns `names` is which of ours."""
    columns: dict[str, str] = {}
    decided: dict[str, str] = {}
    issues: list[Issue] = []
    lacking: list[str] = []
    taken = {s.column for s in stated.values() if s.column in names}
    for column in columns_of(table, measures):
        found, by, problem = _one(column, names, stated.get(column.name), taken)
        issues += [problem] if problem else []
        if found:
            columns[column.name], decided[column.name] = found, by
        elif column.required:
            lacking.append(column.name)
            if problem is None:
                issues.append(_absent(table, column, names))
    if table == "visits" and not any(c.kind == "score" and c.name in columns for c in columns_of(table, measures)):
        lacking.append("score")
        if not any(issue.level == "error" for issue in issues):
            issues.append(_no_measure(names))
    spread = {ours: numbered for ours, numbered in wide(table, names, measures).items() if not set(numbered) & set(columns.values())}
    if spread:
        used = "score" not in lacking
        if not used:
            issues = [issue for issue in issues if issue.code not in ("column-no-score", "column-missing")]
        issues.append(_wide(spread, used=used))
    unused = tuple(name for name in names if name not in columns.values())
    return Chosen(columns=columns, decided_by=decided, unused=unused, issues=tuple(issues), lacking=tuple(lacking))


def _one(column: Column, names: Sequence[str], stated: Stated | None, taken: set[str]) -> tuple[str, str, Issue | None]:
    """Return the name in the file ("" for none), who decided, and what is wrong or worth telling."""
    if stated is not None and stated.column in names:
        return stated.column, stated.by, None
    if stated is not None and stated.must:
        return "", "", _not_there(column, stated, names)
    candidates = [name for name in names if name not in taken and matches(column, name)]
    candidates = [name for name in candidates if _known_as(column, name)] or candidates
    if len(candidates) < 2:
        return (candidates[0] if candidates else ""), "name", None
    dates = [name for name in candidates if not _is_day_number(name)]
    if column.kind == "day" and len(dates) == 1:
        return dates[0], "name", _second_choice(column, dates[0], [name for name in candidates if name not in dates])
    return "", "", _ambiguous(column, candidates)


def matches(column: Column, name: str) -> bool:
    """Return whether a file's column has a name by which one of ours is known, with or without a unit or range in brackets.

    >>> matches(COLUMNS["visits"][2], "EDSS Score (0-10)")
    True
    """
    return _known_as(column, name) or _known_as(column, _IN_BRACKETS.sub("", REPEATED.sub("", name.strip())))


def _known_as(column: Column, name: str) -> bool:
    return plain_name(name) in (plain_name(column.name), *column.synonyms)


def wide(table: str, names: Sequence[str], measures: Sequence[Measure] = ()) -> dict[str, list[str]]:
    """Return the scores that have several columns numbered by visit, such as EDSS_0 and EDSS_12: our name -> the columns."""
    if table != "visits":
        return {}
    found: dict[str, list[str]] = {}
    for column in columns_of(table, measures):
        numbered = [
            name
            for name in names
            if column.kind == "score"
            and (stem := _NUMBERED.fullmatch(name.strip()))
            and matches(column, stem[1])
            and not matches(column, name)
        ]
        if len(numbered) > 1:
            found[column.name] = numbered
    return found


def _is_day_number(name: str) -> bool:
    return plain_name(name) in ("ady", "daysafterbaseline", "daysfromonset") or plain_name(name).endswith("day")


def relapse_columns(names: Sequence[str], unused: Sequence[str]) -> dict[str, str]:
    """Return the columns of a visits table that give relapses on visit rows: date, and perhaps end_date."""
    found: dict[str, str] = {}
    for column in COLUMNS["relapses"]:
        if f"relapses.{column.name}" not in _SAYS_RELAPSE:
            continue
        fitting = [name for name in unused if name in names and "relapse" in plain_name(name) and matches(column, name)]
        if len(fitting) == 1:
            found[column.name] = fitting[0]
    return found if "date" in found else {}


def is_visits(names: Sequence[str], measures: Sequence[Measure] = ()) -> bool:
    """Return whether a table has what visits need: a patient, a day and a score."""
    known = columns_of("visits", measures)
    has = {column.name: any(matches(column, name) for name in names) for column in known}
    return has["patient"] and has["date"] and any(has[column.name] for column in known if column.kind == "score")


def found_columns(table: str, chosen: Chosen, formats: Mapping[str, str]) -> list[FoundColumn]:
    """Return how every column of a table was understood; the unused ones last."""
    used = [
        FoundColumn(table=table, column=theirs, meaning=ours, format=formats.get(ours, ""), decided_by=chosen.decided_by[ours])
        for ours, theirs in chosen.columns.items()
    ]
    kept = "kept as it is" if table == "patients" else ""
    return used + [FoundColumn(table=table, column=name, meaning="", format=kept) for name in chosen.unused]


def _not_there(column: Column, stated: Stated, names: Sequence[str]) -> Issue:
    near = difflib.get_close_matches(stated.column, names, n=3, cutoff=0.5)
    near = near or [name for name in names if plain_name(name) == plain_name(stated.column)]
    hint = f"; did you mean {one_of(near)}?" if near else "."
    return Issue(
        level="error",
        code="column-not-there",
        problem=f"There is no column '{stated.column}', which was named as '{column.name}' ({stated.by}){hint}",
        advice=f"The table has {_listed(names)}.",
    )


def _ambiguous(column: Column, candidates: Sequence[str]) -> Issue:
    names = [REPEATED.sub("", name) for name in candidates]
    both = f"{len(names)} columns named '{names[0]}'" if len(set(names)) == 1 else " and ".join(f"'{name}'" for name in names)
    return Issue(
        level="error",
        code="column-ambiguous",
        problem=f"More than one column could be '{column.name}': {both}.",
        advice=_NAME_IT,
    )


def _second_choice(column: Column, chosen: str, others: Sequence[str]) -> Issue:
    return Issue(
        level="notice",
        code="column-second-choice",
        problem=f"'{chosen}' is taken as '{column.name}'; {one_of(others)} could be it too, as a day number, and is not used.",
        advice=f"Nothing to do, unless you want the other: then name it. {_NAME_IT}",
    )


def _absent(table: str, column: Column, names: Sequence[str]) -> Issue:
    near = [
        name
        for name in names
        if plain_name(column.name) in plain_name(name)
        or difflib.SequenceMatcher(None, plain_name(column.name), plain_name(name)).ratio() > 0.6
    ]
    hint = f" Perhaps it is {one_of(near)}." if near else ""
    return Issue(
        level="error",
        code="column-missing",
        problem=f"No column was recognised as '{column.name}' ({column.meaning}); the table has {_listed(names)}.{hint}",
        advice=f'Name it in cohort.toml ([columns.{table}] {column.name} = "...") or with '
        f'columns={{"{table}": {{"{column.name}": "..."}}}}.',
    )


def _no_measure(names: Sequence[str]) -> Issue:
    return Issue(
        level="error",
        code="column-no-score",
        problem=f"No column was recognised as a score (EDSS, T25FW, 9HPT, SDMT or a functional system); the table has {_listed(names)}.",
        advice='Name it in cohort.toml ([columns.visits] edss = "...") or with columns={"edss": "..."}.',
    )


def _wide(spread: Mapping[str, Sequence[str]], *, used: bool) -> Issue:
    shown = _listed([name for numbered in spread.values() for name in numbered])
    rest = "they are not used." if used else "so there is no column of scores."
    return Issue(
        level="warning" if used else "error",
        code="column-wide" if used else "table-wide",
        problem=f"One row a visit is needed: {shown} look like one column a visit; {rest}",
        advice="Give one row a visit, with patient, date and score (in R pivot_longer, in pandas melt, in Stata reshape long).",
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown or "no column"


def cohort_toml(report: Report) -> str:
    """Return the text of a `cohort.toml` that states what was found: columns, and formats of day columns where they are needed."""
    lines: list[str] = ["# Which column of the tables is which, as Smoulder understood them."]
    for table in TABLES:
        used = [found for found in report.columns if found.table == table and found.meaning]
        if used:
            lines += [
                "",
                f"[columns.{table}]",
                *(f"{found.meaning} = {json.dumps(found.column, ensure_ascii=False)}" for found in used),
            ]
    stated = [(found, word) for found in report.columns if (word := _statable(found.format))]
    if stated:
        lines += ["", "[dates]", *(f'"{found.table}.{found.meaning}" = {json.dumps(word)}' for found, word in stated)]
    return "\n".join(lines) + "\n"


def _statable(words: str) -> str:
    """Return a found format as it can be stated; "" where nothing needs to be."""
    if "%" in words:
        return words
    numbers = {"day numbers": "day", "Excel serial days": "excel", "YYYYMMDD": "yyyymmdd"}
    if words in numbers:
        return numbers[words]
    if re.fullmatch(r"(DD|MM)[/.-](DD|MM)[/.-]YYYY", words):
        return words.replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")
    return ""


def write_cohort_toml(path: str | Path, report: Report) -> Path:
    """Write what was found as a `cohort.toml`, to be edited and kept beside the data; returns its path.

    Raises FileExistsError where there is one already.
    """
    path = Path(path)
    with path.open("x", encoding="utf-8") as file:
        file.write(cohort_toml(report))
    return path
