"""Oddities of the columns: some that look like another, and traces of relapses without a table of them."""

from __future__ import annotations

from collections.abc import Iterator

from smoulder.errors import agreed
from smoulder.findings import Finding
from smoulder.loaded import Loaded, Table, plain_name


def column_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is odd about the columns of the visits."""
    table = loaded.tables.get("visits")
    if table is None:
        return
    yield from _alike(table)
    yield from _empty(table)
    if "relapses" not in loaded.tables and not loaded.nobody_relapsed:
        yield from _speaks_of_relapses(table)


def _alike(table: Table) -> Iterator[Finding]:
    """Yield a notice for each unused column whose name contains a used score's name."""
    for measure in table.measures:
        used = table.columns[measure.key]
        like = [name for name in table.unused if plain_name(used) in plain_name(name)]
        if like:
            yield table.finding(
                "notice",
                code="column-alike",
                problem=f"'{used}' is taken as {measure.name}; {_quoted(like)} {agreed(len(like), 'has', 'have')} a like name and "
                f"{agreed(len(like), 'is', 'are')} not used.",
                advice="Nothing to do, unless the other one is meant: then name it in cohort.toml or with columns=.",
                column=measure.key,
            )


def _empty(table: Table) -> Iterator[Finding]:
    for measure in table.measures:
        if table.frame.height and table.frame[measure.key].is_null().all():
            yield table.finding(
                "warning",
                code="column-empty",
                problem=f"No row has a score of {measure.name}.",
                advice="Check that the right column was named.",
                column=measure.key,
            )


def _speaks_of_relapses(table: Table) -> Iterator[Finding]:
    """Yield a warning where unused columns speak of relapses but give no day of onset."""
    named = [name for name in table.unused if "relapse" in plain_name(name)]
    if not named:
        return
    one = len(named) == 1
    yield table.finding(
        "warning",
        code="relapse-column-unused",
        problem=(
            f"The column{'' if one else 's'} {_quoted(named)} speak{'s' if one else ''} of relapses but "
            f"{'is' if one else 'are'} no table of relapses "
            f"and give{'s' if one else ''} no day of onset that could be read; {'it is' if one else 'they are'} not used."
        ),
        advice="Give a table of relapses, one row a relapse with the patient and the day it began.",
    )


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
