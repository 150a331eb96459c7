"""Patient ids: text everywhere, coded once so that rows can be sorted and matched as whole numbers."""

from __future__ import annotations

import polars as pl

from smoulder.errors import counted
from smoulder.sources.parsed import MISSING_SPELLINGS, Issue

_MANY_RUNS = 0.5


def id_texts(series: pl.Series) -> pl.Series:
    """Return ids as text: 2 and 2.0 are '2'."""
    if series.dtype.is_float():
        whole = series.drop_nans().drop_nulls()
        if (whole == whole.round(0)).all():
            return series.fill_nan(None).cast(pl.Int64, strict=False).cast(pl.String)
    return series.cast(pl.String)


def encoded(ids: pl.Series) -> pl.Series:
    """Return (n_rows,) ids as an Enum of the sorted distinct ones."""
    changed = ids.ne_missing(ids.shift(1))
    if len(ids):
        changed[0] = True
    if changed.sum() > _MANY_RUNS * len(ids):
        return _coded(ids)
    # Grouped rows: hash each run of one patient once instead of every row.
    runs = ids.filter(changed)
    return _coded(runs).gather(changed.cast(pl.UInt32).cum_sum() - 1)


def _coded(ids: pl.Series) -> pl.Series:
    """Return ids as an Enum of the sorted distinct ones, looking each up once: half the time of `unique`, `sort` and `cast`."""
    found = ids.cast(pl.Categorical(pl.Categories.random()))
    distinct = found.drop_nulls().unique()
    # The physical codes of fresh categories are 0, 1, 2, ... in the order of the rows.
    texts = distinct.gather(distinct.to_physical().arg_sort()).cast(pl.String)
    return texts.cast(pl.Enum(texts.sort())).gather(found.to_physical())


def categories_of(ids: pl.Series) -> pl.Series:
    """Return the sorted distinct ids of an Enum column."""
    assert isinstance(ids.dtype, pl.Enum)
    return ids.dtype.categories


def recoded(ids: pl.Series, new: pl.Series) -> pl.Series:
    """Return an Enum column with each id replaced by the one at its place in `new`; null takes it away."""
    codes = new.cast(pl.Enum(new.drop_nulls().unique().sort()))
    return codes.gather(ids.to_physical()).alias(ids.name)


def tidied(tables: dict[str, pl.Series]) -> dict[str, tuple[pl.Series, tuple[Issue, ...]]]:
    """Return the ids of every table without blanks around them, '.0' of numbers and spelled-out missing ids.

    Blanks stay where the same table has the id with and without them: then they are two ids, and the checks say so.

    Parameters
    ----------
    tables
        Table -> (n_rows,) Enum of ids.
    """
    held = _in_doubt(tables)
    return {name: _tidied(ids, held) for name, ids in tables.items()}


def _in_doubt(tables: dict[str, pl.Series]) -> set[str]:
    """Return the ids that some table has both with and without blanks around them."""
    doubtful: set[str] = set()
    for ids in tables.values():
        stripped = categories_of(ids).str.strip_chars()
        if stripped.n_unique() < len(stripped):
            doubtful |= set(stripped.filter(stripped.is_duplicated()))
    return doubtful


def _tidied(ids: pl.Series, held: set[str]) -> tuple[pl.Series, tuple[Issue, ...]]:
    known = categories_of(ids)
    stripped = known.str.strip_chars()
    missing = stripped.str.to_lowercase().is_in(sorted(MISSING_SPELLINGS))
    blank = (stripped != known) & ~missing & ~stripped.is_in(sorted(held))
    new = pl.select(pl.when(missing).then(None).when(blank).then(stripped).otherwise(known).alias("id"))["id"]
    real = new.drop_nulls()
    decimal = len(real) > 0 and bool(real.str.contains(r"^\d+\.0+$").all())
    if decimal:
        new = new.str.replace(r"\.0+$", "")
    if not (missing.any() or blank.any() or decimal):
        return ids, ()
    issues: list[Issue] = []
    if blank.any():
        at = blank.gather(ids.to_physical()).fill_null(False)
        issues.append(_trimmed(int(at.sum()), at))
    if decimal:
        issues.append(_cut_decimal(real[0]))
    return recoded(ids, new), tuple(issues)


def _trimmed(n_rows: int, at: pl.Series) -> Issue:
    return Issue(
        level="warning",
        code="patient-blanks",
        problem=f"The id has blanks before or after it in {counted(n_rows, 'row')}; they are taken away.",
        advice="Check that the ids now match those of the other tables.",
        at=at,
    )


def _cut_decimal(example: str) -> Issue:
    return Issue(
        level="notice",
        code="patient-decimals",
        problem=f"The ids are written as decimal numbers such as '{example}'; they are read without the '.0'.",
        advice="Nothing to do.",
    )
