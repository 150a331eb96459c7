"""`cohort.toml`: what a user writes beside the data to say which column, format or file is which."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from smoulder.errors import SourceError, unknown
from smoulder.sources.numbers import Decimal
from smoulder.tables import COLUMNS, TABLES, SameDay
from smoulder.terms import HUNDREDTHS, MEASURES, Measure

FILE_NAME = "cohort.toml"
SAME_DAY: tuple[SameDay, ...] = ("error", "last", "lowest", "highest")
_SECTIONS = ("columns", "dates", "tables", "reading", "measures")
_READING = {"same_day": str, "nobody_relapsed": bool, "decimal": str, "note": str}
_MEASURE = {"name": str, "unit": str, "low": float, "high": float, "worse": str, "unusual_above": float, "grid": float}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `cohort.toml` says, checked."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """Table -> our name -> name in the file."""
    dates: dict[str, str] = field(default_factory=dict)
    """Table, or table.column -> date format."""
    tables: dict[str, str] = field(default_factory=dict)
    """Table -> file, relative to the folder of `cohort.toml`."""
    same_day: SameDay = "error"
    nobody_relapsed: bool = False
    decimal: Decimal | None = None
    note: str = ""
    """What the reader of every result must know of these tables, such as that the people are made up."""
    measures: tuple[Measure, ...] = ()


def read_settings(path: Path) -> Settings:
    """Return what a `cohort.toml` says; SourceError with every mistake of it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} cannot be read: {error}") from error
    wrong: list[str] = []
    for section in content:
        if section not in _SECTIONS:
            wrong.append(unknown("section", section, _SECTIONS))
    sections = {name: _section(content, name, wrong) for name in _SECTIONS}
    reading = _reading(sections["reading"], wrong)
    measures = tuple(m for key, body in sections["measures"].items() if (m := _measure(key, body, wrong)) is not None)
    settings = Settings(
        columns=_columns(sections["columns"], measures, wrong),
        dates=_texts(sections["dates"], "dates", wrong),
        tables=_texts(sections["tables"], "tables", wrong),
        measures=measures,
        **reading,
    )
    if wrong:
        raise SourceError("\n".join([f"{path.name}: {len(wrong)} mistake{'' if len(wrong) == 1 else 's'}.", *(f"  - {w}" for w in wrong)]))
    return settings


def _section(content: dict[str, Any], name: str, wrong: list[str]) -> dict[str, Any]:
    section = content.get(name, {})
    if isinstance(section, dict):
        return cast("dict[str, Any]", section)
    wrong.append(f"'{name}' must be a section, written [{name}].")
    return {}


def _columns(section: dict[str, Any], measures: tuple[Measure, ...], wrong: list[str]) -> dict[str, dict[str, str]]:
    columns: dict[str, dict[str, str]] = {}
    for table, named in section.items():
        if table not in TABLES or not isinstance(named, Mapping):
            wrong.append(
                f"[columns.{table}]: {unknown('table', table, TABLES)}" if table not in TABLES else f"'columns.{table}' must be a section."
            )
            continue
        columns[table] = {}
        for ours, theirs in cast("dict[str, object]", named).items():
            known = meanings_of(table, measures)
            if ours not in known:
                wrong.append(f"[columns.{table}]: {unknown('column', ours, known)}")
            elif not isinstance(theirs, str):
                wrong.append(f"[columns.{table}] {ours} must be the name of a column, in quotes.")
            else:
                columns[table][ours] = theirs
    return columns


def meanings_of(table: str, measures: tuple[Measure, ...]) -> list[str]:
    """Return our names of the columns a table may have."""
    own = [measure.key for measure in measures] if table == "visits" else []
    return [column.name for column in COLUMNS[table]] + own


def _texts(section: dict[str, Any], name: str, wrong: list[str]) -> dict[str, str]:
    """Return a section of table -> text; dates may name a column too."""
    texts: dict[str, str] = {}
    for key, value in section.items():
        values = (
            {f"{key}.{column}": text for column, text in value.items()} if isinstance(value, dict) and name == "dates" else {key: value}
        )
        for place, text in values.items():
            problem = wrong_place(place) if name == "dates" else ("" if place in TABLES else unknown("table", place, TABLES))
            if problem:
                wrong.append(f"[{name}]: {problem}")
            elif not isinstance(text, str):
                wrong.append(f"[{name}] {place} must be a text in quotes.")
            else:
                texts[place] = text
    return texts


def wrong_place(place: str) -> str:
    """Return the sentence for a "table" or "table.column" that does not exist; "" where it does."""
    table, _, column = place.partition(".")
    if table not in TABLES:
        return unknown("table", table, TABLES)
    days = [c.name for c in COLUMNS[table] if c.kind == "day"]
    return unknown(f"column of days in {table}", column, days) if column and column not in days else ""


def _reading(section: dict[str, Any], wrong: list[str]) -> dict[str, Any]:
    reading: dict[str, Any] = {}
    for key, value in section.items():
        if key not in _READING:
            wrong.append(f"[reading]: {unknown('setting', key, _READING)}")
        elif not isinstance(value, _READING[key]):
            wrong.append(f"[reading] {key} must be {'true or false' if _READING[key] is bool else 'a text in quotes'}.")
        elif key == "same_day" and value not in SAME_DAY:
            wrong.append(f"[reading] same_day: {unknown('choice', value, SAME_DAY)}")
        elif key == "decimal" and value not in (".", ","):
            wrong.append("[reading] decimal must be '.' or ','.")
        else:
            reading[key] = value
    return reading


def _measure(key: str, body: object, wrong: list[str]) -> Measure | None:
    """Return a measure declared as [measures.key]; None, and a sentence in `wrong`, where it cannot be."""
    place, before = f"[measures.{key}]", len(wrong)
    if not isinstance(body, dict):
        wrong.append(f"{place} must be a section with name, unit, low and worse.")
        return None
    named = cast("dict[str, Any]", body)
    if key in MEASURES or key in {column.name for column in COLUMNS["visits"]}:
        wrong.append(f"{place}: '{key}' is a column already; choose another name.")
    if not key.isidentifier():
        wrong.append(f"{place}: a key has letters, digits and _ only.")
    for name, value in named.items():
        kind = _MEASURE.get(name)
        if kind is None:
            wrong.append(f"{place}: {unknown('setting', name, _MEASURE)}")
        elif isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
            wrong.append(f"{place} {name} must be {'a number' if kind is float else 'a text in quotes'}.")
    for name in ("low", "worse"):
        if name not in named:
            wrong.append(f"{place} needs '{name}'.")
    if named.get("worse", "lower") not in ("lower", "higher"):
        wrong.append(f"{place} worse must be 'lower' or 'higher': which scores are the worse ones.")
    if len(wrong) > before:
        return None
    wrong.extend(f"{place} {problem}" for problem in _impossible_range(named))
    return None if len(wrong) > before else _made(key, named)


def _impossible_range(named: dict[str, Any]) -> list[str]:
    """Return what is wrong with the numbers of a measure."""
    problems = [
        f"{name} has more than two decimals."
        for name in ("low", "high", "unusual_above", "grid")
        if name in named and abs(named[name] * HUNDREDTHS - round(named[name] * HUNDREDTHS)) > 1e-6
    ]
    if "high" in named and named["high"] <= named["low"]:
        problems.append("high must be above low.")
    if named.get("grid", 1) <= 0:
        problems.append("grid must be above 0.")
    return problems


def _made(key: str, named: dict[str, Any]) -> Measure:
    return Measure(
        key=key,
        name=named.get("name", key),
        unit=named.get("unit", "points"),
        low=named["low"],
        high=named.get("high"),
        unusual_above=named.get("unusual_above"),
        higher_is_worse=named["worse"] == "higher",
        grid=named.get("grid"),
    )
